# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a readiness check sees: a cluster with its evidence, what the checks of a verification said of it, and the thresholds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import ClusterView, NodeView, Verdict
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.transition import Transition

AREA = "readiness"


@dataclass(frozen=True)
class ReadinessView:
    """One cluster.

    Attributes:
        cluster: its nodes, with their plans and evidence.
        judged: by id, the results that the checks of a verification gave of it.
        thresholds: by name, see :mod:`.readiness_settings`.
        targets: by node, the release that it is to have, where one is stated.
        known_bad: changes of releases that a person has stated to go wrong.
    """

    cluster: ClusterView
    judged: Mapping[Any, Sequence[Mapping[str, Any]]]
    thresholds: Mapping[str, Any]
    targets: Mapping[str, str | None]
    known_bad: tuple[Transition, ...] = ()

    @property
    def nodes(self) -> tuple[NodeView, ...]:
        """In inventory order."""
        return self.cluster.nodes

    def results(self, check: str, node: str | None = None) -> list[Mapping[str, Any]]:
        """What a check of a verification said: everything, or what it said of one node."""
        return [result for result in self.judged.get(check, ()) if node in (None, result.get("node"))]


Readiness = Callable[[ReadinessView], Iterator[Verdict]]


def unknown(node: NodeView, what: str, key: str) -> str:
    """The reason of an error: what is not known, and why when the evidence says so."""
    if not node.evidence:
        return node.unknown(what, AREA)
    reasons = [str(row.get("reason")) for row in node.rows("errors") or [] if row.get("area") in (AREA, f"{AREA}.{key}")]
    if node.get(AREA) is None and not reasons:
        reasons = ["its evidence was read without readiness, which node_info reads with readiness: true"]
    return f"{what} is not known on {node.name}" + (f": {'; '.join(reasons)}" if reasons else "")


def now(node: NodeView) -> float | None:
    """When the evidence was read, by the node's own clock, in seconds since 1970; or None."""
    at = node.number(AREA, "clock", "at")
    return node.number("collected_at") if at is None else at
