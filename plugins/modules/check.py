#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: check
short_description: Judge the evidence of all nodes of a cluster
version_added: 0.1.0
description:
  - Compares what was read from the nodes with what the plan says, and with each other.
  - Takes the evidence from the fact C(hafirewall_evidence), which M(hafirewall.cluster.node_info) sets on each node, so run that on all members before,
    with its option O(hafirewall.cluster.node_info#module:sample=true).
  - What is not known never passes - a check without its evidence is V(error), and one that does not apply is V(skipped), each with its reason.
  - A failed check does not fail the task; what to do about RV(failed_checks) is the playbook's decision.
author:
  - hafirewall.cluster contributors (@hafirewall)
extends_documentation_fragment:
  - hafirewall.cluster.attributes.info
attributes:
  action:
    support: full
    description: Runs on the controller only and touches no node.
options:
  plans:
    description:
      - The plans of all members, as M(hafirewall.cluster.plan) returns them. Those of several clusters may be given together.
    type: dict
    required: true
  observed:
    description:
      - For each member, by its inventory name, what M(hafirewall.cluster.sync_probe) found on it (RV(hafirewall.cluster.sync_probe#module:found)).
      - Without it, whether states travel is not known.
    type: dict
    default: {}
  probe_count:
    description: How many marked states each node made.
    type: int
    default: 1
seealso:
  - module: hafirewall.cluster.node_info
  - module: hafirewall.cluster.sync_probe
  - module: hafirewall.cluster.report
"""

EXAMPLES = r"""
- name: Read the evidence of this node
  hafirewall.cluster.node_info:
    sample: true

- name: Plan the cluster
  hafirewall.cluster.plan:
  register: planned

- name: Judge the cluster
  hafirewall.cluster.check:
    plans: "{{ planned.plans }}"
  register: judged

- name: Stop when something is wrong or unknown
  ansible.builtin.assert:
    that: judged.failed_checks | length == 0
    fail_msg: "{{ judged.failed_checks | map(attribute='reason') | join('; ') }}"
"""

RETURN = r"""
checks:
  description: All results, by cluster and check.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Name of the check. The names stay the same from release to release.
      type: str
      sample: roles_disjoint
    cluster:
      description: Name of the cluster.
      type: str
      sample: edge
    node:
      description: Inventory name of the node that the result is about; V(none) for the cluster as a whole.
      type: str
      sample: fw1
    status:
      description: V(pass), V(fail), V(warn), V(skipped) or V(error).
      type: str
      sample: fail
    reason:
      description: Why, with the values that were compared.
      type: str
      sample: "lan_10_ipv4: split brain, active on fw1 and fw2"
counts:
  description: How many results have each status.
  returned: success
  type: dict
  sample: {pass: 20, fail: 0, warn: 1, skipped: 2, error: 0}
failed_checks:
  description: The results for which a verification fails, those with the status V(fail) or V(error).
  returned: success
  type: list
  elements: dict
"""
