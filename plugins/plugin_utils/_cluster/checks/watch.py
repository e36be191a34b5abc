# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen on the Sync network while a node listened: who sent, in which formats, and how much. Evidence is read with care, and the checks judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import ClusterView, NodeView, number

AREA = "watch"


class Seen(NamedTuple):
    """Who sent: members by name, and for people those who are none or who use a member's address."""

    members: frozenset[str]
    strangers: list[str]


def senders(node: NodeView) -> list[Mapping[str, Any]] | None:
    """Those whom a node has seen on its Sync interface; None when it has not listened there."""
    return node.rows(AREA, "senders") if node.get(AREA, "interface") == node.sync.get("interface") else None


def seen(cluster: ClusterView, node: NodeView, macs: Mapping[str, str]) -> Seen | None:
    """Whom a node has seen.

    Args:
        macs: hardware addresses of members' interfaces, and whose they are. Where a member has any, its packets come from one of them.
    """
    rows = senders(node)
    if rows is None:
        return None
    members, strangers = set(), []
    for row in rows:
        address, owner = row.get("address"), _owner(cluster, row)
        foreign = [str(mac) for mac in _texts(row.get("macs")) if str(mac).lower() not in macs]
        said = f"sends {row.get('engine')} of version {row.get('version')}"
        if owner is None and not foreign and _texts(row.get("macs")):
            owner = macs[_texts(row.get("macs"))[0].lower()]
        if owner is None:
            strangers.append(f"{address} ({', '.join(foreign) or 'hardware address not known'}, {said})")
        elif foreign and owner in macs.values():
            strangers.append(f"{', '.join(foreign)} (with the address {address} of {owner}, {said})")
        else:
            members.add(owner)
    return Seen(frozenset(members), strangers)


def newest_format(cluster: ClusterView, sender: NodeView) -> int | None:
    """The newest format of messages that any node has seen a member send; None when nobody has seen one."""
    formats = [found for node in cluster.nodes for row in senders(node) or [] if _owner(cluster, row) == sender.name
               for found in (row.get("formats") if isinstance(row.get("formats"), list) else []) or []
               if isinstance(found, int) and not isinstance(found, bool)]
    return max(formats, default=None)


def rates(node: NodeView) -> tuple[float, float] | None:
    """Bytes per second of sync traffic that a node has seen come in and go out; None when that is not known."""
    rows = senders(node)
    if rows is None or not node.number(AREA, "seconds") and rows:
        return None
    own, told = node.sync_addresses, [(row.get("address"), number(row.get("bytes_per_second"))) for row in rows]
    if any(rate is None for _address, rate in told):
        return None
    sent = sum(rate or 0.0 for address, rate in told if address in own)
    return sum(rate or 0.0 for _address, rate in told) - sent, sent


def _owner(cluster: ClusterView, row: Mapping[str, Any]) -> str | None:
    """The member whose address this is."""
    address = row.get("address")
    return next((node.name for node in cluster.nodes if isinstance(address, str) and address in node.sync_addresses), None)


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
