# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CARP as OpenBSD has it: an interface for each virtual host, and a demotion that is compared before the skew (sys/netinet/ip_carp.c, sys/net/if.c)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.clock import Timer, VirtualClock
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Packet
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.devices import NO_ADDRESS

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Machine

GROUP, GROUP6 = "224.0.0.18", "ff02::12"
LOG_CRIT, LOG_ERR, LOG_WARNING = 2, 3, 4
_MAX_SEND_ERRORS = 3
_SIZE = 56
_PREFIX = "00:00:5e:00:01:"
_LIMIT = 255  # of a group's counter, and of what an advertisement can tell


class Advertisement(NamedTuple):
    """What a master sends: ``secret`` stands for the digest over password, vhid and addresses."""

    vhid: int
    advbase: int
    advskew: int
    demotion: int
    secret: Tuple[object, ...]


@dataclass
class Vhost:
    """What makes an interface a virtual host."""

    name: str
    vhid: int = 0
    advbase: int = 1
    advskew: int = 0
    password: str = ""
    peer: str = GROUP
    state: str = "INIT"
    suppressed: bool = False
    demoted: int = 0  # sc_demote_cnt: what it has added to its groups itself
    errors: int = 0
    successes: int = 0
    timer: Timer = field(default_factory=lambda: Timer(lambda: None))

    @property
    def interval(self) -> float:
        return self.advbase + self.advskew / 256.0


class Carp:
    """All virtual hosts of a machine.

    Attributes:
        counters: what ``netstat -s -p carp`` tells, by the kernel's names.
    """

    def __init__(self, machine: "Machine", clock: VirtualClock) -> None:
        self._machine = machine
        self._clock = clock
        self._telling_all = False
        self.counters: Dict[str, int] = {}
        self.vhosts: Dict[str, Vhost] = {}

    # What is configured

    def create(self, name: str) -> None:
        self.vhosts[name] = Vhost(name)

    def destroy(self, name: str) -> None:
        self._detach(self.vhosts[name])
        del self.vhosts[name]

    def stop(self) -> None:
        """The machine is off."""
        for vhost in self.vhosts.values():
            vhost.timer.stop()
        self.vhosts.clear()
        self.counters.clear()

    def on(self, carpdev: str) -> List[Vhost]:
        """Those of an interface."""
        return [vhost for vhost in self.vhosts.values() if self._machine.interfaces.device(vhost.name).carpdev == carpdev]

    def clashes(self, vhost: Vhost, carpdev: Optional[str], vhid: int) -> bool:
        """Whether another one on that interface has this vhid (carp_check_dup_vhids)."""
        return carpdev is not None and any(other.vhid == vhid for other in self.on(carpdev) if other is not vhost)

    def set_carpdev(self, vhost: Vhost, carpdev: str) -> None:
        """Lay it on an interface (carp_set_ifp)."""
        device = self._machine.interfaces.device(vhost.name)
        self._machine.interfaces[carpdev].promiscuous = True
        if device.carpdev is not None:
            self._detach(vhost)
        device.carpdev = carpdev
        if self._addresses(vhost):
            device.up = True
        self._set_address(vhost)
        self._restart(vhost)
        self.parent_changed(carpdev)

    def set_vhid(self, vhost: Vhost, vhid: int) -> None:
        """Another vhid makes the virtual host anew; the same one changes nothing (carp_vhids_ioctl)."""
        if vhid != vhost.vhid:
            vhost.vhid = vhid
            self._set_address(vhost)
            self._restart(vhost)

    def _set_address(self, vhost: Vhost) -> None:
        """The address that goes with the vhid, once it lies on an interface; one that was set by hand stays (carp_set_enaddr)."""
        device = self._machine.interfaces.device(vhost.name)
        if device.lladdr is None or device.lladdr == NO_ADDRESS or device.lladdr.startswith(_PREFIX):
            device.lladdr = "%s%02x" % (_PREFIX, vhost.vhid) if vhost.vhid and device.carpdev is not None else NO_ADDRESS

    def changed(self, vhost: Vhost) -> None:
        """Some setting has been set: the timers start anew, the state stays (the end of SIOCSVH)."""
        self._run(vhost)

    def addresses_changed(self, name: str, given: bool) -> None:
        """An address was added, or set once more (``given``), or removed (carp_set_addr, carp_addr_updated)."""
        vhost, device = self.vhosts[name], self._machine.interfaces.device(name)
        if given:
            device.up = True
            self._set(vhost, "INIT")
        if not self._addresses(vhost):
            device.up = False
            vhost.timer.stop()
            self._set(vhost, "INIT")
        self._run(vhost)

    def flags_changed(self, name: str) -> None:
        """``up`` or ``down`` was told to it; going down it bows out, so that the next one takes over at once."""
        vhost, device = self.vhosts[name], self._machine.interfaces.device(name)
        if not device.up and vhost.state != "INIT":
            vhost.timer.stop()
            if vhost.state == "MASTER":
                self._transmit(vhost, Advertisement(vhost.vhid, 255, 255, self.demotion(vhost), self._secret(vhost)))
            self._set(vhost, "INIT")
        self._run(vhost)

    def force(self, vhost: Vhost, state: str) -> None:
        """``ifconfig carpN state STATE``: until the next advertisement says otherwise."""
        if vhost.state in ("INIT", state):
            return
        if state == "MASTER":
            self._take_over(vhost)
        elif state == "BACKUP":
            vhost.timer.stop()
            self._set(vhost, "BACKUP")
            self._run(vhost)

    def parent_changed(self, carpdev: str) -> None:
        """The interface below came up or went down, or its link did (carp_carpdev_state)."""
        interfaces = self._machine.interfaces
        live = interfaces[carpdev].up and interfaces.carrier(carpdev)
        for vhost in self.on(carpdev):
            if not live:
                vhost.timer.stop()
                self._set(vhost, "INIT")
                interfaces.device(vhost.name).running = False
                if not vhost.suppressed:
                    vhost.suppressed = True
                    self.demote(vhost.name, 1, "carpdev")
            elif vhost.suppressed:
                self._set(vhost, "INIT")
                vhost.suppressed = False
                self._run(vhost)
                self.demote(vhost.name, -1, "carpdev")

    def parent_gone(self, carpdev: str) -> None:
        """The interface below was destroyed."""
        for vhost in self.on(carpdev):
            self._detach(vhost)

    def _detach(self, vhost: Vhost) -> None:
        device = self._machine.interfaces.device(vhost.name)
        vhost.timer.stop()
        if vhost.demoted:
            self.demote(vhost.name, -vhost.demoted, "detach")
        vhost.suppressed, vhost.errors = False, 0
        self._set(vhost, "INIT")
        device.up = device.running = False
        carpdev, device.carpdev = device.carpdev, None
        if carpdev in self._machine.interfaces and carpdev is not None and not self.on(carpdev):
            self._machine.interfaces[carpdev].promiscuous = False

    def _restart(self, vhost: Vhost) -> None:
        vhost.timer.stop()
        self._set(vhost, "INIT")
        self._run(vhost)

    # Demotion

    def demotion(self, vhost: Vhost) -> int:
        """The counters of all groups that it is in (carp_group_demote_count)."""
        interfaces = self._machine.interfaces
        count = sum(interfaces.demoted.get(group, 0) for group in ["all", *interfaces.device(vhost.name).groups])
        return min(_LIMIT, count or vhost.demoted)

    def demote(self, device: str, by: int, reason: str) -> None:
        """What an interface adds to all its groups (carp_group_demote_adj)."""
        interfaces = self._machine.interfaces
        vhost = self.vhosts.get(device)
        if vhost is not None:
            vhost.demoted = max(0, vhost.demoted + by)
        tell = False
        for group in interfaces.device(device).groups:
            interfaces.demoted[group] = max(0, interfaces.demoted[group] + by)
            tell = tell or (by > 0 and interfaces.demoted[group] == 1)
            self._log(LOG_ERR, "carp: %s demoted group %s by %d to %d (%s)" % (device, group, by, interfaces.demoted[group], reason))
        if tell:
            self._tell(list(self.vhosts.values()))

    def set_group(self, group: str, by: int) -> bool:
        """``ifconfig -g GROUP carpdemote N``; false where the counter would leave its range (if_setgroupattribs)."""
        demoted = self._machine.interfaces.demoted
        if not 0 <= demoted.get(group, 0) + by <= _LIMIT:
            return False
        demoted[group] = demoted.get(group, 0) + by
        if by > 0:
            members = self._machine.interfaces.members(group)
            self._tell([vhost for vhost in self.vhosts.values() if vhost.name in members])
        return True

    def regrouped(self, device: str, group: str, sign: int) -> None:
        """A carp interface joins or leaves a group, with what it has been demoted by itself (carp_ifgroup_ioctl)."""
        vhost, demoted = self.vhosts.get(device), self._machine.interfaces.demoted
        if vhost is not None and group in demoted:
            demoted[group] = max(0, demoted[group] + sign * vhost.demoted)

    # The states

    def _set(self, vhost: Vhost, state: str) -> None:
        if vhost.state != state:
            self._log(LOG_WARNING if "INIT" in (vhost.state, state) else LOG_CRIT,
                      "%s: state transition: %s -> %s" % (vhost.name, vhost.state, state))
            vhost.state = state

    def _run(self, vhost: Vhost) -> None:
        """carp_setrun."""
        device = self._machine.interfaces.device(vhost.name)
        device.running = bool(device.carpdev and device.up and vhost.vhid and self._addresses(vhost) and not vhost.suppressed)
        if device.carpdev is None:
            self._set(vhost, "INIT")
        if not device.running:
            return
        if vhost.state == "INIT":
            self._set(vhost, "BACKUP")
        vhost.timer.stop()
        if vhost.state == "MASTER":
            vhost.timer = self._clock.after(vhost.interval, lambda: self._advertise(vhost))
        else:
            vhost.timer = self._clock.after(3 * vhost.advbase + vhost.advskew / 256.0, lambda: self._take_over(vhost))

    def _take_over(self, vhost: Vhost) -> None:
        if vhost.state == "BACKUP":
            self._set(vhost, "MASTER")
            self._count("preempt")
            self._advertise(vhost)

    # Advertisements

    def _addresses(self, vhost: Vhost) -> List[str]:
        return sorted(address.host for address in self._machine.interfaces[vhost.name].addresses)

    def _secret(self, vhost: Vhost) -> Tuple[object, ...]:
        """The digest: link-local addresses are not in it (HMAC_NOV6LL)."""
        return (vhost.password, vhost.vhid, *(address for address in self._addresses(vhost) if not address.startswith("fe80:")))

    def _tell(self, vhosts: List[Vhost]) -> None:
        if self._telling_all:
            return
        self._telling_all = True
        for vhost in vhosts:
            if vhost.state == "MASTER":
                self._advertise(vhost)
        self._telling_all = False

    def _advertise(self, vhost: Vhost) -> None:
        self._run(vhost)
        if vhost.state == "MASTER":
            self._transmit(vhost, Advertisement(vhost.vhid, vhost.advbase, vhost.advskew, self.demotion(vhost), self._secret(vhost)))

    def _transmit(self, vhost: Vhost, message: Advertisement) -> None:
        interfaces = self._machine.interfaces
        carpdev = interfaces.device(vhost.name).carpdev
        if carpdev is None:
            return
        for version in sorted({6 if ":" in host else 4 for host in self._addresses(vhost)}):
            source = interfaces[carpdev].address_of(version) or interfaces[vhost.name].address_of(version) or "0.0.0.0"
            self._count("opackets" if version == 4 else "opackets6")
            if self._machine.send(carpdev, Packet("carp", source, vhost.peer if version == 4 else GROUP6, _SIZE, message)):
                self._sent_well(vhost)
            else:
                self._sent_badly(vhost)

    def _sent_badly(self, vhost: Vhost) -> None:
        vhost.successes = 0
        vhost.errors += 1
        if vhost.errors == _MAX_SEND_ERRORS:
            self.demote(vhost.name, 1, "> snderrors")

    def _sent_well(self, vhost: Vhost) -> None:
        if vhost.errors >= _MAX_SEND_ERRORS:
            vhost.successes += 1
            if vhost.successes < _MAX_SEND_ERRORS:
                return
            self.demote(vhost.name, -1, "< snderrors")
        vhost.errors = 0

    def receive(self, carpdev: str, packet: Packet) -> None:
        """An advertisement has come in, and pf let it pass."""
        self._count("ipackets6" if ":" in packet.source else "ipackets")
        if self._machine.sysctl["net.inet.carp.allow"] == "0":
            return
        message = packet.body
        if not self.on(carpdev):
            self._count("badif")
            return
        multicast = packet.target in (GROUP, GROUP6)
        vhost = next((one for one in self.on(carpdev) if getattr(message, "vhid", None) == one.vhid
                      and (":" in packet.source or (one.peer == GROUP) == multicast)), None)
        if vhost is None or not self._machine.interfaces.device(vhost.name).running:
            self._count("badvhid")
        elif not isinstance(message, Advertisement) or message.secret != self._secret(vhost):
            self._count("badauth")
        else:
            self._judge(vhost, message)

    def _judge(self, vhost: Vhost, message: Advertisement) -> None:
        """carp_proto_input_c: the demotion counts before the interval."""
        mine, theirs = vhost.interval, message.advbase + message.advskew / 256.0
        demotion = self.demotion(vhost)
        if vhost.state == "MASTER":
            if (mine >= theirs and message.demotion <= demotion) or message.demotion < demotion:
                vhost.timer.stop()
                self._set(vhost, "BACKUP")
                self._run(vhost)
        elif vhost.state == "BACKUP":
            preempts = self._machine.sysctl["net.inet.carp.preempt"] != "0" and mine < theirs and message.demotion >= demotion
            if preempts or message.demotion > demotion or 0 < vhost.advbase * 3 < theirs:
                self._take_over(vhost)
            else:
                self._run(vhost)

    def _count(self, name: str) -> None:
        self.counters[name] = self.counters.get(name, 0) + 1

    def _log(self, level: int, text: str) -> None:
        if int(self._machine.sysctl["net.inet.carp.log"]) >= level:
            self._machine.say(text)

    def master(self, carpdev: str) -> Optional[bool]:
        """Whether this machine is master of all virtual hosts on an interface; None where it has none."""
        held = [vhost.state == "MASTER" for vhost in self.on(carpdev)]
        return all(held) if held else None
