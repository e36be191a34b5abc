# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pass rule in the configuration: only what is there is loaded again."""

from __future__ import annotations

from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pass_rule import Sync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_ruleset import Rule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge

FIELDS = ("type", "interface", "protocol", "ipprotocol", "disabled", "floating", "direction", "tracker")
GROUPS: Sequence[bridge.Path] = tuple(("ifgroups", "ifgroupentry", "*", field) for field in ("ifname", "members"))
PATHS: Sequence[bridge.Path] = (*(("filter", "rule", "*", field) for field in FIELDS), *GROUPS)


def groups_of(key: Optional[str], rows: Mapping[str, Mapping[str, Any]]) -> List[str]:
    """The groups that an interface is in, of those of the configuration."""
    return [str(row.get("ifname")) for row in rows.values() if key in str(row.get("members") or "").split()]


def kept(configured: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Mapping[str, Any]]) -> Callable[[Sequence[Rule], Sync], Tuple[bool, List[str]]]:
    """What :func:`..bsd.pass_rule.observe` asks, answered from the rules of the configuration, each with its :data:`FIELDS`, and its groups of interfaces."""
    return lambda own, sync: _persistent(own, sync, configured, [sync.key, *groups_of(sync.key, groups)])


def _persistent(own: Sequence[Rule], sync: Sync, configured: Mapping[str, Mapping[str, Any]], names: Sequence[Optional[str]]) -> Tuple[bool, List[str]]:
    """Whether a reload keeps the rule, and why not. Only what is in the configuration is loaded again."""
    kept = [rule for rule in configured.values() if rule.get("type") == "pass" and (rule.get("protocol") or "") == "pfsync" and "disabled" not in rule
            and any(name in names for name in str(rule.get("interface") or "").split(","))]
    if not own:
        return False, ["the configuration has a rule for pfsync on that interface, and none for the Sync network alone is in force" if kept
                       else "the configuration has no such rule"]
    trackers = {rule.tracker.lstrip("0") for rule in own if rule.tracker}
    if not kept or (trackers and not any((rule.get("tracker") or "").lstrip("0") in trackers for rule in kept)):
        return False, ["the rule is in force, and not in the configuration: the next reload removes it"]
    return True, []
