# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CARP as it shall run, what the kernel runs, and the ifconfig commands that make one of the other. Pure.

Facts of sbin/ifconfig/ifcarp.c and sys/netinet/ip_carp.c of FreeBSD:

- A command with ``vhid`` makes that id, or changes of it what it says, before it adds the address: no address of ours is ever without CARP.
- The last address of an id that goes takes the id with it.
- From FreeBSD 14 a command with ``vhid`` sets the peers back to multicast when it does not name them. So all of them name the peers.
- The kernel takes 19 bytes of a password. ``ifconfig -k`` shows them to root.
- All addresses of an id are in the hash of its announcements: nodes that differ in them do not hear each other, and each is active.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp, ifconfig
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Secret

MULTICAST = {"peer": "224.0.0.18", "peer6": "ff02::12"}
LONGEST_PASSWORD = 19
_DEVICE = re.compile(r"(\S+): flags=")
_NO_IPV6 = re.compile(r"\s+nd6 options=\w+<(?:\w+,)*IFDISABLED\b")

Place = Tuple[str, int]  # device and virtual host id


class Vhid(NamedTuple):
    """A virtual host id as it shall run.

    Attributes:
        name: for messages.
        addresses: with prefix length.
        password: None where nobody has stated one.
        peer, peer6: None for multicast.
    """

    name: str
    device: str
    id: int
    advbase: int
    advskew: int
    addresses: Tuple[str, ...]
    password: Optional[Secret] = None
    peer: Optional[str] = None
    peer6: Optional[str] = None

    @property
    def place(self) -> Place:
        return self.device, self.id


class Step(NamedTuple):
    """A command, and the one that takes it back.

    Attributes:
        address: place and address that come or go; None where settings change.
        was_there: the address goes.
    """

    argv: List[str]
    undo: List[str]
    address: Optional[Tuple[Place, str]] = None
    was_there: bool = False


class Live(NamedTuple):
    """What the kernel runs.

    Attributes:
        instances: the ids.
        addresses: of all devices, each with its device.
        devices: all of them.
        no_ipv6: those on which IPv6 is switched off.
    """

    instances: Dict[Place, Vhid]
    addresses: Tuple[Tuple[str, ifconfig.Address], ...]
    devices: Tuple[str, ...]
    no_ipv6: Tuple[str, ...]


def live(text: str) -> Live:
    """Read the answer of ``ifconfig -ak``."""
    links = ifconfig.parse(text)
    found = {(item.device, item.id): item for item in carp.parse(text)}
    addresses = tuple((link.name, address) for link in links.values() for address in link.addresses)
    instances = {}
    for place, item in found.items():
        own = tuple(address.text for device, address in addresses if (device, address.vhid) == place)
        instances[place] = Vhid("vhid %d on %s" % (item.id, item.device), item.device, item.id, item.advbase, item.advskew, own,
                                None if item.key is None else Secret(item.key), item.peer, item.peer6)
    return Live(instances, addresses, tuple(links), tuple(_without_ipv6(text)))


def _without_ipv6(text: str) -> Iterator[str]:
    device = ""
    for line in text.splitlines():
        head = _DEVICE.match(line)
        if head:
            device = head[1]
        elif _NO_IPV6.match(line):
            yield device


def words(vhid: Vhid) -> List[str]:
    """All of an id but its addresses."""
    secret = [] if vhid.password is None else ["pass", vhid.password]
    return ["vhid", str(vhid.id), "advbase", str(vhid.advbase), "advskew", str(vhid.advskew), *secret, *peers(vhid.peer, vhid.peer6)]


def peers(peer: Optional[str], peer6: Optional[str]) -> List[str]:
    """The peers of an id, which every command that names it must have; none for multicast."""
    stated = (("peer", peer), ("peer6", peer6))
    return [word for name, one in stated if one is not None and one != MULTICAST[name] for word in (name, one)]


def differing(wanted: Vhid, runs: Vhid) -> List[str]:
    """Which settings of an id differ, by name; addresses are not among them."""
    found = [name for name in ("advbase", "advskew") if getattr(wanted, name) != getattr(runs, name)]
    if wanted.password is not None and wanted.password[:LONGEST_PASSWORD] != (runs.password or ""):
        found.append("password")
    # Before FreeBSD 14 there are no peers, and none can be wanted.
    found += [name for name, usual in MULTICAST.items() if getattr(runs, name) is not None and (getattr(wanted, name) or usual) != getattr(runs, name)]
    return found


def ip(address: str) -> str:
    """An address without its prefix length."""
    return address.partition("/")[0]


def steps(wanted: Sequence[Vhid], now: Live, gone: Sequence[Tuple[Place, str]]) -> List[Step]:
    """The commands, in the order in which they must run; none where nothing differs.

    Settings of ids that are there come first, so that one that is active stays so. An address that moves leaves its old place before it comes to the new
    one. All others come before those that go, so that an id lives on.

    Args:
        gone: places and addresses that shall not run any more.
    """
    found = [_setting(item, now.instances[item.place]) for item in wanted if item.place in now.instances and differing(item, now.instances[item.place])]
    coming: Set[str] = {ip(address) for item in wanted for address in item.addresses}
    taken = [(_taken(now.instances[place], address), ip(address) in coming) for place, address in gone]
    found += [step for step, moves in taken if moves]
    found += [_added(item, address) for item in wanted for address in missing(item, now)]
    return found + [step for step, moves in taken if not moves]


def missing(wanted: Vhid, now: Live) -> List[str]:
    """The addresses of an id that the kernel does not run."""
    runs = now.instances.get(wanted.place)
    return [address for address in wanted.addresses if runs is None or address not in runs.addresses]


def holds(now: Live, place: Place, address: str) -> bool:
    """Whether the kernel runs an address at a place."""
    return place in now.instances and address in now.instances[place].addresses


def _setting(wanted: Vhid, runs: Vhid) -> Step:
    names = differing(wanted, runs)
    return Step(_set(wanted, names), _set(runs._replace(password=runs.password or Secret("")), names))


def _set(vhid: Vhid, names: Sequence[str]) -> List[str]:
    argv = ["ifconfig", vhid.device, "vhid", str(vhid.id)]
    for name in names:
        if name == "password":
            argv += ["pass", vhid.password or Secret("")]
        elif name not in MULTICAST:
            argv += [name, str(getattr(vhid, name))]
    unicast = peers(vhid.peer, vhid.peer6)
    back = {"peer": "mcast", "peer6": "mcast6"}
    return argv + unicast + [back[name] for name in names if name in back and name not in unicast]


def _added(vhid: Vhid, address: str) -> Step:
    return Step(_add(vhid, address), _delete(vhid, address), (vhid.place, address), False)


def _taken(runs: Vhid, address: str) -> Step:
    return Step(_delete(runs, address), _add(runs, address), (runs.place, address), True)


def _add(vhid: Vhid, address: str) -> List[str]:
    return ["ifconfig", vhid.device, family(address), address, *words(vhid), "alias"]


def _delete(vhid: Vhid, address: str) -> List[str]:
    return ["ifconfig", vhid.device, family(address), ip(address), "-alias"]


def family(address: str) -> str:
    """``inet`` or ``inet6``."""
    return "inet6" if ipaddress.ip_interface(address).version == 6 else "inet"


def known(passwords: Mapping[Place, Secret], item: Vhid) -> Vhid:
    """The id with the password that is known of its place, where none is stated."""
    return item if item.password is not None else item._replace(password=passwords.get(item.place))
