# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of a pair of FreeBSD nodes: each passes on good evidence, fails on what it is there to find, and never passes on what is not known."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks import failed, judge
from check_cases import NODES, Case, is_judged_whole, needs_a_node, needs_its_evidence, odd_changes, passes_all_but, pf_evidence, pf_plan
from hypothesis import given

CHECKSUM = "4a1f5d7d0aa4f3b7f2b4fd1b40a4c0de"
# Without a meaning on FreeBSD, or for a cluster without LAGGs.
SKIPPED = {"quiet_states", "laggs_equal", "lagg_members", "lagg_lacp", "lagg_spare", "config_sync", "interface_keys", "config_versions"}
# The evidence that each check lives on: with any of it gone, it must not pass.
AREAS = {
    "state_sync_enabled": ["engine"], "engine_running": ["engine"], "config_current": ["engine"], "settings_agree": ["engine"],
    "states_travel": ["engine"], "formats_agree": ["engine"], "peer_understood": ["engine"], "bulk_done": ["engine"], "host_ids": ["engine"],
    "devices_equal": ["interfaces"], "state_interfaces": ["engine", "interfaces"], "state_policy_equal": ["state_policy"], "rules_equal": ["engine"],
    "roles_disjoint": ["vrrp", "interfaces"], "maintenance": ["maintenance"], "demotion": ["vrrp"], "carp_agrees": ["vrrp", "maintenance"],
    "pass_rule": ["pass_rule"], "sync_dedicated": ["interfaces"], "sync_isolated": ["segment", "watch"], "mtu_equal": ["interfaces"],
    "pfsync_mtu": ["engine", "interfaces"], "sync_speed": ["interfaces"], "sync_bandwidth": ["traffic", "watch"], "versions_equal": ["os"],
}
ALL_AREAS = sorted({area for areas in AREAS.values() for area in areas})


def plan_of(node):
    return pf_plan(node, "freebsd", "if-bound", ["192.0.2.1/24"], version=None)


def evidence_of(node):
    engine = {
        "counters": {"bad_action": 0, "bad_version": 0, "received_messages": {"state-insert": 8, "bulk-update-mark": 2},
                     "sent_messages": {"uncompressed-state-request": 1}},
        "tables": {"kernel": 13, "kernel_max": 100000}, "checksum": CHECKSUM, "bulk": "done", "states_by_creator": {"a1": 9, "b2": 4},
        "states_by_interface": {"all": 1, "em0": 6, "em1": 6}, "mtu": 1500, "pinned": None}
    return pf_evidence(plan_of(node), "vhid %d", {}, engine, {"demotion_why": []}, kernel="14.2-RELEASE", os={
        "id": "freebsd", "version": "14.2-RELEASE", "userland": "14.2-RELEASE-p1", "installed_kernel": "14.2-RELEASE"})


def healthy():
    return Case(plan_of, evidence_of, {})


@pytest.fixture
def pair():
    return healthy()


def test_a_healthy_pair_passes_every_check_and_no_reason_speaks_of_linux_or_a_product(pair):
    passes_all_but(pair, SKIPPED, AREAS, ("conntrack", "keepalived", "systemd", "nft", "chain", "pfSense"))


@pytest.mark.parametrize(("check", "path", "value", "status", "words"), [
    ("engine_running", "engine.synced", False, "warn", ["syncok 0"]),
    ("formats_agree", "engine.config.version", 1301, "pass", ["from fw2 to fw1", "format 1301 is understood"]),
    ("formats_agree", "engine.config.version", None, "fail", ["from fw1 to fw2: format 1400 is dropped", "understands 1301 alone"]),
    ("formats_agree", "engine.config.version", 1500, "fail", ["from fw2 to fw1: format 1500 is dropped", "sends 1400 by itself"]),
    ("formats_agree", "engine.config", None, "error", ["the format of messages is not known on fw2"]),
    ("peer_understood", "engine.counters", None, "error", ["what pfsync has dropped is not known on fw2"]),
    ("peer_understood", "engine.counters.bad_action", None, "error", ["fw2"]),
    ("peer_understood", "engine.counters.bad_version", True, "error", ["fw2"]),
    ("peer_understood", "engine.counters.bad_action", 40, "warn", ["40 for an action that it does not know", "taken 8 inserts", "netstat -z"]),
    ("peer_understood", "engine.counters", {"bad_action": 40, "bad_version": 0, "received_messages": {"compressed-state-update": 90, "state-inserted-ack": 1},
                                            "sent_messages": {"uncompressed-state-request": 90}}, "fail",
     ["40 for an action that it does not know", "never inserted a state", "(90 requests)", "a format that it does not understand"]),
    ("peer_understood", "engine.counters", {"bad_action": 0, "bad_version": 7, "received_messages": {}, "sent_messages": {}}, "fail",
     ["7 packets for their version", "OpenBSD and FreeBSD"]),
    ("peer_understood", "engine.counters", {"bad_action": 40, "bad_version": 0, "received_messages": None, "sent_messages": None}, "error",
     ["which messages it took is not known"]),
    ("bulk_done", "engine.bulk", "failed", "warn", ["pfsync bulk fail", "quiet since then may be missing"]),
    ("bulk_done", "engine.bulk", "pending", "warn", ["CARP is demoted meanwhile"]),
    ("bulk_done", "engine.bulk", None, "skipped", ["messages do not tell"]),
    ("bulk_done", "engine.bulk", "what", "skipped", ["messages do not tell"]),
    ("state_interfaces", "engine.states_by_interface", {"all": 9}, "pass", ["name no interface"]),
    ("state_interfaces", "engine.states_by_interface", None, "skipped", ["so many states"]),
    ("state_interfaces", "engine.states_by_interface", {"em9": 1}, "warn", ["states on fw2 name em9, which fw1 does not have", "none of the cluster's"]),
    ("rules_equal", "engine.checksum", "00000000000000000000000000000000", "warn", ["fw1 has 4a1f5d7d, fw2 has 00000000", "the default rule"]),
    ("rules_equal", "engine.checksum", None, "error", ["fw2"]),
    ("rules_equal", "engine.checksum", CHECKSUM.upper(), "pass", ["on all nodes"]),
    ("pfsync_mtu", "engine.mtu", 9000, "fail", ["with more than 4080 a kernel of FreeBSD before 15 sends nothing", "full packets do not leave"]),
    ("pfsync_mtu", "engine.mtu", 1501, "fail", ["pfsync0 has MTU 1501, and em2 1500"]),
    ("pfsync_mtu", "engine.mtu", None, "error", ["the MTU of pfsync0 is not known on fw2"]),
    ("pfsync_mtu", "interfaces.0.mtu", None, "error", ["the MTU of em2 is not known on fw2"]),
    ("host_ids", "engine.host_id", "a1", "fail", ["fw1 and fw2 have the same host id a1"]),
    ("state_policy_equal", "state_policy", "floating", "fail", ["fw1 has if-bound, fw2 has floating"]),
    ("demotion", "vrrp.demotion", -240, "fail", ["demoted by -240", "this node is preferred"]),
    ("demotion", "vrrp.demotion", 240, "fail", ["demoted by 240 (net.inet.carp.demotion):"]),
    ("carp_agrees", "vrrp.instances.0.advskew", 0, "fail", ["lan_10_ipv4 has advskew 0, the plan says 100"]),
    ("versions_equal", "os.version", "14.1-RELEASE", "warn", ["release differs: fw1 has 14.2-RELEASE, fw2 has 14.1-RELEASE", "waits for a reboot",
                                                              "the kernel of 14.1-RELEASE and the userland of 14.2-RELEASE-p1: an upgrade is half done"]),
    ("versions_equal", "os.userland", "14.2-RELEASE-p2", "warn", ["userland differs"]),
    ("versions_equal", "os.userland", None, "error", ["fw2"]),
    ("versions_equal", "os.installed_kernel", "14.3-RELEASE", "warn", ["fw2 runs 14.2-RELEASE, and 14.3-RELEASE is installed"]),
    ("settings_agree", "engine.config.version", 1301, "warn", ["version differs"]),
    ("pass_rule", "pass_rule.filtered", False, "fail", ["the packet filter is off"]),
])
def test_each_deviation_of_one_node_has_its_status_and_names_what_is_wrong(pair, check, path, value, status, words):
    pair.put(path, value).says(check, status, *words)
    if status in ("fail", "error"):
        assert check in {result["id"] for result in failed(pair.results())}
    if status == "skipped":
        assert "pass" not in {result["status"] for result in pair.of(check, "fw2")}


# Formats

def test_a_node_that_is_set_to_an_older_format_may_understand_a_newer_one_and_that_is_not_known(pair):
    pair.put("engine.config.version", 1500, "fw1").put("engine.pinned", 1400)
    pair.says("formats_agree", "error", "from fw1 to fw2: format 1500 is sent, and fw2 is set to 1400", "not known", node="fw2")
    pair.put("engine.counters.bad_action", 3).says("formats_agree", "fail", "has dropped 3 packets", node="fw2")
    assert pair.of("formats_agree", "fw1")[0]["status"] == "pass"


def test_kernels_without_a_choice_understand_each_other(pair):
    for node in NODES:
        pair.put("engine.config.version", None, node)
    assert {result["status"] for result in pair.of("formats_agree")} == {"pass"}


@pytest.mark.parametrize(("seen", "status", "words"), [
    # ifconfig of an older userland tells no format, and the kernel sends its newest all the same.
    ([1400], "fail", "format 1400 is dropped"), ([1301], "pass", "format 1301 is understood, and was seen"), ([], "pass", "format 1301 is understood")])
def test_a_format_that_was_seen_beats_what_the_sender_says(pair, seen, status, words):
    for node in NODES:
        pair.put("engine.config.version", None, node)
    pair.put("watch.senders.0.formats", seen, "fw1").says("formats_agree", status, "from fw1 to fw2", words, node="fw2")


def test_who_was_seen_sending_a_format_understands_it(pair):
    pair.put("engine.config.version", 1500, "fw1").put("watch.senders.1.formats", [1500], "fw1").put("engine.pinned", 1400)
    pair.says("formats_agree", "pass", "format 1500 is understood", node="fw2")
    pair.says("formats_agree", "pass", "from fw2 to fw1: format 1500 is understood, and was seen", node="fw1")
    pair.put("engine.config", None).says("formats_agree", "error", "the format of messages is not known on fw2", node="fw1")


@pytest.mark.parametrize("formats", [None, ["1500"], [True], 1500])
def test_formats_of_an_odd_shape_are_none(pair, formats):
    pair.put("watch.senders.0.formats", formats).says("formats_agree", "pass", "format 1400 is understood", node="fw2")


# The first transfer

def test_an_active_node_that_nobody_answered_has_the_states_that_count(pair):
    pair.put("engine.bulk", "failed", "fw1").says("bulk_done", "skipped", "it is active now", node="fw1")


def test_a_standby_that_nobody_answered_fails_when_it_lacks_what_another_node_sends(pair):
    pair.put("engine.bulk", "failed").put("engine.creators", ["b2"]).put("engine.counters.sent_messages", {"state-update": 2}, "fw1")
    pair.says("bulk_done", "fail", "pfsync bulk fail", "has no state of fw1", node="fw2")
    pair.put("engine.host_id", None, "fw1").says("bulk_done", "fail", "has no state of fw1", node="fw2")
    pair.put("engine.counters.sent_messages", {}, "fw1").says("bulk_done", "warn", node="fw2")
    pair.put("engine.creators", None).says("bulk_done", "error", "who made the states that it holds is not known on fw2", node="fw2")


@pytest.mark.parametrize("change", [("engine.synced", None), ("engine.synced", False), ("errors", [{"area": "engine", "reason": "no dmesg"}])])
def test_without_a_message_and_a_kernel_that_is_content_it_is_not_known(pair, change):
    pair.put("engine.bulk", None).put(*change).says("bulk_done", "error", "not known on fw2", node="fw2")


# Interfaces of states

def test_a_state_of_an_interface_that_the_other_node_has_not_is_lost_without_a_word(pair):
    pair.put("interfaces.2.name", "igb1").says("state_interfaces", "fail", "states on fw1 name em1, which fw2 does not have: it drops them", node="fw1")
    assert pair.of("state_interfaces", "fw2")[0]["status"] == "pass"


def test_which_interfaces_states_name_is_not_known_without_a_table(pair):
    pair.put("engine.states_by_interface", None).put("engine.creators", None)
    pair.says("state_interfaces", "error", "which interfaces its states name is not known on fw2", node="fw2")


# MTU

@pytest.mark.parametrize(("version", "status"), [("14.2-RELEASE", "fail"), ("15.0-RELEASE", "pass"), ("what", "error"), (None, "error")])
def test_only_a_kernel_that_is_known_to_have_room_for_more_may_have_a_larger_mtu(pair, version, status):
    pair.put("engine.mtu", 9000).put("interfaces.0.mtu", 9000).put("os.version", version)
    assert pair.of("pfsync_mtu", "fw2")[0]["status"] == status


# Maintenance

def test_a_node_in_maintenance_is_demoted_and_keeps_its_skew(pair):
    pair.put("maintenance", True).put("vrrp.demotion", 241)
    pair.says("demotion", "pass", "demoted by 241, which is what maintenance does", node="fw2")
    pair.says("carp_agrees", "pass", "as planned", node="fw2")
    pair.says("maintenance", "warn", "in maintenance", node="fw2")


def test_why_carp_is_demoted_is_told_where_the_kernel_said_it(pair):
    pair.put("vrrp.demotion", 240).put("vrrp.demotion_why", [{"by": 240, "why": "pfsync bulk start"}])
    pair.says("demotion", "fail", "(net.inet.carp.demotion), 240 for pfsync bulk start: another node is preferred")


# States

def test_the_number_of_states_that_came_is_told_where_they_were_counted(pair):
    pair.says("states_travel", "pass", "from fw1 to fw2: fw2 holds 9 states that a1 made", node="fw2")
    pair.put("engine.states_by_creator", None).says("states_travel", "pass", "fw2 holds states that a1 made", node="fw2")


def test_a_sender_all_of_whose_states_stay_where_they_are_has_none_to_travel(pair):
    pair.put("engine.creators", ["b2"])
    pair.put("engine.counters.sent_messages", {"uncompressed-state-request": 1, "bulk-update-mark": 2, "compressed-state-delete": 4}, "fw1")
    pair.says("states_travel", "skipped", "fw1 has not sent anything about a state", "no-sync", node="fw2")
    for kind in ("state-insert", "state-insert-1301", "state-update", "compressed-state-update"):
        pair.put("engine.counters.sent_messages", {kind: 1}, "fw1").says("states_travel", "fail", "fw2 holds no state that a1 made", node="fw2")


# OpenBSD

OF_FREEBSD = ("formats_agree", "peer_understood", "bulk_done", "state_interfaces", "rules_equal")


def test_what_openbsd_does_not_have_or_tell_is_skipped_and_the_rest_is_judged(pair):
    for node in NODES:
        pair.put("platform", "openbsd", node, pair.plans).put("platform", "openbsd", node).put("os", {"id": "openbsd", "version": "7.6"}, node)
        pair.put("engine.counters", None, node)
    results = pair.results()
    assert {result["status"] for result in results if result["id"] in OF_FREEBSD} == {"skipped"}
    assert [result for result in results if result["status"] != "pass" and result["id"] not in SKIPPED and result["id"] not in OF_FREEBSD] == []
    pair.put("vrrp.demotion", 32).says("demotion", "fail", "demoted by 32 (ifconfig -g carp)")
    pair.put("engine.mtu", 9000).says("pfsync_mtu", "fail", "pfsync0 has MTU 9000, and em2 1500")


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
    about_sync = {"formats_agree", "peer_understood", "bulk_done", "state_interfaces", "rules_equal", "pfsync_mtu", "host_ids", "devices_equal"}
    assert {result["status"] for result in pair.results() if result["id"] in about_sync} == {"skipped"}
    assert failed(pair.results()) == []


def test_of_three_nodes_every_direction_is_judged(pair):
    plans, evidence = copy.deepcopy(pair.plans), copy.deepcopy(pair.evidence)
    plans["fw3"], evidence["fw3"] = copy.deepcopy(plans["fw2"]), copy.deepcopy(evidence["fw2"])
    evidence["fw3"]["engine"].update(host_id="c3", config=dict(evidence["fw3"]["engine"]["config"], version=None))
    for plan in plans.values():
        plan["members"] = ["fw1", "fw2", "fw3"]
    found = [result for result in judge(plans, evidence, {}) if result["id"] == "formats_agree"]
    assert [(result["node"], result["status"]) for result in found if result["status"] != "pass"] == [("fw3", "fail"), ("fw3", "fail")] and len(found) == 6


@given(odd_changes(evidence_of("fw1"), ["name", "a1", "state", "em0"]))
def test_no_evidence_whatever_its_shape_stops_the_judgement(changes):
    is_judged_whole(healthy(), changes)
