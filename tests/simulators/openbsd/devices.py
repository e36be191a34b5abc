# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenBSD's interfaces: their groups, links and hardware addresses (sys/net/if.c, if_aggr.c, if_trunk.c, if_vlan.c)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Dict, List, Optional

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.interfaces import Interface, Interfaces, Lagg

NO_ADDRESS = "00:00:00:00:00:00"
CLONERS = ("aggr", "bpe", "bridge", "carp", "egre", "enc", "eoip", "etherip", "gif", "gre", "lo", "mgre", "mpe", "mpip", "mpw", "nvgre", "pair", "pflog",
           "pflow", "pfsync", "ppp", "pppoe", "sec", "svlan", "tap", "tpmr", "trunk", "tun", "veb", "vether", "vlan", "vport", "vxlan", "wg")
MODELLED = ("aggr", "carp", "pfsync", "trunk", "vlan")  # those of them that can be made here


@dataclass
class Device(Interface):
    """One interface.

    Attributes:
        index: as the kernel counts them.
        groups: that it is a member of, in their order, without ``all``.
        running: IFF_RUNNING, of those that are not told by being up: carp and pfsync.
        lladdr: an address that was set by hand, or made up when it was created; before the one that it came with.
        carpdev: of a carp interface the one that it lies on.
    """

    index: int = 0
    groups: List[str] = field(default_factory=list)
    running: bool = False
    debug: bool = False
    lladdr: Optional[str] = None
    carpdev: Optional[str] = None


class Devices(Interfaces):
    """All interfaces of a machine.

    Attributes:
        demoted: each group's carp demotion counter.
    """

    def __init__(self) -> None:
        super().__init__()
        self.demoted: Dict[str, int] = {"carp": 0, "egress": 0}  # carpattach keeps the group even if it is empty
        self._last = 0

    def device(self, name: str) -> Device:
        """The interface of that name."""
        found = self[name]
        assert isinstance(found, Device)
        return found

    def attach(self, device: Device, *groups: str) -> Device:
        """Add an interface to the kernel's list."""
        self._last += 1
        device.index = self._last
        self[device.name] = device
        for group in groups:
            self.join(device.name, group)
        return device

    def detach(self, name: str) -> None:
        """Remove it; groups without a member go too, except carp."""
        for group in list(self.device(name).groups):
            self.leave(name, group)
        for one in self.values():
            if one.lagg is not None and name in one.lagg.ports:
                self.drop_port(one.name, name)
            if one.vlan is not None and one.vlan.parent == name:
                one.vlan.parent, one.up = None, False
        del self[name]

    def join(self, name: str, group: str) -> None:
        if group not in self.device(name).groups:
            self.device(name).groups.append(group)
            self.demoted.setdefault(group, 0)

    def leave(self, name: str, group: str) -> None:
        self.device(name).groups.remove(group)
        if group != "carp" and not self.members(group):
            self.demoted.pop(group, None)

    def members(self, group: str) -> List[str]:
        """The interfaces of a group, in the order in which they joined."""
        return [one for one in self if group in self.device(one).groups or group == "all"]

    # LAGGs

    def drop_port(self, lagg: str, port: str) -> None:
        """Take a port out; another one becomes the primary."""
        one = self[lagg].lagg
        assert one is not None
        one.ports.remove(port)
        if one.primary == port:
            one.primary = one.ports[-1] if one.ports else None

    def carrying(self, lagg: Lagg) -> List[str]:
        """The ports that carry a LAGG's traffic (trunk_link_active; a new port is put before the others).

        A partner in LACP is taken to be there where the cable is in.
        """
        ready = [port for port in reversed(lagg.ports) if self.ready(port)]
        if lagg.protocol == "failover" and ready:
            after = lagg.ports[:lagg.ports.index(lagg.primary) + 1][::-1][:2] if lagg.primary else []
            return [next((port for port in after if port in ready), ready[0])]
        return ready if lagg.protocol != "none" else []

    def carrier(self, name: str) -> bool:
        """Whether there is a link, be the interface up or not. A VLAN and an aggr have one only while they run."""
        one = self[name]
        if one.vlan is not None:
            return one.up and one.vlan.parent is not None and one.vlan.tag > 0 and self.carrier(one.vlan.parent) and self[one.vlan.parent].up
        if one.driver == "aggr":
            return one.up and one.lagg is not None and any(self.ready(port) for port in one.lagg.ports)
        return super().carrier(name)

    def mac(self, name: str) -> Optional[str]:
        """The hardware address in use: an aggr has its own, a trunk that of its primary port, and the ports have that of the LAGG."""
        one = self.device(name)
        master = self.master_of(name)
        if master is not None:
            return self.mac(master.name)
        if one.lladdr is not None:
            return one.lladdr
        if one.driver == "trunk":
            assert one.lagg is not None
            return self.device(one.lagg.primary).lladdr or self[one.lagg.primary].mac if one.lagg.primary else one.mac
        if one.vlan is not None:
            return self.mac(one.vlan.parent) if one.vlan.parent else NO_ADDRESS
        return one.mac


def link_local(mac: str, device: str) -> str:
    """The address that in6_ifattach makes: no reader can tell it from the hardware address (IPv6 SOII), so neither can one here."""
    digits = hashlib.sha256(("%s %s" % (mac, device)).encode()).hexdigest()[:16]
    parts = ["%x" % int(digits[at:at + 4], 16) for at in range(0, 16, 4)]
    return "fe80::%s%%%s/64" % (":".join(parts), device)
