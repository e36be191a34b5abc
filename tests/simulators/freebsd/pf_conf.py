# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pf.conf: options, macros, tables and rules, and what is wrong with them in pfctl's words.

Sources: sbin/pfctl/parse.y, and the transcripts of ``pfctl -nf``.
"""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pf_grammar import Grammar
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pf_lexer import OPTION, Lexer, SyntaxTrouble, Token
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pf_rules import Rules

_ORDER = "Rules must be in order: options, %snormalization, queueing, translation, filtering"
_LIMITS = ("states", "src-nodes", "frags", "table-entries")
_TIMEOUTS = {"tcp.first", "tcp.opening", "tcp.established", "tcp.closing", "tcp.finwait", "tcp.closed", "tcp.tsdiff", "udp.first", "udp.single", "udp.multiple",
             "icmp.first", "icmp.error", "other.first", "other.single", "other.multiple", "frag", "interval", "adaptive.start", "adaptive.end", "src.track",
             "sctp.first", "sctp.opening", "sctp.established", "sctp.closing", "sctp.closed"}
_UNMODELLED = {"altq", "queue", "ether", "binat", "load", "dummynet-anchor"}


class Ruleset:
    """What a file makes: options by name, tables with their members, and rules by kind.

    Attributes:
        printed: what ``pfctl -v`` prints while it reads.
        errors: what is wrong, line by line; empty when nothing is.
    """

    def __init__(self) -> None:
        self.options: Dict[str, str] = {}
        self.timeouts: Dict[str, int] = {}
        self.limits: Dict[str, int] = {}
        self.skip: List[str] = []
        self.tables: Dict[str, List[str]] = {}
        self.rules: Dict[str, Rules] = {"scrub": Rules(), "nat": Rules(), "filter": Rules()}
        self.state_defaults: List[str] = []
        self.printed: List[str] = []
        self.errors: List[str] = []


class Parser:
    """Reads a file statement by statement; after an error it goes on with the next line, as pfctl does.

    Args:
        name: of the file, for messages.
        addresses: of an interface or of ``self``: addresses with prefix lengths; None when there is no such interface.
        major: release of FreeBSD.
        files: the text of a file that is included; None when there is none.
    """

    def __init__(self, text: str, name: str, addresses: Callable[[str], Optional[List[str]]], major: int = 14,
                 files: Callable[[str], Optional[str]] = lambda name: None) -> None:
        self.lexer = Lexer(text)
        self.files = files
        self.name = name
        self.addresses = addresses
        self.major = major
        self.result = Ruleset()
        self.reached = 0
        self.in_order = True
        self._seen = Token("newline", "\n", 1)

    # Tokens

    def peek(self, ahead: int = 0) -> Token:
        return self.lexer.peek(ahead)

    def take(self) -> Token:
        self._seen = self.lexer.take()
        return self._seen

    def at(self, *texts: str) -> bool:
        """Whether one of these words comes next, not in quotes."""
        token = self.peek()
        return token.kind in ("word", "operator") and token.text in texts

    def skip(self, *texts: str) -> bool:
        """Take one of these words, if it comes next."""
        if self.at(*texts):
            self.take()
            return True
        return False

    def need(self, *texts: str) -> str:
        """Take one of these words, which must come next."""
        if not self.at(*texts):
            self.take()
            raise SyntaxTrouble()
        return self.take().text

    def word(self) -> str:
        """Take a word or string."""
        token = self.take()
        if token.kind not in ("word", "string"):
            raise SyntaxTrouble()
        return token.text

    def number(self) -> int:
        """Take a number."""
        text = self.word()
        try:
            return int(text, 0)
        except ValueError:
            raise SyntaxTrouble() from None

    def newlines(self) -> None:
        """Pass over ends of lines, which mean nothing in lists."""
        while self.peek().kind == "newline":
            self.take()

    def listed(self, item: Callable[[], object]) -> List[object]:
        """One item, or several in braces with or without commas."""
        if not self.skip("{"):
            return [item()]
        found: List[object] = []
        self.newlines()
        while not self.skip("}"):
            if self.peek().kind in ("end", "undefined"):
                self._trouble_at()
            found.append(item())
            self.skip(",")
            self.newlines()
        if not found:
            raise SyntaxTrouble()
        return found

    def _trouble_at(self) -> None:
        self.take()
        raise SyntaxTrouble()

    # Statements

    def parse(self) -> Ruleset:
        """Read all of it."""
        grammar = Grammar(self)
        while self.peek().kind != "end":
            if self.peek().kind == "newline":
                self.take()
                continue
            try:
                self._statement(grammar)
                if self.peek().kind not in ("newline", "end"):
                    self._trouble_at()
            except SyntaxTrouble as trouble:
                self._report(trouble)
        return self.result

    def _report(self, trouble: SyntaxTrouble) -> None:
        if trouble.bare:
            self.result.errors.append(trouble.bare)
        if self._seen.kind == "undefined" and self._seen.text.isidentifier():
            self.result.errors.append("%s:%d: macro '%s' not defined" % (self.name, self._seen.line, self._seen.text))
        self.result.errors.append("%s:%d: %s" % (self.name, self._seen.line, trouble))
        while self._seen.kind not in ("newline", "end"):
            self.take()

    def _statement(self, grammar: Grammar) -> None:
        token, after = self.peek(), self.peek(1)
        if token.kind == "word" and after.text == "=" and after.kind == "operator":
            self._macro()
        elif token.text == "set":
            self.take()
            self._option()
        elif token.text == "table":
            self.take()
            self._table(grammar)
        elif token.text == "include":
            self.take()
            self._include(self.word())
        elif token.text in _UNMODELLED:
            raise NotModelled("pf.conf: %s" % token.text)
        else:
            grammar.statement(self.result.rules)

    def _include(self, name: str) -> None:
        """Read a file as if it stood there."""
        text = self.files(name)
        if text is None:
            raise SyntaxTrouble("failed to include file %s" % name, "pfctl: %s: No such file or directory" % name)
        inner = Parser(text, name, self.addresses, self.major, self.files)
        inner.lexer.macros, inner.result = self.lexer.macros, self.result
        inner.reached, inner.in_order = self.reached, self.in_order
        inner.parse()
        self.reached, self.in_order = inner.reached, inner.in_order

    def in_turn(self, part: int) -> None:
        """A part of the file has its place behind others."""
        if self.in_order and self.reached > part:
            raise SyntaxTrouble(_ORDER % ("ethernet, " if self.major >= 14 else ""))
        self.reached = part

    def _macro(self) -> None:
        name = self.take().text
        self.take()
        if self.peek().kind not in ("word", "string") and not self.at("{"):
            self._trouble_at()
        parts = []
        while self.peek().kind not in ("newline", "end"):
            token = self.take()
            if token.kind not in ("word", "string"):
                raise SyntaxTrouble()
            parts.append(token.text)
        self.lexer.macros[name] = " ".join(parts)
        self.result.printed.append('%s = "%s"' % (name, " ".join(parts)))

    def _table(self, grammar: Grammar) -> None:
        self.need("<")
        name = self.word()
        self.need(">")
        flags: List[str] = []
        members: Optional[List[str]] = None
        while self.peek().kind not in ("newline", "end"):
            if self.at("persist", "const", "counters"):
                flags.append(self.take().text)
            elif self.at("file"):
                raise NotModelled("pf.conf: a table from a file")
            elif self.skip("{"):
                members = members or []
                self.newlines()
                while not self.skip("}"):
                    members += grammar.table_member()
                    self.skip(",")
                    self.newlines()
            else:
                self._trouble_at()
        self.result.tables[name] = members or []
        shown = " { %s }" % " ".join(members) if members is not None else ""
        self.result.printed.append("table <%s>%s%s" % (name, "".join(" " + flag for flag in flags), shown if members else shown.replace("  ", " ")))

    # Options

    def _option(self) -> None:
        name = self.word()
        known: Dict[str, Tuple[Optional[int], Callable[[], str]]] = {
            "hostid": (None, self._host_id), "skip": (None, self._skip), "state-policy": (OPTION, lambda: self._one_of("if-bound", "floating")),
            "block-policy": (OPTION, lambda: self._one_of("drop", "return")), "fail-policy": (OPTION, lambda: self._one_of("drop", "return")),
            "optimization": (OPTION, self._optimization), "ruleset-optimization": (None, lambda: self._one_of("none", "basic", "profile")),
            "loginterface": (OPTION, self.word), "debug": (OPTION, lambda: self._one_of("none", "urgent", "misc", "loud")),
            "reassemble": (OPTION, self._reassemble), "require-order": (None, self._require_order),
            "keepcounters": (None, lambda: ""),
        }
        if name == "timeout":
            self.listed(self._timeout)
        elif name == "limit":
            self.listed(self._limit)
        elif name == "state-defaults":
            self._state_defaults()
        elif name in known:
            part, read = known[name]
            value = read()
            if part is not None:
                self.in_turn(part)
            self.result.options[name] = value
            if name != "skip" and not (name == "keepcounters" and not value):
                self.result.printed.append("set %s %s" % (name, value))
        elif name in ("fingerprints", "syncookies"):
            raise NotModelled("pf.conf: set %s" % name)
        else:
            raise SyntaxTrouble()

    def _one_of(self, *values: str) -> str:
        return self.need(*values)

    def _host_id(self) -> str:
        value = self.number()
        if not 0 < value <= 0xFFFFFFFF:
            raise SyntaxTrouble("hostid must be non-zero")
        return "0x%08x" % value

    def _skip(self) -> str:
        self.need("on")
        names = [str(name) for name in self.listed(self.word)]
        self.result.skip += names
        self.result.printed.append("set skip on { %s }" % " ".join(names))
        return " ".join(self.result.skip)

    def _optimization(self) -> str:
        value = self.word()
        if value not in ("default", "normal", "high-latency", "satellite", "aggressive", "conservative"):
            raise SyntaxTrouble("unknown optimization %s" % value)
        return value

    def _reassemble(self) -> str:
        value = self.need("yes", "no")
        return value + (" no-df" if self.skip("no-df") else "")

    def _require_order(self) -> str:
        value = self.need("yes", "no")
        self.in_order = value == "yes"
        return value

    def _timeout(self) -> None:
        name = self.word()
        value = self.number()
        self.in_turn(OPTION)
        if name not in _TIMEOUTS:
            raise SyntaxTrouble("unknown timeout %s" % name)
        self.result.timeouts[name] = value
        self.result.printed.append("set timeout %s %d" % (name, value))

    def _limit(self) -> None:
        name = self.word()
        value = self.number()
        self.in_turn(OPTION)
        if name not in _LIMITS:
            raise SyntaxTrouble("unable to set limit %s %d" % (name, value))
        self.result.limits[name] = value
        self.result.printed.append("set limit %s %d" % (name, value))

    def _state_defaults(self) -> None:
        self.result.state_defaults = Grammar(self).state_options(closing=None)
