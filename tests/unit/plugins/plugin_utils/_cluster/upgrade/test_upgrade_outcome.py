# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outcome, by rules: what fails beats what is not known, that beats steps, and unknown is good enough for nobody."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import NodeView
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade import nodes
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.outcome import OUTCOMES, REQUIRABLE, good_enough
from upgrade_cases import WELL, Pair


def check(status, name="sync_speed", node="fw2"):
    return {"id": name, "cluster": "edge", "node": node, "status": status, "reason": "so it is"}


@pytest.fixture
def pair():
    return Pair("freebsd", "14.2-RELEASE", shows=1400)


def test_nothing_to_do_and_nothing_unknown_is_seamless(pair):
    judged = pair.judged("14.3-RELEASE")
    assert (judged["outcome"], judged["steps"], judged["reasons"], judged["lost"], judged["unknowns"]) == ("seamless", [], [], [], [])
    assert [step["required"] for step in judged["runbook"]] == [False] * len(judged["runbook"])


def test_a_pin_is_a_step_before_the_first_node_and_one_after_the_last(pair):
    judged = pair.judged("15.0-RELEASE")
    assert judged["outcome"] == "seamless_with_steps"
    first, last = judged["steps"]
    assert (first["stage"], first["variables"]) == ("now", {"hafirewall_cluster": {"sync": {"format": 1400}}})
    assert (last["stage"], last["variables"]) == ("both_upgraded", {"hafirewall_cluster": {"sync": {"format": None}}})
    assert first["commands"] == last["commands"] == ["ansible-playbook hafirewall.cluster.site"]
    titles = [step["title"] for step in judged["runbook"]]
    assert titles.index(first["title"]) < titles.index("Upgrade fw2 to 15.0-RELEASE") < titles.index("Hand over: fw1 enters maintenance")
    assert titles.index("Upgrade fw1 to 15.0-RELEASE") < titles.index("fw1 leaves maintenance") < titles.index(last["title"])
    assert [step["number"] for step in judged["runbook"]] == list(range(1, len(titles) + 1))


def test_where_the_old_kernel_has_no_choice_the_pin_is_made_again_on_the_first_node_that_has_one():
    judged = Pair("freebsd", "13.2-RELEASE").judged("14.2-RELEASE")
    assert [(step["stage"], step["node"]) for step in judged["steps"]] == [("now", None), ("standby_upgraded", "fw2"), ("both_upgraded", None)]
    assert judged["steps"][1]["commands"] == ["ansible-playbook hafirewall.cluster.site --limit fw2"]
    assert judged["steps"][0]["by_hand"] == []


def test_a_node_that_has_its_release_already_is_not_upgraded_again(pair):
    pair.evidence["fw2"].update(os={"version": "15.0-RELEASE"}, engine={"config": {"version": 1500}, "pinned": None})
    judged = pair.judged("15.0-RELEASE")
    assert "fw2 has 15.0-RELEASE already" in [step["title"] for step in judged["runbook"]]
    assert judged["stages"][0]["pin"]["nodes"] == ["fw2"]


@pytest.mark.parametrize(("platform", "now", "target", "has"), [
    ("opnsense", "26.1.4_1", "26.1.4", True), ("opnsense", "26.1.4", "26.1.4_1", False), ("opnsense", "26.1.40", "26.1.4", False),
    ("freebsd", "14.2-RELEASE-p1", "14.2-RELEASE", True), ("freebsd", "14.2-RELEASE-p1", "14.2-RELEASE-p2", False),
    ("freebsd", "14.2-RELEASE-p1", "14.2-RELEASE-p1", True), ("freebsd", "14.2-RELEASE", None, False), ("freebsd", "14.2-RELEASE-p1", "14.2", True),
    ("freebsd", "14.20-RELEASE", "14.2", False), ("linux", "1:1.4.8-1", "1.4.8", True), ("linux", "1:1.4.8-1", "1:1.4.8-2", False),
    ("linux", "1.4.80", "1.4.8", False), ("linux", "1:1.4.7-1+b2", "1:1.4.7-1", True), ("linux", "1.4.8-3.fc40", "1.4.8-3", True),
    ("linux", "1:1.4.7-1~bpo12+1", "1:1.4.7-1", False), ("linux", "1:1.4.7-10", "1:1.4.7-1", False),
])
def test_a_later_revision_of_a_release_is_that_release(platform, now, target, has):
    pair = Pair(platform, now)
    assert nodes.runs(NodeView("fw2", pair.plans["fw2"], pair.evidence["fw2"], None, 2), target) is has


def test_a_later_revision_is_upgraded_no_further_and_stands_for_what_its_release_does(pair):
    """A patch of the kernel alone beside the release that is wanted, which the kernel's own words tell of."""
    pair.evidence["fw2"].update(os={"id": "freebsd", "version": "15.0-RELEASE-p1"}, engine={"config": {"version": 1500}, "pinned": None})
    judged = pair.judged("15.0-RELEASE")
    assert "fw2 has 15.0-RELEASE-p1 already" in [step["title"] for step in judged["runbook"]]
    assert [node["release"] for node in judged["stages"][1]["nodes"]] == ["14.2-RELEASE", "15.0-RELEASE-p1"]
    assert [node["sends"] for node in judged["stages"][2]["nodes"]] == [1500, 1500]
    pair.evidence["fw2"]["engine"]["config"]["version"] = None
    # What the kernel of one shows is what the other is going to have, whatever the table says.
    assert [node["sends"] for node in pair.judged("15.0-RELEASE")["stages"][2]["nodes"]] == [1301, 1301]


def test_a_patch_of_the_userland_alone_is_one(pair):
    pair.evidence["fw2"]["os"].update(version="14.2-RELEASE-p1", installed_kernel="14.2-RELEASE-p1", userland="14.2-RELEASE-p3")
    node = NodeView("fw2", pair.plans["fw2"], pair.evidence["fw2"], None, 2)
    assert nodes.runs(node, "14.2-RELEASE-p3") and not nodes.runs(node, "14.2-RELEASE-p2")
    assert "fw2 has 14.2-RELEASE-p3 already" in [step["title"] for step in pair.judged("14.2-RELEASE-p3")["runbook"]]
    pair.evidence["fw2"]["os"].update(installed_kernel="14.2-RELEASE-p3")
    assert not nodes.runs(node, "14.2-RELEASE-p3")
    # The kernel decides which formats there are, and one of one's own stays behind.
    pair.evidence["fw2"]["os"].update(installed_kernel="14.2-RELEASE-p1", userland="15.0-RELEASE")
    assert not nodes.runs(node, "15.0-RELEASE")


@pytest.mark.parametrize(("platform", "now", "comes", "command"), [
    ("freebsd", "14.2-RELEASE", "14.2-RELEASE-p3", "freebsd-update fetch"), ("freebsd", "14.2-RELEASE-p1", "14.2-RELEASE-p3", "freebsd-update fetch"),
    ("freebsd", "14.2-RELEASE", "14.3", "freebsd-update -r 14.3-RELEASE upgrade"),
    ("freebsd", "14.2-RELEASE", "14.3-RELEASE-p1", "freebsd-update -r 14.3-RELEASE upgrade"),
    ("freebsd", "15.0-RC2", "15.0-RELEASE", "freebsd-update -r 15.0-RELEASE upgrade"),
    ("freebsd", "14.2-RELEASE", "15.0-RC2", "freebsd-update -r 15.0-RC2 upgrade"), ("openbsd", "7.6", "7.7", "sysupgrade"),
])
def test_the_command_that_installs_is_one_that_can_be_typed(platform, now, comes, command):
    steps = {step["title"]: step["by_hand"] for step in Pair(platform, now, shows=1400).judged(comes)["runbook"]}
    assert steps[f"Upgrade fw2 to {comes}"][0] == command


@pytest.mark.parametrize(("system", "begins"), [("debian", "apt-get update"), ("rocky", "dnf list"),
                                                ("arch", "# install conntrack-tools 1.4.8 by the system's own")])
def test_every_linux_is_told_how(system, begins):
    pair = Pair("linux", "1.4.7")
    for found in pair.evidence.values():
        found["os"]["id"] = system
    [step] = [step for step in pair.judged("1.4.8")["runbook"] if step["title"] == "Upgrade fw2 to 1.4.8"]
    assert step["by_hand"][0].startswith(begins)


@pytest.mark.parametrize(("statuses", "outcome"), [
    (["pass"], "seamless"), (["warn"], "seamless"), (["skipped"], "seamless"), (["error"], "unknown"), (["fail"], "not_seamless"),
    (["fail", "error"], "not_seamless"), (["error", "warn", "pass"], "unknown"), ([], "unknown"),
])
def test_what_checks_say_counts_also_where_states_flow(pair, statuses, outcome):
    assert pair.judged("14.3-RELEASE", checks=[check(status) for status in statuses])["outcome"] == outcome


def test_a_failed_check_is_a_reason_and_says_that_the_cluster_is_not_ready(pair):
    judged = pair.judged("14.3-RELEASE", checks=[*WELL, check("fail")])
    assert judged["reasons"] == ["sync_speed on fw2: so it is"]
    assert "not ready" in judged["sentence"]
    assert judged["lost"] == []


def test_a_release_that_is_not_known_says_how_to_learn_it(pair):
    judged = pair.judged(fw1="14.3-RELEASE")
    assert judged["outcome"] == "unknown"
    assert judged["targets"] == {"fw1": "14.3-RELEASE", "fw2": None}
    assert judged["unknowns"][0]["what"] == "what fw2 would install"
    assert "upgrade_check_targets" in judged["unknowns"][0]["how"]


def test_what_a_node_would_install_is_its_target():
    pair = Pair("freebsd", "14.2-RELEASE", shows=1400, candidate="14.3-RELEASE")
    assert pair.judged()["targets"] == {"fw1": "14.3-RELEASE", "fw2": "14.3-RELEASE"}
    assert pair.judged("candidate")["outcome"] == "seamless"
    linux = Pair("linux", "1:1.4.7-1+b2", candidate="1:1.4.8-2")
    assert (linux.judged()["outcome"], linux.judged()["targets"]["fw2"]) == ("seamless", "1:1.4.8-2")


@pytest.mark.parametrize(("packages", "target"), [({}, "1:1.4.7-1+b2"), ({"bash": "5.3"}, "1:1.4.7-1+b2"), ({"conntrackd": None}, None), (None, None)])
def test_an_engine_that_would_not_change_stays_what_it_is(packages, target):
    assert Pair("linux", "1:1.4.7-1+b2", readiness={"candidate": {"packages": packages}}).judged()["targets"] == {"fw1": target, "fw2": target}


def test_no_evidence_is_unknown(pair):
    pair.evidence["fw2"] = None
    assert pair.judged("14.3-RELEASE")["outcome"] == "unknown"


def test_state_sync_that_is_switched_off_loses_every_connection(pair):
    for plan in pair.plans.values():
        plan["state_sync"]["enabled"] = False
    judged = pair.judged("14.3-RELEASE")
    assert (judged["outcome"], judged["lost"]) == ("not_seamless", ["every connection, at the handover"])


def test_one_node_alone_loses_every_connection():
    judged = Pair("freebsd", "14.2-RELEASE", shows=1400, nodes=("fw1",)).judged("14.3-RELEASE")
    assert (judged["outcome"], len(judged["stages"])) == ("not_seamless", 2)


def test_a_target_that_is_no_release_is_refused(pair):
    for text in ("the newest", "14..3", "15.x-RELEASE"):
        with pytest.raises(ValueError, match="names no release"):
            pair.judged(text)


def test_a_kernel_without_a_choice_of_formats_is_told_no_word_for_it_though_its_engine_is_not_known():
    pair = Pair("freebsd", "13.2-RELEASE")
    for found in pair.evidence.values():
        found["engine"] = None
    judged = pair.judged("14.2-RELEASE")
    assert [step["by_hand"] for step in judged["runbook"] if step["stage"] == "now" and "format" in step["title"]] == [[]]


@pytest.mark.parametrize("required", REQUIRABLE)
def test_an_outcome_is_good_enough_when_it_is_no_worse_than_what_is_required_and_unknown_never_is(required):
    order = ("seamless", "seamless_with_steps", "not_seamless")
    assert [good_enough(outcome, required) for outcome in order] == [place <= order.index(required) for place in range(3)]
    assert not good_enough("unknown", required)
    assert set(OUTCOMES) == {*order, "unknown"}


# Where this collection changes nothing

def opnsense(release, shows, pinned):
    pair = Pair("opnsense", release, shows=shows)
    for found in pair.evidence.values():
        found["engine"]["pinned"] = pinned
    return pair


def test_a_format_that_is_stored_stays_and_its_change_is_a_step_by_hand_only_where_a_newer_one_can_be_chosen():
    for comes, choose in (("26.7.2", False), ("26.7.4", True)):
        judged = opnsense("26.1.4", 1400, 1400).judged(comes)
        assert (judged["outcome"], {node["sends"] for stage in judged["stages"] for node in stage["nodes"]}) == ("seamless", {1400})
        assert any("pinned" in step["title"] for step in judged["runbook"]) is choose
    assert opnsense("26.1.4", 1301, 1301).judged("26.7.2")["runbook"][-2]["by_hand"][0].startswith("# System: High Availability")


@pytest.mark.parametrize(("platform", "now", "comes"), [("opnsense", "26.1.4", "27.1"), ("opnsense", "26.1.4", "26.7.r1"), ("opnsense", "26.1.4", "26.7.a_57"),
                                                        ("freebsd", "14.2-RELEASE", "16.0-CURRENT"), ("pfsense", "2.7.2", "2.8.0")])
def test_a_stored_format_tells_nothing_of_a_kernel_that_nobody_knows(platform, now, comes):
    pair = Pair(platform, now, shows=1400)
    for found in pair.evidence.values():
        found["engine"]["pinned"] = 1400
    judged = pair.judged(comes)
    assert judged["outcome"] == "unknown"
    assert {direction["answer"] for direction in judged["stages"][1]["directions"]} == {"unknown"}


def test_no_step_asks_for_what_nobody_can_do_there():
    judged = opnsense("24.1.10", None, None).judged("24.7.10")
    assert [(step["stage"], step["node"]) for step in judged["steps"]] == [("standby_upgraded", "fw2"), ("both_upgraded", None)]
    for step in judged["runbook"]:
        assert step["commands"] or step["by_hand"]
        assert not any(".site" in command or ".maintenance" in command for command in step["commands"])
    assert [step["variables"] for step in judged["runbook"]] == [None] * len(judged["runbook"])


def test_a_policy_that_nobody_chose_is_not_known_with_another_release():
    pair = Pair("opnsense", "26.1.4", shows=1400, devices={"fw1": {"lan": "em0", "sync": "em1"}, "fw2": {"lan": "igb0", "sync": "em1"}})
    assert pair.answers("26.7.2", key="named")["both_upgraded"] == ("unknown", "unknown")
    for found in pair.evidence.values():
        found.update(state_policy="if-bound", state_policy_from="configured")
    assert pair.answers("26.7.2", key="named")["both_upgraded"] == ("no", "no")
