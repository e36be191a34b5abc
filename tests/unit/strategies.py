# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hypothesis strategies: intents that planning must accept, and anything at all."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.devices import CONNTRACKD_RULES, SPELLINGS, refusal
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import ENGINES, PRODUCTS
from hypothesis import strategies as st

# Logical interfaces with their networks; the last name is as long as a name may be.
NETWORKS = {
    "lan": {4: "192.0.2.0/24", 6: "2001:db8:1::/64"},
    "wan": {4: "203.0.113.0/24", 6: "2001:db8:2::/64"},
    "dmz-" + 28 * "z": {4: "198.51.100.0/25", 6: "2001:db8:3::/64"},
}
# Where the Sync network begins, and the prefix lengths that it may have.
SYNC_NETWORKS = {4: ("198.51.100.128", 25, 29), 6: ("2001:db8:5::", 48, 125)}
VERSIONS = (4, 6)
_COMMON_DEVICES = st.sampled_from(["lan0", "wan0", "eth0.100", "enp3s0f1", "bond0", "br-lan", "x", "vlan_7"])
_DEVICES = _COMMON_DEVICES | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}", fullmatch=True)
# OpenBSD leaves no choice but of the driver.
_DEVICES_OF = {"openbsd": st.from_regex(r"[a-z]{2,12}[0-9]{1,3}", fullmatch=True)}
# Releases on which everything that is drawn can be set.
_RELEASES = {"pfsense": ["2.8.0", "24.03", "25.11"], "opnsense": ["25.1.4", "26.7"], "freebsd": ["14.2-RELEASE-p1", "15.0-RELEASE"], "openbsd": ["7.6"]}
_SYNC_VERSIONS = {"linux": VERSIONS, "pfsense": (4,), "opnsense": (4,), "freebsd": VERSIONS, "openbsd": (4,)}
_FORMATS = {"pfsense": [1301, 1400, 1500], "opnsense": [1301, 1400], "freebsd": [1301, 1400]}


@dataclass(frozen=True)
class Intent:
    """Arguments of ``plan_cluster``."""

    name: str
    cluster: dict[str, Any]
    nodes: dict[str, dict[str, Any]]
    evidence: dict[str, dict[str, Any]]


def _address(network: str, host: int) -> str:
    parsed = ipaddress.ip_network(network)
    return f"{parsed.network_address + host}/{parsed.prefixlen}"


def _optional(draw: Any, into: dict[str, Any], **keys: st.SearchStrategy[Any]) -> None:
    for key, values in keys.items():
        if draw(st.booleans()):
            into[key] = draw(values)


@st.composite
def intents(draw: Any, max_nodes: int = 4, platforms: tuple[str, ...] = tuple(ENGINES)) -> Intent:
    """A cluster of two to ``max_nodes`` nodes of one platform that planning accepts, with evidence of all its nodes or of none."""
    platform = draw(st.sampled_from(platforms))
    hosts = draw(st.lists(st.from_regex(r"fw[a-z0-9.-]{1,6}", fullmatch=True), min_size=2, max_size=max_nodes, unique=True))
    roles = draw(st.lists(st.sampled_from(sorted(NETWORKS)), unique=True))
    sync_version = draw(st.sampled_from(_SYNC_VERSIONS[platform]))
    # Sync may share an interface with one of the roles.
    sync_role = draw(st.sampled_from(["sync", "sync", *roles]))
    sync_network = NETWORKS[sync_role][sync_version] if sync_role in roles else _sync_network(draw, sync_version)
    with_evidence = draw(st.booleans())
    vrrp = _vrrp(draw) if platform == "linux" else _carp(draw) if platform == "pfsense" else _carp_of_the_system(draw, len(hosts))
    unicast = vrrp.get("transport") == "unicast"
    cluster: dict[str, Any] = {"name": draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", fullmatch=True)),
                               "virtual_ips": _virtual_ips(draw, roles, not unicast, platform), "vrrp": vrrp}
    _optional(draw, cluster, state_sync=st.booleans())
    if platform in PRODUCTS:
        # Their devices differ, which with any other policy may need LAGGs.
        cluster["state_policy"] = "floating"
    elif platform != "linux":
        _optional(draw, cluster, state_policy=st.just("floating"))
    if cluster.get("state_sync", True) or draw(st.booleans()):
        cluster["sync"] = {"interface": sync_role, "network": sync_network, **({"allow_shared": True} if sync_role in roles else {}),
                           **(_sync(draw, len(hosts), sync_version) if platform == "linux" else _pfsync(draw, len(hosts), platform))}
    # Without evidence, unicast VRRP needs every address stated.
    short = with_evidence or (not unicast and draw(st.booleans()))
    nodes, evidence = {}, {}
    for index, host in enumerate(hosts):
        nodes[host], evidence[host] = _node(draw, platform, index, roles, sync_role, sync_network, short, with_evidence)
    _ranks(draw, platform, nodes)
    if platform != "linux":
        _creators(draw, platform, nodes, with_evidence)
    if with_evidence:
        _activate(draw, cluster, nodes, evidence)
    return Intent(cluster["name"], cluster, nodes, evidence if with_evidence else {})


def _sync_network(draw: Any, version: int) -> str:
    first, shortest, longest = SYNC_NETWORKS[version]
    return f"{first}/{draw(st.integers(shortest, longest))}"


def _transport(draw: Any, count: int) -> dict[str, Any]:
    sync: dict[str, Any] = {}
    _optional(draw, sync, transport=st.sampled_from(["multicast", "unicast"] if count == 2 else ["multicast"]))
    return sync


def _pfsync(draw: Any, count: int, platform: str) -> dict[str, Any]:
    sync = _transport(draw, count)
    if platform in _FORMATS:
        _optional(draw, sync, format=st.sampled_from(_FORMATS[platform]))
    return sync


def _sync(draw: Any, count: int, version: int) -> dict[str, Any]:
    sync = _transport(draw, count)
    _optional(draw, sync, port=st.integers(1, 65535),
              mode=st.sampled_from(["ftfw", "notrack", "alarm"] if count == 2 else ["notrack", "alarm"]),
              refresh_interval=st.none() | st.integers(0, 86400))
    if sync.get("transport") != "unicast":
        few = st.sampled_from(["224.0.0.1", "224.0.0.2", "224.0.0.22"]).map(ipaddress.IPv4Address)
        groups = {4: few | st.integers(0xE0000100, 0xEFFFFFFF).map(ipaddress.IPv4Address),
                  6: st.builds(lambda scope, low: ipaddress.IPv6Address(((0xFF10 + scope) << 112) + low), st.integers(3, 15), st.integers(1, 2**112 - 1))}
        _optional(draw, sync, group=groups[version].map(str))
    if sync.get("mode") != "alarm":
        _optional(draw, sync, external_cache=st.booleans())
    return sync


def _vrrp(draw: Any) -> dict[str, Any]:
    vrrp: dict[str, Any] = {}
    _optional(draw, vrrp, advert_interval=st.integers(1, 4095).map(lambda hundredths: hundredths / 100), preempt=st.booleans(),
              transport=st.sampled_from(["multicast", "unicast"]), track_interfaces=st.booleans())
    if vrrp.get("preempt"):
        _optional(draw, vrrp, preempt_delay=st.integers(0, 1000) | st.integers(0, 100000).map(lambda hundredths: hundredths / 100))
    return vrrp


def _carp(draw: Any) -> dict[str, Any]:
    carp: dict[str, Any] = {"password": "a secret"}
    _optional(draw, carp, advert_interval=st.integers(1, 254), preempt=st.just(True), preempt_delay=st.just(0), transport=st.just("multicast"),
              track_interfaces=st.just(True))
    return carp


def _carp_of_the_system(draw: Any, count: int) -> dict[str, Any]:
    carp: dict[str, Any] = {"password": "a secret"}
    _optional(draw, carp, advert_interval=st.integers(1, 254), preempt=st.booleans(), preempt_delay=st.just(0),
              transport=st.sampled_from(["multicast", "unicast"] if count == 2 else ["multicast"]))
    _optional(draw, carp, track_interfaces=st.booleans() if carp.get("preempt") is False else st.just(True))
    return carp


def _creators(draw: Any, platform: str, nodes: dict[str, dict[str, Any]], with_evidence: bool) -> None:
    """Host ids for all nodes, or for none; without them the platform must be stated where no evidence tells it."""
    ids = draw(st.none() | st.lists(st.integers(1, 2**32 - 1), unique=True, min_size=len(nodes), max_size=len(nodes)))
    for node, one in zip(nodes.values(), ids or [None] * len(nodes), strict=True):
        if one is not None and platform != "opnsense":
            node["host_id"] = f"{one:08X}"
        if not with_evidence:
            node["platform"] = platform


def _virtual_ips(draw: Any, roles: list[str], multicast: bool, platform: str) -> list[dict[str, Any]]:
    by_family = platform == "linux"
    found = []
    for role in roles:
        taken: set[int] = set()
        for version in VERSIONS if multicast or platform != "openbsd" else (4,):
            networks = st.just(NETWORKS[role][version]) | (st.just("fe80::/64") if multicast and version == 6 and role == roles[0] else st.nothing())
            ids = [one for one in draw(st.lists(st.integers(1, 255), unique=True, max_size=2)) if by_family or one not in taken]
            taken.update(ids)
            hosts = draw(st.lists(st.integers(100, 120), unique=True, min_size=3 * len(ids), max_size=3 * len(ids)))
            for index, one in enumerate(ids):
                first, *others = [_address(draw(networks), host) for host in hosts[3 * index: 3 * index + 3]]
                if draw(st.booleans()):
                    first = f"{first.split('/')[0]}/{ipaddress.ip_interface(first).max_prefixlen}"
                vip: dict[str, Any] = {"interface": role, "id": one, "address": first}
                _optional(draw, vip, addresses=st.just(others))
                found.append(vip)
    return draw(st.permutations(found))


def _node(draw: Any, platform: str, index: int, roles: list[str], sync_role: str, sync_network: str, short: bool,
          with_evidence: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    devices: dict[str, str] = {}
    for role in [*roles, *([] if sync_role in roles else [sync_role])]:
        rules = SPELLINGS[platform].rules + (CONNTRACKD_RULES if role == sync_role and platform == "linux" else ())
        names = _DEVICES_OF.get(platform, _DEVICES)
        devices[role] = draw(names.filter(lambda name, rules=rules: not refusal(name, rules) and name not in [*devices.values(), "lo"]))
    interfaces: dict[str, Any] = {}
    seen = [{"name": "lo", "addresses": ["127.0.0.1/8", "::1/128"]}]
    for role in roles:
        device = devices[role]
        addresses = [_address(NETWORKS[role][version], index + 2) for version in VERSIONS]
        if short and (with_evidence or role != sync_role) and draw(st.booleans()):
            interfaces[role] = device
        else:
            interfaces[role] = {"device": device, "address": addresses[0], "addresses": addresses[1:]}
        seen.append({"name": device, "addresses": [*addresses, f"fe80::{index + 2}/64"]})
    if sync_role not in roles:
        own = _address(sync_network, index + 2)
        interfaces[sync_role] = devices[sync_role] if with_evidence and draw(st.booleans()) else {"device": devices[sync_role], "address": own}
        seen.append({"name": devices[sync_role], "addresses": [own]})
    packages = {name: draw(st.none() | st.just("1:1.4.7-1")) for name in ("conntrackd", "conntrack", "keepalived", "nftables")}
    system = {"platform": "linux", "os": {"id": "debian"}, "packages": packages} if platform == "linux" else {
        "platform": platform, "os": {"id": platform, "version": draw(st.sampled_from(_RELEASES[platform]))}}
    return {"role": "secondary", "interfaces": interfaces}, {"schema": 1, **system, "interfaces": seen}


def _ranks(draw: Any, platform: str, nodes: dict[str, dict[str, Any]]) -> None:
    primary = draw(st.sampled_from(sorted(nodes)))
    nodes[primary]["role"] = "primary"
    if draw(st.booleans()):
        priorities = st.integers(1, 254) if platform == "linux" else st.integers(73, 200)
        ranks = sorted(draw(st.lists(priorities, unique=True, min_size=len(nodes), max_size=len(nodes))))
        nodes[primary]["priority"] = ranks.pop()
        for host in nodes:
            if host != primary:
                nodes[host]["priority"] = ranks.pop()
    for node in nodes.values():
        _optional(draw, node, platform=st.just(platform))


def _activate(draw: Any, cluster: dict[str, Any], nodes: dict[str, dict[str, Any]], evidence: dict[str, dict[str, Any]]) -> None:
    """Give the virtual addresses to one node, as VRRP would, or to none."""
    active = draw(st.sampled_from([None, *sorted(nodes)]))
    for host, facts in evidence.items():
        state = "active" if host == active else "standby"
        facts["vrrp"] = {"running": True, "instances": [{"name": str(index), "state": state} for index, _vip in enumerate(cluster["virtual_ips"])]}
        if host != active:
            continue
        for vip in cluster["virtual_ips"]:
            entry = nodes[host]["interfaces"][vip["interface"]]
            device = entry if isinstance(entry, str) else entry["device"]
            next(item for item in facts["interfaces"] if item["name"] == device)["addresses"] += [vip["address"], *vip.get("addresses", [])]


def anything() -> st.SearchStrategy[Any]:
    """Values of every kind that an inventory, a template or a broken plugin can produce, and some that none can."""
    words = st.sampled_from(["name", "sync", "edge", "interface", "network", "virtual_ips", "198.51.100.128/28", "192.0.2.1/24", "::/0", "0.0.0.0/0", "primary",
                             "lan0"])
    numbers = st.integers() | st.floats() | st.integers(4400, 5000).map(lambda digits: 10**digits)
    leaves = st.none() | st.booleans() | numbers | st.text() | st.binary() | words | st.just("\ud800") | st.just(object()) | st.just(1j) | st.dates()
    keys = words | st.text() | st.integers() | st.none() | st.binary() | st.tuples(st.integers()) | st.just(float("nan"))
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(keys, inner) | st.sets(words), max_leaves=12)
