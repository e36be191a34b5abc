# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two FreeBSD doubles on common segments: what they exchange by pfsync, and who is master by CARP."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Tuple

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import pair
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.running import Pair, carp_states, counters, creators, run, running_pair


@pytest.fixture(name="bare")
def _bare(tmp_path: Path) -> Pair:
    return pair(tmp_path)


@pytest.fixture(name="cluster")
def _cluster(tmp_path: Path) -> Pair:
    return running_pair(tmp_path)


# pfsync between two machines


def test_states_reach_the_other_node_and_bear_their_makers_id(cluster: Pair) -> None:
    first, second = cluster
    made = first.machine.traffic(7)
    first.machine.clock.advance(2.0)

    assert made == 7
    assert sum(state.creator == 10 for state in second.machine.pf.states) == 7
    assert creators(second) == ["0000000a", "0000000b"]
    listing = "pfctl -vvss | awk '/creatorid:/ { sub(/.*creatorid: */, \"\"); print }' | sort -u"
    assert second.machine.run(["sh", "-c", listing]).stdout == "0000000a\n0000000b\n"


@pytest.mark.parametrize("release, release_b, settings, taken", [
    ("14.2", "13.2", "", False), ("14.2", "13.2", "version 1301", True), ("15.0", "14.2", "", False), ("15.0", "14.2", "version 1400", True),
    ("15.0", "13.5", "version 1400", False), ("13.5", "15.0", "", True)])
def test_an_older_node_counts_a_newer_format_as_bad_action(release: str, release_b: str, settings: str, taken: bool, tmp_path: Path) -> None:
    nodes = running_pair(tmp_path, release=release, release_b=release_b)
    if settings:
        run(nodes[0], "ifconfig pfsync0 " + settings)
    nodes[0].machine.clock.advance(5.0)
    nodes[0].machine.traffic(4)
    nodes[0].machine.clock.advance(3.0)

    assert ("0000000a" in creators(nodes[1])) == taken
    assert (counters(nodes[1])["dropped-bad-action"] == 0) == taken


def test_the_format_can_be_chosen_from_release_14_on(tmp_path: Path) -> None:
    old = pair(tmp_path / "13", release="13.5")[0]
    new = pair(tmp_path / "15", release="15.0")[0]
    for node in (old, new):
        run(node, "kldload pfsync")

    assert "maxupd: 128 defer: off\n" in run(old, "ifconfig pfsync0")
    assert old.machine.run(["ifconfig", "pfsync0", "version", "1301"]).stderr == "ifconfig: version: bad value\n"
    assert "version: 1500" in run(new, "ifconfig pfsync0")
    assert new.machine.run(["ifconfig", "pfsync0", "version", "1302"]).stderr == "ifconfig: SIOCSETPFSYNCNV: Invalid argument\n"
    assert run(new, "ifconfig pfsync0 version 1400") == ""


def test_states_made_while_pfsync_was_down_set_off_a_storm_when_the_peer_asks(cluster: Pair) -> None:
    first, second = cluster
    run(first, "ifconfig pfsync0 -syncdev down")
    first.machine.run(["pfctl", "-F", "states"])
    run(first, "ifconfig pfsync0 syncdev em1 up")
    first.machine.clock.advance(2.0)
    assert first.machine.pfsync.storms == 0
    run(second, "ifconfig pfsync0 syncdev em1")
    first.machine.clock.advance(2.0)

    assert first.machine.pfsync.storms == 1
    assert counters(second)["in-compressed-state-update"] > 10000


def test_states_made_before_the_module_is_loaded_have_no_mark(bare: Pair) -> None:
    machine = bare[0].machine
    machine.run(["kldload", "pf"])
    machine.run(["pfctl", "-f", "-"], stdin="pass keep state (no-sync)\n")
    machine.run(["pfctl", "-e"])
    machine.traffic(2)
    machine.run(["kldload", "pfsync"])
    machine.traffic(2)

    assert [state.nosync for state in machine.pf.states] == [False, False, True, True]


def test_with_pf_off_packets_are_received_and_nothing_follows(cluster: Pair) -> None:
    first, second = cluster
    second.machine.run(["pfctl", "-d"])
    before = counters(second)["received-inet-packets"]
    first.machine.traffic(4)
    first.machine.clock.advance(3.0)

    told = counters(second)
    assert told["received-inet-packets"] > before
    assert not any(value for key, value in told.items() if key.startswith("dropped"))
    assert not any(state.creator == 10 for state in second.machine.pf.states)


def test_a_large_mtu_sends_nothing_before_release_15(cluster: Pair) -> None:
    first = cluster[0]
    run(first, "ifconfig em1 mtu 9000")
    run(first, "ifconfig pfsync0 mtu 8930")
    first.machine.traffic(4)
    first.machine.clock.advance(3.0)

    assert counters(first)["discarded-no-memory"] >= 1
    assert first.machine.run(["ifconfig", "pfsync0", "mtu", "9001"]).status == 1


def test_the_factor_is_read_when_the_bulk_begins_and_again_when_it_ends(cluster: Pair) -> None:
    first = cluster[0]
    run(first, "sysctl net.pfsync.carp_demotion_factor=0")
    run(first, "ifconfig pfsync0 syncdev em1")
    run(first, "sysctl net.pfsync.carp_demotion_factor=240")
    first.machine.clock.advance(2.0)

    assert run(first, "sysctl -n net.inet.carp.demotion") == "-240\n"
    assert first.machine.dmesg[-1] == "carp: demoted by -240 to -240 (pfsync bulk done)"


def test_a_peer_that_is_silent_ends_in_bulk_fail_and_syncok(cluster: Pair) -> None:
    first, second = cluster
    second.machine.lose_power()
    first.machine.clock.advance(1.0)
    run(first, "ifconfig pfsync0 syncdev em1")
    first.machine.clock.advance(64.0)
    assert "syncok: 0" in run(first, "ifconfig pfsync0")
    first.machine.clock.advance(2.0)

    assert "syncok: 1" in run(first, "ifconfig pfsync0")
    assert first.machine.dmesg[-1] == "carp: demoted by -240 to 0 (pfsync bulk fail)"


def test_thousands_of_states_take_no_time_to_speak_of(cluster: Pair) -> None:
    began = time.monotonic()
    cluster[0].machine.traffic(5000)
    cluster[0].machine.clock.advance(30.0)

    assert len(cluster[1].machine.pf.states) > 5000
    assert time.monotonic() - began < 10.0


@pytest.mark.parametrize("peers", [("198.51.100.131", "198.51.100.130"), ("2001:db8::131", "2001:db8::130")])
def test_states_reach_a_single_peer(peers: Tuple[str, str], cluster: Pair) -> None:
    for node, own, peer in zip(cluster, reversed(peers), peers):
        if ":" in own:
            run(node, "ifconfig em1 inet6 %s/64" % own)
        run(node, "ifconfig pfsync0 syncpeer %s" % peer)
    cluster[0].machine.clock.advance(10.0)
    cluster[0].machine.traffic(4)
    cluster[0].machine.clock.advance(2.0)

    assert "syncpeer: %s " % peers[0] in run(cluster[0], "ifconfig pfsync0")
    assert sum(state.creator == 10 for state in cluster[1].machine.pf.states) == 4
    assert counters(cluster[1])["received-inet6-packets"] == 0  # what comes by IPv6 is counted there too


def test_a_node_with_a_single_peer_does_not_hear_the_group(cluster: Pair) -> None:
    run(cluster[1], "ifconfig pfsync0 syncpeer 198.51.100.130")
    cluster[0].machine.clock.advance(6.0)
    before = counters(cluster[1])["received-inet-packets"]
    cluster[0].machine.traffic(4)
    cluster[0].machine.clock.advance(2.0)

    assert counters(cluster[1])["received-inet-packets"] == before


def test_with_defer_each_new_state_is_acknowledged(cluster: Pair) -> None:
    run(cluster[0], "ifconfig pfsync0 defer")
    cluster[0].machine.clock.advance(2.0)
    cluster[0].machine.traffic(4)

    assert counters(cluster[0])["in-state-inserted-ack"] == 4


def test_a_flush_clears_only_the_nodes_own_states_on_the_peer(cluster: Pair) -> None:
    first, second = cluster
    first.machine.traffic(4)
    first.machine.clock.advance(2.0)
    own = [state for state in second.machine.pf.states if state.creator == 11]
    assert first.machine.run(["pfctl", "-i", "em0", "-F", "states"]).stderr.endswith(" states cleared\n")

    assert [state for state in second.machine.pf.states if state.creator == 10] == []
    assert [state for state in second.machine.pf.states if state.creator == 11] == own


def test_a_state_is_killed_by_the_id_that_is_shown(cluster: Pair) -> None:
    first = cluster[0]
    first.machine.traffic(1)
    line = next(line for line in run(first, "pfctl -ss -vv").split("all udp")[1].splitlines() if " id: " in line)
    identity, creator = line.split()[1], line.split()[3]

    assert first.machine.run(["pfctl", "-k", "id", "-k", "%s/%s" % (identity, creator)]).stderr == "killed 1 states\n"
    assert "udp" not in run(first, "pfctl -ss")


def test_an_interface_that_pf_skips_needs_no_rule_for_pfsync(tmp_path: Path) -> None:
    nodes = running_pair(tmp_path)
    for node in nodes:
        text = (node.machine.text("/etc/pf.conf") or "").replace("set skip on lo0", "set skip on { lo0 em1 }").replace("pass quick on em1", "#")
        node.machine.put("/etc/pf.conf", text)
        run(node, "pfctl -f /etc/pf.conf")
    nodes[0].machine.traffic(4)
    nodes[0].machine.clock.advance(2.0)

    assert sum(state.creator == 10 for state in nodes[1].machine.pf.states) == 4
    assert "pfsync" not in run(nodes[0], "pfctl -ss").replace("all pfsync 198.51.100.130 -> 224.0.0.240", "").replace(
        "all pfsync 224.0.0.240 <- 198.51.100.131", "")


# CARP


def test_the_other_node_takes_over_and_carries_the_traffic(cluster: Pair) -> None:
    first, second = cluster
    first.machine.lose_power()
    second.machine.clock.advance(4.0)

    assert second.machine.carp.vhids["em0", 1].state == "MASTER"
    assert second.machine.traffic(4) == 4
    assert sum(state.creator == 11 and state.protocol == "udp" for state in second.machine.pf.states) == 4


def test_traffic_goes_through_the_master_whichever_node_is_asked(cluster: Pair) -> None:
    first, second = cluster

    assert second.machine.traffic(4) == 4
    assert sum(state.creator == 10 and state.protocol == "udp" for state in first.machine.pf.states) == 4


def test_a_pulled_cable_demotes_and_moves_every_virtual_host(cluster: Pair) -> None:
    first, second = cluster
    first.machine.network.cut("em0")
    first.machine.clock.advance(2.0)

    assert "status: no carrier" in run(first, "ifconfig em0")
    assert first.machine.carp.vhids["em0", 1].state == "INIT"
    assert run(first, "sysctl -n net.inet.carp.demotion") == "240\n"
    assert [vhid.state for vhid in second.machine.carp.vhids.values()] == ["BACKUP", "MASTER"]
    first.machine.clock.advance(3.0)
    assert [vhid.state for vhid in second.machine.carp.vhids.values()] == ["MASTER", "MASTER"]
    first.machine.network.mend("em0")
    first.machine.clock.advance(5.0)
    assert carp_states(cluster) == ["MASTER", "BACKUP"]


def test_a_cable_that_was_pulled_is_out_after_a_boot_too(cluster: Pair) -> None:
    first = cluster[0]
    run(first, "ifconfig em3 name mgmt0")
    first.machine.network.cut("em0")
    first.machine.network.mute("mgmt0")
    first.machine.boot()

    assert "status: no carrier" in run(first, "ifconfig em0")
    assert first.machine.interfaces["em3"].muted
    assert "status: active" in run(first, "ifconfig em2")


def test_nodes_whose_passwords_differ_are_both_carp_states(cluster: Pair) -> None:
    run(cluster[1], "ifconfig em0 vhid 1 pass another")
    cluster[0].machine.clock.advance(5.0)

    assert carp_states(cluster) == ["MASTER", "MASTER"]
    assert json.loads(run(cluster[1], "netstat -s -p carp --libxo json"))["statistics"]["carp"]["dropped-bad-authentication"] > 0


def test_a_demotion_is_added_and_taken_back(cluster: Pair) -> None:
    first = cluster[0]

    assert run(first, "sysctl net.inet.carp.demotion=240") == "net.inet.carp.demotion: 0 -> 240\n"
    first.machine.clock.advance(2.0)
    assert carp_states(cluster) == ["BACKUP", "MASTER"]
    assert run(first, "sysctl net.inet.carp.demotion=-240") == "net.inet.carp.demotion: 240 -> 0\n"
    first.machine.clock.advance(3.0)
    assert carp_states(cluster) == ["MASTER", "BACKUP"]
