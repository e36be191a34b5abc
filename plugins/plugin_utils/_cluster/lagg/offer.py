# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The other way to equal names, on FreeBSD: devices are renamed by rc.conf. It is offered in words, and nobody but the user does it. Pure.

Source: rc.conf(5), ``ifconfig_<interface>_name``, ``vlans_<interface>`` and ``create_args_<interface>``; a name must end with a digit, for pf takes one
that does not for a group of devices (pf.conf(5), ifconfig(8) ``group``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_interface
from itertools import count
from typing import Iterable, Iterator, Mapping, Sequence

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.layout import Group, Seats, group
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.names import used
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.riders import Shift, renamed, shifts
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import Model, Node

PLATFORM = "freebsd"
# What is left of the 15 characters of a name (IFNAMSIZ) when a number and the tag of a VLAN, as .4094, are in it.
_STEM = 8
# Names with a number that ifconfig makes a device of, or that the system has by itself (ifconfig -C, and lo, pfsync, pflog, enc).
_TAKEN = frozenset(("bridge", "enc", "epair", "gif", "gre", "ipfw", "lagg", "lo", "me", "ovpn", "pflog", "pfsync", "stf", "tap", "tun", "usbus", "vlan", "vm",
                    "vmnet", "vxlan", "wg", "wlan"))


@dataclass(frozen=True)
class Offer:
    """What renames the devices of one node.

    Attributes:
        devices: those that are renamed, by their names of now.
        lines: of /etc/rc.conf, in place of what it says of them.
        interfaces: the device that the intent then states, by logical interface.
    """

    host: str
    devices: tuple[str, ...]
    lines: tuple[str, ...]
    interfaces: Mapping[str, str]


def offers(model: Model, seats: Seats, interfaces: Sequence[str]) -> tuple[Offer, ...]:
    """What renames devices so that these logical interfaces have one name on all nodes, node by node; nothing where that is no way.

    It is none where another system is among the nodes, a LAGG is there already, or the names would differ still, as with different VLANs.
    """
    taken = {node.host: used(node) for node in model.nodes}
    names: dict[str, dict[str, str]] = {node.host: {} for node in model.nodes}
    for one in group(seats, interfaces):
        if _can_be(model, one):
            new = _new(one, taken)
            for host, own in taken.items():
                own.add(new)
                # One that has it already was renamed before the others.
                names[host].update({base: new for base in one.bases.get(host, ()) if base != new})
    return tuple(offer for node in model.ranked for offer in _of(model, node, seats, names[node.host]))


def as_lines(found: Iterable[Offer]) -> Iterator[str]:
    """The offer in words, a line each."""
    found = list(found)
    if not found:
        return
    yield "Or, without LAGGs: FreeBSD can rename devices, so that their names are the same on all nodes. This collection does not do it; you can, one"
    yield "node after the other, the standby first. In /etc/rc.conf, in force from the next start on:"
    for one in found:
        yield f"  {one.host}, in place of what is there of {', '.join(one.devices)}:"
        yield from (f"    {line}" for line in one.lines)
        yield f"    and in the intent: {', '.join(f'{name}: {device}' for name, device in one.interfaces.items())}"
    yield "Carry over whatever else the old lines say, as media, mtu or DHCP instead of an address; and all else that names a device, as pf.conf, must"
    yield "name the new one."


def _can_be(model: Model, one: Group) -> bool:
    own = [seat for found in one.seats.values() for seat in found]
    alike = all(len({seat.suffix for seat in own if seat.interface == name}) == 1 for name in one.interfaces)
    bases = list(one.bases.values())
    return (alike and all(model.platform(seat.node) == PLATFORM and seat.lagg is None and not seat.absent and seat.suffix is not None for seat in own)
            and all(len(found) == 1 for found in bases) and len({base for [base] in bases}) > 1)


def _new(one: Group, taken: Mapping[str, set[str]]) -> str:
    """A name that no node uses for anything else, after the interface that is on the port itself where there is one."""
    untagged = {seat.interface for own in one.seats.values() for seat in own if seat.suffix == ""}
    first = next((name for name in one.interfaces if name in untagged), one.interfaces[0])
    stem = re.sub(r"[^a-z0-9]", "", first.lower()).rstrip("0123456789")[:_STEM]
    if stem in _TAKEN:
        stem = f"{stem}net"[:_STEM]
    elsewhere = {name for host, own in taken.items() for name in own.difference(one.bases.get(host, ()))}
    return next(name for name in (f"{stem}{number}" for number in count()) if name not in elsewhere)


def _of(model: Model, node: Node, seats: Seats, names: Mapping[str, str]) -> Iterator[Offer]:
    if not names:
        return
    lines: list[str] = []
    mine = {seat.interface: seat for own in seats.values() for seat in own if seat.node is node and seat.base in names}
    for base, new in names.items():
        named = {seat.carrier: renamed(seat.carrier, base, new) for seat in mine.values() if seat.base == base}
        lines += _lines(node, shifts(model, node, base, new, named))
    yield Offer(node.host, tuple(names), tuple(lines), {name: renamed(seat.carrier, seat.base, names[seat.base]) for name, seat in mine.items()})


def _lines(node: Node, moved: Sequence[Shift]) -> Iterator[str]:
    base, *vlans = moved
    became = {shift.source: shift.target for shift in moved}
    yield f'ifconfig_{_variable(base.source)}_name="{base.target}"'
    above: dict[str, list[str]] = {}
    for shift in vlans:
        parent = became.get((node.evidence.links.vlan(shift.source) or (0, base.source))[1], base.target)
        own = shift.target != f"{parent}.{shift.vlan}"
        above.setdefault(parent, []).append(shift.target if own else str(shift.vlan))
        if own:
            yield f'create_args_{_variable(shift.target)}="vlan {shift.vlan}"'
    for shift in moved:
        yield from _configured(shift)
        if shift.target in above:
            yield f'vlans_{_variable(shift.target)}="{" ".join(above[shift.target])}"'


def _configured(shift: Shift) -> Iterator[str]:
    """The addresses that were seen, without the cluster's, which are set by the role virtual_ip."""
    name = _variable(shift.target)
    ipv4, ipv6 = ([address for address in shift.addresses if ip_interface(address).version == version] for version in (4, 6))
    yield f'ifconfig_{name}="{f"inet {ipv4[0]}" if ipv4 else "up"}"'
    if ipv6:
        yield f'ifconfig_{name}_ipv6="inet6 {ipv6[0]}"'
    further = [f"inet {address}" for address in ipv4[1:]] + [f"inet6 {address}" for address in ipv6[1:]]
    for number, words in enumerate(further):
        yield f'ifconfig_{name}_alias{number}="{words}"'


def _variable(device: str) -> str:
    """A device's name within that of a variable (network.subr, ltr)."""
    return re.sub(r"[.\-/+]", "_", device)
