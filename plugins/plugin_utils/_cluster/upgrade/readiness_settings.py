# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person can set of the readiness checks: which are left out, by how much something may deviate, and what else is known to go wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings, Scope
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import plain
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.schema import Choice, Flag, Items, Key, Number, Record
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.known_bad_own import read_own
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.transition import Transition

# The names of the variables, for errors and reasons.
LEAVE_OUT, THRESHOLDS = "upgrade_check_leave_out", "upgrade_check_thresholds"
_KEYS = ("left_out", "thresholds", "known_bad")
_DISK = "mebibytes that are free; 0 looks at nothing"

_THRESHOLDS = Record({
    # Of the larger of two tables, in percent; and the difference that is never too large, for tables of idle clusters differ by chance.
    "tables_percent": Key(Number(0, 100, "percent by which two tables may differ", fraction=True), default=10.0),
    "tables_states": Key(Number(0, 10**9, "states by which two tables may differ, whatever their size"), default=100),
    # Where the system is, and where only kernels are.
    "free_disk_mib": Key(Number(0, 10**9, _DISK), default=1024),
    "free_boot_mib": Key(Number(0, 10**9, _DISK), default=200),
    # Saved evidence may be of another day.
    "evidence_minutes": Key(Number(0, 10**6, "minutes that may lie between the readings of two nodes", fraction=True), default=30.0),
    "clock_seconds": Key(Number(0, 86400, "seconds by which two clocks may differ", fraction=True), default=5.0),
    "certificate_days": Key(Number(0, 36500, "days for which a certificate must last"), default=30),
    "window_hours": Key(Number(0, 8784, "hours that the upgrade of all nodes may take", fraction=True), default=4.0),
    "packages_differing": Key(Number(0, 10**6, "packages that may differ between nodes"), default=0),
    "backup_hours": Key(Number(0, 87600, "hours that the backup of a configuration may be old", fraction=True), default=24.0),
    "way_back_days": Key(Number(0, 36500, "days that a way back may be old"), default=7),
    # A snapshot of the virtual machine, or an image of the disk: the node itself cannot tell.
    "way_back_outside": Key(Flag(), default=False),
})


class Settings(NamedTuple):
    """What was chosen, complete.

    Attributes:
        left_out: ids of checks that are not made.
        thresholds: every threshold, by its name.
        known_bad: changes of releases that go wrong, beside those that are known anyway.
    """

    left_out: frozenset[str]
    thresholds: Mapping[str, Any]
    known_bad: tuple[Transition, ...] = ()


def read_settings(settings: Mapping[str, Any], known: Sequence[str]) -> Settings:
    """Read and complete what was chosen.

    Args:
        settings: ``left_out``, ``thresholds`` and ``known_bad``; each may be absent or None.
        known: the ids of all checks.
    Raises:
        ValueError: something is not known or of the wrong kind; each on a line, with the variable, what is wrong, and what to write.
    """
    unknown = sorted(str(key) for key in settings if key not in _KEYS)
    if unknown:
        raise ValueError(f"settings of the readiness checks have {', '.join(_KEYS)}, not {', '.join(unknown)}")
    findings = Findings()
    scope = findings.at()
    chosen = Items(Choice(tuple(known))).read(plain(settings.get("left_out") or []), LEAVE_OUT, scope)
    thresholds = _THRESHOLDS.read(plain(settings.get("thresholds") or {}), THRESHOLDS, scope)
    known_bad = read_own(plain(settings.get("known_bad") or []), scope)
    _refuse(findings, scope)
    return Settings(frozenset(name for _path, name in chosen or ()), thresholds or _THRESHOLDS.defaults(), known_bad)


def _refuse(findings: Findings, scope: Scope) -> None:
    if findings.errors:
        raise ValueError("\n".join(re.sub(r"\s+", " ", str(problem)) for problem in dict.fromkeys(scope.findings.errors)))
