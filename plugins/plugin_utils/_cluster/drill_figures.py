# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Figures of a failover drill, from what flow_probe read on both hosts. Pure; all times in ms on one axis, the drill's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

DIRECTIONS = {"client": "server_to_client", "server": "client_to_server"}
"""Which direction a host tells about: the one whose receiver it is."""

Bucket = tuple[float, int, str | None]
"""Start (ms), packets, and the node that delivered them; None when the sender's MAC is no node's."""


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Median, 99th percentile (nearest rank) and maximum; all None without values."""
    if not values:
        return {"median": None, "p99": None, "max": None}
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return {"median": round(median, 1), "p99": round(ordered[math.ceil(len(ordered) * 0.99) - 1], 1), "max": round(ordered[-1], 1)}


def detection_limit_ms(advert_interval: float, standby_priority: int) -> float:
    """How long VRRP needs at least to notice that the active node is gone (RFC 5798, 6.1): three advert intervals and the standby's skew."""
    return round(1000 * advert_interval * (3 + (256 - standby_priority) / 256), 1)


def nodes_by_mac(macs: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Which node a MAC belongs to; one that two nodes claim (a virtual MAC, say) belongs to none."""
    owners: dict[str, set[str]] = {}
    for node, addresses in macs.items():
        for mac in addresses:
            owners.setdefault(mac.lower(), set()).add(node)
    return {mac: nodes.pop() for mac, nodes in owners.items() if len(nodes) == 1}


def buckets(read: Mapping[str, Any], nodes: Mapping[str, str]) -> list[Bucket]:
    """The packets that were delivered to this host, in order of time."""
    found = [(float(start), int(packets), nodes.get(one["mac"].lower())) for one in read["deliveries"]["deliveries"] for start, packets in one["buckets"]]
    return sorted(found, key=lambda bucket: (bucket[0], bucket[2] or ""))


def first_through(read: Mapping[str, Any], nodes: Mapping[str, str], node: str, failed_at: float) -> float | None:
    """When the node's first packet after the failure reached this host; None when none has.

    The moment of the change from one node to the other is known exactly; where that is forgotten (a great many changes), the bucket tells.
    """
    changes = [float(at) for at, mac in read["deliveries"]["changes"] if nodes.get(mac.lower()) == node and at >= failed_at]
    within = [max(start, failed_at) for start, _packets, via in buckets(read, nodes) if via == node and start + read["deliveries"]["bucket_ms"] > failed_at]
    return min(changes or within, default=None)


def wrong_node(read: Mapping[str, Any], nodes: Mapping[str, str], old: str, new: str, failed_at: float, takeover: float, settle: float) -> int:
    """Packets that a node delivered that should not have: not ``old`` before the failure, not ``new`` once it has taken over and ``settle`` ms
    have passed, neither of the two in between."""
    bucket_ms = read["deliveries"]["bucket_ms"]
    count = 0
    for start, packets, node in buckets(read, nodes):
        if start + bucket_ms <= failed_at:
            allowed: tuple[str, ...] = (old,)
        elif start >= takeover + settle:
            allowed = (new,)
        else:
            allowed = (old, new)
        if node not in allowed:
            count += packets
    return count


def silence_begins(reads: Sequence[Mapping[str, Any]], earliest: float, latest: float, interval: float) -> float | None:
    """The last UDP datagram delivered before the outage, when the outage began within earliest..latest on at least half of the flows.

    The middle of all flows' last datagrams is found first: a flow whose longest silence is another one does not count.
    """
    starts = [gap[0] for read in reads for gap in read["udp"]["gaps"] if gap is not None]
    inside = sorted(start for start in starts if earliest <= start <= latest)
    if not starts or 2 * len(inside) < len(starts):
        return None
    middle = inside[len(inside) // 2]
    return float(max(start for start in inside if start <= middle + interval))


def kept_flows(client: Mapping[str, Any], server: Mapping[str, Any], deadline: float) -> list[bool]:
    """Per TCP flow: did both ends receive bytes sent after the failure, on the same connection, before the deadline?"""
    there, back = server["tcp"]["back_ms"], client["tcp"]["back_ms"]
    there = list(there) + [None] * (len(back) - len(there))
    return [a is not None and b is not None and max(a, b) <= deadline for a, b in zip(back, there, strict=False)]


def new_connection(client: Mapping[str, Any], failed_at: float) -> float | None:
    """When the first new connection that was begun after the failure succeeded; None when none has."""
    return min((done for began, done in client["reconnect"]["log"] if began >= failed_at and done is not None), default=None)


def timeline(reads: Mapping[str, Mapping[str, Any]], nodes: Mapping[str, str], zero: float, until: float) -> list[dict[str, Any]]:
    """Deliveries per direction, in ms after ``zero``, from 1 s before it (or before the moment that was read from, which is later) to ``until``."""
    begin = max(zero, 0.0) - 1000
    return [{"direction": DIRECTIONS[host],
             "buckets": [[round(start - zero, 1), packets, node] for start, packets, node in buckets(read, nodes) if begin <= start <= zero + until]}
            for host, read in sorted(reads.items())]
