# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook upgrade_check on saved evidence of a pair of each platform, all in one inventory, without any node."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hafirewall.cluster.tests.simulators.playbook import Run, Simulation

SAVED = Path(__file__).resolve().parents[2] / "fixtures" / "upgrade-evidence"
GROUPS = yaml.safe_load((SAVED / "inventory.yml").read_text(encoding="utf-8"))["all"]["children"]
HOSTVARS = {host: {**own, **group["vars"]} for group in GROUPS.values() for host, own in group["hosts"].items()}
COMES = {"linux": "1:1.4.8-2", "freebsd": "15.0-RELEASE", "openbsd": "7.7", "pfsense": "2.8.0", "opnsense": "26.7.2"}
TARGETS = {host: COMES[name] for name, group in GROUPS.items() for host in group["hosts"]}
# Of the lab's node the clock is the machine's, which no service keeps; and neither it nor the others can tell of a snapshot that is taken outside.
LENIENT = {"upgrade_check_thresholds": {"way_back_outside": True, "window_hours": 0}, "upgrade_check_leave_out": ["clocks_close"]}


def play(folder: Path, evidence: Path = SAVED / "evidence", clusters: Any = GROUPS, **extra: Any) -> tuple[Run, dict[str, Any]]:
    """A run that would fail if it asked a node: there are none."""
    hostvars = {host: own for host, own in HOSTVARS.items() if any(host in GROUPS[name]["hosts"] for name in clusters)}
    simulation = Simulation("none", {}, lambda _seconds: None, lambda: 0.0, folder)
    run = simulation.play("upgrade_check", hostvars, upgrade_check_evidence_dir=str(evidence), upgrade_check_directory=str(folder / "report"), **{
        "upgrade_check_targets": {host: release for host, release in TARGETS.items() if host in hostvars}, **LENIENT, **extra})
    return run, json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))


def test_all_clusters_are_judged_in_one_report_and_the_play_fails_for_those_that_are_not_good_enough_alone(tmp_path: Path) -> None:
    run, report = play(tmp_path)
    assert run.executions == []
    assert {upgrade["cluster"]: upgrade["outcome"] for upgrade in report["upgrades"]} == {
        "linux": "seamless", "freebsd": "seamless_with_steps", "openbsd": "seamless", "pfsense": "unknown", "opnsense": "seamless"}, [
            (upgrade["cluster"], upgrade["reasons"], upgrade["unknowns"]) for upgrade in report["upgrades"]]
    assert report["outcome"] == "unknown" and run.status != 0
    assert {host for host, _said in run.failures} == {"pfsense-fw1", "pfsense-fw2"}
    assert not (tmp_path / "report" / "evidence").exists()


@pytest.mark.parametrize("cluster", ["linux", "freebsd", "openbsd", "opnsense"])
def test_one_cluster_passes_by_itself_with_its_stages_at_the_top(tmp_path: Path, cluster: str) -> None:
    run, report = play(tmp_path, clusters=[cluster])
    assert (run.status, run.failures, run.executions) == (0, [], [])
    assert [stage["id"] for stage in report["stages"]] == ["now", "standby_upgraded", "both_upgraded"]
    assert {way["answer"] for stage in report["stages"] for way in stage["directions"]} == {"yes"}
    assert report["clusters"][0]["evidence"][f"{cluster}-fw1"]["platform"] == cluster


def test_a_product_is_known_once_its_upgraded_standby_tells(tmp_path: Path) -> None:
    shutil.copytree(SAVED / "evidence", tmp_path / "evidence")
    path = tmp_path / "evidence" / "pfsense-fw2.json"
    saved = json.loads(path.read_text(encoding="utf-8"))
    saved["evidence"]["os"]["version"] = "2.8.0"
    saved["evidence"]["engine"]["config"]["version"] = 1500
    path.write_text(json.dumps(saved), encoding="utf-8")
    _run, report = play(tmp_path, tmp_path / "evidence", ["pfsense"])
    now, mixed, _both = report["stages"]
    assert [way["understood"] for way in mixed["directions"]] == ["yes", "yes"]
    assert (now["pin"]["format"], mixed["pin"]["nodes"]) == (1400, ["pfsense-fw2"])


def test_an_opnsense_that_is_set_to_a_newer_format_than_the_other_understands_is_pinned_by_hand(tmp_path: Path) -> None:
    """As a node that was installed anew beside one that was upgraded from before 24.7."""
    shutil.copytree(SAVED / "evidence", tmp_path / "evidence")
    for node, release, version in (("opnsense-fw1", "24.1.10", None), ("opnsense-fw2", "24.7.10", 1400)):
        path = tmp_path / "evidence" / f"{node}.json"
        saved = json.loads(path.read_text(encoding="utf-8"))
        saved["evidence"]["os"].update(version=release, base="13.2-RELEASE" if version is None else "14.1-RELEASE")
        saved["evidence"]["engine"]["config"]["version"] = saved["evidence"]["engine"]["pinned"] = version
        path.write_text(json.dumps(saved), encoding="utf-8")
    run, report = play(tmp_path, tmp_path / "evidence", ["opnsense"], upgrade_check_targets=dict.fromkeys(GROUPS["opnsense"]["hosts"], "24.7.10"))
    ways = {(way["from"], way["to"]): way["without_steps"] for way in report["stages"][0]["directions"]}
    assert ways == {("opnsense-fw1", "opnsense-fw2"): "yes", ("opnsense-fw2", "opnsense-fw1"): "no"}
    assert run.status != 0 and report["outcome"] == "not_seamless"


def test_a_node_without_a_file_never_passes_and_is_named(tmp_path: Path) -> None:
    shutil.copytree(SAVED / "evidence", tmp_path / "evidence")
    (tmp_path / "evidence" / "linux-fw2.json").unlink()
    run, report = play(tmp_path, tmp_path / "evidence", ["linux", "freebsd"], upgrade_check_require="not_seamless")
    assert run.status != 0 and {host for host, _said in run.failures} == {"linux-fw1", "linux-fw2"}
    assert all("linux-fw2" in said for _host, said in run.failures)
    # The other cluster is judged all the same, and this one is not missing.
    outcomes = {upgrade["cluster"]: upgrade["outcome"] for upgrade in report["upgrades"]}
    assert outcomes == {"freebsd": "seamless_with_steps", "linux": "unknown"} and report["outcome"] == "unknown"
    page, ticket, junit = ((tmp_path / "report" / name).read_text(encoding="utf-8") for name in ("report.html", "report.md", "report.xml"))
    assert "UTC, freebsd, linux" in page and all("linux-fw2" in text for text in (page, ticket, junit)) and 'errors="0"' not in junit.splitlines()[1]


def test_a_file_that_is_no_evidence_is_in_the_report_in_place_of_the_last_outcome(tmp_path: Path) -> None:
    shutil.copytree(SAVED / "evidence", tmp_path / "evidence")
    assert play(tmp_path, tmp_path / "evidence", ["openbsd"])[1]["outcome"] == "seamless"
    (tmp_path / "evidence" / "openbsd-fw2.json").write_text("{broken", encoding="utf-8")
    run, report = play(tmp_path, tmp_path / "evidence", ["openbsd"])
    assert run.status != 0 and all("openbsd-fw2.json: it is no" in said for _host, said in run.failures)
    assert (report["outcome"], report["stages"]) == ("unknown", [])
    assert [one["how"].startswith("save again what") for one in report["upgrades"][0]["unknowns"]] == [True]


def test_what_a_person_knows_to_go_wrong_fails_the_clusters_that_it_concerns(tmp_path: Path) -> None:
    row = {"platform": "linux", "runs": "1.4.7", "comes": {"from": "1:1.4.8", "before": "1:1.4.9"}, "what": "the helper is lost", "remedy": "stay"}
    run, report = play(tmp_path, clusters=["linux", "openbsd"], upgrade_check_known_bad=[row])
    assert {host for host, _said in run.failures} == {"linux-fw1", "linux-fw2"}
    assert [(check["node"], check["reason"]) for check in report["checks"] if check["id"] == "known_bad" and check["status"] == "fail"] == [
        (f"linux-{node}", "the helper is lost (stated in upgrade_check_known_bad[0]); stay") for node in ("fw1", "fw2")]


def test_a_row_that_is_wrong_is_told_with_its_place_and_nothing_is_judged(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.json").write_text("{}", encoding="utf-8")
    run, report = play(tmp_path, clusters=["openbsd"], upgrade_check_known_bad=[{"platform": "vyos", "what": "x", "remedy": "y"}])
    assert len(run.failures) == 2 and all("upgrade_check_known_bad[0].platform: is 'vyos', which is not known" in said for _host, said in run.failures)
    assert report == {}
