# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to compare and how strictly: settings that a person states, checked once, with everything that is wrong said at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings, IntentError, Scope
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import show
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.snapshot.areas import AREAS, SEVERITIES

_KEYS = ("severity", "properties", "flaps", "count_change_threshold", "thresholds")
_A_NUMBER = "give a number that is not negative, in percent"


class Threshold(NamedTuple):
    """How far a number may move: by so many percent of what it was, or by that amount; whichever is more."""

    percent: float
    amount: float

    def holds(self, before: float, after: float) -> bool:
        """Whether the difference is within it."""
        return abs(after - before) <= max(abs(before) * self.percent / 100, self.amount)


class Choice(NamedTuple):
    """How one area is compared.

    Attributes:
        severity: what a change means.
        included, excluded: patterns of rows and fields that are compared, and that are not; with none included all are.
        flaps: patterns of what is known to come and go; its changes are told, and do not count.
        count_change_threshold: percent by which the number of rows may change; rows that came or went do not count then. None: each counts.
        thresholds: pattern -> how far numbers may move; the first that matches.
        stated: a person asked for this area by its name, so that it has to be there.
    """

    severity: str
    included: tuple[str, ...]
    excluded: tuple[str, ...]
    flaps: tuple[str, ...]
    count_change_threshold: float | None
    thresholds: tuple[tuple[str, Threshold], ...]
    stated: bool

    def compared(self, row: str, field: str | None) -> bool:
        """Whether a row, or a field of it, is compared. A row of which only fields are named stands for these."""
        if matches(self.excluded, row, field):
            return False
        return not self.included or matches(self.included, row, field)

    def threshold(self, row: str, field: str) -> Threshold | None:
        """How far this number may move; None when it may not."""
        return next((limit for pattern, limit in self.thresholds if matches((pattern,), row, field)), None)


def matches(patterns: Sequence[str], row: str, field: str | None) -> bool:
    """Whether a pattern (``*``, ``?`` and ``[...]`` as in a shell) names the row, the field, or both as ``ROW.FIELD``."""
    names = [row] if field is None else [row, field, f"{row}.{field}"]
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def choose(areas: Any = None, settings: Any = None) -> dict[str, Choice]:
    """The areas to compare, each with how.

    Args:
        areas: a list of names; ``!NAME`` leaves one out. None or nothing is all.
        settings: area -> mapping with any of ``severity`` (``fail``, ``warn`` or ``note``), ``properties`` (patterns, ``!`` in front leaves out),
            ``flaps`` (patterns), ``count_change_threshold`` (percent), ``thresholds`` (pattern -> percent, or ``{percent, amount}``).
    Raises:
        IntentError: what is wrong, with its place.
    """
    findings = Findings()
    scope = findings.at()
    names, stated = _names(areas, scope)
    settings = {} if settings is None else settings
    if not isinstance(settings, Mapping):
        scope.refuse("settings", f"is {show(settings)}", "give a mapping of areas")
        settings = {}
    for name in settings:
        if name not in AREAS:
            scope.refuse(f"settings.{name}", "there is no such area", f"the areas are: {', '.join(AREAS)}")
    # All of them, for a mistake in a setting is one wherever it is.
    read = {name: _choice(name, settings.get(name, {}), name in stated, scope) for name in AREAS}
    if findings.errors:
        raise IntentError(findings.errors)
    return {name: read[name] for name in names}


def _names(areas: Any, scope: Scope) -> tuple[list[str], set[str]]:
    given = areas or []
    if not isinstance(given, (list, tuple)) or not all(isinstance(name, str) for name in given):
        scope.refuse("areas", f"is {show(given)}", "give a list of names")
        return [], set()
    left_out = {name[1:] for name in given if name.startswith("!")}
    stated = {name for name in given if not name.startswith("!")}
    for name in sorted(left_out | stated):
        if name not in AREAS:
            scope.refuse("areas", f"there is no area {show(name)}", f"the areas are: {', '.join(AREAS)}")
    names = [name for name in AREAS if name not in left_out and (not stated or name in stated)]
    if not names and stated | left_out <= set(AREAS):
        scope.refuse("areas", "leaves nothing to compare", "name at least one area, or none to compare all")
    return names, stated


def _choice(name: str, given: Any, stated: bool, scope: Scope) -> Choice:
    area, where = AREAS[name], f"settings.{name}"
    if not isinstance(given, Mapping):
        scope.refuse(where, f"is {show(given)}", f"give a mapping with any of {', '.join(_KEYS)}")
        given = {}
    for key in given:
        if key not in _KEYS:
            scope.refuse(f"{where}.{key}", "there is no such setting", f"the settings are: {', '.join(_KEYS)}")
    severity = given.get("severity", area.severity)
    if severity not in SEVERITIES:
        scope.refuse(f"{where}.severity", f"is {show(severity)}", f"give one of {', '.join(SEVERITIES)}")
    properties = _patterns(given, "properties", where, scope)
    count = given.get("count_change_threshold")
    if count is not None and not _is_amount(count):
        scope.refuse(f"{where}.count_change_threshold", f"is {show(count)}", _A_NUMBER)
        count = None
    return Choice(severity, tuple(one for one in properties if not one.startswith("!")), tuple(one[1:] for one in properties if one.startswith("!")),
                  _patterns(given, "flaps", where, scope), count, _thresholds(given, area.thresholds, where, scope), stated)


def _patterns(given: Mapping[str, Any], key: str, where: str, scope: Scope) -> tuple[str, ...]:
    value = given.get(key) or []
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) and one.strip("!") for one in value):
        scope.refuse(f"{where}.{key}", f"is {show(value)}", "give a list of names or patterns")
        return ()
    return tuple(value)


def _thresholds(given: Mapping[str, Any], default: Mapping[str, float], where: str, scope: Scope) -> tuple[tuple[str, Threshold], ...]:
    value = given.get("thresholds") or {}
    if not isinstance(value, Mapping):
        scope.refuse(f"{where}.thresholds", f"is {show(value)}", "give a mapping of names or patterns, each with a number of percent")
        value = {}
    found = []
    for pattern, limit in value.items():
        parts = limit if isinstance(limit, Mapping) else {"percent": limit}
        if set(parts) - {"percent", "amount"} or not parts or not all(_is_amount(part) for part in parts.values()):
            scope.refuse(f"{where}.thresholds.{pattern}", f"is {show(limit)}", f"{_A_NUMBER}, or a mapping with percent, amount, or both")
            continue
        found.append((str(pattern), Threshold(float(parts.get("percent", 0)), float(parts.get("amount", 0)))))
    return (*found, *((name, Threshold(float(percent), 0.0)) for name, percent in default.items()))


def _is_amount(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
