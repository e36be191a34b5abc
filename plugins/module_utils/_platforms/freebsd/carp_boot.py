# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual addresses at boot: a block of rc.conf(5) variables in a file that root alone can read.

/etc/rc.conf is for everybody to read, and the password must not be there. libexec/rc/rc.subr (load_rc_config) of FreeBSD reads, after rc.conf, for a script
NAME the file /etc/rc.conf.d/NAME, or all files of the folder of that name. Addresses are set up by nothing but libexec/rc/rc.d/netif: at boot, for
``service netif restart`` and for a device that comes later (devd runs pccard_ether, which starts that script). It loads ``network`` and ``netif``, always as
root. So /etc/rc.conf.d/netif with mode 0600 is read wherever an address is set up, and by no other user.

Each address is added to ``ifconfig_DEV_aliases``, a list, so that the numbers of ``ifconfig_DEV_aliasN`` stay with those who use them. network.subr expands
a digit or a letter from a to f with a dash behind it as a range of addresses, and takes a value apart at spaces: a password cannot have such.
IPv6 addresses are set up only on a device with ``ifconfig_DEV_ipv6`` (ipv6if in network.subr).
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import blocks
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import rc_aliases
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.carp_steps import LONGEST_PASSWORD, Place, Vhid, family, ip, words
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.rc_aliases import Entry, variable
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError, Secret

RC_FILES = ("/etc/rc.conf", "/etc/rc.conf.local")
FOLDER, LOCAL_FOLDER = "/etc/rc.conf.d/", "/usr/local/etc/rc.conf.d/"
SCRIPTS = ("network", "netif")
MODE = 0o600
# What the kernel takes where nothing is said.
_USUAL = {"advskew": 0, "advbase": 1, "peer": None, "peer6": None}
_SAFE = re.compile(r"(?!.*[0-9a-fA-F]-)(?!(?:inet|inet6|link|ether)\Z)[A-Za-z0-9_.,:+=@%/^-]+\Z")
_NAMED = re.compile(r"^# (\S.*)$")

Drift = List[Dict[str, Any]]


class Boot(NamedTuple):
    """What is set up at boot.

    Attributes:
        path: the file that has the block, or will have it.
        text: of that file, None when there is none.
        block: name of the block.
        own: entries of the block.
        foreign: all others.
        variables: those of devices, in all files.
        replaced: lists of addresses that are assigned anew behind the block, without what they have from it; each with file and line.
    """

    path: str
    text: Optional[str]
    block: str
    own: Tuple[Entry, ...]
    foreign: Tuple[Entry, ...]
    variables: Mapping[str, str]
    replaced: Mapping[str, str] = {}

    def own_lines(self) -> Tuple[str, ...]:
        """The lines of the block."""
        found = blocks.find(self.text or "", self.block, self.path)
        return () if found is None else found.lines


def read(node: Node, cluster: str) -> Boot:
    """Read the files that rc.d/netif reads.

    Raises:
        NodeError: the marks of the block do not belong together.
    """
    block = "virtual_ip " + cluster
    path = FOLDER + "netif"
    paths = list(RC_FILES)
    for script in SCRIPTS:
        for folder in (FOLDER, LOCAL_FOLDER):
            if node.query(["test", "-d", folder + script], ok=(0, 1)).status != 0:
                paths.append(folder + script)
                continue
            found = set(node.query(["find", folder + script, "-type", "f"]).stdout.splitlines())
            if folder + script == path:
                path += "/hafirewall_cluster"
                found.add(path)
            paths += sorted(found)
    texts = {one: node.read_text(one) for one in paths}
    own: List[Entry] = []
    foreign: List[Entry] = []
    variables: Dict[str, str] = {}
    for one, text in texts.items():
        if text is None:
            continue
        outside = blocks.outside(text, block, one)
        entries = rc_aliases.entries(outside, one)
        foreign += entries
        variables.update(rc_aliases.values(outside))
        if one == path:
            own = [entry for entry in rc_aliases.entries(text, one) if entry not in entries]
    return Boot(path, texts[path], block, tuple(own), tuple(foreign), variables, _replaced(texts, path, block))


def _replaced(texts: Mapping[str, Optional[str]], path: str, block: str) -> Dict[str, str]:
    found: Dict[str, str] = {}
    behind = list(texts)[list(texts).index(path):]
    for one in behind:
        text = texts[one] or ""
        ours = blocks.find(text, block, one) if one == path else None
        # A new block comes to the end of its file.
        start = ours.end if ours is not None else len(text) if one == path else 0
        for name, line in rc_aliases.replacing(re.sub(r"[^\n]", " ", text[:start]) + text[start:]).items():
            found[name] = "%s:%d" % (one, line)
    return found


def lines(wanted: Sequence[Vhid]) -> List[str]:
    """The lines of the block."""
    found = []
    for item in wanted:
        found.append("# " + item.name)
        name = "ifconfig_%s_aliases" % variable(item.device)
        found += ['%s="${%s} %s"' % (name, name, " ".join((family(address), address, *words(item)))) for address in item.addresses]
    return found


def meanwhile(boot: Boot, after: Sequence[str]) -> List[str]:
    """What the block has while the kernel is changed: all that it had and all that comes, each address once.

    With an address on two ids a boot would leave the first of them without one.
    """
    known = {ip(entry.address) for entry in boot.own if entry.address is not None}
    found, names = list(boot.own_lines()), []  # type: List[str], List[str]
    for line in after:
        addresses = {ip(entry.address) for entry in rc_aliases.entries(line, boot.path) if entry.address is not None}
        if not addresses:
            names = [line]
        elif addresses - known:
            found += [*names, line]
            names = []
    return found


def judge_password(password: Optional[str]) -> None:
    """See whether rc's scripts hand a password on as it is.

    Raises:
        NodeError: they do not; the password is not in the message.
    """
    if password is not None and not _SAFE.match(password):
        raise NodeError("password: FreeBSD's start scripts would change it; use letters, digits and _ . , : + = @ %% / ^ only, or a dash that is not behind a "
                        "digit or a letter from a to f (%d characters count)" % LONGEST_PASSWORD)


def passwords(boot: Boot, devices: Sequence[str]) -> Dict[Place, Secret]:
    """The passwords that the files have, by device and id."""
    found: Dict[Place, Secret] = {}
    for entry in (*boot.own, *boot.foreign):
        for device in devices:
            if entry.device == variable(device) and entry.vhid is not None and entry.password is not None:
                found.setdefault((device, entry.vhid), entry.password)
    return found


def left_to_others(boot: Boot, item: Vhid) -> List[str]:
    """The addresses of an id that somebody else has set up at boot, just as wanted.

    Raises:
        NodeError: somebody has set one up otherwise; with file and line.
    """
    places = {ip(address): address for address in item.addresses}
    same = [entry for entry in boot.foreign if entry.device == variable(item.device) and entry.vhid == item.id]
    for entry in boot.foreign:
        if entry.address is not None and ip(entry.address) in places and entry not in same:
            raise NodeError("%s: %s sets up %s on %s%s at boot; remove that, and run again" % (
                item.name, entry.place, ip(entry.address), entry.device, "" if entry.vhid is None else " with vhid %d" % entry.vhid))
    said = _said(same)
    for entry in same:
        if entry.address not in item.addresses:
            _otherwise(item, entry, "the address %s" % entry.address, ", ".join(item.addresses))
    for name, usual in _USUAL.items() if same else ():
        value, entry = said.get(name, (usual, same[0]))
        if value != getattr(item, name):
            _otherwise(item, entry, "%s %s" % (name, value) if value is not None else "no %s" % name, getattr(item, name))
    if "password" in said and said["password"][0] != item.password:
        raise NodeError("%s: %s sets up this id with another password; remove those lines, and run again" % (item.name, said["password"][1].place))
    return [entry.address for entry in same if entry.address is not None]


def _said(entries: Sequence[Entry]) -> Dict[str, Tuple[Any, Entry]]:
    """What the entries of one id say of it together, and where: one that says nothing leaves it as it is."""
    found: Dict[str, Tuple[Any, Entry]] = {}
    for entry in entries:
        for name in ("password", *_USUAL):
            if getattr(entry, name) is not None:
                found[name] = getattr(entry, name), entry
    return found


def _otherwise(item: Vhid, entry: Entry, what: str, wanted: Any) -> None:
    raise NodeError("%s: %s sets up this id with %s, and wanted is %s; remove the lines of vhid %d on %s there, and run again" % (
        item.name, entry.place, what, "none" if wanted is None else wanted, item.id, entry.device))


def compare(boot: Boot, wanted: Sequence[Vhid]) -> Tuple[List[str], Drift, List[str]]:
    """What the block shall have, and how it differs.

    Args:
        wanted: all ids, with their passwords.
    Returns:
        its lines, the drift, and the names of what differs.
    Raises:
        NodeError: as :func:`left_to_others` and :func:`judge_password`, or a later line takes the addresses away.
    """
    ours: List[Vhid] = []
    for item in wanted:
        theirs = left_to_others(boot, item)
        rest = tuple(address for address in item.addresses if address not in theirs)
        if rest:
            judge_password(item.password)
            name = "ifconfig_%s_aliases" % variable(item.device)
            if name in boot.replaced:
                raise NodeError("%s: %s assigns %s without what it has so far, which takes the address away at boot; write %s=\"${%s} ...\" there, and run "
                                "again" % (item.name, boot.replaced[name], name, name, name))
            ours.append(item._replace(addresses=rest))
    before, after = boot.own_lines(), lines(ours)
    if list(before) == after:
        return after, [], []
    drift: Drift = []
    touched = []
    for item in ours:
        found = _differences(item, [entry for entry in boot.own if (entry.device, entry.vhid) == (variable(item.device), item.id)])
        drift += found
        touched += [item.name] if found else []
    kept = {(variable(item.device), item.id) for item in ours}
    cluster = boot.block.partition(" ")[2]
    drift += [{"setting": "%s: %s" % (cluster, name), "is": "present", "wanted": "absent"} for name, place in _names(boot) if place not in kept]
    return after, drift or [{"setting": boot.path, "is": "edited, or written by another release", "wanted": "as rendered"}], touched


def _differences(item: Vhid, entries: Sequence[Entry]) -> Drift:
    if not entries:
        return [{"setting": item.name, "is": "absent", "wanted": "present"}]
    found: Drift = []
    said = _said(entries)
    for name in _USUAL:
        is_now = said[name][0] if name in said else None
        if is_now != getattr(item, name):
            found.append({"setting": "%s.%s" % (item.name, name), "is": is_now, "wanted": getattr(item, name)})
    if item.password is not None and (said["password"][0] if "password" in said else None) != item.password:
        found.append({"setting": "%s.password" % item.name, "is": "other", "wanted": "as stated"})
    addresses = [entry.address for entry in entries]
    if addresses != list(item.addresses):
        found.append({"setting": "%s.addresses" % item.name, "is": addresses, "wanted": list(item.addresses)})
    return found


def _names(boot: Boot) -> List[Tuple[str, Tuple[str, Optional[int]]]]:
    """What the block has, each with its name and its place; the name stands in front of the first address."""
    found: List[Tuple[str, Tuple[str, Optional[int]]]] = []
    name = ""
    for line in boot.own_lines():
        named = _NAMED.match(line)
        name = named[1] if named else name
        for entry in rc_aliases.entries(line, boot.path):
            if (entry.device, entry.vhid) not in [place for _name, place in found]:
                found.append((name or "vhid %s on %s" % (entry.vhid, entry.device), (entry.device, entry.vhid)))
    return found


def redact(text: str) -> str:
    """A text of such a file without the passwords."""
    return re.sub(r"\bpass\s+[^\s\"']+", "pass ********", text)
