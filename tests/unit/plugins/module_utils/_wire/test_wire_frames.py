# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What IP carries is found in frames of every kind of link, and said to be incomplete when it is."""

from __future__ import annotations

import ipaddress
import struct

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.frames import LINKTYPES, Datagram, Frame, Udp, payload_of, udp_of
from hypothesis import given
from hypothesis import strategies as st

ETHERNET = b"\x01\x00\x5e\x00\x00\xf0\x52\x54\x00\x00\x00\x01"
BODY = b"\x05\x00\x00\x18" + b"\x00" * 16


def ipv4(body: bytes = BODY, protocol: int = 240, fragment: int = 0x4000, options: bytes = b"", total: "int | None" = None) -> bytes:
    header = 20 + len(options)
    return struct.pack("!BBHHHBBH4s4s", 0x40 | header // 4, 0x10, header + len(body) if total is None else total, 0, fragment, 255, protocol, 0,
                       ipaddress.IPv4Address("192.0.2.1").packed, ipaddress.IPv4Address("224.0.0.240").packed) + options + body


def ipv6(body: bytes = BODY, following: int = 240, length: "int | None" = None) -> bytes:
    return struct.pack("!IHBB16s16s", 6 << 28, len(body) if length is None else length, following, 255,
                       ipaddress.IPv6Address("2001:db8::1").packed, ipaddress.IPv6Address("ff12::f0").packed) + body


def frame(data: bytes, linktype: int = 1, length: "int | None" = None) -> Frame:
    return Frame(0.0, linktype, data, len(data) if length is None else length)


EXPECTED4 = Datagram(240, "192.0.2.1", "224.0.0.240", 255, BODY, True)
EXPECTED6 = Datagram(240, "2001:db8::1", "ff12::f0", 255, BODY, True)


@pytest.mark.parametrize(("linktype", "before4", "before6"), [
    (1, ETHERNET + b"\x08\x00", ETHERNET + b"\x86\xdd"),
    (1, ETHERNET + b"\x81\x00\x00\x07\x08\x00", ETHERNET + b"\x81\x00\x00\x07\x86\xdd"),
    (1, ETHERNET + b"\x88\xa8\x00\x02\x81\x00\x00\x07\x08\x00", ETHERNET + b"\x88\xa8\x00\x02\x81\x00\x00\x07\x86\xdd"),
    (0, b"\x02\x00\x00\x00", b"\x1c\x00\x00\x00"),
    (108, b"\x00\x00\x00\x02", b"\x00\x00\x00\x18"),
    (12, b"", b""),
    (12, b"\x00\x00\x00\x02", b"\x00\x00\x00\x18"),
    (14, b"", b""),
    (101, b"", b""),
    (228, b"", b""),
    (113, b"\x00\x00\x00\x01\x00\x06\x52\x54\x00\x00\x00\x01\x00\x00\x08\x00", b"\x00\x00\x00\x01\x00\x06\x52\x54\x00\x00\x00\x01\x00\x00\x86\xdd"),
    (113, b"\x00" * 14 + b"\x81\x00\x00\x07\x08\x00", b"\x00" * 14 + b"\x81\x00\x00\x07\x86\xdd"),
    (276, b"\x08\x00" + b"\x00" * 18, b"\x86\xdd" + b"\x00" * 18),
])
def test_what_ip_carries_is_found_on_every_kind_of_link(linktype: int, before4: bytes, before6: bytes) -> None:
    assert linktype in LINKTYPES
    assert payload_of(frame(before4 + ipv4(), linktype)) == EXPECTED4
    assert payload_of(frame(before6 + ipv6(), linktype)) == EXPECTED6


@pytest.mark.parametrize("linktype", [246, 18, 121])
def test_a_pfsync_interface_gives_the_packet_without_its_sender(linktype: int) -> None:
    assert payload_of(frame(BODY, linktype)) == Datagram(240, None, None, None, BODY, True)
    assert payload_of(frame(BODY, linktype, 99)) == Datagram(240, None, None, None, BODY, False)


def test_padding_of_a_short_frame_and_options_are_not_the_payload() -> None:
    assert payload_of(frame(ETHERNET + b"\x08\x00" + ipv4(options=b"\x94\x04\x00\x00") + b"\x00" * 6)) == EXPECTED4
    assert payload_of(frame(ETHERNET + b"\x86\xdd" + ipv6() + b"\x00" * 6)) == EXPECTED6


def test_extension_headers_are_passed_over() -> None:
    hop = bytes([60, 0, 5, 2, 0, 0, 1, 0])
    destination = bytes([240, 1]) + b"\x00" * 14
    assert payload_of(frame(ipv6(hop + destination + BODY, 0), 101)) == EXPECTED6


@pytest.mark.parametrize("packet", [
    ipv4(fragment=0x2000), ipv4(fragment=0x0001), ipv4(total=80),
    ipv6(bytes([240, 0, 0, 1, 0, 0, 0, 9]) + BODY, 44), ipv6(bytes([240, 0, 0, 8, 0, 0, 0, 9]) + BODY, 44), ipv6(length=60),
])
def test_a_fragment_or_a_frame_cut_short_is_not_whole(packet: bytes) -> None:
    assert payload_of(frame(packet, 101)) in (EXPECTED4._replace(whole=False), EXPECTED6._replace(whole=False))


def test_behind_the_header_of_a_fragment_no_other_header_is_looked_for() -> None:
    datagram = payload_of(frame(ipv6(bytes([60, 0, 0, 8, 0, 0, 0, 9]) + BODY, 44), 101))
    assert datagram == EXPECTED6._replace(protocol=60, whole=False)


def test_a_segment_that_the_card_cuts_up_has_the_rest_of_the_frame() -> None:
    assert payload_of(frame(ipv4(total=0), 101)) == EXPECTED4
    assert payload_of(frame(ipv6(length=0), 101)) == EXPECTED6


@pytest.mark.parametrize("frame_without", [
    frame(b""), frame(ETHERNET), frame(ETHERNET + b"\x08\x06" + ipv4()), frame(ETHERNET + b"\x08\x00"),
    frame(ETHERNET + b"\x81\x00\x00\x01" * 5 + b"\x08\x00" + ipv4()), frame(ETHERNET + b"\x81\x00\x00"),
    frame(ipv4()[:19], 101), frame(ipv6()[:39], 101), frame(b"\x44" + ipv4()[1:], 101), frame(ipv4(total=19), 101), frame(b"\x55" * 60, 101),
    frame(ipv6(b"\x00" * 7, 0), 101), frame(ipv6(bytes([240, 9]) + b"\x00" * 6, 60), 101), frame(ipv6(b"\x00" * 80, 0), 101), frame(ipv4(), 105),
])
def test_a_frame_without_ip_that_can_be_read_carries_nothing(frame_without: Frame) -> None:
    assert payload_of(frame_without) is None


def test_udp_gives_its_ports_and_what_it_carries() -> None:
    datagram = payload_of(frame(ipv4(struct.pack("!HHHH", 40000, 3780, 12, 0) + b"datapadding", 17), 101))
    assert datagram is not None
    assert udp_of(datagram) == Udp(40000, 3780, b"data")
    assert udp_of(datagram._replace(payload=struct.pack("!HHHH", 1, 2, 3, 0) + b"data")) == Udp(1, 2, b"")
    assert udp_of(datagram._replace(payload=datagram.payload[:7])) is None
    assert udp_of(datagram._replace(protocol=6)) is None


@given(st.sampled_from(sorted(LINKTYPES)), st.one_of(st.binary(max_size=120), st.binary(max_size=40).map(lambda cut: ETHERNET + b"\x08\x00" + cut)))
def test_any_bytes_are_a_datagram_or_nothing(linktype: int, data: bytes) -> None:
    datagram = payload_of(frame(data, linktype))
    if datagram is not None:
        assert datagram.payload == b"" or datagram.payload in data
        udp_of(datagram)
