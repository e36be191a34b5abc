# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the two ends of a probe send each other. All numbers are in network byte order.

TCP: the client's first 16 bytes on a connection are a greeting with the flow's number; after it, both ends send nothing but
messages of 16 bytes: number (from 1, in steps of 1) and the sender's wall clock in ns.
UDP: each datagram stands alone: flow, number, sender's wall clock in ns, and the smallest difference (ns) between arrival here
and sending there that the sender of this datagram has seen so far, from which both ends learn how far apart their clocks are.
"""

from __future__ import annotations

import struct
from typing import NamedTuple, Optional

MESSAGE = struct.Struct("!QQ")
GREETING = struct.Struct("!8sQ")
DATAGRAM = struct.Struct("!4sIQQq")

_GREETING_MARK = b"hafwflow"
_DATAGRAM_MARK = b"hafw"
UNKNOWN_DIFFERENCE = 2**63 - 1


class Datagram(NamedTuple):
    """One UDP message: ``sent`` and ``difference`` in ns; difference is UNKNOWN_DIFFERENCE until the sender has heard something."""

    flow: int
    number: int
    sent: int
    difference: int


class PeerClock(NamedTuple):
    """The other end's clock minus ours, and how wrong that can be (half the round trip), in ns."""

    offset: int
    uncertainty: int


def greeting(flow: int) -> bytes:
    """The first 16 bytes of a flow."""
    return GREETING.pack(_GREETING_MARK, flow)


def parse_greeting(data: bytes) -> Optional[int]:
    """The flow's number, or None when these 16 bytes are no greeting."""
    mark, flow = GREETING.unpack(data)
    return flow if mark == _GREETING_MARK else None


def datagram(flow: int, number: int, sent: int, difference: int) -> bytes:
    """One UDP message."""
    return DATAGRAM.pack(_DATAGRAM_MARK, flow, number, sent, difference)


def parse_datagram(data: bytes) -> Optional[Datagram]:
    """The UDP message, or None when the datagram is not one of ours."""
    if len(data) != DATAGRAM.size:
        return None
    mark, flow, number, sent, difference = DATAGRAM.unpack(data)
    return Datagram(flow, number, sent, difference) if mark == _DATAGRAM_MARK else None


def peer_clock(ours: int, theirs: int) -> Optional[PeerClock]:
    """The peer's clock from the smallest arrival-minus-sending difference that each end has seen, both in ns; None while one is unknown.

    ours = delay + (our clock - their clock), theirs = delay + (their clock - our clock): the delays cancel out when they are alike,
    and their sum bounds the error when they are not.
    """
    if UNKNOWN_DIFFERENCE in (ours, theirs):
        return None
    return PeerClock(offset=(theirs - ours) // 2, uncertainty=abs(theirs + ours) // 2)
