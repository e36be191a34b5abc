# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back of LAGGs on OpenBSD, run by a real shell: whatever fails or loses its power, everything comes back."""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Callable

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_script import FOLDER
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import ifconfig
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.lagg_guard import Guard
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.shell_node import some_of
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Crashed
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.shell_node import ShellNode
from openbsd_lagg_cases import EM0, LONG, as_it_runs, call, carp_pair, clean, everything, files, lacp, lagg, level, rows, second, whole

WAN = lagg(members=["em0"])
RC_LOCAL = "#!/bin/sh\necho hello > /dev/null\nexit 0\n"


def count(node: ShellNode, wanted: dict[str, Any]) -> int:
    """How many commands a whole run has that change something, with those of the scripts."""
    seen: list[list[str]] = []
    node.host.failing = lambda words, _by_script: bool(seen.append(words))  # type: ignore[func-returns-value]
    whole(node, wanted)
    return len(seen)


def _failing(place: int, seen: list[list[str]], hit: list[list[str]], words: list[str], _by_script: bool) -> bool:
    """Whether this is the command at that place, noted in ``hit``."""
    seen.append(words)
    if len(seen) == place + 1:
        hit.append(words)
    return len(seen) == place + 1


def _cut(place: int, seen: list[list[str]], node: ShellNode, words: list[str], _by_script: bool) -> bool:
    """Take the power before the command at that place."""
    seen.append(words)
    if len(seen) == place + 1:
        node.machine.lose_power()
        raise Crashed(" ".join(words))
    return False


@pytest.mark.parametrize("wanted", [lagg(), lacp()])
def test_whatever_command_fails_everything_comes_back(booted: Callable[..., ShellNode], wanted: dict[str, Any]) -> None:
    total = count(booted(), wanted)
    for place in some_of(total):
        node = booted()
        before, hit = everything(node), []  # type: Any, list[list[str]]
        node.host.failing = functools.partial(_failing, place, [], hit)
        if not place:
            # The script that is begun is the first of all: it does not come to run.
            with pytest.raises(NodeError):
                whole(node, wanted)
            assert everything(node) == before and clean(node), hit
            continue
        with pytest.raises(NodeError, match="was put back"):
            whole(node, wanted)
        assert everything(node) == before, hit
        assert not Guard(node).armed() and node.read_text("/etc/rc.local") is None, hit
    assert total > 6


def test_a_netstart_that_says_it_is_well_and_is_not_leads_back(booted: Callable[..., ShellNode]) -> None:
    """Its status tells of nothing."""
    node = booted()
    before = everything(node)
    begun: list[bool] = []

    def failing(words: list[str], by_script: bool) -> bool:
        if by_script and words[:2] == ["sh", "/etc/netstart"] and not begun:
            begun.append(True)
            node.machine.put("/etc/hostname.trunk0", str(node.read_text("/etc/hostname.trunk0")).replace("trunkport em3", "trunkport em1"), 0o640)
        return False
    node.host.failing = failing
    call(node, lagg())
    assert node.wait_for(lambda: not Guard(node).at_work(), LONG) and Guard(node).trouble() is None
    with pytest.raises(NodeError, match=r"neither confirmed nor put back yet: trunk0\.members is \['em0', 'em1'\]"):
        call(node.again(check_mode=True), lagg())
    Guard(node).fire()
    assert node.wait_for(Guard(node).has_put_back, LONG)
    assert as_it_runs(node) == before[1]


def test_a_node_that_nobody_reaches_goes_back_by_itself(booted: Callable[..., ShellNode]) -> None:
    node = carp_pair(booted, True, 0)
    before = files(node), as_it_runs(node)
    call(node, WAN, peer_ready=True, rollback_timeout=1)
    assert node.wait_for(Guard(node).has_put_back, LONG)
    assert (files(node), as_it_runs(node)) == before and level(node) == 0
    with pytest.raises(NodeError, match=r"the change of trunk0 was put back \(the node was not reached again within 1 s\)"):
        call(node.again(), WAN, stage="confirm", rollback_timeout=1)
    assert node.wait_for(lambda: {item.state for item in ifconfig.running(node)} == {"active"}, LONG)
    again = call(node.again(), WAN, peer_ready=True)
    assert (again["put_back"], again["next"]) == (["trunk0"], "wait")
    assert call(node, WAN, stage="wait")["next"] == "confirm"


def test_what_somebody_writes_after_the_change_is_kept_beside_what_was_before(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    before = everything(node)
    call(node, lagg())
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    mine = str(node.read_text("/etc/hostname.em0")) + "# mine\n"
    node.machine.put("/etc/hostname.em0", mine, 0o640)
    Guard(node).fire()
    assert node.wait_for(Guard(node).has_put_back, LONG)
    assert node.read_text("/etc/hostname.em0") == EM0 and node.read_text("/etc/hostname.em0.not-kept") == mine
    assert as_it_runs(node) == before[1]


@pytest.mark.parametrize("rc_local", [None, RC_LOCAL])
def test_a_node_that_loses_its_power_goes_back_unless_a_run_reaches_it(booted: Callable[..., ShellNode], rc_local: str | None) -> None:
    node = booted({"rc.local": rc_local})
    before = everything(node)
    call(node, lagg(), rollback_timeout=300)
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    node.boot()
    assert "192.0.2.9/32" in rows(node)["trunk0"]["addresses"]
    # Once more, and it still watches.
    node.boot()
    assert node.wait_for(Guard(node).has_put_back, LONG)
    assert everything(node) == before


def test_a_node_that_loses_its_power_can_still_be_confirmed(booted: Callable[..., ShellNode]) -> None:
    node = booted({"rc.local": RC_LOCAL})
    call(node, lagg())
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    node.boot()
    assert call(node.again(), lagg(), stage="begin")["next"] == "confirm"
    assert call(node, lagg(), stage="confirm")["confirmed"] == ["trunk0"]
    assert node.read_text("/etc/rc.local") == RC_LOCAL
    second(node, lagg())


def test_power_that_is_lost_before_any_command_leads_back_or_was_lost_after_the_confirmation(booted: Callable[..., ShellNode]) -> None:
    total = count(booted(), lagg())
    for place in some_of(total):
        node = booted()
        before, seen = everything(node), []  # type: Any, list[list[str]]
        node.host.failing = functools.partial(_cut, place, seen, node)
        with contextlib.suppress(Crashed, NodeError):
            whole(node, lagg())
        node.host.failing = lambda words, by_script: False
        assert len(seen) > place
        watched = Guard(node).armed()
        if watched:
            (node.root / FOLDER[1:] / "timeout").write_text("10\n")  # so that nobody need wait as long as a run may
        node.boot()
        assert not watched or node.wait_for(Guard(node).has_put_back, LONG), (seen[place], watched)
        assert everything(node) == before, seen[place]
    assert total > 6


def test_a_module_that_dies_before_it_says_go_leaves_somebody_who_goes_back(booted: Callable[..., ShellNode], monkeypatch: pytest.MonkeyPatch) -> None:
    node = booted()
    before = everything(node)

    def gone(_guard: Guard) -> None:
        raise KeyboardInterrupt
    monkeypatch.setattr(Guard, "go", gone)
    with pytest.raises(KeyboardInterrupt):
        call(node, lagg(), rollback_timeout=0)
    assert Guard(node).armed() and files(node) != before[0]
    Guard(node).fire()  # as it does by itself when the time for writing is up
    assert node.wait_for(Guard(node).has_put_back, LONG)
    assert everything(node) == before


@pytest.mark.parametrize("command", ["ifconfig", "sh", "pfctl"])
def test_power_that_is_lost_on_the_way_back_leads_back_all_the_same(booted: Callable[..., ShellNode], command: str) -> None:
    node = booted()
    before = everything(node)
    call(node, lagg(), rollback_timeout=300)
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    seen: list[list[str]] = []
    node.host.failing = lambda words, by_script: by_script and words[0] == command and not seen.append(words)  # type: ignore[func-returns-value]
    Guard(node).fire()
    assert node.wait_for(lambda: bool(seen), LONG)
    node.host.failing = lambda words, by_script: False
    node.boot()
    assert node.wait_for(Guard(node).has_put_back, LONG)
    assert everything(node) == before


def test_a_lagg_without_a_file_is_no_way_back(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    node.query(["ifconfig", "trunk0", "create", "trunkproto", "failover", "trunkport", "em3", "up"])
    before = everything(node)
    with pytest.raises(NodeError, match=r"trunk0 is there now, but has no file, so there would be no way back"):
        call(node, lagg())
    assert everything(node) == before and clean(node)


def test_a_change_that_is_let_stay_by_hand_leaves_nobody_demoted(booted: Callable[..., ShellNode]) -> None:
    node = carp_pair(booted, True, 0)
    call(node, WAN, peer_ready=True)
    assert call(node, WAN, stage="wait")["next"] == "confirm" and Guard(node).demoted()
    (node.root / FOLDER[1:] / "armed").unlink()
    assert node.wait_for(lambda: not Guard(node).demoted() and node.read_text("/etc/rc.local") is None, LONG)
    assert node.wait_for(lambda: level(node) == 0, LONG) and rows(node)["trunk0"]["addresses"]


def test_a_confirmation_that_comes_too_late_is_none(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    call(node, lagg())
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    guard = Guard(node)
    guard.fire()
    assert node.wait_for(guard.has_put_back, LONG)
    assert not guard.disarm()
    with pytest.raises(NodeError, match="the change of trunk0 was put back"):
        call(node, lagg(), stage="confirm")


def test_a_prediction_says_that_an_earlier_change_is_not_over(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    call(node, lagg())
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    node.query(["ifconfig", "trunk0", "-trunkport", "em3"])
    with pytest.raises(NodeError, match="an earlier change of trunk0 is neither confirmed nor put back yet"):
        call(node.again(check_mode=True), lagg())


def test_a_lagg_that_the_kernel_does_not_run_is_made_anew_and_files_are_left_alone(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    whole(node, lagg())
    before = everything(node)
    node.query(["ifconfig", "trunk0", "-trunkport", "em3"])
    again = node.again()
    whole(again, lagg(moves=[]))
    assert everything(node) == before and again.diffs == []
