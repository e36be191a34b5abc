# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ruleset in force, from pfctl's own printing of it (``pfctl -vvsr``). Pure: text to rules.

What a rule says is read word by word. A word that is not known is kept as a condition, so that nobody takes the rule for one that matches everything.
"""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Optional, Tuple

_LINE = re.compile(r"\s*(?:@(?P<number>\d+)(?:\((?P<tracker>\d+)\))? )?(?P<rule>(?:pass|block|match|scrub|anchor|no |nat|rdr|binat|antispoof)\b.*)")
_COUNTERS = re.compile(r"\[ Evaluations: \d+\s+Packets: (\d+)\s+Bytes: (\d+)")
_WORD = re.compile(r'"[^"]*"|[^\s("{]*\([^)]*\)|\{[^}]*\}|\S+')

_POOL = ("round-robin", "sticky-address", "bitmask", "random", "static-port")
# Words behind the addresses that no packet is chosen by, and how many words belong to each.
_ACTIONS = {"flags": 1, "allow-opts": 0, "label": 1, "ridentifier": 1, "tag": 1, "queue": 1, "dnpipe": 1, "dnqueue": 1, "set": 1, "rtable": 1, "no-df": 0,
            "random-id": 0, "min-ttl": 1, "max-mss": 1, "set-tos": 1, "reassemble": 1}
_STATES = ("keep", "modulate", "synproxy", "no")


class Rule(NamedTuple):
    """One rule.

    Attributes:
        text: as pfctl prints it.
        number: its place.
        action: ``pass``, ``block``, ``match``, ``anchor``, ...
        anchor: the name that an anchor calls.
        inner: the rules that an anchor was printed with.
        direction: ``in``, ``out`` or None for both.
        interface: what it is on; None for all.
        elsewhere: it is on all others than that.
        route: ``route-to``, ``reply-to``, ``dup-to`` or None.
        family: ``inet``, ``inet6`` or None.
        protocol: by name; None for all.
        source, destination: as printed, ``any`` for all; ``! `` in front when they are all others.
        conditions: further words that a packet is chosen by, or that are not known.
        state: the options of the state that it makes; None when it makes none.
        tracker: the product's own number of it.
        packets, octets: counters, None where they were not asked for.
    """

    text: str
    number: Optional[int]
    action: str
    anchor: Optional[str]
    inner: Tuple["Rule", ...]
    direction: Optional[str]
    quick: bool
    interface: Optional[str]
    elsewhere: bool
    route: Optional[str]
    family: Optional[str]
    protocol: Optional[str]
    source: str
    destination: str
    conditions: Tuple[str, ...]
    state: Optional[Tuple[str, ...]]
    tracker: Optional[str]
    packets: Optional[int] = None
    octets: Optional[int] = None


def parse(text: str) -> List[Rule]:
    """The rules in their order; lines that are none are passed over."""
    levels: List[List[Rule]] = [[]]
    for line in text.splitlines():
        counters = _COUNTERS.search(line)
        if counters and levels[-1]:
            levels[-1][-1] = levels[-1][-1]._replace(packets=int(counters[1]), octets=int(counters[2]))
            continue
        if line.strip() == "}" and len(levels) > 1:
            inner = tuple(levels.pop())
            levels[-1][-1] = levels[-1][-1]._replace(inner=inner)
            continue
        found = _LINE.match(line)
        if found is None:
            continue
        opens = found["rule"].endswith(" {")
        levels[-1].append(_rule(found["rule"][:-2] if opens else found["rule"].strip(), found["number"], found["tracker"]))
        if opens:
            levels.append([])
    return levels[0]


class _Words:
    """The words of a rule, taken from the front."""

    def __init__(self, text: str) -> None:
        self._left = _WORD.findall(text)

    def __bool__(self) -> bool:
        return bool(self._left)

    def next(self) -> str:
        return self._left.pop(0) if self._left else ""

    def take(self, *words: str) -> Optional[str]:
        """The next word when it is one of these."""
        return self._left.pop(0) if self._left and self._left[0] in words else None

    def starts(self, text: str) -> bool:
        return bool(self._left) and self._left[0].startswith(text)


def _rule(text: str, number: Optional[str], tracker: Optional[str]) -> Rule:
    words = _Words(text)
    action = words.next()
    anchor = words.next().strip('"') if action.endswith("anchor") and words.starts('"') else None
    conditions: List[str] = []
    while words.starts("return") or words.starts("drop"):
        words.next()
    direction = words.take("in", "out")
    if words.take("log") and words.starts("("):
        words.next()
    quick = words.take("quick") is not None
    elsewhere, interface = False, None
    if words.take("on"):
        elsewhere, interface = words.take("!") is not None, words.next()
        if interface == "rdomain":
            # OpenBSD's routing domains: which devices are in it, the rule does not tell.
            elsewhere, interface = False, None
            conditions += ["rdomain", words.next()]
    route = words.take("route-to", "reply-to", "dup-to")
    if route:
        words.next()
        while words.take(*_POOL):
            pass
        if words.take("source-hash"):
            words.next()
    family = words.take("inet", "inet6")
    protocol = words.next() if words.take("proto") else None
    ends = {"from": "any", "to": "any"}
    if not words.take("all"):
        for end in ends:
            if words.take(end):
                ends[end] = _end(words, conditions)
    state: Optional[Tuple[str, ...]] = None
    while words:
        word = words.next()
        if word in _STATES and words.take("state"):
            options = words.next()[1:-1] if words.starts("(") else ""
            state = None if word == "no" else tuple(option.strip() for option in options.split(",") if option.strip())
        elif word in _ACTIONS:
            values = [words.next() for _number in range(_ACTIONS[word])]
            tracker = values[0] if word == "ridentifier" else tracker
        elif word.startswith(("queue(", "dnpipe(", "dnqueue(")):
            continue
        else:
            conditions.append(word)
    return Rule(text, None if number is None else int(number), action, anchor, (), direction, quick, interface, elsewhere, route, family, protocol,
                ends["from"], ends["to"], tuple(conditions), state, tracker)


def _end(words: _Words, conditions: List[str]) -> str:
    text = "! " if words.take("!") else ""
    text += words.next()
    if words.take("-"):
        text += " - " + words.next()
    if words.take("port"):
        conditions.append("port")
        # "= 80", "!= 80", "< 80", "80 >< 90", "80:90"
        first = words.next()
        if first in ("=", "!=", "<", "<=", ">", ">=") or words.take("><", "<>"):
            words.next()
    if words.take("os"):
        conditions.append("os")
        words.next()
    return text


def binding(rules: List[Rule]) -> Dict[str, int]:
    """How many rules make states that are ``bound`` to an interface, and how many states that name one for their route (``routed``)."""
    own = [rule for rule in flat(rules) if rule.action == "pass" and rule.state is not None]
    return {"bound": sum("if-bound" in (rule.state or ()) for rule in own), "routed": sum(rule.route is not None for rule in own)}


def flat(rules: List[Rule]) -> List[Rule]:
    """All rules, those in anchors too."""
    return [one for rule in rules for one in [rule, *flat(list(rule.inner))]]
