# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which node delivered each datagram: a listener on the link layer that counts the probe's datagrams by their sender's MAC. Needs root."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections import deque
from typing import Any, Deque, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.udp import ANCILLARY_SIZE, arrival, stamp_arrivals
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.worker import Worker

BUCKET_MS = 10

_BUCKET_NS = BUCKET_MS * 1000000
_SO_ATTACH_FILTER = 26
_ETHERTYPE: Dict[int, int] = {socket.AF_INET: 0x0800, socket.AF_INET6: 0x86DD}
_TO_US = 0
_CHANGES_KEPT = 2000
_AT_ONCE = 256

# Classic BPF (linux/filter.h): operation codes that the filters below need.
_LOAD_BYTE, _LOAD_HALF, _LOAD_HALF_AT_X, _X_FROM_HEADER_LENGTH = 0x30, 0x28, 0x48, 0xB1
_JUMP_EQUAL, _JUMP_SET, _RETURN = 0x15, 0x45, 0x06
_UDP = 17
_SNAP = 64


def udp_filter(family: int, port: int, destination: bool) -> List[Tuple[int, int, int, int]]:
    """A filter program over packets that begin with their IP header: UDP from ``port``, or to it when ``destination``; first fragments only.

    Each instruction is (code, jump if true, jump if false, constant).
    """
    offset = 2 if destination else 0
    if family == socket.AF_INET6:
        return [(_LOAD_BYTE, 0, 0, 6), (_JUMP_EQUAL, 0, 3, _UDP), (_LOAD_HALF, 0, 0, 40 + offset), (_JUMP_EQUAL, 0, 1, port),
                (_RETURN, 0, 0, _SNAP), (_RETURN, 0, 0, 0)]
    return [(_LOAD_BYTE, 0, 0, 9), (_JUMP_EQUAL, 0, 6, _UDP), (_LOAD_HALF, 0, 0, 6), (_JUMP_SET, 4, 0, 0x1FFF),
            (_X_FROM_HEADER_LENGTH, 0, 0, 0), (_LOAD_HALF_AT_X, 0, 0, offset), (_JUMP_EQUAL, 0, 1, port),
            (_RETURN, 0, 0, _SNAP), (_RETURN, 0, 0, 0)]


def attach(listener: socket.socket, program: List[Tuple[int, int, int, int]]) -> None:
    """Make the kernel deliver only what the program lets through."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("@HBBI", *instruction) for instruction in program))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program), ctypes.addressof(code)))


def open_listener(family: int, port: int, destination: bool) -> Optional[socket.socket]:
    """A listener for the probe's datagrams that reach this host, or None without the right to listen (root, CAP_NET_RAW)."""
    try:
        listener = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, socket.htons(_ETHERTYPE[family]))
    except PermissionError:
        return None
    stamp_arrivals(listener)
    attach(listener, udp_filter(family, port, destination))
    _forget_what_came_before_the_filter(listener)
    return listener


def _forget_what_came_before_the_filter(listener: socket.socket) -> None:
    while True:
        try:
            listener.recv(1)
        except OSError:
            return


class Via(Worker):
    """Counts datagrams per sender's MAC and 10 ms, and notes each change from one MAC to another."""

    urgent = True

    def __init__(self, control: socket.socket, lifetime: float, listener: socket.socket) -> None:
        super().__init__(control, lifetime)
        self._listener = listener
        self._buckets: Dict[str, Dict[int, int]] = {}
        self._changes: Deque[Tuple[int, str]] = deque(maxlen=_CHANGES_KEPT)
        self._latest = ""
        self.watch(listener.fileno(), self._readable)

    def _readable(self, _descriptor: int, _events: int) -> None:
        for _turn in range(_AT_ONCE):
            try:
                _data, ancillary, _flags, address = self._listener.recvmsg(1, ANCILLARY_SIZE)
            except OSError:
                return  # nothing more, or the interface went down for a moment
            if address[2] == _TO_US:
                self._count(address[4].hex(":"), arrival(ancillary))

    def _count(self, mac: str, at: int) -> None:
        bucket = at // _BUCKET_NS
        if mac != self._latest:
            self._latest = mac
            self._changes.append((at, mac))
            self._buckets.setdefault(mac, {})
        counts = self._buckets[mac]
        counts[bucket] = counts.get(bucket, 0) + 1

    def status(self, question: Dict[str, Any]) -> Dict[str, Any]:
        """Datagrams counted so far, per MAC."""
        return {"packets": {mac: sum(counts.values()) for mac, counts in self._buckets.items()}}

    def report(self, question: Dict[str, Any]) -> Dict[str, Any]:
        """``deliveries``: per MAC its buckets [start (ms after ``since``), packets]; ``changes``: [ms after ``since``, MAC] of the first packet
        after another MAC's. Both within the stretch of time asked for."""
        since, start, end = question["since"], question["start"], question["end"]
        deliveries = []
        for mac, counts in sorted(self._buckets.items()):
            buckets = [[round((bucket * _BUCKET_NS - since) / 1e6, 1), packets] for bucket, packets in sorted(counts.items())
                       if start <= bucket * _BUCKET_NS <= end]
            if buckets:
                deliveries.append({"mac": mac, "buckets": buckets})
        changes = [[round((at - since) / 1e6, 2), mac] for at, mac in self._changes if start <= at <= end]
        return {"deliveries": deliveries, "changes": changes}
