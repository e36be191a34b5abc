# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator of ifconfig, sysctl, pfctl, arp and netstat as FreeBSD has them: one program under several names, its kernel a JSON file, each change
in the journal. Other programs that only read answer what the kernel's ``told`` says, word for word.

What it answers was seen on FreeBSD 14.2, or read in its source. What was neither ends with status 70 rather than with a guess.
"""

from __future__ import annotations

# It is started very often, so each name loads its own program only, and what few answers need is imported there.
import fcntl
import os
import sys

from .base import FOLDER, ROOT, TYPE_CHECKING, Refused

if TYPE_CHECKING:
    from typing import Callable, List

    from .base import Kernel

    Program = Callable[[Kernel, List[str]], str]


def main() -> int:
    """Run the program of this name on the kernel of this root, and write down what changed it."""
    name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
    if name == "tcpdump":
        from .tcpdump import tcpdump
        return tcpdump(words)
    with open(FOLDER + "kernel.json", "r+", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        # The file is the stand-in's own; read so, it costs a tenth of what importing json does.
        kernel = eval(handle.read(), {"true": True, "false": False, "null": None})
        before = repr(kernel)
        status = 0
        try:
            sys.stdout.write(_program(name)(kernel, words))
        except Refused as error:
            print(error, file=sys.stderr)
            status = error.status
        if before != repr(kernel):
            import json
            handle.seek(0)
            handle.truncate()
            json.dump(kernel, handle)
        _record(name, words)
    return status


def _program(name: str) -> Program:
    if name == "ifconfig":
        from .ifconfig import ifconfig
        return ifconfig
    if name == "pfctl":
        from .pf import pfctl
        return pfctl
    return sysctl if name == "sysctl" else lambda kernel, words: _told(kernel, name, words)


def sysctl(kernel: Kernel, words: List[str]) -> str:
    """Show or set variables; the demotion is added to, not set."""
    bare, text = "-n" in words, ""
    for word in words:
        name, equals, value = word.partition("=")
        if word == "-n":
            continue
        if name not in kernel["sysctl"]:
            raise Refused("sysctl: unknown oid '%s'" % name)
        if equals:
            added = int(kernel["sysctl"][name]) + int(value) if name == "net.inet.carp.demotion" else value
            kernel["sysctl"][name] = str(added)
        text += kernel["sysctl"][name] + "\n" if bare else "%s: %s\n" % (name, kernel["sysctl"][name])
    return text


def _told(kernel: Kernel, name: str, words: List[str]) -> str:
    line = " ".join([name, *words])
    if line in kernel["told"]:
        return kernel["told"][line]
    if name == "arp":
        from .neighbours import arp
        return arp(kernel, words)
    if name == "netstat":
        from .netstat import netstat
        return netstat(kernel, words)
    raise Refused("stand-in: %s was not told an answer" % line, 70)


def _record(name: str, words: List[str]) -> None:
    reads = {"ifconfig": len([word for word in words if word != "-v"]) < 2, "sysctl": not any("=" in word for word in words),
             "pfctl": words[-2:-1] not in (["-f"], ["-nf"])}.get(name, True)
    if not reads:
        import shlex
        with open(FOLDER + "journal", "a", encoding="utf-8") as journal:
            journal.write("command\t%s\n" % " ".join(shlex.quote(word.replace(ROOT + "/", "/")) for word in [name, *words]))
