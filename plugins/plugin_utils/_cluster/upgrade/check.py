# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole upgrade check of clusters, from plans and evidence to the outcome. :func:`check_upgrade` is the only thing that callers need."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster import checks
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.outcome import good_enough, judge_upgrade
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness import LEFT_OUT, judge_readiness


class Upgrades(NamedTuple):
    """What was found.

    Attributes:
        upgrades: one for each cluster, as :func:`.outcome.judge_upgrade` gives it, with what was ``required`` and whether the outcome is ``good_enough``.
        checks: all results, those of readiness after those of a verification.
    """

    upgrades: list[dict[str, Any]]
    checks: list[dict[str, Any]]


def check_upgrade(plans: Mapping[str, Mapping[str, Any]], evidence: Mapping[str, Any], *, targets: Mapping[str, str] | None = None,
                  required: str = "seamless_with_steps", leave_out: Collection[str] = (), thresholds: Mapping[str, Any] | None = None,
                  known_bad: Sequence[Any] = (), judged: Sequence[Mapping[str, Any]] | None = None, observed: Mapping[str, Any] | None = None,
                  probe_count: int = 1) -> Upgrades:
    """Judge the upgrade of all clusters that the plans name.

    Args:
        plans: inventory name -> plan, for every member of every cluster that is judged.
        evidence: inventory name -> evidence as node_info returned it with ``readiness: true``, or None. Anything may be in it: it was written on a node.
        targets: inventory name -> the release to get, or "candidate", which is also what holds for nodes that are not named.
        required: the worst outcome that is good enough, one of ``REQUIRABLE``.
        leave_out: ids of checks that do not count; each is shown as skipped, with that reason.
        thresholds: of the readiness checks.
        known_bad: changes of releases that go wrong, beside those that are known anyway; see :mod:`.known_bad_own`.
        judged: what ``checks.judge`` gave of the same plans and evidence; None to judge here.
        observed, probe_count: as for ``checks.judge``, for judging here.
    Raises:
        ValueError: a target is no release, a check to leave out is none, a threshold or a row of ``known_bad`` is not valid, or a member of a cluster has
            no plan.
    """
    wanted = targets or {}
    found = list(judged) if judged is not None else checks.judge(plans, evidence, observed or {}, probe_count)
    known = {"left_out": [name for name in leave_out if name not in checks.CHECKS], "thresholds": thresholds or {},
             "known_bad": known_bad}
    # What is left out counts nowhere, not in the readiness checks that take from it either.
    verified = _left_out(found, leave_out)
    ready = judge_readiness(plans, evidence, verified, known, {host: None if release == "candidate" else release for host, release in wanted.items()})
    results = verified + ready
    upgrades = []
    for name, members in {plan["cluster"]: plan["members"] for plan in plans.values()}.items():
        upgrade = judge_upgrade({host: plans[host] for host in members}, evidence, wanted, [result for result in results if result["cluster"] == name])
        upgrades.append({**upgrade, "required": required, "good_enough": good_enough(upgrade["outcome"], required)})
    return Upgrades(upgrades, results)


def _left_out(results: Sequence[Mapping[str, Any]], names: Collection[str]) -> list[dict[str, Any]]:
    """The results, with those of a check that is left out in one that says so."""
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for place, result in enumerate(results):
        if result["id"] in names:
            kept[result["cluster"], result["id"]] = {**result, "node": None, "status": "skipped", "reason": LEFT_OUT}
        else:
            kept[(place,)] = dict(result)
    return list(kept.values())
