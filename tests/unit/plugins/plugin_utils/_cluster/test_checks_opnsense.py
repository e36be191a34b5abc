# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of a pair of OPNsense nodes, as far as they differ from those of pfSense and FreeBSD; and that what is not known never passes."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks import failed
from check_cases import SYNC, Case, is_judged_whole, needs_a_node, needs_its_evidence, odd_changes, passes_all_but, pf_evidence, pf_plan
from hypothesis import given

CHECKSUM = "4a1f5d7d0aa4f3b7f2b4fd1b40a4c0de"
# Without a meaning on OPNsense, or for a cluster without LAGGs.
SKIPPED = {"quiet_states", "laggs_equal", "lagg_members", "lagg_lacp", "lagg_spare", "config_versions", "rules_equal"}
# The evidence that each check lives on: with any of it gone, it must not pass.
AREAS = {
    "state_sync_enabled": ["engine"], "engine_running": ["engine"], "config_current": ["engine"], "settings_agree": ["engine"],
    "states_travel": ["engine"], "formats_agree": ["engine"], "peer_understood": ["engine"], "bulk_done": ["engine"], "host_ids": ["engine"],
    "devices_equal": ["interfaces"], "state_interfaces": ["engine", "interfaces"], "state_policy_equal": ["state_policy"],
    "roles_disjoint": ["vrrp", "interfaces"], "maintenance": ["maintenance"], "demotion": ["vrrp"], "carp_agrees": ["vrrp", "maintenance"],
    "pass_rule": ["pass_rule"], "sync_dedicated": ["interfaces"], "sync_isolated": ["segment", "watch"], "mtu_equal": ["interfaces"],
    "pfsync_mtu": ["engine", "interfaces"], "sync_speed": ["interfaces"], "sync_bandwidth": ["traffic", "watch"],
    "config_sync": ["config_sync", "pass_rule", "vrrp"], "interface_keys": ["interfaces"], "versions_equal": ["os"],
}
ALL_AREAS = sorted({area for areas in AREAS.values() for area in areas})


def plan_of(node):
    return pf_plan(node, "opnsense", "floating", ["192.0.2.1/24"], received=node == "fw2", host_id=None, version=None)


def evidence_of(node):
    active = node == "fw1"
    engine = {
        "counters": {"bad_action": 0, "bad_version": 0, "received_messages": {"state-insert": 8}, "sent_messages": {"uncompressed-state-request": 1}},
        "tables": {"kernel": 13, "kernel_max": 100000}, "checksum": CHECKSUM, "bulk": "done", "states_by_creator": {"a1": 9, "b2": 4},
        "states_by_interface": {"all": 1, "em0": 6, "em1": 6}, "mtu": 1500, "most_mtu": 4080, "pinned": 1400}
    return pf_evidence(
        plan_of(node), "vhid %d", {"em2": "opt1", "em0": "lan", "em1": "wan"}, engine, {"demotion_why": []}, kernel="14.3-RELEASE-p10",
        os={"id": "opnsense", "version": "26.1.4", "edition": "community", "base": "14.3-RELEASE-p10"},
        config={"revision": {"time": 1795000000, "description": "x", "username": "root"}},
        config_sync={"target": SYNC["fw2"] if active else None, "sections": ["rules", "virtualip"] if active else []})


def healthy():
    return Case(plan_of, evidence_of, {})


@pytest.fixture
def pair():
    return healthy()


def test_a_healthy_pair_passes_every_check_and_no_reason_speaks_of_linux_or_another_product(pair):
    passes_all_but(pair, SKIPPED, AREAS, ("conntrack", "keepalived", "systemd", "nft", "chain", "pfSense"))


@pytest.mark.parametrize(("check", "path", "value", "status", "words"), [
    ("config_current", "engine.config_current", False, "fail", ["another configuration than is stored"]),
    ("settings_agree", "engine.config.version", 1301, "warn", ["version differs: fw1 has 1400, fw2 has 1301"]),
    ("formats_agree", "engine.config.version", None, "fail", ["from fw1 to fw2", "no choice and understands 1301 alone"]),
    ("bulk_done", "engine.bulk", "failed", "warn", ["pfsync bulk fail"]),
    ("bulk_done", "engine.bulk", None, "skipped", ["the kernel's messages do not tell"]),
    ("rules_equal", "engine.checksum", "0" * 32, "skipped", ["each node's own addresses"]),
    ("state_interfaces", "engine.states_by_interface", {"em7": 3}, "pass", ["its states name em7"]),
    ("pfsync_mtu", "engine.mtu", 9000, "fail", ["with more than 4080 a kernel of OPNsense before 26.7 sends nothing"]),
    ("interface_keys", "interfaces.0.key", "opt2", "fail", ["sync is opt1 on fw1, opt2 on fw2"]),
    ("config_sync", "config_sync.target", SYNC["fw1"], "fail", ["a secondary sends its configuration to 198.51.100.129"]),
    ("config_sync", "config_sync", {}, "error", ["fw2"]),
    ("versions_equal", "os.version", "25.7.11", "warn", ["release differs: fw1 has 26.1.4, fw2 has 25.7.11"]),
    ("versions_equal", "os.edition", "business", "warn", ["edition differs"]),
    ("versions_equal", "os.base", None, "error", ["fw2"]),
    ("state_policy_equal", "state_policy", "if-bound", "fail", ["fw1 has floating, fw2 has if-bound"]),
    ("demotion", "vrrp.demotion", 240, "fail", ["demoted by 240"]),
    ("demotion", "vrrp.demotion", None, "error", ["fw2"]),
    ("carp_agrees", "vrrp.instances.0.advskew", 0, "fail", ["lan_10_ipv4 has advskew 0, the plan says 100"]),
])
def test_each_deviation_of_one_node_has_its_status_and_names_what_is_wrong(pair, check, path, value, status, words):
    if check == "state_interfaces":
        pair.evidence["fw1"]["interfaces"].append({**pair.evidence["fw1"]["interfaces"][0], "name": "em7", "addresses": []})
    pair.put(path, value).says(check, status, *words)
    if status in ("fail", "error"):
        assert check in {result["id"] for result in failed(pair.results())}


def test_maintenance_demotes_and_leaves_the_skew_as_it_is(pair):
    pair.put("maintenance", True).put("vrrp.demotion", 240)
    pair.says("demotion", "pass", "CARP is demoted by 240, which is what maintenance does", node="fw2")
    pair.says("carp_agrees", "pass", "all 2 ids are set as planned", node="fw2")
    # A service hook that fails adds to it.
    pair.put("vrrp.demotion", 240 + 2**20).says("demotion", "fail", "demoted by 1048816", "240 of it by maintenance", node="fw2")
    pair.put("vrrp.demotion", -240).says("demotion", "fail", "demoted by -240", node="fw2")
    pair.put("vrrp.instances.0.advskew", 254).says("carp_agrees", "fail", "has advskew 254, the plan says 100", node="fw2")


def test_a_large_mtu_is_sent_by_a_newer_kernel(pair):
    for node in ("fw1", "fw2"):
        pair.put("os.version", "26.7.2", node).put("engine.mtu", 9000, node).put("interfaces.0.mtu", 9000, node)
    pair.says("pfsync_mtu", "pass", "MTU 9000", node="fw2")


def test_a_receiver_that_is_told_by_name_is_not_known(pair):
    pair.put("config_sync.target", "fw2.example.net", "fw1").says("config_sync", "error", "which node has that name is not known here", node="fw1")


def test_no_version_of_the_configuration_is_asked_for(pair):
    pair.says("config_versions", "skipped", "has no one version", node=None)


@pytest.mark.parametrize("nothing", [None, {}, "text"])
def test_a_node_without_evidence_passes_nothing(pair, nothing):
    needs_a_node(pair, nothing)


@pytest.mark.parametrize("area", ALL_AREAS)
@pytest.mark.parametrize("check", sorted(AREAS))
def test_no_check_passes_without_the_evidence_that_it_lives_on(pair, check, area):
    needs_its_evidence(pair, check, area, AREAS)


@given(odd_changes(evidence_of("fw1"), ["name", "key", "state", "target"]))
def test_no_evidence_whatever_its_shape_stops_the_judgement(changes):
    is_judged_whole(healthy(), changes)
