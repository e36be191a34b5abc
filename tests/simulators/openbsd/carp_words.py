# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of ifconfig for carp(4) and pfsync(4). Each one reads all settings (SIOCGVH, SIOCGETPFSYNC) and sets all of them (SIOCSVH, SIOCSETPFSYNC)."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Callable, Dict, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import NotModelled, bounded, failed
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.carp import GROUP, Vhost

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Machine

Flags = Dict[str, Callable[[], None]]
Pairs = Dict[str, Callable[[str], None]]
_STATES = ("INIT", "BACKUP", "MASTER")


def words(machine: "Machine", name: str) -> Tuple[Flags, Pairs]:
    """Those without an argument, and those with one."""
    carp, sync = _Carp(machine, name), _Sync(machine, name)
    flags: Flags = {"-carppeer": lambda: carp.set_peer(GROUP), "-syncdev": sync.no_device, "-syncif": sync.no_device, "-syncpeer": sync.no_peer,
                    "defer": lambda: sync.set_defer(True), "-defer": lambda: sync.set_defer(False)}
    pairs: Pairs = {"vhid": carp.set_vhid, "advbase": carp.set_advbase, "advskew": carp.set_advskew, "pass": carp.set_password, "carppeer": carp.peer,
                    "carpdev": carp.set_carpdev, "state": carp.set_state, "carpnodes": carp.unmodelled, "balancing": carp.unmodelled,
                    "syncdev": sync.set_device, "syncif": sync.set_device, "syncpeer": sync.set_peer, "maxupd": sync.set_maxupd}
    return flags, pairs


def ip4(text: str, what: str) -> str:
    """An address as getaddrinfo(3) takes it for IPv4 only."""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise NotModelled("ifconfig %s %s: the answer depends on name service" % (what, text)) from None


class _Carp:
    def __init__(self, machine: "Machine", name: str) -> None:
        self._machine = machine
        self._name = name

    def _vhost(self) -> Vhost:
        vhost = self._machine.carp.vhosts.get(self._name)
        if vhost is None:
            raise failed("%s: SIOCGVH" % self._name, "ENOTTY")
        return vhost

    def _invalid(self) -> Exception:
        return failed("%s: SIOCSVH" % self._name, "EINVAL")

    def unmodelled(self, _text: str) -> None:
        raise NotModelled("load balancing between virtual hosts")

    def set_vhid(self, text: str) -> None:
        vhid = bounded(text, 1, 255, "vhid %s: " % text)
        vhost = self._vhost()
        if self._machine.carp.clashes(vhost, self._machine.interfaces.device(self._name).carpdev, vhid):
            raise self._invalid()
        self._machine.carp.set_vhid(vhost, vhid)
        self._machine.carp.changed(vhost)

    def set_advbase(self, text: str) -> None:
        value = bounded(text, 0, 254, "advbase %s: " % text)
        vhost = self._vhost()
        vhost.advbase = value
        self._machine.carp.changed(vhost)

    def set_advskew(self, text: str) -> None:
        value = bounded(text, 0, 254, "advskew %s: " % text)
        vhost = self._vhost()
        vhost.advskew = value
        self._machine.carp.changed(vhost)

    def set_password(self, text: str) -> None:
        vhost = self._vhost()
        vhost.password = text[:19]  # CARP_KEY_LEN, with the NUL that ends it
        self._machine.carp.changed(vhost)

    def peer(self, text: str) -> None:
        self._vhost()
        self.set_peer(ip4(text, "carppeer"))

    def set_peer(self, peer: str) -> None:
        vhost = self._vhost()
        vhost.peer = peer
        self._machine.carp.changed(vhost)

    def set_carpdev(self, text: str) -> None:
        vhost, below = self._vhost(), self._machine.interfaces.get(text)
        if below is None or below.driver in ("lo", "enc", "pflog", "pfsync", "carp") or self._machine.carp.clashes(vhost, text, vhost.vhid):
            raise self._invalid()
        if self._machine.interfaces.device(self._name).carpdev != text:
            self._machine.carp.set_carpdev(vhost, text)
        self._machine.carp.changed(vhost)

    def set_state(self, text: str) -> None:
        vhost = self._vhost()
        if text.upper() in _STATES:
            self._machine.carp.force(vhost, text.upper())
        self._machine.carp.changed(vhost)


class _Sync:
    def __init__(self, machine: "Machine", name: str) -> None:
        self._machine = machine
        self._name = name

    def _given(self) -> None:
        if self._name != "pfsync0":
            raise failed("%s: SIOCGETPFSYNC" % self._name, "ENOTTY")

    def _set(self, error: "str | None") -> None:
        if error is not None:
            raise failed("%s: SIOCSETPFSYNC" % self._name, error)

    def set_device(self, text: str) -> None:
        self._given()
        self._set(self._machine.pfsync.set(text, self._machine.pfsync.peer))

    def no_device(self) -> None:
        self._given()
        self._set(self._machine.pfsync.set(None, self._machine.pfsync.peer))

    def set_peer(self, text: str) -> None:
        self._given()
        self._set(self._machine.pfsync.set(self._machine.pfsync.syncdev, ip4(text, "syncpeer")))

    def no_peer(self) -> None:
        self._given()
        self._set(self._machine.pfsync.set(self._machine.pfsync.syncdev, None))

    def set_maxupd(self, text: str) -> None:
        number = bounded(text, 0, 255, "maxupd %s: " % text)
        self._given()
        self._machine.pfsync.maxupd = number

    def set_defer(self, on: bool) -> None:
        self._given()
        self._machine.pfsync.defer = on
