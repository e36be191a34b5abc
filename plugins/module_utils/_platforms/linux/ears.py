# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A packet socket (packet(7)) on an Ethernet interface, for a bounded time: what every look at the Sync segment hears by."""

from __future__ import annotations

import array
import select
import socket
import struct
import time
from typing import Callable, List, NamedTuple, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

_ETH_P_ALL, _ARPHRD_ETHER = 0x0003, 1
_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, _PACKET_STATISTICS, _PACKET_MR_ALLMULTI = 263, 1, 6, 1
_SO_ATTACH_FILTER = 26
_LONGEST = 65536 + 18  # bytes of a frame

Instruction = Tuple[int, int, int, int]


class Heard(NamedTuple):
    """How a listening went.

    Attributes:
        seconds: how long it took.
        sent: bytes of the questions.
        lost: frames that the kernel had no room for.
    """

    seconds: float
    sent: int
    lost: int


# What takes a frame, whether the node sent it itself, and the interface's own hardware address; false when no more are wanted.
Take = Callable[[bytes, bool, bytes], bool]


def listen(interface: str, seconds: float, take: Take, questions: Callable[[bytes], List[bytes]] = lambda mac: [],
           only: Sequence[Instruction] = ()) -> Heard:
    """Ask twice, listen, and hand each frame over.

    Args:
        interface: device name.
        seconds: how long to listen at most.
        questions: from the interface's own hardware address to the frames to send.
        only: a filter that the kernel applies, as :func:`sync_filter` makes it; none lets everything through.
    Raises:
        NodeError: no such interface, it is down, it is no Ethernet, or the caller is not root.
    """
    sent, frame = 0, memoryview(bytearray(_LONGEST))
    try:
        # No protocol until it is bound: otherwise frames of other interfaces would be in the queue already.
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as wire:
            _attach(wire, only)
            wire.bind((interface, _ETH_P_ALL))
            mac = _ethernet_address(wire, interface)
            # A card drops groups that nobody joined; the kernel takes this back when the socket closes.
            wire.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, struct.pack("IHH8s", socket.if_nametoindex(interface), _PACKET_MR_ALLMULTI, 0, b""))
            wire.setblocking(False)
            begin = time.monotonic()
            ask_again = begin + seconds / 3
            sent += _send(wire, questions(mac))
            while True:
                now = time.monotonic()
                if now >= begin + seconds:
                    break
                if now >= ask_again:
                    sent += _send(wire, questions(mac))
                    ask_again = begin + seconds
                if not select.select([wire], [], [], max(0.0, min(begin + seconds, ask_again) - now))[0]:
                    continue
                try:
                    length, origin = wire.recvfrom_into(frame)
                except BlockingIOError:
                    continue
                if not take(bytes(frame[:length]), origin[2] == socket.PACKET_OUTGOING, mac):
                    break
            _seen, lost = struct.unpack("II", wire.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
            return Heard(time.monotonic() - begin, sent, lost)
    except OSError as error:
        raise NodeError("cannot listen on interface %s: %s" % (interface, error.strerror or error)) from error


def sync_filter(port: int) -> List[Instruction]:
    """A program for the kernel (bpf(4)) that lets through whole packets of pfsync, and of UDP to this port; of IPv6 without extension headers."""
    load_half, load_byte, load_half_at_x, length_of_header = 0x28, 0x30, 0x48, 0xB1
    equal, any_bit, end = 0x15, 0x45, 0x06
    # Each row: what to do, where to go on (rows to skip) if it is so and if not, and a number.
    return [
        (load_half, 0, 0, 12), (equal, 0, 8, 0x0800),
        (load_byte, 0, 0, 23), (equal, 12, 0, 240), (equal, 0, 12, 17),
        (load_half, 0, 0, 20), (any_bit, 10, 0, 0x1FFF), (length_of_header, 0, 0, 14), (load_half_at_x, 0, 0, 16), (equal, 6, 7, port),
        (equal, 0, 6, 0x86DD),
        (load_byte, 0, 0, 20), (equal, 3, 0, 240), (equal, 0, 3, 17),
        (load_half, 0, 0, 56), (equal, 0, 1, port),
        (end, 0, 0, 0x40000), (end, 0, 0, 0),
    ]


def _attach(wire: socket.socket, program: Sequence[Instruction]) -> None:
    if program:
        code = array.array("B", b"".join(struct.pack("HBBI", *instruction) for instruction in program))
        wire.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(program), code.buffer_info()[0]))


def _ethernet_address(wire: socket.socket, interface: str) -> bytes:
    _name, _protocol, _kind, hardware, address = wire.getsockname()
    if hardware != _ARPHRD_ETHER or len(address) != 6:
        raise NodeError("interface %s is no Ethernet, so its neighbours cannot be seen" % interface)
    return bytes(address)


def _send(wire: socket.socket, questions: Sequence[bytes]) -> int:
    """Bytes that went out; a packet socket does not hear its own frames, so they are counted here."""
    sent = 0
    for question in questions:
        try:
            sent += wire.send(question)
        except BlockingIOError:
            # The transmit queue is full; the second round asks again.
            select.select([], [wire], [], 0.05)
    return sent
