# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans for pfSense: what pfsync, CARP and the product's configuration are told, and what they cannot be told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from intent_cases import PFSENSE, evidence, planned, refused

SYNC = "hafirewall_cluster.sync"
VRRP = "hafirewall_cluster.vrrp"


def pf_evidence(number: int, version: str = "2.8.0", **more: Any) -> dict[str, Any]:
    """Evidence of the node of this number."""
    return {**evidence(number), "platform": "pfsense", "os": {"id": "pfsense", "version": version}, **more}


TWO = {"evidence.fw1": pf_evidence(1), "evidence.fw2": pf_evidence(2), "cluster.vrrp.password": "hunter2"}


def instance(name: str, device: str, skew: int, addresses: list[str]) -> dict[str, Any]:
    _interface, one, family = name.split("_")
    return {"name": name, "interface": device, "id": int(one), "family": family, "priority": 200 - skew // 2, "advskew": skew, "advbase": 1,
            "addresses": addresses, "source": None, "peers": []}


def test_a_whole_plan() -> None:
    result = planned({**PFSENSE, "nodes.fw1.host_id": "00A1", "nodes.fw2.host_id": "a2", "cluster.state_policy": "floating", "cluster.sync.format": 1301})
    assert result.warnings == ()
    one, two = result.plans["fw1"], result.plans["fw2"]
    assert (one["platform"], one["interfaces"]) == ("pfsense", {"lan": "lan0", "wan": "wan0", "sync": "sync0"})
    assert one["state_sync"] == {
        "enabled": True, "interface": "sync0", "address": "198.51.100.130", "network": "198.51.100.128/28", "transport": "multicast", "peer": None,
        "group": None, "port": None, "mode": None, "external_cache": None, "refresh_interval": None, "ignore_addresses": [],
        "host_id": "a1", "state_policy": "floating", "version": 1301}
    assert (two["state_sync"]["host_id"], two["state_sync"]["state_policy"]) == ("a2", "floating")
    assert one["sync_rule"] == {"enabled": True, "interface": "sync0", "network": "198.51.100.128/28", "transport": "multicast", "group": None, "port": None,
                                "vrrp": []}
    assert one["virtual_ip"] == {
        "name": "edge", "advert_interval": 1.0, "preempt": True, "preempt_delay": 0, "transport": "multicast", "track_interfaces": True, "received": False,
        "instances": [instance("lan_10_ipv4", "lan0", 0, ["192.0.2.1/24"]), instance("wan_20_ipv4", "wan0", 0, ["203.0.113.1/24", "203.0.113.9/24"]),
                      instance("lan_11_ipv6", "lan0", 0, ["2001:db8:1::1/64"])]}
    assert two["virtual_ip"]["instances"][0] == instance("lan_10_ipv4", "lan0", 100, ["192.0.2.1/24"])


def test_what_nobody_states_is_left_alone() -> None:
    plan = planned(PFSENSE).plans["fw1"]
    assert [plan["state_sync"][key] for key in ("host_id", "state_policy", "version")] == [None, None, None]


def test_evidence_tells_the_platform() -> None:
    assert {plan["platform"] for plan in planned(TWO).plans.values()} == {"pfsense"}
    # Where one node was read and the other was not, they are alike.
    assert {plan["platform"] for plan in planned({**TWO, "evidence.fw2": None}).plans.values()} == {"pfsense"}


def test_no_package_is_installed_whatever_evidence_says_of_packages() -> None:
    absent = {"packages": dict.fromkeys(["conntrackd", "conntrack", "nftables", "keepalived"])}
    plan = planned({**TWO, "evidence.fw1": pf_evidence(1, **absent)}).plans["fw1"]
    assert plan["missing_packages"] == {"sync_engine": [], "sync_rule": [], "virtual_ip": []}


def test_unicast_names_the_peer() -> None:
    plan = planned({**PFSENSE, "cluster.sync.transport": "unicast"}).plans["fw2"]
    assert (plan["state_sync"]["peer"], plan["state_sync"]["group"], plan["sync_rule"]["transport"]) == ("198.51.100.130", None, "unicast")


@pytest.mark.parametrize(("priority", "skew"), [(200, 0), (150, 100), (149, 102), (73, 254)])
def test_a_priority_becomes_a_skew(priority: int, skew: int) -> None:
    changes = {**PFSENSE, "nodes.fw2.priority": priority}
    if priority == 200:
        changes = {**PFSENSE, "nodes.fw1.priority": 200}
    host = "fw1" if priority == 200 else "fw2"
    assert {one["advskew"] for one in planned(changes).plans[host]["virtual_ip"]["instances"]} == {skew}


@pytest.mark.parametrize("seconds", [1, 2.0, 254])
def test_an_interval_of_whole_seconds_becomes_the_base(seconds: float) -> None:
    plan = planned({**PFSENSE, "cluster.vrrp.advert_interval": seconds}).plans["fw1"]
    assert {one["advbase"] for one in plan["virtual_ip"]["instances"]} == {int(seconds)} and plan["virtual_ip"]["advert_interval"] == seconds


def test_no_plan_and_no_message_holds_the_password() -> None:
    assert "hunter2" not in json.dumps(planned(PFSENSE).plans)
    for wrong in (["hunter2"], {"is": "hunter2"}, " hunter2", "hunter2\n", "hun\x07ter2"):
        found = refused({**PFSENSE, "cluster.vrrp.password": wrong})
        assert [one.path for one in found] == [f"{VRRP}.password"] and "hun" not in str(found[0])


def test_the_virtual_addresses_that_the_primary_sends_are_left_to_it() -> None:
    def received(**sync: Any) -> list[bool]:
        plans = planned({**TWO, "evidence.fw1.config_sync": sync}).plans
        return [plan["virtual_ip"]["received"] for plan in plans.values()]

    assert received(target="198.51.100.131", sections=["rules", "virtualip"]) == [False, True]
    # By any address of the node.
    assert received(target="192.0.2.3", sections=["virtualip"]) == [False, True]
    assert received(target="198.51.100.131", sections=["rules"]) == [False, False]
    # Its own address.
    assert received(target="198.51.100.130", sections=["virtualip"]) == [False, False]
    assert received(target="198.51.100.140", sections=["virtualip"]) == [False, False]
    assert received(target=None, sections=["virtualip"]) == received(target="198.51.100.131", sections=None) == received() == [False, False]
    # A secondary that sends is a mistake that a check finds; the primary takes nothing from it.
    plans = planned({**TWO, "evidence.fw2.config_sync": {"target": "198.51.100.130", "sections": ["virtualip"]}}).plans
    assert plans["fw1"]["virtual_ip"]["received"] is False


@pytest.mark.parametrize(("instances", "order"), [([[], []], ["fw1", "fw2"]), ([[{"state": "active"}], [{"state": "standby"}]], ["fw2", "fw1"]),
                                                  ([[], None], ["fw2", "fw1"]), ([[{"state": "standby"}], [{"state": "active"}]], ["fw1", "fw2"])])
def test_the_primary_comes_first_where_no_node_has_a_virtual_address_yet(instances: list[Any], order: list[str]) -> None:
    # CARP is part of the kernel and allowed from the start.
    changes = {f"evidence.fw{number}.vrrp": {"running": True, "instances": one} for number, one in enumerate(instances, 1)}
    assert planned({**TWO, **changes}).plans["fw1"]["apply_order"] == order


def test_an_address_that_no_node_takes_part_for_is_left_over() -> None:
    left = {"evidence.fw2.interfaces[2].addresses": ["203.0.113.3/24", "203.0.113.1/24"]}
    [warning] = planned({**TWO, **left, "evidence.fw2.vrrp": {"running": True, "instances": []}}).warnings
    assert (warning.path, warning.host) == ("hafirewall_cluster.virtual_ips[1].address", "fw2")
    # CARP has its addresses on every node, active or not.
    assert planned({**TWO, **left, "evidence.fw2.vrrp": {"running": False, "instances": [{"state": "fault"}]}}).warnings == ()


# (what is wrong, changes beside PFSENSE, path, host, part of the problem, part of the remedy)
ROWS: list[tuple[str, dict[str, Any], str, str | None, str, str]] = [
    ("mode", {"cluster.sync.mode": "ftfw"}, f"{SYNC}.mode", None, "is a setting of conntrackd, and the nodes run pfSense", "remove it"),
    ("group", {"cluster.sync.group": "225.0.0.50"}, f"{SYNC}.group", None, "224.0.0.240", "remove it"),
    ("group with unicast", {"cluster.sync.group": "225.0.0.50", "cluster.sync.transport": "unicast"}, f"{SYNC}.group", None, "224.0.0.240", "remove it"),
    ("port", {"cluster.sync.port": 3780}, f"{SYNC}.port", None, "has no ports", "remove it"),
    ("external cache", {"cluster.sync.external_cache": False}, f"{SYNC}.external_cache", None, "into the kernel at once", "remove it"),
    ("refresh", {"cluster.sync.refresh_interval": 0}, f"{SYNC}.refresh_interval", None, "none ages out", "remove it"),
    ("IPv6 for Sync", {"cluster.sync.network": "2001:db8:5::/64", "nodes.fw1.interfaces.sync.address": "2001:db8:5::2/64",
                       "nodes.fw2.interfaces.sync.address": "2001:db8:5::3/64"}, f"{SYNC}.network", None, "IPv4 only", "choose an IPv4 network"),
    ("no password", {"cluster.vrrp.password": None}, f"{VRRP}.password", None, "is missing", "from a vault"),
    ("empty password", {"cluster.vrrp.password": ""}, f"{VRRP}.password", None, "is empty", "choose another"),
    ("half a second", {"cluster.vrrp.advert_interval": 0.5}, f"{VRRP}.advert_interval", None, "whole seconds", "1 to 254"),
    ("longest interval and a bit", {"cluster.vrrp.advert_interval": 254.5}, f"{VRRP}.advert_interval", None, "outside 0.01 to 254", "seconds"),
    ("no preemption", {"cluster.vrrp.preempt": False}, f"{VRRP}.preempt", None, "net.inet.carp.preempt", "leave it out"),
    ("delay", {"cluster.vrrp.preempt_delay": 0.5}, f"{VRRP}.preempt_delay", None, "is 0.5, and CARP takes over without a delay", "remove it"),
    ("unicast", {"cluster.vrrp.transport": "unicast"}, f"{VRRP}.transport", None, "no setting for", "choose multicast"),
    ("interfaces not tracked", {"cluster.vrrp.track_interfaces": False}, f"{VRRP}.track_interfaces", None, "all addresses up", "leave it out"),
    ("one vhid for both families", {"cluster.virtual_ips[2].id": 10}, "hafirewall_cluster.virtual_ips[2].id", None, "one vhid for both families",
     "choose another id"),
    ("above 200", {"nodes.fw1.priority": 201}, "hafirewall_node.priority", "fw1", "is 201, which is advskew -2, and CARP has 0 to 254", "choose 73 to 200"),
    ("below 73", {"nodes.fw2.priority": 72}, "hafirewall_node.priority", "fw2", "advskew 256", "choose 73 to 200"),
    ("one host id twice", {"nodes.fw1.host_id": "a1", "nodes.fw2.host_id": "00A1"}, "hafirewall_node.host_id", "fw2", "is a1, as on fw1", "one of its own"),
    ("host id with letters past f", {"nodes.fw2.host_id": "g1"}, "hafirewall_node.host_id", "fw2", "is no host id", "hexadecimal"),
    ("host id too long", {"nodes.fw2.host_id": "123456789"}, "hafirewall_node.host_id", "fw2", "is no host id", "hexadecimal"),
    ("host id before CE 2.7", {"nodes.fw2.host_id": "a1", "evidence.fw2": pf_evidence(2, "2.6.0")}, "hafirewall_node.host_id", "fw2", "pfSense 2.6.0",
     "CE 2.7"),
    ("host id before Plus 22.05", {"nodes.fw2.host_id": "a1", "evidence.fw2": pf_evidence(2, "22.01")}, "hafirewall_node.host_id", "fw2", "pfSense 22.01",
     "Plus 22.05"),
    ("a format that there is not", {"cluster.sync.format": 1302}, "hafirewall_cluster.sync.format", None, "is 1302, which is not known",
     "write one of: 1301, 1400, 1500"),
    ("a format in quotes", {"cluster.sync.format": "1400"}, "hafirewall_cluster.sync.format", None, "'1400', which is not known", "write 1400"),
    ("a newer format before CE 2.7", {"cluster.sync.format": 1400, "evidence.fw2": pf_evidence(2, "2.6.0")}, "hafirewall_cluster.sync.format", "fw2",
     "is 1400, and pfSense 2.6.0 understands 1301 alone", "choose 1301"),
    ("state policy before CE 2.8", {"cluster.state_policy": "floating", "evidence.fw1": pf_evidence(1, "2.7.2")}, "hafirewall_cluster.state_policy", "fw1",
     "pfSense 2.7.2", "CE 2.8"),
    ("state policy before Plus 24.03", {"cluster.state_policy": "if-bound", "evidence.fw1": pf_evidence(1, "23.09.1")}, "hafirewall_cluster.state_policy",
     "fw1", "pfSense 23.09.1", "Plus 24.03"),
    ("name too long", {"nodes.fw2.interfaces.wan.device": "abcdefghijklmnop"}, "hafirewall_node.interfaces.wan.device", "fw2", "that FreeBSD allows",
     "ifconfig -l"),
    ("name with a comma", {"nodes.fw2.interfaces.wan.device": "em0,em1"}, "hafirewall_node.interfaces.wan.device", "fw2", "a character other than",
     "ifconfig -l"),
    ("no name", {"nodes.fw2.interfaces.wan.device": "0em"}, "hafirewall_node.interfaces.wan.device", "fw2", "does not begin with a letter", "ifconfig -l"),
]


@pytest.mark.parametrize(("changes", "path", "host", "problem", "remedy"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_refused(changes: dict[str, Any], path: str, host: str | None, problem: str, remedy: str) -> None:
    found = refused({**PFSENSE, **changes})
    assert [(one.path, one.host) for one in found] == [(path, host)], [str(one) for one in found]
    assert problem in found[0].problem and remedy in found[0].remedy, str(found[0])


# The edges of what is refused.
QUIET: list[tuple[str, dict[str, Any]]] = [
    ("what CARP does anyway", {"cluster.vrrp": {"password": "hunter2", "preempt": True, "preempt_delay": 0, "track_interfaces": True,
                                                "transport": "multicast"}}),
    ("no password without virtual addresses", {"cluster.virtual_ips": [], "cluster.vrrp.password": None}),
    ("host id with CE 2.7", {"nodes.fw2.host_id": "ffffffff", "evidence.fw2": pf_evidence(2, "2.7.0")}),
    ("host id with Plus 22.05", {"nodes.fw2.host_id": "a1", "evidence.fw2": pf_evidence(2, "22.05")}),
    ("host id of an unknown release", {"nodes.fw2.host_id": "a1"}),
    ("the oldest format before CE 2.7", {"cluster.sync.format": 1301, "evidence.fw1": pf_evidence(1, "2.6.0"), "evidence.fw2": pf_evidence(2, "2.7.0")}),
    ("state policy with CE 2.8", {"cluster.state_policy": "if-bound", "evidence.fw1": pf_evidence(1), "evidence.fw2": pf_evidence(2)}),
    ("state policy with Plus 24.03", {"cluster.state_policy": "if-bound", "evidence.fw1": pf_evidence(1, "24.03")}),
    ("the same vhid on two interfaces", {"cluster.virtual_ips[1].id": 10}),
    ("a name that only conntrackd cannot read", {"nodes.fw2.interfaces.sync.device": "em0", "nodes.fw1.interfaces.sync.device": "e0"}),
    ("addresses unknown: pfSense's rules for CARP need none", {"nodes.fw2.interfaces.wan": "wan0"}),
]


@pytest.mark.parametrize("changes", [row[1] for row in QUIET], ids=[row[0] for row in QUIET])
def test_accepted_without_a_warning(changes: dict[str, Any]) -> None:
    assert planned({**PFSENSE, **changes}).warnings == ()


def test_settings_of_conntrackd_are_refused_while_state_sync_is_off_too() -> None:
    assert [one.path for one in refused({**PFSENSE, "cluster.state_sync": False, "cluster.sync.mode": "ftfw"})] == [f"{SYNC}.mode"]


@pytest.mark.parametrize(("version", "stated", "needed"), [
    ("2.8.0", None, True), ("2.8.0", "floating", False), ("2.8.0", "if-bound", True), ("2.7.2", None, False), (None, None, True), (None, "floating", False)])
def test_the_policy_that_is_stated_decides_whether_names_matter(version: str | None, stated: str | None, needed: bool) -> None:
    other = {"nodes.fw2.interfaces.wan.device": "igb1"}
    seen = {"evidence.fw1": pf_evidence(1, version or "?"), "evidence.fw2": pf_evidence(2, version or "?")}
    seen["evidence.fw2"]["interfaces"][2]["name"] = "igb1"
    result = planned({**PFSENSE, **seen, **other, "cluster.state_policy": stated})
    assert result.laggs["needed"] is needed
    if stated:
        assert f"its state policy is set to {stated}" in result.laggs["reason"] and "stated in the intent" in result.laggs["reason"]
