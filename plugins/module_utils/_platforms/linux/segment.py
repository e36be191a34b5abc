# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who else is on the Sync segment, and how much traffic flows meanwhile.

Packets are listened to on the interface for about a second. ARP requests go to every address of an IPv4 Sync network that is small
enough, and one ICMPv6 echo request to all nodes of the link from each of the node's own IPv6 addresses there. What the kernel has
confirmed in its own neighbour table is added. Bytes are counted before and after, without the asking around itself.
"""

from __future__ import annotations

import ipaddress
import json
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.asking import SECONDS, difference, targets
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import ears, frames, interfaces, sync_watch
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.frames import ETHERNET, Frame
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.tally import DEFAULT_PORT, MOST_IN_SAMPLE, Tally

MOST_NEIGHBOURS = 512  # a flood of forged frames must not become a flood of evidence

Neighbour = Dict[str, str]


class Sample(NamedTuple):
    """What a packet socket heard.

    Attributes:
        seconds: how long it listened.
        heard: whom, each once.
        overhead: bytes received and sent for asking around (``rx_bytes``, ``tx_bytes``).
        watch: who sent messages of a sync engine meanwhile.
    """

    seconds: float
    heard: List[frames.Heard]
    overhead: Dict[str, int]
    watch: Dict[str, Any]


Listen = Callable[[str, Callable[[bytes], List[bytes]], float, int], Sample]


def listen(interface: str, questions: Callable[[bytes], List[bytes]], seconds: float, port: int = DEFAULT_PORT) -> Sample:
    """Ask twice and listen on an Ethernet interface.

    Args:
        interface: device name.
        questions: from the interface's own hardware address to the frames to send.
        seconds: how long to listen.
        port: that conntrackd's messages go to.
    Raises:
        NodeError: no such interface, it is down, it is no Ethernet, or the caller is not root.
    """
    heard: Dict[Tuple[Optional[str], str], frames.Heard] = {}
    overhead = {"rx_bytes": 0, "tx_bytes": 0}
    tally = Tally(most=MOST_IN_SAMPLE, port=port)

    def take(frame: bytes, outgoing: bool, own_mac: bytes) -> bool:
        note(frame, outgoing, own_mac, heard, overhead)
        tally.add(Frame(time.time(), ETHERNET, frame, len(frame)))
        return True  # whoever sends much must not keep others from being heard
    ended = ears.listen(interface, seconds, take, questions)
    overhead["tx_bytes"] += ended.sent
    return Sample(ended.seconds, list(heard.values()), overhead, sync_watch.outcome(interface, tally, ended))


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


def observe(node: Node, interface: str, network: Optional[str], own: Sequence[interfaces.Interface], port: int = DEFAULT_PORT,
            hear: Listen = listen) -> Tuple[Dict[str, Any], Dict[str, Any], Dict[str, Any]]:
    """Listen, and count meanwhile.

    Args:
        node: where.
        interface: device on the Sync segment.
        network: the Sync network, to know whom to ask.
        own: the node's interfaces as :func:`interfaces.read` gives them.
        port: that conntrackd's messages go to.
        hear: what listens (tests put something else here).
    Returns:
        ``segment`` = ``{"interface", "seconds", "asked" (number of IPv4 addresses), "echo" (IPv6 nodes were asked too),
        "neighbours": [{"address", "mac", "how"}]}``, ``traffic`` = ``{"seconds", "interfaces": {name: {"rx_bytes", "tx_bytes"}}}``,
        and ``watch`` as :func:`..sync_watch.outcome` has it.
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
    sample = hear(interface, lambda mac: [frames.arp_request(mac, sender, target) for target in asked]
                  + [frames.echo_request(mac, source) for source in sources], SECONDS, port)
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
    return segment, {"seconds": round(seconds, 3), "interfaces": counted}, sample.watch


def _sender(network: Optional[str], addresses: Sequence[str]) -> str:
    if network is not None:
        parsed = ipaddress.ip_network(network, strict=False)
        for address in addresses:
            if ipaddress.ip_address(address) in parsed and parsed.version == 4:
                return address
    return "0.0.0.0"
