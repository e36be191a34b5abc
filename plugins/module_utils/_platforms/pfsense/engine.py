# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``engine``: pfsync as configured and as it runs, and whose states the kernel holds."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas, Error
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import engine as common
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
    kernel = common.read(areas, node, pfsync.running)
    configured = common.Configured(None, None, None, None) if reading is None else common.Configured(
        reading.values[ENABLED] is not None, reading.values[ENABLED] == "", pinned.pinned(reading), _current(kernel.now, kernel.pf, reading, devices))
    found = common.outline(areas, node, kernel, links, configured, count)
    found["creators"] = areas.read("engine", lambda: packet_filter.creators(node, release.since(*_LISTED)))
    return found, areas.errors


def _current(now: Optional[pfsync.Pfsync], pf: packet_filter.Status, reading: bridge.Reading, devices: Mapping[str, Optional[str]]) -> Optional[bool]:
    """Whether pfsync0 and the host id are what the configuration says."""
    if now is None:
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
