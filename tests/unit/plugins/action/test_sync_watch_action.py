# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action sync_watch: captures are read on the controller and touch no node, senders are named, and the module gets what is its own."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
import yaml
from ansible.errors import AnsibleActionFail
from ansible.playbook.task import Task
from ansible_collections.hafirewall.cluster.plugins.action import sync_watch

COLLECTIONS = str(Path(sync_watch.__file__).absolute()).partition("/ansible_collections/")[0]
CAPTURES = Path(__file__).resolve().parents[3] / "fixtures" / "pfsync-freebsd-14.2"
STATES = "51-v1301-A-tcp-insert-update-compressed-B-still-1400.pcap"
SEEN = {"changed": False, "commands": [], "interface": "sync0", "seconds": 1.0, "packets": 2, "truncated": False,
        "senders": [{"address": "198.51.100.130", "packets": 1}, {"address": "198.51.100.140", "packets": 1}]}
NODES: dict[str, Any] = {
    "all": {
        # A task that used the connection would be unreachable.
        "vars": {"ansible_connection": "ssh", "ansible_ssh_executable": "/bin/false", "ansible_python_interpreter": "/bin/false",
                 "hafirewall_cluster": {"name": "edge", "sync": {"interface": "sync", "network": "10.255.0.0/29"}}},
        "hosts": {
            "fw1": {"hafirewall_node": {"role": "primary", "interfaces": {"sync": {"device": "em1", "address": "10.255.0.1/29"}}}},
            "fw2": {"hafirewall_node": {"role": "secondary", "interfaces": {"sync": {"device": "em1", "address": "10.255.0.6/29"}}}},
        }}}
PLAY = """
- hosts: fw1
  gather_facts: false
  tasks:
    - hafirewall.cluster.sync_watch:
        pcap: "{{ item }}"
      loop: "{{ captures }}"
      register: watched
    - ansible.builtin.debug:
        msg: "RESULT {{ watched.results | to_json | b64encode }} END"
"""


def run(answer: dict[str, Any] | None = None, variables: dict[str, Any] | None = None, **arguments: Any) -> tuple[dict[str, Any], MagicMock]:
    """The action's result on a host with these variables, and the double of its call of the module."""
    task = MagicMock(spec=Task, action="hafirewall.cluster.sync_watch", args=arguments, async_val=0, check_mode=False, diff=False, delegate_to=None)
    task._uuid = "one task"
    action = sync_watch.ActionModule(task=task, connection=MagicMock(), play_context=SimpleNamespace(check_mode=False), loader=MagicMock(path_dwim=str),
                                     templar=MagicMock(), shared_loader_obj=MagicMock())
    action._execute_module = MagicMock(return_value=answer)
    return action.run(task_vars={"inventory_hostname": "fw1", **(variables or {})}), action._execute_module


def test_every_capture_is_read_on_the_controller_with_its_numbers_and_no_node_is_touched(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(NODES), encoding="utf-8")
    (tmp_path / "play.yml").write_text(PLAY, encoding="utf-8")
    listed = [line.split("\t") for line in (CAPTURES / "PCAPS.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    (tmp_path / "extra.json").write_text(json.dumps({"captures": [str(CAPTURES / line[0]) for line in listed]}), encoding="utf-8")
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    done = subprocess.run([str(Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts.yml", "-e", "@extra.json", "play.yml"], cwd=tmp_path,
                          capture_output=True, text=True, check=False, env={**clean, "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS, "ANSIBLE_NOCOLOR": "1",
                                                                            "ANSIBLE_HOME": str(tmp_path), "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp")})
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    found = re.search(r"RESULT (\S+) END", done.stdout)
    assert found is not None
    results = json.loads(base64.b64decode(found[1]))
    for (name, packets, others, messages), result in zip(listed, results):
        total: Counter[str] = Counter()
        for sender in result["senders"]:
            total.update(sender["messages"])
        assert " ".join(f"{kind}={count}" for kind, count in sorted(total.items())) == messages, name
        assert result["packets"] == int(packets) - int(others) and not result["truncated"], name
    named = next(result for line, result in zip(listed, results) if line[0] == STATES)
    assert [(row["address"], row["member"]) for row in named["senders"]] == [("10.255.0.1", "fw1"), ("10.255.0.2", None)]
    assert named["strangers"] == ["10.255.0.2"]


def test_members_are_those_that_are_stated() -> None:
    result, module = run(pcap=str(CAPTURES / STATES), members={"a": ["10.255.0.1"], "b": "10.255.0.2/29"})
    assert [(row["member"], row["version"], row["formats"]) for row in result["senders"]] == [("a", 5, [1301]), ("b", 5, [])]
    assert result["strangers"] == [] and result["changed"] is False and not module.called


def test_without_members_nobody_is_called_a_stranger() -> None:
    result, _module = run(pcap=str(CAPTURES / STATES))
    assert result["strangers"] is None and {row["member"] for row in result["senders"]} == {None} and result["warnings"] == []


def test_an_intent_that_names_no_members_is_a_warning() -> None:
    hosts = MagicMock()
    hosts.__getitem__.side_effect = lambda host: {"hafirewall_cluster": {"name": "edge"}}
    hosts.raw_get.side_effect = lambda host: {"hafirewall_cluster": {"name": "edge"}}
    result, _module = run(SEEN, {"hafirewall_cluster": {"name": "edge"}, "hostvars": hosts, "groups": {"all": ["fw1"]}})
    assert result["strangers"] is None and "who of the senders is a member is not known" in result["warnings"][0]


def test_the_module_gets_its_own_options_and_its_senders_are_named() -> None:
    result, module = run(SEEN, members={"fw2": ["198.51.100.130"]}, seconds=3, sync_interface="sync0")
    assert module.call_args.kwargs["module_args"] == {"seconds": 3, "sync_interface": "sync0"}
    assert [row["member"] for row in result["senders"]] == ["fw2", None] and result["strangers"] == ["198.51.100.140"]


def test_a_module_that_fails_fails() -> None:
    failed = {"failed": True, "msg": "cannot listen"}
    assert run(failed, members={})[0] == failed


def test_a_capture_that_ends_early_tells_what_it_has_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes((CAPTURES / STATES).read_bytes()[:-7])
    result, _module = run(pcap=str(path), members={})
    assert result["truncated"] is True and result["packets"] == 17
    assert "cut.pcap" in result["warnings"][0] and "ends within frame 18" in result["warnings"][0]


def test_no_more_packets_are_read_than_asked_for() -> None:
    result, _module = run(pcap=str(CAPTURES / "c4-STORM-unflagged-pfsync-state.pcap"), packets=10)
    assert (result["packets"], result["truncated"]) == (10, True)


@pytest.mark.parametrize(("arguments", "said"), [
    ({"pcap": "/no/such.pcap"}, "pcap: cannot read /no/such.pcap: No such file"), ({"pcap": str(CAPTURES)}, "pcap: cannot read .*: Is a directory"),
    ({"pcap": str(CAPTURES / "PCAPS.tsv")}, "PCAPS.tsv: The file is no capture in pcap form"), ({"seconds": 0}, "seconds: is 0; choose more than 0"),
    ({"seconds": 601}, "seconds: is 601"), ({"packets": 0}, "packets: is 0; choose at least 1"), ({"members": {"fw1": ["sync0"]}}, "members.fw1: 'sync0'"),
    ({"members": {"fw1": 7}}, "members.fw1: .* give a list"), ({"member": {}}, "member"),
])
def test_what_cannot_be_is_refused_with_its_place_and_remedy(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(AnsibleActionFail, match=said):
        run(SEEN, **arguments)
