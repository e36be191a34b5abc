#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: maintenance
short_description: Take a node out of its cluster on purpose, or let it take part again
version_added: 0.1.0
description:
  - In maintenance the node gives up its virtual addresses at once and takes over none, also after a reboot, until it leaves maintenance.
  - Waits until the addresses are gone from this node, or until it takes part again. When that does not happen, the node is put back as it was.
  - On pfSense it is the persistent CARP maintenance mode. A node without another one that takes over keeps its addresses there, which is an error.
  - On FreeBSD it adds 241 to C(net.inet.carp.demotion), and takes exactly that away again. What is its own part of the sum is recorded in the kernel's
    environment (C(kenv hafirewall.demotion)), so a run that was cut off, a reboot, and others who demote the node do no harm. A start script,
    C(/usr/local/etc/rc.d/hafirewall_maintenance), does it again at each boot before the node has an address. Without C(net.inet.carp.preempt), under which
    no other node takes over from an active one, the ids are set to backup too. A node without another one that takes over keeps its addresses, which is an
    error.
  - On OpenBSD it adds 64 to the demotion of the interface group C(carp), and takes exactly that away again. C(/var/run/hafirewall.carpdemote) says that it has
    done so since the boot, and a marked block in C(/etc/rc.local) does it again at each boot, before CARP takes part. A node without another one that takes
    over keeps its addresses, which is an error.
  - The node cannot know whether another one can take over. M(hafirewall.cluster.check) and the playbook C(hafirewall.cluster.maintenance) can.
extends_documentation_fragment:
  - hafirewall.cluster.attributes
  - hafirewall.cluster.attributes.node
attributes:
  platform:
    support: full
    platforms: freebsd, linux, openbsd, pfsense
    description: Platforms that the module drives.
options:
  state:
    description:
      - V(enabled) to be in maintenance, V(disabled) to take part.
      - A node that takes part again is standby first. With preemption it becomes active again after its delay.
    type: str
    choices: [enabled, disabled]
    required: true
  persistent:
    description:
      - Whether maintenance outlasts a reboot. V(false) is for FreeBSD and OpenBSD only, because the others know no other way.
      - Only with O(state=enabled).
    type: bool
    default: true
notes:
  - Needs what M(hafirewall.cluster.virtual_ip) has set up, on FreeBSD, OpenBSD and pfSense any CARP address.
seealso:
  - module: hafirewall.cluster.virtual_ip
author:
  - hafirewall.cluster contributors (@hafirewall)
"""

EXAMPLES = r"""
- name: Hand over before a kernel upgrade
  hafirewall.cluster.maintenance:
    state: enabled

- name: Take part again
  hafirewall.cluster.maintenance:
    state: disabled
"""

RETURN = r"""
drift:
  description: What differed from the wanted state, equal in check mode and in a real run.
  returned: success
  type: list
  elements: dict
  contains:
    setting:
      description: What differed.
      type: str
      sample: maintenance
    is:
      description: What was found; null when it could not be told.
      type: raw
      sample: false
    wanted:
      description: What is wanted.
      type: raw
      sample: true
commands:
  description: Commands, and functions of pfSense, that changed the node, or would have in check mode.
  returned: always
  type: list
  elements: str
maintenance:
  description: Whether the node is in maintenance after the run.
  returned: success
  type: bool
handed_over:
  description: Whether this run took virtual addresses away from this node, or would have in check mode.
  returned: success
  type: bool
validation:
  description: Always V(not needed), because there is no configuration to judge.
  returned: success
  type: str
"""

from typing import Any, Dict

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.capability import run_capability

ARGUMENTS: Dict[str, Any] = {
    "state": {"type": "str", "choices": ["enabled", "disabled"], "required": True},
    "persistent": {"type": "bool", "default": True},
}


def main() -> None:
    run_capability("maintenance", ARGUMENTS)


if __name__ == "__main__":
    main()
