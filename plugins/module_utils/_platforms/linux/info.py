# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All evidence of a Linux node in one reading. Changes nothing."""

from __future__ import annotations

import os
import time
from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import SCHEMA, Areas, result
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import (
    conntrackd_stats,
    facts,
    interfaces,
    keepalived_state,
    maintenance,
    management,
    readiness,
    references,
    segment,
    snapshot,
    sync_rule,
    sync_watch,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.snapshot import AREA, read


def collect(node: Node, params: Dict[str, Any]) -> Dict[str, Any]:
    """Read everything. Arguments and result are those of ``Provider.node_info``."""
    areas = Areas()
    evidence: Dict[str, Any] = {"schema": SCHEMA, "collected_at": round(time.time(), 3), "platform": "linux", "kernel": os.uname().release}
    evidence["os"] = areas.read("os", lambda: _os(node))
    evidence["boot_id"] = areas.read("boot_id", lambda: _boot_id(node))
    evidence["packages"] = areas.read("packages", lambda: facts.installed_versions(node))
    evidence["engine"] = areas.observe("engine", lambda: conntrackd_stats.observe_engine(node))
    evidence["vrrp"] = areas.observe("vrrp", lambda: keepalived_state.observe_vrrp(node))
    evidence["maintenance"] = areas.read("maintenance", lambda: maintenance.observe_maintenance(node))
    config = (evidence["engine"] or {}).get("config")
    sync = _sync_config(config, params)
    evidence["pass_rule"] = areas.observe("pass_rule", lambda: sync_rule.observe_pass_rule(node, sync))
    evidence["interfaces"] = areas.read("interfaces", lambda: interfaces.read(node))
    own = evidence["interfaces"] or []
    evidence["management"] = areas.read("management", lambda: management.observe(node, own))
    evidence["references"] = areas.read("references", lambda: references.observe(node, [row["name"] for row in own]))
    evidence["segment"] = evidence["traffic"] = evidence["watch"] = None
    if params.get("sample"):
        sampled = areas.read("segment", lambda: _sample(node, params, config, own))
        evidence["segment"], evidence["traffic"], evidence["watch"] = sampled or (None, None, None)
    evidence["readiness"] = readiness.collect(node, areas) if params.get("readiness") else None
    if params.get("snapshot"):
        evidence[AREA] = read(areas, snapshot.readers(node))
    evidence["errors"] = areas.errors
    return result(evidence)


def _os(node: Node) -> Dict[str, Optional[str]]:
    release = facts.os_release(node)
    return {"id": release.get("ID"), "version": release.get("VERSION_ID")}


def _boot_id(node: Node) -> Optional[str]:
    text = node.read_text("/proc/sys/kernel/random/boot_id")
    return None if text is None else text.strip()


def _sync_config(config: Optional[Dict[str, Any]], params: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """What the packet filter must pass: the engine's configuration as running, and the network that only the intent knows."""
    if config is None or params.get("sync_network") is None:
        return config
    return dict(config, network=params["sync_network"])


def _sample(node: Node, params: Dict[str, Any], config: Optional[Dict[str, Any]],
            own: List[Dict[str, Any]]) -> Tuple[Dict[str, Any], Dict[str, Any], Dict[str, Any]]:
    return segment.observe(node, sync_watch.interface_of(params, config), params.get("sync_network"), own, sync_watch.port_of(params, config))
