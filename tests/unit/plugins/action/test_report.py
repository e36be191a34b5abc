# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action report: files that are whole or not there, nothing in check mode, no node touched."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from unittest.mock import MagicMock
from xml.etree import ElementTree

import pytest
import yaml
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.playbook.task import Task
from ansible_collections.hafirewall.cluster.plugins.action import report
from ansible_collections.hafirewall.cluster.tests.simulators.hostvars import HostVars

CHECK = {"id": "pass_rule", "cluster": "edge", "node": "fw1", "status": "warn", "reason": "broader than needed"}
PLANS = {"fw1": {"cluster": "edge", "role": "primary"}, "fw2": {"cluster": "edge", "role": "secondary"}}


def run(arguments, hostvars=None, check_mode=False):
    task = MagicMock(spec=Task, action="hafirewall.cluster.report", args=arguments, async_val=0, check_mode=check_mode, diff=False, delegate_to=None)
    action = report.ActionModule(task=task, connection=MagicMock(), play_context=SimpleNamespace(check_mode=check_mode), loader=MagicMock(),
                                 templar=MagicMock(), shared_loader_obj=MagicMock())
    action._execute_module = MagicMock(side_effect=AssertionError("a node was touched"))
    return action.run(task_vars={"hostvars": HostVars(hostvars or {})})


def test_three_files_are_written_into_a_folder_that_it_makes(tmp_path):
    directory = tmp_path / "build" / "verify"
    result = run({"directory": str(directory), "title": "Verification", "checks": [CHECK]})
    assert sorted(path.name for path in directory.iterdir()) == ["report.html", "report.json", "report.xml"]
    assert (result["html_path"], result["json_path"], result["xml_path"]) == tuple(str(directory / f"report.{kind}") for kind in ("html", "json", "xml"))
    read = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    assert read["title"] == "Verification"
    assert read["checks"] == [CHECK]
    assert read["summary"] == result["summary"]
    assert read["collection"] == yaml.safe_load((report.COLLECTION / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert ElementTree.parse(directory / "report.xml").getroot().get("tests") == "1"
    assert "broader than needed" in (directory / "report.html").read_text(encoding="utf-8")


def test_of_upgrades_there_is_a_ticket_too(tmp_path):
    result = run({"directory": str(tmp_path), "upgrades": [{"cluster": "edge", "outcome": "seamless", "sentence": "Nothing is lost.", "good_enough": True}]})
    assert (tmp_path / "report.md").read_text(encoding="utf-8").startswith("# Firewall cluster: seamless")
    assert result["md_path"] == str(tmp_path / "report.md")
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["outcome"] == "seamless"


def test_a_report_is_a_result_and_never_a_change(tmp_path):
    assert [run({"directory": str(tmp_path)})["changed"] for _again in range(2)] == [False, False]


def test_check_mode_writes_nothing_and_tells_where_it_would(tmp_path):
    result = run({"directory": str(tmp_path / "verify"), "checks": [CHECK]}, check_mode=True)
    assert list(tmp_path.iterdir()) == []
    assert result["written"] is False
    assert result["msg"] == f"would write {tmp_path}/verify/report.html"
    assert result["summary"]["verdict"] == "warnings"


def test_files_get_the_permissions_that_the_user_chose(tmp_path):
    before = os.umask(0o027)
    try:
        run({"directory": str(tmp_path)})
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}


def test_a_write_that_fails_leaves_the_older_report_whole_and_no_rest(tmp_path, monkeypatch):
    run({"directory": str(tmp_path), "title": "older"})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    calls = []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AnsibleActionFail, match=f"directory: the report cannot be written to {tmp_path}: No space left on device"):
        run({"directory": str(tmp_path), "title": "newer"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(AnsibleActionFail, match="directory: the report cannot be written to .*/file/verify"):
        run({"directory": str(tmp_path / "file" / "verify")})


def test_evidence_that_is_not_given_is_the_fact_of_each_node(tmp_path):
    hostvars = {"fw1": {"ansible_facts": {"hafirewall_evidence": {"kernel": "6.1.0"}}}, "fw2": {}}
    run({"directory": str(tmp_path), "clusters": [{"plans": PLANS}]}, hostvars)
    [cluster] = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["clusters"]
    assert cluster["name"] == "edge"
    assert cluster["evidence"] == {"fw1": {"kernel": "6.1.0"}, "fw2": None}


def test_plans_of_several_clusters_are_told_apart(tmp_path):
    plans = {**PLANS, "gw1": {"cluster": "dmz", "role": "primary"}}
    run({"directory": str(tmp_path), "clusters": [{"plans": plans}]}, {"gw1": {"ansible_facts": {"hafirewall_evidence": {"kernel": "6.1.0"}}}})
    clusters = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["clusters"]
    assert [(cluster["name"], list(cluster["plans"])) for cluster in clusters] == [("dmz", ["gw1"]), ("edge", ["fw1", "fw2"])]
    assert clusters[0]["evidence"] == {"gw1": {"kernel": "6.1.0"}}


def test_evidence_that_is_given_wins(tmp_path):
    hostvars = {"fw1": {"ansible_facts": {"hafirewall_evidence": {"kernel": "6.1.0"}}}}
    run({"directory": str(tmp_path), "clusters": [{"name": "dmz", "plans": PLANS, "evidence": {"fw2": {"kernel": "6.12.0"}}}]}, hostvars)
    [cluster] = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["clusters"]
    assert (cluster["name"], cluster["evidence"]) == ("dmz", {"fw1": None, "fw2": {"kernel": "6.12.0"}})


@pytest.mark.parametrize(("arguments", "said"), [
    ({}, "directory"),
    ({"checks": "all", "directory": "x"}, "checks"),
    ({"folder": "x", "directory": "x"}, "folder"),
    ({"clusters": [{"name": "edge"}], "directory": "x"}, r"clusters\[0\].plans"),
    ({"clusters": [{"plans": {"fw1": None}}], "directory": "x"}, r"clusters\[0\].plans"),
    ({"clusters": [{"plans": PLANS, "evidence": ["x"]}], "directory": "x"}, r"clusters\[0\].evidence"),
])
def test_options_that_are_wrong_are_named(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AnsibleError, match=said):
        run(arguments)
    assert list(tmp_path.iterdir()) == []
