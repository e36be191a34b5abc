# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The neighbours of OpenBSD's own BGP and OSPF (bgpctl/output.c, ospfctl.c and ospf6ctl.c in usr.sbin), for snapshots; those of FRR where that is installed."""

from __future__ import annotations

from typing import Callable, List, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import routing
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.snapshot import Row

BGP, OSPF, OSPF6 = ("bgpctl", "show"), ("ospfctl", "show", "neighbor"), ("ospf6ctl", "show", "neighbor")
# Both say so when nobody is at the daemon's socket.
_NOBODY = (": No such file or directory", ": Connection refused")
_NEIGHBOURS = ("FULL", "2-WAY")


def bgp(node: Node) -> List[Row]:
    """The sessions.

    Raises:
        NodeError: the program fails, or prints something else than it is known to.
    """
    return [*_asked(node, BGP, bgp_rows), *routing.bgp(node)]


def ospf(node: Node) -> List[Row]:
    """The neighbours of OSPF for IPv4.

    Raises:
        NodeError: the program fails, or prints something else than it is known to.
    """
    return [*_asked(node, OSPF, ospf_rows), *routing.ospf(node)]


def ospf6(node: Node) -> List[Row]:
    """The neighbours of OSPF for IPv6.

    Raises:
        NodeError: the program fails, or prints something else than it is known to.
    """
    return [*_asked(node, OSPF6, ospf6_rows), *routing.ospf6(node)]


def _asked(node: Node, command: Sequence[str], rows: Callable[[List[str]], List[Row]]) -> List[Row]:
    """The rows of a command; none where the daemon does not run."""
    if not node.has(command[0]):
        return []
    done = node.query(list(command), ok=None)
    if done.status != 0 and any(word in done.stderr for word in _NOBODY):
        return []
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    try:
        if done.status != 0:
            raise ValueError("status %d" % done.status)
        return rows(lines)
    except (ValueError, IndexError) as error:
        raise NodeError("the answer of %s cannot be read (%s); it said: %s" % (
            " ".join(command), error, (done.stderr.strip() or done.stdout.strip() or "nothing")[:300])) from error


def bgp_rows(lines: List[str]) -> List[Row]:
    """Below a heading, each neighbour's description, six numbers, and its state, which is how many prefixes came of one that is established."""
    if lines[0].split()[:2] != ["Neighbor", "AS"]:
        raise ValueError("no heading")
    found: List[Row] = []
    for line in lines[1:]:
        words = line.split()
        name, state = " ".join(words[:-6]), words[-1]
        if not name:
            raise ValueError("a line of %d words" % len(words))
        found.append({"name": name, "state": "up" if state.partition("/")[0].isdigit() else "down", "told": state})
    return found


def ospf_rows(lines: List[str]) -> List[Row]:
    """Below a heading: ID, priority, state (``FULL/DR``), dead time, address, interface, uptime."""
    return _neighbours(lines, ["ID", "Pri", "State", "DeadTime", "Address", "Iface", "Uptime"])


def ospf6_rows(lines: List[str]) -> List[Row]:
    """The same without the address."""
    return _neighbours(lines, ["ID", "Pri", "State", "DeadTime", "Iface", "Uptime"])


def _neighbours(lines: List[str], heading: List[str]) -> List[Row]:
    if lines[0].split() != heading:
        raise ValueError("no heading")
    found: List[Row] = []
    for line in lines[1:]:
        words = line.split()
        if len(words) != len(heading):
            raise ValueError("a line of %d words" % len(words))
        router, state, device = words[0], words[2], words[heading.index("Iface")]
        found.append({"name": "%s %s" % (router, device), "state": "up" if state.partition("/")[0] in _NEIGHBOURS else "down", "told": state})
    return found
