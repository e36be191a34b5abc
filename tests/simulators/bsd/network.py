# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Segments that connect the interfaces of machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, List, NamedTuple, Optional, Protocol, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.interfaces import Interfaces

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.bsd.clock import VirtualClock


class Packet(NamedTuple):
    """A packet: ``body`` is what the protocol makes of it."""

    protocol: str
    source: str
    target: str
    size: int
    body: object
    ttl: int = 255


class Host(Protocol):
    """What a network needs of a machine."""

    alive: bool

    @property
    def interfaces(self) -> Interfaces:
        """Those of the machine."""

    def receive(self, device: str, packet: Packet) -> None:
        """Take a packet that came in on a device."""

    def link_changed(self, device: str) -> None:
        """The cable of a port was pulled, or put in."""


class Network:
    """All machines and their clock.

    Attributes:
        machines: in the order in which they were connected.
        ears: who listens on a machine's device, and what is told of each packet there: when, the sender's hardware address, and the packet.
    """

    def __init__(self, clock: "VirtualClock") -> None:
        self.clock = clock
        self.machines: List[Host] = []
        self.ears: List[Tuple[Host, str, Callable[[float, str, Packet], None]]] = []

    def neighbours(self, machine: Host, device: str) -> List[Tuple[Host, str]]:
        """The machines, each with its interface, that hear what this one sends on a device."""
        wires = machine.interfaces.wires(device) if machine.alive else frozenset()
        return [(other, name) for other in self.machines if other is not machine and other.alive
                for name in list(other.interfaces) if wires & other.interfaces.wires(name)]

    def send(self, machine: Host, device: str, packet: Packet) -> None:
        """Bring a packet to those that hear it, at once."""
        interface = machine.interfaces[device]
        interface.sent[0] += 1
        interface.sent[1] += packet.size
        reached = self.neighbours(machine, device)
        for listener, place, tell in self.ears:
            if (listener, place) == (machine, device) or (listener, place) in reached:
                tell(self.clock.now, str(machine.interfaces.mac(device)), packet)
        for other, name in reached:
            taken = other.interfaces[name].received
            taken[0] += 1
            taken[1] += packet.size
            other.receive(name, packet)


class Cabling:
    """The cables of one machine, for tests to pull."""

    def __init__(self, shared: Network, machine: Host) -> None:
        self.shared = shared
        self._machine = machine

    def beyond(self, device: str, part: str) -> List[Tuple[Any, str]]:
        """A part of each machine that hears this one on a device, with the device that it hears it on."""
        return [(getattr(other, part), name) for other, name in self.shared.neighbours(self._machine, device)]

    def cut(self, device: str) -> None:
        """Pull a cable: the port has no carrier."""
        self._set(device, plugged=False)

    def mend(self, device: str) -> None:
        """Put it in again, and let through what :meth:`mute` held back."""
        self._set(device, plugged=True, muted=False)

    def mute(self, device: str) -> None:
        """Let nothing through though the link stays up, as a broken switch does."""
        self._set(device, muted=True)

    def _set(self, device: str, plugged: Optional[bool] = None, muted: Optional[bool] = None) -> None:
        port = self._machine.interfaces[device]
        before = port.plugged
        port.plugged = port.plugged if plugged is None else plugged
        port.muted = port.muted if muted is None else muted
        if port.plugged != before:
            self._machine.link_changed(device)
