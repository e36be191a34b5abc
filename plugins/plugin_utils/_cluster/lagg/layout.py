# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the logical interfaces are now, and which of them must be moved together because they share a port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.devices import Lagg
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import Model, Node, Port


@dataclass(frozen=True)
class Seat:
    """One logical interface on one node.

    Attributes:
        device, carrier: what the intent states, and the device that it is on now.
        base: the port or LAGG that the carrier lies on, or the carrier itself.
        suffix: what the carrier's name adds to the base's: nothing, or ``.10`` for a VLAN named after it; None for a VLAN with a name of its own.
        lagg: how the base is set when it is a LAGG.
    """

    node: Node
    interface: str
    port: Port
    device: str
    carrier: str
    base: str
    suffix: str | None
    lagg: Lagg | None

    @property
    def absent(self) -> bool:
        """Whether the node is known not to have the device."""
        return self.node.evidence.links.known and self.carrier not in self.node.evidence.links

    @property
    def members(self) -> tuple[str, ...] | None:
        """The ports that a LAGG here shall have: those stated, else those of the LAGG that it is on, else the port that it is on. None is unknown."""
        if self.port.members:
            return tuple(name for _path, name in self.port.members)
        return (self.base,) if self.lagg is None else self.lagg.members


# All seats by logical interface, in the order in which the intent names the interfaces.
Seats = Mapping[str, Sequence[Seat]]


@dataclass(frozen=True)
class Group:
    """Logical interfaces that share ports, and so go onto one LAGG. ``seats`` holds theirs by host, ``bases`` what they lie on there."""

    interfaces: tuple[str, ...]
    seats: Mapping[str, tuple[Seat, ...]]

    @property
    def bases(self) -> dict[str, tuple[str, ...]]:
        """What the group lies on, by host; more than one cannot become one LAGG."""
        return {host: tuple(dict.fromkeys(seat.base for seat in seats)) for host, seats in self.seats.items()}


def read_seats(model: Model) -> dict[str, list[Seat]]:
    """Where every logical interface is on every node that has it, as far as that can be told."""
    found: dict[str, list[Seat]] = {}
    for node in model.nodes:
        for name, port in node.ports.items():
            if port.device is not None and port.carrier is not None:
                found.setdefault(name, []).append(_seat(node, name, port, port.device, port.carrier))
    return found


def _seat(node: Node, name: str, port: Port, device: str, carrier: str) -> Seat:
    links = node.evidence.links
    base = links.bottom(carrier)
    return Seat(node, name, port, device, carrier, base, suffix(carrier, base), links.lagg(base))


def suffix(name: str, base: str) -> str | None:
    """What a device's name adds to that of the device that it lies on; None when it is named otherwise."""
    if name == base:
        return ""
    return name[len(base):] if name.startswith((f"{base}.", f"{base}_vlan")) else None


def group(seats: Seats, interfaces: Sequence[str]) -> list[Group]:
    """The interfaces, those together that share a port on any node; each interface is in one group, and the order stays."""
    groups: list[set[str]] = []
    sharing: dict[tuple[str, str], set[str]] = {}
    for interface in interfaces:
        together = {interface}
        for seat in seats[interface]:
            together |= sharing.get((seat.node.host, seat.base), set())
        groups = [other for other in groups if not other & together] + [together]
        for one in together:
            sharing.update({(seat.node.host, seat.base): together for seat in seats[one]})
    ordered = [tuple(interface for interface in interfaces if interface in members) for members in groups]
    return [_group(seats, names) for names in sorted(ordered, key=lambda names: interfaces.index(names[0]))]


def _group(seats: Seats, names: tuple[str, ...]) -> Group:
    own = [seat for name in names for seat in seats[name]]
    hosts = dict.fromkeys(seat.node.host for seat in own)
    return Group(names, {host: tuple(seat for seat in own if seat.node.host == host) for host in hosts})
