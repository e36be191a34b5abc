# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks: named tests over the evidence of all nodes. Pure; what is not known never passes.

:func:`judge` is the only thing that callers need. :data:`CHECKS` lists the ids, in the order in which results are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks import (
    engine,
    lagg,
    messages,
    pfsync,
    product,
    roles,
    rule,
    segment,
    travel,
    versions,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import ERROR, STATUSES, Check, ClusterView, Verdict

__all__ = ["CHECKS", "STATUSES", "counts", "failed", "judge"]

CHECKS: dict[str, Check] = {
    "state_sync_enabled": engine.state_sync_enabled,
    "engine_running": engine.engine_running,
    "config_current": engine.config_current,
    "settings_agree": engine.settings_agree,
    "states_travel": travel.states_travel,
    "quiet_states": travel.quiet_states,
    "formats_agree": messages.formats_agree,
    "peer_understood": messages.peer_understood,
    "bulk_done": messages.bulk_done,
    "host_ids": pfsync.host_ids,
    "devices_equal": pfsync.devices_equal,
    "state_interfaces": pfsync.state_interfaces,
    "state_policy_equal": pfsync.state_policy_equal,
    "rules_equal": pfsync.rules_equal,
    "roles_disjoint": roles.roles_disjoint,
    "maintenance": roles.maintenance,
    "demotion": pfsync.demotion,
    "carp_agrees": pfsync.carp_agrees,
    "pass_rule": rule.pass_rule,
    "sync_dedicated": segment.sync_dedicated,
    "sync_isolated": segment.sync_isolated,
    "mtu_equal": segment.mtu_equal,
    "pfsync_mtu": messages.pfsync_mtu,
    "sync_speed": segment.sync_speed,
    "sync_bandwidth": segment.sync_bandwidth,
    "laggs_equal": lagg.laggs_equal,
    "lagg_members": lagg.lagg_members,
    "lagg_lacp": lagg.lagg_lacp,
    "lagg_spare": lagg.lagg_spare,
    "config_sync": product.config_sync,
    "interface_keys": product.interface_keys,
    "config_versions": product.config_versions,
    "versions_equal": versions.versions_equal,
}


def judge(plans: Mapping[str, Mapping[str, Any]], evidence: Mapping[str, Any], probe: Mapping[str, Any], probe_count: int = 1) -> list[dict[str, Any]]:
    """Judge all clusters that the plans name.

    Args:
        plans: inventory name -> plan, for every member of every cluster that is judged.
        evidence: inventory name -> evidence as node_info returned it, or None. Anything may be in it: it was written on a node.
        probe: inventory name -> what sync_probe found there (origin as text -> number), or None. A node's origin is its place among the
            plan's ``members``, counted from 1.
        probe_count: how many states each node made.
    Returns:
        ``{"id", "cluster", "node" (inventory name, or None for the cluster as a whole), "status", "reason"}``, by cluster, then by check.
    Raises:
        ValueError: a member of a cluster has no plan.
    """
    results = []
    for cluster in _clusters(plans, evidence, probe, probe_count):
        for name, check in CHECKS.items():
            for verdict in _verdicts(check, cluster):
                results.append({"id": name, "cluster": cluster.name, "node": verdict.node, "status": verdict.status, "reason": verdict.reason})
    return results


def counts(results: list[dict[str, Any]]) -> dict[str, int]:
    """How many results have each status; every status is a key."""
    return {status: sum(result["status"] == status for result in results) for status in STATUSES}


def failed(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The results for which a verification fails: those that failed, and those that could not be told."""
    return [result for result in results if result["status"] in ("fail", "error")]


def _clusters(plans: Mapping[str, Mapping[str, Any]], evidence: Mapping[str, Any], probe: Mapping[str, Any], probe_count: int) -> list[ClusterView]:
    names: dict[str, list[str]] = {}
    for plan in plans.values():
        names.setdefault(plan["cluster"], list(plan["members"]))
    missing = sorted(member for members in names.values() for member in members if member not in plans)
    if missing:
        raise ValueError("no plan for %s: give the plans of all members of a cluster, also of those that are down" % ", ".join(missing))
    return [ClusterView.of(name, members, plans, evidence, probe, probe_count) for name, members in names.items()]


def _verdicts(check: Check, cluster: ClusterView) -> list[Verdict]:
    try:
        return list(check(cluster))
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, ArithmeticError, RecursionError) as error:
        # Evidence of an unforeseen shape: not known is not passed, and one odd node must not hide what the other checks say.
        return [Verdict(ERROR, f"the evidence cannot be judged: {type(error).__name__}: {error}")]
