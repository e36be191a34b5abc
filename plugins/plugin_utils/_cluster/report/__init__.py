# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was found, told to machines (JSON), to a CI (JUnit), to people (a page of HTML) and to a change ticket (Markdown). Pure: text in, text out.

A report is::

    {"title": str, "generated_at": float,       # epoch seconds
     "collection": str | None,                  # version of this collection
     "clusters": [{"name": str, "plans": {host: plan}, "evidence": {host: evidence | None}}],
     "checks": [{"id", "cluster", "node", "status", "reason"}],   # may be absent
     "drills": [drill result],                                    # may be absent; "cluster" in a drill is optional
     "upgrades": [upgrade]}                                       # may be absent; as upgrade.outcome judges them, and "required", "good_enough"

The shape of a drill's timeline is in :mod:`.picture_timeline`. Everything in it may be hostile text: it was read from machines.
"""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.junit import as_junit
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.machine import as_json
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.markdown import as_markdown
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.page import as_html

__all__ = ["as_html", "as_json", "as_junit", "as_markdown"]
