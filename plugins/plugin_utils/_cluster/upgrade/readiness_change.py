# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readiness of what is installed and what will be: equal packages on all nodes, and no transition that is known to go wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import FAIL, NodeView, Verdict, weigh
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import release
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import parse
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.known_bad import TRANSITIONS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.known_bad_own import KNOWN_BAD
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.nodes import CANDIDATE, release_now, target_of
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness_view import AREA, ReadinessView, unknown
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.transition import Change

SHOWN = 10


def packages_equal(view: ReadinessView) -> Iterator[Verdict]:
    """All nodes have the same packages in the same versions, and would install the same: a difference is one more thing that an upgrade can stumble over."""
    sets = {node.name: _versions(node, "packages") for node in view.nodes}
    unknowns = [unknown(node, "which packages are installed", "packages") for node in view.nodes if sets[node.name] is None]
    differing = _differing({name: found for name, found in sets.items() if found is not None})
    allowed = view.thresholds["packages_differing"]
    said = f"{len(differing)} packages differ: {'; '.join(differing[:SHOWN])}" + (" and more" if len(differing) > SHOWN else "")
    failures = [f"{said}; {allowed} may"] if len(differing) > allowed else []
    warnings = [said] if differing and not failures else []
    coming = {node.name: _versions(node, "candidate", "packages") for node in view.nodes}
    later = _differing({name: found for name, found in coming.items() if found is not None})
    if later and not differing:
        warnings.append(f"the nodes would install different versions: {'; '.join(later[:SHOWN])}")
    yield Verdict(*weigh(failures, unknowns, warnings, f"all nodes have the same {max(len(found or ()) for found in sets.values())} packages"))


def _versions(node: NodeView, *path: str) -> Mapping[str, Any] | None:
    value = node.get(AREA, *path)
    return value if isinstance(value, Mapping) else None


def _differing(sets: Mapping[str, Mapping[str, Any]]) -> list[str]:
    first = next(iter(sets.values()), {})
    if all(found == first for found in sets.values()):
        return []
    names = sorted({str(name) for found in sets.values() for name in found})
    return [f"{name} (" + ", ".join(f"{node} {found.get(name) or 'none'}" for node, found in sets.items()) + ")"
            for name in names if len({str(found.get(name)) for found in sets.values()}) > 1]


def known_bad(view: ReadinessView) -> Iterator[Verdict]:
    """No node makes a change of releases that is known to go wrong as it is set up."""
    for node in view.nodes:
        yield Verdict(*_judged(view, node), node.name)


def _target(view: ReadinessView, node: NodeView) -> Any:
    """The release that the node is to have. On Linux what is stated is the engine's, and the list is of systems: theirs is known by the node's own lists."""
    stated = None if node.engine == "conntrackd" else view.targets.get(node.name)
    return stated or node.get(AREA, "candidate", "release")


def _of_engine(view: ReadinessView, node: NodeView) -> Change:
    """The change of the package conntrackd, as a person states it on Linux."""
    texts = release_now(node), view.targets.get(node.name) or target_of(node, CANDIDATE)
    runs, comes = (None if found is None else found.numbers for found in (parse(text or "") for text in texts))
    return Change(runs, comes)


def _judged(view: ReadinessView, node: NodeView) -> tuple[str, str]:
    runs, target = node.get("os", "version"), _target(view, node)
    change = Change(release(runs if isinstance(runs, str) else None), release(target if isinstance(target, str) else None))
    own = [one for one in view.known_bad if node.platform in one.platforms]
    stated = _of_engine(view, node) if own and node.engine == "conntrackd" else change
    failures: list[str] = []
    unknowns: list[str] = []
    warnings: list[str] = []
    if change.runs is None:
        unknowns.append(node.unknown("which release runs", "os"))
    elif change.comes is None:
        unknowns.append(unknown(node, "which release it would get", "candidate"))
    listed = [] if unknowns else [(one, change) for one in TRANSITIONS]
    for one, made in [*listed, *((row, stated) for row in own)]:
        concerned = one.concerns(node, made)
        if concerned is None:
            unknowns.append(f"whether this concerns {node.name} is not known: {one.told}")
        elif concerned:
            (failures if one.status == FAIL else warnings).append(one.told)
    return weigh(failures, unknowns, warnings, f"nothing is known against {runs} to {target}" + (f", and no row of {KNOWN_BAD} fits" if own else ""))
