# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ifconfig: lists, groups and changes (OpenBSD's sbin/ifconfig/ifconfig.c). Each word is one ioctl, applied from the left to the right; a failing
one mostly ends the program, and what came before stays. An address is set last of all, whatever stands behind it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Callable, Dict, List, Optional

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.interfaces import Address, Lagg, Vlan
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd import carp_words, ifconfig_show, trunk_words
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import NotModelled, Refused, bounded, failed
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.devices import CLONERS, MODELLED, Device, link_local

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Machine

_USAGE = "usage: ifconfig [-AaC] [-M lladdr] [interface] [address_family]\n\t\t[address [dest_address]] [parameters]"


def ifconfig(machine: "Machine", words: List[str]) -> str:
    """Run the program; what it prints."""
    if not words:
        return _listed(machine, list(machine.interfaces), False)
    if words[0] in ("-a", "-A"):
        if len(words) > 1:
            raise NotModelled("ifconfig %s" % " ".join(words))
        return _listed(machine, list(machine.interfaces), words[0] == "-A")
    if words == ["-C"]:
        return " ".join(CLONERS) + "\n"
    if words[0] == "-M" and len(words) == 2:
        return _by_address(machine, words[1])
    if words[0] == "-g" and len(words) > 1:
        return _group(machine, words[1], words[2:])
    if words[0].startswith("-"):
        raise Refused(_USAGE)
    return _one(machine, words[0], words[1:])


def _one(machine: "Machine", name: str, words: List[str]) -> str:
    family = "inet"
    if words and words[0] in ("inet", "inet6"):
        family, words = words[0], words[1:]
        if not words:
            return _family(machine, name, family)
    if words and words[0] == "create":
        create(machine, name)
        words = words[1:]
    elif words and words[0] != "destroy" and name not in machine.interfaces and name[-1].isdigit():
        # Any word about an interface that can be created creates it (getinfo).
        try:
            create(machine, name)
        except Refused:
            raise Refused("ifconfig: %s: SIOCGIFFLAGS: Device not configured" % name) from None
    elif not words:
        return _shown(machine, name)
    if words:
        Change(machine, name, family).apply(words)
    return ""


# Showing

def _listed(machine: "Machine", names: List[str], aliases: bool) -> str:
    return "".join(ifconfig_show.shown(machine, name, aliases) for name in names)


def _shown(machine: "Machine", name: str) -> str:
    """An interface, the members of a group, or all interfaces of a driver."""
    if name in machine.interfaces:
        return _listed(machine, [name], True)
    if not name[-1].isdigit():
        names = machine.interfaces.members(name) if name == "all" or name in machine.interfaces.demoted else [
            one for one in machine.interfaces if one.startswith(name) and one[len(name):][:1].isdigit()]
        if names or name in machine.interfaces.demoted:
            return _listed(machine, names, True)
    raise Refused("%s: no such interface" % name)


def _family(machine: "Machine", name: str, family: str) -> str:
    if name not in machine.interfaces:
        raise Refused("%s: no such interface" % name)
    raise NotModelled("ifconfig %s %s without an address" % (name, family))


def _by_address(machine: "Machine", mac: str) -> str:
    """findmac: the one interface with this hardware address, of those that are not made by software."""
    names = [name for name, one in machine.interfaces.items() if one.mac == mac.lower()]
    if len(names) > 1:
        raise Refused("", 1)
    return "".join(name + "\n" for name in names)


def _group(machine: "Machine", group: str, words: List[str]) -> str:
    """``-g GROUP [[-]carpdemote [N]]``."""
    demoted = machine.interfaces.demoted
    exists = group == "all" or group in demoted
    if not words:
        if not exists:
            raise failed("%s: SIOCGIFGATTR" % group, "ENOENT")
        return "%s: carp demote count %d\n" % (group, demoted.get(group, 0))
    by = 1
    if len(words) > 1:
        by = bounded(words[1], 0, 128, "%s: invalid carp demotion: " % group)
    if words[0].lstrip("-") != "carpdemote":
        raise Refused(_USAGE)
    if not exists:
        raise failed("%s: SIOCSIFGATTR" % group, "ENOENT")
    if not machine.carp.set_group(group, -by if words[0].startswith("-") else by):
        raise failed("%s: SIOCSIFGATTR" % group, "EINVAL")
    return ""


# Creating and destroying

def create(machine: "Machine", name: str) -> None:
    """SIOCIFCREATE."""
    driver = name.rstrip("0123456789")
    if driver not in CLONERS or driver == name:
        raise failed("%s: SIOCIFCREATE" % name, "EINVAL")
    if name in machine.interfaces:
        raise failed("%s: SIOCIFCREATE" % name, "EEXIST")
    if driver not in MODELLED:
        raise NotModelled("an interface of the kind %s" % driver)
    if driver == "pfsync" and name != "pfsync0":
        raise failed("%s: SIOCIFCREATE" % name, "ENXIO")
    device = Device(name, driver)
    groups = [driver]
    if driver == "aggr":
        device.lladdr = machine.fake_address()
        device.lagg = Lagg("lacp")
    elif driver == "trunk":
        device.mac = "00:00:00:00:00:00"
        device.lagg = Lagg("roundrobin")
    elif driver == "vlan":
        device.vlan = Vlan()
    elif driver == "pfsync":
        groups = ["carp", "pfsync"]  # pfsync_clone_create joins carp before if_clone_create adds the driver's own group
    machine.interfaces.attach(device, *groups)
    if driver == "carp":
        machine.carp.create(name)
        device.lladdr = "00:00:00:00:00:00"
    machine.settle()


def destroy(machine: "Machine", name: str) -> None:
    """SIOCIFDESTROY."""
    driver = name.rstrip("0123456789")
    if driver not in CLONERS:
        raise failed("%s: SIOCIFDESTROY" % name, "EINVAL")
    if name not in machine.interfaces:
        raise failed("%s: SIOCIFDESTROY" % name, "ENXIO")
    if driver in ("enc", "lo", "pflog"):
        raise NotModelled("ifconfig %s destroy" % name)
    if driver == "pfsync":
        machine.pfsync.destroyed()
    elif driver == "carp":
        machine.carp.destroy(name)
    else:
        machine.carp.parent_gone(name)
        machine.pfsync.device_gone(name)
    machine.interfaces.detach(name)
    machine.settle()


class Change:
    """The words that one command tells to one interface."""

    def __init__(self, machine: "Machine", name: str, family: str) -> None:
        self.machine = machine
        self.name = name
        self.family = family
        self.said: List[str] = []
        self._address: Optional[str] = None
        self._mask: Optional[int] = None
        self._alias = 0  # 1: alias, -1: delete
        self._words: Dict[str, Callable[[], None]] = {
            "up": lambda: self._flag(True), "down": lambda: self._flag(False), "debug": lambda: self._debug(True), "-debug": lambda: self._debug(False),
            "alias": lambda: self._set_alias(1), "-alias": lambda: self._set_alias(-1), "delete": lambda: self._set_alias(-1),
            "destroy": lambda: destroy(machine, name), "-description": lambda: self._describe(""), "-descr": lambda: self._describe(""),
            "-vnetid": lambda: self._tag("0"), "-vlan": lambda: self._tag("0"),
        }
        self._pairs: Dict[str, Callable[[str], None]] = {
            "mtu": self._mtu, "description": self._describe, "descr": self._describe, "group": self._join, "-group": self._leave, "lladdr": self._lladdr,
            "netmask": self._netmask, "broadcast": lambda text: None, "prefixlen": self._prefix, "vnetid": self._tag, "vlan": self._tag,
            "parent": self._parent, "vlandev": self._parent,
        }
        for module in (carp_words, trunk_words):
            flags, pairs = module.words(machine, name)
            self._words.update(flags)
            self._pairs.update(pairs)

    @property
    def device(self) -> Device:
        return self.machine.interfaces.device(self.name)

    def apply(self, words: List[str]) -> None:
        """All of them, then the address; what was only warned of is in the status 0's stderr."""
        rest = iter(words)
        try:
            for word in rest:
                self._word(word, rest)
                if word == "destroy":
                    return
            self._set_address()
        finally:
            self.machine.settle()
        if self.said:
            raise Refused("\n".join(self.said), 0)

    def _word(self, word: str, rest: "object") -> None:
        assert hasattr(rest, "__next__")
        if word in self._words:
            self._words[word]()
        elif word in self._pairs:
            value = next(rest, None)  # type: ignore[call-overload]
            if value is None:
                raise Refused("ifconfig: '%s' requires argument" % word)
            self._pairs[word](value)
        elif self._address is None and (word[:1].isdigit() or ":" in word):
            self._take_address(word)
        elif self._address is not None or not (word[:1].isdigit() or ":" in word):
            raise NotModelled("ifconfig %s %s" % (self.name, word))

    def _warn(self, text: str, error: str) -> None:
        """What warn(3) says; the program goes on and ends well."""
        self.said.append(str(failed(text, error)))

    # Words for every interface

    def _flag(self, up: bool) -> None:
        if self.device.driver == "pfsync":
            self.machine.pfsync.set_up(up)
            return
        changed, self.device.up = self.device.up != up, up
        if self.device.driver == "carp" and changed:
            self.machine.carp.flags_changed(self.name)

    def _debug(self, on: bool) -> None:
        self.device.debug = on

    def _describe(self, text: str) -> None:
        self.device.description = text[:63] or None

    def _join(self, group: str) -> None:
        if group[-1:].isdigit():
            raise Refused("ifconfig: setifgroup: group names may not end in a digit")
        self.machine.interfaces.join(self.name, group)
        self.machine.carp.regrouped(self.name, group, 1)

    def _leave(self, group: str) -> None:
        if group not in self.device.groups:
            raise failed("%s: SIOCDIFGROUP" % group, "ENOENT")
        self.machine.carp.regrouped(self.name, group, -1)
        self.machine.interfaces.leave(self.name, group)

    def _mtu(self, text: str) -> None:
        size = bounded(text, 0, 2147483647, "mtu %s: " % text)
        if self.device.driver == "pfsync":
            below = self.machine.interfaces.get(self.machine.pfsync.syncdev or "")
            if below is None or not 40 < size <= below.mtu:
                self._warn("SIOCSIFMTU", "EINVAL")
                return
            self.machine.pfsync.mtu = size
        master = self.machine.interfaces.master_of(self.name)
        if master is not None and size != self.device.mtu:
            self._warn("SIOCSIFMTU", "EBUSY" if master.driver == "aggr" else "EINVAL")
            return
        if self.device.lagg is not None:
            if self.device.driver != "aggr":
                raise NotModelled("the mtu of a trunk")
            # aggr_set_mtu: that of its ports too.
            for port in self.device.lagg.ports:
                self.machine.interfaces[port].mtu = size
        self.device.mtu = size

    def _lladdr(self, text: str) -> None:
        if text == "random":
            raise NotModelled("ifconfig %s lladdr random" % self.name)
        parts = text.split(":")
        try:
            numbers = [int(part, 16) for part in parts]
        except ValueError:
            numbers = []
        if len(numbers) != 6 or any(number > 255 for number in numbers):
            self.said.append("ifconfig: malformed link-level address")
            return
        master = self.machine.interfaces.master_of(self.name)
        if master is not None and master.driver == "aggr":
            self._warn("SIOCSIFLLADDR", "EBUSY")
            return
        self.device.lladdr = ":".join("%02x" % number for number in numbers)

    # VLANs

    def _tag(self, text: str) -> None:
        tag = bounded(text, 0, 2 ** 63 - 1, "vnetid %s: " % text)
        if self.device.vlan is None:
            self._warn("SIOCSVNETID", "ENOTTY")
        elif tag > 4094:
            self._warn("SIOCSVNETID", "EINVAL")
        elif self._taken(tag, self.device.vlan.parent):
            self._warn("SIOCSVNETID", "EADDRINUSE")
        else:
            self.device.vlan.tag = tag

    def _taken(self, tag: int, parent: Optional[str]) -> bool:
        return parent is not None and any(one.vlan is not None and (one.vlan.parent, one.vlan.tag) == (parent, tag)
                                          for other, one in self.machine.interfaces.items() if other != self.name)

    def _parent(self, parent: str) -> None:
        vlan, where = self.device.vlan, "%s: %s: SIOCSIFPARENT" % (self.name, parent)
        if vlan is None:
            raise NotModelled("ifconfig %s parent" % self.name)
        below = self.machine.interfaces.get(parent)
        if below is None:
            self._warn(where, "EINVAL")
        elif below.driver in ("lo", "pflog", "enc", "pfsync") or (self.machine.interfaces.master_of(parent) or below).driver == "trunk" != below.driver:
            self._warn(where, "EPROTONOSUPPORT")
        elif vlan.parent != parent and ifconfig_show.running(self.machine, self.device):
            self._warn(where, "EBUSY")
        elif self._taken(vlan.tag, parent):
            self._warn(where, "EADDRINUSE")
        else:
            vlan.parent = parent

    # Addresses

    def _set_alias(self, alias: int) -> None:
        self._alias = alias

    def _take_address(self, word: str) -> None:
        if (":" in word) != (self.family == "inet6"):
            raise Refused("ifconfig: %s: bad value" % word if self.family == "inet" else "ifconfig: %s: no address associated with name" % word)
        host, slash, length = word.partition("/")
        try:
            ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            raise NotModelled("ifconfig %s with an address that is none: %s" % (self.name, word)) from None
        self._address = host
        if slash:
            self._prefix(length)

    def _netmask(self, text: str) -> None:
        try:
            whole = int(text, 16) if text.startswith("0x") else int(ipaddress.IPv4Address(text))
            self._mask = ipaddress.IPv4Network("0.0.0.0/%s" % ipaddress.IPv4Address(whole)).prefixlen
        except ValueError:
            raise Refused("ifconfig: %s: bad value" % text) from None

    def _prefix(self, text: str) -> None:
        self._mask = bounded(text, 0, 32 if self.family == "inet" else 128, "prefix %s: " % text)

    def _set_address(self) -> None:
        version = 6 if self.family == "inet6" else 4
        if self._alias < 0:
            self._delete(version)
        elif self._address is not None:
            self._add(version, self._address)

    def _delete(self, version: int) -> None:
        gone = [one for one in self.device.addresses if one.interface.version == version and (one.host == self._address or (
            self._address is None and version == 4))][:1]
        if not gone:
            raise failed("SIOCDIFADDR", "EADDRNOTAVAIL")
        self.device.addresses.remove(gone[0])
        self._addresses_changed(False)

    def _add(self, version: int, host: str) -> None:
        device = self.device
        if device.driver == "carp" and device.carpdev is None:
            raise failed("SIOCAIFADDR", "EINVAL")
        if device.driver == "pfsync":
            raise failed("SIOCAIFADDR", "EOPNOTSUPP")
        if version == 4 and self._alias == 0:
            # Without "alias" the first address goes before the new one comes, even if it is the same one.
            first = next((one for one in device.addresses if one.interface.version == 4), None)
            if first is not None:
                device.addresses.remove(first)
                self._addresses_changed(False)
        default = 64 if version == 6 else _class_of(host)
        text = "%s/%d" % (host, default if self._mask is None else self._mask)
        if version == 6 and not any(one.host.startswith("fe80:") for one in device.addresses):
            device.addresses.insert(0, Address(link_local(self.machine.interfaces.mac(self.name) or self.name, self.name)))
        device.addresses = [one for one in device.addresses if one.host != host] + [Address(text)]
        self._addresses_changed(True)

    def _addresses_changed(self, given: bool) -> None:
        if self.device.driver == "carp":
            self.machine.carp.addresses_changed(self.name, given)
        elif given:
            self.device.up = True


def _class_of(host: str) -> int:
    first = int(host.split(".")[0])
    return 8 if first < 128 else 16 if first < 192 else 24
