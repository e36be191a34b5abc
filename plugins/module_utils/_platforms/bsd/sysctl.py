# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's variables, as sysctl prints them."""

from __future__ import annotations

import re
from typing import Dict, Mapping, Optional

CARP_ALLOW, CARP_DEMOTION = "net.inet.carp.allow", "net.inet.carp.demotion"
# By how much CARP is demoted while pfsync takes the states of the others over.
PFSYNC_DEMOTION = "net.pfsync.carp_demotion_factor"


def parse(text: str) -> Dict[str, str]:
    """``sysctl name ...`` as a mapping; a name that the kernel does not know is not in it."""
    return {found[1]: found[2] for found in re.finditer(r"^([\w.]+): (.*)$", text, re.MULTILINE)}


def boot_id(kernel: Mapping[str, str]) -> Optional[str]:
    """When the kernel began (kern.boottime), for FreeBSD has no name of a boot on all releases."""
    found = re.search(r"\bsec = (\d+)", kernel.get("kern.boottime", ""))
    return found[1] if found else None
