# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A virtual host id of carp(4) as a file hostname.carpN has it. Pure: text to values and back."""

from __future__ import annotations

import ipaddress
import re
from typing import Dict, List, NamedTuple, Optional, Tuple, Union

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError, Secret
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import hostname

LONGEST_PASSWORD = 19  # sbin/ifconfig/ifconfig.c, setcarp_passwd: the kernel gets no more
# netstart reads a line with read(1), which takes backslashes away, and gives it to eval (etc/netstart, ifstart).
_SAFE = re.compile(r"[A-Za-z0-9_.,:+=@%/^-]+")
_VALUED = ("vhid", "carpdev", "advbase", "advskew", "pass", "carppeer")
_DEFAULTS = {"advbase": "1", "advskew": "0"}  # sys/netinet/ip_carp.c, carp_clone_create

Place = Tuple[str, int]  # device that carries it, and virtual host id


class Vhid(NamedTuple):
    """A virtual host id.

    Attributes:
        name: for messages.
        device: that carries it.
        addresses: with prefix length.
        password: None where there is none, or nobody has stated one.
        peer: None for multicast.
    """

    name: str
    device: str
    id: int
    advbase: int
    advskew: int
    addresses: Tuple[str, ...]
    password: Optional[Secret] = None
    peer: Optional[str] = None

    @property
    def place(self) -> Place:
        """By what the kernel knows it."""
        return self.device, self.id


def owner(cluster: str) -> str:
    """What the files of a cluster's addresses are for."""
    return "virtual addresses of %s" % cluster


def text(cluster: str, vhid: Vhid) -> str:
    """The file of a virtual host id: its first address with all else that there is to say, and the other addresses."""
    words = ["vhid", str(vhid.id), "carpdev", vhid.device, "advbase", str(vhid.advbase), "advskew", str(vhid.advskew)]
    words += ["pass", vhid.password] if vhid.password is not None else []
    words += ["carppeer", vhid.peer] if vhid.peer is not None else []
    first, others = vhid.addresses[0], vhid.addresses[1:]
    lines = [" ".join([*_packed(first, False), *words])] + [" ".join(_packed(address, True)) for address in others]
    return hostname.text(owner(cluster), lines)


def argv(address: str) -> List[str]:
    """The words by which ifconfig gives an address to a device that has others."""
    own = ipaddress.ip_interface(address)
    if own.version == 6:
        return ["inet6", "alias", str(own.ip), "prefixlen", str(own.network.prefixlen)]
    return ["inet", "alias", str(own.ip), "netmask", str(own.network.netmask), *_broadcast(own, ["broadcast"])]


def gone(address: str) -> List[str]:
    """The words by which ifconfig takes it away."""
    own = ipaddress.ip_interface(address)
    return ["inet6" if own.version == 6 else "inet", str(own.ip), "delete"]


def parse(name: str, content: str) -> Optional[Vhid]:
    """What a file sets up; None where that is no single virtual host id, or cannot be told."""
    values: Dict[str, str] = {}
    addresses: List[str] = []
    for words in hostname.statements(content):
        if "carpnodes" in words:
            return None
        address, rest = _address(words)
        addresses += [address] if address is not None else []
        values.update({word: following for word, following in zip(rest, rest[1:]) if word in _VALUED})
    numbers = {key: values.get(key, _DEFAULTS.get(key, "")) for key in ("vhid", "advbase", "advskew")}
    if "carpdev" not in values or not all(number.isdigit() for number in numbers.values()):
        return None
    return Vhid(name, values["carpdev"], int(numbers["vhid"]), int(numbers["advbase"]), int(numbers["advskew"]), tuple(addresses),
                Secret(values["pass"]) if "pass" in values else None, values.get("carppeer"))


def same(one: Vhid, other: Vhid) -> bool:
    """Whether two are alike, whatever the order of their addresses."""
    return not differing(one, other) and one.place == other.place and set(one.addresses) == set(other.addresses)


def differing(wanted: Vhid, found: Vhid) -> List[str]:
    """Which settings differ, by name; addresses are not among them."""
    names = [name for name in ("advbase", "advskew", "peer") if getattr(wanted, name) != getattr(found, name)]
    return names + (["password"] if (wanted.password or "")[:LONGEST_PASSWORD] != (found.password or "")[:LONGEST_PASSWORD] else [])


def judge_password(password: Optional[str]) -> None:
    """See whether netstart hands a password on as it is.

    Raises:
        NodeError: it does not; the password is not in the message.
    """
    if password is not None and not _SAFE.fullmatch(password):
        raise NodeError("password: netstart would change it on its way to the kernel; use letters, digits and _ . , : + = @ %% / ^ - only (%d characters count)"
                        % LONGEST_PASSWORD)


def ip(address: str) -> str:
    """An address without its prefix length."""
    return address.partition("/")[0]


def _packed(address: str, alias: bool) -> List[str]:
    """The form of hostname.if(5), in which mask and broadcast address have their place and no word."""
    own = ipaddress.ip_interface(address)
    first = ["inet6" if own.version == 6 else "inet", *(["alias"] if alias else []), str(own.ip)]
    if own.version == 6:
        return [*first, str(own.network.prefixlen)]
    return [*first, str(own.network.netmask), *(_broadcast(own, []) or ["NONE"])]


def _broadcast(own: Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface], word: List[str]) -> List[str]:
    return [*word, str(own.network.broadcast_address)] if own.network.prefixlen < 31 else []


def _address(words: List[str]) -> Tuple[Optional[str], List[str]]:
    """The address of a line, with its prefix length, and what comes behind it."""
    if words[0] not in ("inet", "inet6"):
        return None, words
    rest = words[2:] if words[1:2] == ["alias"] else words[1:]
    if not rest:
        return None, []
    stated = rest[0] if "/" in rest[0] or len(rest) < 2 else "%s/%s" % (rest[0], _bits(rest[1]))
    try:
        return str(ipaddress.ip_interface(re.sub(r"%[^/]*", "", stated))), rest[1:]
    except ValueError:
        return None, rest


def _bits(mask: str) -> str:
    return str(bin(int(mask, 16)).count("1")) if re.fullmatch("0x[0-9a-f]{1,8}", mask) else mask
