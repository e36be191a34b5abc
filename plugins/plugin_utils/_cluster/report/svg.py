# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draws SVG: elements with escaped text, an estimate of how wide text will be, and the small status icons."""

from __future__ import annotations

import unicodedata

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.clean import clean_text
from markupsafe import Markup, escape

# Widths per em, on the safe side for the wide fonts of the usual font stacks (DejaVu Sans, Verdana).
_EM = {"sans": 0.6, "bold": 0.67, "mono": 0.61}

# A shape for each status, in a box of 16 by 16: never colour alone.
ICONS = {
    "pass": '<circle cx="8" cy="8" r="7"/><path class="cut" d="M4.6 8.3l2.4 2.4 4.4-5"/>',
    "fail": '<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z"/><path class="cut" d="M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6"/>',
    "warn": '<path d="M8 1l7.2 13.6H.8z"/><path class="cut" d="M8 5.8v4M8 12v.6"/>',
    "error": '<path d="M8 .6L15.4 8 8 15.4.6 8z"/><path class="cut" d="M6 6.4c0-2.6 4-2.6 4 0 0 1.6-2 1.5-2 3M8 11.6v.5"/>',
    "skipped": '<circle cx="8" cy="8" r="7"/><path class="cut" d="M4.6 8h6.8"/>',
}


def text_width(text: str, size: float, font: str = "sans") -> float:
    """About how wide the text will be, in the drawing's units; rather too wide than too narrow."""
    ems = 0.0
    for character in text:
        if unicodedata.combining(character):
            continue
        if unicodedata.east_asian_width(character) in "WF":
            ems += 1.1
        else:
            ems += _EM[font]
            if font != "mono":
                ems += 0.36 if character in "mwMW@%" else 0.12 if character.isupper() else 0
    return ems * size


def fit(text: str, width: float, size: float, font: str = "sans") -> str:
    """The text, cut in its middle with an ellipsis when it would be wider than ``width``: both ends of a name or an address tell it apart."""
    if text_width(text, size, font) <= width:
        return text
    keep = len(text)
    while keep > 1:
        keep -= 1
        head = (keep + 1) // 2
        shorter = text[:head].rstrip() + "…" + text[len(text) - (keep - head):].lstrip()
        if text_width(shorter, size, font) <= width:
            return shorter
    return "…"


def wrap(text: str, width: float, size: float, most: int, font: str = "sans") -> list[str]:
    """The text in at most ``most`` lines of ``width``, broken at spaces, else after a sign within a name; what is too much ends in an ellipsis."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and text_width(longer, size, font) > width:
            lines.append(line)
            longer = word
        while text_width(longer, size, font) > width and len(longer) > 1:
            room = max(1, int(width / text_width(longer, size, font) * len(longer)))
            room = max([longer.rfind(sign, room // 2, room) + 1 for sign in "-./:,_"]) or room
            lines.append(longer[:room])
            longer = longer[room:]
        line = longer
    lines += [line] if line else []
    if len(lines) > most:
        end = lines[most - 1]
        while end and text_width(end + "…", size, font) > width:
            end = end[:-1]
        lines = [*lines[:most - 1], end.rstrip() + "…"]
    return lines


class Drawing:
    """One picture. Coordinates are the drawing's units, which are pixels at its natural width.

    Args:
        name: prefix of the ids in it, unique in the page; letters, digits and hyphens.
        title: what the picture is, for those who do not see it.
        description: what it shows, in words.
    """

    def __init__(self, name: str, title: str, description: str) -> None:
        self.name = name
        self._title, self._description = clean_text(title), clean_text(description)
        self._parts: list[str] = []

    def add(self, tag: str, content: str = "", **attributes: object) -> None:
        """An element; underscores in attribute names become hyphens, ``cls`` is the class. ``content`` is text, and is escaped."""
        self._parts.append(_element(tag, escape(clean_text(content)), attributes))

    def text(self, x: float, y: float, content: str, *, width: float | None = None, size: float = 13, font: str = "sans", cls: str = "",
             anchor: str = "start") -> None:
        """A line of text, cut to ``width``; the whole of it is then in its tooltip."""
        content = " ".join(clean_text(content).split())
        shown = content if width is None else fit(content, width, size, font)
        inner = escape(shown) if shown == content else escape(shown) + Markup("<title>%s</title>") % content
        classes = " ".join(filter(None, (font, cls)))
        attributes = {"x": x, "y": y, "font_size": size, "cls": classes, "text_anchor": None if anchor == "start" else anchor}
        self._parts.append(_element("text", inner, attributes))

    def icon(self, x: float, y: float, status: str, size: float = 14) -> None:
        """The icon of a status, its upper left corner at x, y."""
        self._parts.append(f'<g class="icon {status}" transform="translate({_number(x)} {_number(y)}) scale({_number(size / 16)})">{ICONS[status]}</g>')

    def render(self, width: float, height: float) -> Markup:
        """The picture as a piece of the page, scaled to the page and never beyond its natural size."""
        head = Markup('<svg role="img" viewBox="0 0 {0} {1}" width="{0}" height="{1}" aria-labelledby="{2}-t {2}-d">'
                      '<title id="{2}-t">{3}</title><desc id="{2}-d">{4}</desc>')
        return head.format(_number(width), _number(height), self.name, self._title, self._description) + Markup("".join(self._parts)) + Markup("</svg>")


def icon(status: str) -> Markup:
    """The icon of a status for a line of the page."""
    return Markup(f'<svg class="icon {status}" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">{ICONS[status]}</svg>')


def _element(tag: str, inner: Markup, attributes: dict[str, object]) -> str:
    written = "".join(
        f' {"class" if name == "cls" else name.replace("_", "-")}="{escape(_number(value) if isinstance(value, float) else clean_text(value))}"'
        for name, value in attributes.items() if value not in (None, ""))
    return f"<{tag}{written}>{inner}</{tag}>" if inner else f"<{tag}{written}/>"


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
