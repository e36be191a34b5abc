# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a captured frame to what IP carries: who sent it, to whom, and the bytes behind the IP header.

Link types are those that capture files carry, not each system's own numbers; where a system writes its own, both are read
(https://www.tcpdump.org/linktypes.html). All numbers in headers are big-endian, but the family that a NULL frame begins with: it has the byte order
of the machine that captured, and is not needed, for IP tells its version itself.
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple, Optional, Tuple

NULL, ETHERNET, LOOP, LINUX_SLL, LINUX_SLL2 = 0, 1, 108, 113, 276
# FreeBSD's own number of RAW, which is OpenBSD's of LOOP; the first byte tells which.
_RAW_OR_LOOP = 12
# 14 is OpenBSD's own number; 228 and 229 say the version too.
RAW = (14, 101, 228, 229)
# 246 in files of today; 18 and 121 are the numbers of OpenBSD and of FreeBSD itself.
PFSYNC = (246, 18, 121)
LINKTYPES = frozenset((NULL, ETHERNET, LOOP, LINUX_SLL, LINUX_SLL2, _RAW_OR_LOOP) + RAW + PFSYNC)

PROTOCOL_UDP, PROTOCOL_PFSYNC = 17, 240
_IPV4, _IPV6 = 0x0800, 0x86DD
_VLAN_TAGS = frozenset((0x8100, 0x88A8, 0x9100))
_MOST_TAGS = 4
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _OPTIONS = 0, 43, 44, 60
_MOST_EXTENSIONS = 8

_HEADER4 = struct.Struct("!BBHHHBBH4s4s")
_HEADER6 = struct.Struct("!IHBB16s16s")
_UDP = struct.Struct("!HHHH")


class Frame(NamedTuple):
    """One captured frame.

    Attributes:
        time: seconds since 1970, when it was captured.
        linktype: what ``data`` begins with, one of ``LINKTYPES``.
        data: the bytes that were captured.
        length: bytes that the frame had on the wire; more than ``data`` has when the capture cut it short.
    """

    time: float
    linktype: int
    data: bytes
    length: int


class Datagram(NamedTuple):
    """What IP carried.

    Attributes:
        protocol: the IP protocol number, behind IPv6's extension headers.
        source: address as text, or None when the capture has no IP header (it was taken on a pfsync interface).
        destination: likewise.
        ttl: TTL or hop limit, or None likewise.
        payload: the bytes behind the IP header, without the padding of a short frame.
        whole: False when bytes of it are missing: a fragment, or cut short by the capture. A decoder's error about its length is
            then not the sender's.
    """

    protocol: int
    source: Optional[str]
    destination: Optional[str]
    ttl: Optional[int]
    payload: bytes
    whole: bool = True


class Udp(NamedTuple):
    """What UDP carried: the ports and the bytes behind the UDP header."""

    source_port: int
    destination_port: int
    payload: bytes


def payload_of(frame: Frame) -> Optional[Datagram]:
    """What IP carries in this frame, or None when it has no IP that can be read. Takes any bytes, and never raises."""
    if frame.linktype in PFSYNC:
        return Datagram(PROTOCOL_PFSYNC, None, None, None, frame.data, frame.length <= len(frame.data))
    start = _start_of_ip(frame)
    if start is None or start >= len(frame.data):
        return None
    version = frame.data[start] >> 4
    if version == 4:
        return _ipv4(frame.data, start)
    return _ipv6(frame.data, start) if version == 6 else None


def udp_of(datagram: Datagram) -> Optional[Udp]:
    """What UDP carries in this datagram, or None when it is not UDP or shorter than UDP's header. Trusts UDP's length only where it is smaller."""
    if datagram.protocol != PROTOCOL_UDP or len(datagram.payload) < _UDP.size:
        return None
    source, destination, length, _checksum = _UDP.unpack_from(datagram.payload)
    return Udp(source, destination, datagram.payload[_UDP.size:length if length >= _UDP.size else _UDP.size])


def _start_of_ip(frame: Frame) -> Optional[int]:
    """Where the IP header begins, or None for a frame that carries something else."""
    data, linktype = frame.data, frame.linktype
    if linktype in RAW or (linktype == _RAW_OR_LOOP and data[:1] >= b"\x40"):
        return 0
    if linktype in (NULL, LOOP, _RAW_OR_LOOP):
        return 4
    kind, start = {ETHERNET: (12, 14), LINUX_SLL: (14, 16), LINUX_SLL2: (0, 20)}.get(linktype, (0, 0))
    for _tag in range(_MOST_TAGS):
        if not start or len(data) < start:
            return None
        ethertype = int.from_bytes(data[kind:kind + 2], "big")
        if ethertype in (_IPV4, _IPV6):
            return start
        if ethertype not in _VLAN_TAGS:
            return None
        kind, start = start + 2, start + 4
    return None


def _ipv4(data: bytes, start: int) -> Optional[Datagram]:
    """RFC 791. A total length of zero is what a capture of a segmentation offload has: the rest of the frame counts."""
    if len(data) < start + _HEADER4.size:
        return None
    first, _tos, total, _id, fragment, ttl, protocol, _checksum, source, destination = _HEADER4.unpack_from(data, start)
    header = (first & 15) * 4
    if header < _HEADER4.size or (total and total < header):
        return None
    end = start + total if total else len(data)
    whole = end <= len(data) and not fragment & 0x3FFF  # more fragments, or an offset
    return Datagram(protocol, socket.inet_ntop(socket.AF_INET, source), socket.inet_ntop(socket.AF_INET, destination), ttl,
                    data[start + header:end], whole)


def _ipv6(data: bytes, start: int) -> Optional[Datagram]:
    """RFC 8200, with the extension headers that may stand before what a host receives."""
    if len(data) < start + _HEADER6.size:
        return None
    _flow, length, protocol, limit, source, destination = _HEADER6.unpack_from(data, start)
    start += _HEADER6.size
    end = start + length if length else len(data)
    behind = _behind_extensions(data, start, min(end, len(data)), protocol)
    if behind is None:
        return None
    start, protocol, fragment = behind
    return Datagram(protocol, socket.inet_ntop(socket.AF_INET6, source), socket.inet_ntop(socket.AF_INET6, destination), limit,
                    data[start:end], end <= len(data) and not fragment)


def _behind_extensions(data: bytes, start: int, end: int, protocol: int) -> Optional[Tuple[int, int, bool]]:
    """Where the upper protocol begins, its number, and whether this is a fragment; None when an extension header is cut off or there are too many."""
    for _header in range(_MOST_EXTENSIONS):
        if protocol not in (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _OPTIONS):
            return start, protocol, False
        if start + 8 > end:
            return None
        if protocol == _FRAGMENT and int.from_bytes(data[start + 2:start + 4], "big") & 0xFFF9:
            return start + 8, data[start], True
        size = 8 if protocol == _FRAGMENT else (data[start + 1] + 1) * 8
        protocol, start = data[start], start + size
        if start > end:
            return None
    return None
