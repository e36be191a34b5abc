# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packets that were damaged, or made to harm: whatever they are, the decoders give an answer, and read nothing that is not there.

Each example changes ``EACH`` packets: a million with the profile long (``make long``), 34,000 otherwise. A failure shows the packet.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Callable, List

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire import conntrackd, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.frames import PROTOCOL_PFSYNC, payload_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.layouts import Packet
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.pcap import read_pcap
from ansible_collections.hafirewall.cluster.tests.simulators.wire import conntrackd_messages, pfsync_packets
from hypothesis import given
from hypothesis import strategies as st

EACH = 340
CAPTURES = Path(__file__).resolve().parents[4] / "fixtures" / "pfsync-freebsd-14.2"
CAPTURED = ("43-v1400-clear-by-pfctl-F-states-on-A", "54-v1301-both-bulk-with-states-A-resyncs", "c0-v1400-defer-insert-and-insert-ack",
            "b1-v1400-variety-nat-rdr-inet6-prio-tos-mss-routeto-synproxy", "40-v1400-delete-by-pfctl-k")
PFSYNC_ERRORS = {None, pfsync.SHORT, pfsync.BAD_VERSION, pfsync.BAD_ACTION, pfsync.BAD_LENGTH}
CONNTRACKD_ERRORS = {None, conntrackd.TRUNCATED, conntrackd.BAD_SIZE, conntrackd.BAD_VERSION, conntrackd.BAD_HEADER, conntrackd.BAD_PAYLOAD}
EXTREMES = (b"\x00\x00", b"\x00\x01", b"\x7f\xff", b"\x80\x00", b"\xff\xff", b"\x00\x18")


def captured() -> List[bytes]:
    found = []
    for name in CAPTURED:
        with (CAPTURES / (name + ".pcap")).open("rb") as stream:
            datagrams = [payload_of(frame) for frame in read_pcap(stream)]
        found += [datagram.payload for datagram in datagrams if datagram is not None and datagram.protocol == PROTOCOL_PFSYNC]
    return found


def built() -> List[bytes]:
    """A packet of each message that no capture has, and one of all of them."""
    packets = []
    for version, known in ((5, pfsync_packets.FREEBSD), (6, pfsync_packets.OPENBSD)):
        sections = [pfsync_packets.section(number, [pfsync_packets.message(size, places, {}, 7)] * 2 if size else [], size // 4 if version == 6 else 0)
                    for number, (_name, size, places) in known.items() if size]
        end = [pfsync_packets.EOF] if version == 5 else []
        packets += [pfsync_packets.packet(version, section, *end) for section in sections] + [pfsync_packets.packet(version, *sections, *end)]
    return packets


PFSYNC = captured() + built()
MESSAGES = conntrackd_messages
DATAGRAMS = [MESSAGES.datagram([MESSAGES.state(kind, kind) for kind in range(6)]), MESSAGES.ranged(MESSAGES.ACK, 9, (1, 8)),
             MESSAGES.datagram([MESSAGES.message(MESSAGES.CONTROL, 1, MESSAGES.ALIVE), MESSAGES.ranged(MESSAGES.RESYNC, 2, (0, 0))]),
             MESSAGES.state(0, 1, bytes(16), bytes(16), MESSAGES.HELLO)]


def changed(packets: List[bytes], choose: random.Random) -> bytes:
    """One of the packets after one to four changes of the kinds that find what a reader trusts without looking."""
    content = bytearray(choose.choice(packets))
    for _change in range(choose.randint(1, 4)):
        kind, at = choose.randrange(7), choose.randrange(len(content) + 1)
        if kind == 0 and content:
            content[at % len(content)] ^= 1 << choose.randrange(8)
        elif kind == 1 and content:
            content[at % len(content)] = choose.randrange(256)
        elif kind == 2:
            content[at:at + 2] = choose.choice(EXTREMES)
        elif kind == 3:
            del content[at:]
        elif kind == 4:
            content[at:at] = choose.getrandbits(8 * 12).to_bytes(12, "big")
        elif kind == 5:
            content[at:] = choose.choice(packets)[at:]
        else:
            content[2:4] = len(content).to_bytes(4, "big")[-2:]  # the length made right again, so that what follows is looked at
    return bytes(content)


def read_all(packet: Packet, payload: bytes, errors: set, may_skip: bool) -> None:
    assert packet.error in errors
    assert bool(packet.error) == bool(packet.detail)
    assert packet.formats == tuple(sorted(set(packet.formats)))
    room = len(payload)
    for message in packet.messages:
        entries = message.entries
        assert len(entries) == (message.count if entries else 0)
        for entry in entries:
            assert len(entry.fields()) == len(entry.layout.names)
            room -= entry.layout.size
    assert room >= 0, "more messages than there are bytes"
    assert may_skip or not [message for message in packet.messages if message.skipped]


def try_all(packets: List[bytes], seed: int, decode: Callable[[bytes], Packet], errors: set) -> None:
    choose = random.Random(seed)
    for _packet in range(EACH):
        payload = changed(packets, choose)
        try:
            packet = decode(payload)
            read_all(packet, payload, errors, packet.version == pfsync.OPENBSD)
        except Exception as error:
            raise AssertionError("%s by %s" % (type(error).__name__, payload.hex())) from error


@given(st.integers(0, 2 ** 64))
def test_a_damaged_packet_of_pfsync_is_answered(seed: int) -> None:
    try_all(PFSYNC, seed, pfsync.decode_pfsync, PFSYNC_ERRORS)


@given(st.integers(0, 2 ** 64))
def test_a_damaged_datagram_of_conntrackd_is_answered(seed: int) -> None:
    try_all(DATAGRAMS, seed, conntrackd.decode_conntrackd, CONNTRACKD_ERRORS)


@given(st.binary(max_size=300))
def test_any_bytes_are_answered(payload: bytes) -> None:
    for content in (payload, b"\x05\x00" + len(payload).to_bytes(2, "big") + payload, b"\x06\x00" + len(payload).to_bytes(2, "big") + payload):
        read_all(pfsync.decode_pfsync(content), content, PFSYNC_ERRORS, True)
        read_all(conntrackd.decode_conntrackd(content), content, CONNTRACKD_ERRORS, True)


@pytest.mark.parametrize("version", [5, 6])
def test_every_cut_of_a_packet_is_answered_and_never_says_more_than_the_whole(version: int) -> None:
    whole = [packet for packet in PFSYNC if packet[0] == version][-1]
    all_of_it = [(message.name, message.count) for message in pfsync.decode_pfsync(whole).messages]
    for length in range(len(whole)):
        cut = whole[:2] + length.to_bytes(2, "big") + whole[4:length]
        for payload in (whole[:length], cut):
            packet = pfsync.decode_pfsync(payload[:length])
            read_all(packet, payload, PFSYNC_ERRORS, True)
            said = [(message.name, message.count) for message in packet.messages]
            assert said == all_of_it[:len(said)]
