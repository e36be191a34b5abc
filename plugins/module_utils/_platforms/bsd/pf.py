# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pf as it runs: whether it does, how many states it holds, and whose they are."""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

# Where pfctl does not list who made the states, only they themselves tell; they stay on the node, and what comes back is each id once.
CREATOR_ONLY = 'sub(/.*creatorid: */, ""); sub(/[^0-9a-f].*/, "")'
OF_STATES = ("sh", "-c", "pfctl -vvss | awk '/creatorid:/ { %s; print }' | sort -u" % CREATOR_ONLY)
_LONGEST = 120.0  # seconds; a million states take their time


class Status(NamedTuple):
    """pf, from ``pfctl -si -v``: ``host_id`` marks the states that this node makes, in its shortest form."""

    running: Optional[bool]
    host_id: Optional[str]
    states: Optional[int]


def status(text: str) -> Status:
    """Read the answer; what it does not say is None."""
    state = re.search(r"^Status: (Enabled|Disabled)", text, re.MULTILINE)
    host_id = re.search(r"^Hostid: +0x([0-9a-f]+)", text, re.MULTILINE)
    states = re.search(r"^ +current entries +(\d+)", text, re.MULTILINE)
    return Status(None if state is None else state[1] == "Enabled", None if host_id is None else "%x" % int(host_id[1], 16),
                  None if states is None else int(states[1]))


def limit(text: str) -> Optional[int]:
    """How many states the kernel takes at most, from ``pfctl -sm``."""
    found = re.search(r"^states +hard limit +(\d+)", text, re.MULTILINE)
    return int(found[1]) if found else None


def creators(node: Node, listed: bool) -> List[str]:
    """The ids of the nodes that made the states in the kernel's table, each in its shortest form.

    Args:
        listed: this pfctl lists them by itself (``-s Creators``).
    Raises:
        NodeError: pfctl fails.
    """
    listing = node.query(["pfctl", "-sc"] if listed else OF_STATES, timeout=_LONGEST).stdout
    return sorted({"%x" % int(line, 16) for line in listing.split("\n") if re.fullmatch(r"[0-9a-f]{1,8}", line.strip())})
