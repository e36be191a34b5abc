#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: upgrade_check
short_description: Tell before an upgrade whether connections would outlive it
version_added: 0.1.0
description:
  - Judges the rolling upgrade of the cluster that this host belongs to, the standby first and the active node last, from the evidence of all its nodes.
  - For each stage and in each direction it tells whether states flow - whether the receiver understands the format that the sender sends, whether that must be
    pinned before and when the pin is lifted, and whether states match where they arrive.
  - What a node sends now, and what was seen of it on the Sync network, beats what is known of its release.
  - Takes the evidence from the fact C(hafirewall_evidence), which M(hafirewall.cluster.node_info) sets on each node, so run that on all members before, with
    its options O(hafirewall.cluster.node_info#module:readiness=true) and O(hafirewall.cluster.node_info#module:sample=true); or from files, with
    O(evidence_dir), without any node.
  - An outcome that is not good enough does not fail the task; what to do about it is the playbook's decision. The role P(hafirewall.cluster.upgrade_check#role)
    fails for it.
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
    description: Judges as always in check mode, and saves nothing.
options:
  targets:
    description:
      - The release that each node is to get, by its inventory name, as its system writes it, C(15.0-RELEASE), C(2.8.0) or C(7.7). On Linux it is the
        version of conntrack-tools, C(1.4.8).
      - V(candidate), which is also what holds for a node that is not named, is what the node itself would install by its own evidence.
    type: dict
    default: {}
  require:
    description:
      - The worst outcome that is good enough. Of V(seamless), V(seamless_with_steps) and V(not_seamless) each is worse than the one before.
      - The outcome C(unknown) never is.
    type: str
    choices: [seamless, seamless_with_steps, not_seamless]
    default: seamless_with_steps
  leave_out:
    description:
      - Names of checks that do not count, those of M(hafirewall.cluster.check) and those of readiness. Each is shown as skipped, with that reason.
    type: list
    elements: str
    default: []
  thresholds:
    description:
      - What readiness is measured by; see the guide of the upgrade check.
    type: dict
    default: {}
  known_bad:
    description:
      - Changes of releases that are known to you to go wrong. The check C(known_bad) judges them as it does those that it knows by itself, and names the row in
        its reason.
      - To stay on a release is no change, nor is what a system writes behind the numbers, C(14.2-RELEASE) to C(14.2-RELEASE-p3).
    type: list
    elements: dict
    default: []
    suboptions:
      platform:
        description: The platform that it concerns.
        type: str
        choices: [freebsd, linux, openbsd, opnsense, pfsense]
        required: true
      runs:
        description:
          - The releases that it concerns of those that run now; without it all.
          - Text is a release and all whose numbers begin with it, V("26.1") is also C(26.1.4). A mapping is a range, C(from) this release (included) and
            C(before) that one (not included); each may be left out. Write them in quotes.
          - As in O(targets), on Linux it is the version of conntrack-tools, and not of the distribution. Numbers alone are compared, so nothing may be behind
            them; an epoch as Debian has it (C(1:1.4.8)) may be before them.
          - On pfSense a range is of the edition of its numbers, CE or Plus.
        type: raw
      comes:
        description: The same of the release that the node is to get.
        type: raw
      what:
        description: What happens.
        type: str
        required: true
      remedy:
        description: What to do.
        type: str
        required: true
      source:
        description: Where that is told, as a ticket.
        type: str
      status:
        description: Whether the check fails or warns.
        type: str
        choices: [fail, warn]
        default: fail
  checks:
    description:
      - Results of M(hafirewall.cluster.check) from the same evidence (RV(hafirewall.cluster.check#module:checks)).
      - Without it they are made here, by O(observed) or by what was saved of it.
    type: list
    elements: dict
  observed:
    description:
      - For each member, by its inventory name, what M(hafirewall.cluster.sync_probe) found on it (RV(hafirewall.cluster.sync_probe#module:found)).
      - It is saved with the evidence. Without it, it is not known on Linux whether states travel.
    type: dict
    default: {}
  probe_count:
    description: How many marked states each node had made for O(observed).
    type: int
    default: 1
  evidence_dir:
    description:
      - Folder on the controller with saved evidence, a file C(NODE.json) for each node by its inventory name, as O(save_evidence) wrote it or as
        M(hafirewall.cluster.node_info) returned it. No node is asked then.
      - A node that has no file is a node of which nothing is known.
      - A relative path starts at the working directory of C(ansible-playbook).
    type: path
  save_evidence:
    description:
      - Folder on the controller to keep the evidence of this host in, for O(evidence_dir).
    type: path
seealso:
  - module: hafirewall.cluster.node_info
  - module: hafirewall.cluster.check
  - module: hafirewall.cluster.report
"""

EXAMPLES = r"""
- name: Read the node with what tells whether it is ready for an upgrade
  hafirewall.cluster.node_info:
    readiness: true

- name: Judge the upgrade
  hafirewall.cluster.upgrade_check:
    targets:
      fw1: 15.0-RELEASE
      fw2: 15.0-RELEASE
  register: judged

- name: Judge the upgrade, with what was learnt at another site
  hafirewall.cluster.upgrade_check:
    known_bad:
      - platform: linux
        runs: {before: "1.4.8"}
        comes: {from: "1.4.8", before: "1.4.9"}
        what: states of our helper are not taken over
        remedy: stay on 1.4.7
        source: ticket 4711
  register: judged

- name: Show what has to be done
  ansible.builtin.debug:
    msg: "{{ judged.steps | map(attribute='title') }}"

- name: Judge again from what was saved, without any node
  hafirewall.cluster.upgrade_check:
    evidence_dir: build/upgrade_check/evidence
    require: seamless
  register: again

- name: Stop unless the upgrade is seamless without any step
  ansible.builtin.assert:
    that: again.good_enough
    fail_msg: "{{ again.outcome }}: {{ again.upgrade.reasons }}"
"""

RETURN = r"""
outcome:
  description: V(seamless), V(seamless_with_steps), V(not_seamless) or V(unknown).
  returned: success
  type: str
  sample: seamless_with_steps
good_enough:
  description: Whether the outcome is as good as O(require).
  returned: success
  type: bool
  sample: true
steps:
  description: What this upgrade needs beyond any rolling upgrade, in order. Empty when there is nothing.
  returned: success
  type: list
  elements: dict
  contains:
    number:
      description: Its place in RV(upgrade.runbook).
      type: int
    stage:
      description: The stage at whose end it is done, RV(upgrade.stages[].id).
      type: str
    node:
      description: The node that it is done on; V(none) for the cluster.
      type: str
    title:
      description: What to do.
      type: str
      sample: Pin format 1400
    why:
      description: Why.
      type: str
    variables:
      description: What to state in the inventory, V(none) for nothing. V(none) within it means to take the key out.
      type: dict
      sample: {hafirewall_cluster: {sync: {format: 1400}}}
    commands:
      description: Commands on the controller.
      type: list
      elements: str
      sample: [ansible-playbook hafirewall.cluster.site]
    by_hand:
      description: Commands on the node, in place of the variables and RV(steps[].commands), or where there are none.
      type: list
      elements: str
    required:
      description: Always true here.
      type: bool
upgrade:
  description: Everything about the upgrade of this host's cluster; it is what O(hafirewall.cluster.report#module:upgrades) takes.
  returned: success
  type: dict
  contains:
    cluster:
      description: Name of the cluster.
      type: str
    sentence:
      description: The outcome in a sentence.
      type: str
    reasons:
      description: Why it is not seamless.
      type: list
      elements: str
    lost:
      description: What would be lost.
      type: list
      elements: str
    unknowns:
      description: What is not known (C(what)), and C(how) to learn it.
      type: list
      elements: dict
    order:
      description: The nodes in the order in which they are upgraded.
      type: list
      elements: str
    targets:
      description: The release that each node is to get; V(none) where that is not known.
      type: dict
    stages:
      description: Nothing upgraded, then one node more each time.
      type: list
      elements: dict
      contains:
        id:
          description: C(now), C(standby_upgraded) (with more than two nodes also C(standby_upgraded_2) and so on) and C(both_upgraded).
          type: str
        title:
          description: The same for people.
          type: str
        upgraded:
          description: The nodes that are upgraded.
          type: list
          elements: str
        nodes:
          description: What each C(node) is then, its C(platform), C(release), the format that it C(sends), and whether it is C(upgraded).
          type: list
          elements: dict
        directions:
          description:
            - For each pair of nodes and each way, C(from) and C(to), its C(purpose) (V(takeover) or V(failback)) and the C(answer) when the steps are taken,
              V(yes), V(no) or V(unknown); C(without_steps) is the same when they are not.
            - It is made of whether messages are C(understood), and whether states are C(matched), that is C(named) after devices that are there and C(routed)
              as they were, each with its reason in C(reasons); C(lost) is what the format does not carry, C(confidence) how sure the messages are.
          type: list
          elements: dict
        pin:
          description: The C(format) that must be pinned on C(nodes), C(how), and when it is C(lifted); V(none) when none must.
          type: dict
        lagg:
          description: Logical interfaces that need a LAGG before.
          type: list
          elements: str
        notes:
          description: What the release's notes say to people with clusters, C(node), C(text) and C(link).
          type: list
          elements: dict
    runbook:
      description: The whole upgrade step by step, those that are C(required) are RV(steps).
      type: list
      elements: dict
    required:
      description: O(require).
      type: str
checks:
  description: All results, those of M(hafirewall.cluster.check) and those of readiness, each with C(id), C(cluster), C(node), C(status) and C(reason).
  returned: success
  type: list
  elements: dict
counts:
  description: How many results have each status.
  returned: success
  type: dict
failed_checks:
  description: The results with the status V(fail) or V(error).
  returned: success
  type: list
  elements: dict
cluster:
  description: The cluster as O(hafirewall.cluster.report#module:clusters) takes it, C(name), C(plans), and with O(evidence_dir) also C(evidence).
  returned: success
  type: dict
"""
