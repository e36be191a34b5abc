# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook upgrade_check on two simulated OpenBSD machines, and again from what it has saved, without them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import pair
from bsd_cluster import NOTHING, Cluster

DEVICES = ("em0", "em1", "em2")


@pytest.fixture
def made(tmp_path: Path) -> Cluster:
    """A cluster in use."""
    return Cluster(pair(tmp_path), "OpenBSD", tmp_path, (DEVICES, DEVICES)).in_use()


def test_an_upgrade_to_the_next_release_needs_no_step_and_is_judged_again_without_the_nodes(made: Cluster) -> None:
    marks = made.marks()
    thresholds = {"way_back_outside": True}
    run, live = made.upgrade("7.7", upgrade_check_thresholds=thresholds)
    assert (run.failures, live["outcome"], live["steps"]) == ([], "seamless", [])
    assert made.changes(marks) == NOTHING and run.count("fw1") == run.count("fw2") == 3
    assert {way["confidence"] for way in live["stages"][1]["directions"]} == {"derived"}
    run, again = made.upgrade("7.7", upgrade_check_thresholds=thresholds, upgrade_check_evidence_dir=str(made.folder / "upgrade" / "evidence"))
    assert (run.status, run.executions) == (0, [])
    assert [again[key] for key in ("outcome", "stages", "checks")] == [live[key] for key in ("outcome", "stages", "checks")]


def test_a_release_is_not_skipped(made: Cluster) -> None:
    run, report = made.upgrade("7.9", upgrade_check_thresholds={"way_back_outside": True})
    assert run.status != 0 and report["outcome"] == "not_seamless"
    assert any(reason.startswith("known_bad on fw1") for reason in report["reasons"])
