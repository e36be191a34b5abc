# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of the states themselves: they reach every other node, and quiet ones do not age out there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import (
    ERROR,
    FAIL,
    PASS,
    SKIPPED,
    SWITCHED_OFF,
    WARN,
    ClusterView,
    NodeView,
    Verdict,
    number,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.pf_facts import creator, states_sent

LEAST_GRACE = 60  # s that a refresh may be late before it counts as not running: a timer's accuracy and one run of a busy node


def states_travel(cluster: ClusterView) -> Iterator[Verdict]:
    """States made on each node were found on every other: one result per ordered pair, given for the receiving node."""
    if not cluster.synced:
        yield Verdict(SKIPPED, SWITCHED_OFF)
        return
    judge = {"conntrackd": _by_marked_states, "pfsync": _by_creators}[cluster.engine]
    for receiver in cluster.nodes:
        for sender in cluster.nodes:
            if sender is not receiver:
                status, reason = judge(cluster, sender, receiver)
                yield Verdict(status, f"from {sender.name} to {receiver.name}: {reason}", receiver.name)


def _by_marked_states(cluster: ClusterView, sender: NodeView, receiver: NodeView) -> tuple[str, str]:
    found = None if receiver.found is None else number(receiver.found.get(str(sender.origin)))
    if found is None:
        return ERROR, "no marked states were looked for"
    if found < cluster.probe_count:
        return FAIL, f"only {found:.0f} of {cluster.probe_count} states arrived"
    return PASS, f"{found:.0f} of {cluster.probe_count} states arrived"


def _by_creators(_cluster: ClusterView, sender: NodeView, receiver: NodeView) -> tuple[str, str]:
    """pf has no way to insert a state that could be looked for; but each state says which node made it."""
    own, other = (creator(node.get("engine", "host_id")) for node in (sender, receiver))
    if own is None:
        return ERROR, sender.unknown("the host id", "engine")
    if own == other:
        return ERROR, f"both have host id {own}, so it cannot be told who made a state"
    if receiver.creators is None:
        return ERROR, receiver.unknown("who made the states", "engine")
    if own in receiver.creators:
        counted = _of_creator(receiver, own)
        return PASS, f"{receiver.name} holds {'' if counted is None else f'{counted:.0f} '}states that {own} made (pf has no way to insert a marked one)"
    if sender.creators is None:
        return ERROR, sender.unknown("who made the states", "engine")
    if own not in sender.creators:
        return SKIPPED, f"{sender.name} holds no state that it made itself, so there is none to travel"
    counters = sender.get("engine", "counters")
    if states_sent(counters) == 0:
        # A message counts as sent before it can fail on its way out, but not before there is room for it.
        without_room = sender.number("engine", "counters", "no_memory")
        if without_room:
            return FAIL, f"{receiver.name} holds no state that {own} made, and {sender.name} had no room to send what it has (no_memory {without_room:.0f})"
        return SKIPPED, f"{sender.name} has not sent anything about a state: all that it made are of rules with no-sync, which do not travel"
    return FAIL, f"{receiver.name} holds no state that {own} made, and {sender.name} does"


def _of_creator(node: NodeView, one: str) -> float | None:
    """How many states of a creator the node holds, where it has counted."""
    counted = node.get("engine", "states_by_creator")
    return next((number(count) for name, count in counted.items() if creator(name) == one), None) if isinstance(counted, Mapping) else None


def quiet_states(cluster: ClusterView) -> Iterator[Verdict]:
    """The regular refresh of quiet states is on everywhere, and has run lately on the active node.

    The kernel sends no event when traffic merely keeps a state alive, so without a refresh the standby's copy ages out.
    """
    for node in cluster.nodes:
        yield _quiet_states(node)


def _quiet_states(node: NodeView) -> Verdict:
    if not node.synced:
        return Verdict(SKIPPED, SWITCHED_OFF, node.name)
    if node.engine == "pfsync":
        # FreeBSD, sys/netpfil/pf/pf.c: pf_test() calls pfsync_update_state() for each packet that a state passes; it is sent within a second.
        return Verdict(SKIPPED, "pfsync sends an update of each state that traffic passes by, so none ages out and there is nothing to refresh", node.name)
    if node.sync.get("external_cache"):
        return Verdict(SKIPPED, "received states wait in the external cache until their end is reported, so there is nothing to refresh", node.name)
    if node.sync.get("refresh_interval") == 0:
        return Verdict(WARN, "the refresh is switched off in the plan: connections without changes of state age out on the standby", node.name)
    if not node.instances:
        return Verdict(SKIPPED, "no virtual addresses are planned, so no node is active", node.name)
    enabled, interval = node.flag("engine", "refresh", "enabled"), node.number("engine", "refresh", "interval")
    if enabled is None or (enabled and interval is None):
        return Verdict(ERROR, node.unknown("whether quiet states are refreshed", "engine"), node.name)
    if not enabled:
        return Verdict(WARN, "the refresh is planned but off on this node: connections without changes of state age out on the standby", node.name)
    rows = node.rows("vrrp", "instances")
    states = {row.get("state") for row in rows or []}
    if not states <= {"active", "standby", "fault"} or not states:
        return Verdict(ERROR, node.unknown("whether the node is active", "vrrp"), node.name)
    if "active" not in states:
        return Verdict(PASS, f"every {interval:g} s as soon as this node is active", node.name)
    return _lately(node, interval or 0.0)


def _lately(node: NodeView, interval: float) -> Verdict:
    now, last, since = node.number("collected_at"), node.number("engine", "refresh", "last_run"), node.number("vrrp", "since")
    grace = max(3 * interval, LEAST_GRACE)
    if now is None:
        return Verdict(ERROR, node.unknown("when the evidence was read", "collected_at"), node.name)
    if last is not None and now - last <= grace:
        return Verdict(PASS, f"every {interval:g} s, last {max(0.0, now - last):.0f} s ago", node.name)
    if since is not None and 0 <= now - since <= grace:
        return Verdict(SKIPPED, f"active for only {now - since:.0f} s, the first refresh is still to come", node.name)
    if last is None:
        return Verdict(ERROR, node.unknown("when quiet states were refreshed last", "engine"), node.name)
    return Verdict(FAIL, f"last refresh {now - last:.0f} s ago, planned every {interval:g} s", node.name)
