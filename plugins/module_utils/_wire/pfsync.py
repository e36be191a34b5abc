# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pfsync packets of FreeBSD (version 5, formats 1301, 1400 and 1500) and OpenBSD (version 6).

Header, 20 bytes: u8 version, u8 padding, u16 bytes from here on (this header included), 16 bytes MD5 of the sender's ruleset. Then, again and again, a
subheader of 4 bytes, u8 action, u8 length of one message in 4-byte words (OpenBSD; FreeBSD: 0), u16 count, and so many messages of the action's layout.
FreeBSD ends with an EOF subheader that has no body. Big-endian. The formats are not on the wire: only the numbers of the actions tell them.

Sources: FreeBSD ``sys/netpfil/pf/if_pfsync.c`` (pfsync_input, 9.0 to 15), OpenBSD ``sys/net/if_pfsync.c`` (pfsync_input, 7.4 and later). Read is what
the newest kernel of each family reads; an older one knows less, and calls the rest a bad action.
"""

from __future__ import annotations

import struct
from typing import Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._wire import pfsync_layouts as layouts
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.layouts import Layout, Message, Packet

FREEBSD, OPENBSD = 5, 6

# What the kernel counts. ``netstat -s -p pfsync`` says "packets shorter than header", and "packets discarded for" bad version, bad action, short packet.
SHORT, BAD_VERSION, BAD_ACTION, BAD_LENGTH = "short", "bad version", "bad action", "bad length"

_HEADER = struct.Struct(">BxH16s")
_SUBHEADER = struct.Struct(">BBH")
_EOF = 12


class _Action(NamedTuple):
    """What an action's messages are: their name, layout (None: no body), size in bytes, and the format that alone has them."""

    name: str
    layout: Optional[Layout]
    size: int
    format: int = 0


def _action(name: str, layout: Layout, form: int = 0) -> _Action:
    return _Action(name, layout, layout.size, form)


# DEL has never been seen on a wire: FreeBSD sends DEL_C, and FreeBSD 15 calls it a bad action. INS_F (8) and DEL_F (9) are one everywhere.
_FREEBSD_ACTIONS: Dict[int, _Action] = {
    0: _action("CLR", layouts.CLR),
    1: _action("INS_1301", layouts.STATE_1301, 1301),
    2: _action("INS_ACK", layouts.STATE_ID),
    3: _action("UPD_1301", layouts.STATE_1301, 1301),
    4: _action("UPD_C", layouts.UPD_C),
    5: _action("UPD_REQ", layouts.STATE_ID),
    6: _action("DEL", layouts.STATE_1301),
    7: _action("DEL_C", layouts.STATE_ID),
    10: _action("BUS", layouts.BUS),
    11: _action("TDB", layouts.TDB),
    _EOF: _Action("EOF", None, 0),
    13: _action("INS_1400", layouts.STATE_1400, 1400),
    14: _action("UPD_1400", layouts.STATE_1400, 1400),
    15: _action("INS_1500", layouts.STATE_1500, 1500),
    16: _action("UPD_1500", layouts.STATE_1500, 1500),
}
_OPENBSD_ACTIONS: Dict[int, _Action] = {
    0: _action("CLR", layouts.CLR),
    2: _action("INS_ACK", layouts.STATE_ID),
    4: _action("UPD_C", layouts.UPD_C_OPENBSD),
    5: _action("UPD_REQ", layouts.STATE_ID),
    6: _action("DEL", layouts.STATE_OPENBSD),
    7: _action("DEL_C", layouts.STATE_ID),
    10: _action("BUS", layouts.BUS),
    13: _action("INS", layouts.STATE_OPENBSD),
    14: _action("UPD", layouts.STATE_OPENBSD),
    15: _action("TDB", layouts.TDB_OPENBSD),
}
# Numbers that OpenBSD gave up: it has no reader for them, and passes over their bodies however long those are.
_OPENBSD_UNREAD = {1: "OINS", 3: "OUPD", 8: "INS_F", 9: "DEL_F", 11: "OTDB", 12: "EOF"}

_Found = Tuple[List[Message], Optional[str], str]


def decode_pfsync(payload: bytes) -> Packet:
    """Decode one packet.

    Args:
        payload: from pfsync's header on, the IP header removed. It may come from anyone.

    Returns:
        What the packet says. ``error`` is one of SHORT, BAD_VERSION, BAD_ACTION, BAD_LENGTH, as the kernel counts it; the messages before it stand,
        as the kernel has acted on them. A header that leaves no room for a message is no error, for the kernel counts none. Never raises.
    """
    if len(payload) < _HEADER.size:
        return Packet(payload[0] if payload else 0, [], SHORT, "%d bytes, and the header alone has %d" % (len(payload), _HEADER.size))
    version, length, checksum = _HEADER.unpack_from(payload)
    if version not in (FREEBSD, OPENBSD):
        return Packet(version, [], BAD_VERSION, "version %d; %d is FreeBSD's since 9.0, %d OpenBSD's since 4.8" % (version, FREEBSD, OPENBSD))
    if length > len(payload):
        return Packet(version, [], BAD_LENGTH, "the header says %d bytes, there are %d" % (length, len(payload)), checksum.hex())
    messages, error, detail = _freebsd(payload, length) if version == FREEBSD else _openbsd(payload, length)
    return Packet(version, messages, error, detail, checksum.hex())


def _freebsd(payload: bytes, length: int) -> _Found:
    """The kernel looks for subheaders up to the header's length, and for bodies up to the end of the packet. An unknown action ends the packet, for nothing
    tells how long its messages are."""
    messages: List[Message] = []
    at, end = _HEADER.size, len(payload)
    while at <= length - _SUBHEADER.size:
        number, _padding, count = _SUBHEADER.unpack_from(payload, at)
        action = _FREEBSD_ACTIONS.get(number)
        if action is None:
            return messages, BAD_ACTION, "action %d at byte %d, and %d bytes behind it are not read" % (number, at, length - at - _SUBHEADER.size)
        at += _SUBHEADER.size
        behind = at + count * action.size
        if behind > end:
            return messages, BAD_LENGTH, "%d of %s need %d bytes, there are %d" % (count, action.name, behind - at, end - at)
        messages.append(Message(action.name, count, action.layout, payload, at, action.size, action.format))
        if number == _EOF:
            return (messages, None, "") if at == end else (messages, BAD_LENGTH, "%d bytes behind the end of frame" % (end - at))
        at = behind
    return messages, None, ""


def _openbsd(payload: bytes, length: int) -> _Found:
    """The subheader says how long its messages are. Longer ones than known are read as far as they are known, unknown and shorter ones are passed over, and
    only when nothing tells how much that is, the packet ends."""
    messages: List[Message] = []
    at = _HEADER.size
    while at <= length - _SUBHEADER.size:
        number, words, count = _SUBHEADER.unpack_from(payload, at)
        stride = words * 4
        action = _OPENBSD_ACTIONS.get(number)
        skipped = action is None or stride < action.size
        if skipped and number not in _OPENBSD_UNREAD and not (count and stride):
            return messages, BAD_ACTION, "action %d at byte %d, with %d messages of %d bytes" % (number, at, count, stride)
        at += _SUBHEADER.size
        behind = at + count * stride
        name = action.name if action else _OPENBSD_UNREAD.get(number, "ACTION_%d" % number)
        if behind > length:
            return messages, BAD_LENGTH, "%d of %s need %d bytes, there are %d" % (count, name, behind - at, length - at)
        messages.append(Message(name, count, action.layout if action else None, payload, at, stride, 0, skipped))
        at = behind
    return messages, None, ""
