# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: what each node of a cluster must have. Pure, deterministic, and linear in the size of the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.addresses import LINK_LOCAL_V6, Address, family, in_order
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.carp import advskew
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings, IntentError, Problem
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.intent import DEFAULT_GROUP_V4, DEFAULT_GROUP_V6, DEFAULT_PORT
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.plan import LaggPlan, plan_laggs
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import Model, Node, Sync, VirtualIp, read_model
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.packages import missing_packages
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import DRIVEN, PRODUCTS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_freebsd import judge_freebsd
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_linux import judge_linux
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_nodes import judge_nodes
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_openbsd import judge_openbsd
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_opnsense import judge_opnsense
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_pf import CONNTRACKD_SETTINGS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_pfsense import judge_pfsense
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_sync import judge_sync
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_virtual_ips import judge_virtual_ips

# The rules of one platform.
_JUDGES = {"linux": judge_linux, "pfsense": judge_pfsense, "opnsense": judge_opnsense, "freebsd": judge_freebsd, "openbsd": judge_openbsd}
# Seconds; the delay counts only with preempt.
DEFAULT_PREEMPT_DELAY = 10.0


@dataclass(frozen=True)
class ClusterPlan:
    """Plans by host, in inventory order, the cluster's LAGGs, and what a person should know although it is legal."""

    plans: dict[str, dict[str, Any]]
    laggs: dict[str, Any]
    warnings: tuple[Problem, ...]


def plan_cluster(name: str, cluster: Any, nodes: Mapping[str, Any], evidence: Mapping[str, Any], found: Findings | None = None) -> ClusterPlan:
    """Plan one cluster.

    Args:
        name: the cluster's name, by which its members were found.
        cluster: the value of ``hafirewall_cluster``; anything.
        nodes: the value of ``hafirewall_node`` by host, in inventory order.
        evidence: evidence by host, as node_info returns it; hosts may lack.
        found: what was found already, while the members were read.

    Returns:
        One plan a node, plain JSON values; its parts ``lagg``, ``state_sync``, ``sync_rule`` and ``virtual_ip`` are the options of the modules of these
        names, the last three with the devices that there are when the LAGGs are made; None is what the platform has no use for. No plan holds a secret:
        the role hands CARP's password over from the intent.

    Raises:
        IntentError: with everything that is wrong, at once.
    """
    findings = found or Findings()
    model = read_model(cluster, nodes, evidence, findings)
    judge_nodes(model)
    judge_sync(model)
    judge_virtual_ips(model)
    if model.engine is None:
        # Without one platform that is known, and that is said, there are no further rules.
        raise IntentError(dict.fromkeys(findings.errors))
    _JUDGES[next(iter(model.platforms))](model)
    laggs = plan_laggs(model)
    if findings.errors or laggs.refused:
        raise IntentError(dict.fromkeys([*findings.errors, *laggs.refused]))
    warnings = tuple(dict.fromkeys([*findings.warnings, *laggs.warnings]))
    shared = _Shared(name, model, laggs, warnings)
    return ClusterPlan({node.host: shared.plan(node) for node in model.nodes}, laggs.as_dict(), warnings)


class _Shared:
    """What all nodes of an accepted cluster have in common, computed once."""

    def __init__(self, name: str, model: Model, laggs: LaggPlan, warnings: tuple[Problem, ...]) -> None:
        self.name, self.model, self.laggs, self.warnings = name, model, laggs, warnings
        self.members = [node.host for node in model.nodes]
        self.apply_order = [node.host for node in model.ranked]
        self.carp = model.engine == "pfsync"
        self.product = next(iter(model.platforms)) in PRODUCTS
        # CARP speaks from and to what the kernel chooses, unless it is told a peer.
        self.spoken = not self.carp or model.cluster.vrrp.transport == "unicast"
        # pf has no way to keep the states of the nodes' own connections back.
        self.ignored = [] if self.carp else in_order(_own_addresses(model))
        self.sync = self._sync()

    def plan(self, node: Node) -> dict[str, Any]:
        """The plan of one node."""
        own = [str(warning) for warning in self.warnings if warning.host in (None, node.host)]
        return {
            "cluster": self.name, "node": node.host, "role": node.role, "platform": self.model.platform(node),
            "driven": self.model.platform(node) in DRIVEN,
            "members": list(self.members), "peers": [host for host in self.members if host != node.host], "apply_order": list(self.apply_order),
            "warnings": own, "missing_packages": missing_packages(node.evidence),
            "interfaces": {name: self._device(node, name) for name in node.ports},
            "lagg": self.laggs.options(node.host),
            "state_sync": self._state_sync(node), "sync_rule": self._sync_rule(node), "virtual_ip": self._virtual_ip(node),
        }

    def _sync(self) -> dict[str, Any]:
        """Settings of state sync that are the same on every node."""
        sync = self.model.cluster.sync
        there = sync is not None and sync.network is not None
        network, transport = (str(sync.network), sync.transport) if sync is not None and there else (None, "multicast")
        own: dict[str, Any] = dict.fromkeys(CONNTRACKD_SETTINGS) if self.carp else self._conntrackd(sync if there else None)
        return {"network": network, "transport": transport, **own}

    def _conntrackd(self, sync: Sync | None) -> dict[str, Any]:
        default_mode = "ftfw" if len(self.members) == 2 else "notrack"
        if sync is None or sync.network is None:
            return {"group": None, "port": DEFAULT_PORT, "mode": default_mode, "external_cache": False, "refresh_interval": None}
        default_group = DEFAULT_GROUP_V4 if sync.network.version == 4 else DEFAULT_GROUP_V6
        mode = sync.mode or default_mode
        return {"group": str(sync.group or default_group) if sync.transport == "multicast" else None, "port": sync.port or DEFAULT_PORT, "mode": mode,
                "external_cache": bool(sync.external_cache) or mode == "alarm", "refresh_interval": sync.refresh_interval}

    def _state_sync(self, node: Node) -> dict[str, Any]:
        peer = None
        if self.sync["transport"] == "unicast":
            peer = next((self._sync_address(other) for other in self.model.nodes if other is not node), None)
        return {"enabled": bool(self.model.cluster.state_sync), "interface": self._sync_device(node), "address": self._sync_address(node), **self.sync,
                "peer": peer, "ignore_addresses": list(self.ignored), "host_id": node.host_id, "state_policy": self.model.cluster.state_policy,
                "version": self.model.cluster.sync.format if self.model.cluster.sync else None}

    def _sync_device(self, node: Node) -> str | None:
        return self._device(node, self.model.cluster.sync.interface) if self.model.cluster.sync else None

    def _device(self, node: Node, interface: str | None) -> str | None:
        """The device of a logical interface when the LAGGs are made."""
        return self.laggs.names.get((node.host, interface)) if interface is not None else None

    def _sync_address(self, node: Node) -> str | None:
        sync = self.model.cluster.sync
        port = node.port(sync.interface) if sync else None
        own = port.within(sync.network) if sync and sync.network is not None and port is not None else None
        return str(own.ip) if own is not None else None

    def _sync_rule(self, node: Node) -> dict[str, Any]:
        sources: dict[tuple[str | None, str], set[str]] = {}
        # These make their own rules for CARP wherever there is a virtual address (pfSense filter_process_carp_rules, OPNsense filter.lib.inc).
        for vip in () if self.product else self.model.cluster.virtual_ips:
            port = node.port(vip.interface)
            if port is not None:
                sources.setdefault((self._device(node, vip.interface), _family(vip)), set()).update(self._vrrp_sources(node, vip))
        vrrp = [{"interface": device, "family": name, "sources": sorted(found), "transport": self.model.cluster.vrrp.transport}
                for (device, name), found in sources.items()]
        settings = {key: self.sync[key] for key in ("network", "transport", "group", "port")}
        return {"enabled": bool(self.model.cluster.state_sync), "interface": self._sync_device(node), **settings, "vrrp": vrrp}

    def _vrrp_sources(self, node: Node, vip: VirtualIp) -> list[str]:
        """Where adverts come from: addresses, or a network where the addresses are not known.

        Those of the other members; with pf also the node's own, for its rule passes what goes out too, and is then the same on all nodes, as rules must be
        to which FreeBSD links the states of another node.
        """
        version = vip.version or 4
        link_local = [LINK_LOCAL_V6] if version == 6 and self.model.cluster.vrrp.transport == "multicast" else []
        if link_local and not self.carp:
            return link_local
        speakers = [other for other in self.model.nodes if self.carp or other is not node]
        known = [port.known(version) for port in (other.port(vip.interface) for other in speakers) if port is not None]
        if any(addresses is None for addresses in known):
            return link_local + self.model.networks_around(vip)
        return link_local + in_order(address.ip for addresses in known for address in addresses or ())

    def _virtual_ip(self, node: Node) -> dict[str, Any]:
        vrrp = self.model.cluster.vrrp
        delay = DEFAULT_PREEMPT_DELAY if vrrp.preempt_delay is None and not self.carp else vrrp.preempt_delay or 0.0
        # CARP's addresses move together by preemption only, so it is on unless somebody wants it otherwise.
        preempt = vrrp.preempt is not False if self.carp else bool(vrrp.preempt)
        return {"name": self.name, "instances": [self._instance(node, vip) for vip in self.model.cluster.virtual_ips],
                "advert_interval": vrrp.advert_interval, "preempt": preempt, "preempt_delay": int(delay) if delay.is_integer() else delay,
                "transport": vrrp.transport, "track_interfaces": preempt if self.carp else vrrp.track_interfaces,
                "received": self._received(node)}

    def _received(self, node: Node) -> bool:
        """Whether the primary's configuration sync brings the virtual addresses: what is made on this node, it would replace."""
        target = next((other.evidence.receiver for other in self.model.nodes if other.role == "primary" and other is not node), None)
        return target in {str(address) for address in _addresses_of(node)}

    def _instance(self, node: Node, vip: VirtualIp) -> dict[str, Any]:
        peers = [self._source(other, vip) for other in self.model.nodes if other is not node] if self.spoken else []
        advert, priority = self.model.cluster.vrrp.advert_interval, node.priority
        return {"name": f"{vip.interface}_{vip.id}_{_family(vip)}", "interface": self._device(node, vip.interface), "id": vip.id, "family": _family(vip),
                "priority": priority, "advskew": advskew(priority) if self.carp and priority is not None else None,
                "advbase": int(advert) if self.carp and advert is not None else None,
                "addresses": [str(address.value) for address in vip.addresses], "source": self._source(node, vip) if self.spoken else None,
                "peers": [peer for peer in peers if peer is not None]}

    def _source(self, node: Node, vip: VirtualIp) -> str | None:
        """The address that VRRP speaks from; None where the kernel chooses (IPv6 multicast: link-local) or nothing is known."""
        port = node.port(vip.interface)
        if port is None or (vip.version == 6 and self.model.cluster.vrrp.transport == "multicast"):
            return None
        own = port.towards(vip.addresses[0].value.ip)
        return str(own.ip) if own is not None else None


def _family(vip: VirtualIp) -> str:
    return family(vip.addresses[0].value)


def _own_addresses(model: Model) -> set[Address]:
    """Addresses of the nodes themselves and the virtual ones: connections that end on a node need not travel."""
    return set(model.virtual_addresses).union(*map(_addresses_of, model.nodes))


def _addresses_of(node: Node) -> set[Address]:
    """Every address that is stated for a node or was seen on it, virtual ones among them."""
    own = {stated.value.ip for port in node.ports.values() for stated in port.stated}
    return own | {item.ip for seen in (node.evidence.devices or {}).values() for item in seen if not (item.is_loopback or item.is_link_local)}
