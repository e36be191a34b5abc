# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each stage of a rolling upgrade in both directions: formats and their pins, names of devices, routes."""

from __future__ import annotations

import pytest
from upgrade_cases import Pair

YES = ("yes", "yes")
STEADY = {"now": YES, "standby_upgraded": YES, "both_upgraded": YES}


def shows(release):
    """What a kernel of FreeBSD shows by itself."""
    number = int(release.split(".")[0])
    return None if number < 14 else 1400 if number < 15 else 1500


@pytest.mark.parametrize(("runs", "comes", "pin"), [
    ("13.2-RELEASE", "13.5-RELEASE", None), ("14.2-RELEASE", "14.3-RELEASE", None), ("15.0-RELEASE", "15.1-RELEASE", None),
    ("12.4-RELEASE", "13.2-RELEASE", None), ("13.2-RELEASE", "14.2-RELEASE", 1301), ("14.2-RELEASE", "15.0-RELEASE", 1400),
    ("13.5-RELEASE", "15.0-RELEASE", 1301),
])
def test_freebsd_flows_both_ways_at_every_stage_when_the_upgraded_node_is_pinned_to_the_format_of_the_old_one(runs, comes, pin):
    pair = Pair("freebsd", runs, shows=shows(runs))
    stages = {stage["id"]: stage for stage in pair.judged(comes)["stages"]}
    assert pair.answers(comes) == STEADY
    assert pair.answers(comes, "without_steps") == {**STEADY, "standby_upgraded": ("yes", "no" if pin else "yes")}
    mixed = stages["standby_upgraded"]
    assert (mixed["pin"] or {}).get("format") == pin
    assert {node["node"]: node["sends"] for node in mixed["nodes"]}["fw2"] == (pin or shows(comes) or 1301)
    if pin:
        assert mixed["pin"]["nodes"] == ["fw2"]
        assert mixed["pin"]["lifted"] == "when all nodes are upgraded"
        assert str(pin) in mixed["pin"]["how"]
    assert stages["now"]["pin"] is None
    assert stages["both_upgraded"]["pin"] is None


def test_a_pin_that_is_kept_in_the_configuration_is_none_to_be_made():
    pair = Pair("freebsd", "14.2-RELEASE", shows=1400)
    for found in pair.evidence.values():
        found["engine"]["pinned"] = 1400
    judged = pair.judged("15.0-RELEASE")
    assert all(stage["pin"] is None for stage in judged["stages"])
    assert pair.answers("15.0-RELEASE", "without_steps") == STEADY
    assert [node["sends"] for node in judged["stages"][-1]["nodes"]] == [1400, 1400]
    assert judged["outcome"] == "seamless"


def test_a_format_that_is_set_until_the_next_boot_does_not_outlast_the_upgrade():
    pair = Pair("freebsd", "14.2-RELEASE", shows=1301)
    assert [node["sends"] for node in pair.judged("14.3-RELEASE")["stages"][1]["nodes"]] == [1301, 1400]


def test_what_the_old_kernel_never_understands_and_cannot_be_pinned_is_no():
    pair = Pair("freebsd", "8.4-RELEASE")
    assert pair.answers("9.3-RELEASE") == {"now": YES, "standby_upgraded": ("no", "no"), "both_upgraded": YES}
    judged = pair.judged("9.3-RELEASE")
    assert judged["outcome"] == "not_seamless"
    assert "every connection at the handover from fw1 to fw2" in judged["lost"]


@pytest.mark.parametrize(("runs", "comes", "answers"), [
    ("7.6", "7.7", STEADY), ("4.7", "4.8", {"now": YES, "standby_upgraded": ("no", "no"), "both_upgraded": YES}),
])
def test_openbsd_by_its_version_byte(runs, comes, answers):
    assert Pair("openbsd", runs).answers(comes) == answers


@pytest.mark.parametrize(("runs", "comes", "answers"), [
    ("1:1.4.7-1+b2", "1:1.4.8-2", STEADY), ("1.0.1", "1.4.8", {"now": YES, "standby_upgraded": ("no", "no"), "both_upgraded": YES}),
])
def test_linux_by_the_version_of_conntrack_tools(runs, comes, answers):
    assert Pair("linux", runs).answers(comes) == answers


@pytest.mark.parametrize("release", ["2.7.2", "23.09", "25.11"])
def test_a_product_whose_kernel_is_from_between_two_releases_is_unknown_until_its_node_tells(release):
    pair = Pair("pfsense", "2.6.0")
    assert pair.answers(release)["standby_upgraded"][1] == "unknown"
    assert pair.judged(release)["outcome"] == "unknown"


def test_what_a_kernel_shows_beats_the_table_in_both_directions():
    pair = Pair("pfsense", "2.7.2", shows=1400)
    pair.evidence["fw2"]["engine"]["config"]["version"] = None
    stages = pair.judged(fw1="2.7.2", fw2="2.7.2")["stages"]
    assert [direction["without_steps"] for direction in stages[0]["directions"]] == ["no", "yes"]
    assert stages[0]["pin"]["nodes"] == ["fw1"]
    assert stages[0]["pin"]["format"] == 1301
    pair.evidence["fw2"]["engine"]["config"]["version"] = 1400
    assert pair.answers("2.7.2") == STEADY


def test_what_the_upgraded_standby_shows_is_known_of_the_node_that_follows_it():
    pair = Pair("pfsense", "2.7.2", shows=1400)
    pair.evidence["fw2"]["os"]["version"] = "2.8.0"
    pair.evidence["fw2"]["engine"]["config"]["version"] = 1500
    assert pair.answers("2.8.0") == {"now": ("yes", "no"), "standby_upgraded": YES, "both_upgraded": YES}
    assert [node["sends"] for node in pair.judged("2.8.0")["stages"][-1]["nodes"]] == [1500, 1500]
    # Of one that is pinned it is not known what it would send by itself.
    pair.evidence["fw2"]["engine"]["pinned"] = pair.evidence["fw2"]["engine"]["config"]["version"] = 1400
    assert [node["sends"] for node in pair.judged("2.8.0")["stages"][-1]["nodes"]] == [None, 1400]
    pair.evidence["fw1"]["engine"]["pinned"] = 1400
    assert pair.answers("2.8.0") == STEADY


def test_a_format_that_was_seen_on_the_sync_network_beats_what_the_node_shows():
    pair = Pair("freebsd", "14.2-RELEASE", shows=1400)
    pair.plans["fw1"]["state_sync"]["address"] = "198.51.100.130"
    pair.evidence["fw2"]["watch"] = {"interface": "em1", "seconds": 1, "senders": [{"address": "198.51.100.130", "formats": [1500]}]}
    assert pair.judged("14.3-RELEASE")["stages"][0]["nodes"][0]["sends"] == 1500


def test_the_standby_is_upgraded_first_whatever_its_role_is():
    pair = Pair("freebsd", "14.2-RELEASE", shows=1400)
    for node, state in (("fw1", "standby"), ("fw2", "active")):
        pair.evidence[node]["vrrp"]["instances"][0]["state"] = state
    judged = pair.judged("14.3-RELEASE")
    assert judged["order"] == ["fw1", "fw2"]
    assert (judged["stages"][1]["title"], judged["stages"][1]["upgraded"]) == ("fw1 upgraded", ["fw1"])


def test_where_nobody_knows_who_is_active_the_secondary_is_first():
    pair = Pair("freebsd", "14.2-RELEASE", shows=1400)
    for found in pair.evidence.values():
        del found["vrrp"]
    assert pair.judged("14.3-RELEASE")["order"] == ["fw2", "fw1"]


def test_three_nodes_have_a_stage_for_each_and_a_direction_for_each_ordered_pair():
    trio = Pair("freebsd", "14.2-RELEASE", shows=1400, nodes=("fw1", "fw2", "fw3"))
    stages = trio.judged("15.0-RELEASE")["stages"]
    assert [stage["id"] for stage in stages] == ["now", "standby_upgraded", "standby_upgraded_2", "both_upgraded"]
    assert all(len(stage["directions"]) == 6 for stage in stages)
    assert stages[2]["pin"]["nodes"] == ["fw2", "fw3"]
    assert {direction["answer"] for stage in stages for direction in stage["directions"]} == {"yes"}


UNEQUAL = {"fw1": {"lan": "em0", "sync": "em1"}, "fw2": {"lan": "igb0", "sync": "igb1"}}


def test_a_state_policy_that_becomes_if_bound_with_the_release_needs_laggs_before():
    pair = Pair("pfsense", "2.7.2", shows=1400, devices=UNEQUAL)
    for found in pair.evidence.values():
        found["engine"]["pinned"] = 1400
    judged = pair.judged("2.8.0")
    named = {stage["id"]: tuple(direction["named"] for direction in stage["directions"]) for stage in judged["stages"]}
    # The states of the old node float and are taken as they are; those of the new one name its own devices.
    assert named == {"now": YES, "standby_upgraded": ("yes", "no"), "both_upgraded": ("no", "no")}
    with_laggs = {stage["id"]: [(way["without_steps"], way["answer"]) for way in stage["directions"]] for stage in judged["stages"]}
    assert with_laggs["both_upgraded"] == [("no", "yes"), ("no", "yes")]
    assert [stage["lagg"] for stage in judged["stages"]] == [[], ["lan", "sync"], ["lan", "sync"]]
    (step,) = [step for step in judged["steps"] if "LAGG" in step["title"]]
    assert step["variables"] == {"hafirewall_cluster": {"laggs": {"lan": {"required": "always"}, "sync": {"required": "always"}}}}
    assert "if-bound" in step["why"] or "interface bound" in step["why"]


def test_a_state_policy_that_somebody_has_set_stays():
    pair = Pair("pfsense", "2.8.0", shows=1500, devices=UNEQUAL, state_policy="floating", state_policy_from="configured")
    assert {direction["named"] for stage in pair.judged("2.8.1")["stages"] for direction in stage["directions"]} == {"yes"}


def test_states_that_name_differing_devices_now_are_no_matter_of_a_step():
    pair = Pair("freebsd", "14.2-RELEASE", shows=1400, devices=UNEQUAL, state_policy="if-bound")
    judged = pair.judged("14.3-RELEASE")
    assert judged["outcome"] == "not_seamless"
    assert judged["stages"][1]["lagg"] == []
    assert any("lan is em0 on fw1 and igb0 on fw2" in reason for reason in judged["reasons"])


def test_linux_names_no_device_in_a_state():
    assert Pair("linux", "1.4.7", devices=UNEQUAL).answers("1.4.8") == STEADY


@pytest.mark.parametrize(("sums", "answer"), [(("aa", "bb"), "no"), (("aa", "aa"), "unknown"), (("aa", None), "no")])
def test_routes_do_not_travel_in_the_oldest_format_to_a_kernel_that_looks_for_them_in_its_own_rules(sums, answer):
    pair = Pair("freebsd", "13.2-RELEASE")
    for node, own in zip(("fw1", "fw2"), sums):
        pair.evidence[node]["engine"]["checksum"] = own
        pair.evidence[node]["state_rules"]["routed"] = 2
    stages = {stage["id"]: stage for stage in pair.judged("14.2-RELEASE")["stages"]}
    assert [direction["routed"] for direction in stages["now"]["directions"]] == ["yes", "yes"]
    assert [direction["routed"] for direction in stages["standby_upgraded"]["directions"]] == [answer, "yes"]


def test_which_rules_route_must_be_known_where_the_format_carries_no_route():
    pair = Pair("freebsd", "13.2-RELEASE")
    pair.evidence["fw1"]["state_rules"] = None
    stages = {stage["id"]: stage for stage in pair.judged("14.2-RELEASE")["stages"]}
    assert [direction["routed"] for direction in stages["now"]["directions"]] == ["yes", "yes"]
    assert [direction["routed"] for direction in stages["standby_upgraded"]["directions"]] == ["unknown", "yes"]
    pair.evidence["fw1"]["state_rules"] = {"bound": 0, "routed": 10**400}
    assert pair.judged("14.2-RELEASE")["stages"][1]["directions"][0]["routed"] == "unknown"


def test_notes_of_the_release_are_told_once_it_comes():
    stages = Pair("pfsense", "2.7.2", shows=1400).judged("2.8.0")["stages"]
    assert stages[0]["notes"] == []
    assert any("state" in note["text"] and note["link"].startswith("https://") for note in stages[1]["notes"])
