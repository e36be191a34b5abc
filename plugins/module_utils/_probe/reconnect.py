# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How soon a new connection works: the client tries one every 100 ms, all the time, and notes when each began and succeeded."""

from __future__ import annotations

import errno
import select
import socket
import time
from collections import OrderedDict
from contextlib import ExitStack
from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.ports import SourcePorts
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.tcp import abort_on_close
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.worker import Worker

INTERVAL = 0.1
GIVE_UP_AFTER = 3.0


class Reconnect(Worker):
    """Attempts to connect; at most ``GIVE_UP_AFTER / INTERVAL`` of them are under way at once."""

    urgent = True

    def __init__(self, control: socket.socket, lifetime: float, family: int, peer: Tuple[Any, ...], ports: SourcePorts) -> None:
        super().__init__(control, lifetime)
        self._family = family
        self._peer = peer
        self._ports = ports
        self._due = time.monotonic()
        self._log: List[List[Optional[int]]] = []
        self._open: OrderedDict[int, Tuple[socket.socket, int, float]] = OrderedDict()

    def tick(self) -> float:
        now = time.monotonic()
        while self._open:
            descriptor, (_connection, _attempt, began) = next(iter(self._open.items()))
            if now - began < GIVE_UP_AFTER:
                break
            self._end(descriptor)
        if now >= self._due:
            self._due = max(self._due + INTERVAL, now)
            self._try(now)
        return self._due - time.monotonic()

    def _try(self, now: float) -> None:
        self._log.append([time.time_ns(), None])
        with ExitStack() as unless_kept:
            connection = unless_kept.enter_context(socket.socket(self._family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
            abort_on_close(connection)
            try:
                self._ports.bind(connection)
            except OSError:
                return  # an attempt that failed, like one that the network refuses
            if connection.connect_ex(self._peer) not in (0, errno.EINPROGRESS):
                return
            unless_kept.pop_all()
        self._open[connection.fileno()] = (connection, len(self._log) - 1, now)
        self.watch(connection.fileno(), self._outcome, select.EPOLLOUT)

    def _outcome(self, descriptor: int, _events: int) -> None:
        connection, attempt, _began = self._open[descriptor]
        if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
            self._log[attempt][1] = time.time_ns()
        self._end(descriptor)

    def _end(self, descriptor: int) -> None:
        connection, _attempt, _began = self._open.pop(descriptor)
        self.unwatch(descriptor)
        connection.close()

    def status(self, question: Dict[str, Any]) -> Dict[str, Any]:
        """How many attempts there were, and how many succeeded."""
        return {"attempts": len(self._log), "succeeded": sum(1 for _began, done in self._log if done is not None)}

    def report(self, question: Dict[str, Any]) -> Dict[str, Any]:
        """Adds ``log``: [began, succeeded or null], both in ms after ``since``, of the attempts that began in the stretch of time asked for."""
        since, start, end = question["since"], question["start"], question["end"]
        log = [[round((began - since) / 1e6, 1), None if done is None else round((done - since) / 1e6, 1)]
               for began, done in self._log if began is not None and start <= began <= end]
        return dict(self.status(question), log=log)
