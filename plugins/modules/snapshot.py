#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot
short_description: Write what a node is like now to a file on the controller
version_added: 0.1.0
description:
  - Reads the node by M(hafirewall.cluster.node_info) with O(hafirewall.cluster.node_info#module:snapshot=true), and writes the evidence to
    C(DIRECTORY/NODE.json) on the controller. M(hafirewall.cluster.snapshot_compare) compares two such folders.
  - The file is written whole or not at all, and replaces an older one of the node.
  - Nothing of a node is changed, and a snapshot is a result and no state. The task is therefore never changed.
author:
  - hafirewall.cluster contributors (@hafirewall)
extends_documentation_fragment:
  - hafirewall.cluster.attributes.info
  - hafirewall.cluster.attributes.node
attributes:
  action:
    support: full
    description: Runs on the controller, and reads the node by M(hafirewall.cluster.node_info).
  check_mode:
    support: full
    description: Reads in check mode too, writes nothing, and tells where the file would be.
options:
  directory:
    description:
      - Folder on the controller that takes the file; made when it is missing. Give each moment a folder of its own.
      - A relative path starts at the working directory of C(ansible-playbook).
    type: path
    required: true
  evidence:
    description:
      - Evidence of this node that was read before, to be written instead of a new reading.
    type: dict
  sync_interface:
    description: As O(hafirewall.cluster.node_info#module:sync_interface).
    type: str
  sync_network:
    description: As O(hafirewall.cluster.node_info#module:sync_network).
    type: str
  raw:
    description: As O(hafirewall.cluster.node_info#module:raw).
    type: str
seealso:
  - module: hafirewall.cluster.snapshot_compare
  - module: hafirewall.cluster.config_backup
"""

EXAMPLES = r"""
- name: Take a snapshot before the change
  hafirewall.cluster.snapshot:
    directory: "{{ inventory_dir }}/build/snapshots/before"

- name: Write evidence that was read before
  hafirewall.cluster.snapshot:
    directory: "{{ inventory_dir }}/build/snapshots/before"
    evidence: "{{ ansible_facts.hafirewall_evidence }}"
"""

RETURN = r"""
path:
  description: Where the snapshot is, or would be in check mode.
  returned: success
  type: str
  sample: /srv/build/snapshots/before/fw1.json
taken_at:
  description: When the node was read, in seconds since 1970 by its own clock; V(none) where it did not tell.
  returned: success
  type: float
unknown:
  description: Areas of the evidence that could not be read, at least in part.
  returned: success
  type: list
  elements: str
written:
  description: Whether it was written; false in check mode.
  returned: success
  type: bool
"""
