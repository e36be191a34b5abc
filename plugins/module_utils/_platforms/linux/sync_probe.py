# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Marked states that prove whether states travel: created on one node, looked for on the others, removed again.

A marked state is an entry of the kernel's connection table for a UDP flow between documentation addresses (RFC 5737), so that it can touch no
real connection: 198.51.100.(200 + origin) port 40000 + i to 203.0.113.(200 + origin) port 9 + run, with the connection mark that spells HAFW.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, NamedTuple, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

MARK = 0x48414657
TIMEOUT = 120  # s that an entry lives without traffic
FRESH = 60  # s that an entry must still have to be worth leaving alone
FIRST_SOURCE_PORT, FIRST_PORT = 40000, 9
_LISTING = ["conntrack", "-L", "-p", "udp", "-m", "0x%x" % MARK]
# Origins begin high in the documentation networks: the engine does not send states of the nodes' own addresses, which a lab takes from there too.
HOST_PART = 200
MAX_ORIGIN = 50
_ENTRY = re.compile(r"^udp\s+17\s+(?:(\d+)\s+)?.*?src=198\.51\.100\.(\d+) dst=203\.0\.113\.(\d+) sport=(\d+) dport=(\d+).*?\smark=(\d+)\b")


class Marked(NamedTuple):
    """One marked state: which node made it, in which run, its number, and the seconds that it has left (0 when not shown)."""

    origin: int
    run: int
    number: int
    left: int


def apply(node: Node, params: Dict[str, Any]) -> Dict[str, Any]:
    """Create (``present``), look for (``observed``) or remove (``absent``) marked states.

    Returns:
        ``found``: origin as text -> number of marked states of this run. Present and absent tell of this node's own origin only.
    Raises:
        NodeError: an option is out of its range, conntrack is not installed or fails, or entries were refused.
    """
    _within("origin", params["origin"], 1, MAX_ORIGIN)
    _within("count", params["count"], 1, 100)
    _within("run", params["run"], 0, 60000)
    for origin in params["origins"]:
        _within("origins", origin, 1, MAX_ORIGIN)
    return {"present": _present, "observed": _observed, "absent": _absent}[params["state"]](node, params)


def parse(listing: str) -> List[Marked]:
    """The marked states in what ``conntrack -L`` or ``conntrackd -e`` wrote; every other line is passed over."""
    found = []
    for line in listing.splitlines():
        match = _ENTRY.match(line.strip())
        if match is None or int(match.group(6)) != MARK or match.group(2) != match.group(3):
            continue
        left, host, source_port, port = (int(match.group(place) or 0) for place in (1, 2, 4, 5))
        found.append(Marked(host - HOST_PART, port - FIRST_PORT, source_port - FIRST_SOURCE_PORT, left))
    return found


def insertions(origin: int, count: int, run: int) -> str:
    """The lines that ``conntrack -R`` reads to insert all of them in one process."""
    line = "-I -p udp -s 198.51.100.%d -d 203.0.113.%d --sport %d --dport %d -t %d -m 0x%x\n"
    return "".join(line % (HOST_PART + origin, HOST_PART + origin, FIRST_SOURCE_PORT + number, FIRST_PORT + run, TIMEOUT, MARK) for number in range(count))


def tally(marked: Sequence[Marked], origins: Sequence[int], count: int, run: int) -> Dict[str, int]:
    """How many different states of this run, numbered below ``count``, each origin has."""
    return {str(origin): len({item.number for item in marked if item.origin == origin and item.run == run and 0 <= item.number < count})
            for origin in origins}


def _within(option: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise NodeError("%s: %d is not within %d to %d" % (option, value, least, most))


def _present(node: Node, params: Dict[str, Any]) -> Dict[str, Any]:
    origin, count, run = params["origin"], params["count"], params["run"]
    own = [item for item in _kernel(node) if item.origin == origin]
    fresh = [item for item in own if item.left >= FRESH]
    if tally(fresh, [origin], count, run)[str(origin)] < count:
        if own:
            _remove(node, origin)
        node.act(["conntrack", "-R", "-"], stdin=insertions(origin, count, run))
        found = {str(origin): count} if node.check_mode else tally(_kernel(node), [origin], count, run)
    else:
        found = tally(fresh, [origin], count, run)
    if found[str(origin)] < count:
        raise NodeError("only %d of %d marked states are in the connection table after they were inserted; is the table full?" % (found[str(origin)], count))
    return {"found": found}


def _observed(node: Node, params: Dict[str, Any]) -> Dict[str, Any]:
    origins, count, run = params["origins"], params["count"], params["run"]
    found: Dict[str, int] = {}

    def complete() -> bool:
        marked = _kernel(node)
        found.update(tally(marked, origins, count, run))
        if min(found.values(), default=count) < count:
            # With the external cache, states of the peers wait there until this node becomes active.
            found.update(tally(marked + _external_cache(node), origins, count, run))
        return min(found.values(), default=count) >= count

    if not complete():
        node.wait_for(complete, params["timeout"], interval=0.2)
    return {"found": found}


def _absent(node: Node, params: Dict[str, Any]) -> Dict[str, Any]:
    if any(item.origin == params["origin"] for item in _kernel(node)):
        _remove(node, params["origin"])
    return {"found": {str(params["origin"]): 0}}


def _remove(node: Node, origin: int) -> None:
    # Status 1 says that there was none: they may have timed out since they were listed.
    ends = ["-s", "198.51.100.%d" % (HOST_PART + origin), "-d", "203.0.113.%d" % (HOST_PART + origin)]
    node.act(["conntrack", "-D", "-p", "udp", "-m", "0x%x" % MARK] + ends, ok=(0, 1))


def _kernel(node: Node) -> List[Marked]:
    return parse(node.query(_LISTING).stdout)


def _external_cache(node: Node) -> List[Marked]:
    if not node.has("conntrackd"):
        return []
    # Any status: an engine that does not run has no cache, and that is an answer.
    return parse(node.query(["conntrackd", "-e"], ok=None, timeout=10.0).stdout)
