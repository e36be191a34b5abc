# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence about the pass rule: what the ruleset in force does with pfsync's packets, and whether a reload keeps it so."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf_ruleset
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_ruleset import Rule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_verdict import (
    DEFAULT,
    EVERYBODY,
    PROTOCOLS,
    Network,
    Packet,
    Scene,
    Way,
    among,
    on,
    shown,
    verdict,
    ways,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pfsync import MULTICAST, MULTICAST_V6
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

_MOST_ANCHORS = 16  # that are read for one call; users of a VPN may have one each
_MOST_MEMBERS = 1000  # of a table that is read whole
MAYBE = "may be dropped, not understood: "
LINK_LOCAL: Network = ipaddress.ip_network("fe80::/10")


class Sync(NamedTuple):
    """Where pfsync's packets go: ``key`` is a product's own name of the interface, None on a system without such; ``network`` is that of the members, and
    ``peer`` None for multicast, or where ``unicast`` says that it is one and nothing tells which."""

    device: str
    key: Optional[str]
    network: Optional[str]
    peer: Optional[str]
    unicast: bool = False

    @property
    def members(self) -> List[Network]:
        """Where packets of members come from. To IPv6's group, which is of the link, the kernel sends from an address of the link (RFC 6724, rule 2)."""
        network = ipaddress.ip_network(self.network or "", strict=False)
        return [network, LINK_LOCAL] if network.version == 6 and self.one is None and not self.unicast else [network]

    @property
    def one(self) -> Optional[str]:
        """The peer, where it is one and no group."""
        peer = None if self.peer is None else self.peer.partition("%")[0]  # older Pythons know no zones
        return None if peer is None or ipaddress.ip_address(peer).is_multicast else peer


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
        return [ipaddress.ip_network(re.sub(r"%[^/]*", "", word), strict=False) for word in words]
    except ValueError:
        return None


def observe(running: bool, rules: Sequence[Rule], around: Scene, sync: Optional[Sync],
            kept: Callable[[Sequence[Rule], Sync], Tuple[bool, List[str]]], skipped: bool = False) -> Dict[str, Any]:
    """The ``pass_rule`` evidence.

    Args:
        running: the packet filter is on.
        rules: the ruleset in force.
        around: what it refers to.
        sync: where the packets go; None when that is not known.
        kept: of the rules that are meant by ``present``: whether a reload keeps one, and why not.
        skipped: ``set skip`` has the packet filter look at nothing on that device.
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
    decided = [(packet.direction, [DEFAULT]) for packet in _packets(sync, around)] if skipped else decide(rules, around, sync)
    verdicts = [verdict(one) for _direction, one in decided]
    own = [rule for rule in rules if narrow(rule, sync, around)]
    found["effective"] = False if "block" in verdicts else None if None in verdicts else True
    found["blockers"] = blockers(decided)
    found["present"] = bool(own)
    found["rules"] = [{"table": "pf", "chain": None, "position": rule.number, "name": rule.tracker, "packets": rule.packets, "bytes": rule.octets}
                      for rule in own]
    found["broader"] = ["set skip on %s: pf passes everything there" % sync.device] if skipped else _broader(rules, sync, around)
    found["persistent"], found["reasons"] = kept(own, sync)
    return found


Decided = Sequence[Tuple[str, Sequence[Way]]]


def decide(rules: Sequence[Rule], around: Scene, sync: Sync) -> Decided:
    """With their direction, the ways that it can go with the members' packets."""
    return [(packet.direction, ways(rules, packet, around)) for packet in _packets(sync, around)]


def blockers(decided: Decided) -> List[str]:
    """What drops them, or may."""
    return ["%s%s (%s)" % ("" if verdict(found) == "block" else MAYBE, way.describe(), direction)
            for direction, found in decided for way in found if way.action != "pass"]


def _packets(sync: Sync, around: Scene) -> List[Packet]:
    network = ipaddress.ip_network(sync.network or "", strict=False)
    link = around.links.get(sync.device)
    held = [ipaddress.ip_interface(address.text) for address in (link.addresses if link else ()) if address.vhid is None]
    own = [ipaddress.ip_network(one.ip) for one in held if one.version == network.version]
    # Every member but this node itself: rules against borrowed addresses name its own as a source.
    members = [[ipaddress.ip_network(sync.one)]] if sync.one is not None else [_without([one], own) for one in sync.members]
    group = ipaddress.ip_network(MULTICAST if network.version == 4 else MULTICAST_V6)
    to_one = sync.one is not None or sync.unicast
    linked = [one for one in own if LINK_LOCAL in sync.members and among([LINK_LOCAL], one)]
    here = next(iter(linked or [one for one in own if among([network], one)] or own), None)
    out = group if not to_one else members[0][0] if sync.one is not None else network
    inside = here if to_one and here is not None else group
    return [Packet("in", sync.device, sources, inside) for sources in members] + ([Packet("out", sync.device, [here], out)] if here is not None else [])


def _without(networks: Sequence[Network], taken: Sequence[Network]) -> List[Network]:
    left = list(networks)
    for one in taken:
        left = [rest for part in left for rest in (part.address_exclude(one)  # type: ignore[arg-type]
                                                   if one.version == part.version and one.subnet_of(part) else [part])]  # type: ignore[arg-type]
    return left


def narrow(rule: Rule, sync: Sync, around: Scene) -> bool:
    """Whether a rule passes the members' pfsync on the Sync interface and nothing else."""
    version = sync.members[0].version
    # Last what may have tables read.
    return rule.action == "pass" and rule.direction in (None, "in") and rule.family in (None, "inet" if version == 4 else "inet6") \
        and not rule.conditions and on(rule.interface or "", sync.device, around.links) and rule.protocol in PROTOCOLS and not _excess(rule, sync, around)


def _excess(rule: Rule, sync: Sync, around: Scene) -> List[str]:
    """In which ways a rule is broader than needed."""
    found = [] if rule.protocol in PROTOCOLS else ["any protocol"]
    found += [] if from_network(rule.source, sync) or _from_alias(rule.source, sync, around) else ["from %s" % rule.source]
    return found + ([] if rule.interface is not None and not rule.elsewhere else ["on any interface"])


def from_network(source: str, sync: Sync) -> bool:
    """Whether a source, as pfctl prints it, is nothing but the Sync network: written as such, or by the product's own table of the interface's network."""
    try:
        return bool(among(sync.members, ipaddress.ip_network(source, strict=False)))
    except (ValueError, TypeError):
        table = sync.key is not None and re.fullmatch(r"<%s__NETWORK(:\d+)?>" % re.escape(sync.key.upper()), source) is not None
        return table or source in ("(%s:network)" % sync.device, "(%s:network:1)" % sync.device)


def _from_alias(source: str, sync: Sync, around: Scene) -> bool:
    """Whether a source is a table that has members in the Sync network, and nobody else."""
    table = re.fullmatch(r"<([^:>]+)(?::\d+)?>", source)
    others = [rest for everybody in EVERYBODY.values() for rest in _without([everybody], sync.members)]
    return table is not None and any(around.table(table[1], one) is not False for one in sync.members) \
        and all(around.table(table[1], one) is False for one in others)


def _broader(rules: Sequence[Rule], sync: Sync, around: Scene) -> List[str]:
    """Rules that decide about pfsync on the Sync interface, from members or from anybody else, and pass more than is needed."""
    packets = [packet for packet in _packets(sync, around) if packet.direction == "in"]
    packets += [packet._replace(sources=_without([EVERYBODY[packet.destination.version]], sync.members)) for packet in packets]
    found = {}
    for packet in packets:
        for way in ways(rules, packet, around):
            if way.action == "pass" and way.rule is None:
                found[""] = "no rule matches, and then pf passes everything"
            elif way.action == "pass" and way.rule is not None and _excess(way.rule, sync, around):
                found[shown(way.rule)] = "%s (%s)" % (shown(way.rule), ", ".join(_excess(way.rule, sync, around)))
    return list(found.values())
