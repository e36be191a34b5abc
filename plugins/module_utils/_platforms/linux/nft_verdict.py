# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a ruleset does with a described packet, and the rule that decides it. Pure; what is not understood is unknown, never guessed."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Set, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_match import ABSENT, Context, Packet, covers, holds, value_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_ruleset import Chain, ChainKey, Rule, Ruleset, Sets

ACCEPT, DROP, UNKNOWN_VERDICT = "accept", "drop", "unknown"
_NEXT = "next"      # the rule decided nothing: the next rule is asked
_RETURN = "return"  # the chain is left: the caller goes on, a base chain's policy decides

IN_HOOKS = ("ingress", "prerouting", "input")
OUT_HOOKS = ("output", "postrouting", "egress")
_CONNTRACK_PRIORITY = -200  # NF_IP_PRI_CONNTRACK: before it every packet looks invalid
_DEEPEST = 16  # the kernel's own limit on jumps

_PASSIVE = frozenset(["counter", "log", "flow", "secmark", "dup", "ct helper", "ct timeout", "ct expectation"])
_UNCERTAIN = frozenset(["limit", "quota", "ct count", "meter", "last"])
_TRANSLATIONS = frozenset(["snat", "dnat", "masquerade", "redirect"])
_TRANSLATED = frozenset("%s %s" % (header, field) for header in ("ip", "ip6", "udp", "tcp", "th") for field in ("saddr", "daddr", "sport", "dport"))
_REJECT_VERSION = {"icmp": 4, "icmpv6": 6}


class Outcome(NamedTuple):
    """One way in which a chain can end: the verdict, and the rule that gives it (None: the chain's policy)."""

    verdict: str
    rule: Optional[Rule]


class ChainVerdict(NamedTuple):
    """What one base chain does: ``verdict`` is accept, drop or unknown; ``outcomes`` the possible ways, in the order of the rules."""

    chain: Chain
    verdict: str
    outcomes: Tuple[Outcome, ...]

    def describe(self, verdict: str) -> str:
        """The first way to a verdict in words: ``inet filter input: tcp dport 5 drop`` or ``inet filter input: policy drop``."""
        chosen = next((outcome for outcome in self.outcomes if outcome.verdict == verdict), self.outcomes[0])
        return chosen.rule.describe() if chosen.rule is not None else "%s: policy %s" % (" ".join(self.chain.key), self.chain.policy)


class Decision(NamedTuple):
    """What the whole ruleset does: accept, drop or unknown, and each base chain's part in it, in the order in which the packet meets them."""

    verdict: str
    chains: Tuple[ChainVerdict, ...]


def decide(ruleset: Ruleset, packet: Packet) -> Decision:
    """Send a packet through all base chains of its direction. One drop is enough for a drop; an accept needs all of them."""
    verdicts: List[ChainVerdict] = []
    altered: FrozenSet[str] = frozenset()
    untracked: Optional[bool] = False
    for chain in ruleset.base_chains(IN_HOOKS if packet.direction == "in" else OUT_HOOKS):
        if not concerns(chain, packet):
            continue
        walk = _Walk(ruleset, packet, altered=altered, untracked=untracked)
        verdicts.append(walk.base(chain))
        altered, untracked = walk.altered, walk.untracked
    found = {verdict.verdict for verdict in verdicts}
    return Decision(DROP if DROP in found else UNKNOWN_VERDICT if UNKNOWN_VERDICT in found else ACCEPT, tuple(verdicts))


def judge_chain(ruleset: Ruleset, chain: Chain, packet: Packet, ignore_accepts: bool = False) -> ChainVerdict:
    """What one base chain does with a packet, as if no other chain were there.

    Args:
        ruleset: where its jumps lead.
        chain: the base chain.
        packet: the packet.
        ignore_accepts: look past every accept (those of this collection too), so that anything but ``accept`` says: this chain can drop the packet,
            were it not accepted first.
    """
    return _Walk(ruleset, packet, ignore_accepts=ignore_accepts).base(chain)


def concerns(chain: Chain, packet: Packet) -> bool:
    """Whether the packet meets this base chain: by family, and by device where a chain hangs on devices that are known."""
    if chain.family == "netdev" or chain.hook in ("ingress", "egress"):
        return not chain.devices or packet.device in chain.devices
    return chain.family in ("inet", "ip" if packet.version == 4 else "ip6")


def can_drop(ruleset: Ruleset, chain: Chain) -> bool:
    """Whether a base chain can drop anything at all: by its policy, or by a rule that it reaches (one that is not understood counts)."""
    return chain.policy == DROP or any(_drops(rule) for key in reachable(ruleset, chain.key) for rule in ruleset.chains[key].rules)


def reachable(ruleset: Ruleset, key: ChainKey) -> Set[ChainKey]:
    """The chain itself and all chains that its jumps lead to, over verdict maps too."""
    found: Set[ChainKey] = set()
    waiting = [key]
    while waiting:
        here = waiting.pop()
        if here in found or here not in ruleset.chains:
            continue
        found.add(here)
        for rule in ruleset.chains[here].rules:
            waiting.extend(here[:2] + (target,) for target in _targets(list(rule.expr), ruleset.sets, here))
    return found


def _targets(part: Any, sets: Sets, here: ChainKey) -> List[str]:
    if isinstance(part, list):
        return [target for item in part for target in _targets(item, sets, here)]
    if not isinstance(part, dict):
        return []
    found = []
    for form, body in part.items():
        if form in ("jump", "goto"):
            found.append(body["target"])
        elif form == "vmap" and isinstance(body["data"], str):
            found.extend(_targets(sets.get(here[:2], {}).get(body["data"][1:], []), sets, here))
        else:
            found.extend(_targets(body, sets, here))
    return found


def _drops(rule: Rule) -> bool:
    text = str(list(rule.expr))
    return any(("'%s': " % word) in text for word in ("drop", "reject", "queue", "xt"))


class _Walk:
    """One packet's way through base chains; remembers what rules may have rewritten."""

    def __init__(self, ruleset: Ruleset, packet: Packet, ignore_accepts: bool = False,
                 altered: FrozenSet[str] = frozenset(), untracked: Optional[bool] = False) -> None:
        self.ruleset = ruleset
        self.packet = packet
        self.ignore_accepts = ignore_accepts
        self.altered = altered
        self.untracked = untracked
        self.early = False

    def base(self, chain: Chain) -> ChainVerdict:
        self.early = chain.hook == "ingress" or chain.hook in ("prerouting", "output") and chain.priority < _CONNTRACK_PRIORITY
        outcomes = tuple(Outcome(chain.policy, None) if way.verdict == _RETURN else way for way in self._chain(chain.key, 0))
        if not chain.devices and chain.hook in ("ingress", "egress"):
            outcomes += (Outcome(ACCEPT, None),)  # its devices are not known, so it may not be met at all
        found = {outcome.verdict for outcome in outcomes}
        return ChainVerdict(chain, found.pop() if len(found) == 1 else UNKNOWN_VERDICT, outcomes)

    def _chain(self, key: ChainKey, depth: int) -> List[Outcome]:
        """All ways out of a chain: accept, drop, unknown, or back to the caller."""
        if key not in self.ruleset.chains or depth > _DEEPEST:
            return [Outcome(UNKNOWN_VERDICT, None)]
        found: List[Outcome] = []
        for rule in self.ruleset.chains[key].rules:
            try:
                ways = self._rule(rule, depth)
            except (LookupError, TypeError, ValueError, AttributeError):  # a form that this nft prints in another way
                ways = [Outcome(UNKNOWN_VERDICT, rule), Outcome(_NEXT, None)]
            found.extend(way for way in ways if way.verdict != _NEXT)
            if all(way.verdict != _NEXT for way in ways):
                return found
        return found + [Outcome(_RETURN, None)]

    def _rule(self, rule: Rule, depth: int) -> List[Outcome]:
        """All ways out of a rule; never empty."""
        context = self._context(rule)
        certain, found = True, []  # type: bool, List[Outcome]
        for statement in rule.expr:
            (form, body), = statement.items()
            if form == "match":
                held = holds(body, context)
                if held is False:
                    return found + [Outcome(_NEXT, None)]
                certain = certain and held is True
            elif form in _UNCERTAIN or form == "set" and body.get("stmt"):
                certain = False
            elif form == "vmap":
                return found + self._map(rule, body, context, certain, depth)
            elif form in ("mangle", "notrack") or form in _TRANSLATIONS:
                self._rewrite(form, body, certain)
                context = self._context(rule)
                if form in _TRANSLATIONS:
                    return found + self._verdict(rule, ACCEPT, None, certain, depth)
            elif form in ("accept", "drop", "reject", "continue", "return", "jump", "goto"):
                return found + self._verdict(rule, form, body, certain, depth)
            elif form not in _PASSIVE and form != "set":
                found.append(Outcome(UNKNOWN_VERDICT, rule))
                certain = False
        return found + [Outcome(_NEXT, None)]

    def _context(self, rule: Rule) -> Context:
        tracked: Optional[str] = self.packet.tracked
        if self.early and tracked != "untracked":
            tracked = "invalid"
        if self.untracked is not False:
            tracked = "untracked" if self.untracked else None
        return Context(self.packet, self.ruleset.sets.get(rule.key[:2], {}), tracked, self.altered)

    def _verdict(self, rule: Rule, form: str, body: Any, certain: bool, depth: int) -> List[Outcome]:
        otherwise = [] if certain else [Outcome(_NEXT, None)]
        if form == "accept":
            return [Outcome(_NEXT, None)] if self.ignore_accepts else [Outcome(ACCEPT, rule)] + otherwise
        if form in ("drop", "reject"):
            # A reject with an ICMP type says by itself which IP version the rule is for; nft 1.0.6 does not print the match.
            version = _REJECT_VERSION.get((body or {}).get("type", "")) if form == "reject" else None
            return [Outcome(_NEXT, None)] if version not in (None, self.packet.version) else [Outcome(DROP, rule)] + otherwise
        if form == "continue":
            return [Outcome(_NEXT, None)]
        if form == "return":
            return [Outcome(_RETURN, None)] + otherwise
        ways = self._chain(rule.key[:2] + (body["target"],), depth + 1)
        back = _NEXT if form == "jump" else _RETURN
        return [Outcome(back, None) if way.verdict == _RETURN else way for way in ways] + otherwise

    def _map(self, rule: Rule, body: Dict[str, Any], context: Context, certain: bool, depth: int) -> List[Outcome]:
        """All ways out of a verdict map: the first element that covers the value decides, those that may cover it may decide."""
        value, data = value_of(body["key"], context), body["data"]
        elements = context.sets.get(data[1:]) if isinstance(data, str) else data.get("set")
        if value is ABSENT:
            return [Outcome(_NEXT, None)]
        if elements is None:
            return [Outcome(UNKNOWN_VERDICT, rule), Outcome(_NEXT, None)]
        found: List[Outcome] = []
        for element, verdict in sorted(elements, key=lambda pair: pair[0] == "*"):
            covered = covers(element, value, context)
            if covered is not False:
                (form, target), = verdict.items()
                found.extend(self._verdict(rule, form, target, certain and covered is True, depth))
            if covered:
                return found
        return found + [Outcome(_NEXT, None)]

    def _rewrite(self, form: str, body: Any, certain: bool) -> None:
        if form == "notrack":
            self.untracked = True if certain else self.untracked or None
        elif form in _TRANSLATIONS:
            self.altered |= _TRANSLATED
        else:
            (kind, target), = body["key"].items()
            self.altered |= {"%s %s" % (target.get("protocol", kind), target.get("field", target.get("key")))}
