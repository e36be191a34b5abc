# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of the packet filter: the engine's traffic gets in, by a rule as narrow as it can be."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import (
    ERROR,
    FAIL,
    SKIPPED,
    SWITCHED_OFF,
    ClusterView,
    NodeView,
    Verdict,
    weigh,
)

# How providers begin what they could not understand.
_DOUBT = "may be dropped"


def pass_rule(cluster: ClusterView) -> Iterator[Verdict]:
    """The rule is there, survives a reload and a reboot, really decides, and nothing broader stands beside it."""
    for node in cluster.nodes:
        yield _pass_rule(node) if node.synced else Verdict(SKIPPED, SWITCHED_OFF, node.name)


def _pass_rule(node: NodeView) -> Verdict:
    filtered = node.flag("pass_rule", "filtered")
    broader, blockers = node.texts("pass_rule", "broader"), node.texts("pass_rule", "blockers")
    if filtered is None or broader is None or blockers is None:
        return Verdict(ERROR, node.unknown("what the packet filter does", "pass_rule"), node.name)
    present, persistent, effective = (node.flag("pass_rule", key) for key in ("present", "persistent", "effective"))
    doubts = [blocker for blocker in blockers if blocker.startswith(_DOUBT)]
    dropped = [blocker for blocker in blockers if blocker not in doubts]
    failures = ["dropped before the pass rule: " + ", ".join(dropped)] if dropped else []
    warnings = ["broader than needed: " + ", ".join(broader)] if broader else []
    if not filtered and node.engine == "pfsync":
        return Verdict(FAIL, "the packet filter is off, so there are no states to share", node.name)
    if not filtered:
        warnings.append("no chain for incoming traffic drops anything, so whoever reaches the Sync interface reaches the engine")
        return Verdict(*weigh(failures, [], warnings, ""), node.name)
    unknowns = list(doubts)
    if effective is False:
        failures.append("the engine's traffic does not get in")
    elif effective is None:
        unknowns.append(node.unknown("whether the engine's traffic gets in", "pass_rule"))
    if present is None:
        unknowns.append(node.unknown("whether the pass rule is there", "pass_rule"))
    elif not present:
        # Another rule may let the traffic in: that works, and is worth knowing.
        (warnings if broader and effective else failures).append("the pass rule is not there")
    elif persistent is None:
        unknowns.append(node.unknown("whether the pass rule survives a reload", "pass_rule"))
    elif not persistent:
        failures.append("the pass rule does not survive a reload or a reboot")
    return Verdict(*weigh(failures, unknowns, warnings, _where(node)), node.name)


def _where(node: NodeView) -> str:
    # pf has one list of rules, without tables and chains.
    places = [" ".join(str(row[key]) for key in ("table", "chain") if row.get(key) is not None) + f" position {row.get('position')} "
              f"({row.get('packets')} packets)" for row in node.rows("pass_rule", "rules") or []]
    return "the engine's traffic gets in by " + (", ".join(place.strip() for place in places) or "the pass rule")
