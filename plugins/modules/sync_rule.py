#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sync_rule
short_description: Let the cluster's own traffic through the packet filter
version_added: 0.1.0
description:
  - Accepts the sync engine's traffic on the Sync interface, from the Sync network only, and the advertisements of the virtual addresses.
  - On Linux, the rules go to the head of each chain that could drop this traffic, because an accept in one table does not override a drop in another.
    Where no chain can drop it, nothing is added.
  - On Linux, the rules survive a reload and a reboot through C(/etc/nftables.d/hafirewall.nft), which the last line of the node's own ruleset file includes.
    Both changes are checked by C(nft), and tried out in a network namespace of their own, before anything is replaced.
  - Chains that firewalld, ufw or iptables keep are left alone and named in RV(left_alone).
  - On pfSense, a rule for C(pfsync) from the Sync network to any is made on the Sync interface, with an entry in the product's history. Its description
    begins with C(hafirewall.cluster). It goes to the end of the interface's rules, or in front of the first that may drop the traffic, and separators stay
    in front of the rules that they belong to.
  - On pfSense, a rule of a person that says the same is taken for it and left as it is. One that passes more is left alone too, and reported in
    RV(pass_rule.broader). Floating rules and those of interface groups are asked before all others; those that may drop the traffic are named in RV(notes).
  - On pfSense, the rules are loaded by the product, and looked for in the ruleset in force. When pf does not take them, the configuration is put back.
    When somebody saves the configuration meanwhile, it is read and compared again.
  - On FreeBSD, the rules are a block of C(/etc/pf.conf), or of the file that C(pf_rules) names, between the lines C(# BEGIN hafirewall.cluster filter) and
    C(# END hafirewall.cluster filter). The block stands behind options, normalization, queueing and translation, and in front of the first rule that decides
    about packets. All of its rules have C(quick) and C(no-sync). The rest of the file stays as it is, and the block moves when a rule comes in front of it.
  - On FreeBSD, C(pf) is loaded and switched on where it is off, and C(pf_enable) is set in C(rc.conf). A node without a C(pf.conf) gets one with this block
    alone, and C(pf) passes everything else then, as it did before. Where the node has rules that block, and C(pf) is off, the module refuses to start it,
    for a connection that is open, as that of Ansible, has no state then and may be cut.
  - On FreeBSD, C(pfctl) judges the new file, and what it makes of it is judged, before it replaces the old one. When rules that are asked before the block,
    as those of a file that C(pf.conf) includes, drop the traffic for sure, they are named and nothing is changed. The file is loaded by C(pfctl -f), which
    keeps all states. When that fails, the old file is put back and loaded. When C(pf) runs by rules of which the file has none, it is not loaded, for they
    would be lost.
  - On FreeBSD, the file is also loaded again when C(pf) runs without these rules although the file has them. RV(pass_rule.broader) tells of rules that pass
    more, and of C(set skip) on the Sync interface.
  - On OpenBSD it is the same with C(/etc/pf.conf), but C(pf) is in the kernel, and started at boot unless C(/etc/rc.conf.local) says C(pf=NO), which
    C(rcctl) then changes.
  - Rules, sets and counters that are not this collection's are never touched.
extends_documentation_fragment:
  - hafirewall.cluster.attributes
  - hafirewall.cluster.attributes.node
attributes:
  platform:
    support: full
    platforms: freebsd, linux, openbsd, pfsense
    description: Platforms that the module drives.
options:
  enabled:
    description:
      - Let the sync engine's traffic through.
      - When V(false), the rules for it are removed; those for O(vrrp) stay. On pfSense, FreeBSD and OpenBSD only a rule that this collection made is removed.
    type: bool
    default: true
  interface:
    description: Device of the Sync interface. On pfSense an interface must be assigned to it and enabled; on FreeBSD and OpenBSD it must be there.
    type: str
  network:
    description:
      - Sync network in CIDR notation. Nothing from elsewhere is accepted. On pfSense it must be the IPv4 network of the interface; on FreeBSD and
        OpenBSD the interface must have an address in it. On OpenBSD it is IPv4.
      - On FreeBSD, with an IPv6 network, C(pfsync) from link-local addresses is accepted too unless O(transport=unicast), for a node sends to the group from
        there. So are the messages by which IPv6 finds neighbours on the Sync interface.
    type: str
  transport:
    description: How the engine sends.
    type: str
    choices: [multicast, unicast]
    default: multicast
  group:
    description:
      - Multicast group that the engine sends to. Required with O(transport=multicast) on Linux.
      - Linux only; C(pfsync) has a group of its own.
    type: str
  port:
    description: UDP port of the engine. Linux only; C(pfsync) has none.
    type: int
    default: 3780
  vrrp:
    description:
      - Interfaces that carry virtual addresses.
      - Linux, FreeBSD and OpenBSD; pfSense makes its own rules for CARP wherever there is a virtual address.
    type: list
    elements: dict
    default: []
    suboptions:
      interface:
        description: Device.
        type: str
        required: true
      family:
        description: Address family of the virtual addresses.
        type: str
        choices: [ipv4, ipv6]
        required: true
      sources:
        description:
          - Addresses of the other nodes on this interface, or the network that they are in.
          - When empty, advertisements of any neighbour on the interface are accepted. IPv6 multicast advertisements always come from link-local addresses.
          - On FreeBSD and OpenBSD, what this node itself sends may come from any address. State the addresses of all nodes on all of them, so that their rules
            are equal.
        type: list
        elements: str
        default: []
      transport:
        description: How advertisements are sent.
        type: str
        choices: [multicast, unicast]
        default: multicast
  chains:
    description:
      - Chains in which packets are decided, each as C(FAMILY TABLE CHAIN), for example V(inet filter input).
      - By default all input and output base chains that can drop the traffic are found on the node.
      - Linux only.
    type: list
    elements: str
    default: []
  coming:
    description:
      - Devices that M(hafirewall.cluster.lagg) makes earlier in the same run, each with the one whose place it takes.
      - In check mode a device that is to come need not be there yet.
      - pfSense, FreeBSD and OpenBSD; on Linux a rule may name a device that is not there.
    type: dict
    default: {}
notes:
  - Needs to run as root, and on Linux C(nft) and C(unshare).
  - Where pfSense's primary sends its rules to another node, that node has the rules of the primary after each save. So make the pass rule on all nodes.
    Its tracker is the same on all of them.
  - FreeBSD's C(pf) links the states of another node to its own rules only where the rulesets of both are equal, names of interfaces included.
  - Each load of a C(pf.conf) without C(set hostid) gives FreeBSD's node a new host id; M(hafirewall.cluster.state_sync) sets one.
seealso:
  - module: hafirewall.cluster.state_sync
  - module: hafirewall.cluster.virtual_ip
  - module: hafirewall.cluster.node_info
author:
  - hafirewall.cluster contributors (@hafirewall)
"""

EXAMPLES = r"""
- name: Let state updates and advertisements through
  hafirewall.cluster.sync_rule:
    interface: sync0
    network: 198.51.100.128/28
    group: 225.0.0.50
    vrrp:
      - interface: lan0
        family: ipv4
        sources: [192.0.2.3]

- name: Put the rules into a chain of one's own choice
  hafirewall.cluster.sync_rule:
    interface: sync0
    network: 198.51.100.128/28
    transport: unicast
    chains:
      - inet filter from_cluster

- name: Let state updates through on pfSense
  hafirewall.cluster.sync_rule:
    interface: em2
    network: 198.51.100.128/28

- name: Let state updates and CARP through on FreeBSD
  hafirewall.cluster.sync_rule:
    interface: em1
    network: 198.51.100.128/28
    vrrp:
      - interface: em0
        family: ipv4
        sources: [192.0.2.2, 192.0.2.3]
"""

RETURN = r"""
drift:
  description: What differed from the wanted settings, equal in check mode and in a real run.
  returned: success
  type: list
  elements: dict
  contains:
    setting:
      description: The file, service or live chain; on pfSense the rule; on FreeBSD and OpenBSD the block, the variable, C(pf) or the rule in force.
      type: str
      sample: live rules in inet filter input
    is:
      description: What was found.
      type: raw
    wanted:
      description: What is wanted.
      type: raw
commands:
  description: Commands that changed the node, or would have in check mode.
  returned: always
  type: list
  elements: str
validation:
  description: V(passed), V(not needed), or why it was not possible yet.
  returned: success
  type: str
  sample: passed
pass_rule:
  description: Evidence read after the run, as M(hafirewall.cluster.node_info) returns it.
  returned: success
  type: dict
  contains:
    filtered:
      description: Whether some chain could drop the traffic.
      type: bool
    present:
      description: Whether each of these chains has the rules.
      type: bool
    effective:
      description: Whether all chains accept the traffic. Empty when a rule is not understood.
      type: bool
    persistent:
      description: Whether that holds after a reload and a reboot too. Empty when not known.
      type: bool
    reasons:
      description: Why it does not.
      type: list
      elements: str
    blockers:
      description: Rules and policies that drop the traffic.
      type: list
      elements: str
    broader:
      description: Rules that accept the engine's traffic from elsewhere too.
      type: list
      elements: str
    unclear:
      description: Rules that may do so, but are not understood.
      type: list
      elements: str
    rules:
      description: The rules with their table, chain, position and counters.
      type: list
      elements: dict
notes:
  description:
    - What a person should know although it is not changed here. Rules that are asked before the pass rule and may drop the traffic; on pfSense whether the
      node that sends its rules to this one lacks the pass rule, which is known only as long as this node's configuration was not saved since; on FreeBSD
      and OpenBSD whether C(pf.conf) has no rules but this collection's.
  returned: success, on pfSense, FreeBSD and OpenBSD
  type: list
  elements: str
left_alone:
  description: Chains that were left alone because another program keeps them.
  returned: success, on Linux
  type: list
  elements: str
"""

from typing import Any, Dict

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.capability import run_capability

TRANSPORTS = ["multicast", "unicast"]
VRRP: Dict[str, Any] = {
    "interface": {"type": "str", "required": True},
    "family": {"type": "str", "choices": ["ipv4", "ipv6"], "required": True},
    "sources": {"type": "list", "elements": "str", "default": []},
    "transport": {"type": "str", "choices": TRANSPORTS, "default": "multicast"},
}
ARGUMENTS: Dict[str, Any] = {
    "enabled": {"type": "bool", "default": True},
    "interface": {"type": "str"},
    "network": {"type": "str"},
    "transport": {"type": "str", "choices": TRANSPORTS, "default": "multicast"},
    "group": {"type": "str"},
    "port": {"type": "int", "default": 3780},
    "vrrp": {"type": "list", "elements": "dict", "default": [], "options": VRRP},
    "chains": {"type": "list", "elements": "str", "default": []},
    "coming": {"type": "dict", "default": {}},
}


def main() -> None:
    run_capability("sync_rule", ARGUMENTS, required_if=[("enabled", True, ["interface", "network"])])


if __name__ == "__main__":
    main()
