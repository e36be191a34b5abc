# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All evidence of a FreeBSD node in one reading, by the system's own programs. Changes nothing."""

from __future__ import annotations

import ipaddress
import time
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import kept_files, snapshot
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import SCHEMA, Areas, Error, result
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import (
    carp,
    devices,
    kernel_release,
    management,
    pass_rule,
    pf_options,
    pf_ruleset,
    segment,
    snapshot_readers,
    sysctl,
    vrrp,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link, network_of, own_address_v6
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import (
    carp_boot,
    engine,
    maintenance,
    own_files,
    pfsync_rc,
    rc,
    rc_carp,
    readiness,
    references,
    sync_rule,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

KERNEL = ("kern.osrelease", "kern.boottime", sysctl.CARP_ALLOW, sysctl.CARP_DEMOTION)
Variables = Mapping[str, str]


def collect(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Read everything. Arguments and result are those of ``Provider.node_info``."""
    areas = Areas()
    # Variables of modules that are not loaded are unknown to the kernel.
    kernel = areas.read("kernel", lambda: sysctl.parse(node.query(["sysctl", *KERNEL], ok=None).stdout)) or {}
    base = kernel.get("kern.osrelease")
    links = areas.read("interfaces", lambda: devices.links(node))
    found: Mapping[str, Link] = links or {}
    variables = areas.read("config", lambda: rc.read(node))
    conf = None if variables is None else areas.read("config", lambda: pf_options.read(node, variables))
    areas.read("config", lambda: _see_what_wins(node))
    said = areas.read("engine", lambda: node.query(["dmesg"]).stdout)
    evidence: Dict[str, Any] = {
        "schema": SCHEMA, "collected_at": round(time.time(), 3), "platform": "freebsd", "kernel": base, "os": areas.observe("os", lambda: _system(node, base)),
        "boot_id": sysctl.boot_id(kernel),
        "maintenance": areas.read("maintenance", lambda: maintenance.observe(node)),
        "state_policy": None if conf is None else pf_options.state_policy(conf),
        "state_policy_from": None if conf is None else "configured" if pf_options.stated_policy(conf) else "default",
    }
    evidence["engine"] = areas.observe("engine", lambda: engine.observe(node, kernel_release.parse(base), found, variables, conf, said))
    evidence["vrrp"] = areas.observe("vrrp", lambda: _vrrp(node, kernel, found, said))
    pf = areas.read("pass_rule", lambda: sync_rule.read(node))
    evidence["state_rules"] = None if pf is None else pf_ruleset.binding(list(pf.rules))
    own = areas.read("interfaces", lambda: _interfaces(node, found, variables or {})) if links is not None else None
    evidence["interfaces"] = own
    sync = _sync(evidence["engine"] or {}, params, found, variables)
    evidence["pass_rule"] = areas.read("pass_rule", lambda: _pass_rule(node, pf, found, sync, variables, conf))
    evidence["management"] = areas.read("management", lambda: management.observe(node, own or []))
    evidence["references"] = None if variables is None or conf is None else areas.read(
        "references", lambda: references.observe(node, variables, conf, [row["name"] for row in own or []]))
    evidence["segment"] = evidence["traffic"] = evidence["watch"] = None
    if params.get("sample"):
        sampled = areas.read("segment", lambda: segment.sample(node, areas, params, None if sync is None else sync.device, own or []))
        evidence["segment"], evidence["traffic"], evidence["watch"] = sampled or (None, None, None)
    evidence["readiness"] = readiness.collect(node, areas) if params.get("readiness") else None
    if params.get("snapshot"):
        evidence[snapshot.AREA] = snapshot.read(areas, snapshot_readers.readers(
            node, [row["name"] for row in own or []], lambda: kept_files.digests(node, own_files.SOURCES)))
    evidence["errors"] = areas.errors
    return result(evidence)


def _see_what_wins(node: Node) -> None:
    """The evidence tells what rc.conf says.

    Raises:
        NodeError: something is read after it that says otherwise.
    """
    rc.refuse_overridden(node, ["pf"], [sync_rule.STARTS, *rc.PF_FILE])
    rc.refuse_overridden(node, ["pfsync"], pfsync_rc.VARIABLES)


def _system(node: Node, base: Optional[str]) -> Tuple[Dict[str, Any], List[Error]]:
    """The running kernel's release, the installed kernel's, and the userland's: freebsd-version(1) prints a line for each."""
    told = node.query(["freebsd-version", "-kru"], ok=None)
    lines = told.stdout.split()
    installed, running, userland = lines if len(lines) == 3 else (None, base, None)
    found = {"id": "freebsd", "version": running, "userland": userland, "installed_kernel": installed}
    reason = "freebsd-version does not tell which kernel is installed: %s" % (told.stderr.strip() or "it says nothing")
    return found, [] if len(lines) == 3 else [{"area": "os", "reason": reason}]


def _interfaces(node: Node, links: Mapping[str, Link], variables: Variables) -> List[Dict[str, Any]]:
    # The key of a row is a product's own name of an interface.
    return [dict(row, key=None) for row in devices.rows(links, devices.counters(node), rows_of(variables, list(links)))]


def rows_of(variables: Variables, names: List[str]) -> Dict[str, Dict[str, Any]]:
    """What rc.conf says of the devices' addresses, in the words of :func:`..bsd.devices.rows`: what leases one has a word in place of it."""
    found: Dict[str, Dict[str, Any]] = {}
    for name in names:
        variable = "ifconfig_" + "".join(sign if sign.isalnum() else "_" for sign in name)
        words = variables.get(variable, variables.get("ifconfig_DEFAULT", "")).split()
        inet6 = variables.get(variable + "_ipv6", "").split()
        leased = any(word.upper() in ("DHCP", "SYNCDHCP", "NOSYNCDHCP") for word in words)
        found[name] = {"if": name, "ipaddr": "dhcp" if leased else None, "ipaddrv6": "slaac" if "accept_rtadv" in inet6 else None}
    return found


def _vrrp(node: Node, kernel: Mapping[str, str], links: Mapping[str, Link], said: Optional[str]) -> Tuple[Dict[str, Any], List[Error]]:
    running = carp.running(node)
    if not running and not {sysctl.CARP_ALLOW, sysctl.CARP_DEMOTION} & set(kernel):
        # The module is not loaded, so there is no CARP, and nothing that could be demoted.
        kernel = dict(kernel, **{sysctl.CARP_ALLOW: "0", sysctl.CARP_DEMOTION: "0"})
    areas = Areas()
    # No block is of that name, so that all entries count alike.
    boot = areas.read("vrrp", lambda: carp_boot.read(node, ""))
    vips = None if boot is None else rc_carp.configured(boot.foreign, list(links))
    found, errors = vrrp.observe(running, kernel, vips, None if vips is None else rc_carp.current(running, vips))
    found["demotion_why"] = None if said is None or found["demotion"] is None else carp.demotions(said) if found["demotion"] else []
    return found, areas.errors + errors


def _sync(found: Mapping[str, Any], params: Mapping[str, Any], links: Mapping[str, Link], variables: Optional[Variables]) -> Optional[pass_rule.Sync]:
    """Where pfsync's packets go: as it runs, else as the caller says, else as configured. The network is the stated one, else that of the device."""
    running = found.get("config") or {}
    boot = None if variables is None else pfsync_rc.boot(variables)
    device = running.get("interface") or params.get("sync_interface") or (boot.device if boot is not None else None)
    if device is None:
        return None
    peer = running["peer"] if running else boot.peer if boot is not None else None
    return pass_rule.Sync(device, None, params.get("sync_network") or _network(links, device, running.get("address")), peer)


def _network(links: Mapping[str, Link], device: str, address: Optional[str]) -> Optional[str]:
    """The network of the device's own address, of the family that updates travel by."""
    own = own_address_v6(links, device) if ":" in (address or "") else None
    return network_of(links, device) if own is None else str(ipaddress.ip_interface(own).network)


def _pass_rule(node: Node, pf: Optional[sync_rule.Kernel], links: Mapping[str, Link], sync: Optional[pass_rule.Sync], variables: Optional[Variables],
               conf: Optional[pf_options.PfConf]) -> Dict[str, Any]:
    if pf is None:
        return pass_rule.unknown()
    if variables is None or conf is None:
        raise NodeError("rc.conf or pf.conf could not be read, so it is not known whether a reload keeps the rule")
    return sync_rule.evidence(node, pf, links, sync, conf, rc.is_on(variables, sync_rule.STARTS))
