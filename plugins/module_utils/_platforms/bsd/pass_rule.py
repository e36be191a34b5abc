# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence about the pass rule: what the ruleset in force does with pfsync's packets, and whether a reload keeps it so."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf_ruleset
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link, own_address
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_ruleset import Rule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_verdict import (
    EVERYBODY,
    PROTOCOLS,
    Network,
    Packet,
    Scene,
    among,
    on,
    shown,
    verdict,
    ways,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pfsync import MULTICAST
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

_MOST_ANCHORS = 16  # that are read for one call; users of a VPN may have one each
_MOST_MEMBERS = 1000  # of a table that is read whole


class Sync(NamedTuple):
    """Where pfsync's packets go: ``key`` is a product's own name of the interface, None on a system without such; ``network`` is that of the members, and
    ``peer`` None for multicast."""

    device: str
    key: Optional[str]
    network: Optional[str]
    peer: Optional[str]


def unknown() -> Dict[str, Any]:
    """The evidence when nothing could be read: nothing is claimed."""
    return {"filtered": None, "present": None, "persistent": None, "effective": None, "broader": [], "unclear": [], "blockers": [], "rules": [], "reasons": []}


def scene(node: Node, links: Mapping[str, Link]) -> Scene:
    """What the rules refer to, asked for only when a rule does, and once."""
    anchors: Dict[str, Optional[List[Rule]]] = {}
    tables: Dict[str, Optional[List[Network]]] = {}
    names: List[str] = []

    def anchor(path: str) -> Optional[List[Rule]]:
        if path not in anchors:
            if not names:
                names.extend(node.query(["pfctl", "-vsA"]).stdout.split() or [""])
            anchors[path] = _anchor(path, names, lambda name: node.query(["pfctl", "-a", name, "-vvsr"]).stdout)
        return anchors[path]

    def table(name: str, network: Network) -> Optional[bool]:
        if name not in tables:
            tables[name] = _members(node.query(["pfctl", "-t", name, "-T", "show"], ok=None).stdout)
        members = tables[name]
        return None if members is None else among(members, network)

    return Scene(links, table, anchor)


def _anchor(path: str, names: Sequence[str], read: Callable[[str], str]) -> Optional[List[Rule]]:
    """The rules that a call leads to: of the anchor itself, or with a ``*`` of all that are directly in it."""
    pattern = re.escape(path[:-1]) + "[^/]+" if path.endswith("*") else re.escape(path)
    called = [name for name in names if re.fullmatch(pattern, name)]
    if len(called) > _MOST_ANCHORS:
        return None
    return [rule for name in called for rule in pf_ruleset.parse(read(name))]


def _members(listing: str) -> Optional[List[Network]]:
    """The members of a table; None when there are too many, or one that is left out of another."""
    words = listing.split()
    if len(words) > _MOST_MEMBERS:
        return None
    try:
        return [ipaddress.ip_network(word, strict=False) for word in words]
    except ValueError:
        return None


def observe(running: bool, rules: Sequence[Rule], around: Scene, sync: Optional[Sync],
            kept: Callable[[Sequence[Rule], Sync], Tuple[bool, List[str]]]) -> Dict[str, Any]:
    """The ``pass_rule`` evidence.

    Args:
        running: the packet filter is on.
        rules: the ruleset in force.
        around: what it refers to.
        sync: where the packets go; None when that is not known.
        kept: of the rules that are meant by ``present``: whether a reload keeps one, and why not.
    Returns:
        ``filtered``: the packet filter is on. ``present``: a rule passes pfsync on the Sync interface from the Sync network, and nothing else. ``effective``:
        what the members send gets in, and what this node sends gets out (None: not known). ``persistent``: the configuration has the rule too.
        ``blockers``: what drops it, or may. ``broader``: rules that pass pfsync and more. ``rules``: the rules that are meant by ``present``.
    """
    found = unknown()
    found["filtered"] = running
    if not running:
        # Without pf there are no states, and what pfsync receives is passed over without a word.
        return dict(found, effective=False, present=False)
    if sync is None or sync.network is None:
        return found
    packets = _packets(sync, around)
    decided = {packet.direction: ways(rules, packet, around) for packet in packets}
    verdicts = [verdict(one) for one in decided.values()]
    own = [rule for rule in rules if _narrow(rule, sync, around)]
    found["effective"] = False if "block" in verdicts else None if None in verdicts else True
    found["blockers"] = ["%s%s (%s)" % ("" if verdict(one) == "block" else "may be dropped, not understood: ", way.describe(), direction)
                         for direction, one in decided.items() for way in one if way.action != "pass"]
    found["present"] = bool(own)
    found["rules"] = [{"table": "pf", "chain": None, "position": rule.number, "name": rule.tracker, "packets": rule.packets, "bytes": rule.octets}
                      for rule in own]
    found["broader"] = _broader(rules, sync, around)
    found["persistent"], found["reasons"] = kept(own, sync)
    return found


def _packets(sync: Sync, around: Scene) -> List[Packet]:
    link = around.links.get(sync.device)
    own = [ipaddress.ip_network(ipaddress.ip_interface(address.text).ip) for address in (link.addresses if link else ())]
    other = ipaddress.ip_network(sync.peer if sync.peer is not None else MULTICAST)
    # Every member but this node itself: rules against borrowed addresses name its own as a source.
    members = [ipaddress.ip_network(sync.peer)] if sync.peer is not None else _without([ipaddress.ip_network(sync.network or "", strict=False)], own)
    first = own_address(around.links, sync.device)
    here = ipaddress.ip_network(ipaddress.ip_interface(first).ip) if first is not None else None
    inside = here if sync.peer is not None and here is not None else other
    return [Packet("in", sync.device, members, inside)] + ([Packet("out", sync.device, [here], other)] if here is not None else [])


def _without(networks: Sequence[Network], taken: Sequence[Network]) -> List[Network]:
    left = list(networks)
    for one in taken:
        left = [rest for part in left for rest in (part.address_exclude(one)  # type: ignore[arg-type]
                                                   if one.version == part.version and one.subnet_of(part) else [part])]  # type: ignore[arg-type]
    return left


def _narrow(rule: Rule, sync: Sync, around: Scene) -> bool:
    """Whether a rule passes the members' pfsync on the Sync interface and nothing else."""
    return rule.action == "pass" and not _excess(rule, sync) and rule.direction in (None, "in") and rule.family != "inet6" and not rule.conditions \
        and on(rule.interface or "", sync.device, around.links)


def _excess(rule: Rule, sync: Sync) -> List[str]:
    """In which ways a rule is broader than needed."""
    found = [] if rule.protocol in PROTOCOLS else ["any protocol"]
    found += [] if from_network(rule.source, sync) else ["from %s" % rule.source]
    return found + ([] if rule.interface is not None and not rule.elsewhere else ["on any interface"])


def from_network(source: str, sync: Sync) -> bool:
    """Whether a source, as pfctl prints it, is nothing but the Sync network: written as such, or by the product's own table of the interface's network."""
    try:
        return ipaddress.ip_network(source, strict=False).subnet_of(ipaddress.ip_network(sync.network or "", strict=False))  # type: ignore[arg-type]
    except (ValueError, TypeError):
        table = sync.key is not None and re.fullmatch(r"<%s__NETWORK(:\d+)?>" % re.escape(sync.key.upper()), source) is not None
        return table or source in ("(%s:network)" % sync.device, "(%s:network:1)" % sync.device)


def _broader(rules: Sequence[Rule], sync: Sync, around: Scene) -> List[str]:
    """Rules that decide about pfsync on the Sync interface, from members or from anybody else, and pass more than is needed."""
    packets = [packet for packet in _packets(sync, around) if packet.direction == "in"]
    packets += [packet._replace(sources=_without([EVERYBODY], [ipaddress.ip_network(sync.network or "", strict=False)])) for packet in packets]
    found = {}
    for packet in packets:
        for way in ways(rules, packet, around):
            if way.action == "pass" and way.rule is None:
                found[""] = "no rule matches, and then pf passes everything"
            elif way.action == "pass" and way.rule is not None and _excess(way.rule, sync):
                found[shown(way.rule)] = "%s (%s)" % (shown(way.rule), ", ".join(_excess(way.rule, sync)))
    return list(found.values())
