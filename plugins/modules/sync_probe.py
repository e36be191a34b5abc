#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sync_probe
short_description: Prove that states travel between the nodes of a cluster
version_added: 0.1.0
description:
  - Creates marked states on a node, looks for those of the other nodes, and removes them again.
  - A marked state is a UDP flow between documentation addresses in the kernel's connection table, with a connection mark of its own and
    120 seconds to live, so it touches no real connection and goes away by itself.
  - Counters of an engine prove nothing - with three nodes and the FTFW mode, states go missing while it counts no lost message.
    A state that was made on one node and found on another does.
  - On FreeBSD, OpenBSD and pfSense it is refused, for pf has no way to insert a state. There M(hafirewall.cluster.check) looks at which nodes made the states
    that another holds.
author:
  - hafirewall.cluster contributors (@hafirewall)
extends_documentation_fragment:
  - hafirewall.cluster.attributes
  - hafirewall.cluster.attributes.node
attributes:
  diff_mode:
    support: none
    description: Shows no difference, because states are no text.
options:
  state:
    description:
      - V(present) creates O(count) marked states of O(origin); fresh ones that are there already are left alone.
      - V(observed) looks for the states of O(origins), in the kernel's table and in the engine's external cache, until all are there or
        O(timeout) has passed. It changes nothing.
      - V(absent) removes all marked states of O(origin), of any O(run).
    type: str
    choices: [present, observed, absent]
    default: present
  origin:
    description: Number of this node within its cluster, 1 to 50.
    type: int
    required: true
  origins:
    description: Numbers of the nodes whose states O(state=observed) looks for.
    type: list
    elements: int
    default: []
  count:
    description: How many states each node makes, 1 to 100.
    type: int
    default: 1
  run:
    description:
      - Number of this proof, 0 to 60000, the same on all nodes. States of another run do not count.
      - State a different one each time where an earlier proof can have been cut short less than two minutes ago.
    type: int
    default: 0
  timeout:
    description: Seconds to wait for the states with O(state=observed).
    type: float
    default: 10
seealso:
  - module: hafirewall.cluster.check
"""

EXAMPLES = r"""
- name: Create 60 marked states on every node
  hafirewall.cluster.sync_probe:
    origin: "{{ groups['edge'].index(inventory_hostname) + 1 }}"
    count: 60

- name: Look for the states of the second node
  hafirewall.cluster.sync_probe:
    state: observed
    origin: 1
    origins: [2]
    count: 60
  register: observed

- name: Remove them
  hafirewall.cluster.sync_probe:
    state: absent
    origin: "{{ groups['edge'].index(inventory_hostname) + 1 }}"
"""

RETURN = r"""
found:
  description: How many states of this run each origin has on this node. With O(state=present) and O(state=absent), the node's own origin only.
  returned: success
  type: dict
  sample: {"2": 60, "3": 60}
commands:
  description: Commands that changed something, or would have in check mode.
  returned: always
  type: list
  elements: str
  sample: ["conntrack -R -"]
"""

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.capability import run_capability

ARGUMENTS = {
    "state": {"type": "str", "choices": ["present", "observed", "absent"], "default": "present"},
    "origin": {"type": "int", "required": True},
    "origins": {"type": "list", "elements": "int", "default": []},
    "count": {"type": "int", "default": 1},
    "run": {"type": "int", "default": 0},
    "timeout": {"type": "float", "default": 10},
}


def main() -> None:
    """Create, look for, or remove marked states."""
    run_capability("sync_probe", ARGUMENTS)


if __name__ == "__main__":
    main()
