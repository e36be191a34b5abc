# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The LAGGs of a cluster: one name, one order and one protocol on all nodes, members for each node, and what moves. Pure and deterministic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings, Problem
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg import refuse
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.layout import Group, Seat, Seats, group, read_seats
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.names import Names
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.need import Need, devices, need
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.offer import Offer, offers
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import DEFAULT_PROTOCOL, PROTOCOLS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.riders import Rider, Shift, renamed, riders, shifts
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.wanted import Wanted, merged
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import LaggSettings, Model, Node
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_nodes import judge_devices


@dataclass(frozen=True)
class Move:
    """What is to be done on one node for one LAGG.

    Attributes:
        changes: in words, what becomes of the LAGG itself; empty when only devices move.
        shifts: the devices that move, in this order.
        riders: what rides on them.
    """

    node: str
    lagg: str
    interfaces: tuple[str, ...]
    changes: tuple[str, ...]
    shifts: tuple[Shift, ...]
    riders: tuple[Rider, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return {"node": self.node, "lagg": self.lagg, "interfaces": list(self.interfaces), "changes": list(self.changes),
                "devices": [shift.as_dict() for shift in self.shifts], "riders": [rider.as_dict() for rider in self.riders]}


@dataclass(frozen=True)
class LaggPlan:
    """The plan of one cluster.

    Attributes:
        needed: whether anything is to be done, or would have to be done and shall not be (``never``).
        reason: why, in words.
        wanted: all LAGGs that the intent asks for, also those that are as wanted already; empty after a refusal.
        moves: what is not yet as wanted, the node to be changed first before the others; empty after a refusal.
        refused, warnings: in the form of the other rules.
        now, names: the device of each (host, logical interface), now and when all is done.
        vlans: by (host, LAGG), the VLANs that are on it when all is done, as (name, tag).
        offers: what would rename devices instead, where a node's system can and names matter; also after a refusal.
    """

    needed: bool
    reason: str
    wanted: tuple[Wanted, ...]
    moves: tuple[Move, ...]
    refused: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    now: Mapping[tuple[str, str], str]
    names: Mapping[tuple[str, str], str]
    vlans: Mapping[tuple[str, str], tuple[tuple[str, int], ...]]
    offers: tuple[Offer, ...] = ()

    @property
    def open(self) -> tuple[Wanted, ...]:
        """The LAGGs that are not yet as wanted on every node."""
        moving = {move.lagg for move in self.moves}
        return tuple(lagg for lagg in self.wanted if lagg.name in moving)

    def as_dict(self) -> dict[str, Any]:
        """What ``make lagg-plan`` prints."""
        return {"needed": self.needed, "reason": self.reason, "laggs": [lagg.as_dict() for lagg in self.open],
                "moves": [move.as_dict() for move in self.moves], "refused": [problem.as_dict() for problem in self.refused]}

    def options(self, host: str) -> dict[str, Any]:
        """The options of the module ``lagg`` on one node: all LAGGs that it shall have, in the order in which to make them.

        Each has ``name``, ``protocol``, ``members`` (the primary first), ``primary`` (with failover), ``hash``, ``lacp_rate``, ``mtu`` (of the members
        first) and ``min_links`` (null: left as they are), ``consent`` (the path that Ansible came in by may be moved), ``vlans`` (``name`` and ``id`` of
        all that are on it when all is done) and ``moves`` (``from_device``, ``to_device``, ``vlan``, ``addresses``, ``virtual``, ``management``; what is
        not yet on it, in this order). A LAGG that exists and differs in its members or settings only has no moves.
        """
        moving = {move.lagg: move.shifts for move in self.moves if move.node == host}
        return {"laggs": [{
            **lagg.options(host), "vlans": [{"name": name, "id": tag} for name, tag in self.vlans.get((host, lagg.name), ())],
            "moves": [shift.as_dict() for shift in moving.get(lagg.name, ())],
        } for lagg in self.wanted if host in lagg.members]}


def plan_laggs(model: Model) -> LaggPlan:
    """Plan the LAGGs of a cluster, from its intent and the evidence of its nodes. What cannot be is in ``refused``, all of it at once."""
    findings = Findings()
    seats = read_seats(model)
    now = {(seat.node.host, seat.interface): seat.carrier for own in seats.values() for seat in own}
    if not refuse.platforms(model, findings):
        return LaggPlan(False, "not judged: see what is refused", (), (), tuple(findings.errors), (), now, now, {})
    judged = need(model, seats)
    for node in model.nodes:
        judge_devices(node, findings.at(node.host))
    refuse.settings(model, findings)
    wanted = _wanted(model, seats, judged, findings)
    refuse.members(model, wanted, seats, findings)
    refuse.renaming(wanted, seats, findings)
    refuse.order(model, wanted, findings)
    moves = [move for node in model.ranked for lagg in wanted if node.host in lagg.members for move in _move(model, node, lagg, seats)]
    refuse.lengths(moves, wanted, findings)
    refuse.management(model, moves, wanted, seats, findings)
    offered = offers(model, seats, [name for name in seats if judged.why.get(name) == "auto" or name in judged.missed])
    for name in judged.missed:
        findings.at().warn(f"hafirewall_cluster.laggs.{name}.required", f"{name} is {devices(seats[name])}, and shall have no LAGG; {judged.matters}",
                           f"choose auto, {'rename the devices as lagg_plan tells in its text, ' if offered else ''}"
                           "or accept that a failover loses its connections")
    refused = tuple(dict.fromkeys(findings.errors))
    needed = bool(moves or judged.missed or (refused and judged.wanted))
    reason = _reason(judged, seats, bool(moves))
    if refused:
        return LaggPlan(needed, reason, (), (), refused, tuple(findings.warnings), now, now, {}, offered)
    names = {**now, **{(seat.node.host, seat.interface): _then(seat, lagg) for lagg in wanted for seat in _riding(lagg.group, seats)}}
    vlans = {(node.host, lagg.name): _vlans(model, node, lagg, seats) for node in model.nodes for lagg in wanted if node.host in lagg.members}
    return LaggPlan(needed, reason, tuple(wanted), tuple(moves), (), tuple(findings.warnings), now, names, vlans, offered)


def _wanted(model: Model, seats: Seats, judged: Need, findings: Findings) -> list[Wanted]:
    """The LAGG of each group, as far as it can be told; what cannot is refused."""
    names = Names(model, seats)
    found = []
    for one in group(seats, judged.wanted):
        if any(seat.absent for own in one.seats.values() for seat in own):
            continue
        settings = merged(model, one, findings)
        protocol = settings.protocol or _existing_protocol(one, findings)
        name = names.choose(one, settings.name, protocol, findings)
        if refuse.grouping(one, findings) and name is not None:
            consent = {seat.interface for seat in _riding(one, seats)} & {name for name, own in model.cluster.laggs.items() if own.move_management}
            found.append(_lagg(one, name, protocol, settings, bool(consent)))
    return found


def _lagg(one: Group, name: str, protocol: str, settings: LaggSettings, consent: bool) -> Wanted:
    members: dict[str, tuple[str, ...]] = {}
    primaries: dict[str, str | None] = {}
    for host, own in one.seats.items():
        stated = next((seat for seat in own if seat.port.members), own[0])
        primary = next((seat.port.primary for seat in own if seat.port.primary is not None), None)
        there = stated.members or ()
        if protocol == "failover" and primary is None and stated.lagg is not None and stated.lagg.primary in there:
            primary = stated.lagg.primary
        members[host] = tuple(sorted(there, key=lambda member: member != primary)) if primary in there else there
        primaries[host] = (primary or next(iter(there), None)) if protocol == "failover" else primary
    return Wanted(name, protocol, one, members, primaries, settings.hash, settings.lacp_rate, settings.mtu, settings.min_links, consent,
                  bool(settings.crossover))


def _existing_protocol(one: Group, findings: Findings) -> str:
    """That of the LAGGs that there are, when they agree."""
    found = {seat.lagg.protocol: seat for own in one.seats.values() for seat in own if seat.lagg is not None and seat.lagg.protocol is not None}
    known = [protocol for protocol in found if protocol in PROTOCOLS]
    if len(found) > 1 or len(known) < len(found):
        told = ", ".join(f"{protocol} on {seat.node.host}" for protocol, seat in found.items())
        findings.at().refuse(f"hafirewall_cluster.laggs.{one.interfaces[0]}.protocol",
                             f"is not stated, and cannot be told from the LAGGs that there are: {told}", "state the protocol that all nodes shall use")
        return DEFAULT_PROTOCOL
    return next(iter(known), DEFAULT_PROTOCOL)


def _riding(one: Group, seats: Seats) -> Iterable[Seat]:
    """Every logical interface that is on the group's ports, also one that asked for no LAGG itself."""
    bases = {(host, base) for host, found in one.bases.items() for base in found}
    return (seat for own in seats.values() for seat in own if (seat.node.host, seat.base) in bases)


def _then(seat: Seat, lagg: Wanted) -> str:
    return renamed(seat.carrier, seat.base, lagg.name)


def _shifts(model: Model, node: Node, lagg: Wanted, seats: Seats) -> list[Shift]:
    """All devices on the LAGG, with the names that they have now."""
    [base] = lagg.group.bases[node.host]
    named = {seat.carrier: _then(seat, lagg) for seat in _riding(lagg.group, seats) if seat.node.host == node.host}
    return shifts(model, node, base, lagg.name, named)


def _vlans(model: Model, node: Node, lagg: Wanted, seats: Seats) -> tuple[tuple[str, int], ...]:
    return tuple((shift.target, shift.vlan) for shift in _shifts(model, node, lagg, seats) if shift.vlan is not None)


def _move(model: Model, node: Node, lagg: Wanted, seats: Seats) -> list[Move]:
    """What one node lacks for one LAGG; nothing when it is as wanted."""
    [base] = lagg.group.bases[node.host]
    moved = [] if base == lagg.name else _shifts(model, node, lagg, seats)
    changes = lagg.changes(node.host, node.evidence.links)
    if not moved and not changes:
        return []
    interfaces = tuple(seat.interface for seat in _riding(lagg.group, seats) if seat.node.host == node.host)
    return [Move(node.host, lagg.name, interfaces, tuple(changes), tuple(moved), tuple(riders(model, node, moved)))]


def _reason(judged: Need, seats: Seats, moving: bool) -> str:
    told = []
    if judged.differing:
        now = [f"{name} ({devices(seats[name])})" for name in judged.differing if len({seat.carrier for seat in seats[name]}) > 1]
        told.append(f"differing devices: {', '.join(now)}" if now else "the names agree on all nodes, by LAGGs or other means")
        told.append(judged.matters)
    else:
        told.append("every logical interface has the same device on all nodes that have it")
    asked = [name for name, required in judged.why.items() if required == "always"]
    if asked:
        told.append(f"asked for whether it matters or not (always): {', '.join(asked)}")
    if judged.missed:
        told.append(f"not to be made (never): {', '.join(judged.missed)}")
    if judged.wanted and not moving:
        told.append("nothing is left to do")
    return "; ".join(told)
