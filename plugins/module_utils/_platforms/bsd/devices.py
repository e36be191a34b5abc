# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence about interfaces: what ifconfig and netstat say of each device, and what the node's configuration makes of it."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import ifconfig, netstat
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Lagg, Link
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

# Devices of the packet filter and of IPsec that carry no traffic of their own; old releases have them in no group, so their names count too.
_PSEUDO = {"lo", "pflog", "pfsync", "enc"}
# What a driver of software makes is no port that a LAGG could have.
_MADE = {"tap", "tun", "openvpn", "ovpn", "wg", "gif", "gre", "vxlan", "stf", "ipsec", "ng"}
_HASHING = ("lacp", "loadbalance")

Links = Mapping[str, Link]


def links(node: Node) -> Dict[str, Link]:
    """All devices; of a LAGG with LACP also what LACP says.

    Raises:
        NodeError: there is no ifconfig.
    """
    found = ifconfig.parse(node.query(["ifconfig"]).stdout)
    for name, link in list(found.items()):
        if link.lagg is not None and link.lagg.protocol == "lacp":
            found.update(ifconfig.parse(node.query(["ifconfig", "-v", name]).stdout))
    return found


def counters(node: Node) -> Dict[str, Dict[str, int]]:
    """What each device has received and sent.

    Raises:
        NodeError: there is no netstat.
    """
    return netstat.interfaces(node.query(["netstat", "-ibnW"]).stdout)


def rows(found: Links, counted: Mapping[str, Mapping[str, int]], assigned: Mapping[str, Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """The devices as evidence.

    Args:
        found: from :func:`links`.
        counted: from :func:`counters`.
        assigned: the configuration's interfaces by key, each with its device (``if``) and, as far as stated, ``descr``, ``ipaddr`` and ``ipaddrv6``.
    """
    masters = {member: link.name for link in found.values() for member in _members(link)}
    keys: Dict[Any, str] = {}
    for key, row in assigned.items():
        keys.setdefault(row.get("if"), key)
    return [_row(link, found, counted, masters, keys.get(link.name), assigned) for link in found.values()
            if "LOOPBACK" not in link.flags and not _PSEUDO & {*link.groups, link.name.rstrip("0123456789")}]


def _row(link: Link, found: Links, counted: Mapping[str, Mapping[str, int]], masters: Mapping[str, str], key: Optional[str],
         assigned: Mapping[str, Mapping[str, Any]]) -> Dict[str, Any]:
    figures, settings = counted.get(link.name, {}), assigned.get(key or "", {})
    addresses = [address.text for address in link.addresses]
    return {
        "name": link.name, "key": key, "description": settings.get("descr") or None, "mac": link.mac, "mtu": link.mtu, "speed": _speed(link, found),
        "up": link.up, "addresses": addresses, "rx_bytes": figures.get("rx_bytes"), "tx_bytes": figures.get("tx_bytes"),
        "rx_packets": figures.get("rx_packets"), "tx_packets": figures.get("tx_packets"), "kind": kind(link),
        "vlan": None if link.vlan is None else {"id": link.vlan[0], "parent": link.vlan[1]},
        "lagg": None if link.lagg is None else _lagg(link.lagg, found), "master": masters.get(link.name),
        "leased": [address.text for address in link.addresses if address.vhid is None and _leased(address.text, settings)],
    }


def kind(link: Link) -> str:
    """``port``, ``vlan``, ``lagg``, ``bridge``, or ``other`` for what can be none of these."""
    if link.lagg is not None:
        return "lagg"
    if link.vlan is not None:
        return "vlan"
    if link.members or "bridge" in link.groups:
        return "bridge"
    return "port" if link.mac is not None and link.medium is not None and not _MADE & set(link.groups) else "other"


def _members(link: Link) -> List[str]:
    return [port.name for port in link.lagg.ports] if link.lagg is not None else list(link.members)


def _speed(link: Link, found: Links) -> Optional[int]:
    """That of the medium; of a VLAN its parent's; of a LAGG that of the ports that carry its traffic, together."""
    if link.vlan is not None:
        parent = found.get(link.vlan[1])
        return None if parent is None or parent.vlan is not None else _speed(parent, found)
    if link.lagg is None:
        return link.speed
    carrying = [found[port.name].speed if port.name in found else None for port in link.lagg.ports if "ACTIVE" in port.flags]
    known = [speed for speed in carrying if speed is not None]
    return sum(known) if known and len(known) == len(carrying) else None


def _lagg(lagg: Lagg, found: Links) -> Dict[str, Any]:
    lacp = lagg.protocol == "lacp"
    flagged = {flag: next((port.name for port in lagg.ports if flag in port.flags), None) for flag in ("MASTER", "ACTIVE")}
    rate = None if lagg.options is None or not lacp else "fast" if "LACP_FAST_TIMO" in lagg.options else "slow"
    failover = lagg.protocol == "failover"
    return {
        "protocol": lagg.protocol, "members": [port.name for port in lagg.ports],
        "hash": (lagg.hash or "").replace(",", "+") or None if lagg.protocol in _HASHING else None, "lacp_rate": rate, "min_links": None,
        "primary": flagged["MASTER"] if failover else None, "active": flagged["ACTIVE"] if failover else None,
        "aggregator": lagg.aggregation if lacp else None, "partner": lagg.partner if lacp else None,
        "ports": [{
            "name": port.name, "up": found[port.name].up if port.name in found else None, "mac": found[port.name].own_mac if port.name in found else None,
            "active": "ACTIVE" in port.flags, "failures": None, "aggregator": port.aggregation if lacp else None,
            "synchronized": None, "collecting": "COLLECTING" in port.flags if lacp else None, "distributing": "DISTRIBUTING" in port.flags if lacp else None,
        } for port in lagg.ports],
    }


def _leased(address: str, settings: Mapping[str, Any]) -> bool:
    """Whether a server or router lent it: the configuration has a word there, as dhcp, in place of an address."""
    stated = settings.get("ipaddrv6" if ":" in address else "ipaddr") or ""
    if not stated or address.lower().startswith("fe80:"):
        return False
    try:
        ipaddress.ip_address(stated)
    except ValueError:
        return True
    return False
