# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The headers of conntrackd's messages, one or more in a UDP datagram (port 3780 by default).

Header, 8 bytes: u8 version in the upper and type in the lower four bits, u8 flags, u16 bytes of the message with this header, u32 sequence number. An ACK,
NACK or RESYNC goes on with u32 from and u32 to, the sequence numbers that it is about. A message about a state goes on with attributes: u16 bytes with these
four, u16 kind, the value, padded to a multiple of 4; only their lengths are looked at here. Big-endian, but for the values of some attributes.

Source: conntrack-tools ``include/network.h``, ``src/network.c``, ``src/sync-mode.c`` and ``src/parse.c`` (protocol version 1), and packets of 1.4.7.
Which attributes a receiver knows depends on its release and is not judged here.
"""

from __future__ import annotations

import struct
from typing import List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.layouts import Field, Layout, Message, Packet

VERSION = 1

# What conntrackd counts as malformed, by the words of ``conntrackd -s network``.
TRUNCATED, BAD_SIZE, BAD_VERSION = "truncated message", "bad message size", "wrong protocol version"
BAD_HEADER, BAD_PAYLOAD = "malformed header", "malformed payload"

_STATES = ("CT_NEW", "CT_UPD", "CT_DEL", "EXP_NEW", "EXP_UPD", "EXP_DEL")
_CONTROL = 10
_RANGED = ((8, "ACK"), (4, "NACK"), (2, "RESYNC"))
_ALIVE = (16, "ALIVE")
# Said along with any message when a node has just started, and in answer to that.
_HELLO = 32 | 64

_START = struct.Struct(">BBH")
_RANGE = struct.Struct(">II")
_ATTRIBUTE = struct.Struct(">HH")
_FIELDS = (Field("", "x"), Field("flags", "B"), Field("length", "H"), Field("seq", "I"))
HEADER = Layout(_FIELDS)
HEADER_RANGED = Layout(_FIELDS + (Field("from", "I"), Field("to", "I")))


def decode_conntrackd(payload: bytes) -> Packet:
    """Decode one datagram.

    Args:
        payload: what UDP carries. It may come from anyone.

    Returns:
        ``version`` is that of the first message. ``messages`` have one entry each, with flags, length (bytes), seq, and from and to where it has them; their
        names are CT_NEW, CT_UPD, CT_DEL (states), EXP_NEW, EXP_UPD, EXP_DEL (expected ones), ACK, NACK, RESYNC, ALIVE. ``error`` is the first thing that
        conntrackd would count as malformed; behind a message of another version, with a bad header or payload it reads on, and so does this.
        ``formats`` is always empty. Never raises.
    """
    messages: List[Message] = []
    errors: List[Tuple[str, str]] = []
    at, end = 0, len(payload)
    while at < end:
        if end - at < HEADER.size:
            errors.append((TRUNCATED, "%d bytes at byte %d are no header" % (end - at, at)))
            break
        first, flags, length = _START.unpack_from(payload, at)
        ranged = _ranged(first & 15, flags)
        least = HEADER_RANGED.size if ranged else HEADER.size
        if not least <= length <= end - at:
            errors.append((BAD_SIZE, "the message at byte %d says %d bytes, it needs %d and there are %d" % (at, length, least, end - at)))
            break
        name = ranged or _name(first & 15, flags)
        error = _wrong(first >> 4, name, payload[at:at + length])
        if error is None and name:
            messages.append(Message(name, 1, HEADER_RANGED if ranged else HEADER, payload, at, least))
        else:
            errors.append((error or BAD_HEADER, "the message at byte %d: version %d, type %d, flags %d" % (at, first >> 4, first & 15, flags)))
        at += length
    error, detail = errors[0] if errors else (None, "")
    return Packet(payload[0] >> 4 if payload else 0, messages, error, detail)


def _ranged(kind: int, flags: int) -> Optional[str]:
    """The name of a control message that is about a range of sequence numbers, or None for another."""
    return next((name for flag, name in _RANGED if kind == _CONTROL and flags & flag), None)


def _name(kind: int, flags: int) -> Optional[str]:
    """The name of any other message, or None for what there is not."""
    if kind == _CONTROL:
        return _ALIVE[1] if flags & _ALIVE[0] else None
    return _STATES[kind] if kind < len(_STATES) and not flags & ~_HELLO else None


def _wrong(version: int, name: Optional[str], message: bytes) -> Optional[str]:
    """What is wrong with a message that has all its bytes. Sequence numbers wrap, so of two the later is the one less than half way round ahead."""
    if version != VERSION:
        return BAD_VERSION
    if name in ("ACK", "NACK"):
        first, last = _RANGE.unpack_from(message, HEADER.size)
        return BAD_HEADER if (last - first) & 0x80000000 else None
    return BAD_PAYLOAD if name in _STATES and not _lengths_agree(message) else None


def _lengths_agree(message: bytes) -> bool:
    """Whether the attributes' lengths lead to the end of the message. Four bytes or fewer at the end are no attribute."""
    at, end = HEADER.size, len(message)
    while end - at > _ATTRIBUTE.size:
        length, _kind = _ATTRIBUTE.unpack_from(message, at)
        if not _ATTRIBUTE.size <= length <= end - at:
            return False
        at += (length + 3) & ~3
    return True
