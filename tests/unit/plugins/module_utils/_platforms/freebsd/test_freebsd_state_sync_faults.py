# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State sync on simulated FreeBSD nodes that fail, lose their power, or are cut off at any command: all as it was, or the next run makes it right."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.provider import FreebsdProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import programs
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Crashed, Machine
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import FreebsdNode
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import pair as make_pair

RULES = "pass quick on em1 proto pfsync keep state (no-sync)\npass quick proto carp keep state (no-sync)\npass all\n"
ON = {"enabled": True, "interface": "em1", "address": "198.51.100.130", "network": "198.51.100.128/28", "transport": "multicast", "group": None, "port": 3780,
      "peer": None, "mode": "ftfw", "external_cache": None, "ignore_addresses": [], "refresh_interval": None, "host_id": None, "state_policy": None,
      "version": None, "coming": {}}
JOIN: Dict[str, Any] = {"transport": "unicast", "peer": "198.51.100.131", "version": 1301, "host_id": "a1"}


class Killed(BaseException):
    """Nobody is left to put anything back."""


def fail(machine: Machine) -> None:
    quiet(machine)
    raise NodeError("no luck")


def kill() -> None:
    raise Killed


def fresh(folder: Path) -> FreebsdNode:
    """A node as sync_rule leaves it, active for a virtual address."""
    node = make_pair(folder)[0]
    machine = node.machine
    machine.put("/etc/pf.conf", RULES)
    machine.put("/boot/loader.conf", 'carp_load="YES"\n')
    machine.put("/etc/rc.conf", str(machine.text("/etc/rc.conf")) + 'pf_enable="YES"\nifconfig_em0_alias0="inet vhid 1 pass secret alias 192.0.2.1/24"\n')
    machine.boot()
    machine.clock.advance(20)
    assert "MASTER" in machine.run(["ifconfig", "em0"]).stdout
    machine.commands.clear()
    return node


def running(folder: Path) -> FreebsdNode:
    """The same, with state sync on by multicast."""
    node = fresh(folder)
    sync(node)
    node.machine.clock.advance(100)
    return node


STARTS = {"a bare node": fresh, "a node in sync": running}


def sync(node: FreebsdNode, **options: Any) -> Dict[str, Any]:
    run = node.again()
    found = FreebsdProvider(run).state_sync(dict(ON, **options))
    return dict(found, commands=run.commands)


def at_change(machine: Machine, number: int, what: Callable[[], None]) -> None:
    """Let something happen in place of the changing command of this number."""
    count = itertools.count()

    def before(words: List[str]) -> None:
        if programs.changes(words) and next(count) == number:
            what()
    machine.before_command = before


def quiet(machine: Machine) -> None:
    machine.before_command = lambda words: None


def as_it_is(node: FreebsdNode) -> Tuple[object, ...]:
    machine = node.machine
    words = machine.run(["ifconfig", "pfsync0"]).stdout.split()
    shown = [word for word in words if not word.startswith(("flags", "pfsync0"))] if "syncdev:" in words else "off"
    return (machine.text("/etc/rc.conf"), machine.text("/etc/pf.conf"), shown if shown == "off" else shown[shown.index("syncdev:"):shown.index("syncok:")],
            machine.run(["sysctl", "-n", "net.pfsync.carp_demotion_factor"]).stdout or "240\n")


def changes(folder: Path, start: str) -> int:
    node = STARTS[start](folder)
    done = len(node.machine.commands)
    sync(node, **JOIN)
    return len(node.machine.changes(done))


@pytest.mark.parametrize("start", STARTS)
def test_whichever_command_fails_everything_comes_back(tmp_path: Path, start: str) -> None:
    for number in range(changes(tmp_path / "count", start)):
        node = STARTS[start](tmp_path / str(number))
        before = as_it_is(node)
        at_change(node.machine, number, functools.partial(fail, node.machine))
        with pytest.raises(NodeError, match=r"no luck .*everything was put back as it was"):
            sync(node, **JOIN)
        assert as_it_is(node) == before, number
        node.machine.clock.advance(100)
        assert node.machine.run(["sysctl", "-n", "net.inet.carp.demotion"]).stdout == "0\n", number
        if start == "a bare node":
            assert "syncdev" not in node.machine.run(["ifconfig", "pfsync0"]).stdout
        sync(node, **JOIN)
        assert sync(node, **JOIN)["commands"] == []


@pytest.mark.parametrize("start", STARTS)
def test_after_a_power_loss_at_any_command_the_next_run_makes_it_right(tmp_path: Path, start: str) -> None:
    for number in range(changes(tmp_path / "count", start)):
        node = STARTS[start](tmp_path / str(number))
        at_change(node.machine, number, node.machine.lose_power)
        with pytest.raises((Crashed, NodeError)):
            sync(node, **JOIN)
        quiet(node.machine)
        node.machine.boot()
        node.machine.clock.advance(100)
        _right(node)


@pytest.mark.parametrize("start", STARTS)
def test_after_a_kill_at_any_command_the_next_run_makes_it_right(tmp_path: Path, start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(changes(tmp_path / "count", start)):
        node = STARTS[start](tmp_path / str(number))
        at_change(node.machine, number, kill)
        with monkeypatch.context() as patch:
            patch.setattr(Node, "_roll_back", lambda self: [])
            with pytest.raises(Killed):
                sync(node, **JOIN)
        quiet(node.machine)
        _right(node)


def _right(node: FreebsdNode) -> None:
    sync(node, **JOIN)
    assert sync(node, **JOIN)["commands"] == []
    machine = node.machine
    machine.clock.advance(100)
    assert machine.run(["sysctl", "-n", "net.pfsync.carp_demotion_factor"]).stdout == "240\n"
    assert machine.run(["sysctl", "-n", "net.inet.carp.demotion"]).stdout == "0\n"
    assert as_it_is(node)[2] == ["syncdev:", "em1", "syncpeer:", "198.51.100.131", "maxupd:", "128", "defer:", "off", "version:", "1301"]
    assert machine.hostid == 0xA1
