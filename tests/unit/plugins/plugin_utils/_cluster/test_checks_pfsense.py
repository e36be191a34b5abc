# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of a pair of pfSense nodes: each passes on good evidence, fails on what it is there to find, and never passes on what is not known."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks import failed, judge
from check_cases import NODES, SYNC, Case, is_judged_whole, needs_a_node, needs_its_evidence, odd_changes, passes_all_but, pf_evidence, pf_plan
from hypothesis import given

# Without a meaning on pfSense, or for a cluster without LAGGs.
SKIPPED = {"quiet_states", "laggs_equal", "lagg_members", "lagg_lacp", "lagg_spare", "bulk_done", "state_interfaces", "rules_equal", "pfsync_mtu"}
# The evidence that each check lives on: with any of it gone, it must not pass.
AREAS = {
    "state_sync_enabled": ["engine"], "engine_running": ["engine"], "config_current": ["engine"], "settings_agree": ["engine"],
    "states_travel": ["engine"], "formats_agree": ["engine"], "peer_understood": ["engine"],
    "host_ids": ["engine"], "devices_equal": ["interfaces"], "state_policy_equal": ["state_policy"],
    "roles_disjoint": ["vrrp", "interfaces"], "maintenance": ["maintenance"], "demotion": ["vrrp"], "carp_agrees": ["vrrp", "maintenance"],
    "pass_rule": ["pass_rule"], "sync_dedicated": ["interfaces"], "sync_isolated": ["segment", "watch"], "mtu_equal": ["interfaces"],
    "sync_speed": ["interfaces"], "sync_bandwidth": ["traffic", "watch"], "config_sync": ["config_sync", "pass_rule", "vrrp"], "interface_keys": ["interfaces"],
    "config_versions": ["config"], "versions_equal": ["os"],
}
ALL_AREAS = sorted({area for areas in AREAS.values() for area in areas})


def plan_of(node):
    return pf_plan(node, "pfsense", "floating", ["192.0.2.1/24", "192.0.2.9/24"], received=node == "fw2")


def evidence_of(node):
    active = node == "fw1"
    engine = {"counters": {"bad_action": 0, "bad_version": 0}, "tables": {"kernel": 1000, "kernel_max": 100000}}
    return pf_evidence(
        plan_of(node), "_vip%d", {"em2": "opt1", "em0": "lan", "em1": "wan"}, engine, {}, kernel="15.0-CURRENT",
        os={"id": "pfsense", "version": "2.8.0", "edition": "CE", "base": "15.0-CURRENT"},
        config={"version": "23.7", "revision": {"time": 1795000000, "description": "x", "username": "admin"}},
        config_sync={"target": SYNC["fw2"] if active else None, "sections": ["rules", "nat", "virtualip"] if active else []})


def healthy():
    return Case(plan_of, evidence_of, {})


@pytest.fixture
def pair():
    return healthy()


def test_a_healthy_pair_passes_every_check_and_no_reason_speaks_of_linux(pair):
    passes_all_but(pair, SKIPPED, AREAS, ("conntrack", "keepalived", "systemd", "nft", "chain"))


@pytest.mark.parametrize(("check", "path", "value", "status", "words"), [
    ("state_sync_enabled", "engine.enabled", False, "fail", ["not in the node's configuration"]),
    ("state_sync_enabled", "engine.running", False, "fail", ["pfsync0 is not up"]),
    ("state_sync_enabled", "engine.empty", True, "warn", ["shows as off"]),
    ("state_sync_enabled", "engine.enabled", None, "error", ["fw2"]),
    ("engine_running", "engine.running", False, "fail", ["does not run"]),
    ("engine_running", "engine.synced", False, "warn", ["syncok 0"]),
    ("engine_running", "engine.synced", None, "error", ["fw2"]),
    ("config_current", "engine.config_current", False, "fail", ["another configuration than is stored"]),
    ("config_current", "engine.config_current", None, "error", ["fw2"]),
    ("settings_agree", "engine.config.transport", "unicast", "fail", ["transport", "unicast", "multicast"]),
    ("settings_agree", "engine.config.interface", "em3", "fail", ["interface em3", "em2"]),
    ("settings_agree", "engine.config.address", "198.51.100.131", "fail", ["198.51.100.131"]),
    ("settings_agree", "engine.config.version", 1301, "warn", ["version differs: fw1 has 1400, fw2 has 1301"]),
    ("settings_agree", "engine.config.version", None, "warn", ["version differs"]),
    ("settings_agree", "engine.config.address", None, "error", ["address", "fw2"]),
    ("formats_agree", "engine.config.version", None, "fail", ["from fw1 to fw2", "no choice and understands 1301 alone"]),
    ("formats_agree", "engine.config", None, "error", ["the format of messages is not known on fw2"]),
    ("peer_understood", "engine.counters", None, "error", ["fw2"]),
    ("host_ids", "engine.host_id", "00A1", "fail", ["fw1 and fw2 have the same host id a1"]),
    ("host_ids", "engine.host_id", "c3", "fail", ["fw2 has host id c3, the plan says b2"]),
    ("host_ids", "engine.host_id", None, "error", ["fw2"]),
    ("host_ids", "engine.host_id", "x", "error", ["fw2"]),
    ("host_ids", "engine.creators", ["a1", "b2", "dead"], "warn", ["fw2 holds states of dead", "stranger"]),
    ("devices_equal", "interfaces.1.name", "igb0", "fail", ["fw2 has no em0, its lan"]),
    ("state_policy_equal", "state_policy", "if-bound", "fail", ["fw2 has if-bound, the plan says floating", "fw1 has floating, fw2 has if-bound"]),
    ("state_policy_equal", "state_policy", "bound", "error", ["fw2"]),
    ("demotion", "vrrp.demotion", 240, "fail", ["demoted by 240"]),
    ("demotion", "vrrp.demotion", -240, "fail", ["demoted by -240"]),
    ("demotion", "vrrp.demotion", None, "error", ["fw2"]),
    ("demotion", "vrrp.demotion", False, "error", ["fw2"]),
    ("carp_agrees", "vrrp.instances.0.advskew", 0, "fail", ["lan_10_ipv4 has advskew 0, the plan says 100"]),
    ("carp_agrees", "vrrp.instances.0.advbase", 2, "fail", ["lan_10_ipv4 has advbase 2, the plan says 1"]),
    ("carp_agrees", "vrrp.instances.0.advskew", None, "error", ["advskew of lan_10_ipv4"]),
    ("carp_agrees", "vrrp.instances.0.id", 11, "fail", ["lan_10_ipv4 is not there as vhid 10 on em0"]),
    ("carp_agrees", "maintenance", True, "fail", ["advskew 100, maintenance means 254"]),
    ("config_sync", "config_sync.target", SYNC["fw1"], "fail", ["a secondary sends its configuration to 198.51.100.129"]),
    ("config_sync", "config_sync", {}, "error", ["fw2"]),
    ("interface_keys", "interfaces.0.key", "opt2", "fail", ["sync is opt1 on fw1, opt2 on fw2"]),
    ("interface_keys", "interfaces.0.key", None, "fail", ["em2, the sync of fw2, is assigned to no interface"]),
    ("interface_keys", "interfaces.0", {"name": "em2"}, "error", ["what em2 is assigned to"]),
    ("interface_keys", "interfaces.0.name", "em9", "fail", ["fw2 has no em2"]),
    ("config_versions", "config.version", "24.0", "fail", ["fw1 has 23.7, fw2 has 24.0", "sends nothing"]),
    ("config_versions", "config.version", None, "error", ["fw2"]),
    ("versions_equal", "os.version", "2.7.2", "warn", ["release differs: fw1 has 2.8.0, fw2 has 2.7.2"]),
    ("versions_equal", "os.edition", "Plus", "warn", ["edition differs"]),
    ("versions_equal", "os.base", "14.0-CURRENT", "warn", ["base differs: fw1 has 15.0-CURRENT, fw2 has 14.0-CURRENT"]),
    ("versions_equal", "os.base", None, "error", ["fw2"]),
    ("roles_disjoint", "vrrp.instances.0.state", "active", "fail", ["split brain", "fw1 and fw2"]),
    ("roles_disjoint", "vrrp.instances.0.state", "fault", "warn", ["fw2 is in fault"]),
    ("roles_disjoint", "vrrp.running", False, "fail", ["CARP is switched off on fw2"]),
    ("roles_disjoint", "interfaces.1.addresses", ["192.0.2.3/24", "192.0.2.1/24"], "fail", ["fw2 has no 192.0.2.9, and could not take over"]),
    ("pass_rule", "pass_rule.filtered", False, "fail", ["the packet filter is off"]),
    ("pass_rule", "pass_rule.present", False, "fail", ["not there"]),
    ("pass_rule", "pass_rule.broader", ["rule 3: pass all"], "warn", ["broader"]),
    ("mtu_equal", "interfaces.0.mtu", 9000, "fail", ["fw2 has 9000"]),
    ("maintenance", "maintenance", True, "warn", ["in maintenance"]),
])
def test_each_deviation_of_one_node_has_its_status_and_names_what_is_wrong(pair, check, path, value, status, words):
    pair.put(path, value).says(check, status, *words)
    if status in ("fail", "error"):
        assert check in {result["id"] for result in failed(pair.results())}


# Which node made a state

def test_states_travel_when_each_holds_what_the_other_made(pair):
    assert [(result["node"], result["status"]) for result in pair.of("states_travel")] == [("fw1", "pass"), ("fw2", "pass")]
    pair.says("states_travel", "pass", "from fw1 to fw2", "a1", "no way to insert a marked one", node="fw2")


def test_a_direction_in_which_nothing_came_fails(pair):
    pair.put("engine.creators", ["b2"]).says("states_travel", "fail", "from fw1 to fw2", "fw2 holds no state that a1 made", node="fw2")
    assert pair.of("states_travel", "fw1")[0]["status"] == "pass"


def test_without_a_state_of_its_own_there_is_none_to_travel(pair):
    pair.put("engine.creators", ["b2"]).put("engine.creators", ["b2"], "fw1").says("states_travel", "skipped", "fw1 holds no state", node="fw2")


@pytest.mark.parametrize(("path", "value", "node"), [("engine.host_id", None, "fw1"), ("engine.creators", None, "fw2"), ("engine.creators", ["zz"], "fw2"),
                                                     ("engine.host_id", "b2", "fw1")])
def test_what_is_not_known_of_creators_never_passes(pair, path, value, node):
    pair.put(path, value, node)
    assert pair.of("states_travel", "fw2")[0]["status"] == "error"


def test_a_sender_of_which_only_the_id_is_known_is_no_excuse(pair):
    pair.put("engine.creators", ["b2"]).put("engine.creators", None, "fw1")
    assert pair.of("states_travel", "fw2")[0]["status"] == "error"


def test_ids_are_the_same_however_they_are_written(pair):
    pair.put("engine.creators", ["000000A1", "B2"]).put("engine.host_id", "000000b2")
    assert {result["status"] for check in ("states_travel", "host_ids") for result in pair.of(check)} == {"pass"}


def test_an_id_that_nobody_planned_is_left_alone(pair):
    for node in NODES:
        pair.put("state_sync.host_id", None, node, pair.plans)
    pair.put("engine.host_id", "c3").put("engine.creators", ["a1", "c3"]).put("engine.creators", ["a1", "c3"], "fw1")
    assert pair.of("host_ids")[0]["status"] == "pass"


# Names of devices

def differ(pair):
    return pair.put("interfaces.lan", "igb0", "fw2", pair.plans).put("interfaces.1.name", "igb0")


def test_differing_devices_do_no_harm_where_states_float(pair):
    differ(pair).says("devices_equal", "pass", "lan is em0 on fw1, igb0 on fw2", "states float", "its state policy is floating")


@pytest.mark.parametrize("policy", ["if-bound", None])
def test_differing_devices_fail_where_states_are_bound(pair, policy):
    differ(pair).put("state_policy", policy).says("devices_equal", "fail", "lan is em0 on fw1, igb0 on fw2", "bound to names on fw2")


def test_a_device_that_is_not_there_is_told_beside_those_that_differ(pair):
    differ(pair).put("state_policy", "if-bound").put("interfaces.2.name", "em9")
    pair.says("devices_equal", "fail", "fw2 has no em1, its wan", "lan is em0 on fw1, igb0 on fw2")


def test_what_is_not_known_is_treated_as_bound_and_said(pair):
    differ(pair).put("state_policy", None).put("os", None).says("devices_equal", "fail", "on fw2 is not known, which is treated as bound")


def test_equal_devices_are_fine_whatever_they_are_bound_to(pair):
    pair.put("state_policy", "if-bound").put("state_policy", "if-bound", "fw1").says("devices_equal", "pass", "the same device on all nodes")


# State policy

def test_a_release_without_a_state_policy_is_not_asked_for_it(pair):
    for node in NODES:
        pair.put("state_policy", None, node).put("os.version", "2.7.2", node)
    pair.says("state_policy_equal", "skipped", "no setting")
    pair.put("os.version", "2.8.0").says("state_policy_equal", "error", "fw2")


def test_a_policy_that_nobody_planned_must_be_equal_all_the_same(pair):
    for node in NODES:
        pair.put("state_sync.state_policy", None, node, pair.plans)
    pair.says("state_policy_equal", "pass", "floating on all nodes")
    pair.put("state_policy", "if-bound").says("state_policy_equal", "fail", "fw1 has floating, fw2 has if-bound")


# CARP

def test_in_maintenance_the_skew_is_the_highest(pair):
    for place in (0, 1):
        pair.put(f"vrrp.instances.{place}.advskew", 254)
    pair.put("maintenance", True).says("carp_agrees", "pass", "as planned", node="fw2")
    # It demotes nothing there.
    pair.put("vrrp.demotion", 240).says("demotion", "fail", "demoted by 240", node="fw2")


def test_an_active_node_without_its_address_fails(pair):
    pair.put("interfaces.2.addresses", [], "fw1").says("roles_disjoint", "fail", "fw1 is active without 2001:db8:2::1")


def test_that_a_standby_has_the_addresses_is_no_split_brain(pair):
    pair.says("roles_disjoint", "pass", "fw1 is active for all 2 ids")


# Whose configuration goes where

def test_a_primary_that_sends_nothing_is_told(pair):
    pair.put("config_sync.target", None, "fw1").says("config_sync", "warn", "sends its configuration to nobody", node="fw1")


def test_a_configuration_that_goes_to_a_stranger_fails(pair):
    pair.put("config_sync.target", "203.0.113.77", "fw1").says("config_sync", "fail", "203.0.113.77, which is an address of no other member", node="fw1")
    pair.put("interfaces", None).says("config_sync", "error", "which addresses it has", node="fw1")


def test_a_pass_rule_that_the_next_save_deletes_is_named(pair):
    pair.put("pass_rule.present", False, "fw1").says("config_sync", "fail", "next save deletes the pass rule on fw2", node="fw1")
    pair.put("config_sync.sections", ["virtualip"], "fw1")
    assert pair.of("config_sync", "fw1")[0]["status"] == "pass"


def test_virtual_addresses_that_the_next_save_deletes_are_named(pair):
    pair.evidence["fw2"]["vrrp"]["instances"].append({"interface": "em2", "id": 77, "family": "ipv4", "state": "standby", "advskew": 100, "advbase": 1})
    pair.says("config_sync", "fail", "next save deletes vhid 77 (ipv4) on opt1 on fw2", node="fw1")
    pair.put("config_sync.sections", ["rules"], "fw1")
    assert pair.of("config_sync", "fw1")[0]["status"] == "pass"


def test_interfaces_are_compared_by_the_products_own_names(pair):
    # Another device on the second node, the same interface.
    pair.put("interfaces.1.name", "igb0").put("vrrp.instances.0.interface", "igb0")
    assert pair.of("config_sync", "fw1")[0]["status"] == "pass"


def test_a_skew_that_each_save_resets_is_told(pair):
    for place in (0, 1):
        pair.put(f"virtual_ip.instances.{place}.advskew", 120, "fw2", pair.plans)
    pair.says("config_sync", "warn", "each save of it sets advskew 100 on fw2, and the plan says 120: give fw2 priority 150", node="fw1")


@pytest.mark.parametrize("sections", [None, "rules", [5]])
def test_unknown_sections_are_an_error(pair, sections):
    pair.put("config_sync.sections", sections, "fw1").says("config_sync", "error", "which parts", node="fw1")


def test_versions_that_differ_are_a_warning_where_nothing_is_sent(pair):
    pair.put("config_sync.target", None, "fw1").put("config.version", "24.0").says("config_versions", "warn", "fw1 has 23.7, fw2 has 24.0")


# Unknown never passes

@pytest.mark.parametrize("nothing", [None, {}, "text"])
def test_a_node_without_evidence_passes_nothing(pair, nothing):
    needs_a_node(pair, nothing)


@pytest.mark.parametrize("area", ALL_AREAS)
@pytest.mark.parametrize("check", sorted(AREAS))
def test_no_check_passes_without_the_evidence_that_it_lives_on(pair, check, area):
    needs_its_evidence(pair, check, area, AREAS)


def test_switched_off_state_sync_skips_what_is_about_it(pair):
    for plan in pair.plans.values():
        plan["state_sync"] = {"enabled": False}
    pair.says("state_sync_enabled", "warn", "connections are lost at a failover", node="fw1")
    about_sync = {"engine_running", "settings_agree", "states_travel", "quiet_states", "pass_rule", "sync_dedicated", "sync_isolated", "mtu_equal",
                  "sync_speed", "sync_bandwidth", "host_ids", "devices_equal", "state_policy_equal", "config_current", "formats_agree", "peer_understood"}
    assert {result["status"] for result in pair.results() if result["id"] in about_sync} == {"skipped"}
    assert failed(pair.results()) == []


def test_without_virtual_addresses_nothing_is_asked_of_carp(pair):
    for plan in pair.plans.values():
        plan["virtual_ip"]["instances"] = []
    assert {result["status"] for check in ("roles_disjoint", "demotion", "carp_agrees") for result in pair.of(check)} == {"skipped"}


@pytest.mark.parametrize(("runs", "pinned", "status", "words"), [
    (1301, 1301, "pass", "as planned"), (1400, None, "fail", "fw2 sends format 1400, the plan says 1301"), (None, None, "pass", "as planned"),
    (1301, None, "warn", "fw2 sends format 1301 until its next boot only"), (1301, 1400, "warn", "until its next boot only"),
])
def test_a_planned_format_is_sent_now_and_after_the_next_boot(pair, runs, pinned, status, words):
    for plan in pair.plans.values():
        plan["state_sync"]["version"] = 1301
    for node, format_, kept in (("fw1", 1301, 1301), ("fw2", runs, pinned)):
        pair.evidence[node]["engine"]["config"]["version"], pair.evidence[node]["engine"]["pinned"] = format_, kept
    pair.says("settings_agree", status, words, node="fw2")
    assert ("version differs" in repr(pair.of("settings_agree"))) is (runs == 1400)


def test_three_nodes_are_six_directions(pair):
    plans, evidence = copy.deepcopy(pair.plans), copy.deepcopy(pair.evidence)
    plans["fw3"], evidence["fw3"] = copy.deepcopy(plans["fw2"]), copy.deepcopy(evidence["fw2"])
    evidence["fw3"]["engine"]["host_id"] = "c3"
    for host, plan in plans.items():
        plan["members"] = ["fw1", "fw2", "fw3"]
        evidence[host]["engine"]["creators"] = ["a1", "b2", "c3"]
    evidence["fw2"]["engine"]["creators"] = ["a1", "b2"]
    travel = [result for result in judge(plans, evidence, {}) if result["id"] == "states_travel"]
    assert len(travel) == 6
    assert [(result["node"], result["status"]) for result in travel if result["status"] != "pass"] == [("fw2", "fail")]


@given(odd_changes(evidence_of("fw1"), ["name", "key", "state", "target"]))
def test_no_evidence_whatever_its_shape_stops_the_judgement(changes):
    is_judged_whole(healthy(), changes)
