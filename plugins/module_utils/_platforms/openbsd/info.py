# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All evidence of an OpenBSD node in one reading, by the system's own programs. Changes nothing."""

from __future__ import annotations

import functools
import ipaddress
import re
import time
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import kept_files, naming, snapshot, wireguard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import SCHEMA, Areas, Error, result
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import (
    compared,
    devices,
    management,
    pass_rule,
    pf_conf,
    pf_options,
    pf_ruleset,
    segment,
    sync_watch,
    vrrp,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import sync_rule as common
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link, network_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pfsync import INTERFACE
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.sysctl import CARP_ALLOW, CARP_DEMOTION
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import (
    carp_file,
    engine,
    hostname,
    ifconfig,
    maintenance,
    own_files,
    pfsync0,
    readiness,
    sync_rule,
    told,
    virtual_ip,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import ipsec as openbsd_ipsec
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import routing as openbsd_routing
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import wireguard as vpn
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.carp_steps import Found

# bin/ps/ps.c: -e shows the environment in front of the command, -ww all of it. sbin/route/route.c has -inet6.
ENVIRONMENT, INET6 = ("ps", "-eww", "-o", "command=", "-p"), "-inet6"
PLACES = {
    "/etc/pf.conf": "rule", "/etc/sysctl.conf": naming.SETTING, "/etc/dhcpd.conf": "service", "/etc/rad.conf": "service", "/etc/dhcpleased.conf": "service",
    "/etc/dhcp6leased.conf": "service", "/etc/hostapd.conf": "service", "/etc/ifstated.conf": "service", "/etc/relayd.conf": "service",
    "/etc/rc.conf.local": "service", "/etc/mrouted.conf": "route", "/etc/dvmrpd.conf": "route", "/etc/ospfd.conf": "route", "/etc/ospf6d.conf": "route",
    "/etc/ripd.conf": "route", "/etc/eigrpd.conf": "route", "/etc/ldpd.conf": "route", "/etc/bgpd.conf": "route",
}
# carp_group_demote_adj, where net.inet.carp.log is 3 or more.
_DEMOTED = re.compile(r"\bdemoted group carp by (-?\d+) to (\d+) \(([^)]*)\)")


def collect(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Read everything. Arguments and result are those of ``Provider.node_info``."""
    areas = Areas()
    kernel = areas.read("kernel", lambda: told.variables(node.query(["sysctl", "kern.osrelease", CARP_ALLOW], ok=None).stdout)) or {}
    found = areas.read("vrrp", lambda: virtual_ip.read(node))
    links: Mapping[str, Link] = found.links if found is not None else areas.read("interfaces", lambda: ifconfig.links(node)) or {}
    conf = areas.read("config", lambda: pf_options.read(node, {}))
    boot = areas.read("config", lambda: pfsync0.boot(node.read_text(hostname.path(INTERFACE))))
    level = areas.read("vrrp", lambda: pfsync0.demotion(node))
    own_part = maintenance.own_part(node, level)
    evidence: Dict[str, Any] = {
        "schema": SCHEMA, "collected_at": round(time.time(), 3), "platform": "openbsd", "kernel": kernel.get("kern.osrelease"),
        # Nothing on the node tells of which release the userland is, or whether another kernel waits for a boot.
        "os": {"id": "openbsd", "version": kernel.get("kern.osrelease"), "userland": None, "installed_kernel": None},
        "boot_id": areas.read("kernel", lambda: _boot_id(node)),
        "maintenance": areas.read("maintenance", lambda: maintenance.observe(node)),
        "state_policy": None if conf is None else pf_options.state_policy(conf),
        "state_policy_from": None if conf is None else "configured" if pf_options.stated_policy(conf) else "default",
    }
    evidence["engine"] = areas.observe("engine", lambda: engine.observe(node, links, boot, conf, None if level is None else level - own_part))
    evidence["vrrp"] = None if found is None else areas.observe("vrrp", lambda: _vrrp(node, kernel, found, level))
    pf = areas.read("pass_rule", lambda: common.read(node))
    evidence["state_rules"] = None if pf is None else pf_ruleset.binding(list(pf.rules))
    own = areas.read("interfaces", lambda: _interfaces(node, links)) if links else None
    evidence["interfaces"] = own
    sync = _sync(evidence["engine"] or {}, params, links, boot)
    evidence["pass_rule"] = areas.read("pass_rule", lambda: _pass_rule(node, pf, links, sync, conf))
    evidence["management"] = areas.read("management", lambda: management.observe(node, own or [], ENVIRONMENT, INET6))
    evidence["references"] = None if conf is None else areas.read("references", lambda: references(node, conf, [row["name"] for row in own or []]))
    evidence["segment"] = evidence["traffic"] = evidence["watch"] = None
    if params.get("sample"):
        sampled = areas.read("segment", lambda: segment.sample(node, areas, params, None if sync is None else sync.device, own or [], count=counters,
                                                               look=neighbours, program=sync_watch.OPENBSD))
        evidence["segment"], evidence["traffic"], evidence["watch"] = sampled or (None, None, None)
    evidence["readiness"] = readiness.collect(node, areas) if params.get("readiness") else None
    if params.get("snapshot"):
        evidence[snapshot.AREA] = snapshot.read(areas, _snapshot(node, [row["name"] for row in own or []]))
    evidence["errors"] = areas.errors
    return result(evidence)


def counters(node: Node) -> Dict[str, Dict[str, int]]:
    """What each device has received and sent.

    Raises:
        NodeError: there is no netstat.
    """
    return told.counters(node.query(["netstat", "-ibn"]).stdout, node.query(["netstat", "-in"]).stdout)


def neighbours(node: Node, interface: str) -> List[told.Neighbour]:
    """All that the kernel knows on an interface.

    Raises:
        NodeError: there is no arp or ndp.
    """
    return told.arp(node.query(["arp", "-an"]).stdout, interface) + told.ndp(node.query(["ndp", "-an"]).stdout, interface)


def references(node: Node, conf: pf_options.PfConf, names: List[str]) -> List[Dict[str, Any]]:
    """The evidence ``references``, from files that name a device beside its own, without what this collection wrote."""
    block = {line for name in (pf_conf.OPTIONS, pf_conf.FILTER) for line in _lines(conf, name)}
    written = []
    for path in PLACES:
        text = node.read_text(path) or ""
        written += ["%s\0%d:%s" % (path, number, line) for number, line in enumerate(text.splitlines(), 1)]
    return naming.rows("\n".join(written), PLACES, names, lambda path, number: path == conf.path and number in block)


def _lines(conf: pf_options.PfConf, name: str) -> List[int]:
    """The numbers of the lines of a block of this collection."""
    text = conf.text or ""
    block = pf_conf.find(text, name, conf.path)
    return [] if block is None else list(range(block.line, block.line + text.count("\n", block.start, block.end)))


def _boot_id(node: Node) -> Optional[str]:
    """When the kernel began, in seconds: with -n, sysctl prints no date."""
    answer = node.query(["sysctl", "-n", "kern.boottime"]).stdout.strip()
    return answer if answer.isdigit() else None


def _interfaces(node: Node, links: Mapping[str, Link]) -> List[Dict[str, Any]]:
    # dhcpleased(8) and slaacd(8) configure what has these flags.
    leased = {name: {"if": name, "ipaddr": "dhcp" if "AUTOCONF4" in link.flags else None, "ipaddrv6": "slaac" if "AUTOCONF6" in link.flags else None}
              for name, link in links.items()}
    # The key of a row is a product's own name of an interface.
    return [dict(row, key=None) for row in devices.rows(links, counters(node), leased)]


def _vrrp(node: Node, kernel: Mapping[str, str], found: Found, level: Optional[int]) -> Tuple[Dict[str, Any], List[Error]]:
    variables = {CARP_ALLOW: kernel.get(CARP_ALLOW), CARP_DEMOTION: None if level is None else str(level)}
    known = {name: value for name, value in variables.items() if value is not None}
    configured = [vhid for vhid in (found.configured(name) for name in found.files) if vhid is not None]
    running = [carp.instance for carp in found.carps.values()]
    observed, errors = vrrp.observe(running, known, [vip for vhid in configured for vip in _vips(vhid)], _current(found))
    said = node.query(["dmesg"], ok=None).stdout
    observed["demotion_why"] = [] if level == 0 else _why(said) or None
    return observed, errors


def _vips(vhid: carp_file.Vhid) -> List[Dict[str, Any]]:
    """The addresses of an id, as :func:`..bsd.vrrp.observe` takes them."""
    stated = [ipaddress.ip_interface(address) for address in vhid.addresses]
    return [{"device": vhid.device, "interface": vhid.device, "vhid": str(vhid.id), "subnet": str(one.ip), "subnet_bits": str(one.network.prefixlen)}
            for one in stated]


def _current(found: Found) -> bool:
    """Whether the kernel runs what the files say, and nothing else; of passwords nothing is known."""
    if set(found.files) != set(found.carps):
        return False
    for name, carp in found.carps.items():
        vhid, one = found.configured(name), carp.instance
        if vhid is None or (vhid.place, vhid.advbase, vhid.advskew, vhid.peer, set(vhid.addresses)) != (
                (one.device, one.id), one.advbase, one.advskew, one.peer, set(carp.addresses)):
            return False
    return True


def _why(said: str) -> List[Dict[str, Any]]:
    """Why CARP is demoted, as far as the kernel has said so: all changes since it was last not demoted."""
    found: List[Dict[str, Any]] = []
    for by, left, why in _DEMOTED.findall(said):
        found = [] if int(left) == 0 else [*found, {"by": int(by), "why": why}]
    return found


def _sync(found: Mapping[str, Any], params: Mapping[str, Any], links: Mapping[str, Link], boot: Optional[pfsync0.Boot]) -> Optional[pass_rule.Sync]:
    """Where pfsync's packets go: as it runs, else as the caller says, else as configured. The network is the stated one, else that of the device."""
    running = found.get("config") or {}
    device = running.get("interface") or params.get("sync_interface") or (boot.device if boot is not None else None)
    if device is None:
        return None
    peer = running["peer"] if running else boot.peer if boot is not None else None
    return pass_rule.Sync(device, None, params.get("sync_network") or network_of(links, device), peer)


def _pass_rule(node: Node, pf: Optional[common.Kernel], links: Mapping[str, Link], sync: Optional[pass_rule.Sync],
               conf: Optional[pf_options.PfConf]) -> Dict[str, Any]:
    if pf is None:
        return pass_rule.unknown()
    if conf is None:
        raise NodeError("pf.conf could not be read, so it is not known whether a reload keeps the rule")
    return common.evidence(node, pf, links, sync, conf, sync_rule.starts(node), sync_rule.IDLE)


def _snapshot(node: Node, names: List[str]) -> snapshot.Readers:
    """How what is compared is read; ``names`` are those of the devices."""
    def neighbours() -> List[snapshot.Row]:
        arp, ndp = node.query(["arp", "-an"]).stdout, node.query(["ndp", "-an"]).stdout
        return compared.neighbours(names, (functools.partial(told.arp, arp), functools.partial(told.ndp, ndp)))

    def services() -> List[str]:
        return node.query(["rcctl", "ls", "started"]).stdout.split()
    return snapshot.Readers(lambda: compared.routes(node.query(["netstat", "-rn"]).stdout), neighbours, services,
                            functools.partial(kept_files.digests, node, own_files.SOURCES),
                            {"wireguard": lambda: vpn.peers(node, wireguard.named(names)), "ipsec": lambda: openbsd_ipsec.tunnels(node),
                             "bgp": lambda: openbsd_routing.bgp(node), "ospf": lambda: openbsd_routing.ospf(node),
                             "ospf6": lambda: openbsd_routing.ospf6(node)})
