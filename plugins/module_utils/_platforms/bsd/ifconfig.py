# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ifconfig says of the devices. Pure: text to devices; words that it does not know are passed over."""

from __future__ import annotations

import ipaddress
import re
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

_BLOCK = re.compile(r"^(?=\S+: flags=)", re.MULTILINE)
_HEAD = re.compile(r"(?P<name>\S+): flags=\w+(?:<(?P<flags>[^>]*)>)?.*?(?:\bmtu (?P<mtu>\d+))?$", re.MULTILINE)
_INET = re.compile(r"^\s+inet ([0-9.]+)(?:/(\d+))?(?: --> \S+)?(?: netmask (0x[0-9a-f]{8}))?(?P<rest>.*)$", re.MULTILINE)
_INET6 = re.compile(r"^\s+inet6 ([0-9A-Fa-f:.]+)(?:%\S+)?(?: --> \S+)? prefixlen (\d+)(?P<rest>.*)$", re.MULTILINE)
# One that has lost its parent lies on <none>, and is no VLAN of anything.
_VLAN = re.compile(r"^\s+vlan: (\d+)\b.*\bparent interface: (?!<none>)(\S+)", re.MULTILINE)
_PORT = re.compile(r"^\s+laggport: (\S+) flags=\w+(?:<([^>]*)>)?(?P<more>.*(?:\n\t\t.*)*)", re.MULTILINE)
_OPTIONS = re.compile(r"^\s+lagg options:\s+flags=\w+(?:<([^>]*)>)?", re.MULTILINE)
# Both ends of an aggregation as LACP names it: priority, hardware address, key, and the port's own two numbers.
_ENDS = re.compile(r"\[\(([^)]*)\),\s*\(([^)]*)\)\]")
# At the end of a medium: 1000baseT, 10Gbase-T, 2500Base-T, 100baseTX.
_SPEED = re.compile(r"\b(\d+(?:\.\d+)?)(G?)[Bb]ase")
_NOBODY = "00-00-00-00-00-00"


class Address(NamedTuple):
    """An address with its prefix length, without a zone, and the virtual host id that it belongs to, if any."""

    text: str
    vhid: Optional[int]


class Port(NamedTuple):
    """A member of a LAGG: what its flags say, and the aggregation that LACP has it in (None where ifconfig was not asked for it)."""

    name: str
    flags: Tuple[str, ...]
    aggregation: Optional[str]


class Lagg(NamedTuple):
    """A LAGG: ``hash`` as the kernel writes it, ``options`` None where ifconfig was not asked for them, ``partner`` None for nobody."""

    protocol: str
    hash: Optional[str]
    ports: Tuple[Port, ...]
    options: Optional[Tuple[str, ...]]
    aggregation: Optional[str]
    partner: Optional[str]


class Link(NamedTuple):
    """A device.

    Attributes:
        mac: the hardware address that it uses.
        own_mac: the one that it came with.
        speed: Mbit/s of its medium, None where that has none now.
        status: ``active``, ``no carrier``, ...; None where ifconfig says nothing of it.
        vlan: id and parent.
        members: of a bridge.
    """

    name: str
    flags: Tuple[str, ...]
    mtu: Optional[int]
    mac: Optional[str]
    own_mac: Optional[str]
    addresses: Tuple[Address, ...]
    medium: Optional[str]
    speed: Optional[int]
    status: Optional[str]
    groups: Tuple[str, ...]
    vlan: Optional[Tuple[int, str]]
    lagg: Optional[Lagg]
    members: Tuple[str, ...]

    @property
    def up(self) -> bool:
        """Administratively up, and with a carrier where there is such a thing."""
        return "UP" in self.flags and (self.status in ("active", "associated") if self.status is not None else "RUNNING" in self.flags)


def parse(text: str) -> Dict[str, Link]:
    """The devices by name, in the order of the text."""
    links = [_link(block) for block in _BLOCK.split(text)]
    return {link.name: link for link in links if link is not None}


def network_of(links: Mapping[str, Link], device: str) -> Optional[str]:
    """The IPv4 network of a device by its first address that is not virtual; None when it has none."""
    own = own_address(links, device)
    return None if own is None else str(ipaddress.ip_interface(own).network)


def own_address(links: Mapping[str, Link], device: str) -> Optional[str]:
    """The first IPv4 address of a device that is not virtual, with its prefix length."""
    held = links[device].addresses if device in links else ()
    return next((address.text for address in held if address.vhid is None and ":" not in address.text), None)


def own_address_v6(links: Mapping[str, Link], device: str) -> Optional[str]:
    """The same of IPv6, a link-local one only where there is no other."""
    held = [address.text for address in (links[device].addresses if device in links else ()) if address.vhid is None and ":" in address.text]
    return min(held, key=lambda text: text.lower().startswith("fe80:"), default=None)


def _link(block: str) -> Optional[Link]:
    head = _HEAD.match(block)
    if head is None:
        return None
    medium = _line(block, "media")
    return Link(
        head["name"], _words(head["flags"]), int(head["mtu"]) if head["mtu"] else None, _word(block, "ether"), _word(block, "hwaddr") or _word(block, "ether"),
        tuple(_addresses(block)), medium, _speed(medium), _line(block, "status"), tuple((_line(block, "groups") or "").split()),
        next(((int(tag), parent) for tag, parent in _VLAN.findall(block)), None), _lagg(block), tuple(re.findall(r"^\s+member: (\S+)", block, re.MULTILINE)))


def _addresses(block: str) -> List[Address]:
    found = []
    for match in _INET.finditer(block):
        bits = match[2] or (bin(int(match[3], 16)).count("1") if match[3] else 32)
        found.append((match.start(), Address("%s/%s" % (match[1], bits), _vhid(match["rest"]))))
    for match in _INET6.finditer(block):
        found.append((match.start(), Address("%s/%s" % (match[1], match[2]), _vhid(match["rest"]))))
    return [address for _place, address in sorted(found)]


def _vhid(rest: str) -> Optional[int]:
    found = re.search(r"\bvhid (\d+)", rest)
    return int(found[1]) if found else None


def _lagg(block: str) -> Optional[Lagg]:
    found = re.search(r"^\s+laggproto (\S+)(?:.*? lagghash (\S+))?", block, re.MULTILINE)
    if found is None:
        return None
    ends = _ends(_line(block, "lag id", more=True))
    options = _OPTIONS.search(block)
    ports = tuple(Port(match[1], _words(match[2]), _aggregation(_ends(match["more"]))) for match in _PORT.finditer(block))
    partner = ends[1].split(",")[1].lower().replace("-", ":") if ends and _NOBODY not in ends[1] else None
    return Lagg(found[1], found[2], ports, _words(options[1]) if options else None, _aggregation(ends), partner)


def _ends(text: Optional[str]) -> Optional[Tuple[str, str]]:
    found = _ENDS.search(text or "")
    return (found[1], found[2]) if found and all(len(end.split(",")) == 5 for end in found.groups()) else None


def _aggregation(ends: Optional[Tuple[str, str]]) -> Optional[str]:
    """What is the same for all ports of one aggregation: address and key of both ends."""
    return None if ends is None else " - ".join(" ".join(end.split(",")[1:3]) for end in ends)


def _speed(medium: Optional[str]) -> Optional[int]:
    # What was negotiated is in brackets behind what was asked for.
    found = _SPEED.search((medium or "").rpartition("(")[2])
    return int(float(found[1]) * (1000 if found[2] else 1)) if found else None


def _line(block: str, name: str, more: bool = False) -> Optional[str]:
    found = re.search(r"^\s+%s: (.*%s)$" % (name, r"(?:\n\t\t.*)*" if more else ""), block, re.MULTILINE)
    return found[1].strip() if found else None


def _word(block: str, name: str) -> Optional[str]:
    found = re.search(r"^\s+%s (\S+)" % name, block, re.MULTILINE)
    # A LAGG without an address of its own shows zeros.
    return found[1].lower() if found and found[1] != "00:00:00:00:00:00" else None


def _words(text: Optional[str]) -> Tuple[str, ...]:
    return tuple(word for word in (text or "").split(",") if word)
