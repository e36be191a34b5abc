# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The listener on the link layer: what its filter lets through, and what it counts."""

from __future__ import annotations

import socket
import struct

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.via import Via, attach, udp_filter

PORT = 7700


def ipv4(source: int, destination: int, protocol: int = 17, fragment: int = 0, options: int = 0) -> bytes:
    header = struct.pack("!BBHHHBBH4s4s", 0x45 + options, 0, 0, 0, fragment, 64, protocol, 0, bytes(4), bytes(4)) + bytes(4 * options)
    return header + struct.pack("!HHHH", source, destination, 8, 0)


def ipv6(source: int, destination: int, protocol: int = 17) -> bytes:
    return struct.pack("!IHBB16s16s", 6 << 28, 8, protocol, 64, bytes(16), bytes(16)) + struct.pack("!HHHH", source, destination, 8, 0)


def passes(family: int, destination: bool, packet: bytes) -> bool:
    """The kernel itself runs the filter: a local datagram socket takes one too."""
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with sender, receiver:
        receiver.setblocking(False)
        attach(receiver, udp_filter(family, PORT, destination))
        try:
            sender.send(packet)
            return bool(receiver.recv(100))
        except OSError:
            return False


@pytest.mark.parametrize(("packet", "to_server", "to_client"), [
    (ipv4(40000, PORT), True, False),
    (ipv4(PORT, 40000), False, True),
    (ipv4(PORT, 40000, options=2), False, True),
    (ipv4(40000, PORT, options=3), True, False),
    (ipv4(40000, PORT, fragment=0x2000), True, False),
    (ipv4(40000, PORT, fragment=0x2001), False, False),
    (ipv4(40000, PORT, protocol=6), False, False),
    (ipv4(40000, 53), False, False),
])
def test_the_ipv4_filter(packet: bytes, to_server: bool, to_client: bool):
    assert passes(socket.AF_INET, True, packet) is to_server
    assert passes(socket.AF_INET, False, packet) is to_client


@pytest.mark.parametrize(("packet", "to_server", "to_client"), [
    (ipv6(40000, PORT), True, False),
    (ipv6(PORT, 40000), False, True),
    (ipv6(40000, PORT, protocol=6), False, False),
    (ipv6(40000, 53), False, False),
])
def test_the_ipv6_filter(packet: bytes, to_server: bool, to_client: bool):
    assert passes(socket.AF_INET6, True, packet) is to_server
    assert passes(socket.AF_INET6, False, packet) is to_client


def test_packets_are_counted_per_mac_and_10_ms_and_changes_noted():
    control, listener = socket.socketpair()
    with control, listener:
        via = Via(control, 60, listener)
        ms = 1_000_000
        for mac, at in (("aa", 1001), ("aa", 1009), ("aa", 1010), ("bb", 1500), ("bb", 1501), ("aa", 9000)):
            via._count(mac, at * ms)
        report = via.report({"since": 1000 * ms, "start": 0, "end": 2000 * ms})
        assert report["deliveries"] == [{"mac": "aa", "buckets": [[0.0, 2], [10.0, 1]]}, {"mac": "bb", "buckets": [[500.0, 2]]}]
        assert report["changes"] == [[1.0, "aa"], [500.0, "bb"]]
        assert via.status({})["packets"] == {"aa": 4, "bb": 2}
