# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``snapshot`` of a Linux node."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterator, List

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import ipsec, kept_files, routing, snapshot, wireguard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import own_files
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.snapshot import Row

# The first routes, and behind them how many there are: of a million of them, no more than this comes.
_LISTED = "ip %%s route show table main | awk 'NR <= %d { print } END { print NR }'" % (snapshot.MOST_ROUTES + 1)
_FAMILIES = {"inet": "-4", "inet6": "-6"}
# ip-route(8): what stands in front of the destination, where the route is no ordinary one.
_TYPES = ("unreachable", "blackhole", "prohibit", "throw")
_GONE = ("FAILED", "INCOMPLETE", "NOARP")
_RUNNING = ["systemctl", "list-units", "--type=service", "--state=running", "--plain", "--no-legend", "--no-pager", "--full"]


def readers(node: Node) -> snapshot.Readers:
    """How each part is read."""
    return snapshot.Readers(lambda: routes(node), lambda: neighbours(node), lambda: services(node), lambda: kept_files.digests(node, own_files.SOURCES),
                            {"wireguard": lambda: wireguard.peers(node, _wireguard(node)), "ipsec": lambda: ipsec.tunnels(node),
                             "bgp": lambda: routing.bgp(node), "ospf": lambda: routing.ospf(node), "ospf6": lambda: routing.ospf6(node)})


def _wireguard(node: Node) -> List[str]:
    """The devices of WireGuard, as the kernel tells of them."""
    return [path.split("/")[-2] for path in node.find_files("/sys/class/net/*/uevent") if "DEVTYPE=wireguard" in (node.read_text(path) or "").splitlines()]


def routes(node: Node) -> Dict[str, Any]:
    """The main table of both families.

    Raises:
        NodeError: there is no ip, or it does not answer.
    """
    found = {}
    for family, option in _FAMILIES.items():
        done = node.query(["sh", "-c", _LISTED % option])
        lines = done.stdout.splitlines()
        if done.stderr.strip() or not lines or not lines[-1].isdigit():
            raise NodeError("ip %s route did not tell the routes; it said: %s" % (option, done.stderr.strip() or done.stdout.strip() or "nothing"))
        count = int(lines[-1])
        found[family] = {"count": count, "rows": None} if count > snapshot.MOST_ROUTES else snapshot.counted(_rows(lines[:-1]))
    return found


def _rows(lines: List[str]) -> Iterator[Row]:
    """Each way of each route; the ways of one that has several stand below it."""
    destination = ""
    for line in lines:
        words = line.split()
        several = line[:1].isspace()
        if not several:
            kind = words.pop(0) if words[0] in _TYPES else None
            destination = words[0] if kind is None else "%s %s" % (kind, words[0])
        # Every interface has one of these by itself.
        if destination != "fe80::/64" and (several or "via" in words or "dev" in words or " " in destination):
            yield {"destination": destination, "gateway": _after("via", words), "device": _after("dev", words)}


def _after(name: str, words: List[str]) -> Any:
    """What stands behind a word. A router of the other family has its family in front of it."""
    if name not in words[:-1]:
        return None
    value = words[words.index(name) + 1]
    return words[words.index(name) + 2] if value in _FAMILIES and len(words) > words.index(name) + 2 else value


def neighbours(node: Node) -> List[Row]:
    """Who answers on the links.

    Raises:
        NodeError: there is no ip, or it writes something other than JSON.
    """
    try:
        rows = json.loads(node.query(["ip", "-j", "neigh", "show"]).stdout or "[]")
        return [{"address": row["dst"], "mac": row["lladdr"], "device": row["dev"]} for row in rows
                if row and row.get("lladdr") and not set(_GONE) & set(row.get("state", []))]
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise NodeError("the answer of ip -j neigh cannot be read: %s" % error) from error


def services(node: Node) -> List[str]:
    """The units of services that run, without those of one session.

    Raises:
        NodeError: there is no systemd.
    """
    names = [line.split()[0] for line in node.query(_RUNNING).stdout.splitlines() if line.strip()]
    return [name for name in names if not name.startswith(("user@", "session-", "run-", "getty@", "serial-getty@"))]
