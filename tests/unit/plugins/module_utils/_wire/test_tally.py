# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who sends, counted from frames: by address and engine, in bounds whatever comes."""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire import tally as tally_module
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.conntrackd import TRUNCATED
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.frames import ETHERNET, Frame
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.pcap import read_pcap
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.tally import Tally
from ansible_collections.hafirewall.cluster.tests.simulators.bsd import pfsync, wire
from hypothesis import given
from hypothesis import strategies as st

CAPTURES = Path(__file__).resolve().parents[4] / "fixtures" / "pfsync-freebsd-14.2"
LISTED = [line.split("\t") for line in (CAPTURES / "PCAPS.tsv").read_text(encoding="utf-8").splitlines()[1:]]
MAC, GROUP = "02:00:00:00:00:02", "224.0.0.240"
ALIVE = bytes((0x1A, 16, 0, 8, 0, 0, 0, 1))


def states(*kinds: str, source: str = "198.51.100.130", version: int = 5, ttl: int = 255, when: float = 10.0) -> Frame:
    body = pfsync.Frame(version, "", tuple(pfsync.Message(kind) for kind in kinds))
    return framed(wire.ethernet(MAC, source, "ff12::f0" if ":" in source else GROUP, wire.payload_of(body), ttl), when)


def udp(payload: bytes, port: int = 3780, source: str = "198.51.100.130", target: str = "225.0.0.50") -> Frame:
    return framed(wire.ethernet(MAC, source, target, struct.pack("!HHHH", 40000, port, 8 + len(payload), 0) + payload, 64, 17))


def framed(data: bytes, when: float = 10.0) -> Frame:
    return Frame(when, ETHERNET, data, len(data))


def counted(*frames: Frame, **options: int) -> dict:
    tally = Tally(**options)
    for frame in frames:
        tally.add(frame)
    return tally.result(2.0)


@pytest.mark.parametrize(("name", "packets", "others", "messages"), LISTED, ids=[line[0] for line in LISTED])
def test_captures_of_real_kernels_give_the_numbers_that_were_counted(name: str, packets: str, others: str, messages: str) -> None:
    tally, total = Tally(), Counter()
    with (CAPTURES / name).open("rb") as stream:
        for frame in read_pcap(stream):
            assert tally.add(frame)
    found = tally.result()
    for sender in found["senders"]:
        total.update(sender["messages"])
        assert sender["errors"] == {} and sender["version"] == 5 and sender["engine"] == "pfsync" and len(sender["macs"]) == 1
        assert set(sender["formats"]) == {int(kind.split("_")[1]) for kind in sender["messages"] if kind.startswith(("INS_1", "UPD_1"))}
    assert " ".join("%s=%d" % pair for pair in sorted(total.items())) == messages
    assert (found["packets"], found["truncated"]) == (int(packets) - int(others), False)
    assert found["packets"] == sum(sender["packets"] for sender in found["senders"])


def test_a_sender_is_told_with_all_that_was_counted_of_it() -> None:
    first = states("INS_1301", "INS_1400", "INS_1400", "IACK", "UPD_C", "UREQ", "DEL_C", "BUS", "CLR")
    assert counted(first, states("UPD_1400"))["senders"] == [{
        "address": "198.51.100.130", "macs": [MAC], "engine": "pfsync", "version": 5, "formats": [1301, 1400],
        "messages": {"BUS": 1, "CLR": 1, "DEL_C": 1, "EOF": 2, "INS_1301": 1, "INS_1400": 2, "INS_ACK": 1, "UPD_1400": 1, "UPD_C": 1, "UPD_REQ": 1},
        "packets": 2, "bytes": first.length + states("UPD_1400").length, "states": 6, "states_per_second": 3.0,
        "bytes_per_second": round((first.length + states("UPD_1400").length) / 2, 1), "errors": {}}]


def test_each_address_and_each_engine_is_a_sender() -> None:
    found = counted(states("BUS", source="198.51.100.131"), states("BUS"), udp(ALIVE), udp(ALIVE), states("BUS", source="2001:db8::2"))
    assert [(row["address"], row["engine"], row["packets"], row["version"], row["messages"]) for row in found["senders"]] == [
        ("198.51.100.130", "conntrackd", 2, 1, {"ALIVE": 2}), ("198.51.100.130", "pfsync", 1, 5, {"BUS": 1, "EOF": 1}),
        ("198.51.100.131", "pfsync", 1, 5, {"BUS": 1, "EOF": 1}), ("2001:db8::2", "pfsync", 1, 5, {"BUS": 1, "EOF": 1})]


def test_what_belongs_to_no_engine_is_passed_over() -> None:
    other = [udp(ALIVE, port=53), framed(wire.ethernet(MAC, "198.51.100.130", GROUP, b"", 255, 112)), framed(b""), framed(b"\xff" * 60)]
    assert counted(*other) == {"seconds": 2.0, "packets": 0, "truncated": False, "senders": []}
    assert [row["engine"] for row in counted(udp(ALIVE, port=3790), udp(ALIVE), port=3790)["senders"]] == ["conntrackd"]


@pytest.mark.parametrize(("frame", "errors"), [
    (states("BUS", version=4), {"bad version": 1}), (states("BUS", ttl=64), {"TTL 64, and a receiver drops what has not 255": 1}),
    (udp(b"\x1a\x10"), {TRUNCATED: 1}), (states("BUS"), {}), (udp(ALIVE), {}),
    (Frame(1.0, ETHERNET, states("INS_1400").data[:80], 335), {"a fragment, or cut short where it was captured": 1}),
])
def test_what_a_receiver_would_not_take_is_counted_by_its_reason(frame: Frame, errors: dict) -> None:
    assert counted(frame)["senders"][0]["errors"] == errors


def test_openbsd_is_known_by_its_version() -> None:
    (sender,) = counted(states("INS_1264", "UPD_C", version=6))["senders"]
    assert (sender["version"], sender["formats"], sender["messages"], sender["states"]) == (6, [], {"INS": 1, "UPD_C": 1}, 2)


def test_what_openbsd_passes_over_unread_is_no_state() -> None:
    """A message of states that is shorter than known."""
    data = bytearray(states("INS_1264", version=6).data)
    subheader = 34 + 20  # behind the headers of Ethernet, IP and pfsync
    assert tuple(data[subheader:subheader + 4]) == (13, 264 // 4, 0, 1)
    data[subheader + 1] = 1
    (sender,) = counted(framed(bytes(data)))["senders"]
    assert (sender["states"], sender["messages"].get("INS")) == (0, 1)


def test_version_0_of_conntrackds_protocol_is_one() -> None:
    assert counted(udp(bytes((0x0A, 16, 0, 8, 0, 0, 0, 1))))["senders"][0]["version"] == 0


def test_a_capture_out_of_order_took_the_time_between_its_first_and_last_packet() -> None:
    tally = Tally()
    for when in (12.0, 10.0, 15.0, 11.0):
        tally.add(states("BUS", when=when))
    assert tally.result()["seconds"] == 5.0


def test_a_capture_without_ip_headers_has_a_sender_without_an_address() -> None:
    payload = states("BUS").data[34:]
    (sender,) = counted(Frame(1.0, 246, payload, len(payload)))["senders"]
    assert (sender["address"], sender["macs"], sender["messages"]) == (None, [], {"BUS": 1, "EOF": 1})


def test_no_more_packets_are_counted_than_asked_for_and_their_time_is_what_counts() -> None:
    tally = Tally(most=3)
    assert [tally.add(states("BUS", when=10.0 + number)) for number in range(5)] == [True, True, False, False, False]
    found = tally.result(100.0)
    assert (found["packets"], found["truncated"], found["seconds"]) == (3, True, 2.0)
    assert found["senders"][0]["bytes_per_second"] == round(3 * states("BUS").length / 2, 1)


def test_frames_behind_the_end_are_not_counted() -> None:
    tally = Tally()
    tally.until = 11.0
    assert [tally.add(states("BUS", when=when)) for when in (11.0, 11.1, 10.0)] == [True, False, True]
    assert tally.result(1.0)["packets"] == 2


def test_rates_of_no_time_are_not_known() -> None:
    tally = Tally()
    tally.add(states("INS_1400"))
    assert [(row["states"], row["states_per_second"], row["bytes_per_second"]) for row in tally.result()["senders"]] == [(1, None, None)]
    assert Tally().result() == {"seconds": 0.0, "packets": 0, "truncated": False, "senders": []}


def test_a_flood_of_forged_addresses_stays_bounded_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally_module, "MOST_SENDERS", 4)
    found = counted(*[states("BUS", source="198.51.100.%d" % number) for number in range(9)], states("BUS", source="198.51.100.0"))
    assert (len(found["senders"]), found["truncated"], found["packets"]) == (4, True, 10)
    assert found["senders"][0]["packets"] == 2


def test_a_sender_of_many_hardware_addresses_and_kinds_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_MOST_MACS", "_MOST_NAMES", "_MOST_REASONS"):
        monkeypatch.setattr(tally_module, name, 2)
    frames = [framed(wire.ethernet("02:00:00:00:00:%02x" % ttl, "198.51.100.130", GROUP, states("BUS", "CLR", "UREQ").data[34:], ttl)) for ttl in (1, 2, 3, 4)]
    (sender,) = counted(*frames)["senders"]
    assert len(sender["macs"]) == 2 and len(sender["messages"]) == len(sender["errors"]) == 3
    assert sender["messages"]["others"] == 8 and sender["errors"]["others"] == 2


@given(st.lists(st.binary(max_size=90)))
def test_whatever_is_on_the_segment_is_counted_without_a_failure(payloads: list) -> None:
    frames = [frame for payload in payloads for frame in (framed(payload), udp(payload), framed(wire.ethernet(MAC, "198.51.100.130", GROUP, payload)))]
    found = counted(*frames)
    assert found["packets"] == 2 * len(payloads)
