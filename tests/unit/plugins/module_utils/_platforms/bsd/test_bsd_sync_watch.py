# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listening on FreeBSD and OpenBSD: what tcpdump writes is counted, and where it cannot listen that is said."""

from __future__ import annotations

import io

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import segment
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.provider import FreebsdProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.provider import OpenbsdProvider
from ansible_collections.hafirewall.cluster.tests.simulators.bsd import pfsync, tcpdump, wire
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Packet
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import running
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd import node as openbsd

PARAMS = {"sync_interface": None, "port": None, "seconds": 5.0, "packets": 1000}
STRANGER = wire.ethernet("02:00:00:00:00:99", "198.51.100.140", "224.0.0.240", wire.payload_of(pfsync.Frame(5, "", (pfsync.Message("INS_1301"),))))


def freebsd_pair(tmp_path):
    pair = running.running_pair(tmp_path)
    return pair, FreebsdProvider(pair[0].again())


def openbsd_pair(tmp_path):
    pair = openbsd.pair(tmp_path)
    for node in pair:
        node.machine.put("/etc/pf.conf", "pass\n", 0o600)
        node.machine.run(["pfctl", "-e"])
        node.machine.run(["pfctl", "-f", "/etc/pf.conf"])
        node.machine.run(["ifconfig", "pfsync0", "create"])
        node.machine.run(["ifconfig", "pfsync0", "syncdev", "em1", "up"])
    pair[0].machine.clock.advance(5)
    return pair, OpenbsdProvider(pair[0].again())


@pytest.mark.parametrize(("made", "version", "formats", "inserts"), [(freebsd_pair, 5, [1400], "INS_1400"), (openbsd_pair, 6, [], "INS")])
def test_both_members_are_seen_with_what_they_send(tmp_path, made, version, formats, inserts):
    pair, provider = made(tmp_path)
    for machine in (pair[0].machine, pair[1].machine):
        for port in range(5):
            machine.pf.passes("in", "em0", Packet("udp", "192.0.2.100", "203.0.113.200", 60, None), (10000 + machine.number, port))
    done = len(pair[0].machine.commands)
    found = provider.sync_watch(PARAMS)
    assert (found["interface"], found["seconds"], found["truncated"]) == ("em1", 5.0, False)
    first, second = found["senders"]
    assert (first["address"], second["address"]) == ("198.51.100.130", "198.51.100.131")
    assert (first["messages"][inserts], second["messages"][inserts]) == (5, 5)
    assert [(row["engine"], row["version"], row["formats"], row["errors"]) for row in found["senders"]] == [("pfsync", version, formats, {})] * 2
    assert (first["macs"], second["macs"]) == ([pair[0].machine.interfaces.mac("em1")], [pair[1].machine.interfaces.mac("em1")])
    assert first["states_per_second"] == round(first["states"] / 5, 1) >= 1
    assert pair[0].machine.changes(done) == []


@pytest.mark.parametrize("made", [freebsd_pair, openbsd_pair])
def test_a_stranger_is_seen_and_no_more_packets_than_asked_for(tmp_path, made):
    pair, provider = made(tmp_path)
    pair[0].machine.overheard["em1"] = [STRANGER] * 3
    found = provider.sync_watch(dict(PARAMS, sync_interface="em1"))
    stranger = next(row for row in found["senders"] if row["address"] == "198.51.100.140")
    assert (stranger["macs"], stranger["messages"], stranger["formats"]) == (["02:00:00:00:00:99"], {"EOF": 3, "INS_1301": 3}, [1301])
    found = provider.sync_watch(dict(PARAMS, packets=2))
    assert (found["packets"], found["truncated"]) == (2, True)


@pytest.mark.parametrize("made", [freebsd_pair, openbsd_pair])
@pytest.mark.parametrize(("how", "said"), [
    ({"sync_interface": "em9"}, "could not listen on interface em9 .* status 1 and said: tcpdump: .*em9"),
    ({"refuses": "tcpdump: (cannot open BPF device) /dev/bpf: Permission denied"}, "Permission denied"),
    ({"refuses": ""}, "status 1 and said: nothing"), ({"silent": True}, "status 0 and said: tcpdump: listening on em1"),
    ({"absent": True}, "tcpdump is not installed on this node"),
])
def test_where_it_cannot_listen_that_is_said_with_tcpdumps_words(tmp_path, monkeypatch, made, how, said):
    pair, provider = made(tmp_path)
    machine = pair[0].machine
    if "refuses" in how:
        machine.refuse(["tcpdump"], how["refuses"])
    if "silent" in how:
        monkeypatch.setattr(tcpdump, "capture", lambda *given: b"")
    if "absent" in how:
        def without(words):
            if words[0] == "tcpdump":
                raise FileNotFoundError(words[0])
        machine.before_command = without
    with pytest.raises(NodeError, match=said):
        provider.sync_watch(dict(PARAMS, sync_interface=how.get("sync_interface")))


def test_what_was_seen_until_tcpdump_failed_is_not_taken_for_all(tmp_path, monkeypatch):
    pair, _provider = freebsd_pair(tmp_path)
    node = pair[0].again()
    monkeypatch.setattr(node, "stream", lambda argv, seconds, take: (
        take(io.BytesIO(tcpdump.HEADER), lambda: None), Completed(1, "", "tcpdump: pcap_loop: The interface disappeared\n")))
    with pytest.raises(NodeError, match="ended with status 1 and said: tcpdump: pcap_loop: The interface disappeared"):
        FreebsdProvider(node).sync_watch(PARAMS)


def test_without_state_sync_the_interface_must_be_stated(tmp_path):
    pair, provider = freebsd_pair(tmp_path)
    pair[0].machine.run(["ifconfig", "pfsync0", "-syncdev"])
    with pytest.raises(NodeError, match="state sync_interface"):
        provider.sync_watch(PARAMS)


@pytest.mark.parametrize(("said", "truncated"), [("0 packets dropped by kernel\n", False), ("3 packets dropped by kernel\n", True)])
def test_what_the_kernel_dropped_is_said(tmp_path, said, truncated):
    pair, provider = freebsd_pair(tmp_path)
    pair[0].machine.answer(["tcpdump"], 0, stderr="tcpdump: listening on em1\n\n12 packets captured\n" + said)
    assert provider.sync_watch(PARAMS)["truncated"] is truncated


@pytest.mark.parametrize("cut", [1, 20])
def test_a_last_packet_that_was_cut_when_tcpdump_was_ended_does_not_count(tmp_path, monkeypatch, cut):
    pair, provider = freebsd_pair(tmp_path)
    pair[0].machine.overheard["em1"] = [STRANGER] * 3
    monkeypatch.setattr(tcpdump, "capture", lambda *given, whole=tcpdump.capture: whole(*given)[:-cut])
    (stranger,) = [row for row in provider.sync_watch(dict(PARAMS, packets=3))["senders"] if row["address"] == "198.51.100.140"]
    assert stranger["packets"] == 2


def test_what_came_later_than_was_listened_is_not_counted(tmp_path):
    pair, provider = freebsd_pair(tmp_path)
    clock = pair[0].machine.clock
    for after in (1.0, 5.9):
        clock.after(after, pair[1].machine.pfsync.restart)
    found = provider.sync_watch(dict(PARAMS, seconds=5.0))
    asked = [row["messages"]["UPD_REQ"] for row in found["senders"] if row["address"] == "198.51.100.131"]
    assert asked == [1]


def test_a_reading_of_the_segment_goes_on_without_tcpdump(tmp_path, monkeypatch):
    pair, _provider = freebsd_pair(tmp_path)
    pair[0].machine.refuse(["tcpdump"], "tcpdump: no")
    areas, waited = Areas(), []
    own = [{"name": "em1", "mac": pair[0].machine.interfaces.mac("em1"), "addresses": ["198.51.100.130/28"]}]
    seen, traffic, watch = segment.observe(pair[0].again(), areas, "em1", "198.51.100.128/28", own, lambda *asked: None, waited.append)
    assert watch is None and [error["area"] for error in areas.errors] == ["watch"] and "tcpdump: no" in areas.errors[0]["reason"]
    assert [row["address"] for row in seen["neighbours"]] == ["198.51.100.131"] and traffic["interfaces"]
    assert len(waited) == 1 and 0.5 < waited[0] <= 1.0
