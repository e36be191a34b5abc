# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of ifconfig for aggr(4) and trunk(4) (sys/net/if_aggr.c, sys/net/if_trunk.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Dict, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.interfaces import Lagg
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import NotModelled, Refused, failed

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Machine

Flags = Dict[str, Callable[[], None]]
Pairs = Dict[str, Callable[[str], None]]
PROTOCOLS = ("roundrobin", "failover", "lacp", "loadbalance", "broadcast", "none", "default")


def words(machine: "Machine", name: str) -> Tuple[Flags, Pairs]:
    """Those without an argument, and those with one."""
    trunk = _Trunk(machine, name)
    pairs: Pairs = {"trunkport": trunk.add, "-trunkport": trunk.remove, "trunkproto": trunk.set_protocol,
                    "lacpmode": lambda text: trunk.lacp("lacpmode", text, ("active", "passive")),
                    "lacptimeout": lambda text: trunk.lacp("lacptimeout", text, ("fast", "slow"))}
    return {}, pairs


class _Trunk:
    def __init__(self, machine: "Machine", name: str) -> None:
        self._machine = machine
        self._name = name

    def _lagg(self, ioctl: str) -> Lagg:
        lagg = self._machine.interfaces[self._name].lagg
        if lagg is None:
            raise failed(ioctl, "ENOTTY")
        return lagg

    def add(self, port: str) -> None:
        where = "%s %s: SIOCSTRUNKPORT" % (self._name, port)
        lagg, interfaces = self._lagg(where), self._machine.interfaces
        one, device = interfaces.get(port), interfaces.device(self._name)
        aggr = device.driver == "aggr"
        if one is None or (aggr and port == self._name):
            raise failed(where, "EINVAL")
        if interfaces.master_of(port) is not None:
            raise failed(where, "EBUSY")
        if one.driver in ("lo", "enc", "pflog", "pfsync", "carp"):
            raise failed(where, "EPROTONOSUPPORT")
        if one.lagg is not None:
            raise NotModelled("a LAGG as the port of another one")
        if not aggr:
            if not lagg.ports:
                # The first port gives its MTU and its address, whatever was set before.
                device.mtu, device.lladdr = one.mtu, None
            elif device.mtu != one.mtu:
                self._machine.say("%s: adding %s failed, MTU %d != %d" % (self._name, port, one.mtu, device.mtu))
                raise failed(where, "EINVAL")
            one.promiscuous = True
        else:
            one.mtu = device.mtu
        lagg.primary = lagg.primary or port
        lagg.ports.append(port)

    def remove(self, port: str) -> None:
        where = "%s: %s: SIOCSTRUNKDELPORT" % (self._name, port)
        lagg = self._lagg(where)
        if port not in lagg.ports:
            raise failed(where, "EINVAL" if port not in self._machine.interfaces or self._machine.interfaces[self._name].driver == "aggr" else "ENOENT")
        self._machine.interfaces.drop_port(self._name, port)
        self._machine.interfaces[port].promiscuous = False

    def set_protocol(self, text: str) -> None:
        where = "%s: SIOCSTRUNK" % self._name
        if text not in PROTOCOLS:
            raise Refused("ifconfig: Invalid trunk protocol: %s" % text)
        lagg = self._lagg(where)
        if self._machine.interfaces[self._name].driver == "aggr":
            if text != "lacp":
                raise failed(where, "EPROTONOSUPPORT")
            return
        lagg.protocol = "roundrobin" if text == "default" else text

    def lacp(self, what: str, text: str, values: Tuple[str, str]) -> None:
        lagg = self._lagg("%s: SIOCGTRUNK" % self._name if what == "lacpmode" else "%s SIOCGTRUNK" % self._name)
        if lagg.protocol != "lacp":
            raise Refused("ifconfig: Invalid option for trunk: %s" % self._name)
        if text not in values:
            raise Refused("ifconfig: Invalid %s option for trunk: %s" % (what, self._name))
        if what == "lacptimeout":
            lagg.fast = text == "fast"
