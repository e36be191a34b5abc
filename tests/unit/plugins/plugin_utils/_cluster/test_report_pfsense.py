# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of pfSense clusters: in their own words, and of another cluster in the other's."""

from __future__ import annotations

import copy
from xml.etree import ElementTree

import pytest
import report_samples as samples
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report import as_html, as_json, as_junit
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.catalogue import CATALOGUE, ON_PF, entry, meanings
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.picture_cluster import cluster_picture
from hypothesis import given
from hypothesis import strategies as st
from picture_reading import beyond, overlaps, read, texts

FOREIGN = ("conntrack", "keepalived", "vrrp", "journal", "masked", "nftables", "systemd", "port 3780", "225.0.0.50")


def rows_of(report, place=0):
    table = [element for element in ElementTree.fromstring(as_html(report)).iter("table") if element.get("class") == "nodes"][place]
    return {row.find("th").text: [cell.text for cell in row.findall("td")] for row in table.iter("tr") if row.find("th") is not None and row.findall("td")}


def own_words(text):
    """The page without its style and without the raw evidence, whose keys are the same on all platforms."""
    root = ElementTree.fromstring(text)
    for parent in root.iter():
        for element in [child for child in parent if child.tag in ("style", "pre")]:
            parent.remove(element)
    return " ".join("".join(root.itertext()).split())


def full(cluster, status="fail"):
    """Every check, in a state in which its trouble, its meaning and its remedy are told."""
    return samples.report([samples.check(check_id, "fw1", status, "a reason", cluster["name"]) for check_id in CATALOGUE], clusters=[cluster])


@pytest.mark.parametrize("status", ["pass", "fail", "warn", "error", "skipped"])
@pytest.mark.parametrize("states", [("active", "standby"), ("fault", "active"), ("active", None)])
def test_a_page_of_pfsense_nodes_speaks_of_nothing_that_they_have_not(status, states):
    said = own_words(as_html(full(samples.pfsense(states), status))).lower()
    assert [word for word in FOREIGN if word in said] == []
    assert "pfsync" in said and "carp" in said and " lost, " not in said


def test_a_page_of_linux_nodes_speaks_of_keepalived():
    assert "look at keepalived" in own_words(as_html(full(samples.cluster())))


def test_each_cluster_of_a_mixed_report_has_its_own_words():
    both = samples.report([samples.check(check, None, "fail", "no node is active", name) for name in ("edge", "pf")
                           for check in ("roles_disjoint", "states_travel")],
                          clusters=[samples.cluster(), samples.pfsense()])
    said = own_words(as_html(both))
    assert CATALOGUE["roles_disjoint"].remedy in said and ON_PF["roles_disjoint"].remedy in said
    assert f"{CATALOGUE['states_travel'].meaning} With pfsync: {ON_PF['states_travel'].meaning}" in said


def test_a_check_that_names_no_cluster_is_of_the_only_one():
    report = samples.report([samples.check("roles_disjoint", None, "fail", "x", None)], clusters=[samples.pfsense()])
    assert ON_PF["roles_disjoint"].remedy in own_words(as_html(report))


def test_the_words_of_pf_are_of_checks_that_there_are_and_differ():
    assert set(ON_PF) <= set(CATALOGUE)
    assert all(one != CATALOGUE[check_id] for check_id, one in ON_PF.items())
    assert entry("pass_rule", "pfsync") == CATALOGUE["pass_rule"] and entry("unheard_of", "pfsync").remedy == "Read its reason."
    assert list(meanings(["pfsync"], CATALOGUE)) == list(meanings(["conntrackd"], CATALOGUE)) == list(
        meanings(["conntrackd", "pfsync"], CATALOGUE)) == list(CATALOGUE)
    assert list(meanings(["pfsync"], {"demotion", "unheard_of"})) == ["demotion"]


def test_the_picture_shows_who_answers_and_not_who_has_the_address():
    root = read(cluster_picture("c", samples.pfsense(("standby", "active")), []))
    assert [element.get("class") for element in root.iter("rect") if "vip" in element.get("class").split()] == ["vip", "vip held"]
    said = texts(root)
    assert {"primary, pfSense CE 2.8.0", "multicast 224.0.0.240", "states go straight into the kernel", "pfsync running",
            "41,873 states, 16% full"} <= set(said)
    assert overlaps(root) == beyond(root) == []


def test_unicast_names_no_group():
    pair = samples.pfsense()
    for plan in pair["plans"].values():
        plan["state_sync"]["transport"] = "unicast"
    assert "unicast" in texts(read(cluster_picture("c", pair, [])))


def test_carp_that_is_switched_off_is_said():
    pair = samples.pfsense()
    pair["evidence"]["fw1"]["vrrp"]["running"] = False
    root = read(cluster_picture("c", pair, []))
    assert "CARP OFF" in texts(root) and "fw1 (primary) is carp off" in root.find("desc").text


@pytest.mark.parametrize("check_id", ["formats_agree", "peer_understood", "bulk_done", "state_interfaces", "rules_equal", "pfsync_mtu", "host_ids",
                                      "state_policy_equal", "demotion", "carp_agrees", "config_sync", "config_versions", "interface_keys",
                                      "devices_equal"])
@pytest.mark.parametrize("node", ["fw2", None])
def test_every_check_of_pfsense_is_marked_in_the_picture(check_id, node):
    assert check_id in texts(read(cluster_picture("c", samples.pfsense(), [samples.check(check_id, node, "fail", "a reason")])))


def test_the_table_has_the_facts_of_pfsense():
    rows = rows_of(samples.report(clusters=[samples.pfsense()]))
    assert rows["Virtual IPs held"] == ["192.0.2.1", "none"]
    assert rows["Running settings"] == ["multicast, sync0, format 1400"] * 2
    assert (rows["Host id"], rows["State policy"], rows["CARP demotion"]) == (["a0", "a1"], ["floating", "floating"], ["0", "0"])
    assert rows["Sends its configuration to"] == ["198.51.100.131", "nobody"]
    assert (rows["Release"], rows["Configuration"]) == (["CE 2.8.0"] * 2, ["version 23.7"] * 2)
    assert not {"Versions", "Lost, malformed", "Internal, external cache"} & set(rows)


def test_what_is_not_known_of_a_pfsense_node_reads_unknown():
    rows = rows_of(samples.report(clusters=[samples.pfsense(("active", None))]))
    unknown = ("Virtual IPs held", "Maintenance", "Engine", "Running settings", "States in the kernel", "Host id", "State policy", "CARP demotion",
               "Sends its configuration to", "Release", "Configuration", "Pass rule")
    assert {label: rows[label][1] for label in unknown} == dict.fromkeys(unknown, "unknown")


def test_no_format_shows_a_password_of_carp():
    report = samples.report(clusters=[samples.pfsense()])
    report["clusters"][0]["evidence"]["fw1"]["vrrp"]["instances"][0]["password"] = "hunter2"
    assert all("hunter2" not in render(report) for render in (as_html, as_json, as_junit))


def places(value, path=()):
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*path, key))


SAMPLE = samples.report([samples.check("pass_rule", cluster="pf")], clusters=[samples.pfsense()])
FRAGILE = [("clusters", 0, part, "fw1", *rest) for part in ("plans", "evidence") for rest in places(SAMPLE["clusters"][0][part]["fw1"])]
ODD = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
                   lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.text(max_size=5), deeper, max_size=3), max_leaves=6)


@given(path=st.sampled_from(FRAGILE), value=ODD)
def test_nothing_that_a_node_says_breaks_the_report(path, value):
    report = copy.deepcopy(SAMPLE)
    parent = report
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    ElementTree.fromstring(as_html(report))
