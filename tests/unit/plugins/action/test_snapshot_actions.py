# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The actions snapshot and snapshot_compare: whole files, offline, and a verdict that a pipeline can use."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, patch
from xml.etree import ElementTree

import pytest
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.playbook.task import Task
from ansible_collections.hafirewall.cluster.plugins.action import snapshot, snapshot_compare
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.snapshot.areas import AREAS
from ansible_collections.hafirewall.cluster.tests.unit.plugins.plugin_utils._cluster.snapshot.snapshot_cases import changed, linux

RESULTS = 1 + len(AREAS)  # of a node: whether there are two snapshots to compare, and a result for each area


def made(action: Any, name: str, check_mode: bool, arguments: dict[str, Any], delegate_to: str | None = None) -> Any:
    task = MagicMock(spec=Task, action=f"hafirewall.cluster.{name}", args=arguments, async_val=0, check_mode=check_mode, diff=False, delegate_to=delegate_to)
    task.copy.return_value = SimpleNamespace(args=None)
    found = action.ActionModule(task=task, connection=MagicMock(), play_context=SimpleNamespace(check_mode=check_mode), loader=MagicMock(),
                                templar=MagicMock(), shared_loader_obj=MagicMock())
    found._execute_module = MagicMock(side_effect=AssertionError("a node was touched"))
    return found


class Reader:
    """Stands for the action node_info."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer, self.asked = answer, []

    def get(self, name: str, task: Any, **_more: Any) -> Any:
        assert name == "hafirewall.cluster.node_info"
        self.asked.append(task.args)
        return SimpleNamespace(run=lambda task_vars: self.answer)


def take(arguments: dict[str, Any], evidence: Any = None, answer: Any = None, check_mode: bool = False, **more: Any) -> tuple[dict[str, Any], Reader]:
    reader = Reader({"evidence": linux() if evidence is None else evidence} if answer is None else answer)
    action = made(snapshot, "snapshot", check_mode, arguments, **more)
    with patch.object(snapshot, "action_loader", reader):
        return action.run(task_vars={"inventory_hostname": "fw1"}), reader


def compare(check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
    return made(snapshot_compare, "snapshot_compare", check_mode, arguments).run(task_vars={})


def test_the_evidence_is_written_as_it_was_read(tmp_path):
    result, reader = take({"directory": str(tmp_path / "before"), "sync_interface": "sync0", "raw": "never"})
    assert reader.asked == [{"sync_interface": "sync0", "raw": "never", "snapshot": True, "readiness": True}]
    assert [path.name for path in (tmp_path / "before").iterdir()] == ["fw1.json"]
    assert json.loads((tmp_path / "before" / "fw1.json").read_text(encoding="utf-8")) == linux()
    assert result == {"changed": False, "path": str(tmp_path / "before" / "fw1.json"), "written": True, "taken_at": 1000.0, "unknown": [],
                      "msg": f"wrote {tmp_path}/before/fw1.json"}


def test_check_mode_reads_and_writes_nothing(tmp_path):
    result, reader = take({"directory": str(tmp_path / "before")}, check_mode=True)
    assert (list(tmp_path.iterdir()), result["written"], len(reader.asked)) == ([], False, 1)


def test_what_could_not_be_read_is_told(tmp_path):
    result, _reader = take({"directory": str(tmp_path)}, linux(errors=[{"area": "vrrp", "reason": "x"}, {"area": "vrrp", "reason": "y"}, 1]))
    assert result["unknown"] == ["vrrp"] and result["msg"].endswith("not known: vrrp")


def test_a_node_that_cannot_be_read_fails_and_leaves_the_older_file(tmp_path):
    take({"directory": str(tmp_path)})
    result, _reader = take({"directory": str(tmp_path)}, answer={"failed": True, "msg": "unreachable"})
    assert result == {"failed": True, "msg": "unreachable"}
    assert json.loads((tmp_path / "fw1.json").read_text(encoding="utf-8")) == linux()


def test_evidence_that_is_given_is_written_without_a_reading(tmp_path):
    result, reader = take({"directory": str(tmp_path), "evidence": linux(kernel="6.12")})
    assert reader.asked == [] and json.loads((tmp_path / "fw1.json").read_text(encoding="utf-8"))["kernel"] == "6.12"
    assert result["written"] is True
    with pytest.raises(AnsibleActionFail, match=r"evidence: .*names no platform"):
        take({"directory": str(tmp_path), "evidence": {"kernel": "6.12"}})


def test_a_name_leads_nowhere_else_and_a_folder_that_is_none_is_refused(tmp_path):
    take({"directory": str(tmp_path / "in")}, delegate_to="../fw1")
    assert [path.name for path in tmp_path.rglob("*.json")] == ["%2E.%2Ffw1.json"]
    assert compare(before=str(tmp_path / "in"), after=str(tmp_path / "in"), areas=["mtu"])["results"][0]["node"] == "../fw1"
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(AnsibleActionFail, match="directory: the snapshot cannot be written to .*/file/before"):
        take({"directory": str(tmp_path / "file" / "before")})


@pytest.fixture
def folders(tmp_path):
    for moment, services in (("before", ["a", "b"]), ("after", ["a"])):
        (tmp_path / moment).mkdir()
        for node in ("fw1", "fw2.example.net"):
            evidence = changed(linux(), "snapshot.services", services if node == "fw1" else ["a", "b"])
            (tmp_path / moment / f"{node}.json").write_text(json.dumps(evidence), encoding="utf-8")
        (tmp_path / moment / ".fw1.json.abc").write_text("half a fil", encoding="utf-8")
        (tmp_path / moment / "notes.txt").write_text("by hand", encoding="utf-8")
    return {"before": str(tmp_path / "before"), "after": str(tmp_path / "after")}


def test_two_folders_are_compared_and_the_task_fails_for_what_failed(folders):
    result = compare(**folders)
    assert result["failed"] is True and result["changed"] is False
    assert [(found["node"], found["area"], found["status"]) for found in result["failed_results"]] == [("fw1", "services", "fail")]
    assert result["msg"] == "fw1 services: 1 change: b is gone"
    assert result["counts"]["fail"] == 1 and sum(result["counts"].values()) == len(result["results"]) == 2 * RESULTS
    assert compare(**folders, fail=False)["failed"] is False
    assert compare(**folders, areas=["!services"])["failed"] is False
    assert compare(**folders, settings={"services": {"severity": "note"}})["failed"] is False


def test_mappings_are_compared_as_folders_are():
    result = compare(before={"fw1": linux()}, after={"fw1": linux(maintenance=True)}, areas=["maintenance"])
    assert [found["status"] for found in result["results"]] == ["pass", "fail"]


def test_a_node_that_is_named_and_has_no_snapshot_is_an_error(folders):
    result = compare(**folders, nodes=["fw2.example.net", "fw3"])
    assert [(found["node"], found["area"], found["status"]) for found in result["failed_results"]] == [("fw3", "snapshot", "error")]


def test_reports_for_machines_for_a_ci_and_for_a_ticket_are_written(folders, tmp_path):
    result = compare(**folders, directory=str(tmp_path / "out"), title="Change 17")
    assert result["paths"] == {kind: str(tmp_path / "out" / f"report.{kind}") for kind in ("json", "xml", "md")}
    read = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert read["title"] == "Change 17" and read["summary"]["checks"]["fail"] == 1
    suites = ElementTree.parse(tmp_path / "out" / "report.xml").getroot()
    assert (suites.get("tests"), suites.get("failures")) == (str(2 * RESULTS), "1")
    assert (tmp_path / "out" / "report.md").read_text(encoding="utf-8").startswith("# Change 17\n")


def test_check_mode_compares_and_writes_no_report(folders, tmp_path):
    result = compare(check_mode=True, **folders, directory=str(tmp_path / "out"))
    assert result["failed"] is True and not (tmp_path / "out").exists()


@pytest.mark.parametrize(("content", "said"), [
    ("{", "is no JSON"), ("{}", "names no platform"), ('{"platform": "linux", "evidence": null}', "names no platform"), (b"\xff", "no text in UTF-8"),
])
def test_a_file_that_is_no_snapshot_is_an_error_that_names_it(folders, tmp_path, content, said):
    path = tmp_path / "after" / "fw1.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(AnsibleActionFail, match=said) as raised:
        compare(**folders)
    assert str(raised.value).startswith(f"after: {path}: it is ") and "; save " in str(raised.value)


@pytest.mark.parametrize(("arguments", "said"), [
    ({"before": "/nonexistent/before"}, "before: /nonexistent/before cannot be read: No such file"), ({"before": {}}, "before: there is no snapshot"),
    ({"after": []}, "after: there is no snapshot"), ({"areas": ["nic"]}, "areas: there is no area 'nic'"),
    ({"settings": {"nics": {"severity": "bad"}}}, "settings.nics.severity: is 'bad'")])
def test_what_is_wrong_is_refused_with_its_place(folders, arguments, said):
    with pytest.raises(AnsibleActionFail, match=said):
        compare(**dict(folders, **arguments))


def test_an_empty_folder_and_an_unknown_option_are_refused(tmp_path):
    with pytest.raises(AnsibleActionFail, match="before: there is no snapshot"):
        compare(before=str(tmp_path), after=str(tmp_path))
    with pytest.raises(AnsibleError):
        compare(before={"fw1": linux()}, after={"fw1": linux()}, thresholds={})
