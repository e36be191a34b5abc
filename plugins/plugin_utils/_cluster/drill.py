# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges a failover drill: what the two hosts measured, and who was active before and after, become one result. Pure.

All times that the hosts report are in ms after ``failure_at.before``: flow_probe is read with ``since`` = that moment and ``after`` =
``failure_at.after``, each moved to the host's clock (:func:`clock_offset`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster import drill_figures as figures

STOPS_TRAFFIC = {"power_loss": True, "link_cut": True, "engine_then_node": True, "keepalived_killed": False, "maintenance": False}
"""The kinds of failure, and whether the old active node stops forwarding at that very moment."""

SURVIVE_WITHIN_MS = 60000
"""A flow that is not back by then is lost."""

SETTLE_MS = 20
"""Packets that were under way when the other node took over still count as its predecessor's."""

_UDP_INTERVAL_MS = 10
_AFTER_GAP_MS = 3000
_AFTER_BACK_MS = 3000


def clock_offset(clock: float, before: float, after: float) -> dict[str, float]:
    """A host's clock minus the controller's, in s, from what the host said its clock was between two moments of the controller's.

    The error is at most ``uncertainty`` (s). An offset that is no larger than that cannot be told from none, and is none.
    """
    uncertainty = abs(after - before) / 2
    offset = clock - (before + after) / 2
    return {"offset": 0.0 if abs(offset) <= uncertainty else offset, "uncertainty": uncertainty}


def drill_result(drill: Mapping[str, Any]) -> dict[str, Any]:
    """The result of one drill.

    Args:
        drill: ``state_sync`` (bool), ``failure`` (a key of :data:`STOPS_TRAFFIC`), ``failure_at`` ({before, after}: s on the controller's clock
            around the command that caused it), ``client`` and ``server`` (what flow_probe read, or None), ``macs`` ({node: MACs of its
            interfaces}), ``old_active`` and ``new_active`` (node by evidence before and after, or None), ``advert_interval`` (s),
            ``standby_priority``, ``standby_states`` (states on the standby just before, or None), optional ``clock_uncertainty`` (s, of the
            hosts' clocks against the controller's), optional ``recovery`` (see :func:`_recovery`).
    Returns:
        state_sync, failure, flows, lost, gap_ms, stall_ms, detection_limit_ms, takeover_ms, reconnect_ms, standby_states, old_active,
        new_active, crossed_wrong_node, udp_flows, udp_sources_changed, measured_from, timeline, recovery (when given), passed, reasons.
        What is not known is None, and a reason not to pass.
    Raises:
        ValueError: an unknown kind of failure.
    """
    if drill["failure"] not in STOPS_TRAFFIC:
        raise ValueError("unknown failure %s; known: %s" % (drill["failure"], ", ".join(sorted(STOPS_TRAFFIC))))
    reasons = _active_reasons(drill)
    reads = {host: drill[host] for host in ("client", "server")}
    unread = _missing(reads)
    result: dict[str, Any] = {
        "state_sync": drill["state_sync"], "failure": drill["failure"], "flows": None, "lost": None, "gap_ms": figures.spread([]),
        "stall_ms": figures.spread([]), "detection_limit_ms": figures.detection_limit_ms(drill["advert_interval"], drill["standby_priority"]),
        "takeover_ms": None, "reconnect_ms": None, "standby_states": drill.get("standby_states"), "old_active": drill.get("old_active"),
        "new_active": drill.get("new_active"), "crossed_wrong_node": None, "udp_flows": None, "udp_sources_changed": None, "measured_from": None,
        "timeline": None,
    }
    if drill["state_sync"] and result["standby_states"] is None:
        reasons.append("the number of states on the standby before the failure is not known")
    zero = 0.0
    if unread:
        reasons.extend(unread)
    else:
        zero, result["measured_from"] = _zero(drill, reads)
        reasons.extend(_flows(result, drill, reads, zero))
        reasons.extend(_outage(result, drill, reads, zero))
    if drill.get("recovery"):
        reasons.extend(_recovery(result, drill, zero))
    return dict(result, passed=not reasons, reasons=reasons)


def _active_reasons(drill: Mapping[str, Any]) -> list[str]:
    old, new = drill.get("old_active"), drill.get("new_active")
    if old is None or new is None:
        return ["which node was active %s the failure is not known" % when for when, node in (("before", old), ("after", new)) if node is None]
    return ["the active node did not change: %s before and after" % old] if old == new else []


def _missing(reads: Mapping[str, Any]) -> list[str]:
    missing = []
    for host, read in reads.items():
        if not read:
            missing.append("nothing was read on the %s" % host)
            continue
        parts = {"tcp": "TCP flows", "udp": "UDP flows", "deliveries": "deliveries (flow_probe needs root for them)"}
        if host == "client":
            parts["reconnect"] = "new connections"
        missing.extend("no measurement of %s on the %s" % (what, host) for part, what in parts.items() if read.get(part) is None)
    return missing


def _zero(drill: Mapping[str, Any], reads: Mapping[str, Any]) -> tuple[float, str]:
    """The moment of the failure: the last datagram that got through where the failure stops the traffic, else the command that caused it."""
    slack = 1000 * float(drill.get("clock_uncertainty", 0)) + 5 * _UDP_INTERVAL_MS
    latest = 1000 * (drill["failure_at"]["after"] - drill["failure_at"]["before"]) + slack
    if STOPS_TRAFFIC[drill["failure"]]:
        last = figures.silence_begins(list(reads.values()), -slack, latest, _UDP_INTERVAL_MS)
        if last is not None:
            return last, "last datagram before the outage"
    return 0.0, "start of the command that caused the failure"


def _flows(result: dict[str, Any], drill: Mapping[str, Any], reads: Mapping[str, Any], zero: float) -> list[str]:
    client, server = reads["client"], reads["server"]
    kept = figures.kept_flows(client, server, zero + SURVIVE_WITHIN_MS)
    stalls = [stall for read in (client, server) for stall, good in zip(read["tcp"]["stall_ms"], kept, strict=False) if good and stall is not None]
    connected = figures.new_connection(client, zero)
    result.update(flows=len(kept), lost=kept.count(False), stall_ms=figures.spread(stalls),
                  reconnect_ms=None if connected is None else round(connected - zero, 1))
    reasons = []
    if not kept:
        reasons.append("there was no TCP flow")
    early = min(client["read_ms"], server["read_ms"]) < zero + SURVIVE_WITHIN_MS
    if early and client["tcp"]["waiting"] + server["tcp"]["waiting"]:
        reasons.append("flows that may still come back were given less than %d s; those count as lost" % (SURVIVE_WITHIN_MS // 1000))
    if drill["state_sync"] and result["lost"]:
        reasons.append("%d of %d TCP flows were lost although states are synchronised" % (result["lost"], len(kept)))
    if connected is None:
        reasons.append("no new connection succeeded after the failure")
    return reasons


def _outage(result: dict[str, Any], drill: Mapping[str, Any], reads: Mapping[str, Any], zero: float) -> list[str]:
    gaps = [gap for read in reads.values() for gap in read["udp"]["gaps"]]
    known = [gap for gap in gaps if gap is not None]
    result.update(gap_ms=figures.spread([gap[1] for gap in known]), udp_flows=reads["server"]["udp"]["flows"],
                  udp_sources_changed=sum(1 for changes in reads["server"]["udp"]["sources"] if any(at > zero for at, _source in changes)))
    reasons = []
    if not known or len(known) < len(gaps):
        reasons.append("%d of %d UDP flows and directions were never heard" % (len(gaps) - len(known), len(gaps)))
    silent = sum(1 for gap in known if not gap[2])
    if silent:
        reasons.append("%d of %d UDP flows and directions were still silent at the end" % (silent, len(gaps)))
    old, new = drill.get("old_active"), drill.get("new_active")
    nodes = figures.nodes_by_mac(drill["macs"])
    events = [{"t_ms": 0, "label": "failure: %s" % drill["failure"], "node": old}]
    if old is not None and new is not None and old != new:
        reasons.extend(_takeover(result, reads, nodes, (old, new), zero))
    if result["takeover_ms"] is not None:
        events.append({"t_ms": result["takeover_ms"], "label": "takeover: first packet through the new active node", "node": new})
    if result["reconnect_ms"] is not None:
        events.append({"t_ms": result["reconnect_ms"], "label": "reconnect: first new connection", "node": new})
    until = (result["gap_ms"]["max"] or 0) + _AFTER_GAP_MS
    result["timeline"] = {"failure_at": 0, "unit": "ms", "bucket_ms": reads["client"]["deliveries"]["bucket_ms"],
                          "deliveries": figures.timeline(reads, nodes, zero, until), "events": sorted(events, key=lambda event: event["t_ms"])}
    return reasons


def _takeover(result: dict[str, Any], reads: Mapping[str, Any], nodes: Mapping[str, str], pair: tuple[str, str], zero: float) -> list[str]:
    old, new = pair
    firsts = {host: figures.first_through(read, nodes, new, zero) for host, read in reads.items()}
    seen = {host: first for host, first in firsts.items() if first is not None}
    reasons = ["no packet through %s reached the %s after the failure" % (new, host) for host in firsts if host not in seen]
    if seen:
        result["takeover_ms"] = round(min(seen.values()) - zero, 1)
        result["crossed_wrong_node"] = sum(figures.wrong_node(reads[host], nodes, old, new, zero, first, SETTLE_MS) for host, first in seen.items())
    if result["crossed_wrong_node"]:
        reasons.append("%d packets crossed the wrong node" % result["crossed_wrong_node"])
    return reasons


def _recovery(result: dict[str, Any], drill: Mapping[str, Any], zero: float) -> list[str]:
    """What the return of the failed node did to the flows that were kept; into ``result`` go ``recovery`` and its part of the timeline.

    ``drill["recovery"]``: ``at`` ({before, after}: s on the controller's clock around the node's return), ``client`` and ``server`` (read with ``since``
    and ``after`` = these two moments), ``active`` (node by evidence at the end, or None) and ``expected_active`` (the returned node where it takes over
    again, else the one that took over).
    """
    recovery = drill["recovery"]
    reads = {host: recovery.get(host) for host in ("client", "server")}
    found: dict[str, Any] = {"active": recovery.get("active"), "expected_active": recovery["expected_active"], "lost": None, "gap_ms": figures.spread([])}
    result["recovery"] = found
    reasons = []
    # Where nobody is known to have taken over, that is a reason already.
    if found["expected_active"] is not None and found["active"] != found["expected_active"]:
        reasons.append("after the failed node came back, %s is active instead of %s" % (found["active"] or "an unknown node", found["expected_active"]))
    if any(not read or read.get(part) is None for read in reads.values() for part in ("tcp", "udp", "deliveries")):
        return [*reasons, "nothing was measured after the failed node came back"]
    kept_before = figures.kept_flows(drill["client"], drill["server"], float("inf")) if drill.get("client") and drill.get("server") else []
    kept = figures.kept_flows(reads["client"], reads["server"], float("inf"))
    found["lost"] = sum(1 for before, now in zip(kept_before, kept, strict=False) if before and not now)
    found["gap_ms"] = figures.spread([gap[1] for read in reads.values() for gap in read["udp"]["gaps"] if gap is not None])
    if drill["state_sync"] and found["lost"]:
        reasons.append("%d TCP flows were lost when the failed node came back" % found["lost"])
    if result["timeline"]:
        begun, back = (1000 * (recovery["at"][moment] - drill["failure_at"]["before"]) - zero for moment in ("before", "after"))
        until = min(back + _AFTER_BACK_MS, begun + min(read["read_ms"] for read in reads.values()))
        _extend(result["timeline"], figures.timeline(reads, figures.nodes_by_mac(drill["macs"]), -begun, until))
        result["timeline"]["events"] += [{"t_ms": round(begun), "label": "node is brought back", "node": drill["old_active"]},
                                         {"t_ms": round(back), "label": "node takes part again", "node": drill["old_active"]}]
    return reasons


def _extend(timeline: dict[str, Any], later: list[dict[str, Any]]) -> None:
    """Add the deliveries that were read later; what both readings have is kept once."""
    for row, more in zip(timeline["deliveries"], later, strict=True):
        last = max((bucket[0] for bucket in row["buckets"]), default=float("-inf"))
        row["buckets"] += [bucket for bucket in more["buckets"] if bucket[0] > last]
