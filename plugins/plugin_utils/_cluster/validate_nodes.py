# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules about the nodes of a cluster: roles, priorities, devices, addresses, and evidence that says otherwise."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.addresses import Address, unusable
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.devices import SPELLINGS, refusal
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Scope
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import Model, Node, Port
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import show
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import ENGINES


def judge_nodes(model: Model) -> None:
    """Put what is wrong with the nodes into the model's findings."""
    _count(model)
    _platforms(model)
    _roles(model)
    _priorities(model)
    for node in model.nodes:
        _devices(model, node)
        _evidence(node)
    _addresses(model)


def _count(model: Model) -> None:
    if len(model.nodes) < 2 and model.cluster.name is not None:
        who = f"has only one node, {model.nodes[0].host}" if model.nodes else "has no node"
        model.scope.refuse("hafirewall_cluster.name", f"cluster {model.cluster.name} {who}",
                           "give two hosts or more of the inventory the same hafirewall_cluster")


def _platforms(model: Model) -> None:
    if len(model.platforms) > 1:
        told = ", ".join(f"{' and '.join(hosts)} {'runs' if len(hosts) == 1 else 'run'} {platform}" for platform, hosts in model.platforms.items())
        # pfsync's messages begin with a version: 5 on FreeBSD since 9.0, 6 on OpenBSD since 4.8, and each drops the other's (if_pfsync.h of both).
        apart = "openbsd" in model.platforms and any(ENGINES.get(platform) == "pfsync" for platform in model.platforms if platform != "openbsd")
        why = "; OpenBSD and FreeBSD drop each other's messages, which have version 6 there and 5 here" if apart else ""
        model.scope.refuse("hafirewall_node.platform", f"the nodes have not one platform: {told}{why}", "make the cluster of nodes of one platform")


def _roles(model: Model) -> None:
    primaries = [node.host for node in model.nodes if node.role == "primary"]
    if len(primaries) > 1:
        model.scope.refuse("hafirewall_node.role", f"{len(primaries)} nodes are primary: {', '.join(primaries)}",
                           "leave one of them primary and make the others secondary")
    elif not primaries and model.nodes and all(node.role is not None for node in model.nodes):
        model.scope.refuse("hafirewall_node.role", "no node is primary", "make one node primary")


def _priorities(model: Model) -> None:
    owners: dict[int, Node] = {}
    for node in model.nodes:
        if node.priority is None:
            continue
        other = owners.setdefault(node.priority, node)
        if other is not node and not (other.role == node.role == "primary"):
            node.scope.refuse("hafirewall_node.priority", f"is {node.priority}, as on {other.host}", "give every node a priority of its own")
    primaries = [node for node in model.nodes if node.role == "primary"]
    if len(primaries) != 1 or primaries[0].priority is None:
        return
    for node in model.nodes:
        if node.role == "secondary" and node.priority is not None and node.priority > primaries[0].priority:
            node.scope.refuse("hafirewall_node.priority", f"is {node.priority}, above the {primaries[0].priority} of the primary {primaries[0].host}",
                              "give the primary the highest priority")


def _devices(model: Model, node: Node) -> None:
    sync = model.cluster.sync.interface if model.cluster.sync else None
    spelling = SPELLINGS.get(model.platform(node))
    owners: dict[str, str] = {}
    for name, port in node.ports.items():
        if port.device is None or port.carrier is None:
            continue
        reason = refusal(port.device, spelling.rules) if spelling is not None else None
        if spelling is not None and reason:
            node.scope.refuse(port.device_path, f"the name {port.device!r} {reason}", spelling.remedy)
        # Sharing with Sync has its own rule.
        other = owners.setdefault(port.carrier, name) if name != sync else name
        if other != name:
            node.scope.refuse(port.device_path, f"is {port.device!r}, the device of {other} too", "give every logical interface a device of its own")


def _addresses(model: Model) -> None:
    owners: dict[Address, tuple[str, str | None]] = {}
    for node in model.nodes:
        for port in node.ports.values():
            for stated in port.stated:
                reason = unusable(stated.value)
                if reason:
                    node.scope.refuse(stated.path, f"{stated.value} {reason}", "give the node an address that a host can have")
            _owned_twice(node, port, owners)


def _owned_twice(node: Node, port: Port, owners: dict[Address, tuple[str, str | None]]) -> None:
    paths = {stated.value.ip: stated.path for stated in port.stated}
    known = (port.known(4) or ()) + (port.known(6) or ())
    for address in dict.fromkeys(value.ip for value in known if not value.is_link_local):
        host, device = owners.setdefault(address, (node.host, port.carrier))
        if (host, device) != (node.host, port.carrier):
            where = f"{host} too" if host != node.host else f"device {device} too"
            node.scope.refuse(paths.get(address, port.path), f"{address} belongs to {where}", "give every interface of every node an address of its own")


def _evidence(node: Node) -> None:
    seen = node.evidence
    told = node.platform or seen.platform
    if told and told not in ENGINES:
        node.scope.refuse("hafirewall_node.platform", f"is {show(told)}, which is not known", f"write one of: {', '.join(ENGINES)}")
    if node.platform is not None and seen.platform is not None and seen.platform != node.platform:
        node.scope.refuse("hafirewall_node.platform", f"is {node.platform}, but the node runs {seen.platform}", "correct it, or leave it out")
    judge_devices(node, node.scope)
    for port in node.ports.values():
        has = seen.addresses(port.carrier) if port.carrier is not None else None
        for stated in port.stated if has is not None else ():
            if stated.value not in (has or ()):
                node.scope.refuse(stated.path, f"{stated.value} is not on device {port.carrier}",
                                  f"correct the intent or the node; the device has: {', '.join(str(address) for address in has or ()) or 'none'}")


def judge_devices(node: Node, scope: Scope) -> None:
    """Refuse devices that the node does not have, as far as its devices are known."""
    for port in node.ports.values():
        if node.evidence.links.known and port.carrier is not None and port.carrier not in node.evidence.links:
            has = ", ".join(sorted(device.name for device in node.evidence.links)) or "none"
            scope.refuse(port.device_path, f"the node has no device {port.device!r}", f"correct the name, or make the device; the node has: {has}")
