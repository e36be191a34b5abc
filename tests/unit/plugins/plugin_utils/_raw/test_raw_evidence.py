# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence of old releases: the same structure as the module's, with the settings where each release has them."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._raw.conversation import Transcript
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._raw.evidence import collect, release_of
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.old_node import RELEASES, WORD, OldNode

BASES = {"2.0.3": "8.1-RELEASE-p13", "2.1.5": "8.3-RELEASE-p16", "2.3.5": "10.3-RELEASE-p22", "2.4.5-p1": "11.3-STABLE"}
# As docs of node_info tell, and what stands for the way that it was read.
KEYS = {"schema", "collected_at", "collected_by", "platform", "kernel", "os", "boot_id", "config", "config_sync", "engine", "vrrp", "maintenance",
        "state_policy", "state_policy_from", "state_rules", "pass_rule", "interfaces", "management", "references", "segment", "traffic", "watch",
        "readiness", "errors"}


def evidence(folder, release, change=None, sample=False):
    node = OldNode(folder, release)
    if change is not None:
        change(node)
    transcript = Transcript(WORD, node.run().decode())
    result = collect(transcript, release_of(transcript), sample)
    assert result["ansible_facts"] == {"hafirewall_evidence": result["evidence"]}
    return result["evidence"]


def device(found, name):
    return next(row for row in found["interfaces"] if row["name"] == name)


@pytest.mark.parametrize("release", RELEASES)
def test_what_is_the_same_on_all_releases(tmp_path, release):
    found = evidence(tmp_path, release)
    assert set(found) == KEYS and (found["schema"], found["collected_by"], found["collected_at"], found["platform"]) == (1, "raw", 1790000000.0, "pfsense")
    assert found["os"] == {"id": "pfsense", "version": release, "edition": "CE", "base": BASES[release]} and found["kernel"] == BASES[release]
    engine = found["engine"]
    assert (engine["enabled"], engine["empty"], engine["running"], engine["config_current"], engine["filter"]) == (True, False, True, True, True)
    assert (engine["config"]["interface"], engine["config"]["version"], engine["tables"]) == ("em2", None, {"kernel": 42, "kernel_max": 10000})
    assert (engine["counters"]["received"], engine["counters"]["malformed"], engine["counters"]["send_errors"]) == (5120, 1, 2)
    assert (found["vrrp"]["running"], found["vrrp"]["config_current"]) == (True, True)
    assert [row["description"] for row in found["interfaces"] if row["key"] == "lan"] == ["Büro & Lager"]
    assert (found["state_policy"], found["pass_rule"], found["management"], found["segment"]) == (None, None, None, None)
    assert {"pass_rule", "management", "references", "state_rules"} <= {error["area"] for error in found["errors"]}
    assert "hush" not in json.dumps(found)


@pytest.mark.parametrize(("release", "config", "sync", "engine"), [
    ("2.0.3", "8.0", "198.51.100.130", ("unicast", "198.51.100.130", "198.51.100.129", "badcafe", None)),
    ("2.1.5", "10.1", None, ("multicast", None, "198.51.100.130", "badcafe", None)),
    ("2.3.5", "15.8", None, ("multicast", None, "198.51.100.130", "badcaf0", True)),
    ("2.4.5-p1", "19.1", None, ("unicast", "198.51.100.129", "198.51.100.130", "badcaf0", True)),
])
def test_state_sync_is_read_where_each_release_has_it(tmp_path, release, config, sync, engine):
    found = evidence(tmp_path, release)
    assert (found["config"]["version"], found["config_sync"]) == (config, {"target": sync, "sections": ["rules", "virtualip"]})
    assert found["config"]["revision"] == {"time": 1366000000, "description": "/interfaces.php made unknown change", "username": "admin@192.0.2.9"}
    running = found["engine"]["config"]
    assert (running["transport"], running["peer"], running["address"], found["engine"]["host_id"], found["engine"]["synced"]) == engine
    # A kernel that does not tell is not taken for one whose states have come.
    assert any("syncok" in error["reason"] for error in found["errors"]) == (engine[-1] is None)


@pytest.mark.parametrize(("release", "lan", "state", "skew", "demotion", "maintenance"), [
    ("2.0.3", "em1", "active", 0, None, False), ("2.1.5", "em1", "standby", 100, None, False), ("2.3.5", "lagg0_vlan10", "standby", 254, 0, True),
    ("2.4.5-p1", "lagg0.10", "standby", 100, 0, False)])
def test_carp_is_on_its_device_also_where_the_kernel_has_one_of_its_own_for_it(tmp_path, release, lan, state, skew, demotion, maintenance):
    found = evidence(tmp_path, release)
    assert (found["vrrp"]["demotion"], found["maintenance"]) == (demotion, maintenance)
    rows = {row["id"]: row for row in found["vrrp"]["instances"]}
    assert rows[10] == {"name": "lan_10_ipv4", "interface": lan, "id": 10, "family": "ipv4", "priority": None, "state": state, "advskew": skew, "advbase": 1,
                        "addresses": ["192.0.2.1/24"], "addresses_present": ["192.0.2.1"]}
    assert (rows[20]["interface"], device(found, "em0")["addresses"][-1], device(found, lan)["addresses"][-1]) == ("em0", "203.0.113.1/24", "192.0.2.1/24")
    assert not [row["name"] for row in found["interfaces"] if "vip" in row["name"] or row["name"] in ("pfsync0", "pflog0", "lo0")]
    assert (found["engine"]["config"]["address"] or "").startswith("198.51.100.")


def one_number_on_two_interfaces(node):
    node.config("<vhid>20</vhid>", "<vhid>10</vhid>")
    told = node.root / "told" / "ifconfig_-v"
    text = told.read_text()
    told.write_text(text[:text.index("vip20: ")] + text[text.index("vip10: "):])


@pytest.mark.parametrize("change", [
    one_number_on_two_interfaces, lambda node: node.config("<vhid>10</vhid>", "<vhid>11</vhid>"), lambda node: node.without("cf/conf/config.xml"),
    lambda node: node.config("<interface>wan</interface>\n\t\t\t<vhid>20<", "<interface>lan</interface>\n\t\t\t<vhid>10<")])
def test_where_a_virtual_address_cannot_be_placed_none_is_told(tmp_path, change):
    found = evidence(tmp_path, "2.0.3", change)
    assert found["vrrp"] is None
    assert any("the configuration does not tell" in error["reason"] for error in found["errors"] if error["area"] == "vrrp")
    assert found["engine"]["running"] is True and found["interfaces"]


def test_the_interface_in_the_name_tells_two_of_one_number_apart(tmp_path):
    def change(node):
        node.config("<vhid>20</vhid>", "<vhid>10</vhid>")
        told = node.root / "told" / "ifconfig_-v"
        told.write_text(told.read_text().replace("wan_vip20", "wan_vip10").replace("vhid 20", "vhid 10"))
    assert [(row["interface"], row["id"], row["addresses"]) for row in evidence(tmp_path, "2.1.5", change)["vrrp"]["instances"]] == [
        ("em0", 10, ["203.0.113.1/24"]), ("em1", 10, ["192.0.2.1/24"])]


def test_a_lagg_is_told_with_what_lacp_says(tmp_path):
    found = evidence(tmp_path, "2.3.5")
    lagg = device(found, "lagg0")
    assert (lagg["lagg"]["protocol"], lagg["lagg"]["members"], lagg["lagg"]["lacp_rate"], lagg["speed"]) == ("lacp", ["em1", "em3"], "slow", 2000)
    assert lagg["lagg"]["partner"] == "02:00:00:00:00:aa" and {port["aggregator"] for port in lagg["lagg"]["ports"]} == {lagg["lagg"]["aggregator"]}
    assert (device(found, "lagg0_vlan10")["vlan"], device(found, "em3")["master"]) == ({"id": 10, "parent": "lagg0"}, "lagg0")


def test_an_empty_element_switches_on_here_too(tmp_path):
    engine = evidence(tmp_path, "2.4.5-p1", lambda node: node.config("<pfsyncenabled>on<", "<pfsyncenabled><"))["engine"]
    assert (engine["enabled"], engine["empty"]) == (True, True)


def test_who_asks_for_a_sample_is_told_that_there_is_none(tmp_path):
    found = evidence(tmp_path, "2.4.5-p1", sample=True)
    assert [error["reason"] for error in found["errors"] if error["area"] in ("segment", "traffic", "watch")] == ["it is not asked for without Python"] * 3
