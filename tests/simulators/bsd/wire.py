# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packets of pfsync as bytes: numbers of messages and their sizes are right, what is in them is not told.

Sources: FreeBSD's sys/net/if_pfsync.h, OpenBSD's, and the captures of FreeBSD 14.2.
"""

from __future__ import annotations

import ipaddress
import itertools
import struct

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Packet
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.pfsync import SIZES, Frame

_ACTIONS = {"CLR": 0, "INS_1301": 1, "IACK": 2, "UPD_1301": 3, "UPD_C": 4, "UREQ": 5, "DEL": 6, "DEL_C": 7, "BUS": 10, "INS_1400": 13, "UPD_1400": 14,
            "INS_1500": 15, "UPD_1500": 16, "INS_1264": 13, "UPD_1264": 14}
_FREEBSD, _EOF, _PFSYNC = 5, 12, 240


def frame_of(mac: str, packet: Packet) -> bytes:
    """The Ethernet frame of a packet of pfsync."""
    assert isinstance(packet.body, Frame)
    return ethernet(mac, packet.source, packet.target, payload_of(packet.body), packet.ttl)


def ethernet(mac: str, source: str, target: str, payload: bytes, ttl: int = 255, protocol: int = _PFSYNC) -> bytes:
    """A frame with an IP packet, to a group of hosts."""
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
    if len(ends) == 8:
        kind, header = 0x0800, struct.pack("!BBHHHBBH", 0x45, 16, 20 + len(payload), 0, 0x4000, ttl, protocol, 0) + ends
    else:
        kind, header = 0x86DD, struct.pack("!IHBB", 6 << 28, len(payload), protocol, ttl) + ends
    return b"\x01\x00\x5e\x00\x00\xf0" + bytes.fromhex(mac.replace(":", "")) + struct.pack("!H", kind) + header + payload


def payload_of(frame: Frame) -> bytes:
    """pfsync's own part. FreeBSD ends with EOF, OpenBSD says how long its messages are."""
    body = b""
    for kind, messages in itertools.groupby(frame.messages, key=lambda message: message.kind):
        count, size = len(list(messages)), SIZES[kind]
        body += struct.pack("!BBH", _ACTIONS[kind], 0 if frame.version == _FREEBSD else size // 4, count) + bytes(count * size)
    if frame.version == _FREEBSD:
        body += struct.pack("!BBH", _EOF, 0, 1)
    return struct.pack("!BBH16s", frame.version, 0, 20 + len(body), bytes(16)) + body
