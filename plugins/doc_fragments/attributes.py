# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation shared by the modules of this collection."""

from __future__ import annotations


class ModuleDocFragment:
    """What every module that changes a node promises, and the options they share."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Can run in check mode and predicts exactly what a real run would change.
  diff_mode:
    support: full
    description: Shows what is changed (or would be) in diff mode.
  idempotent:
    support: full
    description: A second run with the same options changes nothing and runs no command that changes anything.
  platform:
    support: full
    platforms: linux
    description: Platforms that the module drives.
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Runs in check mode as always, because it changes nothing.
  diff_mode:
    support: N/A
    description: Changes nothing, so there is no difference to show.
  idempotent:
    support: full
    description: Changes nothing.
  platform:
    support: full
    platforms: freebsd, linux, openbsd, opnsense, pfsense
    description: Platforms that the module drives.
"""

    NODE = r"""
options:
  platform:
    description:
      - Platform of the node.
      - Detected on the node when not stated.
      - Nodes of V(opnsense) are only read; a module that would change one fails.
    type: str
    choices:
      - freebsd
      - linux
      - openbsd
      - opnsense
      - pfsense
"""
