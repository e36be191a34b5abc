#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: settle
short_description: Wait until a node that was changed has come to rest
version_added: 0.1.0
description:
  - Reads the node again and again, for a bounded time, until what was changed has settled,
    the sync engine and VRRP run with the configuration on their disk, the pass rule lets the engine's traffic in,
    and a standby holds about as many states as the active node knows.
  - The next node of a cluster must not be touched before.
  - Reads once in check mode.
author:
  - hafirewall.cluster contributors (@hafirewall)
extends_documentation_fragment:
  - hafirewall.cluster.attributes.info
attributes:
  action:
    support: full
    description: Runs on the controller and calls M(hafirewall.cluster.node_info) on the node.
options:
  plan:
    description:
      - The node's plan, from M(hafirewall.cluster.plan).
    type: dict
    required: true
  timeout:
    description:
      - Seconds after which the wait is given up and the task fails with the reasons.
      - FreeBSD asks the others for their states for 66 seconds when nobody answers, which is so on the first node of a new cluster.
    type: int
    default: 120
  required:
    description:
      - Whether a node that has not settled in time fails the task. When V(false), RV(reasons) says what is amiss.
      - A standby is compared with what the active node said when it was read last. Where it does not become level, read the active node again and wait anew,
        for its connections may have ended meanwhile.
    type: bool
    default: true
seealso:
  - module: hafirewall.cluster.node_info
"""

EXAMPLES = r"""
- name: Plan the cluster
  hafirewall.cluster.plan:
  register: planned

- name: Go on when this node has settled
  hafirewall.cluster.settle:
    plan: "{{ planned.plan }}"
"""

RETURN = r"""
evidence:
  description: The evidence of the last reading, as RV(hafirewall.cluster.node_info#module:evidence).
  returned: success
  type: dict
reasons:
  description: Why the node is not at rest; empty when it is, and in check mode.
  returned: always, unless the node cannot be read
  type: list
  elements: str
  sample: ["it holds 12 of the 1840 states that the active node knows"]
"""
