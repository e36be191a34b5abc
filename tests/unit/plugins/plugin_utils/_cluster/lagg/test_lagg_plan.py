# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGG plans, case by case: when they are made, what they are called, what moves, and what a node's module is told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.entry import lagg_plan, saved_evidence
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plan import plan_cluster
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_node import after, evidence, lagg, port, vlan
from lagg_cases import applied, cluster, node, pair, planned, seen

PF = {"platform": "pfsense", "version": "2.5.2-RELEASE"}


def laggs(plan: Any) -> list[tuple[str, str, dict[str, list[str]]]]:
    """The LAGGs that are to be made or changed."""
    return [(one["name"], one["protocol"], one["members"]) for one in plan.as_dict()["laggs"]]


ALL = [("lagg0", "failover", {"fw1": ["em0"], "fw2": ["igb0"]}), ("lagg1", "failover", {"fw1": ["em1"], "fw2": ["igb1"]}),
       ("lagg2", "failover", {"fw1": ["em2"], "fw2": ["igb2"]})]


def test_a_pair_whose_states_are_bound_gets_a_lagg_of_one_port_for_each_interface() -> None:
    plan = pair()
    assert plan.needed and laggs(plan) == ALL
    assert "lan (em0 on fw1, igb0 on fw2)" in plan.reason and "states are bound to interface names on fw1, fw2 (pfSense CE 2.5.2-RELEASE" in plan.reason
    assert plan.names == {("fw1", "lan"): "lagg0", ("fw2", "lan"): "lagg0", ("fw1", "wan"): "lagg1.10", ("fw2", "wan"): "lagg1.10",
                          ("fw1", "sync"): "lagg2", ("fw2", "sync"): "lagg2"}
    # The secondary first.
    assert [(move["node"], move["lagg"], move["interfaces"]) for move in plan.as_dict()["moves"]] == [
        (host, name, [interface]) for host in ("fw2", "fw1") for name, interface in (("lagg0", "lan"), ("lagg1", "wan"), ("lagg2", "sync"))]
    assert "nothing is left to do" not in plan.reason


def test_what_the_module_of_a_node_is_told() -> None:
    options = pair(cluster(laggs={"wan": {"protocol": "lacp", "lacp_rate": "fast", "mtu": 1400}}), nodes={
        "fw1": node("fw1", wan={"device": "em1.10", "members": ["em1", "em4"]}, lan={"device": "em0", "members": ["em0", "em5"], "primary": "em5"}),
        "fw2": node("fw2", wan={"device": "igb1.10", "members": ["igb4", "igb1"]})}).options("fw1")
    left = {"hash": None, "lacp_rate": None, "mtu": None, "min_links": None, "consent": False}
    assert options == {"laggs": [
        {"name": "lagg0", "protocol": "failover", "members": ["em5", "em0"], "primary": "em5", **left, "vlans": [], "moves": [
            {"from_device": "em0", "to_device": "lagg0", "vlan": None, "addresses": ["192.0.2.2/24"], "virtual": [], "management": False}]},
        {"name": "lagg1", "protocol": "lacp", "members": ["em1", "em4"], "primary": None, **left, "lacp_rate": "fast", "mtu": 1400,
         "vlans": [{"name": "lagg1.10", "id": 10}], "moves": [
             {"from_device": "em1", "to_device": "lagg1", "vlan": None, "addresses": [], "virtual": [], "management": False},
             {"from_device": "em1.10", "to_device": "lagg1.10", "vlan": 10, "addresses": ["203.0.113.2/24"], "virtual": [], "management": False}]},
        {"name": "lagg2", "protocol": "failover", "members": ["em2"], "primary": "em2", **left, "vlans": [], "moves": [
            {"from_device": "em2", "to_device": "lagg2", "vlan": None, "addresses": ["198.51.100.129/28"], "virtual": [], "management": False}]},
    ]}


def test_when_all_is_made_nothing_is_left_and_the_module_is_told_the_same_laggs() -> None:
    plan = pair()
    found = applied(plan, {host: seen(host, **PF) for host in ("fw1", "fw2")})
    again = pair(found=found)
    assert not again.needed and laggs(again) == [] and again.moves == ()
    assert "the names agree on all nodes, by LAGGs" in again.reason and "nothing is left to do" in again.reason
    assert [dict(one, moves=[]) for one in plan.options("fw1")["laggs"]] == again.options("fw1")["laggs"]
    # The intent may name the LAGGs as well.
    named = {host: node(host, lan="lagg0", wan="lagg1.10", sync="lagg2") for host in ("fw1", "fw2")}
    renamed = pair(nodes=named, found=found)
    assert not renamed.needed and renamed.refused == () and renamed.options("fw1") == {"laggs": []} and renamed.names == again.names


@pytest.mark.parametrize(("platform", "version", "more", "needed", "reason"), [
    ("linux", "12", {}, False, "states are not bound to interface names on fw1, fw2 (Linux: conntrack finds a state by"),
    ("freebsd", "14.2", {}, False, "states are not bound to interface names on fw1, fw2 (FreeBSD 14.2"),
    ("freebsd", "14.2", {"state_policy": "if-bound"}, True, "its state policy is if-bound; read from the node"),
    ("pfsense", "2.7.2-RELEASE", {}, False, "the manual's claim, not verified"),
    ("pfsense", "2.8.1-RELEASE", {}, True, "interface bound when nothing is configured"),
    ("pfsense", "2.8.1-RELEASE", {"state_policy": "floating"}, False, "its state policy is floating"),
    ("pfsense", "unheard of", {}, True, "it is not known whether states are bound to interface names, which is treated as bound on fw1, fw2"),
    ("opnsense", "25.1.4", {}, True, "it is not known whether states are bound to interface names, which is treated as bound on fw1, fw2"),
])
def test_auto_builds_only_where_it_matters(platform: str, version: str, more: dict[str, Any], needed: bool, reason: str) -> None:
    plan = pair(found={host: seen(host, platform=platform, version=version, **more) for host in ("fw1", "fw2")})
    assert plan.needed is needed and bool(plan.moves) is needed and reason in plan.reason and "differing devices: lan (em0 on fw1" in plan.reason


def test_one_node_whose_states_are_bound_is_enough() -> None:
    plan = pair(found={"fw1": seen("fw1", state_policy="floating", **PF), "fw2": seen("fw2", state_policy="if-bound", **PF)})
    assert plan.needed and "bound to interface names on fw2" in plan.reason and "on fw1" not in plan.reason.partition("differing devices")[2].partition(";")[2]


def test_names_do_not_matter_when_states_are_not_shared() -> None:
    plan = pair(cluster(state_sync=False))
    assert not plan.needed and "states are not shared" in plan.reason


def test_equal_names_need_nothing() -> None:
    plan = planned(cluster(), {host: node("fw1") for host in ("a", "b")}, {host: seen("fw1", **PF) for host in ("a", "b")})
    assert not plan.needed and plan.wanted == () and "the same device on all nodes" in plan.reason


def test_always_takes_every_interface_and_never_none() -> None:
    same = planned(cluster(lagg_required="always"), {host: node("fw1") for host in ("a", "b")}, {host: seen("fw1") for host in ("a", "b")})
    assert [one[0] for one in laggs(same)] == ["bond1", "bond2", "bond3"] and "asked for whether it matters or not (always): lan, wan, sync" in same.reason
    never = pair(cluster(lagg_required="never"))
    assert never.needed and never.wanted == never.moves == () and "not to be made (never): lan, wan, sync" in never.reason
    assert [(one.path, one.host) for one in never.warnings] == [(f"hafirewall_cluster.laggs.{name}.required", None) for name in ("lan", "wan", "sync")]
    assert pair(cluster(lagg_required="never"), platform="linux").needed is False
    alike = planned(cluster(lagg_required="never"), {host: node("fw1") for host in ("a", "b")}, {host: seen("fw1", **PF) for host in ("a", "b")})
    assert alike.needed is False and alike.warnings == ()


def test_one_interface_can_be_asked_for_or_left_out() -> None:
    plan = pair(cluster(lagg_required="never", laggs={"wan": {"required": "auto"}}))
    assert [one[2] for one in laggs(plan)] == [{"fw1": ["em1"], "fw2": ["igb1"]}]
    linux = pair(cluster(laggs={"lan": {"required": "always"}, "wan": {"protocol": "failover"}}), platform="linux")
    assert [one[0] for one in laggs(linux)] == ["bond1"]


def test_an_existing_lagg_is_used_again_under_its_name() -> None:
    plan = pair(found={"fw1": seen("fw1", lagg("lagg5", ["em0", "em4"], ["192.0.2.9/24"], "loadbalance"), **PF)},
                nodes={"fw2": node("fw2", lan={"device": "igb0", "members": ["igb0", "igb4"]})})
    assert laggs(plan)[0] == ("lagg5", "loadbalance", {"fw1": ["em0", "em4"], "fw2": ["igb0", "igb4"]})
    # Nothing is to be done for it where it is.
    assert [move.node for move in plan.moves if move.lagg == "lagg5"] == ["fw2"]


def test_the_primary_of_an_existing_lagg_stays_unless_another_is_stated() -> None:
    there = lagg("lagg5", ["em0", "em4"])
    there["lagg"]["primary"] = "em4"
    found = {"fw1": seen("fw1", there, **PF)}
    plan = pair(found=found)
    assert plan.options("fw1")["laggs"][0]["members"] == ["em4", "em0"] and plan.options("fw1")["laggs"][0]["primary"] == "em4"
    assert ("fw1", "lagg5") not in [(move.node, move.lagg) for move in plan.moves]
    stated = pair(nodes={"fw1": node("fw1", lan={"device": "em0", "primary": "em0"})}, found=found)
    assert [move.changes for move in stated.moves if (move.node, move.lagg) == ("fw1", "lagg5")] == [("its primary becomes em0 (is em4)",)]
    # Where the protocol knows none, none is asked for.
    there["lagg"]["protocol"] = "loadbalance"
    assert pair(nodes={"fw2": node("fw2", lan={"device": "igb0", "members": ["igb0", "igb4"]})}, found=found).options("fw1")["laggs"][0]["primary"] is None


def test_two_laggs_of_one_interface_become_one_name() -> None:
    found = {"fw1": seen("fw1", lagg("lagg5", ["em0"]), **PF), "fw2": seen("fw2", lagg("lagg3", ["igb0"]), **PF)}
    plan = pair(found=found)
    assert laggs(plan)[0] == ("lagg5", "failover", {"fw1": ["em0"], "fw2": ["igb0"]})
    [move] = [move for move in plan.moves if move.lagg == "lagg5"]
    assert move.node == "fw2" and move.changes == ("lagg5 is made of igb0, with failover", "lagg3 is taken apart")
    assert [(shift.source, shift.target) for shift in move.shifts] == [("lagg3", "lagg5")]
    # Where each is the other's name, both get a new one.
    crossed = pair(found={"fw1": seen("fw1", lagg("lagg5", ["em0"]), lagg("lagg3", ["em2"]), **PF),
                          "fw2": seen("fw2", lagg("lagg3", ["igb0"]), lagg("lagg5", ["igb2"]), **PF)})
    assert [one[0] for one in laggs(crossed)] == ["lagg0", "lagg1", "lagg2"] and crossed.refused == ()


def test_names_in_use_anywhere_are_avoided_everywhere() -> None:
    plan = pair(found={"fw2": seen("fw2", lagg("lagg0", ["igb5"]), port("lagg2", kind="other"), **PF)})
    assert [one[0] for one in laggs(plan)] == ["lagg1", "lagg3", "lagg4"]
    # Names that only the intent knows are in use too, those of members among them.
    nodes = {"fw1": {**node("fw1", mgmt="lagg0", dmz={"device": "em5", "members": ["lagg2"]}), "platform": "pfsense"}, "fw2": node("fw2", wan="lagg1.10")}
    spoken = planned(cluster(laggs={name: {"required": "never"} for name in ("mgmt", "wan", "dmz")}), nodes, {})
    assert spoken.refused == () and [one.name for one in spoken.wanted] == ["lagg3", "lagg4"]


def test_a_stated_name_is_taken() -> None:
    assert laggs(pair(cluster(laggs={"wan": {"name": "lagg7"}})))[1][0] == "lagg7"
    assert laggs(pair(cluster(lagg_required="always", laggs={"wan": {"name": "uplink"}}), platform="linux"))[1][0] == "uplink"


@pytest.mark.parametrize(("platform", "names"), [("linux", ["bond1", "bond2", "bond3"]), ("freebsd", ["lagg0", "lagg1", "lagg2"]),
                                                 ("opnsense", ["lagg0", "lagg1", "lagg2"]), ("openbsd", ["trunk0", "aggr0", "trunk1"])])
def test_new_names_by_platform(platform: str, names: list[str]) -> None:
    plan = pair(cluster(lagg_required="always", laggs={"wan": {"protocol": "lacp", "crossover": True}}), platform=platform, version="14.2")
    assert [one[0] for one in laggs(plan)] == names


def test_interfaces_on_one_port_go_onto_one_lagg_and_what_is_not_asked_for_rides_along() -> None:
    nodes = {"fw1": node("fw1", dmz="em1.20", mgmt="em1.99"), "fw2": node("fw2", dmz="igb1.20", mgmt="igb3")}
    plan = pair(cluster(laggs={"mgmt": {"required": "never"}}), nodes=nodes, found={
        "fw1": seen("fw1", vlan("em1", 20), vlan("em1", 99), vlan("em1.20", 7), **PF), "fw2": seen("fw2", vlan("igb1", 20), **PF)})
    assert plan.refused == () and [one.group.interfaces for one in plan.wanted] == [("lan",), ("wan", "dmz"), ("sync",)]
    assert plan.names[("fw1", "mgmt")] == "lagg1.99" and plan.names[("fw2", "mgmt")] == "igb3" and plan.names[("fw2", "dmz")] == "lagg1.20"
    own = plan.options("fw1")["laggs"][1]
    assert own["vlans"] == [{"name": "lagg1.10", "id": 10}, {"name": "lagg1.20", "id": 20}, {"name": "lagg1.99", "id": 99}, {"name": "lagg1.20.7", "id": 7}]
    # A VLAN upon a VLAN comes after it.
    assert [move["from_device"] for move in own["moves"]] == ["em1", "em1.10", "em1.20", "em1.99", "em1.20.7"]


def test_a_vlan_with_a_name_of_its_own_keeps_it() -> None:
    nodes = {host: node(host, wan="vlan10") for host in ("fw1", "fw2")}
    found = {"fw1": seen("fw1", vlan("em1", 10, name="vlan10"), **PF), "fw2": seen("fw2", vlan("igb1", 20, name="vlan10"), **PF)}
    assert [one.group.interfaces for one in pair(nodes=nodes, found=found).wanted] == [("lan",), ("sync",)]
    plan = pair(cluster(lagg_required="always"), nodes=nodes, found=found)
    assert plan.refused == () and plan.names[("fw1", "wan")] == plan.names[("fw2", "wan")] == "vlan10"
    [shift] = [shift for move in plan.moves if move.node == "fw2" for shift in move.shifts if shift.vlan == 20]
    assert (shift.source, shift.target) == ("vlan10", "vlan10")


def test_older_vlan_names_follow_too() -> None:
    nodes = {"fw1": node("fw1", wan="em1_vlan10"), "fw2": node("fw2", wan="igb1_vlan10")}
    found = {"fw1": seen("fw1", vlan("em1", 10, name="em1_vlan10"), **PF), "fw2": seen("fw2", vlan("igb1", 10, name="igb1_vlan10"), **PF)}
    plan = pair(nodes=nodes, found=found)
    assert plan.names[("fw1", "wan")] == plan.names[("fw2", "wan")] == "lagg1_vlan10"
    assert pair(nodes=nodes, found=applied(plan, found)).as_dict()["laggs"] == []


def test_what_rides_on_a_device_is_listed_with_what_becomes_of_it() -> None:
    reference = [{"device": "igb0", "kind": "rule", "where": "/etc/pf.conf:12", "text": "pass in on igb0"}, {"device": "igb3", "kind": "rule"},
                 {"device": "igb1.10", "kind": "route", "where": "default"}]
    plan = pair(cluster(laggs={"lan": {"move_management": True}}), found={"fw2": seen(
        "fw2", port("igb0", ["192.0.2.3/24", "192.0.2.1/24", "fe80::2/64"], master="bridge0"), references=reference,
        management={"device": "igb0", "address": "192.0.2.3"}, **PF)})
    riders = {move.lagg: [(rider.kind, rider.name, rider.becomes) for rider in move.riders] for move in plan.moves if move.node == "fw2"}
    assert riders["lagg0"] == [
        ("interface", "lan", "is on lagg0; the intent may go on naming igb0"),
        ("virtual_ip", "192.0.2.1/24", "moves with lagg0, which VRRP or CARP is set to"),
        ("address", "192.0.2.3/24", "is on lagg0"),
        ("management", "igb0", "is lagg0; the way back is armed before the move"),
        ("bridge", "bridge0", "gets lagg0 as its port in place of igb0"),
        ("rule", "/etc/pf.conf:12 pass in on igb0", "is left as it is and goes on naming igb0: change it to lagg0 by hand"),
    ]
    assert riders["lagg1"] == [
        ("interface", "wan", "is on lagg1.10; the intent may go on naming igb1.10"),
        ("vlan", "igb1.10", "is VLAN 10 of the LAGG, as lagg1.10"), ("address", "203.0.113.3/24", "is on lagg1.10"),
        ("route", "default", "is left as it is and goes on naming igb1.10: change it to lagg1.10 by hand")]
    assert riders["lagg2"][:2] == [("interface", "sync", "is on lagg2; the intent may go on naming igb2"),
                                   ("sync", "sync", "state sync and its pass rule are set to lagg2")]
    [shift] = next(move.shifts for move in plan.moves if move.node == "fw2" and move.lagg == "lagg0")
    assert shift.as_dict() == {"from_device": "igb0", "to_device": "lagg0", "vlan": None, "addresses": ["192.0.2.3/24"], "virtual": ["192.0.2.1/24"],
                               "management": True}
    assert plan.options("fw2")["laggs"][0]["consent"] is True and plan.options("fw2")["laggs"][1]["consent"] is False


def test_where_it_is_not_known_how_ansible_came_in_the_plan_warns() -> None:
    plan = pair(found={"fw2": {**seen("fw2", **PF), "management": None}})
    assert plan.refused == ()
    assert [(one.path, one.host) for one in plan.warnings] == [(f"hafirewall_cluster.laggs.{name}.move_management", "fw2") for name in ("lan", "wan", "sync")]
    assert plan.options("fw2")["laggs"][0]["moves"][0]["management"] is None


def test_a_lagg_that_differs_is_changed_where_it_is() -> None:
    common = cluster(laggs={"lan": {"protocol": "lacp", "lacp_rate": "fast", "mtu": 1400}})
    nodes = {"fw1": node("fw1", lan={"device": "em0", "members": ["em0", "em4"]}), "fw2": node("fw2", lan={"device": "igb0", "members": ["igb0", "igb4"]})}
    found = {"fw1": seen("fw1", lagg("lagg0", ["em0"]), **PF), "fw2": seen("fw2", lagg("lagg0", ["igb4", "igb0"], protocol="lacp"), **PF)}
    plan = pair(common, nodes=nodes, found=found)
    moves = {(move.node, move.lagg): move for move in plan.moves}
    assert moves[("fw1", "lagg0")].changes == ("its members become em0, em4 (are em0)", "its protocol becomes lacp (is failover)",
                                               "its mtu becomes 1400 (is 1500)")
    assert moves[("fw2", "lagg0")].changes == ("its mtu becomes 1400 (is 1500)",) and moves[("fw1", "lagg0")].shifts == ()
    assert pair(common, nodes=nodes, found=applied(plan, found)).moves == ()


def test_no_traffic_passes_with_protocol_none_which_is_said() -> None:
    plan = pair(cluster(laggs={"lan": {"protocol": "none"}}))
    assert laggs(plan)[0][1] == "none"
    assert {(one.path, one.host) for one in plan.warnings} == {("hafirewall_cluster.laggs.lan.protocol", host) for host in ("fw1", "fw2")}


def test_three_nodes_and_an_interface_that_not_all_have() -> None:
    plan = pair(hosts=("fw1", "fw2", "fw3"), nodes={"fw3": node("fw3", dmz="ix4"), "fw2": node("fw2", dmz="igb4")})
    assert laggs(plan)[3] == ("lagg3", "failover", {"fw2": ["igb4"], "fw3": ["ix4"]})
    assert [one["name"] for one in plan.options("fw1")["laggs"]] == ["lagg0", "lagg1", "lagg2"]


def test_without_evidence_names_tell_what_devices_are() -> None:
    plan = planned(cluster(lagg_required="always"), {"fw1": {**node("fw1"), "platform": "pfsense"}, "fw2": node("fw2")}, {})
    assert laggs(plan) == ALL and [move.shifts[-1].vlan for move in plan.moves if move.lagg == "lagg1"] == [10, 10]
    # A name alone cannot tell which ports a LAGG has.
    lagged = planned(cluster(), {"fw1": {**node("fw1", lan="lagg0"), "platform": "pfsense"}, "fw2": node("fw2")}, {})
    assert ["the members of lagg0 are not known" in one.problem for one in lagged.refused] == [True]


def test_the_whole_cluster_s_plan_speaks_of_the_laggs() -> None:
    common = cluster(lagg_required="always")
    nodes = {"fw1": node("fw1", sync={"device": "em2", "address": "198.51.100.129/28"}), "fw2": node("fw2")}
    found = {host: seen(host) for host in ("fw1", "fw2")}
    before = plan_cluster("edge", common, nodes, found)
    assert before.laggs["needed"] is True and [one["name"] for one in before.laggs["laggs"]] == ["bond1", "bond2", "bond3"]
    done = {host: after(found[host], before.plans[host]["lagg"]) for host in found}
    again = plan_cluster("edge", common, nodes, done)
    for planned_now in (before, again):
        plan = planned_now.plans["fw1"]
        assert plan["state_sync"]["interface"] == plan["sync_rule"]["interface"] == "bond3" and plan["state_sync"]["address"] == "198.51.100.129"
        assert [one["interface"] for one in plan["virtual_ip"]["instances"]] == [one["interface"] for one in plan["sync_rule"]["vrrp"]] == ["bond1"]
        assert plan["virtual_ip"]["instances"][0]["source"] == "192.0.2.2" and plan["sync_rule"]["vrrp"][0]["sources"] == ["192.0.2.3"]
    assert again.laggs["needed"] is False and all(not one["moves"] for one in again.plans["fw1"]["lagg"]["laggs"])


def test_an_intent_that_cannot_be_read_is_refused_in_the_plan() -> None:
    findings = Findings()
    plan = lagg_plan({"name": "edge", "lagg_required": "sometimes"}, {"fw1": node("fw1"), "fw2": {"role": "secondary"}}, {}, findings)
    assert plan.wanted == () and ("hafirewall_cluster.lagg_required", None) in [(one.path, one.host) for one in plan.refused]
    assert ("hafirewall_node.interfaces", "fw2") in [(one.path, one.host) for one in plan.refused]


@pytest.mark.parametrize(("document", "expected"), [
    ({"fw1": {"platform": "linux"}}, {"fw1": {"platform": "linux"}}),
    ({"fw1": {"changed": False, "evidence": {"platform": "linux"}}, "fw2": None}, {"fw1": {"platform": "linux"}, "fw2": None}),
    ({"clusters": [{"name": "edge", "evidence": {"fw1": {"platform": "linux"}}}, {"evidence": {"gw1": None}}, 7], "checks": []},
     {"fw1": {"platform": "linux"}, "gw1": None}),
    ({}, {}),
])
def test_saved_evidence_is_understood(document: Any, expected: dict[str, Any]) -> None:
    assert saved_evidence(document) == expected


@pytest.mark.parametrize("document", [None, [], "fw1", 7])
def test_what_is_no_saved_evidence_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="is no mapping of hosts to evidence"):
        saved_evidence(document)


def test_evidence_without_the_newer_keys_is_enough() -> None:
    plain = {host: evidence(*({"name": device, "addresses": []} for device in devices)) for host, devices in (
        ("fw1", ("em0", "em1", "em1.10", "em2")), ("fw2", ("igb0", "igb1", "igb1.10", "igb2")))}
    plan = planned(cluster(lagg_required="always"), {host: node(host) for host in ("fw1", "fw2")}, plain)
    assert [one[0] for one in laggs(plan)] == ["bond1", "bond2", "bond3"] and plan.names[("fw2", "wan")] == "bond2.10"
