# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who sends on the Sync network, by the system's own tcpdump, which writes packets of pfsync to this process and is ended in time.

A kernel hands packets over a second after they came, or later when few come (bpf(4), the timeout that tcpdump sets), and forgets those that wait when tcpdump
ends. So it runs somewhat longer than is listened, and what came later is not counted.

Source: OpenBSD usr.sbin/tcpdump/tcpdump.c 1.92, which has no -U because it always writes at once, takes 116 bytes of a packet unless told otherwise, and ends
well on SIGTERM as FreeBSD's does.
"""

from __future__ import annotations

import contextlib
import re
import time
from typing import Any, BinaryIO, Callable, Dict, Mapping, NamedTuple, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.pcap import read_pcap
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.tally import Tally

_DELIVERY = 1.2  # seconds until a kernel has handed a packet over, and some more
_LONGEST = "16384"  # bytes of a packet, more than any Ethernet has
_DROPPED = re.compile(r"^(\d+) packets dropped by (?:kernel|interface)", re.MULTILINE)


class Program(NamedTuple):
    """A system's tcpdump: its own options, and what lets packets of pfsync through."""

    options: Tuple[str, ...]
    only: str


# The interface does not become promiscuous: what is not sent to this node is nothing that it could take.
FREEBSD = Program(("-p", "-n", "-U"), "ip proto 240 or ip6 proto 240")
OPENBSD = Program(("-p", "-n"), "ip proto 240")  # whose pfsync has no IPv6


def watch(node: Node, params: Mapping[str, Any], program: Program) -> Dict[str, Any]:
    """Listen for ``seconds`` to at most ``packets`` on ``sync_interface``, or else where pfsync sends.

    Returns:
        See :func:`listen`.
    Raises:
        NodeError: the interface is not known, or cannot be listened on.
    """
    interface = params.get("sync_interface")
    if interface is None:
        running = pfsync.find(node)
        interface = None if running is None else running.device
    if interface is None:
        raise NodeError("which interface is on the Sync network is not known: state sync_interface, or switch state sync on")
    return listen(node, interface, params["seconds"], params["packets"], program)


def listen(node: Node, interface: str, seconds: float, packets: int, program: Program) -> Dict[str, Any]:
    """Listen on an interface.

    Returns:
        ``{"interface", "seconds", "packets", "truncated", "senders"}``; ``truncated`` also where the kernel had no room for all packets.
    Raises:
        NodeError: there is no tcpdump, no such interface, or the caller is not root.
    """
    argv = ["tcpdump", *program.options, "-s", _LONGEST, "-i", interface, "-c", str(packets), "-w", "-", *program.only.split()]
    tally = Tally(most=packets)
    seen, done = node.stream(argv, seconds + _DELIVERY, lambda stream, begin: _count(stream, begin, seconds, tally))
    if done.status > 0 or not seen:
        raise NodeError("tcpdump could not listen on interface %s to its end: it ended with status %d and said: %s" % (
            interface, done.status, done.stderr.strip()[-2000:] or "nothing"))
    found = tally.result(seconds)
    dropped = sum(int(number) for number in _DROPPED.findall(done.stderr))
    return dict(found, interface=interface, truncated=found["truncated"] or dropped > 0)


def _count(stream: BinaryIO, begin: Callable[[], None], seconds: float, tally: Tally) -> bool:
    """Whether there was a capture at all. That one ends within a packet is tcpdump's being ended."""
    seen = False
    with contextlib.suppress(ValueError):
        # Its header comes when tcpdump listens.
        frames = read_pcap(stream)
        seen, tally.until = True, time.time() + seconds
        begin()
        for frame in frames:
            tally.add(frame)
    return seen
