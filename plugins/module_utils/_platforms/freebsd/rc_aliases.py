# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses that rc.conf(5) sets up, read from the text of its files. Pure.

Which variables count is said by libexec/rc/network.subr (ifalias_af_common, ifconfig_up) of FreeBSD: ``ifconfig_DEV``, ``ifconfig_DEV_ipv6``, every
``ifconfig_DEV_aliasN`` in the order of its number, and ``ifconfig_DEV_aliases``, a list of which each element begins with ``inet`` or ``inet6``. DEV is the
device with its dots, dashes, slashes and plus signs as underscores. ``ipv4_addrs_DEV`` has addresses alone.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Dict, List, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.blocks import line_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Secret

_ASSIGNED = re.compile(r"""^[ \t]*(?P<name>(?:ifconfig|ipv4_addrs)_(?P<device>\w+?)(?:_alias(?:es|\d+)|_ipv6)?)=
                       (?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s;\#]*)""", re.MULTILINE | re.DOTALL | re.VERBOSE)
_FAMILIES = ("inet", "inet6")
_VALUES = ("vhid", "advbase", "advskew", "pass", "peer", "peer6", "netmask", "prefixlen", "broadcast")


class Entry(NamedTuple):
    """An address that is set up at boot.

    Attributes:
        device: as in the variable's name, see :func:`variable`.
        path, line: where it is written.
        address: with prefix length; None for one that cannot be read, as a range.
        vhid: None for a plain address.
        advbase, advskew, password, peer, peer6: as far as they are said.
    """

    device: str
    path: str
    line: int
    address: Optional[str]
    vhid: Optional[int]
    advbase: Optional[int]
    advskew: Optional[int]
    password: Optional[Secret]
    peer: Optional[str]
    peer6: Optional[str]

    @property
    def place(self) -> str:
        """File and line."""
        return "%s:%d" % (self.path, self.line)


def variable(device: str) -> str:
    """A device as it is written in a variable's name."""
    return re.sub(r"[.\-/+]", "_", device)


def entries(text: str, path: str) -> List[Entry]:
    """All addresses of a file, in the order in which they are written; what is no address is passed over."""
    found = []
    for assigned in _ASSIGNED.finditer(text):
        words = assigned["value"].strip("\"'").split()
        line = line_of(text, assigned.start("name"))
        if assigned["name"].startswith("ipv4_addrs_"):
            words = [word for address in words for word in ("inet", address)]
        found += [_entry(assigned["device"], path, line, element) for element in _elements(words)]
    return found


def values(text: str) -> Dict[str, str]:
    """What a file assigns to the variables of devices; the last of a name."""
    return {assigned["name"]: assigned["value"].strip("\"'") for assigned in _ASSIGNED.finditer(text)}


def replacing(text: str) -> Dict[str, int]:
    """The lists of addresses that a file assigns without what they have so far, each with the number of its line."""
    return {assigned["name"]: line_of(text, assigned.start("name")) for assigned in _ASSIGNED.finditer(text)
            if assigned["name"].endswith("_aliases") and not re.search(r"\$\{?%s\b" % assigned["name"], assigned["value"])}


def _elements(words: List[str]) -> List[List[str]]:
    elements: List[List[str]] = []
    for word in words:
        if word in _FAMILIES:
            elements.append([])
        elif elements:
            elements[-1].append(word)
    return elements


def _entry(device: str, path: str, line: int, words: List[str]) -> Entry:
    said: Dict[str, str] = {}
    address: Optional[str] = None
    following = iter(words)
    for word in following:
        if word in _VALUES:
            said[word] = next(following, "")
        elif address is None:
            address = word
            if not re.match(r"[0-9a-fA-F:.]+(/\d+)?$", word):
                address = None
    return Entry(device, path, line, _address(address, said.get("netmask") or said.get("prefixlen")), _number(said.get("vhid")), _number(said.get("advbase")),
                 _number(said.get("advskew")), Secret(said["pass"]) if "pass" in said else None, said.get("peer"), said.get("peer6"))


def _address(word: Optional[str], mask: Optional[str]) -> Optional[str]:
    if word is None:
        return None
    if mask is not None and mask.startswith("0x"):
        mask = str(bin(int(mask, 16)).count("1")) if re.match(r"0x[0-9a-fA-F]+$", mask) else None
    try:
        return str(ipaddress.ip_interface(word if mask is None or "/" in word else "%s/%s" % (word, mask)))
    except ValueError:
        return None


def _number(word: Optional[str]) -> Optional[int]:
    return int(word) if word is not None and re.match(r"\d+$", word) else None
