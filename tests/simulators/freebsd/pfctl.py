# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pfctl: takes its options as getopt does, and does them in pfctl's own order. What it prints is in :mod:`pfctl_print`.

Sources: sbin/pfctl/pfctl.c, and transcripts of FreeBSD 14.2.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import pfctl_print
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled, Refused, lines
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pf_conf import Parser

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine

_WITH_ARGUMENT = "aDfFikKopstTx"
_SHOW = ("ether", "nat", "queue", "rules", "Anchors", "Sources", "states", "info", "Interfaces", "labels", "timeouts", "memory", "Tables", "osfp", "Running",
         "all", "creatorids")
_FLUSH = ("nat", "queue", "rules", "Sources", "states", "info", "Tables", "osfp", "all", "ethernet", "Reset")
_NO_ALTQ = "No ALTQ support in kernel\nALTQ related functions disabled\n"


def run(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """Do what the options say."""
    options, rest = _options(words)
    verbose = len(options.get("v", []))
    if "n" in options:
        for option in "seFdx":
            options.pop(option, None)
    elif not machine.has_pf:
        raise Refused("pfctl: /dev/pf: No such file or directory")
    if not machine.has_pf and machine.major >= 14:
        raise Refused("pfctl: Failed to open netlink: No such file or directory")
    call = _Call(machine, options, rest, verbose, stdin)
    try:
        status = call.run()
    except Refused as refused:
        return Completed(refused.status, call.stdout, call.stderr + "%s\n" % refused)
    return Completed(status, call.stdout, call.stderr)


def _options(words: List[str]) -> Tuple[Dict[str, List[str]], List[str]]:
    options: Dict[str, List[str]] = {}
    left = list(words)
    while left and left[0].startswith("-") and left[0] != "-":
        cluster = left.pop(0)[1:]
        while cluster:
            letter, cluster = cluster[0], cluster[1:]
            if letter in _WITH_ARGUMENT:
                if not cluster and not left:
                    raise NotModelled("pfctl -%s without its argument" % letter)
                options.setdefault(letter, []).append(cluster or left.pop(0))
                cluster = ""
            elif letter in "emMndNOPqrRSvzA":
                options.setdefault(letter, []).append("")
            else:
                raise NotModelled("pfctl -%s" % letter)
    return options, left


def changes(words: List[str]) -> bool:
    """Whether a command changes something."""
    options = _options(words)[0]
    return "n" not in options and (bool(set("fedFkxz") & set(options)) or options.get("T", ["show"])[-1] not in ("show", "test"))


def _known(text: str, names: Tuple[str, ...], what: str) -> str:
    found = next((name for name in names if text and name.startswith(text)), None)
    if found is None:
        raise Refused("pfctl: Unknown %s modifier '%s'\nusage: pfctl ..." % (what, text))
    return found


class _Call:
    """One call: what it prints collects here."""

    def __init__(self, machine: "Machine", options: Dict[str, List[str]], rest: List[str], verbose: int, stdin: Optional[str]) -> None:
        self.machine, self.options, self.rest, self.verbose, self.stdin = machine, options, rest, verbose, stdin
        self.pf = machine.pf
        self.quiet = "q" in options
        self.stdout = ""
        self.stderr = _NO_ALTQ if verbose and "n" not in options else ""

    def told(self, text: str) -> None:
        """On standard error, unless it is to be quiet."""
        if not self.quiet:
            self.stderr += text + "\n"

    def run(self) -> int:
        status = 0
        for letter in ("D", "o", "p", "K", "N", "O", "R", "A", "P", "S", "M"):
            if letter in self.options:
                raise NotModelled("pfctl -%s" % letter)
        if "d" in self.options:
            self._switch(False)
        if "s" in self.options:
            status = self._show(_known(self.options["s"][-1], _SHOW, "show"))
        if "z" in self.options and "s" not in self.options:
            for rule in self.pf.rules:
                rule.evaluations = rule.packets = rule.octets = 0
        if "F" in self.options:
            self._flush(_known(self.options["F"][-1], _FLUSH, "flush"))
        if "k" in self.options:
            self._kill(self.options["k"])
        if "T" in self.options:
            return self._table(self.options["t"][-1], self.options["T"][-1])
        if "f" in self.options:
            self._load(self.options["f"][-1])
        if "e" in self.options:
            self._switch(True)
        if "x" in self.options:
            level = _known(self.options["x"][-1], ("none", "urgent", "misc", "loud"), "debug")
            self.pf.debug = level
            self.told("debug level set to '%s'" % level)
        return status

    def _switch(self, on: bool) -> None:
        if self.pf.enabled == on:
            raise Refused("pfctl: pf already enabled" if on else "pfctl: pf not enabled")
        self.pf.enable(on)
        self.told("pf enabled" if on else "pf disabled")

    def _show(self, what: str) -> int:
        if "a" in self.options and what not in ("rules", "Anchors", "nat"):
            raise NotModelled("pfctl -a ... -s %s" % what)
        if what == "creatorids" and self.machine.major == 13 and self.machine.minor < 1:
            raise Refused("pfctl: Unknown show modifier 'c'")
        self.stdout += pfctl_print.shown(self.machine, what, self.verbose, (self.options.get("a") or [""])[-1])
        return int(not self.pf.enabled) if what == "Running" else 0

    def _flush(self, what: str) -> None:
        interface = self.options["i"][-1] if "i" in self.options else None
        if what in ("all", "rules"):
            if what == "all" and self.machine.major >= 14:
                self.told("Ethernet rules cleared")
            self.pf.flush_rules()
            self.told("rules cleared")
        if what in ("all", "nat"):
            self.pf.ruleset.rules["nat"].clear()
            self.told("nat cleared")
        if what in ("all", "Tables"):
            self.told("%d tables deleted." % len(self.pf.tables))
            self.pf.tables.clear()
        if what in ("all", "states"):
            self.told("%d states cleared" % self.pf.clear(interface))
        if what in ("all", "Sources"):
            self.told("source tracking entries cleared")
        if what in ("all", "info"):
            self.pf.match = self.pf.states.searches = self.pf.states.inserts = self.pf.states.removals = 0
            self.told("pf: statistics cleared")
        if what in ("all", "Reset"):
            self.pf.ruleset.skip.clear()
            self.told("pf: interface flags reset")
        if what not in ("all", "rules", "nat", "Tables", "states", "Sources", "info", "Reset"):
            raise NotModelled("pfctl -F %s" % what)

    def _kill(self, named: List[str]) -> None:
        if named[0] in ("label", "gateway", "key"):
            raise NotModelled("pfctl -k %s" % named[0])
        if named[0] == "id":
            number, _slash, creator = named[1].partition("/")
            # As it is shown: the id with its bytes in the other order.
            key = int.from_bytes(bytes.fromhex(number.zfill(16)), "little")
            gone = [state for state in self.pf.states if state.id == key and state.creator == (int(creator, 16) if creator else self.pf.host_id)]
            text = "killed %d states" % len(gone)
        else:
            networks = [ipaddress.ip_network(name, strict=False) for name in named]
            gone = [state for state in self.pf.states if _between(_host(state.source), _host(state.target), networks)]
            text = "killed %d states from 1 sources and %d destinations" % (len(gone), len(named) - 1)
        for state in gone:
            self.pf.drop(state)
        self.told(text)

    def _table(self, name: str, command: str) -> int:
        tables = self.pf.tables
        if name not in tables and command in ("show", "flush", "delete", "test"):
            raise Refused("pfctl: Table does not exist.", status=255 if command == "show" else 1)
        if command == "show":
            self.stdout += lines(["   %s" % member for member in tables[name]])
        elif command in ("add", "replace"):
            before = tables.get(name, [])
            tables[name] = list(dict.fromkeys([*(before if command == "add" else []), *self.rest]))
            self.told("%d/%d addresses added." % (len(set(tables[name]) - set(before)), len(self.rest)))
        elif command == "delete":
            gone = [member for member in self.rest if member in tables[name]]
            tables[name] = [member for member in tables[name] if member not in gone]
            self.told("%d/%d addresses deleted." % (len(gone), len(self.rest)))
        else:
            raise NotModelled("pfctl -T %s" % command)
        return 0

    def _load(self, name: str) -> None:
        text = self.stdin if name == "-" else self.machine.text(name)
        if text is None:
            raise Refused("pfctl: %s: No such file or directory\npfctl: cannot open the main config file!: No such file or directory" % name)
        if "a" in self.options:
            raise NotModelled("pfctl -a ... -f")
        given = Parser(text, "stdin" if name == "-" else name, self._addresses, self.machine.major, self.machine.text).parse()
        if self.verbose:
            rules = [] if given.errors else [row for kind in ("scrub", "nat", "filter") for row in given.rules[kind].printed()]
            self.stdout += lines(given.printed + rules)
        if given.errors:
            trouble = "\n".join(given.errors)
            if "n" in self.options:
                raise Refused(trouble)
            raise Refused(trouble + "\npfctl: Syntax error in config file: pf rules not loaded")
        if "n" not in self.options:
            self.pf.load(given, merge="m" in self.options)

    def _addresses(self, name: str) -> Optional[List[str]]:
        interfaces = self.machine.interfaces
        if name == "self":
            return [address.text for one in interfaces.values() for address in one.addresses]
        if name in interfaces:
            return [address.text for address in interfaces[name].addresses]
        group = [one for one in interfaces.values() if one.driver == name]
        if group:
            return [address.text for one in group for address in one.addresses]
        return next(([address + "/32"] for address, *names in self._hosts() if name in names), None)

    def _hosts(self) -> List[List[str]]:
        return [line.split("#")[0].split() for line in (self.machine.text("/etc/hosts") or "").splitlines() if line.split("#")[0].strip()]


def _host(end: str) -> str:
    return end.split("[")[0] if "[" in end else end.rsplit(":", 1)[0] if end.count(":") == 1 else end


def _between(source: str, target: str, networks: Sequence[Any]) -> bool:
    ends = [ipaddress.ip_address(source), ipaddress.ip_address(target)]
    return all(end.version == network.version and end in network for end, network in zip(ends, networks))
