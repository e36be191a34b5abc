# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action check: evidence comes from the facts of every member, and only malformed options fail the task."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.playbook.task import Task
from ansible_collections.hafirewall.cluster.plugins.action import check
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks import CHECKS
from ansible_collections.hafirewall.cluster.tests.simulators.hostvars import HostVars


def plan(node):
    return {"cluster": "edge", "node": node, "platform": "linux", "members": ["fw1", "fw2"], "virtual_ip": {"instances": []},
            "state_sync": {"enabled": True, "interface": "sync0", "address": "198.51.100.129", "network": "198.51.100.128/28"}}


def run(arguments, hostvars):
    task = MagicMock(spec=Task, action="hafirewall.cluster.check", args=arguments, async_val=0, check_mode=False, diff=False, delegate_to=None)
    templar = MagicMock()
    action = check.ActionModule(task=task, connection=MagicMock(), play_context=SimpleNamespace(check_mode=False), loader=MagicMock(), templar=templar,
                                shared_loader_obj=MagicMock())
    action._execute_module = MagicMock(side_effect=AssertionError("a node was touched"))
    return action.run(task_vars={"hostvars": HostVars(hostvars)})


def running(value):
    return {"engine": {"running": value}}


PLANS = {"fw1": plan("fw1"), "fw2": plan("fw2")}


def statuses(result, name):
    return {item["node"]: item["status"] for item in result["checks"] if item["id"] == name}


def test_evidence_is_the_fact_of_each_member_and_a_host_nobody_has_read_is_unknown():
    result = run({"plans": PLANS}, {"fw1": {"ansible_facts": {"hafirewall_evidence": running(True)}}})
    assert statuses(result, "engine_running") == {"fw1": "pass", "fw2": "error"}
    assert result["changed"] is False
    assert "failed" not in result


def test_the_fact_wins_over_a_variable_of_the_same_name():
    hostvars = {"fw1": {"ansible_facts": {"hafirewall_evidence": running(False)}, "hafirewall_evidence": running(True)},
                "fw2": {"ansible_facts": {}, "hafirewall_evidence": running(True)}}
    assert statuses(run({"plans": PLANS}, hostvars), "engine_running") == {"fw1": "fail", "fw2": "pass"}


def test_counts_and_failed_checks_belong_to_the_checks():
    result = run({"plans": PLANS}, {})
    assert {item["id"] for item in result["checks"]} == set(CHECKS)
    assert sum(result["counts"].values()) == len(result["checks"])
    assert result["failed_checks"] == [item for item in result["checks"] if item["status"] in ("fail", "error")]
    assert result["counts"]["error"] + result["counts"]["fail"] == len(result["failed_checks"]) > 0


def test_what_the_probe_found_is_judged_against_the_number_made():
    observed = {"fw1": {"2": 60}, "fw2": {"1": 59}}
    assert statuses(run({"plans": PLANS, "observed": observed, "probe_count": 60}, {}), "states_travel") == {"fw1": "pass", "fw2": "fail"}
    assert statuses(run({"plans": PLANS, "observed": observed}, {}), "states_travel") == {"fw1": "pass", "fw2": "pass"}


@pytest.mark.parametrize(("arguments", "message"), [
    ({}, "plans"), ({"plans": {}}, "plans: there is no plan"), ({"plans": {"fw1": plan("fw1")}}, "no plan for fw2"),
    ({"plans": {"fw1": {"cluster": "edge"}, "fw2": plan("fw2")}}, r"plans\.fw1: .* lacks members, platform, state_sync, virtual_ip"),
    ({"plans": {"fw1": None}}, r"plans\.fw1"), ({"plans": PLANS, "probe_count": 0}, "probe_count"), ({"plans": PLANS, "unknown": 1}, "unknown"),
])
def test_malformed_options_are_refused_with_their_name(arguments, message):
    with pytest.raises((AnsibleActionFail, AnsibleError), match=message):
        run(arguments, {})
