# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readiness of the cluster as a whole, by what the checks of a verification have found."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import (
    ERROR,
    FAIL,
    PASS,
    SKIPPED,
    SWITCHED_OFF,
    WARN,
    NodeView,
    Verdict,
    weigh,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import PLATFORMS, release
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.pf_facts import creator
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness_view import AREA, ReadinessView

_NEVER = 253402300800.0  # the year 10000, which no calendar of a computer shows


def cluster_healthy(view: ReadinessView) -> Iterator[Verdict]:
    """One active node for every id, CARP not demoted, and nobody left in maintenance: an upgrade hands over more than once. Told of one moment."""
    yield _taken(view, ("roles_disjoint", "demotion", "maintenance"), strict=("roles_disjoint", "maintenance"), unknowns=_apart(view))


def _apart(view: ReadinessView) -> list[str]:
    """What keeps the evidence of the nodes from being of one moment. Of the controller's clock where it was asked, else of the node's own."""
    asked = [node.number(AREA, "clock", "asked") for node in view.nodes]
    by_own = None in asked
    read = [(at if at is not None and at < _NEVER else None, node)
            for at, node in zip([node.number("collected_at") for node in view.nodes] if by_own else asked, view.nodes)]
    known = sorted(((at, node) for at, node in read if at is not None), key=lambda one: one[0])
    limit = float(view.thresholds["evidence_minutes"]) * 60
    if len(known) < 2 or known[-1][0] - known[0][0] <= limit:
        return [node.unknown("when the evidence was read", "collected_at") for at, node in read if at is None and node.evidence]
    first, last = (time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at)) for at, _node in (known[0], known[-1]))
    clocks = " by their own clocks" if by_own else ""
    return [f"{known[0][1].name} was read on {first}, {known[-1][1].name} on {last}{clocks}: read all nodes again, together"
            + (", and see that the clocks go right" if by_own else "")]


def sync_live(view: ReadinessView) -> Iterator[Verdict]:
    """States of every node are on every other now: one result per ordered pair, given for the receiving node; and none of them ages out there."""
    results = view.results("states_travel")
    if not results:
        yield Verdict(ERROR, _unjudged("states_travel"))
    has_own = [f"from {node.name} to " for node in view.nodes if node.active and creator(node.get("engine", "host_id")) in (node.creators or ())]
    for result in results:
        if result["status"] == SKIPPED and any(result["reason"].startswith(way) for way in has_own):
            # It is what the upgrade stands on: with states there, that none came is no proof of anything.
            yield Verdict(ERROR, f"{result['reason']}; let a connection pass through the cluster, and check again", result["node"])
        else:
            yield Verdict(result["status"], result["reason"], result["node"])
    if not view.results("quiet_states"):
        yield Verdict(ERROR, _unjudged("quiet_states"))
    for result in view.results("quiet_states"):
        if result["status"] not in (PASS, SKIPPED):
            yield Verdict(ERROR if result["status"] == ERROR else FAIL, f"quiet_states: {result['reason']}", result["node"])


def bulk_ended(view: ReadinessView) -> Iterator[Verdict]:
    """The transfer of all states that each node asked for when it joined has ended, and well."""
    for node in view.nodes:
        yield Verdict(*_bulk(view, node), node.name) if node.synced else Verdict(SKIPPED, SWITCHED_OFF, node.name)


def _bulk(view: ReadinessView, node: NodeView) -> tuple[str, str]:
    """By the kernel's own messages where they are read and still there. Otherwise only the states themselves tell it, for syncok is 1 also after a failure."""
    told = [result for result in view.results("bulk_done", node.name) if result["status"] != SKIPPED]
    runs = view.results("engine_running", node.name)
    if not told and not runs:
        return ERROR, _unjudged("bulk_done")
    for result in told:
        # Pending is a warning in a verification; to upgrade now would be to lose what has not come.
        waits = "; wait until it has ended" if node.get("engine", "bulk") == "pending" else ""
        return (FAIL, f"{result['reason']}{waits}") if result["status"] == WARN else (result["status"], result["reason"])
    amiss = [result for result in runs if result["status"] != PASS]
    if amiss:
        return (ERROR if amiss[0]["status"] == ERROR else FAIL), amiss[0]["reason"]
    arrived = view.results("states_travel", node.name)
    if arrived and all(result["status"] == PASS for result in arrived):
        return PASS, "the engine runs, and holds states of every other node"
    if arrived and all(result["status"] in (PASS, SKIPPED) for result in arrived):
        # A standby of an idle cluster: there were no states that could have come, or could be missing.
        return SKIPPED, "; ".join(result["reason"] for result in arrived if result["status"] == SKIPPED)
    return ERROR, "whether the states that the others had have come is not told by this node, and that states of every other node are here is not proven"


def rule_present(view: ReadinessView) -> Iterator[Verdict]:
    """The engine's traffic gets in on every node, also after the reboot that an upgrade brings."""
    yield _taken(view, ("pass_rule",))


def settings_level(view: ReadinessView) -> Iterator[Verdict]:
    """All nodes are set alike, and as planned: what differs before an upgrade cannot be told from what the upgrade changes."""
    yield _taken(view, ("state_sync_enabled", "settings_agree", "host_ids", "state_policy_equal", "interface_keys", "config_versions"))


def mtu_within(view: ReadinessView) -> Iterator[Verdict]:
    """The MTUs of the Sync interfaces are equal, and none is more than the kernel sends."""
    taken = _taken(view, ("mtu_equal", "pfsync_mtu"))
    failures = [said for node in view.nodes if node.synced for said in _too_large(node)]
    if failures and taken.status != FAIL:
        yield Verdict(FAIL, "; ".join(failures))
    else:
        yield taken


def _too_large(node: NodeView) -> Iterator[str]:
    """Of pfSense, whose pfsync0 a verification does not look at."""
    limit, own = PLATFORMS[node.platform].mtu, node.number("engine", "mtu")
    if node.platform == "pfsense" and limit is not None and own is not None and own > limit[0]:
        version = node.get("os", "version")
        runs = release(version if isinstance(version, str) else None)
        if limit[1] is None or runs is None or runs < limit[1]:
            yield f"pfsync0 of {node.name} has MTU {own:.0f}, and with more than {limit[0]} it sends nothing"


def _taken(view: ReadinessView, checks: Sequence[str], strict: Sequence[str] = (), unknowns: Sequence[str] = ()) -> Verdict:
    """What some checks of a verification said together, for the cluster; what ``strict`` ones warn of is a failure here."""
    failures: list[str] = []
    unknowns = list(unknowns)
    warnings: list[str] = []
    passed: list[str] = []
    skipped: list[str] = []
    for check in checks:
        results = view.results(check)
        unknowns += [] if results else [_unjudged(check)]
        for result in results:
            said = f"{check}: {result['node']}: {result['reason']}" if result["node"] else f"{check}: {result['reason']}"
            status = FAIL if result["status"] == WARN and check in strict else result["status"]
            {FAIL: failures, ERROR: unknowns, WARN: warnings, PASS: passed, SKIPPED: skipped}[status].append(said)
    if not (failures or unknowns or warnings or passed):
        return Verdict(SKIPPED, "; ".join(skipped))
    return Verdict(*weigh(failures, unknowns, warnings, "; ".join(passed)))


def _unjudged(check: str) -> str:
    return f"{check} was not judged: hand over what the checks of a verification gave of the same evidence"
