# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CARP: who is master of a virtual host. The timers and comparisons are those of FreeBSD's sys/netinet/ip_carp.c."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.clock import Timer, VirtualClock
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.kernel import Kernel
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Packet

GROUP, GROUP6 = "224.0.0.18", "ff02::12"
MAX_SKEW = 240  # of a node that is demoted, whatever its own skew
_MAX_SEND_ERRORS = 3
_SIZE = 56


class Advertisement(NamedTuple):
    """What a master sends: ``secret`` stands for the digest over password and addresses."""

    vhid: int
    advbase: int
    advskew: int
    secret: Tuple[object, ...]


@dataclass
class Vhid:
    """A virtual host on an interface."""

    number: int
    device: str
    advbase: int = 1
    advskew: int = 0
    password: str = ""
    peer: str = GROUP
    peer6: str = GROUP6
    state: str = "INIT"
    suppressed: bool = False
    errors: int = 0
    successes: int = 0
    timer: Timer = field(default_factory=lambda: Timer(lambda: None))


class Carp:
    """All virtual hosts of a machine.

    Attributes:
        counters: what netstat tells: received, sent and dropped packets.
    """

    def __init__(self, machine: Kernel, clock: VirtualClock) -> None:
        self._machine = machine
        self._clock = clock
        self.counters: Dict[str, int] = {}
        self.vhids: Dict[Tuple[str, int], Vhid] = {}

    def on(self, device: str) -> List[Vhid]:
        """Those of an interface, in the order in which they were made."""
        return [vhid for vhid in self.vhids.values() if vhid.device == device]

    # What is configured

    def configure(self, device: str, number: int, **values: object) -> Vhid:
        """Make a virtual host, or change one. Only what is new starts its timers anew."""
        vhid = self.vhids.get((device, number))
        if vhid is None:
            vhid = self.vhids[device, number] = Vhid(number, device)
            interface = self._machine.interfaces[device]
            if not interface.promiscuous:
                interface.promiscuous = True
                self._machine.say("%s: promiscuous mode enabled" % device)
        for name, value in values.items():
            setattr(vhid, name, value)
        return vhid

    def addressed(self, vhid: Vhid) -> None:
        """It has got an address: from then on it runs."""
        if vhid.state == "INIT":
            self.link_changed(vhid.device)

    def forget(self, device: str, number: int) -> None:
        """Drop a virtual host, as when its last address goes."""
        vhid = self.vhids.pop((device, number), None)
        if vhid is None:
            return
        vhid.timer.stop()
        if vhid.suppressed:
            self.demote(-self._factor("ifdown"), "vhid removed")
        if not self.on(device) and device in self._machine.interfaces:
            self._machine.interfaces[device].promiscuous = False
            self._machine.say("%s: promiscuous mode disabled" % device)

    def renamed(self, old: str, new: str) -> None:
        self.vhids = {(new if device == old else device, number): vhid for (device, number), vhid in self.vhids.items()}
        for (device, _number), vhid in self.vhids.items():
            vhid.device = device

    def stop(self) -> None:
        """The machine is off."""
        for vhid in self.vhids.values():
            vhid.timer.stop()
        self.vhids.clear()
        self.counters.clear()

    # Demotion

    @property
    def demotion(self) -> int:
        return int(self._machine.sysctl.get("net.inet.carp.demotion", "0"))

    def demote(self, by: int, reason: str) -> None:
        """Add to the demotion, and tell the others at once what one is worth now."""
        if "carp" not in self._machine.modules:
            return
        self._machine.sysctl["net.inet.carp.demotion"] = str(self.demotion + by)
        if int(self._machine.sysctl["net.inet.carp.log"]):
            self._machine.say("carp: demoted by %d to %d (%s)" % (by, self.demotion, reason))
        for vhid in list(self.vhids.values()):
            if vhid.state == "MASTER":
                self._advertise(vhid)

    def _factor(self, name: str) -> int:
        return int(self._machine.sysctl["net.inet.carp.%s_demotion_factor" % name])

    def _skew(self, vhid: Vhid) -> int:
        return max(0, min(MAX_SKEW, vhid.advskew + self.demotion))

    def _interval(self, vhid: Vhid) -> float:
        return vhid.advbase + self._skew(vhid) / 256.0

    # The states

    def link_changed(self, device: str) -> None:
        """The interface, its link or CARP as a whole came up or went down."""
        if not self.on(device):
            return
        interfaces = self._machine.interfaces
        live = interfaces[device].up and interfaces.carrier(device) and self._machine.sysctl["net.inet.carp.allow"] != "0"
        for vhid in self.on(device):
            if not self._addresses(vhid):
                continue
            if not live:
                vhid.timer.stop()
                self._set(vhid, "INIT", "hardware interface down")
                if not vhid.suppressed:
                    vhid.suppressed = True
                    self.demote(self._factor("ifdown"), "interface down")
                continue
            if vhid.suppressed:
                vhid.suppressed = False
                self.demote(-self._factor("ifdown"), "interface up")
            if vhid.state == "INIT":
                self._set(vhid, "BACKUP", "initialization complete")
                self._run(vhid)

    def force(self, vhid: Vhid, state: str) -> None:
        """``ifconfig IF vhid N state STATE``: until the next advertisement says otherwise."""
        if state == vhid.state or vhid.state == "INIT":
            return
        if state == "MASTER":
            self._take_over(vhid, "user requested via ifconfig")
        else:
            vhid.timer.stop()
            self._set(vhid, "BACKUP", "user requested via ifconfig")
            self._run(vhid)

    def _set(self, vhid: Vhid, state: str, reason: str) -> None:
        if vhid.state != state:
            if int(self._machine.sysctl["net.inet.carp.log"]):
                self._machine.say("carp: %d@%s: %s -> %s (%s)" % (vhid.number, vhid.device, vhid.state, state, reason))
            vhid.state = state

    def _run(self, vhid: Vhid) -> None:
        vhid.timer.stop()
        if vhid.state == "MASTER":
            vhid.timer = self._clock.after(self._interval(vhid), lambda: self._advertise(vhid))
        elif vhid.state == "BACKUP":
            vhid.timer = self._clock.after(3 * vhid.advbase + self._skew(vhid) / 256.0, lambda: self._take_over(vhid, "master timed out"))

    def _take_over(self, vhid: Vhid, reason: str) -> None:
        self._set(vhid, "MASTER", reason)
        self._advertise(vhid)

    # Advertisements

    def _addresses(self, vhid: Vhid) -> List[str]:
        return sorted(address.host for address in self._machine.interfaces[vhid.device].addresses if address.vhid == vhid.number)

    def _secret(self, vhid: Vhid) -> Tuple[object, ...]:
        return (vhid.password, *self._addresses(vhid))

    def _advertise(self, vhid: Vhid) -> None:
        self._run(vhid)
        message = Advertisement(vhid.number, vhid.advbase, self._skew(vhid), self._secret(vhid))
        for version, peer in self._families(vhid):
            source = self._machine.interfaces[vhid.device].address_of(version) or "0.0.0.0"
            self._count("sent-inet-packets" if version == 4 else "sent-inet6-packets")
            if self._machine.send(vhid.device, Packet("carp", source, peer, _SIZE, message)):
                self._sent_well(vhid)
            else:
                self._sent_badly(vhid)

    def _families(self, vhid: Vhid) -> Iterator[Tuple[int, str]]:
        versions = {6 if ":" in host else 4 for host in self._addresses(vhid)}
        return ((version, vhid.peer if version == 4 else vhid.peer6) for version in sorted(versions))

    def _sent_badly(self, vhid: Vhid) -> None:
        vhid.successes = 0
        vhid.errors += 1
        if vhid.errors == _MAX_SEND_ERRORS:
            self.demote(self._factor("senderr"), "send error 13 on %s" % vhid.device)

    def _sent_well(self, vhid: Vhid) -> None:
        if vhid.errors >= _MAX_SEND_ERRORS:
            vhid.successes += 1
            if vhid.successes < _MAX_SEND_ERRORS:
                return
            self.demote(-self._factor("senderr"), "send ok on %s" % vhid.device)
        vhid.errors = vhid.successes = 0

    def receive(self, device: str, packet: Packet) -> None:
        """An advertisement has come in, and pf let it pass."""
        self._count("received-inet6-packets" if ":" in packet.source else "received-inet-packets")
        message = packet.body
        assert isinstance(message, Advertisement)
        vhid = self.vhids.get((device, message.vhid))
        if vhid is None:
            self._count("dropped-bad-vhid")
            return
        if message.secret != self._secret(vhid):
            self._count("dropped-bad-authentication")
            return
        mine, theirs = self._interval(vhid), message.advbase + message.advskew / 256.0
        if vhid.state == "MASTER" and mine >= theirs:
            self._set(vhid, "BACKUP", "more frequent advertisement received")
            self._run(vhid)
        elif vhid.state == "BACKUP":
            if int(self._machine.sysctl["net.inet.carp.preempt"]) and mine < theirs:
                self._take_over(vhid, "preempting a slower master")
            elif 3 * vhid.advbase < theirs:
                self._take_over(vhid, "master will time out")
            else:
                self._run(vhid)

    def _count(self, name: str) -> None:
        self.counters[name] = self.counters.get(name, 0) + 1

    def master(self, device: str) -> Optional[bool]:
        """Whether this machine is master of all virtual hosts of an interface; None where it has none."""
        held = [vhid.state == "MASTER" for vhid in self.on(device)]
        return all(held) if held else None
