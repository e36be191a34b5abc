# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What OpenBSD's sysctl, netstat, arp and ndp print, where it is not what FreeBSD's do. Pure: text to values."""

from __future__ import annotations

import re
from typing import Dict, List, Tuple

Neighbour = Dict[str, str]
_LINK = "<Link>"
# usr.sbin/arp/arp.c and usr.sbin/ndp/ndp.c, print_entry and dump: address, hardware address, device, how long it is known.
_ARP = re.compile(r"^([0-9.]+)\s+([0-9a-f]{2}(?::[0-9a-f]{2}){5})\s+(\S+)\s+(\S+)", re.MULTILINE)
_NDP = re.compile(r"^([0-9a-f:]+)(?:%\S+)?\s+([0-9a-f]{2}(?::[0-9a-f]{2}){5})\s+(\S+)\s+(\S+)", re.MULTILINE)


def variables(text: str) -> Dict[str, str]:
    """``sysctl name ...`` as a mapping (sbin/sysctl/sysctl.c: name, ``=``, value); a name that the kernel does not know is not in it."""
    return {found[1]: found[2] for found in re.finditer(r"^([\w.]+)=(.*)$", text, re.MULTILINE)}


def counters(octets: str, packets: str) -> Dict[str, Dict[str, int]]:
    """What each device has received and sent: ``rx_bytes``, ``tx_bytes``, ``rx_packets``, ``tx_packets``.

    Args:
        octets: from ``netstat -ibn``, whose last columns are bytes received and sent (usr.bin/netstat/if.c, intpr).
        packets: from ``netstat -in``, whose last columns are packets received, failures, packets sent, failures, collisions.
    """
    found: Dict[str, Dict[str, int]] = {}
    for text, places in ((octets, {"rx_bytes": -2, "tx_bytes": -1}), (packets, {"rx_packets": -5, "tx_packets": -3})):
        for name, words in _of_devices(text):
            values = {key: words[place] for key, place in places.items() if len(words) >= -place}
            if len(values) == len(places) and all(value.isdigit() for value in values.values()):
                found.setdefault(name, {}).update({key: int(value) for key, value in values.items()})
    return {name: values for name, values in found.items() if len(values) == 4}


def _of_devices(text: str) -> List[Tuple[str, List[str]]]:
    """The lines of the devices themselves, not of their addresses: name, and what comes behind the network. A star marks one that is down."""
    lines = [line.split() for line in text.splitlines()]
    return [(words[0].rstrip("*"), words[3:]) for words in lines if len(words) > 3 and words[2] == _LINK]


def arp(listing: str, interface: str) -> List[Neighbour]:
    """From ``arp -an``: all on the interface but the node itself, whose own addresses are permanent, and those that did not answer."""
    return [{"address": address, "mac": mac, "how": "arp"} for address, mac, device, expires in _ARP.findall(listing)
            if device == interface and expires != "permanent"]


def ndp(listing: str, interface: str) -> List[Neighbour]:
    """From ``ndp -an``: the same of IPv6."""
    return [{"address": address, "mac": mac, "how": "ndp"} for address, mac, device, expires in _NDP.findall(listing)
            if device == interface and expires != "permanent"]
