# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of the failover drill that brings the node back: it has settled when it is level with who is active now, not with what was read before the drill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.plugins.loader import action_loader
from ansible_collections.hafirewall.cluster.tests.simulators.clock import Clock
from ansible_collections.hafirewall.cluster.tests.simulators.playbook import PLAYBOOKS, Run, Simulation


def evidence(active: bool, states: int) -> dict[str, Any]:
    """What a node says: whether it is active, and how many states it holds."""
    state = "active" if active else "standby"
    engine = {"running": True, "enabled": True, "config_current": True, "tables": {"kernel": states, "internal": states, "external": None}}
    vrrp = {"running": True, "config_current": True, "instances": [{"interface": "lan0", "id": 10, "family": "ipv4", "state": state}]}
    return {"engine": engine, "vrrp": vrrp}


class Told(Simulation):
    """Nodes that answer what they are told to, one answer after the other, the last one for ever."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__("Linux", {}, clock.sleep, clock.monotonic, folder)
        self.answers: dict[str, list[dict[str, Any]]] = {}

    def _module(self, name: str, arguments: dict[str, Any], host: str) -> dict[str, Any]:
        if name == "maintenance":
            return {"changed": True}
        answers = self.answers[host]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return {"changed": False, "evidence": found, "ansible_facts": {"hafirewall_evidence": found}}


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    # These nodes can always be reached.
    monkeypatch.setattr(action_loader.get("ansible.builtin.wait_for_connection", class_only=True), "run", lambda *_arguments, **_more: {})
    return Told(tmp_path, Clock())


def recover(told: Told) -> Run:
    """Judge both nodes, as the drill does at its beginning, and bring back fw1, which was active then."""
    plan = {"node": "fw1", "peers": ["fw2"], "platform": "linux", "state_sync": {"enabled": True}, "sync_rule": {"enabled": False},
            "virtual_ip": {"instances": [], "preempt_delay": 0}}
    known = {"failover_drill_failure": "maintenance", "failover_drill_active": "fw1", "failover_drill_devices": "lan0",
             "failover_drill_members": ["fw1", "fw2"], "failover_drill_plans": {"fw1": plan}, "failover_drill_returns": False}
    brought_back = {"ansible.builtin.include_tasks": str(PLAYBOOKS / "tasks" / "drill_recover.yml")}
    play = told.folder / "play.yml"
    play.write_text(yaml.safe_dump([
        {"hosts": "fw1:fw2", "gather_facts": False, "tasks": [{"hafirewall.cluster.node_info": {}}]},
        {"hosts": "localhost", "gather_facts": False, "vars": known, "tasks": [brought_back]},
    ]), encoding="utf-8")
    return told.play(play, {"fw1": {}, "fw2": {}})


def test_a_node_that_is_not_level_with_who_is_active_now_has_not_settled(told: Told) -> None:
    told.answers = {"fw1": [evidence(True, 1000), evidence(False, 0)], "fw2": [evidence(False, 1000), evidence(True, 1000)]}
    run = recover(told)
    assert run.status != 0
    assert "it holds 0 of the 1000 states that the active node knows" in run.failures[-1][1]


def test_where_connections_end_meanwhile_the_active_node_is_read_again(told: Told) -> None:
    told.answers = {"fw1": [evidence(True, 1000), evidence(False, 100)], "fw2": [evidence(False, 1000), evidence(True, 1000), evidence(True, 100)]}
    run = recover(told)
    assert (run.status, run.failures) == (0, [])


def test_a_node_that_is_level_is_waited_for_no_longer(told: Told) -> None:
    told.answers = {"fw1": [evidence(True, 1000), evidence(False, 990)], "fw2": [evidence(False, 1000), evidence(True, 1000)]}
    run = recover(told)
    assert (run.status, told.monotonic()) == (0, 0)
