# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pfsync of the simulated OpenBSD since 7.4. Source, unless another one is named: sys/net/if_pfsync.c, revision 1.330."""

from __future__ import annotations

from pathlib import Path
from typing import Tuple

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Packet
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.pfsync import Frame
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import node as freebsd_node
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import NotModelled
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, node, pair

Pair = Tuple[OpenbsdNode, OpenbsdNode]


@pytest.fixture(name="nodes")
def _nodes(tmp_path: Path) -> Pair:
    return pair(tmp_path)


def start(one: OpenbsdNode, *words: str) -> None:
    one.query(["ifconfig", "pfsync0", "create"])
    one.query(["ifconfig", "pfsync0", "syncdev", "em1", *words, "up"])


def demotion(one: OpenbsdNode, group: str = "carp") -> int:
    return int(one.query(["ifconfig", "-g", group]).stdout.split()[-1])


def counted(one: OpenbsdNode, text: str) -> int:
    return next(int(line.split()[0]) for line in one.query(["netstat", "-s", "-p", "pfsync"]).stdout.splitlines() if text in line)


@pytest.mark.parametrize("words", [["syncdev", "em2"], ["-syncdev"], ["syncpeer", "198.51.100.131"]])
def test_while_it_runs_another_device_or_peer_is_refused(nodes: Pair, words: "list[str]") -> None:
    """pfsync_set_ioc."""
    start(nodes[0])
    done = nodes[0].machine.run(["ifconfig", "pfsync0", *words])
    assert (done.status, done.stderr) == (1, "ifconfig: pfsync0: SIOCSETPFSYNC: Device busy\n")
    nodes[0].query(["ifconfig", "pfsync0", "down"])
    nodes[0].query(["ifconfig", "pfsync0", *words])


def test_what_changes_nothing_asks_for_nothing(nodes: Pair) -> None:
    start(nodes[0])
    nodes[0].machine.clock.advance(60)
    sent = counted(nodes[0], "sent (IPv4)")
    nodes[0].query(["ifconfig", "pfsync0", "syncdev", "em1", "-syncpeer", "maxupd", "64", "defer", "up"])
    assert (demotion(nodes[0]), counted(nodes[0], "sent (IPv4)")) == (0, sent)


def test_without_a_device_it_does_not_come_up(nodes: Pair) -> None:
    done = nodes[0].machine.run(["ifconfig", "pfsync0", "up"])
    assert (done.status, done.stderr) == (1, "ifconfig: pfsync0: SIOCSIFFLAGS: Device not configured\n")
    assert "flags=0<>" in nodes[0].query(["ifconfig", "pfsync0"]).stdout


def test_carp_is_demoted_by_32_until_the_bulk_update_has_ended(nodes: Pair) -> None:
    """All groups of pfsync0 are (carp_group_demote_adj in sys/netinet/ip_carp.c)."""
    start(nodes[1])
    nodes[0].machine.clock.advance(60)
    start(nodes[0])
    assert (demotion(nodes[0]), demotion(nodes[0], "pfsync")) == (32, 32)
    nodes[0].machine.clock.advance(2)
    assert (demotion(nodes[0]), nodes[0].machine.pfsync.stage) == (0, "done")


def test_nobody_answers_twelve_requests_in_24_seconds_and_that_counts_as_done(nodes: Pair) -> None:
    start(nodes[0])
    nodes[0].machine.clock.advance(23.9)
    assert (counted(nodes[0], "sent (IPv4)"), demotion(nodes[0])) == (12, 32)
    nodes[0].machine.clock.advance(0.2)
    assert (counted(nodes[0], "sent (IPv4)"), demotion(nodes[0]), nodes[0].machine.pfsync.stage) == (12, 0, "done")


def test_without_a_link_it_waits_30_seconds_and_stays_demoted_by_one(nodes: Pair) -> None:
    """PFSYNC_BREQ_S_START, pfsync_syncif_link."""
    nodes[0].machine.network.cut("em1")
    start(nodes[0])
    assert demotion(nodes[0]) == 33
    nodes[0].machine.clock.advance(31)
    assert (demotion(nodes[0]), counted(nodes[0], "sent (IPv4)")) == (1, 0)
    nodes[0].machine.network.mend("em1")
    assert demotion(nodes[0]) == 0


def test_down_takes_both_demotions_back(nodes: Pair) -> None:
    nodes[0].machine.network.cut("em1")
    start(nodes[0])
    nodes[0].query(["ifconfig", "pfsync0", "down"])
    assert (demotion(nodes[0]), nodes[0].machine.pfsync.stage) == (0, "none")


def test_a_transfer_that_has_begun_and_never_ends_is_given_up_late(nodes: Pair) -> None:
    """pfsync_bulk_req_nstate_bulk: from the limit of states, 1600 s with the default one; and the request that follows does not keep it pending."""
    start(nodes[0])
    nodes[0].machine.pfsync._bulk_mark("START")
    nodes[0].machine.clock.advance(1599)
    assert (demotion(nodes[0]), nodes[0].machine.pfsync.stage) == (32, "bulk")
    nodes[0].machine.clock.advance(2)
    assert (demotion(nodes[0]), nodes[0].machine.pfsync.stage) == (0, "done")


def test_a_device_that_is_destroyed_takes_it_down(nodes: Pair) -> None:
    """pfsync_syncif_detach."""
    nodes[0].query(["ifconfig", "vlan7", "create", "vnetid", "7", "parent", "em1", "up"])
    nodes[0].query(["ifconfig", "pfsync0", "syncdev", "vlan7", "up"])
    nodes[0].query(["ifconfig", "vlan7", "destroy"])
    shown = nodes[0].query(["ifconfig", "pfsync0"]).stdout
    assert shown.startswith("pfsync0: flags=0<> ")
    assert "syncdev" not in shown
    assert demotion(nodes[0]) == 0


def test_states_travel_both_ways_and_name_who_made_them(nodes: Pair) -> None:
    for one in nodes:
        start(one)
    nodes[0].machine.clock.advance(5)
    assert nodes[0].machine.traffic(4) == 4
    assert nodes[1].machine.traffic(6) == 6
    nodes[0].machine.clock.advance(2)
    for one, other in (nodes, nodes[::-1]):
        listing = one.query(["pfctl", "-vvss"]).stdout
        assert listing.count("creatorid: %08x" % other.machine.hostid) == {nodes[0]: 6, nodes[1]: 4}[one]


def test_states_from_before_come_by_the_bulk_update(nodes: Pair) -> None:
    start(nodes[0])
    nodes[0].machine.clock.advance(30)
    nodes[0].machine.traffic(20)
    start(nodes[1])
    nodes[1].machine.clock.advance(3)
    assert "%08x\n" % nodes[0].machine.hostid in nodes[1].query(["sh", "-c", "pfctl -vvss | awk '/creatorid:/ { print }' | sort -u"]).stdout


def test_an_imported_state_has_no_rule_though_the_rules_are_the_same(nodes: Pair) -> None:
    """pfsync_encap leaves the checksum out, so that pf_state_import in sys/net/pf.c takes the default rule."""
    for one in nodes:
        start(one)
    nodes[0].machine.clock.advance(5)
    nodes[0].machine.traffic(2)
    nodes[0].machine.clock.advance(2)
    own = [state for state in nodes[0].machine.pf.states if state.protocol == "udp"]
    others = [state for state in nodes[1].machine.pf.states if state.protocol == "udp"]
    assert nodes[0].machine.pf.checksum == nodes[1].machine.pf.checksum
    assert [state.rule for state in own] == [1, 1]
    assert [state.rule for state in others] == [None, None]
    assert ", rule " not in nodes[1].query(["pfctl", "-vss"]).stdout.split("all udp", 1)[1]


def test_a_state_bound_to_an_interface_that_is_not_there_is_imported(tmp_path: Path) -> None:
    """pfi_kif_get in pf_state_import of sys/net/pf.c makes what it does not find."""
    nodes = pair(tmp_path, devices=("em0", "em1", "em2", "em3"), devices_b=("vio0", "em1", "vio2", "vio3"))
    for one in nodes:
        one.machine.put("/etc/pf.conf", "set state-policy if-bound\nset skip on em1\npass\n", 0o600)
        one.query(["pfctl", "-f", "/etc/pf.conf"])
        start(one)
    nodes[0].machine.clock.advance(5)
    nodes[0].machine.traffic(2)
    nodes[0].machine.clock.advance(2)
    assert sorted(state.interface for state in nodes[1].machine.pf.states) == ["em0", "em2"]
    assert {"em0", "em2"} <= set(nodes[1].query(["pfctl", "-sI"]).stdout.split())


def test_no_sync_holds_for_states_that_were_made_while_it_was_down(nodes: Pair) -> None:
    """pfsync_init_state, which is called whether pfsync runs or not; so there is no storm either."""
    for one in nodes:
        one.machine.put("/etc/pf.conf", "set skip on em1\npass keep state (no-sync)\n", 0o600)
        one.query(["pfctl", "-f", "/etc/pf.conf"])
    nodes[0].machine.traffic(4)
    for one in nodes:
        start(one)
    nodes[0].machine.clock.advance(40)
    assert not [state for state in nodes[1].machine.pf.states if state.creator == nodes[0].machine.hostid]
    assert nodes[0].machine.pfsync.storms == 0


def test_flushing_one_interface_drops_only_its_states_on_the_other_node(nodes: Pair) -> None:
    """pfsync_in_clr compares the interface too."""
    for one in nodes:
        one.machine.put("/etc/pf.conf", "set state-policy if-bound\nset skip on em1\npass\n", 0o600)
        one.query(["pfctl", "-f", "/etc/pf.conf"])
        start(one)
    nodes[0].machine.clock.advance(5)
    nodes[0].machine.traffic(4)
    nodes[0].machine.clock.advance(2)
    nodes[0].query(["pfctl", "-i", "em0", "-F", "states"])
    nodes[0].machine.clock.advance(2)
    assert {state.interface for state in nodes[1].machine.pf.states} == {"em2"}


def test_without_a_rule_the_sender_counts_errors_and_asks_in_vain(nodes: Pair) -> None:
    nodes[0].machine.put("/etc/pf.conf", "block\n", 0o600)
    nodes[0].query(["pfctl", "-f", "/etc/pf.conf"])
    start(nodes[0])
    nodes[0].machine.clock.advance(60)
    assert (counted(nodes[0], "send error"), counted(nodes[0], "sent (IPv4)")) == (12, 0)


def test_without_pf_packets_are_counted_and_nothing_else(nodes: Pair) -> None:
    """pfsync_input."""
    for one in nodes:
        start(one)
    nodes[1].query(["pfctl", "-d"])
    nodes[0].machine.clock.advance(5)
    before = counted(nodes[1], "received (IPv4)")
    nodes[0].machine.traffic(2)
    nodes[0].machine.clock.advance(2)
    assert counted(nodes[1], "received (IPv4)") > before
    assert not [state for state in nodes[1].machine.pf.states if state.protocol == "udp"]


def test_freebsd_and_openbsd_do_not_understand_each_other(tmp_path: Path) -> None:
    """PFSYNC_VERSION is 6 here, and 5 there."""
    openbsd = node(tmp_path / "a")
    freebsd = freebsd_node(tmp_path / "b", openbsd.machine.network.shared, 1, "fw2")
    start(openbsd)
    for module in ("pf", "pfsync"):
        freebsd.query(["kldload", module])
    freebsd.machine.put("/etc/pf.conf", "pass\n")
    for command in ("pfctl -f /etc/pf.conf", "pfctl -e", "ifconfig pfsync0 syncdev em1 up"):
        freebsd.query(command.split())
    openbsd.machine.clock.advance(5)
    assert counted(openbsd, "bad version") > 0
    assert freebsd.machine.pfsync.counters.dropped["bad-version"] > 0


def test_what_comes_from_elsewhere_is_dropped_and_counted(nodes: Pair) -> None:
    start(nodes[0])
    before = counted(nodes[0], "received (IPv4)")
    frame = Frame(6, "", ())
    nodes[0].machine.receive("em0", Packet("pfsync", "192.0.2.9", "192.0.2.2", 64, frame))
    nodes[0].machine.receive("em1", Packet("pfsync", "198.51.100.131", "198.51.100.130", 64, frame, ttl=64))
    nodes[0].machine.receive("em1", Packet("pfsync", "198.51.100.131", "198.51.100.130", 64, frame._replace(version=5)))
    assert [counted(nodes[0], text) for text in ("bad interface", "bad ttl", "bad version")] == [1, 1, 1]
    assert counted(nodes[0], "received (IPv4)") == before + 3


def test_the_counters_are_told_as_netstat_prints_them(nodes: Pair) -> None:
    """pfsync_stats in usr.bin/netstat/inet.c: no histogram, and no plural for the last two."""
    assert nodes[0].query(["netstat", "-s", "-p", "pfsync"]).stdout == (
        "pfsync:\n\t0 packets received (IPv4)\n\t0 packets received (IPv6)\n\t\t0 packets discarded for bad interface\n"
        "\t\t0 packets discarded for bad ttl\n\t\t0 packets shorter than header\n\t\t0 packets discarded for bad version\n"
        "\t\t0 packets discarded for bad HMAC\n\t\t0 packets discarded for bad action\n\t\t0 packets discarded for short packet\n"
        "\t\t0 states discarded for bad values\n\t\t0 stale states\n\t\t0 failed state lookup/inserts\n\t0 packets sent (IPv4)\n"
        "\t0 packets sent (IPv6)\n\t\t0 send failed due to mbuf memory error\n\t\t0 send error\n")
    assert nodes[0].machine.run(["netstat", "-s", "-p", "pfsync", "--libxo", "json"]).status == 1


def test_releases_whose_pfsync_was_not_read_are_not_modelled(tmp_path: Path) -> None:
    with pytest.raises(NotModelled):
        node(tmp_path, release="7.3")


def test_nothing_is_sent_after_it_has_gone_down(nodes: Pair) -> None:
    """pfsync_down, pfsync_slice_drop."""
    for one in nodes:
        start(one)
    nodes[0].machine.clock.advance(5)
    sent = counted(nodes[0], "sent (IPv4)")
    nodes[0].machine.traffic(4)
    nodes[0].query(["ifconfig", "pfsync0", "down"])
    nodes[0].machine.traffic(4)
    nodes[0].machine.clock.advance(5)
    assert counted(nodes[0], "sent (IPv4)") == sent
