# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How figures and names are written in the report."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.clean import clean_text, number

UNKNOWN = "unknown"
_DOMAIN = re.compile(r"(.+\.)?[a-z][a-z0-9-]*", re.IGNORECASE)
FAILURES = {
    "power_loss": "Power loss",
    "link_cut": "Link cut",
    "keepalived_killed": "keepalived killed",
    "engine_then_node": "Engine, then node lost",
    "maintenance": "Planned maintenance",
}


def count(value: Any) -> str:
    """A whole number with its thousands set apart, or "unknown"."""
    figure = number(value)
    return UNKNOWN if figure is None else f"{figure:,.0f}"


def duration(value: Any) -> str:
    """Milliseconds as people say them: 340 ms, 3.41 s, 75.2 s."""
    figure = number(value)
    if figure is None:
        return UNKNOWN
    if abs(figure) < 1000:
        return f"{figure:.0f} ms"
    return f"{figure / 1000:.2f} s" if abs(figure) < 10000 else f"{figure / 1000:.1f} s"


def moment(value: Any) -> str:
    """Epoch seconds as a date and time in UTC."""
    figure = number(value)
    if figure is None:
        return UNKNOWN
    try:
        return datetime.fromtimestamp(figure, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return UNKNOWN


def plural(amount: int, word: str, words: str | None = None) -> str:
    """1 check, 2 checks."""
    return f"{amount:,} {word if amount == 1 else words or word + 's'}"


def drill_name(drill: dict[str, Any]) -> str:
    """Power loss, with state sync."""
    failure = clean_text(drill.get("failure") or "unknown failure")
    sync = yes_no(drill.get("state_sync"), "with state sync", "without state sync")
    return f"{FAILURES.get(failure, failure)}, {sync if sync != UNKNOWN else 'state sync unknown'}"


def yes_no(value: Any, yes: str = "yes", no: str = "no") -> str:
    """A truth that may be unknown."""
    if not isinstance(value, bool):
        return UNKNOWN
    return yes if value else no


def known(value: Any) -> str:
    """The value as text, or "unknown"."""
    return UNKNOWN if value is None or value == "" else clean_text(value)


def shared_domain(names: list[str]) -> str:
    """The domain that all names share, which then tells none of them apart; empty for a single node and for addresses."""
    domains = {name.partition(".")[2] for name in names}
    return "." + domains.pop() if len(names) > 1 and len(domains) == 1 and _DOMAIN.fullmatch(min(domains)) else ""
