# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an accepted intent becomes: whole plans, defaults, orders, and the warnings for what is legal but should be known."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings, IntentError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plan import plan_cluster
from intent_cases import GONE, changed, evidence, planned

TWO = {"evidence.fw1": evidence(1), "evidence.fw2": evidence(2)}
V6_SYNC = {"cluster.sync.network": "2001:db8:5::/64", "nodes.fw1.interfaces.sync.address": "2001:db8:5::2/64",
           "nodes.fw2.interfaces.sync.address": "2001:db8:5::3/64"}
OWN = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "198.51.100.130", "198.51.100.131", "203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.9",
       "2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::3"]


def instance(name: str, device: str, priority: int, addresses: list[str], source: str | None, peers: list[str]) -> dict[str, Any]:
    _interface, one, family = name.split("_")
    return {"name": name, "interface": device, "id": int(one), "family": family, "priority": priority, "advskew": None, "advbase": None, "addresses": addresses,
            "source": source, "peers": peers}


def test_a_whole_plan() -> None:
    result = planned({})
    assert result.warnings == () and list(result.plans) == ["fw1", "fw2"]
    assert result.plans["fw1"] == {
        "cluster": "edge", "node": "fw1", "role": "primary", "platform": "linux", "driven": True, "members": ["fw1", "fw2"], "peers": ["fw2"],
        "apply_order": ["fw2", "fw1"], "warnings": [], "missing_packages": {"sync_engine": [], "sync_rule": [], "virtual_ip": []},
        "interfaces": {"lan": "lan0", "wan": "wan0", "sync": "sync0"}, "lagg": {"laggs": []},
        "state_sync": {"enabled": True, "interface": "sync0", "address": "198.51.100.130", "network": "198.51.100.128/28", "transport": "multicast",
                       "group": "225.0.0.50", "port": 3780, "peer": None, "mode": "ftfw", "external_cache": False, "refresh_interval": None,
                       "ignore_addresses": OWN, "host_id": None, "state_policy": None, "version": None},
        "sync_rule": {"enabled": True, "interface": "sync0", "network": "198.51.100.128/28", "transport": "multicast", "group": "225.0.0.50", "port": 3780,
                      "vrrp": [{"interface": "lan0", "family": "ipv4", "sources": ["192.0.2.3"], "transport": "multicast"},
                               {"interface": "wan0", "family": "ipv4", "sources": ["203.0.113.3"], "transport": "multicast"},
                               {"interface": "lan0", "family": "ipv6", "sources": ["fe80::/10"], "transport": "multicast"}]},
        "virtual_ip": {"name": "edge", "advert_interval": 1.0, "preempt": False, "preempt_delay": 10, "transport": "multicast", "track_interfaces": True,
                       "received": False,
                       "instances": [instance("lan_10_ipv4", "lan0", 200, ["192.0.2.1/24"], "192.0.2.2", ["192.0.2.3"]),
                                     instance("wan_20_ipv4", "wan0", 200, ["203.0.113.1/24", "203.0.113.9/24"], "203.0.113.2", ["203.0.113.3"]),
                                     instance("lan_11_ipv6", "lan0", 200, ["2001:db8:1::1/64"], None, [])]},
    }
    other = result.plans["fw2"]
    assert (other["role"], other["peers"], other["state_sync"]["address"]) == ("secondary", ["fw1"], "198.51.100.131")
    assert [one["priority"] for one in other["virtual_ip"]["instances"]] == [150, 150, 150]


@pytest.mark.parametrize(("changes", "count", "mode", "external"), [
    ({}, 2, "ftfw", False), ({}, 3, "notrack", False), ({"cluster.sync.mode": "notrack"}, 2, "notrack", False),
    ({"cluster.sync.mode": "alarm"}, 3, "alarm", True),
    ({"cluster.sync.external_cache": True}, 2, "ftfw", True), ({"cluster.sync.mode": "alarm", "cluster.sync.external_cache": True}, 2, "alarm", True),
])
def test_mode_and_external_cache(changes: dict[str, Any], count: int, mode: str, external: bool) -> None:
    for plan in planned(changes, count).plans.values():
        assert (plan["state_sync"]["mode"], plan["state_sync"]["external_cache"]) == (mode, external)


def test_unicast_names_the_peer_and_no_group() -> None:
    plans = planned({"cluster.sync.transport": "unicast", "cluster.sync.port": 4000}).plans
    assert [plan["state_sync"]["peer"] for plan in plans.values()] == ["198.51.100.131", "198.51.100.130"]
    assert {(plan["state_sync"]["group"], plan["sync_rule"]["group"], plan["sync_rule"]["transport"],
             plan["sync_rule"]["port"]) for plan in plans.values()} == {
        (None, None, "unicast", 4000)}


def test_sync_over_ipv6_uses_a_group_of_site_scope() -> None:
    plan = planned(V6_SYNC).plans["fw1"]
    assert (plan["state_sync"]["group"], plan["state_sync"]["address"], plan["sync_rule"]["network"]) == ("ff15::e100:32", "2001:db8:5::2", "2001:db8:5::/64")
    assert planned({**V6_SYNC, "cluster.sync.group": "ff18::5"}).plans["fw2"]["sync_rule"]["group"] == "ff18::5"
    with pytest.raises(IntentError, match="is not a multicast address; choose one, as ff15::e100:32"):
        planned({**V6_SYNC, "cluster.sync.group": "2001:db8::5"})
    with pytest.raises(IntentError, match="has link scope or less"):
        planned({**V6_SYNC, "cluster.sync.group": "ff12::5"})


def test_state_sync_off_keeps_its_settings_and_needs_none() -> None:
    result = planned({"cluster.state_sync": False})
    on = planned({}).plans["fw1"]
    assert result.plans["fw1"]["state_sync"] == {**on["state_sync"], "enabled": False}
    assert result.plans["fw1"]["sync_rule"] == {**on["sync_rule"], "enabled": False}
    bare = planned({"cluster.state_sync": False, "cluster.sync": GONE}).plans["fw1"]
    assert bare["state_sync"] == {"enabled": False, "interface": None, "address": None, "network": None, "transport": "multicast", "group": None, "port": 3780,
                                  "peer": None, "mode": "ftfw", "external_cache": False, "refresh_interval": None, "ignore_addresses": OWN,
                                  "host_id": None, "state_policy": None, "version": None}
    assert bare["sync_rule"]["enabled"] is False and len(bare["sync_rule"]["vrrp"]) == 3
    # The address is needed only by a state sync that is on, and so is a name that conntrackd can read.
    assert planned({"cluster.state_sync": False, "nodes.fw2.interfaces.sync": "e0"}).plans["fw2"]["state_sync"]["address"] is None


def test_priorities_by_default_and_past_stated_ones() -> None:
    plans = planned({"nodes.fw3.priority": 125}, 7).plans
    assert [plan["virtual_ip"]["instances"][0]["priority"] for plan in plans.values()] == [200, 150, 125, 100, 75, 74, 73]


def test_addresses_come_from_evidence() -> None:
    short = {"nodes.fw1.interfaces": {"lan": "lan0", "wan": "wan0", "sync": "sync0"}, "nodes.fw2.interfaces": {"lan": "lan0", "wan": "wan0", "sync": "sync0"}}
    # The active node holds the virtual addresses too; they are not its own.
    held = {"evidence.fw1.interfaces[1].addresses": ["192.0.2.1/24", "2001:db8:1::1/64", *evidence(1)["interfaces"][1]["addresses"]]}
    found, stated = planned({**TWO, **held, **short}), planned({})
    assert found.warnings == ()
    for host in ("fw1", "fw2"):
        for part in ("sync_rule", "virtual_ip"):
            assert found.plans[host][part] == stated.plans[host][part]
        assert found.plans[host]["state_sync"] == {**stated.plans[host]["state_sync"],
                                                   "ignore_addresses": sorted([*OWN, "198.51.100.2", "198.51.100.3"], key=_by_number)}


def _by_number(text: str) -> tuple[int, list[int] | str]:
    return (6, text) if ":" in text else (4, [int(part) for part in text.split(".")])


def test_unicast_vrrp_over_ipv6_names_its_addresses() -> None:
    plan = planned({"cluster.vrrp.transport": "unicast"}).plans["fw1"]
    assert plan["virtual_ip"]["instances"][2] == instance("lan_11_ipv6", "lan0", 200, ["2001:db8:1::1/64"], "2001:db8:1::2", ["2001:db8:1::3"])
    assert plan["sync_rule"]["vrrp"][2] == {"interface": "lan0", "family": "ipv6", "sources": ["2001:db8:1::3"], "transport": "unicast"}


def test_three_nodes_are_each_others_peers() -> None:
    plans = planned({}, 3).plans
    assert plans["fw2"]["peers"] == ["fw1", "fw3"] and plans["fw2"]["sync_rule"]["vrrp"][0]["sources"] == ["192.0.2.2", "192.0.2.4"]
    assert plans["fw2"]["virtual_ip"]["instances"][0]["peers"] == ["192.0.2.2", "192.0.2.4"]


@pytest.mark.parametrize(("active", "order"), [
    ((), ["fw2", "fw3", "fw1"]), (("fw1",), ["fw2", "fw3", "fw1"]), (("fw2",), ["fw3", "fw1", "fw2"]), (("fw1", "fw3"), ["fw2", "fw3", "fw1"]),
])
def test_the_active_node_comes_last_else_the_primary(active: tuple[str, ...], order: list[str]) -> None:
    changes: dict[str, Any] = {f"evidence.fw{number}": evidence(number) for number in (1, 2, 3)}
    changes.update((f"evidence.{host}.vrrp", {"running": True, "instances": [{"state": "active"}, {"state": "standby"}]}) for host in active)
    assert planned(changes, 3).plans["fw1"]["apply_order"] == order


@pytest.mark.parametrize(("running", "order"), [
    ((False, False, False), ["fw1", "fw2", "fw3"]), ((False, None, False), ["fw2", "fw3", "fw1"]), ((False, True, False), ["fw2", "fw3", "fw1"]),
])
def test_where_vrrp_runs_nowhere_the_primary_comes_first_and_becomes_active(running: tuple[bool | None, ...], order: list[str]) -> None:
    changes: dict[str, Any] = {f"evidence.fw{number}": evidence(number) for number in (1, 2, 3)}
    changes.update((f"evidence.fw{number}.vrrp", {"running": runs, "instances": []}) for number, runs in enumerate(running, 1))
    assert planned(changes, 3).plans["fw1"]["apply_order"] == order


def test_packages_that_lack() -> None:
    packages = {"conntrackd": None, "conntrack": "1:1.4.7", "keepalived": None, "nftables": "1.0.6"}
    changes = {**TWO, "evidence.fw1.packages": packages, "evidence.fw2.packages": {**packages, "conntrack": None}, "evidence.fw2.os": {"id": "rocky"}}
    plans = planned(changes).plans
    assert plans["fw1"]["missing_packages"] == {"sync_engine": ["conntrackd"], "sync_rule": [], "virtual_ip": ["keepalived"]}
    assert plans["fw2"]["missing_packages"] == {"sync_engine": ["conntrack-tools"], "sync_rule": [], "virtual_ip": ["keepalived"]}


@pytest.mark.parametrize("address", ["192.0.2.1/24", "192.0.2.1/32"])
def test_a_virtual_address_may_stand_alone(address: str) -> None:
    only = {"cluster.virtual_ips": [{"interface": "lan", "address": address, "id": 10}]}
    assert planned(only).plans["fw1"]["virtual_ip"]["instances"] == [instance("lan_10_ipv4", "lan0", 200, [address], "192.0.2.2", ["192.0.2.3"])]


def test_one_id_serves_both_families_and_several_interfaces() -> None:
    same = {"cluster.virtual_ips[1].id": 10, "cluster.virtual_ips[2].id": 10}
    assert [one["name"] for one in planned(same).plans["fw1"]["virtual_ip"]["instances"]] == ["lan_10_ipv4", "wan_10_ipv4", "lan_10_ipv6"]


# Legal, and nothing worth a warning: the edges of what is refused or warned about.
QUIET: list[tuple[str, dict[str, Any]]] = [
    ("ftfw stated for two", {"cluster.sync.mode": "ftfw"}),
    ("alarm with its cache", {"cluster.sync.mode": "alarm", "cluster.sync.external_cache": True}),
    ("notrack without", {"cluster.sync.mode": "notrack", "cluster.sync.external_cache": False}),
    ("a network that just fits", {"cluster.sync.network": "198.51.100.130/31", "nodes.fw1.interfaces.sync.address": "198.51.100.130/31",
                                  "nodes.fw2.interfaces.sync.address": "198.51.100.131/31"}),
    ("another group", {"cluster.sync.group": "239.255.0.1"}),
    ("a group just past the routing protocols'", {"cluster.sync.group": "224.0.1.0"}),
    ("IPv6 group of realm scope", {**V6_SYNC, "cluster.sync.group": "ff13::5"}),
    ("sharing allowed and not used", {"cluster.sync.allow_shared": True}),
    ("preempt with a delay", {"cluster.vrrp": {"preempt": True, "preempt_delay": 0.5}}),
    ("shortest advert", {"cluster.vrrp.advert_interval": 0.01}),
    ("advert that binary cannot hold", {"cluster.vrrp.advert_interval": 0.29}),
    ("longest advert", {"cluster.vrrp.advert_interval": 40.95}),
    ("advert as a whole number", {"cluster.vrrp.advert_interval": 1}),
    ("edges of ids", {"cluster.virtual_ips[0].id": 1, "cluster.virtual_ips[1].id": 255}),
    ("link-local virtual address", {"cluster.virtual_ips[2].address": "fe80::1/64"}),
    ("IPv6 virtual address without a global one on the node", {**TWO, "nodes.fw1.interfaces.lan": "lan0",
                                                               "evidence.fw1.interfaces[1].addresses": ["192.0.2.2/24", "fe80::1/64"]}),
    ("IPv6 addresses unknown", {"nodes.fw1.interfaces.lan.addresses": []}),
    ("the same link-local address on every node", {"nodes.fw1.interfaces.lan.addresses": ["2001:db8:1::2/64", "fe80::5/64"],
                                                   "nodes.fw2.interfaces.lan.addresses": ["2001:db8:1::3/64", "fe80::5/64"]}),
    ("a name that only conntrackd cannot read, elsewhere", {"nodes.fw1.interfaces.lan.device": "e0"}),
    ("virtual address held while VRRP runs", {**TWO, "evidence.fw2.vrrp": {"running": True},
                                              "evidence.fw2.interfaces[2].addresses": ["203.0.113.3/24", "203.0.113.1/24"]}),
    ("platform stated and seen", {**TWO, "nodes.fw1.platform": "linux"}),
    ("platform stated and not seen", {**TWO, "nodes.fw1.platform": "linux", "evidence.fw1.platform": None}),
    ("null is not stated", {"cluster.sync.group": None, "cluster.vrrp": None, "cluster.sync.refresh_interval": None}),
    ("no virtual addresses", {"cluster.virtual_ips": []}),
]


@pytest.mark.parametrize("changes", [row[1] for row in QUIET], ids=[row[0] for row in QUIET])
def test_accepted_without_a_warning(changes: dict[str, Any]) -> None:
    assert planned(changes).warnings == ()


# (what is said, changes, path, host, part of the text)
WARNINGS: list[tuple[str, dict[str, Any], str, str | None, str]] = [
    ("no state sync", {"cluster.state_sync": False}, "hafirewall_cluster.state_sync", None, "a failover loses every connection"),
    ("shared with a role", {"cluster.sync.allow_shared": True, "nodes.fw1.interfaces.lan.device": "sync0"}, "hafirewall_cluster.sync.interface", None,
     "shared with lan on fw1"),
    ("shared with virtual addresses", {"cluster.sync.allow_shared": True,
                                       "cluster.virtual_ips": [{"interface": "sync", "address": "198.51.100.129/28", "id": 1}]},
     "hafirewall_cluster.sync.interface", None, "shared with virtual addresses"),
    ("overlap allowed", {"cluster.sync.allow_shared": True, "nodes.fw1.interfaces.dmz": {"device": "dmz0", "address": "198.51.100.140/25"}},
     "hafirewall_cluster.sync.network",
     "fw1", "overlaps 198.51.100.128/25 of dmz on fw1"),
    ("group of routing protocols", {"cluster.sync.group": "224.0.0.77"}, "hafirewall_cluster.sync.group", None, "belongs to routing protocols"),
    ("delay without preempt", {"cluster.vrrp.preempt_delay": 5}, "hafirewall_cluster.vrrp.preempt_delay", None, "has no effect without preempt"),
    ("addresses unknown", {"nodes.fw2.interfaces.wan": "wan0"}, "hafirewall_node.interfaces.wan", "fw2", "accepted from all of 203.0.113.0/24"),
    ("addresses unknown around a lone address", {"nodes.fw2.interfaces.wan": "wan0", "cluster.virtual_ips[1].address": "203.0.113.1/32"},
     "hafirewall_node.interfaces.wan", "fw2", "accepted from all of 203.0.113.0/24"),
    ("virtual address left behind", {**TWO, "evidence.fw2.vrrp": {"running": False},
                                     "evidence.fw2.interfaces[2].addresses": ["203.0.113.3/24", "203.0.113.1/24"]},
     "hafirewall_cluster.virtual_ips[1].address", "fw2", "although VRRP does not run there"),
]


def test_where_a_lone_virtual_address_is_all_that_is_known_adverts_may_come_from_anywhere() -> None:
    result = planned({"nodes.fw1.interfaces.wan": "wan0", "nodes.fw2.interfaces.wan": "wan0", "cluster.virtual_ips[1].address": "203.0.113.1/32"})
    assert [rule["sources"] for rule in result.plans["fw1"]["sync_rule"]["vrrp"] if rule["interface"] == "wan0"] == [["0.0.0.0/0", "203.0.113.0/24"]]


@pytest.mark.parametrize(("changes", "path", "host", "text"), [row[1:] for row in WARNINGS], ids=[row[0] for row in WARNINGS])
def test_warned(changes: dict[str, Any], path: str, host: str | None, text: str) -> None:
    result = planned(changes)
    assert [(one.path, one.host) for one in result.warnings] == [(path, host)] and text in result.warnings[0].problem
    # A node's plan carries what concerns the cluster or the node itself.
    for name, plan in result.plans.items():
        assert plan["warnings"] == ([str(result.warnings[0])] if host in (None, name) else [])


def test_unknown_addresses_widen_the_pass_rule_to_the_network() -> None:
    plans = planned({"nodes.fw2.interfaces.wan": "wan0"}).plans
    assert plans["fw1"]["sync_rule"]["vrrp"][1]["sources"] == ["203.0.113.0/24"]
    assert plans["fw2"]["sync_rule"]["vrrp"][1]["sources"] == ["203.0.113.2"]


def test_findings_made_before_are_raised_with_the_rest() -> None:
    intent, found = changed({"cluster.sync.port": 0}), Findings()
    found.at("fw9").refuse("hafirewall_cluster.name", "is unknown", "state it")
    with pytest.raises(IntentError) as caught:
        plan_cluster("edge", intent["cluster"], intent["nodes"], {}, found)
    assert [(one.host, one.path) for one in caught.value.problems] == [("fw9", "hafirewall_cluster.name"), (None, "hafirewall_cluster.sync.port")]
