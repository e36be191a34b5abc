# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all platforms with FreeBSD's pfsync have in common in the evidence ``engine``: pfsync and pf as they run."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf as packet_filter
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

AREA = "engine"
# States up to which they are counted one by one, which takes some seconds on a small machine.
_MOST_COUNTED = 200000


class Kernel(NamedTuple):
    """What runs: ``now`` is None where it could not be read or there is no pfsync0, ``there`` None where that is not known."""

    now: Optional[pfsync.Pfsync]
    there: Optional[bool]
    pf: packet_filter.Status


class Configured(NamedTuple):
    """What the node's configuration says, each None where it could not be read.

    Attributes:
        enabled: state sync starts at boot.
        empty: an element that is only there switches it on (a product's own trap; False elsewhere).
        pinned: the format of messages that is set at boot; None also for none.
        current: the kernel runs what is configured.
    """

    enabled: Optional[bool]
    empty: Optional[bool]
    pinned: Optional[int]
    current: Optional[bool]


def read(areas: Areas, node: Node, find: Callable[[Node], Optional[pfsync.Pfsync]]) -> Kernel:
    """Read pfsync0 by ``find``, which returns None where there is none, and pf; either fails by itself."""
    found = areas.read(AREA, lambda: [find(node)])
    pf = areas.read(AREA, lambda: packet_filter.find(node)) or packet_filter.Status(None, None, None)
    return Kernel(found[0] if found else None, None if found is None else found[0] is not None, pf)


def outline(areas: Areas, node: Node, kernel: Kernel, links: Mapping[str, Link], configured: Configured,
            count: Callable[[Node], Optional[Dict[str, Any]]]) -> Dict[str, Any]:
    """The part of the evidence that all have; ``count`` reads what pfsync has counted."""
    now, pf = kernel.now, kernel.pf
    return {
        "name": "pfsync", "installed": True, "joined": None, "masked": False, "filter": pf.running,
        "enabled": configured.enabled, "empty": configured.empty,
        "running": now.up and now.device is not None if now is not None else False if kernel.there is False else None,
        "pinned": configured.pinned, "config": pfsync.as_evidence(now, links), "config_current": configured.current,
        "synced": None if now is None else now.bulk_done, "mtu": None if now is None else now.mtu,
        "counters": areas.read(AREA, lambda: count(node)) if kernel.there is not False else None,
        "tables": {"kernel": pf.states, "kernel_max": areas.read(AREA, lambda: _limit(node)) if pf.loaded else None},
        "host_id": pf.host_id, "checksum": pf.checksum,
    }


def table(areas: Areas, node: Node, status: packet_filter.Status, listed: bool) -> Dict[str, Any]:
    """Whose states there are. So many that counting them takes long are not counted, and then the kernel lists their makers where it can (``listed``)."""
    found: Dict[str, Any] = {"creators": None, "states_by_creator": None, "states_by_interface": None}
    if status.states is None:
        return found
    if not status.loaded:
        return dict(found, creators=[], states_by_creator={}, states_by_interface={})
    if status.states <= _MOST_COUNTED:
        counted = areas.read(AREA, lambda: packet_filter.table(node))
        return found if counted is None else {"creators": sorted(counted.creators), "states_by_creator": counted.creators,
                                              "states_by_interface": counted.interfaces}
    return dict(found, creators=areas.read(AREA, lambda: packet_filter.creators(node, listed)))


def _limit(node: Node) -> Optional[int]:
    return packet_filter.limit(node.query(["pfctl", "-sm"]).stdout)
