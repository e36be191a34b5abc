# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The door to the LAGG plan: evidence of the run or from a file, files that are whole, and `make lagg-plan`, whose output is the plan and nothing else.

The nodes' connection is a program that always fails, so a task that used it would be unreachable.
"""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
import yaml
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible_collections.hafirewall.cluster.plugins.action import lagg_plan
from ansible_collections.hafirewall.cluster.tests.simulators.hostvars import HostVars

TASKS = itertools.count()
ROOT = Path(__file__).resolve().parents[4]
CLUSTER = {"name": "edge", "sync": {"interface": "sync", "network": "198.51.100.128/28"}}
NODES = {"fw1": {"role": "primary", "interfaces": {"lan": "em0", "sync": "em1"}}, "fw2": {"role": "secondary", "interfaces": {"lan": "igb0", "sync": "em1"}}}
BOUND = {host: {"platform": "freebsd", "os": {"version": "14.2"}, "state_policy": "if-bound"} for host in NODES}
LAGGS = [{"name": "lagg0", "protocol": "failover", "members": {"fw1": ["em0"], "fw2": ["igb0"]}}]


def run(arguments: dict[str, Any], facts: dict[str, Any] | None = None, check_mode: bool = False, cluster: Any = None) -> dict[str, Any]:
    task = MagicMock(spec=Task, action="hafirewall.cluster.lagg_plan", args=arguments, async_val=0, check_mode=check_mode, diff=False, delegate_to=None,
                     _uuid=f"task {next(TASKS)}")
    action = lagg_plan.ActionModule(task=task, connection=MagicMock(), play_context=SimpleNamespace(check_mode=check_mode), loader=DataLoader(),
                                    templar=MagicMock(), shared_loader_obj=MagicMock())
    action._execute_module = MagicMock(side_effect=AssertionError("a node was touched"))
    hostvars = HostVars({host: {"hafirewall_cluster": cluster or CLUSTER, "hafirewall_node": node,
                                "ansible_facts": {"hafirewall_evidence": facts[host]} if facts else {}} for host, node in NODES.items()})
    return action.run(task_vars={"hostvars": hostvars, "groups": {"all": list(NODES)}, "inventory_hostname": "fw2"})


def test_evidence_of_this_run_is_used() -> None:
    result = run({}, facts=BOUND)
    assert result["changed"] is False and result["plan"]["laggs"] == LAGGS and result["members"] == ["fw1", "fw2"]
    assert result["text"].startswith("edge: 1 LAGG to be made") and result["picture"].startswith("<svg ")
    # Without evidence it is a Linux cluster, whose states are bound to no names.
    assert run({})["plan"]["needed"] is False


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump])
@pytest.mark.parametrize("shape", [lambda found: found, lambda found: {"clusters": [{"evidence": found}]},
                                   lambda found: {host: {"evidence": value} for host, value in found.items()}])
def test_saved_evidence_takes_the_place_of_that_of_the_run(tmp_path: Path, write: Any, shape: Any) -> None:
    (tmp_path / "saved").write_text(write(shape(BOUND)), encoding="utf-8")
    assert run({"evidence": str(tmp_path / "saved")}, facts={host: {"platform": "linux"} for host in NODES})["plan"]["laggs"] == LAGGS


@pytest.mark.parametrize(("text", "message"), [("[]", "is no mapping of hosts to evidence"), ("{", "cannot be read"), (None, "cannot be read")])
def test_evidence_that_cannot_be_read_is_an_error_that_names_the_file(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "saved.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(AnsibleActionFail, match=f"evidence: {path} .*{message}|evidence: {path} {message}"):
        run({"evidence": str(path)})


def test_the_plan_is_written_as_json_text_and_picture(tmp_path: Path) -> None:
    result = run({"directory": str(tmp_path / "plans")}, facts=BOUND)
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "plans").iterdir()}
    assert sorted(written) == ["edge.json", "edge.svg", "edge.txt"]
    assert json.loads(written["edge.json"]) == result["plan"] and written["edge.txt"] == result["text"] and written["edge.svg"] == result["picture"]
    run({"directory": str(tmp_path / "none")}, facts=BOUND, check_mode=True)
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(AnsibleActionFail, match="directory: the plan cannot be written to .*/file"):
        run({"directory": str(tmp_path / "file")}, facts=BOUND)


def test_what_is_wrong_with_the_intent_is_part_of_the_plan_and_names_no_other_folder(tmp_path: Path) -> None:
    result = run({"directory": str(tmp_path)}, facts=BOUND, cluster={**CLUSTER, "name": "../edge", "laggs": {"lan": {"protocl": "lacp"}}})
    assert "failed" not in result and result["plan"]["laggs"] == []
    assert [one["path"] for one in result["plan"]["refused"]] == ["hafirewall_cluster.name", "hafirewall_cluster.laggs.lan.protocl"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".._edge.json", ".._edge.svg", ".._edge.txt"]


def test_make_prints_the_plan_of_one_cluster_as_json_and_nothing_else(tmp_path: Path) -> None:
    unreachable = {"ansible_connection": "ssh", "ansible_ssh_executable": "/bin/false", "ansible_python_interpreter": "/bin/false"}
    inventory = {
        "all": {"vars": unreachable}, "others": {"hosts": {"client": {}}},
        "edge": {"vars": {"hafirewall_cluster": CLUSTER}, "hosts": {host: {"hafirewall_node": node} for host, node in NODES.items()}},
        "core": {"vars": {"hafirewall_cluster": {"name": "core", "state_sync": False}},
                 "hosts": {"gw1": {"hafirewall_node": NODES["fw1"]}, "gw2": {"hafirewall_node": NODES["fw2"]}}},
    }
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    (tmp_path / "saved.yml").write_text(yaml.safe_dump(BOUND), encoding="utf-8")
    command = ["make", "-s", "lagg-plan", f"INVENTORY={tmp_path}/hosts.yml", f"EVIDENCE={tmp_path}/saved.yml", f"LAGG_PLANS={tmp_path}/plans"]
    one = subprocess.run([*command, "CLUSTER=edge"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert one.returncode == 0, one.stderr
    plan = json.loads(one.stdout)
    assert list(plan) == ["needed", "reason", "laggs", "moves", "refused"] and plan["needed"] is True and plan["laggs"] == LAGGS
    assert "unreachable=0" in one.stderr and "unreachable=1" not in one.stderr
    # Two clusters, and none is named.
    both = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert both.returncode != 0 and both.stdout == "" and "State CLUSTER=NAME; planned were: core edge" in both.stderr
