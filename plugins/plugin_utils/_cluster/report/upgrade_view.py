# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the report shows of an upgrade check, in all its forms: the upgrades in one shape, the outcome of them all, and each direction in words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import PLATFORMS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.clean import clean
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.shape import UPGRADE, shape
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.words import UNKNOWN, known, plural
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.outcome import NOT_KNOWN, NOT_SEAMLESS, OUTCOMES, SEAMLESS, WITH_STEPS

# The worst first.
_ORDER = (NOT_SEAMLESS, NOT_KNOWN, WITH_STEPS, SEAMLESS)
STATUS = {"yes": "pass", "no": "fail", "unknown": "error"}
OUTCOME_STATUS = {SEAMLESS: "pass", WITH_STEPS: "warn", NOT_SEAMLESS: "fail", NOT_KNOWN: "error"}
_LAST_VERSION = 255
# What may be followed.
LINK = re.compile(r"https://[^\s()<>\[\]\"'`\\]+")
_VERDICTS = {SEAMLESS: "fine", WITH_STEPS: "warnings", NOT_SEAMLESS: "not_fine", NOT_KNOWN: "unknown"}
_TITLES = {"pfsense-ce": "pfSense CE", "pfsense-plus": "pfSense Plus", "linux": "conntrack-tools"}
_NO = {"understood": "messages not understood", "named": "states name other devices", "routed": "routes are lost"}
_NOT_KNOWN = {"understood": "not known (messages)", "named": "not known (names of devices)", "routed": "not known (routes)"}


def upgrades_of(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The upgrades, cleaned and in shape, by cluster; an outcome that nobody knows is unknown. Lists are never None."""
    found = [shape(clean(upgrade), UPGRADE) for upgrade in report.get("upgrades") or []]
    for upgrade in found:
        upgrade["cluster"] = known(upgrade["cluster"])
        upgrade["outcome"] = upgrade["outcome"] if upgrade["outcome"] in OUTCOMES else NOT_KNOWN
        for stage in _filled(upgrade, "reasons lost order unknowns steps runbook stages")["stages"]:
            for direction in _filled(stage, "upgraded lagg notes nodes directions")["directions"]:
                _filled(direction, "lost")
                direction["answer"] = direction["answer"] if direction["answer"] in STATUS else UNKNOWN
                direction["reasons"] = direction["reasons"] or {}
        for step in [*upgrade["steps"], *upgrade["runbook"]]:
            _filled(step, "commands by_hand")
    return sorted(found, key=lambda upgrade: str(upgrade["cluster"]))


def _filled(part: dict[str, Any], names: str) -> dict[str, Any]:
    for name in names.split():
        part[name] = part[name] or []
    return part


def worst_outcome(upgrades: Sequence[dict[str, Any]]) -> str:
    """The outcome of all upgrades together; of none, unknown."""
    return min((upgrade["outcome"] for upgrade in upgrades), key=_ORDER.index, default=NOT_KNOWN)


def verdict(upgrades: Sequence[dict[str, Any]]) -> str:
    """The same as the report's verdict."""
    return _VERDICTS[worst_outcome(upgrades)]


def headline(upgrades: list[dict[str, Any]]) -> tuple[str, str]:
    """The outcome in words: one sentence for the eye, one for the reader."""
    worst = worst_outcome(upgrades)
    if len(upgrades) == 1:
        steps = plural(len(upgrades[0]["steps"]), "step")
        ready = "The upgrade is not seamless" if upgrades[0]["lost"] else "The cluster is not ready for the upgrade"
        title = {SEAMLESS: "The upgrade is seamless", WITH_STEPS: f"The upgrade is seamless with {steps}", NOT_SEAMLESS: ready,
                 NOT_KNOWN: "Unknown whether the upgrade is seamless"}[worst]
        return title, known(upgrades[0]["sentence"])
    counts = Counter(upgrade["outcome"] for upgrade in upgrades)
    told = {SEAMLESS: "seamless", WITH_STEPS: "seamless with steps", NOT_SEAMLESS: "not seamless", NOT_KNOWN: "unknown"}
    title = {SEAMLESS: "All upgrades are seamless", WITH_STEPS: "All upgrades are seamless, some with steps", NOT_SEAMLESS: "Not every upgrade is seamless",
             NOT_KNOWN: "Unknown whether every upgrade is seamless"}[worst]
    return title, f"Of {plural(len(upgrades), 'upgrade')}: " + ", ".join(f"{counts[one]:,} {told[one]}" for one in _ORDER if counts[one]) + "."


def release_of(node: Mapping[str, Any]) -> str:
    """What a node runs at a stage: FreeBSD 15.0-RELEASE."""
    platform = known(node.get("platform"))
    title = _TITLES.get(platform) or (PLATFORMS[platform].title if platform in PLATFORMS else platform)
    return f"{title} {known(node.get('release'))}"


def sends_of(node: Mapping[str, Any]) -> str:
    """What a node sends at a stage. Formats have numbers of four digits; what has none is called by its protocol's version."""
    sends = node.get("sends")
    if not isinstance(sends, int):
        return f"format {UNKNOWN}"
    return f"format {sends}" if sends > _LAST_VERSION else f"protocol version {sends}"


def told(stage: Mapping[str, Any], direction: Mapping[str, Any]) -> str:
    """What an arrow of the matrix means, in a few words."""
    if direction["answer"] == "yes":
        steps = ([f"pinned to {known(stage['pin']['format'])}"] if stage["pin"] else []) + (["with LAGGs"] if stage["lagg"] else [])
        return ", ".join(["states flow", *([] if direction["without_steps"] == "yes" else steps)])
    words = _NO if direction["answer"] == "no" else _NOT_KNOWN
    return ", ".join(words[key] for key in words if direction[key] == direction["answer"] and not (key == "named" and stage["lagg"])) or words["understood"]


def told_once(upgrade: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """The notes of all stages, each once: text and link."""
    return list(dict.fromkeys((note["text"], note["link"]) for stage in upgrade["stages"] for note in stage["notes"]))


def as_yaml(value: Any, depth: int = 0) -> str:
    """A small tree of settings as a person writes it into an inventory."""
    if isinstance(value, Mapping):
        return "\n".join(f"{'  ' * depth}{key}:{_below(item, depth)}" for key, item in value.items())
    return "null" if value is None else str(value)


def _below(value: Any, depth: int) -> str:
    return "\n" + as_yaml(value, depth + 1) if isinstance(value, Mapping) else " " + as_yaml(value)
