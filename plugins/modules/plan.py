#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Plan a whole firewall cluster from the inventory
version_added: 0.1.0
description:
  - Validates the intent of the cluster that this host belongs to, and returns what each of its nodes must have.
  - The members of a cluster are all hosts of the inventory whose C(hafirewall_cluster.name) is equal, also those that C(--limit) leaves out.
    Values of C(hafirewall_cluster) that differ under one name are an error.
  - Says everything that is wrong at once, each error with its path into the intent and its remedy.
  - Addresses that the intent does not state come from the evidence of M(hafirewall.cluster.node_info), when it was collected before.
  - Runs on the controller alone and touches no node.
author:
  - hafirewall.cluster contributors (@hafirewall)
extends_documentation_fragment:
  - hafirewall.cluster.attributes.info
attributes:
  action:
    support: full
    description: Runs on the controller alone, without a connection to the node.
  async:
    support: none
    description: Ends at once, so there is nothing to wait for.
options: {}
seealso:
  - module: hafirewall.cluster.lagg_plan
  - module: hafirewall.cluster.node_info
  - module: hafirewall.cluster.state_sync
  - module: hafirewall.cluster.sync_rule
  - module: hafirewall.cluster.virtual_ip
"""

EXAMPLES = r"""
# With these variables in the inventory:
#
# edge:
#   vars:
#     hafirewall_cluster:
#       name: edge
#       sync: {interface: sync, network: 198.51.100.128/28}
#       virtual_ips:
#         - {interface: lan, address: 192.0.2.1/24, id: 10}
#   hosts:
#     fw1:
#       hafirewall_node:
#         role: primary
#         interfaces: {lan: lan0, sync: {device: sync0, address: 198.51.100.129/28}}
#     fw2:
#       hafirewall_node:
#         role: secondary
#         interfaces: {lan: lan0, sync: {device: sync0, address: 198.51.100.130/28}}

- name: Collect evidence, so that addresses need not be stated
  hafirewall.cluster.node_info:

- name: Plan the cluster
  hafirewall.cluster.plan:
  register: planned

- name: Show in which order the nodes are changed
  ansible.builtin.debug:
    var: planned.plan.apply_order
"""

RETURN = r"""
plan:
  description: What this node must have.
  returned: success
  type: dict
  contains:
    cluster:
      description: Name of the cluster.
      type: str
      sample: edge
    node:
      description: Inventory name of the node.
      type: str
      sample: fw1
    role:
      description: The configured role, V(primary) or V(secondary).
      type: str
      sample: primary
    platform:
      description: The stated platform, else the one that evidence names, else V(linux). The same for all nodes of a cluster.
      type: str
      sample: linux
    driven:
      description: Whether this collection changes nodes of that platform. Those of OPNsense it reads and judges only.
      type: bool
      sample: true
    members:
      description: All nodes of the cluster, in inventory order.
      type: list
      elements: str
      sample: [fw1, fw2]
    peers:
      description: The other nodes.
      type: list
      elements: str
      sample: [fw2]
    apply_order:
      description: The order in which to change the nodes. The one that is active by evidence comes last, else the primary; where VRRP
        is known to run on no node, the primary comes first, for the first one becomes active.
      type: list
      elements: str
      sample: [fw2, fw1]
    warnings:
      description: What is legal and should be known, about the cluster and about this node.
      type: list
      elements: str
      sample: []
    missing_packages:
      description:
        - Packages that the node does not have, by the role of this collection that installs them, named as the node's package manager does.
        - All lists are empty without evidence.
      type: dict
      sample: {sync_engine: [conntrackd], sync_rule: [], virtual_ip: [keepalived]}
    interfaces:
      description: The device of each logical interface, when the LAGGs are made.
      type: dict
      sample: {lan: lan0, sync: sync0}
    lagg:
      description:
        - The LAGGs that this node shall have, with what is still to be moved onto each. The other parts name the devices that there are then.
      type: dict
      sample:
        laggs:
          - name: bond1
            protocol: failover
            members: [eth0, eth3]
            primary: eth0
            hash: null
            lacp_rate: null
            mtu: null
            min_links: null
            consent: false
            vlans: [{name: bond1.10, id: 10}]
            moves:
              - {from_device: eth0, to_device: bond1, vlan: null, addresses: [192.0.2.2/24], virtual: [], management: false}
              - {from_device: eth0.10, to_device: bond1.10, vlan: 10, addresses: [203.0.113.2/24], virtual: [], management: false}
    state_sync:
      description: Options of M(hafirewall.cluster.state_sync). Null is what the platform has no use for.
      type: dict
      sample:
        enabled: true
        interface: sync0
        address: 198.51.100.129
        network: 198.51.100.128/28
        transport: multicast
        group: 225.0.0.50
        port: 3780
        peer: null
        mode: ftfw
        external_cache: false
        ignore_addresses: [192.0.2.1, 192.0.2.2, 192.0.2.3, 198.51.100.129, 198.51.100.130]
        refresh_interval: null
        host_id: null
        state_policy: null
        version: null
    sync_rule:
      description: Options of M(hafirewall.cluster.sync_rule). Null is what the platform has no use for.
      type: dict
      sample:
        enabled: true
        interface: sync0
        network: 198.51.100.128/28
        transport: multicast
        group: 225.0.0.50
        port: 3780
        vrrp:
          - {interface: lan0, family: ipv4, sources: [192.0.2.3], transport: multicast}
    virtual_ip:
      description: Options of M(hafirewall.cluster.virtual_ip), but for the password, which no plan holds. Null is what the platform has no use for.
      type: dict
      sample:
        name: edge
        instances:
          - name: lan_10_ipv4
            interface: lan0
            id: 10
            family: ipv4
            priority: 200
            advskew: null
            advbase: null
            addresses: [192.0.2.1/24]
            source: 192.0.2.2
            peers: [192.0.2.3]
        advert_interval: 1.0
        preempt: false
        preempt_delay: 10
        transport: multicast
        track_interfaces: true
        received: false
plans:
  description: The plans of all members, by inventory name, each as RV(plan).
  returned: success
  type: dict
laggs:
  description: The plan of the cluster's LAGGs, as RV(hafirewall.cluster.lagg_plan#module:plan). Nothing in it is refused, or planning would have failed.
  returned: success
  type: dict
  sample: {needed: false, reason: every logical interface has the same device on all nodes that have it, laggs: [], moves: [], refused: []}
primaries:
  description: Members whose configured role is primary. There is exactly one.
  returned: success
  type: list
  elements: str
  sample: [fw1]
errors:
  description: Everything that is wrong with the intent.
  returned: failure
  type: list
  elements: dict
  contains:
    path:
      description: Where in the intent.
      type: str
      sample: hafirewall_cluster.virtual_ips[1].id
    host:
      description: The node that it concerns; null when it concerns the whole cluster.
      type: str
      sample: fw1
    problem:
      description: What is wrong.
      type: str
      sample: is 300, outside 1 to 255
    remedy:
      description: What to do.
      type: str
      sample: choose a whole number from 1 to 255 (a virtual router id of VRRP)
"""
