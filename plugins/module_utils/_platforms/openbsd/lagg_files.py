# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of hostname.if(5) that name a device, and what becomes of them when it goes onto a LAGG. Pure.

Facts of OpenBSD's etc/netstart, sys/net/if_aggr.c and if_trunk.c:

- netstart makes all devices of software first, then it starts ports, aggr, trunk, VLANs, CARP and others by their files.
- Behind ``inet`` a file has address, mask and broadcast address by their places, and then words of ifconfig.
- An aggr(4) gets another hardware address at each creation, so its file states one; its ports get that one, and its MTU.
- A trunk(4) takes address and MTU of its first port, which is the primary one, when that is added. What was set before is lost.
"""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import hostname

Files = Mapping[str, str]  # text by device

_TOKEN = re.compile(r""""[^"]*"|'[^']*'|\S+""")
# Words with an argument by what they belong to: the port itself, the LAGG, and what is on it.
_PORT = ("media", "mode", "mediaopt", "-mediaopt", "instance", "inst")
_TRUNK = ("trunkproto", "trunkport", "-trunkport", "lacpmode", "lacptimeout")
_ABOVE = ("description", "descr", "group", "-group", "priority", "metric", "netmask", "broadcast", "prefixlen", "rtlabel")
_SINGLE = ("alias", "up", "eui64", "-inet6")
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}(/\d+)?|[0-9a-fA-F]*:[0-9a-fA-F:.]*(/\d+)?")
# Words by which one device names another that it lies on, and the drivers that are made anew with it.
_NAMING = ("carpdev", "syncdev", "syncif", "parent", "vlandev")
FOLLOWING = ("vlan", "carp", "pfsync")
# What cannot be carried over, whichever file it is in.
_REFUSED = ((r"!", "is a command, and nobody knows what it does to a device that is made anew; put it into /etc/rc.local"),
            (r"(?:.*\s)?(?:dhcp|rtsol|autoconf)(?:\s|$)", "lets a server or router lend an address, which may be another one afterwards; give it a fixed one"),
            (r"(?:.*\s)?(?:rdomain|rtable)\s", "puts the device into another routing domain, which this collection does not know"),
            (r"dest\s", "is a tunnel's other end; take it off first"),
            (r"(?:.*\s)?down(?:\s|$)", "keeps the device down"))


class Parts(NamedTuple):
    """A file, taken apart.

    Attributes:
        port: words for the port itself, as ``media autoselect``.
        above: lines for what is on it, with comments.
        mtu, lladdr: as stated.
        up: it says ``up``, or an address, which brings a device up.
        members, protocol, fast: of a LAGG; the first member is its primary one.
        unknown: line and word, of what nobody knows where it belongs.
    """

    port: Tuple[str, ...]
    above: Tuple[str, ...]
    mtu: Optional[int]
    lladdr: Optional[str]
    up: bool
    members: Tuple[str, ...]
    protocol: Optional[str]
    fast: Optional[bool]
    unknown: Tuple[Tuple[int, str], ...]


class Change(NamedTuple):
    """A LAGG as it shall be.

    Attributes:
        base: the device that carries what is to be on the LAGG: a port, another LAGG, or the LAGG itself.
        apart: it is another LAGG, which is taken apart.
        vlans: by their names of now those of afterwards.
        members: the preferred one first.
        lladdr: for an aggr(4) whose file states none.
    """

    name: str
    base: str
    apart: bool
    vlans: Mapping[str, str]
    members: Sequence[str]
    protocol: str
    fast: Optional[bool]
    mtu: Optional[int]
    lladdr: Optional[str]


def driver(device: str) -> str:
    """``aggr`` of ``aggr0``."""
    return device.rstrip("0123456789")


def parts(text: str) -> Parts:
    """Take a file apart."""
    port, above, members, unknown = [], [], [], []  # type: List[str], List[str], List[str], List[Tuple[int, str]]
    values: Dict[str, str] = {}
    up = False
    for number, line in enumerate(text.splitlines(), 1):
        words = _TOKEN.findall(line)
        if not words:
            continue
        if words[0].startswith(("#", "!")):
            above.append(line)
            continue
        head, rest = _head(words)
        kept, up = list(head), up or bool(head)
        while rest:
            word, count = rest[0], 1 if rest[0] in _SINGLE or _ADDRESS.fullmatch(rest[0]) else 2
            argument = " ".join(rest[1:count])
            if word.startswith("#"):
                count, kept = len(rest), kept + rest if kept else kept
            elif word == "up":
                up = True
            elif word in ("mtu", "lladdr", "trunkproto", "lacptimeout"):
                values[word] = argument
            elif word in _TRUNK:
                members += [argument] if word == "trunkport" else []
                unknown += [(number, word)] if word in ("-trunkport", "lacpmode") else []
            elif word in _PORT:
                port.append("%s %s" % (word, argument))
            else:
                unknown += [(number, word)] if word not in _ABOVE + _SINGLE and not _ADDRESS.fullmatch(word) else []
                up = up or _ADDRESS.fullmatch(word) is not None
                kept += rest[:count]
            rest = rest[count:]
        above += [" ".join(kept)] if kept else []
    fast = values["lacptimeout"] == "fast" if "lacptimeout" in values else None
    mtu = values.get("mtu", "")
    return Parts(tuple(port), tuple(above), int(mtu) if mtu.isdigit() else None, values.get("lladdr"), up, tuple(members), values.get("trunkproto"), fast,
                 tuple(unknown))


def _head(words: List[str]) -> Tuple[List[str], List[str]]:
    """The words that netstart takes by their places, and the others."""
    if words[0] not in ("inet", "inet6") or len(words) < 2:
        return [], words
    count = (4 if words[0] == "inet" else 3) + (1 if words[1] == "alias" else 0)
    return words[:count], words[count:]


def problems(device: str, text: str) -> List[str]:
    """What cannot be carried over, with its place and what to do."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        told = next((told for pattern, told in _REFUSED if not line.startswith("#") and re.match(pattern, line)), None)
        found += ["%s:%d: this line %s, and cannot be carried over" % (hostname.path(device), number, told)] if told else []
    return found


def unknown(device: str, text: str) -> List[str]:
    """Words of a port's file of which nobody knows where they belong."""
    return ["%s:%d: nobody knows whether %s belongs to the port or to the LAGG; take it out, and add it where it belongs afterwards" % (
        hostname.path(device), number, word) for number, word in parts(text).unknown]


def marks(text: str) -> List[List[str]]:
    """The words of ifconfig by which a port loses the description and the groups that its file gives it."""
    found = []
    for line in hostname.statements(text):
        for word, following in zip(line, line[1:]):
            found += [["-description"]] if word in ("description", "descr") else [["-group", following]] if word == "group" else []
    return found


def vlans(files: Files, device: str) -> Dict[str, Optional[int]]:
    """The VLANs on a device: their tags by name."""
    found = {}
    for name, text in files.items():
        words = [word for line in hostname.statements(text) for word in line] if driver(name) == "vlan" else []
        stated = dict(zip(words, words[1:]))
        if device in (stated.get("parent"), stated.get("vlandev")):
            tag = stated.get("vnetid", stated.get("vlan", ""))
            found[name] = int(tag) if tag.isdigit() else None
    return found


def lying(files: Files, kind: str, devices: Sequence[str]) -> List[str]:
    """The devices of a driver that lie on one of these by their files."""
    return [name for name, text in files.items() if driver(name) == kind and renamed(text, dict.fromkeys(devices, "\0")) != text]


def naming(files: Files, device: str) -> List[str]:
    """Where a file of another device names this one, and cannot be made to name another: bridges, tunnels and the like."""
    found = []
    for name, text in files.items():
        for number, line in enumerate(text.splitlines(), 1):
            if name != device and driver(name) not in FOLLOWING and not line.lstrip().startswith("#") and device in line.split():
                found.append("%s:%d" % (hostname.path(name), number))
    return found


def renamed(text: str, names: Mapping[str, str]) -> str:
    """A file with new names of the devices that it lies on."""
    found = []
    for line in text.splitlines(True):
        if not line.lstrip().startswith(("#", "!")):
            line = re.sub(r"(?<!\S)((?:%s)\s+)(\S+)" % "|".join(_NAMING), lambda match: match[1] + names.get(match[2], match[2]), line)
        found.append(line)
    return "".join(found)


def changed(files: Files, change: Change) -> Dict[str, str]:
    """All files as they shall be.

    Raises:
        NodeError: an aggr(4) would have no fixed hardware address.
    """
    found = dict(files)
    names = dict({change.base: change.name}, **change.vlans)
    of_base = parts(files.get(change.base, ""))
    of_name = parts(files.get(change.name, "")) if change.base != change.name else of_base
    moved = change.base != change.name
    if moved:
        found.pop(change.base, None)
    if moved and not change.apart:
        found[change.base] = _port(of_base, of_base.mtu)
    for member in change.members:
        found[member] = _member(found.get(member), change.mtu)
    if moved or not _same(change, of_name):
        found[change.name] = _lagg(change, of_name, of_base, moved)
    for old, new in change.vlans.items():
        if old != new and old in found:
            found[new] = found.pop(old)
    return {name: renamed(text, names) if driver(name) in FOLLOWING else text for name, text in found.items()}


def _same(change: Change, now: Parts) -> bool:
    """Whether the file says what is wanted, in whichever words."""
    aggr = driver(change.name) == "aggr"
    first = change.protocol != "failover" or now.members[:1] == tuple(change.members[:1])
    return (set(now.members) == set(change.members) and first and now.up and (aggr or (now.protocol or "roundrobin") == change.protocol)
            and (not aggr or (now.lladdr is not None and change.mtu in (None, now.mtu))) and change.fast in (None, bool(now.fast)))


def _lagg(change: Change, now: Parts, base: Parts, moved: bool) -> str:
    aggr = driver(change.name) == "aggr"
    lladdr = now.lladdr or base.lladdr or (change.lladdr if aggr else None)
    mtu = change.mtu or now.mtu or base.mtu
    fast = change.fast if change.fast is not None else now.fast
    if aggr and lladdr is None:
        raise NodeError("%s: none of its members shows a hardware address that it could have for good; nothing was touched" % change.name)
    ports = ["trunkport %s" % member for member in change.members]
    lines = ["lladdr %s" % lladdr, *(["mtu %d" % mtu] if mtu is not None else []), *ports] if aggr else ["trunkproto %s" % change.protocol, *ports]
    lines += ["lacptimeout %s" % ("fast" if fast else "slow")] if fast is not None and change.protocol == "lacp" else []
    lines += ["lladdr %s" % lladdr] if lladdr is not None and not aggr else []
    above = [*now.above, *(line for line in base.above if moved)]
    return "".join(line + "\n" for line in [*lines, *above, "up"])


def _port(now: Parts, mtu: Optional[int]) -> str:
    return "".join(line + "\n" for line in [*([" ".join(now.port)] if now.port else []), *(["mtu %d" % mtu] if mtu is not None else []), "up"])


def _member(text: Optional[str], mtu: Optional[int]) -> str:
    now = parts(text or "")
    if text is not None and now.up and mtu in (None, now.mtu):
        return text
    return "".join(line + "\n" for line in now.above) + _port(now, now.mtu if mtu is None else mtu)
