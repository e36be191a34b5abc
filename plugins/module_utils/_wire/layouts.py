# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages of one fixed layout: a table of fields, unpacked all at once, and turned into text only where someone asks for it.

All numbers are big-endian and nothing is aligned, whatever the machine: that is how pfsync and conntrackd write them.
"""

from __future__ import annotations

import socket
import struct
from functools import lru_cache
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple, Union

Value = Union[int, str]

AF_INET = 2
_ANY_FAMILY = 0
# Texts that are remembered: the same few interfaces, and the same hosts again and again, make most of a state table.
_REMEMBERED = 4096


class Field(NamedTuple):
    """One field.

    Attributes:
        name: how it is asked for; empty for padding.
        code: its format for :mod:`struct`.
        kind: what it means when it is bytes: ``text`` (ends at its first NUL), ``sockaddr`` (a BSD socket address), or the name of
            the field that holds the family of this address of 16 bytes, of which IPv4 fills the first four. Empty for numbers.
    """

    name: str
    code: str
    kind: str = ""


class Layout:
    """How the fields of a message lie.

    Args:
        fields: in their order, from the first byte.
        inet6: the number of the family IPv6 on the system that writes this layout; each system has its own (``AF_INET`` is 2 everywhere).

    Attributes:
        size: bytes of one message.
        names: of the fields, padding left out, in the order of a row's values.
        index: the place of each name in a row.
    """

    def __init__(self, fields: Tuple[Field, ...], inet6: int = 0) -> None:
        self._struct = struct.Struct(">" + "".join(field.code for field in fields))
        self.size = self._struct.size
        named = [field for field in fields if field.name]
        self.names = tuple(field.name for field in named)
        self.index = {name: place for place, name in enumerate(self.names)}
        self._inet6 = inet6
        self._texts = [(field.name, self.index[field.name]) for field in named if field.kind == "text"]
        self._sockaddrs = [(field.name, self.index[field.name]) for field in named if field.kind == "sockaddr"]
        self._addresses = [(field.name, self.index[field.name], self.index[field.kind]) for field in named if field.kind not in ("", "text", "sockaddr")]

    def rows(self, payload: bytes, start: int, count: int, stride: int) -> Iterator[Tuple[Any, ...]]:
        """Every field of so many messages, the first at byte ``start``, each ``stride`` bytes behind the one before: numbers as int, all else as bytes.

        The caller has made sure that the bytes are there.
        """
        if stride == self.size:
            return self._struct.iter_unpack(payload[start:start + count * stride])
        return (self._struct.unpack_from(payload, start + number * stride) for number in range(count))

    def shown(self, row: Tuple[Any, ...]) -> Dict[str, Value]:
        """All fields of a row by name, as a person reads them. An address of a family that is not known is shown as its hexadecimal digits."""
        fields: Dict[str, Value] = dict(zip(self.names, row))
        for name, place in self._texts:
            fields[name] = _text(row[place])
        for name, place, family in self._addresses:
            fields[name] = _address(row[place], row[family], self._inet6)
        for name, place in self._sockaddrs:
            fields[name] = _sockaddr(row[place], self._inet6)
        return fields


@lru_cache(maxsize=_REMEMBERED)
def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("ascii", "backslashreplace")


@lru_cache(maxsize=_REMEMBERED)
def _address(raw: bytes, family: int, inet6: int) -> str:
    if family == AF_INET:
        return socket.inet_ntop(socket.AF_INET, raw[:4])
    if family == inet6:
        return socket.inet_ntop(socket.AF_INET6, raw)
    return "" if family == _ANY_FAMILY and not any(raw) else raw.hex()


def _sockaddr(raw: bytes, inet6: int) -> str:
    """Length (1 byte), family (1), port (2), then IPv4's address, or IPv6's behind 4 bytes of flow."""
    return _address(raw[4:20] if raw[1] == AF_INET else raw[8:24], raw[1], inet6)


class Entry:
    """One message, its fields by name: ``entry["creatorid"]``. Those that are bytes become text when they are asked for."""

    __slots__ = ("layout", "row")

    def __init__(self, layout: Layout, row: Tuple[Any, ...]) -> None:
        self.layout = layout
        self.row = row

    def __getitem__(self, name: str) -> Value:
        value: Union[int, bytes] = self.row[self.layout.index[name]]
        return value if isinstance(value, int) else self.fields()[name]

    def fields(self) -> Dict[str, Value]:
        """All of them."""
        return self.layout.shown(self.row)


class Message:
    """What stands behind one subheader: messages of one kind.

    Attributes:
        name: what they do, and in which format: INS_1301, INS_1400, INS_1500, UPD_1301, ..., UPD_C, DEL_C, CLR, BUS, EOF (docs of the decoder).
        count: how many.
        format: 1301, 1400 or 1500, where the message exists in one of these only; else 0.
        skipped: True when the receiver passes over them unread.
    """

    __slots__ = ("name", "count", "format", "skipped", "_layout", "_payload", "_start", "_stride")

    def __init__(self, name: str, count: int, layout: Union[Layout, None], payload: bytes, start: int, stride: int, form: int = 0,
                 skipped: bool = False) -> None:
        self.name, self.count, self.format, self.skipped = name, count, form, skipped
        self._layout, self._payload, self._start, self._stride = layout, payload, start, stride

    def rows(self) -> Iterator[Tuple[Any, ...]]:
        """Each message's fields as a tuple in the order of ``layout.names``, undecoded: the fast way. Nothing for messages without a body, and skipped ones."""
        if self._layout is None or self.skipped:
            return iter(())
        return self._layout.rows(self._payload, self._start, self.count, self._stride)

    @property
    def entries(self) -> List[Entry]:
        """Each message with its fields by name, made anew each time."""
        if self._layout is None:
            return []
        layout = self._layout
        return [Entry(layout, row) for row in self.rows()]


class Packet(NamedTuple):
    """One decoded packet.

    Attributes:
        version: the protocol's version as the packet says it; 0 when there is not even that.
        messages: what was read, in its order; up to the error where there is one.
        error: None, or what the receiver would count, by the words of the decoder.
        detail: what and where the error is, for people; empty without one.
        checksum: of pfsync: the sender's ruleset checksum, 32 hexadecimal digits as ``pfctl -si -v`` shows it (OpenBSD sends zeros); else empty.
    """

    version: int
    messages: List[Message]
    error: Union[str, None] = None
    detail: str = ""
    checksum: str = ""

    @property
    def formats(self) -> Tuple[int, ...]:
        """The message formats of FreeBSD that were seen, ascending: 1301, 1400, 1500. Empty when the packet has nothing that tells."""
        return tuple(sorted({message.format for message in self.messages if message.format}))
