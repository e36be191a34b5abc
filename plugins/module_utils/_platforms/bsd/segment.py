# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who else is on the Sync segment, and how much traffic flows meanwhile.

A datagram to each address of a small IPv4 Sync network makes the kernel ask for the hardware address of those that it does not know, and an ICMPv6 echo
request to all nodes of the link makes IPv6 nodes known. Then the kernel's own tables are read. They remember a node for up to 20 minutes.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.asking import SECONDS, Counters, difference, targets
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import devices, sync_watch
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.tally import MOST_IN_SAMPLE

_DISCARD = 9  # the port that the datagrams go to; nobody is to answer
_ECHO_REQUEST = 128
_ARP = re.compile(r"^\S+ \(([0-9.]+)\) at ([0-9a-f]{2}(?::[0-9a-f]{2}){5}) on (\S+)(.*)$", re.MULTILINE)
_NDP = re.compile(r"^([0-9a-f:]+)(?:%\S+)?\s+([0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5})\s+(\S+)\s+(\S+)", re.MULTILINE)

Neighbour = Dict[str, str]
Ask = Callable[[str, Sequence[str], bool], None]
Count = Callable[[Node], Dict[str, Dict[str, int]]]
Look = Callable[[Node, str], List[Neighbour]]
Sampled = Tuple[Dict[str, Any], Dict[str, Any], Optional[Dict[str, Any]]]


def arp(listing: str, interface: str) -> List[Neighbour]:
    """From ``arp -an``: all on the interface but the node itself, whose own addresses are permanent, and those that did not answer."""
    return [{"address": address, "mac": mac, "how": "arp"} for address, mac, device, more in _ARP.findall(listing)
            if device == interface and "permanent" not in more]


def ndp(listing: str, interface: str) -> List[Neighbour]:
    """From ``ndp -an``: the same of IPv6."""
    found = []
    for address, mac, device, expires in _NDP.findall(listing):
        if device == interface and expires != "permanent":
            found.append({"address": address, "mac": ":".join(part.zfill(2) for part in mac.split(":")), "how": "ndp"})
    return found


def neighbours(node: Node, interface: str) -> List[Neighbour]:
    """All that the kernel knows on an interface.

    Raises:
        NodeError: there is no arp or ndp.
    """
    return arp(node.query(["arp", "-an"]).stdout, interface) + ndp(node.query(["ndp", "-an"]).stdout, interface)


def ask(interface: str, hosts: Sequence[str], echo: bool) -> None:
    """Send to each host, and to all IPv6 nodes of the link. Nobody is waited for here."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        for host in hosts:
            # A host that did not answer lately is refused at once, and a full queue is no harm: it is the asking that counts.
            with contextlib.suppress(OSError):
                wire.sendto(b"", (host, _DISCARD))
    if echo:
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as wire:
            # The kernel computes the checksum.
            wire.sendto(struct.pack("!BBHHH", _ECHO_REQUEST, 0, 0, 0, 1), ("ff02::1", 0, 0, socket.if_nametoindex(interface)))


def observe(node: Node, areas: Areas, interface: str, network: Optional[str], own: List[Dict[str, Any]], voice: Ask = ask,
            wait: Callable[[float], None] = time.sleep, count: Count = devices.counters, look: Look = neighbours,
            program: sync_watch.Program = sync_watch.FREEBSD) -> Sampled:
    """Ask, and listen and count meanwhile.

    Args:
        areas: of the evidence; to listen is one of its own (``watch``), so that who is there is known all the same where there is no tcpdump.
        interface: device on the Sync segment.
        network: the Sync network, to know whom to ask.
        own: the evidence about interfaces.
        voice, wait: what asks, and what lets the rest of a second pass (tests put something else here).
        count, look: what the system's programs tell of traffic and of neighbours.
        program: the system's tcpdump.
    Returns:
        ``segment``, ``traffic`` and ``watch`` of the evidence.
    Raises:
        NodeError: there is no such interface, or the network is none.
    """
    row = next((row for row in own if row["name"] == interface), None)
    if row is None:
        raise NodeError("there is no interface %s on this node" % interface)
    addresses = [address.split("/")[0] for address in row["addresses"]]
    try:
        asked = targets(network, addresses)
    except ValueError as error:
        raise NodeError("sync_network: %s" % error) from error
    echo = any(":" in address for address in addresses)
    before, start = _bytes(count(node)), time.monotonic()
    voice(interface, asked, echo)
    watch = areas.read("watch", lambda: sync_watch.listen(node, interface, SECONDS, MOST_IN_SAMPLE, program))
    wait(max(0.0, start + SECONDS - time.monotonic()))
    seconds = time.monotonic() - start
    counted = difference(before, _bytes(count(node)))
    macs = {entry["mac"] for entry in own}
    segment = {"interface": interface, "seconds": round(seconds, 3), "asked": len(asked), "echo": echo,
               "neighbours": sorted((item for item in look(node, interface) if item["mac"] not in macs), key=lambda item: (item["address"], item["mac"]))}
    return segment, {"seconds": round(seconds, 3), "interfaces": counted}, watch


def sample(node: Node, areas: Areas, params: Mapping[str, Any], device: Optional[str], own: List[Dict[str, Any]], **system: Any) -> Sampled:
    """The same on the stated interface, else on the one that pfsync uses or would use.

    Args:
        system: ``count``, ``look`` and ``program``, where the system's programs are not FreeBSD's.
    Raises:
        NodeError: neither is known.
    """
    interface = params.get("sync_interface") or device
    if not interface:
        raise NodeError("which interface is on the Sync network is not known: state sync_interface, or switch state sync on")
    return observe(node, areas, interface, params.get("sync_network"), own, **system)


def _bytes(counters: Counters) -> Counters:
    return {name: {key: counted[key] for key in ("rx_bytes", "tx_bytes")} for name, counted in counters.items()}
