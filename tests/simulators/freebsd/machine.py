# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A FreeBSD machine without FreeBSD: its kernel, its files below a directory, and programs that answer as the real ones do. Nothing is started for it."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Dict, List, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd import machine
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.carp import Carp
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.interfaces import Address, Interface, Interfaces
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.machine import Crashed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Network, Packet
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import programs
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import Refused
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pf import Pf
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pfsync import FORMATS, Pfsync
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.routes import Leases, Routes

_OWN_FILES = {"/etc/sysctl.conf": "", "/boot/loader.conf": "", "/etc/hosts": "127.0.0.1 localhost\n"}
_MODULES = ("kernel",)


class Machine(machine.Machine):
    """One machine.

    Attributes:
        release: such as ``14.2-RELEASE``, of kernel and userland; ``installed`` is that of the kernel on the disk.
        kernels, bootfile: when the file of each kernel on the disk was last changed, and the one that runs.
        sccs: what each says of itself, where that is not what the running one says.
        modules: kernel modules that are loaded.
        kenv: the kernel's environment, without what the loader puts there.
        routes, leases: routes that were set, and addresses that a server lends.
    """

    def __init__(self, root: Path, network: Network, number: int = 0, name: str = "fw1", release: str = "14.2-RELEASE",
                 builtin: Sequence[str] = ()) -> None:
        super().__init__(root, network, number, name)
        self.release = self.installed = release if "-" in release else release + "-RELEASE"
        self.kernels = {"/boot/kernel/kernel": int(self.booted) - 86400}
        self.bootfile = "/boot/kernel/kernel"
        self.sccs: Dict[str, str] = {}
        self.builtin = tuple(builtin)
        self.modules: List[str] = []
        self.interfaces = Interfaces()
        self.host_uuid = str(uuid.uuid5(uuid.NAMESPACE_DNS, "%s.example.net" % name))
        self.kenv: Dict[str, str] = {}
        self.pf = Pf(self, self.clock, seed=number + 1)
        self.carp = Carp(self, self.clock)
        self.pfsync = Pfsync(self, self.clock, FORMATS[self.major])
        self.routes = Routes(self)
        self.leases = Leases(self)
        network.machines.append(self)
        self._start_kernel()

    # Facts

    @property
    def major(self) -> int:
        return int(self.release.split(".")[0])

    @property
    def minor(self) -> int:
        return int(re.split(r"[.-]", self.release)[1])

    @property
    def os_version(self) -> int:
        """kern.osreldate."""
        return self.major * 100000 + self.minor * 1000 + (500 if "CURRENT" in self.release else 0)

    @property
    def has_pf(self) -> bool:
        return "pf" in self.modules

    @property
    def has_pfsync(self) -> bool:
        return "pfsync" in self.modules

    @property
    def filters(self) -> bool:
        return self.has_pf and self.pf.enabled

    def program(self, words: List[str], stdin: Optional[str]) -> Completed:
        return programs.run(self, words, stdin)

    def has_program(self, name: str) -> bool:
        return programs.exists(self, name)

    def changing(self, words: List[str]) -> bool:
        return programs.changes(words)

    # Packets

    def send(self, device: str, packet: Packet) -> bool:
        """Send a packet; false when pf does not let it out."""
        if self.has_pf and not self.pf.passes("out", device, packet):
            return False
        self.network.shared.send(self, device, packet)
        return True

    def receive(self, device: str, packet: Packet) -> None:
        """Take a packet, if it is for this machine and pf lets it in."""
        own = any(address.host == packet.target for one in self.interfaces.values() for address in one.addresses)
        if not own and not packet.target.startswith(("224.", "ff")):
            return
        if packet.protocol == "pfsync" and (not self.has_pfsync or not self.pfsync.hears(device, packet.target)):
            return
        if packet.protocol == "carp" and "carp" not in self.modules:
            return
        if self.has_pf and not self.pf.passes("in", device, packet):
            return
        (self.pfsync if packet.protocol == "pfsync" else self.carp).receive(device, packet)

    def link_changed(self, device: str) -> None:
        """The kernel says so, and CARP and the interfaces on top of this one follow."""
        self.say("%s: link state changed to %s" % (device, "UP" if self.interfaces.carrier(device) else "DOWN"))
        self.settle(device)

    def settle(self, device: str) -> None:
        """An interface came up or went down: CARP on it, and on what is made of it."""
        self.carp.link_changed(device)
        master = self.interfaces.master_of(device)
        above = [one.name for one in self.interfaces.values() if one.vlan is not None and one.vlan.parent == device]
        for name in above + ([master.name] if master is not None else []):
            self.settle(name)

    # Power

    def start(self) -> List[str]:
        self._start_kernel()
        from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import rc
        return rc.boot(self)

    def _start_kernel(self) -> None:
        self.alive = True
        self.booted = self.clock.now
        self._flows = 0
        self.modules = list(_MODULES)
        before = {one.mac: one for one in self.interfaces.values() if one.mac is not None}
        self.routes.entries.clear()
        self.leases.clients.clear()
        self.interfaces.clear()
        for port in self.ports:
            cable = before.get(port.mac, port)  # whatever name the port had, its cable is as it was
            self.interfaces[port.name] = Interface(port.name, port.driver, port.mac, port.segment, plugged=cable.plugged, muted=cable.muted)
        self.interfaces["lo0"] = Interface("lo0", "lo", up=True, mtu=16384, addresses=[Address("127.0.0.1/8"), Address("::1/128"), Address("fe80::1/64")])
        self.pfsync.formats = FORMATS[self.major]
        self.pfsync.reset()
        self.sysctl = dict(programs.SYSCTLS)
        self.kenv = {}
        for module in self.builtin:
            self.load(module)

    def load(self, module: str) -> None:
        """Load a kernel module, and what it needs."""
        for needed in {"pfsync": ("pf",), "pflog": ("pf",)}.get(module, ()):
            if needed not in self.modules:
                self.load(needed)
        self.modules.append(module)
        self.sysctl.update(programs.MODULE_SYSCTLS.get(module, {}))
        if module == "pflog":
            self.interfaces["pflog0"] = Interface("pflog0", "pflog", mtu=33152)
        if module == "pf":
            self.pf.reset()
        if module == "pfsync":
            self.pfsync.reset()
            self.interfaces["pfsync0"] = Interface("pfsync0", "pfsync")

    def add_port(self, name: str, segment: Optional[str]) -> None:
        """Put a network card in; a machine has its cards before it starts."""
        driver = name.rstrip("0123456789")
        mac = "52:54:00:00:%02x:%02x" % (0x0A + self.number, len(self.ports))
        port = Interface(name, driver, mac, segment)
        self.ports.append(port)
        items = list(self.interfaces.items())
        self.interfaces.clear()
        self.interfaces.update([*items[:len(self.ports) - 1], (name, Interface(name, driver, mac, segment)), *items[len(self.ports) - 1:]])


def prepared(root: Path, machine: Machine, rc_conf: str) -> None:
    """Lay out the files of a bare system."""
    for name, text in dict(_OWN_FILES, **{"/etc/rc.conf": rc_conf}).items():
        machine.put(name, text)
    for folder in ("/etc/defaults", "/var/db", "/var/run", "/usr/local/etc", "/tmp"):
        machine.path(folder).mkdir(parents=True, exist_ok=True)


__all__ = ["Crashed", "Machine", "Refused", "prepared"]
