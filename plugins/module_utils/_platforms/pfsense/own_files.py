# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file that pfSense is configured by, and what its sections are like without their secrets."""

from __future__ import annotations

import re
from typing import Dict, List
from xml.etree import ElementTree

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.kept_files import MOST_BYTES, Sources, digest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

CONFIG = "/cf/conf/config.xml"
# The product makes all of its other files from it.
SOURCES = Sources(patterns=(CONFIG,), needed=(CONFIG,), includes=re.compile("(?!)()"), redact=lambda path, text: text)
# Elements of config.xml that hold a secret, or may.
_SECRET = re.compile("pass|pw|secret|key|psk|hash|prv|tls|token|community|shared", re.IGNORECASE)
# It changes with each other change.
_REVISION = "revision"


def digests(node: Node) -> Dict[str, str]:
    """SHA-256 of each section of the configuration without its secrets, by ``config.xml SECTION``.

    Raises:
        NodeError: it cannot be read, or is no XML.
    """
    content = node.read_file(CONFIG, MOST_BYTES)
    if content is None:
        raise NodeError("%s is not on this node" % CONFIG)
    try:
        root = ElementTree.fromstring(content.data)
    except ElementTree.ParseError as error:
        raise NodeError("%s is no XML: %s" % (CONFIG, error)) from error
    found: Dict[str, List[str]] = {}
    for section in root:
        if section.tag != _REVISION:
            found.setdefault("config.xml %s" % section.tag, []).extend(_lines(section, ""))
    return {name: digest("\n".join(lines)) for name, lines in found.items()}


def _lines(element: ElementTree.Element, place: str) -> List[str]:
    if _SECRET.search(element.tag):
        return []
    own = "%s/%s" % (place, element.tag)
    return ["%s %s" % (own, (element.text or "").strip())] + [line for inner in element for line in _lines(inner, own)]
