# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The LAGG plan by itself, of any platform: from an intent and evidence that may have been saved long ago."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Mapping

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.plan import LaggPlan, plan_laggs
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import read_model


def lagg_plan(cluster: Any, nodes: Mapping[str, Any], evidence: Mapping[str, Any], findings: Findings) -> LaggPlan:
    """Plan the LAGGs of one cluster. An intent that cannot be read is refused in the plan, as everything else.

    Args:
        cluster: the value of ``hafirewall_cluster``; anything.
        nodes: the value of ``hafirewall_node`` by host, in inventory order; anything.
        evidence: evidence by host; hosts may lack.
        findings: what was found already, while the members were read.
    """
    plan = plan_laggs(read_model(cluster, nodes, evidence, findings))
    if not findings.errors:
        return plan
    return replace(plan, wanted=(), moves=(), refused=tuple(dict.fromkeys([*findings.errors, *plan.refused])), names=plan.now, vlans={})


def saved_evidence(document: Any) -> dict[str, Any]:
    """Evidence by host, from what was saved: a report of verify, or a mapping of hosts to evidence or to results of node_info.

    Raises:
        ValueError: it is neither.
    """
    if not isinstance(document, Mapping):
        raise ValueError("is no mapping of hosts to evidence, and no report.json of verify")
    if isinstance(document.get("clusters"), list):
        found = [cluster.get("evidence") for cluster in document["clusters"] if isinstance(cluster, Mapping)]
        return {host: value for evidence in found if isinstance(evidence, Mapping) for host, value in evidence.items()}
    return {host: value["evidence"] if isinstance(value, Mapping) and isinstance(value.get("evidence"), Mapping) else value
            for host, value in document.items()}
