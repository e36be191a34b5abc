# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small programs that tell of the kernel and of who is near. Sources: sbin/kldload, kldstat, usr.bin/uname, bin/freebsd-version, usr.bin/stat, what,
usr.sbin/arp, ndp."""

from __future__ import annotations

import ipaddress
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Callable, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd import tcpdump
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled, Refused, lines, said

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine

_THERE_ARE = ("pf", "pfsync", "pflog", "carp", "if_lagg", "if_vlan", "if_bridge", "if_vxlan", "ipfw", "zfs")
SSH_PROCESS = 4242


def kldload(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """Load modules; ``-n``: those that are there already are no failure."""
    flags = [word for word in words if word.startswith("-")]
    if set(flags) - {"-n", "-q", "-v", "-nq"}:
        raise NotModelled("kldload %s" % " ".join(words))
    trouble = ""
    for name in (word[:-3] if word.endswith(".ko") else word for word in words if not word.startswith("-")):
        if name in machine.modules or name == "if_vlan":
            trouble += "" if any("n" in flag for flag in flags) else "kldload: can't load %s: module already loaded or in kernel\n" % name
        elif name not in _THERE_ARE:
            trouble += "kldload: can't load %s: No such file or directory\n" % name
        else:
            machine.load(name)
    return Completed(1 if trouble else 0, "", trouble)


def kldunload(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """Refused here, but for carp without ids: pf and its kin are busy as long as they run."""
    if words != ["carp"]:
        raise NotModelled("kldunload %s" % " ".join(words))
    if machine.carp.vhids or "carp" in machine.builtin:
        raise Refused("kldunload: can't unload file: Device busy")
    machine.modules.remove("carp")
    for name in [name for name in machine.sysctl if name.startswith("net.inet.carp.")]:
        del machine.sysctl[name]
    return said()


def _kldstat(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    quiet = "-q" in words
    words = [word for word in words if word != "-q"]
    loaded = [name for name in machine.modules if name not in ("kernel", *machine.builtin)]
    if words[:1] in (["-m"], ["-n"]):
        name = words[1][:-3] if words[1].endswith(".ko") else words[1]
        # A module in the kernel has a name, but no file of its own.
        found = name in machine.modules if words[0] == "-m" else name in loaded
        if not found:
            what = "module" if words[0] == "-m" else "file"
            return Completed(1, "", "" if quiet else "kldstat: can't find %s %s: No such file or directory\n" % (what, words[1]))
        if quiet:
            return said()
        if words[0] == "-m":
            return said("Id  Refs Name\n%3d    1 %s\n" % (1 + machine.modules.index(name), name))
        return said(_HEAD + _row(2 + loaded.index(name), name))
    if words:
        raise NotModelled("kldstat %s" % " ".join(words))
    rows = "".join(_row(2 + number, name) for number, name in enumerate(loaded))
    return said(_HEAD + " 1 %4d 0xffffffff80200000  1f30590 kernel\n" % (5 + 2 * len(loaded)) + rows)


_HEAD = "Id Refs Address                Size Name\n"


def _row(number: int, name: str) -> str:
    return "%2d %4d 0xffffffff%08x %8x %s.ko\n" % (number, 1, 0x82200000 + number * 0x20000, 0x12000, name)


def _uname(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    known = {"-r": machine.release, "-K": str(machine.os_version), "-U": str(machine.os_version), "-s": "FreeBSD", "-m": "amd64", "-p": "amd64",
             "-i": "GENERIC", "-n": "%s.example.net" % machine.name}
    if not words:
        words = ["-s"]
    if any(word not in known for word in words):
        raise NotModelled("uname %s" % " ".join(words))
    return said(" ".join(known[word] for word in words) + "\n")


def _version(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    known = {"-k": machine.installed, "-r": machine.release, "-u": machine.installed}
    flags = ["-" + letter for word in words or ["-u"] for letter in word[1:]]
    if any(flag not in known for flag in flags):
        raise NotModelled("freebsd-version %s" % " ".join(words))
    return said(lines([known[flag] for flag in ("-k", "-r", "-u") if flag in flags]))


def _stat(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """usr.bin/stat, asked when files of kernels were last changed."""
    if words[:2] != ["-f", "%c"]:
        raise NotModelled("stat %s" % " ".join(words))
    missing = ["stat: %s: No such file or directory" % path for path in words[2:] if path not in machine.kernels]
    return Completed(1 if missing else 0, lines([str(machine.kernels[path]) for path in words[2:] if path in machine.kernels]), lines(missing))


def _what(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """usr.bin/what, asked for the words that newvers.sh puts into a kernel."""
    if words[:1] != ["-q"] or len(words) != 2:
        raise NotModelled("what %s" % " ".join(words))
    if words[1] not in machine.kernels:
        return Completed(1, "", "what: %s: No such file or directory\n" % words[1])
    return said("\t%s\n" % machine.sccs.get(words[1], "FreeBSD %s n263993-7ec7a3c2f2b1 GENERIC" % machine.release))


def _dmesg(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    if set(words) - {"-a"}:
        raise NotModelled("dmesg %s" % " ".join(words))
    return said(lines(machine.dmesg))


def near(machine: "Machine", version: int) -> List[Tuple[str, str, str, bool]]:
    """Who is on the machine's segments: address, hardware address, interface, and whether that is the machine itself."""
    found = []
    for one in machine.interfaces.values():
        mac = machine.interfaces.mac(one.name)
        if mac is None or one.driver in ("lo", "pflog", "pfsync"):
            continue
        networks = [address.interface.network for address in one.addresses if address.interface.version == version]
        found += [(address.host, mac, one.name, True) for address in one.addresses if address.interface.version == version and address.vhid is None]
        others = [(address.host, other.interfaces.mac(device)) for other, device in machine.network.shared.neighbours(machine, one.name)
                  for address in other.interfaces[device].addresses if address.vhid is None]
        others += list(machine.neighbours.get(one.name, {}).items())
        found += [(address, str(hardware), one.name, False) for address, hardware in others
                  if ipaddress.ip_address(address).version == version and any(ipaddress.ip_address(address) in network for network in networks)]
    return found


def _arp(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    if words != ["-an"]:
        raise NotModelled("arp %s" % " ".join(words))
    return said(lines(["? (%s) at %s on %s %s [ethernet]" % (address, mac, device, "permanent" if own else "expires in 1187 seconds")
                       for address, mac, device, own in near(machine, 4)]))


def _ndp(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    if words != ["-an"]:
        raise NotModelled("ndp %s" % " ".join(words))
    rows = ["Neighbor                             Linklayer Address  Netif Expire    1s 5s"]
    for address, mac, device, own in near(machine, 6):
        zone = "%" + device if ipaddress.ip_address(address).is_link_local else ""
        rows.append("%-36s %-17s %6s %-9s %s" % (address + zone, mac, device, "permanent" if own else "23h59m58s", "R" if own else "S R"))
    return said(lines(rows))


def _tcpdump(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """What it says when it begins to listen; what it writes comes from :mod:`..bsd.tcpdump`."""
    try:
        device, _count = tcpdump.asked(words, ("-p", "-n", "-U"), "ip proto 240 or ip6 proto 240")
    except ValueError as error:
        raise NotModelled(str(error)) from None
    if device not in machine.interfaces:
        raise Refused("tcpdump: %s: No such device exists" % device)
    return said("", 0, "tcpdump: listening on %s, link-type EN10MB (Ethernet), snapshot length 16384 bytes\n" % device)


def _route(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    left = [word for word in words if word not in ("-n", "-4", "-6", "-inet", "-inet6")]
    if left[:1] != ["get"] or len(left) != 2:
        raise NotModelled("route %s" % " ".join(words))
    target = ipaddress.ip_address(left[1])
    for one in machine.interfaces.values():
        for address in one.addresses:
            if target in address.interface.network:
                return said("   route to: %s\ndestination: %s\n       mask: %s\n        fib: 0\n  interface: %s\n      flags: <UP,DONE,PINNED>\n"
                            " recvpipe  sendpipe  ssthresh  rtt,msec    mtu        weight    expire\n"
                            "       0         0         0         0      %d         1         0 \n" % (
                                target, address.interface.network.network_address, address.interface.netmask, one.name, one.mtu))
    raise Refused("route: route has not been found")


def _ps(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    if words != ["-axo", "pid=,ppid="]:
        raise NotModelled("ps %s" % " ".join(words))
    return said("    0     0\n    1     0\n%5d     1\n%5d %5d\n" % (SSH_PROCESS, os.getpid(), SSH_PROCESS))


def _procstat(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    if words[:1] != ["-e"] or len(words) != 2:
        raise NotModelled("procstat %s" % " ".join(words))
    if words[1] != str(SSH_PROCESS) or machine.ssh is None:
        raise Refused("procstat: sysctl(kern.proc.env): No such process")
    return said("  PID COMM             ENVIRONMENT\n%5d sh               SSH_CONNECTION=%s USER=root HOME=/root\n" % (SSH_PROCESS, machine.ssh))


def _sockstat(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """usr.bin/sockstat: on a machine as installed only sshd listens."""
    if words != ["-46l"]:
        raise NotModelled("sockstat %s" % " ".join(words))
    rows = ["%-8s %-10s %-5s %-3s %-6s %-21s %s" % row for row in (("USER", "COMMAND", "PID", "FD", "PROTO", "LOCAL ADDRESS", "FOREIGN ADDRESS"),
                                                                   ("root", "sshd", "800", "4", "tcp4", "*:22", "*:*"))]
    return said(lines(rows))


def _mv(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    paths = [machine.path(word) for word in words if not word.startswith("-")]
    if len(paths) != 2:
        raise NotModelled("mv %s" % " ".join(words))
    if not paths[0].exists():
        raise Refused("mv: rename %s to %s: No such file or directory" % (words[-2], words[-1]))
    os.replace(paths[0], paths[1] / paths[0].name if paths[1].is_dir() else paths[1])
    return said()


def _rm(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    for word in (word for word in words if not word.startswith("-")):
        path = machine.path(word)
        if path.is_dir() and any("r" in flag.lower() for flag in words if flag.startswith("-")):
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
        elif not any("f" in flag for flag in words if flag.startswith("-")):
            raise Refused("rm: %s: No such file or directory" % word)
    return said()


def _cat(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    text = ""
    for word in words:
        found = machine.text(word)
        if found is None:
            raise Refused("cat: %s: No such file or directory" % word, stdout=text)
        text += found
    return said(text)


def _kenv(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    quiet = words[:1] == ["-q"]
    name, equals, value = words[-1].partition("=")
    if len(words) == 2 and words[0] == "-u":
        if machine.kenv.pop(name, None) is None:
            raise Refused("kenv: unable to unset %s" % name, 255)
        return said()
    if len(words) - quiet != 1:
        raise NotModelled("kenv %s" % " ".join(words))
    if equals:
        machine.kenv[name] = value
        return said('%s="%s"\n' % (name, value))
    if name not in machine.kenv:
        raise Refused("" if quiet else "kenv: unable to get %s" % name, 255)
    return said(machine.kenv[name] + "\n")


def _test(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    if words[:1] not in (["-d"], ["-x"]) or len(words) != 2:
        raise NotModelled("test %s" % " ".join(words))
    path = machine.path(words[1])
    return Completed(0 if (path.is_dir() if words[0] == "-d" else os.access(str(path), os.X_OK)) else 1, "", "")


_FOUND = (["-maxdepth", "3", "-type", "f", "-not", "-path", "*/files/*"],
          ["-maxdepth", "1", "-type", "f", "(", "-perm", "-100", "-o", "-perm", "-010", "-o", "-perm", "-001", ")"])


def _find(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    if words[:1] == ["-L"] and words[2:] in _FOUND:
        if not machine.path(words[1]).is_dir():
            raise Refused("find: %s: No such file or directory" % words[1])
        # That of the machine that tests run on has the same words.
        root = str(machine.root)
        done = subprocess.run(["find", "-L", root + words[1], *words[2:]], capture_output=True, check=True, encoding="utf-8")
        return said("".join(line[len(root):] + "\n" for line in sorted(done.stdout.splitlines())))
    if words[1:] != ["-type", "f"]:
        raise NotModelled("find %s" % " ".join(words))
    return said(lines(["/%s" % path.relative_to(machine.root) for path in machine.path(words[0]).rglob("*") if path.is_file()]))


def _hostname(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    if words:
        raise NotModelled("hostname %s" % " ".join(words))
    return said("%s.example.net\n" % machine.name)


PROGRAMS: Dict[str, Callable[["Machine", List[str], Optional[str]], Completed]] = {
    "kldload": kldload, "kldunload": kldunload, "kldstat": _kldstat, "uname": _uname, "freebsd-version": _version, "stat": _stat, "what": _what,
    "dmesg": _dmesg, "arp": _arp, "ndp": _ndp, "route": _route, "ps": _ps, "procstat": _procstat, "mv": _mv, "rm": _rm, "cat": _cat, "hostname": _hostname,
    "kenv": _kenv, "test": _test, "find": _find, "tcpdump": _tcpdump, "sockstat": _sockstat,
}
