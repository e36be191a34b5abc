# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate between two nodes: unknown is not settled."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.settled import unsettled

PLACE = {"interface": "lan0", "id": 10, "family": "ipv4"}
PLAN = {"platform": "linux", "state_sync": {"enabled": True}, "sync_rule": {"enabled": True},
        "virtual_ip": {"instances": [{"name": "lan_10_ipv4", **PLACE}], "received": False}}
CONFIG = {"mode": "ftfw", "transport": "multicast", "group": "225.0.0.50", "port": 3780, "address": "198.51.100.131", "peer": None}
STANDBY = {
    "engine": {"running": True, "enabled": True, "config_current": True, "config": CONFIG, "tables": {"kernel": 1000, "internal": 3, "external": None}},
    "vrrp": {"running": True, "config_current": True, "instances": [{**PLACE, "state": "standby"}]},
    "pass_rule": {"effective": True, "blockers": []}, "maintenance": False,
}
ACTIVE = copy.deepcopy(STANDBY)
ACTIVE["vrrp"]["instances"][0]["state"] = "active"
ACTIVE["engine"]["config"]["address"] = "198.51.100.130"
ACTIVE["engine"]["tables"] = {"kernel": 1005, "internal": 1000, "external": None}


def changed(path, value, base=None):
    evidence = copy.deepcopy(base or STANDBY)
    place = evidence
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return evidence


def test_a_level_standby_has_settled():
    assert unsettled(PLAN, STANDBY, {"fw1": ACTIVE}) == []


@pytest.mark.parametrize(("path", "value", "reason"), [
    (("engine",), None, "runs"),
    (("engine", "running"), False, "runs"),
    (("engine", "enabled"), None, "starts at boot"),
    (("engine", "joined"), False, "joined"),
    (("engine", "config_current"), False, "configuration on its disk"),
    (("engine", "tables", "kernel"), 100, "100 of the 1000 states"),
    (("engine", "tables", "kernel"), None, "None of the 1000 states"),
    (("vrrp",), None, "VRRP"),
    (("vrrp", "running"), False, "VRRP"),
    (("vrrp", "instances"), [], "no known state"),
    (("vrrp", "instances"), [{**PLACE, "id": 11, "state": "standby"}], "no known state"),
    (("vrrp", "instances"), [{**PLACE, "state": "fault"}], "is fault"),
    (("pass_rule",), None, "pass rule"),
    (("pass_rule", "effective"), None, "pass rule"),
])
def test_what_is_wrong_or_unknown_is_named(path, value, reason):
    reasons = unsettled(PLAN, changed(path, value), {"fw1": ACTIVE})
    assert any(reason in text for text in reasons), reasons


def test_a_node_in_maintenance_rests_in_fault():
    evidence = changed(("vrrp", "instances"), [{**PLACE, "state": "fault"}])
    evidence["maintenance"] = True
    assert unsettled(PLAN, evidence, {"fw1": ACTIVE}) == []


def test_states_in_the_external_cache_count_where_there_is_one():
    evidence = changed(("engine", "tables"), {"kernel": 5, "internal": 3, "external": 990})
    assert unsettled(PLAN, evidence, {"fw1": ACTIVE}) == []


@pytest.mark.parametrize(("setting", "value"), [
    ("mode", "alarm"), ("transport", "unicast"), ("group", "225.0.0.51"), ("port", 3781), ("peer", "198.51.100.132")])
def test_a_change_that_the_active_node_has_not_got_yet_lets_no_states_travel(setting, value):
    lost = changed(("engine", "tables", "kernel"), 2)
    assert unsettled(PLAN, lost, {"fw1": ACTIVE}) != []
    lost["engine"]["config"][setting] = value
    assert unsettled(PLAN, lost, {"fw1": ACTIVE}) == []


def test_a_peer_that_is_the_active_node_is_heard():
    lost = changed(("engine", "tables", "kernel"), 2)
    lost["engine"]["config"].update(transport="unicast", group=None, peer="198.51.100.130")
    active = changed(("engine", "config", "transport"), "unicast", ACTIVE)
    active["engine"]["config"].update(group=None, peer="198.51.100.131")
    assert unsettled(PLAN, lost, {"fw1": active}) != []


def test_the_first_node_of_a_new_cluster_has_nobody_to_be_level_with():
    assert unsettled(PLAN, changed(("engine", "tables", "kernel"), 2), {"fw1": None}) == []


def test_without_state_sync_the_engine_is_not_asked():
    plan = dict(PLAN, state_sync={"enabled": False}, sync_rule={"enabled": False})
    assert unsettled(plan, changed(("engine",), None), {"fw1": ACTIVE}) == []


# pfSense

PF_PLAN = {**PLAN, "platform": "pfsense"}
PF_STANDBY = {
    "engine": {"running": True, "enabled": True, "config_current": True, "synced": True, "tables": {"kernel": 3}},
    "vrrp": {"running": True, "demotion": 0, "instances": [{**PLACE, "state": "standby"}]},
    "pass_rule": {"effective": True, "blockers": []}, "maintenance": False,
}


def test_a_standby_of_pfsense_has_settled_whatever_its_number_of_states():
    assert unsettled(PF_PLAN, PF_STANDBY, {"fw1": ACTIVE}) == []


@pytest.mark.parametrize(("path", "value", "reason"), [
    (("engine", "synced"), False, "not known to be here yet"),
    (("engine", "synced"), None, "not known to be here yet"),
    (("engine", "config_current"), None, "configuration"),
    (("vrrp", "running"), False, "CARP is not known to be switched on"),
    (("vrrp", "demotion"), 240, "CARP is demoted by 240"),
    (("vrrp", "demotion"), None, "an unknown number"),
    (("vrrp", "demotion"), False, "CARP is demoted by False"),
    (("vrrp", "instances"), [], "no known state"),
    (("vrrp", "instances"), [{**PLACE, "state": "fault"}], "is fault"),
    (("pass_rule", "effective"), False, "pass rule"),
])
def test_what_is_wrong_or_unknown_on_pfsense_is_named(path, value, reason):
    reasons = unsettled(PF_PLAN, changed(path, value, PF_STANDBY), {"fw1": ACTIVE})
    assert any(reason in text for text in reasons), reasons


def test_addresses_that_the_primary_sends_may_come_later_but_not_badly():
    plan = {**PF_PLAN, "virtual_ip": {**PF_PLAN["virtual_ip"], "received": True}}
    assert unsettled(plan, changed(("vrrp", "instances"), [], PF_STANDBY), {"fw1": ACTIVE}) == []
    assert unsettled(plan, changed(("vrrp",), None, PF_STANDBY), {"fw1": ACTIVE}) == []
    assert unsettled(plan, changed(("vrrp", "instances"), [{**PLACE, "state": "fault"}], PF_STANDBY), {"fw1": ACTIVE}) == ["lan_10_ipv4 is fault"]
    assert unsettled(plan, changed(("vrrp", "demotion"), 240, PF_STANDBY), {"fw1": ACTIVE}) == ["CARP is demoted by 240"]
