# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks that are made before an upgrade: whether all nodes of a cluster are fit for it now. Pure; what is not known never passes.

:func:`judge_readiness` is the only thing that callers need. :data:`READINESS` lists the ids, in the order in which results are given. A check that the
checks of a verification make already takes their results; it is not made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import ERROR, SKIPPED, ClusterView, Verdict
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade import (
    backup,
    readiness_change,
    readiness_clocks,
    readiness_cluster,
    readiness_jobs,
    readiness_node,
    readiness_tables,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness_settings import LEAVE_OUT, Settings, read_settings
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness_view import Readiness, ReadinessView

READINESS: dict[str, Readiness] = {
    "cluster_healthy": readiness_cluster.cluster_healthy,
    "sync_live": readiness_cluster.sync_live,
    "bulk_ended": readiness_cluster.bulk_ended,
    "tables_level": readiness_tables.tables_level,
    "rule_present": readiness_cluster.rule_present,
    "settings_level": readiness_cluster.settings_level,
    "mtu_within": readiness_cluster.mtu_within,
    "free_disk": readiness_node.free_disk,
    "nothing_running": readiness_node.nothing_running,
    "nothing_pending": readiness_node.nothing_pending,
    "nothing_unapplied": readiness_node.nothing_unapplied,
    "clocks_close": readiness_clocks.clocks_close,
    "certificates_valid": readiness_node.certificates_valid,
    "jobs_in_window": readiness_jobs.jobs_in_window,
    "packages_equal": readiness_change.packages_equal,
    "known_bad": readiness_change.known_bad,
    "config_backup": backup.config_backup,
    "way_back": readiness_node.way_back,
}
LEFT_OUT = f"left out by {LEAVE_OUT}"


def judge_readiness(plans: Mapping[str, Mapping[str, Any]], evidence: Mapping[str, Any], judged: Sequence[Mapping[str, Any]], settings: Mapping[str, Any],
                    targets: Mapping[str, str | None] | None = None) -> list[dict[str, Any]]:
    """Judge all clusters that the plans name.

    Args:
        plans: inventory name -> plan, for every member of every cluster that is judged.
        evidence: inventory name -> evidence as node_info returned it with ``readiness: true``, or None. Anything may be in it.
        judged: what ``checks.judge`` gave of the same plans and evidence.
        settings: ``left_out`` (a list of ids), ``thresholds`` (a mapping, see :mod:`.readiness_settings`) and ``known_bad`` (a list, see
            :mod:`.known_bad_own`); each may be absent.
        targets: inventory name -> the release that the node is to have; where there is none, it is what the node would install.
    Returns:
        ``{"id", "cluster", "node" (inventory name, or None for the cluster as a whole), "status", "reason"}``, by cluster, then by check.
    Raises:
        ValueError: the settings are not valid, each reason on a line of its own; or a member of a cluster has no plan.
    """
    chosen = read_settings(settings, tuple(READINESS))
    return [{"id": name, "cluster": view.cluster.name, "node": verdict.node, "status": verdict.status, "reason": verdict.reason}
            for view in _views(plans, evidence, judged, chosen, targets or {})
            for name, check in READINESS.items() for verdict in _verdicts(name, check, view, chosen)]


def _views(plans: Mapping[str, Mapping[str, Any]], evidence: Mapping[str, Any], judged: Sequence[Mapping[str, Any]], settings: Settings,
           targets: Mapping[str, str | None]) -> Iterator[ReadinessView]:
    results: dict[Any, dict[Any, list[Mapping[str, Any]]]] = {}
    for result in judged:
        results.setdefault(result["cluster"], {}).setdefault(result["id"], []).append(result)
    for name, members in {plan["cluster"]: list(plan["members"]) for plan in plans.values()}.items():
        missing = sorted(member for member in members if member not in plans)
        if missing:
            raise ValueError("no plan for %s: give the plans of all members of a cluster, also of those that are down" % ", ".join(missing))
        yield ReadinessView(ClusterView.of(name, members, plans, evidence, {}, 1), results.get(name, {}), settings.thresholds, targets,
                            settings.known_bad)


def _verdicts(name: str, check: Readiness, view: ReadinessView, settings: Settings) -> list[Verdict]:
    if name in settings.left_out:
        return [Verdict(SKIPPED, LEFT_OUT)]
    try:
        return list(check(view))
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, ArithmeticError, RecursionError) as error:
        # Evidence of an unforeseen shape: not known is not passed, and one odd node must not hide what the other checks say.
        return [Verdict(ERROR, f"the evidence cannot be judged: {type(error).__name__}: {error}")]
