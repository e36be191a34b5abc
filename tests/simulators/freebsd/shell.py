# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sh: only the pipelines that providers run, told one by one."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import programs
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine

# What pfctl prints of the states, counted or picked by the awk of the machine that tests run on.
_PICKED = re.compile(r"pfctl -(?:vvss|ss -vv) \| (awk '[^']*'(?: \| sort -u)?)")


def only_reads(words: List[str]) -> bool:
    """Whether it is a pipeline that changes nothing."""
    return len(words) == 2 and words[0] == "-c" and _PICKED.fullmatch(words[1]) is not None


def run(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """The answer of a pipeline."""
    if not only_reads(words):
        raise NotModelled("sh %s" % " ".join(words))
    picked = _PICKED.fullmatch(words[1])
    listing = programs.run(machine, ["pfctl", "-vvss"], None)
    done = subprocess.run(["sh", "-c", picked[1]], input=listing.stdout, capture_output=True, check=True, encoding="utf-8")  # type: ignore[index]
    # The status is that of the last program.
    return Completed(0, done.stdout, listing.stderr)


def grep(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """The grep of the machine that tests run on, in the simulated machine's files."""
    place = words.index("--") + 1
    root = str(machine.root)
    done = subprocess.run(["grep", *words[:place], *(root + path for path in words[place:])], capture_output=True, check=False, encoding="utf-8")
    return Completed(done.returncode, re.sub("^" + re.escape(root), "", done.stdout, flags=re.MULTILINE), "")
