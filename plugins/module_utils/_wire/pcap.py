# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Capture files as ``tcpdump -w`` writes them (pcap, https://www.tcpdump.org/manpages/pcap-savefile.5.html), of any machine's byte order.

File header, 24 bytes: u32 magic, u16 major, u16 minor, u32 zone, u32 accuracy, u32 snap length, u32 link type (low 16 bits). Each frame, 16 bytes: u32 seconds
since 1970, u32 microseconds (nanoseconds with the magic of those), u32 bytes here, u32 bytes on the wire. The magic tells the byte order.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Iterator

from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.frames import LINKTYPES, Frame

# Magic as it stands in the file: byte order for struct, parts of a second.
_MAGIC = {b"\xa1\xb2\xc3\xd4": (">", 1e-6), b"\xd4\xc3\xb2\xa1": ("<", 1e-6), b"\xa1\xb2\x3c\x4d": (">", 1e-9), b"\x4d\x3c\xb2\xa1": ("<", 1e-9)}
_PCAPNG, _GZIP = b"\x0a\x0d\x0d\x0a", b"\x1f\x8b"
# The largest that tcpdump lets a frame be; a larger number is not a length, and its bytes are not worth the memory.
_LARGEST = 262144


def read_pcap(stream: BinaryIO) -> Iterator[Frame]:
    """The frames of a capture file, one after the other.

    Args:
        stream: the file, opened for reading bytes.

    Raises:
        ValueError: the file is no pcap file, has a kind of link that is not read here (both at once), or is damaged or cut short (when the
            iteration comes to that place; the frames before it have been returned).
    """
    magic = stream.read(4)
    if magic not in _MAGIC:
        raise ValueError(_no_pcap(magic))
    order, part = _MAGIC[magic]
    header = stream.read(20)
    if len(header) < 20:
        raise ValueError("The capture file ends within its header: it was not written to the end. Take the capture again.")
    major, _minor, _zone, _accuracy, _snap, link = struct.unpack(order + "HHIIII", header)
    if major != 2:
        raise ValueError("The capture file has version %d of the pcap format, and only 2 is known. Write it again with a current tcpdump." % major)
    linktype = link & 0xFFFF
    if linktype not in LINKTYPES:
        raise ValueError("The capture was taken on a kind of link (type %d) that is not read here. Take it on the Sync interface, an Ethernet device, with "
                         "tcpdump -w FILE -s 0 -i DEVICE." % linktype)
    return _frames(stream, struct.Struct(order + "IIII"), part, linktype)


def _frames(stream: BinaryIO, header: struct.Struct, part: float, linktype: int) -> Iterator[Frame]:
    """All frames behind the file's header."""
    number = 0
    while True:
        raw = stream.read(header.size)
        if not raw:
            return
        number += 1
        if len(raw) < header.size:
            raise ValueError("The capture file ends within the header of frame %d: it was not written or copied to the end." % number)
        seconds, fraction, here, length = header.unpack(raw)
        if here > _LARGEST:
            raise ValueError("The capture file is damaged: frame %d would have %d bytes." % (number, here))
        data = stream.read(here)
        if len(data) < here:
            raise ValueError("The capture file ends within frame %d: it was not written or copied to the end." % number)
        yield Frame(seconds + fraction * part, linktype, data, length)


def _no_pcap(magic: bytes) -> str:
    """What this is instead, and what to do."""
    if magic == _PCAPNG:
        return ("The file is a capture in pcapng form, which is not read here. Convert it: tcpdump -r FILE -w NEW writes pcap with most systems' tcpdump, "
                "editcap -F pcap FILE NEW always does.")
    if magic[:2] == _GZIP:
        return "The file is compressed. Unpack it first: gunzip FILE."
    return "The file is no capture in pcap form, as tcpdump -w FILE writes it: it begins with %s." % (magic.hex() or "nothing: it is empty")
