# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the systems with pf print of routes, neighbours and open ports, for snapshots. Pure: text to rows."""

from __future__ import annotations

import io
import re
from typing import Any, Callable, Dict, Iterator, List, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import snapshot
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.snapshot import Row

_FAMILIES = {"Internet:": "inet", "Internet6:": "inet6"}
_DEVICE = ("Netif", "Iface")
# route(8), netstat(1): L a neighbour, l an own address, W made from another route, b broadcast, m multicast.
_OF_THE_SYSTEM = re.compile("[LlWbm]")
_LINK = re.compile(r"link#\d+|([0-9a-f]{2}:){5}[0-9a-f]{2}")
# From here on, ports are given to whoever asks for any (net.inet.ip.portrange.first).
_LENT = 10000


def routes(text: str) -> Dict[str, Any]:
    """From ``netstat -rn``, see :func:`..snapshot.counted`: without the loopback, the node's own addresses, neighbours, and what each link has by itself.

    Raises:
        NodeError: there is no table in it.
    """
    found: Dict[str, Any] = {}
    lines = io.StringIO(text)
    for line in lines:
        family = _FAMILIES.get(line.strip())
        if family is not None:
            found[family] = snapshot.counted(_rows(lines))
    if not found:
        raise NodeError("netstat -rn shows no table of routes; it said: %s" % (text.strip()[:200] or "nothing"))
    # A kernel without IPv6 has no table of it.
    return dict({"inet": {"count": 0, "rows": []}, "inet6": {"count": 0, "rows": []}}, **found)


def _rows(lines: Iterator[str]) -> Iterator[Row]:
    """The rows of one table, to the empty line behind it."""
    place = None
    for line in lines:
        words = line.split()
        if not words:
            return
        if words[0] == "Destination":
            place = next((words.index(name) for name in _DEVICE if name in words), None)
        elif place is not None and len(words) > place and words[place] != "lo0" and not _OF_THE_SYSTEM.search(words[2]) and (
                not words[0].startswith(("fe80:", "ff"))):
            yield {"destination": words[0], "gateway": None if _LINK.fullmatch(words[1]) else words[1], "device": words[place]}


def neighbours(names: Sequence[str], tables: Sequence[Callable[[str], List[Dict[str, str]]]]) -> List[Row]:
    """Who answers, by what each of the tables tells of each device."""
    return [{"address": row["address"], "mac": row["mac"], "device": name} for name in names for table in tables for row in table(name)]


def listening(text: str) -> List[str]:
    """From ``sockstat -46l``: program, protocol and address of each port that somebody listens at; without ports of UDP that were lent for a while.

    Raises:
        NodeError: it is no list of sockets.
    """
    lines = text.splitlines()
    if not lines or lines[0].split()[:2] != ["USER", "COMMAND"]:
        raise NodeError("sockstat shows no sockets; it said: %s" % (text.strip()[:200] or "nothing"))
    found = []
    for words in (line.split() for line in lines[1:]):
        if len(words) < 6:
            continue
        program, protocol, port = words[1], words[4], words[5].rpartition(":")[2]
        if protocol.startswith("tcp") or (protocol.startswith("udp") and port.isdigit() and int(port) < _LENT):
            found.append("%s %s %s" % (program, protocol, words[5]))
    return found
