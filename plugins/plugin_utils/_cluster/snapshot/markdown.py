# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A comparison for a change ticket: Markdown. Names and values came from machines, so nothing in them may become markup."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.clean import clean_text
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.summary import STATUSES

_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&])")


def as_markdown(title: str, results: list[dict[str, Any]]) -> str:
    """One table of all results, the worst first, below the counts."""
    counts = ", ".join(f"{sum(result['status'] == status for result in results)} {status}" for status in STATUSES)
    rows = sorted(results, key=lambda result: STATUSES.index(result["status"]))
    lines = [f"# {_plain(title)}", "", counts, "", "| status | node | area | what |", "|---|---|---|---|"]
    lines += [f"| {row['status']} | {_plain(row['node'])} | {_plain(row['area'])} | {_plain(row['reason'])} |" for row in rows]
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> str:
    return _MARKUP.sub(r"\\\1", " ".join(clean_text(value).split()))
