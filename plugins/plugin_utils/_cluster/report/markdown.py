# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report for a change ticket: Markdown that reads well as plain text too."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.clean import clean, clean_text
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.summary import checks_of, worst_first
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.upgrade_view import (
    LINK,
    as_yaml,
    headline,
    release_of,
    sends_of,
    told,
    told_once,
    upgrades_of,
    worst_outcome,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.words import known, moment, plural
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.outcome import WORDS

# What Markdown, or HTML within it, would take for a sign of its own.
_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_TO_TELL = ("fail", "error", "warn")


def as_markdown(report: dict[str, Any]) -> str:
    """The upgrades of a report, and the checks that were not passed; every text that was read from a machine is escaped."""
    upgrades, checks = upgrades_of(report), worst_first(checks_of(report))
    title, sentence = headline(upgrades)
    lines = [f"# {_text(report.get('title') or 'Upgrade check')}: {WORDS[worst_outcome(upgrades)]}", "", f"**{_text(title)}.** {_text(sentence)}", "",
             f"{moment(report.get('generated_at'))}, hafirewall.cluster {_text(known(clean(report.get('collection'))))}", ""]
    for upgrade in upgrades:
        lines += _upgrade(upgrade)
    return "\n".join(lines + _checks(checks)).rstrip() + "\n"


def _upgrade(upgrade: dict[str, Any]) -> list[str]:
    lines = [f"## Cluster {_text(upgrade['cluster'])}: {WORDS[upgrade['outcome']]}", ""]
    lines += ["In this order: " + ", then ".join(_text(host) + (f" (to {_text(target)})" if target else " (to what is not known)")
                                                 for host in upgrade["order"] for target in [(upgrade["targets"] or {}).get(host)]) + ".", ""]
    lines += _list("Why not", upgrade["reasons"]) + _list("What is lost", upgrade["lost"])
    lines += _list("What is not known, and how to learn it", [f"{known(one['what'])}: {known(one['how'])}" for one in upgrade["unknowns"]])
    lines += ["| stage | from | to | for | states flow | because |", "|---|---|---|---|---|---|"]
    for stage in upgrade["stages"]:
        for direction in stage["directions"]:
            cells = (stage["title"], direction["from"], direction["to"], direction["purpose"], direction["answer"], told(stage, direction))
            lines.append("| " + " | ".join(_text(known(cell)) for cell in cells) + " |")
    lines += ["", "| stage | node | runs | sends |", "|---|---|---|---|"]
    lines += ["| " + " | ".join(_text(cell) for cell in (known(stage["title"]), known(node["node"]), release_of(node), sends_of(node))) + " |"
              for stage in upgrade["stages"] for node in stage["nodes"]]
    lines += ["", f"### The steps, {plural(len(upgrade['steps']), 'of them needed', 'of them needed')} for this upgrade", ""]
    for step in upgrade["runbook"]:
        lines += _step(step)
    notes = told_once(upgrade)
    return lines + _list("From the notes of the release", [known(text) for text, _link in notes], [_link_of(link) for _said, link in notes])


def _step(step: dict[str, Any]) -> list[str]:
    lines = [f"- [ ] {known(step['number'])}. " + ("**needed:** " if step["required"] is True else "") + _text(known(step["title"]))
             + (f" ({_text(step['why'])})" if step["why"] else "")]
    if step["variables"]:
        lines += _block("yaml", as_yaml(step["variables"]))
    lines += _block("sh", "\n".join(map(clean_text, step["commands"]))) if step["commands"] else []
    if step["by_hand"]:
        lines += ["", "  On the node" + (", by hand instead:" if step["commands"] else ":")] + _block("sh", "\n".join(map(clean_text, step["by_hand"])))
    return [*lines, ""]


def _block(language: str, text: str) -> list[str]:
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return ["", f"  {fence}{language}", *(f"  {line}" for line in text.splitlines()), f"  {fence}"]


def _checks(checks: list[dict[str, Any]]) -> list[str]:
    told_of = [check for check in checks if check["status"] in _TO_TELL or "left out" in check["reason"]]
    if not checks:
        return ["## Checks", "", "Nothing was checked."]
    lines = ["## Checks", "", f"{plural(len(checks), 'result')}; those that did not pass, and those that were left out:", ""]
    if not told_of:
        return [*lines[:2], f"{plural(len(checks), 'result')}; nothing failed, and nothing was left out."]
    lines += ["| result | check | cluster | node | reason |", "|---|---|---|---|---|"]
    return lines + ["| " + " | ".join(_text(check[key] or "") for key in ("status", "id", "cluster", "node", "reason")) + " |" for check in told_of]


def _list(title: str, entries: list[Any], links: list[str] | None = None) -> list[str]:
    if not entries:
        return []
    after = links or [""] * len(entries)
    return [f"### {title}", "", *(f"- {_text(entry)}{link}" for entry, link in zip(entries, after, strict=True)), ""]


def _link_of(link: Any) -> str:
    return f" <{link}>" if isinstance(link, str) and LINK.fullmatch(link) else ""


def _text(value: Any) -> str:
    """A text on one line in which no sign has a meaning."""
    return _SIGNS.sub(r"\\\1", " ".join(clean_text(value).split()))
