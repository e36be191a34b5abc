# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The TCP flows of a probe: each end sends a numbered message at its own cadence, whatever it receives, and remembers what arrived.

A flow is one connection and never opened again: once the connection is gone, the flow has failed for good.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time
from array import array
from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.history import Receptions, depth_for
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.messages import GREETING, MESSAGE, greeting, parse_greeting
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.ports import SourcePorts
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.wheel import Wheel
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.worker import Worker

_NO_LINGER = struct.pack("ii", 1, 0)
_OPENING_AT_ONCE = 256
_SLOT_SECONDS = 0.02
_SIZE = MESSAGE.size


def abort_on_close(connection: socket.socket) -> None:
    """End with a reset: thousands of connections in TIME_WAIT would take the ports that the next probe needs."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)


class TcpFlows(Worker):
    """What both ends do with a flow once it is open. Flows are indexed from 0 within this process; ``ids`` are their numbers in the probe."""

    def __init__(self, control: socket.socket, lifetime: float, interval: float) -> None:
        super().__init__(control, lifetime)
        self.ids = array("q")
        self.opened_at = array("q")
        self.errors: Dict[str, int] = {}
        self.failed = 0
        self._received = Receptions(depth_for(interval))
        self._wheel = Wheel(interval, max(1, int(interval / _SLOT_SECONDS)), time.monotonic_ns())
        self._sockets: List[Optional[socket.socket]] = []
        self._descriptors = array("i")
        self._flow_of: Dict[int, int] = {}
        self._sent = array("q")
        self._expected = array("q")
        self._unsent: Dict[int, bytes] = {}
        self._partial: Dict[int, bytes] = {}

    def tick(self) -> float:
        send, wheel = self._send, self._wheel
        for flows in wheel.due(time.monotonic_ns()):
            for flow in flows:
                send(flow)
        return wheel.wait(time.monotonic_ns())

    def _add(self, connection: socket.socket, number: int, slot: int) -> int:
        flow = self._received.add_flow()
        self.ids.append(number)
        self.opened_at.append(0)
        self._sockets.append(connection)
        self._descriptors.append(connection.fileno())
        self._sent.append(0)
        self._expected.append(0)
        self._flow_of[connection.fileno()] = flow
        self._wheel.add(flow, slot)
        return flow

    def _send(self, flow: int) -> None:
        descriptor = self._descriptors[flow]
        if descriptor < 0 or not self.opened_at[flow]:
            return
        try:
            if flow in self._unsent:
                left = self._unsent.pop(flow)
                left = left[os.write(descriptor, left):]
                if left:
                    self._unsent[flow] = left
                    return
            number = self._sent[flow] + 1
            message = MESSAGE.pack(number, time.time_ns())
            written = os.write(descriptor, message)
            self._sent[flow] = number
            if written < _SIZE:
                self._unsent[flow] = message[written:]
        except BlockingIOError:
            return  # the buffer is full: this message is left out, the next one takes its number
        except OSError as error:
            self._lose(flow, errno.errorcode.get(error.errno or 0, str(error.errno)))

    def _readable(self, descriptor: int, _events: int) -> None:
        flow = self._flow_of[descriptor]
        try:
            data = os.read(descriptor, 4096)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(flow, errno.errorcode.get(error.errno or 0, str(error.errno)))
            return
        if data:
            self._take(flow, data)
        else:
            self._lose(flow, "closed by the other end")

    def _take(self, flow: int, data: bytes) -> None:
        if flow in self._partial:
            data = self._partial.pop(flow) + data
        rest = len(data) % _SIZE
        if rest:
            self._partial[flow] = data[-rest:]
            data = data[:-rest]
        if not data:
            return
        number, sent = MESSAGE.unpack_from(data, len(data) - _SIZE)
        self._expected[flow] += len(data) // _SIZE
        if number != self._expected[flow]:
            self._lose(flow, "messages out of order")
            return
        self._received.record(flow, sent, time.time_ns())

    def _lose(self, flow: int, reason: str) -> None:
        connection, self._sockets[flow] = self._sockets[flow], None
        if connection is None:
            return
        self.unwatch(connection.fileno())
        del self._flow_of[connection.fileno()]
        self._descriptors[flow] = -1
        connection.close()
        self.failed += 1
        self.errors[reason] = self.errors.get(reason, 0) + 1

    def status(self, question: Dict[str, Any]) -> Dict[str, Any]:
        """Counts. ``survived``: flows that received bytes sent after ``after`` (ns, the sender's clock)."""
        after = question["after"]
        last, descriptors = self._received.last, self._descriptors
        survived = sum(1 for sent in last if sent > after)
        waiting = sum(1 for flow, descriptor in enumerate(descriptors) if descriptor >= 0 and last[flow] <= after)
        return {"opened": self._opened(), "failed": self.failed, "errors": self.errors, "survived": survived, "waiting": waiting}

    def _opened(self) -> int:
        return len(self._received.last) - self._received.last.count(0)

    def report(self, question: Dict[str, Any]) -> Dict[str, Any]:
        """Rows of [flow, opened at (ns), still open, back (ms after ``since``) or null, longest silence (ms) or null]."""
        since, after = question["since"], question["after"]
        rows = []
        for flow, number in enumerate(self.ids):
            back = self._received.first_back(flow, after)
            gap = self._received.gap(flow, question["start"], question["since"], question["end"])
            rows.append([number, self.opened_at[flow], int(self._descriptors[flow] >= 0),
                         None if back is None else (back - since) // 1000000, None if gap is None else gap.length // 1000000])
        return {"rows": rows, "errors": self.errors}


class TcpClient(TcpFlows):
    """Opens the flows ``first`` .. ``first + count - 1`` and talks on each as soon as it is connected."""

    def __init__(self, control: socket.socket, lifetime: float, interval: float, family: int, peer: Tuple[Any, ...], ports: SourcePorts,
                 first: int, count: int) -> None:
        super().__init__(control, lifetime, interval)
        self._family = family
        self._peer = peer
        self._ports = ports
        self._next = first
        self._end = first + count
        self._opening = 0

    def tick(self) -> float:
        while self._next < self._end and self._opening < _OPENING_AT_ONCE:
            self._open(self._next)
            self._next += 1
        return super().tick()

    def _open(self, number: int) -> None:
        try:
            connection = socket.socket(self._family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            self._ports.bind(connection)
        except OSError as error:
            self._refuse(error.errno)
            return
        abort_on_close(connection)
        outcome = connection.connect_ex(self._peer)
        if outcome not in (0, errno.EINPROGRESS):
            connection.close()
            self._refuse(outcome)
            return
        self._add(connection, number, number)
        self._opening += 1
        self.watch(connection.fileno(), self._connected, select.EPOLLOUT)

    def _refuse(self, code: Optional[int]) -> None:
        """A flow that never got a connection is counted, and has no index."""
        reason = errno.errorcode.get(code or 0, str(code))
        self.failed += 1
        self.errors[reason] = self.errors.get(reason, 0) + 1

    def _connected(self, descriptor: int, _events: int) -> None:
        flow = self._flow_of[descriptor]
        connection = self._sockets[flow]
        if connection is None:
            raise RuntimeError("flow %d is watched although its connection is closed" % flow)
        outcome = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if outcome:
            self._opening -= 1
            self._lose(flow, errno.errorcode.get(outcome, str(outcome)))
            return
        self.opened_at[flow] = time.time_ns()
        self._unsent[flow] = greeting(self.ids[flow])
        self.rewatch(descriptor, self._first)
        self._send(flow)

    def _first(self, descriptor: int, events: int) -> None:
        """The first bytes from the other end (or its refusal): the flow is open, or gone."""
        self._opening -= 1
        self._jobs[descriptor] = self._readable
        self._readable(descriptor, events)


class TcpServer(TcpFlows):
    """Accepts flows, and talks on each from the moment that it has said its number."""

    def __init__(self, control: socket.socket, lifetime: float, interval: float, listener: socket.socket) -> None:
        super().__init__(control, lifetime, interval)
        self._listener = listener
        listener.setblocking(False)
        self._greeting: Dict[int, Tuple[socket.socket, bytes]] = {}
        self.watch(listener.fileno(), self._accept)

    def _accept(self, _descriptor: int, _events: int) -> None:
        for _turn in range(_OPENING_AT_ONCE):
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return  # nobody waits any more, or no descriptor is left: those who wait are told by their own timeout
            connection.setblocking(False)
            abort_on_close(connection)
            self._greeting[connection.fileno()] = (connection, b"")
            self.watch(connection.fileno(), self._greet)

    def _greet(self, descriptor: int, _events: int) -> None:
        connection, data = self._greeting[descriptor]
        try:
            more = connection.recv(GREETING.size - len(data))
        except BlockingIOError:
            return
        except OSError:
            more = b""
        data += more
        if more and len(data) < GREETING.size:
            self._greeting[descriptor] = (connection, data)
            return
        del self._greeting[descriptor]
        number = parse_greeting(data) if more else None
        if number is None:  # one of the client's attempts to reconnect, or a stranger
            self.unwatch(descriptor)
            connection.close()
            return
        # Sending right after the client's message lets ours carry the acknowledgement of it: three packets a second instead of four.
        flow = self._add(connection, number, self._wheel.just_passed())
        self.opened_at[flow] = time.time_ns()
        self._jobs[descriptor] = self._readable
        self._send(flow)
