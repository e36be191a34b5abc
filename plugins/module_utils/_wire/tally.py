# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who sends on the Sync network, counted from frames: pure, frames in and senders out. Nothing of a packet but its headers and counts is kept."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.conntrackd import decode_conntrackd
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.frames import ETHERNET, PROTOCOL_PFSYNC, Datagram, Frame, payload_of, udp_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.layouts import Packet
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.pfsync import decode_pfsync

DEFAULT_PORT = 3780  # of conntrackd
MOST_PACKETS = 100000  # so many can be looked at in a few seconds
MOST_IN_SAMPLE = 20000  # in the second in which evidence is read
MOST_SENDERS = 256  # a flood of forged addresses must not become a flood of evidence
_MOST_MACS = _MOST_REASONS = _MOST_NAMES = 32
_PFSYNC, _CONNTRACKD = "pfsync", "conntrackd"
_TTL = 255  # pfsync sends no other, and drops what has another (badttl)
# Messages that tell of a state: new, changed, or gone. Not those that ask for one or confirm it.
_OF_STATES, _OF_MESSAGES = ("INS", "UPD", "DEL", "CT_"), ("INS_ACK", "UPD_REQ")


class Sender:
    """One address that sends messages of one engine.

    Attributes:
        macs: hardware addresses that its frames came from, lower case with colons.
        version: of the protocol, in the newest packet that has one.
        formats: pfsync's formats of messages that carry states, each once.
        messages: how many there were, by name.
        errors: packets that a receiver would not take whole, by the reason.
    """

    def __init__(self, address: Optional[str], engine: str) -> None:
        self.address, self.engine = address, engine
        self.version: Optional[int] = None
        self.packets = self.size = self.states = 0
        self.macs: Dict[str, None] = {}
        self.formats: Dict[int, None] = {}
        self.messages: Dict[str, int] = {}
        self.errors: Dict[str, int] = {}

    def count(self, frame: Frame, datagram: Datagram, packet: Packet) -> None:
        """Add one packet."""
        self.packets += 1
        self.size += frame.length
        if frame.linktype == ETHERNET and len(self.macs) < _MOST_MACS:
            self.macs[":".join("%02x" % byte for byte in frame.data[6:12])] = None
        if packet.version is not None:
            self.version = packet.version
        self.formats.update(dict.fromkeys(packet.formats))
        for message in packet.messages:
            _add(self.messages, message.name, message.count, _MOST_NAMES)
            if message.name.startswith(_OF_STATES) and message.name not in _OF_MESSAGES and not message.skipped:
                self.states += message.count
        if not datagram.whole:
            _add(self.errors, "a fragment, or cut short where it was captured", 1, _MOST_REASONS)
        elif packet.error is not None:
            _add(self.errors, packet.error, 1, _MOST_REASONS)
        elif self.engine == _PFSYNC and datagram.ttl not in (None, _TTL):
            _add(self.errors, "TTL %s, and a receiver drops what has not %d" % (datagram.ttl, _TTL), 1, _MOST_REASONS)

    def row(self, seconds: float) -> Dict[str, Any]:
        """What was counted in so many seconds, as plain values."""
        return {"address": self.address, "macs": sorted(self.macs), "engine": self.engine, "version": self.version, "formats": sorted(self.formats),
                "messages": dict(sorted(self.messages.items())), "packets": self.packets, "bytes": self.size, "states": self.states,
                "states_per_second": _rate(self.states, seconds), "bytes_per_second": _rate(self.size, seconds), "errors": dict(sorted(self.errors.items()))}


class Tally:
    """Counts the packets of both engines, and passes over all others.

    Args:
        most: how many packets to look at.
        port: that conntrackd's messages go to.
    Attributes:
        until: seconds since 1970, later frames are not counted; None for no end.
        packets: how many were counted.
        truncated: as many as ``most`` were counted, or there were more senders than are told: there may have been more.
    """

    def __init__(self, most: int = MOST_PACKETS, port: int = DEFAULT_PORT) -> None:
        self._most, self._port = most, port
        self.until: Optional[float] = None
        self._senders: Dict[Tuple[Optional[str], str], Sender] = {}
        self.packets = 0
        self._first: Optional[float] = None
        self._last: Optional[float] = None
        self.truncated = False

    def add(self, frame: Frame) -> bool:
        """Count a frame if it is one of a sync engine; false when no further one is wanted."""
        if self.packets >= self._most or (self.until is not None and frame.time > self.until):
            return False
        found = _engine_of(frame, self._port)
        if found is None:
            return True
        datagram, engine, payload = found
        sender = self._sender(datagram.source, engine)
        self.packets += 1
        # Frames of several interfaces may stand out of their order in a capture.
        self._first = frame.time if self._first is None else min(self._first, frame.time)
        self._last = frame.time if self._last is None else max(self._last, frame.time)
        if sender is not None:
            sender.count(frame, datagram, decode_pfsync(payload) if engine == _PFSYNC else decode_conntrackd(payload))
        self.truncated = self.truncated or self.packets >= self._most
        return self.packets < self._most

    def result(self, seconds: Optional[float] = None) -> Dict[str, Any]:
        """What was counted.

        Args:
            seconds: how long frames were taken. None for the time between the first and the last packet, which also is the time of a tally that is full.
        Returns:
            ``{"seconds", "packets", "truncated", "senders"}``.
        """
        if seconds is None or self.packets >= self._most:
            seconds = 0.0 if self._first is None or self._last is None else self._last - self._first
        rows: List[Dict[str, Any]] = [sender.row(seconds) for sender in self._senders.values()]
        return {"seconds": round(seconds, 3), "packets": self.packets, "truncated": self.truncated,
                "senders": sorted(rows, key=lambda row: (row["address"] or "", row["engine"]))}

    def _sender(self, address: Optional[str], engine: str) -> Optional[Sender]:
        key = (address, engine)
        if key not in self._senders and len(self._senders) >= MOST_SENDERS:
            self.truncated = True
            return None
        return self._senders.setdefault(key, Sender(address, engine))


def _engine_of(frame: Frame, port: int) -> Optional[Tuple[Datagram, str, bytes]]:
    """What the frame carries, the engine whose it is, and what that engine's decoder takes; None for what belongs to neither."""
    datagram = payload_of(frame)
    if datagram is None:
        return None
    if datagram.protocol == PROTOCOL_PFSYNC:
        return datagram, _PFSYNC, datagram.payload
    udp = udp_of(datagram)
    return None if udp is None or udp.destination_port != port else (datagram, _CONNTRACKD, udp.payload)


def _add(counts: Dict[str, int], name: str, count: int, most: int) -> None:
    """Add to a count; names beyond the most count as others."""
    if name not in counts and len(counts) >= most:
        name = "others"
    counts[name] = counts.get(name, 0) + count


def _rate(count: int, seconds: float) -> Optional[float]:
    return round(count / seconds, 1) if seconds > 0 else None
