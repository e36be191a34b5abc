# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Sync segment: who is asked, who counts as heard, and traffic without the asking."""

from __future__ import annotations

import json
import os
import socket
import struct

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import frames, segment
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.bsd import wire
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.pfsync import Frame, Message
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

OWN, OTHER = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
OWN_INTERFACES = [{"name": "sync0", "mac": "02:00:00:00:00:01", "addresses": ["198.51.100.129/28", "fe80::1/64"]},
                  {"name": "lan0", "mac": "02:00:00:00:00:09", "addresses": ["192.0.2.2/24"]}]
PROC = "sync0: %d 0 0 0 0 0 0 0 %d 0 0 0 0 0 0 0\nlan0: 500 0 0 0 0 0 0 0 500 0 0 0 0 0 0 0\n"
NEIGHBOURS = [
    {"dst": "198.51.100.131", "lladdr": "02:00:00:00:00:03", "state": ["REACHABLE"]},
    {"dst": "198.51.100.132", "lladdr": "02:00:00:00:00:04", "state": ["STALE"]},
    {"dst": "198.51.100.133", "state": ["FAILED"]},
]


def node_with(neighbours=()):
    node = SystemdNode(files={"/proc/net/dev": PROC % (1000, 1000)})
    node.says(["ip", "-j", "neigh", "show", "dev", "sync0"], json.dumps(list(neighbours)))
    return node


def ears(node, heard, asked=None, counted=(1000, 1000), overhead=(0, 0)):
    """Something that hears what a test says, while the counters of the node move on."""
    def listen(interface, questions, seconds, port):
        if asked is not None:
            asked.extend(questions(OWN))
        node.files["/proc/net/dev"] = node.files["/proc/net/dev"]._replace(text=PROC % counted)
        return segment.Sample(seconds, list(heard), {"rx_bytes": overhead[0], "tx_bytes": overhead[1]}, {"senders": [], "port": port})
    return listen


def test_every_other_address_of_a_small_network_is_asked_for_and_all_ipv6_nodes():
    asked, node = [], node_with()
    found, _traffic, _watch = segment.observe(node, "sync0", "198.51.100.128/28", OWN_INTERFACES, 3780, ears(node, [], asked))
    assert asked[:-1] == [frames.arp_request(OWN, "198.51.100.129", "198.51.100.%d" % host) for host in range(130, 143)]
    assert asked[-1] == frames.echo_request(OWN, "fe80::1")
    assert (found["interface"], found["asked"], found["echo"], found["neighbours"]) == ("sync0", 13, True, [])
    assert node.changed is False


def test_without_an_own_address_the_question_is_a_probe_that_changes_nobodys_table():
    asked, node = [], node_with()
    segment.observe(node, "sync0", "198.51.100.128/28", [], 3780, ears(node, [], asked))
    assert asked[0] == frames.arp_request(OWN, "0.0.0.0", "198.51.100.129")


def test_neighbours_are_those_heard_and_those_that_the_kernel_has_confirmed_but_never_the_node_itself():
    heard = [frames.Heard("198.51.100.130", "02:00:00:00:00:02", "arp", True), frames.Heard("192.0.2.2", "02:00:00:00:00:09", "heard", False)]
    node = node_with(NEIGHBOURS)
    found, _traffic, _watch = segment.observe(node, "sync0", "198.51.100.128/28", OWN_INTERFACES, 3780, ears(node, heard))
    assert found["neighbours"] == [
        {"address": "198.51.100.130", "mac": "02:00:00:00:00:02", "how": "arp"},
        {"address": "198.51.100.131", "mac": "02:00:00:00:00:03", "how": "neighbour table"}]


def test_traffic_is_counted_without_the_asking_around():
    node = node_with()
    _found, traffic, _watch = segment.observe(node, "sync0", "198.51.100.128/28", OWN_INTERFACES, 3780,
                                              ears(node, [], counted=(1900, 1500), overhead=(300, 600)))
    assert traffic["interfaces"] == {"sync0": {"rx_bytes": 600, "tx_bytes": 0}, "lan0": {"rx_bytes": 0, "tx_bytes": 0}}


def test_a_network_that_is_none_is_an_error_that_names_the_option():
    node = node_with()
    with pytest.raises(NodeError, match="sync_network"):
        segment.observe(node, "sync0", "198.51.100.0/99", OWN_INTERFACES, 3780, ears(node, []))


def test_own_and_unaddressed_frames_are_not_heard_but_their_bytes_are_overhead():
    heard, overhead = {}, {"rx_bytes": 0, "tx_bytes": 0}
    own, unaddressed = frames.arp_request(OWN, "198.51.100.129", "198.51.100.130"), frames.arp_request(OTHER, "0.0.0.0", "198.51.100.130")
    for frame, outgoing in [(own, True), (unaddressed, False), (own, False), (b"\x00" * 60, False)]:
        segment.note(frame, outgoing, OWN, heard, overhead)
    assert heard == {}
    assert overhead == {"rx_bytes": 84, "tx_bytes": 42}


def test_a_flood_of_forged_frames_stays_bounded():
    heard, overhead = {}, {"rx_bytes": 0, "tx_bytes": 0}
    for number in range(segment.MOST_NEIGHBOURS + 50):
        segment.note(frames.arp_request(OTHER, "198.51.%d.%d" % (number >> 8, number & 255), "198.51.100.130"), False, OWN, heard, overhead)
    assert len(heard) == segment.MOST_NEIGHBOURS


class Wire:
    """A packet socket on a quiet Ethernet whose only frames are an answer, and whatever a test adds; ``lost`` is what the kernel had no room for."""

    def __init__(self, hardware=1, error=None, more=(), lost=0):
        self.hardware, self.error, self.sent, self.lost = hardware, error, [], lost
        self.reading, self.writing = os.pipe()
        self.frames = [(frame, ("sync0", 0x0806, 0, 1, OTHER)) for frame in (frames.arp_request(OTHER, "198.51.100.130", "198.51.100.129"), *more)]
        os.write(self.writing, b"x" * len(self.frames))

    def __enter__(self):
        return self

    def __exit__(self, *details):
        os.close(self.reading)
        os.close(self.writing)

    def fileno(self):
        return self.reading

    def bind(self, place):
        if self.error:
            raise self.error

    def getsockname(self):
        return ("sync0", 3, 0, self.hardware, OWN)

    def setsockopt(self, *options):
        assert options[:2] == (263, 1)

    def getsockopt(self, level, name, size):
        assert (level, name, size) == (263, 6, 8)
        return struct.pack("II", len(self.frames), self.lost)

    def setblocking(self, flag):
        assert flag is False

    def send(self, frame):
        self.sent.append(frame)
        return len(frame)

    def recvfrom_into(self, buffer):
        if not self.frames:
            raise BlockingIOError
        os.read(self.reading, 1)
        frame, origin = self.frames.pop(0)
        buffer[:len(frame)] = frame
        return len(frame), origin


def test_listening_asks_twice_hears_the_answer_and_ends_in_time(monkeypatch):
    made = Wire()
    monkeypatch.setattr(socket, "socket", lambda *kind: made)
    monkeypatch.setattr(socket, "if_nametoindex", lambda name: 2)
    sample = segment.listen("sync0", lambda mac: [frames.arp_request(mac, "198.51.100.129", "198.51.100.130")], 0.15)
    assert sample.heard == [frames.Heard("198.51.100.130", "02:00:00:00:00:02", "arp", True)]
    assert len(made.sent) == 2
    assert sample.overhead == {"rx_bytes": 42, "tx_bytes": 84}
    assert 0.15 <= sample.seconds < 5
    assert (sample.watch["interface"], sample.watch["senders"], sample.watch["truncated"]) == ("sync0", [], False)


@pytest.mark.parametrize(("lost", "packets", "truncated"), [(0, 4, False), (1, 4, True), (0, 2, True)])
def test_who_sends_states_meanwhile_is_counted_and_what_was_not_is_said(monkeypatch, lost, packets, truncated):
    state = wire.ethernet("02:00:00:00:00:02", "198.51.100.130", "224.0.0.240", wire.payload_of(Frame(5, "", (Message("INS_1400"), Message("UPD_C")))))
    made = Wire(more=[state] * 3, lost=lost)
    monkeypatch.setattr(socket, "socket", lambda *kind: made)
    monkeypatch.setattr(socket, "if_nametoindex", lambda name: 2)
    monkeypatch.setattr(segment, "MOST_IN_SAMPLE", packets)
    sample = segment.listen("sync0", lambda mac: [], 0.15)
    (sender,) = sample.watch["senders"]
    counted = min(packets, 3)
    assert sender["messages"] == {"EOF": counted, "INS_1400": counted, "UPD_C": counted} and sample.watch["truncated"] is truncated
    # However much one sends, the others are heard.
    assert {heard.how for heard in sample.heard} == {"arp"} and made.frames == []


@pytest.mark.parametrize(("how", "message"), [
    ({"hardware": 65534}, "sync0 is no Ethernet"), ({"error": OSError(19, "No such device")}, "sync0: No such device")])
def test_an_interface_that_cannot_be_listened_on_is_named(monkeypatch, how, message):
    made = Wire(**how)
    monkeypatch.setattr(socket, "socket", lambda *kind: made)
    with pytest.raises(NodeError, match=message):
        segment.listen("sync0", lambda mac: [], 0.1)


def test_the_neighbour_table_is_read_for_that_interface_only():
    node = node_with(NEIGHBOURS)
    segment.observe(node, "sync0", None, OWN_INTERFACES, 3780, ears(node, []))
    assert node.queries == [["ip", "-j", "neigh", "show", "dev", "sync0"]]
    assert segment.confirmed("") == []
