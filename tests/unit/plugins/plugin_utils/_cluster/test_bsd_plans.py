# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans for FreeBSD and OpenBSD: pfsync, CARP and pf as the system has them, without what a product chooses by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.capability import PROVIDERS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster import platforms
from intent_cases import evidence, planned, refused

SYNC = "hafirewall_cluster.sync"
VRRP = "hafirewall_cluster.vrrp"
SYSTEMS = ("freebsd", "openbsd")
DEVICES = {"lan": "em0", "wan": "em1", "sync": "em2"}
OLD, NEW, NEWER, UNHEARD = "13.4-RELEASE", "14.2-RELEASE-p1", "15.0-RELEASE", "unheard of"


def of(platform: str) -> dict[str, Any]:
    """What makes the good intent one of these nodes."""
    names = {f"nodes.fw{number}.interfaces.{name}.device": device for number in (1, 2) for name, device in DEVICES.items()}
    return {**names, "nodes.fw1.platform": platform, "nodes.fw2.platform": platform, "cluster.vrrp.password": "hunter2"}


def seen(number: int, platform: str, version: str) -> dict[str, Any]:
    found = {**evidence(number), "platform": platform, "os": {"id": platform, "version": version}}
    for row in found["interfaces"]:
        row["name"] = {"lan0": "em0", "wan0": "em1", "sync0": "em2", "mgmt0": "em3", "lo": "lo0"}[row["name"]]
    return found


def read(platform: str, version: str, other: str | None = None) -> dict[str, Any]:
    """The same with evidence of both nodes."""
    return {**of(platform), "evidence.fw1": seen(1, platform, version), "evidence.fw2": seen(2, platform, other or version)}


@pytest.mark.parametrize("platform", SYSTEMS)
def test_a_whole_plan(platform: str) -> None:
    result = planned({**of(platform), "nodes.fw1.host_id": "00A1", "nodes.fw2.host_id": "a2", "cluster.state_policy": "floating"})
    assert result.warnings == ()
    one, two = result.plans["fw1"], result.plans["fw2"]
    assert (one["platform"], one["interfaces"]) == (platform, DEVICES)
    assert one["missing_packages"] == {"sync_engine": [], "sync_rule": [], "virtual_ip": []}
    assert one["state_sync"] == {
        "enabled": True, "interface": "em2", "address": "198.51.100.130", "network": "198.51.100.128/28", "transport": "multicast", "peer": None,
        "group": None, "port": None, "mode": None, "external_cache": None, "refresh_interval": None, "ignore_addresses": [],
        "host_id": "a1", "state_policy": "floating", "version": None}
    assert two["state_sync"]["host_id"] == "a2"
    assert one["virtual_ip"]["instances"][0] == {
        "name": "lan_10_ipv4", "interface": "em0", "id": 10, "family": "ipv4", "priority": 200, "advskew": 0, "advbase": 1, "addresses": ["192.0.2.1/24"],
        "source": None, "peers": []}
    assert [instance["advskew"] for instance in two["virtual_ip"]["instances"]] == [100, 100, 100]
    assert {key: one["virtual_ip"][key] for key in ("preempt", "preempt_delay", "transport", "track_interfaces", "received")} == {
        "preempt": True, "preempt_delay": 0, "transport": "multicast", "track_interfaces": True, "received": False}


@pytest.mark.parametrize("platform", SYSTEMS)
def test_adverts_are_let_through_by_a_rule_that_is_the_same_on_all_nodes(platform: str) -> None:
    rules = [plan["sync_rule"] for plan in planned(of(platform)).plans.values()]
    assert rules[0]["vrrp"] == rules[1]["vrrp"] == [
        {"interface": "em0", "family": "ipv4", "sources": ["192.0.2.2", "192.0.2.3"], "transport": "multicast"},
        {"interface": "em1", "family": "ipv4", "sources": ["203.0.113.2", "203.0.113.3"], "transport": "multicast"},
        {"interface": "em0", "family": "ipv6", "sources": ["2001:db8:1::2", "2001:db8:1::3", "fe80::/10"], "transport": "multicast"}]
    assert (rules[0]["group"], rules[0]["port"]) == (None, None)


def test_on_pfsense_the_product_makes_these_rules() -> None:
    assert [plan["sync_rule"]["vrrp"] for plan in planned(of("pfsense")).plans.values()] == [[], []]


@pytest.mark.parametrize("platform", SYSTEMS)
def test_where_addresses_are_not_known_adverts_of_the_whole_network_are_let_through(platform: str) -> None:
    result = planned({**of(platform), "nodes.fw2.interfaces.wan": "em1"})
    assert [rule["sources"] for rule in result.plans["fw2"]["sync_rule"]["vrrp"]][1] == ["203.0.113.0/24"]
    [warning] = result.warnings
    assert (warning.path, warning.host) == ("hafirewall_node.interfaces.wan", "fw2") and "adverts are accepted from all of 203.0.113.0/24" in warning.problem


@pytest.mark.parametrize("platform", SYSTEMS)
def test_unicast_adverts_name_both_ends(platform: str) -> None:
    changes = {**of(platform), "cluster.vrrp.transport": "unicast", "cluster.virtual_ips": [{"interface": "lan", "address": "192.0.2.1/24", "id": 10}]}
    plans = planned(changes).plans
    [instance] = plans["fw1"]["virtual_ip"]["instances"]
    assert (instance["source"], instance["peers"], plans["fw1"]["virtual_ip"]["transport"]) == ("192.0.2.2", ["192.0.2.3"], "unicast")
    assert plans["fw2"]["virtual_ip"]["instances"][0]["peers"] == ["192.0.2.2"]
    assert plans["fw1"]["sync_rule"]["vrrp"][0]["transport"] == "unicast"


def test_unicast_adverts_of_ipv6_name_both_ends_on_freebsd() -> None:
    plan = planned({**of("freebsd"), "cluster.vrrp.transport": "unicast"}).plans["fw2"]
    assert (plan["virtual_ip"]["instances"][2]["source"], plan["virtual_ip"]["instances"][2]["peers"]) == ("2001:db8:1::3", ["2001:db8:1::2"])
    assert plan["sync_rule"]["vrrp"][2]["sources"] == ["2001:db8:1::2", "2001:db8:1::3"]


@pytest.mark.parametrize("platform", SYSTEMS)
def test_without_preemption_interfaces_are_not_tracked_and_that_is_said(platform: str) -> None:
    result = planned({**of(platform), "cluster.vrrp.preempt": False})
    assert [result.plans["fw1"]["virtual_ip"][key] for key in ("preempt", "track_interfaces")] == [False, False]
    [warning] = result.warnings
    assert warning.path == f"{VRRP}.preempt" and "moves the addresses of each interface by themselves" in warning.problem
    alone = {"cluster.virtual_ips": [{"interface": "lan", "address": "192.0.2.1/24", "id": 10}]}
    assert planned({**of(platform), **alone, "cluster.vrrp.preempt": False, "cluster.vrrp.track_interfaces": False}).warnings == ()


@pytest.mark.parametrize("platform", SYSTEMS)
def test_unicast_sync_names_the_peer(platform: str) -> None:
    plan = planned({**of(platform), "cluster.sync.transport": "unicast"}).plans["fw2"]
    assert (plan["state_sync"]["peer"], plan["state_sync"]["group"], plan["sync_rule"]["transport"]) == ("198.51.100.130", None, "unicast")


@pytest.mark.parametrize("platform", SYSTEMS)
def test_evidence_tells_the_platform_and_no_plan_holds_the_password(platform: str) -> None:
    changes = {place: value for place, value in read(platform, NEW).items() if not place.endswith(".platform")}
    plans = planned(changes).plans
    assert {plan["platform"] for plan in plans.values()} == {platform}
    assert "hunter2" not in json.dumps(plans)


@pytest.mark.parametrize(("platform", "stated", "needed"), [
    ("freebsd", None, False), ("freebsd", "if-bound", True), ("freebsd", "floating", False), ("openbsd", None, False), ("openbsd", "floating", False)])
def test_the_policy_that_is_stated_decides_whether_names_matter(platform: str, stated: str | None, needed: bool) -> None:
    changes = {**read(platform, NEW), "nodes.fw2.interfaces.wan.device": "igb1", "evidence.fw2.interfaces[2].name": "igb1", "cluster.state_policy": stated}
    result = planned(changes)
    assert result.laggs["needed"] is needed
    assert (result.plans["fw1"]["interfaces"]["wan"], result.plans["fw2"]["interfaces"]["wan"]) == (
        ("lagg0",) * 2 if needed else ("em1", "igb1"))


def test_laggs_are_planned_on_openbsd_and_those_that_there_are_stay() -> None:
    bound = {**read("openbsd", "7.6"), "cluster.state_policy": "if-bound"}
    wanted = planned({**bound, "nodes.fw2.interfaces.wan.device": "igb1", "evidence.fw2.interfaces[2].name": "igb1"})
    [[first], [second]] = [plan["lagg"]["laggs"] for plan in wanted.plans.values()]
    assert [(lagg["name"], lagg["protocol"], lagg["members"]) for lagg in (first, second)] == [
        ("trunk0", "failover", ["em1"]), ("trunk0", "failover", ["igb1"])]
    assert [plan["interfaces"]["wan"] for plan in wanted.plans.values()] == ["trunk0", "trunk0"]
    made = planned({**bound, **_trunk(1), **_trunk(2), "cluster.laggs": {"wan": {"required": "always"}}})
    assert made.laggs["moves"] == [] and [[lagg["name"] for lagg in plan["lagg"]["laggs"]] for plan in made.plans.values()] == [["trunk0"], ["trunk0"]]


def _trunk(number: int) -> dict[str, Any]:
    """A trunk of a person for WAN."""
    rows = seen(number, "openbsd", "7.6")["interfaces"]
    wan = {**rows[2], "name": "trunk0", "lagg": {"protocol": "failover", "members": ["em1"], "primary": "em1"}}
    return {f"nodes.fw{number}.interfaces.wan.device": "trunk0", f"evidence.fw{number}.interfaces": [*rows[:2], wan, *rows[3:], {**rows[2], "addresses": []}]}


def test_every_platform_that_clusters_are_planned_for_has_a_provider() -> None:
    assert set(platforms.DRIVEN) < set(platforms.ENGINES) == set(PROVIDERS)


# (what is wrong, platforms, changes, path, host, part of the problem, part of the remedy)
V6 = {"cluster.sync.network": "2001:db8:5::/64", "nodes.fw1.interfaces.sync.address": "2001:db8:5::2/64",
      "nodes.fw2.interfaces.sync.address": "2001:db8:5::3/64"}
ROWS: list[tuple[str, tuple[str, ...], dict[str, Any], str, str | None, str, str]] = [
    ("mode", SYSTEMS, {"cluster.sync.mode": "ftfw"}, f"{SYNC}.mode", None, "is a setting of conntrackd, and the nodes run ", "remove it"),
    ("group", SYSTEMS, {"cluster.sync.group": "225.0.0.50"}, f"{SYNC}.group", None, "224.0.0.240", "remove it"),
    ("port", SYSTEMS, {"cluster.sync.port": 3780}, f"{SYNC}.port", None, "has no ports", "remove it"),
    ("external cache", SYSTEMS, {"cluster.sync.external_cache": False}, f"{SYNC}.external_cache", None, "into the kernel at once", "remove it"),
    ("refresh", SYSTEMS, {"cluster.sync.refresh_interval": 0}, f"{SYNC}.refresh_interval", None, "none ages out", "remove it"),
    ("no password", SYSTEMS, {"cluster.vrrp.password": None}, f"{VRRP}.password", None, "is missing", "from a vault"),
    ("half a second", SYSTEMS, {"cluster.vrrp.advert_interval": 0.5}, f"{VRRP}.advert_interval", None, "whole seconds", "1 to 254"),
    ("delay", SYSTEMS, {"cluster.vrrp.preempt_delay": 5}, f"{VRRP}.preempt_delay", None, "without a delay", "remove it"),
    ("untracked with preemption", SYSTEMS, {"cluster.vrrp.track_interfaces": False}, f"{VRRP}.track_interfaces", None, "gives all addresses up",
     "preempt: false"),
    ("one vhid for both families", SYSTEMS, {"cluster.virtual_ips[2].id": 10}, "hafirewall_cluster.virtual_ips[2].id", None, "one vhid for both families",
     "choose another id"),
    ("above 200", SYSTEMS, {"nodes.fw1.priority": 201}, "hafirewall_node.priority", "fw1", "advskew -2", "choose 73 to 200"),
    ("one host id twice", SYSTEMS, {"nodes.fw1.host_id": "a1", "nodes.fw2.host_id": "00A1"}, "hafirewall_node.host_id", "fw2", "is a1, as on fw1",
     "one of its own"),
    ("name too long", ("freebsd",), {"nodes.fw2.interfaces.wan.device": "abcdefghijklmnop"}, "hafirewall_node.interfaces.wan.device", "fw2",
     "15 characters that FreeBSD allows", "ifconfig -l"),
    ("name too long", ("openbsd",), {"nodes.fw2.interfaces.wan.device": "abcdefghijklmn10"}, "hafirewall_node.interfaces.wan.device", "fw2",
     "15 characters that OpenBSD allows", "ifconfig shows"),
    ("name of a VLAN elsewhere", ("openbsd",), {"nodes.fw2.interfaces.wan.device": "em0.10"}, "hafirewall_node.interfaces.wan.device", "fw2",
     "no driver's name with a number", "ifconfig shows"),
    ("IPv6 for Sync before 14", ("freebsd",), {**V6, "evidence.fw2.os.version": OLD}, f"{SYNC}.network", "fw2", "FreeBSD 13.4-RELEASE is IPv4 only",
     "upgrade to FreeBSD 14"),
    ("IPv6 for Sync", ("openbsd",), V6, f"{SYNC}.network", None, "pfsync of OpenBSD is IPv4 only", "choose an IPv4 network"),
    ("a newer format before 14", ("freebsd",), {"cluster.sync.format": 1400, "evidence.fw2.os.version": OLD}, f"{SYNC}.format", "fw2",
     "is 1400, and FreeBSD 13.4-RELEASE understands 1301 alone", "choose 1301"),
    ("the newest format before 15", ("freebsd",), {"cluster.sync.format": 1500, "evidence.fw2.os.version": NEW}, f"{SYNC}.format", "fw2",
     "is 1500, which FreeBSD 14.2-RELEASE-p1 does not have", "choose 1400 or 1301"),
    ("a format", ("openbsd",), {"cluster.sync.format": 1301}, f"{SYNC}.format", None, "no format to pin", "remove it"),
    ("unicast CARP before 14", ("freebsd",), {"cluster.vrrp.transport": "unicast", "evidence.fw1.os.version": OLD}, f"{VRRP}.transport", "fw1",
     "FreeBSD 13.4-RELEASE has multicast only", "upgrade to FreeBSD 14"),
    ("unicast CARP of IPv6", ("openbsd",), {"cluster.vrrp.transport": "unicast"}, f"{VRRP}.transport", None, "virtual_ips[2] is IPv6", "choose multicast"),
]
CASES = [(platform, *row[2:]) for row in ROWS for platform in row[1]]


@pytest.mark.parametrize(("platform", "changes", "path", "host", "problem", "remedy"), CASES, ids=[f"{row[0]} on {one}" for row in ROWS for one in row[1]])
def test_refused(platform: str, changes: dict[str, Any], path: str, host: str | None, problem: str, remedy: str) -> None:
    base = read(platform, NEWER)
    if "cluster.sync.network" in changes or "nodes.fw2.interfaces.wan.device" in changes:
        # What is stated is not what these nodes have; their releases count all the same.
        base.update({"evidence.fw1.interfaces": None, "evidence.fw2.interfaces": None})
    found = refused({**base, **changes})
    assert [(one.path, one.host) for one in found] == [(path, host)], [str(one) for one in found]
    assert problem in found[0].problem and remedy in found[0].remedy, str(found[0])


@pytest.mark.parametrize("platform", SYSTEMS)
@pytest.mark.parametrize(("changes", "path", "problem"), [
    ({"cluster.vrrp.transport": "unicast", "cluster.virtual_ips": []}, f"{VRRP}.transport", "one peer of CARP, and the cluster has 3 nodes"),
    ({"cluster.sync.transport": "unicast"}, f"{SYNC}.transport", "one peer, and the cluster has 3 nodes")])
def test_a_peer_is_for_two_nodes(platform: str, changes: dict[str, Any], path: str, problem: str) -> None:
    third = {"nodes.fw3.platform": platform, **{f"nodes.fw3.interfaces.{name}.device": device for name, device in DEVICES.items()}}
    [found] = refused({**of(platform), **third, **changes}, 3)
    assert found.path == path and problem in found.problem


@pytest.mark.parametrize(("version", "changes"), [
    (NEW, V6), (UNHEARD, V6), (OLD, {"cluster.sync.format": 1301}), (NEW, {"cluster.sync.format": 1400}), (NEWER, {"cluster.sync.format": 1500}),
    (UNHEARD, {"cluster.sync.format": 1500}), (NEW, {"cluster.vrrp.transport": "unicast"}), (UNHEARD, {"cluster.vrrp.transport": "unicast"}),
    (OLD, {"nodes.fw1.host_id": "a1", "cluster.state_policy": "floating"})])
def test_what_a_release_of_freebsd_has_is_accepted_and_an_unknown_release_is_asked_on_the_node(version: str, changes: dict[str, Any]) -> None:
    base = {**read("freebsd", version), "evidence.fw1.interfaces": None, "evidence.fw2.interfaces": None}
    assert planned({**base, **changes}).warnings == ()


def test_an_upgrade_that_is_half_done_is_planned_with_the_format_of_the_older_node() -> None:
    plans = planned({**read("freebsd", OLD, NEWER), "cluster.sync.format": 1301}).plans
    assert {plan["state_sync"]["version"] for plan in plans.values()} == {1301}


def test_nodes_whose_messages_differ_are_no_cluster() -> None:
    [found] = refused({**of("freebsd"), "nodes.fw2.platform": "openbsd"})
    assert "fw1 runs freebsd, fw2 runs openbsd; OpenBSD and FreeBSD drop each other's messages" in found.problem
    [kin] = refused({**of("freebsd"), "nodes.fw2.platform": "pfsense"})
    assert "fw1 runs freebsd, fw2 runs pfsense" in kin.problem and "drop" not in kin.problem
