# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules about virtual addresses on every platform."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.addresses import Address, unusable
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import Model, Node, Port, Stated, VirtualIp


def judge_virtual_ips(model: Model) -> None:
    """Put what is wrong with virtual addresses into the model's findings."""
    _ids(model)
    _addresses(model)
    for vip in model.cluster.virtual_ips:
        prefix_said: set[str] = set()
        for node in model.nodes:
            if node.lacks(vip.interface):
                node.scope.refuse(f"{vip.path}.interface", f"{vip.interface} is not in the node's map",
                                  f"name its device under hafirewall_node.interfaces.{vip.interface}")
            port = node.port(vip.interface)
            if port is not None:
                for address in vip.addresses:
                    _within(node, port, address, prefix_said)
                    _left_behind(node, port, address)


def judge_adverts(model: Model) -> None:
    """Where adverts come from: unicast needs to know, multicast only to narrow the pass rule down. Not where a product makes the rules by itself."""
    for vip in model.cluster.virtual_ips:
        for node in model.nodes:
            _source(model, node, node.port(vip.interface), vip)


def _source(model: Model, node: Node, port: Port | None, vip: VirtualIp) -> None:
    if vip.version is None or port is None or port.device is None or port.towards(vip.addresses[0].value.ip) is not None:
        return
    if model.cluster.vrrp.transport == "unicast":
        if port.known(vip.version) is None or vip.version == 6:
            node.scope.refuse(port.path, f"no IPv{vip.version} address is known for it in the network of {vip.path}, and unicast adverts need one",
                              "state it, or collect evidence first (node_info)")
    elif vip.version == 4 and port.known(4) is None:
        around = ", ".join(model.networks_around(vip))
        node.scope.warn(port.path, f"its IPv4 addresses are not known, so adverts are accepted from all of {around}",
                        "state them, or collect evidence first (node_info)")


def _ids(model: Model) -> None:
    owners: dict[tuple[object, ...], str] = {}
    # VRRP has one instance for each family; of CARP's vhids there is each once on an interface, whatever the family.
    by_family = model.engine != "pfsync"
    for vip in model.cluster.virtual_ips:
        if vip.interface is None or vip.id is None or vip.version is None:
            continue
        # Two logical interfaces may share devices, with Sync.
        ports = [node.port(vip.interface) for node in model.nodes]
        wire = tuple(port.device if port is not None else None for port in ports) if all(ports) else vip.interface
        owner = owners.setdefault((wire, vip.id, vip.version if by_family else None), vip.path)
        if owner != vip.path:
            meant = f"for IPv{vip.version}" if by_family else "and CARP has one vhid for both families"
            model.scope.refuse(f"{vip.path}.id", f"{vip.id} is the id of {owner} on {vip.interface} too, {meant}",
                               "choose another id, or list the address under its addresses when it is of that family")


def _addresses(model: Model) -> None:
    owners: dict[Address, str] = {}
    of_nodes: dict[Address, str] = {}
    for node in model.nodes:
        for port in node.ports.values():
            of_nodes.update((stated.value.ip, f"{stated.path} of {node.host}") for stated in port.stated)
    for vip in model.cluster.virtual_ips:
        for address in vip.addresses:
            ip = address.value.ip
            owner = owners.setdefault(ip, address.path)
            if owner != address.path:
                model.scope.refuse(address.path, f"{ip} is {owner} too", "state each virtual address once")
            if address.value.version != vip.version:
                model.scope.refuse(address.path, f"{ip} is IPv{address.value.version}, and the first address of the id is IPv{vip.version}",
                                   "give it an entry of its own; VRRP has one instance for each address family")
            reason = unusable(address.value)
            if reason:
                model.scope.refuse(address.path, f"{address.value} {reason}", "choose an address that a host can have")
            if ip in of_nodes:
                model.scope.refuse(address.path, f"{ip} is {of_nodes[ip]} too", "choose an address that no node has")


def _within(node: Node, port: Port, address: Stated, prefix_said: set[str]) -> None:
    value = address.value
    known = port.known(value.version)
    if known is None or value.is_link_local:
        return
    own = port.towards(value.ip)
    if own is None:
        # VRRP for IPv6 speaks from link-local addresses, so a device without a global one is enough.
        if known or value.version == 4:
            has = ", ".join(str(item) for item in known) or f"no IPv{value.version} address"
            node.scope.refuse(address.path, f"{value} lies outside the networks of its interface; the node has {has}",
                              "choose an address of the interface's network")
    elif value.network.prefixlen not in (own.network.prefixlen, value.max_prefixlen) and address.path not in prefix_said:
        prefix_said.add(address.path)
        node.scope.refuse(address.path, f"{value} has another prefix length than {own} of the node", f"write {value.ip}/{own.network.prefixlen}")


def _left_behind(node: Node, port: Port, address: Stated) -> None:
    seen = node.evidence.addresses(port.carrier) if port.carrier is not None else None
    if seen and node.evidence.vrrp_runs is False and any(item.ip == address.value.ip for item in seen):
        node.scope.warn(address.path, f"{address.value.ip} is on device {port.carrier} although VRRP does not run there",
                        "remove it from the node's own configuration")
