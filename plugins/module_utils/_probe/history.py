# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a receiver remembers of its flows: the last receptions of each, in rings of numbers that cost a few bytes per reception."""

from __future__ import annotations

from array import array
from typing import List, NamedTuple, Optional, Sequence

KEEP_SECONDS = 130
"""Receptions are kept this long at the flows' cadence: 60 s in which a flow may come back, and time to ask."""

_LEAST, _MOST = 64, 13000


class Gap(NamedTuple):
    """The longest silence within a stretch of time: start and length in ns; ``ended`` is false when it lasts up to the stretch's end and nothing is known to
    have come since."""

    start: int
    length: int
    ended: bool


def depth_for(interval: float) -> int:
    """How many receptions to keep per flow when one arrives every ``interval`` seconds."""
    return max(_LEAST, min(_MOST, int(KEEP_SECONDS / interval)))


def longest_gap(times: Sequence[int], start: int, end: int) -> Gap:
    """The longest silence between two of the ascending ``times`` within start..end; the edges count as receptions. All in ns."""
    previous, begin, length = start, start, -1
    for at in times:
        if at <= start:
            continue
        if at >= end:
            return Gap(previous, at - previous, True) if at - previous > length else Gap(begin, length, True)
        if at - previous > length:
            begin, length = previous, at - previous
        previous = at
    if end - previous > length:
        return Gap(previous, end - previous, False)
    return Gap(begin, length, True)


class Receptions:
    """Per flow a ring of (sender's clock or number, arrival), the newest ``depth`` of them."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.count = array("q")
        self.last = array("q")
        self._value = array("q")
        self._at = array("q")
        self._blank = array("q", bytes(8 * depth))

    def add_flow(self) -> int:
        """Make room for one more flow; returns its index."""
        self.count.append(0)
        self.last.append(0)
        self._value.extend(self._blank)
        self._at.extend(self._blank)
        return len(self.count) - 1

    def record(self, flow: int, value: int, at: int) -> None:
        """Remember that ``value`` (ascending per flow) arrived at ``at`` (ns)."""
        count = self.count[flow]
        position = flow * self.depth + count % self.depth
        self._value[position] = value
        self._at[position] = at
        self.count[flow] = count + 1
        self.last[flow] = value

    def times(self, flow: int) -> List[int]:
        """The arrivals that are still remembered, oldest first."""
        return self._unroll(self._at, flow)

    def values(self, flow: int) -> List[int]:
        """The values that are still remembered, oldest first."""
        return self._unroll(self._value, flow)

    def first_back(self, flow: int, after: int) -> Optional[int]:
        """When the first value above ``after`` arrived (never too early: older ones may be forgotten), or None when none has."""
        if self.last[flow] <= after:
            return None
        for value, at in zip(self.values(flow), self.times(flow)):
            if value > after:
                return at
        return None

    def gap(self, flow: int, start: int, moment: int, end: int) -> Optional[Gap]:
        """The longest silence of the flow within start..end; None when nothing that arrived up to ``moment`` (within it) is known.

        What came before the oldest arrival that is known is no silence: the flow had not begun, or the ring has forgotten it.
        """
        times = self.times(flow)
        if not times or times[0] > moment:
            return None
        return longest_gap(times, max(start, times[0]), end)

    def _unroll(self, ring: array[int], flow: int) -> List[int]:
        count, base = self.count[flow], flow * self.depth
        if count <= self.depth:
            return list(ring[base:base + count])
        turn = base + count % self.depth
        return list(ring[turn:base + self.depth]) + list(ring[base:turn])
