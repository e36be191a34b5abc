# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Renaming is offered in place of LAGGs where FreeBSD can do it: the exact lines, which lead to what they promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import devices
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.plan import LaggPlan
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.show import as_text
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import node as nodes
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_node import evidence, lagg, port, vlan
from lagg_cases import cluster, node, pair, planned, seen, told

BOUND: dict[str, Any] = {"platform": "freebsd", "version": "14.2-RELEASE", "state_policy": "if-bound"}
FLOATING = {**BOUND, "state_policy": "floating"}


def bound(common: dict[str, Any] | None = None, nodes: dict[str, Any] | None = None, **found: Any) -> LaggPlan:
    """The plan of a FreeBSD pair whose states are bound."""
    return pair(common, nodes=nodes, found={**{host: seen(host, **BOUND) for host in ("fw1", "fw2")}, **found})


def test_the_lines_for_each_node_are_offered_beside_the_laggs() -> None:
    plan = bound()
    assert plan.moves and [offer.host for offer in plan.offers] == ["fw2", "fw1"]  # the standby first
    assert plan.offers[0].devices == ("igb0", "igb1", "igb2")
    assert plan.offers[0].lines == (
        'ifconfig_igb0_name="lan0"', 'ifconfig_lan0="inet 192.0.2.3/24"',
        'ifconfig_igb1_name="wan0"', 'ifconfig_wan0="up"', 'vlans_wan0="10"', 'ifconfig_wan0_10="inet 203.0.113.3/24"',
        'ifconfig_igb2_name="sync0"', 'ifconfig_sync0="inet 198.51.100.130/28"')
    assert plan.offers[0].interfaces == plan.offers[1].interfaces == {"lan": "lan0", "wan": "wan0.10", "sync": "sync0"}
    text = as_text("edge", plan)
    assert "  fw1, in place of what is there of em0, em1, em2:\n    ifconfig_em0_name=\"lan0\"\n    ifconfig_lan0=\"inet 192.0.2.2/24\"\n" in text
    assert "    and in the intent: lan: lan0, wan: wan0.10, sync: sync0\n" in text


def test_the_cluster_s_addresses_are_not_in_the_lines_and_link_local_ones_neither() -> None:
    lan = port("em0", ["fe80::1/64", "192.0.2.2/24", "192.0.2.1/24", "192.0.2.9/32", "2001:db8::2/64", "2001:db8::9/128"])
    plan = bound(fw1=evidence(lan, port("em1"), vlan("em1", 10), port("em2"), **BOUND))
    assert plan.offers[1].lines[:5] == (
        'ifconfig_em0_name="lan0"', 'ifconfig_lan0="inet 192.0.2.2/24"', 'ifconfig_lan0_ipv6="inet6 2001:db8::2/64"',
        'ifconfig_lan0_alias0="inet 192.0.2.9/32"', 'ifconfig_lan0_alias1="inet6 2001:db8::9/128"')


def test_what_is_refused_still_has_the_other_way() -> None:
    plan = bound(cluster(laggs={"lan": {"protocol": "roundrobin"}}))
    assert plan.refused and "ifconfig_igb0_name" in as_text("edge", plan)


def test_a_pair_that_shall_have_no_laggs_is_told_of_it_in_the_warning() -> None:
    plan = bound(cluster(lagg_required="never"))
    assert "rename the devices as lagg_plan tells in its text" in plan.warnings[0].remedy and "ifconfig_igb0_name" in as_text("edge", plan)
    other = pair(cluster(lagg_required="never"))
    assert "rename" not in other.warnings[0].remedy and "rename" not in as_text("edge", other)


@pytest.mark.parametrize(("name", "device"), [("lagg", "laggnet0"), ("opt1", "opt0"), ("The_Office-LAN", "theoffic0"), ("em", "em5")])
def test_a_name_is_free_everywhere_and_none_that_the_system_gives(name: str, device: str) -> None:
    ports = {"fw1": "ix0", "fw2": "igb0"}
    more = {host: evidence(port(own), *(port(f"em{number}") for number in range(5)), **BOUND) for host, own in ports.items()}
    plan = planned({"name": "edge", "sync": {"interface": name, "network": "198.51.100.128/28"}},
                   {host: {"role": "primary" if host == "fw1" else "secondary", "interfaces": {name: own}} for host, own in ports.items()}, more)
    assert [offer.interfaces for offer in plan.offers] == [{name: device}] * 2


def test_a_node_that_was_renamed_first_is_followed_by_the_other_one() -> None:
    done = evidence(port("lan0", ["192.0.2.3/24"]), port("wan0"), vlan("wan0", 10), port("sync0"), **BOUND)
    plan = bound(None, {"fw2": node("fw2", lan="lan0", wan="wan0.10", sync="sync0")}, fw2=done)
    assert [(offer.host, offer.interfaces) for offer in plan.offers] == [("fw1", {"lan": "lan0", "wan": "wan0.10", "sync": "sync0"})]


@pytest.mark.parametrize("plan", [
    lambda: bound(fw1=seen("fw1", **FLOATING), fw2=seen("fw2", **FLOATING)),
    pair,  # pfSense keeps its names itself
    lambda: bound(cluster(), {host: node(host, **face) for host, face in (
        ("fw1", {"lan": "em0", "wan": "em1", "sync": "em2"}), ("fw2", {"lan": "em0", "wan": "em1", "sync": "em2"}))},
        fw2=seen("fw1", **BOUND)),
])
def test_nothing_is_offered_where_names_do_not_matter_agree_or_stay(plan: Any) -> None:
    found = plan()
    assert found.offers == () and "rc.conf" not in as_text("edge", found)


def test_what_renaming_would_not_make_alike_is_not_offered() -> None:
    # wan is a VLAN here and a port there, and sync is on a LAGG already.
    there = evidence(port("igb0", ["192.0.2.3/24"]), port("igb1"), lagg("lagg7", ["igb2"]), port("igb2"), **BOUND)
    plan = bound(None, {"fw2": node("fw2", wan="igb1")}, fw2=there)
    assert [offer.interfaces for offer in plan.offers] == [{"lan": "lan0"}] * 2 and told(plan)


RC_CONF = """hostname="fw1.example.net"
ifconfig_em0="inet 192.0.2.2/24"
ifconfig_em0_alias0="inet 192.0.2.9/32"
vlans_em0="vlan20"
create_args_vlan20="vlan 20"
ifconfig_vlan20="inet 198.51.100.34/27"
vlans_em1="10"
ifconfig_em1="up"
ifconfig_em1_10="inet 203.0.113.2/24"
ifconfig_em2="inet 198.51.100.129/28"
"""


def test_a_node_that_starts_with_the_lines_has_all_it_had_under_the_new_names(tmp_path: Path) -> None:
    machine = nodes.node(tmp_path / "fw1")

    def rows() -> dict[str, dict[str, Any]]:
        return {row["name"]: row for row in devices.rows(devices.links(machine), {}, {}) if row["kind"] in ("port", "vlan")}
    machine.machine.put("/etc/rc.conf", RC_CONF)
    machine.machine.boot()
    before = rows()
    offer = bound(fw1=evidence(*before.values(), **BOUND)).offers[1]
    machine.machine.put("/etc/rc.conf", 'hostname="fw1.example.net"\n' + "\n".join(offer.lines) + "\n")
    machine.machine.boot()
    after, names = rows(), {"em0": "lan0", "em1": "wan0", "em2": "sync0", "em1.10": "wan0.10"}
    assert {name: (row["addresses"], row["up"]) for name, row in after.items()} == {
        names.get(name, name): (row["addresses"], row["up"]) for name, row in before.items()}
    assert after["vlan20"]["vlan"] == {"id": 20, "parent": "lan0"} and after["wan0.10"]["vlan"] == {"id": 10, "parent": "wan0"}
