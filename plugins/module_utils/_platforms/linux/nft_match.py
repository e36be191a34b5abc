# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A described packet, and whether one match of an nft rule holds for it: yes, no, or not known. Pure; source of the JSON forms: libnftables-json(5)."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, FrozenSet, Iterable, List, NamedTuple, Optional

UNKNOWN = object()  # the packet has the field, but its value is not described
ABSENT = object()   # the packet has no such field, so the match fails

PROTOCOLS = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "dccp": 33, "gre": 47, "esp": 50, "ah": 51, "icmpv6": 58, "ipv6-icmp": 58, "ospf": 89, "ospfigp": 89,
             "pim": 103, "comp": 108, "ipcomp": 108, "vrrp": 112, "sctp": 132, "udplite": 136}
_WITH_PORTS = (6, 17, 33, 132, 136)
_ICMP_TYPES = {1: "icmp", 2: "igmp", 58: "icmpv6"}


class Packet(NamedTuple):
    """A packet as far as rules are judged by it.

    Attributes:
        name: what it is, for messages (``engine in``).
        direction: ``in`` (to this node) or ``out`` (from it).
        version: 4 or 6.
        device: interface that it comes in or leaves by.
        source, target: addresses.
        protocol: IP protocol number.
        port: UDP destination port, if it is UDP.
        kind: ICMP, IGMP or ICMPv6 type in nft's words, if it is one of these.
        hops: TTL or hop limit; None unknown.
        tracked: what connection tracking says of it: ``new`` or ``untracked``.
        on_link: the source is in a network of the device, so a reverse path check passes; None unknown.
    """

    name: str
    direction: str
    version: int
    device: str
    source: str
    target: str
    protocol: int
    port: Optional[int] = None
    kind: Optional[str] = None
    hops: Optional[int] = None
    tracked: str = "new"
    on_link: Optional[bool] = None


class Context(NamedTuple):
    """What is judged, with the state that earlier chains gave it.

    Attributes:
        packet: the packet.
        sets: elements of the named sets of the table at hand, by name.
        tracked: connection tracking state at this point; None unknown.
        altered: fields that earlier rules may have rewritten (``meta mark``, ``ip saddr``): their values are unknown.
    """

    packet: Packet
    sets: Dict[str, List[Any]]
    tracked: Optional[str]
    altered: FrozenSet[str]


def holds(match: Dict[str, Any], context: Context) -> Optional[bool]:
    """Whether ``{"op", "left", "right"}`` holds; None when that is not known."""
    left, operator = value_of(match["left"], context), match["op"]
    if left is ABSENT:
        return False
    if operator in ("==", "in"):
        return covers(match["right"], left, context)
    if operator == "!=":
        if isinstance(left, str) and left == "":
            return None  # no device: kernels differ in whether the comparison is made at all
        verdict = covers(match["right"], left, context)
        if isinstance(match["right"], dict) and "|" in match["right"] and verdict:
            return None  # a comparison with a combination of flags, not with each of them
        return None if verdict is None else not verdict
    right = match["right"]
    if isinstance(left, int) and isinstance(right, int) and operator in ("<", ">", "<=", ">="):
        return {"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[operator]
    return None


def covers(element: Any, value: Any, context: Context) -> Optional[bool]:
    """Whether a right-hand side (constant, prefix, range, list, set, reference to a set) covers the value; None when not known."""
    if isinstance(element, dict):
        return _covers_form(element, value, context)
    if isinstance(element, list):
        return any_of(covers(item, value, context) for item in element)
    if isinstance(element, str) and element.startswith("@"):
        elements = context.sets.get(element[1:])
        return None if elements is None else any_of(covers(item, value, context) for item in elements)
    if value is UNKNOWN:
        return None
    if element == "*" and not isinstance(value, str):
        return True
    return _equal(element, value)


def _covers_form(element: Dict[str, Any], value: Any, context: Context) -> Optional[bool]:
    (form, body), = list(element.items())[:1]
    if form == "set" or form == "|":
        return any_of(covers(item, value, context) for item in body)
    if form == "elem":
        inside = covers(body["val"], value, context)
        return None if inside and not set(body) <= {"val", "timeout", "expires", "comment", "counter"} else inside
    if form == "concat" and isinstance(value, tuple):
        return all_of(covers(body[place], value[place], context) for place in range(len(body))) if len(body) == len(value) else None
    if value is UNKNOWN:
        return None
    if form == "prefix" and isinstance(value, _Address):
        network = _network("%s/%d" % (body["addr"], body["len"]))
        return None if network is None else network.version == value.version and value in network
    if form == "range" and isinstance(value, _Address):
        low, high = _address(body[0]), _address(body[1])
        return None if low is None or high is None else low.version == value.version and int(low) <= int(value) <= int(high)
    if form == "range" and isinstance(value, int) and all(isinstance(end, int) for end in body):
        return bool(body[0] <= value <= body[1])
    return None


def _equal(element: Any, value: Any) -> Optional[bool]:
    if isinstance(value, _Address):
        network = _network(element)
        return None if network is None else network.version == value.version and value in network
    if isinstance(value, _Protocol):
        number = PROTOCOLS.get(element) if isinstance(element, str) else element
        return None if number is None else number == int(value)
    if isinstance(value, _RouteDevice):
        return element if isinstance(element, bool) else element != "0" and str(element) == str(value)
    if isinstance(value, int):
        return element == value if isinstance(element, int) else None  # a service's name is not looked up
    if isinstance(value, str) and isinstance(element, str):
        return value.startswith(element[:-1]) and value != "" if element.endswith("*") else value == element
    return None


def value_of(expression: Any, context: Context) -> Any:
    """The packet's value for a left-hand side: str, int, address, protocol, device, tuple (concatenation), UNKNOWN or ABSENT."""
    if not isinstance(expression, dict) or len(expression) != 1:
        return UNKNOWN
    (form, body), = expression.items()
    if form == "concat":
        parts = tuple(value_of(part, context) for part in body)
        return ABSENT if any(part is ABSENT for part in parts) else parts
    if form == "meta":
        return _meta(body["key"], context)
    if form == "payload" and "protocol" in body:
        value = _payload(body["protocol"], body["field"], context.packet)
        return UNKNOWN if value is not ABSENT and "%s %s" % (body["protocol"], body["field"]) in context.altered else value
    if form == "ct":
        return _tracking(body, context)
    if form == "fib":
        return _route(body, context)
    if form == "&":
        return _masked(body, context)
    if form in ("tcp option", "sctp chunk", "dccp option"):
        return UNKNOWN if context.packet.protocol in (6, 33, 132) else ABSENT
    return UNKNOWN


def _meta(key: str, context: Context) -> Any:
    packet = context.packet
    if "meta " + key in context.altered:
        return UNKNOWN
    if key in ("iifname", "iif", "ibrname"):
        return packet.device if packet.direction == "in" and key != "ibrname" else ""
    if key in ("oifname", "oif", "obrname"):
        return packet.device if packet.direction == "out" and key != "obrname" else ""
    if key == "l4proto":
        return _Protocol(packet.protocol)
    if key == "nfproto":
        return "ipv%d" % packet.version
    if key == "protocol":
        return "ip" if packet.version == 4 else "ip6"
    if key == "pkttype" and packet.direction == "in":
        return "multicast" if is_multicast(packet.target) else "host"
    return UNKNOWN


def _payload(protocol: str, field: str, packet: Packet) -> Any:
    if protocol in ("ip", "ip6"):
        return _network_header(field, packet) if protocol == ("ip" if packet.version == 4 else "ip6") else ABSENT
    if protocol in ("arp",):
        return ABSENT
    if protocol == "th":
        return packet.port if packet.protocol in _WITH_PORTS and field == "dport" and packet.port is not None else UNKNOWN
    if protocol in PROTOCOLS or protocol in _ICMP_TYPES.values():
        if PROTOCOLS[protocol] != packet.protocol:
            return ABSENT
        if field == "dport" and packet.port is not None:
            return packet.port
        return packet.kind if field == "type" and packet.kind is not None else UNKNOWN
    return UNKNOWN


def _network_header(field: str, packet: Packet) -> Any:
    if field in ("saddr", "daddr"):
        address = _address(packet.source if field == "saddr" else packet.target)
        return UNKNOWN if address is None else address
    if field in ("protocol", "nexthdr"):
        # MLD travels behind a hop-by-hop header, so the first next header is not the protocol.
        return UNKNOWN if packet.version == 6 and packet.protocol == 58 else _Protocol(packet.protocol)
    if field in ("ttl", "hoplimit"):
        return UNKNOWN if packet.hops is None else packet.hops
    return packet.version if field == "version" else UNKNOWN


def _tracking(body: Dict[str, Any], context: Context) -> Any:
    if body["key"] == "state":
        return UNKNOWN if context.tracked is None else context.tracked
    if body["key"] == "direction" and context.tracked == "new":
        return "original"
    return UNKNOWN


def _route(body: Dict[str, Any], context: Context) -> Any:
    flags, packet = body.get("flags", []), context.packet
    if packet.direction == "out":
        return UNKNOWN
    if body["result"] in ("oif", "oifname") and "saddr" in flags and packet.on_link and ("mark" not in flags or "meta mark" not in context.altered):
        return _RouteDevice(packet.device)
    if body["result"] == "type" and "daddr" in flags:
        if is_multicast(packet.target):
            return "multicast"
        return "local" if packet.on_link or "iif" not in flags else UNKNOWN
    return "unicast" if body["result"] == "type" and "saddr" in flags and packet.on_link else UNKNOWN


def _masked(body: List[Any], context: Context) -> Any:
    value = value_of(body[0], context)
    if value is ABSENT:
        return ABSENT
    # A packet of ours is no fragment: its offset and its more-fragments bit are 0. The don't-fragment bit is not known.
    fragment = {"payload": {"protocol": "ip", "field": "frag-off"}}
    if body[0] == fragment and isinstance(body[1], int) and not body[1] & 0x4000:
        return 0
    return value & body[1] if isinstance(value, int) and isinstance(body[1], int) else UNKNOWN


def any_of(values: Iterable[Optional[bool]]) -> Optional[bool]:
    """True when one is, else None when one is not known, else False."""
    found: List[Optional[bool]] = list(values)
    return True if True in found else None if None in found else False


def all_of(values: Iterable[Optional[bool]]) -> Optional[bool]:
    """False when one is, else None when one is not known, else True."""
    found: List[Optional[bool]] = list(values)
    return False if False in found else None if None in found else True


def is_multicast(address: str) -> bool:
    return ipaddress.ip_address(address).is_multicast


class _Protocol(int):
    """An IP protocol number; rules may name it by number or by name."""


class _RouteDevice(str):
    """The device that the routing table names for an address; rules ask for its name or whether there is one."""


_Address = (ipaddress.IPv4Address, ipaddress.IPv6Address)


def _address(text: Any) -> Any:
    try:
        return ipaddress.ip_address(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _network(text: Any) -> Any:
    try:
        return ipaddress.ip_network(text, strict=False) if isinstance(text, str) else None
    except ValueError:
        return None
