# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence of whole nodes, for comparisons."""

from __future__ import annotations

from copy import deepcopy
from typing import Any


def _interface(name: str, addresses: list[str], **more: Any) -> dict[str, Any]:
    return {"name": name, "mac": "02:00:00:00:00:01", "mtu": 1500, "speed": 1000, "up": True, "addresses": addresses, "kind": "port", "vlan": None,
            "lagg": None, "master": None, "leased": [], "rx_bytes": 5, "tx_bytes": 5, "rx_packets": 1, "tx_packets": 1, **more}


_LAGG = {"protocol": "failover", "members": ["em4", "em5"], "hash": None, "lacp_rate": None, "min_links": None,
         "ports": [{"name": "em4", "up": True, "active": True}, {"name": "em5", "up": True, "active": False}]}
_SNAPSHOT = {
    "routes": {"inet": {"count": 2, "rows": [{"destination": "default", "gateway": "203.0.113.254", "device": "wan0"},
                                             {"destination": "192.0.2.0/24", "gateway": None, "device": "lan0"}]},
               "inet6": {"count": 0, "rows": []}},
    "neighbours": [{"address": "192.0.2.9", "mac": "02:00:00:00:00:09", "device": "lan0"}],
    "services": ["keepalived.service", "ssh.service"],
    "files": {"/etc/hosts": "00ff"},
    "wireguard": [{"name": "wg0 peer", "state": "up", "told": "endpoint 198.51.100.7:51820"}],
    "ipsec": [{"name": "office", "state": "up", "told": "ESTABLISHED"}],
    "bgp": [{"name": "default ipv4Unicast 192.0.2.9", "state": "up", "told": "Established"}],
    "ospf": [{"name": "default 192.0.2.9 lan0", "state": "up", "told": "Full/DR"}],
    "ospf6": [{"name": "192.0.2.9 lan0", "state": "up", "told": "Full"}],
}
_LINUX: dict[str, Any] = {
    "schema": 1, "collected_at": 1000.0, "platform": "linux", "kernel": "6.1.0-28-amd64", "os": {"id": "debian", "version": "12"}, "boot_id": "one",
    "packages": {"conntrackd": "1:1.4.7-1+b2", "conntrack": "1:1.4.7-1+b2", "keepalived": "1:2.2.7-1+b2", "nftables": None},
    "engine": {"name": "conntrackd", "installed": True, "enabled": True, "masked": False, "running": True, "joined": True, "config_current": True,
               "config": {"mode": "ftfw", "transport": "multicast", "interface": "sync0", "peer": None},
               "counters": {"sent": 100, "received": 100, "lost": 3, "malformed": 0, "send_errors": 0, "receive_errors": 0},
               "tables": {"kernel": 1000, "kernel_max": 262144, "internal": 990, "external": None}},
    "vrrp": {"installed": True, "enabled": True, "running": True, "config_current": True,
             "instances": [{"name": "lan_10_ipv4", "interface": "lan0", "id": 10, "family": "ipv4", "state": "active", "addresses": ["192.0.2.1/24"],
                            "addresses_present": ["192.0.2.1/24"]}]},
    "maintenance": False,
    "pass_rule": {"filtered": True, "present": True, "persistent": True, "effective": True, "broader": [], "blockers": []},
    "interfaces": [_interface("lan0", ["192.0.2.2/24", "192.0.2.1/24"]), _interface("wan0", ["203.0.113.2/24"], speed=None),
                   _interface("lagg0", [], kind="lagg", lagg=_LAGG)],
    "management": None, "references": [], "segment": None, "traffic": None, "errors": [], "snapshot": _SNAPSHOT,
}
_GATEWAYS = [{"name": "WAN_DHCP", "state": "up", "told": "online"}]
_PFSENSE: dict[str, Any] = {
    "platform": "pfsense", "kernel": "14.0-CURRENT", "os": {"id": "pfsense", "version": "2.7.2", "edition": "CE", "base": "14.0-CURRENT"},
    "config": {"version": "23.3", "revision": {"time": 1795000000, "description": "changed", "username": "admin"}},
    "config_sync": {"target": None, "sections": []}, "state_policy": "floating", "state_policy_from": "configured",
    "state_rules": {"bound": 0, "routed": 2},
    "engine": {**_LINUX["engine"], "name": "pfsync", "host_id": "a", "checksum": "c" * 32, "pinned": None},
    "vrrp": {**_LINUX["vrrp"], "demotion": 0},
    "interfaces": [_interface("em0", ["192.0.2.2/24"], key="lan", description="LAN"), _interface("lagg0", [], kind="lagg", lagg=_LAGG, key=None)],
    "snapshot": {**_SNAPSHOT, "gateways": _GATEWAYS},
    "readiness": {"packages": {"pfSense-base": "2.7.2"}},
}


def linux(**changes: Any) -> dict[str, Any]:
    """A Linux node of which everything is known."""
    return deepcopy({**_LINUX, **changes})


def pfsense(**changes: Any) -> dict[str, Any]:
    """A pfSense node of which everything is known."""
    return deepcopy({**{key: value for key, value in _LINUX.items() if key != "packages"}, **_PFSENSE, **changes})


def at(evidence: dict[str, Any], path: str) -> tuple[Any, Any]:
    """What holds the value at a path (``interfaces.0.up``), and its key there."""
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    holder: Any = evidence
    for step in steps:
        holder = holder[step]
    return holder, last


def changed(evidence: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a path."""
    copy = deepcopy(evidence)
    holder, key = at(copy, path)
    holder[key] = value
    return copy
