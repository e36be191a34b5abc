# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pass rules: which traffic a node of a cluster must pass, as nft rules and as packets that each of them is for. Pure."""

from __future__ import annotations

import ipaddress
import itertools
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_match import Packet
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_ruleset import COMMENT_PREFIX, ChainKey
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

UDP, IGMP, ICMPV6, VRRP = 17, 2, 58, 112
VRRP_GROUPS = {4: "224.0.0.18", 6: "ff02::12"}  # RFC 5798, 5.1.1.2 and 5.1.2.2
LINK_LOCAL = "fe80::/10"
_ALL_HOSTS, _ALL_ROUTERS, _IGMP_ROUTERS = "224.0.0.1", "224.0.0.2", "224.0.0.22"  # RFC 3376, 4.1.12 and 4.2.14; RFC 2236, 3
_MLD_ROUTERS = "ff02::16"  # RFC 3810, 5.2.14


class PassRule(NamedTuple):
    """One rule: ``body`` is its match in nft's words, ``packets`` what it must let through (one for each kind of packet that it is for)."""

    name: str
    direction: str
    version: int
    body: str
    packets: Tuple[Packet, ...]

    @property
    def text(self) -> str:
        return '%s counter accept comment "%s%s"' % (self.body, COMMENT_PREFIX, self.name)


def wanted_rules(params: Dict[str, Any]) -> List[PassRule]:
    """The rules for the options of module sync_rule, most specific use first; empty when nothing is to be passed.

    Raises:
        NodeError: options that contradict each other.
    """
    rules: List[PassRule] = []
    if params["enabled"]:
        sync = SyncTraffic.of(params)
        rules += _engine(sync) + (_membership(sync) if sync.group else []) + (_neighbours(sync) if sync.version == 6 else [])
    for vrrp in params.get("vrrp") or []:
        rules += _vrrp(vrrp)
    return rules


def fitting(rules: Iterable[PassRule], key: ChainKey, directions: Iterable[str]) -> List[PassRule]:
    """The rules that belong in a chain: of its table's family and of these directions."""
    versions = {"ip": (4,), "ip6": (6,)}.get(key[0], (4, 6))
    return [rule for rule in rules if rule.version in versions and rule.direction in directions]


def packets_of(rules: Iterable[PassRule]) -> List[Packet]:
    return [packet for rule in rules for packet in rule.packets]


class SyncTraffic(NamedTuple):
    """The engine's traffic: UDP to ``port`` on ``interface``, within ``network``, to ``group`` (multicast) or to the peer (None)."""

    interface: str
    network: Any
    group: Optional[str]
    port: int
    address: Optional[str] = None
    peer: Optional[str] = None

    @classmethod
    def of(cls, params: Dict[str, Any]) -> "SyncTraffic":
        """From options or evidence: keys interface, network, transport, group, port and, where known, address and peer.

        Raises:
            NodeError: a network or group that is none, or the two of different IP versions.
        """
        group = params.get("group") if params["transport"] == "multicast" else None
        try:
            network = ipaddress.ip_network(params["network"], strict=False)
            member = ipaddress.ip_address(group) if group else None
        except ValueError as error:
            raise NodeError("network or group of the Sync traffic: %s" % error) from None
        if params["transport"] == "multicast" and member is None:
            raise NodeError("group is missing: transport multicast needs the group that the engine sends to")
        if member is not None and (member.version != network.version or not member.is_multicast):
            raise NodeError("group %s is not an IPv%d multicast address, as network %s asks for" % (group, network.version, network))
        return cls(params["interface"], network, group, int(params["port"]), params.get("address"), params.get("peer"))

    @property
    def version(self) -> int:
        return int(self.network.version)

    @property
    def family(self) -> str:
        return "ip" if self.version == 4 else "ip6"

    @property
    def sources(self) -> List[str]:
        """Networks that the engine sends from. To a link-local IPv6 group the kernel sends from its link-local address (RFC 6724, rule 2)."""
        linked = self.version == 6 and self.group is not None and (int(ipaddress.ip_address(self.group)) >> 112) & 0xF == 2
        return [str(self.network)] + ([LINK_LOCAL] if linked else [])

    def packet(self, direction: str, **other: Any) -> Packet:
        """The engine's packet from a peer to this node (in) or from this node to a peer (out); ``other`` replaces fields."""
        free = [str(host) for host in itertools.islice(self.network.hosts(), 3)]
        own = self.address or next((host for host in free if host != self.peer), free[0])
        peer = self.peer or next((host for host in free if host != own), free[0])
        source, target = (peer, self.group or own) if direction == "in" else (own, self.group or peer)
        fields = dict(name="engine " + direction, direction=direction, version=self.version, device=self.interface, source=source, target=target,
                      protocol=UDP, port=self.port, on_link=True)
        return Packet(**dict(fields, **other))

    def packets(self) -> List[Packet]:
        """One packet for each way that the engine's traffic takes, from each kind of source."""
        sources: List[Dict[str, Any]] = [{}] + ([{"source": "fe80::1"}] if len(self.sources) > 1 else [])
        return [self.packet(direction, **source) for direction in ("in", "out") for source in sources]


def _engine(sync: SyncTraffic) -> List[PassRule]:
    packets = sync.packets()
    body = '%s %s saddr %s %s daddr %s udp dport %d'
    return [PassRule("engine " + direction, direction, sync.version, body % (
        _device(direction, sync.interface), sync.family, _set(sync.sources), sync.family, sync.group or str(sync.network), sync.port),
        tuple(packet for packet in packets if packet.direction == direction)) for direction in ("in", "out")]


def _membership(sync: SyncTraffic) -> List[PassRule]:
    """The queries that keep the group alive at a switch that snoops, and the answers. A switch without an address asks from 0.0.0.0 (RFC 4541, 2.1.1)."""
    group = str(sync.group)
    if sync.version == 4:
        query = sync.packet("in", name="membership in", target=_ALL_HOSTS, protocol=IGMP, port=None, kind="membership-query", hops=1)
        report = sync.packet("out", name="membership out", target=_IGMP_ROUTERS, protocol=IGMP, port=None, hops=1)
        asked = "ip saddr %s ip daddr %s igmp type membership-query" % (_set(["0.0.0.0", str(sync.network)]), _set([_ALL_HOSTS, group]))
        told = "ip daddr %s meta l4proto %d" % (_set([_ALL_ROUTERS, _IGMP_ROUTERS, group]), IGMP)
    else:
        query = sync.packet("in", name="membership in", source="fe80::1", target="ff02::1", protocol=ICMPV6, port=None, kind="mld-listener-query",
                            hops=1, tracked="untracked")
        report = query._replace(name="membership out", direction="out", target=_MLD_ROUTERS, kind="mld2-listener-report")
        asked = "ip6 saddr %s icmpv6 type mld-listener-query" % LINK_LOCAL
        told = "icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report }"
    return [PassRule("membership in", "in", sync.version, _device("in", sync.interface) + " " + asked, (query,)),
            PassRule("membership out", "out", sync.version, _device("out", sync.interface) + " " + told, (report,))]


def _neighbours(sync: SyncTraffic) -> List[PassRule]:
    sources = [str(sync.network), LINK_LOCAL]
    rules = []
    for direction in ("in", "out"):
        packet = sync.packet(direction, name="neighbours " + direction, protocol=ICMPV6, port=None, hops=255, tracked="untracked",
                             target=sync._replace(group=None).packet(direction).target)
        rules.append(PassRule(packet.name, direction, 6, "%s ip6 saddr %s ip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }" % (
            _device(direction, sync.interface), _set(sources)),
            tuple(packet._replace(kind=kind) for kind in ("nd-neighbor-solicit", "nd-neighbor-advert"))))
    return rules


def _vrrp(vrrp: Dict[str, Any]) -> List[PassRule]:
    """Advertisements on one interface. Without known sources any neighbour there may advertise: an address that is missing must not cause two actives."""
    version = 4 if vrrp["family"] == "ipv4" else 6
    family = "ip" if version == 4 else "ip6"
    unicast = vrrp.get("transport") == "unicast"
    peers = sorted({_source(source) for source in vrrp.get("sources") or []}, key=_order)
    sources = [LINK_LOCAL] if version == 6 and not (unicast and peers) else peers
    from_known = " %s saddr %s" % (family, _set(sources)) if sources else ""
    to_group = " %s daddr %s" % (family, VRRP_GROUPS[version])
    to_peers = " %s daddr %s" % (family, _set(peers)) if peers else ""
    label = "vrrp %%s %s %s" % (vrrp["interface"], vrrp["family"])
    sample = {4: "192.0.2.1", 6: "fe80::1"}[version]
    others = [_first_host(source) for source in sources] if sources and sources != [LINK_LOCAL] else [sample]
    incoming = tuple(Packet(label % "in", "in", version, vrrp["interface"], source, sample if unicast else VRRP_GROUPS[version], VRRP, hops=255, on_link=True)
                     for source in others)
    outgoing = tuple(Packet(label % "out", "out", version, vrrp["interface"], sample, target, VRRP, hops=255, on_link=True)
                     for target in (others if unicast else [VRRP_GROUPS[version]]))
    matches = {"in": from_known + ("" if unicast else to_group), "out": to_peers if unicast else to_group}
    return [PassRule(label % direction, direction, version, "%s%s meta l4proto %d" % (_device(direction, vrrp["interface"]), matches[direction], VRRP), packets)
            for direction, packets in (("in", incoming), ("out", outgoing))]


def _source(text: str) -> str:
    """An address, also one with its prefix length, or a network: where a node's address is not known, its network is all that is."""
    source = ipaddress.ip_interface(text)
    return str(source.network if source.ip == source.network.network_address and source.network.num_addresses > 1 else source.ip)


def _first_host(source: str) -> str:
    network = ipaddress.ip_network(source)
    return str(network[min(1, network.num_addresses - 1)])


def _order(source: str) -> Tuple[int, str]:
    return int(ipaddress.ip_network(source).network_address), source


def _device(direction: str, name: str) -> str:
    return '%s "%s"' % ("iifname" if direction == "in" else "oifname", name)


def _set(members: List[str]) -> str:
    """One member as it is, several as an anonymous set in the order of their addresses."""
    ordered = sorted(set(members), key=_order)
    return ordered[0] if len(ordered) == 1 else "{ %s }" % ", ".join(ordered)
