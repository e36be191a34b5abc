# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_config import (
    AFTER_STOP,
    DROP_IN,
    MAINTENANCE,
    ON_TRANSITION,
    RUNNING_COPY,
    VRRP_STATE,
    render,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.virtual_ip import apply
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.keepalived import CONF, UNIT, Keepalived
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SimulatedFile, SystemdNode
from ansible_collections.hafirewall.cluster.tests.simulators.virtual_ip_options import instance, instances, options


def fresh(check_mode: bool = False) -> tuple[SystemdNode, Keepalived]:
    node = SystemdNode(check_mode=check_mode)
    return node, Keepalived(node)


def running(**changes: Any) -> tuple[SystemdNode, Keepalived]:
    node, daemon = fresh()
    apply(node, options(**changes))
    return node.again(), daemon


def settings(result: Any) -> list[str]:
    return sorted(item["setting"] for item in result["drift"])


def test_a_fresh_node_gets_its_files_and_runs() -> None:
    node, daemon = fresh()
    result = apply(node, options())
    assert node.commands == ["systemctl daemon-reload", "systemctl start keepalived.service"]
    assert node.text(CONF) == render(options()) == node.text(RUNNING_COPY) == daemon.tested[0]
    assert {path: node.files[path].mode for path in (CONF, DROP_IN, ON_TRANSITION, AFTER_STOP, MAINTENANCE)} == {
        CONF: 0o640, DROP_IN: 0o644, ON_TRANSITION: 0o755, AFTER_STOP: 0o755, MAINTENANCE: 0o644}
    assert node.text(MAINTENANCE) == "0\n" and node.text(VRRP_STATE).startswith("active ")
    assert result["validation"] == "passed" and "running" in settings(result)
    assert node.diffs[-1]["after_header"] == CONF


def test_a_second_run_does_nothing_at_all() -> None:
    node, daemon = running()
    before, tested = node.snapshot(), list(daemon.tested)
    result = apply(node, options())
    assert (result, node.commands, node.diffs) == ({"drift": [], "validation": "not needed"}, [], [])
    assert node.snapshot() == before and daemon.tested == tested


def test_vrrp_has_no_password() -> None:
    node, _daemon = fresh()
    with pytest.raises(NodeError, match="password: VRRP version 3 has no authentication; leave the option out"):
        apply(node, options(password="secret"))
    assert not node.changed


@pytest.mark.parametrize("prepare", ["fresh", "stopped", "disabled", "masked", "changed", "stale copy", "foreign file"])
def test_check_mode_predicts_what_a_run_does(prepare: str) -> None:
    accounts = []
    for check_mode in (True, False):
        if prepare == "fresh":
            node, _daemon = fresh()
        elif prepare == "foreign file":
            node, _daemon = fresh()
            node.files[CONF] = SimulatedFile("global_defs {\n}\n", 0o644)
        else:
            node, _daemon = running()
            break_it(node, prepare)
        node = node.again(check_mode=check_mode)
        before, reloads = node.snapshot(), node.units[UNIT].reloads
        result = apply(node, options())
        assert ((node.snapshot(), node.units[UNIT].reloads) == (before, reloads)) is check_mode
        accounts.append((result, node.commands, node.diffs))
    assert accounts[0] == accounts[1]
    assert accounts[0][0]["drift"]


def break_it(node: SystemdNode, how: str) -> None:
    unit = node.units[UNIT]
    if how == "stopped":
        unit.active = False
    elif how == "disabled":
        unit.enabled = False
    elif how == "masked":
        unit.active, unit.masked = False, True
    elif how == "changed":
        node.files[CONF] = SimulatedFile(node.text(CONF).replace("priority 200", "priority 199"), 0o640)
    elif how == "stale copy":
        node.files[RUNNING_COPY] = SimulatedFile("older")


@pytest.mark.parametrize(("how", "setting", "commands"), [
    ("stopped", "running", ["systemctl start keepalived.service"]),
    ("disabled", "enabled at boot", ["systemctl enable keepalived.service"]),
    ("masked", "masked", ["systemctl unmask keepalived.service", "systemctl enable keepalived.service", "systemctl start keepalived.service"]),
    ("changed", "lan0_10_ipv4.priority", []),  # the daemon still runs what is wanted: only the file comes back
    ("stale copy", "configuration as running", ["systemctl reload keepalived.service"]),
])
def test_what_somebody_broke_is_drift_and_is_healed(how: str, setting: str, commands: list[str]) -> None:
    node, _daemon = running()
    break_it(node, how)
    result = apply(node, options())
    assert setting in settings(result)
    assert node.commands == commands
    node = node.again()
    assert apply(node, options())["drift"] == [] and node.units[UNIT].active


def test_a_change_reloads_and_does_not_restart() -> None:
    node, daemon = running()
    result = apply(node, options(advert_interval=0.1))
    assert node.commands == ["systemctl reload keepalived.service"]
    assert result["drift"] == [{"setting": "advert_interval", "is": 1.0, "wanted": 0.1}]
    assert daemon.loaded is not None and daemon.loaded["advert_interval"] == 0.1
    assert node.units[UNIT].starts == 1 and node.text(RUNNING_COPY) == node.text(CONF)


def test_a_daemon_that_was_started_without_the_drop_in_is_restarted() -> None:
    node, _daemon = fresh()
    node.files[CONF] = SimulatedFile("global_defs {\n}\n")
    node.units[UNIT].active, node.units[UNIT].pid = True, 50
    apply(node, options())
    assert node.commands == ["systemctl daemon-reload", "systemctl restart keepalived.service"]


def test_a_foreign_configuration_is_kept_once() -> None:
    node, _daemon = fresh()
    node.files[CONF] = SimulatedFile("mine\n", 0o644)
    apply(node, options())
    assert node.files[CONF + ".before-hafirewall"] == SimulatedFile("mine\n", 0o600)
    node = node.again()
    node.files[CONF] = SimulatedFile("mine too\n", 0o644)
    apply(node, options())
    assert node.text(CONF + ".before-hafirewall") == "mine\n" and node.text(CONF) == render(options())


def test_maintenance_is_never_changed() -> None:
    node, _daemon = fresh()
    node.files[MAINTENANCE] = SimulatedFile("1\n")
    apply(node, options())
    assert node.text(MAINTENANCE) == "1\n" and node.text(VRRP_STATE).startswith("fault ")


@pytest.mark.parametrize("check_mode", [True, False])
def test_any_word_of_keepalived_about_the_configuration_is_an_error_that_shows_it(check_mode: bool) -> None:
    node, daemon = running()
    node, before = node.again(check_mode=check_mode), node.snapshot()
    daemon.complaint = "(Line 7) Unknown keyword 'bogus'"
    with pytest.raises(NodeError, match="Unknown keyword 'bogus'.*nothing was changed"):
        apply(node, options(advert_interval=0.1))
    assert node.snapshot() == before and node.commands == [] and node.diffs == []


def test_a_device_that_is_made_earlier_in_the_run_may_be_absent_in_check_mode_only() -> None:
    node, daemon = running()
    daemon.complaint = "interface bond1 for vrrp_instance lan0_10_ipv4 doesn't exist"
    wanted = options(instances=[instance("bond1")], coming={"bond1": "eth1"})
    assert apply(node.again(check_mode=True), wanted)["validation"] == "not possible yet: bond1 is not there"
    with pytest.raises(NodeError, match="bond1"):
        apply(node.again(), wanted)


def test_a_warning_with_status_0_is_an_error_too() -> None:
    node, _daemon = fresh()
    node.says(["sh", "-c"], stdout="not a regular non-executable file - skipping\n", status=0)
    with pytest.raises(NodeError, match="skipping"):
        apply(node, options())


@pytest.mark.parametrize("line", ["0 50 2775 /usr/local", "0 0 777 /usr/local/lib", "1000 0 755 /usr/local/lib"])
def test_a_folder_that_others_can_write_is_an_error_because_the_hooks_would_not_run(line: str) -> None:
    node, daemon = fresh()
    daemon.folders.append(line)
    with pytest.raises(NodeError, match="would not run its hooks.*chmod go-w"):
        apply(node, options())
    assert node.commands == []


def test_a_missing_package_is_an_error_but_in_check_mode_the_rest_is_predicted() -> None:
    node = SystemdNode()
    with pytest.raises(NodeError, match="package keepalived is not installed.*apt-get install keepalived"):
        apply(node, options())
    node = node.again(check_mode=True)
    result = apply(node, options())
    assert result["validation"] == "not possible yet: package keepalived is not installed"
    predicted = (result["drift"], node.commands, node.diffs)
    node = node.again()
    Keepalived(node)
    assert (apply(node, options())["drift"], node.commands, node.diffs) == predicted


def test_a_full_disk_leaves_what_was() -> None:
    node, _daemon = running()
    before = node.snapshot()
    node.full_disks = ["/etc/keepalived/"]
    with pytest.raises(NodeError, match="No space left"):
        apply(node, options(advert_interval=0.1))
    assert node.snapshot() == before and node.units[UNIT].starts == 1
    node.full_disks = []
    node = node.again()
    apply(node, options(advert_interval=0.1))
    assert "advert_int 0.1\n" in node.text(CONF)


def test_a_failed_reload_brings_the_old_configuration_back_and_running() -> None:
    node, daemon = running()
    before = node.snapshot()
    node.failing = [("reload", UNIT)]
    with pytest.raises(NodeError, match="everything was put back"):
        apply(node, options(advert_interval=0.1))
    assert node.snapshot() == before
    assert daemon.loaded is not None and daemon.loaded["advert_interval"] == 1.0


@pytest.mark.parametrize(("trouble", "reason"), [
    ("silent", "does not tell its states"), ("old settings", "other settings for lan0_10_ipv4"), ("no hook", "does not run")])
def test_a_daemon_that_does_not_get_ready_is_an_error_and_undone(trouble: str, reason: str) -> None:
    node, daemon = running()
    before, unit = node.snapshot(), node.units[UNIT]
    if trouble == "silent":
        daemon.silent = True
    elif trouble == "old settings":
        unit.on_reload = lambda _node: None
    else:
        unit.on_reload = lambda _node: (daemon._load(_node), node.files.pop(VRRP_STATE))
    with pytest.raises(NodeError, match=reason):
        apply(node, options(instances=instances(priority=100)))
    assert node.snapshot() == before


def test_modes_are_healed_without_touching_the_service() -> None:
    node, _daemon = running()
    node.files[CONF] = SimulatedFile(node.text(CONF), 0o666)
    result = apply(node, options())
    assert node.files[CONF].mode == 0o640 and node.commands == [] and settings(result) == ["permissions of " + CONF]


def test_a_changed_hook_is_written_without_touching_the_service() -> None:
    node, _daemon = running()
    node.files[ON_TRANSITION] = SimulatedFile("#!/bin/sh\n", 0o755)
    result = apply(node, options())
    assert settings(result) == [ON_TRANSITION] and node.commands == []


@pytest.mark.parametrize("check_mode", [True, False])
def test_no_instances_takes_everything_away_that_is_ours(check_mode: bool) -> None:
    node, _daemon = running()
    node = node.again(check_mode=check_mode)
    before = node.snapshot()
    result = apply(node, options(instances=[]))
    assert node.commands == ["systemctl stop keepalived.service", "systemctl disable keepalived.service", "systemctl daemon-reload"]
    assert "running" in settings(result)
    if check_mode:
        assert node.snapshot() == before
        return
    assert not {CONF, DROP_IN, ON_TRANSITION, AFTER_STOP} & set(node.files)
    assert not node.units[UNIT].active and not node.units[UNIT].enabled and node.text(VRRP_STATE).startswith("stopped ")
    node = node.again()
    assert apply(node, options(instances=[]))["drift"] == [] and node.commands == []


def test_no_instances_leaves_a_foreign_service_alone() -> None:
    node, _daemon = fresh()
    node.files[CONF] = SimulatedFile("mine\n")
    node.units[UNIT].active = True
    before = node.snapshot()
    assert apply(node, options(instances=[]))["drift"] == []
    assert node.snapshot() == before and node.commands == []
