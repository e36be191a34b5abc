# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties of LAGG plans for any maps of interfaces: names agree or there is an error, and a plan that was applied leaves nothing to plan."""

from __future__ import annotations

import copy
import json
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.plan import LaggPlan
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import PLATFORMS, PROTOCOLS
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_node import evidence, lagg, port, vlan
from hypothesis import given
from hypothesis import strategies as st
from lagg_cases import applied, planned
from strategies import anything

NAMES = ("lan", "wan", "dmz", "sync")
RELEASES = {"linux": "12", "freebsd": "14.2-RELEASE", "openbsd": "7.6", "pfsense": "2.8.1-RELEASE", "opnsense": "25.1.4"}
Case = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]


def _ports(host: int) -> list[str]:
    """Ports of one node; two of them have the same names on all nodes."""
    return [f"{('em', 'igb', 'ix')[host]}{number}" for number in range(6)] + ["cc0", "cc1"]


@st.composite
def maps(draw: Any, wild: bool) -> Case:
    """A cluster with evidence. Tame ones must be accepted: each interface has a port of its own, and the same VLAN everywhere. Wild ones may be anything."""
    platform = draw(st.sampled_from(sorted(PLATFORMS)))
    hosts = [f"fw{number}" for number in range(1, draw(st.integers(2, 3)) + 1)]
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    tags = {name: draw(st.sampled_from([None, 10, 20])) for name in names}
    prefix = PLATFORMS[platform].prefixes[None]
    # OPNsense numbers new LAGGs by itself, which can only be borne where the nodes have the same ones already.
    existing = wild or not PLATFORMS[platform].assigns
    nodes: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for index, host in enumerate(hosts):
        interfaces, devices = _node(draw, index, names, tags, prefix if existing else None, wild)
        nodes[host] = {"role": "secondary" if index else "primary", "interfaces": interfaces}
        used = {device["name"] for device in devices}
        if existing:
            # Names of LAGGs that something else has already.
            spare = [f"{prefix}{number}" for number in draw(st.lists(st.integers(0, 4), unique=True, max_size=2))]
            devices += [port(name, kind="lagg", lagg={"protocol": "failover", "members": []}) for name in spare if name not in used]
        management = draw(st.sampled_from([device["name"] for device in devices])) if wild else None
        policy = draw(st.sampled_from([None, "if-bound", "floating"]))
        found[host] = evidence(*devices, platform=platform, version=RELEASES[platform], management={"device": management, "address": None},
                               state_policy=policy)
    common: dict[str, Any] = {"name": "edge", "state_sync": True, "sync": {"interface": "sync", "network": "198.51.100.128/28"},
                              "lagg_required": draw(st.sampled_from(["auto", "always", "never"] if wild else ["auto", "always"]))}
    if wild:
        common["laggs"] = draw(st.dictionaries(st.sampled_from(names), _settings(), max_size=2))
    return common, nodes, found


def _settings() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={
        "required": st.sampled_from(["auto", "always", "never"]), "protocol": st.sampled_from(PROTOCOLS), "mtu": st.sampled_from([1500, 9000]),
        "name": st.sampled_from(["lagg7", "bond7", "trunk7", "lagg0", "bond0", "eth3"]), "hash": st.sampled_from(["l2", "l3+l4", "l4"]),
        "lacp_rate": st.just("fast"), "min_links": st.integers(1, 2), "crossover": st.booleans(), "move_management": st.booleans()})


def _node(draw: Any, index: int, names: list[str], tags: dict[str, Any], prefix: str | None, wild: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    interfaces: dict[str, Any] = {}
    ports = draw(st.permutations(_ports(index)))
    devices = [port(name, **({"mtu": draw(st.sampled_from([1500, 9000])), "speed": draw(st.sampled_from([1000, 10000, None]))} if wild else {}))
               for name in ports]
    free = list(ports)
    for place, name in enumerate(names):
        own = draw(st.sampled_from(ports)) if wild and draw(st.booleans()) else free.pop()
        base = own
        if prefix and draw(st.booleans()) and own not in {member for device in devices for member in (device["lagg"] or {}).get("members", [])}:
            # Already on a LAGG, under whatever name.
            base = f"{prefix}{draw(st.integers(0, 9)) * 10 + place}"
            if base not in {device["name"] for device in devices}:
                devices.append(lagg(base, [own], protocol="failover" if not wild else draw(st.sampled_from(["failover", "lacp"]))))
        tag = draw(st.sampled_from([None, 10])) if wild and draw(st.booleans()) else tags[name]
        device = base if tag is None else f"{base}.{tag}"
        if tag is not None and device not in {known["name"] for known in devices}:
            devices.append(vlan(base, tag, [f"192.0.2.{10 * place + index + 1}/24"]))
        stated = own if tag is None else f"{own}.{tag}"
        interfaces[name] = {"device": draw(st.sampled_from([device, stated])) if wild else stated}
        if free and draw(st.booleans()):
            further = [draw(st.sampled_from(ports))] if wild else [free.pop()]
            interfaces[name]["members"] = draw(st.permutations([own, *further]))
    return interfaces, devices


def agree(plan: LaggPlan, names: Any) -> list[str]:
    """Interfaces whose names are the same on all nodes that have them, when all is done."""
    return [name for name in names if len({device for (_host, interface), device in plan.names.items() if interface == name}) == 1]


def sound(plan: LaggPlan, nodes: dict[str, Any]) -> None:
    """What holds of every plan: it is JSON, has an error or a whole answer, and all nodes' LAGGs have one name, order and protocol."""
    document = plan.as_dict()
    assert json.loads(json.dumps(document)) == document and list(document) == ["needed", "reason", "laggs", "moves", "refused"]
    assert document["reason"]
    if plan.refused:
        assert document["laggs"] == document["moves"] == [] and plan.options("fw1") == {"laggs": []}
        for problem in plan.refused:
            assert problem.path.startswith(("hafirewall_cluster", "hafirewall_node")) and problem.problem and problem.remedy
        return
    assert len({one["name"] for one in document["laggs"]}) == len(document["laggs"])
    order = [one.name for one in plan.wanted]
    for host in nodes:
        own = plan.options(host)["laggs"]
        assert [one["name"] for one in own] == [name for name in order if name in {one["name"] for one in own}]
        assert all(one["protocol"] == wanted.protocol for one in own for wanted in plan.wanted if wanted.name == one["name"])
        members = [member for one in own for member in one["members"]]
        assert len(members) == len(set(members))


@given(case=maps(wild=False))
def test_a_tame_cluster_is_planned_and_all_its_names_agree(case: Case) -> None:
    common, nodes, found = case
    plan = planned(common, nodes, found)
    assert plan.refused == (), [str(problem) for problem in plan.refused]
    sound(plan, nodes)
    bound = any(value["state_policy"] == "if-bound" or (value["state_policy"] is None and value["platform"] in ("pfsense", "opnsense"))
                for value in found.values())
    names = list(nodes["fw1"]["interfaces"])
    if common["lagg_required"] == "always" or (bound and found["fw1"]["platform"] != "linux"):
        assert agree(plan, names) == names


@given(case=maps(wild=True))
def test_any_cluster_is_planned_with_names_that_agree_or_refused(case: Case) -> None:
    common, nodes, found = case
    plan = planned(common, nodes, found)
    sound(plan, nodes)
    if not plan.refused:
        asked = {interface for lagg in plan.wanted for interface in lagg.group.interfaces}
        assert set(agree(plan, asked)) == asked


@given(case=st.booleans().flatmap(lambda wild: maps(wild=wild)))
def test_a_plan_that_was_applied_leaves_nothing_to_plan(case: Case) -> None:
    common, nodes, found = case
    plan = planned(common, nodes, found)
    if plan.refused:
        return
    done = applied(plan, found)
    again = planned(common, nodes, done)
    # What was to be never stays missed.
    assert again.refused == () and again.moves == () and again.as_dict()["laggs"] == []
    assert again.needed == any("shall have no LAGG" in str(warning) for warning in again.warnings)
    assert dict(again.names) == dict(plan.names)
    assert all({member for one in again.options(host)["laggs"] for member in one["members"]}
               == {member for one in plan.options(host)["laggs"] for member in one["members"]} for host in nodes)
    assert applied(again, done) == done


@given(case=maps(wild=True))
def test_planning_is_deterministic_and_leaves_its_input_alone(case: Case) -> None:
    before = copy.deepcopy(case)
    assert planned(*case).as_dict() == planned(*copy.deepcopy(case)).as_dict() and case == before


@given(case=maps(wild=True), junk=anything(), key=st.sampled_from(["interfaces", "management", "references", "state_policy", "state_rules", "os", "kind",
                                                                   "vlan", "lagg", "master", "mtu", "speed", "addresses", "name"]))
def test_no_evidence_crashes_planning(case: Case, junk: Any, key: str) -> None:
    common, nodes, found = case
    target = found["fw2"] if key in found["fw2"] or key in ("references", "state_rules") else found["fw2"]["interfaces"][0]
    target[key] = junk
    planned(common, nodes, found)
