# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readiness of what a node could be built from again: a backup of its configuration that is fresh, off the node, and can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import ERROR, FAIL, PASS, NodeView, Verdict, number
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness_view import AREA, ReadinessView, now

# Where the evidence has what hafirewall.cluster.config_backup returned; the inventory reader puts it there.
BACKUP = "backup"
HOUR = 3600
# A backup may be taken after the evidence, and by another clock.
_AHEAD = 24 * HOUR
_TAKE_ONE = "take one now with hafirewall.cluster.config_backup"


def config_backup(view: ReadinessView) -> Iterator[Verdict]:
    """There is a backup of every node's configuration, fresh, and read again after it was written."""
    for node in view.nodes:
        yield Verdict(*_judged(node, view.thresholds["backup_hours"]), node.name)


def _judged(node: NodeView, most: float) -> tuple[str, str]:
    backup = node.area(BACKUP)
    if backup is None:
        return ERROR, f"whether there is a backup of the configuration of {node.name} is not known: {_TAKE_ONE}"
    taken_at, at, path, readable = number(backup.get("taken_at")), _now(node), backup.get("path"), backup.get("readable")
    if not isinstance(path, str) or not isinstance(readable, bool):
        return ERROR, f"what is told of the backup of {node.name} is not whole: {_TAKE_ONE}"
    if not readable or not _holds(backup):
        return FAIL, f"{path} cannot be read, or holds no file: {_TAKE_ONE}"
    if taken_at is None or at is None:
        return ERROR, f"how old {path} is, is not known: {_TAKE_ONE}"
    if taken_at - at > _AHEAD:
        return ERROR, f"{path} was taken {(taken_at - at) / HOUR:.1f} h after the evidence was read, so one of the clocks is wrong: {_TAKE_ONE}"
    age = max(0.0, at - taken_at) / HOUR
    if age > most:
        return FAIL, f"{path} is {age:.1f} h old, and {most:g} h are the most: {_TAKE_ONE}"
    return PASS, f"{path} is {age:.1f} h old and holds {len(backup['files'])} files"


def _holds(backup: Mapping[str, Any]) -> bool:
    return isinstance(backup.get("files"), list) and bool(backup["files"]) and (number(backup.get("bytes")) or 0) > 0


def _now(node: NodeView) -> float | None:
    """When the evidence was read: by the controller's clock, which the backup has its time from, where that is told."""
    answered = node.number(AREA, "clock", "answered")
    return now(node) if answered is None else answered
