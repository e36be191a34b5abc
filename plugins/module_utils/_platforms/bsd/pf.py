# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pf as it runs: whether it does, how many states it holds, and whose they are."""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, Node

# Where pfctl does not list who made the states, only they themselves tell; they stay on the node, and what comes back is each id once.
CREATOR_ONLY = 'sub(/.*creatorid: */, ""); sub(/[^0-9a-f].*/, "")'
OF_STATES = ("sh", "-c", "pfctl -vvss | awk '/creatorid:/ { %s; print }' | sort -u" % CREATOR_ONLY)
# The same, with how many states each has made and how many each interface has; "all" is that of states that float.
IN_TABLE = ("sh", "-c", "pfctl -vvss | awk '/^[^ \\t]/ { on[$1]++ } /creatorid:/ { %s; by[$0]++ } "
            "END { for (one in on) print \"on\", one, on[one]; for (one in by) print \"by\", one, by[one] }'" % CREATOR_ONLY)
_LONGEST = 120.0  # seconds; a million states take their time


class Status(NamedTuple):
    """pf, from ``pfctl -si -v``: ``host_id`` marks the states that this node makes, in its shortest form; ``checksum`` is that of the main ruleset.

    ``loaded`` is False where there is no pf in the kernel.
    """

    running: Optional[bool]
    host_id: Optional[str]
    states: Optional[int]
    checksum: Optional[str] = None
    loaded: bool = True


class Table(NamedTuple):
    """The states by who made them (ids in their shortest form), and by the interface that they name; ``all`` is that of states that float."""

    creators: Dict[str, int]
    interfaces: Dict[str, int]


def status(text: str) -> Status:
    """Read the answer; what it does not say is None."""
    state = re.search(r"^Status: (Enabled|Disabled)", text, re.MULTILINE)
    host_id = re.search(r"^Hostid: +0x([0-9a-f]+)", text, re.MULTILINE)
    states = re.search(r"^ +current entries +(\d+)", text, re.MULTILINE)
    checksum = re.search(r"^Checksum: 0x([0-9a-f]{32})", text, re.MULTILINE)
    return Status(None if state is None else state[1] == "Enabled", None if host_id is None else "%x" % int(host_id[1], 16),
                  None if states is None else int(states[1]), None if checksum is None else checksum[1])


def find(node: Node) -> Status:
    """Read pf, which may not be loaded.

    Raises:
        NodeError: there is no pfctl, or it fails otherwise.
    """
    argv = ["pfctl", "-si", "-v"]
    done = node.query(argv, ok=(0, 1))
    return Status(False, None, 0, None, False) if absent(done) else status(node.query(argv).stdout if done.status else done.stdout)


def absent(done: Completed) -> bool:
    """Whether pfctl says that there is no pf in the kernel: it finds no device, or (FreeBSD 14) no netlink family of it."""
    return done.status != 0 and re.search(r"/dev/pf: No such file|Failed to open netlink", done.stderr) is not None


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


def table(node: Node, command: Sequence[str] = IN_TABLE) -> Table:
    """The kernel's table, counted on the node by a command. It takes about a second for each hundred thousand states.

    Raises:
        NodeError: pfctl fails.
    """
    return counted(node.query(command, timeout=_LONGEST).stdout)


def counted(text: str) -> Table:
    """Read the answer; lines that are none of it are passed over."""
    creators_, interfaces = {}, {}  # type: Dict[str, int], Dict[str, int]
    for creator, count in re.findall(r"^by ([0-9a-f]{1,8}) (\d+)$", text, re.MULTILINE):
        creators_["%x" % int(creator, 16)] = int(count)
    for name, count in re.findall(r"^on (\S+) (\d+)$", text, re.MULTILINE):
        interfaces[name] = int(count)
    return Table(dict(sorted(creators_.items())), dict(sorted(interfaces.items())))


def skipped(node: Node, device: str) -> bool:
    """Whether ``set skip`` has pf look at nothing on a device.

    Raises:
        NodeError: pfctl fails.
    """
    return re.search(r"^%s \(skip\)" % re.escape(device), node.query(["pfctl", "-vsI"]).stdout, re.MULTILINE) is not None
