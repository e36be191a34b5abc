# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pfctl: takes its options as getopt does, and does them in pfctl's own order (OpenBSD's sbin/pfctl/pfctl.c, pfctl_parser.c, pf_print_state.c)."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.states import State
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pf_rules import Rules
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import NotModelled, Refused
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.pf import ConfParser, Pf, printed

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Machine

_WITH_ARGUMENT = "aDfFikKLopRsStTVx"
_SHOW = ("queue", "rules", "Anchors", "Sources", "states", "info", "Interfaces", "labels", "timeouts", "memory", "Tables", "osfp", "all")
_FLUSH = ("rules", "Sources", "states", "info", "Tables", "osfp", "Reset", "all")
_USAGE = ("usage: pfctl [-deghNnPqrvz] [-a anchor] [-D macro=value] [-F modifier] [-f file]\n\t[-i interface] [-K key] [-k key] [-L statefile] [-o level]\n"
          "\t[-p device] [-S statefile] [-s modifier [-R id]]\n\t[-t table -T command [address ...]] [-V rdomain] [-x level]")
_COUNTERS = ("match", "bad-offset", "fragment", "short", "normalize", "memory", "bad-timestamp", "congestion", "ip-option", "proto-cksum", "state-mismatch",
             "state-insert", "state-limit", "src-limit", "synproxy", "translate", "no-route")
_LIMIT_COUNTERS = ("max states per rule", "max-src-states", "max-src-nodes", "max-src-conn", "max-src-conn-rate", "overload table insertion",
                   "overload flush states", "synfloods detected", "syncookies sent", "syncookies validated")


def run(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """Do what the options say."""
    options, rest = _options(words)
    call = _Call(machine, options, stdin)
    try:
        if rest:
            raise Refused("pfctl: unknown command line argument: %s ...\n%s" % (rest[0], _USAGE))
        call.run()
    except Refused as refused:
        return Completed(refused.status, call.stdout, call.stderr + "%s\n" % refused)
    return Completed(0, call.stdout, call.stderr)


def changes(words: List[str]) -> bool:
    """Whether these options change something, or are meant to."""
    options = _options(words)[0]
    return bool(set(options) & set("defFkKLxzT")) and "n" not in options


def _options(words: List[str]) -> Tuple[Dict[str, List[str]], List[str]]:
    options: Dict[str, List[str]] = {}
    left = list(words)
    while left and left[0].startswith("-") and left[0] != "-":
        cluster = left.pop(0)[1:]
        while cluster:
            letter, cluster = cluster[0], cluster[1:]
            if letter in _WITH_ARGUMENT:
                if not cluster and not left:
                    raise Refused("pfctl: option requires an argument -- %s\n%s" % (letter, _USAGE))
                options.setdefault(letter, []).append(cluster or left.pop(0))
                cluster = ""
            elif letter in "deghNnPqrvz":
                options.setdefault(letter, []).append("")
            else:
                raise Refused("pfctl: unknown option -- %s\n%s" % (letter, _USAGE))
    return options, left


def _known(text: str, names: Tuple[str, ...], what: str) -> str:
    found = next((name for name in names if text and name.startswith(text)), None)
    if found is None:
        raise Refused("pfctl: Unknown %s modifier '%s'\n%s" % (what, text, _USAGE))
    return found


class _Call:
    """One call: what it prints collects here."""

    def __init__(self, machine: "Machine", options: Dict[str, List[str]], stdin: Optional[str]) -> None:
        self.machine, self.options, self.stdin = machine, options, stdin
        self.pf: Pf = machine.pf
        self.verbose = len(options.get("v", []))
        self.stdout = self.stderr = ""

    def told(self, text: str) -> None:
        """On standard error, unless it is to be quiet."""
        if "q" not in self.options:
            self.stderr += text + "\n"

    def run(self) -> None:
        if not self.options:
            raise Refused(_USAGE)
        for letter in "aDgKLoPpRSTtVx":
            if letter in self.options:
                raise NotModelled("pfctl -%s" % letter)
        test = "n" in self.options
        if "d" in self.options and not test:
            self._switch(False)
        if "s" in self.options and not test:
            self._show(_known(self.options["s"][-1], _SHOW, "show"))
        if "z" in self.options and "s" not in self.options:
            for rule in self.pf.rules:
                rule.evaluations = rule.packets = rule.octets = rule.creations = 0
        if "F" in self.options and not test:
            self._flush(_known(self.options["F"][-1], _FLUSH, "flush"))
        if "k" in self.options:
            self._kill(self.options["k"])
        if "f" in self.options:
            self._load(self.options["f"][-1], test)
        if "e" in self.options and not test:
            self._switch(True)

    def _switch(self, on: bool) -> None:
        if self.pf.enabled == on:
            raise Refused("pfctl: pf already enabled" if on else "pfctl: pf not enabled")
        self.pf.enable(on)
        self.told("pf enabled" if on else "pf disabled")

    def _flush(self, what: str) -> None:
        if what in ("rules", "all"):
            self.pf.flush_rules()
            self.told("rules cleared")
        if what in ("states", "all"):
            self.told("%d states cleared" % self.pf.clear(self._interface()))
        if what not in ("rules", "states"):
            raise NotModelled("pfctl -F %s" % what)

    def _interface(self) -> Optional[str]:
        return self.options["i"][-1] if "i" in self.options else None

    def _kill(self, named: List[str]) -> None:
        if named[0] in ("label", "id", "key"):
            raise NotModelled("pfctl -k %s" % named[0])
        networks = [ipaddress.ip_network(name, strict=False) for name in named]
        gone = [state for state in self.pf.states if all(_address(end) in network for end, network in zip((state.source, state.target), networks))]
        for state in gone:
            self.pf.drop(state)
        self.told("killed %d states from %d sources and %d destinations" % (len(gone), 1, len(named) - 1))

    # Rules

    def _load(self, name: str, test: bool) -> None:
        text = self.stdin if name == "-" else self.machine.text(name)
        if text is None:
            raise Refused("pfctl: pushfile: %s: No such file or directory\npfctl: cannot open the main config file!: No such file or directory" % name
                          + ("" if test else "\npfctl: Syntax error in config file: pf rules not loaded"))
        given = ConfParser(text, "stdin" if name == "-" else name, self._addresses).parse()
        if self.verbose:
            rows = given.printed + [("@%d " % place if self.verbose > 1 else "") + printed(rule) for place, rule in enumerate(given.rules["filter"])]
            self.stdout += "".join(row + "\n" for row in rows)
        if given.errors:
            raise Refused("\n".join(given.errors) + ("" if test else "\npfctl: Syntax error in config file: pf rules not loaded"))
        if not test:
            self.pf.load(given)

    def _addresses(self, name: str) -> Optional[List[str]]:
        interfaces = self.machine.interfaces
        if name == "self":
            return [address.text for one in interfaces.values() for address in one.addresses]
        if name in interfaces:
            return [address.text for address in interfaces[name].addresses]
        return [address.text for one in interfaces.members(name) for address in interfaces[one].addresses] or None

    # Showing

    def _show(self, what: str) -> None:
        if what == "rules":
            self.stdout += self._rules(self.pf.rules, 0)
        elif what == "states":
            self.stdout += "".join(self._state(state) for state in self.pf.states if self._interface() in (None, state.interface))
        elif what == "info":
            self.stdout += self._info()
        elif what == "memory":
            self.stdout += "".join("%-13s hard limit %8d\n" % limit for limit in self.pf.limits.items())
        elif what == "Interfaces":
            self.stdout += "".join(name + "\n" for name in sorted(self.pf.kifs()))
        elif what == "Tables":
            self.stdout += "".join(name + "\n" for name in sorted(self.pf.tables))
        else:
            raise NotModelled("pfctl -s %s" % what)

    def _rules(self, rules: Rules, depth: int) -> str:
        text = ""
        for place, rule in enumerate(rules):
            text += "  " * depth + ("@%d " % place if self.verbose > 1 else "") + printed(rule, self.pf.tables if self.verbose > 1 else None)
            text += " {\n" if rule.body is not None else "\n"
            if self.verbose:
                states = sum(1 for state in self.pf.states if depth == 0 and (state.rule, state.ruleset) == (place, self.pf.loads))
                text += "  [ Evaluations: %-8d  Packets: %-8d  Bytes: %-10d  States: %-6d]\n" % (rule.evaluations, rule.packets, rule.octets, states)
                text += "  [ Inserted: uid 0 pid %d State Creations: %-6d]\n" % (self.pf.loaded_by, rule.creations)
            if rule.body is not None:
                text += self._rules(rule.body, depth + 1) + "  " * depth + "}\n"
        return text

    def _state(self, state: State) -> str:
        arrow, near, far = ("->", state.source, state.target) if state.direction == "out" else ("<-", state.target, state.source)
        text = "%s %s %s %s %s       %s:%s\n" % (state.interface, state.protocol, near, arrow, far, *state.sides)
        if self.verbose:
            if state.window:
                text += "   %s\n" % "  ".join("[%d + %d]" % (low, _swapped(high)) for low, high in state.window)
            text += "   age %s, expires in %s, %d:%d pkts, %d:%d bytes%s\n" % (
                _span(self.machine.clock.now - state.created), _span(state.expires() - self.machine.clock.now), *state.packets, *state.octets,
                "" if state.rule is None else ", rule %d" % state.rule)
        if self.verbose > 1:
            text += "   id: %016x creatorid: %08x\n" % (state.id, state.creator)
        return text

    def _info(self) -> str:
        pf = self.pf
        seconds = max(0, int(self.machine.clock.now - pf.since))
        status = "Enabled" if pf.enabled else "Disabled"
        if seconds:
            days, left = divmod(seconds, 86400)
            status += " for %d days %s" % (days, _span(left))
        rows = ["%-44s%15s" % ("Status: " + status, "Debug: " + pf.debug), ""]
        if self.verbose:
            rows += ["Hostid:   0x%08x" % pf.host_id, "Checksum: 0x%s" % pf.checksum, ""]
        used = [("searches", pf.states.searches), ("inserts", pf.states.inserts), ("removals", pf.states.removals)]
        unused = [(name, 0) for name, _count in used]
        rows += ["%-27s %14s %16s" % ("State Table", "Total", "Rate"), _entries("current entries", len(pf.states)), _entries("half-open tcp", 0)]
        rows += [_rated(name, count, seconds) for name, count in used]
        if self.verbose:
            for title in ("Source Tracking Table", "Fragments"):
                rows += [title, _entries("current entries", 0)] + [_rated(name, count, seconds) for name, count in unused]
        rows += ["Counters"] + [_rated(name, pf.match if name == "match" else 0, seconds) for name in _COUNTERS]
        if self.verbose:
            rows += ["Limit Counters"] + [_rated(name, 0, seconds) for name in _LIMIT_COUNTERS]
            limit = pf.limits["states"]
            # PF_SYNCOOKIES_HIWATPCT, and half of it.
            rows += ["Adaptive Syncookies Watermarks"] + ["  %-25s %14d states" % (name, limit * share // 100) for name, share in (("start", 25), ("end", 12))]
        return "".join(row + "\n" for row in rows)


def _entries(name: str, count: int) -> str:
    return "  %-25s %14d %14s" % (name, count, "")


def _rated(name: str, count: int, seconds: int) -> str:
    return "  %-25s %14d %s" % (name, count, "%14.1f/s" % (count / seconds) if seconds else "%14s" % "")


def _span(seconds: float) -> str:
    minutes, left = divmod(max(0, int(seconds)), 60)
    return "%02d:%02d:%02d" % (minutes // 60, minutes % 60, left)


def _swapped(number: int) -> int:
    """The table holds what FreeBSD's pfctl shows: with the octets in the other order."""
    return int.from_bytes(number.to_bytes(4, "little"), "big")


def _address(end: str) -> "ipaddress.IPv4Address | ipaddress.IPv6Address":
    return ipaddress.ip_address(end.split("[")[0] if "[" in end else end.rsplit(":", 1)[0] if end.count(":") == 1 else end)
