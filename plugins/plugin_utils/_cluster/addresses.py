# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses as text, read strictly, and the questions that planning asks of them. All sizes and prefixes are in bits."""

from __future__ import annotations

import ipaddress
from typing import Iterable, Union

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Interface = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]
Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

# Where VRRP for IPv6 comes from: RFC 9568 section 5.1.2.1, the link-local address of the sending interface.
LINK_LOCAL_V6 = "fe80::/10"


def family(value: Address | Interface | Network) -> str:
    """``ipv4`` or ``ipv6``."""
    return f"ipv{value.version}"


def read_interface(text: str) -> Interface:
    """An address with its prefix length, ``192.0.2.2/24``.

    Raises:
        ValueError: the text is none; the message completes ``the value ...``.
    """
    if "/" not in text:
        ipaddress.ip_address(text)
        raise ValueError("has no prefix length")
    value = ipaddress.ip_interface(text)
    _without_zone(value)
    return value


def read_network(text: str) -> Network:
    """A network, ``198.51.100.128/28``, whose host bits are zero.

    Raises:
        ValueError: the text is none; the message completes ``the value ...``.
    """
    value = read_interface(text)
    if value.ip != value.network.network_address:
        raise ValueError(f"is an address within the network {value.network}")
    return value.network


def read_address(text: str) -> Address:
    """An address without prefix length, ``225.0.0.50``.

    Raises:
        ValueError: the text is none.
    """
    value = ipaddress.ip_address(text)
    _without_zone(value)
    return value


def _without_zone(value: Address | Interface) -> None:
    if getattr(value, "scope_id", None) is not None:
        raise ValueError("names a zone; an address of an intent has none")


def hosts_in(network: Network) -> int:
    """How many nodes can have an address in the network. RFC 3021 and RFC 6164 let both addresses of a /31 and a /127 be used."""
    host_bits = network.max_prefixlen - network.prefixlen
    if host_bits <= 1:
        return 2**host_bits
    return 2**host_bits - (2 if network.version == 4 else 1)


def unusable(value: Interface) -> str | None:
    """Why no node can have this address, or None when it can."""
    network, address = value.network, value.ip
    if address.is_multicast or address.is_unspecified or address.is_loopback:
        return "is a multicast, loopback or unspecified address"
    if network.max_prefixlen - network.prefixlen > 1:
        if address == network.network_address:
            return f"is the network address of {network}" if value.version == 4 else f"is the subnet-router anycast address of {network} (RFC 4291 2.6.1)"
        if value.version == 4 and address == network.broadcast_address:
            return f"is the broadcast address of {network}"
    return None


def in_order(addresses: Iterable[Address]) -> list[str]:
    """Addresses as text, each once, IPv4 first, in numeric order."""
    return [str(address) for address in sorted(set(addresses), key=lambda address: (address.version, int(address)))]


def ipv6_scope(group: Address) -> int:
    """The scope field of an IPv6 multicast address (RFC 4291 2.7): 1 interface, 2 link, 5 site, 8 organisation, 14 global."""
    return (int(group) >> 112) & 0xF
