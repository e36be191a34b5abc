# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a device is, from one entry of ``ip -details -json``: a port, a VLAN, a LAGG with its members' states, a bridge. Pure.

Names of the kernel's bonding driver (Documentation/networking/bonding.rst) become the collection's own words, and back, by the tables here.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional

PROTOCOLS = {"802.3ad": "lacp", "active-backup": "failover", "balance-xor": "loadbalance", "balance-rr": "roundrobin", "broadcast": "broadcast"}
HASHES = {"layer2": "l2", "layer2+3": "l2+l3", "layer3+4": "l3+l4"}
HASHING = ("lacp", "loadbalance")

# Whatever the driver takes as a member: devices without a kind of their own are NICs.
_PORTS = (None, "veth", "macvlan", "dummy", "netdevsim")
_KINDS = {"vlan": "vlan", "bond": "lagg", "bridge": "bridge"}

# Bits of a port's state in LACP (IEEE 802.1AX).
_SYNCHRONIZED, _COLLECTING, _DISTRIBUTING = 0x08, 0x10, 0x20
_NO_PARTNER = "00:00:00:00:00:00"

Entry = Dict[str, Any]


def kind_of(entry: Entry) -> str:
    """``port``, ``vlan``, ``lagg``, ``bridge``, or ``other`` for what can be none of these."""
    kind = _info(entry).get("info_kind")
    if kind in _PORTS:
        return "port" if entry.get("link_type", "ether") == "ether" else "other"
    return _KINDS.get(str(kind), "other")


def vlan_of(entry: Entry) -> Optional[Dict[str, Any]]:
    """``{"id", "parent"}`` of a VLAN, else None."""
    if kind_of(entry) != "vlan":
        return None
    return {"id": _data(entry).get("id"), "parent": entry.get("link")}


def lagg_of(entry: Entry, entries: List[Entry]) -> Optional[Dict[str, Any]]:
    """Protocol, settings, members and state of a LAGG, else None.

    A setting that has no meaning with the protocol is None. ``ports`` has the state of each member; what LACP says of it is None with another protocol.
    """
    if kind_of(entry) != "lagg":
        return None
    data = _data(entry)
    protocol = PROTOCOLS.get(str(data.get("mode")), data.get("mode"))
    lacp = protocol == "lacp"
    members = [other for other in entries if other.get("master") == entry["ifname"]]
    told = data.get("ad_info") if isinstance(data.get("ad_info"), dict) else {}
    partner = (told or {}).get("partner_mac")
    return {
        "protocol": protocol, "members": [other["ifname"] for other in members],
        "hash": HASHES.get(str(data.get("xmit_hash_policy")), data.get("xmit_hash_policy")) if protocol in HASHING else None,
        "lacp_rate": data.get("ad_lacp_rate") if lacp else None, "min_links": data.get("min_links") if lacp else None,
        "primary": data.get("primary"), "active": data.get("active_slave"),
        "aggregator": (told or {}).get("aggregator") if lacp else None, "partner": partner if partner != _NO_PARTNER else None,
        "ports": [_port(other, lacp) for other in members],
    }


def _port(entry: Entry, lacp: bool) -> Dict[str, Any]:
    info = _info(entry).get("info_slave_data")
    data: Dict[str, Any] = info if isinstance(info, dict) else {}
    state = data.get("ad_actor_oper_port_state") if lacp else None
    found = {
        "name": entry["ifname"], "up": {"UP": True, "DOWN": False}.get(str(data.get("mii_status")).upper()), "mac": data.get("perm_hwaddr"),
        "active": {"ACTIVE": True, "BACKUP": False}.get(str(data.get("state")).upper()), "failures": data.get("link_failure_count"),
        "aggregator": data.get("ad_aggregator_id") if lacp else None,
    }
    for name, bit in (("synchronized", _SYNCHRONIZED), ("collecting", _COLLECTING), ("distributing", _DISTRIBUTING)):
        found[name] = bool(state & bit) if isinstance(state, int) else None
    return found


def _info(entry: Entry) -> Dict[str, Any]:
    found = entry.get("linkinfo")
    return found if isinstance(found, dict) else {}


def _data(entry: Entry) -> Dict[str, Any]:
    found = _info(entry).get("info_data")
    return found if isinstance(found, dict) else {}
