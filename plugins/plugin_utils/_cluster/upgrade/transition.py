# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shape of a change of releases that is known to go wrong, and whom it concerns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import NodeView

Number = tuple[int, ...]
# From the first (included) to the second (not included); None has no end there.
Limits = tuple[Number | None, Number | None]
ALL: Limits = (None, None)


class Change(NamedTuple):
    """The numbers of the release that runs and of the one that comes; None for one that is not known."""

    runs: Number | None
    comes: Number | None


def always(_node: NodeView, _change: Change) -> bool | None:
    """Whoever makes the change."""
    return True


@dataclass(frozen=True)
class Transition:
    """A change that is known to go wrong.

    Attributes:
        platforms: those that it concerns.
        what: what happens.
        remedy: what to do.
        source: where it is told.
        status: fail or warn.
        runs, comes: releases that it concerns.
        holds: whether it concerns a node that makes such a change; None when that is not known.
    """

    platforms: tuple[str, ...]
    what: str
    remedy: str
    source: str
    status: str
    runs: Limits = ALL
    comes: Limits = ALL
    holds: Callable[[NodeView, Change], bool | None] = always

    def concerns(self, node: NodeView, change: Change) -> bool | None:
        """Whether the node makes this change; None when a release that would tell is not known. To stay on a release is no change."""
        runs, comes = change
        if node.platform not in self.platforms or not _may_be(runs, self.runs) or not _may_be(comes, self.comes):
            return False
        return None if runs is None or comes is None else runs != comes and self.holds(node, change)

    @property
    def told(self) -> str:
        """For a reason: what happens, where that is told, and what to do."""
        return f"{self.what} ({self.source}); {self.remedy}"


def _may_be(number: Number | None, limits: Limits) -> bool:
    first, end = limits
    return number is None or ((first is None or number >= first) and (end is None or number < end))
