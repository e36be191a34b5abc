# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``engine``: pfsync as configured and as it runs, and whose states the kernel holds."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas, Error
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, netstat, pfsync, pinned
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.ifconfig import Link, own_address
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import Release
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.state_sync import ENABLED, HOST_ID, INTERFACE, PEER

PATHS: Sequence[bridge.Path] = (ENABLED, INTERFACE, PEER, HOST_ID, pinned.COMMANDS)

# The kernel lists who made its states since FreeBSD's pfctl has -s Creators; the product uses it from these releases on. Before that, only the states
# themselves tell; they stay on the node, and what comes back is each id once.
_LISTED = ((2, 7, 1), (23, 9, 0))
CREATOR_ONLY = 'sub(/.*creatorid: */, ""); sub(/[^0-9a-f].*/, "")'
OF_STATES = ("sh", "-c", "pfctl -vvss | awk '/creatorid:/ { %s; print }' | sort -u" % CREATOR_ONLY)
_LONGEST = 120.0  # seconds; a million states take their time


class Status(NamedTuple):
    """pf, from ``pfctl -si -v``: ``host_id`` marks the states that this node makes, in its shortest form."""

    running: Optional[bool]
    host_id: Optional[str]
    states: Optional[int]


def status(text: str) -> Status:
    """Read the answer; what it does not say is None."""
    state = re.search(r"^Status: (Enabled|Disabled)", text, re.MULTILINE)
    host_id = re.search(r"^Hostid: +0x([0-9a-f]+)", text, re.MULTILINE)
    states = re.search(r"^ +current entries +(\d+)", text, re.MULTILINE)
    return Status(None if state is None else state[1] == "Enabled", None if host_id is None else "%x" % int(host_id[1], 16),
                  None if states is None else int(states[1]))


def limit(text: str) -> Optional[int]:
    """How many states the kernel takes at most, from ``pfctl -sm``."""
    found = re.search(r"^states +hard limit +(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else None


def creators(node: Node, release: Release) -> List[str]:
    """The ids of the nodes that made the states in the kernel's table, each in its shortest form.

    Raises:
        NodeError: pfctl fails.
    """
    listing = node.query(["pfctl", "-sc"] if release.since(*_LISTED) else OF_STATES, timeout=_LONGEST).stdout
    return sorted({"%x" % int(line, 16) for line in listing.split("\n") if re.fullmatch(r"[0-9a-f]{1,8}", line.strip())})


def counters(node: Node) -> Optional[Dict[str, Any]]:
    """What pfsync has counted.

    Raises:
        NodeError: there is no netstat.
    """
    return netstat.pfsync(node.query(["netstat", "-s", "-p", "pfsync", "--libxo", "json"]).stdout)


def observe(node: Node, release: Release, links: Mapping[str, Link], reading: Optional[bridge.Reading], devices: Mapping[str, Optional[str]],
            count: Callable[[Node], Optional[Dict[str, Any]]] = counters) -> Tuple[Dict[str, Any], List[Error]]:
    """The evidence ``engine``, and what could not be read.

    Args:
        links: the node's devices.
        reading: with :data:`PATHS`, without the commands at boot where they may not be read; None when the configuration could not be read.
        devices: by the product's name of an interface, its device.
        count: reads what pfsync has counted.
    """
    areas = Areas()
    now = areas.read("engine", lambda: pfsync.running(node))
    pf = areas.read("engine", lambda: status(node.query(["pfctl", "-si", "-v"]).stdout)) or Status(None, None, None)
    found = {
        "name": "pfsync", "installed": True, "joined": None, "masked": False, "filter": pf.running,
        "enabled": None if reading is None else reading.values[ENABLED] is not None,
        "empty": None if reading is None else reading.values[ENABLED] == "",
        "running": None if now is None else now.up and now.device is not None,
        "pinned": None if reading is None else pinned.pinned(reading), "config": _as_running(now, links),
        "config_current": _current(now, pf, reading, devices), "synced": None if now is None else now.bulk_done,
        "counters": areas.read("engine", lambda: count(node)),
        "tables": {"kernel": pf.states, "kernel_max": areas.read("engine", lambda: limit(node.query(["pfctl", "-sm"]).stdout))},
        "host_id": pf.host_id, "creators": areas.read("engine", lambda: creators(node, release)),
    }
    return found, areas.errors


def _as_running(now: Optional[pfsync.Pfsync], links: Mapping[str, Link]) -> Optional[Dict[str, Any]]:
    if now is None or now.device is None:
        return None
    address = own_address(links, now.device)
    return {"interface": now.device, "transport": "multicast" if now.peer is None else "unicast", "peer": now.peer,
            "address": None if address is None else address.split("/")[0], "network": None, "version": now.version, "defer": now.defer, "maxupd": now.maxupd}


def _current(now: Optional[pfsync.Pfsync], pf: Status, reading: Optional[bridge.Reading], devices: Mapping[str, Optional[str]]) -> Optional[bool]:
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
