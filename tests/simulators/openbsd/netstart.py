# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/etc/netstart, which makes interfaces of hostname.if(5) files, and the order of /etc/rc (etc/netstart revision 1.234, etc/rc).

It fails as the script does: what one command says goes to the standard error, the next one runs all the same, and the status is 0.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Dict, List, Optional, Sequence, Set, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd import ifconfig, pfctl, sysctl
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import NotModelled, Refused
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.devices import CLONERS

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Machine

_NAME = re.compile(r"[A-Za-z]+[0-9]+")
_LATE = ("tun", "tap", "gif", "etherip", "gre", "egre", "nvgre", "eoip", "vxlan", "pflow", "wg")
_AFTER = ("aggr", "trunk", "svlan", "vlan", "carp", "pppoe")
# What rc loads until pf.conf is; its rules for IPv6's own needs are left out, and the words about where a packet was received.
_FIRST_RULES = """
block all
pass on lo0
pass in proto tcp from any to any port ssh keep state
pass out proto { tcp, udp } from any to any port domain keep state
pass out inet proto icmp all icmp-type echoreq keep state
pass out inet proto udp from any port bootpc to any port bootps
pass in inet proto udp from any port bootps to any port bootpc
pass in proto carp keep state (no-sync)
pass out proto carp keep state (no-sync)
"""


def run(machine: "Machine", words: List[str]) -> Completed:
    """``sh /etc/netstart [-n] [interface ...]``."""
    only_print = words[:1] == ["-n"]
    names = words[1:] if only_print else words
    if any(word.startswith("-") for word in names):
        return Completed(1, "", "usage: sh /etc/netstart [-n] [interface ...]\n")
    script = _Script(machine, only_print)
    if not names:
        raise NotModelled("sh /etc/netstart without interfaces on a machine that runs")
    script.create(names)
    for name in names:
        script.start(name)
    script.gateway()
    return Completed(0, "".join(row + "\n" for row in script.told), "".join(row + "\n" for row in script.warned))


class _Script:
    """What the script says collects here."""

    def __init__(self, machine: "Machine", only_print: bool = False) -> None:
        self.machine = machine
        self.only_print = only_print
        self.told: List[str] = []
        self.warned: List[str] = []

    def files(self) -> List[str]:
        """The interfaces that there are files of, in the shell's order of them."""
        folder = self.machine.path("/etc")
        names = sorted(path.name[len("hostname."):] for path in folder.glob("hostname.*") if path.is_file())
        if any(re.fullmatch(r"(..:){5}..", name) for name in names):
            raise NotModelled("a hostname.if file by hardware address")
        return [name for name in names if _NAME.fullmatch(name)]

    def create(self, wanted: Optional[Sequence[str]] = None) -> None:
        """vifscreate: those of software, before anything is set."""
        names = self.files()
        for driver in CLONERS:
            for name in names:
                if name.rstrip("0123456789") == driver and (wanted is None or name in wanted) and not self._create(name):
                    self.warned.append("netstart: create for '%s' failed." % name)

    def _create(self, name: str) -> bool:
        if self.only_print:
            self.told.append("{ ifconfig %s || ifconfig %s create; }" % (name, name))
            return True
        if name not in self.machine.interfaces:
            try:
                ifconfig.create(self.machine, name)
            except Refused:
                return False
        return True

    def start_all(self, wanted: Optional[Sequence[str]], unwanted: Sequence[str]) -> None:
        """ifmstart: by driver, in the order of ``wanted``, else all that are not unwanted."""
        for driver in wanted if wanted is not None else [None]:
            for name in self.files():
                of = name.rstrip("0123456789")
                if of not in unwanted and driver in (None, of):
                    self.start(name)

    def start(self, name: str) -> None:
        """ifstart."""
        if not _NAME.fullmatch(name):
            return
        path = "/etc/hostname.%s" % name
        text = self.machine.text(path)
        if text is None:
            self.warned.append("netstart: %s: No such file or directory." % path)
            return
        file = self.machine.path(path)
        if file.stat().st_mode & 0o007:
            self.warned.append("WARNING: %s is insecure, fixing permissions." % path)
            file.chmod(file.stat().st_mode & 0o770)
        if not self._create(name):
            return
        for command in _commands(name, text):
            if self.only_print:
                self.told.append(command)
            else:
                self._command(command)

    def _command(self, command: str) -> None:
        words = shlex.split(command)
        if words[0] != "ifconfig":
            raise NotModelled("a command in a hostname.if file: %s" % command)
        try:
            self.told += ifconfig.ifconfig(self.machine, words[1:]).splitlines()
        except Refused as refused:
            self.warned.append(str(refused))

    def gateway(self) -> None:
        """defaultroute: the first address of each family in /etc/mygate."""
        for line in (self.machine.text("/etc/mygate") or "").splitlines():
            if line.split("#")[0].strip() and ":" not in line:
                if self.only_print:
                    self.told.append("route -qn add -host default %s" % line.strip())
                elif self.machine.gateway_by is None:
                    self.machine.set_gateway(line.strip())
                return


def _commands(name: str, text: str) -> List[str]:
    """parse_hn_line: each line as the command that it stands for."""
    commands: List[str] = []
    for line in text.splitlines():
        words = line.split()
        if not words or line.lstrip().startswith("#"):
            continue
        if words[0] == "dest" or (words[0] == "inet6" and words[1:2] == ["autoconf"]) or words[:2] == ["inet", "autoconf"] or words[0] == "dhcp":
            raise NotModelled("a line of a hostname.if file: %s" % line)
        if words[0].startswith("!"):
            commands.append(" ".join(words)[1:].replace("$if", name))
            continue
        if words[0] in ("inet", "inet6"):
            if len(words) < 2:
                continue
            mask = 3 if words[1] == "alias" else 2
            if len(words) > mask:
                words[mask] = ("netmask %s" if words[0] == "inet" else "prefixlen %s") % words[mask]
            if words[0] == "inet" and len(words) > mask + 1:
                words[mask + 1] = "" if words[mask + 1].endswith("NONE") else "broadcast %s" % words[mask + 1]
        commands.append("ifconfig %s %s" % (name, " ".join(words)))
    return commands


# Starting

def boot(machine: "Machine") -> List[str]:
    """/etc/rc as far as it is about the network; what it said."""
    script = _Script(machine)
    said: List[str] = []
    filters = setting(machine, "pf") != "NO"
    if filters:
        said += _loaded(machine, _FIRST_RULES)
        machine.pf.enable(True)
    for line in (machine.text("/etc/sysctl.conf") or "").splitlines():
        if line.split("#")[0].strip():
            done = sysctl.run(machine, [line.split("#")[0].split()[0]], None)
            said += (done.stdout + done.stderr).splitlines()
    said.append("starting network")
    machine.carp.set_group("carp", 128)  # so that it takes nothing over before all is up
    script.create()
    script.start_all(None, [*_AFTER, *_LATE])
    script.start_all(_AFTER, ())
    script.gateway()
    script.start_all(_LATE, ())
    if filters:
        text = machine.text("/etc/pf.conf")
        said += _loaded(machine, text, "/etc/pf.conf") if text is not None else []
        if machine.text("/etc/hostname.pfsync0") is not None:
            # netstart has started it before, with the others, when no rule let it send; this time it mostly runs already.
            script.create(["pfsync0"])
            script.start("pfsync0")
    for one in machine.path("/var/run").glob("*"):
        one.unlink()
    machine.put("/var/run/dmesg.boot", "".join(line + "\n" for line in machine.dmesg))
    said += script.told + script.warned
    return said if machine.by_shell else said + finish(machine)


def finish(machine: "Machine") -> List[str]:
    """/etc/rc.local, and the end of what CARP waits for."""
    said = _run_script(machine, machine.text("/etc/rc.local") or "")
    machine.carp.set_group("carp", -128)
    return said


def _run_script(machine: "Machine", text: str) -> List[str]:
    """A shell script of lines with commands that are known here; what they said."""
    said: List[str] = []
    for line in text.splitlines():
        for command in (part.strip() for part in line.split("#")[0].split("&&")):
            words = shlex.split(command)
            if words[:1] == ["echo"] and words[-2:-1] == [">"]:
                machine.put(words[-1], " ".join(words[1:-2]) + "\n")
            elif words[:1] == ["ifconfig"]:
                try:
                    said += ifconfig.ifconfig(machine, words[1:]).splitlines()
                except Refused as refused:
                    said.append(str(refused))
                    break
            elif words:
                raise NotModelled("in a script: %s" % command)
    return said


def _loaded(machine: "Machine", text: str, name: str = "-") -> List[str]:
    done = pfctl.run(machine, ["-f", name], text if name == "-" else None)
    return (done.stdout + done.stderr).splitlines()


# Settings of rc.conf(8)

_FLAGS = {"pf": "YES", "ipsec": "NO", "multicast": "NO", "accounting": "NO", "check_quotas": "YES", "library_aslr": "YES", "spamd_black": "NO"}


def settings(text: str) -> Dict[str, str]:
    """_rc_parse_conf of one file: quotes go, and what follows a hash."""
    found: Dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            value = value.split("#")[0].strip()
            found[name.strip()] = value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
    return found


def setting(machine: "Machine", name: str) -> str:
    """A special variable as rc.conf and rc.conf.local have it."""
    return settings(machine.text("/etc/rc.conf.local") or "").get(name, _FLAGS[name])


def rcctl(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    """rcctl of special variables such as pf, which have no daemon (usr.sbin/rcctl/rcctl.sh)."""
    if len(words) < 2:
        raise NotModelled("rcctl %s" % " ".join(words))
    if words == ["ls", "started"]:
        return Completed(0, "cron\nsshd\n", "")  # of a machine as installed
    action, name, rest = words[0], words[1], words[2:]
    if name not in _FLAGS:
        raise NotModelled("rcctl of %s" % name)
    if action in ("get", "getdef"):
        value = setting(machine, name) if action == "get" else _FLAGS[name]
        status = int(value == "NO")
        if not rest:
            return Completed(status, "%s=%s\n" % (name, value), "")
        if rest == ["status"]:
            return Completed(status, "", "")
        if rest == ["flags"]:
            return Completed(0, value + "\n", "")
        raise Refused("rcctl: \"%s\" is a special variable, cannot \"%s %s\"" % (name, action, rest[0]))
    if (action, rest) in (("enable", []), ("set", ["status", "on"])):
        return _write(machine, name, None if _FLAGS[name] != "NO" else "YES")
    if (action, rest) in (("disable", []), ("set", ["status", "off"])):
        return _write(machine, name, "NO" if _FLAGS[name] != "NO" else None)
    if action in ("start", "stop", "restart", "reload", "check"):
        raise Refused("rcctl: \"%s\" is a special variable, no rc.d(8) script" % name)
    if action == "set":
        raise Refused("rcctl: \"%s\" is a special variable, cannot \"set %s\"" % (name, rest[0] if rest else ""))
    raise NotModelled("rcctl %s" % " ".join(words))


def _write(machine: "Machine", name: str, value: Optional[str]) -> Completed:
    """Sorted, each line once; a file with nothing in it goes."""
    before: Set[str] = {line for line in (machine.text("/etc/rc.conf.local") or "").splitlines() if not re.match("%s.*=" % re.escape(name), line)}
    lines = sorted(before | ({"%s=%s" % (name, value)} if value is not None else set()))
    if lines:
        machine.put("/etc/rc.conf.local", "".join(line + "\n" for line in lines))
    elif machine.path("/etc/rc.conf.local").exists():
        machine.path("/etc/rc.conf.local").unlink()
    return Completed(0, "", "")


def reads(words: Tuple[str, ...]) -> bool:
    """Whether rcctl only tells."""
    return bool(words) and words[0] in ("get", "getdef", "ls", "order", "check")
