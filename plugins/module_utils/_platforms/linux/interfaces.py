# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interfaces as iproute2 and the kernel show them: what they are, addresses, MTU, speed and byte counters."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, Iterable, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.asking import Counters
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg_links import kind_of, lagg_of, vlan_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

_MASTERS = ("bridge", "lagg")
_CONFIGURED = ("static", "boot")
_FOREVER = 0xFFFFFFFF

Interface = Dict[str, Any]


def read(node: Node) -> List[Interface]:
    """All interfaces but the loopback, in the kernel's order.

    Each is ``{"name", "mac", "mtu" (bytes), "speed" (Mbit/s or None), "up", "addresses" (with prefix length), "rx_bytes", "tx_bytes",
    "rx_packets", "tx_packets", "kind", "vlan", "lagg", "master", "leased"}``. Up means administratively up with a carrier; ``kind``, ``vlan`` and
    ``lagg`` are as in :mod:`.lagg_links`; ``master`` is the bridge or LAGG that it is a port of; ``leased`` are those of its addresses that a server
    or router lent it.

    Raises:
        NodeError: ``ip`` is absent, fails, or writes something other than JSON.
    """
    listing = node.query(["ip", "-d", "-j", "-s", "addr"]).stdout
    try:
        return parse(listing, lambda name: speed(node, name))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise NodeError("the answer of ip -d -j -s addr cannot be read: %s" % error) from error


def parse(listing: str, speed_of: Callable[[str], Optional[int]]) -> List[Interface]:
    """The interfaces in the JSON that ``ip -d -j -s addr`` wrote; ``speed_of`` gives the speed of a name."""
    interfaces = []
    entries = [entry for entry in json.loads(listing or "[]") if entry]
    masters = {entry["ifname"] for entry in entries if kind_of(entry) in _MASTERS}
    for entry in entries:
        flags = entry.get("flags", [])
        if "LOOPBACK" in flags:
            continue
        counted = entry.get("stats64") or entry.get("stats") or {}
        received, sent = counted.get("rx", {}), counted.get("tx", {})
        interfaces.append({
            "name": entry["ifname"], "mac": entry.get("address"), "mtu": entry.get("mtu"), "speed": speed_of(entry["ifname"]),
            "up": "UP" in flags and "LOWER_UP" in flags,
            "addresses": [_address(item) for item in entry.get("addr_info", []) if "local" in item],
            "rx_bytes": received.get("bytes"), "tx_bytes": sent.get("bytes"), "rx_packets": received.get("packets"), "tx_packets": sent.get("packets"),
            "kind": kind_of(entry), "vlan": vlan_of(entry), "lagg": lagg_of(entry, entries),
            "master": entry.get("master") if entry.get("master") in masters else None,
            "leased": [_address(item) for item in entry.get("addr_info", []) if "local" in item and item.get("valid_life_time", _FOREVER) != _FOREVER],
        })
    return interfaces


def _address(item: Dict[str, Any]) -> str:
    return "%s/%d" % (item["local"], item["prefixlen"])


def routes(node: Node) -> List[Dict[str, Any]]:
    """The routes that somebody configured, of both families and all tables: ``{"dst", "gateway", "dev"}``; not those of the kernel, of DHCP or of a daemon.

    Raises:
        NodeError: ``ip`` is absent, fails, or writes something other than JSON.
    """
    found = []
    for family in ("-4", "-6"):
        try:
            rows = json.loads(node.query(["ip", family, "-j", "route", "show", "table", "all"]).stdout or "[]")
            found += [{"dst": row["dst"], "gateway": row.get("gateway"), "dev": row["dev"]} for row in rows
                      if row.get("dev") and row.get("protocol", "boot") in _CONFIGURED and row.get("type", "unicast") == "unicast"]
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise NodeError("the answer of ip route cannot be read: %s" % error) from error
    return found


def speed(node: Node, name: str) -> Optional[int]:
    """Mbit/s that the driver reports in sysfs; None when it reports none (the link is down, or the device has no speed)."""
    try:
        value = int(node.read_text("/sys/class/net/%s/speed" % name) or "")
    except (OSError, ValueError):
        # The kernel answers EINVAL for a link that is down and for a driver without a speed.
        return None
    return value if value > 0 else None


def still_absent(node: Node, names: Iterable[str], coming: Iterable[str]) -> List[str]:
    """Those of the devices that a real run would have made before, and that are not there only because this is check mode."""
    if not node.check_mode:
        return []
    return sorted({name for name in names if name in coming and node.read_text("/sys/class/net/%s/ifindex" % name) is None})


def counters(node: Node) -> Counters:
    """Byte counters of all interfaces in one read of /proc/net/dev: name -> ``{"rx_bytes", "tx_bytes"}``.

    Raises:
        NodeError: there is no such file.
    """
    text = node.read_text("/proc/net/dev")
    if text is None:
        raise NodeError("/proc/net/dev is not there, so traffic cannot be measured")
    return parse_counters(text)


def parse_counters(text: str) -> Counters:
    """The byte counters in the text of /proc/net/dev (proc(5)): field 1 is bytes received, field 9 bytes sent."""
    found: Counters = {}
    for line in text.splitlines():
        name, colon, numbers = line.rpartition(":")
        fields = numbers.split()
        if colon and len(fields) >= 9 and fields[0].isdigit() and fields[8].isdigit():
            found[name.strip()] = {"rx_bytes": int(fields[0]), "tx_bytes": int(fields[8])}
    return found
