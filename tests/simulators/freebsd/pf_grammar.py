# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of a pf.conf: one statement becomes as many rules as its lists have combinations, in pfctl's order of them."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pf_lexer import FILTER, NORMALIZATION, TRANSLATION, SyntaxTrouble
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pf_rules import ANY, PROTOCOLS, SERVICES, Host, Port, Rule, Rules

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pf_conf import Parser

_STATE_NUMBERS = ("max", "max-src-nodes", "max-src-conn", "max-src-states")
_STATE_WORDS = {"no-sync": "sync", "if-bound": "binding", "floating": "binding", "sloppy": "sloppy"}
_UNMODELLED = {"user", "group", "queue", "dnpipe", "dnqueue", "divert-to", "divert-reply", "received-on", "os", "af-to", "max-pkt-rate", "nat-to", "rdr-to"}
_FAMILIES = {4: "inet", 6: "inet6"}
_AFTER_ANCHOR = ("in", "out", "on", "inet", "inet6", "proto", "from", "to", "all", "quick", "log")


class Grammar:
    """Rules of a :class:`Parser`."""

    def __init__(self, parser: "Parser") -> None:
        self.parser = parser
        self._anonymous = 0

    def statement(self, into: Dict[str, Rules]) -> None:
        """One rule as it is written."""
        here = self.parser
        negation = here.skip("no")
        if here.peek().kind != "word":
            here.take()
            raise SyntaxTrouble()
        action = here.take().text
        if action == "anchor":
            self._anchor(into)
        elif action in ("nat-anchor", "rdr-anchor", "binat-anchor"):
            here.in_turn(TRANSLATION)
            into["nat"] += [Rule(action, anchor=here.word())]
        elif action in ("nat", "rdr"):
            self._translation(("no " if negation else "") + action, into["nat"])
        elif action == "scrub":
            self._scrub(("no " if negation else "") + action, into["scrub"])
        elif action == "antispoof":
            self._antispoof(into["filter"])
        elif action in ("pass", "block", "match") and not negation:
            if action == "match" and here.major < 14:
                raise NotModelled("pf.conf: match before FreeBSD 14")
            self._filter(action, into["filter"])
        else:
            raise SyntaxTrouble()

    # Kinds of rules

    def _filter(self, action: str, into: Rules) -> None:
        here = self.parser
        rule = Rule(action)
        if action == "block":
            rule.response = self._response()
        self._head(rule)
        heads = self._matching(rule)
        given_state = self._filter_options(rule)
        here.in_turn(FILTER)
        into += self._finished(rule, heads, given_state)

    def _finished(self, rule: Rule, heads: List[Rule], given_state: bool) -> List[Rule]:
        defaults, policy = self.parser.result.state_defaults, self.parser.result.options.get("state-policy")
        for one in heads:
            if one.action == "pass":
                if not given_state:
                    one.state, one.state_options = "keep", list(defaults)
                if one.state != "no":
                    if one.flags is None and one.protocol in (None, "tcp"):
                        one.flags = "S/SA"
                    if policy == "if-bound" and not {"if-bound", "floating"} & set(one.state_options):
                        one.state_options = [*one.state_options, "if-bound"]
        return heads

    def _response(self) -> str:
        here = self.parser
        if here.skip("drop"):
            return "drop"
        if here.at("return", "return-rst", "return-icmp", "return-icmp6"):
            word = here.take().text
            if word != "return" and here.at("("):
                raise NotModelled("pf.conf: block %s (...)" % word)
            return word
        return here.result.options.get("block-policy", "drop")

    def _translation(self, action: str, into: Rules) -> None:
        here = self.parser
        rule = Rule(action)
        if here.skip("pass"):
            rule.action += " pass"
            if here.at("log"):
                rule.log = self._log()
        self._interface(rule)
        heads = self._matching(rule)
        while here.at("tag", "tagged"):
            rule.after_state.append("%s %s" % (here.take().text, here.word()))
        if here.skip("->"):
            rule.translation = self._pool(action)
        elif not action.startswith("no"):
            here.take()
            raise SyntaxTrouble()
        here.in_turn(TRANSLATION)
        into += [replace(one, translation=rule.translation, after_state=rule.after_state) for one in heads]

    def _pool(self, action: str) -> str:
        here = self.parser
        targets = [str(target) for target in here.listed(self._pool_member)]
        text = targets[0] if len(targets) == 1 else "{ %s }" % ", ".join(targets)
        many = len(targets) > 1 or (text.startswith("(") and not text.endswith(":0)"))
        if here.skip("port"):
            text += " port %s" % here.word().replace("-", ":")
        types = []
        while here.at("round-robin", "random", "source-hash", "bitmask", "sticky-address", "static-port"):
            types.append(here.take().text)
        if many and not {"random", "source-hash", "bitmask", "round-robin"} & set(types):
            types.insert(0, "round-robin")
        return " ".join([text, *types])

    def _pool_member(self) -> str:
        host = self._host()[0]
        return host.text if host.kind != "table" else "<%s>" % host.text

    def _scrub(self, action: str, into: Rules) -> None:
        here = self.parser
        rule = Rule(action)
        self._head(rule)
        heads = self._matching(rule)
        options = []
        while here.at("fragment", "no-df", "random-id", "min-ttl", "max-mss", "set-tos", "reassemble"):
            word = here.take().text
            options.append(word if word in ("no-df", "random-id") else "%s %s" % (word, here.word()))
        if not any(option.startswith("fragment") for option in options) and not action.startswith("no"):
            options.append("fragment reassemble")
        here.in_turn(NORMALIZATION)
        into += [replace(one, before_state=options) for one in heads]

    def _antispoof(self, into: Rules) -> None:
        here = self.parser
        log = self._log() if here.at("log") else None
        quick = here.skip("quick")
        here.need("for")
        names = [str(name) for name in here.listed(here.word)]
        family = here.take().text if here.at("inet", "inet6") else None
        here.in_turn(FILTER)
        for name in names:
            held = [ipaddress.ip_interface(text) for text in here.addresses(name) or []]
            made = [Rule("block", direction="in", log=log, quick=quick, interface=name, not_interface=True, family=_FAMILIES[address.version],
                         source=Host("address", str(address.network))) for address in held]
            made += [Rule("block", direction="in", log=log, quick=quick, family=_FAMILIES[address.version], source=Host("address", str(address.ip)))
                     for address in held]
            # The optimizer takes out what is there twice.
            into += [rule for place, rule in enumerate(made) if family in (None, rule.family) and rule not in made[:place]]

    def _anchor(self, into: Dict[str, Rules]) -> None:
        here = self.parser
        self._anonymous += 1
        named = here.peek().kind == "string" or (here.peek().kind == "word" and not here.at(*_AFTER_ANCHOR))
        name = here.word() if named else "_%d" % self._anonymous
        rule = Rule("anchor", anchor=name)
        self._head(rule)
        heads = self._matching(rule)
        here.in_turn(FILTER)
        if here.skip("{"):
            body: Dict[str, Rules] = {"scrub": Rules(), "nat": Rules(), "filter": Rules()}
            reached, here.reached = here.reached, 0
            here.newlines()
            while not here.skip("}"):
                if here.peek().kind == "end":
                    here.take()
                    raise SyntaxTrouble()
                self.statement(body)
                here.newlines()
            here.reached = reached
            heads = [replace(one, body=body["filter"]) for one in heads]
        into["filter"] += heads

    # Parts of rules

    def _head(self, rule: Rule) -> None:
        """Direction, log, quick, interfaces (kept for :meth:`_matching`) and route."""
        here = self.parser
        rule.direction = here.take().text if here.at("in", "out") else None
        for _place in range(2):
            if here.at("log"):
                rule.log = self._log()
            elif here.skip("quick"):
                rule.quick = True
        self._interface(rule)
        if here.at("route-to", "reply-to", "dup-to"):
            word = here.take().text
            rule.route = (word, self._route())

    def _log(self) -> str:
        here = self.parser
        here.take()
        if not here.skip("("):
            return "log"
        words = []
        while not here.skip(")"):
            words.append(here.word() + (" " + here.word() if here.at("to") else ""))
            here.skip(",")
        return "log (%s)" % ", ".join(words)

    def _interface(self, rule: Rule) -> None:
        self._interfaces: List[Tuple[bool, str]] = [(False, "")]
        if self.parser.skip("on"):
            self._interfaces = [item for item in self.parser.listed(self._one_interface) if isinstance(item, tuple)]

    def _one_interface(self) -> Tuple[bool, str]:
        return self.parser.skip("!"), self.parser.word()

    def _route(self) -> str:
        here = self.parser
        here.need("(")
        words = [here.word()]
        while not here.skip(")"):
            words.append(here.word())
        return "(%s)" % " ".join(words)

    def _matching(self, rule: Rule) -> List[Rule]:
        """Family, protocols and both ends; every combination is a rule."""
        here = self.parser
        family = here.take().text if here.at("inet", "inet6") else None
        protocols = [str(one) for one in here.listed(self._protocol)] if here.skip("proto") else [None]
        sources, targets = [ANY], [ANY]
        source_ports: List[Optional[Port]] = [None]
        target_ports: List[Optional[Port]] = [None]
        if not here.skip("all"):
            if here.skip("from"):
                sources, source_ports = self._end()
            if here.skip("to"):
                targets, target_ports = self._end()
        if (source_ports, target_ports) != ([None], [None]) and set(protocols) - {"tcp", "udp", "sctp"}:
            raise SyntaxTrouble("port only applies to tcp/udp/sctp")
        heads = []
        for (negated, name), protocol, source, source_port, target, target_port in product(
                self._interfaces, protocols, sources, source_ports, targets, target_ports):
            families = {one for one in (family, source.family, target.family) if one}
            if len(families) > 1:
                continue  # pfctl makes no rule of ends of different families
            heads.append(replace(rule, interface=name or None, not_interface=negated, family=next(iter(families), None), protocol=protocol, source=source,
                                 source_port=source_port, target=target, target_port=target_port))
        if not heads:
            raise SyntaxTrouble("rule expands to no valid combination")
        self._heads = heads
        return heads

    def _protocol(self) -> str:
        text = self.parser.word()
        if text.isdigit():
            return PROTOCOLS.get(int(text), text)
        aliases = {"icmp6": "ipv6-icmp", "vrrp": "carp"}
        if aliases.get(text, text) not in PROTOCOLS.values():
            raise SyntaxTrouble("unknown protocol %s" % text)
        return aliases.get(text, text)

    def _end(self) -> Tuple[List[Host], List[Optional[Port]]]:
        here = self.parser
        hosts: List[Host] = [ANY]
        if not here.at("port"):
            hosts = [host for group in here.listed(self._host) if isinstance(group, list) for host in group]
        if here.at("os"):
            raise NotModelled("pf.conf: os")
        ports: List[Optional[Port]] = [None]
        if here.skip("port"):
            ports = [port for port in here.listed(self._port) if isinstance(port, Port)]
        return hosts, ports

    def _host(self) -> List[Host]:
        here = self.parser
        negated = here.skip("!")
        if here.skip("<"):
            name = here.word()
            here.need(">")
            return [Host("table", name, negated)]
        if here.skip("("):
            name = here.word()
            here.need(")")
            mask = "/%s" % here.word() if here.skip("/") else ""
            return [Host("dynamic", "(%s)%s" % (name, mask), negated)]
        if here.at("any", "no-route", "urpf-failed"):
            kind = here.take().text
            return [Host("any" if kind == "any" else "no-route", kind, negated)]
        return [Host("address", text, negated) for text in self._addresses()]

    def table_member(self) -> List[str]:
        """What one entry in a table stands for."""
        here = self.parser
        sign = "!" if here.skip("!") else ""
        return [sign + text for text in self._addresses()]

    def _addresses(self) -> List[str]:
        here = self.parser
        text = here.word()
        mask = here.word() if here.skip("/") else None
        base = text.split("%")[0]
        try:
            ipaddress.ip_address(base)
        except ValueError:
            return self._of_interface(text)
        if mask is not None:
            if not mask.isdigit() or int(mask) > (128 if ":" in base else 32):
                raise SyntaxTrouble("could not parse host specification")
            whole = ipaddress.ip_network("%s/%s" % (base, mask), strict=False)
            return [str(whole.network_address) if whole.num_addresses == 1 else str(whole)]
        if here.at("-"):
            here.take()
            return ["%s - %s" % (base, here.word())]
        return [text]

    def _of_interface(self, text: str) -> List[str]:
        name, _colon, modifier = text.partition(":")
        held = self.parser.addresses(name)
        if not held:
            raise SyntaxTrouble("could not parse host specification", "no IP address found for %s" % text)
        if modifier not in ("", "0", "network"):
            raise NotModelled("pf.conf: %s" % text)
        held = held[:1] if modifier == "0" else held
        return [str(ipaddress.ip_interface(one).network if modifier == "network" else ipaddress.ip_interface(one).ip) for one in held]

    def _port(self) -> Port:
        here = self.parser
        if here.at("=", "!=", ">", "<", ">=", "<="):
            operator = here.take().text
            return Port(operator, self._port_number(here.word()))
        first, colon, last = here.word().partition(":")
        if colon:
            return Port(":", self._port_number(first), self._port_number(last))
        if here.at("><", "<>"):
            operator = here.take().text
            return Port(operator, self._port_number(first), self._port_number(here.word()))
        return Port("=", self._port_number(first))

    @staticmethod
    def _port_number(text: str) -> int:
        if text.isdigit():
            if int(text) > 65535:
                raise SyntaxTrouble("illegal port value %s" % text)
            return int(text)
        number = next((number for number, name in SERVICES.items() if name == text), None)
        if number is None:
            raise SyntaxTrouble("unknown port %s" % text)
        return number

    # Options of filter rules

    def _filter_options(self, rule: Rule) -> bool:
        """Read them into all rules of the statement; true when it says something of states."""
        here = self.parser
        given = False
        while here.peek().kind not in ("newline", "end") and not here.at("}"):
            word = here.word()
            if word in ("keep", "modulate", "synproxy", "no"):
                here.need("state")
                given = True
                rule.state = word
                if here.skip("("):
                    rule.state_options = self.state_options(closing=")")
            elif word == "flags":
                rule.flags = "any" if here.skip("any") else self._flags()
            elif word in ("icmp-type", "icmp6-type"):
                rule.icmp_type = "%s %s" % (word, here.word() + (" code %s" % here.word() if here.skip("code") else ""))
            elif word in ("label", "ridentifier", "tag", "tagged", "rtable", "probability"):
                self._named(rule, word)
            elif word == "allow-opts":
                rule.allow_options = True
            elif word in ("tos", "prio"):
                rule.before_state.append("%s %s" % (word, here.word()))
            elif word == "set":
                rule.before_state.append("set ( %s )" % ", ".join(self._set_values()))
            elif word == "scrub":
                rule.scrub.append(self._scrub_values())
            elif word == "fragment":
                rule.scrub.append("fragment")
            elif word in _UNMODELLED:
                raise NotModelled("pf.conf: %s" % word)
            else:
                raise SyntaxTrouble()
        for one in self._heads:
            for name in ("state", "flags", "icmp_type", "allow_options"):
                setattr(one, name, getattr(rule, name))
            for name in ("state_options", "before_state", "scrub", "labels", "after_state"):
                setattr(one, name, list(getattr(rule, name)))
        return given

    def _flags(self) -> str:
        here = self.parser
        first = "" if here.at("/") else here.word()
        here.need("/")
        return "%s/%s" % (first, here.word())

    def _named(self, rule: Rule, word: str) -> None:
        text = self.parser.word()
        if word == "label":
            rule.labels.append('label "%s"' % text)
        else:
            rule.after_state.append("%s %s" % (word, text))

    def _set_values(self) -> List[str]:
        here = self.parser
        if not here.skip("("):
            return ["%s %s" % (here.need("prio", "tos"), here.word())]
        values = []
        while not here.skip(")"):
            values.append("%s %s" % (here.need("prio", "tos"), here.word()))
            here.skip(",")
        return values

    def _scrub_values(self) -> str:
        here = self.parser
        here.need("(")
        values = []
        while not here.skip(")"):
            word = here.need("no-df", "random-id", "min-ttl", "max-mss", "set-tos", "reassemble")
            values.append(word if word in ("no-df", "random-id") else "%s %s" % (word, here.word()))
            here.skip(",")
        return "scrub (%s)" % " ".join(values)

    def state_options(self, closing: Optional[str]) -> List[str]:
        """What is in the brackets behind ``keep state``, or the rest of a line of defaults."""
        here = self.parser
        found: List[str] = []
        named: List[str] = []
        while not (here.peek().kind in ("newline", "end") if closing is None else here.skip(closing)):
            word = here.word()
            if word in _STATE_WORDS:
                if _STATE_WORDS[word] in named:
                    raise SyntaxTrouble("state option '%s' multiple definitions" % _STATE_WORDS[word])
                named.append(_STATE_WORDS[word])
                found.append(word)
            elif word in _STATE_NUMBERS:
                found.append("%s %d" % (word, here.number()))
            elif word == "max-src-conn-rate":
                found.append("%s %s%s%s" % (word, here.word(), here.need("/"), here.word()))
            elif word == "source-track":
                found.append("source-track %s" % (here.take().text if here.at("rule", "global") else "global"))
            elif word == "overload":
                here.need("<")
                text = "overload <%s%s" % (here.word(), here.need(">"))
                found.append(text + (" flush" if here.skip("flush") else "") + (" global" if here.skip("global") else ""))
            elif "." in word and word.split(".")[0] in ("tcp", "udp", "icmp", "other", "adaptive", "src", "sctp"):
                found.append("%s %d" % (word, here.number()))
            else:
                raise SyntaxTrouble()
            here.skip(",")
        return found
