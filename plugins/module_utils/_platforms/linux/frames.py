# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Frames on an Ethernet segment: the questions that are sent, and who sent the frames that are heard. Pure: bytes in, bytes and values out."""

from __future__ import annotations

import ipaddress
import struct
from typing import NamedTuple, Optional

ETHERTYPE_IPV4, ETHERTYPE_ARP, ETHERTYPE_IPV6, ETHERTYPE_VLAN = 0x0800, 0x0806, 0x86DD, 0x8100
_ICMPV6, _ECHO_REQUEST = 58, 128
_ICMPV6_OF_DISCOVERY = range(128, 138)  # echo (128, 129), MLD (130-132), router and neighbour discovery (133-137)


class Heard(NamedTuple):
    """Who sent a frame.

    Attributes:
        address: the protocol address that it gives as its own, or None (none stated, or one that no host can own).
        mac: the source of the frame, lower case with colons.
        how: ``arp`` for ARP, ``heard`` for everything else.
        overhead: the frame belongs to address resolution or to asking around, not to anyone's traffic.
    """

    address: Optional[str]
    mac: str
    how: str
    overhead: bool


def mac_text(raw: bytes) -> str:
    """``aa:bb:cc:dd:ee:ff``."""
    return ":".join("%02x" % byte for byte in raw)


def arp_request(mac: bytes, sender: str, target: str) -> bytes:
    """Who has ``target``? (RFC 826), to everyone; sender 0.0.0.0 makes it a probe (RFC 5227) that changes nobody's table."""
    ethernet = b"\xff" * 6 + mac + struct.pack("!H", ETHERTYPE_ARP)
    question = struct.pack("!HHBBH", 1, ETHERTYPE_IPV4, 6, 4, 1) + mac + ipaddress.IPv4Address(sender).packed
    return ethernet + question + b"\x00" * 6 + ipaddress.IPv4Address(target).packed


def echo_request(mac: bytes, source: str) -> bytes:
    """An ICMPv6 echo request to all nodes of the link, ff02::1 (RFC 4443), that no router passes on (hop limit 1)."""
    sender, everyone = ipaddress.IPv6Address(source).packed, ipaddress.IPv6Address("ff02::1").packed
    body = struct.pack("!BBHHH", _ECHO_REQUEST, 0, 0, 0x4841, 1)
    pseudo = sender + everyone + struct.pack("!II", len(body), _ICMPV6)
    body = struct.pack("!BBHHH", _ECHO_REQUEST, 0, checksum(pseudo + body), 0x4841, 1)
    header = struct.pack("!IHBB", 6 << 28, len(body), _ICMPV6, 1) + sender + everyone
    return b"\x33\x33\x00\x00\x00\x01" + mac + struct.pack("!H", ETHERTYPE_IPV6) + header + body


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of an even number of bytes."""
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def sender_of(frame: bytes) -> Optional[Heard]:
    """Who sent this frame, or None when that cannot be told: too short, a group address as its source, or neither ARP nor IP.

    Takes any bytes: frames come from whoever is on the segment.
    """
    if len(frame) < 14 or frame[6] & 1:
        return None
    mac, kind, start = mac_text(frame[6:12]), int.from_bytes(frame[12:14], "big"), 14
    if kind == ETHERTYPE_VLAN and len(frame) >= 18:
        kind, start = int.from_bytes(frame[16:18], "big"), 18
    packet = frame[start:]
    if kind == ETHERTYPE_ARP and len(packet) >= 28 and packet[:6] == b"\x00\x01\x08\x00\x06\x04":
        return Heard(_host(packet[14:18]), mac, "arp", True)
    if kind == ETHERTYPE_IPV4 and len(packet) >= 20 and packet[0] >> 4 == 4:
        return Heard(_host(packet[12:16]), mac, "heard", False)
    if kind == ETHERTYPE_IPV6 and len(packet) >= 40 and packet[0] >> 4 == 6:
        asking = packet[6] == _ICMPV6 and len(packet) > 40 and packet[40] in _ICMPV6_OF_DISCOVERY
        return Heard(_host(packet[8:24]), mac, "heard", asking)
    return None


def _host(packed: bytes) -> Optional[str]:
    address = ipaddress.ip_address(packed)
    if address.is_unspecified or address.is_multicast or address.is_loopback or packed == b"\xff" * 4:
        return None
    return str(address)
