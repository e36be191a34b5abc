# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook upgrade_check on two simulated FreeBSD machines, and again from what it has saved, without them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import pair
from bsd_cluster import NOTHING, Cluster

DEVICES = ("em0", "em1", "em2")
CALLS = 3  # of modules, for each node: two to read it, one for the backup


@pytest.fixture
def made(tmp_path: Path) -> Cluster:
    """A cluster of FreeBSD 14.2 in use."""
    return Cluster(pair(tmp_path, "14.2-RELEASE"), "FreeBSD", tmp_path, (DEVICES, DEVICES)).ruled().in_use()


def of(report: dict[str, Any], check: str) -> list[str]:
    return [one["status"] for one in report["checks"] if one["id"] == check]


def test_an_upgrade_is_judged_with_two_calls_a_node_and_changes_nothing(made: Cluster) -> None:
    marks = made.marks()
    run, report = made.upgrade("15.0-RELEASE")
    assert (run.status, run.failures, report["outcome"]) == (0, [], "seamless_with_steps")
    assert made.changes(marks) == NOTHING and (run.count("fw1"), run.count("fw2")) == (CALLS, CALLS)
    told = {stage["id"]: [(way["without_steps"], way["answer"]) for way in stage["directions"]] for stage in report["stages"]}
    well = ("yes", "yes")
    assert told == {"now": [well, well], "standby_upgraded": [well, ("no", "yes")], "both_upgraded": [well, well]}
    assert [step["title"] for step in report["steps"]] == ["Pin format 1400", "Lift the pin of format 1400"]
    assert {"states_travel", "cluster_healthy", "free_disk", "clocks_close", "config_backup", "way_back"} <= {one["id"] for one in report["checks"]}
    assert sorted(path.name for path in (made.folder / "upgrade").iterdir()) == ["backups", "evidence", "report.html", "report.json", "report.md", "report.xml"]
    suite = ElementTree.parse(made.folder / "upgrade" / "report.xml").getroot()
    assert "upgrade_check" in [case.get("name") for case in suite.iter("testcase")] and suite.get("failures") == "0"


def test_the_same_comes_from_what_was_saved_without_the_nodes(made: Cluster) -> None:
    _run, live = made.upgrade("15.0-RELEASE")
    marks = made.marks()
    run, again = made.upgrade("15.0-RELEASE", upgrade_check_evidence_dir=str(made.folder / "upgrade" / "evidence"))
    assert (run.status, run.executions) == (0, []) and made.changes(marks) == NOTHING
    same = ("outcome", "stages", "steps", "checks", "clusters")
    assert [again[key] for key in same] == [live[key] for key in same]


def test_the_step_is_taken_and_is_needed_no_more(made: Cluster) -> None:
    _run, report = made.upgrade("15.0-RELEASE")
    made.cluster["sync"]["format"] = report["steps"][0]["variables"]["hafirewall_cluster"]["sync"]["format"]
    made.site()
    made.clock.advance(5)
    run, report = made.upgrade("15.0-RELEASE", upgrade_check_require="seamless")
    assert (run.status, report["outcome"], report["steps"]) == (0, "seamless", [])


def test_the_play_fails_for_less_than_what_is_required_and_says_where_to_read(made: Cluster) -> None:
    run, report = made.upgrade("15.0-RELEASE", upgrade_check_require="seamless")
    assert run.status != 0 and report["outcome"] == "seamless_with_steps"
    assert {host for host, _said in run.failures} == {"fw1", "fw2"}
    assert all("report.html" in said and "seamless_with_steps" in said for _host, said in run.failures)


def test_what_is_not_known_fails_whatever_is_required(made: Cluster) -> None:
    run, report = made.upgrade("15.0-RELEASE", upgrade_check_require="not_seamless", upgrade_check_targets={})
    assert run.status != 0 and report["outcome"] == "unknown"
    assert report["upgrades"][0]["unknowns"][0]["what"] == "what fw1 would install"


def test_a_cluster_that_is_not_well_is_not_upgraded(made: Cluster) -> None:
    made.b.run(["ifconfig", "pfsync0", "-syncdev"])
    run, report = made.upgrade("15.0-RELEASE")
    assert run.status != 0 and report["outcome"] == "not_seamless"
    assert any("fw2" in reason for reason in report["reasons"])


def test_a_check_that_is_left_out_is_shown_and_does_not_count(made: Cluster) -> None:
    _run, report = made.upgrade("14.3-RELEASE", upgrade_check_thresholds={"free_disk_mib": 10**6})
    assert report["outcome"] == "not_seamless" and of(report, "free_disk") == ["fail", "fail"]
    run, report = made.upgrade("14.3-RELEASE", upgrade_check_thresholds={"free_disk_mib": 10**6}, upgrade_check_leave_out=["free_disk", "sync_speed"])
    assert (run.status, report["outcome"], of(report, "free_disk"), of(report, "sync_speed")) == (0, "seamless", ["skipped"], ["skipped"])


def test_the_role_alone_judges_the_same_in_a_play_of_its_own(made: Cluster) -> None:
    _run, played = made.upgrade("15.0-RELEASE")
    run = made.role("upgrade_check", upgrade_check_directory=str(made.folder / "alone"), upgrade_check_targets=dict.fromkeys(made.machines, "15.0-RELEASE"))
    assert (run.status, run.failures, run.count("fw1")) == (0, [], CALLS)
    assert '"outcome": "%s"' % played["outcome"] in (made.folder / "alone" / "report.json").read_text(encoding="utf-8")
