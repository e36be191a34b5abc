# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages as conntrackd 1.4 sends them, byte by byte as ``include/network.h`` of conntrack-tools lays them out."""

from __future__ import annotations

from typing import Iterable, Tuple

CONTROL, RESYNC, NACK, ACK, ALIVE, HELLO, HELLO_BACK = 10, 2, 4, 8, 16, 32, 64


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute with its padding."""
    return (4 + len(value)).to_bytes(2, "big") + kind.to_bytes(2, "big") + value + bytes(-len(value) % 4)


def message(kind: int, seq: int, flags: int = 0, content: bytes = b"", version: int = 1) -> bytes:
    """A header and what follows it."""
    return bytes([version * 16 + kind, flags]) + (8 + len(content)).to_bytes(2, "big") + seq.to_bytes(4, "big") + content


def state(kind: int, seq: int, source: bytes = b"\xc0\x00\x02\x01", destination: bytes = b"\xcb\x00\x71\x01", flags: int = 0) -> bytes:
    """A message about a TCP connection from port 40000 to 443."""
    addresses = attribute(1 if len(source) == 16 else 0, source + destination)
    return message(kind, seq, flags, addresses + attribute(5, (0x18E).to_bytes(4, "big")) + attribute(2, b"\x06")
                   + attribute(3, (40000).to_bytes(2, "big") + (443).to_bytes(2, "big")) + attribute(4, b"\x03"))


def ranged(flag: int, seq: int, span: Tuple[int, int]) -> bytes:
    """An ACK, NACK or RESYNC."""
    return message(CONTROL, seq, flag, span[0].to_bytes(4, "big") + span[1].to_bytes(4, "big"))


def datagram(messages: Iterable[bytes]) -> bytes:
    """conntrackd sends as many messages as fit one behind the other."""
    return b"".join(messages)
