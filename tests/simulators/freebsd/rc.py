# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rc: what happens at boot, and service. Sources: libexec/rc/rc.subr, rc.d/pf, rc.d/pfsync, rc.d/netif and network.subr."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Callable, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import ifconfig, kernel_programs, local_scripts, pfctl, rc_conf, sysctl, sysrc
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled, Refused

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine

_ENABLED = {"pf": "pf_enable", "pfsync": "pfsync_enable", "pflog": "pflog_enable", "sshd": "sshd_enable"}
SCRIPT_SECONDS = 3.0  # from one to the next, at boot
_ACTIONS = ("start", "stop", "restart", "reload", "check", "resync", "status", "enable", "disable", "enabled", "rcvar", "describe", "cloneup",
            "static")
_PSEUDO = ("DHCP", "SYNCDHCP", "NOSYNCDHCP", "NOAUTO")


class Script:
    """A script of rc.d that runs: what it prints collects here."""

    def __init__(self, machine: "Machine", name: str = "") -> None:
        self.machine = machine
        self.name = name
        self.stdout = self.stderr = ""
        self.settings = rc_conf.effective(machine, name)

    def call(self, program: Callable[["Machine", List[str], Optional[str]], Completed], line: str, quiet: bool = False) -> int:
        """Run a program as the script does; its messages come out with the script's own."""
        try:
            done = program(self.machine, shlex.split(line), None)
        except Refused as refused:
            done = Completed(refused.status, refused.stdout, "%s\n" % refused)
        if not quiet:
            self.stdout += done.stdout
            self.stderr += done.stderr
        return done.status

    def warn(self, text: str) -> None:
        self.stderr += "/etc/rc.d/%s: WARNING: %s\n" % (self.name, text)

    def load(self, *modules: str) -> None:
        for module in modules:
            if module not in self.machine.modules:
                self.call(kernel_programs.kldload, module)

    # pf

    def pf_start(self) -> int:
        if self.machine.text(self.settings["pf_rules"]) is None:
            self.warn("%s is not readable." % self.settings["pf_rules"])
            return 1
        self.load("pf")
        self.stdout += "Enabling pf"
        self.call(pfctl.run, "-F all", quiet=True)
        if self.call(pfctl.run, "-f %s %s" % (self.settings["pf_rules"], self.settings["pf_flags"])):
            self.warn("Unable to load %s." % self.settings["pf_rules"])
            if rc_conf.yes(self.settings["pf_fallback_rules_enable"]):
                raise NotModelled("rc.d/pf: fallback rules")
        if not self.machine.pf.enabled:
            self.call(pfctl.run, "-eq")
        self.stdout += ".\n"
        return 0

    def pf_stop(self) -> int:
        if self.machine.has_pf and self.machine.pf.enabled:
            self.stdout += "Disabling pf"
            self.call(pfctl.run, "-dq")
            self.stdout += ".\n"
        return 0

    def pf_reload(self) -> int:
        self.stdout += "Reloading pf rules.\n"
        line = "-f %s %s" % (self.settings["pf_rules"], self.settings["pf_flags"])
        return 1 if self.call(pfctl.run, "-n " + line) else self.call(pfctl.run, line)

    def pf_check(self) -> int:
        self.stdout += "Checking pf rules.\n"
        return self.call(pfctl.run, "-n -f %s %s" % (self.settings["pf_rules"], self.settings["pf_flags"]))

    def pf_status(self) -> int:
        if not self.machine.has_pf:
            self.stdout += "pf.ko is not loaded\n"
            return 1
        self.call(pfctl.run, "-s info")
        return int(not self.machine.pf.enabled)

    # pfsync

    def pfsync_start(self) -> int:
        if not self.settings["pfsync_syncdev"]:
            self.warn("pfsync_syncdev is not set.")
            return 1
        self.load("pf", "pfsync")
        self.stdout += "Enabling pfsync.\n"
        peer = "syncpeer %s" % self.settings["pfsync_syncpeer"] if self.settings["pfsync_syncpeer"] else ""
        return self.call(ifconfig.run, "pfsync0 %s syncdev %s %s up" % (peer, self.settings["pfsync_syncdev"], self.settings["pfsync_ifconfig"]))

    def pfsync_stop(self) -> int:
        self.stdout += "Disabling pfsync.\n"
        return self.call(ifconfig.run, "pfsync0 -syncdev -syncpeer down")

    # netif

    def netif_start(self, *only: str) -> int:
        """Make what is to be made, rename ports, and give all interfaces their settings; or do so with some of them. It never fails."""
        self.clone_up(*only)
        if not only:
            self._rename()
        names = [name for name in self.machine.interfaces if name == "lo0" or "ifconfig_" + _key(name) in self.settings]
        done: List[str] = []
        for name in only or names:
            done += self._configure(name)
        self.stdout += "Starting Network: %s.\n" % " ".join(done)
        for name in done:
            self.call(ifconfig.run, name)
        return 0

    def clone_up(self, *only: str) -> int:
        """Make the interfaces of cloned_interfaces that are not there."""
        for name in self.settings["cloned_interfaces"].split():
            if name not in self.machine.interfaces and (not only or name in only):
                self.call(ifconfig.run, "%s create %s" % (name, self.settings.get("create_args_%s" % _key(name), "")), quiet=True)
                if not only:
                    self.stdout += "Created clone interfaces: %s.\n" % name
        return 0

    def netif_stop(self, only: Optional[str] = None) -> int:
        names = [name for name in self.machine.interfaces if name == only or (only is None and "ifconfig_" + _key(name) in self.settings)]
        for name in names:
            for version in ("inet", "inet6"):
                while any((":" in address.text) == (version == "inet6") for address in self.machine.interfaces[name].addresses):
                    self.call(ifconfig.run, "%s %s -alias" % (name, version))
            self.call(ifconfig.run, "%s down" % name)
            if name in self.settings["cloned_interfaces"].split():
                self.call(ifconfig.run, "%s destroy" % name)
        self.stdout += "Stopping Network: %s.\n" % " ".join(names)
        return 0

    def _rename(self) -> None:
        for name in list(self.machine.interfaces):
            new = self.settings.get("ifconfig_%s_name" % _key(name))
            if new and new not in self.machine.interfaces:
                self.call(ifconfig.run, "%s name %s" % (name, new), quiet=True)

    def _configure(self, name: str) -> List[str]:
        """Settings, aliases, and the VLANs on top of it. Which interfaces have got theirs."""
        if name not in self.machine.interfaces:
            return []
        key = _key(name)
        settings = self.settings.get("ifconfig_%s" % key)
        words = [word for word in (settings or "").split() if word.upper() not in _PSEUDO]
        if words:
            self.call(ifconfig.run, "%s %s" % (name, " ".join(words)))
        if self.settings.get("ifconfig_%s_ipv6" % key):
            self.call(ifconfig.run, "%s %s -ifdisabled" % (name, self.settings["ifconfig_%s_ipv6" % key]))
        if settings is not None:
            self.call(ifconfig.run, "%s up" % name)
        numbers = [re.fullmatch(r"ifconfig_%s_alias(\d+)" % key, variable) for variable in self.settings]
        for number in sorted(int(match[1]) for match in numbers if match):
            self.call(ifconfig.run, "%s %s alias" % (name, self.settings["ifconfig_%s_alias%d" % (key, number)]))
        for alias in re.split(r"\s+(?=inet6?\b)", self.settings.get("ifconfig_%s_aliases" % key, "").strip()):
            if alias and (alias.startswith("inet ") or self.settings.get("ifconfig_%s_ipv6" % key)):
                self.call(ifconfig.run, "%s %s alias" % (name, alias))
        description = self.settings.get("ifconfig_%s_descr" % key)
        if description:
            self.call(ifconfig.run, "%s description %s" % (name, shlex.quote(description)))
        if "DHCP" in (settings or "").upper():
            # devd starts it when the link comes up.
            self.dhclient_start(name)
        return [name, *self._vlans(name)]

    def _vlans(self, name: str) -> List[str]:
        done: List[str] = []
        for word in self.settings.get("vlans_%s" % _key(name), "").split():
            if word.isdigit():
                made, arguments = "%s.%s" % (name, word), ""
            else:
                made, arguments = word, " %s vlandev %s" % (self.settings.get("create_args_%s" % _key(word), ""), name)
            if made not in self.machine.interfaces:
                self.call(ifconfig.run, "%s create%s" % (made, arguments), quiet=True)
            done += self._configure(made)
        return done

    # routes, and addresses that are lent

    def routing_static(self, *_which: str) -> int:
        self.machine.routes.static(self.settings)
        return 0

    def dhclient_start(self, name: str) -> int:
        if name not in self.machine.leases.clients:
            address = self.machine.leases.ask(name)
            if address is not None:
                self.call(ifconfig.run, "%s inet %s" % (name, address))
        return 0

    def dhclient_stop(self, name: str) -> int:
        if name not in self.machine.leases.clients:
            self.stdout += "dhclient not running? (check /var/run/dhclient/dhclient.%s.pid).\n" % name
            return 1
        self.machine.leases.clients.remove(name)
        return 0

    # sysctl

    def sysctls(self) -> None:
        """What /etc/sysctl.conf has, as far as the kernel knows it by now."""
        for row in (self.machine.text("/etc/sysctl.conf") or "").splitlines():
            row = row.split("#")[0].strip()
            if "=" in row:
                name, _equals, new = row.partition("=")
                if sysctl.value(self.machine, name.strip()) is not None:
                    self.call(sysctl.run, "%s=%s" % (name.strip(), new.strip().strip("\"'")), quiet=True)


def _key(name: str) -> str:
    return re.sub(r"[.\-/+]", "_", name)


def boot(machine: "Machine") -> List[str]:
    """Everything that rc does from the loader on, in rcorder's order. What it prints."""
    script = Script(machine)
    for name, value in rc_conf.parse(machine.text("/boot/loader.conf") or "", {}).items():
        if name.endswith("_load") and rc_conf.yes(value) and name[:-5] not in machine.modules:
            machine.load(name[:-5])
    script.sysctls()
    script.load(*(name for name in script.settings["kld_list"].split() if name not in machine.modules))
    local_scripts.before_netif(machine)
    netif = Script(machine, "netif")
    netif.netif_start()
    script.stdout += netif.stdout
    script.stderr += netif.stderr
    script.routing_static()
    if rc_conf.yes(script.settings["gateway_enable"]):
        machine.sysctl["net.inet.ip.forwarding"] = "1"
    if rc_conf.yes(script.settings["pflog_enable"]):
        script.load("pf", "pflog")
    for name, start in (("pfsync", Script.pfsync_start), ("pf", Script.pf_start)):
        one = Script(machine, name)
        if rc_conf.yes(one.settings[_ENABLED[name]]):
            machine.clock.advance(SCRIPT_SECONDS)
            start(one)
        script.stdout += one.stdout + one.stderr
    script.sysctls()
    return (script.stdout + script.stderr).splitlines()


def run(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """service NAME ACTION."""
    if len(words) < 2 or words[0].startswith("-"):
        raise NotModelled("service %s" % " ".join(words))
    name, action, rest = words[0], words[1], words[2:]
    if name not in (*_ENABLED, "netif", "routing", "sysctl", "dhclient"):
        raise Refused("%s does not exist in /etc/rc.d or the local startup\ndirectories (/usr/local/etc/rc.d), or is not executable" % name)
    script = Script(machine, name)
    forced = re.match(r"one|force|fast|quiet", action)
    action = action[forced.end():] if forced and action != "one" else action
    if action not in _ACTIONS:
        raise NotModelled("service %s %s" % (name, action))
    enabled = name not in _ENABLED or rc_conf.yes(script.settings[_ENABLED[name]])
    if action == "enabled":
        return Completed(0 if enabled else 1, "", "")
    if action == "rcvar":
        return Completed(0, '# %s\n#\n%s="%s"\n#   (default: "")\n\n' % (name, _ENABLED[name], script.settings[_ENABLED[name]]), "")
    if action in ("enable", "disable"):
        sysrc.run(machine, ["%s=%s" % (_ENABLED[name], "YES" if action == "enable" else "NO")], None)
        return Completed(0, "%s %sd in /etc/rc.conf\n" % (name, action), "")
    if not enabled and not (forced and forced[0] in ("one", "force")) and action != "status":
        return Completed(0, "Cannot '%s' %s. Set %s to YES in /etc/rc.conf or use 'one%s' instead of '%s'.\n" % (
            action, name, _ENABLED[name], action, action), "")
    status = _action(script, name, action, rest)
    return Completed(status, script.stdout, script.stderr)


def _action(script: Script, name: str, action: str, rest: List[str]) -> int:
    known: Dict[Tuple[str, str], Callable[[], int]] = {
        ("pf", "start"): script.pf_start, ("pf", "stop"): script.pf_stop, ("pf", "reload"): script.pf_reload, ("pf", "resync"): script.pf_reload,
        ("pf", "check"): script.pf_check, ("pf", "status"): script.pf_status,
        ("pfsync", "start"): script.pfsync_start, ("pfsync", "stop"): script.pfsync_stop,
        ("netif", "start"): lambda: script.netif_start(*rest), ("netif", "stop"): lambda: script.netif_stop(*rest),
        ("netif", "cloneup"): lambda: script.clone_up(*rest),
        ("routing", "static"): lambda: script.routing_static(*rest),
        ("dhclient", "start"): lambda: script.dhclient_start(*rest), ("dhclient", "stop"): lambda: script.dhclient_stop(*rest),
    }
    if action == "restart" and (name, "start") in known:
        known[name, "stop"]()
        script.settings = rc_conf.effective(script.machine, name)
        return known[name, "start"]()
    if (name, action) not in known:
        raise NotModelled("service %s %s" % (name, action))
    return known[name, action]()
