# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster's picture: nodes side by side, what each does now, its interfaces and addresses, and the Sync network that joins them."""

from __future__ import annotations

from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.cluster_view import (
    CARP_PLATFORMS,
    Line,
    NodeView,
    marks,
    node_state,
    node_view,
    problem_lines,
    strangers,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.svg import Drawing, fit, text_width, wrap
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.words import known, shared_domain, yes_no
from markupsafe import Markup

_NODE_WIDTH = {1: 400, 2: 400, 3: 320, 4: 244}
_GAP = {2: 72, 3: 36}
_PAD = 14
_HEIGHT = {"text": 18, "mono": 18, "device": 22, "vip": 23, "meter": 28}
_REASON_LINES = 2
_NAME_SIZE = 16
_WORD = {"active": "ACTIVE", "standby": "STANDBY", "fault": "FAULT", "mixed": "MIXED", "maintenance": "MAINTENANCE", "stopped": "VRRP STOPPED",
         "none": "NO VIRTUAL IP", "unknown": "UNKNOWN"}
_MOST_STRANGERS = 4
# pfsync(4)
_PFSYNC_GROUPS = {4: "224.0.0.240", 6: "ff12::f0"}


def cluster_picture(name: str, cluster: dict[str, Any], checks: list[dict[str, Any]]) -> Markup:
    """Draws one cluster.

    Args:
        name: prefix of the ids in the drawing, unique in the page.
        cluster: {"name", "plans": {host: plan}, "evidence": {host: evidence | None}}, of the shapes PLAN and EVIDENCE.
        checks: results that belong to this cluster; fail, error and warn are marked on the element that they concern.
    """
    plans, evidence = cluster["plans"], cluster["evidence"]
    states = {host: node_state(plans[host], evidence.get(host)) for host in plans}
    own, shared = marks(checks, states)
    views = [node_view(host, plans[host], evidence.get(host), own[host]) for host in plans]
    domain = shared_domain(list(plans))
    drawing = Drawing(name, f"Cluster {cluster['name']}", "; ".join(f"{view.name} ({view.role}) is {_word(view).lower()}" for view in views) + ".")
    width, gap = _NODE_WIDTH.get(len(views), 210), _GAP.get(len(views), 14)
    total = max(len(views) * width + (len(views) - 1) * gap, 400) + 4.0
    for view in views:
        view.name = view.name.removesuffix(domain)
    tops = _tops(views, width - 2 * _PAD)
    bottom = tops.pop("end")
    for place, view in enumerate(views):
        _node(drawing, view, 2 + place * (width + gap), width, tops, bottom)
    centres = [2 + place * (width + gap) + width / 2 for place in range(len(views))]
    height = _network(drawing, centres, bottom, total, _sync_of(plans), shared, strangers(plans, evidence))
    return drawing.render(total, height)


def _word(view: NodeView) -> str:
    return "CARP OFF" if view.carp and view.state == "stopped" else _WORD[view.state]


def _sync_of(plans: dict[str, Any]) -> dict[str, Any]:
    """What the plans say of the Sync network and of the platform; the same in all, so the first that says anything."""
    return next(({**plan["state_sync"], "platform": plan.get("platform")} for plan in plans.values() if plan.get("state_sync")), {})


def _tops(views: list[NodeView], width: float) -> dict[str, float]:
    """Where each block begins, equal in all nodes; where the line of the state is ("pill"); the end of the boxes ("end")."""
    order = sorted({block for view in views for block in view.blocks}, key=_rank)
    lines = max((len(_name(view, width)) for view in views), default=1)
    tops, y = {"pill": 46.0 + 20 * (lines - 1)}, 86.0 + 20 * (lines - 1)
    for block in order:
        tops[block] = y
        tallest = max(sum(_height(line, width) for line in view.blocks.get(block, [])) for view in views)
        if tallest:
            y += tallest + (10 if block == "role" else 18)
    tops["end"] = y
    return tops


def _name(view: NodeView, width: float) -> list[str]:
    """The name in up to three lines, its end always shown: names of nodes often differ there only."""
    lines = wrap(view.name, width, _NAME_SIZE, len(view.name), "bold")
    return lines if len(lines) <= 3 else [*lines[:2], fit("".join(lines[2:]), width, _NAME_SIZE, "bold")]


def _height(line: Line, width: float) -> float:
    if line.kind == "problem":
        return 21.0 + 15 * len(wrap(line.note, width - 20, 12, _REASON_LINES))
    if line.kind == "text":
        return _HEIGHT["text"] * len(_words(line, width))
    return _HEIGHT[line.kind]


def _words(line: Line, width: float) -> list[str]:
    return wrap(line.text, width - (20 if line.soft else 0), 12 if line.soft else 13, 2)


def _rank(block: str) -> tuple[int, str]:
    return ({"role": 0, "engine": 2, "sync": 3}.get(block, 1), block)


def _node(drawing: Drawing, view: NodeView, x: float, width: float, tops: dict[str, float], bottom: float) -> None:
    inner = width - 2 * _PAD
    drawing.add("rect", x=x, y=2, width=width, height=bottom - 2, rx=10, cls=f"node {view.state}")
    drawing.add("path", d=f"M{x + 10} 2h{width - 20}a10 10 0 0 1 10 10v0H{x}v0a10 10 0 0 1 10-10z", cls=f"cap {view.state}")
    for place, part in enumerate(_name(view, inner)):
        drawing.text(x + _PAD, 36 + 20 * place, part, size=_NAME_SIZE, font="bold")
    y_pill = tops["pill"]
    word = _word(view)
    pill = text_width(word, 11, "bold") + 36
    drawing.add("rect", x=x + _PAD, y=y_pill, width=pill, height=22, rx=11, cls=f"pill {view.state}")
    _glyph(drawing, x + _PAD + 8, y_pill + 5, view.state)
    drawing.text(x + _PAD + 25, y_pill + 15, word, size=11, font="bold", cls=f"on {view.state}")
    room = inner - pill - 10
    beside = f"{view.role}, {view.system}" if text_width(f"{view.role}, {view.system}", 12) <= room else view.role
    drawing.text(x + _PAD + pill + 10, y_pill + 15, beside, width=room, size=12, cls="soft")
    for block, top in tops.items():
        lines = view.blocks.get(block, [])
        if lines and block != "role":
            drawing.add("path", d=f"M{x + _PAD} {top - 9:.1f}h{inner}", cls="rule")
        y = top
        for line in lines:
            _line(drawing, line, x + _PAD, y, inner)
            y += _height(line, inner)


def _glyph(drawing: Drawing, x: float, y: float, state: str) -> None:
    """A shape inside the pill: full for active, hollow for standby, crossed for what is wrong, a bar for what is unknown."""
    if state == "active":
        drawing.add("circle", cx=x + 6, cy=y + 6, r=5, cls="glyph full")
    elif state == "standby":
        drawing.add("circle", cx=x + 6, cy=y + 6, r=4, cls="glyph line standby")
    elif state in ("fault", "mixed", "stopped"):
        drawing.add("path", d=f"M{x + 2} {y + 2}l8 8m0-8l-8 8", cls="glyph line")
    else:
        drawing.add("path", d=f"M{x + 2} {y + 6}h8", cls=f"glyph line {state}")


def _line(drawing: Drawing, line: Line, x: float, y: float, width: float) -> None:
    tone = "soft" if line.soft else ""
    if line.kind == "device":
        drawing.add("rect", x=x, y=y + 2, width=12, height=12, rx=2.5, cls=f"port {line.value}")
        state = "" if line.value == "up" else str(line.value)
        aside = text_width(state, 12, "bold") + 8 if state else 0
        drawing.text(x + 20, y + 13, line.text, width=width - 20 - aside, size=13, font="mono", cls="strong")
        if state:
            drawing.text(x + width, y + 13, state, size=12, font="bold", cls=f"link {state}", anchor="end")
    elif line.kind == "vip":
        held = line.value is True
        shown = min(width - 20 if width > 240 else width, text_width(line.text, 12, "mono") + 44)
        left = x + (20 if width > 240 else 0)
        drawing.add("rect", x=left, y=y + 1, width=shown, height=19, rx=4, cls="vip held" if held else "vip")
        drawing.text(left + 7, y + 14.5, "VIP", size=10, font="bold", cls="on active" if held else "soft")
        drawing.text(left + 34, y + 14.5, line.text, width=shown - 38, size=12, font="mono", cls="on active" if held else "soft")
    elif line.kind == "problem":
        _problem(drawing, x, y, width, line)
    elif line.kind == "meter":
        drawing.text(x, y + 12, line.text, width=width, size=12.5)
        drawing.add("rect", x=x, y=y + 18, width=width, height=4, rx=2, cls="track")
        if line.value is not None:
            drawing.add("rect", x=x, y=y + 18, width=max(2.0, min(1.0, line.value) * width), height=4, rx=2, cls="fill full" if line.value > 0.9 else "fill")
    elif line.kind == "mono":
        drawing.text(x + 20, y + 12, line.text, width=width - 20, size=12, font="mono", cls=tone)
    else:
        for place, words in enumerate(_words(line, width)):
            drawing.text(x + (20 if line.soft else 0), y + 12 + _HEIGHT["text"] * place, words, size=12 if line.soft else 13, cls=tone)


def _problem(drawing: Drawing, x: float, y: float, width: float, line: Line) -> None:
    drawing.icon(x, y, line.value, 14)
    drawing.text(x + 20, y + 11.5, line.text, width=width - 20, size=12, font="bold", cls=f"status {line.value}")
    for place, words in enumerate(wrap(line.note, width - 20, 12, _REASON_LINES)):
        drawing.text(x + 20, y + 26.5 + 15 * place, words, size=12)


def _network(drawing: Drawing, centres: list[float], bottom: float, total: float, sync: dict[str, Any], shared: list[dict[str, Any]],
             foreign: list[tuple[str, str]]) -> float:
    """The line that joins the nodes, what it is, and who is on it that should not be. Returns the height of the whole drawing."""
    y = bottom + 30
    enabled = sync.get("enabled") is True
    wire = "wire" if enabled else "wire off"
    for centre in centres:
        drawing.add("path", d=f"M{centre} {bottom}V{y}", cls=wire)
        if enabled:
            drawing.add("circle", cx=centre, cy=bottom, r=4.5, cls="plug")
    left, right = (centres[0], centres[-1]) if len(centres) > 1 else (centres[0] - 60, centres[0] + 60)
    drawing.add("path", d=f"M{left} {y}H{right}", cls=f"{wire} bus")
    boxes = foreign[:_MOST_STRANGERS] + ([("", f"and {len(foreign) - _MOST_STRANGERS} more")] if len(foreign) > _MOST_STRANGERS else [])
    aside = min(330.0, total * 0.4) if boxes else 0.0
    room = total - left - aside - 8 if boxes else total - left
    y_text = y + 24
    if enabled:
        drawing.text(left, y_text, f"Sync network {known(sync.get('network'))}", width=room, size=14, font="bold")
        for place, words in enumerate(_transport(sync)):
            drawing.text(left, y_text + 18 + 16 * place, words, width=room, size=12, cls="soft")
    elif sync:
        drawing.text(left, y_text, "No state sync", width=room, size=14, font="bold")
        drawing.text(left, y_text + 18, "A failover loses every connection", width=room, size=12, cls="soft")
    else:
        drawing.text(left, y_text, "State sync unknown", width=room, size=14, font="bold")
    y_left = y_text + 48
    for line in problem_lines(shared):
        _problem(drawing, left, y_left, room, line)
        y_left += _height(line, room)
    y_right = y + 18
    for place, (address, mac) in enumerate(boxes):
        x = total - aside - 2
        if place == 0:
            drawing.add("path", d=f"M{x + 16} {y}V{y_right}", cls="wire foreign")
        drawing.add("rect", x=x, y=y_right, width=aside, height=44, rx=5, cls="stranger")
        drawing.icon(x + 10, y_right + 8, "fail", 14)
        drawing.text(x + 32, y_right + 19, f"Stranger {address}".strip() + ("s" if not address else ""), width=aside - 40, size=12, font="bold")
        drawing.text(x + 32, y_right + 35, mac or "MAC unknown", width=aside - 40, size=12, font="mono", cls="soft")
        y_right += 50
    return max(y_left, y_right) + 4


def _transport(sync: dict[str, Any]) -> tuple[str, str]:
    if sync["platform"] in CARP_PLATFORMS:
        group = _PFSYNC_GROUPS[6 if ":" in str(sync.get("network")) else 4]
        return known(sync.get("transport")) + (f" {group}" if sync.get("transport") == "multicast" else ""), "states go straight into the kernel"
    if sync.get("transport") == "unicast":
        way = f"unicast, port {known(sync.get('port'))}"
    else:
        way = f"{known(sync.get('transport'))} {known(sync.get('group'))}, port {known(sync.get('port'))}"
    into = yes_no(sync.get("external_cache"), "states wait in the external cache", "states go straight into the kernel")
    return way, f"mode {known(sync.get('mode'))}, {into}"
