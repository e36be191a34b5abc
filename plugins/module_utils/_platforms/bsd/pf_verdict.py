# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the ruleset in force decides about pfsync's packets, and CARP's. Pure.

pf.conf(5): rules are looked at in their order, the last one that matches decides, one with ``quick`` decides at once; without any, a packet passes. A rule of
which it cannot be told whether it matches leaves both ways open, and so a verdict may be open too.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Callable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_ruleset import Rule

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]
PROTOCOLS = ("pfsync", "240")
EVERYBODY: Mapping[int, Network] = {4: ipaddress.ip_network("0.0.0.0/0"), 6: ipaddress.ip_network("::/0")}
_FAMILIES = {4: "inet", 6: "inet6"}


class Packet(NamedTuple):
    """Packets of one direction and one version of IP: they go through ``device``, come from any address of ``sources``, and go to all of ``destination``.
    ``protocol`` has the names that pfctl may print for theirs."""

    direction: str
    device: str
    sources: Sequence[Network]
    destination: Network
    protocol: Sequence[str] = PROTOCOLS


class Scene(NamedTuple):
    """What rules refer to.

    Attributes:
        links: the devices.
        table: by a table's name and a network: whether all of it is in the table; None for a part of it, or when that cannot be told.
        anchor: by the path of an anchor's call: the rules that it leads to; None when they cannot be told.
    """

    links: Mapping[str, Link]
    table: Callable[[str, Network], Optional[bool]]
    anchor: Callable[[str], Optional[List[Rule]]]


class Way(NamedTuple):
    """One way that it can go: ``pass``, ``block`` or ``unknown``, and by which rule; None where no rule matches."""

    action: str
    rule: Optional[Rule]

    def describe(self) -> str:
        """For people."""
        return "no rule matches" if self.rule is None else shown(self.rule)


DEFAULT = Way("pass", None)


def shown(rule: Rule) -> str:
    """A rule for people."""
    return rule.text if rule.number is None else "@%d %s" % (rule.number, rule.text)


def ways(rules: Sequence[Rule], packet: Packet, scene: Scene) -> List[Way]:
    """All ways that it can go; one when the verdict is certain."""
    final, pending = _walk(rules, packet, scene, [DEFAULT], "")
    return final + [way for way in pending if way not in final]


def verdict(found: Sequence[Way]) -> Optional[str]:
    """``pass`` or ``block`` when all ways lead there, else None."""
    actions = {way.action for way in found}
    return next(iter(actions)) if len(actions) == 1 and "unknown" not in actions else None


def _walk(rules: Sequence[Rule], packet: Packet, scene: Scene, pending: List[Way], path: str) -> Tuple[List[Way], List[Way]]:
    """The ways that are decided at once, and those that a later rule may still change; none of the latter when the walk has ended for sure."""
    final: List[Way] = []
    for rule in rules:
        if rule.action not in ("pass", "block", "anchor"):
            continue
        sure = matches(rule, packet, scene)
        if sure is False:
            continue
        if rule.action == "anchor":
            inner_final, then = _call(rule, packet, scene, pending, path)
            final += inner_final
            if rule.quick:
                final += [way for way in then if way not in pending]
        elif rule.quick:
            final.append(_way(rule, packet))
            then = []
        else:
            then = [_way(rule, packet)]
        pending = then if sure else pending + [way for way in then if way not in pending]
        if not pending:
            break
    return final, pending


def _call(rule: Rule, packet: Packet, scene: Scene, pending: List[Way], path: str) -> Tuple[List[Way], List[Way]]:
    inner_path = "%s/%s" % (path, rule.anchor) if path else rule.anchor or ""
    inner: Optional[Sequence[Rule]] = rule.inner or scene.anchor(inner_path)
    if inner is None:
        return [Way("unknown", rule)], pending
    return _walk(inner, packet, scene, pending, inner_path.rstrip("*").rstrip("/"))


def _way(rule: Rule, packet: Packet) -> Way:
    # What is routed elsewhere on its way in never reaches the engine.
    return Way("block" if rule.action == "block" or (packet.direction == "in" and rule.route == "route-to") else "pass", rule)


def matches(rule: Rule, packet: Packet, scene: Scene) -> Optional[bool]:
    """Whether a rule matches all of the packets; None for some of them, or when that cannot be told."""
    if rule.direction not in (None, packet.direction) or rule.family not in (None, _FAMILIES[packet.destination.version]) \
            or rule.protocol not in (None, *packet.protocol):
        return False
    if rule.interface is not None and on(rule.interface, packet.device, scene.links) is rule.elsewhere:
        return False
    found = [source_matches(rule.source, packet.sources, scene), _end_matches(rule.destination, packet.destination, scene)]
    if False in found:
        return False
    return None if None in found or rule.conditions else True


def on(name: str, device: str, links: Mapping[str, Link]) -> bool:
    """Whether a name in a rule means the device: its own, one of its groups, or its driver's."""
    groups = links[device].groups if device in links else ()
    return name in ("any", device, re.sub(r"\d.*$", "", device), *groups)


def source_matches(text: str, sources: Sequence[Network], scene: Scene) -> Optional[bool]:
    """Whether the sources of the packets are among those of a rule."""
    found = {_end_matches(text, source, scene) for source in sources}
    return next(iter(found)) if len(found) == 1 else None


def _end_matches(text: str, network: Network, scene: Scene) -> Optional[bool]:
    if text.startswith("! "):
        inner = _end_matches(text[2:], network, scene)
        return None if inner is None else not inner
    if text == "any":
        return True
    table = re.fullmatch(r"<([^:>]+)(?::(\d+|\*))?>", text)
    if table:
        return False if table[2] == "0" else scene.table(table[1], network)
    if text.startswith("("):
        return _dynamic(text, network, scene.links)
    try:
        if " - " in text:
            first, last = (ipaddress.ip_address(part) for part in text.split(" - "))
            return among(list(ipaddress.summarize_address_range(first, last)), network)  # type: ignore[type-var]
        return among([ipaddress.ip_network(text, strict=False)], network)
    except (TypeError, ValueError):
        return None


def among(wanted: Sequence[Network], network: Network) -> Optional[bool]:
    """Whether all of a network is within others; None for a part of it."""
    same = [one for one in wanted if one.version == network.version]
    if any(network.subnet_of(one) for one in same):  # type: ignore[arg-type]
        return True
    left = [network]
    for one in same:
        left = [rest for part in left for rest in (part.address_exclude(one) if one.subnet_of(part) else [part])]  # type: ignore[arg-type]
    if not left:
        return True
    return None if any(one.overlaps(network) for one in same) else False


def _dynamic(text: str, network: Network, links: Mapping[str, Link]) -> Optional[bool]:
    """``(em2)``, ``(em2:network:1)``, ``(self)``: the addresses that a device has now."""
    name, *words = text.strip("()").split(":")
    devices = list(links.values()) if name == "self" else [link for link in links.values() if name == link.name or name in link.groups]
    words = [word for word in words if not word.isdigit() and word != "*"]
    if not devices or words not in ([], ["network"]):
        return None
    held = [ipaddress.ip_interface(address.text) for link in devices for address in link.addresses]
    return among([one.network if words else ipaddress.ip_network(one.ip) for one in held], network)
