# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The door to the upgrade check: evidence of the run or from files, files that are whole, options that are refused by name, and no node touched."""

from __future__ import annotations

import itertools
import json
import re
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible_collections.hafirewall.cluster.plugins.action import upgrade_check
from ansible_collections.hafirewall.cluster.tests.simulators.hostvars import HostVars

TASKS = itertools.count()
CLUSTER = {"name": "edge", "sync": {"interface": "sync", "network": "198.51.100.128/28"}}
NODES = {host: {"role": role, "interfaces": {"lan": "em0", "sync": {"device": "em1", "address": f"198.51.100.{130 + place}/28"}}}
         for place, (host, role) in enumerate((("fw1", "primary"), ("fw2", "secondary")))}
TARGETS = {"fw1": "15.0-RELEASE", "fw2": "15.0-RELEASE"}
WELL = [{"id": "roles_disjoint", "cluster": "edge", "node": None, "status": "pass", "reason": ""}]


def evidence(place: int, release: str = "14.2-RELEASE") -> dict[str, Any]:
    return {"platform": "freebsd", "os": {"id": "freebsd", "version": release}, "engine": {"config": {"version": 1400}, "pinned": None},
            "vrrp": {"instances": [{"state": "standby" if place else "active"}]}, "errors": [],
            "interfaces": [{"name": "em0", "addresses": []}, {"name": "em1", "addresses": [f"198.51.100.{130 + place}/28"]}]}


FACTS = {host: evidence(place) for place, host in enumerate(NODES)}


def run(arguments: dict[str, Any], facts: dict[str, Any] | None = None, host: str = "fw2", check_mode: bool = False) -> dict[str, Any]:
    task = MagicMock(spec=Task, action="hafirewall.cluster.upgrade_check", args=arguments, async_val=0, check_mode=check_mode, diff=False, delegate_to=None,
                     _uuid=f"upgrade task {next(TASKS)}")
    action = upgrade_check.ActionModule(task=task, connection=MagicMock(), play_context=SimpleNamespace(check_mode=check_mode), loader=DataLoader(),
                                        templar=MagicMock(), shared_loader_obj=MagicMock())
    action._execute_module = MagicMock(side_effect=AssertionError("a node was touched"))
    hostvars = HostVars({name: {"hafirewall_cluster": CLUSTER, "hafirewall_node": node,
                                "ansible_facts": {"hafirewall_evidence": facts[name]} if facts else {}} for name, node in NODES.items()})
    return action.run(task_vars={"hostvars": hostvars, "groups": {"all": list(NODES)}, "inventory_hostname": host})


def test_evidence_of_this_run_is_judged_for_the_whole_cluster() -> None:
    result = run({"targets": TARGETS, "checks": WELL}, FACTS)
    assert result["changed"] is False and result["upgrade"]["order"] == ["fw2", "fw1"]
    assert [stage["pin"] and stage["pin"]["format"] for stage in result["upgrade"]["stages"]] == [None, 1400, None]
    assert set(result["cluster"]) == {"name", "plans"} and result["cluster"]["name"] == "edge"
    assert result["counts"]["pass"] >= 1 and result["failed_checks"]


def test_what_a_run_saves_is_judged_to_the_same_without_any_fact(tmp_path: Any) -> None:
    for host in NODES:
        told = run({"targets": TARGETS, "save_evidence": str(tmp_path), "observed": {host: {"1": 1}}}, FACTS, host)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fw1.json", "fw2.json"]
    assert json.loads((tmp_path / "fw1.json").read_text(encoding="utf-8")) == {"evidence": FACTS["fw1"], "observed": {"1": 1}, "probe_count": 1}
    again = run({"targets": TARGETS, "evidence_dir": str(tmp_path)})
    assert again["upgrade"] == told["upgrade"] and again["checks"] == told["checks"]
    assert again["cluster"]["evidence"] == FACTS


def test_check_mode_saves_nothing(tmp_path: Any) -> None:
    assert run({"save_evidence": str(tmp_path / "evidence")}, FACTS, check_mode=True)["outcome"] == "unknown"
    assert list(tmp_path.iterdir()) == []


def test_a_node_without_a_file_is_one_of_which_nothing_is_known(tmp_path: Any) -> None:
    (tmp_path / "fw1.json").write_text(json.dumps({"evidence": FACTS["fw1"]}), encoding="utf-8")
    result = run({"targets": TARGETS, "evidence_dir": str(tmp_path)})
    assert result["outcome"] in ("unknown", "not_seamless") and not result["good_enough"]
    assert any("there is no evidence of fw2" in check["reason"] for check in result["failed_checks"])


def test_what_is_required_decides_whether_the_outcome_is_good_enough() -> None:
    found = {required: run({"targets": TARGETS, "require": required, "checks": [{**WELL[0], "status": "fail"}]}, FACTS)
             for required in ("seamless", "seamless_with_steps", "not_seamless")}
    assert [(result["outcome"], result["good_enough"]) for result in found.values()] == [("not_seamless", False)] * 2 + [("not_seamless", True)]


def test_own_rows_of_what_goes_wrong_are_judged() -> None:
    row = {"platform": "freebsd", "comes": "15.0", "what": "the card stops", "remedy": "wait for 15.1"}
    assert not any("the card stops" in check["reason"] for check in run({"targets": TARGETS, "checks": WELL}, FACTS)["checks"])
    told = [check for check in run({"targets": TARGETS, "checks": WELL, "known_bad": [row]}, FACTS)["failed_checks"] if check["id"] == "known_bad"]
    assert [(check["node"], check["reason"]) for check in told] == [
        (node, "the card stops (stated in upgrade_check_known_bad[0]); wait for 15.1") for node in NODES]


def test_results_of_other_clusters_are_none_of_this_one() -> None:
    result = run({"targets": TARGETS, "checks": [*WELL, {**WELL[0], "cluster": "other", "status": "fail"}]}, FACTS)
    assert {check["cluster"] for check in result["checks"]} == {"edge"}


@pytest.mark.parametrize(("arguments", "words"), [
    ({"targets": {"fw9": "15.0"}}, r"targets\.fw9: there is no such host"), ({"targets": {"fw1": 15.0}}, r"targets\.fw1: is no text"),
    ({"targets": {"fw1": "newest"}}, "names no release"), ({"require": "unknown"}, "require"), ({"leave_out": ["no_check"]}, "upgrade_check_leave_out"),
    ({"thresholds": {"none": 1}}, "upgrade_check_thresholds"), ({"known_bad": [{"platform": "vyos"}]}, r"upgrade_check_known_bad\[0\]\.platform: is 'vyos'"),
    ({"known_bad": ["linux"]}, r"upgrade_check_known_bad\[0\]: is text \('linux'\), not a mapping"),
    ({"evidence_dir": "/nonexistent"}, "evidence_dir: /nonexistent is no folder"),
])
def test_a_wrong_option_is_refused_with_its_name(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((AnsibleActionFail, AnsibleError), match=words):
        run(arguments, FACTS)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"evidence": []}', '{"platform": "linux", "evidence": null}', '{"platform": 1}', "[" * 100000])
def test_a_file_that_is_no_evidence_is_named(tmp_path: Any, text: str) -> None:
    (tmp_path / "fw1.json").write_text(text, encoding="utf-8")
    result = run({"evidence_dir": str(tmp_path), "require": "not_seamless"})
    assert (result["outcome"], result["good_enough"], result["upgrade"]["stages"]) == ("unknown", False, [])
    [unknown] = result["upgrade"]["unknowns"]
    assert re.match(r"evidence_dir: .*/fw1\.json: it is no ", unknown["what"])
    assert unknown["how"].startswith("save again what hafirewall.cluster.node_info returned")


def test_an_intent_that_cannot_be_planned_fails_with_all_of_its_errors(monkeypatch: Any) -> None:
    monkeypatch.setitem(NODES["fw2"], "role", "third")
    result = run({"targets": TARGETS}, FACTS)
    assert result["failed"] and result["errors"]
