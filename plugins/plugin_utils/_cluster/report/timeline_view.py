# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the timeline's picture shows, worked out from a drill: the spans worth drawing, delivery over time, markers. No drawing here."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.clean import number

DIRECTIONS = ("client_to_server", "server_to_client")
# Events that the drill's own figures already draw, by their first word.
_OWN = ("failure", "takeover", "reconnect", "detection")


@dataclass(frozen=True)
class Bucket:
    """UDP packets that arrived from ``start`` (ms) on for one bucket's width, and the node that forwarded them (None: not known)."""

    start: float
    packets: float
    via: str | None


@dataclass(frozen=True)
class Marker:
    """A moment: kind is failure, limit, takeover, reconnect or event."""

    at: float
    label: str
    kind: str


def buckets_of(timeline: dict[str, Any], direction: str) -> list[Bucket]:
    """The buckets of a direction in time's order; what is not a bucket is left out."""
    found = []
    for delivery in timeline.get("deliveries") or []:
        if delivery.get("direction") == direction:
            for bucket in delivery.get("buckets") or []:
                if isinstance(bucket, list) and len(bucket) >= 2:
                    start, packets = number(bucket[0]), number(bucket[1])
                    if start is not None and packets is not None:
                        found.append(Bucket(start, packets, str(bucket[2]) if len(bucket) > 2 and bucket[2] is not None else None))
    return sorted(found, key=lambda bucket: bucket.start)


def bucket_width(timeline: dict[str, Any], buckets: list[Bucket]) -> float:
    """The stated width, else the least distance between two buckets, in ms."""
    stated = number(timeline.get("bucket_ms"))
    if stated and stated > 0:
        return stated
    steps = [later.start - earlier.start for earlier, later in zip(buckets, buckets[1:], strict=False) if later.start > earlier.start]
    return min(steps, default=100.0)


def usual_rate(buckets: list[Bucket], width: float) -> float:
    """Packets per ms before the failure: the median of the buckets that held any; over the whole time when there is no before."""
    full = [bucket for bucket in buckets if bucket.packets > 0]
    counts = [bucket.packets for bucket in full if bucket.start + width <= 0] or [bucket.packets for bucket in full]
    return statistics.median(counts) / width if counts else 0.0


def markers_of(drill: dict[str, Any], timeline: dict[str, Any]) -> list[Marker]:
    """The failure at 0, what the drill measured from there, and the events that it recorded, in time's order."""
    found = [Marker(number(timeline.get("failure_at")) or 0.0, "failure", "failure")]
    for key, label, kind in (("detection_limit_ms", "detection limit", "limit"), ("takeover_ms", "takeover", "takeover"),
                             ("reconnect_ms", "new connection", "reconnect")):
        at = number(drill.get(key))
        if at is not None:
            found.append(Marker(at, label, kind))
    for event in timeline.get("events") or []:
        at, label = number(event.get("t_ms")), str(event.get("label") or "event")
        if at is not None and not label.lower().startswith(_OWN):
            found.append(Marker(at, f"{label} ({event['node']})" if event.get("node") is not None else label, "event"))
    return sorted(found, key=lambda marker: marker.at)


def spans(drill: dict[str, Any], markers: list[Marker], buckets: list[Bucket]) -> list[tuple[str, float, float]]:
    """One or two spans of time, (name, from, to) in ms: the failure close up, and the recovery when anything is marked there.

    The first ends where the outage has surely ended; one linear axis over both would hide a gap of half a second in a drill of a minute.
    """
    gap = drill.get("gap_ms") or {}
    figures = [number(gap.get("median")), number(gap.get("p99"))] + [number(drill.get(key)) for key in ("detection_limit_ms", "takeover_ms", "reconnect_ms")]
    known = [figure for figure in figures if figure is not None and figure > 0]
    first, last = (buckets[0].start, buckets[-1].start) if buckets else (0.0, 0.0)
    reach = max(known, default=max(last, 1000.0)) * 1.42 + 50
    begin = -max(reach * 0.18, 100.0)
    if buckets and first < 0:
        begin = max(begin, first)
    found = [("The failure", begin, reach)]
    later = [marker.at for marker in markers if marker.at > reach]
    if later:
        span = max(later[-1] - later[0], 1000.0)
        # A second before the first event, and no more than was read after the last: what was not kept must not look like silence.
        end = min(last, later[-1] + span * 0.35) if last > later[-1] else later[-1] + span * 0.1
        found.append(("The recovery", max(reach, later[0] - min(span * 0.1, 1000.0)), end))
    return found


def columns(buckets: list[Bucket], width: float, begin: float, end: float, number_of: int) -> list[tuple[float, str | None, bool]]:
    """Delivery in equal columns of time: (packets per ms, the node that forwarded most, whether anything was delivered)."""
    step = (end - begin) / number_of
    packets = [0.0] * number_of
    nodes: list[dict[str | None, float]] = [{} for _column in range(number_of)]
    for bucket in buckets:
        start, stop = max(bucket.start, begin), min(bucket.start + width, end)
        if bucket.packets <= 0 or stop <= start:
            continue
        for column in range(int((start - begin) / step), min(number_of - 1, int((stop - begin) / step)) + 1):
            overlap = min(stop, begin + (column + 1) * step) - max(start, begin + column * step)
            if overlap > 0:
                share = bucket.packets * overlap / width
                packets[column] += share
                nodes[column][bucket.via] = nodes[column].get(bucket.via, 0.0) + share
    return [(packets[column] / step, max(via, key=lambda name: via[name]) if via else None, bool(via)) for column, via in enumerate(nodes)]


def ticks(begin: float, end: float, most: int) -> list[float]:
    """Round moments for the axis, at most ``most``, always with 0 when it is in the span."""
    step, factors, place = 1.0, (2.0, 2.5, 2.0), 0  # 1, 2, 5, 10, ...
    while (end - begin) / step > most:
        step *= factors[place % 3]
        place += 1
    return [value * step for value in range(-int(-begin // step), int(end // step) + 1)]
