# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a plan of LAGGs must not do, each with its path, what is wrong and what to do."""

from __future__ import annotations

from typing import Iterable, Protocol, Sequence

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.devices import SPELLINGS, refusal
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings, Scope
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.layout import Group, Seats, suffix
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.need import devices
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import MEANT, PLATFORMS, SHARING, SINGLE, Platform, older, release
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.riders import Shift
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.wanted import Wanted
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import LaggSettings, Model, Node

_LAGGS = "hafirewall_cluster.laggs"
_FACES = "hafirewall_node.interfaces"
_LONGEST = 15
# Platforms whose nodes can understand each other's states.
_KIN = ({"linux"}, {"openbsd"}, {"freebsd", "pfsense", "opnsense"})


class Moving(Protocol):
    """What the rules ask of a move."""

    @property
    def node(self) -> str:
        """Its host."""

    @property
    def lagg(self) -> str:
        """The LAGG's name."""

    @property
    def shifts(self) -> Sequence[Shift]:
        """The devices that move."""


def platforms(model: Model, findings: Findings) -> bool:
    """Refuse platforms that are not known, or that share no states; false when nothing can be planned."""
    found = {node.host: model.platform(node) for node in model.nodes}
    unknown = {host: platform for host, platform in found.items() if platform not in PLATFORMS}
    for host, platform in unknown.items():
        findings.at(host).refuse("hafirewall_node.platform", f"the node runs {platform!r}, which is not known", f"write one of: {', '.join(PLATFORMS)}")
    if not unknown and not any(set(found.values()) <= kin for kin in _KIN):
        told = ", ".join(f"{host} runs {PLATFORMS[platform].title}" for host, platform in found.items())
        findings.at().refuse("hafirewall_node.platform", f"nodes of these platforms share no states, whatever their interfaces are called: {told}",
                             "make the cluster of nodes of one platform")
        return False
    return not unknown


def settings(model: Model, findings: Findings) -> None:
    """Refuse settings of an interface that no node has, and what a node's platform cannot do."""
    complete = model.nodes and all(node.named is not None for node in model.nodes)
    named = {name for node in model.nodes for name in node.named or ()}
    for name, stated in model.cluster.laggs.items():
        path, scope = f"{_LAGGS}.{name}", findings.at()
        if complete and name not in named:
            scope.refuse(path, f"no node has an interface {name}", f"correct the name, or remove it; there are: {', '.join(sorted(named)) or 'none'}")
        for node in model.nodes:
            _platform(PLATFORMS[model.platform(node)], path, stated, scope)
            _release(node, PLATFORMS[model.platform(node)], path, stated, findings.at(node.host))
        if stated.crossover and len(model.nodes) > 2:
            scope.refuse(f"{path}.crossover", f"is true, and a crossover cable joins two nodes; the cluster has {len(model.nodes)}", "remove it")


def _platform(platform: Platform, path: str, stated: LaggSettings, scope: Scope) -> None:
    if stated.protocol is not None and stated.protocol not in platform.protocols:
        scope.refuse(f"{path}.protocol", f"is {stated.protocol}, which {platform.title} does not have", f"choose one of: {', '.join(platform.protocols)}")
    if stated.hash is not None and stated.hash not in platform.hashes:
        choices = f"choose one of: {', '.join(platform.hashes)}" if platform.hashes else "remove it"
        scope.refuse(f"{path}.hash", f"is {stated.hash}, which {platform.title} cannot be set to", choices)
    for option in ("lacp_rate", "min_links"):
        if getattr(stated, option) is not None and option not in platform.options:
            scope.refuse(f"{path}.{option}", f"cannot be set on {platform.title}", "remove it")


def _release(node: Node, platform: Platform, path: str, stated: LaggSettings, scope: Scope) -> None:
    for option, since in platform.since.items():
        if getattr(stated, option) is not None and older(node.evidence.version, since):
            scope.refuse(f"{path}.{option}", f"cannot be set on {platform.title} {node.evidence.version}", "remove it, or upgrade")


def grouping(group: Group, findings: Findings) -> bool:
    """Refuse interfaces that one LAGG cannot make alike; false when they are refused."""
    fine = True
    for host, bases in group.bases.items():
        if len(bases) > 1:
            together = ", ".join(f"{seat.interface} on {seat.base}" for seat in group.seats[host])
            findings.at(host).refuse(f"{_FACES}.{group.seats[host][-1].interface}", f"a port would be used twice: {' and '.join(group.interfaces)} "
                                     f"share a port on another node, and here they do not ({together})", "lay them on ports in the same way on all nodes")
            fine = False
    for interface in group.interfaces:
        seats = [seat for own in group.seats.values() for seat in own if seat.interface == interface]
        alike = len({seat.suffix for seat in seats}) == 1 and seats[0].suffix is not None
        if not alike and len({seat.carrier for seat in seats}) > 1:
            findings.at().refuse(f"{_FACES}.{interface}", f"is {devices(seats)}: with a LAGG below, these names still differ",
                                 "use the same VLAN on all nodes, with names of the same form")
            fine = False
    return fine


def members(model: Model, wanted: Sequence[Wanted], seats: Seats, findings: Findings) -> None:
    """Refuse members that cannot be, and combinations that do not work."""
    for node in model.nodes:
        scope = findings.at(node.host)
        # A port that an interface is on is its own, whoever else names it.
        taken = {base: lagg.name for lagg in wanted for base in lagg.group.bases.get(node.host, ())}
        for lagg in wanted:
            if node.host in lagg.members:
                _members(node, lagg, seats, taken, scope)
                _names(model, node, lagg, scope)
                _together(node, lagg, scope)
                _protocol(node, lagg, scope)
                _sync_mtu(model, node, lagg, scope)


def _path(node: Node, lagg: Wanted, key: str) -> str:
    """Where the members, or another key, are stated: with the interface that states it, else with the first one."""
    seats = lagg.group.seats[node.host]
    found = next((seat for seat in seats if getattr(seat.port, key)), None)
    return f"{_FACES}.{found.interface}.{key}" if found is not None else f"{_FACES}.{seats[0].interface}"


def _members(node: Node, lagg: Wanted, seats: Seats, taken: dict[str, str], scope: Scope) -> None:
    path, [base], links = _path(node, lagg, "members"), lagg.group.bases[node.host], node.evidence.links
    mine = {seat.interface for seat in lagg.group.seats[node.host]}
    stated = {seat.members for seat in lagg.group.seats[node.host] if seat.port.members}
    if len(stated) > 1:
        scope.refuse(path, f"differ from those of another interface on the same ports ({' and '.join(sorted(mine))})", "state them once, or alike")
    if not lagg.members[node.host]:
        scope.refuse(path, f"the members of {base} are not known", f"state them ({path.removesuffix('.members')}.members), or collect evidence first")
    if links.lagg(base) is None and base not in lagg.members[node.host]:
        scope.refuse(path, f"{base}, which {' and '.join(sorted(mine))} is on now, is not among the members", f"add {base}")
    for place, member in enumerate(lagg.members[node.host]):
        users = [name for name, own in seats.items() for seat in own if seat.node is node and seat.base == member and name not in mine and member != base]
        owner = links.owner(member)
        problem = None
        if member in lagg.members[node.host][:place]:
            problem = "is a member twice"
        elif users:
            problem = f"is the device of {' and '.join(users)} too"
        elif taken.setdefault(member, lagg.name) != lagg.name:
            problem = f"is a member of {taken[member]} too"
        elif owner is not None and owner != base and owner != lagg.name:
            problem = f"is a member of {owner} already"
        if problem:
            scope.refuse(path, f"{member} {problem}; a port cannot be used twice", "give every LAGG ports of its own")
            continue
        _member(node, base, member, path, scope)


def _member(node: Node, base: str, member: str, path: str, scope: Scope) -> None:
    """Judge one member by itself."""
    links, device = node.evidence.links, node.evidence.links.get(member)
    if links.lagg(member) is not None:
        scope.refuse(path, f"{member} is a LAGG itself", "name its ports instead")
    elif links.vlan(member) is not None or (device is not None and device.kind == "vlan"):
        scope.refuse(path, f"{member} is a VLAN", "name the port that it is on; the VLAN then lies on the LAGG")
    elif device is not None and device.kind in ("bridge", "other"):
        scope.refuse(path, f"{member} is no port of a LAGG ({'a bridge' if device.kind == 'bridge' else 'a device of another kind'})", "name a port")
    elif links.known and device is None:
        ports = [one.name for one in links if one.kind in (None, "port") and one.lagg is None and one.vlan is None]
        scope.refuse(path, f"the node has no device {member!r}", f"correct the name; the node has: {', '.join(sorted(ports)) or 'none'}")
    elif device is not None and member != base and links.owner(member) is None:
        used = [str(address) for address in device.addresses if not address.is_link_local] + [vlan.name for vlan in links.upon(member)]
        if used or device.master:
            scope.refuse(path, f"{member} is in use by itself ({', '.join(used) or device.master})", "free it first, or name another port")


def _names(model: Model, node: Node, lagg: Wanted, scope: Scope) -> None:
    """Judge the spelling of stated members; that of a device has its own rule."""
    spelling = SPELLINGS.get(model.platform(node))
    for path, member in (stated for seat in lagg.group.seats[node.host] for stated in seat.port.members):
        reason = refusal(member, spelling.rules) if spelling is not None else None
        if reason:
            scope.refuse(path, f"the name {member!r} {reason}", "write the name of a port")


def _together(node: Node, lagg: Wanted, scope: Scope) -> None:
    """Judge the members against each other."""
    found = [device for device in map(node.evidence.links.get, lagg.members[node.host]) if device is not None]
    path = _path(node, lagg, "members")
    speeds = {device.name: device.speed for device in found if device.speed is not None}
    if lagg.protocol in SHARING and len(set(speeds.values())) > 1:
        scope.refuse(path, f"the members differ in speed, and {lagg.protocol} minds: {_told(speeds, ' Mbit/s')}",
                     "use ports of one speed, or protocol failover")
    sizes = {device.name: device.mtu for device in found if device.mtu is not None}
    if lagg.protocol != "none" and lagg.mtu is None and len(set(sizes.values())) > 1:
        scope.refuse(path, f"the members differ in MTU: {_told(sizes, '')}",
                     f"make them equal, or state {lagg.path}.mtu, which is then set on the members first")


def _told(values: dict[str, int], unit: str) -> str:
    return ", ".join(f"{name} has {value}{unit}" for name, value in values.items())


def _protocol(node: Node, lagg: Wanted, scope: Scope) -> None:
    """Judge the members and settings against the protocol."""
    own, path = lagg.members[node.host], _path(node, lagg, "members")
    if len(own) == 1 and lagg.protocol == "lacp" and not lagg.crossover:
        scope.refuse(path, f"{own[0]} is the one member, and on a single cable without a switch LACP only has the other node to talk to",
                     f"choose failover, add a member, or state {lagg.path}.crossover: true when the other node runs LACP at the other end")
    elif len(own) == 1 and lagg.protocol not in (*SINGLE, "lacp"):
        scope.refuse(path, f"{own[0]} is the one member, and {lagg.protocol} has nothing to share out", f"choose one of: {', '.join(SINGLE)}, or add a member")
    if lagg.protocol == "lacp" and lagg.crossover and len({len(names) for names in lagg.members.values()}) > 1:
        scope.refuse(path, "crossover cables join the nodes port by port, and the nodes differ in their number of members", "use as many on every node")
    for option, meant in MEANT.items():
        value = lagg.primary[node.host] if option == "primary" else getattr(lagg, option)
        if value and lagg.protocol not in meant:
            where = _path(node, lagg, "primary") if option == "primary" else f"{lagg.path}.{option}"
            scope.refuse(where, f"has no meaning with protocol {lagg.protocol}", f"remove it, or choose protocol {' or '.join(meant)}")
    primary = lagg.primary[node.host]
    if lagg.protocol == "failover" and primary is not None and own and primary not in own:
        scope.refuse(_path(node, lagg, "primary"), f"is {primary}, which is no member", f"choose one of: {', '.join(own)}")
    if lagg.min_links is not None and lagg.min_links > len(own):
        scope.refuse(f"{lagg.path}.min_links", f"is {lagg.min_links}, and there are {len(own)} members here", f"choose {len(own)} or less, or add members")
    if lagg.protocol == "none":
        scope.warn(f"{lagg.path}.protocol", "is none, with which a LAGG passes no traffic at all", "choose failover, which does with one member too")


def _sync_mtu(model: Model, node: Node, lagg: Wanted, scope: Scope) -> None:
    """Refuse an MTU on the Sync interface above what state sync can use."""
    limit = PLATFORMS[model.platform(node)].mtu
    sync = model.cluster.sync
    seat = next((seat for seat in lagg.group.seats[node.host] if sync is not None and seat.interface == sync.interface), None)
    if limit is None or seat is None:
        return
    largest, lifted = limit
    number = release(node.evidence.version)
    if lifted is not None and number is not None and number >= lifted:
        return
    # Without a stated MTU the LAGG takes that of its first member; a VLAN on it has one of its own.
    lowest = node.evidence.links.get(next(iter(lagg.members[node.host]), None) if seat.carrier == seat.base else seat.carrier)
    size = lowest.mtu if lowest is not None else None
    if seat.carrier == seat.base or size is None:
        size = lagg.mtu or size
    if size is not None and size > largest:
        scope.refuse(f"{lagg.path}.mtu", f"is {size} on the Sync interface, and above {largest} pfsync sends nothing",
                     f"state an MTU of at most {largest}, as 1500")


def renaming(wanted: Sequence[Wanted], seats: Seats, findings: Findings) -> None:
    """Refuse to take a LAGG apart that the intent names: the intent would speak of a device that is gone."""
    for lagg in wanted:
        for seat in (seat for own in seats.values() for seat in own if seat.base in lagg.group.bases.get(seat.node.host, ())):
            if seat.lagg is not None and seat.base != lagg.name and suffix(seat.device, seat.base) is not None:
                port = next(iter(seat.lagg.members or ()), None)
                instead = f"{port}{seat.suffix or ''}" if port is not None else "one of its ports"
                findings.at(seat.node.host).refuse(seat.port.device_path, f"is {seat.device}, and {seat.base} would have to become {lagg.name}",
                                                   f"state {instead}, which stands for the LAGG that it is in, under any name")


def lengths(moves: Iterable[Moving], wanted: Sequence[Wanted], findings: Findings) -> None:
    """Refuse names of VLANs that the LAGG's name makes too long: 15 characters are what every platform allows (IFNAMSIZ less the ending zero)."""
    paths = {lagg.name: lagg.path for lagg in wanted}
    for move in moves:
        for shift in (shift for shift in move.shifts if len(shift.target) > _LONGEST):
            findings.at(move.node).refuse(f"{paths[move.lagg]}.name", f"is {move.lagg}, and VLAN {shift.vlan} on it would be {shift.target}, longer than the "
                                          f"{_LONGEST} characters that a device's name can have", "choose a shorter name")


def order(model: Model, wanted: Sequence[Wanted], findings: Findings) -> None:
    """Where the platform numbers new LAGGs by itself, refuse names that it would not give in this order."""
    for node in model.nodes:
        platform = PLATFORMS[model.platform(node)]
        if not platform.assigns or not node.evidence.links.known:
            continue
        used = {device.name for device in node.evidence.links}
        for lagg in (lagg for lagg in wanted if node.host in lagg.members and lagg.name not in used):
            given = next(name for name in (f"{platform.prefixes[None]}{number}" for number in range(len(used) + 1)) if name not in used)
            used.add(given)
            if given != lagg.name:
                findings.at(node.host).refuse(f"{lagg.path}.name", f"is {lagg.name}, and {platform.title} would name it {given}, the first that is free here",
                                              "make or remove LAGGs until the same names are free on all nodes, or leave the name out")
                break


def management(model: Model, moves: Iterable[Moving], wanted: Sequence[Wanted], seats: Seats, findings: Findings) -> None:
    """Refuse to move the path that Ansible came in by, unless that is consented to; warn where it is not known which it is."""
    laggs = {lagg.name: lagg for lagg in wanted}
    evidence = {node.host: node.evidence for node in model.nodes}
    for move in moves:
        if laggs[move.lagg].consent or not move.shifts:
            continue
        scope, path = findings.at(move.node), laggs[move.lagg].path
        for shift in (shift for shift in move.shifts if shift.management):
            own = [seat.interface for found in seats.values() for seat in found if seat.node.host == move.node and seat.carrier == shift.source]
            scope.refuse(f"{_LAGGS}.{own[0]}.move_management" if own else f"{path}.move_management",
                         f"Ansible came in by {shift.source}, which would be moved to {shift.target}",
                         "consent with true (the way back is armed before the move), or reach the node another way")
        if evidence[move.node].links.known and evidence[move.node].management is None:
            scope.warn(f"{path}.move_management", f"it is not known whether Ansible came in by {move.shifts[0].source}, which is moved",
                       "collect evidence through the connection that you use, or consent with true")
