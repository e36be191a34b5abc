# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A product's config.xml, read as it is on the disk: the tree, and what its sections are like without their secrets."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List, Sequence, Tuple
from xml.etree import ElementTree

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.kept_files import MOST_BYTES, digest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

# Elements that hold a secret, or may.
_SECRET = re.compile("pass|pw|secret|key|psk|hash|prv|tls|token|community|shared", re.IGNORECASE)
# It changes with each other change.
_REVISION = "revision"


def tree(node: Node, path: str) -> ElementTree.Element:
    """The root of the file.

    Raises:
        NodeError: it cannot be read, or is no XML.
    """
    content = node.read_file(path, MOST_BYTES)
    if content is None:
        raise NodeError("%s is not on this node" % path)
    try:
        return ElementTree.fromstring(content.data)
    except ElementTree.ParseError as error:
        raise NodeError("%s is no XML: %s" % (path, error)) from error


def digests(root: ElementTree.Element, parts: Sequence[str] = ()) -> Dict[str, str]:
    """SHA-256 of each section without its secrets, by ``config.xml SECTION``; of sections that are named in ``parts``, of each of their own."""
    found: Dict[str, List[str]] = {}
    for name, section in _sections(root, parts):
        found.setdefault("config.xml %s" % name, []).extend(_lines(section, ""))
    return {name: digest("\n".join(lines)) for name, lines in found.items()}


def _sections(root: ElementTree.Element, parts: Sequence[str]) -> Iterator[Tuple[str, ElementTree.Element]]:
    for section in root:
        if section.tag in parts:
            for part in section:
                yield "%s/%s" % (section.tag, part.tag), part
        elif section.tag != _REVISION:
            yield section.tag, section


def _lines(element: ElementTree.Element, place: str) -> List[str]:
    if _SECRET.search(element.tag):
        return []
    own = "%s/%s" % (place, element.tag)
    return ["%s %s" % (own, (element.text or "").strip())] + [line for inner in element for line in _lines(inner, own)]
