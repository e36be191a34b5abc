# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every packet of every capture of real FreeBSD kernels is read whole, and says what another decoder, FreeBSD's tcpdump and the kernels' own tools say."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.frames import PROTOCOL_PFSYNC, Frame, payload_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.layouts import Entry, Message
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.pcap import read_pcap
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.pfsync import decode_pfsync

FIXTURES = Path(__file__).resolve().parents[4] / "fixtures"
CAPTURES = FIXTURES / "pfsync-freebsd-14.2"
SESSIONS = FIXTURES / "freebsd-14.2"
LISTED = [line.split("\t") for line in (CAPTURES / "PCAPS.tsv").read_text(encoding="utf-8").splitlines()[1:]]
NAMES = [line[0][:-len(".pcap")] for line in LISTED]
# Of these the other decoder wrote the messages of the first 400 packets only, and then a line for each packet.
STORMS = {"22-pf-WITH-pfsync-rule-bulk-then-STORM-first1500", "c4-STORM-unflagged-pfsync-state"}


def frames(name: str) -> list:
    with (CAPTURES / (name + ".pcap")).open("rb") as stream:
        return list(read_pcap(stream))


def packets(name: str) -> list:
    datagrams = [payload_of(frame) for frame in frames(name)]
    return [decode_pfsync(datagram.payload) for datagram in datagrams if datagram and datagram.protocol == PROTOCOL_PFSYNC]


def states(name: str) -> list:
    return [entry for packet in packets(name) for message in packet.messages if message.format for entry in message.entries]


def test_every_capture_is_listed() -> None:
    assert sorted(NAMES) == sorted(path.stem for path in CAPTURES.glob("*.pcap"))
    assert len(NAMES) == 49


@pytest.mark.parametrize(("name", "count", "others", "messages"), [(name, *line[1:]) for name, line in zip(NAMES, LISTED)], ids=NAMES)
def test_all_packets_are_read_and_their_messages_are_those_that_were_counted(name: str, count: str, others: str, messages: str) -> None:
    read = packets(name)
    assert [packet.error for packet in read if packet.error] == []
    assert {packet.version for packet in read} <= {5}
    assert (len(frames(name)), len(frames(name)) - len(read)) == (int(count), int(others))
    total: Counter = Counter()
    for packet in read:
        for message in packet.messages:
            total[message.name] += message.count
            assert len(message.entries) == (0 if message.name == "EOF" else message.count)
    assert " ".join("%s=%d" % pair for pair in sorted(total.items())) == messages


def state_line(message: Message, state: Entry) -> str:
    def key(side: str) -> str:
        return "%s:%d,%s:%d" % tuple(state["%s_%s_%d" % (side, what, end)] for end in (0, 1) for what in ("address", "port"))

    line = "    %s id=%016x creator=%08x if=%s af=%d proto=%d dir=%d rule=%d flags=%#x timeout=%d sync_flags=%#x wire=%s" % (
        (message.name,) + tuple(state[name] for name in ("id", "creatorid", "ifname", "af", "protocol", "direction", "rule", "state_flags", "timeout",
                                                         "sync_flags")) + (key("wire"),))
    line += (" stack=%s" % key("stack") if key("stack") != key("wire") else "") + " src.state=%d dst.state=%d" % (state["src_state"], state["dst_state"])
    if message.format == 1301:
        return line
    names = ("qid", "pqid", "dnpipe", "dnrpipe", "rtableid", "min_ttl", "set_tos", "max_mss", "set_prio_0", "set_prio_1", "rt", "rt_ifname")
    return line + " qid=%d pqid=%d dnpipe=%d dnrpipe=%d rtable=%d min_ttl=%d tos=%#x max_mss=%d prio=%d,%d rt=%d rt_if=%s" % tuple(
        state[name] for name in names)


def message_line(message: Message, entry: Entry) -> str:
    if message.format:
        return state_line(message, entry)
    if message.name == "CLR":
        return "    CLR if='%s' creator=%08x" % (entry["ifname"], entry["creatorid"])
    if message.name == "BUS":
        status = {1: "START", 2: "END"}[int(entry["status"])]
        return "    BUS creator=%08x endtime=%d status=%d (%s)" % (entry["creatorid"], entry["endtime"], entry["status"], status)
    line = "    %s id=%016x creator=%08x" % (message.name, entry["id"], entry["creatorid"])
    if message.name != "UPD_C":
        return line
    return line + " expire=%d timeout=%d src.state=%d dst.state=%d" % tuple(entry[name] for name in ("expire", "timeout", "src_state", "dst_state"))


def decoded(name: str) -> list:
    """The capture as the other decoder writes it."""
    lines, started = [], None
    for frame in frames(name):
        started = frame.time if started is None else started
        lines += frame_lines(frame, frame.time - started)
    return lines


def frame_lines(frame: Frame, after: float) -> list:
    datagram = payload_of(frame)
    if datagram is None or datagram.protocol != PROTOCOL_PFSYNC:
        ethertype = frame.data[12:14].hex()
        protocol = "-" if datagram is None or ethertype != "0800" else str(datagram.protocol)
        return ["%9.6f non-pfsync ethertype=%s proto=%s len=%d" % (after, ethertype, protocol, frame.length)]
    packet = decode_pfsync(datagram.payload)
    length = int.from_bytes(datagram.payload[2:4], "big")
    lines = ["%9.6f %s > %s ttl=%d v%d len=%d payload=%d cksum=%s.. %s" % (
        after, datagram.source, datagram.destination, datagram.ttl, packet.version, length, len(datagram.payload), packet.checksum[:8],
        " ".join("%sx%d" % (message.name, message.count) for message in packet.messages))]
    return lines + [message_line(message, entry) for message in packet.messages for entry in message.entries]


@pytest.mark.parametrize("name", NAMES)
def test_all_fields_are_those_that_another_decoder_read(name: str) -> None:
    there = (CAPTURES / (name + ".decode.txt")).read_text(encoding="utf-8").rstrip("\n").splitlines()
    ours = decoded(name)
    if name in STORMS:
        assert ours[:800] == there[:800]
        there, ours = ([line for line in lines if not line.startswith("    ")] for lines in (there, ours))
        assert len(there) > 1400
    assert ours[:len(there)] == there
    assert name in STORMS or len(ours) == len(there)


END = r"\[(\d+) \+ (\d+)\](?:\(\+(\d+)\))?(?: wscale (\d+))?"
COUNTED = r"age ([\d:]+), expires in ([\d:]+), (\d+):(\d+) pkts, (\d+):(\d+) bytes, rule (\d+)"
PRINTED = re.compile(r"(?:\t%s  %s\n)?\t%s\n\tid: (\w+) creatorid: (\w+)" % (END, END, COUNTED))


def printed(state: Entry) -> tuple:
    """A state as FreeBSD's tcpdump prints it: the end that opened the connection first when the state is an outgoing one. Windows of TCP only."""
    ends = []
    for peer in ("src", "dst") if state["direction"] == 2 else ("dst", "src"):
        low, high, adjusted, scale = (int(state[peer + name]) for name in ("_seqlo", "_seqhi", "_seqdiff", "_wscale"))
        values = (low, (high - low) & 0xFFFFFFFF, adjusted, scale & 15)
        scaled = state["src_wscale"] and state["dst_wscale"]
        ends += [str(value) if value or place < 2 else None for place, value in enumerate(values[:3])] + [str(values[3]) if scaled else None]
    clocks = ["%02d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60) for seconds in (int(state["creation"]), int(state["expire"]))]
    numbers = [str(state[name]) for name in ("packets_0", "packets_1", "bytes_0", "bytes_1", "rule")]
    return (*(ends if state["protocol"] == 6 else [None] * 8), *clocks, *numbers, "%016x" % state["id"], "%08x" % state["creatorid"])


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.tcpdump.txt")), ids=lambda path: path.name[:-len(".tcpdump.txt")])
def test_windows_times_and_counters_are_those_that_freebsds_tcpdump_printed(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    there = [tuple(found) for found in PRINTED.findall(text)]
    assert [tuple(value or "" for value in printed(state)) for state in states(path.name[:-len(".tcpdump.txt")])] == there


def test_hosts_and_rulesets_are_those_that_the_kernels_tools_showed() -> None:
    """Capture 42 was taken while nothing but B's states was changed: A and B had host ids 10 and 11, and one ruleset."""
    for node, creator in (("A", 10), ("B", 11)):
        text = (SESSIONS / ("35-pfctl-si-v.%s.txt" % node)).read_text(encoding="utf-8")
        shown = re.search(r"Hostid:\s+0x(\w+)\nChecksum: 0x(\w+)", text)
        assert shown is not None
        read = packets("42-v1400-bulk-with-states-B-resyncs")
        assert {packet.checksum for packet in read} == {shown.group(2)}
        assert int(shown.group(1), 16) == creator
        told = [message for packet in read for message in packet.messages if message.name in ("BUS", "UPD_C")]
        assert creator in {entry["creatorid"] for message in told for entry in message.entries}


@pytest.mark.parametrize("node", ["A", "B"])
def test_a_state_on_the_wire_is_in_the_table_of_both_nodes(node: str) -> None:
    """pfctl shows the bytes of an id in the other order."""
    table = (SESSIONS / ("35-pfctl-ss-vv.%s.txt" % node)).read_text(encoding="utf-8")
    shown = set(re.findall(r"id: (\w{16}) creatorid: (\w{8})", table))
    sent = states("32-v1400-icmp-insert-update") + states("33-v1400-tcp-insert-then-updates-compressed")
    assert len(sent) == 4
    assert {(int(state["id"]).to_bytes(8, "little").hex(), "%08x" % state["creatorid"]) for state in sent if state["protocol"] == 6} <= shown


def test_ipv6_carries_pfsync_too_and_both_kinds_of_state() -> None:
    datagrams = [payload_of(frame) for frame in frames("c3-v1400-syncpeer-inet6")]
    senders = {datagram.source for datagram in datagrams if datagram and datagram.protocol == PROTOCOL_PFSYNC}
    assert senders == {"10.255.0.2", "fd00:255::1", "fd00:255::2"}
    assert {state["af"] for state in states("b1-v1301-variety-nat-rdr-inet6-prio-tos-mss-routeto-synproxy")} == {2, 28}
