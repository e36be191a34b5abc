# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The model: one cluster with its nodes, read from the intent and completed from evidence. What could not be read is None and was refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Iterator, Mapping

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.addresses import Address, Interface, Network
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings, Scope
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.facts import Evidence
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.intent import CLUSTER, NODE, VRRP
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import plain
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import ENGINES

PRIMARY_PRIORITY = 200
FIRST_SECONDARY_PRIORITY = 150
# Of two standbys the one with the higher priority is quicker by 1/256 of the advert interval for each step between them (RFC 9568, Skew_Time), and one
# that is late does not take over from the other without preempt. So the first few lie well apart.
_APART = 25
_APART_DOWN_TO = 75


@dataclass(frozen=True)
class Stated:
    """An address with its prefix length, and where in the intent it stands."""

    path: str
    value: Interface


@dataclass(frozen=True)
class Sync:
    """``hafirewall_cluster.sync``; what only pfsync has (``format``), or only conntrackd (``group`` to ``refresh_interval``), is None when not stated."""

    interface: str | None
    network: Network | None
    transport: str | None
    format: int | None
    group: Address | None
    port: int | None
    mode: str | None
    external_cache: bool | None
    refresh_interval: int | None
    allow_shared: bool | None


@dataclass(frozen=True)
class VirtualIp:
    """One VRRP instance: all addresses of one id on one interface. ``addresses`` is empty when none could be read."""

    path: str
    interface: str | None
    id: int | None
    addresses: tuple[Stated, ...]

    @property
    def version(self) -> int | None:
        """4 or 6: of the first address, which the others must share."""
        return self.addresses[0].value.version if self.addresses else None


@dataclass(frozen=True)
class Vrrp:
    """``hafirewall_cluster.vrrp``; times in seconds. ``preempt`` and ``preempt_delay`` are None when not stated; of the password it is known only
    whether one is stated (True), was refused (False), or is not stated (None)."""

    advert_interval: float | None
    preempt: bool | None
    preempt_delay: float | None
    transport: str | None
    track_interfaces: bool | None
    password: bool | None


@dataclass(frozen=True)
class LaggSettings:
    """``hafirewall_cluster.laggs`` of one logical interface; None is not stated."""

    required: str | None
    name: str | None
    protocol: str | None
    hash: str | None
    lacp_rate: str | None
    mtu: int | None
    min_links: int | None
    crossover: bool | None
    move_management: bool | None


@dataclass(frozen=True)
class Cluster:
    """What is true of the cluster."""

    name: str | None
    state_sync: bool | None
    sync: Sync | None
    virtual_ips: tuple[VirtualIp, ...]
    vrrp: Vrrp
    state_policy: str | None
    lagg_required: str | None
    laggs: Mapping[str, LaggSettings]


@dataclass(frozen=True)
class Port:
    """A logical interface of one node.

    Attributes:
        path, device_path: where it and its device stand in ``hafirewall_node``.
        device: name of the network device, None when it could not be read.
        carrier: the device that it is on now: the LAGG, where evidence says that the stated device has become a member of one.
        stated: addresses from the intent.
        seen: addresses from evidence, without the cluster's virtual ones and link-local ones; None when nothing is known.
        members: the ports that a LAGG shall have, each with its path; empty when not stated.
        primary: the member that a LAGG with failover shall prefer.
    """

    path: str
    device_path: str
    device: str | None
    carrier: str | None
    stated: tuple[Stated, ...]
    seen: tuple[Interface, ...] | None
    members: tuple[tuple[str, str], ...]
    primary: str | None

    def known(self, version: int) -> tuple[Interface, ...] | None:
        """Addresses of one IP version: the stated ones first, then the seen ones; None when neither the intent nor evidence tells."""
        stated = [address.value for address in self.stated if address.value.version == version]
        if self.seen is None:
            return tuple(stated) or None
        return tuple(dict.fromkeys(stated + [address for address in self.seen if address.version == version]))

    def within(self, network: Network) -> Interface | None:
        """The first known address that lies in the network."""
        return next((address for address in self.known(network.version) or () if address.ip in network), None)

    def towards(self, target: Address) -> Interface | None:
        """The first known address whose network holds the target."""
        return next((address for address in self.known(target.version) or () if target in address.network), None)


@dataclass(frozen=True)
class Node:
    """What is true of one node.

    Attributes:
        host_id: what marks the states that it makes, in its shortest form; None when not stated.
        ports: by logical interface name, without those that could not be read.
        named: all logical interface names that the intent has; None when they could not be read.
    """

    host: str
    role: str | None
    priority: int | None
    priority_stated: bool
    platform: str | None
    host_id: str | None
    ports: Mapping[str, Port]
    named: frozenset[str] | None
    evidence: Evidence
    scope: Scope

    def lacks(self, interface: str | None) -> bool:
        """Whether the node's map is known and does not have the logical interface."""
        return interface is not None and self.named is not None and interface not in self.named

    def port(self, interface: str | None) -> Port | None:
        """The logical interface, when it could be read."""
        return self.ports.get(interface) if interface is not None else None


@dataclass(frozen=True)
class Model:
    """One cluster with its nodes, in inventory order."""

    cluster: Cluster
    nodes: tuple[Node, ...]
    findings: Findings
    virtual_addresses: frozenset[Address] = field(default_factory=frozenset)

    @property
    def scope(self) -> Scope:
        """Where findings about the whole cluster go."""
        return self.findings.at()

    @property
    def ranked(self) -> list[Node]:
        """The nodes in the order in which to change them: the active one last, else the primary; where VRRP runs nowhere, the primary first, for the
        first becomes active."""
        if all(node.evidence.vrrp_runs is False for node in self.nodes):
            return sorted(self.nodes, key=lambda node: node.role != "primary")
        return sorted(self.nodes, key=lambda node: (node.evidence.active is True, node.role == "primary"))

    def platform(self, node: Node) -> str:
        """The platform of a node: as stated, else as evidence tells of it or of another node, else the first that this collection drives."""
        told = (one.platform or one.evidence.platform for one in (node, *self.nodes))
        return next((platform for platform in told if platform), next(iter(ENGINES)))

    @property
    def platforms(self) -> dict[str, list[str]]:
        """Platform -> the nodes that run it."""
        found: dict[str, list[str]] = {}
        for node in self.nodes:
            found.setdefault(self.platform(node), []).append(node.host)
        return found

    @property
    def engine(self) -> str | None:
        """What shares the states; None when the nodes have not one platform, or one that no cluster is planned for."""
        return ENGINES.get(next(iter(self.platforms))) if len(self.platforms) == 1 else None

    def networks_around(self, vip: VirtualIp) -> list[str]:
        """The networks that a virtual address's neighbours are in: as the nodes' own addresses tell, else its own; that of a lone address tells nothing."""
        ports = [port for port in (node.port(vip.interface) for node in self.nodes) if port is not None]
        told = {own.network for address in vip.addresses for own in (port.towards(address.value.ip) for port in ports) if own is not None}
        stated = {address.value.network for address in vip.addresses}
        return sorted(map(str, told or {network if network.num_addresses > 1 else network.supernet(new_prefix=0) for network in stated}))


def read_model(cluster: Any, nodes: Mapping[str, Any], evidence: Mapping[str, Any], findings: Findings) -> Model:
    """Read the intent of one cluster; what is wrong in its structure goes into ``findings``, and the rest is read all the same.

    Args:
        cluster: the value of ``hafirewall_cluster``; anything.
        nodes: the value of ``hafirewall_node`` by host, in inventory order; None where it is not defined.
        evidence: evidence by host; hosts may lack.
    """
    read = _cluster(plain(cluster), findings.at())
    virtual = frozenset(address.value.ip for vip in read.virtual_ips for address in vip.addresses)
    members = [_node(host, plain(value), Evidence(plain(evidence.get(host))), virtual, findings.at(host)) for host, value in nodes.items()]
    return Model(read, _with_priorities(members), findings, virtual)


def _cluster(value: Any, scope: Scope) -> Cluster:
    if value is None or value == {}:
        scope.refuse("hafirewall_cluster", "is empty", "state the cluster: its name, its Sync network and its virtual addresses")
        read = None
    else:
        read = CLUSTER.read(value, "hafirewall_cluster", scope)
    if read is None:
        return Cluster(None, None, None, (), Vrrp(None, None, None, None, None, None), None, None, {})
    if read["state_sync"] is True and value.get("sync") is None:
        scope.refuse("hafirewall_cluster.sync", "is missing", "state its interface and network, or switch state sync off with state_sync: false")
    vrrp = read["vrrp"] if value.get("vrrp") is not None else VRRP.defaults()
    return Cluster(read["name"], read["state_sync"], Sync(**read["sync"]) if read["sync"] else None,
                   tuple(_virtual_ip(path, item) for path, item in read["virtual_ips"] or ()), Vrrp(**(vrrp or VRRP.defaults())),
                   read["state_policy"], read["lagg_required"], {name: LaggSettings(**settings) for name, settings in (read["laggs"] or {}).items()})


def _virtual_ip(path: str, item: Mapping[str, Any]) -> VirtualIp:
    first = [Stated(f"{path}.address", item["address"])] if item["address"] is not None else []
    return VirtualIp(path, item["interface"], item["id"], tuple(first + [Stated(*further) for further in item["addresses"] or ()]))


def _node(host: str, value: Any, evidence: Evidence, virtual: frozenset[Address], scope: Scope) -> Node:
    read = None
    if value is None:
        scope.refuse("hafirewall_node", "is not defined", "state the node's role and interfaces")
    else:
        read = NODE.read(value, "hafirewall_node", scope)
    if read is None:
        return Node(host, None, None, False, None, None, {}, None, evidence, scope)
    ports: dict[str, Port] = {}
    named = None
    if read["interfaces"] is not None:
        named = frozenset(name for name in value["interfaces"] if isinstance(name, str))
        ports = {name: _port(name, item, isinstance(value["interfaces"][name], str), evidence, virtual) for name, item in read["interfaces"].items()}
    return Node(host, read["role"], read["priority"], read["priority"] is not None, read["platform"], read["host_id"], ports, named,
                evidence, scope)


def _port(name: str, item: Mapping[str, Any], short: bool, evidence: Evidence, virtual: frozenset[Address]) -> Port:
    path = f"hafirewall_node.interfaces.{name}"
    first = [Stated(f"{path}.address", item["address"])] if item["address"] is not None else []
    carrier = evidence.links.carrier(item["device"]) if item["device"] is not None else None
    seen = evidence.addresses(carrier) if carrier is not None else None
    own = None if seen is None else tuple(address for address in seen if address.ip not in virtual and not address.is_link_local)
    stated = tuple(first + [Stated(*further) for further in item["addresses"] or ()])
    return Port(path, path if short else f"{path}.device", item["device"], carrier, stated, own, tuple(item["members"] or ()), item["primary"])


def _with_priorities(nodes: list[Node]) -> tuple[Node, ...]:
    """Give the nodes without a stated priority theirs: 200 for the primary, for secondaries in inventory order 150, 125, 100 and 75, then 74 and down,
    past stated ones."""
    taken = {node.priority for node in nodes}
    ladder = [*range(FIRST_SECONDARY_PRIORITY, _APART_DOWN_TO - 1, -_APART), *range(_APART_DOWN_TO - 1, 0, -1)]
    free = (priority for priority in ladder if priority not in taken)
    return tuple(_with_priority(node, free) for node in nodes)


def _with_priority(node: Node, free: Iterator[int]) -> Node:
    if node.priority_stated or node.role is None:
        return node
    priority = PRIMARY_PRIORITY if node.role == "primary" else next(free, None)
    if priority is None:
        node.scope.refuse("hafirewall_node.priority", "is not stated, and none of those that are given by default is left",
                          "state a priority that no other node has")
    return replace(node, priority=priority)
