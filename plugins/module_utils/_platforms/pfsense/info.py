# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All evidence of a pfSense node in one reading: one PHP process for the configuration, and FreeBSD's own programs for the rest. Changes nothing."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import snapshot
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import SCHEMA, Areas, result
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import (
    carp,
    devices,
    management,
    pass_rule,
    pf_ruleset,
    segment,
    snapshot_readers,
    sysctl,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link, network_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import (
    bridge,
    carp_config,
    engine,
    gateways,
    interfaces,
    kept_rule,
    own_files,
    readiness,
    references,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import Release, release_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.state_sync import DEFAULT_POLICY, INTERFACE, PEER, POLICY, POLICY_SINCE

VERSION, TARGET = ("version",), ("hasync", "synchronizetoip")
REVISION: Sequence[bridge.Path] = tuple(("revision", field) for field in ("time", "description", "username"))
# What the product can send by XMLRPC, by the part of the key behind "synchronize".
SENT = ("users", "authservers", "certs", "rules", "schedules", "aliases", "nat", "ipsec", "openvpn", "dhcpd", "dhcrelay", "dhcrelay6", "kea6", "wol",
        "staticroutes", "lb", "virtualip", "trafficshaper", "trafficshaperlimiter", "trafficshaperlayer7", "dnsforwarder", "captiveportal")
SENDING: Sequence[bridge.Path] = tuple(("hasync", "synchronize" + name) for name in SENT)
PATHS: Sequence[bridge.Path] = tuple(dict.fromkeys((
    VERSION, TARGET, POLICY, *REVISION, *SENDING, *engine.PATHS, *carp_config.PATHS, *interfaces.TOLD, *kept_rule.PATHS)))
KERNEL = ("kern.osrelease", "kern.boottime", sysctl.CARP_ALLOW, sysctl.CARP_DEMOTION)


def collect(node: Node, params: Dict[str, Any]) -> Dict[str, Any]:
    """Read everything. Arguments and result are those of ``Provider.node_info``.

    Raises:
        NodeError: the node's release cannot be told, or is too old for a module.
    """
    areas, release = Areas(), release_of(node)
    kernel = areas.read("kernel", lambda: sysctl.parse(node.query(["sysctl", *KERNEL], ok=None).stdout)) or {}
    links = areas.read("interfaces", lambda: devices.links(node))
    found: Mapping[str, Link] = links or {}
    paths = [*PATHS, *readiness.PATHS] if params.get("readiness") else PATHS
    reading = areas.read("config", lambda: bridge.read(node, paths, sections=list(references.SECTIONS), devices=list(found)))
    assigned = {} if reading is None else reading.rows("interfaces")
    evidence = outline(release, kernel, reading, time.time())
    evidence["engine"] = areas.observe("engine", lambda: engine.observe(node, release, found, reading, {key: row.get("if") for key, row in assigned.items()}))
    evidence["vrrp"] = areas.observe("vrrp", lambda: carp_config.observe(carp.running(node), kernel, reading))
    rules = areas.read("pass_rule", lambda: pf_ruleset.parse(node.query(["pfctl", "-vvsr"]).stdout))
    evidence["state_rules"] = None if rules is None else pf_ruleset.binding(rules)
    own = areas.read("interfaces", lambda: devices.rows(found, devices.counters(node), assigned)) if links is not None else None
    evidence["interfaces"] = own
    sync = _sync(evidence["engine"] or {}, params, found, reading, assigned)
    evidence["pass_rule"] = areas.read("pass_rule", lambda: _pass_rule(node, evidence["engine"] or {}, rules, found, sync, reading))
    evidence["management"] = areas.read("management", lambda: management.observe(node, own or []))
    evidence["references"] = None if reading is None else references.rows(reading.named)
    evidence["segment"] = evidence["traffic"] = evidence["watch"] = None
    if params.get("sample"):
        sampled = areas.read("segment", lambda: segment.sample(node, areas, params, None if sync is None else sync.device, own or []))
        evidence["segment"], evidence["traffic"], evidence["watch"] = sampled or (None, None, None)
    evidence["readiness"] = readiness.collect(node, areas, reading) if params.get("readiness") else None
    if params.get("snapshot"):
        evidence[snapshot.AREA] = snapshot.read(areas, snapshot_readers.readers(
            node, [row["name"] for row in own or []], lambda: own_files.digests(node), gateways=lambda: gateways.read(node)))
    evidence["errors"] = areas.errors
    return result(evidence)


def outline(release: Release, kernel: Mapping[str, str], reading: Optional[bridge.Reading], moment: Optional[float]) -> Dict[str, Any]:
    """The part of the evidence that the release, the kernel's variables and the configuration tell by themselves; the moment is by the node's clock."""
    policy, policy_from = _state_policy(release, reading)
    base = kernel.get("kern.osrelease")
    return {
        "schema": SCHEMA, "collected_at": None if moment is None else round(moment, 3), "platform": "pfsense", "kernel": base,
        "os": {"id": "pfsense", "version": release.number, "edition": release.edition, "base": base}, "boot_id": sysctl.boot_id(kernel),
        "config": None if reading is None else _config(reading), "config_sync": None if reading is None else _config_sync(reading),
        "maintenance": None if reading is None else carp_config.in_maintenance(reading), "state_policy": policy, "state_policy_from": policy_from,
    }


def _config(reading: bridge.Reading) -> Dict[str, Any]:
    revision: Dict[str, Any] = {path[-1]: reading.values[path] for path in REVISION}
    if str(revision["time"] or "").isdigit():
        revision["time"] = int(revision["time"])
    return {"version": reading.values[VERSION], "revision": revision}


def _config_sync(reading: bridge.Reading) -> Dict[str, Any]:
    return {"target": reading.values[TARGET] or None, "sections": [name for name, path in zip(SENT, SENDING) if reading.values[path]]}


def _state_policy(release: Release, reading: Optional[bridge.Reading]) -> Tuple[Optional[str], Optional[str]]:
    """The state policy, and where it is from. Releases before the setting state none in their rules: what the kernel then does, nothing there tells."""
    if reading is None or not release.since(*POLICY_SINCE):
        return None, None
    return (reading.values[POLICY], "configured") if reading.values[POLICY] else (DEFAULT_POLICY, "default")


def _sync(found: Mapping[str, Any], params: Mapping[str, Any], links: Mapping[str, Link], reading: Optional[bridge.Reading],
          assigned: Mapping[str, Mapping[str, Any]]) -> Optional[pass_rule.Sync]:
    """Where pfsync's packets go: as it runs, else as the caller says, else as configured. The network is the stated one, else that of the device."""
    running = found.get("config") or {}
    configured = None if reading is None else assigned.get(reading.values[INTERFACE] or "", {}).get("if")
    device = running.get("interface") or params.get("sync_interface") or configured
    if device is None:
        return None
    peer = running["peer"] if running else (reading.values[PEER] or None) if reading is not None else None
    key = next((key for key, row in assigned.items() if row.get("if") == device), None)
    return pass_rule.Sync(device, key, params.get("sync_network") or network_of(links, device), peer)


def _pass_rule(node: Node, found: Mapping[str, Any], rules: Optional[List[pf_ruleset.Rule]], links: Mapping[str, Link], sync: Optional[pass_rule.Sync],
               reading: Optional[bridge.Reading]) -> Dict[str, Any]:
    running = found.get("filter")
    if rules is None or running is None:
        return pass_rule.unknown()
    if reading is None:
        raise NodeError("the configuration could not be read, so it is not known whether a reload keeps the rule")
    kept = kept_rule.kept(reading.rows("filter", "rule"), reading.rows("ifgroups", "ifgroupentry"))
    return pass_rule.observe(running, rules, pass_rule.scene(node, links), sync, kept)
