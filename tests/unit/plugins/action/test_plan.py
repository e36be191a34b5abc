# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan action in real plays: no node is touched, the limit does not matter, and everything wrong is said at once.

The nodes' connection is a program that always fails, so a task that used it would be unreachable.
"""

from __future__ import annotations

import base64
import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hafirewall.cluster.plugins.action import plan as plan_action

COLLECTIONS = str(Path(plan_action.__file__).absolute()).partition("/ansible_collections/")[0]
INTENT: dict[str, Any] = {
    "all": {"vars": {"sync_port": 3790, "ansible_connection": "ssh", "ansible_ssh_executable": "/bin/false", "ansible_python_interpreter": "/bin/false"}},
    "edge": {
        "vars": {"hafirewall_cluster": {
            "name": "{{ 'ed' ~ 'ge' }}", "sync": {"interface": "sync", "network": "198.51.100.128/28", "port": "{{ sync_port }}"},
            "virtual_ips": [{"interface": "lan", "address": "192.0.2.1/24", "id": 10}]}},
        "hosts": {
            "fw1": {"hafirewall_node": {"role": "primary", "interfaces": {"lan": "lan0", "sync": {"device": "sync0", "address": "198.51.100.130/28"}}}},
            "fw2": {"hafirewall_node": {"role": "secondary", "interfaces": {"lan": "{{ 'lan' }}0",
                                                                            "sync": {"device": "sync0", "address": "198.51.100.131/28"}}}},
        },
    },
    "core": {
        "vars": {"hafirewall_cluster": {"name": "core", "state_sync": False}},
        "hosts": {"core1": {"hafirewall_node": {"role": "primary", "interfaces": {}}}, "core2": {"hafirewall_node": {"role": "secondary", "interfaces": {}}}},
    },
    "others": {"hosts": {"client": {}}},
}
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Facts as a module returns them
      ansible.builtin.set_fact:
        hafirewall_evidence: "{{ found }}"
        cacheable: true
      when: found is defined
    - name: Plan
      hafirewall.cluster.plan:
      register: planned
      ignore_errors: true
    - name: Tell
      ansible.builtin.debug:
        msg: "RESULT {{ inventory_hostname }} {{ planned | to_json | b64encode }} END"
"""


def play(folder: Path, intent: dict[str, Any], *options: str, tasks: str = PLAY) -> tuple[dict[str, dict[str, Any]], str]:
    """Run the play; the registered result of each host, and all that was printed."""
    (folder / "hosts.yml").write_text(yaml.safe_dump(intent, sort_keys=False))
    (folder / "play.yml").write_text(tasks)
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    environment = {**clean, "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS, "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"), "ANSIBLE_NOCOLOR": "1",
                   "ANSIBLE_HOME": str(folder)}
    command = [sys.executable, "-m", "ansible", "playbook", "-i", "hosts.yml", "play.yml", *options]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
    told = re.findall(r"RESULT (\S+) (\S+) END", done.stdout)
    return {host: json.loads(base64.b64decode(text)) for host, text in told}, done.stdout + done.stderr


def test_every_cluster_of_an_inventory_is_planned_in_one_task(tmp_path: Path) -> None:
    results, output = play(tmp_path, INTENT, "--limit", "edge:core", "--check")
    assert sorted(results) == ["core1", "core2", "fw1", "fw2"], output
    assert "unreachable=0" in output and "unreachable=1" not in output
    for host, result in results.items():
        assert result["changed"] is False and result["failed"] is False, output
        assert result["plan"] == result["plans"][host] and list(result["plans"]) == result["plan"]["members"]
        assert result["primaries"] == [result["plan"]["members"][0]]
    # Templates were evaluated, numbers stayed numbers.
    assert results["fw1"]["plan"]["cluster"] == "edge" and results["fw2"]["plan"]["sync_rule"]["port"] == 3790
    assert results["fw2"]["plan"]["virtual_ip"]["instances"][0]["interface"] == "lan0"
    assert results["core1"]["plan"]["state_sync"]["enabled"] is False
    assert results["core1"]["warnings"] == results["core1"]["plan"]["warnings"] != []
    assert "a failover loses every connection" in output and "[WARNING]" in output
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_limit_does_not_matter_and_evidence_is_used(tmp_path: Path) -> None:
    intent = copy.deepcopy(INTENT)
    for number, host in enumerate(("fw1", "fw2"), 2):
        intent["edge"]["hosts"][host]["found"] = {
            "platform": "linux", "packages": {"keepalived": None}, "interfaces": [
                {"name": "lan0", "addresses": [f"192.0.2.{number}/24"]}, {"name": "sync0", "addresses": [f"198.51.100.{number + 128}/28"]}]}
    both, output = play(tmp_path, intent, "--limit", "edge")
    assert both["fw1"]["plan"]["sync_rule"]["vrrp"][0]["sources"] == ["192.0.2.3"], output
    assert both["fw1"]["plan"]["missing_packages"]["virtual_ip"] == ["keepalived"] and "warnings" not in both["fw1"]
    one, output = play(tmp_path, intent, "--limit", "fw2")
    assert list(one) == ["fw2"] and one["fw2"]["plan"]["members"] == ["fw1", "fw2"] and one["fw2"]["plan"]["apply_order"] == ["fw2", "fw1"], output
    # Of the node that the limit leaves out, only the intent is known.
    assert one["fw2"]["plan"]["virtual_ip"]["instances"][0]["source"] == "192.0.2.3"
    assert one["fw2"]["plan"]["sync_rule"]["vrrp"][0]["sources"] == ["192.0.2.0/24"]


def test_all_errors_at_once_on_every_member(tmp_path: Path) -> None:
    intent = copy.deepcopy(INTENT)
    intent["edge"]["vars"]["hafirewall_cluster"]["virtual_ips"][0]["id"] = 300
    intent["edge"]["vars"]["hafirewall_cluster"]["sync"]["trnsport"] = "unicast"
    intent["edge"]["hosts"]["fw2"]["hafirewall_node"]["interfaces"]["sync"]["address"] = "198.51.100.130/28"
    results, output = play(tmp_path, intent, "--limit", "edge")
    for host in ("fw1", "fw2"):
        result = results[host]
        assert result["failed"] is True and result["changed"] is False and "plan" not in result
        assert [(one["path"], one["host"]) for one in result["errors"]] == [
            ("hafirewall_cluster.sync.trnsport", None), ("hafirewall_cluster.virtual_ips[0].id", None), ("hafirewall_node.interfaces.sync.address", "fw2")]
        assert result["msg"].splitlines() == [f"{_where(one)}: {one['problem']}; {one['remedy']}" for one in result["errors"]]
        assert "did you mean transport?" in result["msg"]
    assert "failed=0" in output and "unreachable=1" not in output


def _where(error: dict[str, Any]) -> str:
    return error["path"] if error["host"] is None else f"{error['path']} ({error['host']})"


def test_differing_values_and_values_that_cannot_be_evaluated(tmp_path: Path) -> None:
    intent = copy.deepcopy(INTENT)
    other = copy.deepcopy(intent["edge"]["vars"]["hafirewall_cluster"])
    other["sync"]["port"] = 3781
    intent["edge"]["hosts"]["fw2"]["hafirewall_cluster"] = other
    intent["core"]["hosts"]["core2"]["hafirewall_node"] = "{{ nowhere }}"
    results, output = play(tmp_path, intent)
    for host in ("fw1", "fw2"):
        [error] = results[host]["errors"]
        assert (error["path"], error["host"]) == ("hafirewall_cluster.sync.port", "fw2"), output
        assert error["problem"] == "differs from fw1: fw1 has 3790, fw2 has 3781"
    [error] = results["core1"]["errors"]
    assert (error["path"], error["host"]) == ("hafirewall_node",
                                              "core2") and "'nowhere' is undefined" in error["problem"] and "define every variable" in error["remedy"]
    [error] = results["client"]["errors"]
    assert error["path"] == "hafirewall_cluster" and "no variable of this host in the inventory" in error["problem"]


def test_a_member_of_unknown_cluster_stops_planning(tmp_path: Path) -> None:
    intent = copy.deepcopy(INTENT)
    intent["others"]["hosts"]["client"] = {"hafirewall_cluster": {"name": "{{ nowhere }}"}}
    results, output = play(tmp_path, intent, "--limit", "fw1")
    [error] = results["fw1"]["errors"]
    assert (error["path"], error["host"]) == ("hafirewall_cluster.name", "client") and "which cluster the host belongs to" in error["problem"], output


@pytest.mark.parametrize("option", ["cluster: edge", "free form"])
def test_there_are_no_options(tmp_path: Path, option: str) -> None:
    tasks = PLAY.replace("hafirewall.cluster.plan:", f"hafirewall.cluster.plan:\n        {option}") if ":" in option else PLAY.replace(
        "hafirewall.cluster.plan:", f"hafirewall.cluster.plan: {option}")
    results, output = play(tmp_path, INTENT, "--limit", "fw1", tasks=tasks)
    assert "fw1" not in results or results["fw1"]["failed"] is True, output
