# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readiness of the clocks: those of all nodes agree, for logs, certificates and timeouts are compared across nodes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import NodeView, Verdict, weigh
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness_view import AREA, ReadinessView, unknown

Range = tuple[float, float]


def clocks_close(view: ReadinessView) -> Iterator[Verdict]:
    """No two clocks differ by more than the limit.

    The controller notes when it asked and when it was answered, so that a node's clock is known against the controller's within that time. Where that is too
    long to prove anything, two clocks that a time service keeps are taken as equal within what it tells.
    """
    limit = float(view.thresholds["clock_seconds"])
    failures: list[str] = []
    unknowns: list[str] = []
    warnings = [f"nothing keeps the clock of {node.name}" for node in view.nodes if node.flag(AREA, "clock", "synchronised") is False]
    for node in view.nodes:
        off = _offset(node)
        if off is not None and abs(off) > limit:
            failures.append(f"the clock of {node.name} is {abs(off):.1f} s off its source, {node.get(AREA, 'clock', 'source')}")
    for one, other in combinations(view.nodes, 2):
        apart = _apart(_range(one), _range(other))
        if apart is not None and apart[0] > limit:
            failures.append(f"the clocks of {one.name} and {other.name} are at least {apart[0]:.1f} s apart, and {limit:g} are allowed")
        elif not (apart is not None and apart[1] <= limit) and not (_kept(one) and _kept(other)):
            unknowns += [unknown(node, "how its clock goes", "clock") for node in (one, other) if _range(node) is None and not _kept(node)]
            unknowns += [f"the clocks of {one.name} and {other.name} may be up to {apart[1]:.1f} s apart"] if apart is not None else []
    yield Verdict(*weigh(failures, list(dict.fromkeys(unknowns)), warnings, f"all clocks agree within {limit:g} s"))


def _range(node: NodeView) -> Range | None:
    """By how much the node's clock is ahead of the controller's, at least and at most. It was read after all else, which took the node a while."""
    at, asked, answered = (node.number(AREA, "clock", key) for key in ("at", "asked", "answered"))
    took = node.number(AREA, "clock", "took") or 0.0
    return None if at is None or asked is None or answered is None or answered < asked + took else (at - answered, at - asked - took)


def _apart(one: Range | None, other: Range | None) -> Range | None:
    """How far two clocks are apart, at least and at most."""
    if one is None or other is None:
        return None
    least, most = one[0] - other[1], one[1] - other[0]
    return max(0.0, least, -most), max(abs(least), abs(most))


def _offset(node: NodeView) -> float | None:
    """How far the clock is off, as its time service tells: a number that may be negative."""
    value = node.get(AREA, "clock", "offset")
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf") else None


def _kept(node: NodeView) -> bool:
    """A time service keeps the clock; how far it is off was judged where it is told."""
    return node.flag(AREA, "clock", "synchronised") is True
