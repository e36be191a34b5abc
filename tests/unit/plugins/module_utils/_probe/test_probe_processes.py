# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Detached processes: they answer, end by themselves, tell why they crashed, and stopping leaves nothing."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe import processes
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.processes import ProbeError, Spec
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.worker import Worker


class Echo(Worker):
    def status(self, question: dict[str, Any]) -> dict[str, Any]:
        return {"pid": os.getpid(), "session": os.getsid(0), "files": sorted(os.listdir("/proc/self/fd"))}

    def report(self, question: dict[str, Any]) -> dict[str, Any]:
        return {"asked": question["what"], "pid": os.getpid()}


class Crash(Worker):
    def tick(self) -> float:
        raise RuntimeError("the sky fell")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "probes" / "one")
    os.mkdir(os.path.dirname(path), 0o700)
    yield path
    processes.stop(path)


def echo(name: str, lifetime: float = 30) -> Spec:
    return Spec(name, partial(Echo, lifetime=lifetime))


def eventually(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_processes_answer_at_once_in_a_session_of_their_own(folder: str):
    started = processes.start(folder, [echo("a"), echo("b")], {"flows": 3})
    answers = processes.ask(folder, started, {"ask": "status"})
    assert {name: answer["pid"] for name, answer in answers.items()} == {one.name: one.pid for one in started}
    assert all(answer["pid"] == answer["session"] for answer in answers.values())
    assert processes.find(folder) == started
    assert [one.options for one in started] == [{"flows": 3}] * 2


def test_nothing_of_the_module_stays_open(folder: str):
    kept, other = socket.socketpair()
    with kept, other:
        answer = processes.ask(folder, processes.start(folder, [echo("a")], {}), {"ask": "status"})["a"]
    # standard input, output and error, the control socket, epoll, the connection that asks, and the listing itself
    assert len(answer["files"]) == 7


def test_a_report_comes_from_a_copy_while_the_process_goes_on(folder: str):
    started = processes.start(folder, [echo("a")], {})
    answer = processes.ask(folder, started, {"ask": "report", "what": 42})["a"]
    assert answer["asked"] == 42
    assert answer["pid"] != started[0].pid
    assert answer["cpu_seconds"] >= 0
    assert started[0].alive


def test_processes_end_by_themselves_and_leave_nothing(folder: str):
    started = processes.start(folder, [echo("a", 0.2), echo("b", 0.3)], {})
    assert eventually(lambda: not any(one.alive for one in started))
    assert eventually(lambda: not os.path.exists(folder))


def test_stop_ends_all_and_removes_the_folder_and_again_does_nothing(folder: str):
    started = processes.start(folder, [echo("a"), echo("b")], {})
    assert processes.stop(folder) is True
    assert eventually(lambda: not any(one.alive for one in started))
    assert not os.path.exists(folder)
    assert processes.stop(folder) is False


def test_a_crash_is_told(folder: str):
    started = processes.start(folder, [Spec("a", partial(Crash, lifetime=30))], {})
    assert eventually(lambda: not started[0].alive)
    with pytest.raises(ProbeError, match="the sky fell"):
        processes.ask(folder, started, {"ask": "status"})


def test_another_process_of_the_same_number_is_left_alone(folder: str):
    started = processes.start(folder, [echo("a")], {})
    stranger = started[0]._replace(started="1")
    assert not stranger.alive
    processes._signal([stranger], 9)
    assert started[0].alive


def test_a_folder_of_somebody_else_is_refused(folder: str, tmp_path: Path):
    os.symlink(tmp_path, folder)
    with pytest.raises(ProbeError, match="not a folder of this user"):
        processes.start(folder, [echo("a")], {})
    os.unlink(folder)


def test_the_folder_is_roots_own_or_the_users(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert processes.folder_of("x") == "/run/hafirewall-probe/x"
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    assert processes.folder_of("x").endswith("hafirewall-probe-1234/x")
