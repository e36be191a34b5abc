# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The UDP flows of a probe: few, fast, in a process of their own. They tell how long nothing got through.

The server answers each flow at its own cadence, to the address that the flow was last heard from, so that it follows the NAT in between.
"""

from __future__ import annotations

import socket
import struct
import time
from collections import deque
from typing import Any, Deque, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.history import Receptions, depth_for
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.messages import (
    UNKNOWN_DIFFERENCE,
    datagram,
    parse_datagram,
    peer_clock,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.wheel import Wheel
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.worker import Worker

SO_TIMESTAMPNS = 35
"""asm-generic/socket.h; the kernel's time of arrival is right even when this process was late to read. Python does not name it."""

ANCILLARY_SIZE = 64
_TIMESPEC = struct.Struct("@qq")
_AT_ONCE = 64
_PARTS = 5
_PAUSE_NS = 5000000
_SOURCES_KEPT = 50


def stamp_arrivals(receiver: socket.socket) -> None:
    """Ask the kernel to note when each datagram arrived, and for room to keep a burst."""
    receiver.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)


def arrival(ancillary: List[Tuple[int, int, bytes]]) -> int:
    """The kernel's time of arrival in ns, or now where it gave none in the form that is known."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return int(seconds) * 1000000000 + int(nanoseconds)
    return time.time_ns()


class UdpFlows(Worker):
    """What both ends do with their flows 0 .. ``flows`` - 1."""

    urgent = True

    def __init__(self, control: socket.socket, lifetime: float, interval: float, flows: int) -> None:
        super().__init__(control, lifetime)
        self.flows = flows
        self._received = Receptions(depth_for(interval))
        self._sent_last = [0] * flows
        self._numbers = [0] * flows
        self._difference = UNKNOWN_DIFFERENCE
        self._peer_difference = UNKNOWN_DIFFERENCE
        self._pauses: Deque[Tuple[int, int]] = deque(maxlen=1000)
        # A part of the flows every fifth of the interval: the outage's edges are seen finer than one interval, at 500 wake-ups a second.
        self._wheel = Wheel(interval, _PARTS, time.monotonic_ns())
        for flow in range(flows):
            self._received.add_flow()
            self._wheel.add(flow, flow)

    def tick(self) -> float:
        now = time.monotonic_ns()
        late = self._wheel.late(now)
        if late > _PAUSE_NS:
            self._pauses.append((time.time_ns(), late))
        for flows in self._wheel.due(now):
            for flow in flows:
                self._send(flow)
        return self._wheel.wait(time.monotonic_ns())

    def _next(self, flow: int) -> bytes:
        self._numbers[flow] += 1
        return datagram(flow, self._numbers[flow], time.time_ns(), self._difference)

    def _send(self, flow: int) -> None:
        raise NotImplementedError

    def _drain(self, receiver: socket.socket) -> None:
        for _turn in range(_AT_ONCE):
            try:
                data, ancillary, _flags, source = receiver.recvmsg(64, ANCILLARY_SIZE)
            except BlockingIOError:
                return
            except OSError:
                continue  # what an ICMP message left on the socket: an outage looks like this
            self._take(data, arrival(ancillary), source)

    def _take(self, data: bytes, at: int, source: Any) -> Optional[int]:
        """Remember one datagram; returns its flow, or None when it is none of ours or was overtaken."""
        heard = parse_datagram(data)
        if heard is None or heard.flow >= self.flows:
            return None
        self._difference = min(self._difference, at - heard.sent)
        self._peer_difference = min(self._peer_difference, heard.difference)
        if heard.number <= self._received.last[heard.flow] and heard.sent <= self._sent_last[heard.flow]:
            return None
        self._sent_last[heard.flow] = heard.sent
        self._received.record(heard.flow, heard.number, at)
        return heard.flow

    def status(self, question: Dict[str, Any]) -> Dict[str, Any]:
        """Counts and the peer's clock. ``heard``: flows that received a datagram sent after ``after`` (ns, the sender's clock)."""
        clock = peer_clock(self._difference, self._peer_difference)
        return {"flows": self.flows, "heard": sum(1 for sent in self._sent_last if sent > question["after"]), "clock": clock}

    def report(self, question: Dict[str, Any]) -> Dict[str, Any]:
        """``gaps``: per flow [start (ms after ``since``), length (ms), ended] or null; ``missing``: datagrams that never came, per flow;
        ``pause_ms``: by how much this host was late at most to send its own, within the same stretch of time."""
        since, start, end = question["since"], question["start"], question["end"]
        gaps: List[Optional[List[Any]]] = []
        missing: List[Optional[int]] = []
        for flow in range(self.flows):
            gap = self._received.gap(flow, start, since, end)
            gaps.append(None if gap is None else [round((gap.start - since) / 1e6, 1), round(gap.length / 1e6, 1), int(gap.ended)])
            missing.append(_missing(self._received, flow, start, end))
        pauses = [late for at, late in self._pauses if start <= at <= end]
        return dict(self.status(question), gaps=gaps, missing=missing, pause_ms=round(max(pauses) / 1e6, 1) if pauses else 0)


def _missing(received: Receptions, flow: int, start: int, end: int) -> Optional[int]:
    """Numbers left out between the first and the last arrival within start..end; None when nothing arrived in it."""
    numbers = [number for number, at in zip(received.values(flow), received.times(flow)) if start <= at <= end]
    return max(0, numbers[-1] - numbers[0] + 1 - len(numbers)) if numbers else None


class UdpClient(UdpFlows):
    """One socket, and so one source port, per flow."""

    def __init__(self, control: socket.socket, lifetime: float, interval: float, flows: int, family: int, peer: Tuple[Any, ...]) -> None:
        super().__init__(control, lifetime, interval, flows)
        self._sockets = [socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) for _flow in range(flows)]
        self._by_descriptor = {}
        for one in self._sockets:
            stamp_arrivals(one)
            one.connect(peer)
            self._by_descriptor[one.fileno()] = one
            self.watch(one.fileno(), self._readable)

    def _readable(self, descriptor: int, _events: int) -> None:
        self._drain(self._by_descriptor[descriptor])

    def _send(self, flow: int) -> None:
        try:
            self._sockets[flow].send(self._next(flow))
        except OSError:
            return  # no route for a moment, or an ICMP message: the receiver counts, not the sender


class UdpServer(UdpFlows):
    """One socket for all flows; keeps the history of the addresses that each was heard from."""

    def __init__(self, control: socket.socket, lifetime: float, interval: float, flows: int, receiver: socket.socket) -> None:
        super().__init__(control, lifetime, interval, flows)
        self._receiver = receiver
        receiver.setblocking(False)
        stamp_arrivals(receiver)
        self._source: List[Any] = [None] * flows
        self._sources: List[Deque[Tuple[int, str]]] = [deque(maxlen=_SOURCES_KEPT) for _flow in range(flows)]
        self.watch(receiver.fileno(), self._readable)

    def _readable(self, _descriptor: int, _events: int) -> None:
        self._drain(self._receiver)

    def _take(self, data: bytes, at: int, source: Any) -> Optional[int]:
        flow = super()._take(data, at, source)
        if flow is not None and source != self._source[flow]:
            self._source[flow] = source
            self._sources[flow].append((at, ("[%s]:%d" if ":" in source[0] else "%s:%d") % source[:2]))
        return flow

    def _send(self, flow: int) -> None:
        if self._source[flow] is None:
            return
        try:
            self._receiver.sendto(self._next(flow), self._source[flow])
        except OSError:
            return  # as on the client

    def report(self, question: Dict[str, Any]) -> Dict[str, Any]:
        """Adds ``sources``: per flow a list of [ms after ``since``, "address:port"], one entry per change, oldest first."""
        since = question["since"]
        sources = [[[round((at - since) / 1e6, 1), name] for at, name in changes] for changes in self._sources]
        return dict(super().report(question), sources=sources)
