# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readiness of the tables of states: the standby has about as many as the active node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import (
    ERROR,
    FAIL,
    PASS,
    SKIPPED,
    SWITCHED_OFF,
    NodeView,
    Verdict,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness_view import ReadinessView


def tables_level(view: ReadinessView) -> Iterator[Verdict]:
    """Every standby holds about as many states as the active node. With one that lags far behind, connections are lost when it takes over."""
    active = [node for node in view.nodes if node.active]
    if not view.cluster.synced:
        yield Verdict(SKIPPED, SWITCHED_OFF)
    elif len(active) != 1:
        yield Verdict(ERROR, f"{len(active)} nodes are known to be active, so there is no table to compare the others with: look at cluster_healthy")
    else:
        for node in view.nodes:
            if node is not active[0]:
                yield Verdict(*_level(active[0], node, view.thresholds), node.name)


def _level(active: NodeView, standby: NodeView, thresholds: Mapping[str, float]) -> tuple[str, str]:
    # The external cache is where conntrackd keeps the states of others until they are needed; without it they are in the kernel's table.
    cached = bool(standby.sync.get("external_cache"))
    there, here = active.number("engine", "tables", "internal" if cached else "kernel"), standby.number("engine", "tables", "external" if cached else "kernel")
    for node, count in ((active, there), (standby, here)):
        if count is None:
            return ERROR, node.unknown("the size of its table of states", "engine")
    most = max(there or 0, here or 0)
    apart = abs((there or 0) - (here or 0))
    allowed = max(thresholds["tables_states"], most * thresholds["tables_percent"] / 100)
    said = f"{active.name} is active with {there:.0f} states, {standby.name} has {here:.0f}"
    if apart > allowed:
        return FAIL, f"{said}: {apart:.0f} apart, {100 * apart / most:.0f} %, and {allowed:.0f} are allowed"
    return PASS, said
