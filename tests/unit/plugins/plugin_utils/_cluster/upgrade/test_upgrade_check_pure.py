# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole check: verification and readiness together, what is left out, several clusters, and evidence of any shape."""

from __future__ import annotations

import copy
import json

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster import checks
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report import as_html, as_json, as_junit, as_markdown
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.check import check_upgrade
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness import READINESS
from hypothesis import given
from hypothesis import strategies as st
from upgrade_cases import Pair, evidence

PAIR = Pair("freebsd", "14.2-RELEASE", shows=1400)
ODD = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
                   lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2), max_leaves=5)


def test_all_checks_are_made_and_every_one_can_be_left_out_and_says_so():
    names = [*checks.CHECKS, *READINESS]
    found = check_upgrade(PAIR.plans, PAIR.evidence, leave_out=names)
    assert {(result["id"], result["status"]) for result in found.checks} == {(name, "skipped") for name in names}
    assert all("left out by upgrade_check_leave_out" in result["reason"] for result in found.checks)
    assert {result["id"] for result in check_upgrade(PAIR.plans, PAIR.evidence).checks} == set(names)


def test_what_is_left_out_counts_in_no_check_that_takes_from_it():
    judged = [{"id": name, "cluster": "edge", "node": "fw2", "status": status, "reason": name}
              for name, status in (("roles_disjoint", "pass"), ("demotion", "fail"), ("maintenance", "pass"))]
    told = {tuple(names): next(one for one in check_upgrade(PAIR.plans, PAIR.evidence, judged=judged, leave_out=names).checks if one["id"] == "cluster_healthy")
            for names in ([], ["demotion"])}
    assert "demotion: fw2: demotion" in told[()]["reason"] and told[()]["status"] == "fail"
    assert "demotion: fw2: demotion" not in told["demotion",]["reason"] and told["demotion",]["status"] != "fail"


def test_what_is_required_goes_with_the_outcome():
    judged = [{"id": "roles_disjoint", "cluster": "edge", "node": None, "status": "pass", "reason": ""}]
    for required, enough in (("seamless", False), ("seamless_with_steps", False), ("not_seamless", True)):
        (upgrade,) = check_upgrade(PAIR.plans, PAIR.evidence, targets={"fw1": "15.0-RELEASE", "fw2": "15.0-RELEASE"}, required=required,
                                   judged=[{**judged[0], "status": "fail"}]).upgrades
        assert (upgrade["required"], upgrade["good_enough"], upgrade["outcome"]) == (required, enough, "not_seamless")


def test_results_of_another_cluster_do_not_count():
    plans, found = copy.deepcopy(PAIR.plans), dict(PAIR.evidence)
    for node in ("a", "b"):
        plans[node] = {**copy.deepcopy(PAIR.plans["fw1"]), "node": node, "cluster": "other", "members": ["a", "b"]}
        found[node] = evidence("freebsd", "14.2-RELEASE", version=1400)
    brain = {"id": "roles_disjoint", "cluster": "other", "node": None, "status": "fail", "reason": "split brain"}
    upgrades = check_upgrade(plans, found, judged=[brain]).upgrades
    assert [upgrade["cluster"] for upgrade in upgrades] == ["edge", "other"]
    assert ["split brain" in str(upgrade["reasons"]) for upgrade in upgrades] == [False, True]


@pytest.mark.parametrize(("options", "words"), [
    ({"leave_out": ["sync_sped"]}, "upgrade_check_leave_out"), ({"thresholds": {"disk": 1}}, "upgrade_check_thresholds"),
    ({"targets": {"fw1": "newest"}}, "names no release"),
])
def test_bad_input_is_refused_with_its_place(options, words):
    with pytest.raises(ValueError, match=words):
        check_upgrade(PAIR.plans, PAIR.evidence, **options)


@given(st.lists(st.tuples(st.sampled_from(["fw1", "fw2"]), st.sampled_from([*evidence("freebsd", "14.2"), "readiness", "watch"]), ODD), max_size=4),
       st.sampled_from(["freebsd", "pfsense", "openbsd", "linux"]))
def test_evidence_of_any_shape_is_judged_and_reported_and_never_seamless_without_knowledge(changes, platform):
    pair = Pair(platform, "7.6" if platform == "openbsd" else "14.2", shows=1400)
    for node, area, value in changes:
        pair.evidence[node][area] = value
    found = check_upgrade(pair.plans, pair.evidence)
    assert found.upgrades[0]["outcome"] in ("unknown", "not_seamless")
    report = {"title": "x", "clusters": [{"name": "edge", "plans": pair.plans, "evidence": pair.evidence}], "checks": found.checks, "upgrades": found.upgrades}
    assert json.loads(as_json(report))["outcome"] == found.upgrades[0]["outcome"]
    assert all(render(report) for render in (as_html, as_junit, as_markdown))
