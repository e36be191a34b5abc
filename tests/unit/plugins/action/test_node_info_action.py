# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action node_info: the module where it runs, one command where it does not, and what either says where neither can."""

from __future__ import annotations

import functools
import json
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.playbook.task import Task
from ansible.plugins.loader import shell_loader
from ansible_collections.hafirewall.cluster.plugins.action import node_info
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._raw.conversation import command
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.old_node import CONFIG, OldNode

READ = {"changed": False, "evidence": {"platform": "pfsense"}, "ansible_facts": {"hafirewall_evidence": {}}, "commands": [], "diff": []}
NO_PYTHON = {"failed": True, "rc": 127, "msg": "The module interpreter '/usr/bin/python3' was not found."}
TOO_OLD = {"failed": True, "msg": "this node runs pfSense 2.5.2; upgrade the node first", "changed": False, "commands": [], "diff": []}


class Wire:
    """Test double of the connection: runs what it is given in a tcsh on this machine, as root's shell on the node is, and keeps it."""

    transport, allow_executable, become = "ssh", True, None

    def __init__(self) -> None:
        self.commands: list[str] = []
        self._shell = shell_loader.get("sh")
        self.cut: int | None = None

    def exec_command(self, line: str, in_data: Any = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        self.commands.append(line)
        done = subprocess.run(["tcsh", "-f", "-c", line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
        return done.returncode, done.stdout[:self.cut], done.stderr


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OldNode:
    made = OldNode(tmp_path / "node", "2.4.5-p1")
    monkeypatch.setattr(node_info, "command", functools.partial(command, root=str(made.root), path=str(made.root / "bin")))
    return made


def run(answer: Any, wire: Wire | None = None, check_mode: bool = False, **arguments: Any) -> tuple[dict[str, Any], MagicMock, Wire]:
    wire = wire or Wire()
    action = made(answer, wire, check_mode, arguments)
    return action.run(task_vars={}), action._execute_module, wire


def made(answer: Any, wire: Wire, check_mode: bool, arguments: dict[str, Any]) -> node_info.ActionModule:
    task = MagicMock(spec=Task, action="hafirewall.cluster.node_info", args=arguments, async_val=0, check_mode=check_mode, diff=False, delegate_to=None)
    action = node_info.ActionModule(task=task, connection=wire, play_context=SimpleNamespace(check_mode=check_mode, executable="/bin/sh", remote_user="root"),
                                    loader=MagicMock(), templar=MagicMock(), shared_loader_obj=MagicMock())
    action._execute_module = MagicMock(side_effect=answer if isinstance(answer, Exception) else None, return_value=answer)
    action.get_become_option = MagicMock(return_value=None)
    return action


@pytest.mark.parametrize("raw", ["auto", "never"])
def test_where_the_module_runs_nothing_else_is_run(node: OldNode, raw: str) -> None:
    result, module, wire = run(READ, raw=raw)
    assert result == READ and wire.commands == []
    assert module.call_args.kwargs["module_name"] == "hafirewall.cluster.node_info" and module.call_count == 1


def test_the_controller_notes_when_it_asked_for_the_nodes_time_and_was_answered(node: OldNode) -> None:
    def answer() -> dict[str, Any]:
        return {"readiness": {"clock": {"at": 5.0}, "disk": None}}
    before = time.time()
    result, module, _wire = run(dict(READ, evidence=answer(), ansible_facts={"hafirewall_evidence": answer()}), readiness=True)
    clock = result["evidence"]["readiness"]["clock"]
    assert before - 0.001 <= clock["asked"] <= clock["answered"] <= time.time() + 0.001 and clock["at"] == 5.0
    assert result["ansible_facts"]["hafirewall_evidence"] == result["evidence"]
    assert module.call_args.kwargs["module_args"]["readiness"] is True


@pytest.mark.parametrize("readiness", [None, {"clock": None}])
def test_without_the_nodes_time_there_is_nothing_to_note(node: OldNode, readiness: Any) -> None:
    result = run(dict(READ, evidence={"readiness": readiness}))[0]
    assert result["evidence"] == {"readiness": readiness}


def test_by_its_shell_it_is_not_told_whether_a_node_is_ready_and_why(node: OldNode) -> None:
    found = run(READ, raw="always", readiness=True)[0]["evidence"]
    assert found["readiness"] is None and "readiness" in [row["area"] for row in found["errors"]]
    assert "readiness" not in [row["area"] for row in run(READ, raw="always")[0]["evidence"]["errors"]]


def test_a_task_that_is_tried_again_has_its_own_options_and_no_others(node: OldNode) -> None:
    action = made(READ, Wire(), False, {"raw": "never"})

    def execute(module_name: str, module_args: Any = None, task_vars: Any = None) -> dict[str, Any]:
        (action._task.args if module_args is None else module_args)["_ansible_check_mode"] = False  # as Ansible does
        return READ
    action._execute_module = execute
    assert [action.run(task_vars={}) for _time in range(2)] == [READ, READ]


@pytest.mark.parametrize("answer", [NO_PYTHON, TOO_OLD, AnsibleActionFail("nothing could be copied")])
@pytest.mark.parametrize("check_mode", [False, True])
def test_an_old_pfsense_is_read_by_one_command_where_the_module_fails(node: OldNode, answer: Any, check_mode: bool) -> None:
    result, _module, wire = run(answer, check_mode=check_mode)
    assert len(wire.commands) == 1 and not result.get("failed") and result["changed"] is False and result["commands"] == []
    found = result["evidence"]
    assert result["ansible_facts"] == {"hafirewall_evidence": found}
    assert (found["os"]["version"], found["collected_by"], found["engine"]["running"], len(found["vrrp"]["instances"])) == ("2.4.5-p1", "raw", True, 2)


@pytest.mark.parametrize("release", ["2.6.0-RELEASE", "2.7.2-RELEASE", "23.09-RELEASE"])
def test_the_failure_of_the_module_stands_where_it_should_have_run(node: OldNode, release: str) -> None:
    (node.root / "etc/version").write_text(release)
    assert run(NO_PYTHON)[0] == NO_PYTHON
    with pytest.raises(AnsibleActionFail, match="nothing could be copied"):
        run(AnsibleActionFail("nothing could be copied"))


@pytest.mark.parametrize("path", ["etc/platform", "etc/version"])
def test_the_failure_of_the_module_stands_on_what_is_no_pfsense(node: OldNode, path: str) -> None:
    node.without(path)
    assert run(NO_PYTHON)[0] == NO_PYTHON


def test_never_is_never_and_a_stated_platform_is_not_asked_whether_it_is_pfsense(node: OldNode) -> None:
    for arguments in ({"raw": "never"}, {"platform": "linux"}):
        result, _module, wire = run(NO_PYTHON, **arguments)
        assert result == NO_PYTHON and wire.commands == []


@pytest.mark.parametrize(("release", "shown"), [("2.4.5-RELEASE", "2.4.5-p1"), ("2.7.2-RELEASE", "2.7.2-p1"), ("24.03-RELEASE", "24.03-p1")])
def test_always_runs_no_module_and_reads_every_release(node: OldNode, release: str, shown: str) -> None:
    (node.root / "etc/version").write_text(release)
    result, module, _wire = run(READ, raw="always")
    assert module.call_count == 0 and result["evidence"]["os"]["version"] == shown


def test_always_says_so_where_there_is_nothing_to_read(node: OldNode) -> None:
    node.without("etc/platform")
    result, _module, _wire = run(READ, raw="always")
    assert result["failed"] is True and "only pfSense can be read without Python" in result["msg"]


def test_an_answer_that_was_cut_is_an_error_without_its_text(node: OldNode) -> None:
    wire = Wire()
    wire.cut = 3000
    result, _module, _wire = run(READ, wire, raw="always")
    assert result == {"failed": True, "changed": False, "commands": [],
                      "msg": "the node's answer is not whole: the connection ended, or what answers there is no shell"}


def test_a_node_that_cannot_be_reached_is_not_asked_again(node: OldNode) -> None:
    with pytest.raises(AnsibleConnectionFailure):
        run(AnsibleConnectionFailure("no route to host"))


def test_each_reading_has_a_word_of_its_own(node: OldNode) -> None:
    first, second = (run(READ, raw="always")[2].commands[0] for _time in range(2))
    assert first != second and len(first) == len(second)


def test_a_choice_that_is_none_is_refused(node: OldNode) -> None:
    with pytest.raises(Exception, match="raw"):
        run(READ, raw="sometimes")


@pytest.mark.parametrize("release", ["2.0.3", "2.4.5-p1"])
def test_passwords_reach_neither_the_result_nor_what_is_shown_of_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: str) -> None:
    made = OldNode(tmp_path / "node", release)
    monkeypatch.setattr(node_info, "command", functools.partial(command, root=str(made.root), path=str(made.root / "bin")))
    said: list[Any] = []
    wire = Wire()
    run_there = wire.exec_command
    monkeypatch.setattr(wire, "exec_command", lambda *given, **more: said.append((given, run_there(*given, **more))) or said[-1][1])
    assert "hush" in (made.root / CONFIG).read_text()
    result, _module, _wire = run(READ, wire, raw="always")
    assert "hush" not in json.dumps(result) and len(said) == 1 and "hush" not in repr(said)
    # A file that is no configuration is told apart from its text.
    made.config("</pfsense>", "<password>hush")
    result, _module, _wire = run(READ, wire, raw="always")
    assert result["evidence"]["config"] is None and "hush" not in json.dumps(result) and "hush" not in repr(said)


def test_bytes_that_are_no_text_can_be_shown(node: OldNode) -> None:
    path = node.root / CONFIG
    path.write_bytes(path.read_bytes().replace(b"<![CDATA[SYNC]]>", b"<![CDATA[S\xffYNC]]>"))
    found = run(READ, raw="always")[0]["evidence"]
    assert next(row["description"] for row in found["interfaces"] if row["key"] == "opt1") == "S\ufffdYNC"
    json.dumps(found).encode("utf-8")
