# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pfsync as the kernel runs it, read from ifconfig and netstat."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import netstat
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link, own_address
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

INTERFACE = "pfsync0"
MULTICAST = "224.0.0.240"


class Pfsync(NamedTuple):
    """What runs.

    Attributes:
        up: the interface is up.
        device: where updates travel, None for nowhere.
        peer: the one other node, None for multicast.
        version: the format that is sent, None where the kernel knows one only.
        bulk_done: whether the kernel says that no transfer of all states is under way. It also says so when that has failed.
        defer: the first packet of a connection waits until the peer has its state.
        maxupd: after how many updates of one state they are sent, at the latest.
    """

    up: bool
    device: Optional[str]
    peer: Optional[str]
    version: Optional[int]
    bulk_done: Optional[bool]
    defer: Optional[bool] = None
    maxupd: Optional[int] = None


def running(node: Node) -> Pfsync:
    """Read pfsync0.

    Raises:
        NodeError: there is no ifconfig or no pfsync0.
    """
    return parse(node.query(["ifconfig", INTERFACE]).stdout)


def parse(text: str) -> Pfsync:
    """Read the words of ifconfig's answer. The peer is not among them where it is the multicast group."""
    flags = re.search(r"flags=\w+<([^>]*)>", text)
    version, done, peer, defer, maxupd = (_word(text, name) for name in ("version", "syncok", "syncpeer", "defer", "maxupd"))
    return Pfsync("UP" in (flags.group(1).split(",") if flags else []), _word(text, "syncdev"), None if peer == MULTICAST else peer,
                  _number(version), None if done is None else done == "1", {"on": True, "off": False}.get(defer or ""), _number(maxupd))


def addresses(node: Node, device: str) -> List[str]:
    """The IPv4 addresses of a device.

    Raises:
        NodeError: there is no such device.
    """
    return re.findall(r"^\s+inet (\S+)", node.query(["ifconfig", device]).stdout, re.MULTILINE)


def counters(node: Node) -> Optional[Dict[str, Any]]:
    """What pfsync has counted.

    Raises:
        NodeError: there is no netstat.
    """
    return netstat.pfsync(node.query(["netstat", "-s", "-p", "pfsync", "--libxo", "json"]).stdout)


def as_evidence(now: Optional[Pfsync], links: Mapping[str, Link]) -> Optional[Dict[str, Any]]:
    """What of the evidence ``engine`` tells how it runs; None when it sends nowhere."""
    if now is None or now.device is None:
        return None
    address = own_address(links, now.device)
    return {"interface": now.device, "transport": "multicast" if now.peer is None else "unicast", "peer": now.peer,
            "address": None if address is None else address.split("/")[0], "network": None, "version": now.version, "defer": now.defer, "maxupd": now.maxupd}


def _number(word: Optional[str]) -> Optional[int]:
    return int(word) if word is not None and word.isdigit() else None


def _word(text: str, name: str) -> Optional[str]:
    found = re.search(r"\b%s: (\S+)" % name, text)
    return found.group(1) if found else None
