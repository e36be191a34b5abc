# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The failover's timeline: what was delivered in each direction and by whom, and the moments that matter, around the failure at 0 ms.

A drill's ``timeline`` has this shape (times in milliseconds, the failure at 0, negative before it)::

    {"failure_at": 0, "unit": "ms", "bucket_ms": 10,
     "deliveries": [{"direction": "client_to_server" | "server_to_client",
                     "buckets": [[t_ms, packets, via_node | None], ...]}],   # t_ms: begin of a bucket; empty buckets may be left out
     "events": [{"t_ms": float, "label": str, "node": host | None}]}

Packets are counted where they arrive, over all UDP flows of the direction. ``via_node`` is the node that forwarded them.
Two nodes in one bucket are two entries with the same t_ms. Events whose label begins with failure, takeover, reconnect or detection
are left out: the drill's own figures (takeover_ms, reconnect_ms, detection_limit_ms) draw these moments.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.clean import number
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.svg import Drawing, text_width
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.timeline_view import (
    DIRECTIONS,
    Bucket,
    Marker,
    bucket_width,
    buckets_of,
    columns,
    markers_of,
    spans,
    ticks,
    usual_rate,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.words import drill_name, duration, known
from markupsafe import Markup

_WIDTH = 1020.0
_LEFT = 128.0
_RIGHT = _WIDTH - 16
_COLUMNS = 438  # 2 units each
_ROW = 44
_NAMES = {"client_to_server": "client to server", "server_to_client": "server to client"}
_LANE = 19


def timeline_picture(name: str, drill: dict[str, Any]) -> Markup | None:
    """Draws one drill (of the shape DRILL), or returns None when it has no timeline."""
    timeline = drill.get("timeline")
    if not timeline or not (timeline.get("deliveries") or timeline.get("events")):
        return None
    traffic = {direction: buckets_of(timeline, direction) for direction in DIRECTIONS}
    every = sorted((bucket for buckets in traffic.values() for bucket in buckets), key=lambda bucket: bucket.start)
    markers = markers_of(drill, timeline)
    gap = drill.get("gap_ms") or {}
    drawing = Drawing(name, f"Timeline: {drill_name(drill)}",
                      f"UDP delivery around the failure. Median gap {duration(gap.get('median'))}; "
                      + "; ".join(f"{marker.label} at {marker.at:,.0f} ms" for marker in markers) + ".")
    y = _legend(drawing, drill, every)
    for place, (title, begin, end) in enumerate(spans(drill, markers, every)):
        panel = _Panel(drawing, begin, end)
        y = panel.draw(y, title, traffic, bucket_width(timeline, every), markers, drill, gap if place == 0 else {})
    return drawing.render(_WIDTH, y)


def _legend(drawing: Drawing, drill: dict[str, Any], buckets: list[Bucket]) -> float:
    """Who is drawn how; other nodes than the two and unknown forwarders only when they occur."""
    entries = [("old", f"{known(drill.get('old_active'))}, active before"), ("new", f"{known(drill.get('new_active'))}, active after")]
    seen = {_who(drill, bucket.via) for bucket in buckets if bucket.packets > 0}
    entries += [("other", "another node")] if "other" in seen else []
    entries += [("unseen", "forwarder not known")] if "unseen" in seen else []
    drawing.text(0, 17, "Forwarded by", size=12, cls="soft")
    x, room = _LEFT, (_RIGHT - _LEFT) / len(entries)
    for who, label in entries:
        drawing.add("rect", x=x, y=7, width=14, height=12, rx=2, cls=f"flow {who}")
        if who == "new":
            drawing.add("path", d=f"M{x} 7h14v3H{x}z", cls="crest")
        drawing.text(x + 20, 17, label, width=room - 32, size=12)
        x += min(room, text_width(label, 12) + 44)
    return 30.0


def _who(drill: dict[str, Any], via: str | None) -> str:
    if via is None:
        return "unseen"
    return {drill.get("new_active"): "new", drill.get("old_active"): "old"}.get(via, "other")


class _Panel:
    """One span of time with its own linear axis."""

    def __init__(self, drawing: Drawing, begin: float, end: float) -> None:
        self.drawing, self.begin, self.end = drawing, begin, end

    def x(self, at: float) -> float:
        """Where a moment is."""
        return round(_LEFT + (at - self.begin) / (self.end - self.begin) * (_RIGHT - _LEFT), 1)

    def draw(self, y: float, title: str, traffic: dict[str, list[Bucket]], width: float, markers: list[Marker], drill: dict[str, Any],
             gap: dict[str, Any]) -> float:
        """Draws the panel from y on and returns where it ends."""
        drawing = self.drawing
        shown = [marker for marker in markers if self.begin <= marker.at <= self.end]
        drawing.text(0, y + 18, title, size=14, font="bold")
        labels = _place([(self.x(marker.at), _label(marker)) for marker in shown])
        lanes = max((lane for lane, _x, _anchor in labels), default=0) + 1
        top = y + 8 + lanes * _LANE + 4
        bottom = top + len(DIRECTIONS) * (_ROW + 10) + (48 if number(gap.get("median")) is not None else 0)
        for place, direction in enumerate(DIRECTIONS):
            self._row(top + place * (_ROW + 10), direction, traffic[direction], width, drill)
        for marker, (lane, x, anchor) in zip(shown, labels, strict=True):
            at = self.x(marker.at)
            base = y + 8 + lane * _LANE
            drawing.add("path", d=f"M{at} {base:.1f}V{bottom:.1f}", cls=f"moment {marker.kind}")
            drawing.text(x, base + 11, _label(marker), width=(_RIGHT - x) if anchor == "start" else x, size=12,
                         font="bold" if marker.kind == "failure" else "sans", cls=f"moment-text {marker.kind}", anchor=anchor)
        if number(gap.get("median")) is not None:  # after the lines, which its words then cover
            self._gap(top + len(DIRECTIONS) * (_ROW + 10) + 4, gap)
        return self._axis(bottom)

    def _row(self, y: float, direction: str, buckets: list[Bucket], width: float, drill: dict[str, Any]) -> None:
        """Delivery as an area as high as its share of the usual rate; where nothing arrived, the row is a hole."""
        drawing = self.drawing
        drawing.text(0, y + _ROW / 2, "UDP", size=12, cls="soft")
        drawing.text(0, y + _ROW / 2 + 15, _NAMES[direction], size=12)
        drawing.add("rect", x=_LEFT, y=y, width=_RIGHT - _LEFT, height=_ROW, cls="lane")
        usual = usual_rate(buckets, width)
        if not usual:
            drawing.text(_LEFT + 8, y + _ROW / 2 + 4, "no delivery recorded", size=12, cls="soft")
            return
        step = (_RIGHT - _LEFT) / _COLUMNS
        runs: list[tuple[str, int, list[float]]] = []
        for place, (rate, via, delivered) in enumerate(columns(buckets, width, self.begin, self.end, _COLUMNS)):
            if not delivered:
                continue
            who, height = _who(drill, via), max(2.0, min(1.0, rate / usual) * _ROW)
            if runs and runs[-1][0] == who and runs[-1][1] + len(runs[-1][2]) == place:
                runs[-1][2].append(height)
            else:
                runs.append((who, place, [height]))
        for who, first, heights in runs:
            left = _LEFT + first * step
            outline = "".join(f"V{y + _ROW - height:.1f}h{step:.2f}" for height in heights)
            drawing.add("path", d=f"M{left:.2f} {y + _ROW:.1f}{outline}V{y + _ROW:.1f}z", cls=f"flow {who}")
            if who == "new":  # a second sign besides the colour: a dark crest along its top
                drawing.add("path", d=f"M{left:.2f} {y + 1.5:.1f}h{step * len(heights):.2f}", cls="crest-line")

    def _gap(self, y: float, gap: dict[str, Any]) -> None:
        """The outage's length over the flows: a bar to the median, a whisker to the 99th percentile and on to the maximum."""
        drawing, zero = self.drawing, self.x(0)
        drawing.text(0, y + 14, "gap per flow", size=12)
        median, far = number(gap.get("median")) or 0.0, number(gap.get("max"))
        until = self.x(min(median, self.end))
        drawing.add("rect", x=zero, y=y + 1, width=max(1.0, until - zero), height=18, cls="gap")
        high = number(gap.get("p99"))
        reach = max([value for value in (median, high, far) if value is not None])
        drawing.add("path", d=f"M{until} {y + 10}H{self.x(min(reach, self.end))}", cls="whisker")
        for value in (high, far):
            if value is not None and value <= self.end:
                drawing.add("path", d=f"M{self.x(value)} {y + 5}v10", cls="whisker")
        words = f"median {duration(median)}, p99 {duration(high)}, max {duration(far)}"
        drawing.text(zero + 5, y + 33, words, size=12, cls="moment-text", width=_RIGHT - zero - 5)

    def _axis(self, y: float) -> float:
        drawing = self.drawing
        drawing.add("path", d=f"M{_LEFT} {y + 2:.1f}H{_RIGHT}", cls="axis")
        drawing.text(0, y + 20, "ms after failure", size=12, cls="soft")
        for tick in ticks(self.begin, self.end, 9):
            x = self.x(tick)
            drawing.add("path", d=f"M{x} {y + 2:.1f}v5", cls="axis")
            label = f"{tick:,.0f}".replace("-", "\N{MINUS SIGN}")
            half = text_width(label, 12) / 2
            if x - half >= _LEFT - 8 and x + half <= _WIDTH:
                drawing.text(x, y + 20, label, size=12, cls="soft", anchor="middle")
        return y + 36


def _label(marker: Marker) -> str:
    return marker.label if marker.kind == "failure" else f"{marker.label} {duration(marker.at)}"


def _place(wanted: list[tuple[float, str]]) -> list[tuple[int, float, str]]:
    """Finds every label a lane and a side, (lane, x, anchor), so that no two overlap, and no line crosses a label where that can be had."""
    placed: list[tuple[int, float, float, float]] = []  # lane, left, right, leader
    found = []
    for at, label in wanted:
        wide = text_width(label, 12, "bold")
        sides = [(at + 5, at + 5 + wide, "start")] if at + 5 + wide <= _RIGHT else []
        sides += [(at - 5 - wide, at - 5, "end")] if at - 5 - wide >= 0 else []
        choices = [(lane, *side) for lane in range(len(placed) + 1) for side in sides or [(at + 5, _RIGHT, "start")]]
        lane, left, right, anchor = min(choices, key=lambda choice: _cost(choice[0], choice[1], choice[2], at, placed))
        placed.append((lane, left, right, at))
        found.append((lane, left if anchor == "start" else right, anchor))
    return found


def _cost(lane: int, left: float, right: float, at: float, placed: list[tuple[int, float, float, float]]) -> tuple[int, int, int]:
    """How bad a place is: labels that it overlaps, lines that cross labels, and how far down it is."""
    overlaps = sum(other == lane and left < end + 6 and right > start - 6 for other, start, end, _leader in placed)
    crossings = sum((other > lane and start - 3 <= at <= end + 3) + (other <= lane and left - 3 <= leader <= right + 3) for other, start, end, leader in placed)
    return overlaps, crossings, lane
