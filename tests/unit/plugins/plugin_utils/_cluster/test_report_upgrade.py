# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An upgrade in every form of the report: the outcome first, the matrix drawn, the steps as they are typed, and nothing hostile alive."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
import report_samples as samples
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report import as_html, as_json, as_junit, as_markdown
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.picture_upgrade import upgrade_picture
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.upgrade_view import as_yaml, upgrades_of
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.outcome import OUTCOMES
from picture_reading import beyond, overlaps, read, texts

NODES = ("fw1", "fw2")


def direction(sender, receiver, purpose, answer="yes", **other):
    return {"from": sender, "to": receiver, "purpose": purpose, "answer": answer, "without_steps": answer, "understood": answer, "named": "yes",
            "routed": "yes", "matched": "yes", "lost": [], "confidence": "source read", "reasons": {"understood": f"format 1500 is {answer}"}, **other}


def stage(ident, title, answers=("yes", "yes"), nodes=NODES, upgraded=(), **other):
    releases = [{"node": node, "platform": "freebsd", "release": "15.0-RELEASE" if node in upgraded else "14.2-RELEASE", "sends": 1400,
                 "upgraded": node in upgraded} for node in nodes]
    return {"id": ident, "title": title, "upgraded": list(upgraded), "nodes": releases, "pin": None, "lagg": [], "notes": [],
            "directions": [direction(nodes[0], nodes[1], "takeover", answers[0]), direction(nodes[1], nodes[0], "failback", answers[1])], **other}


def step(number, title, required=False, **other):
    return {"number": number, "stage": "now", "node": None, "title": title, "why": "so it is", "variables": None, "commands": [], "by_hand": [],
            "required": required, **other}


def upgrade(outcome="seamless_with_steps", **other):
    pinned = step(1, "Pin format 1400", True, variables={"hafirewall_cluster": {"sync": {"format": 1400}}},
                  commands=["ansible-playbook hafirewall.cluster.site"])
    pin = {"format": 1400, "nodes": ["fw2"], "how": "version 1400", "lifted": "when all nodes are upgraded"}
    note = {"node": "fw2", "text": "read the release notes", "link": "https://www.freebsd.org/releases/"}
    middle = stage("standby_upgraded", "fw2 upgraded", upgraded=["fw2"], pin=pin, notes=[note])
    middle["directions"][1]["without_steps"] = "no"
    return {"cluster": "edge", "outcome": outcome, "sentence": "Every connection outlives it.", "required": "seamless_with_steps",
            "good_enough": outcome.startswith("seamless"), "reasons": [], "lost": [], "unknowns": [], "order": ["fw2", "fw1"],
            "targets": {"fw1": "15.0-RELEASE", "fw2": None}, "steps": [pinned],
            "runbook": [pinned, step(2, "Upgrade fw2", by_hand=["sysupgrade"])],
            "stages": [stage("now", "Now"), middle, stage("both_upgraded", "Both upgraded", upgraded=NODES)], **other}


def report(*upgrades, checks=None):
    return {**samples.report([samples.check("pass_rule")] if checks is None else checks, title="Upgrade check"), "upgrades": list(upgrades or [upgrade()])}


def hostile():
    bad = samples.HOSTILE
    found = upgrade("not_seamless", cluster=bad, sentence=bad, reasons=[bad], lost=[bad], unknowns=[{"what": bad, "how": bad}], order=[bad], targets={bad: bad})
    for place in found["stages"]:
        place.update(title=bad, notes=[{"node": bad, "text": bad, "link": "javascript:alert(1)"}])
        for node in place["nodes"]:
            node.update(release=bad, platform=bad, sends=bad)
        for way in place["directions"]:
            way.update(reasons={"understood": bad}, answer=bad)
    found["runbook"] = [step(1, bad, why=bad, variables={bad: {bad: bad}}, commands=[bad + "```"], by_hand=["```\n" + bad])]
    return report(found)


def test_json_has_outcome_stages_and_steps_of_one_cluster_at_the_top():
    found = json.loads(as_json(report()))
    assert (found["outcome"], found["steps"], found["stages"]) == ("seamless_with_steps", found["upgrades"][0]["steps"], found["upgrades"][0]["stages"])
    assert [place["id"] for place in found["stages"]] == ["now", "standby_upgraded", "both_upgraded"]
    assert found["steps"][0]["variables"] == {"hafirewall_cluster": {"sync": {"format": 1400}}}
    assert found["checks"][0]["id"] == "pass_rule"
    assert found["summary"]["verdict"] == "warnings"


def test_json_of_several_clusters_has_the_worst_outcome_and_each_in_its_place():
    found = json.loads(as_json(report(upgrade("seamless", cluster="b"), upgrade("unknown", cluster="a"))))
    assert found["outcome"] == "unknown"
    assert [one["cluster"] for one in found["upgrades"]] == ["a", "b"]
    assert "stages" not in found


def test_a_report_without_upgrades_says_nothing_of_them():
    assert not {"outcome", "upgrades", "stages", "steps"} & set(json.loads(as_json(samples.report([samples.check("pass_rule")]))))


@pytest.mark.parametrize(("outcome", "verdict", "words"), [
    ("seamless", "fine", "The upgrade is seamless"), ("seamless_with_steps", "warnings", "The upgrade is seamless with 1 step"),
    ("not_seamless", "not_fine", "The cluster is not ready for the upgrade"), ("unknown", "unknown", "Unknown whether the upgrade is seamless"),
    ("made up", "unknown", "Unknown whether the upgrade is seamless"),
])
def test_the_first_thing_on_the_page_is_the_outcome(outcome, verdict, words):
    page = ElementTree.fromstring(as_html(report(upgrade(outcome))))
    (shown,) = [element for element in page.iter("div") if "verdict" in (element.get("class") or "").split()]
    assert verdict in shown.get("class").split()
    assert shown.find("div/strong").text == words


def test_what_is_lost_makes_the_headline_say_so():
    assert "The upgrade is not seamless" in as_html(report(upgrade("not_seamless", lost=["every connection"])))


def test_the_page_has_the_matrix_the_steps_as_they_are_typed_and_the_notes():
    text = as_html(report())
    assert "hafirewall_cluster:\n  sync:\n    format: 1400" in text
    assert "ansible-playbook hafirewall.cluster.site" in text
    assert 'href="https://www.freebsd.org/releases/"' in text
    assert "Stages of the upgrade of edge" in text


@pytest.mark.parametrize("nodes", [("fw1", "fw2"), ("fw1.example.org", "fw2.example.org"), ("the-firewall-of-the-northern-building-number-1", "fw2")])
def test_no_text_of_the_matrix_covers_another_or_leaves_it(nodes):
    drawn = upgrade(stages=[stage("now", "Now", ("no", "unknown"), nodes), stage("standby_upgraded", f"{nodes[1]} upgraded", ("yes", "no"), nodes, nodes[1:],
                            lagg=["lan", "wan", "a_logical_interface_with_a_long_name"])])
    root = read(upgrade_picture("u", *upgrades_of({"upgrades": [drawn]})))
    assert overlaps(root) == []
    assert beyond(root) == []


def test_an_arrow_for_each_direction_has_its_status_by_shape_and_in_words():
    (found,) = upgrades_of({"upgrades": [upgrade(stages=[stage("now", "Now", ("no", "unknown")), upgrade()["stages"][1]])]})
    root = read(upgrade_picture("u", found))
    assert [element.get("class") for element in root.iter("path") if "flow-arrow" in (element.get("class") or "")] == [
        "flow-arrow fail", "flow-arrow error", "flow-arrow pass", "flow-arrow pass"]
    assert {"takeover: messages not understood", "failback: not known (messages)", "failback: states flow, pinned to 1400"} <= set(texts(root))
    assert "from fw2 to fw1 states flow, pinned to 1400" in root.find("desc").text


def test_three_nodes_have_a_row_for_each_pair():
    (found,) = upgrades_of({"upgrades": [upgrade(stages=[stage("now", "Now", nodes=("fw1", "fw2", "fw3"))])]})
    assert texts(read(upgrade_picture("u", found))).count("fw3") == 2


def test_nothing_is_drawn_of_one_node():
    (found,) = upgrades_of({"upgrades": [upgrade(stages=[])]})
    assert upgrade_picture("u", found) is None


def test_junit_fails_where_the_outcome_is_not_good_enough_and_for_each_direction_that_stays_no():
    bad = upgrade("not_seamless", stages=[stage("now", "Now", ("no", "unknown"))], reasons=["messages are not understood"])
    root = ElementTree.fromstring(as_junit(report(bad)))
    found = {case.get("name"): next((child.tag for child in case if child.tag != "system-out"), "passed") for case in root.iter("testcase")}
    assert found == {"pass_rule[fw1]": "passed", "upgrade_check": "failure", "now[fw1 to fw2]": "failure", "now[fw2 to fw1]": "error"}
    assert {case.get("classname") for case in root.iter("testcase")} == {"edge"}


@pytest.mark.parametrize(("outcome", "tag"), [("seamless", None), ("seamless_with_steps", None), ("unknown", "error"), ("not_seamless", "failure")])
def test_junit_tells_unknown_from_no(outcome, tag):
    (case,) = [case for case in ElementTree.fromstring(as_junit(report(upgrade(outcome)))).iter("testcase") if case.get("name") == "upgrade_check"]
    assert [child.tag for child in case if child.tag != "system-out"] == ([tag] if tag else [])


def test_markdown_is_a_change_ticket():
    text = as_markdown(report(checks=[samples.check("pass_rule", "fw1", "warn", "broader | than needed"), samples.check("engine_running")]))
    assert text.startswith("# Upgrade check: seamless with steps\n")
    assert "In this order: fw2 (to what is not known), then fw1 (to 15.0-RELEASE)." in text
    assert "| fw2 upgraded | fw2 | fw1 | failback | yes | states flow, pinned to 1400 |" in text
    assert "- [ ] 1. **needed:** Pin format 1400 (so it is)" in text
    assert "  ```yaml\n  hafirewall_cluster:\n    sync:\n      format: 1400\n  ```" in text
    assert "- read the release notes <https://www.freebsd.org/releases/>" in text
    assert "| warn | pass\\_rule | edge | fw1 | broader \\| than needed |" in text
    assert "engine" not in text


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_table_of_the_ticket_has_rows_of_one_length(outcome):
    blocks = re.findall(r"(?:^\|.*\n)+", as_markdown(report(upgrade(outcome, lost=["a | b"]))), re.MULTILINE)
    lengths = [{len(re.findall(r"(?<!\\)\|", row)) for row in block.splitlines()} for block in blocks]
    assert lengths == [{7}, {5}] + [{6}] * (len(blocks) - 2)


def test_nothing_hostile_is_alive_in_any_form():
    found = hostile()
    page, ticket = as_html(found), as_markdown(found)
    assert "<script" not in page
    assert "javascript:" not in page
    ElementTree.fromstring(page)
    ElementTree.fromstring(as_junit(found))
    outside = re.sub(r"^  (`{3,})\w*\n.*?^  \1$", "", ticket, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"(?<!\\)<script", outside)
    assert "javascript:" not in outside
    assert not set("\x00\x1b\u202e") & set(page + ticket)


def test_settings_are_written_as_in_an_inventory():
    assert as_yaml({"a": {"b": None, "c": 1}, "d": "x"}) == "a:\n  b: null\n  c: 1\nd: x"
