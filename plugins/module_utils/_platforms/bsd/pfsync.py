# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pfsync as the kernel runs it, read from ifconfig and netstat."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import netstat
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link, own_address, own_address_v6
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

INTERFACE = "pfsync0"
MULTICAST = "224.0.0.240"
MULTICAST_V6 = "ff12::f0"


class Pfsync(NamedTuple):
    """What runs.

    Attributes:
        up: the interface is up.
        device: where updates travel, None for nowhere.
        peer: the one other node, or the group of IPv6; None for multicast over IPv4.
        version: the format that is sent, None where the kernel knows one only.
        bulk_done: whether the kernel says that no transfer of all states is under way. It also says so when that has failed.
        defer: the first packet of a connection waits until the peer has its state.
        maxupd: after how many updates of one state they are sent, at the latest.
        mtu: how large a packet of updates may be.
    """

    up: bool
    device: Optional[str]
    peer: Optional[str]
    version: Optional[int]
    bulk_done: Optional[bool]
    defer: Optional[bool] = None
    maxupd: Optional[int] = None
    mtu: Optional[int] = None


def running(node: Node) -> Pfsync:
    """Read pfsync0.

    Raises:
        NodeError: there is no ifconfig or no pfsync0.
    """
    return parse(node.query(["ifconfig", INTERFACE]).stdout)


def find(node: Node) -> Optional[Pfsync]:
    """Read pfsync0; None where there is none.

    Raises:
        NodeError: there is no ifconfig, or it fails otherwise.
    """
    done = node.query(["ifconfig", INTERFACE], ok=(0, 1))
    # FreeBSD's words, and OpenBSD's.
    if done.status != 0 and not re.search("does not exist|no such interface", done.stderr + done.stdout):
        raise NodeError("ifconfig %s exited with status %d and said: %s" % (INTERFACE, done.status, (done.stderr or done.stdout).strip()))
    return parse(done.stdout) if done.status == 0 else None


def parse(text: str) -> Pfsync:
    """Read the words of ifconfig's answer. The peer is not among them where it is the multicast group."""
    flags = re.search(r"flags=\w+<([^>]*)>", text)
    version, done, peer, defer, maxupd = (_word(text, name) for name in ("version", "syncok", "syncpeer", "defer", "maxupd"))
    mtu = re.search(r"^%s: .*\bmtu (\d+)" % INTERFACE, text, re.MULTILINE)
    return Pfsync("UP" in (flags.group(1).split(",") if flags else []), _word(text, "syncdev"), None if peer == MULTICAST else peer,
                  _number(version), None if done is None else done == "1", {"on": True, "off": False}.get(defer or ""), _number(maxupd),
                  int(mtu[1]) if mtu else None)


def messages(text: str) -> List[str]:
    """What the kernel has said of transfers of all states (``start``, ``done``, ``fail``), in its order. It says so by CARP, where that is loaded."""
    return re.findall(r"\(pfsync bulk (start|done|fail)\)", text)


def bulk(now: Optional[Pfsync], said: List[str]) -> Optional[str]:
    """What became of the last transfer of all states: ``pending``, ``done`` or ``failed``; None where nothing tells.

    The kernel takes one that nobody has answered for done (syncok), so that only what it has said tells the two apart.
    """
    if now is not None and now.bulk_done is False:
        return "pending"
    return {"done": "done", "fail": "failed"}.get(said[-1]) if said else None


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


def counters_of_any(node: Node) -> Optional[Dict[str, Any]]:
    """The same, in words where netstat has no JSON.

    Raises:
        NodeError: there is no netstat.
    """
    told = netstat.pfsync(node.query(["netstat", "-s", "-p", "pfsync", "--libxo", "json"], ok=None).stdout)
    return told if told is not None else netstat.pfsync_told(node.query(["netstat", "-s", "-p", "pfsync"], ok=None).stdout)


def as_evidence(now: Optional[Pfsync], links: Mapping[str, Link]) -> Optional[Dict[str, Any]]:
    """What of the evidence ``engine`` tells how it runs; None when it sends nowhere."""
    if now is None or now.device is None:
        return None
    address = own_address_v6(links, now.device) if ":" in (now.peer or "") else own_address(links, now.device)
    peer = None if now.peer == MULTICAST_V6 else now.peer
    return {"interface": now.device, "transport": "multicast" if peer is None else "unicast", "peer": peer,
            "address": None if address is None else address.split("/")[0], "network": None, "version": now.version, "defer": now.defer, "maxupd": now.maxupd}


def _number(word: Optional[str]) -> Optional[int]:
    return int(word) if word is not None and word.isdigit() else None


def _word(text: str, name: str) -> Optional[str]:
    found = re.search(r"\b%s: (\S+)" % name, text)
    return found.group(1) if found else None
