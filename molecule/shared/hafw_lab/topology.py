# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab looks like: segments, nodes, addresses and names. Pure data, no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_FIREWALLS = 9  # host parts .130 to .138 of the Sync network; .140 is the stranger's
LAN4, LAN6 = "192.0.2.0/24", "2001:db8:1::/64"
WAN4, WAN6 = "203.0.113.0/24", "2001:db8:2::/64"
SYNC4, SYNC6 = "198.51.100.128/28", "2001:db8:5::/64"
MGMT4 = "198.51.100.0/25"
DMZ4, DMZ6 = "198.51.100.192/27", "2001:db8:3::/64"
PEER4 = "198.51.100.160/28"
CONTROLLER = "198.51.100.1/25"
STRANGER = "198.51.100.140/28"
LAN_VIP4, LAN_VIP6 = "192.0.2.1", "2001:db8:1::1"
WAN_VIP4, WAN_VIP6 = "203.0.113.1", "2001:db8:2::1"
DMZ_VIP4 = "198.51.100.193"
SEGMENTS = ("mgmt", "lan", "wan", "sync")
SWITCH = "net"
NODE_NAME = re.compile(r"(fw[1-9]|client|server)")
_LAB_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_RESERVED = ("image", "collections")  # folders of build/ that are not a lab's


@dataclass(frozen=True)
class Vlan:
    """A VLAN upon a port: its device, its tag, its segment, its addresses with prefix length."""

    device: str
    tag: int
    segment: str
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Port:
    """One network device of a node: its name, the segment it is plugged into, its addresses with prefix length.

    A segment that is none of the switch's is a cable from node to node, port by port.
    """

    device: str
    segment: str
    addresses: tuple[str, ...] = ()
    vlan: Vlan | None = None


@dataclass(frozen=True)
class Node:
    """One machine of the lab. number is unique in the lab: it is the link group of its cables and part of its MAC addresses.

    virtual: it is a virtual machine with a kernel of its own, not a container.
    """

    name: str
    number: int
    ports: tuple[Port, ...]
    routes: tuple[tuple[str, str, str], ...] = ()  # (device, destination, gateway)
    virtual: bool = False

    @property
    def firewall(self) -> bool:
        return self.name.startswith("fw")

    @property
    def management(self) -> str:
        """The address that ssh uses, without prefix length."""
        return self.ports[0].addresses[0].split("/")[0]

    def port(self, device: str) -> Port:
        """The port with this device name; KeyError names those that exist."""
        for port in self.ports:
            if port.device == device:
                return port
        raise KeyError(f"{self.name} has no device {device}; it has {', '.join(each.device for each in self.ports)}")

    def devices(self) -> dict[str, list[str]]:
        """The devices on each segment, the one that has the addresses first."""
        found: dict[str, list[str]] = {}
        for port in self.ports:
            found.setdefault(port.segment, []).append(port.device)
            if port.vlan is not None:
                found[port.vlan.segment] = [port.vlan.device]
        return found

    def mac(self, device: str) -> str:
        """A locally administered address that stays the same over power loss, like that of a real card."""
        index = [each.device for each in self.ports].index(device)
        return f"02:00:c6:33:{self.number:02x}:{index + 1:02x}"


def firewall(number: int) -> Node:
    """Firewall fw<number>: host part number + 1 in every network."""
    host = number + 1
    return Node(
        f"fw{number}",
        number,
        (
            Port("mgmt0", "mgmt", (f"198.51.100.{host}/25",)),
            Port("lan0", "lan", (f"192.0.2.{host}/24", f"2001:db8:1::{host}/64")),
            Port("wan0", "wan", (f"203.0.113.{host}/24", f"2001:db8:2::{host}/64")),
            Port("sync0", "sync", (f"198.51.100.{128 + host}/28", f"2001:db8:5::{host}/64")),
        ),
    )


def virtual_firewall(number: int) -> Node:
    """The same firewall as a virtual machine: no device is called as on the other one, WAN and Sync have a port to spare, LAN carries a VLAN."""
    host = number + 1
    plain = {port.segment: port.addresses for port in firewall(number).ports}
    card = ("em", "igb")[number - 1]
    ports = (
        Port(f"{card}0", "mgmt", plain["mgmt"]),
        Port(f"{card}1", "lan", plain["lan"], Vlan(f"{card}1.10", 10, "dmz", (f"198.51.100.{192 + host}/27", f"2001:db8:3::{host}/64"))),
        Port(f"{card}2", "wan", plain["wan"]),
        Port(f"{card}3", "wan"),
        Port(f"{card}4", "sync", plain["sync"]),
        Port(f"{card}5", "sync"),
        Port(f"{card}6", "peer", (f"198.51.100.{160 + host}/28",)),
        Port(f"{card}7", "peer"),
    )
    return Node(f"fw{number}", number, ports, virtual=True)


CLIENT = Node(
    "client",
    100,
    (Port("mgmt0", "mgmt", ("198.51.100.100/25",)), Port("lan0", "lan", ("192.0.2.100/24", "2001:db8:1::100/64"))),
    (("lan0", "0.0.0.0/0", LAN_VIP4), ("lan0", "::/0", LAN_VIP6)),
)
# No IPv4 route back to the LAN: only what left through the firewall's SNAT can be answered.
SERVER = Node(
    "server",
    101,
    (Port("mgmt0", "mgmt", ("198.51.100.101/25",)), Port("wan0", "wan", ("203.0.113.100/24", "2001:db8:2::100/64"))),
    (("wan0", LAN6, WAN_VIP6),),
)
STRANGER_NODE = Node("stranger", 102, (Port("sync0", "sync", (STRANGER,)),))


def nodes(firewalls: int, virtual: bool = False) -> tuple[Node, ...]:
    """All nodes of a lab with this many firewalls; ValueError outside 1..9, and other than 2 when they are virtual machines."""
    if not 1 <= firewalls <= MAX_FIREWALLS:
        raise ValueError(f"a lab has 1 to {MAX_FIREWALLS} firewalls, not {firewalls}")
    if virtual and firewalls != 2:
        raise ValueError(f"a lab has 2 firewalls that are virtual machines, which cables join, not {firewalls}")
    make = virtual_firewall if virtual else firewall
    return (*(make(number) for number in range(1, firewalls + 1)), CLIENT, SERVER)


def check_lab_name(name: str) -> str:
    """The name, or ValueError: it becomes part of namespace and folder names."""
    if not _LAB_NAME.fullmatch(name) or name in _RESERVED:
        raise ValueError(f"the lab's name {name!r} must be 1 to 40 of a-z, 0-9 and '-', not begin or end with '-', and not be one of {', '.join(_RESERVED)}")
    return name


def namespace(lab: str, node: str) -> str:
    """Name of the network namespace, the control group and the machine of one node."""
    return f"hafw-{lab}-{node}"


def belongs(lab: str, name: str) -> bool:
    """Whether a namespace or control group of this name is this lab's: lab 'a' must never take hold of lab 'a-b'."""
    return re.fullmatch(rf"hafw-{re.escape(lab)}-({NODE_NAME.pattern}|{SWITCH}|{STRANGER_NODE.name})", name) is not None


def cable(node: str, device: str) -> str:
    """Name of a cable's end in the switch, at most 15 characters (stranger-sync0 is the longest)."""
    return f"{node}-{device}"
