# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks: each passes on good evidence, fails on what it is there to find, and never passes on what is not known."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks import CHECKS, STATUSES, counts, failed, judge
from check_cases import MACS, NODES, SYNC, Case, needs_its_evidence, stranger, watched
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# These have no meaning on Linux.
OF_PF = ("formats_agree", "peer_understood", "bulk_done", "host_ids", "devices_equal", "state_interfaces", "state_policy_equal", "rules_equal", "demotion",
         "carp_agrees", "pfsync_mtu", "config_sync", "interface_keys", "config_versions")
# The evidence that each check lives on: with any of it gone, it must not pass.
AREAS = {
    "state_sync_enabled": ["engine"], "engine_running": ["engine"], "config_current": ["engine", "vrrp"], "settings_agree": ["engine"],
    "states_travel": [], "quiet_states": ["engine", "vrrp", "collected_at"], "roles_disjoint": ["vrrp", "interfaces"], "maintenance": ["maintenance"],
    "pass_rule": ["pass_rule"], "sync_dedicated": ["interfaces"], "sync_isolated": ["segment", "watch"], "mtu_equal": ["interfaces"],
    "sync_speed": ["interfaces"], "sync_bandwidth": ["traffic", "watch"], "versions_equal": ["packages", "kernel"],
    **dict.fromkeys(OF_PF, ()), "laggs_equal": ["interfaces"], "lagg_members": ["interfaces"], "lagg_lacp": ["interfaces"], "lagg_spare": ["interfaces"],
}
ALL_AREAS = sorted({area for areas in AREAS.values() for area in areas})


def plan_of(node):
    instances = [
        {"name": "lan_10_ipv4", "interface": "lan0", "id": 10, "family": "ipv4", "addresses": ["192.0.2.1/24"]},
        {"name": "wan_21_ipv6", "interface": "wan0", "id": 21, "family": "ipv6", "addresses": ["2001:db8:2::1/64"]}]
    return {
        "cluster": "edge", "node": node, "platform": "linux", "members": list(NODES), "peers": [other for other in NODES if other != node],
        "state_sync": {"enabled": True, "interface": "sync0", "address": SYNC[node], "network": "198.51.100.128/28", "transport": "multicast",
                       "group": "225.0.0.50", "port": 3780, "peer": None, "mode": "ftfw", "external_cache": False, "refresh_interval": None},
        "virtual_ip": {"instances": instances},
        "lagg": {"laggs": [{"name": "bond1", "protocol": "lacp", "members": ["eth4", "eth5"], "moves": []}]}}


def lagg():
    ports = [{"name": name, "up": True, "active": True, "aggregator": 1, "synchronized": True, "collecting": True, "distributing": True}
             for name in ("eth4", "eth5")]
    return {"protocol": "lacp", "members": ["eth4", "eth5"], "aggregator": 1, "partner": "02:00:00:00:00:99", "ports": ports}


def evidence_of(node):
    active = node == "fw1"

    def device(name, mac, *addresses):
        return {"name": name, "mac": mac, "mtu": 1500, "speed": 10000, "up": True, "addresses": list(addresses)}

    instances = [{"name": item["name"], "interface": item["interface"], "id": item["id"], "family": item["family"],
                  "state": "active" if active else "standby", "addresses": item["addresses"], "addresses_present": item["addresses"] if active else []}
                 for item in plan_of(node)["virtual_ip"]["instances"]]
    other = "fw2" if active else "fw1"
    return {
        "schema": 1, "collected_at": 1000.0, "platform": "linux", "kernel": "6.1.0", "packages": {"conntrackd": "1.4.7", "keepalived": "2.2.7"},
        "engine": {"installed": True, "enabled": True, "masked": False, "running": True, "joined": True, "config_current": True,
                   "config": {"mode": "ftfw", "transport": "multicast", "group": "225.0.0.50", "port": 3780, "interface": "sync0", "address": SYNC[node],
                              "peer": None, "external_cache": False, "checksum": True},
                   "refresh": {"interval": 10, "enabled": True, "last_run": 995.0}},
        "vrrp": {"installed": True, "enabled": True, "running": True, "config_current": True, "since": 500.0, "instances": instances},
        "maintenance": False,
        "pass_rule": {"filtered": True, "present": True, "persistent": True, "effective": True, "broader": [], "blockers": [],
                      "rules": [{"table": "inet filter", "chain": "input", "position": 2, "packets": 12, "bytes": 999}]},
        "interfaces": [device("sync0", MACS[node], SYNC[node] + "/28", "fe80::%d/64" % (1 if active else 2)),
                       device("lan0", MACS[node][:-2] + "a" + MACS[node][-1], "192.0.2.%d/24" % (2 if active else 3), *(["192.0.2.1/24"] if active else [])),
                       device("wan0", MACS[node][:-2] + "b" + MACS[node][-1], *(["2001:db8:2::1/128"] if active else [])),
                       dict(device("bond1", MACS[node][:-2] + "c" + MACS[node][-1]), lagg=lagg())],
        "segment": {"interface": "sync0", "seconds": 1.0, "asked": 13, "echo": True,
                    "neighbours": [{"address": SYNC[other], "mac": MACS[other], "how": "arp"}]},
        "watch": watched("sync0", MACS, SYNC, "conntrackd", {"fw1": 10_000, "fw2": 1_000}),
        "traffic": {"seconds": 2.0, "interfaces": {
            "sync0": {"rx_bytes": 2_000, "tx_bytes": 20_000}, "lan0": {"rx_bytes": 100_000 * active, "tx_bytes": 100_000 * active},
            "wan0": {"rx_bytes": 100_000 * active, "tx_bytes": 100_000 * active}}},
        "errors": []}


def healthy():
    return Case(plan_of, evidence_of, {"fw1": {"2": 60}, "fw2": {"1": 60}})


@pytest.fixture
def pair():
    return healthy()


def test_a_healthy_pair_passes_every_check_and_each_result_has_its_reason(pair):
    results = pair.results()
    assert {result["id"] for result in results} == set(CHECKS)
    assert {result["id"] for result in results if result["status"] != "pass"} == set(OF_PF)
    assert {result["status"] for result in results if result["id"] in OF_PF} == {"skipped"}
    assert all(result["reason"] and result["cluster"] == "edge" and set(result) == {"id", "cluster", "node", "status", "reason"} for result in results)
    assert counts(results) == {"pass": len(results) - len(OF_PF), "fail": 0, "warn": 0, "skipped": len(OF_PF), "error": 0}
    assert failed(results) == []


def test_what_no_plan_wants_of_laggs_is_skipped_and_what_one_node_lacks_is_told(pair):
    for node in NODES:
        pair.put("lagg.laggs.0.protocol", "failover", node, pair.plans).put("interfaces.3.lagg.protocol", "failover", node)
    assert [(result["status"], result["node"]) for result in pair.of("lagg_lacp")] == [("skipped", None)]
    for node in NODES:
        pair.put("lagg.laggs.0.members", ["eth4"], node, pair.plans).put("interfaces.3.lagg.ports", lagg()["ports"][:1], node)
    assert [(result["status"], result["node"]) for result in pair.of("lagg_spare")] == [("skipped", None)]
    pair.put("lagg.laggs", [], "fw2", pair.plans)
    pair.says("laggs_equal", "fail", "bond1 is planned for other nodes and not for fw2", node="fw2")
    pair.says("lagg_members", "skipped", node="fw2")
    pair.put("lagg.laggs", [], "fw1", pair.plans)
    assert {(result["status"], result["node"]) for check in ("laggs_equal", "lagg_members", "lagg_lacp", "lagg_spare") for result in pair.of(check)} == {
        ("skipped", None)}


def test_a_lagg_without_any_link_and_one_that_waits_for_a_move_are_failures(pair):
    for port in (0, 1):
        pair.put(f"interfaces.3.lagg.ports.{port}.up", False)
    pair.says("lagg_members", "fail", "eth4, eth5 of bond1 is down", node="fw2")
    pair.says("lagg_spare", "warn", "bond1 has no member left of 2", node="fw2")
    pair.put("lagg.laggs.0.moves", [{"from_device": "eth4", "to_device": "bond1"}], "fw1", pair.plans)
    pair.says("laggs_equal", "fail", "eth4 is not on bond1 yet", node="fw1")


@pytest.mark.parametrize(("check", "path", "value", "status", "words"), [
    ("laggs_equal", "interfaces.3.lagg", None, "fail", ["bond1 is not there as a LAGG"]),
    ("laggs_equal", "interfaces.3.name", "bond7", "fail", ["bond1 is not there"]),
    ("laggs_equal", "interfaces.3.lagg.protocol", "failover", "fail", ["failover instead of lacp"]),
    ("laggs_equal", "interfaces.3.lagg.protocol", None, "fail", ["None instead of lacp"]),
    ("lagg_members", "interfaces.3.lagg.ports.1.up", False, "warn", ["eth5 of bond1 is down"]),
    ("lagg_members", "interfaces.3.lagg.ports.1.up", None, "error", ["eth5", "not known"]),
    ("lagg_members", "interfaces.3.lagg.ports.1.name", "eth9", "fail", ["eth5 is no member", "eth9 is a member of bond1, and not planned"]),
    ("lagg_members", "interfaces.3.lagg.ports", [], "fail", ["eth4, eth5 is no member"]),
    ("lagg_members", "interfaces.3.lagg.ports", None, "error", ["not known"]),
    ("lagg_lacp", "interfaces.3.lagg.partner", None, "fail", ["no LACP partner"]),
    ("lagg_lacp", "interfaces.3.lagg.ports.1.aggregator", 2, "fail", ["eth5 is not in the aggregator"]),
    ("lagg_lacp", "interfaces.3.lagg.ports.1.aggregator", None, "fail", ["eth5 is not in the aggregator"]),
    ("lagg_lacp", "interfaces.3.lagg.ports.1.distributing", False, "fail", ["eth5 of bond1 does not collect and distribute"]),
    ("lagg_lacp", "interfaces.3.lagg.ports.1.collecting", None, "fail", ["eth5 of bond1 does not collect and distribute"]),
    ("lagg_lacp", "interfaces.3.lagg.aggregator", None, "error", ["not known"]),
    ("lagg_spare", "interfaces.3.lagg.ports.1.up", False, "warn", ["bond1 has eth4 left of 2", "single point of failure"]),
    ("lagg_spare", "interfaces.3.lagg.ports.1.aggregator", 2, "warn", ["bond1 has eth4 left of 2"]),
    ("lagg_spare", "interfaces.3.lagg.ports.1.up", None, "error", ["not known"]),
    ("state_sync_enabled", "engine.enabled", False, "fail", ["does not start at boot"]),
    ("state_sync_enabled", "engine.masked", True, "fail", ["masked"]),
    ("state_sync_enabled", "engine.running", False, "fail", ["does not run"]),
    ("state_sync_enabled", "engine.installed", False, "fail", ["not installed"]),
    ("state_sync_enabled", "engine.enabled", None, "error", ["enabled", "fw2"]),
    ("engine_running", "engine.running", False, "fail", ["does not run"]),
    ("engine_running", "engine.running", None, "error", ["fw2"]),
    ("engine_running", "engine.running", "yes", "error", ["fw2"]),
    ("engine_running", "engine.joined", False, "fail", ["sync0", "225.0.0.50", "hears nothing"]),
    ("engine_running", "engine.joined", None, "error", ["225.0.0.50", "fw2"]),
    ("config_current", "engine.config_current", False, "fail", ["engine runs with another"]),
    ("config_current", "vrrp.config_current", False, "fail", ["virtual addresses' service"]),
    ("config_current", "vrrp.config_current", None, "error", ["fw2"]),
    ("settings_agree", "engine.config.mode", "alarm", "fail", ["fw2", "mode", "alarm", "ftfw"]),
    ("settings_agree", "engine.config.port", 3781, "fail", ["fw2", "port", "3781", "3780"]),
    ("settings_agree", "engine.config.group", "225.0.0.51", "fail", ["group", "225.0.0.51"]),
    ("settings_agree", "engine.config.interface", "lan0", "fail", ["interface", "lan0", "sync0"]),
    ("settings_agree", "engine.config.address", "198.51.100.131", "fail", ["address", "198.51.100.131"]),
    ("settings_agree", "engine.config.external_cache", True, "fail", ["external_cache", "on", "off"]),
    ("settings_agree", "engine.config.checksum", False, "fail", ["checksum differs: fw1 has on, fw2 has off"]),
    ("settings_agree", "engine.config.transport", "unicast", "fail", ["transport"]),
    ("settings_agree", "engine.config.mode", None, "error", ["mode", "fw2"]),
    ("quiet_states", "engine.refresh.enabled", False, "warn", ["age out"]),
    ("quiet_states", "engine.refresh", None, "error", ["fw2"]),
    ("quiet_states", "vrrp.instances.0.state", None, "error", ["fw2"]),
    ("maintenance", "maintenance", True, "warn", ["in maintenance"]),
    ("maintenance", "maintenance", None, "error", ["fw2"]),
    ("pass_rule", "pass_rule.present", False, "fail", ["not there"]),
    ("pass_rule", "pass_rule.persistent", False, "fail", ["survive"]),
    ("pass_rule", "pass_rule.effective", False, "fail", ["does not get in"]),
    ("pass_rule", "pass_rule.effective", None, "error", ["gets in"]),
    ("pass_rule", "pass_rule.persistent", None, "error", ["survives"]),
    ("pass_rule", "pass_rule.blockers", ["inet raw input: udp drop"], "fail", ["inet raw input: udp drop"]),
    ("pass_rule", "pass_rule.broader", ["inet filter input: accept"], "warn", ["broader", "inet filter input: accept"]),
    ("pass_rule", "pass_rule.filtered", False, "warn", ["no chain"]),
    ("pass_rule", "pass_rule.blockers", None, "error", ["fw2"]),
    ("pass_rule", "pass_rule.blockers", ["may be dropped, not understood: @0 block drop"], "error", ["may be dropped, not understood: @0 block drop"]),
    ("sync_dedicated", "interfaces.0.addresses", ["198.51.100.130/28", "203.0.113.9/24"], "warn", ["203.0.113.9/24"]),
    ("sync_isolated", "segment.neighbours.0", {"address": "198.51.100.140", "mac": "02:00:00:00:00:99", "how": "arp"}, "fail",
     ["198.51.100.140", "02:00:00:00:00:99"]),
    ("sync_isolated", "segment.neighbours.0", {"address": "198.51.100.129", "mac": "02:00:00:00:00:99", "how": "arp"}, "fail", ["198.51.100.129"]),
    ("sync_isolated", "segment.interface", "lan0", "error", ["lan0"]),
    ("mtu_equal", "interfaces.0.mtu", 9000, "fail", ["fw1 has 1500", "fw2 has 9000"]),
    ("mtu_equal", "interfaces.0.mtu", None, "error", ["fw2"]),
    ("sync_speed", "interfaces.0.speed", 100, "fail", ["100 Mbit/s", "10000 Mbit/s"]),
    ("sync_speed", "interfaces.0.speed", 1000, "pass", ["1000 Mbit/s"]),
    ("sync_speed", "interfaces.0.speed", None, "skipped", ["no speed", "sync0"]),
    ("sync_speed", "interfaces.1.speed", None, "skipped", ["no speed", "lan0"]),
    ("sync_speed", "interfaces.0.up", False, "fail", ["down"]),
    ("sync_speed", "interfaces.0.name", "other", "error", ["sync0"]),
    ("versions_equal", "packages.conntrackd", "1.4.8", "warn", ["conntrackd", "1.4.7", "1.4.8"]),
    ("versions_equal", "kernel", "6.12.0", "warn", ["kernel", "6.12.0"]),
    ("versions_equal", "packages.keepalived", None, "fail", ["keepalived is not installed on fw2"]),
    ("versions_equal", "kernel", None, "error", ["fw2"]),
    ("roles_disjoint", "vrrp.instances.0.state", "fault", "warn", ["fw2 is in fault"]),
    ("roles_disjoint", "vrrp.instances.0.state", None, "error", ["lan_10_ipv4", "fw2"]),
    ("roles_disjoint", "vrrp.instances.0.state", "active", "fail", ["split brain", "fw1 and fw2"]),
    ("roles_disjoint", "vrrp.running", False, "fail", ["does not run on fw2"]),
    ("roles_disjoint", "vrrp.enabled", False, "warn", ["service of fw2 does not start at boot"]),
    ("roles_disjoint", "vrrp.enabled", None, "error", ["starts at boot is not known on fw2"]),
    ("roles_disjoint", "vrrp.running", None, "error", ["fw2"]),
    ("roles_disjoint", "interfaces.1.addresses", ["192.0.2.1/24"], "fail", ["fw2 has 192.0.2.1", "without being active"]),
])
def test_each_deviation_of_one_node_has_its_status_and_names_what_is_wrong(pair, check, path, value, status, words):
    pair.put(path, value).says(check, status, *words)
    if status in ("fail", "error"):
        assert check in {result["id"] for result in failed(pair.results())}


def test_settings_are_compared_with_the_plan_and_among_the_nodes(pair):
    pair.put("engine.config.mode", "notrack")
    assert [result["status"] for result in pair.of("settings_agree", "fw1")] == ["pass"]
    pair.says("settings_agree", "fail", "fw2 runs with mode notrack, the plan says ftfw", node="fw2")
    pair.says("settings_agree", "fail", "mode differs: fw1 has ftfw, fw2 has notrack", node=None)
    assert pair.of("settings_agree", None)[0]["status"] == "fail"


def test_two_ways_to_write_an_address_are_one(pair):
    for node in NODES:
        pair.put("state_sync.group", "FF02:0::1:50", node, pair.plans).put("engine.config.group", "ff02::1:50", node)
    assert {result["status"] for result in pair.of("settings_agree")} == {"pass"}


def test_a_unicast_peer_is_compared_too(pair):
    for node, peer in (("fw1", SYNC["fw2"]), ("fw2", SYNC["fw1"])):
        for key, value in (("transport", "unicast"), ("group", None), ("peer", peer)):
            pair.put("state_sync." + key, value, node, pair.plans).put("engine.config." + key, value, node)
    assert {result["status"] for result in pair.of("settings_agree")} == {"pass"}
    pair.put("engine.config.peer", "198.51.100.140").says("settings_agree", "fail", "peer 198.51.100.140", node="fw2")


@pytest.mark.parametrize(("found", "status", "words"), [
    ({"1": 59}, "fail", ["from fw1 to fw2", "only 59 of 60"]), ({"1": 0}, "fail", ["only 0 of 60"]), ({}, "error", ["from fw1 to fw2"]),
    (None, "error", ["no marked states were looked for"]), ({"1": "many"}, "error", []), ("odd", "error", []), ({"1": True}, "error", [])])
def test_every_ordered_pair_must_have_all_its_states(pair, found, status, words):
    pair.probe["fw2"] = found
    pair.says("states_travel", status, *words, node="fw2")
    pair.says("states_travel", "pass", "from fw2 to fw1: 60 of 60", node="fw1")


def test_without_a_probe_nothing_is_known_of_travel(pair):
    pair.probe = {}
    assert [result["status"] for result in pair.of("states_travel")] == ["error", "error"]


def test_three_nodes_are_six_pairs(pair):
    plans, evidence = copy.deepcopy(pair.plans), copy.deepcopy(pair.evidence)
    plans["fw3"], evidence["fw3"] = copy.deepcopy(plans["fw2"]), copy.deepcopy(evidence["fw2"])
    for plan in plans.values():
        plan["members"] = ["fw1", "fw2", "fw3"]
    probe = {"fw1": {"2": 60, "3": 60}, "fw2": {"1": 60, "3": 0}, "fw3": {"1": 60, "2": 60}}
    travel = [result for result in judge(plans, evidence, probe, 60) if result["id"] == "states_travel"]
    assert len(travel) == 6
    assert [(result["node"], result["reason"]) for result in travel if result["status"] != "pass"] == [
        ("fw2", "from fw3 to fw2: only 0 of 60 states arrived")]


@pytest.mark.parametrize(("path", "value", "status", "words"), [
    ("engine.refresh.last_run", 995.0, "pass", ["5 s ago"]),
    ("engine.refresh.last_run", 900.0, "fail", ["100 s ago", "every 10 s"]),
    ("engine.refresh.last_run", None, "error", ["refreshed last"]),
    ("collected_at", None, "error", ["fw1"]),
])
def test_the_active_node_must_have_refreshed_lately(pair, path, value, status, words):
    pair.put(path, value, "fw1").says("quiet_states", status, *words, node="fw1")


def test_a_node_that_has_just_become_active_need_not_have_refreshed_yet(pair):
    pair.put("engine.refresh.last_run", None, "fw1").put("vrrp.since", 990.0, "fw1").says("quiet_states", "skipped", "active for only 10 s", node="fw1")


def test_a_refresh_that_the_plan_switches_off_is_told(pair):
    pair.put("state_sync.refresh_interval", 0, "fw1", pair.plans).says("quiet_states", "warn", "switched off in the plan", node="fw1")


def test_an_ipv6_group_is_heard_on_an_interface_without_an_address(pair):
    for node, address in (("fw1", "2001:db8:5::1"), ("fw2", "2001:db8:5::2")):
        pair.put("state_sync.group", "ff15::e100:32", node, pair.plans).put("state_sync.address", address, node, pair.plans)
        pair.put("engine.config.group", "ff15::e100:32", node).put("engine.config.address", None, node)
    pair.says("settings_agree", "pass", "ff15::e100:32", node="fw1")


def test_states_in_an_external_cache_need_no_refresh(pair):
    pair.put("state_sync.external_cache", True, "fw1", pair.plans).put("engine.refresh", None, "fw1")
    pair.says("quiet_states", "skipped", "external cache", node="fw1")


def test_nobody_active_fails(pair):
    for index in (0, 1):
        pair.put("vrrp.instances.%d.state" % index, "standby", "fw1").put("interfaces.%d.addresses" % (index + 1), [], "fw1")
    pair.says("roles_disjoint", "fail", "lan_10_ipv4: active on no node")


def test_nobody_active_with_a_state_unknown_is_an_error_because_that_node_may_be_it(pair):
    for index in (0, 1):
        pair.put("vrrp.instances.%d.state" % index, None, "fw1").put("interfaces.%d.addresses" % (index + 1), [], "fw1")
    assert [result["status"] for result in pair.of("roles_disjoint")] == ["error"]


def test_an_active_node_without_its_address_fails(pair):
    pair.put("interfaces.1.addresses", [], "fw1").says("roles_disjoint", "fail", "fw1 is active without 192.0.2.1")


def test_ids_active_on_different_nodes_fail(pair):
    pair.put("vrrp.instances.1.state", "standby", "fw1").put("interfaces.2.addresses", [], "fw1")
    pair.put("vrrp.instances.1.state", "active", "fw2").put("interfaces.2.addresses", ["2001:db8:2::1/64"], "fw2")
    pair.says("roles_disjoint", "fail", "not all ids are active on the same node: fw1, fw2")


def test_an_address_that_a_dead_service_left_behind_fails(pair):
    pair.put("vrrp.running", False, "fw2").put("interfaces.2.addresses", ["2001:db8:2:0::1/64"], "fw2")
    pair.says("roles_disjoint", "fail", "fw2 has 2001:db8:2::1 without being active")


def test_a_fault_in_maintenance_is_as_it_should_be(pair):
    pair.put("vrrp.instances.0.state", "fault").put("vrrp.instances.1.state", "fault").put("maintenance", True)
    assert [result["status"] for result in pair.of("roles_disjoint")] == ["pass"]


def test_all_nodes_in_maintenance_fail(pair):
    pair.put("maintenance", True, "fw1").put("maintenance", True, "fw2").says("maintenance", "fail", "fw1, fw2", node=None)


def test_another_rule_that_lets_the_traffic_in_is_a_warning_and_nothing_that_does_is_a_failure(pair):
    pair.put("pass_rule.present", False).put("pass_rule.broader", ["ip filter input: accept"]).says("pass_rule", "warn", "ip filter input: accept")
    pair.put("pass_rule.effective", False).says("pass_rule", "fail", "not there", "does not get in")


def test_a_shared_sync_interface_is_reported_and_not_blamed_for_its_other_hosts(pair):
    for plan in pair.plans.values():
        plan["virtual_ip"]["instances"][0]["interface"] = "sync0"
    pair.put("segment.neighbours.0", {"address": "192.0.2.77", "mac": "02:00:00:00:00:99", "how": "heard"})
    pair.says("sync_dedicated", "warn", "sync0 also carries the virtual addresses 192.0.2.1/24")
    pair.says("sync_isolated", "warn", "192.0.2.77", node="fw2")
    assert pair.of("sync_isolated", "fw2")[0]["status"] == "warn"
    # Not even there may another send states.
    pair.put("watch.senders.0", stranger()).says("sync_isolated", "fail", "198.51.100.140", "02:00:00:00:00:99", "sends states", node="fw2")


def test_on_a_shared_sync_interface_sync_traffic_is_told_from_the_rest(pair):
    for node, plan in pair.plans.items():
        plan["virtual_ip"]["instances"][0]["interface"] = "sync0"
        # In each of two seconds 11000 bytes of sync, and 20000 of others.
        pair.put("traffic.interfaces.sync0", {"rx_bytes": 31_000, "tx_bytes": 31_000}, node)
    pair.says("sync_bandwidth", "pass", "10000 bytes/s of sync traffic, 70000 bytes/s carried: 14.3 %")


def test_a_member_is_known_by_its_address_only_while_nobody_has_read_its_hardware_address(pair):
    pair.put("interfaces", None, "fw1").says("sync_isolated", "pass", "fw1", node="fw2")
    pair.put("segment.neighbours.0.address", "198.51.100.140").says("sync_isolated", "fail", "198.51.100.140", node="fw2")


def test_a_member_heard_by_another_of_its_addresses_is_still_that_member(pair):
    pair.put("segment.neighbours.0.address", "fe80::1").says("sync_isolated", "pass", "fw1", node="fw2")


@pytest.mark.parametrize(("row", "words"), [
    (stranger(), ["198.51.100.140 (02:00:00:00:00:99, sends pfsync of version 5)"]),
    # A forged source address passes the pass rule.
    (stranger(address="198.51.100.129"), ["02:00:00:00:00:99 (with the address 198.51.100.129 of fw1"]),
    (stranger(macs=["02:00:00:00:00:01", "02:00:00:00:00:99"], address="198.51.100.129"), ["02:00:00:00:00:99 (with the address 198.51.100.129 of fw1"]),
    (stranger(macs=[]), ["198.51.100.140", "not known"]),
])
def test_whoever_sends_states_and_is_no_member_is_found(pair, row, words):
    pair.evidence["fw2"]["watch"]["senders"].append(row)
    pair.says("sync_isolated", "fail", *words, node="fw2")
    pair.says("sync_isolated", "pass", node="fw1")


@pytest.mark.parametrize("row", [stranger(address="fe80::1", macs=["02:00:00:00:00:01"]), stranger(macs=["02:00:00:00:00:01"])])
def test_a_member_that_sends_from_another_of_its_addresses_is_no_stranger(pair, row):
    pair.evidence["fw2"]["watch"]["senders"].append(row)
    pair.says("sync_isolated", "pass", node="fw2")


@pytest.mark.parametrize(("path", "value", "status", "words"), [
    ("watch", None, "error", ["who sends on the Sync network is not known on fw2"]), ("watch.interface", "lan0", "error", ["not known"]),
    ("watch.truncated", True, "warn", ["more packets than could be looked at"]), ("watch.truncated", None, "warn", ["more packets"]),
    ("watch.senders", [], "pass", ["only members"]), ("watch.senders", [7], "error", ["not known"])])
def test_isolation_is_judged_by_who_sends_too(pair, path, value, status, words):
    pair.put(path, value).says("sync_isolated", status, *words, node="fw2")
    assert {result["status"] for result in pair.of("sync_isolated", "fw2")} == {status}


@pytest.mark.parametrize(("path", "value"), [("watch.senders.1.bytes_per_second", None), ("watch.seconds", 0), ("watch.senders", None)])
def test_sync_traffic_that_nobody_measured_is_not_in_proportion(pair, path, value):
    pair.put(path, value).says("sync_bandwidth", "error", "how much sync traffic there is is not known on fw2")


def test_silence_in_which_not_even_a_member_was_heard_proves_nothing(pair):
    pair.put("segment.neighbours", []).says("sync_isolated", "pass", "fw1", node="fw2")
    pair.put("watch.senders", []).says("sync_isolated", "error", "not even a member", node="fw2")


def test_listening_alone_does_not_prove_isolation(pair):
    pair.put("segment.asked", 0).put("segment.echo", False).says("sync_isolated", "warn", "nobody was asked", node="fw2")


def test_bandwidth_is_told_with_both_numbers(pair):
    pair.says("sync_bandwidth", "pass", "10000 bytes/s of sync traffic", "100000 bytes/s carried", "10.0 %")
    pair.put("watch.senders.0.bytes_per_second", 30_000.0).says("sync_bandwidth", "warn", "30.0 %")


def test_a_full_sync_link_fails_whatever_is_carried(pair):
    pair.put("watch.senders.0.bytes_per_second", 11_000_000).put("interfaces.0.speed", 100).says("sync_bandwidth", "fail", "88.0 %", "100 Mbit/s")


def test_a_share_of_nearly_nothing_is_not_told(pair):
    for device in ("lan0", "wan0"):
        pair.put("traffic.interfaces." + device, {"rx_bytes": 9, "tx_bytes": 9}, "fw1")
    pair.says("sync_bandwidth", "skipped", "too little", "10000 bytes/s of sync traffic", "9 bytes/s carried")


def test_switched_off_state_sync_is_a_warning_and_its_checks_are_skipped(pair):
    for plan in pair.plans.values():
        plan["state_sync"] = {"enabled": False}
    pair.says("state_sync_enabled", "warn", "connections are lost at a failover", "yet the engine runs", node="fw1")
    about_sync = {"engine_running", "settings_agree", "states_travel", "quiet_states", "pass_rule", "sync_dedicated", "sync_isolated", "mtu_equal",
                  "sync_speed", "sync_bandwidth"}
    assert {result["status"] for result in pair.results() if result["id"] in about_sync} == {"skipped"}
    assert failed(pair.results()) == []


def test_without_virtual_addresses_there_are_no_roles_to_judge(pair):
    for plan in pair.plans.values():
        plan["virtual_ip"]["instances"] = []
    assert {check: pair.of(check)[0]["status"] for check in ("roles_disjoint", "maintenance", "quiet_states", "sync_speed")} == dict.fromkeys(
        ("roles_disjoint", "maintenance", "quiet_states", "sync_speed"), "skipped")


def test_an_unknown_has_the_reason_that_the_evidence_gives(pair):
    pair.put("pass_rule", None).put("errors", [{"area": "pass_rule", "reason": "nft is not installed"}])
    pair.says("pass_rule", "error", "fw2", "nft is not installed")


@pytest.mark.parametrize("nothing", [None, {}, "text", []])
def test_a_node_without_evidence_passes_nothing_and_is_named(pair, nothing):
    pair.evidence["fw2"] = nothing
    pair.probe["fw2"] = None
    assert [result for result in pair.results() if result["status"] == "pass" and result["node"] in ("fw2", None)] == []
    pair.says("engine_running", "error", "there is no evidence of fw2")
    del pair.evidence["fw2"]
    pair.says("roles_disjoint", "error", "there is no evidence of fw2")


@pytest.mark.parametrize("area", ALL_AREAS)
@pytest.mark.parametrize("check", sorted(CHECKS))
def test_no_check_passes_without_the_evidence_that_it_lives_on(pair, check, area):
    needs_its_evidence(pair, check, area, AREAS)


def test_two_clusters_are_judged_apart(pair):
    other = {node + "b": dict(copy.deepcopy(plan), cluster="other", members=["fw1b", "fw2b"]) for node, plan in pair.plans.items()}
    results = judge({**pair.plans, **other}, pair.evidence, pair.probe, 60)
    assert {result["status"] for result in results if result["cluster"] == "edge"} == {"pass", "skipped"}
    assert {result["status"] for result in results if result["cluster"] == "other"} == {"error", "skipped"}


def test_a_member_without_a_plan_is_refused_rather_than_left_out(pair):
    del pair.plans["fw2"]
    with pytest.raises(ValueError, match="no plan for fw2"):
        pair.results()


def paths_of(value, path=()):
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths_of(item, (*path, key))


KEYS = st.sampled_from(["name", "state", "reason", "area", "mac", "address", "addresses", "config"])
ODD = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
                   lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2), max_leaves=4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from(list(paths_of(evidence_of("fw1")))), ODD), max_size=4), ODD)
def test_no_evidence_whatever_its_shape_stops_the_judgement(changes, found):
    case = healthy()
    for node, path, value in changes:
        place = case.evidence
        for key in (node, *path)[:-1]:
            place = place[key] if isinstance(place, dict) and key in place else place[key] if isinstance(place, list) and key in range(len(place)) else {}
        if isinstance(place, dict):
            place[(node, *path)[-1]] = value
    case.probe["fw1"] = found
    results = case.results()
    assert {result["id"] for result in results} == set(CHECKS)
    assert all(result["status"] in STATUSES and isinstance(result["reason"], str) and result["reason"] for result in results)
