# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rule of pf: what it says, how pfctl prints it, and which packets it takes."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Sequence, Tuple

PROTOCOLS = {1: "icmp", 2: "igmp", 4: "ipencap", 6: "tcp", 17: "udp", 41: "ipv6", 47: "gre", 50: "esp", 51: "ah", 58: "ipv6-icmp", 89: "ospf", 103: "pim",
             112: "carp", 132: "sctp", 240: "pfsync"}
SERVICES = {20: "ftp-data", 21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "domain", 67: "bootps", 68: "bootpc", 69: "tftp", 80: "http", 110: "pop3",
            123: "ntp", 143: "imap", 161: "snmp", 162: "snmptrap", 179: "bgp", 389: "ldap", 443: "https", 500: "isakmp", 514: "syslog", 587: "submission",
            993: "imaps", 995: "pop3s", 1194: "openvpn", 1812: "radius", 3306: "mysql", 3389: "rdp", 5353: "mdns", 5432: "postgresql", 8080: "http-alt"}


@dataclass
class Port:
    """An operator and one port or two."""

    operator: str
    first: int
    second: int = 0

    def __str__(self) -> str:
        if self.operator == ":":
            return "port %d:%d" % (self.first, self.second)
        if self.operator in ("><", "<>"):
            return "port %d %s %d" % (self.first, self.operator, self.second)
        return "port %s %s" % (self.operator, SERVICES.get(self.first, self.first) if self.operator in ("=", "!=") else self.first)

    def takes(self, port: int) -> bool:
        return {"=": port == self.first, "!=": port != self.first, ">": port > self.first, "<": port < self.first, ">=": port >= self.first,
                "<=": port <= self.first, ":": self.first <= port <= self.second, "><": self.first < port < self.second,
                "<>": port < self.first or port > self.second}[self.operator]


@dataclass(frozen=True)
class Host:
    """One end of a rule: ``kind`` is any, address, table, dynamic (in brackets, looked up as long as it runs) or no-route."""

    kind: str = "any"
    text: str = "any"
    negated: bool = False

    @property
    def family(self) -> Optional[str]:
        return None if self.kind != "address" else "inet6" if ":" in self.text else "inet"

    def shown(self, tables: Optional[Dict[str, List[str]]]) -> str:
        text = self.text
        if self.kind == "table":
            text = "<%s>" % text if tables is None else "<%s:%s>" % (text, len(tables[text]) if text in tables else "*")
        return ("! " if self.negated else "") + text


ANY = Host()


@dataclass
class Rule:
    """One rule with everything put in. ``action``: pass, block, match, scrub, nat, rdr, binat, anchor and the like."""

    action: str
    response: str = "drop"
    direction: Optional[str] = None
    log: Optional[str] = None
    quick: bool = False
    interface: Optional[str] = None
    not_interface: bool = False
    route: Optional[Tuple[str, str]] = None
    family: Optional[str] = None
    protocol: Optional[str] = None
    source: Host = ANY
    source_port: Optional[Port] = None
    target: Host = ANY
    target_port: Optional[Port] = None
    flags: Optional[str] = None
    icmp_type: Optional[str] = None
    before_state: List[str] = field(default_factory=list)
    state: Optional[str] = None  # keep, modulate, synproxy, no
    state_options: List[str] = field(default_factory=list)
    scrub: List[str] = field(default_factory=list)
    allow_options: bool = False
    labels: List[str] = field(default_factory=list)
    after_state: List[str] = field(default_factory=list)
    translation: Optional[str] = None
    anchor: Optional[str] = None
    body: Optional["Rules"] = None
    evaluations: int = 0
    packets: int = 0
    octets: int = 0
    creations: int = 0
    last_used: Optional[float] = None

    @property
    def synced(self) -> bool:
        return "no-sync" not in self.state_options

    def text(self, tables: Optional[Dict[str, List[str]]] = None) -> str:
        """As pfctl prints it (print_rule in sbin/pfctl/pfctl_parser.c).

        Args:
            tables: of the kernel, for their sizes in the ruleset in force; None for a file.
        """
        words = [self.action + (" " + self.response if self.action == "block" else "")]
        if self.anchor is not None:
            words.append('"%s"' % self.anchor if not self.anchor.startswith("_") else "")
        words += [word for word in (self.direction, self.log, "quick" if self.quick else None) if word]
        if self.interface is not None:
            words.append("on %s%s" % ("! " if self.not_interface else "", self.interface))
        words += ["%s %s" % self.route] if self.route else []
        words += [self.family] if self.family else []
        words += ["proto %s" % self.protocol] if self.protocol else []
        words.append(self._from_to(tables))
        words += ["flags %s" % self.flags] if self.flags else []
        words += [self.icmp_type] if self.icmp_type else []
        words += self.before_state
        if self.state is not None:
            options = [option for option in self.state_options if option != "floating"]
            words.append("%s state%s" % (self.state, " (%s)" % ", ".join(options) if options else ""))
        words += self.scrub
        words += ["allow-opts"] if self.allow_options else []
        words += self.labels + self.after_state
        words += ["-> %s" % self.translation] if self.translation else []
        return " ".join(word for word in words if word)

    def _from_to(self, tables: Optional[Dict[str, List[str]]]) -> str:
        plain = self.source.kind == self.target.kind == "any" and not self.source.negated and not self.target.negated
        if plain and self.source_port is None and self.target_port is None:
            return "all"
        ends = [("from", self.source, self.source_port), ("to", self.target, self.target_port)]
        return " ".join("%s %s%s" % (word, host.shown(tables), " %s" % port if port else "") for word, host, port in ends)


class Rules(List[Rule]):
    """Rules in their order; an anchor's own are in its body."""

    def printed(self, indent: int = 0, tables: Optional[Dict[str, List[str]]] = None) -> List[str]:
        """Each rule as a line, bodies of anchors in braces."""
        rows: List[str] = []
        for rule in self:
            rows.append("  " * indent + rule.text(tables) + (" {" if rule.body is not None else ""))
            if rule.body is not None:
                rows += rule.body.printed(indent + 1, tables) + ["  " * indent + "}"]
        return rows


@dataclass
class Flow:
    """A packet as the rules see it."""

    direction: str
    interface: str
    protocol: str
    source: str
    target: str
    source_port: int = 0
    target_port: int = 0

    @property
    def family(self) -> str:
        return "inet6" if ":" in self.source else "inet"


def verdict(rules: Sequence[Rule], flow: Flow, own: "Lookup") -> Optional[Rule]:
    """The rule that decides about a packet: the last that takes it, or the first that is quick; None where none does."""
    found: Optional[Rule] = None
    for rule in rules:
        rule.evaluations += 1
        if not takes(rule, flow, own):
            continue
        if rule.action == "anchor":
            inner = verdict(rule.body or own.anchor(rule.anchor or ""), flow, own)
            found = inner or found
            if inner is not None and (inner.quick or rule.quick):
                return inner
        elif rule.action in ("pass", "block"):
            found = rule
            if rule.quick:
                return rule
    return found


def takes(rule: Rule, flow: Flow, own: "Lookup") -> bool:
    """Whether a rule is for this packet."""
    if rule.direction not in (None, flow.direction) or rule.family not in (None, flow.family):
        return False
    if rule.interface is not None and own.on(rule.interface, flow.interface) == rule.not_interface:
        return False
    if rule.protocol is not None and rule.protocol != flow.protocol:
        return False
    return (_matches(rule.source, rule.source_port, flow.source, flow.source_port, own)
            and _matches(rule.target, rule.target_port, flow.target, flow.target_port, own))


def _matches(host: Host, port: Optional[Port], address: str, number: int, own: "Lookup") -> bool:
    if port is not None and not port.takes(number):
        return False
    if host.kind == "any":
        return not host.negated
    members = {"address": lambda: [host.text], "table": lambda: own.table(host.text), "dynamic": lambda: own.addresses(host.text.strip("()"))}.get(
        host.kind, list)()
    return _within(address, members) != host.negated


def _within(address: str, members: Sequence[str]) -> bool:
    one = ipaddress.ip_address(address.split("%")[0])
    for member in members:
        first, dash, last = member.partition(" - ")
        if dash:
            low, high = ipaddress.ip_address(first), ipaddress.ip_address(last)
            if one.version == low.version and int(low) <= int(one) <= int(high):
                return True
        elif one in ipaddress.ip_network(member, strict=False):
            return True
    return False


class Lookup:
    """What rules ask of the machine; this one knows nothing."""

    def on(self, wanted: str, device: str) -> bool:
        return wanted in ("any", device) or wanted == device.rstrip("0123456789")

    def table(self, name: str) -> List[str]:
        return []

    def addresses(self, name: str) -> List[str]:
        return []

    def anchor(self, name: str) -> Rules:
        return Rules()
