# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares two snapshots of each node, area by area. What is not known after never passes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import ERROR, PASS, SKIPPED
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import WARN as WARNING
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import show
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.snapshot.areas import AREAS, NOTE, Area, Evidence, NotAsked, Rows
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.snapshot.settings import Choice, matches

# The result that says whether there are two snapshots at all, of the same node.
SNAPSHOT = "snapshot"
_SHOWN = 5
_FLAP, _WITHIN, _COUNT, _GOOD = "known flap", "within its threshold", "within the threshold of their number", "came up"

Result = dict[str, Any]
Change = dict[str, Any]


def compare(before: Mapping[str, Any], after: Mapping[str, Any], choices: Mapping[str, Choice]) -> list[Result]:
    """Compare.

    Args:
        before, after: inventory name -> evidence.
        choices: from :func:`.settings.choose`.
    Returns:
        ``{"area", "node", "status", "reason", "changes"}``, by node in their order, then by area. A change is ``{"item", "field", "kind" (added,
        removed, changed, unknown), "before", "after", "ignored" (why it does not count, or None)}``. ``field`` is None for a whole row.
    """
    results = []
    for node in dict.fromkeys([*before, *after]):
        old, new = before.get(node), after.get(node)
        results.append(_result(SNAPSHOT, node, *_both(old, new)))
        if results[-1]["status"] != ERROR and isinstance(old, Mapping) and isinstance(new, Mapping):
            results += [_area(name, node, old, new, choice) for name, choice in choices.items()]
    return results


def as_checks(results: list[Result], clusters: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The results as a report takes them: ``snapshot.AREA`` is the id; ``clusters`` names the cluster of a node."""
    return [{"id": result["area"] if result["area"] == SNAPSHOT else f"{SNAPSHOT}.{result['area']}", "cluster": (clusters or {}).get(result["node"]),
             "node": result["node"], "status": result["status"], "reason": result["reason"]} for result in results]


def _result(area: str, node: str, status: str, reason: str, changes: list[Change] | None = None) -> Result:
    return {"area": area, "node": node, "status": status, "reason": reason, "changes": changes or []}


def _both(old: Any, new: Any) -> tuple[str, str]:
    for when, found in (("before", old), ("after", new)):
        if not isinstance(found, Mapping) or not found:
            return ERROR, f"there is no snapshot of it from {when}"
    if old.get("platform") != new.get("platform"):
        return ERROR, f"the snapshots are of different platforms, {show(old.get('platform'))} before and {show(new.get('platform'))} after"
    times = [found.get("collected_at") for found in (old, new)]
    if not all(isinstance(time, (int, float)) and not isinstance(time, bool) for time in times):
        return WARNING, "when they were taken is not known"
    if times[1] < times[0]:
        return WARNING, f"the one from after was taken {times[0] - times[1]:.0f} s earlier by the node's clock: look whether they are the wrong way round"
    return PASS, f"taken {times[1] - times[0]:.0f} s apart"


def _rows(name: str, evidence: Evidence) -> Rows | None:
    """The rows; None also for evidence of an unforeseen shape."""
    try:
        return AREAS[name].rows(evidence)
    except (TypeError, ValueError, KeyError, AttributeError):
        return None


def _area(name: str, node: str, old: Evidence, new: Evidence, choice: Choice) -> Result:
    area = AREAS[name]
    if area.platforms is not None and old.get("platform") not in area.platforms:
        return _result(name, node, SKIPPED, f"there is no such thing on {old.get('platform')}")
    found: list[Rows | None] = []
    lacking: list[tuple[str, str]] = []
    for when, evidence in (("before", old), ("after", new)):
        try:
            found.append(_rows(name, evidence))
        except NotAsked as reason:
            lacking.append((when, str(reason)))
    if len(lacking) == 2 and not choice.stated:
        return _result(name, node, SKIPPED, f"in neither snapshot: {lacking[0][1]}")
    if lacking:
        return _result(name, node, ERROR, "; ".join(f"not known from {when}: {reason}" for when, reason in lacking))
    before, after = found
    if before is None or after is None:
        whys = {when: _why(name, evidence) for when, rows, evidence in (("before", before, old), ("after", after, new)) if rows is None}
        told = {why: " and ".join(when for when in whys if whys[when] == why) for why in whys.values()}
        return _result(name, node, ERROR, "; ".join(f"not known from {when}{why}" for why, when in told.items()))
    return _compared(name, node, before, after, choice, _restarted(old, new))


def _why(name: str, evidence: Evidence) -> str:
    """What the evidence says of why it lacks something, on one line."""
    errors = evidence.get("errors")
    told = [" ".join(str(row.get("reason")).split()) for row in errors if isinstance(row, Mapping) and row.get("area") in AREAS[name].source] if isinstance(
        errors, list) else []
    return f": {'; '.join(told[:_SHOWN])}" if told else ""


def _restarted(old: Evidence, new: Evidence) -> bool:
    return old.get("boot_id") is not None and new.get("boot_id") is not None and old["boot_id"] != new["boot_id"]


def _compared(name: str, node: str, before: Rows, after: Rows, choice: Choice, restarted: bool) -> Result:
    was, now = _kept(before, choice), _kept(after, choice)
    if (before or after) and not (was or now):
        return _result(name, node, ERROR, f"the properties of its settings leave nothing of {len(before or after)} to compare")
    changes = _changes(was, now, choice, AREAS[name], restarted)
    counting = [change for change in changes if change["ignored"] is None]
    ignored = [change for change in changes if change["ignored"] is not None]
    unknown = any(change["kind"] == "unknown" for change in counting)
    status = PASS if not counting else ERROR if unknown else PASS if choice.severity == NOTE else choice.severity
    parts = [_told(counting)] if counting else [f"no change in {len(now)}" if now or was else "nothing there, before and after"]
    if ignored:
        parts.append(f"left aside: {_told(ignored)}")
    return _result(name, node, status, "; ".join(parts), changes)


def _kept(rows: Rows, choice: Choice) -> Rows:
    """What is compared; a row of which no field is left goes with them."""
    found: Rows = {}
    for row, fields in rows.items():
        left = {field: value for field, value in fields.items() if choice.compared(row, field)}
        if left:
            found[row] = left
    return found


def _changes(before: Rows, after: Rows, choice: Choice, area: Area, restarted: bool) -> list[Change]:
    changes: list[Change] = []
    few = _count_holds(len(before), len(after), choice.count_change_threshold)
    for row in dict.fromkeys([*before, *after]):
        flap = _FLAP if matches(choice.flaps, row, None) else None
        if row not in after:
            changes.append(_change(row, None, "removed", before[row], None, flap or few))
        elif row not in before:
            good = _GOOD if area.good and after[row] == area.good else None
            changes.append(_change(row, None, "added", None, after[row], flap or few or good))
        else:
            changes += _fields(row, before[row], after[row], choice, area, restarted)
    return changes


def _count_holds(before: int, after: int, threshold: float | None) -> str | None:
    return _COUNT if threshold is not None and abs(after - before) * 100 <= threshold * before else None


def _fields(row: str, before: Mapping[str, Any], after: Mapping[str, Any], choice: Choice, area: Area, restarted: bool) -> list[Change]:
    changes = []
    for field in dict.fromkeys([*before, *after]):
        was, now = before.get(field), after.get(field)
        flap = _FLAP if matches(choice.flaps, row, field) else None
        if was is None or now is None:
            changes.append(_change(row, field, "unknown", was, now, flap))
            continue
        if area.counter and _is_number(was) and _is_number(now):
            # It began again at zero with the node or with its engine.
            was = 0 if restarted or now < was else was
        if _same(was, now):
            continue
        limit = choice.threshold(row, field)
        within = _WITHIN if limit is not None and _is_number(was) and _is_number(now) and limit.holds(was, now) else None
        good = _GOOD if field in area.good and _same(now, area.good[field]) else None
        changes.append(_change(row, field, "changed", was, now, flap or within or good))
    return changes


def _change(row: str, field: str | None, kind: str, before: Any, after: Any, ignored: str | None) -> Change:
    return {"item": row, "field": field, "kind": kind, "before": before, "after": after, "ignored": ignored}


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same(one: Any, other: Any) -> bool:
    """Equal, and of one kind: a true is no 1. What is no number equals itself."""
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    return bool(one == other) or all(isinstance(value, float) and math.isnan(value) for value in (one, other))


def _told(changes: list[Change]) -> str:
    """The first changes in words."""
    said = [_one(change) for change in changes[:_SHOWN]]
    more = len(changes) - len(said)
    return f"{len(changes)} change{'s' if len(changes) > 1 else ''}: {'; '.join(said)}{f'; and {more} more' if more else ''}"


def _one(change: Change) -> str:
    if change["field"] is None:
        said = f"{change['item']} {'is gone' if change['kind'] == 'removed' else 'is new'}"
    elif change["kind"] == "unknown":
        when = [moment for moment in ("before", "after") if change[moment] is None]
        said = f"{change['item']} {change['field']} is not known from {' and '.join(when)}"
    else:
        said = f"{change['item']} {change['field']} was {_value(change['before'])} and is {_value(change['after'])}"
    return said + (f" ({change['ignored']})" if change["ignored"] else "")


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(str, value[:_SHOWN])) + (", ..." if len(value) > _SHOWN else "") + "]"
    return show(value)
