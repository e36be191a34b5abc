#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_compare
short_description: Compare two snapshots of the nodes
version_added: 0.1.0
description:
  - Compares what M(hafirewall.cluster.snapshot) has written before a change and after it, area by area and node by node.
  - Works on saved files alone, so no node needs to be there. Evidence of M(hafirewall.cluster.node_info) that was saved for something else can be compared too.
  - What is not known never passes. An area that is missing after, or a node without a snapshot, is V(error).
  - The task fails when an area does, unless O(fail=false).
author:
  - hafirewall.cluster contributors (@hafirewall)
extends_documentation_fragment:
  - hafirewall.cluster.attributes.info
attributes:
  action:
    support: full
    description: Runs on the controller only and touches no node.
  check_mode:
    support: full
    description: Compares in check mode too, and writes no report.
options:
  before:
    description:
      - Folder on the controller with the snapshots from before, C(NODE.json) each; or a mapping of inventory names to evidence.
    type: raw
    required: true
  after:
    description: The same from after.
    type: raw
    required: true
  nodes:
    description:
      - Inventory names of the nodes to compare. One that has no snapshot is V(error).
      - By default all that have a snapshot from before or from after.
    type: list
    elements: str
    default: []
  areas:
    description:
      - Areas to compare; V(!NAME) leaves one out. By default all.
      - They are V(nics), V(laggs), V(mtu), V(addresses), V(assignments), V(routes), V(neighbours), V(roles), V(vrrp), V(maintenance), V(engine), V(states),
        V(sync_counters), V(pass_rule), V(state_policy), V(ruleset), V(services), V(config), V(packages) and V(release).
      - An area that is named here must be in the snapshots.
    type: list
    elements: str
    default: []
  settings:
    description:
      - How areas are compared, by their name. Each is a mapping with any of the following keys.
      - C(severity) is what a change means, V(fail), V(warn), or V(note), which is told and passes.
      - C(properties) is a list of what is compared, rows (a device, a package), fields, or C(ROW.FIELD), with V(*) and V(?) as in a shell.
        V(!) in front leaves out instead.
      - C(flaps) is such a list too, of what is known to come and go. Its changes are told and do not count.
      - C(count_change_threshold) is by how many percent the number of rows may change. Rows that came or went do not count then.
      - C(thresholds) has for fields by how many percent a number may move, or a mapping with C(percent), C(amount), or both.
    type: dict
    default: {}
  fail:
    description: Whether the task fails when an area failed or could not be compared.
    type: bool
    default: true
  directory:
    description:
      - Folder on the controller that takes a report, C(report.json), C(report.xml) (JUnit) and C(report.md) (Markdown, for a change ticket).
      - Without it none is written.
    type: path
  title:
    description: Title of the report.
    type: str
    default: Snapshots compared
seealso:
  - module: hafirewall.cluster.snapshot
"""

EXAMPLES = r"""
- name: Compare what was before the change with what is after it
  hafirewall.cluster.snapshot_compare:
    before: "{{ inventory_dir }}/build/snapshots/before"
    after: "{{ inventory_dir }}/build/snapshots/after"
    directory: "{{ inventory_dir }}/build/snapshots"
    settings:
      states:
        severity: fail
        thresholds:
          kernel: 30
      nics:
        flaps: [mgmt0]
      packages:
        properties: [conntrackd, keepalived]
        severity: fail
  run_once: true
"""

RETURN = r"""
results:
  description: One result for each area and node, and one with the area V(snapshot) that says whether there are two snapshots of the node.
  returned: success
  type: list
  elements: dict
  contains:
    area:
      description: Name of the area.
      type: str
      sample: nics
    node:
      description: Inventory name of the node.
      type: str
      sample: fw1
    status:
      description: V(pass), V(fail), V(warn), V(skipped) or V(error).
      type: str
      sample: fail
    reason:
      description: Why, with the first changes.
      type: str
      sample: "1 change: lan0 up was True and is False"
    changes:
      description:
        - All changes, C(item) (the row), C(field) (V(none) for a whole row), C(kind) (V(added), V(removed), V(changed) or V(unknown)), C(before), C(after),
          and why it is C(ignored) (V(none) where it counts).
      type: list
      elements: dict
counts:
  description: How many results have each status.
  returned: success
  type: dict
  sample: {pass: 20, fail: 0, warn: 1, skipped: 3, error: 0}
failed_results:
  description: The results with the status V(fail) or V(error).
  returned: success
  type: list
  elements: dict
paths:
  description: Where the reports are (C(json), C(xml), C(md)), or would be in check mode.
  returned: with O(directory)
  type: dict
"""
