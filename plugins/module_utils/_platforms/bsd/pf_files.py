# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files pf is configured by beside pf.conf."""

from __future__ import annotations

import re

# pf.conf(5): include "FILE", file "FILE" of a table, load anchor NAME from "FILE"; and where rc has pf.conf itself.
INCLUDES = re.compile(r'(?:\binclude\s+|\bfile\s+|\bfrom\s+(?=")|^pf_rules=)["\']?([^"\'\s;#]+)', re.MULTILINE)
