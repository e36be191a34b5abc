# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report for machines: JSON, sorted, so that two reports can be compared line by line."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.clean import clean, clean_text
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.summary import checks_of, clusters_of, drills_of, summarise
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.upgrade_view import upgrades_of, worst_outcome

SCHEMA = 1


def as_json(report: dict[str, Any]) -> str:
    """The report as JSON with sorted keys and a newline at its end.

    Keys: schema, title, generated_at (epoch s), collection, clusters (plans and evidence as given), checks (by cluster, id, node),
    drills (in their order), summary. Where upgrades were judged, also upgrades and outcome, the worst of them, and of a single one stages, steps and
    reasons. Of a drill's timeline only the events stay: the packet counts serve the picture alone.
    """
    checks, drills, upgrades = checks_of(report), [_compact(drill) for drill in drills_of(report)], upgrades_of(report)
    document = {
        "schema": SCHEMA,
        "title": clean_text(report.get("title") or ""),
        "generated_at": clean(report.get("generated_at")),
        "collection": clean(report.get("collection")),
        "clusters": clusters_of(report),
        "checks": checks,
        "drills": drills,
        "summary": summarise(checks, drills, upgrades),
    }
    if upgrades:
        document.update(upgrades=upgrades, outcome=worst_outcome(upgrades))
    if len(upgrades) == 1:
        document.update({key: upgrades[0][key] for key in ("stages", "steps", "reasons")})
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _compact(drill: dict[str, Any]) -> dict[str, Any]:
    timeline = drill.get("timeline")
    if not isinstance(timeline, dict):
        return drill
    return {**drill, "timeline": {key: value for key, value in timeline.items() if key != "deliveries"}}
