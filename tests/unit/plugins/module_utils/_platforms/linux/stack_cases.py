# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of LAGGs on Linux have in common: a simulated node with each network stack, options, and the calls of a run."""

from __future__ import annotations

from typing import Any

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg import apply
from ansible_collections.hafirewall.cluster.tests.simulators.ifupdown_network import IfupdownNetwork
from ansible_collections.hafirewall.cluster.tests.simulators.linux_network import LinuxNetwork
from ansible_collections.hafirewall.cluster.tests.simulators.networkd_network import NetworkdNetwork
from ansible_collections.hafirewall.cluster.tests.simulators.networkmanager_network import NetworkManagerNetwork
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

STACKS: dict[str, type[LinuxNetwork]] = {"networkd": NetworkdNetwork, "networkmanager": NetworkManagerNetwork, "ifupdown": IfupdownNetwork}


def machine(stack: str, vlan: str = "eth1.10") -> tuple[SystemdNode, Any]:
    """eth0 is how one comes in, eth1 is the WAN with a VLAN, the others are free."""
    node = SystemdNode()
    network = STACKS[stack](node, ["eth0", "eth1", "eth2", "eth3"])
    network.configure("eth0", ["203.0.113.2/24"])
    network.configure("eth1", ["192.0.2.2/25", "2001:db8:1::2/64"], "192.0.2.1")
    network.configure(vlan, ["198.51.100.2/25"], vlan=("eth1", 10))
    network.boot()
    network.connection = "203.0.113.9 50000 203.0.113.2 22"
    return node.again(), network


def lagg(**changes: Any) -> dict[str, Any]:
    found = {"name": "bond1", "protocol": "failover", "members": ["eth1", "eth2"], "primary": "eth1", "hash": None, "lacp_rate": None, "mtu": None,
             "min_links": None, "consent": False, "vlans": [{"name": "bond1.10", "id": 10}],
             "moves": [move("eth1", "bond1"), move("eth1.10", "bond1.10", 10)]}
    found.update(changes)
    return found


def move(source: str, target: str, vlan: int | None = None, virtual: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"from_device": source, "to_device": target, "vlan": vlan, "addresses": [], "virtual": list(virtual), "management": False}


def call(node: SystemdNode, *laggs: dict[str, Any], stage: str = "begin", **changes: Any) -> dict[str, Any]:
    return apply(node, dict({"laggs": list(laggs), "stack": "auto", "rollback_timeout": 120, "peer_ready": False, "stage": stage}, **changes))


def whole(node: SystemdNode, *laggs: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    """All calls of a run, as the action plugin makes them; commands and diffs of all of them are in the node's own account."""
    results = [call(node, *laggs, **changes)]
    while results[-1]["next"]:
        results.append(call(node, *laggs, stage=results[-1]["next"], **changes))
    return results
