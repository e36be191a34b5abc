#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Write what checks and drills found, for people and for machines
version_added: 0.1.0
description:
  - Writes three files on the controller - C(report.json) for machines, C(report.xml) for a CI (JUnit), and C(report.html) for people,
    one page with pictures that needs no network and no script.
  - With O(upgrades) also C(report.md), Markdown for a change ticket.
  - The files are written completely before they replace older ones.
  - A report is a result and no state of a node, and its time makes it another one each time. The task is therefore never changed,
    so that the changes of a play are those of its nodes.
  - Checks that failed do not fail the task; what to do about them is the playbook's decision.
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
    description: Writes nothing in check mode, and tells where the report would be.
options:
  directory:
    description:
      - Folder on the controller that takes the files; made when it is missing.
      - A relative path starts at the working directory of C(ansible-playbook).
    type: path
    required: true
  title:
    description:
      - What the report is about, the first line of the page.
    type: str
    default: Firewall cluster
  checks:
    description:
      - Results of M(hafirewall.cluster.check), of one cluster or of several together.
      - Each has the keys C(id), C(cluster), C(node) (null for the whole cluster), C(status) and C(reason).
    type: list
    elements: dict
    default: []
  drills:
    description:
      - Results of failover drills, in the order in which they were run.
    type: list
    elements: dict
    default: []
  clusters:
    description:
      - The clusters to show.
      - Each has the key C(plans), as M(hafirewall.cluster.plan) returns it. The plans of several clusters may be given together
        when C(name) is left out; each plan says which cluster it is of.
      - C(evidence), by the names of the nodes, is by default the facts that M(hafirewall.cluster.node_info) has set.
        A node without evidence is shown as unknown.
    type: list
    elements: dict
    default: []
  upgrades:
    description:
      - Results of M(hafirewall.cluster.upgrade_check) (RV(hafirewall.cluster.upgrade_check#module:upgrade)), one for each cluster.
      - The verdict is then that of the upgrades, the page shows the stages of each, and C(report.json) has them under C(upgrades), with the worst
        C(outcome), and of a single one its C(stages), C(steps) and C(reasons).
    type: list
    elements: dict
    default: []
seealso:
  - module: hafirewall.cluster.check
  - module: hafirewall.cluster.upgrade_check
  - module: hafirewall.cluster.node_info
  - module: hafirewall.cluster.plan
"""

EXAMPLES = r"""
- name: Plan the cluster
  hafirewall.cluster.plan:
  register: planned

- name: Judge the cluster
  hafirewall.cluster.check:
    plans: "{{ planned.plans }}"
  register: judged

- name: Write the report
  hafirewall.cluster.report:
    directory: build/verify
    title: Verification
    checks: "{{ judged.checks }}"
    clusters:
      - plans: "{{ planned.plans }}"
  run_once: true
"""

RETURN = r"""
html_path:
  description: Where the page is, or would be in check mode.
  returned: success
  type: str
  sample: /srv/build/verify/report.html
json_path:
  description: Where the report for machines is, or would be in check mode.
  returned: success
  type: str
  sample: /srv/build/verify/report.json
xml_path:
  description: Where the JUnit report is, or would be in check mode.
  returned: success
  type: str
  sample: /srv/build/verify/report.xml
md_path:
  description: Where the report for a change ticket is, or would be in check mode.
  returned: success, with O(upgrades)
  type: str
  sample: /srv/build/upgrade_check/report.md
written:
  description: Whether the files were written; false in check mode.
  returned: success
  type: bool
  sample: true
summary:
  description: The verdict and the counts.
  returned: success
  type: dict
  contains:
    verdict:
      description: One of C(fine), C(warnings), C(not_fine) and C(unknown), which it is when something could not be judged or nothing was.
      type: str
    checks:
      description: How many checks have each status, and their C(total).
      type: dict
    drills:
      description: How many drills C(passed) and C(failed), and their C(total).
      type: dict
  sample:
    verdict: fine
    checks: {pass: 26, warn: 0, fail: 0, error: 0, skipped: 1, total: 27}
    drills: {passed: 1, failed: 0, total: 1}
"""
