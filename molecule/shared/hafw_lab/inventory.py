# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab as an Ansible inventory and as an ssh configuration. Pure: text from the topology."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from . import topology

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def to_yaml(value: Any, indent: int = 0) -> str:
    """YAML of dicts, lists, strings, numbers, booleans and None: block style, strings quoted unless plainly a word."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{pad}{_scalar(key)}:{_after(each, indent)}" for key, each in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{pad}- {_flow(each)}\n" for each in value)
    return f"{pad}{_flow(value)}\n"


def _after(value: Any, indent: int) -> str:
    if isinstance(value, (dict, list)) and value:
        return "\n" + to_yaml(value, indent + 1)
    return f" {_flow(value)}\n"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(each) for each in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    if isinstance(value, str):
        return '"' + "".join(letter if " " <= letter <= "~" and letter not in '"\\' else f"\\U{ord(letter):08x}" for letter in value) + '"'
    return json.dumps(value)


def alias(lab: str, node: str) -> str:
    """The name that ssh knows the node by; unique over all labs, because Ansible names its shared connections after it."""
    return f"{node}.{lab}.hafw"


def _cluster(virtual: bool, firewalls: int) -> dict[str, Any]:
    """hafirewall_cluster; what a run may want to be different is a variable lab_*, for ansible-playbook -e."""
    cluster: dict[str, Any] = {
        "name": "edge",
        "state_sync": "{{ lab_state_sync | default(true) | bool }}",
        "sync": {
            "interface": "sync",
            "network": f"{{{{ lab_sync_network | default('{topology.SYNC4}') }}}}",
            "transport": "{{ lab_transport | default('multicast') }}",
            "mode": "{{ lab_mode | default(none) }}",
            "port": "{{ lab_port | default(3780) | int }}",
            "external_cache": "{{ lab_external_cache | bool if lab_external_cache is defined else none }}",
        },
        "virtual_ips": [
            {"interface": "lan", "address": f"{topology.LAN_VIP4}/24", "id": 10},
            {"interface": "lan", "address": f"{topology.LAN_VIP6}/64", "id": 11},
            {"interface": "wan", "address": f"{topology.WAN_VIP4}/24", "id": 20},
            {"interface": "wan", "address": f"{topology.WAN_VIP6}/64", "id": 21},
        ],
        "vrrp": {
            # Of two standbys the first in rank is ahead by a part of this only; a node of the lab that is late by less shall not pass for another order.
            "advert_interval": 0.1 if firewalls == 2 else 2,
            "preempt": "{{ lab_preempt | default(false) | bool }}",
            "transport": "{{ lab_vrrp_transport | default('multicast') }}",
        },
    }
    if virtual:
        cluster["virtual_ips"].append({"interface": "dmz", "address": f"{topology.DMZ_VIP4}/27", "id": 30})
        cluster["vrrp"]["advert_interval"] = 1  # an emulated processor is late now and then, and that shall not pass for a death
        cluster["lagg_required"] = "{{ lab_lagg_required | default('never') }}"
        cluster["laggs"] = {
            "peer": {"protocol": "lacp", "lacp_rate": "fast", "crossover": True},
            "mgmt": {"required": "{{ lab_lagg_mgmt | default('never') }}", "move_management": True},
        }
    return cluster


def _interface(node: topology.Node, segment: str, names: list[str]) -> str | dict[str, Any]:
    """One logical interface of a firewall: the device that it is on, and on a virtual machine the ports that it may use as one."""
    stated: dict[str, Any] = {"device": names[0]}
    if segment == "sync":
        stated["address"] = node.port(names[0]).addresses[0]
    if len(names) > 1:
        stated["members"] = names
    return names[0] if len(stated) == 1 else stated


def _firewall(lab: str, node: topology.Node, command: list[str]) -> dict[str, Any]:
    def lab_command(*words: str) -> str:
        return shlex.join([*command, *words, "--name", lab])

    return {
        "ansible_host": alias(lab, node.name),
        "hafirewall_node": {
            "role": "primary" if node.number == 1 else "secondary",
            "priority": f"{{{{ (lab_priorities | default({{}})).{node.name} | default(none) }}}}",
            "interfaces": {segment: _interface(node, segment, names) for segment, names in node.devices().items() if segment != "mgmt" or node.virtual},
        },
        # Run on the controller; the link command is given a device (or several, comma-separated) and up or down.
        "failover_drill_power_off": lab_command("power-off", node.name),
        "failover_drill_power_on": lab_command("power-on", node.name),
        "failover_drill_link_command": shlex.join([*command, "link", "--name", lab, node.name]),
    }


def inventory(lab: str, nodes: tuple[topology.Node, ...], ssh_config: str, command: list[str]) -> str:
    """Text of inventory.yml. ssh_config: path of the lab's ssh configuration; command: words that run the lab's command line."""
    firewalls = {node.name: _firewall(lab, node, command) for node in nodes if node.firewall}
    probes = {
        node.name: {
            "ansible_host": alias(lab, node.name),
            "failover_drill_address": node.ports[1].addresses[0].split("/")[0],
            "failover_drill_address6": node.ports[1].addresses[1].split("/")[0],
        }
        for node in nodes
        if not node.firewall
    }
    tree = {
        "all": {
            "vars": {
                "ansible_user": "root",
                "ansible_python_interpreter": "/usr/bin/python3",
                "ansible_ssh_common_args": f"-F {shlex.quote(ssh_config)}",
            },
            "children": {
                "edge": {"vars": {"hafirewall_cluster": _cluster(any(node.virtual for node in nodes), len(firewalls))}, "hosts": firewalls},
                "probes": {"hosts": probes},
            },
        }
    }
    return f"---\n# The lab {lab!r}, written by the lab; its next start writes it anew.\n" + to_yaml(tree)


def ssh_config(lab: str, nodes: tuple[topology.Node, ...], key: str) -> str:
    """Text of an ssh configuration that reaches every node through the switch's namespace: the machine's own routes are not used."""
    switch = topology.namespace(lab, topology.SWITCH)
    # An emulated processor takes its time.
    patient = "  ConnectTimeout 60\n  ServerAliveCountMax 12\n"
    blocks = [f"Host {node.name} {alias(lab, node.name)}\n  HostName {node.management}\n{patient if node.virtual else ''}" for node in nodes]
    common = [
        "Host *",
        "User root",
        f'IdentityFile "{key}"',
        "IdentitiesOnly yes",
        f"ProxyCommand ip netns exec {switch} nc %h %p",
        # A lab's nodes are made anew all the time, and nobody sits between.
        "StrictHostKeyChecking no",
        "UserKnownHostsFile /dev/null",
        "LogLevel ERROR",
        "ConnectTimeout 10",
        "ServerAliveInterval 5",
        "ServerAliveCountMax 3",
    ]
    return "\n".join([*blocks, "\n  ".join(common), ""])
