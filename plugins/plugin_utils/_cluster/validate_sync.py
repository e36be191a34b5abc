# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules about state sync on every platform: its network, transport, and the interface that it runs on."""

from __future__ import annotations

from typing import Iterable

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.addresses import Interface, Network, hosts_in
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Scope
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import Model, Node, Port, Sync

_SYNC = "hafirewall_cluster.sync"


def judge_sync(model: Model) -> None:
    """Put what is wrong with state sync into the model's findings. What is written down is judged also while state sync is off."""
    if model.cluster.state_sync is False:
        model.scope.warn("hafirewall_cluster.state_sync", "is false, so a failover loses every connection", "set it to true to keep them")
    sync = model.cluster.sync
    if sync is None:
        return
    usable = _network(model, sync)
    _transport(model, sync)
    _shared(model, sync)
    for vip in model.cluster.virtual_ips:
        if sync.network is not None and vip.interface != sync.interface:
            _overlaps(model.scope, sync, sync.network, vip.path, (address.value for address in vip.addresses))
    for node in model.nodes:
        if node.lacks(sync.interface):
            node.scope.refuse(f"hafirewall_node.interfaces.{sync.interface}", f"is missing, and the Sync interface is {sync.interface}",
                              "name the node's device and its address in the Sync network")
        _overlap(node, sync)
        port = node.port(sync.interface)
        if port is not None and usable:
            _address(model, node, port, sync)


def _network(model: Model, sync: Sync) -> bool:
    """Whether nodes can have addresses in the network at all."""
    network, path = sync.network, f"{_SYNC}.network"
    if network is None:
        return False
    if network.is_multicast or network.is_loopback or network.network_address.is_unspecified:
        model.scope.refuse(path, f"{network} is a multicast, loopback or unspecified network", "choose a network for the Sync segment alone")
        return False
    if network.is_link_local:
        model.scope.refuse(path, f"{network} is link-local, which says nothing about the segment",
                           "choose a network for the Sync segment alone, fd00::/8 has plenty")
        return False
    if hosts_in(network) < len(model.nodes):
        model.scope.refuse(path, f"{network} has room for {hosts_in(network)}, and the cluster has {len(model.nodes)} nodes", "choose a larger network")
    return True


def _transport(model: Model, sync: Sync) -> None:
    if sync.transport == "unicast" and len(model.nodes) > 2:
        model.scope.refuse(f"{_SYNC}.transport", f"is unicast, which reaches one peer, and the cluster has {len(model.nodes)} nodes", "choose multicast")


def _shared(model: Model, sync: Sync) -> None:
    if sync.interface is None:
        return
    path = f"{_SYNC}.interface"
    with_virtual_ip = any(vip.interface == sync.interface for vip in model.cluster.virtual_ips)
    users = ["virtual addresses"] if with_virtual_ip else []
    for node in model.nodes:
        port = node.port(sync.interface)
        if port is not None and port.device is not None:
            users += [f"{name} on {node.host}" for name, other in node.ports.items() if other is not port and other.carrier == port.carrier]
    if not users:
        return
    problem = f"{sync.interface} is shared with {', '.join(users)}; whoever reaches the Sync network can insert states"
    if sync.allow_shared:
        model.scope.warn(path, problem, "give it a device of its own when you can")
    else:
        model.scope.refuse(path, problem, "give it a device of its own, or accept the risk with allow_shared: true")


def _overlap(node: Node, sync: Sync) -> None:
    port = node.port(sync.interface)
    if sync.network is None or port is None:
        return
    others = {f"{name} on {node.host}": (other.known(4) or ()) + (other.known(6) or ()) for name, other in node.ports.items() if other.carrier != port.carrier}
    mapped = {other.carrier for other in node.ports.values()}
    devices = node.evidence.devices or {}
    for device, addresses in devices.items():
        # With the wrong name for the Sync device, the right one would seem to be another.
        if device not in mapped and port.carrier in devices:
            others[f"device {device} on {node.host}"] = addresses
    for where, addresses in others.items():
        _overlaps(node.scope, sync, sync.network, where, addresses)


def _overlaps(scope: Scope, sync: Sync, network: Network, where: str, addresses: Iterable[Interface]) -> None:
    hit = next((address.network for address in addresses if address.version == network.version and address.network.overlaps(network)), None)
    if hit is None:
        return
    problem = f"{network} overlaps {hit} of {where}"
    if sync.allow_shared:
        scope.warn(f"{_SYNC}.network", problem, "give Sync a network of its own when you can")
    else:
        scope.refuse(f"{_SYNC}.network", problem, "give Sync a network of its own, or accept the risk with allow_shared: true")


def _address(model: Model, node: Node, port: Port, sync: Sync) -> None:
    if sync.network is None or port.device is None:
        return
    path = port.stated[0].path if port.stated else port.path
    known = port.known(sync.network.version)
    own = port.within(sync.network)
    if known is None:
        # Without the device there are no addresses either, and that is said elsewhere.
        absent = node.evidence.devices is not None and port.carrier not in node.evidence.devices
        if model.cluster.state_sync is True and not absent:
            node.scope.refuse(path, f"the node's address in the Sync network {sync.network} is not known", "state it, or collect evidence first (node_info)")
    elif own is None:
        has = ", ".join(str(address) for address in known) or "none"
        node.scope.refuse(path, f"no address of the node lies in the Sync network {sync.network}", f"give it one there; it has: {has}")
    elif own.network != sync.network:
        node.scope.refuse(path, f"{own} has another prefix length than the Sync network {sync.network}", "make them equal")
