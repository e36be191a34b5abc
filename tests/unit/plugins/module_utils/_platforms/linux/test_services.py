# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""systemd units: their state from one call, and a transaction in which files come back before the units that read them."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.services import Unit, transaction
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

NAME = "thing.service"


def shown(**values: str) -> str:
    base = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled", "NeedDaemonReload": "no", "MainPID": "7"}
    return "".join("%s=%s\n" % item for item in dict(base, **values).items())


@pytest.mark.parametrize(("values", "expected"), [
    ({}, (True, True, True, False, False, 7)),
    ({"LoadState": "not-found", "ActiveState": "inactive", "UnitFileState": "", "MainPID": "0"}, (False, False, False, False, False, 0)),
    ({"LoadState": "masked", "ActiveState": "inactive", "UnitFileState": "masked"}, (True, False, False, True, False, 7)),
    ({"UnitFileState": "masked-runtime"}, (True, True, False, True, False, 7)),
    ({"ActiveState": "activating", "SubState": "auto-restart", "UnitFileState": "disabled"}, (True, False, False, False, False, 7)),
    ({"ActiveState": "reloading", "UnitFileState": "static", "NeedDaemonReload": "yes"}, (True, True, True, False, True, 7)),
])
def test_state_is_read_in_one_call(values: dict, expected: tuple) -> None:
    node = SystemdNode()
    node.says(["systemctl", "show"], shown(**values))
    state = Unit(node, NAME).state()
    assert (state.loaded, state.active, state.enabled, state.masked, state.needs_reload, state.pid) == expected
    assert len(node.queries) == 1
    assert state.detail == "%s/%s" % (values.get("ActiveState", "active"), values.get("SubState", "running"))


def test_a_unit_that_fails_to_start_brings_its_journal_along() -> None:
    node = SystemdNode()
    node.unit(NAME)
    node.failing = [("restart", NAME)]
    with pytest.raises(NodeError, match="simulated journal of the unit"):
        Unit(node, NAME).restart()


def test_files_are_back_before_the_unit_starts_again() -> None:
    node = SystemdNode(files={"/etc/thing": "good"})
    seen = []
    entry = node.unit(NAME, active=True, enabled=True)

    def start(machine: SystemdNode) -> None:
        seen.append(machine.text("/etc/thing"))
        if seen[-1] == "bad":
            raise NodeError("refused")

    entry.on_start = start
    unit = Unit(node, NAME)
    with pytest.raises(NodeError, match="everything was put back"), transaction(node, unit):
        node.write_text("/etc/thing", "bad")
        unit.restart()
    assert seen == ["bad", "good"]
    assert entry.active and node.text("/etc/thing") == "good"
    # systemd has read the old drop-ins again before the unit starts with them.
    assert node.commands[-3:] == ["systemctl daemon-reload", "systemctl reset-failed thing.service", "systemctl restart thing.service"]


def test_an_untouched_unit_is_not_restarted_and_an_early_failure_runs_nothing() -> None:
    node = SystemdNode()
    entry = node.unit(NAME, active=True, enabled=True)
    with pytest.raises(NodeError), transaction(node, Unit(node, NAME)):
        raise NodeError("found out before anything was done")
    assert (node.commands, entry.stops) == ([], 0)
    with pytest.raises(NodeError), transaction(node, Unit(node, NAME)):
        node.write_text("/etc/thing", "bad")
        raise NodeError("before the unit was touched")
    assert (node.commands, entry.stops) == (["systemctl daemon-reload"], 0)


@pytest.mark.parametrize("before", [(False, False, False), (True, True, False), (False, True, False), (False, False, True)])
def test_whatever_the_unit_was_comes_back(before: tuple) -> None:
    node = SystemdNode()
    entry = node.unit(NAME, active=before[0], enabled=before[1], masked=before[2])
    unit = Unit(node, NAME)
    with pytest.raises(NodeError), transaction(node, unit):
        unit.unmask()
        unit.enable()
        unit.restart()
        raise NodeError("too late")
    assert (entry.active, entry.masked) == (before[0], before[2])
    assert before[2] or entry.enabled == before[1]


def test_what_cannot_be_brought_back_is_said() -> None:
    node = SystemdNode()
    node.unit(NAME, active=True)
    unit = Unit(node, NAME)
    with pytest.raises(NodeError, match="bringing services back failed"), transaction(node, unit):
        node.failing = [("restart", NAME)]
        unit.restart()
