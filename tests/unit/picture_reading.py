# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads drawn pictures: their texts, where these are, which cover another, and which leave the drawing."""

from __future__ import annotations

import itertools
from xml.etree import ElementTree

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.svg import text_width


def read(picture):
    """The picture's elements, without the namespace that a document of its own has."""
    return ElementTree.fromstring(str(picture).replace(' xmlns="http://www.w3.org/2000/svg"', "", 1))


def own_text(element):
    """What an SVG text shows: without its tooltip."""
    return element.text or ""


def texts(root):
    return [own_text(element) for element in root.iter("text")]


def boxes(root):
    """Where every line of text is: (words, left, top, right, bottom)."""
    for element in root.iter("text"):
        size = float(element.get("font-size"))
        [font] = {"bold", "mono", "sans"} & set(element.get("class").split())
        width = text_width(own_text(element), size, font)
        x, y = float(element.get("x")), float(element.get("y"))
        left = {"end": x - width, "middle": x - width / 2}.get(element.get("text-anchor"), x)
        yield own_text(element), left, y - size * 0.75, left + width, y + size * 0.2


def overlaps(root):
    return [(one[0], other[0]) for one, other in itertools.combinations(boxes(root), 2)
            if one[1] < other[3] and other[1] < one[3] and one[2] < other[4] and other[2] < one[4]]


def beyond(root):
    """Texts that leave the drawing."""
    width, height = map(float, root.get("viewBox").split()[2:])
    return [box for box in boxes(root) if box[1] < -1 or box[3] > width + 1 or box[4] > height + 1]
