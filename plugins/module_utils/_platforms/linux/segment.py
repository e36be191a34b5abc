# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who else is on the Sync segment, and how much traffic flows meanwhile.

A packet socket (packet(7)) listens on the interface for about a second. ARP requests go to every address of an IPv4 Sync network that is small
enough, and one ICMPv6 echo request to all nodes of the link from each of the node's own IPv6 addresses there. What the kernel has
confirmed in its own neighbour table is added. Bytes are counted before and after, without the asking around itself.
"""

from __future__ import annotations

import ipaddress
import json
import select
import socket
import struct
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.asking import SECONDS, difference, targets
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import frames, interfaces
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

MOST_NEIGHBOURS = 512  # a flood of forged frames must not become a flood of evidence
_ETH_P_ALL, _ARPHRD_ETHER = 0x0003, 1
_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, _PACKET_MR_ALLMULTI = 263, 1, 2
_LONGEST_LOOK = 128  # bytes of a frame; the addresses are in the first 64

Neighbour = Dict[str, str]


class Sample(NamedTuple):
    """What a packet socket heard.

    Attributes:
        seconds: how long it listened.
        heard: whom, each once.
        overhead: bytes received and sent for asking around (``rx_bytes``, ``tx_bytes``).
    """

    seconds: float
    heard: List[frames.Heard]
    overhead: Dict[str, int]


Listen = Callable[[str, Callable[[bytes], List[bytes]], float], Sample]


def listen(interface: str, questions: Callable[[bytes], List[bytes]], seconds: float) -> Sample:
    """Ask twice and listen on an Ethernet interface.

    Args:
        interface: device name.
        questions: from the interface's own hardware address to the frames to send.
        seconds: how long to listen.
    Raises:
        NodeError: no such interface, it is down, it is no Ethernet, or the caller is not root.
    """
    heard: Dict[Tuple[Optional[str], str], frames.Heard] = {}
    overhead = {"rx_bytes": 0, "tx_bytes": 0}
    try:
        # No protocol until it is bound: otherwise frames of other interfaces would be in the queue already.
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as wire:
            wire.bind((interface, _ETH_P_ALL))
            mac = _ethernet_address(wire, interface)
            # A card drops groups that nobody joined; the kernel takes this back when the socket closes.
            wire.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, struct.pack("IHH8s", socket.if_nametoindex(interface), _PACKET_MR_ALLMULTI, 0, b""))
            wire.setblocking(False)
            begin = time.monotonic()
            ask_again = begin + seconds / 3
            overhead["tx_bytes"] += _send(wire, questions(mac))
            while True:
                now = time.monotonic()
                if now >= begin + seconds:
                    break
                if now >= ask_again:
                    overhead["tx_bytes"] += _send(wire, questions(mac))
                    ask_again = begin + seconds
                if not select.select([wire], [], [], max(0.0, min(begin + seconds, ask_again) - now))[0]:
                    continue
                try:
                    frame, origin = wire.recvfrom(_LONGEST_LOOK)
                except BlockingIOError:
                    continue
                note(frame, origin[2] == socket.PACKET_OUTGOING, mac, heard, overhead)
            return Sample(time.monotonic() - begin, list(heard.values()), overhead)
    except OSError as error:
        raise NodeError("cannot listen on interface %s: %s" % (interface, error.strerror or error)) from error


def note(frame: bytes, outgoing: bool, own_mac: bytes, heard: Dict[Tuple[Optional[str], str], frames.Heard], overhead: Dict[str, int]) -> None:
    """Enter one frame into what was heard and into the bytes of asking around."""
    sender = frames.sender_of(frame)
    if sender is None:
        return
    if sender.overhead:
        overhead["tx_bytes" if outgoing else "rx_bytes"] += len(frame)
    if outgoing or sender.address is None or sender.mac == frames.mac_text(own_mac):
        return
    known = heard.get((sender.address, sender.mac))
    if (known is None and len(heard) < MOST_NEIGHBOURS) or (known is not None and sender.how == "arp"):
        heard[(sender.address, sender.mac)] = sender


def confirmed(listing: str) -> List[Neighbour]:
    """From ``ip -j neigh show dev``: those that answered the kernel within the last half minute.

    Older entries (stale) are left out: they may tell of a host that is long gone.
    """
    rows = json.loads(listing or "[]")
    return [{"address": str(row["dst"]), "mac": str(row["lladdr"]).lower(), "how": "neighbour table"}
            for row in rows if "lladdr" in row and "dst" in row and "REACHABLE" in row.get("state", [])]


def observe(node: Node, interface: str, network: Optional[str], own: Sequence[interfaces.Interface],
            ears: Listen = listen) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Listen, and count meanwhile.

    Args:
        node: where.
        interface: device on the Sync segment.
        network: the Sync network, to know whom to ask.
        own: the node's interfaces as :func:`interfaces.read` gives them.
        ears: what listens (tests put something else here).
    Returns:
        ``segment`` = ``{"interface", "seconds", "asked" (number of IPv4 addresses), "echo" (IPv6 nodes were asked too),
        "neighbours": [{"address", "mac", "how"}]}`` and ``traffic`` = ``{"seconds", "interfaces": {name: {"rx_bytes", "tx_bytes"}}}``.
    Raises:
        NodeError: the interface cannot be listened on, or the network is none.
    """
    addresses = [address.split("/")[0] for entry in own if entry["name"] == interface for address in entry["addresses"]]
    try:
        asked = targets(network, addresses)
    except ValueError as error:
        raise NodeError("sync_network: %s" % error) from error
    sources = [address for address in addresses if ":" in address]
    sender = _sender(network, addresses)
    before, start = interfaces.counters(node), time.monotonic()
    sample = ears(interface, lambda mac: [frames.arp_request(mac, sender, target) for target in asked]
                  + [frames.echo_request(mac, source) for source in sources], SECONDS)
    counted, seconds = difference(before, interfaces.counters(node)), time.monotonic() - start
    for key, value in sample.overhead.items():
        if interface in counted:
            counted[interface][key] = max(0, counted[interface][key] - value)
    neighbours = {(item.address, item.mac): {"address": str(item.address), "mac": item.mac, "how": item.how} for item in sample.heard}
    for neighbour in confirmed(node.query(["ip", "-j", "neigh", "show", "dev", interface]).stdout):
        neighbours.setdefault((neighbour["address"], neighbour["mac"]), neighbour)
    macs = {entry["mac"] for entry in own}
    segment = {"interface": interface, "seconds": round(sample.seconds, 3), "asked": len(asked), "echo": bool(sources),
               "neighbours": sorted((item for item in neighbours.values() if item["mac"] not in macs), key=lambda item: (item["address"], item["mac"]))}
    return segment, {"seconds": round(seconds, 3), "interfaces": counted}


def _sender(network: Optional[str], addresses: Sequence[str]) -> str:
    if network is not None:
        parsed = ipaddress.ip_network(network, strict=False)
        for address in addresses:
            if ipaddress.ip_address(address) in parsed and parsed.version == 4:
                return address
    return "0.0.0.0"


def _ethernet_address(wire: socket.socket, interface: str) -> bytes:
    _name, _protocol, _kind, hardware, address = wire.getsockname()
    if hardware != _ARPHRD_ETHER or len(address) != 6:
        raise NodeError("interface %s is no Ethernet, so its neighbours cannot be seen" % interface)
    return bytes(address)


def _send(wire: socket.socket, questions: Sequence[bytes]) -> int:
    """Bytes that went out; a packet socket does not hear its own frames, so they are counted here."""
    sent = 0
    for question in questions:
        try:
            sent += wire.send(question)
        except BlockingIOError:
            # The transmit queue is full; the second round asks again.
            select.select([], [wire], [], 0.05)
    return sent
