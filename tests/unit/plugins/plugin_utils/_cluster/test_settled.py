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


# FreeBSD, where the kernel's messages are read

BSD_PLAN = {**PF_PLAN, "platform": "freebsd"}
BSD_STANDBY = copy.deepcopy(PF_STANDBY)
BSD_STANDBY["engine"].update(bulk="done", config={"transport": "multicast"}, host_id="b2", creators=["a1", "b2"], counters={"sent_messages": {}})
BSD_ACTIVE = copy.deepcopy(BSD_STANDBY)
BSD_ACTIVE["vrrp"]["instances"][0]["state"] = "active"
BSD_ACTIVE["engine"].update(host_id="000000A1", creators=["a1"], counters={"sent_messages": {"state-insert": 3}})
FAILED = copy.deepcopy(BSD_STANDBY)
FAILED["engine"].update(bulk="failed", creators=["b2"])


@pytest.mark.parametrize("bulk", ["done", None])
def test_a_standby_of_freebsd_has_settled_when_the_others_states_have_come_or_nothing_tells_more(bulk):
    assert unsettled(BSD_PLAN, changed(("engine", "bulk"), bulk, BSD_STANDBY), {"fw1": BSD_ACTIVE}) == []


def test_a_standby_without_a_state_of_an_active_node_that_left_it_without_an_answer_is_not_at_rest():
    assert "pfsync bulk fail" in unsettled(BSD_PLAN, FAILED, {"fw1": BSD_ACTIVE})[0]


@pytest.mark.parametrize(("path", "value"), [
    (("engine", "running"), False), (("engine",), None), (("engine", "config"), {"transport": "unicast"}), (("engine", "host_id"), None),
    (("engine", "counters"), {"sent_messages": {"bulk-update-mark": 2, "state-inserted-ack": 1}}), (("engine", "counters"), None),
    (("vrrp", "instances"), [{**PLACE, "state": "standby"}])])
def test_nobody_is_waited_for_who_could_not_answer_or_had_nothing_to_send(path, value):
    assert unsettled(BSD_PLAN, FAILED, {"fw1": changed(path, value, BSD_ACTIVE), "fw3": None}) == []


def test_what_came_later_or_is_made_here_is_as_good_as_an_answer():
    assert unsettled(BSD_PLAN, changed(("engine", "creators"), ["A1"], FAILED), {"fw1": BSD_ACTIVE}) == []
    assert unsettled(BSD_PLAN, changed(("vrrp", "instances"), [{**PLACE, "state": "active"}], FAILED), {"fw1": BSD_ACTIVE}) == []


def test_a_node_of_freebsd_in_maintenance_rests_demoted():
    demoted = changed(("vrrp", "demotion"), 240, BSD_STANDBY)
    assert unsettled(BSD_PLAN, demoted, {}) == ["CARP is demoted by 240"]
    assert unsettled(BSD_PLAN, changed(("maintenance",), True, demoted), {}) == []
    assert unsettled(PF_PLAN, changed(("maintenance",), True, demoted), {}) == ["CARP is demoted by 240"]
    unknown = changed(("vrrp", "demotion"), None, changed(("maintenance",), True, demoted))
    assert unsettled(BSD_PLAN, unknown, {}) == ["CARP is demoted by an unknown number"]


# The first node of a new cluster

ASKING = copy.deepcopy(BSD_STANDBY)
ASKING["engine"].update(bulk="pending", synced=False, creators=["b2"])
ASKING["vrrp"].update(demotion=240, demotion_why=[{"by": 240, "why": "pfsync bulk start"}])
BARE = {"engine": {"running": False}, "vrrp": {"instances": []}}


def test_a_node_that_asks_for_states_is_not_held_up_where_nobody_runs_pfsync_yet():
    assert unsettled(BSD_PLAN, ASKING, {"fw1": BARE}) == []


@pytest.mark.parametrize("other", [None, {}, {"engine": {"running": None}}, BSD_ACTIVE])
def test_it_waits_for_one_that_may_answer(other):
    assert unsettled(BSD_PLAN, ASKING, {"fw1": other, "fw3": BARE}) == [
        "CARP is demoted by 240", "the states of the other nodes are not known to be here yet (syncok)"]


@pytest.mark.parametrize("why", [None, [], [{"by": 240, "why": "pfsync bulk start"}, {"by": 240, "why": "interface down"}]])
def test_another_reason_to_be_demoted_or_none_that_is_known_holds_it_up(why):
    assert unsettled(BSD_PLAN, changed(("vrrp", "demotion_why"), why, ASKING), {"fw1": BARE}) == ["CARP is demoted by 240"]
