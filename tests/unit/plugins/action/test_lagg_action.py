# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action lagg: each call that follows the first comes over a new connection, and one that does not come up is tried again for a bounded time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.playbook.task import Task
from ansible_collections.hafirewall.cluster.plugins.action import lagg
from ansible_collections.hafirewall.cluster.tests.simulators.clock import Clock

DONE = {"changed": False, "drift": [], "commands": [], "diff": [], "confirmed": [], "put_back": [], "validation": "not needed", "next": None}
BEGUN = dict(DONE, changed=True, drift=["bond1"], commands=["systemd-run x"], diff=[{"after": "file"}], validation="passed", next="wait")
WAITED = dict(DONE, next="confirm")
CONFIRMED = dict(DONE, changed=True, commands=["systemctl disable x"], confirmed=["bond1"])
UNREACHABLE = AnsibleConnectionFailure("no route to host")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(lagg, "time", made)
    return made


class Wire:
    """Test double of the connection and of the module behind it; keeps the order of what was done.

    Attributes:
        done: ``reset``, or the stage of a call.
        answers: what the calls answer, one after the other; an exception is raised. The last one for ever.
    """

    def __init__(self, answers: list[Any], transport: str = "ssh") -> None:
        self.done: list[str] = []
        self.answers = answers
        self.given: list[dict[str, Any]] = []
        self.options = {"ssh_extra_args": "-4"}
        self.connection = MagicMock(transport=transport)
        self.connection.reset.side_effect = lambda: self.done.append("reset")
        self.connection.get_option.side_effect = self.options.get
        self.connection.set_option.side_effect = self.options.__setitem__

    def call(self, module_name: str, module_args: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        assert module_name == "hafirewall.cluster.lagg"
        self.done.append(module_args.get("stage", "begin"))
        self.given.append(module_args)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


def run(wire: Wire, **arguments: Any) -> dict[str, Any]:
    given = {"laggs": [{"name": "bond1", "protocol": "failover", "members": ["eth1"], "hash": None, "mtu": 1400}], "rollback_timeout": 60, **arguments}
    task = MagicMock(spec=Task, action="hafirewall.cluster.lagg", args=given, async_val=0, check_mode=False, diff=False, delegate_to=None)
    action = lagg.ActionModule(task=task, connection=wire.connection, play_context=SimpleNamespace(check_mode=False), loader=MagicMock(),
                               templar=MagicMock(), shared_loader_obj=MagicMock())
    action._execute_module = wire.call
    return action.run(task_vars={})


def test_where_nothing_is_to_do_there_is_one_call_and_the_connection_stays_as_it_is(clock: Clock) -> None:
    wire = Wire([DONE])
    result = run(wire)
    assert (wire.done, wire.options, result["changed"], result["next"]) == (["begin"], {"ssh_extra_args": "-4"}, False, None)
    assert "warnings" not in result


def test_what_is_not_stated_does_not_reach_the_module_as_null(clock: Clock) -> None:
    wire = Wire([DONE])
    run(wire)
    assert wire.given[0]["laggs"] == [{"name": "bond1", "protocol": "failover", "members": ["eth1"], "mtu": 1400}]


def test_each_call_after_the_first_comes_over_a_new_connection_and_the_results_are_one(clock: Clock) -> None:
    wire = Wire([BEGUN, WAITED, CONFIRMED])
    result = run(wire)
    assert wire.done == ["begin", "reset", "wait", "reset", "confirm"] and clock.now == 0
    assert {key: result[key] for key in ("changed", "drift", "commands", "diff", "confirmed", "validation", "next")} == {
        "changed": True, "drift": ["bond1"], "commands": ["systemd-run x", "systemctl disable x"], "diff": [{"after": "file"}], "confirmed": ["bond1"],
        "validation": "passed", "next": None}


def test_a_second_lagg_is_made_after_the_first_was_confirmed(clock: Clock) -> None:
    second = dict(BEGUN, drift=["bond2"], confirmed=["bond1"], validation="not possible")
    wire = Wire([BEGUN, WAITED, second, WAITED, dict(CONFIRMED, confirmed=["bond2"])])
    result = run(wire)
    assert wire.done[1::2] == ["reset"] * 4 and wire.done[::2] == ["begin", "wait", "confirm", "wait", "confirm"]
    assert (result["drift"], result["confirmed"], result["validation"]) == (["bond1", "bond2"], ["bond1", "bond2"], "not possible")


def test_ssh_notices_within_half_a_minute_that_nobody_answers_and_another_transport_is_not_told(clock: Clock) -> None:
    wire = Wire([BEGUN, WAITED, CONFIRMED])
    run(wire)
    assert wire.options["ssh_extra_args"] == "-4 -o ServerAliveInterval=5 -o ServerAliveCountMax=6"
    wire = Wire([BEGUN, WAITED, CONFIRMED], transport="local")
    run(wire)
    assert wire.options["ssh_extra_args"] == "-4"


def test_a_node_that_does_not_answer_is_called_again_and_may_come_back(clock: Clock) -> None:
    wire = Wire([BEGUN, UNREACHABLE, UNREACHABLE, WAITED, CONFIRMED])
    result = run(wire)
    assert wire.done == ["begin", *["reset", "wait"] * 3, "reset", "confirm"] and clock.now == 2 * lagg.POLL_SECONDS
    assert result["confirmed"] == ["bond1"] and not result.get("failed")


def test_a_connection_that_cannot_be_reset_is_tried_again_too(clock: Clock) -> None:
    wire = Wire([BEGUN, WAITED, CONFIRMED])
    wire.connection.reset.side_effect = [UNREACHABLE, None, None]
    assert run(wire)["confirmed"] == ["bond1"] and clock.now == lagg.POLL_SECONDS


def test_a_node_that_stays_away_after_it_should_have_gone_back_fails_and_keeps_what_was_done(clock: Clock) -> None:
    wire = Wire([BEGUN, UNREACHABLE])
    result = run(wire)
    assert result["failed"] is True and result["changed"] is True and result["commands"] == ["systemd-run x"]
    assert result["msg"] == "the node cannot be reached since the change, although it should have gone back by itself: no route to host"
    assert 60 + lagg.GRACE_SECONDS <= clock.now < 60 + lagg.GRACE_SECONDS + 2 * lagg.POLL_SECONDS


def test_a_failure_of_the_first_call_is_not_tried_again(clock: Clock) -> None:
    wire = Wire([UNREACHABLE])
    with pytest.raises(AnsibleConnectionFailure):
        run(wire)
    assert wire.done == ["begin"]


def test_a_change_that_was_put_back_ends_the_run_with_the_modules_own_words(clock: Clock) -> None:
    wire = Wire([BEGUN, {"failed": True, "msg": "the change of bond1 was put back", "changed": True}])
    result = run(wire)
    assert wire.done == ["begin", "reset", "wait"]
    assert (result["failed"], result["msg"], result["drift"]) == (True, "the change of bond1 was put back", ["bond1"])


def test_what_an_earlier_run_left_to_be_put_back_is_a_warning_beside_the_modules(clock: Clock) -> None:
    result = run(Wire([dict(DONE, put_back=["bond1"], warnings=["of the module"])]))
    assert result["warnings"] == [
        "of the module", "the change of bond1 by an earlier run was put back by the node itself, because it was not reached again in time or a command failed"]
