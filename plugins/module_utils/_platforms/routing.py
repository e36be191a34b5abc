# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The neighbours of FRR's BGP and OSPF, for snapshots (``vtysh``, with ``json``)."""

from __future__ import annotations

import json
from typing import Any, Callable, Iterator, List

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.snapshot import Row

BGP, OSPF, OSPF6 = "show bgp vrf all summary json", "show ip ospf vrf all neighbor json", "show ipv6 ospf6 vrf all neighbor json"
# vtysh says so with status 0 or 1: the daemon, or all of FRR, does not run.
_NOBODY = ("is not running", "failed to connect to any daemons")
# Two routers that are neither designated nor its backup stay at 2-Way with each other, and are well.
_NEIGHBOURS = ("Full", "2-Way", "Twoway")


def bgp(node: Node) -> List[Row]:
    """The sessions of all instances and address families.

    Raises:
        NodeError: vtysh fails, or prints something else than it is known to.
    """
    return _asked(node, BGP, bgp_rows)


def ospf(node: Node) -> List[Row]:
    """The neighbours of OSPF for IPv4 in all instances.

    Raises:
        NodeError: vtysh fails, or prints something else than it is known to.
    """
    return _asked(node, OSPF, ospf_rows)


def ospf6(node: Node) -> List[Row]:
    """The neighbours of OSPF for IPv6 (OSPFv3) in all instances; FRR before 8 does not tell of them in a form that is known.

    Raises:
        NodeError: vtysh fails, or prints something else than it is known to.
    """
    return _asked(node, OSPF6, ospf6_rows, _documents)


def _asked(node: Node, command: str, rows: Callable[[Any], Iterator[Row]], read: Callable[[str], Any] = json.loads) -> List[Row]:
    """The rows of a command; none where vtysh is not installed, or the daemon does not run."""
    if not node.has("vtysh"):
        return []
    done = node.query(["vtysh", "-c", command], ok=None)
    if not done.stdout.strip() and any(word in done.stderr for word in _NOBODY):
        return []
    try:
        if done.status != 0 or (done.stderr.strip() and not done.stdout.strip()):
            raise ValueError("status %d" % done.status)
        return list(rows(read(done.stdout)))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise NodeError("the answer of vtysh -c \"%s\" cannot be read (%s); it said: %s" % (
            command, error, (done.stderr.strip() or done.stdout.strip() or "nothing")[:300])) from error


def bgp_rows(told: Any) -> Iterator[Row]:
    """By instance and address family, ``peers`` with their ``state``."""
    for instance, families in told.items():
        for family, summary in families.items():
            for address, peer in summary.get("peers", {}).items() if isinstance(summary, dict) else ():
                yield {"name": "%s %s %s" % (instance, family, address), "state": "up" if peer["state"] == "Established" else "down", "told": peer["state"]}


def ospf_rows(told: Any) -> Iterator[Row]:
    """By instance, ``neighbors`` by their router's id: each has its state (``Full/DR``) by newer releases as ``nbrState``, by all as ``state``."""
    for instance, found in told.items():
        for router, ways in found.get("neighbors", {}).items():
            for way in ways:
                state = way["nbrState"] if "nbrState" in way else way["state"]
                name = "%s %s %s" % (instance, router, way["ifaceName"].partition(":")[0])
                yield {"name": name, "state": "up" if state.partition("/")[0] in _NEIGHBOURS else "down", "told": state}


def _documents(text: str) -> List[Any]:
    """What is printed of several instances: one document after the other; nothing at all where ospf6d runs and no instance is configured."""
    found = []
    text = text.strip()
    while text:
        one, end = json.JSONDecoder().raw_decode(text)
        found.append(one)
        text = text[end:].strip()
    return found


def ospf6_rows(told: Any) -> Iterator[Row]:
    """By instance, whose name is not told, ``neighbors``: the router's id (``neighborId``), ``interfaceName``, and ``state``."""
    for found in told:
        for way in found["neighbors"]:
            yield {"name": "%s %s" % (way["neighborId"], way["interfaceName"]), "state": "up" if way["state"] in _NEIGHBOURS else "down", "told": way["state"]}
