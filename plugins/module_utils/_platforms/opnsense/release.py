# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which OPNsense a node is: the file of its core says so."""

from __future__ import annotations

import json
import re
from typing import NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

# Source: opnsense/core, src/opnsense/version/core.in; the keys product_* are the same from 23.7 to 26.7.
CORE = "/usr/local/opnsense/version/core"
_NUMBERS = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
# The business edition has its releases in between: 24.4, 24.10 (opnsense/core, Makefile).
_BUSINESS_MONTHS = (4, 10)


class Release(NamedTuple):
    """A release.

    Attributes:
        text: as the product writes it: ``26.1.4``, ``24.7.10_1``.
        numbers: year, month, and third number (0 where there is none).
        name: of its package, as ``opnsense`` or ``opnsense-business``.
    """

    text: str
    numbers: Tuple[int, int, int]
    name: str

    @property
    def edition(self) -> str:
        """``community``, ``business`` or ``development``."""
        if self.name.endswith("-devel"):
            return "development"
        return "business" if self.name.endswith("-business") or self.numbers[1] in _BUSINESS_MONTHS else "community"


def is_opnsense(node: Node) -> bool:
    """Whether the node says that it is one."""
    return (node.read_text(CORE) or "").lstrip().startswith("{")


def parse(text: str) -> Optional[Release]:
    """The release in the file of the core; None where it has none."""
    try:
        found = json.loads(text)
        version, name = found["product_version"], found["product_id"]
    except (ValueError, TypeError, KeyError):
        return None
    numbers = _NUMBERS.match(version) if isinstance(version, str) and isinstance(name, str) else None
    return Release(version, (int(numbers[1]), int(numbers[2]), int(numbers[3] or 0)), name) if numbers else None


def release_of(node: Node) -> Release:
    """The node's release.

    Raises:
        NodeError: it cannot be told.
    """
    text = node.read_text(CORE)
    if text is None:
        raise NodeError("%s is missing, so this is no OPNsense; state the platform that the node is, or none" % CORE)
    release = parse(text)
    if release is None:
        raise NodeError("%s names no release of OPNsense that this collection knows" % CORE)
    return release
