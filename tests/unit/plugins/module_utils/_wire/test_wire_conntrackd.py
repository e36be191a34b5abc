# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""conntrackd's messages come back as they were built; what the daemon calls malformed is refused, and it is known where it reads on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.conntrackd import (
    BAD_HEADER,
    BAD_PAYLOAD,
    BAD_SIZE,
    BAD_VERSION,
    TRUNCATED,
    decode_conntrackd,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.frames import payload_of, udp_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.pcap import read_pcap
from ansible_collections.hafirewall.cluster.tests.simulators.wire import conntrackd_messages as build
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.integers(0, 2 ** 32 - 1)
IPV6 = bytes(15) + b"\x01"


def read(payload: bytes) -> list:
    packet = decode_conntrackd(payload)
    assert (packet.error, packet.detail, packet.formats, packet.checksum) == (None, "", (), "")
    return [(message.name, message.count, [entry.fields() for entry in message.entries]) for message in packet.messages]


@given(NUMBERS, st.sampled_from([0, build.HELLO, build.HELLO_BACK, build.HELLO | build.HELLO_BACK]))
def test_messages_about_states_are_read(seq: int, flags: int) -> None:
    for kind, name in enumerate(["CT_NEW", "CT_UPD", "CT_DEL", "EXP_NEW", "EXP_UPD", "EXP_DEL"]):
        for message in (build.state(kind, seq, flags=flags), build.state(kind, seq, IPV6, IPV6, flags), build.message(kind, seq, flags)):
            assert read(message) == [(name, 1, [{"flags": flags, "length": len(message), "seq": seq}])]


@given(NUMBERS, NUMBERS, st.integers(0, 2 ** 31 - 1))
def test_messages_about_sequence_numbers_are_read_with_their_range(seq: int, first: int, span: int) -> None:
    last = (first + span) % 2 ** 32
    for flag, name in ((build.ACK, "ACK"), (build.NACK, "NACK"), (build.RESYNC, "RESYNC")):
        assert read(build.ranged(flag, seq, (first, last))) == [(name, 1, [{"flags": flag, "length": 16, "seq": seq, "from": first, "to": last}])]
    assert read(build.message(build.CONTROL, seq, build.ALIVE)) == [("ALIVE", 1, [{"flags": build.ALIVE, "length": 8, "seq": seq}])]


def test_one_datagram_carries_many_messages_and_an_empty_one_none() -> None:
    many = [build.state(0, 1), build.state(1, 2), build.ranged(build.ACK, 3, (1, 2)), build.state(2, 4)]
    assert [name for name, _count, _entries in read(build.datagram(many))] == ["CT_NEW", "CT_UPD", "ACK", "CT_DEL"]
    assert decode_conntrackd(build.datagram(many)).version == 1
    assert decode_conntrackd(b"") == (0, [], None, "", "")


@pytest.mark.parametrize(("wrong", "error"), [
    (build.message(0, 1, version=0), BAD_VERSION),
    (build.message(build.CONTROL, 1, build.ALIVE, version=2), BAD_VERSION),
    (build.message(6, 1), BAD_HEADER),
    (build.message(15, 1, build.ACK), BAD_HEADER),
    (build.message(build.CONTROL, 1, 0), BAD_HEADER),
    (build.message(build.CONTROL, 1, build.HELLO), BAD_HEADER),
    (build.message(0, 1, build.ALIVE), BAD_HEADER),
    (build.ranged(build.ACK, 1, (5, 4)), BAD_HEADER),
    (build.ranged(build.NACK, 1, (0, 2 ** 31)), BAD_HEADER),
    (build.message(0, 1, 0, b"\x00\x03\x00\x00" + bytes(8)), BAD_PAYLOAD),
    (build.message(0, 1, 0, b"\x00\x0d\x00\x00" + bytes(8)), BAD_PAYLOAD),
    (build.message(0, 1, 0, build.attribute(2, b"\x06") + b"\x00\x00\x00\x02\x00"), BAD_PAYLOAD),
])
def test_a_malformed_message_is_left_out_and_those_behind_it_are_read(wrong: bytes, error: str) -> None:
    packet = decode_conntrackd(build.datagram([build.state(0, 1), wrong, build.state(2, 3)]))
    assert ([message.name for message in packet.messages], packet.error) == (["CT_NEW", "CT_DEL"], error)
    assert "byte %d" % len(build.state(0, 1)) in packet.detail


@pytest.mark.parametrize(("end", "error"), [
    (bytes(1), TRUNCATED),
    (build.state(0, 2)[:7], TRUNCATED),
    (build.state(0, 2)[:-1], BAD_SIZE),
    (b"\x10\x00\x00\x00\x00\x00\x00\x01" + build.state(0, 3), BAD_SIZE),
    (b"\x10\x00\x00\x07\x00\x00\x00\x01" + build.state(0, 3), BAD_SIZE),
    (build.message(build.CONTROL, 1, build.ACK) + build.state(0, 3), BAD_SIZE),
])
def test_where_no_length_can_be_trusted_the_datagram_ends(end: bytes, error: str) -> None:
    packet = decode_conntrackd(build.state(1, 1) + end)
    assert ([message.name for message in packet.messages], packet.error) == (["CT_UPD"], error)


def test_four_bytes_behind_the_attributes_are_no_attribute() -> None:
    assert [name for name, _count, _entries in read(build.message(0, 1, 0, b"\xff\xff\xff\xff"))] == ["CT_NEW"]


def test_what_two_real_daemons_said_is_read_and_its_bytes_are_those_that_they_counted() -> None:
    messages: dict = {}
    carried: dict = {}
    with (Path(__file__).resolve().parents[4] / "fixtures" / "conntrackd-1.4.7" / "ftfw-sync.pcap").open("rb") as stream:
        for datagram in filter(None, map(payload_of, read_pcap(stream))):
            udp = udp_of(datagram)
            if udp is not None:
                packet = decode_conntrackd(udp.payload)
                assert (packet.version, packet.error, udp.destination_port, datagram.destination, datagram.whole) == (1, None, 3780, "225.0.0.50", True)
                messages.setdefault(datagram.source, Counter()).update(message.name for message in packet.messages)
                carried.setdefault(datagram.source, []).append(len(udp.payload))
    assert messages == {"198.51.100.129": {"CT_NEW": 20, "CT_DEL": 20, "ACK": 3, "RESYNC": 1}, "198.51.100.130": {"CT_NEW": 60, "ACK": 3}}
    assert {sender: (sum(sizes), len(sizes)) for sender, sizes in carried.items()} == {"198.51.100.129": (3104, 44), "198.51.100.130": (6064 - 16, 10 - 1)}
