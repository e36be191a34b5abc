# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which programs the machine has, those that are small, and which options change something."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import TYPE_CHECKING, Callable, Dict, List, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd import tcpdump, upkeep
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import kernel_programs
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd import ifconfig, netstart, netstat, pfctl, sysctl
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import NotModelled, Refused

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Machine

Program = Callable[["Machine", List[str], Optional[str]], Completed]
SSH_PROCESS = 4242
_SCRIPT = "/etc/netstart"
# The pipelines that providers run: the creators of all states, each once; and how many states there are by interface and by creator.
_CREATORS = re.compile(r"pfctl -vvss \| awk '/creatorid:/ \{.*print \}' \| sort -u")
_TABLE = re.compile(r"pfctl -vvss \| awk '.* on\[\$1\]\+\+ .*creatorid.* by\[\$0\]\+\+ .*END .*\}'")


def _ifconfig(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    return Completed(0, ifconfig.ifconfig(machine, words), "")


def _sh(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    if words[:1] == [_SCRIPT]:
        return netstart.run(machine, words[1:])
    if words[:1] == ["-c"] and len(words) == 2 and _CREATORS.fullmatch(words[1]):
        return Completed(0, "".join("%08x\n" % creator for creator in machine.pf.states.creators()), "")
    if words[:1] == ["-c"] and len(words) == 2 and _TABLE.fullmatch(words[1]):
        return Completed(0, _counted(machine, ("pfsync", "carp") if "kept" in words[1] else ()), "")
    raise NotModelled("sh %s" % " ".join(words))


def _counted(machine: "Machine", passed_over: Sequence[str]) -> str:
    on: Dict[str, int] = {}
    by: Dict[str, int] = {}
    for state in machine.pf.states:
        if state.protocol in passed_over:
            continue
        on[state.interface] = on.get(state.interface, 0) + 1
        by["%08x" % state.creator] = by.get("%08x" % state.creator, 0) + 1
    return "".join("on %s %d\n" % pair for pair in on.items()) + "".join("by %s %d\n" % pair for pair in by.items())


def _dmesg(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    if words:
        raise NotModelled("dmesg %s" % " ".join(words))
    return Completed(0, "".join(line + "\n" for line in machine.dmesg), "")


def _uname(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    """usr.bin/uname: what is asked for comes in the program's own order."""
    known = {"s": "OpenBSD", "n": "%s.example.net" % machine.name, "r": machine.release, "v": "GENERIC.MP#338", "m": "amd64", "p": "amd64"}
    flags = "".join(word.lstrip("-") for word in words) or "s"
    flags = "snrvm" if flags == "a" else flags
    if set(flags) - set(known):
        raise NotModelled("uname %s" % " ".join(words))
    return Completed(0, " ".join(value for flag, value in known.items() if flag in flags) + "\n", "")


def _arp(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    if sorted("".join(words)) != sorted("-an"):
        raise NotModelled("arp %s" % " ".join(words))
    rows = ["%-36.36s %-17.17s %7.7s %-9.9s %5s" % ("Host", "Ethernet Address", "Netif", "Expire", "Flags")]
    rows += ["%-36s %-17s %7s %-9.9s %s" % (address, mac, device, "permanent" if own else "19m48s", "l" if own else "")
             for address, mac, device, own in kernel_programs.near(machine, 4)]  # type: ignore[arg-type]
    return Completed(0, "".join(row + "\n" for row in rows), "")


def _ndp(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    if sorted("".join(words)) != sorted("-an"):
        raise NotModelled("ndp %s" % " ".join(words))
    rows = ["%-39.39s %-17.17s %7.7s %-9.9s %1s %5s" % ("Neighbor", "Linklayer Address", "Netif", "Expire", "S", "Flags")]
    rows += ["%-39s %-17s %7s %-9.9s %s %s" % (address, mac, device, "permanent" if own else "23h59m58s", "R" if own else "S", "l" if own else "")
             for address, mac, device, own in kernel_programs.near(machine, 6)]  # type: ignore[arg-type]
    return Completed(0, "".join(row + "\n" for row in rows), "")


def _tcpdump(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    """What it says when it begins to listen (usr.sbin/tcpdump/tcpdump.c); what it writes comes from :mod:`..bsd.tcpdump`."""
    try:
        device, _count = tcpdump.asked(words, ("-p", "-n"), "ip proto 240")
    except ValueError as error:
        raise NotModelled(str(error)) from None
    if device not in machine.interfaces:
        raise Refused("tcpdump: Failed to open bpf device for %s: Device not configured" % device)
    return Completed(0, "", "tcpdump: listening on %s, link-type EN10MB\n" % device)


def _route(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    """sbin/route/route.c, print_getmsg. A neighbour has a route of its own, cloned from the network's."""
    left = [word for word in words if word not in ("-n", "-inet", "-inet6")]
    if left[:1] != ["get"] or len(left) != 2:
        raise NotModelled("route %s" % " ".join(words))
    target = ipaddress.ip_address(left[1])
    for device in machine.interfaces.values():
        for address in device.addresses:
            if device.driver != "lo" and target in address.interface.network:
                mask = "255.255.255.255" if target.version == 4 else "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
                return _told(left[1], left[1], mask, "", device.name, address.host, "3 ()", "UP,HOST,DONE,LLINFO,CLONED")
    by = next(((device.name, address.host) for device in machine.interfaces.values() for address in device.addresses
               if machine.gateway is not None and ipaddress.ip_address(machine.gateway) in address.interface.network), None)
    if by is None or target.version == 6:
        return Completed(1, "get host %s: not in table\n" % left[1], "")
    return _told(left[1], "default", "default", "    gateway: %s\n" % machine.gateway, by[0], by[1], "8 (static)", "UP,GATEWAY,DONE,STATIC")


def _told(to: str, destination: str, mask: str, gateway: str, device: str, address: str, priority: str, flags: str) -> Completed:
    return Completed(0, "   route to: %s\ndestination: %s\n       mask: %s\n%s  interface: %s\n if address: %s\n   priority: %s\n      flags: <%s>\n"
                        "     use       mtu    expire\n%8d  %8d  %8d \n" % (to, destination, mask, gateway, device, address, priority, flags, 0, 0, 0), "")


def _ps(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    if words == ["-axo", "pid=,ppid="]:
        return Completed(0, "    1     0\n%5d     1\n%5d %5d\n" % (SSH_PROCESS, os.getpid(), SSH_PROCESS), "")
    if words[:5] == ["-eww", "-o", "command=", "-p", str(SSH_PROCESS)]:
        # bin/ps/print.c, command: the environment comes first.
        told = "" if machine.ssh is None else "SSH_CONNECTION=%s " % machine.ssh
        return Completed(0, "PATH=/usr/bin:/bin %ssh -c python3\n" % told, "")
    raise NotModelled("ps %s" % " ".join(words))


def _syspatch(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    """usr.sbin/syspatch: what is installed, and what is missing."""
    known = {"-l": machine.patches, "-c": machine.missing_patches}
    if len(words) != 1 or words[0] not in known:
        raise NotModelled("syspatch %s" % " ".join(words))
    return Completed(0, "".join(name + "\n" for name in known[words[0]]), "")


def _ls(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    if len(words) != 1 or words[0].startswith("-"):
        raise NotModelled("ls %s" % " ".join(words))
    path = machine.path(words[0])
    if not path.exists():
        raise Refused("ls: %s: No such file or directory" % words[0])
    names = sorted(one.name for one in path.iterdir() if not one.name.startswith(".")) if path.is_dir() else [words[0]]
    return Completed(0, "".join(name + "\n" for name in names), "")


def _what(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    """usr.bin/what: the line of the kernel's file, which conf/newvers.sh gives the words of kern.version."""
    if words != ["/bsd"]:
        raise NotModelled("what %s" % " ".join(words))
    return Completed(0, "/bsd:\n\t%s\n" % (machine.stored_kernel or machine.sysctl["kern.version"].splitlines()[0]), "")


_PROGRAMS: Dict[str, Program] = {
    "ifconfig": _ifconfig, "sysctl": sysctl.run, "pfctl": pfctl.run, "netstat": netstat.run, "rcctl": netstart.rcctl, "sh": _sh, "dmesg": _dmesg,
    "uname": _uname, "arp": _arp, "ndp": _ndp, "route": _route, "ps": _ps, "syspatch": _syspatch, "ls": _ls, "tcpdump": _tcpdump, "what": _what,
}
# Those that only know a machine's files and its name.
_SAME = ("mv", "rm", "cat", "hostname", "find")
# Programs that tell of the machine's upkeep; ps tells of other things too.
_UPKEEP = ("df", "ntpctl", "pkg_info")


def run(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """Run a program by its name or path.

    Raises:
        FileNotFoundError: there is none.
    """
    name = os.path.basename(words[0])
    try:
        if name in _SAME:
            return kernel_programs.PROGRAMS[name](machine, words[1:], stdin)  # type: ignore[arg-type]
        told = upkeep.ANSWERS[name](machine.upkeep, words[1:]) if name in (*_UPKEEP, "ps") else None
        if told is not None:
            return told
        if name in _UPKEEP:
            raise NotModelled(" ".join(words))
        if name not in _PROGRAMS:
            raise FileNotFoundError(words[0])
        return _PROGRAMS[name](machine, words[1:], stdin)
    except Refused as trouble:
        text = str(trouble)
        return Completed(trouble.status, trouble.stdout, text + "\n" if text else "")


def exists(name: str) -> bool:
    """Whether a root shell finds it."""
    return name in _PROGRAMS or name in _SAME or name in _UPKEEP


def changes(words: List[str]) -> bool:
    """Whether the command changes something, or is meant to."""
    name, rest = os.path.basename(words[0]), words[1:]
    if name == "ifconfig":
        return len(rest) > (2 if rest[:1] == ["-g"] else 1) and rest[0] not in ("-M", "-C", "-a", "-A")
    if name == "sysctl":
        return sysctl.changes(rest)
    if name == "pfctl":
        return pfctl.changes(rest)
    if name == "rcctl":
        return not netstart.reads(tuple(rest))
    if name == "sh":
        return rest[:1] == [_SCRIPT] and rest[1:2] != ["-n"]
    return name in ("mv", "rm")
