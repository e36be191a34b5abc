# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the real conntrackd sends is read whole by the decoder, in every mode, and says who sent it and how many states it carried."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.conntrackd import VERSION, decode_conntrackd
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.frames import payload_of, udp_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.pcap import read_pcap
from ansible_collections.hafirewall.cluster.tests.daemons.conntrackd_nodes import Cluster, Machine, wait_for

# Writes what passes the interface as a capture file, from the moment that the file is there until it is ended.
LISTEN = """
import socket, struct, sys, time
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
tap.bind(("sync0", 0))
with open(sys.argv[1], "wb", buffering=0) as out:
    out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    while True:
        frame, now = tap.recv(65535), time.time_ns() // 1000
        out.write(struct.pack("<IIII", now // 1000000, now % 1000000, len(frame), len(frame)) + frame)
"""
STATES = 40
PAIRS = {
    "ftfw": [{}, {}],
    "ftfw with external cache": [{"external_cache": True}] * 2,
    "notrack": [{"mode": "notrack"}] * 2,
    "alarm": [{"mode": "alarm", "external_cache": True}] * 2,
    "ftfw, IPv6": [{"address": "2001:db8:5::1", "group": "ff02::50"}, {"address": "2001:db8:5::2", "group": "ff02::50"}],
    "unicast": [{"transport": "unicast", "peer": "198.51.100.130"}, {"transport": "unicast", "peer": "198.51.100.129"}],
}


def listen(machine: Machine, path: Path) -> subprocess.Popen:
    listener = machine.spawn(sys.executable, "-c", LISTEN, str(path))
    assert wait_for(path.exists, 10)
    return listener


def heard(path: Path) -> dict:
    """By sender: how many messages of each name, and every error."""
    found: dict = {}
    with path.open("rb") as stream:
        frames = list(read_pcap(stream))
    for frame in frames:
        datagram = payload_of(frame)
        udp = udp_of(datagram) if datagram is not None else None
        if datagram is None or udp is None or udp.destination_port != 3780:
            continue
        assert datagram.whole
        packet = decode_conntrackd(udp.payload)
        assert (packet.version, packet.error, packet.detail) == (VERSION, None, "")
        assert sum(int(entry["length"]) for message in packet.messages for entry in message.entries) == len(udp.payload)
        found.setdefault(datagram.source, Counter()).update(message.name for message in packet.messages)
    return found


def so_far(path: Path, sender: str, *names: str) -> int:
    """Messages of these names, or 0 while the last frame is still being written."""
    try:
        found = heard(path)
    except ValueError:
        return 0
    return sum(found.get(sender, {}).get(name, 0) for name in names)


@pytest.mark.parametrize("options", PAIRS.values(), ids=PAIRS.keys())
def test_every_message_of_the_daemon_is_read(tmp_path: Path, options: list[dict]) -> None:
    capture = tmp_path / "sync.pcap"
    one_address, two_address = (("2001:db8:5::1", "2001:db8:5::2") if "group" in options[0] else ("198.51.100.129", "198.51.100.130"))
    with Cluster(tmp_path, options) as (one, two):
        listener = listen(one, capture)
        one.add_states("192.0.2.55", "203.0.113.5", STATES)
        two.add_states("2001:db8:1::55", "2001:db8:2::5", STATES)
        assert wait_for(lambda: min(so_far(capture, address, "CT_NEW", "CT_UPD") for address in (one_address, two_address)) >= STATES, 20)
        one.inside("conntrack", "-D", "-p", "udp", "--orig-src", "192.0.2.55")
        assert wait_for(lambda: so_far(capture, one_address, "CT_DEL") >= STATES, 20)
        listener.terminate()
        listener.wait(10)
    found = heard(capture)
    assert set(found) == {one_address, two_address}
    assert set().union(*found.values()) <= {"CT_NEW", "CT_UPD", "CT_DEL", "ACK", "NACK", "RESYNC", "ALIVE"}
