# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence of simulated OpenBSD nodes."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf, segment, sync_watch
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import engine, info
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.provider import OpenbsdProvider
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, pair
from ansible_collections.hafirewall.cluster.tests.unit.plugins.module_utils._platforms.openbsd.openbsd_cases import PASSWORD, cluster, sync_options


@pytest.fixture(name="nodes")
def _nodes(tmp_path):
    return pair(tmp_path)


def evidence(node: OpenbsdNode, **params):
    fresh = node.again()
    found = OpenbsdProvider(fresh).node_info(params)["evidence"]
    assert not fresh.changed
    return found


def test_a_node_as_installed_has_all_areas_and_nothing_that_runs(nodes):
    node, _other = nodes
    node.machine.ssh = "198.51.100.100 50022 198.51.100.2 22"
    found = evidence(node)
    assert found["errors"] == []
    assert (found["platform"], found["kernel"], found["os"]["id"], found["os"]["version"]) == ("openbsd", "7.6", "openbsd", "7.6")
    engine, vrrp = found["engine"], found["vrrp"]
    assert (engine["enabled"], engine["running"], engine["config"], engine["config_current"], engine["synced"]) == (False, False, None, True, None)
    assert (vrrp["enabled"], vrrp["running"], vrrp["demotion"], vrrp["instances"], vrrp["demotion_why"]) == (False, True, 0, [], [])
    assert (found["maintenance"], found["state_policy"], found["state_policy_from"]) == (False, "floating", "default")
    assert found["management"] == {"device": "em3", "address": "198.51.100.2", "via": "em3"}
    assert [(row["name"], row["kind"], row["addresses"], row["speed"]) for row in found["interfaces"]][1] == ("em1", "port", ["198.51.100.130/28"], 1000)


def test_a_cluster_is_told_as_it_runs(nodes):
    first, second = nodes
    cluster(first, second)
    first.machine.traffic(40)
    first.machine.clock.advance(5)
    found, other = evidence(first), evidence(second)
    engine = found["engine"]
    assert (engine["enabled"], engine["running"], engine["config_current"], engine["synced"], engine["filter"]) == (True, True, True, True, True)
    assert engine["config"] == {"interface": "em1", "transport": "multicast", "peer": None, "address": "198.51.100.130", "network": None, "version": None,
                                "defer": False, "maxupd": 128}
    assert engine["counters"]["received"] > 0 and engine["counters"]["malformed"] == 0
    assert (engine["host_id"], other["engine"]["host_id"]) == ("a0", "a1")
    # The standby has the states of the other, each under the id of the one that made it.
    assert other["engine"]["states_by_creator"]["a0"] >= 40
    assert [(row["name"], row["interface"], row["id"], row["family"], row["state"], row["advskew"], row["addresses"], row["addresses_present"])
            for row in found["vrrp"]["instances"]] == [("em0_10_ipv4", "em0", 10, "ipv4", "active", 0, ["192.0.2.1/24"], ["192.0.2.1"]),
                                                       ("em2_20_ipv4", "em2", 20, "ipv4", "active", 0, ["203.0.113.1/24"], ["203.0.113.1"])]
    assert [row["state"] for row in other["vrrp"]["instances"]] == ["standby", "standby"]
    assert (found["vrrp"]["config_current"], found["vrrp"]["enabled"]) == (True, True)
    assert (found["pass_rule"]["present"], found["pass_rule"]["effective"], found["pass_rule"]["persistent"]) == (True, True, True)
    assert PASSWORD not in repr(found)


def test_states_that_never_travel_are_not_counted(nodes):
    first, second = nodes
    cluster(first, second)
    assert {state.protocol for state in second.machine.pf.states} == {"pfsync", "carp"}
    assert (evidence(second)["engine"]["creators"], evidence(second)["engine"]["states_by_interface"]) == ([], {})


def test_the_states_are_counted_by_the_command_as_they_are_by_the_simulator():
    # sbin/pfctl/pf_print_state.c, print_state.
    text = """all tcp 203.0.113.9:443 <- 192.0.2.7:50000       ESTABLISHED:ESTABLISHED
   [1 + 2]  [3 + 4]
   age 00:00:09, expires in 24:00:00, 9:9 pkts, 9:9 bytes, rule 3
   id: 0000000000000001 creatorid: 000000a0
em0 carp 192.0.2.2 -> 224.0.0.18       SINGLE:NO_TRAFFIC
   id: 0000000000000002 creatorid: 000000a1
all pfsync 198.51.100.131 -> 224.0.0.240       MULTIPLE:MULTIPLE
   id: 0000000000000003 creatorid: 000000a1
em0 udp 192.0.2.7:53 -> 203.0.113.9:53       MULTIPLE:SINGLE
   id: 0000000000000004 creatorid: 000000a0
"""
    command = engine.IN_TABLE[2].replace("pfctl -vvss", "cat")
    answer = subprocess.run(["sh", "-c", command], input=text, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
    assert pf.counted(answer) == pf.Table({"a0": 2}, {"all": 1, "em0": 1})


def test_states_that_are_still_coming_are_not_claimed_to_be_here(nodes):
    first, _second = nodes
    first.machine.put("/etc/hostname.pfsync0", "syncdev em1\nup\n", 0o640)
    first.machine.run(["sh", "/etc/netstart", "pfsync0"])
    found = evidence(first)
    assert (found["engine"]["running"], found["engine"]["synced"], found["vrrp"]["demotion"]) == (True, None, 32)
    first.machine.clock.advance(60)
    assert evidence(first)["engine"]["synced"] is True


def test_our_own_demotion_hides_no_transfer(nodes):
    first, second = nodes
    cluster(first, second)
    OpenbsdProvider(first.again()).maintenance({"state": "enabled", "persistent": True})
    found = evidence(first)
    assert (found["maintenance"], found["vrrp"]["demotion"], found["engine"]["synced"]) == (True, 64, True)
    first.machine.run(["ifconfig", "pfsync0", "down"])
    first.machine.run(["ifconfig", "pfsync0", "up"])
    assert (evidence(first)["vrrp"]["demotion"], evidence(first)["engine"]["synced"]) == (96, None)


def test_why_carp_is_demoted_is_told_where_the_kernel_logs_it(nodes):
    first, _second = nodes
    first.machine.run(["sysctl", "net.inet.carp.log=3"])
    first.machine.put("/etc/hostname.pfsync0", "syncdev em1\nup\n", 0o640)
    first.machine.run(["sh", "/etc/netstart", "pfsync0"])
    assert {"by": 32, "why": "pfsync start"} in evidence(first)["vrrp"]["demotion_why"]
    first.machine.clock.advance(60)
    first.machine.run(["sysctl", "net.inet.carp.log=2"])
    first.machine.run(["ifconfig", "-g", "carp", "carpdemote", "5"])
    assert evidence(first)["vrrp"]["demotion_why"] is None


@pytest.mark.parametrize("change", [
    ["ifconfig", "pfsync0", "down"], ["ifconfig", "pfsync0", "maxupd", "20"], ["ifconfig", "pfsync0", "destroy"],
])
def test_what_runs_otherwise_than_the_file_says_is_not_current(nodes, change):
    first, second = nodes
    cluster(first, second)
    first.machine.put("/etc/hostname.pfsync0", "syncdev em1 maxupd 128\nup\n", 0o640)
    assert evidence(first)["engine"]["config_current"] is True
    first.machine.run(change)
    assert evidence(first)["engine"]["config_current"] is False


@pytest.mark.parametrize("change", [
    ["ifconfig", "carp10", "advskew", "7"], ["ifconfig", "carp10", "destroy"], ["ifconfig", "carp10", "inet", "192.0.2.1", "delete"],
])
def test_a_carp_that_runs_otherwise_than_its_file_says_is_not_current(nodes, change):
    first, second = nodes
    cluster(first, second)
    first.machine.run(change)
    assert evidence(first)["vrrp"]["config_current"] is False


def test_another_host_id_in_the_kernel_is_not_current(nodes):
    first, _second = nodes
    OpenbsdProvider(first.again()).state_sync(sync_options(0))
    first.machine.put("/etc/pf.conf", "set hostid 7\npass\n", 0o600)
    assert evidence(first)["engine"]["config_current"] is False


def test_one_program_that_fails_takes_no_other_area_along(nodes):
    first, second = nodes
    cluster(first, second)
    areas = {"netstat": "interfaces", "pfctl": "pass_rule", "arp": "segment", "ps": "management", "ifconfig -g": "maintenance"}
    for prefix, area in ((words.split(), area) for words, area in areas.items()):
        first.machine.answers.clear()
        first.machine.refuse(prefix, "%s: broken" % prefix[0])
        found = evidence(first, sample=True, sync_network="198.51.100.128/28") if area == "segment" else evidence(first)
        assert area in {error["area"] for error in found["errors"]}
        assert found["platform"] == "openbsd" and found["kernel"] == "7.6"


def test_neighbours_and_traffic_of_the_sync_segment_are_sampled(nodes, monkeypatch):
    first, second = nodes
    cluster(first, second)
    monkeypatch.setattr(segment.time, "sleep", lambda seconds: None)
    own = evidence(first)["interfaces"]
    seen, traffic, watch = segment.observe(first.again(), Areas(), "em1", "198.51.100.128/28", own, lambda *_words: None, lambda _seconds: None,
                                           info.counters, info.neighbours, sync_watch.OPENBSD)
    assert [(one["address"], one["how"]) for one in seen["neighbours"]] == [("198.51.100.131", "arp")]
    assert set(traffic["interfaces"]) >= {"em0", "em1"}
    assert (watch["interface"], watch["truncated"]) == ("em1", False)


def test_files_that_name_a_device_are_told_without_our_own_lines(nodes):
    first, second = nodes
    cluster(first, second)
    first.machine.put("/etc/dhcpd.conf", "# em0\nsubnet 192.0.2.0 netmask 255.255.255.0 { option routers em0; }\n")
    first.machine.put("/etc/ospfd.conf", "area 0.0.0.0 { interface em2 }\n")
    first.machine.put("/etc/pf.conf", first.read_text("/etc/pf.conf") + "pass in on em2 proto tcp to port 22\n", 0o600)
    assert sorted((row["device"], row["kind"], row["where"].split(":")[0]) for row in evidence(first)["references"]) == [
        ("em0", "service", "/etc/dhcpd.conf"), ("em2", "route", "/etc/ospfd.conf"), ("em2", "rule", "/etc/pf.conf")]


@pytest.mark.parametrize(("capability", "said"), [("sync_probe", "pf has no way to insert a state")])
def test_what_is_not_there_is_said(nodes, capability, said):
    with pytest.raises(NodeError, match=said):
        getattr(OpenbsdProvider(nodes[0]), capability)({})
