# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which chains the pass rules belong in, and the texts that put them there: the managed file, the line that includes it, the live change. Pure."""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_match import Packet
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_rules import PassRule, fitting, packets_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_ruleset import Chain, ChainKey, Rule, Ruleset, content
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_verdict import ACCEPT, concerns, judge_chain, reachable

INCLUDE_PATH = "/etc/nftables.d/hafirewall.nft"
# A pattern, because nft accepts a pattern that matches nothing: a lost file must not keep the whole ruleset from loading at boot.
INCLUDE_LINE = 'include "/etc/nftables.d/hafirewall.nf[t]" # Managed by hafirewall.cluster: keep this line last'
_OUR_LINE = re.compile(r'^\s*include\s.*Managed by hafirewall\.cluster')
_DIRECTIONS = {"input": "in", "output": "out"}

_REFERENCES = (("inet", "hafirewall", "reference"), ("ip", "hafirewall", "reference"), ("ip6", "hafirewall", "reference"))

Placement = Dict[ChainKey, List[PassRule]]
Forms = Dict[Tuple[str, str], str]


def needed(ruleset: Ruleset, rules: Sequence[PassRule]) -> Placement:
    """The base chains that could drop some of the traffic, were it not accepted first, each with the rules for its hook and family."""
    found: Placement = {}
    for chain in ruleset.base_chains(("input", "output")):
        suited = fitting(rules, chain.key, [_DIRECTIONS[str(chain.hook)]])
        if any(restricts(ruleset, chain, packet) for packet in packets_of(suited)):
            found[chain.key] = suited
    return found


def restricts(ruleset: Ruleset, chain: Chain, packet: Packet) -> bool:
    """Whether a base chain can drop this packet when nothing accepts it first; not understood counts as yes."""
    return concerns(chain, packet) and judge_chain(ruleset, chain, packet, ignore_accepts=True).verdict != ACCEPT


def stated(ruleset: Ruleset, rules: Sequence[PassRule], keys: Iterable[ChainKey]) -> Placement:
    """The rules for chains that were named: those for the hooks that lead there."""
    found: Placement = {}
    for key in keys:
        if key in ruleset.chains:
            hooks = {_DIRECTIONS[str(chain.hook)] for chain in ruleset.base_chains(("input", "output")) if key in reachable(ruleset, chain.key)}
            suited = fitting(rules, key, hooks)
            if suited:
                found[key] = suited
    return found


def foreign(ruleset: Ruleset, key: ChainKey, boot: Optional[Ruleset]) -> Optional[str]:
    """Who else keeps this live chain and would be disturbed by foreign rules in it; None when rules may be put there."""
    if key[:2] in ruleset.owned:
        return "the program that owns its table"
    if boot is not None and key in boot.chains:
        return None
    if key[1] == "firewalld":
        return "firewalld"
    if key[0] in ("ip", "ip6") and key[1] in ("filter", "raw", "mangle", "security") and key[2].isupper():
        return "iptables (or ufw, which uses it)"
    return None


def include_text(placement: Placement) -> Optional[str]:
    """The managed file; None when there is nothing to place.

    Each chain is declared before rules go into it. Declaring adds nothing to a chain that is there, and gives a chain that has been renamed or removed
    since an empty one that no hook calls: the file loads in any case, so it can never keep a node from loading its own ruleset at boot.
    """
    if not placement:
        return None
    lines = ["# Managed by hafirewall.cluster: lets the cluster's own traffic in and out; changes here are overwritten."]
    for key, rules in placement.items():
        family, table, chain = key
        lines += ["", "table %s %s {" % (family, table), "\tchain %s {" % chain, "\t}", "}"]
        lines += inserts(key, rules)
    return "\n".join(lines) + "\n"


def inserts(key: ChainKey, rules: Sequence[PassRule]) -> List[str]:
    """Commands that put the rules at the head of the chain, in their order."""
    return ["insert rule %s %s %s %s" % (key + (rule.text,)) for rule in reversed(rules)]


def configuration(text: str, included: bool, elsewhere: bool) -> str:
    """The ruleset file with the include line last, or without it.

    Args:
        text: the file as it is.
        included: the managed file is to be loaded.
        elsewhere: another include of the user's (``/etc/nftables.d/*.nft``) loads it already, so a line of ours would double the rules.
    """
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if not _OUR_LINE.match(line)]
    if not included or elsewhere:
        return "".join(kept)
    if len(kept) < len(lines) and _OUR_LINE.match(next(line for line in reversed(lines) if line.strip())):
        return text
    body = "".join(kept)
    return body + ("" if body.endswith("\n") or not body else "\n") + INCLUDE_LINE + "\n"


def has_our_line(text: str) -> bool:
    return any(_OUR_LINE.match(line) for line in text.splitlines())


def without_our_line(text: str) -> str:
    return configuration(text, included=False, elsewhere=False)


def reference_text(rules: Sequence[PassRule]) -> str:
    """A ruleset that holds the rules in a chain of each family, to learn how this node's nft prints them."""
    lines: List[str] = []
    for key in _REFERENCES:
        lines += ["table %s %s {" % key[:2], "\tchain %s {" % key[2], "\t}", "}"] + inserts(key, fitting(rules, key, ("in", "out")))
    return "\n".join(lines) + "\n"


def printed(reference: Ruleset, rules: Sequence[PassRule]) -> Forms:
    """(family, rule text) -> comparable content, from the loaded :func:`reference_text` of the same rules."""
    forms: Forms = {}
    for key in _REFERENCES:
        for place, wanted in enumerate(fitting(rules, key, ("in", "out"))):
            forms[(key[0], wanted.text)] = content(reference.chains[key].rules[place])
    return forms


def stale(ruleset: Ruleset, placement: Placement, forms: Forms) -> List[ChainKey]:
    """Chains whose rules of ours differ from what is wanted: in content, number or order, or because something before them does not let the traffic pass."""
    found = []
    for key, chain in ruleset.chains.items():
        rules = placement.get(key, [])
        differ = [content(rule) for rule in chain.ours] != [forms[(key[0], rule.text)] for rule in rules]
        if differ or rules and not _leads(chain) and not _passes(ruleset, chain, rules):
            found.append(key)
    return found


def _leads(chain: Chain) -> bool:
    return [rule.place for rule in chain.ours] == list(range(len(chain.ours)))


def _passes(ruleset: Ruleset, chain: Chain, rules: Sequence[PassRule]) -> bool:
    bases = [chain] if chain.hook else [base for base in ruleset.base_chains(("input", "output")) if chain.key in reachable(ruleset, base.key)]
    packets = packets_of(rules)
    return all(judge_chain(ruleset, base, packet).verdict == ACCEPT for base in bases for packet in packets
               if concerns(base, packet) and _DIRECTIONS[str(base.hook)] == packet.direction)


def live_change(ruleset: Ruleset, keys: Iterable[ChainKey], placement: Placement) -> str:
    """One transaction that replaces our rules in these chains: nothing of anyone else is touched, and no packet meets a half-changed chain."""
    commands: List[str] = []
    for key in keys:
        commands += ["delete rule %s %s %s handle %d" % (key + (rule.handle,)) for rule in ruleset.chains[key].ours]
        commands += inserts(key, placement.get(key, []))
    return "; ".join(commands)


def names(rules: Iterable[Rule]) -> List[str]:
    """The rules by name and place."""
    return ["%s (rule %d)" % (rule.name, rule.place + 1) for rule in rules]
