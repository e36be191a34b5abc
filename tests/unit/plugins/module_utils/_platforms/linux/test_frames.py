# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Frames: well-formed questions, and senders read from bytes that anybody may have sent."""

from __future__ import annotations

import struct

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import frames
from hypothesis import given, settings
from hypothesis import strategies as st

OWN, OTHER = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
OTHER_TEXT = "02:00:00:00:00:02"


def ipv4(source, mac=OTHER):
    return b"\xff" * 6 + mac + b"\x08\x00" + b"\x45" + b"\x00" * 11 + bytes(source) + bytes([225, 0, 0, 50])


def arp_reply(address=(198, 51, 100, 130)):
    return OWN + OTHER + b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02" + OTHER + bytes(address) + OWN + bytes([198, 51, 100, 129]) + b"\x00" * 18


def test_an_arp_request_is_what_rfc_826_says():
    frame = frames.arp_request(OWN, "198.51.100.129", "198.51.100.130")
    assert frame == (b"\xff" * 6 + OWN + bytes.fromhex("0806 0001 0800 06 04 0001") + OWN + bytes([198, 51, 100, 129])
                     + b"\x00" * 6 + bytes([198, 51, 100, 130]))
    assert len(frame) == 42


def test_an_echo_request_has_a_right_checksum_and_does_not_leave_the_link():
    frame = frames.echo_request(OWN, "2001:db8:5::2")
    header, body = frame[14:54], frame[54:]
    assert frame[:6].hex() == "333300000001"
    assert (header[6], header[7], body[0]) == (58, 1, 128)
    pseudo = header[8:40] + struct.pack("!II", len(body), 58)
    assert frames.checksum(pseudo + body) == 0  # a sum that includes its own complement
    assert frames.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D  # the example of RFC 1071


def test_senders_are_read_from_arp_ipv4_and_ipv6():
    assert frames.sender_of(arp_reply()) == frames.Heard("198.51.100.130", OTHER_TEXT, "arp", True)
    assert frames.sender_of(ipv4([198, 51, 100, 130])) == frames.Heard("198.51.100.130", OTHER_TEXT, "heard", False)
    echo = frames.sender_of(frames.echo_request(OTHER, "2001:db8:5::3"))
    assert echo == frames.Heard("2001:db8:5::3", OTHER_TEXT, "heard", True)


def test_a_tagged_frame_is_read_too():
    frame = arp_reply()
    assert frames.sender_of(frame[:12] + b"\x81\x00\x00\x05" + frame[12:]) == frames.Heard("198.51.100.130", OTHER_TEXT, "arp", True)


@pytest.mark.parametrize("source", [(0, 0, 0, 0), (224, 0, 0, 1), (127, 0, 0, 1), (255, 255, 255, 255)])
def test_an_address_that_no_host_can_own_is_none(source):
    assert frames.sender_of(ipv4(source)).address is None
    assert frames.sender_of(arp_reply(source)).address is None


@pytest.mark.parametrize("frame", [
    b"", b"\x00" * 13, ipv4([198, 51, 100, 130])[:33], arp_reply()[:41],
    ipv4([198, 51, 100, 130], mac=b"\x01" * 6),  # a group address cannot have sent anything
    b"\xff" * 6 + OTHER + b"\x88\xcc" + b"\x00" * 40,  # LLDP
    b"\xff" * 6 + OTHER + b"\x86\xdd" + b"\x45" + b"\x00" * 40,  # IPv4 in an IPv6 frame
])
def test_frames_that_tell_of_no_sender(frame):
    assert frames.sender_of(frame) is None


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=160), st.sampled_from([b"", b"\x08\x00\x45", b"\x08\x06\x00\x01\x08\x00\x06\x04", b"\x86\xdd\x60", b"\x81\x00\x00\x01\x08\x06"]))
def test_no_frame_raises(noise, start):
    for frame in (noise, b"\xff" * 6 + OTHER + start + noise):
        heard = frames.sender_of(frame)
        assert heard is None or (len(heard.mac) == 17 and heard.how in ("arp", "heard"))
