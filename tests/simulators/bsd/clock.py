# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time that only passes when a test lets it, with what is to happen in it."""

from __future__ import annotations

import heapq
from typing import Callable, List, Optional, Tuple


class Timer:
    """Something that is to happen once; :meth:`stop` prevents it."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action: Optional[Callable[[], None]] = action

    def stop(self) -> None:
        self._action = None

    @property
    def pending(self) -> bool:
        return self._action is not None

    def fire(self) -> None:
        action, self._action = self._action, None
        if action is not None:
            action()


class VirtualClock:
    """The time of all machines on one network.

    Attributes:
        now: seconds since the epoch.
    """

    def __init__(self, now: float = 1795435200.0) -> None:
        self.now = now
        self._due: List[Tuple[float, int, Timer]] = []
        self._number = 0

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Let something happen later; what is due at the same time happens in the order in which it was asked for."""
        timer = Timer(action)
        self._number += 1
        heapq.heappush(self._due, (self.now + seconds, self._number, timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Let time pass, and all happen that is due in it."""
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            when, _number, timer = heapq.heappop(self._due)
            self.now = max(self.now, when)
            timer.fire()
        self.now = end

    def next_within(self, seconds: float) -> Optional[float]:
        """Seconds until something happens, if that is within this time."""
        while self._due and not self._due[0][2].pending:
            heapq.heappop(self._due)
        return self._due[0][0] - self.now if self._due and self._due[0][0] <= self.now + seconds else None
