# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``engine``: pfsync as configured and as it runs, and whose states the kernel holds."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas, Error
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf as packet_filter
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, pinned
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import Release
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.state_sync import ENABLED, HOST_ID, INTERFACE, PEER

PATHS: Sequence[bridge.Path] = (ENABLED, INTERFACE, PEER, HOST_ID, pinned.COMMANDS)

# The kernel lists who made its states since FreeBSD's pfctl has -s Creators; the product uses it from these releases on.
_LISTED = ((2, 7, 1), (23, 9, 0))

def observe(node: Node, release: Release, links: Mapping[str, Link], reading: Optional[bridge.Reading], devices: Mapping[str, Optional[str]],
            count: Callable[[Node], Optional[Dict[str, Any]]] = pfsync.counters) -> Tuple[Dict[str, Any], List[Error]]:
    """The evidence ``engine``, and what could not be read.

    Args:
        links: the node's devices.
        reading: with :data:`PATHS`, without the commands at boot where they may not be read; None when the configuration could not be read.
        devices: by the product's name of an interface, its device.
        count: reads what pfsync has counted.
    """
    areas = Areas()
    now = areas.read("engine", lambda: pfsync.running(node))
    pf = areas.read("engine", lambda: packet_filter.status(node.query(["pfctl", "-si", "-v"]).stdout)) or packet_filter.Status(None, None, None)
    found = {
        "name": "pfsync", "installed": True, "joined": None, "masked": False, "filter": pf.running,
        "enabled": None if reading is None else reading.values[ENABLED] is not None,
        "empty": None if reading is None else reading.values[ENABLED] == "",
        "running": None if now is None else now.up and now.device is not None,
        "pinned": None if reading is None else pinned.pinned(reading), "config": pfsync.as_evidence(now, links),
        "config_current": _current(now, pf, reading, devices), "synced": None if now is None else now.bulk_done,
        "counters": areas.read("engine", lambda: count(node)),
        "tables": {"kernel": pf.states, "kernel_max": areas.read("engine", lambda: packet_filter.limit(node.query(["pfctl", "-sm"]).stdout))},
        "host_id": pf.host_id, "creators": areas.read("engine", lambda: packet_filter.creators(node, release.since(*_LISTED))),
    }
    return found, areas.errors


def _current(now: Optional[pfsync.Pfsync], pf: packet_filter.Status, reading: Optional[bridge.Reading], devices: Mapping[str, Optional[str]]) -> Optional[bool]:
    """Whether pfsync0 and the host id are what the configuration says."""
    if now is None or reading is None:
        return None
    wanted = (reading.values[HOST_ID] or "").strip().lower()
    if re.fullmatch(r"[0-9a-f]{1,8}", wanted) and pf.host_id is not None and int(wanted, 16) != int(pf.host_id, 16):
        return False
    if reading.values[ENABLED] is None:
        return now.device is None
    device, kept = devices.get(reading.values[INTERFACE] or ""), pinned.pinned(reading)
    if kept is not None and now.version not in (None, kept):
        return False
    return device is not None and (now.up, now.device, now.peer) == (True, device, reading.values[PEER] or None)
