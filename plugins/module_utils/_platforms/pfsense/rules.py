# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of the product's configuration. Pure: which of them decide about pfsync, in which order, and how one is put in or taken out.

The product asks floating rules first, then those of groups of interfaces, then those of the interface in their order, where the first that matches decides.
A separator stands in front of the rule of its number, counted on its interface.
"""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.operations import MARK, Operation, insert, put, take

RULES, SEPARATORS = ("filter", "rule"), ("filter", "separator")
PROTOCOL = "pfsync"
DESCRIPTION = MARK + "state sync"
# Numbers that neither the product's own rules have, nor those that people make before 2033, for theirs are seconds since 1970. All fit into 31 bits.
_FIRST, _COUNT = 2000000000, 147000000
# What makes a rule match less, or not always; each counts when it is not empty.
_CONDITIONS = ("tagged", "max", "max-src-nodes", "max-src-conn", "max-src-states", "max-src-conn-rate", "max-src-conn-rates", "os", "sched", "gateway", "dscp",
               "vlanprio", "dnpipe", "defaultqueue")

Rule = Dict[str, Any]
Network = ipaddress.IPv4Network


def made(key: str, tracker: str, stamp: Mapping[str, str]) -> Rule:
    """The pass rule as the product's own page would write it.

    Args:
        key: of the Sync interface.
        tracker: its number.
        stamp: ``time`` and ``username`` of who makes it.
    """
    empty = dict.fromkeys(("tag", "tagged", "max", "max-src-nodes", "max-src-conn", "max-src-states", "statetimeout"), "")
    return {"id": "", "tracker": tracker, "type": "pass", "interface": key, "ipprotocol": "inet", **empty, "statetype": "keep state", "os": "",
            "protocol": PROTOCOL, "source": {"network": key}, "destination": {"any": ""}, "descr": DESCRIPTION, "updated": dict(stamp), "created": dict(stamp)}


def is_ours(rule: Any) -> bool:
    """Whether this collection made it."""
    return isinstance(rule, dict) and str(rule.get("descr", "")).startswith(MARK)


def is_pass_rule(rule: Rule, key: str, network: Network) -> bool:
    """Whether it passes pfsync from the Sync network to any on the Sync interface: not less, and nothing else."""
    return "disabled" not in rule and "floating" not in rule and rule.get("interface") == key and rule.get("type", "pass") == "pass" \
        and rule.get("protocol") == PROTOCOL and rule.get("ipprotocol", "inet") == "inet" and _is_network(rule.get("source"), key, network) \
        and rule.get("destination") == {"any": ""} and not any(rule.get(name) for name in _CONDITIONS)


def _is_network(end: Any, key: str, network: Network) -> bool:
    return end in ({"network": key}, {"address": str(network)})


def may_drop(rule: Rule, network: Network) -> bool:
    """Whether it may drop what comes in of the members' pfsync, or send it elsewhere. What cannot be told without more (aliases, schedules) may."""
    inbound = "floating" not in rule or ("quick" in rule and rule.get("direction") != "out")
    return inbound and "disabled" not in rule and (rule.get("type") in ("block", "reject") or (rule.get("type") != "match" and bool(rule.get("gateway")))) \
        and rule.get("protocol") in (None, "", "any", PROTOCOL) and rule.get("ipprotocol") != "inet6" and not _is_apart(rule.get("source"), network)


def _is_apart(end: Any, network: Network) -> bool:
    """Whether an end of a rule is written as an address that has nothing of the network."""
    if not isinstance(end, dict) or "not" in end:
        return False
    try:
        other = ipaddress.ip_network(end.get("address") or "", strict=False)
    except ValueError:
        return False
    return not isinstance(other, ipaddress.IPv4Network) or not network.overlaps(other)


def before_all(rules: Sequence[Any], key: str, groups: Sequence[str], network: Network) -> List[Rule]:
    """Rules that no rule of the interface can be put in front of, and that may drop the members' pfsync: floating ones, and those of its groups."""
    def is_first(rule: Rule) -> bool:
        return _floats_over(rule, key, groups) or ("floating" not in rule and rule.get("interface") in groups)

    return [rule for rule in rules if isinstance(rule, dict) and may_drop(rule, network) and is_first(rule)]


def _floats_over(rule: Rule, key: str, groups: Sequence[str]) -> bool:
    names = str(rule.get("interface") or "any").split(",")
    return "floating" in rule and bool({"any", key, *groups} & set(names))


def free_tracker(rules: Sequence[Any], key: str) -> str:
    """A number that no rule has, the same on each node and in each run as long as their rules are."""
    taken = {str(rule.get("tracker") or "").lstrip("0") for rule in rules if isinstance(rule, dict)}
    number = _FIRST + int(hashlib.sha256(("%s on %s" % (PROTOCOL, key)).encode("utf-8")).hexdigest()[:12], 16) % _COUNT
    while str(number) in taken:
        number += 1
    return str(number)


class Table:
    """The rules while operations on them are collected, each planned on what those before it leave."""

    def __init__(self, rules: Any, separators: Any) -> None:
        self.rules: List[Any] = list(rules or [])
        self.operations: List[Operation] = []
        # "sep0" -> number, by interface; what is no separator of the product is passed over.
        self._separators = {key: dict(_numbers(found)) for key, found in (separators or {}).items()}

    def on(self, key: str) -> List[int]:
        """The places of the rules of an interface, in their order."""
        return [place for place, rule in enumerate(self.rules) if isinstance(rule, dict) and "floating" not in rule and rule.get("interface") == key]

    def ours(self) -> List[int]:
        """The places of the rules that this collection made."""
        return [place for place, rule in enumerate(self.rules) if is_ours(rule)]

    def add(self, rule: Rule, place: Optional[int]) -> None:
        """Put a rule in front of the one at that place, or at the end of its interface."""
        before = None if place is None else self._identity(place)
        place = len(self.rules) if place is None else place
        self.operations.append(insert(RULES, rule, {"tracker": rule["tracker"]}, before))
        self.rules.insert(place, rule)
        self._shift(place, 1)

    def remove(self, place: int) -> Rule:
        """Take a rule out."""
        rule, following = self.rules[place], place + 1
        self.operations.append(take((*RULES, self._identity(place)), rule, self._identity(following) if following < len(self.rules) else None))
        self._shift(place, -1)
        del self.rules[place]
        return rule

    def has_own_tracker(self, place: int) -> bool:
        """Whether it has a tracker, and no other rule has the same."""
        tracker = self.rules[place].get("tracker")
        return bool(tracker) and sum(isinstance(rule, dict) and rule.get("tracker") == tracker for rule in self.rules) == 1

    def _identity(self, place: int) -> Mapping[str, Any]:
        rule = self.rules[place]
        if isinstance(rule, dict) and self.has_own_tracker(place):
            return {"tracker": rule["tracker"]}
        if not isinstance(rule, dict) or self.rules.count(rule) > 1:
            raise NodeError("rule %d of the configuration cannot be told from the others, so no rule can be put or taken in front of it; delete it if it is a "
                            "copy, or save it in Firewall > Rules, so that it gets a tracker of its own" % (place + 1))
        return rule

    def _shift(self, place: int, by: int) -> None:
        """Move the separators behind the rule at that place; one directly in front of it stays."""
        if "floating" in self.rules[place]:
            return  # none of ours ever is, unless a person made it so
        key = str(self.rules[place].get("interface") or "")
        number = sum(other < place for other in self.on(key))
        rows = self._separators.get(key.lower(), {})
        for name, row in rows.items():
            if row > number:
                rows[name] = row + by
                self.operations.append(put((*SEPARATORS, key.lower(), name, "row"), ["fr%d" % rows[name]], ["fr%d" % row]))


def _numbers(separators: Any) -> Iterator[Any]:
    for name, separator in (separators if isinstance(separators, dict) else {}).items():
        row = separator.get("row") if isinstance(separator, dict) else None
        if isinstance(row, list) and len(row) == 1 and str(row[0])[:2] == "fr" and str(row[0])[2:].isdigit():
            yield name, int(row[0][2:])
