# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The readiness check config_backup: fresh and readable, else not ready; what is not known never passes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import ClusterView
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.backup import config_backup
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness_settings import read_settings
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness_view import ReadinessView
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._inventory import evidence_of
from ansible_collections.hafirewall.cluster.tests.simulators.hostvars import HostVars
from hypothesis import given
from hypothesis import strategies as st

HOUR = 3600
BACKUP = {"path": "/srv/fw1-20261130T004500Z.tar.gz", "bytes": 2048, "sha256": "0" * 64, "files": ["/etc/rc.conf"], "taken_at": 100 * HOUR, "readable": True}


def judged(evidence: Any, hours: Any = None) -> list[Any]:
    thresholds = read_settings({"thresholds": {} if hours is None else {"backup_hours": hours}}, ()).thresholds
    plans = {"fw1": {"cluster": "edge", "members": ["fw1"], "platform": "freebsd", "state_sync": {}}}
    return list(config_backup(ReadinessView(ClusterView.of("edge", ["fw1"], plans, {"fw1": evidence}, {}, 1), {}, thresholds, {})))


def evidence(at: Any, **backup: Any) -> dict[str, Any]:
    return {"collected_at": at, "backup": {**BACKUP, **backup}}


@pytest.mark.parametrize(("at", "hours", "status"), [
    (100 * HOUR, None, "pass"), (124 * HOUR, None, "pass"), (124.1 * HOUR, None, "fail"), (101 * HOUR, 0.5, "fail"), (100 * HOUR, 0, "pass"),
    (99 * HOUR, 0, "pass"), (75 * HOUR, None, "error")])
def test_a_backup_must_be_fresh(at, hours, status):
    [verdict] = judged(evidence(at), hours)
    assert (verdict.status, verdict.node) == (status, "fw1")
    assert BACKUP["path"] in verdict.reason
    assert status == "pass" or "config_backup" in verdict.reason


def test_its_age_is_by_the_controllers_clock_where_that_is_told():
    slow = dict(evidence(1.0), readiness={"clock": {"at": 2.0, "answered": 101 * HOUR}})
    assert judged(slow)[0].status == "pass" and "1.0 h old" in judged(slow)[0].reason
    by_the_node = dict(evidence(1.0), readiness={"clock": {"at": 102 * HOUR}})
    assert "2.0 h old" in judged(by_the_node)[0].reason


@pytest.mark.parametrize(("backup", "status"), [
    ({"readable": False}, "fail"), ({"files": []}, "fail"), ({"files": None}, "fail"), ({"bytes": 0}, "fail"), ({"bytes": None}, "fail"),
    ({"readable": None}, "error"), ({"readable": "yes"}, "error"), ({"path": None}, "error"), ({"taken_at": None}, "error"), ({"taken_at": "now"}, "error")])
def test_a_backup_that_cannot_be_read_or_is_not_known_is_none(backup, status):
    assert judged(evidence(100 * HOUR, **backup))[0].status == status


@pytest.mark.parametrize("found", [{}, None, {"collected_at": 1.0}, {"collected_at": 1.0, "backup": None}, {"collected_at": 1.0, "backup": "there"},
                                   {"backup": BACKUP}])
def test_without_a_word_of_a_backup_it_is_not_known(found):
    assert judged(found)[0].status == "error"


@given(backup=st.dictionaries(st.sampled_from(list(BACKUP)), st.none() | st.booleans() | st.floats() | st.text() | st.lists(st.text())),
       at=st.none() | st.floats())
def test_nothing_but_a_whole_and_fresh_backup_passes(backup, at):
    [verdict] = judged({"collected_at": at, "backup": backup})
    if verdict.status == "pass":
        assert backup["readable"] is True and backup["files"] and backup["bytes"] > 0 and at - backup["taken_at"] <= 24 * HOUR


def test_what_the_task_has_told_of_the_backup_is_in_the_evidence():
    found = {"platform": "freebsd", "collected_at": 100.0 * HOUR}
    hostvars = HostVars({"fw1": {"ansible_facts": {"hafirewall_evidence": found, "hafirewall_config_backup": BACKUP}},
                         "fw2": {"ansible_facts": {"hafirewall_evidence": found}}, "fw3": {"ansible_facts": {"hafirewall_config_backup": BACKUP}},
                         "fw4": {"hafirewall_evidence": dict(found, backup={"path": "stated"}), "hafirewall_config_backup": BACKUP}})
    assert evidence_of(hostvars, "fw1") == dict(found, backup=BACKUP)
    assert judged(evidence_of(hostvars, "fw1"))[0].status == "pass"
    assert evidence_of(hostvars, "fw2") == found
    assert evidence_of(hostvars, "fw3") is None
    assert evidence_of(hostvars, "fw4")["backup"] == {"path": "stated"}
