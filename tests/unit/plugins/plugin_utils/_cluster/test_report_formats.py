# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three formats of the report: everything in them once, nothing hostile alive, the worst first, unknown never fine."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
import report_samples as samples
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks import CHECKS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report import as_html, as_json, as_junit
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.catalogue import CATALOGUE
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.clean import clean_text
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness import READINESS
from hypothesis import given
from hypothesis import strategies as st

GUIDE = Path(__file__).resolve().parents[5] / "docs" / "reading_the_report.md"
EMPTY = {"title": "t", "generated_at": 0.0, "collection": None, "clusters": []}
ALL = [samples.report([samples.check("pass_rule")], [samples.drill(), samples.drill(False)]), samples.broken(), samples.hostile(), EMPTY]


def page_of(report):
    """The page, read as strictly as XML is."""
    return ElementTree.fromstring(as_html(report))


def words(element):
    return " ".join("".join(element.itertext()).split())


def pick(root, cls):
    return [element for element in root.iter() if cls in (element.get("class") or "").split()]


def headline(report):
    return words(pick(page_of(report), "verdict")[0].find("div/strong"))


# JSON

def test_json_has_the_promised_keys_is_sorted_and_ends_with_a_newline():
    text = as_json(samples.broken())
    read = json.loads(text)
    assert text.endswith("}\n")
    assert text == json.dumps(read, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    assert {frozenset(check) for check in read["checks"]} == {frozenset(("id", "node", "status", "reason", "cluster"))}
    assert read["summary"]["checks"] == {"pass": 2, "fail": 4, "warn": 1, "error": 1, "skipped": 1, "total": 9}
    assert read["summary"]["verdict"] == "not_fine"


def test_json_does_not_depend_on_the_order_of_the_checks():
    report = samples.broken()
    backwards = dict(report, checks=list(reversed(report["checks"])))
    assert as_json(report) == as_json(backwards)


def test_json_keeps_a_drills_figures_and_events_but_not_its_packet_counts():
    [read] = json.loads(as_json(samples.report(drills=[samples.drill()])))["drills"]
    assert read["gap_ms"] == {"median": 3090.5, "p99": 3160, "max": 3200}
    assert {"state_sync", "failure", "flows", "lost", "stall_ms", "detection_limit_ms", "takeover_ms", "reconnect_ms", "standby_states"} <= set(read)
    assert read["timeline"]["events"][1]["label"] == "node back"
    assert "deliveries" not in read["timeline"]


def test_no_format_lets_a_secret_out():
    report = samples.report([samples.check("pass_rule")])
    report["clusters"][0]["evidence"]["fw1"]["vrrp"].update(password="hunter2", auth={"Secret_Key": "hunter2", "API_TOKEN": "hunter2"})
    report["clusters"][0]["plans"]["fw1"]["passphrase"] = "hunter2"
    for text in (as_json(report), as_junit(report), as_html(report)):
        assert "hunter2" not in text
    assert "192.0.2.2/24" in as_json(report)


def test_what_is_no_number_is_null_in_json():
    read = json.loads(as_json(samples.report(drills=[samples.drill(takeover_ms=float("nan"), reconnect_ms=float("inf"))])))
    assert read["drills"][0]["takeover_ms"] is None
    assert read["drills"][0]["reconnect_ms"] is None


# JUnit

def test_junit_tells_every_status_in_its_own_way():
    root = ElementTree.fromstring(as_junit(samples.broken()).encode())
    [suite] = root.findall("testsuite")
    assert (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("edge", "9", "4", "1", "1")
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    assert {case.get("classname") for case in cases.values()} == {"edge"}
    assert cases["roles_disjoint"].find("failure").get("message") == "split brain: id 10 is active on fw1 and fw2"
    assert cases["sync_speed[fw2]"].find("error").get("message") == "speed of sync0 is not known"
    assert cases["pass_rule[fw2]"].find("skipped").get("message") == "nothing is filtered"
    assert cases["pass_rule[fw1]"].find("system-out").text == "warning: broader than needed"
    assert list(cases["pass_rule[fw1]"].iter("failure")) == list(cases["engine_running[fw1]"]) == []


def test_junit_has_one_suite_for_each_cluster_and_names_no_testcase_twice():
    report = samples.broken()
    report["clusters"].append(samples.cluster(name="dmz"))
    report["checks"].append(samples.check("pass_rule", cluster="dmz"))
    root = ElementTree.fromstring(as_junit(report).encode())
    assert [(suite.get("name"), suite.get("tests")) for suite in root] == [("dmz", "1"), ("edge", "9")]
    names = Counter((case.get("classname"), case.get("name")) for case in root.iter("testcase"))
    assert max(names.values()) == 1


@pytest.mark.parametrize("passed", [False, None, "yes"])
def test_a_drill_that_does_not_say_that_it_passed_fails(passed):
    report = samples.report(drills=[samples.drill(), samples.drill(False, passed=passed, reasons=["the active node did not change"])])
    cases = list(ElementTree.fromstring(as_junit(report).encode()).iter("testcase"))
    assert [case.find("failure") is not None for case in cases] == [False, True]
    assert cases[1].find("failure").get("message") == "the active node did not change"
    assert json.loads(as_json(report))["summary"]["verdict"] == "not_fine"
    assert headline(report) == "1 of 2 drills failed"


# Every format

@pytest.mark.parametrize("report", ALL)
def test_every_check_is_in_each_format_exactly_once(report):
    wanted = Counter(clean_text(check["id"]) for check in report.get("checks", []))
    assert Counter(check["id"] for check in json.loads(as_json(report))["checks"]) == wanted
    cases = [case.get("name").split("[")[0] for case in ElementTree.fromstring(as_junit(report).encode()).iter("testcase")]
    assert Counter(name for name in cases if name != "failover_drill") == Counter({name.split("[")[0]: amount for name, amount in wanted.items()})
    assert Counter(element.get("data-check") for element in page_of(report).iter() if element.get("data-check")) == wanted


def test_a_report_needs_neither_checks_nor_drills():
    assert json.loads(as_json(EMPTY))["summary"]["verdict"] == "unknown"
    assert headline(EMPTY) == "Nothing was checked"
    assert list(ElementTree.fromstring(as_junit(EMPTY).encode())) == []


def test_the_report_does_not_change_what_it_is_given():
    report = samples.hostile()
    before = copy.deepcopy(report)
    as_json(report), as_junit(report), as_html(report)
    assert report == before


# The page

@pytest.mark.parametrize("report", ALL)
def test_the_page_is_well_formed_loads_nothing_and_runs_nothing(report):
    text, root = as_html(report), page_of(report)
    tags = {element.tag for element in root.iter()}
    assert not tags & {"script", "link", "img", "image", "iframe", "object", "embed", "use", "base", "form"}
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            assert name not in ("src", "srcset", "style", "action")
            assert name != "href" or value.startswith("#")
    assert not re.search(r"@import|url\(|https?://", text)


def test_hostile_text_is_shown_and_not_obeyed():
    text, root = as_html(samples.hostile()), page_of(samples.hostile())
    assert "<script" not in text
    assert "\x00" not in text and "\x1b" not in text and "\u202e" not in text
    assert words(root.find("body/header/h1")) == clean_text(samples.HOSTILE)
    xml = ElementTree.fromstring(as_junit(samples.hostile()).encode())
    assert xml.find("testsuite").get("name") == clean_text(samples.HOSTILE)
    assert json.loads(as_json(samples.hostile()).encode())["title"] == clean_text(samples.HOSTILE)


def test_no_id_is_used_twice_and_every_link_arrives():
    root = page_of(samples.report(samples.broken()["checks"], [samples.drill(), samples.drill(False)], [samples.cluster(), samples.cluster(name="dmz")]))
    ids = Counter(element.get("id") for element in root.iter() if element.get("id"))
    assert max(ids.values()) == 1
    assert {element.get("href")[1:] for element in root.iter("a")} <= set(ids)
    assert {part for element in root.iter("svg") for part in (element.get("aria-labelledby") or "").split()} <= set(ids)


def test_the_worst_comes_first_with_its_remedy():
    root = page_of(samples.broken())
    problems = [(check.get("data-check"), words(pick(check, "word")[0])) for article in pick(root, "problem") for check in article.iter("li")]
    assert problems == [("roles_disjoint", "fails"), ("states_travel", "fails"), ("states_travel", "fails"), ("sync_isolated", "fails"),
                        ("sync_speed", "not judged"), ("pass_rule", "warning")]
    assert CATALOGUE["roles_disjoint"].remedy in words(pick(root, "problem")[0])
    everything = [element.get("data-check") for element in root.iter() if element.get("data-check")]
    assert everything[len(problems):] == ["pass_rule", "engine_running", "engine_running"]
    first = as_html(samples.broken())
    assert first.index("What needs attention") < first.index("Cluster edge") < first.index("Every other check") < first.index("Evidence</h2>")


@pytest.mark.parametrize(("statuses", "verdict", "said"), [
    (["pass", "pass"], "fine", "The cluster is fine"),
    (["pass", "skipped"], "fine", "The cluster is fine"),
    (["pass", "warn"], "warnings", "The cluster works, with 1 warning"),
    (["pass", "error"], "unknown", "Unknown whether the cluster is fine"),
    (["skipped", "skipped"], "unknown", "Unknown whether the cluster is fine"),
    (["pass", "fail", "error"], "not_fine", "The cluster is not fine"),
    (["pass", "brilliant"], "unknown", "Unknown whether the cluster is fine"),
])
def test_unknown_is_never_fine(statuses, verdict, said):
    report = samples.report([samples.check("pass_rule", f"fw{place}", status) for place, status in enumerate(statuses)])
    assert json.loads(as_json(report))["summary"]["verdict"] == verdict
    assert headline(report) == said
    assert pick(page_of(report), "verdict")[0].get("class").split() == ["verdict", verdict]


def test_a_failed_drill_spoils_checks_that_passed():
    assert headline(samples.report([samples.check("pass_rule")], [samples.drill(passed=False)])) == "The cluster is not fine"


def test_a_node_without_evidence_is_unknown_everywhere():
    report = samples.report([samples.check("engine_running", "fw2", "error", "nobody has read fw2")], clusters=[samples.cluster(("active", None))])
    root = page_of(report)
    rows = {words(row.find("th")): [words(cell) for cell in row.findall("td")] for row in pick(root, "nodes")[0].iter("tr") if row.find("th") is not None}
    assert rows["Now"] == ["active", "unknown"]
    unknown = ("Since", "Virtual IPs held", "Maintenance", "Engine", "Running settings", "States in the kernel", "Pass rule", "Versions", "Kernel")
    assert {label: rows[label][1] for label in unknown} == dict.fromkeys(unknown, "unknown")
    assert rows["Versions"][0] == "conntrackd 1:1.4.7-1+b2, keepalived not installed"
    assert "Nothing is known of this node" in words(pick(root, "evidence")[0])


def test_many_clusters_are_folded_unless_they_need_attention():
    names = [f"site{place}" for place in range(4)]
    report = samples.report([samples.check("pass_rule", cluster="site2", status="warn")], clusters=[samples.cluster(name=name) for name in names])
    folded = {words(element.find("summary")): element.get("open") for element in pick(page_of(report), "plain")}
    assert list(folded.items()) == [("Cluster site2", "open"), ("Cluster site0", None), ("Cluster site1", None), ("Cluster site3", None)]


def test_the_catalogue_and_the_guide_have_every_check():
    assert set(CATALOGUE) == {*CHECKS, *READINESS} and not set(CHECKS) & set(READINESS)
    assert re.findall(r"^### `(\w+)`$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE) == list(CATALOGUE)


# Whatever comes

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = st.recursive(scalars, lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(st.text(max_size=5), deeper, max_size=3), max_leaves=6)


def places(value, path=()):
    """The path of every part of a value."""
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*path, key))


SAMPLE = samples.report([samples.check("pass_rule")], [samples.drill(timeline={"bucket_ms": 100, "deliveries": [
    {"direction": "client_to_server", "buckets": [[-100, 20, "fw1"], [3000, 20, "fw2"]]}], "events": [{"t_ms": 9000, "label": "node back", "node": "fw1"}]})])
FRAGILE = [("clusters", 0, part, host, *rest) for part in ("plans", "evidence") for host in ("fw1", "fw2")
           for rest in places(SAMPLE["clusters"][0][part][host])] + [("drills", 0, *rest) for rest in places(SAMPLE["drills"][0]) if rest]


@pytest.mark.parametrize("path", [("vrrp", "instances", 0, "state"), ("vrrp", "instances", 0, "name"), ("interfaces", 0, "name"), ("interfaces", 0, "mac")])
def test_a_list_where_a_name_should_be_is_unknown(path):
    report = samples.report()
    parent = report["clusters"][0]["evidence"]["fw1"]
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = [["active"]]
    assert len(pick(page_of(report), "nodes")) == 1


@given(path=st.sampled_from(FRAGILE), value=anything)
def test_nothing_that_a_node_says_breaks_the_report(path, value):
    report = copy.deepcopy(SAMPLE)
    parent = report
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    json.loads(as_json(report).encode())
    ElementTree.fromstring(as_junit(report).encode())
    page_of(report)
