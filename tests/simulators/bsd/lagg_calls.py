# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls of a run that makes LAGGs, as the action plugin makes them, on a node whose scripts run; and runs in which something goes wrong at one place."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.machine import Crashed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.shell_node import ShellNode

CAME_IN = "198.51.100.131 50000 %s 22"
LONG = 10000  # seconds of the machine, fifty of which are one here
NOTHING: Dict[str, Any] = {"drift": [], "validation": "not needed", "next": None, "within": None, "confirmed": [], "put_back": [], "warnings": []}


@contextmanager
def hosting(host: Any, node: Any) -> Iterator[Callable[[Any, str], Any]]:
    """Starts machines; all of it ends with this.

    Args:
        host, node: the system's classes.
    """
    hosts: List[Any] = []

    def start(machine: Any, came_in: str) -> Any:
        machine.ssh = CAME_IN % came_in
        hosts.append(host(machine))
        started = node(hosts[-1])
        started.boot()
        return started

    try:
        yield start
    finally:
        for one in hosts:
            one.close()


def fresh(folder: Path) -> Path:
    """A folder for one more node."""
    return folder / ("fw%d" % len(list(folder.glob("fw*"))))


class Calls:
    """Calls of a system's capability, with time enough for a machine that has much to do."""

    def __init__(self, capability: Any) -> None:
        self._apply: Callable[..., Dict[str, Any]] = capability.apply

    def call(self, node: ShellNode, *laggs: Dict[str, Any], stage: str = "begin", **changes: Any) -> Dict[str, Any]:
        """One call of the module."""
        usual = {"laggs": list(laggs), "stack": "auto", "rollback_timeout": 3000, "peer_ready": False, "stage": stage}
        return self._apply(node, dict(usual, **changes))

    def whole(self, node: ShellNode, *laggs: Dict[str, Any], **changes: Any) -> List[Dict[str, Any]]:
        """All calls of a run; commands and diffs of all of them are in the node's own account."""
        results = [self.call(node, *laggs, **changes)]
        while results[-1]["next"]:
            results.append(self.call(node, *laggs, stage=results[-1]["next"], **changes))
        return results

    def count(self, node: ShellNode, *laggs: Dict[str, Any]) -> int:
        """How many commands a whole run has that change something, with those of the scripts."""
        seen = fail_at(node, -1)
        self.whole(node, *laggs)
        return len(seen)


def fail_at(node: ShellNode, place: int) -> List[List[str]]:
    """Let the command at that place fail; returns those that come, to be looked at later."""
    seen: List[List[str]] = []

    def failing(words: List[str], _by_script: bool) -> bool:
        seen.append(words)
        return len(seen) == place + 1
    node.host.failing = failing
    return seen


def cut_at(node: ShellNode, place: int) -> List[List[str]]:
    """Take the power before the command at that place, in the same way."""
    seen: List[List[str]] = []

    def failing(words: List[str], _by_script: bool) -> bool:
        seen.append(words)
        if len(seen) == place + 1:
            node.machine.lose_power()
            raise Crashed(" ".join(words))
        return False
    node.host.failing = failing
    return seen


def works(node: ShellNode) -> None:
    """Nothing goes wrong any more."""
    node.host.failing = lambda words, by_script: False
