# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Order, counts and the verdict: what the first screen says. Unknown is never a pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.catalogue import CATALOGUE
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.clean import clean, clean_text
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.upgrade_view import verdict as upgrade_verdict
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.words import plural

STATUSES = ("fail", "error", "warn", "skipped", "pass")  # the worst first
_ORDER = {status: place for place, status in enumerate(STATUSES)}
_KNOWN = {check_id: place for place, check_id in enumerate(CATALOGUE)}


def checks_of(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The checks, cleaned, with exactly the keys id, node, status, reason and cluster; a status that nobody knows becomes an error."""
    checks = []
    for check in report.get("checks") or []:
        status, reason = clean_text(check.get("status")), clean_text(check.get("reason") or "")
        if status not in _ORDER:
            status, reason = "error", f"unknown status {status!r}: {reason}"
        names = {key: None if check.get(key) is None else clean_text(check[key]) for key in ("id", "node", "cluster")}
        checks.append({**names, "id": names["id"] or "unnamed", "status": status, "reason": reason})
    return sorted(checks, key=lambda check: (check["cluster"] or "", check["id"], check["node"] or "", _ORDER[check["status"]], check["reason"]))


def worst_first(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By severity, then cluster, then the order of the catalogue, then node."""
    return sorted(checks, key=lambda check: (_ORDER[check["status"]], check["cluster"] or "", _KNOWN.get(check["id"], len(_KNOWN)),
                                             check["id"], check["node"] or ""))


def drills_of(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The drills, cleaned, in the order in which they were run."""
    return [clean(drill) for drill in report.get("drills") or []]


def clusters_of(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The clusters, cleaned, by name; plans and evidence are always dicts, and every node is in both."""
    clusters = []
    for cluster in report.get("clusters") or []:
        cleaned = clean(cluster)
        plans, evidence = (cleaned.get(key) if isinstance(cleaned.get(key), dict) else {} for key in ("plans", "evidence"))
        hosts = list(dict.fromkeys([*_members(plans), *evidence]))
        clusters.append({"name": clean_text(cleaned.get("name") or "unnamed"), "plans": {host: plans.get(host) or {} for host in hosts},
                         "evidence": {host: evidence.get(host) for host in hosts}})
    return sorted(clusters, key=lambda cluster: cluster["name"])


def _members(plans: dict[str, Any]) -> list[str]:
    """The nodes in the inventory's order, as the plans know it."""
    stated: list[Any] = next((plan["members"] for plan in plans.values() if isinstance(plan, dict) and isinstance(plan.get("members"), list)), [])
    return [host for host in stated if isinstance(host, str) and host in plans] + [host for host in plans if host not in stated]


def summarise(checks: list[dict[str, Any]], drills: list[dict[str, Any]], upgrades: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Counts and the verdict. Where upgrades were judged, it is theirs: they took every check into account.

    Returns:
        {"verdict": "fine" | "warnings" | "not_fine" | "unknown", "checks": {status: number, "total": number},
        "drills": {"passed": n, "failed": n, "total": n}}; a drill whose ``passed`` is not true counts as failed.
    """
    counts = Counter(check["status"] for check in checks)
    passed = sum(drill.get("passed") is True for drill in drills)
    if counts["fail"] or passed < len(drills):
        verdict = "not_fine"
    elif counts["error"] or not (counts["pass"] or counts["warn"] or passed):
        verdict = "unknown"
    else:
        verdict = "warnings" if counts["warn"] else "fine"
    if upgrades:
        verdict = upgrade_verdict(upgrades)
    return {"verdict": verdict, "checks": {**{status: counts[status] for status in STATUSES}, "total": len(checks)},
            "drills": {"passed": passed, "failed": len(drills) - passed, "total": len(drills)}}


def headline(summary: dict[str, Any], clusters: int) -> tuple[str, str]:
    """The verdict in words: one sentence for the eye, one for the reader."""
    checks, drills = summary["checks"], summary["drills"]
    subject = "The cluster" if clusters <= 1 else f"All {clusters} clusters"
    verb = "is" if clusters <= 1 else "are"
    if not checks["total"] and drills["total"]:
        one = drills["total"] == 1
        title = {"not_fine": "The drill failed" if one else f"{drills['failed']} of {drills['total']} drills failed"}.get(
            summary["verdict"], "The drill passed" if one else _all_passed(drills["total"]))
    elif not checks["total"]:
        title = "Nothing was checked"
    elif summary["verdict"] == "not_fine":
        title = "The cluster is not fine" if clusters <= 1 else "Not every cluster is fine"
    elif summary["verdict"] == "unknown":
        title = "Unknown whether the cluster is fine" if clusters <= 1 else "Unknown whether every cluster is fine"
    elif summary["verdict"] == "warnings":
        title = f"{subject} {'works' if clusters <= 1 else 'work'}, with {plural(checks['warn'], 'warning')}"
    else:
        title = f"{subject} {verb} fine"
    return title, _sentence(checks, drills)


def _all_passed(drills: int) -> str:
    return "Both drills passed" if drills == 2 else f"All {drills} drills passed"


def _sentence(checks: dict[str, int], drills: dict[str, int]) -> str:
    parts = []
    if checks["fail"]:
        parts.append(plural(checks["fail"], "fails", "fail"))
    if checks["error"]:
        parts.append(f"{checks['error']:,} could not be judged")
    if checks["warn"]:
        parts.append(plural(checks["warn"], "gives a warning", "give a warning"))
    if checks["skipped"]:
        parts.append(plural(checks["skipped"], "was skipped", "were skipped"))
    text = f"Of {plural(checks['total'], 'check')}, {', '.join(parts)}." if parts else ""
    if checks["total"] and not parts:
        text = "The one check passed." if checks["total"] == 1 else f"All {checks['total']:,} checks passed."
    if not checks["total"]:
        text = "No check of the configuration was part of this run."
    if drills["failed"] and checks["total"]:
        text += " The drill failed." if drills["total"] == 1 else f" {drills['failed']} of {drills['total']} drills failed."
    elif drills["total"] and checks["total"]:
        text += " The drill passed." if drills["total"] == 1 else f" {_all_passed(drills['total'])}."
    return text
