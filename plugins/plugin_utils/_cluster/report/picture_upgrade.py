# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The matrix of an upgrade: a row for each stage, the nodes beside each other, and an arrow for each direction in which states are to flow."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.svg import Drawing, text_width, wrap
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.upgrade_view import STATUS, release_of, sends_of, told
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.words import known, shared_domain
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.stages import NOW
from markupsafe import Markup

_WIDTH = 1020.0
_TITLE, _NODE = 160.0, 240.0
_LEFT, _RIGHT = _TITLE, _WIDTH - _NODE - 2
_ROW, _BOX = 126, 90
_TIP = 9


def upgrade_picture(name: str, upgrade: dict[str, Any]) -> Markup | None:
    """Draws one upgrade, as upgrades_of gives it; None when it has no two nodes.

    Args:
        name: prefix of the ids in the drawing, unique in the page.
        upgrade: what was judged.
    """
    rows = [(stage, pair, place == 0) for stage in upgrade["stages"] for place, pair in enumerate(combinations(stage["nodes"], 2))]
    if not rows:
        return None
    domain = shared_domain([known(node["node"]) for node in upgrade["stages"][0]["nodes"]])
    drawing = Drawing(name, f"Upgrade of {upgrade['cluster']}", "; ".join(
        f"{known(stage['title'])}: from {known(direction['from'])} to {known(direction['to'])} {told(stage, direction)}"
        for stage in upgrade["stages"] for direction in stage["directions"]) + ".")
    y = 0.0
    for stage, pair, first in rows:
        if first and y:
            drawing.add("path", d=f"M0 {y:.0f}H{_WIDTH:.0f}", cls="rule")
        if first:
            _title(drawing, y, stage)
        for x, node in zip((_LEFT, _RIGHT), pair, strict=True):
            _node(drawing, x, y + 18, node, domain)
        _arrows(drawing, y + 18, stage, pair)
        y += _ROW
    return drawing.render(_WIDTH, y)


def _title(drawing: Drawing, y: float, stage: dict[str, Any]) -> None:
    at = y + 36
    for line in wrap(known(stage["title"]), _TITLE - 20, 14, 2, "bold"):
        drawing.text(0, at, line, size=14, font="bold")
        at += 18
    pinned = [f"format {known(stage['pin']['format'])} {'to be pinned' if stage['id'] == NOW else 'pinned'}"] if stage["pin"] else []
    for text in pinned + ([f"LAGG: {', '.join(map(known, stage['lagg']))}"] if stage["lagg"] else []):
        for line in wrap(text, _TITLE - 20, 12, 2):
            drawing.text(0, at + 2, line, size=12, cls="soft")
            at += 16


def _node(drawing: Drawing, x: float, y: float, node: dict[str, Any], domain: str) -> None:
    which = "after" if node["upgraded"] is True else "before"
    drawing.add("rect", x=x, y=y, width=_NODE, height=_BOX, rx=8, cls=f"step-node {which}")
    drawing.add("rect", x=x, y=y + 8, width=5, height=_BOX - 16, rx=2, cls=f"step-mark {which}")
    badge = "upgraded" if which == "after" else "as it is now"
    wide = text_width(badge, 11)
    drawing.text(x + 18, y + 26, known(node["node"]).removesuffix(domain), size=15, font="bold", width=_NODE - 40 - wide)
    drawing.text(x + _NODE - 12, y + 26, badge, size=11, anchor="end", cls=f"step-badge {which}")
    drawing.text(x + 18, y + 50, release_of(node), size=13, width=_NODE - 30)
    drawing.text(x + 18, y + 72, f"sends {sends_of(node)}", size=12, cls="soft", width=_NODE - 30)


def _arrows(drawing: Drawing, y: float, stage: dict[str, Any], pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    left, right = _LEFT + _NODE + 12, _RIGHT - 12
    names = [node["node"] for node in pair]
    for direction in stage["directions"]:
        if {direction["from"], direction["to"]} != set(names):
            continue
        forth = direction["from"] == names[0]
        at = y + (32 if forth else 76)
        status = STATUS[direction["answer"]]
        begin, end, back = (left, right, -_TIP) if forth else (right, left, _TIP)
        drawing.add("path", d=f"M{begin:.0f} {at:.0f}H{end + back:.0f}", cls=f"flow-arrow {status}")
        drawing.add("path", d=f"M{end:.0f} {at:.0f}l{back} -5v10z", cls=f"flow-tip {status}")
        drawing.icon(left + 4, at - 21, status)
        words = f"{known(direction['purpose'])}: {told(stage, direction)}"
        drawing.text(left + 24, at - 10, words, size=12, width=right - left - 28, cls=f"status {status}")
