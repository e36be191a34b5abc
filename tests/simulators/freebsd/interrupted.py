# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that end in the middle: a command that fails, or a program that is killed between two commands and puts nothing back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Callable, Iterator, List

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import programs

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import FreebsdNode


class Killed(Exception):
    """The program that runs commands on the machine has been killed."""


@contextmanager
def failing(node: "FreebsdNode", number: int) -> Iterator[None]:
    """The command of that number, from 0, that would change something fails; those after it do not."""
    with _before(node, number, lambda: NodeError("it fails")):
        yield


@contextmanager
def killed(node: "FreebsdNode", number: int) -> Iterator[None]:
    """The run ends before the command of that number, from 0, that would change something; a run with fewer commands ends as it would."""
    node._roll_back = list  # type: ignore[method-assign]  # nobody is there any more who could
    try:
        with _before(node, number, Killed):
            yield
    except Killed:
        pass


@contextmanager
def _before(node: "FreebsdNode", number: int, error: Callable[[], Exception]) -> Iterator[None]:
    seen: List[str] = []

    def look(words: List[str]) -> None:
        if programs.changes(words):
            seen.append(words[0])
            if len(seen) == number + 1:
                raise error()

    node.machine.before_command = look
    try:
        yield
    finally:
        node.machine.before_command = lambda argv: None
