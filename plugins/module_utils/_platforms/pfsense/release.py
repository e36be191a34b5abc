# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pfSense a node is: release and edition, as /etc/version and its patch file say."""

from __future__ import annotations

import re
from typing import NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

# The Community Edition counts its releases, Plus names them by year and month.
_FIRST_YEAR = 20
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(?:p(\d+))?(?:-([A-Za-z]+).*)?")
# Where each edition begins to have a Python that this collection's modules can run on.
_OLDEST = {"CE": (2, 6, 0), "Plus": (22, 1, 0)}


class Release(NamedTuple):
    """A release.

    Attributes:
        numbers: major, minor, and third number (0 where there is none).
        patch: of ``-p1`` and the like; 0 is none.
        stage: ``RELEASE``, ``DEVELOPMENT``, ``BETA``, ...
    """

    numbers: Tuple[int, int, int]
    patch: int
    stage: str

    @property
    def edition(self) -> str:
        """``CE`` or ``Plus``."""
        return "Plus" if self.numbers[0] >= _FIRST_YEAR else "CE"

    @property
    def driven(self) -> bool:
        """Whether this collection's modules run there and change things."""
        return self.numbers >= _OLDEST[self.edition]

    def since(self, community: Tuple[int, int, int], plus: Tuple[int, int, int]) -> bool:
        """True from this release of the Community Edition, or this one of Plus, on."""
        return self.numbers >= (plus if self.edition == "Plus" else community)

    @property
    def number(self) -> str:
        """As the product writes it: ``2.7.2``, ``2.4.5-p1``, ``23.09.1``."""
        major, minor, third = self.numbers
        number = "%02d.%02d" % (major, minor) if self.edition == "Plus" else "%d.%d" % (major, minor)
        return number + (".%d" % third if third or self.edition == "CE" else "") + ("-p%d" % self.patch if self.patch else "")

    def __str__(self) -> str:
        return "pfSense%s %s%s" % (" Plus" if self.edition == "Plus" else "", self.number, "" if self.stage == "RELEASE" else "-" + self.stage)


def parse(version: str, patch: str = "") -> Optional[Release]:
    """The release that /etc/version names, or None when it names none.

    Args:
        version: content of /etc/version, as ``2.7.2-RELEASE``, ``23.09.1-RELEASE`` or ``2.0.3p1-RELEASE``.
        patch: content of /etc/version.patch: a number, 0 or nothing for none.
    """
    found = _VERSION.fullmatch(version.strip())
    if not found:
        return None
    major, minor, third, inner, stage = found.groups()
    number = int(inner or 0) or (int(patch.strip()) if patch.strip().isdigit() else 0)
    return Release((int(major), int(minor), int(third or 0)), number, stage or "RELEASE")


def is_pfsense(node: Node) -> bool:
    """Whether the node says that it is one."""
    return (node.read_text("/etc/platform") or "").strip() == "pfSense" and node.read_text("/etc/version") is not None


def release_of(node: Node) -> Release:
    """The node's release.

    Raises:
        NodeError: it cannot be told, or it is too old for this collection to change anything there.
    """
    version = node.read_text("/etc/version")
    if version is None:
        raise NodeError("/etc/version is missing, so this is no pfSense; state the platform that the node is, or none")
    release = parse(version, node.read_text("/etc/version.patch") or "")
    if release is None:
        raise NodeError("/etc/version says %r, which is no release of pfSense that this collection knows" % version.strip()[:80])
    if not release.driven:
        raise NodeError("this node runs %s; this collection drives 2.6.0 and later, and Plus 22.01 and later; upgrade the node first: what the upgrade has to "
                        "know, node_info reads there without a module, unless its option raw is never" % (release,))
    return release
