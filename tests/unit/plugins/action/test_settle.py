# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action settle: reads until the node is at rest, for a bounded time, and then says what it waits for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.playbook.task import Task
from ansible_collections.hafirewall.cluster.plugins.action import settle
from ansible_collections.hafirewall.cluster.tests.simulators.clock import Clock
from ansible_collections.hafirewall.cluster.tests.simulators.hostvars import HostVars

PLAN = {"node": "fw2", "peers": ["fw1"], "platform": "linux", "state_sync": {"enabled": True, "interface": "sync0", "network": "198.51.100.128/28"},
        "sync_rule": {"enabled": False}, "virtual_ip": {"instances": []}}
ACTIVE = {"vrrp": {"instances": [{"state": "active"}]}, "engine": {"tables": {"internal": 1000, "kernel": 1005}}}


def standby(states: int | None, **engine: Any) -> dict[str, Any]:
    """What node_info answers on the standby with so many states."""
    found = dict({"running": True, "enabled": True, "config_current": True, "tables": {"kernel": states, "external": None}}, **engine)
    return {"changed": False, "evidence": {"engine": found, "vrrp": {"instances": []}}}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(settle, "time", made)
    return made


def run(answers: list[dict[str, Any]], check_mode: bool = False, **arguments: Any) -> tuple[dict[str, Any], MagicMock]:
    task = MagicMock(spec=Task, action="hafirewall.cluster.settle", args={"plan": PLAN, **arguments}, async_val=0, check_mode=check_mode, diff=False,
                     delegate_to=None)
    action = settle.ActionModule(task=task, connection=MagicMock(), play_context=SimpleNamespace(check_mode=check_mode), loader=MagicMock(),
                                 templar=MagicMock(), shared_loader_obj=MagicMock())
    # The last answer is given for ever.
    action._execute_module = MagicMock(side_effect=lambda **_given: answers.pop(0) if len(answers) > 1 else answers[0])
    hostvars = HostVars({"fw1": {"ansible_facts": {"hafirewall_evidence": ACTIVE}}, "fw2": {}})
    return action.run(task_vars={"hostvars": hostvars}), action._execute_module


def test_a_node_at_rest_is_read_once_with_its_sync_interface(clock: Clock):
    result, read = run([standby(1000)])
    assert not result.get("failed") and clock.now == 0
    assert [call.kwargs["module_name"] for call in read.call_args_list] == ["hafirewall.cluster.node_info"]
    assert read.call_args.kwargs["module_args"] == {"platform": "linux", "sync_interface": "sync0", "sync_network": "198.51.100.128/28"}


def test_it_waits_until_the_states_of_the_active_node_have_come(clock: Clock):
    result, read = run([standby(10), standby(None), standby(990)])
    assert not result.get("failed") and read.call_count == 3


def test_a_node_that_does_not_come_to_rest_fails_with_the_reasons_of_the_last_reading(clock: Clock):
    result, read = run([standby(0, running=False), standby(12)], timeout=30)
    assert result["failed"] is True
    assert result["msg"] == ("fw2 has not settled within 30 s, so no further node is touched: it holds 12 of the 1000 states that the active node knows")
    assert clock.now >= 30 and read.call_count > 10


def test_a_node_that_cannot_be_read_fails_at_once(clock: Clock):
    result, read = run([{"failed": True, "msg": "no systemd"}])
    assert (result["msg"], read.call_count) == ("no systemd", 1)


def test_check_mode_waits_for_nothing_because_nothing_was_changed(clock: Clock):
    result, read = run([standby(0)], check_mode=True)
    assert not result.get("failed") and read.call_count == 1


def test_a_wait_that_need_not_succeed_tells_the_reasons_and_does_not_fail(clock: Clock):
    result, _read = run([standby(12)], timeout=5, required=False)
    assert (result.get("failed"), result["reasons"]) == (None, ["it holds 12 of the 1000 states that the active node knows"])
    assert 5 <= clock.now < 10
    assert run([standby(1000)], required=False)[0]["reasons"] == []
