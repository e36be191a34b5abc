# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``nft -j list ruleset`` says, as immutable values: tables, chains, rules and the elements of named sets. Pure."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Tuple

COMMENT_PREFIX = "hafirewall.cluster: "

ChainKey = Tuple[str, str, str]  # family, table, chain
TableKey = Tuple[str, str]
Sets = Dict[TableKey, Dict[str, List[Any]]]


class Rule(NamedTuple):
    """One rule. ``place`` counts from 0 within its chain, ``expr`` is nft's own JSON list, ``text`` nft's own words when they are known."""

    key: ChainKey
    handle: int
    place: int
    comment: str
    expr: Tuple[Dict[str, Any], ...]
    text: str

    @property
    def ours(self) -> bool:
        return self.comment.startswith(COMMENT_PREFIX)

    @property
    def name(self) -> str:
        """The comment without the prefix, for rules of this collection (``engine in``)."""
        return self.comment[len(COMMENT_PREFIX):]

    def describe(self) -> str:
        """``inet filter input: udp dport 5 drop``"""
        return "%s: %s" % (" ".join(self.key), self.text or "rule %d" % (self.place + 1))


class Chain(NamedTuple):
    """One chain. A chain that no hook calls has ``hook`` None; ``devices`` is filled for ingress and egress hooks."""

    key: ChainKey
    kind: Optional[str]
    hook: Optional[str]
    priority: int
    policy: str
    devices: FrozenSet[str]
    rules: Tuple[Rule, ...]

    @property
    def family(self) -> str:
        return self.key[0]

    @property
    def ours(self) -> Tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.ours)


class Ruleset(NamedTuple):
    """All of it. ``sets`` holds the elements of named sets and maps; ``owned`` the tables that only their owner process may change."""

    chains: Dict[ChainKey, Chain]
    sets: Sets
    owned: FrozenSet[TableKey]

    def base_chains(self, hooks: Tuple[str, ...]) -> List[Chain]:
        """Chains called by these hooks, in the order in which a packet meets them."""
        found = [chain for chain in self.chains.values() if chain.hook in hooks]
        return sorted(found, key=lambda chain: (hooks.index(str(chain.hook)), chain.priority))

    def our_rules(self) -> List[Rule]:
        return [rule for chain in self.chains.values() for rule in chain.ours]


class Listing(NamedTuple):
    """What only the text form of ``nft -a list ruleset`` tells (the JSON of nft 1.0.6 leaves it out)."""

    texts: Dict[Tuple[str, str, str, int], str]
    devices: Dict[ChainKey, FrozenSet[str]]
    flags: Dict[TableKey, FrozenSet[str]]


def parse(text: str, listing: Optional[Listing] = None) -> Ruleset:
    """The ruleset of ``nft -j list ruleset``, with rule texts, devices and table flags from :func:`parse_listing` when it is given.

    Chains of a dormant table are left out: no packet meets them.

    Raises:
        ValueError: the text is not nft's JSON.
    """
    listing = listing or Listing({}, {}, {})
    chains: Dict[ChainKey, Dict[str, Any]] = {}
    rules: Dict[ChainKey, List[Rule]] = {}
    sets: Sets = {}
    for item in json.loads(text)["nftables"]:
        (kind, body), = item.items()
        if kind == "chain":
            chains[(body["family"], body["table"], body["name"])] = body
        elif kind in ("set", "map"):
            sets.setdefault((body["family"], body["table"]), {})[body["name"]] = body.get("elem", [])
        elif kind == "rule":
            key = (body["family"], body["table"], body["chain"])
            known = rules.setdefault(key, [])
            known.append(Rule(key, body["handle"], len(known), body.get("comment", ""), tuple(body["expr"]), listing.texts.get(key + (body["handle"],), "")))
    asleep = {table for table, flags in listing.flags.items() if "dormant" in flags}
    return Ruleset(
        {key: _chain(key, body, tuple(rules.get(key, ())), listing) for key, body in chains.items() if key[:2] not in asleep},
        sets, frozenset(table for table, flags in listing.flags.items() if "owner" in flags))


def _chain(key: ChainKey, body: Dict[str, Any], rules: Tuple[Rule, ...], listing: Listing) -> Chain:
    stated = body.get("dev", ())
    devices = frozenset([stated] if isinstance(stated, str) else stated) or listing.devices.get(key, frozenset())
    return Chain(key, body.get("type"), body.get("hook"), int(body.get("prio", 0)), body.get("policy", "accept"), devices, rules)


_TABLE = re.compile(r"^table (\S+) (\S+) \{")
_CHAIN = re.compile(r"^\tchain (\S+) \{")
_HOOK_DEVICES = re.compile(r"^\t\ttype \S+ hook \S+ (?:device (\S+)|devices = \{([^}]*)\})")
_RULE = re.compile(r"^\t\t(\S.*) # handle (\d+)$")
_FLAGS = re.compile(r"^\tflags (\S+)")


def parse_listing(text: str) -> Listing:
    """Rule texts (without counters' figures), devices of hooks and flags of tables out of ``nft -a list ruleset``."""
    texts: Dict[Tuple[str, str, str, int], str] = {}
    devices: Dict[ChainKey, FrozenSet[str]] = {}
    flags: Dict[TableKey, FrozenSet[str]] = {}
    table, chain = ("", ""), ""
    for line in text.splitlines():
        started = _TABLE.match(line)
        if started:
            table, chain = (started.group(1), started.group(2)), ""
        elif line == "\t}":
            chain = ""
        elif _CHAIN.match(line):
            chain = str(_CHAIN.match(line).group(1))  # type: ignore[union-attr]
        elif not chain:
            flagged = _FLAGS.match(line)
            if flagged:
                flags[table] = frozenset(flagged.group(1).split(","))
        else:
            hooked, rule = _HOOK_DEVICES.match(line), _RULE.match(line)
            if hooked:
                devices[table + (chain,)] = frozenset(name.strip(' "') for name in (hooked.group(1) or hooked.group(2)).split(","))
            elif rule:
                texts[table + (chain, int(rule.group(2)))] = re.sub(r"counter packets \d+ bytes \d+", "counter", rule.group(1))
    return Listing(texts, devices, flags)


def content(rule: Rule) -> str:
    """A rule's comment and expressions as comparable text; the figures of its counters are left out."""
    return json.dumps([rule.comment, [{"counter": None} if "counter" in part else part for part in rule.expr]], sort_keys=True)


def counted(rule: Rule) -> Tuple[Optional[int], Optional[int]]:
    """Packets and bytes that the rule's own counter shows; None when it has none."""
    for part in rule.expr:
        figures = part.get("counter")
        if isinstance(figures, dict):
            return figures.get("packets"), figures.get("bytes")
    return None, None
