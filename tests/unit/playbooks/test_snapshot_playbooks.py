# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots, their comparison and backups, by playbooks on a simulated FreeBSD cluster; and the playbook that the guide shows, as it is there."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import pair
from ansible_collections.hafirewall.cluster.tests.simulators.playbook import Run, Simulation
from ansible_collections.hafirewall.cluster.tests.unit.plugins.plugin_utils._cluster.snapshot.snapshot_cases import changed, linux
from bsd_cluster import NOTHING, Cluster

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "snapshots.md"
PASSWORD = "hunter2"  # of the cluster's CARP
# What nobody reads here: the readiness evidence is another matter, and has the packages.
AREAS = ["!packages"]


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """One that site has made."""
    made = Cluster(pair(tmp_path, "14.2-RELEASE"), "FreeBSD", tmp_path, (("em0", "em1", "em2"), ("em0", "em1", "em2")))
    made.site()
    made.clock.advance(90)
    return made


def play(cluster: Cluster, name: Any, **extra: Any) -> Run:
    return cluster.play(name, **extra)


def test_a_cluster_that_did_not_change_passes_and_one_that_did_fails_by_name(cluster: Cluster) -> None:
    folder = cluster.folder / "build" / "snapshots"
    assert play(cluster, "snapshot").failures[0][1].startswith("State the moment")
    for moment in ("before", "after"):
        run = play(cluster, "snapshot", snapshot_moment=moment, snapshot_areas=AREAS)
        assert (run.failures, run.changed) == ([], []) and run.status == 0
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*")) == [
        "after/fw1.json", "after/fw2.json", "before/fw1.json", "before/fw2.json", "report.json", "report.md", "report.xml"]
    assert PASSWORD not in "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.*"))
    statuses = {(check["id"], check["node"]): check["status"] for check in json.loads((folder / "report.json").read_text(encoding="utf-8"))["checks"]}
    assert {name for name, status in statuses.items() if status != "pass"} == {
        (f"snapshot.{area}", node) for area in ("assignments", "gateways") for node in ("fw1", "fw2")}
    cluster.b.put("/etc/sysctl.conf", (cluster.b.text("/etc/sysctl.conf") or "") + "net.inet.ip.forwarding=0\n")
    cluster.b.run(["ifconfig", "em2", "down"])
    run = play(cluster, "snapshot", snapshot_moment="after", snapshot_areas=AREAS)
    [(host, said)] = run.failures
    assert host == "fw1" and "fw2 nics: " in said and "em2 up was True and is False" in said and "fw1 nics" not in said
    told = (folder / "report.md").read_text(encoding="utf-8")
    assert re.search(r"\| warn \| fw2 \| config \| 1 change: /etc/sysctl.conf digest", told)


def test_a_node_that_cannot_be_taken_again_is_an_error(cluster: Cluster) -> None:
    play(cluster, "snapshot", snapshot_moment="before")
    (cluster.folder / "build" / "snapshots" / "before" / "fw2.json").unlink()
    run = play(cluster, "snapshot", snapshot_moment="after", snapshot_areas=AREAS)
    assert "fw2 snapshot: there is no snapshot of it from before" in run.failures[0][1]


def test_a_backup_holds_what_is_on_the_node_with_its_password_and_changes_nothing(cluster: Cluster) -> None:
    book = cluster.folder / "backup.yml"
    book.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [
        {"hafirewall.cluster.config_backup": {"directory": "{{ playbook_dir }}/kept"}}]}]), encoding="utf-8")
    marks = cluster.marks()
    run = play(cluster, book)
    assert (run.failures, run.changed, cluster.changes(marks)) == ([], [], NOTHING)
    for host, machine in cluster.machines.items():
        [found] = (cluster.folder / "kept").glob(f"{host}-*.tar.gz")
        with tarfile.open(found) as archive:
            kept = {"/" + member.name: archive.extractfile(member).read().decode() for member in archive}
        assert any(PASSWORD in content for content in kept.values())
        assert kept == {path: machine.text(path) for path in kept} and {"/etc/rc.conf", "/etc/pf.conf"} <= set(kept)


def test_the_playbook_of_the_guide_compares_without_a_node_and_fails_for_a_change(tmp_path: Path) -> None:
    [text] = re.findall(r"run this playbook as it is here\. -->\n```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "compare.yml").write_text(text, encoding="utf-8")
    for moment in ("before", "after"):
        (tmp_path / moment).mkdir()
        for node in ("fw1", "fw2"):
            (tmp_path / moment / f"{node}.json").write_text(json.dumps(linux()), encoding="utf-8")
    simulation = Simulation("Linux", {}, lambda seconds: None, lambda: 0.0, tmp_path)
    assert simulation.play(tmp_path / "compare.yml", {"localhost": {}}).failures == []
    report = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "0 fail, 0 error" in report and "| fw2 |" in report
    (tmp_path / "after" / "fw2.json").write_text(json.dumps(changed(linux(), "engine.tables.kernel", 600)), encoding="utf-8")
    assert simulation.play(tmp_path / "compare.yml", {"localhost": {}}).failures == [
        ("localhost", "fw2 states: 1 change: states kernel was 1000 and is 600")]
