# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pass rule in the configuration: only what is there is loaded again."""

from __future__ import annotations

from typing import Any, Callable, List, Mapping, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pass_rule import Sync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_ruleset import Rule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge

FIELDS = ("type", "interface", "protocol", "ipprotocol", "disabled", "floating", "direction", "tracker")
PATHS: Sequence[bridge.Path] = tuple(("filter", "rule", "*", field) for field in FIELDS)


def kept(configured: Mapping[str, Mapping[str, Any]]) -> Callable[[Sequence[Rule], Sync], Tuple[bool, List[str]]]:
    """What :func:`..bsd.pass_rule.observe` asks, answered from the rules of the configuration, each with its :data:`FIELDS`."""
    return lambda own, sync: _persistent(own, sync, configured)


def _persistent(own: Sequence[Rule], sync: Sync, configured: Mapping[str, Mapping[str, Any]]) -> Tuple[bool, List[str]]:
    """Whether a reload keeps the rule, and why not. Only what is in the configuration is loaded again."""
    kept = [rule for rule in configured.values() if rule.get("type") == "pass" and (rule.get("protocol") or "") == "pfsync" and "disabled" not in rule
            and sync.key in str(rule.get("interface") or "").split(",")]
    if not own:
        return False, ["the configuration has the rule, and it is not in force"] if kept else ["the configuration has no such rule"]
    trackers = {rule.tracker.lstrip("0") for rule in own if rule.tracker}
    if not kept or (trackers and not any((rule.get("tracker") or "").lstrip("0") in trackers for rule in kept)):
        return False, ["the rule is in force, and not in the configuration: the next reload removes it"]
    return True, []
