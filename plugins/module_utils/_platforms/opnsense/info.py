# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All evidence of an OPNsense node in one reading: the configuration as it is on the disk, and FreeBSD's own programs for the rest. Changes nothing."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import snapshot
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import SCHEMA, Areas, result
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import (
    carp,
    devices,
    kernel_release,
    management,
    pass_rule,
    pf_ruleset,
    segment,
    snapshot_readers,
    sysctl,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link, network_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_ruleset import Rule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense import config as configuration
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense import engine, gateways, readiness, virtual_hosts
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.config import Config
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.release import Release, release_of

KERNEL = ("kern.osrelease", "kern.boottime", sysctl.CARP_ALLOW, sysctl.CARP_DEMOTION)


def collect(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Read everything. Arguments and result are those of ``Provider.node_info``.

    Raises:
        NodeError: the node's release cannot be told.
    """
    areas, release = Areas(), release_of(node)
    kernel = areas.read("kernel", lambda: sysctl.parse(node.query(["sysctl", *KERNEL], ok=None).stdout)) or {}
    links = areas.read("interfaces", lambda: devices.links(node))
    found: Mapping[str, Link] = links or {}
    config = areas.read("config", lambda: configuration.read(node, release))
    said = areas.read("engine", lambda: node.query(["dmesg"]).stdout)
    evidence = outline(release, kernel, config, time.time())
    evidence["config_sync"] = None if config is None else areas.read(
        "config_sync", lambda: {"target": _known(config).sends_to, "sections": _known(config).sections})
    base = kernel_release.parse(kernel.get("kern.osrelease"))
    evidence["engine"] = areas.observe("engine", lambda: engine.observe(node, base, found, None if config is None else config.sync, said))
    evidence["vrrp"] = areas.observe("vrrp", lambda: virtual_hosts.observe(carp.running(node), kernel, config, said))
    rules = areas.read("pass_rule", lambda: pf_ruleset.parse(node.query(["pfctl", "-vvsr"]).stdout))
    evidence["state_rules"] = None if rules is None else pf_ruleset.binding(rules)
    own = areas.read("interfaces", lambda: devices.rows(found, devices.counters(node), {} if config is None else config.interfaces)) \
        if links is not None else None
    evidence["interfaces"] = own
    sync = _sync(evidence["engine"] or {}, params, found, config)
    evidence["pass_rule"] = areas.read("pass_rule", lambda: _pass_rule(node, evidence["engine"] or {}, rules, found, sync, config))
    evidence["management"] = areas.read("management", lambda: management.observe(node, own or []))
    evidence["references"] = None if config is None else [
        {"device": device, "kind": "setting", "where": "config.xml: %s" % path, "text": "%s names %s" % (path.rsplit("/", 1)[-1], device)}
        for device, path in configuration.named(config, list(found))]
    evidence["segment"] = evidence["traffic"] = evidence["watch"] = None
    if params.get("sample"):
        sampled = areas.read("segment", lambda: segment.sample(node, areas, params, None if sync is None else sync.device, own or []))
        evidence["segment"], evidence["traffic"], evidence["watch"] = sampled or (None, None, None)
    evidence["readiness"] = readiness.collect(node, areas, config, release) if params.get("readiness") else None
    if params.get("snapshot"):
        evidence[snapshot.AREA] = snapshot.read(areas, snapshot_readers.readers(
            node, [row["name"] for row in own or []], lambda: _known(config).digests(), gateways=lambda: _gateways(node, config)))
    evidence["errors"] = areas.errors
    return result(evidence)


def outline(release: Release, kernel: Mapping[str, str], config: Optional[Config], moment: float) -> Dict[str, Any]:
    """The part of the evidence that the release, the kernel's variables and the configuration tell by themselves; the moment is by the node's clock."""
    base = kernel.get("kern.osrelease")
    policy, policy_from = (None, None) if config is None else config.state_policy
    return {
        "schema": SCHEMA, "collected_at": round(moment, 3), "platform": "opnsense", "kernel": base,
        "os": {"id": "opnsense", "version": release.text, "edition": release.edition, "base": base}, "boot_id": sysctl.boot_id(kernel),
        "config": None if config is None else {"revision": config.revision()},
        "maintenance": None if config is None else config.maintenance, "state_policy": policy, "state_policy_from": policy_from,
    }


def _known(config: Optional[Config]) -> Config:
    if config is None:
        raise NodeError("the configuration could not be read")
    return config


def _gateways(node: Node, config: Optional[Config]) -> List[snapshot.Row]:
    """Not without a whole configuration: the product's own programs would put an older one in its place (Config.php)."""
    _known(config)
    return gateways.read(node)


def _sync(found: Mapping[str, Any], params: Mapping[str, Any], links: Mapping[str, Link], config: Optional[Config]) -> Optional[pass_rule.Sync]:
    """Where pfsync's packets go: as it runs, else as the caller says, else as configured. The network is the stated one, else that of the device."""
    running = found.get("config") or {}
    stated = None if config is None else config.sync
    device = running.get("interface") or params.get("sync_interface") or (None if stated is None else stated.device)
    if device is None:
        return None
    peer = running["peer"] if running else None if stated is None else stated.peer
    rows = {} if config is None else config.interfaces
    return pass_rule.Sync(device, next((key for key, row in rows.items() if row.get("if") == device), None),
                          params.get("sync_network") or network_of(links, device), peer)


def _pass_rule(node: Node, found: Mapping[str, Any], rules: Optional[Sequence[Rule]], links: Mapping[str, Link], sync: Optional[pass_rule.Sync],
               config: Optional[Config]) -> Dict[str, Any]:
    running = found.get("filter")
    if rules is None or running is None:
        return pass_rule.unknown()
    if config is None:
        raise NodeError("the configuration could not be read, so it is not known whether a reload keeps the rule")

    def kept(own: Sequence[Rule], where: pass_rule.Sync) -> Tuple[bool, List[str]]:
        """Only what is in the configuration is loaded again."""
        names = [] if where.key is None else config.names(where.key)
        stated = [rule for rule in config.pass_rules if configuration.covers(rule, names)]
        if own:
            return (True, []) if stated else (False, ["the rule is in force, and not in the configuration: the next reload removes it"])
        return False, ["the configuration has a rule for pfsync on that interface, and none for the Sync network alone is in force" if stated
                       else "the configuration has no such rule"]
    return pass_rule.observe(running, rules, pass_rule.scene(node, links), sync, kept)
