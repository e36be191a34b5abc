# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which programs the machine has, and which of their options change something."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Callable, Dict, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd import upkeep
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import ifconfig, kernel_programs, netstat, pfctl, rc, shell, sysctl, sysrc
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled, Refused

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine

Program = Callable[["Machine", List[str], Optional[str]], Completed]
SYSCTLS = sysctl.KERNEL
MODULE_SYSCTLS = sysctl.MODULES

_PROGRAMS: Dict[str, Program] = {
    "ifconfig": ifconfig.run, "sysctl": sysctl.run, "pfctl": pfctl.run, "netstat": netstat.run, "sysrc": sysrc.run, "service": rc.run, "sh": shell.run,
    "grep": shell.grep,
    **kernel_programs.PROGRAMS,
}
# Programs that tell of the machine's upkeep; ps tells of other things too.
_UPKEEP = ("df", "bectl", "pkg-static", "ntpq")


def run(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """Run a program by its name or path.

    Raises:
        FileNotFoundError: there is none.
    """
    name = os.path.basename(words[0])
    told = upkeep.ANSWERS[name](machine.upkeep, words[1:]) if name in (*_UPKEEP, "ps") else None
    if told is not None:
        return told
    if name in _UPKEEP:
        raise NotModelled(" ".join(words))
    if name not in _PROGRAMS:
        raise FileNotFoundError(words[0])
    try:
        return _PROGRAMS[name](machine, words[1:], stdin)
    except Refused as trouble:
        text = str(trouble)
        return Completed(trouble.status, trouble.stdout, text + "\n" if text else "")


def exists(machine: "Machine", name: str) -> bool:
    """Whether a root shell finds it."""
    return name in _PROGRAMS or name in _UPKEEP


def changes(words: List[str]) -> bool:
    """Whether the command changes something, or is meant to."""
    name, rest = os.path.basename(words[0]), words[1:]
    if name == "ifconfig":
        return len([word for word in rest if word not in ("-a", "-ak", "-l", "-v", "-L", "-m")]) > 1
    if name == "sysctl":
        return any("=" in word for word in rest)
    if name == "pfctl":
        return pfctl.changes(rest)
    if name == "sysrc":
        return "-x" in rest or (any("=" in word for word in rest) and not any(word.startswith("-") and "c" in word for word in rest))
    if name == "service":
        return not rest[-1].endswith(("status", "rcvar", "check", "enabled"))
    if name == "kenv":
        return rest[0] == "-u" or "=" in rest[-1]
    if name == "sh":
        return not shell.only_reads(rest)
    return name in ("kldload", "kldunload", "mv", "rm", "cp", "chmod", "shutdown")
