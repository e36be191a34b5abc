# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report for people: one HTML page that needs nothing but itself. The first screen says whether the cluster is fine."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import ENGINES
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.catalogue import CATALOGUE, UNJUDGED, entry, meanings
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.clean import clean, clean_text
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.entry import Entry
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.picture_cluster import cluster_picture
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.picture_compare import compare_pictures
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.picture_timeline import timeline_picture
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.picture_upgrade import upgrade_picture
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.shape import DRILL, EVIDENCE, PLAN, shape
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.style import STYLE
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.summary import (
    STATUSES,
    checks_of,
    clusters_of,
    drills_of,
    headline,
    summarise,
    worst_first,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.svg import icon
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.table import node_rows
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.template import PAGE
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.upgrade_view import (
    LINK,
    OUTCOME_STATUS,
    as_yaml,
    told_once,
    upgrades_of,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.upgrade_view import headline as upgrade_headline
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.words import count, drill_name, duration, moment, plural
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

_WORDS = {"fail": "fails", "error": "not judged", "warn": "warning", "skipped": "skipped", "pass": "passes"}
_COUNTED = {"fail": "failed", "error": "not judged", "skipped": "skipped", "pass": "passed"}
_VERDICT_ICON = {"fine": "pass", "warnings": "warn", "not_fine": "fail", "unknown": "error"}
_ATTENTION = ("fail", "error", "warn")
_MOST_NAMES = 5
_MOST_OPEN = 3  # with more clusters, those that are well are folded


def as_html(report: dict[str, Any]) -> str:
    """The report as one HTML page: no script, nothing loaded from elsewhere, every value escaped."""
    checks, clusters = worst_first(checks_of(report)), clusters_of(report)
    drills = [shape(drill, DRILL) for drill in drills_of(report)]
    upgrades = upgrades_of(report)
    summary = summarise(checks, drills, upgrades)
    # A cluster that could not even be planned has an upgrade alone.
    names = list(dict.fromkeys([cluster["name"] for cluster in clusters] + [str(upgrade["cluster"]) for upgrade in upgrades]))
    engines = _Engines(clusters)
    title, sentence = upgrade_headline(upgrades) if upgrades else headline(
        summary, len(set(names) | {check["cluster"] for check in checks if check["cluster"]}))
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(PAGE).render(
        title=clean_text(report.get("title") or "Firewall cluster"),
        generated=moment(report.get("generated_at")),
        collection=clean(report.get("collection")),
        style=Markup(STYLE),
        names=", ".join(names[:_MOST_NAMES]) + (f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""),
        many=len(names) > 1,
        summary=summary,
        headline=title,
        sentence=sentence,
        verdict_icon=icon(_VERDICT_ICON[summary["verdict"]]),
        statuses=[(status, _COUNTED.get(status) or ("warning" if summary["checks"][status] == 1 else "warnings")) for status in STATUSES],
        words=_WORDS,
        icon=icon,
        count=count,
        entry=engines.entry,
        problems=_problems(checks, engines),
        rest=[check for check in checks if check["status"] not in _ATTENTION],
        drills=[_drill(place, drill) for place, drill in enumerate(drills, start=1)],
        compare=compare_pictures("compare", drills),
        upgrades=[_upgrade(place, upgrade) for place, upgrade in enumerate(upgrades, start=1)],
        clusters=_clusters(clusters, checks),
        catalogue=meanings(engines.all, {check["id"] for check in checks}),
    )


class _Engines:
    """What shares the states in each cluster, for a check is told in its own words."""

    def __init__(self, clusters: list[dict[str, Any]]) -> None:
        self._of = {cluster["name"]: _engine(cluster["plans"]) for cluster in clusters}
        self.all = tuple(self._of.values())

    def entry(self, check: dict[str, Any]) -> Entry:
        """What a person must know about a check; one that names no cluster belongs to the only one."""
        alone = self.all[0] if len(self.all) == 1 else None
        return entry(check["id"], self._of.get(check["cluster"], alone))


def _engine(plans: dict[str, Any]) -> str | None:
    platform = next((plan.get("platform") for plan in plans.values() if isinstance(plan, dict)), None)
    return ENGINES.get(platform) if isinstance(platform, str) else None


def _problems(checks: list[dict[str, Any]], engines: _Engines) -> list[dict[str, Any]]:
    """The checks that are not well, those of one id and cluster together under the worst of them.

    What could not be judged at all is one entry for each cluster, after what fails: it mostly has one cause.
    """
    ranked = [check for check in checks if check["status"] in _ATTENTION]
    place = {(check["cluster"], check["id"]): rank for rank, check in reversed(list(enumerate(ranked)))}
    found = []
    unjudged: dict[str | None, list[dict[str, Any]]] = {}
    ranked.sort(key=lambda check: place[check["cluster"], check["id"]])
    for (cluster, check_id), members in groupby(ranked, key=lambda check: (check["cluster"], check["id"])):
        together = list(members)
        if together[0]["status"] == "error":
            unjudged.setdefault(cluster, []).extend(together)
            continue
        meant = engines.entry(together[0])
        found.append({"id": check_id, "cluster": cluster or "", "status": together[0]["status"], "checks": together, "title": meant.trouble,
                      "remedy": meant.remedy, "known": check_id in CATALOGUE})
    for cluster, together in reversed(unjudged.items()):
        after_failures = sum(problem["status"] == "fail" for problem in found)
        found.insert(after_failures, {"id": "", "cluster": cluster or "", "status": "error", "checks": together, "remedy": UNJUDGED, "known": False,
                                      "title": plural(len(together), "check") + " could not be judged"})
    return found


def _drill(place: int, drill: dict[str, Any]) -> dict[str, Any]:
    gap, stall = drill["gap_ms"] or {}, drill["stall_ms"] or {}
    figures = [
        (f"{count(drill.get('lost'))}", f"of {count(drill.get('flows'))} TCP connections lost"),
        (duration(gap.get("median")), f"median gap (p99 {duration(gap.get('p99'))}, max {duration(gap.get('max'))})"),
        (duration(drill.get("detection_limit_ms")), "until VRRP may declare a node dead"),
        (duration(drill.get("takeover_ms")), "until the new active node forwarded"),
        (duration(drill.get("reconnect_ms")), "until a new connection succeeded"),
        (count(drill.get("standby_states")), "states on the standby before"),
        (duration(stall.get("median")), f"median TCP stall (max {duration(stall.get('max'))})"),
        (count(drill.get("crossed_wrong_node")), "packets through the wrong node"),
    ]
    back = drill["recovery"]
    if back:
        figures.append((count(back["lost"]), f"of them lost when the node came back (gap max {duration((back['gap_ms'] or {}).get('max'))})"))
    return {"name": drill_name(drill), "passed": drill.get("passed") is True, "reasons": drill["reasons"] or [],
            "figures": figures, "picture": timeline_picture(f"drill-{place}", drill)}


def _upgrade(place: int, upgrade: dict[str, Any]) -> dict[str, Any]:
    """An upgrade, with its picture, and its steps as they are written."""
    def written(step: dict[str, Any]) -> dict[str, Any]:
        return {**step, "variables": as_yaml(step["variables"]) if step["variables"] else "", "commands": "\n".join(map(str, step["commands"])),
                "by_hand": "\n".join(map(str, step["by_hand"]))}

    return {**upgrade, "status": OUTCOME_STATUS[upgrade["outcome"]], "title": upgrade_headline([upgrade])[0],
            "picture": upgrade_picture(f"upgrade-{place}", upgrade), "runbook": [written(step) for step in upgrade["runbook"]],
            "notes": [{"text": text, "link": link if LINK.fullmatch(str(link)) else ""} for text, link in told_once(upgrade)]}


def _clusters(clusters: list[dict[str, Any]], checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The clusters with those that need attention first, which are unfolded."""
    shown = [_cluster(place, cluster, checks, len(clusters)) for place, cluster in enumerate(clusters, start=1)]
    return sorted(shown, key=lambda cluster: not cluster["open"])


def _cluster(place: int, cluster: dict[str, Any], checks: list[dict[str, Any]], clusters: int) -> dict[str, Any]:
    shaped = {
        "name": cluster["name"],
        "plans": {host: shape(plan, PLAN) or {} for host, plan in cluster["plans"].items()},
        "evidence": {host: shape(found, EVIDENCE) for host, found in cluster["evidence"].items()},
    }
    own = [check for check in checks if check["cluster"] == cluster["name"] or (clusters == 1 and check["cluster"] is None)]
    return {
        "name": cluster["name"],
        "open": clusters <= _MOST_OPEN or any(check["status"] in _ATTENTION for check in own),
        "picture": cluster_picture(f"cluster-{place}", shaped, own) if shaped["plans"] else None,
        "nodes": list(cluster["plans"]),
        "rows": node_rows(shaped),
        "evidence": [_evidence(host, found) for host, found in cluster["evidence"].items()],
    }


def _evidence(host: str, found: Any) -> dict[str, Any]:
    if not found:
        return {"name": host, "read": "not read", "errors": [], "text": ""}
    known = shape(found, EVIDENCE) or {}
    errors = [f"{error['area']}: {error['reason']}" for error in known.get("errors") or []]
    read = f"read {moment(known.get('collected_at'))}" + (f", {len(errors)} areas could not be read" if errors else "")
    return {"name": host, "read": read, "errors": errors, "text": json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False)}
