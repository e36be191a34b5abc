#!/usr/bin/python
# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: config_backup
short_description: Keep a node's configuration on the controller
version_added: 0.1.0
description:
  - Reads from the node all files that it would need to be built again, and writes them as one compressed archive (C(tar.gz)) on the controller.
  - On Linux these are the files that this collection manages, of conntrackd, keepalived and nftables, and those of the network, C(sysctl) and modules.
    On FreeBSD they are C(rc.conf), C(loader.conf), C(sysctl.conf), C(pf.conf) and what these take in. On OpenBSD they are C(hostname.*), C(pf.conf),
    C(sysctl.conf), C(rc.conf.local), C(mygate), C(myname) and the files of its routing and VPN daemons. On pfSense it is C(config.xml), on OPNsense also what
    a person added beside it (C(loader.conf.local), C(cron.d), C(rc.syshook.d), C(rc.carp_service_status.d)).
  - Only reads on the node. The archive is written whole or not at all, read again from the disk, and compared with what the node had.
  - The archive holds passwords and keys. Only the user of the run may read it (mode 0600), and what is in it is in no result, no diff and no log.
    With C(ANSIBLE_DEBUG), which prints all that a module answers, the task refuses to run.
  - A configuration with more than 32 MiB or 2000 files is refused.
  - Nothing is restored by this collection, and no older backup is removed.
author:
  - hafirewall.cluster contributors (@hafirewall)
extends_documentation_fragment:
  - hafirewall.cluster.attributes.info
  - hafirewall.cluster.attributes.node
attributes:
  action:
    support: full
    description: Writes on the controller what the module has read on the node.
  check_mode:
    support: full
    description: Reads in check mode too, writes nothing, and tells where the archive would be.
  facts:
    support: full
    description: Returns an C(ansible_facts) dictionary that updates existing host facts.
options:
  directory:
    description:
      - Folder on the controller that takes the archive; made when it is missing.
      - A relative path starts at the working directory of C(ansible-playbook).
      - The archive is C(NODE-YYYYmmddTHHMMSSZ.tar.gz), with the node's inventory name and the time in UTC.
    type: path
    required: true
seealso:
  - module: hafirewall.cluster.snapshot
"""

EXAMPLES = r"""
- name: Keep the configuration before a change
  hafirewall.cluster.config_backup:
    directory: "{{ inventory_dir }}/build/backup"
  register: backup

- name: Tell where it is
  ansible.builtin.debug:
    msg: "{{ backup.path }} holds {{ backup.files | length }} files"
"""

RETURN = r"""
path:
  description: Where the archive is, or would be in check mode.
  returned: success
  type: str
  sample: /srv/build/backup/fw1-20261130T004500Z.tar.gz
bytes:
  description: Its size.
  returned: success
  type: int
  sample: 4096
sha256:
  description: Its SHA-256, in hexadecimal.
  returned: success
  type: str
files:
  description: The paths, on the node, of the files in it.
  returned: success
  type: list
  elements: str
  sample: [/etc/conntrackd/conntrackd.conf, /etc/keepalived/keepalived.conf]
taken_at:
  description: When it was taken, in seconds since 1970 by the controller's clock.
  returned: success
  type: float
written:
  description: Whether it was written; false in check mode.
  returned: success
  type: bool
ansible_facts:
  description: The same as C(hafirewall_config_backup), where the check C(config_backup) looks for it. Not in check mode.
  returned: when written
  type: dict
  contains:
    hafirewall_config_backup:
      description: RV(path), RV(bytes), RV(sha256), RV(files), RV(taken_at), and C(readable), that it was read again whole.
      type: dict
"""

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.capability import run_capability

# The folder is of the controller; the action plugin writes there what this module answers.
ARGUMENTS = {"directory": {"type": "path", "required": True}}


def main() -> None:
    """Read the files, and answer with the archive."""
    run_capability("config_backup", ARGUMENTS)


if __name__ == "__main__":
    main()
