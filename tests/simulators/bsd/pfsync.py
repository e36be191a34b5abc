# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pfsync: how nodes exchange the states of their packet filters. What differs between systems is in attributes and methods of the subclasses.

Sources: FreeBSD's sys/netpfil/pf/if_pfsync.c, and what was measured on FreeBSD 14.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Dict, List, NamedTuple, Optional, Set, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.clock import Timer, VirtualClock
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.kernel import Kernel
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Packet
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.states import State

GROUP = "224.0.0.240"
BULK_SECONDS = 0.5  # from the request until the end of the bulk update; 0.03 to 2 s were seen
LATENCY = 0.002  # until a request is answered: longer than a command takes for its next word
RETRY_SECONDS, MAX_TRIES = 5.0, 12
MAX_DELAY = 1.0  # seconds that an update waits at most
STORM_PACKETS = 13000  # in about 2 s
_START, _HEADER = 40 + 20 + 4, 4  # what is in each packet, and before each kind of message
SIZES = {"CLR": 20, "INS_1301": 242, "IACK": 12, "UPD_1301": 242, "UPD_C": 84, "UREQ": 12, "DEL": 242, "DEL_C": 12, "BUS": 12, "INS_1400": 277,
         "UPD_1400": 277, "INS_1500": 360, "UPD_1500": 360, "INS_1264": 264, "UPD_1264": 264}  # 1264: OpenBSD's only one, which has no number
ORDER = ("INS_1301", "INS_1400", "INS_1500", "INS_1264", "IACK", "UPD_1301", "UPD_1400", "UPD_1500", "UPD_1264", "UPD_C", "DEL_C", "UREQ", "CLR", "BUS")


class Message(NamedTuple):
    """One message: ``state`` is a copy of what it carries, ``key`` names a state or, for BUS and CLR, the creator."""

    kind: str
    key: Tuple[int, int] = (0, 0)
    state: Optional[State] = None
    word: str = ""
    acknowledge: bool = False


class Frame(NamedTuple):
    """What a packet carries. ``kinds`` is how many kinds of messages the sender knows, ``checksum`` that of its rules."""

    version: int
    checksum: str
    messages: Tuple[Message, ...]


@dataclass
class Counters:
    """As netstat tells them; ``received`` and ``sent`` count messages by kind."""

    packets_in: int = 0
    packets_out: int = 0
    received: Dict[str, int] = field(default_factory=dict)
    sent: Dict[str, int] = field(default_factory=dict)
    dropped: Dict[str, int] = field(default_factory=dict)
    no_memory: int = 0
    send_errors: int = 0

    def drop(self, reason: str) -> None:
        self.dropped[reason] = self.dropped.get(reason, 0) + 1


class Pfsync:
    """pfsync0 of a machine.

    Attributes:
        up: the interface.
        hooked: whether pf tells it of new states; lost when the interface goes down, and there again when it comes up.
        ok: ``syncok``; true before anything was tried, and true again after a bulk update that nobody answered.
        formats: that this system understands, the oldest first; the last one is what it sends unless told otherwise.
        storms: how often updates of pfsync's own states set off a storm.
    """

    wire_version = 5
    known: Tuple[str, ...] = ()
    largest_mtu: Optional[int] = None
    buckets = 2  # queues, which state waits in which goes by its id

    def __init__(self, machine: Kernel, clock: VirtualClock, formats: Tuple[int, ...]) -> None:
        self.machine = machine
        self.clock = clock
        self.formats = formats
        self.storms = 0
        self.reset()

    def reset(self) -> None:
        """As a fresh kernel has it."""
        for timer in (getattr(self, "_bulk_timer", None), getattr(self, "_flush_timer", None)):
            if timer is not None:
                timer.stop()
        self.up = False
        self.hooked = True
        self.syncdev: Optional[str] = None
        self.peer = GROUP
        self.maxupd = 128
        self.defer = False
        self.version = self.formats[-1]
        self.ok = True
        self.mtu = 1500
        self.counters = Counters()
        self._queue: List[Message] = []
        self._waiting: Set[Tuple[int, int]] = set()  # the states in it
        self._tries = 0
        self._requested: Optional[float] = None
        self._bulk_timer = Timer(lambda: None)
        self._flush_timer = Timer(lambda: None)
        self._updates: Dict[Tuple[int, int], int] = {}

    # The interface

    def set_up(self, up: bool) -> None:
        self.up = self.hooked = up

    def restart(self) -> None:
        """Ask for all states of the others, as each setting with a device does, even if it changes nothing."""
        if self.ok:
            self._demote(1, "pfsync bulk start")
        self.ok = False
        self._debug("pfsync: requesting bulk update")
        self._requested = self.clock.now
        self._bulk_timer.stop()
        self._bulk_timer = self.clock.after(RETRY_SECONDS, self._bulk_fail)
        self._put(Message("UREQ"))
        self.flush()  # whether or not the interface is up yet

    def _demote(self, sign: int, reason: str) -> None:
        self.machine.carp.demote(sign * int(self.machine.sysctl["net.pfsync.carp_demotion_factor"]), reason)

    def _debug(self, text: str) -> None:
        if self.machine.pf.debug in ("misc", "loud"):
            self.machine.say(text)

    def _bulk_fail(self) -> None:
        self._tries += 1
        if self._tries <= MAX_TRIES:
            self._bulk_timer = self.clock.after(RETRY_SECONDS, self._bulk_fail)
            self._put(Message("UREQ"))
            self.flush()
            return
        # The kernel pretends that the transfer was all right.
        self._finish("pfsync bulk fail")
        self._debug("pfsync: failed to receive bulk update")

    def _finish(self, reason: str) -> None:
        self._requested, self._tries = None, 0
        self._bulk_timer.stop()
        if not self.ok:
            self._demote(-1, reason)
        self.ok = True

    # What pf tells

    def inserted(self, state: State, unsynced: bool) -> None:
        """pf has made a state; ``unsynced`` when its rule says no-sync. Without the hook the state has no mark at all."""
        if not self.hooked or not self.machine.has_pfsync:
            return
        if unsynced or state.protocol == "pfsync":
            state.nosync = True
            return
        self._put(Message("INS_%d" % self.version, state.key, state, acknowledge=self.defer))
        if self.defer:
            self.flush()

    def updated(self, state: State) -> None:
        """A packet has changed a state."""
        if state.nosync or not self.hooked or not self.machine.has_pfsync:
            return
        if state.key in self._waiting:
            return
        self._put(Message("UPD_C", state.key, state))
        if state.protocol == "tcp":
            self._updates[state.key] = self._updates.get(state.key, 0) + 1
            if self._updates[state.key] >= self.maxupd:
                self._updates[state.key] = 0
                self.flush()

    def deleted(self, state: State) -> None:
        """A state has gone by itself, or was killed."""
        if state.key in self._waiting:
            self._queue = [message for message in self._queue if message.state is None or message.key != state.key]
            self._waiting.discard(state.key)
        if not state.nosync and self.hooked and self.machine.has_pfsync:
            self._put(Message("DEL_C", state.key))

    def cleared(self, creator: int, interface: str) -> None:
        """All states of this node, or those of an interface, were dropped."""
        if self.hooked and self.machine.has_pfsync:
            self._queue = [message for message in self._queue if message.state is None]
            self._waiting.clear()
            self._put(Message("CLR", (creator, 0), word=interface))
            self.flush()

    # Sending

    def _put(self, message: Message) -> None:
        self._queue.append(message)
        if message.state is not None:
            self._waiting.add(message.key)
        if not self._flush_timer.pending:
            self._flush_timer = self.clock.after(MAX_DELAY, self.flush)

    def flush(self) -> None:
        """Send what waits."""
        self._flush_timer.stop()
        waiting, self._queue = self._queue, []
        self._waiting.clear()
        if self.syncdev is None or not waiting:
            return
        for bucket in range(self.buckets):
            mine = sorted((message for message in waiting if self._bucket(message) == bucket), key=lambda message: ORDER.index(message.kind))
            for part in self._split(mine):
                self._send(part)

    def _bucket(self, message: Message) -> int:
        """The queue of a message; what belongs to no state is in the first one."""
        return 0 if message.kind in ("UREQ", "BUS", "CLR") else message.key[1] % self.buckets

    def _split(self, waiting: List[Message]) -> List[List[Message]]:
        parts: List[List[Message]] = []
        length, kind = 0, ""
        for message in waiting:
            size = SIZES[message.kind] + (_HEADER if message.kind != kind else 0)
            if not parts or length + size > self.mtu:
                parts.append([])
                length, size = _START, SIZES[message.kind] + _HEADER
            parts[-1].append(message)
            length, kind = length + size, message.kind
        return parts

    def _send(self, messages: List[Message]) -> None:
        assert self.syncdev is not None
        counters = self.counters
        if self.largest_mtu is not None and self.mtu > self.largest_mtu:
            counters.no_memory += 1
            return
        for message in messages:
            counters.sent[message.kind] = counters.sent.get(message.kind, 0) + 1
        counters.sent["EOF"] = counters.sent.get("EOF", 0) + 1
        frozen = tuple(message._replace(state=replace(message.state)) if message.state is not None else message for message in messages)
        size = _START + sum(SIZES[message.kind] for message in messages) + _HEADER * len({message.kind for message in messages}) - 20
        source = self.machine.interfaces[self.syncdev].address_of(6 if ":" in self.peer else 4) or "0.0.0.0"
        body = Frame(self.wire_version, self.machine.pf.checksum, frozen)
        if self.machine.send(self.syncdev, Packet("pfsync", source, self.peer, size, body)):
            counters.packets_out += 1
        else:
            counters.send_errors += 1

    # Receiving

    def hears(self, device: str, target: str) -> bool:
        """Whether the machine takes packets for this address: of the group it is a member on the device only."""
        if target == GROUP:
            return self.syncdev == device and self.peer == GROUP
        return True

    def receive(self, device: str, packet: Packet) -> None:
        """A packet has come in, and pf let it pass."""
        counters = self.counters
        counters.packets_in += 1
        if self.syncdev is None or not self.machine.pf.enabled or not self.up:
            return
        frame = packet.body
        assert isinstance(frame, Frame)
        for wrong, reason in ((device != self.syncdev, "bad-interface"), (packet.ttl != 255, "bad-ttl"), (frame.version != self.wire_version, "bad-version")):
            if wrong:
                counters.drop(reason)
                return
        for message in frame.messages:
            if message.kind not in self.known:
                counters.drop("bad-action")  # and the rest of the packet cannot be read
                return
            counters.received[message.kind] = counters.received.get(message.kind, 0) + 1
            self._take(message, frame)
        counters.received["EOF"] = counters.received.get("EOF", 0) + 1

    def _take(self, message: Message, frame: Frame) -> None:
        states = self.machine.pf.states
        held = states.get(message.key)
        kind = message.kind.split("_1")[0]
        if kind in ("INS", "UPD") and message.state is not None:
            if held is not None and kind == "UPD":
                self._merge(held, message.state)
            elif held is None:
                self._import(message, frame)
            if message.acknowledge:
                self._put(Message("IACK", message.key))
                self.flush()
        elif kind == "UPD_C" and message.state is not None:
            if held is not None:
                self._merge(held, message.state)
            else:
                self._put(Message("UREQ", message.key))
                self.flush()
        elif kind == "UREQ":
            self._answer(message)
        elif kind == "DEL_C":
            if held is None:
                self.counters.drop("failed-lookup")
            else:
                states.remove(held)
        elif kind == "CLR":
            if not message.word or message.word in self.machine.pf.kifs():
                for state in states:
                    if state.creator == message.key[0]:
                        states.remove(state)
        elif kind == "BUS":
            self._bulk_mark(message.word)

    def _merge(self, held: State, told: State) -> None:
        if told.used >= held.used:
            held.sides, held.used, held.lasts = told.sides, told.used, told.lifetime
            self.machine.pf.watch(held)

    def _import(self, message: Message, frame: Frame) -> None:
        told = message.state
        assert told is not None
        trouble = self.refuses(told, message.kind, frame.checksum == self.machine.pf.checksum)
        if trouble is not None:
            if trouble:
                self._debug(trouble)
            return
        known = frame.checksum == self.machine.pf.checksum and told.rule is not None and told.rule < len(self.machine.pf.rules)
        kept = replace(told, origin=told.origin if message.kind.endswith("1500") else None, rule=told.rule if known else None, packets=(0, 0), octets=(0, 0),
                       nosync=False, ruleset=self.machine.pf.loads, lasts=told.lifetime)
        self.machine.pf.states.insert(kept)
        self.machine.pf.watch(kept)

    def refuses(self, told: State, kind: str, same_rules: bool) -> Optional[str]:
        """Why a state is passed over, in the kernel's words for its console if it has some; None when it is taken."""
        raise NotImplementedError

    def _answer(self, message: Message) -> None:
        if message.key == (0, 0):
            self._debug("pfsync: received bulk update request")
            self.clock.after(LATENCY, self._bulk_start)
            return
        state = self.machine.pf.states.get(message.key)
        if state is None:
            self.counters.drop("failed-lookup")
        elif not state.nosync:
            self._put(Message("UPD_%d" % self.version, state.key, state))
            self.flush()

    def _bulk_start(self) -> None:
        if not self.machine.alive or self.syncdev is None:
            return
        self._put(Message("BUS", word="START"))
        self.flush()
        self.clock.after(BULK_SECONDS - LATENCY, self._bulk)

    def _bulk(self) -> None:
        if not self.machine.alive or self.syncdev is None:
            return
        # What is queued as new anyway is not sent twice.
        synced = [state for state in self.machine.pf.states if not state.nosync and state.key not in self._waiting]
        for state in synced:
            self._put(Message("UPD_%d" % self.version, state.key, state))
        self._put(Message("BUS", word="END"))  # behind the last updates of the first queue, in the same packet
        self.flush()
        if any(state.protocol == "pfsync" and state.origin is not None and not state.nosync for state in self.machine.pf.states):
            self._storm()

    def _storm(self) -> None:
        """An update of pfsync's own state is a packet, which updates the state, which is an update."""
        self.storms += 1
        heard = [pfsync for pfsync, device in self.machine.network.beyond(self.syncdev or "", "pfsync") if pfsync.syncdev == device]
        self.counters.packets_out += STORM_PACKETS
        for kind in ("UPD_C", "EOF"):
            self.counters.sent[kind] = self.counters.sent.get(kind, 0) + STORM_PACKETS
            for one in heard:
                one.counters.received[kind] = one.counters.received.get(kind, 0) + STORM_PACKETS
        for one in heard:
            one.counters.packets_in += STORM_PACKETS

    def _bulk_mark(self, word: str) -> None:
        if self._requested is None:
            return
        if word == "START":
            self._debug("pfsync: received bulk update start")
            per_packet = max(1, (self.mtu - _START) // SIZES["UPD_%d" % self.formats[-1]])
            self._bulk_timer.stop()
            self._bulk_timer = self.clock.after(4.0 + self.machine.pf.states.limit / per_packet / 1000.0, self._bulk_fail)
        else:
            self._debug("pfsync: received valid bulk update end")
            self._finish("pfsync bulk done")
