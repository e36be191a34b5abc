# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine's interfaces: ports, LAGGs, VLANs and those that only the kernel has, and which of them carry frames where."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Dict, FrozenSet, List, Optional, Set, Tuple

Wire = Tuple[str, Tuple[int, ...]]  # a segment, and the VLAN tags on it from the outside in


@dataclass
class Address:
    """An address on an interface.

    Attributes:
        text: with its prefix length.
        vhid: of the virtual host that it belongs to, or None.
    """

    text: str
    vhid: Optional[int] = None

    @property
    def interface(self) -> "ipaddress.IPv4Interface | ipaddress.IPv6Interface":
        return ipaddress.ip_interface(re.sub("%[^/]*", "", self.text))  # Python 3.8 knows no zones

    @property
    def host(self) -> str:
        return self.text.split("/")[0]


@dataclass
class Lagg:
    """What makes an interface a LAGG: ``primary`` is the port that was added first and is the master."""

    protocol: str = "failover"
    hash: str = "l2,l3,l4"
    ports: List[str] = field(default_factory=list)
    primary: Optional[str] = None
    fast: bool = False


@dataclass
class Vlan:
    """What makes an interface a VLAN; without a parent it carries nothing."""

    tag: int = 0
    parent: Optional[str] = None
    pcp: int = 0


@dataclass
class Interface:
    """One interface.

    Attributes:
        driver: as in ``em``; a renamed interface keeps it.
        mac: the address that it came with; None for those that have none.
        segment: where its cable leads; None for none.
        plugged: false when the cable was pulled.
        muted: true when the cable is in and nothing comes through.
        autos: link-local and the like: whether it got its own IPv6 address.
    """

    name: str
    driver: str
    mac: Optional[str] = None
    segment: Optional[str] = None
    up: bool = False
    mtu: int = 1500
    plugged: bool = True
    muted: bool = False
    promiscuous: bool = False
    accept_inet6: bool = False
    description: Optional[str] = None
    addresses: List[Address] = field(default_factory=list)
    lagg: Optional[Lagg] = None
    vlan: Optional[Vlan] = None
    received: List[int] = field(default_factory=lambda: [0, 0])  # packets, bytes
    sent: List[int] = field(default_factory=lambda: [0, 0])

    def address_of(self, version: int) -> Optional[str]:
        """The first address that is not virtual; of IPv6 a link-local one only when there is no other."""
        own = [address for address in self.addresses if address.vhid is None and address.interface.version == version]
        own.sort(key=lambda address: address.interface.is_link_local)
        return own[0].host if own else None


class Interfaces(Dict[str, Interface]):
    """All interfaces of a machine by name, in the kernel's order."""

    def master_of(self, name: str) -> Optional[Interface]:
        """The LAGG that a port belongs to."""
        return next((one for one in self.values() if one.lagg is not None and name in one.lagg.ports), None)

    def carrier(self, name: str) -> bool:
        """Whether there is a link, be the interface up or not."""
        one = self[name]
        if one.lagg is not None:
            return any(self.ready(port) for port in one.lagg.ports)
        if one.vlan is not None:
            return one.vlan.parent is not None and self.carrier(one.vlan.parent) and self[one.vlan.parent].up
        return one.plugged

    def ready(self, name: str) -> bool:
        return self[name].up and self.carrier(name)

    def carrying(self, lagg: Lagg) -> List[str]:
        """The ports that carry a LAGG's traffic. A partner in LACP is taken to be there where the cable is in."""
        ready = [port for port in lagg.ports if self.ready(port)]
        if lagg.protocol == "failover" and ready:
            # The first one; else the one behind it in order; else whichever there is.
            after = lagg.ports[lagg.ports.index(lagg.primary or lagg.ports[0]):][:2]
            return [next((port for port in after if port in ready), ready[0])]
        return ready if lagg.protocol != "none" else []

    def mac(self, name: str) -> Optional[str]:
        """The hardware address in use."""
        one = self[name]
        if one.lagg is not None:
            return self[one.lagg.primary].mac if one.lagg.primary else "00:00:00:00:00:00"
        if one.vlan is not None:
            return self.mac(one.vlan.parent) if one.vlan.parent else "00:00:00:00:00:00"
        master = self.master_of(name)
        return self.mac(master.name) if master is not None else one.mac

    def wires(self, name: str) -> FrozenSet[Wire]:
        """Where frames of this interface go, and come from: nowhere while it is down or without a link, or a LAGG's port."""
        return frozenset() if self.master_of(name) is not None else frozenset(self._wires(name))

    def _wires(self, name: str) -> Set[Wire]:
        one = self[name]
        if not one.up or one.muted:
            return set()
        if one.lagg is not None:
            return {wire for port in self.carrying(one.lagg) for wire in self._wires(port)}
        if one.vlan is not None:
            tag, parent = one.vlan.tag, one.vlan.parent
            return {(segment, tags + (tag,)) for segment, tags in self._wires(parent)} if parent else set()
        return {(one.segment, ())} if one.segment is not None and one.plugged else set()
