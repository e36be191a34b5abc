# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Spreads periodic sends over their interval: every flow has a slot, every slot comes up once per interval."""

from __future__ import annotations

from typing import Iterator, List


class Wheel:
    """Slots of flows that come up in turn.

    A wheel that is late catches up slot by slot, but never by more than one turn: nobody sends twice to make up for a pause.
    """

    def __init__(self, interval: float, slots: int, now: int) -> None:
        """``interval`` in seconds is one turn, ``now`` in ns of a monotonic clock."""
        self._slots: List[List[int]] = [[] for _slot in range(slots)]
        self._step = max(1, int(interval * 1e9) // slots)
        self._next = now + self._step
        self._at = 0

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, flow: int, slot: int) -> None:
        """Put a flow into a slot (modulo the number of slots)."""
        self._slots[slot % len(self._slots)].append(flow)

    def just_passed(self) -> int:
        """The slot that came up last: a flow put there waits for nearly a whole turn."""
        return (self._at - 1) % len(self._slots)

    def due(self, now: int) -> Iterator[List[int]]:
        """The slots whose time has come, each a list of flows."""
        turn = self._step * len(self._slots)
        if now - self._next > turn:
            self._next = now - turn
        while self._next <= now:
            flows = self._slots[self._at]
            self._at = (self._at + 1) % len(self._slots)
            self._next += self._step
            yield flows

    def wait(self, now: int) -> float:
        """Seconds until the next slot comes up, 0 when it already has."""
        return max(0, self._next - now) / 1e9

    def late(self, now: int) -> int:
        """By how many ns the next slot is overdue (0: in time)."""
        return max(0, now - self._next)
