# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan of LAGGs in words: what is, what will be, what moves, and what is refused."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.offer import as_lines
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.plan import LaggPlan, Move
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.wanted import Wanted

_WIDTH = 120


@dataclass(frozen=True)
class Cell:
    """One logical interface on one node, now and then; ``lagg`` is the LAGG that it is then on, when it is one of the plan."""

    host: str
    now: str
    then: str
    lagg: Wanted | None


def rows(plan: LaggPlan) -> dict[str, list[Cell]]:
    """All logical interfaces with their cells, in the order of the nodes."""
    found: dict[str, list[Cell]] = {}
    for (host, interface), now in plan.now.items():
        lagg = next((one for one in plan.wanted if interface in one.group.interfaces and host in one.members), None)
        found.setdefault(interface, []).append(Cell(host, now, plan.names[(host, interface)], lagg))
    return found


def headline(plan: LaggPlan) -> str:
    """The outcome in one sentence."""
    if plan.refused:
        return "This cannot be planned"
    if not plan.needed:
        return "No LAGG is to be made or changed"
    if not plan.moves:
        return "LAGGs are needed, and none is to be made"
    nodes = list(dict.fromkeys(move.node for move in plan.moves))
    return f"{len(plan.open)} LAGG{'s' if len(plan.open) > 1 else ''} to be made or changed, on {', then '.join(nodes)}"


def as_text(cluster: str, plan: LaggPlan) -> str:
    """The plan for a terminal, ending with a line end."""
    parts = [f"{cluster}: {headline(plan)}", textwrap.fill(plan.reason, _WIDTH), _table(plan)]
    if plan.open:
        parts.append("\n".join([f"{lagg.name}: {lagg.protocol}; " + "; ".join(f"{', '.join(members)} on {host}" for host, members in lagg.members.items())
                                for lagg in plan.open]))
    parts += ["\n".join(_move(move)) for move in plan.moves]
    parts += ["\n".join([title, *(f"  {problem}" for problem in problems)])
              for title, problems in (("Refused:", plan.refused), ("Warnings:", plan.warnings)) if problems]
    parts.append("\n".join(as_lines(plan.offers)))
    return "\n\n".join(filter(None, parts)) + "\n"


def _table(plan: LaggPlan) -> str:
    lines = [("interface", "node", "now", "then")]
    for interface, cells in rows(plan).items():
        for cell in cells:
            lines.append((interface if cell is cells[0] else "", cell.host, cell.now, "not planned" if plan.refused else cell.then))
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return "\n".join("  ".join([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[3]]).rstrip() for line in lines)


def _move(move: Move) -> list[str]:
    lines = [f"{move.node}, {move.lagg}:", *(f"  {change}" for change in move.changes)]
    for shift in move.shifts:
        lines.append(f"  {shift.source} -> {shift.target}" if shift.source != shift.target else f"  {shift.source}: now a VLAN of {move.lagg}")
    return lines + [f"    {rider.kind} {rider.name}: {rider.becomes}" for rider in move.riders]
