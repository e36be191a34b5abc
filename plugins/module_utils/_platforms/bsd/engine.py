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


def _limit(node: Node) -> Optional[int]:
    return packet_filter.limit(node.query(["pfctl", "-sm"]).stdout)
