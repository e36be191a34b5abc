# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pf in OpenBSD's kernel, where it differs from FreeBSD's (sys/net/pf.c, pf_ioctl.c, pf_if.c), and how its pf.conf is read (sbin/pfctl/parse.y)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, List, Optional, Set

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.clock import VirtualClock
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import pf
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pf_conf import Parser, Ruleset, SyntaxTrouble
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pf_rules import Host, Rule
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import NotModelled

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Machine

LIMITS = {"states": 100000, "src-nodes": 10000, "frags": 16384, "tables": 1000, "table-entries": 200000, "pktdelay-pkts": 10000, "anchors": 512}
LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
# What OpenBSD's grammar does not have (any more), though FreeBSD's does.
_UNKNOWN = ("scrub", "nat", "rdr", "binat", "no", "nat-anchor", "rdr-anchor", "binat-anchor")
_UNKNOWN_OPTIONS = ("keepcounters", "require-order", "fail-policy")
_STATE_ORDER = ("max", "no-sync", "source-track", "max-src-states", "max-src-conn", "max-src-conn-rate", "max-src-nodes", "overload", "if-bound", "sloppy",
                "pflow")


class Pf(pf.Pf):
    """The packet filter of a machine."""

    def __init__(self, machine: "Machine", clock: VirtualClock, seed: int) -> None:
        self._imported: Set[str] = set()
        self._own = machine
        super().__init__(machine, clock, seed)  # type: ignore[arg-type]

    def reset(self) -> None:
        super().reset()
        self.debug = "err"
        self.limits = dict(LIMITS)
        self._imported.clear()

    def load(self, given: Ruleset, merge: bool = False) -> None:
        """Put a file in force. The host id and the debug level stay where the file states none (pfctl_load_options); limits are set anew."""
        host_id, debug = self.host_id, self.debug
        super().load(given, False)
        if "hostid" not in given.options:
            self.host_id = host_id
        self.debug = given.options.get("debug", debug)
        self.limits = dict(LIMITS, **given.limits)
        self.states.limit = self.limits["states"]

    def know(self, name: str) -> None:
        """An interface that a state of another node names (pfi_kif_get makes it)."""
        self._imported.add(name)

    def kifs(self) -> Set[str]:
        """The names that pf knows."""
        interfaces = self._own.interfaces
        named = {rule.interface for rule in self.rules if rule.interface is not None}
        return {"all", *interfaces, *interfaces.demoted, *named, *self.ruleset.skip, *self._imported}

    def on(self, wanted: str, device: str) -> bool:
        return wanted in ("any", device) or wanted in self._own.interfaces.device(device).groups

    def addresses(self, name: str) -> List[str]:
        base, colon, modifier = name.partition(":")
        interfaces = self._own.interfaces
        if base in interfaces:
            return super().addresses(name)
        return [address for one in interfaces.members(base) for address in super(Pf, self).addresses(one + colon + modifier)]


class ConfParser(Parser):
    """Reads a pf.conf as OpenBSD's pfctl does: parts may come in any order, and translation and normalization are options of rules."""

    def in_turn(self, part: int) -> None:
        """Nothing has its place behind something else."""

    def _statement(self, grammar: "object") -> None:
        token = self.peek()
        if token.text in _UNKNOWN and self.peek(1).text != "=":
            self.take()
            raise SyntaxTrouble()
        if token.text == "set" and self.peek(1).text in _UNKNOWN_OPTIONS:
            self.take()
            self.take()
            raise SyntaxTrouble()
        if token.text == "set" and self.peek(1).text == "debug":
            self.take()
            self.take()
            self._debug()
            return
        super()._statement(grammar)
        for rule in self.result.rules["filter"]:
            if rule.route is not None:
                raise NotModelled("pf.conf: %s" % rule.route[0])

    def _debug(self) -> None:
        level = self.word()
        if level not in LEVELS:
            raise SyntaxTrouble("error setting debuglevel %s" % level, "pfctl: unknown debug level \"%s\"" % level)
        self.result.options["debug"] = level
        self.result.printed.append("set debug %s" % level)


def printed(rule: Rule, tables: Optional[Dict[str, List[str]]] = None) -> str:
    """A rule as print_rule of sbin/pfctl/pfctl_parser.c has it: ``keep state`` is said only where options follow.

    Args:
        tables: of the kernel, for their sizes, which -vv tells; None without.
    """
    words = [rule.action + (" " + rule.response if rule.action == "block" else "")]
    if rule.anchor is not None and not rule.anchor.startswith("_"):
        words.append('"%s"' % rule.anchor)
    words += [word for word in (rule.direction, rule.log, "quick" if rule.quick else None) if word]
    if rule.interface is not None:
        words.append("on %s%s" % ("! " if rule.not_interface else "", rule.interface))
    words += [rule.family] if rule.family else []
    words += ["proto %s" % rule.protocol] if rule.protocol else []
    words.append(_from_to(rule, tables))
    words += ["flags %s" % rule.flags] if rule.flags else []
    words += [rule.icmp_type] if rule.icmp_type else []
    words += rule.before_state
    options = sorted((one for one in rule.state_options if one != "floating"), key=_place)
    if rule.state == "no" or rule.state in ("modulate", "synproxy") or (rule.state == "keep" and options):
        words.append("%s state%s" % (rule.state, " (%s)" % ", ".join(options) if options else ""))
    words += rule.scrub
    words += ["allow-opts"] if rule.allow_options else []
    words += rule.labels + rule.after_state
    return " ".join(words)


def _place(option: str) -> int:
    word = option.split(" ")[0]
    return _STATE_ORDER.index(word) if word in _STATE_ORDER else len(_STATE_ORDER)


def _from_to(rule: Rule, tables: Optional[Dict[str, List[str]]]) -> str:
    plain = all(host.kind == "any" and not host.negated for host in (rule.source, rule.target))
    if plain and rule.source_port is None and rule.target_port is None:
        return "all"
    ends = [("from", rule.source, rule.source_port), ("to", rule.target, rule.target_port)]
    return " ".join("%s %s%s" % (word, _host(host, tables), " %s" % port if port else "") for word, host, port in ends)


def _host(host: Host, tables: Optional[Dict[str, List[str]]]) -> str:
    return host.shown(tables)
