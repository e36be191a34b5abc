# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drills beside each other: how many connections each kept, how long the gap was, when a new connection succeeded."""

from __future__ import annotations

from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.clean import number
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.svg import Drawing, text_width
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.words import UNKNOWN, count, drill_name, duration
from markupsafe import Markup

_WIDTH = 330.0
_ROW = 52
_BAR = 16


def compare_pictures(name: str, drills: list[dict[str, Any]]) -> list[Markup]:
    """Draws two or more drills (of the shape DRILL) as three small pictures, which stand side by side or below each other; none for fewer drills."""
    if len(drills) < 2:
        return []
    gaps = [number((drill.get("gap_ms") or {}).get("median")) for drill in drills]
    return [
        _kept(f"{name}-kept", drills),
        _times(f"{name}-gap", "Median gap of the UDP flows", drills, gaps),
        _times(f"{name}-reconnect", "Time to a new connection", drills, [number(drill.get("reconnect_ms")) for drill in drills]),
    ]


def _kept(name: str, drills: list[dict[str, Any]]) -> Markup:
    words = [_share(drill) for drill in drills]
    drawing = _begin(name, "TCP connections kept and lost", drills, words)
    for place, drill in enumerate(drills):
        flows, lost = number(drill.get("flows")), number(drill.get("lost"))
        y = _row(drawing, place, drill, words[place])
        if flows and lost is not None:
            gone = max(0.0, min(1.0, lost / flows)) * _WIDTH
            if gone < _WIDTH:
                drawing.add("rect", x=0, y=y, width=_WIDTH - gone, height=_BAR, rx=2, cls="bar kept")
            if gone:
                drawing.add("rect", x=_WIDTH - gone, y=y, width=gone, height=_BAR, rx=2, cls="bar lost")
                for stripe in range(int(_WIDTH - gone) + 4, int(_WIDTH) - 8, 9):  # a second sign besides the colour
                    drawing.add("path", d=f"M{stripe} {y + _BAR - 3}l6 {6 - _BAR}", cls="stripe")
    return drawing.render(_WIDTH, _height(drills))


def _share(drill: dict[str, Any]) -> str:
    flows, lost = number(drill.get("flows")), number(drill.get("lost"))
    return UNKNOWN if flows is None or lost is None else f"{count(flows - lost)} kept"


def _times(name: str, title: str, drills: list[dict[str, Any]], values: list[float | None]) -> Markup:
    words = [duration(value) for value in values]
    drawing = _begin(name, title, drills, words)
    longest = max([value for value in values if value is not None] + [1.0])
    for place, value in enumerate(values):
        y = _row(drawing, place, drills[place], words[place])
        drawing.add("rect", x=0, y=y, width=_WIDTH, height=_BAR, rx=2, cls="lane")
        if value is not None:
            drawing.add("rect", x=0, y=y, width=max(2.0, max(0.0, value) / longest * _WIDTH), height=_BAR, rx=2, cls="bar time")
    return drawing.render(_WIDTH, _height(drills))


def _begin(name: str, title: str, drills: list[dict[str, Any]], words: list[str]) -> Drawing:
    drawing = Drawing(name, title, "; ".join(f"{drill_name(drill)}: {said}" for drill, said in zip(drills, words, strict=True)) + ".")
    drawing.text(0, 15, title, width=_WIDTH, size=14, font="bold")
    return drawing


def _row(drawing: Drawing, place: int, drill: dict[str, Any], words: str) -> float:
    """What was drilled and its figure; returns where the bar goes."""
    y = 28.0 + place * _ROW
    drawing.text(0, y + 12, drill_name(drill), width=_WIDTH - 8 - text_width(words, 12, "bold"), size=12)
    drawing.text(_WIDTH, y + 12, words, size=12, font="bold", anchor="end")
    return y + 19


def _height(drills: list[dict[str, Any]]) -> float:
    return 28.0 + len(drills) * _ROW
