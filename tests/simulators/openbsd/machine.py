# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An OpenBSD machine without OpenBSD: its kernel, its files below a directory, and programs that answer as the real ones do. Nothing is started for it."""

from __future__ import annotations

import ipaddress
import random
import uuid
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd import machine
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.interfaces import Address, Interface
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.machine import Crashed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Network, Packet
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd import netstart, programs, sysctl
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import NotModelled
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.carp import Carp
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.devices import Device, Devices
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.pf import Pf
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.pfsync import Pfsync

__all__ = ["Crashed", "Machine"]

OLDEST = (7, 4)  # pfsync was written anew for it; the one before was not read
NEWEST = (7, 9)


class Machine(machine.Machine):
    """One machine.

    Attributes:
        release: such as ``7.6``.
        gateway: the default route's, if there is one.
        by_shell: rc.local is run by somebody else, who ends the start then.
        more_routes: further lines of ``netstat -rn``.
        stored_kernel: the line of the kernel in /bsd, where it is another one than runs; None for the same.
        patches: names of binary patches that ``syspatch -l`` tells; ``missing_patches`` those of ``syspatch -c``.
    """

    interfaces: Devices
    pf: Pf
    carp: Carp
    pfsync: Pfsync

    def __init__(self, root: Path, network: Network, number: int = 0, name: str = "fw1", release: str = "7.6") -> None:
        version = tuple(int(part) for part in release.split("."))
        if not OLDEST <= version <= NEWEST:
            raise NotModelled("OpenBSD %s" % release)
        super().__init__(root, network, number, name)
        self.release = release
        self.interfaces = Devices()
        self.stored_kernel: Optional[str] = None
        self.patches: List[str] = []
        self.missing_patches: List[str] = []
        self.gateway: Optional[str] = None
        self.by_shell = False
        self.more_routes: List[str] = []
        self.host_uuid = str(uuid.uuid5(uuid.NAMESPACE_DNS, "%s.example.net" % name))
        self.sysctl = sysctl.defaults(self)
        self._random = random.Random(number + 1)
        self._links: Dict[str, Tuple[bool, bool]] = {}
        self.pf = Pf(self, self.clock, seed=number + 1)
        self.carp = Carp(self, self.clock)
        self.pfsync = Pfsync(self, self.clock)
        network.machines.append(self)
        self._start_kernel()

    # Facts

    @property
    def has_pf(self) -> bool:
        """It is in each kernel."""
        return True

    @property
    def has_pfsync(self) -> bool:
        return "pfsync0" in self.interfaces

    @property
    def filters(self) -> bool:
        return self.pf.enabled

    def program(self, words: List[str], stdin: Optional[str]) -> Completed:
        return programs.run(self, words, stdin)

    def has_program(self, name: str) -> bool:
        return programs.exists(name)

    def changing(self, words: List[str]) -> bool:
        return programs.changes(words)

    def fake_address(self) -> str:
        """The address that ether_fakeaddr makes up: two of its octets are random, so that it is another one after each boot."""
        self._made += 1
        return "fe:e1:ba:d%x:%02x:%02x" % ((self._made - 1) % 16, self._random.randrange(256), self._random.randrange(256))

    def set_gateway(self, address: str) -> None:
        """A default route; its interface joins the group egress (if_group_egress_build)."""
        self.gateway = address
        for name, one in self.interfaces.items():
            if any(ipaddress.ip_address(address) in held.interface.network for held in one.addresses if held.interface.version == 4):
                self.interfaces.join(name, "egress")

    @property
    def gateway_by(self) -> Optional[str]:
        """The interface of the default route; None when there is none, which is so where no address reaches it any more."""
        if self.gateway is None:
            return None
        target = ipaddress.ip_address(self.gateway)
        return next((name for name, one in self.interfaces.items() for held in one.addresses
                     if one.driver != "carp" and held.interface.version == target.version and target in held.interface.network), None)

    # Packets

    def send(self, device: str, packet: Packet) -> bool:
        """Send a packet; false when pf does not let it out, or the interface is down."""
        if not self.interfaces[device].up or not self.pf.passes("out", device, packet):
            return False
        self.network.shared.send(self, device, packet)
        return True

    def receive(self, device: str, packet: Packet) -> None:
        """Take a packet, if it is for this machine and pf lets it in."""
        own = any(address.host == packet.target for one in self.interfaces.values() for address in one.addresses)
        if not own and not packet.target.startswith(("224.", "ff")):
            return
        if packet.protocol == "pfsync" and not self.pfsync.hears(device, packet.target):
            return
        if packet.protocol == "carp" and not self.carp.vhosts:
            return
        if not self.pf.passes("in", device, packet):
            return
        (self.pfsync if packet.protocol == "pfsync" else self.carp).receive(device, packet)

    def link_changed(self, device: str) -> None:
        """A cable was pulled or put in."""
        self.settle()

    def settle(self) -> None:
        """Tell CARP and pfsync of links and interfaces that came up or went down since the last time (if_linkstatehooks)."""
        if not self.alive:
            return
        found = {name: (self.interfaces.carrier(name), one.up) for name, one in self.interfaces.items() if one.driver not in ("carp", "pfsync")}
        before, self._links = self._links, found
        for name, state in found.items():
            if before.get(name) not in (None, state):
                self.carp.parent_changed(name)
                self.pfsync.link_changed(name)

    # Power

    def shut_down(self) -> None:
        """All interfaces go down (if_downall in sys/net/if.c), so that CARP bows out."""
        for name, one in self.interfaces.items():
            if one.driver == "carp" and one.up:
                one.up = False
                self.carp.flags_changed(name)

    def start(self) -> List[str]:
        self._start_kernel()
        return netstart.boot(self)

    def _start_kernel(self) -> None:
        self.alive = True
        self.booted = self.clock.now
        self._flows = self._made = 0
        self._links = {}
        self.gateway = None
        self.dmesg.append("OpenBSD %s (GENERIC.MP) #%s" % (self.release, sysctl.BUILD))
        self.interfaces = Devices()
        for port in self.ports:
            fresh = Device(port.name, port.driver, port.mac, port.segment, plugged=port.plugged, muted=port.muted)
            self.interfaces.attach(fresh)
        self.interfaces.attach(Device("enc0", "enc", mtu=0), "enc")
        loopback = Device("lo0", "lo", up=True, mtu=32768)
        self.interfaces.attach(loopback, "lo")
        loopback.addresses = [Address("::1/128"), Address("fe80::1%lo0/64"), Address("127.0.0.1/8")]
        self.interfaces.attach(Device("pflog0", "pflog", up=True, mtu=33136, promiscuous=True), "pflog")
        # The kernel attaches lo0 at the head of its list.
        rest = [(name, one) for name, one in self.interfaces.items() if name != "lo0"]
        self.interfaces.clear()
        self.interfaces.update([("lo0", loopback), *rest])
        self.pfsync.reset()
        self.sysctl = sysctl.defaults(self)

    def add_port(self, name: str, segment: Optional[str]) -> None:
        """Put a network card in; a machine has its cards before it starts."""
        self.ports.append(Interface(name, name.rstrip("0123456789"), "52:54:00:00:%02x:%02x" % (0x1A + self.number, len(self.ports)), segment))
        self._start_kernel()
