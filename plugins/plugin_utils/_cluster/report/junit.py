# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report for a CI: JUnit XML, one testsuite per cluster, one testcase per check and node, one per drill."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.clean import clean_text, number
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.shape import DRILL, shape
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.summary import checks_of, clusters_of, drills_of
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.upgrade_view import told, upgrades_of
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.words import count, drill_name, duration, known

_ELEMENTS = {"fail": "failure", "error": "error", "skipped": "skipped"}


def as_junit(report: dict[str, Any]) -> str:
    """The report as JUnit XML.

    A testcase's classname is the cluster, its name ``id[node]`` (``id`` alone for the whole cluster), with a number when
    a check says several things about one node. A warning passes, with its reason as system-out.
    A drill belongs to the cluster that it names, or to the only one, and else to a testsuite of its own, "drills".
    """
    root = Element("testsuites", name=clean_text(report.get("title") or "hafirewall.cluster"))
    clusters = [cluster["name"] for cluster in clusters_of(report)]
    cases: dict[str, list[Element]] = {name: [] for name in clusters}
    used: Counter[tuple[str, str]] = Counter()
    for check in checks_of(report):
        suite = check["cluster"] or (clusters[0] if len(clusters) == 1 else "checks")
        name = check["id"] if check["node"] is None else f"{check['id']}[{check['node']}]"
        used[suite, name] += 1
        cases.setdefault(suite, []).append(_check_case(suite, name if used[suite, name] == 1 else f"{name} {used[suite, name]}", check))
    for place, drill in enumerate((shape(drill, DRILL) for drill in drills_of(report)), start=1):
        suite = known(drill["cluster"] or (clusters[0] if len(clusters) == 1 else "drills"))
        cases.setdefault(suite, []).append(_drill_case(suite, place, drill))
    for upgrade in upgrades_of(report):
        cases.setdefault(upgrade["cluster"], []).extend(_upgrade_cases(upgrade))
    stamp = _stamp(report.get("generated_at"))
    for name, members in cases.items():
        suite_element = SubElement(root, "testsuite", name=name, tests=str(len(members)), time="0")
        if stamp:
            suite_element.set("timestamp", stamp)
        for counted, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite_element.set(counted, str(sum(member.find(tag) is not None for member in members)))
        suite_element.extend(members)
    for counted in ("tests", "failures", "errors", "skipped"):
        root.set(counted, str(sum(int(suite.get(counted, "0")) for suite in root)))
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _check_case(suite: str, name: str, check: dict[str, Any]) -> Element:
    case = Element("testcase", classname=suite, name=name, time="0")
    if check["status"] in _ELEMENTS:
        SubElement(case, _ELEMENTS[check["status"]], message=check["reason"])
    elif check["status"] == "warn":
        SubElement(case, "system-out").text = f"warning: {check['reason']}"
    return case


def _drill_case(suite: str, place: int, drill: dict[str, Any]) -> Element:
    case = Element("testcase", classname=suite, name=f"failover_drill[{place}: {drill_name(drill)}]", time="0")
    if drill.get("passed") is not True:
        SubElement(case, "failure", message="; ".join(map(str, drill["reasons"] or ["the drill did not say that it passed"])))
    gap = drill["gap_ms"] or {}
    SubElement(case, "system-out").text = (
        f"flows {count(drill.get('flows'))}, lost {count(drill.get('lost'))}, gap median {duration(gap.get('median'))}, "
        f"detection limit {duration(drill.get('detection_limit_ms'))}, takeover {duration(drill.get('takeover_ms'))}, "
        f"new connections after {duration(drill.get('reconnect_ms'))}")
    return case


def _upgrade_cases(upgrade: dict[str, Any]) -> list[Element]:
    """The outcome, which fails when it is not good enough, and an answer for each direction of each stage, which is no if it stays no with the steps taken."""
    case = Element("testcase", classname=upgrade["cluster"], name="upgrade_check", time="0")
    told_of = "; ".join(map(str, [upgrade["outcome"], *upgrade["reasons"], *(known(one["what"]) for one in upgrade["unknowns"])]))
    if upgrade["good_enough"] is not True:
        SubElement(case, "error" if upgrade["outcome"] == "unknown" else "failure", message=told_of)
    SubElement(case, "system-out").text = told_of
    cases = [case]
    for stage in upgrade["stages"]:
        for direction in stage["directions"]:
            case = Element("testcase", classname=upgrade["cluster"], time="0",
                           name=f"{known(stage['id'])}[{known(direction['from'])} to {known(direction['to'])}]")
            if direction["answer"] != "yes":
                SubElement(case, "failure" if direction["answer"] == "no" else "error", message=told(stage, direction))
            SubElement(case, "system-out").text = "; ".join([told(stage, direction), *(known(reason) for reason in direction["reasons"].values())])
            cases.append(case)
    return cases


def _stamp(generated_at: Any) -> str | None:
    """The time as JUnit wants it (ISO 8601 in UTC, no zone), None when unknown."""
    figure = number(generated_at)
    try:
        return None if figure is None else datetime.fromtimestamp(figure, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    except (OverflowError, OSError, ValueError):
        return None
