# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps states alive on the standby whose traffic only refreshes a timer. Runs on the node, as hafirewall-refresh.service.

conntrackd sends a state when the kernel reports an event. Traffic of an established flow only winds its timer up again, which is no event, so the
copy on the standby runs out. This program, on the active node, finds those states and asks the kernel to report them once more (an update that
changes nothing); conntrackd then sends them as it does any other, with the remaining timeout.

What it costs is bounded: it reads UDP and ICMP every interval and the long-lived protocols rarely; it sends a state only when traffic has refreshed
it and the copy has used up a third of its time; at most RATE states a second, those that would run out first going first; and it rests REST
times as long as it worked, so that a table too large to be read every interval makes the interval longer (the report says so), not the load
higher. The file stands alone: it is installed as it is and uses the standard library only.
"""

from __future__ import annotations

import errno
import heapq
import json
import os
import socket
import struct
import sys
import time
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

VRRP_STATE = "/run/hafirewall/vrrp-state"
REPORT = "/run/hafirewall/refresh"
SYSCTL = "/proc/sys/net/netfilter/nf_conntrack_"
SHORTEST = 2.0  # seconds; the least interval
LONGEST = 3600.0
RATE = 5000  # states a second
REST = 4.0  # seconds of rest for each second of work: at most a fifth of one processor
BATCH = 200

_NETLINK_NETFILTER = 12
_CT_NEW, _CT_GET = 0x100, 0x101
_REQUEST, _DUMP, _ACK = 0x1, 0x300, 0x4
_ERROR, _DONE = 2, 3
_NESTED = 0x8000
_TUPLE_ORIG, _PROTOINFO, _TIMEOUT, _ID, _ZONE, _FILTER = 1, 4, 7, 12, 18, 25
_FILTER_PROTO_NUM = 1 << 3
_TCP, _ESTABLISHED = 6, 3
_TWO = struct.Struct("=HH").unpack_from
_NUMBER = struct.Struct(">I").unpack_from


class Watch(NamedTuple):
    """One protocol of one address family, and the sysctls that tell how soon its states run out."""

    family: int
    protocol: int
    timeouts: Tuple[str, ...]


WATCHES = tuple(Watch(int(family), protocol, timeouts) for protocol, families, timeouts in (
    (17, (socket.AF_INET, socket.AF_INET6), ("udp_timeout", "udp_timeout_stream")),
    (1, (socket.AF_INET,), ("icmp_timeout",)),
    (58, (socket.AF_INET6,), ("icmpv6_timeout",)),
    (_TCP, (socket.AF_INET, socket.AF_INET6), ("tcp_timeout_established",)),
    (132, (socket.AF_INET, socket.AF_INET6), ("sctp_timeout_established",)),
    (33, (socket.AF_INET, socket.AF_INET6), ("dccp_timeout_open",)),
) for family in families)


class State(NamedTuple):
    """A state of the kernel's table: its number, seconds left, and the kernel's message about it."""

    number: int
    left: int
    message: bytes


class Account:
    """What the standby's copies are worth: for each state the time at which its copy runs out.

    In the first round that is unknown, and every state counts as about to run out. A state that came since the round before was sent by conntrackd
    itself in between; it counts as sent now, so that a flow that never speaks again costs nothing. That is at most one interval too long, and a
    flow that does speak again is sent in the next round, when its copy still has a third of its time.
    """

    def __init__(self) -> None:
        self.expires: Dict[int, float] = {}
        self.last_round: Optional[float] = None

    def due(self, states: Iterator[State], now: float, interval: float, limit: int) -> Tuple[List[State], int, int]:
        """The states to send now, those that run out first leading; how many more are due and must wait; how many were looked at."""
        before, self.expires = self.expires, {}
        last, self.last_round = self.last_round, now
        pace = interval if last is None else max(interval, now - last)
        counts = [0, 0]

        def late() -> Iterator[Tuple[float, int, int, State]]:
            for state in states:
                counts[0] += 1
                copy = before.get(state.number)
                if copy is None:
                    copy = now if last is None else now + state.left
                self.expires[state.number] = copy
                rest = copy - now
                refreshed = state.left - rest > 1.5  # both are whole seconds
                if refreshed and rest < max(state.left * 2.0 / 3.0, 3.0 * pace):
                    counts[1] += 1
                    yield (rest, state.left, state.number, state)

        chosen = [entry[3] for entry in heapq.nsmallest(limit, late())]
        return chosen, counts[1] - len(chosen), counts[0]

    def sent(self, states: List[State], now: float) -> None:
        """Note that these went out. ``now`` is when their time left was read; they are worth at least that."""
        for state in states:
            self.expires[state.number] = now + state.left


class Table:
    """The kernel's conntrack table over netlink."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((0, 0))
        self.sequence = 0
        self.filters = True

    def states(self, watch: Watch) -> Iterator[State]:
        """All states of a protocol and family; TCP: established ones only, as every other one either changes or ends soon."""
        try:
            yield from self._dump(watch)
        except OSError as error:
            # Kernels before 5.8 know no filter, and some refuse it; the states are filtered here in any case.
            if not self.filters or error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
                raise
            self.filters = False
            yield from self._dump(watch)

    def touch(self, states: List[State]) -> None:
        """Have the kernel report states as updated without changing them. One that has ended meanwhile is passed over: nothing is created."""
        self.sequence += 1
        messages = [_message(_CT_NEW, _REQUEST, self.sequence, name_of(state.message)) for state in states]
        for start in range(0, len(messages), BATCH):
            self.socket.send(b"".join(messages[start:start + BATCH]))
            self._drain()
            if start + BATCH < len(messages):
                time.sleep(float(BATCH) / RATE)

    def _dump(self, watch: Watch) -> Iterator[State]:
        self.sequence += 1
        body = _header(watch.family) + (_filter(watch.protocol) if self.filters else b"")
        self.socket.send(_message(_CT_GET, _REQUEST | _DUMP, self.sequence, body))
        while True:
            data = self.socket.recv(1 << 18)
            at = 0
            while at + 16 <= len(data):
                size, kind, _flags, sequence = struct.unpack_from("=IHHI", data, at)
                if sequence == self.sequence and kind in (_ERROR, _DONE):
                    code = struct.unpack_from("=i", data, at + 16)[0] if size >= 20 else 0
                    if code < 0:
                        raise OSError(-code, os.strerror(-code))
                    return
                if sequence == self.sequence:
                    state = read_state(data[at + 16:at + size], watch, self.filters)
                    if state is not None:
                        yield state
                at += (size + 3) & ~3

    def _drain(self) -> None:
        while True:
            try:
                self.socket.recv(1 << 16, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return


def read_state(message: bytes, watch: Watch, filtered: bool) -> Optional[State]:
    """A state out of the kernel's message (after its netlink header), or None when it is not what is watched.

    This runs once for every state of a table that may hold a million: no generator, no slice.

    Args:
        filtered: the kernel has picked the protocol already.
    """
    number, left, at, end = 0, -1, 4, len(message)
    while at + 8 <= end:
        size, kind = _TWO(message, at)
        kind &= 0x3FFF
        if kind == _TIMEOUT:
            left = _NUMBER(message, at + 4)[0]
        elif kind == _ID:
            number = _NUMBER(message, at + 4)[0]
        if size < 4:
            break
        at += (size + 3) & ~3
    if left < 0 or message[0] != watch.family:
        return None
    if not filtered and _protocol(_find(message, 4, _TUPLE_ORIG)) != watch.protocol:
        return None
    if watch.protocol == _TCP and _tcp_state(_find(message, 4, _PROTOINFO)) != _ESTABLISHED:
        return None
    return State(number, left, message)


def name_of(message: bytes) -> bytes:
    """The part of the kernel's message that names the state: family, addresses and ports, and its zone where it has one."""
    return message[:4] + _find(message, 4, _TUPLE_ORIG) + _find(message, 4, _ZONE)


def _find(data: bytes, start: int, wanted: int) -> bytes:
    """The first attribute of this kind from there on, with its header and padding; empty when there is none."""
    while start + 4 <= len(data):
        size, kind = _TWO(data, start)
        if size < 4:
            break
        if kind & 0x3FFF == wanted:
            return data[start:start + ((size + 3) & ~3)]
        start += (size + 3) & ~3
    return b""


def _protocol(tuple_attribute: bytes) -> Optional[int]:
    value = _find(_find(tuple_attribute, 4, 2), 4, 1)  # CTA_TUPLE_PROTO, CTA_PROTO_NUM
    return value[4] if value else None


def _tcp_state(protoinfo: bytes) -> Optional[int]:
    value = _find(_find(protoinfo, 4, 1), 4, 1)  # CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_STATE
    return value[4] if value else None


def _header(family: int) -> bytes:
    return struct.pack("=BBH", family, 0, 0)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _filter(protocol: int) -> bytes:
    flags = _attribute(1, struct.pack("=I", _FILTER_PROTO_NUM)) + _attribute(2, struct.pack("=I", 0))
    proto = _attribute(2 | _NESTED, _attribute(1, struct.pack("=B", protocol)))
    return _attribute(_TUPLE_ORIG | _NESTED, proto) + _attribute(_FILTER | _NESTED, flags)


def _message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body


def read_number(path: str) -> Optional[int]:
    try:
        with open(path, encoding="ascii") as handle:
            return int(handle.read().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def timeout_of(names: Tuple[str, ...]) -> Optional[int]:
    """The shortest of these timeouts in seconds; None when the kernel tells none."""
    known = [value for value in (read_number(SYSCTL + name) for name in names) if value is not None]
    return min(known) if known else None


def interval_of(stated: float) -> float:
    """Seconds between two rounds: as stated, or (0) a third of the shortest UDP timeout."""
    if stated > 0:
        return max(SHORTEST, stated)
    shortest = timeout_of(("udp_timeout", "udp_timeout_stream"))
    return interval_from([] if shortest is None else [shortest])


def interval_from(timeouts: List[int]) -> float:
    """A third of the shortest of these timeouts, at least SHORTEST; of the kernel's default of 30 s when none is known."""
    return max(SHORTEST, float(min(timeouts or [30]) // 3))


def period_of(watch: Watch, interval: float) -> float:
    """Seconds between two looks at a protocol: the interval, or a sixth of its timeout when that is longer."""
    return min(max(interval, (timeout_of(watch.timeouts) or LONGEST) / 6.0), max(interval, LONGEST)) if watch.protocol != 17 else interval


def is_active() -> bool:
    """Whether this node is the active one; without the file no node is."""
    try:
        with open(VRRP_STATE, encoding="ascii") as handle:
            return handle.read().split()[:1] == ["active"]
    except (OSError, ValueError):
        return False


class Refresher:
    """Rounds over the table, each protocol at its own pace."""

    def __init__(self, stated: float, table: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self.stated = stated
        self.table = table
        self.clock = clock
        self.accounts: Dict[Watch, Account] = {}
        self.next_look: Dict[Watch, float] = {}

    def forget(self) -> None:
        self.accounts.clear()
        self.next_look.clear()

    def round(self) -> Dict[str, Any]:
        """Look at every protocol that is due, and send what must be sent. Returns the figures of the round."""
        interval = interval_of(self.stated)
        begun = self.clock()
        limit = int(RATE * interval)
        looked = sent = waiting = 0
        for watch in WATCHES:
            if begun < self.next_look.get(watch, begun):
                continue
            now = self.clock()
            self.next_look[watch] = now + period_of(watch, interval)
            account = self.accounts.setdefault(watch, Account())
            chosen, later, seen = account.due(self.table.states(watch), now, interval, max(0, limit - sent))
            if later:
                self.next_look[watch] = now
            self.table.touch(chosen)
            account.sent(chosen, now)
            looked, sent, waiting = looked + seen, sent + len(chosen), waiting + later
        return {"last_run": time.time(), "interval": interval, "looked_at": looked, "sent": sent, "waiting": waiting,
                "seconds": round(self.clock() - begun, 3)}


def write_report(figures: Dict[str, Any], path: str = REPORT) -> None:
    temporary = path + ".new"
    with open(temporary, "w", encoding="ascii") as handle:
        handle.write(json.dumps(figures, sort_keys=True) + "\n")
    os.replace(temporary, path)


def main() -> None:
    refresher = Refresher(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0, Table())
    was_active = False
    while True:
        active = is_active()
        if active and not was_active:
            refresher.forget()
        was_active = active
        rest = SHORTEST / 2
        if active:
            used = time.process_time()
            figures = refresher.round()
            rest = max(figures["interval"], REST * (time.process_time() - used))
            write_report(dict(figures, interval=round(rest, 1)))
        time.sleep(rest)


if __name__ == "__main__":
    main()
