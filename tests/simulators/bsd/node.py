# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real :class:`Node` on a machine: no process is started, and no second passes outside the machine's clock."""

from __future__ import annotations

import io
import shlex
from typing import Any, BinaryIO, Callable, Optional, Sequence, Tuple, TypeVar

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.bsd import tcpdump
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.files import RootedNode
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.machine import Machine

Self = TypeVar("Self", bound="MachineNode")
T = TypeVar("T")


class MachineNode(RootedNode):
    """A node on a machine.

    Attributes:
        machine: what it runs on, with all that tests look at and change.
    """

    machine: Any

    def __init__(self, machine: Machine, check_mode: bool = False) -> None:
        super().__init__(machine.root, check_mode)
        self.machine = machine

    def again(self: Self, check_mode: bool = False) -> Self:
        """The same machine seen by the next run."""
        return type(self)(self.machine, check_mode)

    def query(self, argv: Sequence[str], stdin: Optional[str] = None, ok: Optional[Sequence[int]] = (0,), timeout: float = 30.0) -> Completed:
        try:
            done = self.machine.run(argv, stdin)
        except FileNotFoundError:
            raise NodeError("%s is not installed on this node" % argv[0]) from None
        if ok is not None and done.status not in ok:
            said = (done.stderr.strip() or done.stdout.strip() or "nothing")[-2000:]
            raise NodeError("%s exited with status %d and said: %s" % (shlex.join(argv), done.status, said))
        return done

    def stream(self, argv: Sequence[str], seconds: float, take: Callable[[BinaryIO, Callable[[], None]], T]) -> Tuple[T, Completed]:
        """tcpdump: what it says at its start, and then what it writes while the machine's time passes."""
        done = self.query(argv, ok=None)
        capture = b"" if done.status else tcpdump.capture(self.machine, list(argv), seconds)
        return take(io.BytesIO(capture), lambda: None), done

    def has(self, program: str) -> bool:
        return self.machine.has_program(program)

    def wait_for(self, condition: Callable[[], bool], timeout: float, interval: float = 0.1) -> bool:
        if self.check_mode:
            return True
        clock = self.machine.clock
        end = clock.now + timeout
        while not condition():
            if clock.now >= end:
                return False
            clock.advance(min(interval, end - clock.now) or interval)
        return True
