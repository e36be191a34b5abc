# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person can set of the readiness checks: complete when nothing is said, and refused with the variable, the trouble and the remedy."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness import READINESS, judge_readiness
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness_settings import read_settings

IDS = tuple(READINESS)


@pytest.mark.parametrize("settings", [{}, {"left_out": None, "thresholds": None}, {"left_out": [], "thresholds": {}}, {"thresholds": {"free_disk_mib": None}}])
def test_what_is_not_stated_has_its_default(settings):
    found = read_settings(settings, IDS)
    assert found.left_out == frozenset()
    assert found.thresholds == {"tables_percent": 10.0, "tables_states": 100, "free_disk_mib": 1024, "free_boot_mib": 200, "evidence_minutes": 30.0,
                                "clock_seconds": 5.0,
                                "certificate_days": 30, "window_hours": 4.0, "packages_differing": 0, "backup_hours": 24.0,
                                "way_back_days": 7, "way_back_outside": False}


def test_what_is_stated_counts():
    found = read_settings({"left_out": ["way_back", "known_bad"], "thresholds": {"window_hours": 2, "way_back_outside": True}}, IDS)
    assert found.left_out == {"way_back", "known_bad"}
    assert (found.thresholds["window_hours"], found.thresholds["way_back_outside"], found.thresholds["free_disk_mib"]) == (2.0, True, 1024)


@pytest.mark.parametrize(("settings", "words"), [
    ({"left_out": ["way_bak"]}, ["upgrade_check_leave_out[0]: is 'way_bak', which is not known; write way_back"]),
    ({"left_out": ["roles_disjoint"]}, ["upgrade_check_leave_out[0]", "write one of: cluster_healthy"]),
    ({"left_out": "way_back"}, ["upgrade_check_leave_out: is text ('way_back'), not a list"]),
    ({"left_out": [7]}, ["upgrade_check_leave_out[0]: is 7"]),
    ({"left_out": {"way_back": True}}, ["upgrade_check_leave_out: is a mapping, not a list"]),
    ({"thresholds": {"free_disk": 7}}, ["upgrade_check_thresholds.free_disk: is an unknown key; did you mean free_disk_mib?"]),
    ({"thresholds": {"free_disk_mib": "much"}}, ["upgrade_check_thresholds.free_disk_mib: is text ('much'), not a whole number"]),
    ({"thresholds": {"free_disk_mib": -1}}, ["upgrade_check_thresholds.free_disk_mib: is -1, outside 0"]),
    ({"thresholds": {"free_disk_mib": True}}, ["upgrade_check_thresholds.free_disk_mib: is a boolean"]),
    ({"thresholds": {"tables_percent": 101}}, ["upgrade_check_thresholds.tables_percent: is 101, outside 0 to 100"]),
    ({"thresholds": {"clock_seconds": float("nan")}}, ["upgrade_check_thresholds.clock_seconds: is nan"]),
    ({"thresholds": {"way_back_outside": "yes"}}, ["upgrade_check_thresholds.way_back_outside: is text ('yes'), not a boolean"]),
    ({"thresholds": [1]}, ["upgrade_check_thresholds: is a list, not a mapping"]),
    ({"leave_out": []}, ["settings of the readiness checks have left_out, thresholds, known_bad, not leave_out"]),
    ({"left_out": ["x"], "thresholds": {"y": 1}}, ["upgrade_check_leave_out[0]", "\nupgrade_check_thresholds.y"]),
])
def test_what_is_wrong_is_refused_all_at_once(settings, words):
    with pytest.raises(ValueError) as refused:
        judge_readiness({}, {}, [], settings)
    for word in words:
        assert word in str(refused.value)
