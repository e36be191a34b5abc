# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back of LAGGs, run by a real shell on each system: whatever loses its power, everything comes back; one change's script has no part in the next
one, and whoever is gone leaves nothing that nobody sees to."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from typing import Any, Callable

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import lagg_guard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_script import FOLDER, MARK, RUNNING
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.lagg_calls import cut_at, works
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.machine import Crashed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.shell_node import some_of

Booted = Callable[..., Any]


def at_first_wait(node: Any, monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]) -> None:
    """Let something happen as soon as a run waits for anything."""
    waits = node.wait_for

    def wait_for(*given: Any) -> bool:
        then()
        return bool(waits(*given))
    monkeypatch.setattr(node, "wait_for", wait_for)


def stopped_at(node: Any, place: Callable[[list[str]], bool]) -> tuple[threading.Event, threading.Event]:
    """Let the first command of a script that this is true of wait: until the second event, when the first one tells that it does."""
    reached, free = threading.Event(), threading.Event()

    def failing(words: list[str], by_script: bool) -> bool:
        if by_script and not reached.is_set() and place(words):
            reached.set()
            node.host.lock.release()  # the machine goes on
            free.wait(60)
            node.host.lock.acquire()
        return False
    node.host.failing = failing
    return reached, free


# One change after the other


def test_a_change_that_is_begun_at_once_meets_no_script_of_the_last_one(cases: Any, booted: Booted, monkeypatch: pytest.MonkeyPatch) -> None:
    node = booted()
    for stage in ("begin", "wait"):
        cases.call(node, cases.lagg(), stage=stage)
    script = str(node.read_text(RUNNING)).strip()
    assert node.host.runs(script)
    node.host.hold()  # it would look next whether it is over when there are other files already
    at_first_wait(node, monkeypatch, node.host.release)
    assert cases.call(node, cases.lagg(), stage="confirm")["confirmed"] == [cases.lagg()["name"]]
    changed = cases.lagg(members=["em0"], moves=[])
    assert cases.call(node, changed)["next"] == "wait"
    assert not node.host.runs(script) and node.host.runs(str(node.read_text(RUNNING)).strip())
    node.host.release()
    assert [cases.call(node, changed, stage=stage)["next"] for stage in ("wait", "confirm")] == ["confirm", None]
    assert cases.clean(node) and cases.rows(node)[changed["name"]]["lagg"]["members"] == ["em0"]


def test_what_the_last_script_still_does_is_not_done_to_the_next_change(cases: Any, booted: Booted, monkeypatch: pytest.MonkeyPatch) -> None:
    node, wan = cases.carp_pair(booted, True, 0), cases.lagg(members=["em0"])
    cases.call(node, wan, peer_ready=True)
    assert cases.call(node, wan, peer_ready=True, stage="wait")["next"] == "confirm" and cases.demotion(node)
    before = cases.demotion(node)
    reached, free = stopped_at(node, lambda words: "demot" in " ".join(words))
    (node.root / FOLDER[1:] / "armed").unlink()  # somebody lets it stay
    assert reached.wait(60)
    changed = cases.lagg(members=["em3", "em0"], primary="em3", moves=[])
    at_first_wait(node, monkeypatch, free.set)
    assert cases.call(node, changed, peer_ready=True)["next"] == "wait"
    free.set()
    assert cases.call(node, changed, peer_ready=True, stage="wait")["next"] == "confirm"
    assert cases.hooked(node) and cases.demotion(node) in (0, before)
    assert cases.call(node, changed, peer_ready=True, stage="confirm")["next"] is None
    assert cases.clean(node) and cases.demotion(node) == 0


def test_a_script_has_ended_when_all_has_that_it_began(cases: Any, booted: Booted) -> None:
    node = booted()
    reached, free = stopped_at(node, bool)
    cases.call(node, cases.lagg())
    assert reached.wait(60)
    node.host.hold()  # who watches the change sleeps
    (node.root / FOLDER[1:] / "armed").unlink()  # so that there is nothing else to wait for
    free.set()
    assert node.wait_for(lambda: cases.Guard(node).text("change.done") is not None, cases.LONG)
    assert not node.wait_for(lambda: not cases.Guard(node).watched(), 10)
    node.host.release()
    assert node.wait_for(lambda: not cases.Guard(node).watched(), cases.LONG) and not cases.hooked(node)


def test_a_script_that_does_not_end_is_told_of(cases: Any, booted: Booted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lagg_guard, "_ENDS", 1.0)
    node = booted()
    before = cases.everything(node)
    node.write_text(RUNNING, "%d\n" % os.getppid(), shown=False)
    with pytest.raises(NodeError, match=r"still runs \(process %d\).*remove %s" % (os.getppid(), RUNNING)):
        cases.call(node, cases.lagg())
    assert cases.everything(node) == before and cases.clean(node)
    (node.root / RUNNING[1:]).unlink()
    assert cases.call(node, cases.lagg())["next"] == "wait"


# Whoever is gone before anything was changed


@pytest.mark.parametrize("power", [True, False])
@pytest.mark.parametrize("place", [MARK, "hook", "armed", "begin", "under-way"])
def test_a_run_that_is_gone_before_it_changed_anything_is_none(cases: Any, booted: Booted, monkeypatch: pytest.MonkeyPatch, place: str, power: bool) -> None:
    node = booted()
    before, ran = cases.everything(node), len(node.machine.commands)

    def gone() -> None:
        if power:
            node.machine.lose_power()
            raise Crashed(place)
        raise KeyboardInterrupt
    writes, name = node.write_text, cases.HOOK if place == "hook" else place

    def write_text(path: str, *given: Any, **more: Any) -> bool:
        if path.endswith(name):
            gone()
        return bool(writes(path, *given, **more))
    monkeypatch.setattr(node, "write_text", write_text)
    node.host.failing = lambda words, by_script: place == "begin" and words[-2:] == ["begin", "change"] and bool(gone())  # type: ignore[func-returns-value]
    with pytest.raises((Crashed, KeyboardInterrupt)):
        cases.call(node, cases.lagg())
    works(node)
    again = node.again()
    if power:
        node.boot()
        assert node.wait_for(lambda: not cases.hooked(node), cases.LONG)
        assert cases.everything(node) == before and not cases.Guard(node).armed()
    elif place == "under-way":
        cases.Guard(node).fire()  # as it does by itself when the time for writing is up
    assert {command.split()[0] for command in node.machine.changes(ran)} <= {"kldload", "sh"}
    assert [result["next"] for result in cases.whole(again, cases.lagg())] == ["wait", "confirm", None]
    assert cases.clean(node) and [result["put_back"] for result in cases.whole(node.again(), cases.lagg(moves=[]))] == [[]]


def test_a_node_whose_script_somebody_has_ended_goes_back_all_the_same(cases: Any, booted: Booted) -> None:
    node = booted()
    before = cases.everything(node)
    cases.call(node, cases.lagg())
    assert cases.call(node, cases.lagg(), stage="wait")["next"] == "confirm"
    node.host.kill()
    cases.lose_member(node)
    with pytest.raises(NodeError, match="was put back"):
        cases.call(node, cases.lagg(), stage="confirm", rollback_timeout=20)
    assert cases.everything(node) == before and not cases.hooked(node)


def test_a_confirmation_reaches_a_node_whose_script_somebody_has_ended(cases: Any, booted: Booted) -> None:
    node = booted()
    cases.call(node, cases.lagg())
    assert cases.call(node, cases.lagg(), stage="wait")["next"] == "confirm"
    node.host.kill()
    assert cases.call(node, cases.lagg(), stage="confirm")["confirmed"] == [cases.lagg()["name"]]
    assert cases.clean(node)

# Everything comes back


def test_a_node_that_nobody_reaches_goes_back_by_itself(cases: Any, booted: Booted) -> None:
    node, wan = cases.carp_pair(booted, True, 0), cases.lagg(members=["em0"])
    before = cases.files(node), cases.as_it_runs(node)[0]
    cases.call(node, wan, peer_ready=True, rollback_timeout=1)
    assert node.wait_for(cases.Guard(node).has_put_back, cases.LONG)
    assert (cases.files(node), cases.as_it_runs(node)[0]) == before and cases.demotion(node) == 0
    with pytest.raises(NodeError, match=r"the change of %s was put back \(the node was not reached again within 1 s\)" % wan["name"]):
        cases.call(node.again(), wan, stage="confirm", rollback_timeout=1)
    assert node.wait_for(lambda: {item.state for item in cases.Guard(node).virtual()} == {"active"}, cases.LONG)
    again = cases.call(node.again(), wan, peer_ready=True)
    assert (again["put_back"], again["next"]) == ([wan["name"]], "wait")
    assert cases.call(node, wan, stage="wait")["next"] == "confirm"


def test_a_node_that_loses_its_power_goes_back_unless_a_run_reaches_it(cases: Any, booted: Booted) -> None:
    node = cases.filtering(booted)
    before = cases.everything(node)
    cases.call(node, cases.lagg(), rollback_timeout=300)
    assert cases.call(node, cases.lagg(), stage="wait")["next"] == "confirm"
    node.boot()
    assert "192.0.2.9/32" in cases.rows(node)[cases.lagg()["name"]]["addresses"]
    # Once more, and it still watches.
    node.boot()
    assert node.wait_for(cases.Guard(node).has_put_back, cases.LONG)
    assert cases.everything(node) == before and not cases.hooked(node)


def test_a_node_that_loses_its_power_can_still_be_confirmed(cases: Any, booted: Booted) -> None:
    node = booted()
    cases.call(node, cases.lagg())
    assert cases.call(node, cases.lagg(), stage="wait")["next"] == "confirm"
    node.boot()
    assert cases.call(node.again(), cases.lagg(), stage="begin")["next"] == "confirm"
    assert cases.call(node, cases.lagg(), stage="confirm")["confirmed"] == [cases.lagg()["name"]]
    assert cases.clean(node)
    cases.second(node)


def test_power_that_is_lost_before_any_command_leads_back_or_was_lost_after_the_confirmation(cases: Any, booted: Booted) -> None:
    total = cases.count(cases.filtering(booted), cases.lagg())
    for place in some_of(total):
        node = cases.filtering(booted)
        before, seen = cases.as_set_up(node), cut_at(node, place)
        with contextlib.suppress(Crashed, NodeError):
            cases.whole(node, cases.lagg())
        works(node)
        assert len(seen) > place
        watched = cases.Guard(node).armed()
        if watched:
            (node.root / FOLDER[1:] / "timeout").write_text("10\n")  # so that nobody need wait as long as a run may
        node.boot()
        ended = cases.Guard(node).has_put_back if watched else lambda node=node: not cases.hooked(node)
        assert node.wait_for(ended, cases.LONG), (seen[place], watched)
        assert cases.as_set_up(node) == before and not cases.hooked(node), seen[place]
    assert total > 6


def test_a_module_that_dies_before_it_says_go_leaves_somebody_who_goes_back(cases: Any, booted: Booted, monkeypatch: pytest.MonkeyPatch) -> None:
    node = cases.filtering(booted)
    before = cases.everything(node)

    def gone(_guard: lagg_guard.Guard) -> None:
        raise KeyboardInterrupt
    monkeypatch.setattr(cases.Guard, "go", gone)
    with pytest.raises(KeyboardInterrupt):
        cases.call(node, cases.lagg(), rollback_timeout=0)
    assert cases.Guard(node).armed() and cases.files(node) != before[0]
    cases.Guard(node).fire()  # as it does by itself when the time for writing is up
    assert node.wait_for(cases.Guard(node).has_put_back, cases.LONG)
    assert cases.everything(node) == before


def test_power_that_is_lost_on_the_way_back_leads_back_all_the_same(cases: Any, booted: Booted) -> None:
    for command in cases.PROGRAMS:
        node, seen = cases.filtering(booted), []  # type: Any, list[list[str]]
        before = cases.as_set_up(node)
        cases.call(node, cases.lagg(), rollback_timeout=300)
        assert cases.call(node, cases.lagg(), stage="wait")["next"] == "confirm"
        cases.go_the_long_way_back(node)
        node.host.failing = functools.partial(_noted, command, seen)
        cases.Guard(node).fire()
        assert node.wait_for(lambda seen=seen: bool(seen), cases.LONG)
        works(node)
        node.boot()
        assert node.wait_for(cases.Guard(node).has_put_back, cases.LONG)
        assert cases.as_set_up(node) == before, command


def _noted(command: str, seen: list[list[str]], words: list[str], by_script: bool) -> bool:
    """A script's command of this name fails."""
    if by_script and words[0] == command:
        seen.append(words)
    return by_script and words[0] == command


# Who says that it stays


def test_a_change_that_is_let_stay_by_hand_leaves_nobody_demoted(cases: Any, booted: Booted) -> None:
    node, wan = cases.carp_pair(booted, True, 0), cases.lagg(members=["em0"])
    cases.call(node, wan, peer_ready=True)
    assert cases.call(node, wan, stage="wait")["next"] == "confirm" and cases.Guard(node).demoted()
    (node.root / FOLDER[1:] / "armed").unlink()
    assert node.wait_for(lambda: not cases.Guard(node).demoted() and not cases.hooked(node), cases.LONG)
    assert node.wait_for(lambda: cases.demotion(node) == 0, cases.LONG) and cases.rows(node)[wan["name"]]["addresses"]


def test_a_second_run_at_the_same_moment_does_not_touch_the_first_ones_way_back(cases: Any, booted: Booted) -> None:
    node = booted()
    other, begun = node.again(), []  # type: Any, list[bool]

    def first(words: list[str]) -> None:
        if words[0] == "ifconfig" and not begun:  # the second has found nothing armed
            begun.append(True)
            cases.call(node, cases.lagg())
    node.machine.before_command = first
    with pytest.raises(NodeError, match="another run is changing LAGGs of this node"):
        cases.call(other, cases.lagg())
    assert [cases.call(node, cases.lagg(), stage=stage)["next"] for stage in ("wait", "confirm")] == ["confirm", None]


def test_a_confirmation_that_comes_too_late_is_none(cases: Any, booted: Booted) -> None:
    node = booted()
    cases.call(node, cases.lagg())
    assert cases.call(node, cases.lagg(), stage="wait")["next"] == "confirm"
    guard = cases.Guard(node)
    guard.fire()
    assert node.wait_for(guard.has_put_back, cases.LONG)
    assert not guard.disarm()
    with pytest.raises(NodeError, match="the change of %s was put back" % cases.lagg()["name"]):
        cases.call(node, cases.lagg(), stage="confirm")


def test_a_prediction_says_that_an_earlier_change_is_not_over(cases: Any, booted: Booted) -> None:
    node = booted()
    cases.call(node, cases.lagg())
    assert cases.call(node, cases.lagg(), stage="wait")["next"] == "confirm"
    cases.lose_member(node)
    with pytest.raises(NodeError, match="an earlier change of %s is neither confirmed nor put back yet" % cases.lagg()["name"]):
        cases.call(node.again(check_mode=True), cases.lagg())


def test_a_lagg_that_the_kernel_does_not_run_is_made_anew_and_files_are_left_alone(cases: Any, booted: Booted) -> None:
    node = booted()
    cases.whole(node, cases.lagg())
    before = cases.everything(node)
    cases.lose_member(node)
    again = node.again()
    cases.whole(again, cases.lagg(moves=[]))
    assert cases.everything(node) == before and again.diffs == [] and not [command for command in again.commands if command.startswith("sysrc")]
