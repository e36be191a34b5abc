# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entry of the lab: python molecule/shared/lab.py COMMAND --name lab (see hafw_lab/cli.py)."""

from __future__ import annotations

import sys

from hafw_lab.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
