# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair of which one node was read without Python: what is known of it is judged, what is not never passes, and the other node is judged as ever."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks import judge
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report import as_html, as_json, as_junit
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._raw.conversation import Transcript
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._raw.evidence import collect, release_of
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.old_node import WORD, OldNode
from intent_cases import PFSENSE, planned


def read(folder):
    transcript = Transcript(WORD, OldNode(folder, "2.4.5-p1").run().decode())
    return collect(transcript, release_of(transcript), True)["evidence"]


def test_a_pair_of_which_one_is_old_is_judged_whole_and_the_other_node_as_before(tmp_path):
    intent = {**PFSENSE, "evidence": {}}
    plans = planned(intent).plans
    assert set(plans) == {"fw1", "fw2"}
    old = read(tmp_path / "old")
    new = dict(read(tmp_path / "new"), os={"id": "pfsense", "version": "2.7.2", "edition": "CE", "base": "14.0-CURRENT"})
    new.pop("collected_by")
    alone = judge(plans, {"fw1": new, "fw2": None}, {})
    together = judge(plans, {"fw1": new, "fw2": old}, {})
    of_new = [[row for row in results if row["node"] == "fw1"] for results in (alone, together)]
    assert [row for row in of_new[0] if row not in of_new[1] and row["id"] not in ("states_travel", "formats_agree", "config_sync", "sync_isolated")] == []
    told = {row["id"]: row for row in together if row["node"] in ("fw2", None)}
    assert (told["pass_rule"]["status"], told["demotion"]["status"], told["versions_equal"]["status"]) == ("error", "pass", "warn")
    assert "it is not asked for without Python" in told["pass_rule"]["reason"]
    report = {"title": "Verification", "generated_at": 1.8e9, "collection": "0", "checks": together, "drills": [],
              "clusters": [{"name": "edge", "plans": plans, "evidence": {"fw1": new, "fw2": old}}]}
    assert "CE 2.4.5-p1, read without Python" in as_html(report) and "CE 2.7.2, read" not in as_html(report)
    assert "it is not asked for without Python" in as_json(report) and "it is not asked for without Python" in as_junit(report)
