# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_config import DUMP, RUNNING_COPY, render
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_state import addresses_on, live_instances, observe_vrrp, present
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.virtual_ip import apply
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.keepalived import CONF, UNIT, Keepalived
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SimulatedFile, SystemdNode
from ansible_collections.hafirewall.cluster.tests.simulators.virtual_ip_options import options

RECORDED = Path(__file__).resolve().parents[5] / "fixtures" / "keepalived-2.2.7"


def running() -> tuple[SystemdNode, Keepalived]:
    node = SystemdNode()
    daemon = Keepalived(node)
    apply(node, options())
    return node.again(), daemon


def recorded(name: str) -> SystemdNode:
    node = SystemdNode(files={"/proc/7/environ": "TMPDIR=/run/hafirewall\0"})
    node.says(["sh", "-c"], (RECORDED / name).read_text())
    return node


@pytest.mark.parametrize(("name", "state", "priority"), [
    ("dump-active.json", "active", 200), ("dump-standby.json", "standby", 150), ("dump-fault.json", "fault", 150)])
def test_the_daemons_recorded_answers_are_understood(name: str, state: str, priority: int) -> None:
    live = live_instances(recorded(name), 7)
    assert {name: (item.state, item.interface, item.id, item.priority) for name, item in live.items()} == {
        "lan_10_ipv4": (state, "lan0", 10, priority), "wan_20_ipv4": (state, "wan0", 20, priority),
        "lan_11_ipv6": (state, "lan0", 11, priority), "wan_21_ipv6": (state, "wan0", 21, priority)}
    assert live["lan_11_ipv6"].addresses == ["2001:db8:1::1/64"]
    assert live["lan_10_ipv4"].advert_interval == 0.1
    assert (live["lan_10_ipv4"].since or 0) > 1_700_000_000


def test_a_starting_instance_has_no_state() -> None:
    rows = json.loads((RECORDED / "dump-active.json").read_text())
    rows[0]["data"]["state"] = 0
    node = recorded("dump-active.json")
    node.says(["sh", "-c"], json.dumps({"vrrp": rows}))
    assert [item.state for item in live_instances(node, 7).values()] == [None, "active", "active", "active"]


def test_a_dump_that_is_read_half_way_is_asked_for_again() -> None:
    whole = (RECORDED / "dump-active.json").read_text()
    answers = [whole[:100], whole]
    node = recorded("dump-active.json")
    node.on(["sh", "-c"], lambda argv, stdin: Completed(0, answers.pop(0), ""))
    assert live_instances(node, 7)["lan_10_ipv4"].state == "active"
    assert node.queries[0][-2:] == ["7", DUMP]


def test_a_daemon_with_another_environment_is_not_signalled() -> None:
    node = recorded("dump-active.json")
    node.files["/proc/7/environ"] = SimulatedFile("PATH=/bin\0")
    with pytest.raises(NodeError, match="run hafirewall.cluster.virtual_ip"):
        live_instances(node, 7)
    assert node.queries == []


@pytest.mark.parametrize(("status", "reason"), [(3, "without JSON"), (4, "just ended"), (5, "within 2 s")])
def test_a_daemon_that_does_not_answer_is_an_error_with_its_reason(status: int, reason: str) -> None:
    node = recorded("dump-active.json")
    node.says(["sh", "-c"], status=status)
    with pytest.raises(NodeError, match=reason):
        live_instances(node, 7)


def test_addresses_come_from_the_kernel() -> None:
    node = SystemdNode()
    node.says(["ip", "-json"], (RECORDED / "ip-address-active.json").read_text())
    found = addresses_on(node)
    wanted = {"interface": "lan0", "addresses": ["192.0.2.1/24", "2001:DB8:1:0::1/64", "192.0.2.7/24"]}
    assert present(wanted, found) == ["192.0.2.1/24", "2001:DB8:1:0::1/64"]
    assert present(dict(wanted, interface="wan0"), found) == []
    node.says(["ip", "-json"], (RECORDED / "ip-address-none.json").read_text())
    assert present(wanted, addresses_on(node)) == []


def test_evidence_of_an_active_node() -> None:
    node, _daemon = running()
    vrrp, errors = observe_vrrp(node)
    assert errors == []
    assert {key: vrrp[key] for key in ("installed", "enabled", "running", "config_current", "since")} == {
        "installed": True, "enabled": True, "running": True, "config_current": True, "since": 1795000000.5}
    assert vrrp["instances"][0] == {
        "name": "lan0_10_ipv4", "interface": "lan0", "id": 10, "family": "ipv4", "state": "active", "priority": 200,
        "addresses": ["192.0.2.1/24"], "addresses_present": ["192.0.2.1/24"]}
    assert node.commands == [] and node.diffs == []


def test_a_dead_daemon_has_no_state_but_its_addresses_are_seen() -> None:
    node, daemon = running()
    node.units[UNIT].active, node.units[UNIT].pid, daemon.loaded = False, 0, None
    daemon.dead_addresses = {"lan0": ["192.0.2.1"]}
    vrrp, errors = observe_vrrp(node)
    assert errors == [] and vrrp["running"] is False and vrrp["config_current"] is None
    assert [item["state"] for item in vrrp["instances"]] == [None, None, None]
    assert vrrp["instances"][0]["addresses_present"] == ["192.0.2.1/24"]
    assert vrrp["since"] is None


def test_a_silent_daemon_leaves_the_state_unknown_and_says_why() -> None:
    node, daemon = running()
    daemon.silent = True
    vrrp, errors = observe_vrrp(node)
    assert [item["state"] for item in vrrp["instances"]] == [None, None, None]
    assert errors[0]["area"] == "vrrp" and "does not tell its states" in errors[0]["reason"]


def test_addresses_that_cannot_be_read_are_unknown_and_not_absent() -> None:
    node, _daemon = running()
    node.says(["ip", "-json"], status=1)
    vrrp, errors = observe_vrrp(node)
    assert [item["addresses_present"] for item in vrrp["instances"]] == [None, None, None]
    assert len(errors) == 1


def test_the_configuration_as_running_is_compared_with_the_file() -> None:
    node, _daemon = running()
    node.files[CONF] = SimulatedFile(render(options(advert_interval=2.0)))
    assert observe_vrrp(node)[0]["config_current"] is False
    del node.files[RUNNING_COPY]
    assert observe_vrrp(node)[0]["config_current"] is None


def test_a_node_without_keepalived_or_with_a_foreign_file_has_no_instances() -> None:
    vrrp, errors = observe_vrrp(SystemdNode())
    assert (vrrp["installed"], vrrp["enabled"], vrrp["running"], vrrp["instances"], errors) == (False, False, False, [], [])
    node = SystemdNode(files={CONF: "global_defs {\n}\n"})
    Keepalived(node)
    vrrp, errors = observe_vrrp(node)
    assert vrrp["instances"] == [] and "is not this collection's" in errors[0]["reason"]
