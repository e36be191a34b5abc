# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listening on Linux with the kernel's own packet socket and filter: real packets of a member and of a stranger are seen, and named."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Tuple

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import ears
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.info import collect
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.provider import LinuxProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.senders import named
from ansible_collections.hafirewall.cluster.tests.simulators.bsd import pfsync, wire
from nft_sandbox import run, sandboxed

ALIVE = bytes((0x1A, 16, 0, 8, 0, 0, 0, 1))  # conntrackd says so each second
Packet = Tuple[int, str, str, bytes]  # protocol, source, target, what it carries
MEMBERS = {"fw1": ["198.51.100.129", "2001:db8::1"], "fw2": ["198.51.100.130", "2001:db8::2"]}
STATES = wire.payload_of(pfsync.Frame(5, "", tuple(pfsync.Message(kind) for kind in ("INS_1400", "UPD_C", "UPD_C"))))
# Sends what it is told of: protocol, source, target, payload, port.
_FAR = """
import json, socket, sys
for line in sys.stdin:
    for protocol, source, target, payload, port in json.loads(line):
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        with socket.socket(family, socket.SOCK_RAW, protocol) if protocol == 240 else socket.socket(family, socket.SOCK_DGRAM) as wire:
            wire.bind((source, 0))
            level, hops = (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS) if ":" in source else (socket.IPPROTO_IP, socket.IP_TTL)
            wire.setsockopt(level, hops, 255)
            if family == socket.AF_INET:
                wire.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(source))
                wire.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
            wire.sendto(bytes.fromhex(payload), (target, port))
    print("sent", flush=True)
"""


class Far:
    """The other end of the Sync link, in a network namespace of its own that ends with it: a member, and a stranger beside it."""

    def __init__(self) -> None:
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        pid = str(self.holder.pid)
        while os.readlink("/proc/%s/ns/net" % pid) == os.readlink("/proc/self/ns/net"):
            assert self.holder.poll() is None
        inside = ("nsenter", "--target", pid, "--net")
        run("ip", "link", "add", "sync0", "address", "02:00:00:00:00:01", "type", "veth", "peer", "name", "sync0", "netns", pid,
            "address", "02:00:00:00:00:02")
        for prefix, addresses in (((), ("198.51.100.129/28", "2001:db8::1/64")),
                                  (inside, ("198.51.100.130/28", "198.51.100.140/28", "2001:db8::2/64"))):
            run(*prefix, "ip", "link", "set", "sync0", "up")
            for address in addresses:
                run(*prefix, "ip", "address", "add", address, "dev", "sync0", *(["nodad"] if ":" in address else []))
        self.sender = subprocess.Popen([*inside, sys.executable, "-c", _FAR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, *packets: Packet, port: int = 3780) -> None:
        assert self.sender.stdin is not None and self.sender.stdout is not None
        self.sender.stdin.write(json.dumps([(*packet[:3], packet[3].hex(), 0 if packet[0] == 240 else port) for packet in packets]) + "\n")
        self.sender.stdin.flush()
        assert self.sender.stdout.readline() == "sent\n"

    def close(self) -> None:
        for process in (self.sender, self.holder):
            process.kill()
            process.wait()


def listened() -> bool:
    """Whether somebody has a packet socket that is bound to an interface."""
    return any(line.split()[4] != "0" for line in Path("/proc/net/packet").read_text(encoding="ascii").splitlines()[1:])


def watched(far: Far, sent: list[Packet], **params: Any) -> dict[str, Any]:
    """What is seen of the packets that are sent, and of one that the node then sends itself."""
    with ThreadPoolExecutor() as beside:
        watching = beside.submit(LinuxProvider(Node()).sync_watch, {"sync_interface": "sync0", "port": 3780, "seconds": 60.0, "packets": 100, **params})
        assert Node().wait_for(listened, 30, 0.01)
        for packet in sent:
            far.send(packet)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.bind(("198.51.100.129", 0))
            own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("198.51.100.129"))
            own.sendto(ALIVE, ("225.0.0.50", 3780))
        return named(watching.result(), MEMBERS)


PACKETS = [
    (17, "198.51.100.130", "225.0.0.50", ALIVE), (17, "198.51.100.130", "198.51.100.129", ALIVE), (17, "2001:db8::2", "2001:db8::1", ALIVE),
    (240, "198.51.100.130", "224.0.0.240", STATES), (17, "198.51.100.140", "225.0.0.50", ALIVE), (240, "198.51.100.140", "198.51.100.129", STATES),
    (240, "2001:db8::2", "2001:db8::1", STATES),
]


@sandboxed
def test_packets_of_a_member_and_of_a_stranger_are_seen_and_named() -> None:
    far = Far()
    found = watched(far, PACKETS, packets=len(PACKETS) + 1)
    assert [(row["address"], row["engine"], row["member"], row["messages"]) for row in found["senders"]] == [
        ("198.51.100.129", "conntrackd", "fw1", {"ALIVE": 1}),
        ("198.51.100.130", "conntrackd", "fw2", {"ALIVE": 2}), ("198.51.100.130", "pfsync", "fw2", {"EOF": 1, "INS_1400": 1, "UPD_C": 2}),
        ("198.51.100.140", "conntrackd", None, {"ALIVE": 1}), ("198.51.100.140", "pfsync", None, {"EOF": 1, "INS_1400": 1, "UPD_C": 2}),
        ("2001:db8::2", "conntrackd", "fw2", {"ALIVE": 1}), ("2001:db8::2", "pfsync", "fw2", {"EOF": 1, "INS_1400": 1, "UPD_C": 2})]
    assert found["strangers"] == ["198.51.100.140"] and found["packets"] == 8
    assert [row["macs"] for row in found["senders"]] == [["02:00:00:00:00:01"]] + [["02:00:00:00:00:02"]] * 6
    assert not any(row["errors"] for row in found["senders"])
    assert found["senders"][2]["bytes"] == 14 + 20 + len(STATES)
    far.close()


@sandboxed
def test_the_kernel_lets_through_what_engines_send_on_this_port_alone() -> None:
    """Whatever else passes is not even handed over."""
    far = Far()
    taken: list[bytes] = []

    def take(frame: bytes, _outgoing: bool, _mac: bytes) -> bool:
        taken.append(frame)
        return len(taken) < 2
    with ThreadPoolExecutor() as beside:
        listening = beside.submit(ears.listen, "sync0", 60.0, take, only=ears.sync_filter(3780))
        assert Node().wait_for(listened, 30, 0.01)
        for source, target in (("198.51.100.130", "198.51.100.129"), ("2001:db8::2", "2001:db8::1"), ("198.51.100.130", "225.0.0.50")):
            far.send((17, source, target, ALIVE), port=53)
        far.send((17, "198.51.100.130", "198.51.100.129", ALIVE), (240, "2001:db8::2", "2001:db8::1", STATES))
        assert listening.result().lost == 0
    assert [frame[-len(payload):] for frame, payload in zip(taken, (ALIVE, STATES))] == [ALIVE, STATES]
    far.close()


@sandboxed
def test_a_quiet_network_is_listened_to_for_the_time_that_was_asked_for() -> None:
    far = Far()
    found = watched(far, [], seconds=0.3)
    assert (found["strangers"], found["truncated"]) == ([], False)
    assert 0.3 <= found["seconds"] < 30
    far.close()


@sandboxed
def test_evidence_tells_who_sends_beside_who_is_there() -> None:
    far = Far()
    with ThreadPoolExecutor() as beside:
        reading = beside.submit(collect, Node(), {"sync_interface": "sync0", "sync_network": "198.51.100.128/28", "sample": True})
        while not reading.done():
            # Whenever it begins to listen, something is sent after that.
            far.send((17, "198.51.100.130", "225.0.0.50", ALIVE), (240, "198.51.100.140", "224.0.0.240", STATES))
        evidence = reading.result()["evidence"]
    assert [row["address"] for row in evidence["watch"]["senders"]] == ["198.51.100.130", "198.51.100.140"]
    assert evidence["watch"]["interface"] == "sync0" and {"198.51.100.130", "198.51.100.140"} <= {
        row["address"] for row in evidence["segment"]["neighbours"]}
    far.close()


@pytest.mark.parametrize("interface", ["no-such0", "lo"])
@sandboxed
def test_an_interface_that_cannot_be_listened_on_is_named(interface: str) -> None:
    with pytest.raises(NodeError, match=interface):
        LinuxProvider(Node()).sync_watch({"sync_interface": interface, "port": 3780, "seconds": 1.0, "packets": 1})
