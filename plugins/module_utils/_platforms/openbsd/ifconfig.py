# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What OpenBSD's ifconfig says of the devices, in the words that all BSDs share and in its own. Pure; the source is sbin/ifconfig/ifconfig.c.

Its own words: ``lladdr`` for the hardware address, ``encap`` for VLANs, ``trunk`` for aggr(4) and trunk(4), and devices of CARP's own.
"""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import ifconfig
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.carp import Instance
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Lagg, Link, Port
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

# Asked for one device, or by -A, it shows all addresses; by itself and by -a only the first IPv4 address of each (printif).
ALL = ("ifconfig", "-A")
_BLOCK = re.compile(r"^(?=\S+: flags=)", re.MULTILINE)
_LLADDR = re.compile(r"^\tlladdr ([0-9a-f:]{17})$", re.MULTILINE)
_ENCAP = re.compile(r"^\tencap:(?=.* vnetid (\d+))(?=.* parent (?!none\b)(\S+))", re.MULTILINE)
_TRUNK = re.compile(r"^\ttrunk: trunkproto (\S+)", re.MULTILINE)
_PORT = re.compile(r"^\t\t(\S+) port ?(\S*)$", re.MULTILINE)
_ENDS = re.compile(r"^\ttrunk id: \[\(([^)]*)\),\s*\(([^)]*)\)\]", re.MULTILINE)
_BRIDGED = re.compile(r"^\t\t(\S+) flags=[0-9a-f]+<", re.MULTILINE)
_NOBODY = "00:00:00:00:00:00"
# carp_status: one virtual host on a line, or, where several share their load, a line for each.
_CARP = re.compile(r"^\tcarp: (\S+) carpdev (\S+) vhid (\d+) advbase (\d+) advskew (\d+)(?: carppeer (\S+))?$", re.MULTILINE)
_SHARED = re.compile(r"^\tcarp: carpdev (\S+) advbase (\d+) balancing (\S+)(?: carppeer (\S+))?$", re.MULTILINE)
_NODE = re.compile(r"^\t\tstate (\S+) vhid (\d+) advskew (\d+)$", re.MULTILINE)
_STATES = {"MASTER": "active", "BACKUP": "standby", "INIT": "init"}


class Carp(NamedTuple):
    """A device of CARP.

    Attributes:
        name: of the device, as ``carp10``.
        instance: the virtual host; its device is the one that carries it. Of several that share their load, the first.
        addresses: those of the instance with their prefix lengths.
        up: administratively.
        shared: several virtual hosts share the load of its addresses.
    """

    name: str
    instance: Instance
    addresses: Tuple[str, ...]
    up: bool
    shared: bool


def links(node: Node) -> Dict[str, Link]:
    """All devices with all their addresses.

    Raises:
        NodeError: there is no ifconfig.
    """
    return parse(node.query(ALL).stdout)


def parse(text: str) -> Dict[str, Link]:
    """The devices by name, in the order of the text."""
    found: Dict[str, Link] = {}
    for block in _BLOCK.split(text):
        for name, link in ifconfig.parse(block).items():
            found[name] = _with_own_words(link, block)
    return found


def carps(text: str) -> List[Carp]:
    """The devices of CARP that have a virtual host, in the order of the text."""
    found = []
    for block in _BLOCK.split(text):
        for link in ifconfig.parse(block).values():
            carp = _carp(link, block)
            if carp is not None:
                found.append(carp)
    return found


def running(node: Node) -> List[Instance]:
    """The virtual hosts of the node.

    Raises:
        NodeError: there is no ifconfig.
    """
    return [carp.instance for carp in carps(node.query(ALL).stdout)]


def demotion(text: str) -> Optional[int]:
    """The counter of a group, from ``ifconfig -g carp`` (printgroupattribs); None where it does not tell."""
    found = re.search(r"\bcarp demote count (\d+)", text)
    return int(found[1]) if found else None


def _with_own_words(link: Link, block: str) -> Link:
    mac = _LLADDR.search(block)
    vlan = _ENCAP.search(block)
    # The state of a device of CARP is that of its virtual host, and no carrier.
    status = None if "carp" in link.groups else link.status
    return link._replace(mac=mac[1] if mac else None, own_mac=mac[1] if mac else None, status=status, vlan=(int(vlan[1]), vlan[2]) if vlan else None,
                         lagg=_lagg(block), members=tuple(_BRIDGED.findall(block)))


def _lagg(block: str) -> Optional[Lagg]:
    """Of an aggr(4) or trunk(4). A port's own line of one is ``trunkdev`` alone."""
    found = _TRUNK.search(block)
    if found is None:
        return None
    ports = tuple(Port(name, tuple(flag.upper() for flag in flags.split(",") if flag), None) for name, flags in _PORT.findall(block))
    ends = _ENDS.search(block)
    own, other = ((end.split(",") if ends else []) for end in (ends.groups() if ends else ("", "")))
    known = len(own) == len(other) == 5
    partner = other[1].lower() if known and other[1] != _NOBODY else None
    aggregation = " - ".join(" ".join(end[1:3]) for end in (own, other)) if known else None
    return Lagg(found[1], None, ports, None, aggregation, partner)


def _carp(link: Link, block: str) -> Optional[Carp]:
    addresses = tuple(address.text for address in link.addresses if not address.text.startswith("fe80:"))
    alone = _CARP.search(block)
    if alone is not None:
        state, device, vhid, advbase, advskew, peer = alone.groups()
        return Carp(link.name, _instance(device, vhid, state, advbase, advskew, addresses, peer), addresses, "UP" in link.flags, False)
    shared, first = _SHARED.search(block), _NODE.search(block)
    if shared is None or first is None:
        return None
    return Carp(link.name, _instance(shared[1], first[2], first[1], shared[2], first[3], addresses, shared[4]), addresses, "UP" in link.flags, True)


def _instance(device: str, vhid: str, state: str, advbase: str, advskew: str, addresses: Tuple[str, ...], peer: Optional[str]) -> Instance:
    plain = tuple(address.partition("/")[0] for address in addresses)
    return Instance(device, int(vhid), _STATES.get(state), int(advbase), int(advskew), plain, peer=peer)
