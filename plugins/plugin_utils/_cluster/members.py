# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who belongs to a cluster, and do its members agree on what it is?"""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import Opaque, plain, show
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.schema import joined

_ABSENT = Opaque("nothing")
_SECRETS = frozenset(("password",))


def name_of(cluster: Any) -> str | None:
    """The name that a value of ``hafirewall_cluster`` states; None when it states none."""
    name = cluster.get("name") if isinstance(cluster, Mapping) else None
    return str.__str__(name) if isinstance(name, str) else None


def compare(clusters: Mapping[str, Any], findings: Findings) -> None:
    """Refuse every place where the members' values of ``hafirewall_cluster`` differ.

    Args:
        clusters: the value by host, in inventory order.
    """
    values = [(host, plain(value)) for host, value in clusters.items()]
    for host, value in values[1:]:
        first, reference = values[0]
        for path, here, there in _differences("hafirewall_cluster", reference, value):
            secret = path.rsplit(".", 1)[-1] in _SECRETS
            shown = "the values are secret" if secret else f"{first} has {_show(here)}, {host} has {_show(there)}"
            findings.at(host).refuse(path, f"differs from {first}: {shown}", "state it once for all members, in a group that holds them all")


def _differences(path: str, here: Any, there: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(here, dict) and isinstance(there, dict):
        for key in dict.fromkeys([*here, *there]):
            yield from _differences(joined(path, key), here.get(key, _ABSENT), there.get(key, _ABSENT))
    elif isinstance(here, list) and isinstance(there, list):
        for index in range(max(len(here), len(there))):
            yield from _differences(f"{path}[{index}]", *(side[index] if index < len(side) else _ABSENT for side in (here, there)))
    elif type(here) is not type(there) or here != there:
        yield path, here, there


def _show(value: Any) -> str:
    return value.name if isinstance(value, Opaque) else show(value)
