# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ifconfig changes. Most words take effect one by one, in their order; virtual hosts and addresses come when all words have been read.

Sources: sbin/ifconfig, and transcripts of FreeBSD 14.2.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Dict, Iterator, List, Optional

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.carp import GROUP, GROUP6
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.interfaces import Address, Interface, Lagg, Vlan
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled, Refused, following

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine

_PROTOCOLS = ("none", "failover", "loadbalance", "lacp", "roundrobin", "broadcast")
_DIGITS = "0123456789"


def changed(machine: "Machine", name: str, words: List[str]) -> str:
    """Do what the words say; what it prints."""
    if words[0] in ("create", "plumb"):
        return _create(machine, name, words[1:])
    if name not in machine.interfaces:
        raise Refused("ifconfig: interface %s does not exist" % name)
    if name == "pfsync0":
        _pfsync(machine, iter(words))
        return ""
    return _Change(machine, name).run(words)


def _pfsync(machine: "Machine", words: Iterator[str]) -> None:
    now = machine.pfsync
    for word in words:
        if word in ("syncdev", "syncif"):
            now.set_device(following(words, "ifconfig pfsync0", word))
        elif word in ("-syncdev", "-syncif"):
            now.set_device(None)
        elif word == "syncpeer":
            now.set_peer(following(words, "ifconfig pfsync0", word))
        elif word == "-syncpeer":
            now.set_peer(None)
        elif word == "maxupd":
            now.set_maxupd(following(words, "ifconfig pfsync0", word))
        elif word in ("defer", "-defer"):
            now.set_defer(word == "defer")
        elif word == "version" and machine.major >= 14:
            now.set_version(following(words, "ifconfig pfsync0", word))
        elif word in ("up", "down"):
            now.set_up(word == "up")
        elif word == "mtu":
            now.set_mtu(int(following(words, "ifconfig pfsync0", word)))
        elif word == "destroy":
            raise Refused("ifconfig: SIOCIFDESTROY: Invalid argument")
        elif word == "version":
            raise Refused("ifconfig: version: bad value")
        else:
            raise NotModelled("ifconfig pfsync0 %s" % word)


def _create(machine: "Machine", name: str, words: List[str]) -> str:
    kind = name.split(".")[0].rstrip(_DIGITS)
    if name in machine.interfaces:
        raise Refused("ifconfig: interface %s already exists" % name)
    if kind == "pfsync" and not machine.has_pfsync:
        raise Refused("ifconfig: SIOCIFCREATE2 (%s): Invalid argument" % name)
    parent, dot, tag = name.partition(".")
    if dot and parent in machine.interfaces and tag.isdigit():
        machine.interfaces[name] = Interface(name, "vlan", vlan=Vlan(int(tag), parent), mtu=machine.interfaces[parent].mtu)
        return _Change(machine, name).run(words) if words else ""
    if kind not in ("lagg", "vlan", "lo") or dot:
        raise Refused("ifconfig: SIOCIFCREATE2 (%s): Invalid argument" % name)
    text = ""
    if kind == name:
        name = next("%s%d" % (kind, number) for number in range(1000) if "%s%d" % (kind, number) not in machine.interfaces)
        text = name + "\n"
    if kind == "lagg" and "if_lagg" not in machine.modules:
        machine.load("if_lagg")  # ifconfig loads it by itself
    machine.interfaces[name] = Interface(name, kind, lagg=Lagg() if kind == "lagg" else None, vlan=Vlan() if kind == "vlan" else None)
    return text + (_Change(machine, name).run(words) if words else "")


class _Change:
    """The words of one command."""

    def __init__(self, machine: "Machine", name: str) -> None:
        self.machine = machine
        self.one = machine.interfaces[name]
        self.version = 4
        self.address: Optional[str] = None
        self.length: Optional[int] = None
        self.removes = self.alias = False
        self.vhid: Optional[int] = None
        self.carp: Dict[str, object] = {}
        self.vlan: Dict[str, str] = {}
        self.failures: List[str] = []
        self.text = ""

    @property
    def name(self) -> str:
        return self.one.name

    def run(self, words: List[str]) -> str:
        left = iter(words)
        for word in left:
            self._word(word, left)
        if self.vlan:
            self._attach()
        if self.vhid is not None:
            self._virtual_host()
        if self.removes:
            self._remove()
        elif self.address is not None:
            self._add()
        self.machine.routes.settle()
        if self.failures:
            raise Refused("\n".join(self.failures), stdout=self.text)
        return self.text

    def _word(self, word: str, left: Iterator[str]) -> None:
        if word in ("up", "down"):
            self._up(word == "up")
        elif word in ("inet", "inet6"):
            self.version = 6 if word == "inet6" else 4
        elif word in ("alias", "add"):
            self.alias = True
        elif word in ("-alias", "delete", "remove"):
            self.removes = True
        elif word in _ARGUMENTS:
            _ARGUMENTS[word](self, following(left, "ifconfig %s" % self.name, word))
        elif word in _WORDS:
            _WORDS[word](self)
        elif _is_address(word):
            host, _slash, length = word.partition("/")
            self.address, self.length = host, int(length) if length else self.length
            self.version = ipaddress.ip_address(host).version
        elif word.isalpha() or word.startswith("-"):
            raise NotModelled("ifconfig %s ... %s" % (self.name, word))
        else:
            raise Refused("ifconfig: %s: bad value" % word)

    # What takes effect at once

    def _up(self, up: bool) -> None:
        if self.one.up != up:
            self.one.up = up
            self.machine.settle(self.name)

    def _mtu(self, text: str) -> None:
        size = int(text)
        parent = self.machine.interfaces.get(self.one.vlan.parent or "") if self.one.vlan is not None else None
        if self.machine.interfaces.master_of(self.name) is not None or (self.one.vlan is not None and (parent is None or size > parent.mtu)):
            raise Refused("ifconfig: ioctl SIOCSIFMTU (set mtu): Invalid argument")
        if not 72 <= size <= 16110:
            raise Refused("ifconfig: ioctl SIOCSIFMTU (set mtu): Invalid argument")
        self.one.mtu = size
        for port in self.one.lagg.ports if self.one.lagg is not None else []:
            self.machine.interfaces[port].mtu = size

    def _rename(self, new: str) -> None:
        interfaces, old = self.machine.interfaces, self.name
        if new in interfaces:
            raise Refused("ifconfig: ioctl SIOCSIFNAME (set name): File exists")
        self.machine.say("%s: changing name to '%s'" % (old, new))
        items = [(new if key == old else key, value) for key, value in interfaces.items()]
        interfaces.clear()
        interfaces.update(items)
        self.one.name = new
        for other in interfaces.values():
            if other.vlan is not None and other.vlan.parent == old:
                other.vlan.parent = new
            if other.lagg is not None:
                other.lagg.ports = [new if port == old else port for port in other.lagg.ports]
                other.lagg.primary = new if other.lagg.primary == old else other.lagg.primary
        if self.machine.pfsync.syncdev == old:
            self.machine.pfsync.syncdev = new
        self.machine.carp.renamed(old, new)
        self.text += new + "\n"

    def _destroy(self) -> None:
        if self.one.lagg is None and self.one.vlan is None:
            raise Refused("ifconfig: SIOCIFDESTROY: Invalid argument")
        for vhid in self.machine.carp.on(self.name):
            self.machine.carp.forget(self.name, vhid.number)
        del self.machine.interfaces[self.name]
        for other in self.machine.interfaces.values():
            if other.lagg is not None and self.name in other.lagg.ports:
                self._without(other.lagg, self.name)
            if other.vlan is not None and other.vlan.parent == self.name:
                other.vlan.parent, other.mtu = None, 1500
        if self.machine.pfsync.syncdev == self.name:
            self.machine.pfsync.syncdev = None
        for port in self.one.lagg.ports if self.one.lagg is not None else []:
            self.machine.settle(port)

    # LAGGs and VLANs

    def _lagg(self) -> Lagg:
        if self.one.lagg is None:
            raise Refused("ifconfig: SIOCSLAGG: Invalid argument")
        return self.one.lagg

    @staticmethod
    def _without(lagg: Lagg, port: str) -> None:
        lagg.ports.remove(port)
        if lagg.primary == port:
            lagg.primary = next(iter(lagg.ports), None)

    def _add_port(self, port: str) -> None:
        lagg, interfaces = self._lagg(), self.machine.interfaces
        master = interfaces.master_of(port)
        reason = None
        if master is self.one:
            return
        if port not in interfaces or interfaces[port].lagg is not None:
            reason = "Invalid argument"
        elif master is not None:
            reason = "Device busy"
        elif port == "lo0":
            reason = "Protocol not supported"
        if reason is not None:
            self.failures.append("ifconfig: %s %s: SIOCSLAGGPORT: %s" % (self.name, port, reason))
            return
        if not lagg.ports:
            self.one.mtu = interfaces[port].mtu
        interfaces[port].mtu = self.one.mtu
        lagg.primary = lagg.primary or port
        order = list(interfaces)
        lagg.ports = sorted([*lagg.ports, port], key=order.index)
        self.machine.settle(port)

    def _remove_port(self, port: str) -> None:
        lagg = self._lagg()
        if port not in lagg.ports:
            raise Refused("ifconfig: SIOCSLAGGDELPORT: %s" % ("No such file or directory" if port in self.machine.interfaces else "Invalid argument"))
        self._without(lagg, port)
        self.machine.settle(port)
        self.machine.settle(self.name)

    def _protocol(self, protocol: str) -> None:
        if protocol not in _PROTOCOLS:
            raise Refused("ifconfig: Invalid aggregation protocol: %s" % protocol)
        lagg = self._lagg()
        lagg.protocol, lagg.fast = protocol, False

    def _hash(self, text: str) -> None:
        layers = text.split(",")
        if set(layers) - {"l2", "l3", "l4"}:
            raise Refused("ifconfig: Invalid lagghash option: %s" % text)
        self._lagg().hash = ",".join(sorted(set(layers)))

    def _fast(self, on: bool) -> None:
        if self._lagg().protocol != "lacp":
            raise Refused("ifconfig: SIOCSLAGGOPTS: Invalid argument")
        self._lagg().fast = on

    def _attach(self) -> None:
        if self.one.vlan is None or set(self.vlan) != {"vlan", "vlandev"}:
            raise NotModelled("ifconfig %s with %s only" % (self.name, " ".join(self.vlan)))
        tag, parent = int(self.vlan["vlan"]), self.vlan["vlandev"]
        if parent not in self.machine.interfaces:
            raise Refused("ifconfig: SIOCSETVLAN: No such file or directory")
        if not 0 < tag < 4095:
            raise Refused("ifconfig: SIOCSETVLAN: Invalid argument")
        if self.one.vlan.parent is not None:
            raise Refused("ifconfig: SIOCSETVLAN: Device busy")
        if any((other.vlan.parent, other.vlan.tag) == (parent, tag) for other in self.machine.interfaces.values() if other.vlan is not None):
            raise Refused("ifconfig: SIOCSETVLAN: File exists")
        self.one.vlan.tag, self.one.vlan.parent, self.one.mtu = tag, parent, self.machine.interfaces[parent].mtu

    # Virtual hosts and addresses

    def _virtual_host(self) -> None:
        if "carp" not in self.machine.modules:
            raise Refused("ifconfig: SIOCGVH: Protocol not supported")
        assert self.vhid is not None
        state = self.carp.pop("state", None)
        if self.removes and not self.carp:
            return
        # Seen in the source of 14: each command with vhid begins with multicast, and says it unless a peer is named.
        self.carp = {"peer": GROUP, "peer6": GROUP6, **self.carp}
        self.carp.update({"password": str(self.carp["password"])[:19]} if "password" in self.carp else {})
        vhid = self.machine.carp.configure(self.name, self.vhid, **self.carp)
        if state is not None:
            self.machine.carp.force(vhid, str(state).upper())

    def _add(self) -> None:
        length = self.length if self.length is not None else 24 if self.version == 4 else 64
        text = "%s/%d" % (self.address, length)
        held = [address for address in self.one.addresses if address.interface.version == self.version]
        if not self.alias and self.version == 4 and self.vhid is None and held and held[0].host != self.address:
            self.one.addresses.remove(held[0])
        same = next((address for address in held if address.host == self.address), None)
        if same is not None:
            same.text, same.vhid = text, self.vhid if self.vhid is not None else same.vhid
        else:
            if self.version == 6:
                self._link_local()
            self.one.addresses.append(Address(text, self.vhid))
        self._up(True)
        if self.vhid is not None:
            self.machine.carp.addressed(self.machine.carp.vhids[self.name, self.vhid])

    def _link_local(self) -> None:
        mac = self.machine.interfaces.mac(self.name)
        if mac is not None and not any(address.interface.is_link_local for address in self.one.addresses if ":" in address.text):
            parts = [int(part, 16) for part in mac.split(":")]
            words = [parts[0] ^ 2, parts[1], parts[2], 0xFF, 0xFE, *parts[3:]]
            suffix = ":".join("%x" % (words[place] << 8 | words[place + 1]) for place in range(0, 8, 2))
            self.one.addresses.append(Address(str(ipaddress.ip_interface("fe80::%s/64" % suffix))))

    def _remove(self) -> None:
        held = [address for address in self.one.addresses if address.interface.version == self.version]
        gone = next((address for address in held if self.address in (None, address.host)), None)
        if gone is None:
            raise Refused("ifconfig: ioctl (SIOCDIFADDR): Can't assign requested address")
        self.one.addresses.remove(gone)
        if gone.vhid is not None and not any(address.vhid == gone.vhid for address in self.one.addresses):
            self.machine.carp.forget(self.name, gone.vhid)

    # Arguments

    def _set_vhid(self, text: str) -> None:
        if not text.isdigit() or not 0 < int(text) < 256:
            raise Refused("ifconfig: vhid must be greater than 0 and less than 256")
        self.vhid = int(text)

    def _carp_number(self, name: str, text: str, lowest: int, highest: int) -> None:
        if not text.isdigit() or not lowest <= int(text) <= highest:
            raise Refused("ifconfig: %s value out of range" % name)
        self.carp[name] = int(text)

    def _set_state(self, text: str) -> None:
        if text.lower() not in ("backup", "master"):
            raise Refused("ifconfig: unknown state")
        self.carp["state"] = text

    def _set_peer(self, name: str, text: str) -> None:
        if self.machine.major < 14:
            raise Refused("ifconfig: %s: bad value" % name)
        self.carp[name] = text

    def _set_netmask(self, text: str) -> None:
        value = int(text, 16) if text.startswith("0x") else int(ipaddress.ip_address(text))
        self.length = bin(value).count("1")

    def _set_length(self, text: str) -> None:
        self.length = int(text)

    def _set_description(self, text: Optional[str]) -> None:
        self.one.description = text or None

    def _set_vlan(self, name: str, text: str) -> None:
        self.vlan[name] = text

    def _set_pcp(self, text: str) -> None:
        if self.one.vlan is not None:
            self.one.vlan.pcp = int(text)


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_interface(word)
    except ValueError:
        return False
    return True


_ARGUMENTS = {
    "mtu": _Change._mtu, "name": _Change._rename, "description": _Change._set_description, "descr": _Change._set_description,
    "netmask": _Change._set_netmask, "prefixlen": _Change._set_length, "broadcast": lambda change, text: None,
    "vhid": _Change._set_vhid, "advbase": lambda change, text: change._carp_number("advbase", text, 0, 255),
    "advskew": lambda change, text: change._carp_number("advskew", text, 0, 254), "pass": lambda change, text: change.carp.update(password=text),
    "state": _Change._set_state, "peer": lambda change, text: change._set_peer("peer", text),
    "peer6": lambda change, text: change._set_peer("peer6", text),
    "laggproto": _Change._protocol, "laggport": _Change._add_port, "-laggport": _Change._remove_port, "lagghash": _Change._hash,
    "vlan": lambda change, text: change._set_vlan("vlan", text), "vlandev": lambda change, text: change._set_vlan("vlandev", text),
    "vlanpcp": _Change._set_pcp,
}
_WORDS = {
    "destroy": _Change._destroy, "unplumb": _Change._destroy, "-description": lambda change: change._set_description(None),
    "-descr": lambda change: change._set_description(None), "lacp_fast_timeout": lambda change: change._fast(True),
    "-lacp_fast_timeout": lambda change: change._fast(False), "mcast": lambda change: change._set_peer("peer", "224.0.0.18"),
    "mcast6": lambda change: change._set_peer("peer6", "ff02::12"), "-ifdisabled": lambda change: None, "auto_linklocal": lambda change: None,
}
