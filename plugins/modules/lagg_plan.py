#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lagg_plan
short_description: Plan the LAGGs that give differing devices one name on all nodes
version_added: 0.2.0
description:
  - Tells, for the cluster that this host belongs to, which logical interfaces differ in device between the nodes, whether that matters, which LAGGs make
    them alike, what moves onto them, and what rides on that.
  - Plans for all platforms that LAGGs are known of - Linux, FreeBSD, OpenBSD, pfSense and OPNsense. Applies nothing.
  - What cannot be planned is in RV(plan.refused), all of it at once, and the task does not fail for it.
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
options:
  evidence:
    description:
      - File on the controller with evidence that was saved before, JSON or YAML - a C(report.json) of the playbook C(verify), or a mapping of inventory
        names to evidence or to results of M(hafirewall.cluster.node_info).
      - An empty mapping plans from the intent alone.
      - By default the evidence that M(hafirewall.cluster.node_info) has collected in this run.
    type: path
  directory:
    description:
      - Folder on the controller to write the plan to, as C(CLUSTER.json), C(CLUSTER.txt) and C(CLUSTER.svg).
      - Nothing is written in check mode.
    type: path
seealso:
  - module: hafirewall.cluster.node_info
  - module: hafirewall.cluster.plan
"""

EXAMPLES = r"""
- name: Plan from a report that verify has written
  hafirewall.cluster.lagg_plan:
    evidence: build/verify/report.json
  register: planned

- name: Show it
  ansible.builtin.debug:
    msg: "{{ planned.text.splitlines() }}"
"""

RETURN = r"""
plan:
  description: The plan of the whole cluster.
  returned: success
  type: dict
  contains:
    needed:
      description: Whether anything is to be done, or would have to be done and shall not be (C(never)).
      type: bool
      sample: true
    reason:
      description: Why, in words.
      type: str
      sample: "differing devices: lan (em0 on fw1, igb0 on fw2); states are bound to interface names on fw1, fw2 (...)"
    laggs:
      description: The LAGGs that are not yet as wanted on every node, in the order in which to make them, with the members of each node.
      type: list
      elements: dict
      sample: [{name: lagg0, protocol: failover, members: {fw1: [em0], fw2: [igb0]}}]
    moves:
      description: What is to be done, an entry for each node and LAGG, the node to be changed first before the others. Empty when nothing is left to do.
      type: list
      elements: dict
      contains:
        node:
          description: The node.
          type: str
          sample: fw2
        lagg:
          description: The LAGG.
          type: str
          sample: lagg0
        interfaces:
          description: The logical interfaces that are on it.
          type: list
          elements: str
          sample: [lan]
        changes:
          description: What becomes of the LAGG itself, in words.
          type: list
          elements: str
          sample: ["lagg0 is made of igb0, with failover"]
        devices:
          description: The devices that move, in this order, with the addresses seen on them, and whether the path that Ansible came in by is there.
          type: list
          elements: dict
          sample: [{from_device: igb0, to_device: lagg0, vlan: null, addresses: [192.0.2.3/24], virtual: [192.0.2.1/24], management: false}]
        riders:
          description: What rides on these devices, and what becomes of each.
          type: list
          elements: dict
          sample: [{kind: address, name: 192.0.2.3/24, becomes: is on lagg0}]
    refused:
      description: Everything that cannot be, with its path, the node (null for the whole cluster), the problem and the remedy. Then nothing is planned.
      type: list
      elements: dict
      sample: []
members:
  description: The nodes of the cluster, in inventory order.
  returned: success
  type: list
  elements: str
  sample: [fw1, fw2]
text:
  description:
    - The plan for people, several lines.
    - For FreeBSD nodes whose devices have differing names that matter, the lines of C(/etc/rc.conf) that would rename them are offered at its end.
  returned: success
  type: str
picture:
  description: The plan as a picture, before and after; a whole SVG document.
  returned: success
  type: str
"""
