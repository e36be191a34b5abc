# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The picture of a plan: each logical interface on every node, before under its own names, after under one name that spans the nodes."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Problem
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.plan import LaggPlan
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.show import Cell, headline, rows
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.style import STYLE
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.svg import Drawing, wrap
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.words import shared_domain
from markupsafe import Markup

_MARGIN, _LABEL, _GAP = 24, 96, 44
_COLUMN = {1: 190, 2: 170, 3: 140}
_BOX, _ROW = 30, 78
# What the sign before a logical interface means.
_WORDS = {"pass": "alike", "fail": "differs", "skipped": "no matter"}
_STYLE = STYLE + """
.paper { fill: var(--paper); } .panel { fill: var(--card); stroke: var(--line); }
.device { fill: var(--card); stroke: var(--soft); stroke-width: 1.5; } .device.fail { stroke: var(--fail); stroke-dasharray: 5 3; fill: var(--fail-tint); }
.lagg { fill: var(--pass-tint); stroke: var(--pass); stroke-width: 2; } .member { fill: var(--card); stroke: var(--pass); stroke-width: 1.5; }
.cable { fill: none; stroke: var(--pass); stroke-width: 2; } .arrow { fill: none; stroke: var(--soft); stroke-width: 2; stroke-linecap: round; }
"""


def picture(cluster: str, plan: LaggPlan) -> Markup:
    """The plan as an SVG document of its own."""
    table = rows(plan)
    hosts = list(dict.fromkeys(cell.host for cells in table.values() for cell in cells))
    domain = shared_domain(hosts)
    column = _COLUMN.get(len(hosts), 116)
    panel = max(1, len(hosts)) * column
    right = _MARGIN + _LABEL + panel + _GAP
    total = right + panel + _MARGIN
    drawing = Drawing("lagg", f"LAGGs of {cluster}", f"{headline(plan)}. {plan.reason}.")
    # The height is known at the end only, and the paper lies below everything.
    drawing.add("rect", x=0, y=0, width="100%", height="100%", cls="paper")
    y = 38.0
    for line in wrap(f"{cluster}: {headline(plan)}", total - 2 * _MARGIN, 18, 4, "bold"):
        drawing.text(_MARGIN, y, line, size=18, font="bold")
        y += 24
    y = _paragraph(drawing, plan.reason, y, total)
    top, height = y + 10.0, 64 + _ROW * len(table)
    for x, title in ((_MARGIN + _LABEL, "Now"), (right, "Then")):
        drawing.add("rect", x=x - 8, y=top, width=panel + 8, height=height, rx=10, cls="panel")
        drawing.text(x + 4, top + 22, title, size=14, font="bold")
        for place, host in enumerate(hosts):
            drawing.text(x + place * column + column / 2 - 4, top + 46, host.removesuffix(domain), width=column - 12, size=12, cls="soft", anchor="middle")
    for place, (interface, cells) in enumerate(table.items()):
        middle = top + 64 + place * _ROW
        status = _status(plan, interface, cells)
        drawing.text(_MARGIN, middle + 20, interface, width=_LABEL - 34, size=14, font="bold")
        drawing.icon(_MARGIN + _LABEL - 30, middle + 7, status, 16)
        drawing.text(_MARGIN, middle + 38, _WORDS[status], width=_LABEL - 12, size=11, cls="soft")
        _now(drawing, cells, hosts, _MARGIN + _LABEL, middle, column, status)
        _then(drawing, plan, cells, hosts, right, middle, column)
    end = _problems(drawing, plan, top + height + 30, total)
    return _alone(drawing.render(total, end))


def _status(plan: LaggPlan, interface: str, cells: list[Cell]) -> str:
    """Whether the names agree now, and if not, whether that is done away with, borne, or of no matter."""
    if len({cell.now for cell in cells}) == 1:
        return "pass"
    if plan.needed and (plan.refused or any(cell.lagg is not None for cell in cells) or any(f".{interface}." in warning.path for warning in plan.warnings)):
        return "fail"
    return "skipped"


def _place(cell: Cell, hosts: list[str], x: float, column: int) -> float:
    return x + hosts.index(cell.host) * column


def _now(drawing: Drawing, cells: list[Cell], hosts: list[str], x: float, y: float, column: int, status: str) -> None:
    for cell in cells:
        left = _place(cell, hosts, x, column)
        drawing.add("rect", x=left, y=y, width=column - 8, height=_BOX, rx=5, cls=f"device {status}")
        drawing.text(left + (column - 8) / 2, y + 20, cell.now, width=column - 20, size=13, font="mono", anchor="middle")


def _then(drawing: Drawing, plan: LaggPlan, cells: list[Cell], hosts: list[str], x: float, y: float, column: int) -> None:
    if plan.refused:
        drawing.text(x + 4, y + 20, "not planned", size=13, cls="soft")
        return
    drawing.add("path", d=f"M{x - _GAP + 6} {y + 15}h20m-6 -5l6 5l-6 5", cls="arrow")
    lagg = cells[0].lagg
    if lagg is None or len({cell.then for cell in cells}) > 1:
        for cell in cells:
            left = _place(cell, hosts, x, column)
            drawing.add("rect", x=left, y=y, width=column - 8, height=_BOX, rx=5, cls="device")
            drawing.text(left + (column - 8) / 2, y + 20, cell.then, width=column - 20, size=13, font="mono", anchor="middle")
        return
    first, last = (_place(cell, hosts, x, column) for cell in (cells[0], cells[-1]))
    drawing.add("rect", x=first, y=y, width=last - first + column - 8, height=_BOX, rx=5, cls="lagg")
    drawing.text((first + last + column - 8) / 2, y + 20, f"{cells[0].then} ({lagg.protocol})", width=last - first + column - 20, size=13, font="mono",
                 anchor="middle")
    for cell in cells:
        _members(drawing, lagg.members[cell.host], _place(cell, hosts, x, column), y + _BOX, column - 8)


def _members(drawing: Drawing, members: tuple[str, ...], x: float, y: float, width: float) -> None:
    """The ports below the LAGG, each with its cable."""
    each = width / max(1, len(members))
    for place, member in enumerate(members):
        left = x + place * each + 4
        drawing.add("path", d=f"M{left + each / 2 - 4:.1f} {y}v7", cls="cable")
        drawing.add("rect", x=left, y=y + 7, width=each - 8, height=22, rx=4, cls="member")
        drawing.text(left + (each - 8) / 2, y + 22, member, width=each - 14, size=11, font="mono", anchor="middle")


def _paragraph(drawing: Drawing, text: str, y: float, total: float) -> float:
    for line in wrap(text, total - 2 * _MARGIN, 12, 12):
        drawing.text(_MARGIN, y, line, size=12, cls="soft")
        y += 17
    return y


def _problems(drawing: Drawing, plan: LaggPlan, y: float, total: float) -> float:
    """What is refused and warned of, below the panels; where the picture ends."""
    told: list[tuple[str, Problem]] = [("fail", problem) for problem in plan.refused] + [("warn", problem) for problem in plan.warnings]
    for status, problem in told:
        drawing.icon(_MARGIN, y - 11, status, 14)
        for line in wrap(str(problem), total - 2 * _MARGIN - 24, 12, 6):
            drawing.text(_MARGIN + 24, y, line, size=12)
            y += 17
        y += 6
    return y


def _alone(drawn: Markup) -> Markup:
    """A piece of the report's page as a document of its own, with the page's looks."""
    return Markup(str(drawn).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace("<title", f"<style>{_STYLE}</style><title", 1) + "\n")
