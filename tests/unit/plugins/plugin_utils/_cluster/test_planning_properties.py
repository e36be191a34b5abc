# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties of planning that hold for every input: it never crashes, and what it accepts agrees with itself."""

from __future__ import annotations

import copy
import ipaddress
import json
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings, IntentError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.members import compare
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plan import plan_cluster
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import ENGINES, PRODUCTS
from hypothesis import given
from hypothesis import strategies as st
from strategies import Intent, anything, intents

ALL = tuple(ENGINES)
PF = tuple(platform for platform, engine in ENGINES.items() if engine == "pfsync")


def attempt(cluster: Any, nodes: Any, evidence: Any) -> dict[str, Any] | None:
    """The plans, or None after a refusal that says where, what and what to do."""
    try:
        return plan_cluster("edge", cluster, nodes, evidence).plans
    except IntentError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.path.startswith(("hafirewall_cluster", "hafirewall_node")) and problem.problem and problem.remedy
            str(problem).encode()
        return None


@given(cluster=anything(), node=anything(), other=anything(), evidence=anything())
def test_no_value_crashes_planning(cluster: Any, node: Any, other: Any, evidence: Any) -> None:
    attempt(cluster, {"fw1": node, "fw2": other}, {"fw1": evidence})


@given(values=st.lists(anything(), min_size=2, max_size=3))
def test_no_value_crashes_the_comparison_of_members(values: list[Any]) -> None:
    findings = Findings()
    compare({f"fw{index}": value for index, value in enumerate(values)}, findings)
    compare({"fw1": values[0], "fw2": copy.deepcopy(values[0])}, Findings())
    assert all(problem.path.startswith("hafirewall_cluster") for problem in findings.errors)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to every value inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [place for key, item in inner for place in places(item, (*path, key))]


@given(intent=intents(platforms=ALL), data=st.data())
def test_no_value_anywhere_in_an_intent_crashes_planning(intent: Intent, data: st.DataObject) -> None:
    whole = copy.deepcopy({"cluster": intent.cluster, "nodes": intent.nodes, "evidence": intent.evidence})
    place = data.draw(st.sampled_from([place for place in places(whole) if len(place) > 1 or place[:1] == ("cluster",)]))
    target: Any = whole
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = data.draw(anything())
    attempt(whole["cluster"], whole["nodes"], whole["evidence"])


def test_a_value_that_contains_itself_ends() -> None:
    endless: dict[str, Any] = {}
    endless["sync"] = endless
    endless["virtual_ips"] = [endless]
    assert attempt(endless, {"fw1": endless, "fw2": endless}, {"fw1": endless}) is None
    findings = Findings()
    compare({"fw1": endless, "fw2": {"sync": endless}}, findings)
    assert findings.errors


@given(intent=intents(platforms=ALL))
def test_a_good_intent_is_accepted_and_its_nodes_agree(intent: Intent) -> None:
    plans = plan_cluster(intent.name, intent.cluster, intent.nodes, intent.evidence).plans
    assert list(plans) == list(intent.nodes)
    first = next(iter(plans.values()))
    for host, plan in plans.items():
        assert plan["node"] == host and plan["members"] == list(intent.nodes) and plan["peers"] == [other for other in intent.nodes if other != host]
        for key in ("enabled", "network", "transport", "group", "port", "mode", "external_cache", "refresh_interval", "ignore_addresses"):
            assert plan["state_sync"][key] == first["state_sync"][key]
        for key in ("enabled", "network", "transport", "group", "port"):
            assert plan["sync_rule"][key] == plan["state_sync"][key]
        for key in ("name", "advert_interval", "preempt", "preempt_delay", "transport", "track_interfaces"):
            assert plan["virtual_ip"][key] == first["virtual_ip"][key]
        for mine, theirs in zip(plan["virtual_ip"]["instances"], first["virtual_ip"]["instances"], strict=True):
            assert {key: mine[key] for key in ("name", "id", "family", "addresses")} == {key: theirs[key] for key in ("name", "id", "family", "addresses")}
        assert plan["apply_order"] == first["apply_order"] and sorted(plan["apply_order"]) == sorted(plans)


@given(intent=intents(platforms=ALL))
def test_ranks_and_addresses_of_accepted_plans_are_distinct(intent: Intent) -> None:
    plans = plan_cluster(intent.name, intent.cluster, intent.nodes, intent.evidence).plans
    ranks = {host: {instance["priority"] for instance in plan["virtual_ip"]["instances"]} for host, plan in plans.items()}
    if intent.cluster["virtual_ips"]:
        assert all(len(found) == 1 for found in ranks.values()) and len(set().union(*ranks.values())) == len(plans)
        primary = next(host for host, plan in plans.items() if plan["role"] == "primary")
        assert ranks[primary] == {max(set().union(*ranks.values()))}
        if plans[primary]["platform"] in PF:
            # The other way round, and within what CARP has.
            skews = {host: plan["virtual_ip"]["instances"][0]["advskew"] for host, plan in plans.items()}
            assert sorted(skews, key=lambda host: skews[host]) == sorted(ranks, key=lambda host: -max(ranks[host])) and set(skews.values()) <= set(range(255))
    names = [instance["name"] for instance in plans[primary]["virtual_ip"]["instances"]] if intent.cluster["virtual_ips"] else []
    assert len(names) == len(set(names))
    if intent.cluster.get("sync") and intent.cluster.get("state_sync", True):
        addresses = [plan["state_sync"]["address"] for plan in plans.values()]
        network = ipaddress.ip_network(intent.cluster["sync"]["network"])
        assert len(set(addresses)) == len(plans) and all(ipaddress.ip_address(address) in network for address in addresses)
        first = next(iter(plans.values()))
        assert first["platform"] in PF or set(addresses) <= set(first["state_sync"]["ignore_addresses"])


@given(intent=intents(platforms=ALL))
def test_pass_rules_let_every_peer_in(intent: Intent) -> None:
    plans = plan_cluster(intent.name, intent.cluster, intent.nodes, intent.evidence).plans
    # With a limit, only the node itself is known, and its peers speak from the same addresses all the same.
    limited = {host: attempt(intent.cluster, intent.nodes, {host: intent.evidence.get(host)}) for host in plans}
    for host, plan in [*plans.items(), *((host, found[host]) for host, found in limited.items() if found)]:
        if plan["platform"] in PRODUCTS:
            assert plan["sync_rule"]["vrrp"] == []  # it makes its own
            continue
        accepted = {(rule["interface"], rule["family"]): [ipaddress.ip_network(source) for source in rule["sources"]] for rule in plan["sync_rule"]["vrrp"]}
        for peer in plan["peers"]:
            for mine, theirs in zip(plan["virtual_ip"]["instances"], plans[peer]["virtual_ip"]["instances"], strict=True):
                # Without a source of its own, an IPv6 instance speaks from a link-local address.
                source = theirs["source"] or ("fe80::1" if theirs["family"] == "ipv6" else None)
                networks = accepted[(mine["interface"], mine["family"])]
                assert networks and (source is None or any(ipaddress.ip_address(source) in network for network in networks)), (host, peer)


@given(intent=intents(platforms=("freebsd", "openbsd")))
def test_rules_of_freebsd_and_openbsd_are_the_same_on_all_nodes_and_pass_what_goes_out_too(intent: Intent) -> None:
    plans = plan_cluster(intent.name, intent.cluster, intent.nodes, intent.evidence).plans
    first = next(iter(plans.values()))
    assert all([{**rule, "interface": None} for rule in plan["sync_rule"]["vrrp"]] == [{**rule, "interface": None} for rule in first["sync_rule"]["vrrp"]]
               for plan in plans.values())
    for plan in plans.values():
        for instance in plan["virtual_ip"]["instances"]:
            rule = next(rule for rule in plan["sync_rule"]["vrrp"] if (rule["interface"], rule["family"]) == (instance["interface"], instance["family"]))
            assert instance["source"] is None or any(ipaddress.ip_address(instance["source"]) in ipaddress.ip_network(source) for source in rule["sources"])
            assert len(instance["peers"]) == (plan["virtual_ip"]["transport"] == "unicast")


@given(intent=intents(platforms=PF))
def test_no_plan_of_pfsync_speaks_of_conntrackd_or_holds_the_password(intent: Intent) -> None:
    plans = plan_cluster(intent.name, intent.cluster, intent.nodes, intent.evidence).plans
    for plan in plans.values():
        assert {plan["state_sync"][key] for key in ("group", "port", "mode", "external_cache", "refresh_interval")} == {None}
        assert plan["state_sync"]["version"] == intent.cluster.get("sync", {}).get("format")
        assert plan["sync_rule"]["group"] is plan["sync_rule"]["port"] is None
        assert all(isinstance(one["advskew"], int) and isinstance(one["advbase"], int) for one in plan["virtual_ip"]["instances"])
    assert intent.cluster["vrrp"]["password"] not in json.dumps(plans)
    ids = [plan["state_sync"]["host_id"] for plan in plans.values()]
    assert set(ids) == {None} or len({int(one, 16) for one in ids}) == len(plans)


@given(intent=intents(platforms=ALL))
def test_planning_is_deterministic_and_leaves_its_input_alone(intent: Intent) -> None:
    before = copy.deepcopy(intent)
    one = plan_cluster(intent.name, intent.cluster, intent.nodes, intent.evidence)
    two = plan_cluster(intent.name, copy.deepcopy(intent.cluster), copy.deepcopy(intent.nodes), copy.deepcopy(intent.evidence))
    assert one == two and intent == before
    # A plan is JSON as it stands.
    assert json.loads(json.dumps(one.plans)) == one.plans
