# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a machine of the BSDs says of its upkeep: disks, processes, packages, boot environments, clock.

Written from manual pages and sources (bin/df, bin/ps, sbin/bectl, pkg-query(8), pkg-version(8), ntpq(8), usr.sbin/ntpd/ntpctl.c, usr.sbin/pkg_add), for no
answer of a real machine was at hand. What a command line means that is not told here, nobody knows: the answer is None.
"""

from __future__ import annotations

from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed


class Upkeep:
    """The state of it.

    Attributes:
        disks: by mount point, its size and what is free, in KiB.
        processes: command lines by number.
        packages: installed ones with their versions; ``newer`` are those that the catalogue has newer ones of.
        offered: versions in the catalogue, by name.
        notes: of packages, by package and tag.
        environments: boot environments, name, flags and date; None where the system is not on ZFS.
        offset: of the clock from its source in milliseconds; None where nothing keeps it.
    """

    def __init__(self) -> None:
        self.disks: Dict[str, Tuple[int, int]] = {"/": (20000000, 12000000)}
        self.processes: Dict[int, str] = {1: "/sbin/init", 700: "/usr/sbin/sshd"}
        self.packages: Dict[str, str] = {"python311": "3.11.9", "sudo": "1.9.15p5_4"}
        self.newer: Dict[str, str] = {}
        self.offered: Dict[str, str] = {}
        self.notes: Dict[Tuple[str, str], str] = {}
        self.environments: Optional[List[Tuple[str, str, str]]] = [("default", "NR", "2026-10-01 12:00"), ("before", "-", "2026-11-29 18:30")]
        self.offset: Optional[float] = 1.25


Answer = Callable[[Upkeep, Sequence[str]], Optional[Completed]]


def _df(upkeep: Upkeep, words: Sequence[str]) -> Optional[Completed]:
    if words[:1] != ["-kP"]:
        return None
    rows = ["Filesystem  1024-blocks      Used     Avail Capacity  Mounted on"]
    for place in words[1:]:
        mount = max((one for one in upkeep.disks if (place + "/").startswith(one.rstrip("/") + "/")), key=len)
        total, free = upkeep.disks[mount]
        rows.append("zroot%-20s %d %d %d %d%% %s" % (mount, total, total - free, free, 100 * (total - free) // total, mount))
    return Completed(0, "".join(row + "\n" for row in rows), "")


def _ps(upkeep: Upkeep, words: Sequence[str]) -> Optional[Completed]:
    if list(words) != ["-axo", "pid=,command="]:
        return None
    return Completed(0, "".join("%5d %s\n" % (pid, command) for pid, command in upkeep.processes.items()), "")


def _bectl(upkeep: Upkeep, words: Sequence[str]) -> Optional[Completed]:
    if list(words) != ["list", "-H"]:
        return None
    if upkeep.environments is None:
        return Completed(1, "", 'libbe_init("") failed.\n')
    return Completed(0, "".join("%s\t%s\t%s\t1.21G\t%s\n" % (name, flags, "/" if "N" in flags else "-", made) for name, flags, made in upkeep.environments), "")


def _pkg(upkeep: Upkeep, words: Sequence[str]) -> Optional[Completed]:
    line = list(words)
    if line == ["query", "%n\t%v"]:
        return Completed(0, "".join("%s\t%s\n" % pair for pair in upkeep.packages.items()), "")
    if line[:3] == ["query", "-g", "%n"] and line[3].endswith("*"):
        found = [name for name in upkeep.packages if name.startswith(line[3][:-1])]
        return Completed(0 if found else 1, "".join(name + "\n" for name in found), "")
    if line == ["version", "-U", "-R", "-v", "-l", "<"]:
        return Completed(0, "".join("%-34s <   needs updating (remote has %s)\n" % ("%s-%s" % (name, upkeep.packages[name]), new)
                                    for name, new in upkeep.newer.items()), "")
    if line[:3] == ["rquery", "-U", "%v"]:
        found = [upkeep.offered[line[3]]] if line[3] in upkeep.offered else []
        return Completed(0 if found else 1, "".join(one + "\n" for one in found), "")
    if line[:3] == ["annotate", "-q", "-S"]:
        value = upkeep.notes.get((line[3], line[4]))
        return Completed(0 if value else 1, "" if value is None else value + "\n", "")
    return None


def _ntpq(upkeep: Upkeep, words: Sequence[str]) -> Optional[Completed]:
    if list(words) != ["-pn"]:
        return None
    if upkeep.offset is None:
        return Completed(1, "", "ntpq: read: Connection refused\n")
    return Completed(0, "     remote           refid      st t when poll reach   delay   offset  jitter\n" + "=" * 78 + "\n"
                     "*198.51.100.126  192.0.2.10       2 u   33   64  377    0.210 %8.3f   0.040\n" % upkeep.offset, "")


def _ntpctl(upkeep: Upkeep, words: Sequence[str]) -> Optional[Completed]:
    if list(words) != ["-s", "status"]:
        return None
    if upkeep.offset is None:
        return Completed(0, "0/1 peers valid, clock unsynced\n", "")
    return Completed(0, "1/1 peers valid, clock synced, stratum 3\n", "")


def _pkg_info(upkeep: Upkeep, words: Sequence[str]) -> Optional[Completed]:
    return Completed(0, "".join("%s-%s\n" % pair for pair in upkeep.packages.items()), "") if list(words) == ["-q"] else None


ANSWERS: Mapping[str, Answer] = {
    "df": _df, "ps": _ps, "bectl": _bectl, "pkg-static": _pkg, "ntpq": _ntpq, "ntpctl": _ntpctl, "pkg_info": _pkg_info,
}
