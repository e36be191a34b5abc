# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One measuring process: an event loop that ends by itself, and answers questions on a local socket."""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import time
from typing import Any, Callable, Dict, List

Job = Callable[[int, int], None]

_AT_MOST = 1024


class Worker:
    """Base of all measuring processes. A subclass watches descriptors, sends in :meth:`tick` and answers in :meth:`status` and :meth:`report`."""

    urgent = False
    """True when a late wake-up would be measured as an outage: the process then asks for a higher priority."""

    def __init__(self, control: socket.socket, lifetime: float) -> None:
        """``control`` is a bound, listening local socket; ``lifetime`` in seconds."""
        self._deadline = time.monotonic() + lifetime
        self._epoll = select.epoll()
        self._jobs: Dict[int, Job] = {}
        self._control = control
        control.setblocking(False)
        self.watch(control.fileno(), self._answer)

    # For the subclass

    def watch(self, descriptor: int, job: Job, mask: int = select.EPOLLIN) -> None:
        """Call ``job(descriptor, events)`` when the descriptor is ready."""
        self._epoll.register(descriptor, mask)
        self._jobs[descriptor] = job

    def rewatch(self, descriptor: int, job: Job, mask: int = select.EPOLLIN) -> None:
        """Change what is watched for, and what is called."""
        self._epoll.modify(descriptor, mask)
        self._jobs[descriptor] = job

    def unwatch(self, descriptor: int) -> None:
        """Stop watching a descriptor that is about to be closed."""
        if self._jobs.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def tick(self) -> float:
        """Do what is due; returns the seconds until more is due (at most 1)."""
        return 1.0

    def status(self, question: Dict[str, Any]) -> Dict[str, Any]:
        """A cheap answer, given while measuring waits."""
        raise NotImplementedError

    def report(self, question: Dict[str, Any]) -> Dict[str, Any]:
        """The full answer, given by a copy of the process, so that measuring goes on meanwhile."""
        raise NotImplementedError

    # The loop

    def run(self) -> None:
        """Measure until the lifetime is over."""
        gc.disable()  # nothing here makes cycles, and a collection would be a pause
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # copies that answered vanish by themselves
        if self.urgent:
            _hurry()
        poll, jobs = self._epoll.poll, self._jobs
        while time.monotonic() < self._deadline:
            wait = self.tick()
            for descriptor, events in poll(max(0.0, wait), _AT_MOST):
                job = jobs.get(descriptor)
                if job is not None:
                    job(descriptor, events)

    def _answer(self, _descriptor: int, _events: int) -> None:
        try:
            connection, _address = self._control.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(2.0)
            try:
                question = json.loads(connection.recv(65536).decode())
                if question["ask"] == "status":
                    _reply(connection, self.status(question))
                elif os.fork() == 0:
                    self._answer_and_vanish(connection, question)
            except (OSError, ValueError):
                return  # whoever asked has gone away; measuring matters more

    def _answer_and_vanish(self, connection: socket.socket, question: Dict[str, Any]) -> None:
        try:
            connection.settimeout(30.0)
            _reply(connection, dict(self.report(question), cpu_seconds=_cpu_seconds()))
        finally:
            os._exit(0)


def _reply(connection: socket.socket, answer: Dict[str, Any]) -> None:
    connection.sendall(json.dumps(answer, separators=(",", ":")).encode())


def _cpu_seconds() -> float:
    """What the measuring process itself (the parent of this copy) has used."""
    with open("/proc/%d/stat" % os.getppid(), encoding="ascii", errors="replace") as handle:
        fields: List[str] = handle.read().rpartition(")")[2].split()
    return round((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), 2)


def _hurry() -> None:
    try:
        os.nice(-10)
    except OSError:
        return  # only root may; the cadence is then as good as the host's load allows
