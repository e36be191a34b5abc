# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State sync on simulated FreeBSD nodes: one call makes it as wanted, a second one only reads, and what fails leaves all as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Tuple

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.provider import FreebsdProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import FreebsdNode
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import pair as make_pair

Pair = Tuple[FreebsdNode, FreebsdNode]
RULES = "pass quick on em1 proto pfsync keep state (no-sync)\npass quick proto carp keep state (no-sync)\npass all\n"
ON = {"enabled": True, "interface": "em1", "address": "198.51.100.130", "network": "198.51.100.128/28", "transport": "multicast", "group": None, "port": 3780,
      "peer": None, "mode": "ftfw", "external_cache": None, "ignore_addresses": [], "refresh_interval": None, "host_id": None, "state_policy": None,
      "version": None, "coming": {}}
SECOND = {"address": "198.51.100.131"}


def with_rules(node: FreebsdNode, rules: str = RULES) -> FreebsdNode:
    """As sync_rule leaves it."""
    machine = node.machine
    machine.put("/etc/pf.conf", rules)
    for words in (["sysrc", "pf_enable=YES"], ["kldload", "-n", "pf"], ["pfctl", "-f", "/etc/pf.conf"], ["pfctl", "-e"]):
        assert machine.run(words).status == 0
    return node


def with_carp(node: FreebsdNode, skew: int) -> None:
    machine = node.machine
    machine.run(["kldload", "-n", "carp"])
    machine.run(["sysctl", "net.inet.carp.preempt=1"])
    machine.run(["ifconfig", "em0", "vhid", "1", "advskew", str(skew), "pass", "secret", "alias", "192.0.2.1/24"])


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    first, second = make_pair(tmp_path)
    return with_rules(first), with_rules(second)


@pytest.fixture
def synced(pair: Pair) -> Pair:
    """Two nodes that carry states."""
    for node, more in zip(pair, ({}, SECOND)):
        with_carp(node, 0 if not more else 100)
        sync(node, **more)
    pair[0].machine.clock.advance(20)
    return pair


def sync(node: FreebsdNode, check: bool = False, **options: Any) -> Dict[str, Any]:
    """One call of the module, as the next run makes it."""
    run = node.again(check)
    found = FreebsdProvider(run).state_sync(dict(ON, **options))
    return dict(found, commands=run.commands, diffs=run.diffs)


def pfsync0(node: FreebsdNode) -> str:
    return node.machine.run(["ifconfig", "pfsync0"]).stdout


def everything(node: FreebsdNode) -> Tuple[object, ...]:
    """What a change could touch."""
    machine = node.machine
    return machine.text("/etc/rc.conf"), machine.text("/etc/pf.conf"), pfsync0(node), machine.run(["sysctl", "net.pfsync.carp_demotion_factor"]).stdout


def test_a_bare_node_shares_its_states_now_and_at_boot(pair: Pair) -> None:
    node = pair[0]
    found = sync(node)
    assert found["validation"] == "passed"
    assert "syncdev: em1" in pfsync0(node)
    assert "UP" in pfsync0(node)
    node.machine.boot()
    assert "syncdev: em1" in pfsync0(node)
    host = node.machine.run(["pfctl", "-si", "-v"]).stdout
    node.machine.boot()
    after = node.machine.run(["pfctl", "-si", "-v"]).stdout
    assert [line for line in host.split("\n") if "Hostid" in line] == [line for line in after.split("\n") if "Hostid" in line]


def test_a_second_run_only_reads(pair: Pair) -> None:
    node = pair[0]
    sync(node)
    done = len(node.machine.commands)
    found = sync(node)
    assert (found["drift"], found["validation"], found["commands"], found["diffs"]) == ([], "not needed", [], [])
    assert node.machine.changes(done) == []


@pytest.mark.parametrize("options", [{}, {"transport": "unicast", "peer": "198.51.100.131"}, {"version": 1301, "host_id": "A1", "state_policy": "if-bound"}])
def test_check_mode_tells_the_commands_of_the_real_run_and_changes_nothing(pair: Pair, options: Dict[str, Any]) -> None:
    node = pair[0]
    files = node.machine.text("/etc/rc.conf"), node.machine.text("/etc/pf.conf")
    done = len(node.machine.commands)
    told = sync(node, check=True, **options)
    assert node.machine.changes(done) == []
    assert (node.machine.text("/etc/rc.conf"), node.machine.text("/etc/pf.conf")) == files
    real = sync(node, **options)
    assert told["commands"] == real["commands"]
    assert told["diffs"] == real["diffs"]
    assert told["drift"] == real["drift"]
    assert sync(node, **options)["commands"] == []


def test_states_travel_both_ways(synced: Pair) -> None:
    first, second = synced
    first.machine.traffic(20)
    first.machine.clock.advance(5)
    assert first.machine.hostid in second.machine.pf.states.creators()


def test_only_what_differs_is_set(synced: Pair) -> None:
    _first, second = synced
    assert sync(second, version=1301, **SECOND)["commands"] == [
        "sysrc 'pfsync_ifconfig=version 1301'", "sysrc hafirewall_pfsync_version=1301", "ifconfig pfsync0 version 1301"]
    found = sync(second, **SECOND)
    assert found["commands"] == ["sysrc -x pfsync_ifconfig", "sysrc -x hafirewall_pfsync_version", "ifconfig pfsync0 version 1400"]


def test_somebody_elses_words_and_format_stay(synced: Pair) -> None:
    node = synced[1]
    node.machine.run(["sysrc", "pfsync_ifconfig=defer maxupd 64 version 1301"])
    found = sync(node, **SECOND)
    assert found["commands"] == ["ifconfig pfsync0 version 1301", "ifconfig pfsync0 maxupd 64", "ifconfig pfsync0 defer"]
    assert sync(node, **SECOND)["commands"] == []
    assert sync(node, version=1400, **SECOND)["commands"][0] == "sysrc 'pfsync_ifconfig=defer maxupd 64 version 1400'"


def test_an_active_node_stays_active_during_a_change(synced: Pair) -> None:
    first, second = synced
    assert "MASTER" in first.machine.run(["ifconfig", "em0"]).stdout
    said = len(first.machine.dmesg)
    found = sync(first, version=1301)
    assert found["commands"][-3:] == ["sysctl net.pfsync.carp_demotion_factor=0", "ifconfig pfsync0 version 1301", "sysctl net.pfsync.carp_demotion_factor=240"]
    first.machine.clock.advance(30)
    assert not [line for line in first.machine.dmesg[said:] if "MASTER -> BACKUP" in line]
    assert first.machine.run(["sysctl", "-n", "net.inet.carp.demotion"]).stdout == "0\n"
    assert second.machine.run(["sysctl", "-n", "net.inet.carp.demotion"]).stdout == "0\n"


@pytest.mark.parametrize("word", ["version", "syncdev", "up"])
def test_a_refused_word_leaves_everything_as_it_was(pair: Pair, word: str) -> None:
    node = pair[0]
    node.machine.run(["kldload", "-n", "pfsync"])
    before = everything(node)
    node.machine.refuse(["ifconfig", "pfsync0", word], "ifconfig: SIOCSETPFSYNCNV: Invalid argument")
    with pytest.raises(NodeError, match="everything was put back as it was"):
        sync(node, version=1301)
    node.machine.answers.clear()
    left = everything(node)
    assert left[:2] + left[3:] == before[:2] + before[3:]
    assert "syncdev" not in str(left[2])
    assert "version: 1400" in str(left[2])


def test_a_peer_that_does_not_answer_is_an_error_although_syncok_says_1(synced: Pair) -> None:
    first, second = synced
    first.machine.traffic(20)
    second.machine.clock.advance(5)
    first.machine.network.cut("em1")
    before = everything(second)
    with pytest.raises(NodeError, match="pfsync bulk fail"):
        sync(second, version=1301, **SECOND)
    assert everything(second)[:2] == before[:2]
    assert "version: 1400" in pfsync0(second)


def test_the_first_node_of_a_cluster_does_not_wait_for_the_others(pair: Pair) -> None:
    node = pair[0]
    start = node.machine.clock.now
    found = sync(node)
    assert node.machine.clock.now - start < 10
    assert "no other node has answered yet" in found["notes"][0]


def test_off_stops_sync_and_keeps_pfsync0_up(synced: Pair) -> None:
    node = synced[1]
    found = sync(node, enabled=False, interface=None, address=None)
    assert found["commands"] == ["sysrc pfsync_enable=NO", "ifconfig pfsync0 -syncdev"]
    assert "UP" in pfsync0(node)
    assert sync(node, enabled=False, interface=None, address=None)["commands"] == []
    node.machine.boot()
    assert "syncdev" not in (pfsync0(node) if node.machine.has_pfsync else "")


def test_off_forgets_a_peer_first(pair: Pair) -> None:
    node = pair[1]
    sync(node, transport="unicast", peer="198.51.100.130", **SECOND)
    assert sync(node, enabled=False, interface=None, address=None)["commands"][1:] == ["ifconfig pfsync0 -syncpeer", "ifconfig pfsync0 -syncdev"]


def test_states_that_lost_no_sync_go_before_the_node_joins(synced: Pair) -> None:
    node = synced[1]
    node.machine.run(["ifconfig", "pfsync0", "-syncdev"])
    node.machine.run(["ifconfig", "pfsync0", "down"])
    node.machine.run(["pfctl", "-F", "states"])
    node.machine.clock.advance(5)
    node.machine.traffic(4)
    kept = len([state for state in node.machine.pf.states if state.protocol == "udp"])
    told = sync(node, check=True, **SECOND)["commands"]
    found = sync(node, **SECOND)["commands"]
    assert found == told
    assert found[0] == "ifconfig pfsync0 up"
    assert found[1].startswith("pfctl -k id -k ")
    assert found[-1] == "ifconfig pfsync0 syncdev em1"
    assert not [state for state in node.machine.pf.states if state.protocol in ("pfsync", "carp") and not state.nosync]
    assert len([state for state in node.machine.pf.states if state.protocol == "udp"]) >= kept


@pytest.mark.parametrize(("options", "message"), [
    ({"interface": "em9"}, "interface: this node has no device em9"),
    ({"address": "198.51.100.140"}, "address: em1 has not 198.51.100.140 but 198.51.100.130"),
    ({"transport": "unicast"}, "peer: transport unicast needs it"),
    ({"transport": "unicast", "peer": "198.51.100.130"}, "peer: 198.51.100.130 is this node's own address"),
    ({"transport": "unicast", "peer": "2001:db8::1"}, "not of one family"),
    ({"address": "sync0"}, "address: sync0 is no IP address"),
    ({"version": 1500}, "version: FreeBSD 14.2 does not know format 1500; it knows: 1301, 1400"),
    ({"host_id": "0"}, "host_id"), ({"host_id": "xyz"}, "host_id"),
])
def test_what_cannot_be_is_refused_before_anything_changes(pair: Pair, options: Dict[str, Any], message: str) -> None:
    node = pair[0]
    done = len(node.machine.commands)
    with pytest.raises(NodeError, match=message):
        sync(node, **options)
    assert node.machine.changes(done) == []


def test_somebody_elses_host_id_is_kept(pair: Pair) -> None:
    node = with_rules_again(pair[0], "set hostid 77\n" + RULES)
    sync(node)
    assert "BEGIN hafirewall.cluster options" not in str(node.machine.text("/etc/pf.conf"))
    assert sync(node)["commands"] == []
    with pytest.raises(NodeError, match=r"host_id: /etc/pf.conf:1 has 'set hostid 77'"):
        sync(node, host_id="a")


def with_rules_again(node: FreebsdNode, rules: str) -> FreebsdNode:
    node.machine.put("/etc/pf.conf", rules)
    node.machine.run(["pfctl", "-f", "/etc/pf.conf"])
    return node


@pytest.mark.parametrize("by_hand", [["ifconfig", "pfsync0", "-syncdev"], ["ifconfig", "pfsync0", "maxupd", "1"], ["sysrc", "pfsync_enable=NO"],
                                     ["sysrc", "pfsync_syncdev=em2"], ["ifconfig", "pfsync0", "syncpeer", "198.51.100.140"], ["ifconfig", "pfsync0", "down"]])
def test_drift_by_hand_is_put_right(synced: Pair, by_hand: list) -> None:
    node = synced[1]
    node.machine.run(by_hand)
    if "maxupd" in by_hand:
        node.machine.run(["sysrc", "pfsync_ifconfig=maxupd 128"])
    node.machine.clock.advance(100)
    assert sync(node, **SECOND)["drift"]
    node.machine.clock.advance(100)
    assert sync(node, **SECOND)["commands"] == []


def test_a_new_host_id_by_hand_is_put_right(synced: Pair) -> None:
    node = synced[1]
    right = node.machine.hostid
    node.machine.put("/tmp/other.conf", RULES)
    node.machine.run(["pfctl", "-f", "/tmp/other.conf"])
    assert node.machine.hostid != right
    assert sync(node, **SECOND)["commands"] == ["pfctl -f /etc/pf.conf"]
    assert node.machine.hostid == right


def test_a_small_sync_device_makes_pfsync0_small(pair: Pair) -> None:
    node = pair[0]
    node.machine.run(["ifconfig", "em1", "mtu", "1400"])
    found = sync(node)
    assert "mtu 1400" in pfsync0(node).split("\n")[0]
    assert "pfsync_ifconfig" in " ".join(found["commands"])
    assert "MTU 1400" in found["notes"][0]
    assert sync(node)["commands"] == []


def test_no_more_mtu_than_the_kernel_can_send(pair: Pair) -> None:
    node = pair[0]
    node.machine.run(["ifconfig", "em1", "mtu", "9000"])
    node.machine.run(["sysrc", "pfsync_ifconfig=mtu 9000"])
    sync(node)
    assert "mtu 4080" in pfsync0(node).split("\n")[0]
    assert sync(node)["commands"] == []


def test_a_factor_that_a_run_left_at_0_is_put_back(synced: Pair) -> None:
    node = synced[0]
    node.machine.run(["sysctl", "net.pfsync.carp_demotion_factor=0"])
    assert sync(node)["commands"] == ["sysctl net.pfsync.carp_demotion_factor=240"]
    node.machine.run(["sysctl", "net.pfsync.carp_demotion_factor=0"])
    node.machine.put("/etc/sysctl.conf", "net.pfsync.carp_demotion_factor=0\n")
    assert sync(node)["commands"] == []


@pytest.mark.parametrize("release", ["13.3-RELEASE", "14.2-RELEASE", "15.0-RELEASE"])
def test_all_releases_are_driven(tmp_path: Path, release: str) -> None:
    node = with_rules(make_pair(tmp_path, release)[0])
    sync(node)
    assert sync(node)["commands"] == []
    if release.startswith("13"):
        with pytest.raises(NodeError, match="no choice of formats"):
            sync(node, version=1400)
        assert sync(node, version=1301)["commands"] == []


def test_ipv6_needs_freebsd_14(tmp_path: Path) -> None:
    for release in ("13.3-RELEASE", "14.2-RELEASE"):
        node = with_rules(make_pair(tmp_path / release, release)[0])
        node.machine.run(["ifconfig", "em1", "inet6", "2001:db8:5::1/64"])
        if release.startswith("13"):
            with pytest.raises(NodeError, match="IPv6 from FreeBSD 14.0 on"):
                sync(node, address="2001:db8:5::1")
            continue
        sync(node, address="2001:db8:5::1")
        assert "syncpeer: ff12::f0" in pfsync0(node)
        assert sync(node, address="2001:db8:5::1")["commands"] == []


RULE = {"enabled": True, "interface": "em1", "network": "198.51.100.128/28", "transport": "multicast", "group": None, "port": 3780, "vrrp": [], "coming": {}}


def test_bare_nodes_become_a_pair_and_the_prediction_of_check_mode_holds(tmp_path: Path) -> None:
    first, second = make_pair(tmp_path)
    told = [sync(node, check=True, **more) for node, more in ((second, SECOND), (first, {}))]
    for node, more, prediction in ((second, SECOND, told[0]), (first, {}, told[1])):
        FreebsdProvider(node.again()).sync_rule(dict(RULE))
        assert sync(node, **more)["commands"] == prediction["commands"]
        assert prediction["commands"][0] == "kldload -n pfsync"
    first.machine.clock.advance(10)
    assert [pfsync0(node).count("syncok: 1") for node in (first, second)] == [1, 1]
    # Those of the Sync network's own connections are states too.
    first.machine.traffic(10)
    first.machine.clock.advance(5)
    for node, more in ((second, SECOND), (first, {})):
        done = len(node.machine.commands)
        FreebsdProvider(node.again()).sync_rule(dict(RULE))
        assert sync(node, **more)["commands"] == []
        assert node.machine.changes(done) == []
        node.machine.boot()
        assert "syncdev: em1" in pfsync0(node)


def test_a_transfer_that_had_failed_is_asked_for_again_once_the_other_node_is_heard(pair: Pair) -> None:
    first, second = pair
    for node in pair:
        with_carp(node, 0)
    sync(second, **SECOND)
    second.machine.clock.advance(90)
    assert second.machine.dmesg[-1].endswith("(pfsync bulk fail)")
    assert sync(second, **SECOND)["commands"] == []
    first.machine.traffic(30)
    sync(first)
    first.machine.clock.advance(10)
    first.machine.traffic(30)
    first.machine.clock.advance(10)
    found = sync(second, **SECOND)
    assert found["commands"] == ["ifconfig pfsync0 syncdev em1"]
    assert (found["drift"][0]["setting"], found["notes"]) == ("states of the other nodes", [])
    assert sync(second, **SECOND)["commands"] == []


def test_a_kernel_that_takes_a_word_and_does_not_follow_is_found_out(pair: Pair) -> None:
    node = pair[0]
    node.machine.answer(["ifconfig", "pfsync0", "version"])
    with pytest.raises(NodeError, match="pfsync0 does not run as configured: format as running is 1400, wanted is 1301"):
        sync(node, version=1301)


def test_a_new_transport_is_no_failure_while_the_other_node_still_has_the_old_one(synced: Pair) -> None:
    first, second = synced
    first.machine.traffic(20)
    first.machine.clock.advance(5)
    found = sync(second, transport="unicast", peer="198.51.100.130", **SECOND)
    assert "syncpeer: 198.51.100.130" in pfsync0(second)
    assert len(found["notes"]) == 1
    sync(first, transport="unicast", peer="198.51.100.131")
    second.machine.clock.advance(30)
    for node, more in ((second, dict(SECOND, peer="198.51.100.130")), (first, {"peer": "198.51.100.131"})):
        assert sync(node, transport="unicast", **more)["commands"] == []
        assert "syncok: 1" in pfsync0(node)


def test_a_format_that_somebody_has_set_is_not_taken_over(pair: Pair) -> None:
    node = pair[0]
    node.machine.run(["sysrc", "pfsync_ifconfig=version 1301"])
    sync(node, version=1301)
    assert "hafirewall_pfsync_version" not in str(node.machine.text("/etc/rc.conf"))
    assert sync(node)["commands"] == []


def test_rules_from_elsewhere_are_not_replaced(pair: Pair) -> None:
    node = pair[0]
    node.machine.path("/etc/pf.conf").unlink()
    done = len(node.machine.commands)
    with pytest.raises(NodeError, match="pf runs, but there is no /etc/pf.conf"):
        sync(node)
    assert [words for words in node.machine.changes(done) if not words.startswith("kldload")] == []


def test_what_was_stated_once_stays_when_it_is_not_stated_any_more(pair: Pair) -> None:
    node = pair[0]
    sync(node, host_id="A1", state_policy="if-bound")
    text = node.machine.text("/etc/pf.conf")
    assert "set hostid 0x000000a1\nset state-policy if-bound\n" in str(text)
    assert sync(node)["commands"] == []
    sync(node, state_policy="floating")
    assert "set state-policy floating" in str(node.machine.text("/etc/pf.conf"))


def test_pfs_own_policy_needs_no_line(pair: Pair) -> None:
    node = pair[0]
    sync(node, state_policy="floating")
    assert "state-policy" not in str(node.machine.text("/etc/pf.conf"))


def test_in_check_mode_a_lagg_may_be_still_to_come(pair: Pair) -> None:
    node = pair[0]
    told = sync(node, check=True, interface="lagg0", coming={"lagg0": "em1"})
    assert told["commands"][-1] == "ifconfig pfsync0 syncdev lagg0"
    with pytest.raises(NodeError, match="interface: this node has no device lagg0"):
        sync(node, interface="lagg0", coming={"lagg0": "em1"})


def test_a_change_on_an_active_node_waits_for_a_transfer_that_runs_already(synced: Pair) -> None:
    first, second = synced
    second.machine.lose_power()
    first.machine.clock.advance(10)
    first.machine.run(["ifconfig", "pfsync0", "syncdev", "em1"])
    assert first.machine.run(["sysctl", "-n", "net.inet.carp.demotion"]).stdout == "240\n"
    sync(first, version=1301)
    first.machine.clock.advance(100)
    for name, value in (("net.inet.carp.demotion", "0\n"), ("net.pfsync.carp_demotion_factor", "240\n")):
        assert first.machine.run(["sysctl", "-n", name]).stdout == value


def test_a_factor_of_the_owner_is_put_back_as_it_was(synced: Pair) -> None:
    node = synced[0]
    node.machine.put("/etc/sysctl.conf", "net.pfsync.carp_demotion_factor=100\n")
    node.machine.run(["sysctl", "net.pfsync.carp_demotion_factor=100"])
    assert sync(node, version=1301)["commands"][-1] == "sysctl net.pfsync.carp_demotion_factor=100"
    node.machine.run(["sysctl", "net.pfsync.carp_demotion_factor=0"])
    assert sync(node, version=1301)["commands"] == ["sysctl net.pfsync.carp_demotion_factor=100"]


def test_a_factor_that_was_left_at_0_is_put_back_only_when_no_transfer_runs(synced: Pair) -> None:
    first, second = synced
    second.machine.lose_power()
    first.machine.clock.advance(10)
    for words in (["sysctl", "net.pfsync.carp_demotion_factor=0"], ["ifconfig", "pfsync0", "syncdev", "em1"]):
        first.machine.run(words)
    assert sync(first)["commands"] == ["sysctl net.pfsync.carp_demotion_factor=240"]
    first.machine.clock.advance(100)
    assert first.machine.run(["sysctl", "-n", "net.inet.carp.demotion"]).stdout == "0\n"


def test_the_group_may_be_written_out(synced: Pair) -> None:
    node = synced[1]
    node.machine.run(["sysrc", "pfsync_syncpeer=224.0.0.240"])
    assert sync(node, **SECOND)["commands"] == []


def test_a_factor_of_0_that_the_owner_sets_when_the_module_comes_is_no_difference(synced: Pair) -> None:
    node, machine = synced[0], synced[0].machine
    machine.put("/etc/sysctl.kld.d/pfsync.conf", "net.pfsync.carp_demotion_factor=0\n")
    machine.run(["sysctl", "net.pfsync.carp_demotion_factor=0"])
    assert sync(node)["drift"] == []
