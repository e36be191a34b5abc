# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of releases that a person knows to go wrong: read and checked, and then judged as those of :mod:`.known_bad` are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import FAIL, WARN
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Scope
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import PLUS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import ENGINES
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import parse
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.schema import Choice, Items, Key, Parsed, Record
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.transition import ALL, Limits, Number, Transition

# The name of the variable, for errors and reasons.
KNOWN_BAD = "upgrade_check_known_bad"
_A_RELEASE = 'the numbers of a release in quotes, as "14.2", "26.1.4" or "1.4.8"'
_A_RANGE = f"{_A_RELEASE}, or a mapping with from (included), before (not included), or both"
# What a system writes behind the numbers (-p3, -1+b2) is not compared. FreeBSD's own word is in every release and says nothing.
_NUMBERS = re.compile(r"(?:[0-9]{1,3}:)?[0-9.]+(?:-RELEASE)?", re.ASCII)


def _read_number(text: str) -> Number:
    found = parse(text)
    if found is None:
        raise ValueError("names no release")
    if not _NUMBERS.fullmatch(found.text):
        raise ValueError("has more than numbers, and no more than these are compared")
    return found.numbers


def _read_sentence(text: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise ValueError("is empty")
    return words


_RELEASE = Parsed(_read_number, _A_RELEASE)
_SENTENCE = Parsed(_read_sentence, "a sentence for the report")
_LIMITS = Record({"from": Key(_RELEASE), "before": Key(_RELEASE)})


@dataclass(frozen=True)
class _Releases:
    """A release with all that begin with its numbers, or a mapping with its limits. Reads as ``Limits``."""

    def read(self, value: Any, path: str, scope: Scope) -> Limits | None:
        if isinstance(value, str):
            number = _RELEASE.read(value, path, scope)
            return None if number is None else (number, (*number[:-1], number[-1] + 1))
        if not isinstance(value, dict):
            scope.refuse(path, "is neither text nor a mapping", f"write {_A_RANGE}")
            return None
        if all(limit is None for limit in value.values()):
            scope.refuse(path, "has neither from nor before", f"write {_A_RANGE}; or leave it out, for all releases")
        limits = _LIMITS.read(value, path, scope) or {}
        first, end = limits.get("from"), limits.get("before")
        if first is not None and end is not None and first >= end:
            scope.refuse(path, "holds no release, for before is not later than from",
                         "write the first release as from, and the first that is well again as before")
        return first, end


_ROW = Record({
    "platform": Key(Choice(tuple(ENGINES)), required=True),
    "runs": Key(_Releases(), default=ALL),
    "comes": Key(_Releases(), default=ALL),
    "what": Key(_SENTENCE, required=True),
    "remedy": Key(_SENTENCE, required=True),
    "source": Key(_SENTENCE),
    "status": Key(Choice((FAIL, WARN)), default=FAIL),
})
_ROWS = Items(_ROW)


def read_own(value: Any, scope: Scope) -> tuple[Transition, ...]:
    """The rows that a person has stated.

    On Linux their releases are versions of the package conntrackd, as those are that a node is to get; elsewhere they are those of the system or product.

    Args:
        value: plain values; a list of mappings with ``platform``, ``what`` and ``remedy``, and where wanted ``runs``, ``comes``, ``source`` and ``status``.
        scope: what is wrong is refused in it, and means that the result is not to be used.
    """
    rows = _ROWS.read(value, KNOWN_BAD, scope) or []
    return tuple(_transition(path, row, scope) for path, row in rows)


def _transition(path: str, row: Mapping[str, Any], scope: Scope) -> Transition:
    source = f"stated in {path}" + (f": {row['source']}" if row["source"] else "")
    runs, comes = (row[key] or ALL for key in ("runs", "comes"))
    if row["platform"] == "pfsense":
        runs, comes = _one_edition(runs, f"{path}.runs", scope), _one_edition(comes, f"{path}.comes", scope)
    return Transition((str(row["platform"]),), str(row["what"]), str(row["remedy"]), source, str(row["status"]), runs, comes)


def _one_edition(limits: Limits, path: str, scope: Scope) -> Limits:
    """Of pfSense CE and Plus, which count apart from each other, a range is of the one that its numbers are of."""
    first, end = limits
    plus = {number[0] >= PLUS for number in limits if number is not None}
    if len(plus) > 1:
        scope.refuse(path, "begins with a release of pfSense CE and ends with one of Plus", "write a row for each edition")
    if not plus:
        return limits
    return ((PLUS,) if first is None and True in plus else first), ((PLUS,) if end is None and False in plus else end)
