# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""netstat: counters of pfsync and CARP, and of interfaces (OpenBSD's usr.bin/netstat/inet.c, if.c, show.c). It has no JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.interfaces import Address
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import NotModelled
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.devices import Device

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Machine

_PFSYNC_IN = (("packet%s discarded for bad interface", "bad-interface"), ("packet%s discarded for bad ttl", "bad-ttl"),
              ("packet%s shorter than header", "shorter"), ("packet%s discarded for bad version", "bad-version"),
              ("packet%s discarded for bad HMAC", "bad-hmac"), ("packet%s discarded for bad action", "bad-action"),
              ("packet%s discarded for short packet", "short"), ("state%s discarded for bad values", "bad-values"), ("stale state%s", "stale"),
              ("failed state lookup/insert%s", "failed-lookup"))
# Depth, words, and the kernel's name of the counter.
_CARP = ((1, "packet%s received (IPv4)", "ipackets"), (1, "packet%s received (IPv6)", "ipackets6"), (2, "packet%s discarded for bad interface", "badif"),
         (2, "packet%s discarded for wrong TTL", "badttl"), (2, "packet%s shorter than header", "hdrops"), (2, "discarded for bad checksum%s", "badsum"),
         (2, "discarded packet%s with a bad version", "badver"), (2, "discarded because packet too short", "badlen"),
         (2, "discarded for bad authentication", "badauth"), (2, "discarded for unknown vhid", "badvhid"),
         (2, "discarded because of a bad address list", "badaddrs"), (1, "packet%s sent (IPv4)", "opackets"), (1, "packet%s sent (IPv6)", "opackets6"),
         (2, "send failed due to mbuf memory error", "onomem"), (1, "transition%s to master", "preempt"))


def run(machine: "Machine", words: List[str], _stdin: Optional[str]) -> Completed:
    """Do what the options say."""
    if words[:3] == ["-s", "-p", "pfsync"] and len(words) == 3:
        return Completed(0, _pfsync(machine), "")
    if words[:3] == ["-s", "-p", "carp"] and len(words) == 3:
        rows = [_count(depth, text, machine.carp.counters.get(name, 0)) for depth, text, name in _CARP]
        return Completed(0, "carp:\n" + "".join(rows), "")
    if any(word.startswith("--") for word in words):
        # getopt(3) knows no long options.
        return Completed(1, "", "netstat: unknown option -- -\n" + _USAGE)
    if sorted("".join(words)) == sorted("-rn"):
        return Completed(0, _routes(machine), "")
    flags = "".join(word[1:] for word in words if word.startswith("-"))
    if set(flags) <= set("ibnI") and ("i" in flags or "I" in flags):
        rest = [word for word in words if not word.startswith("-")]
        return Completed(0, _interfaces(machine, "b" in flags, rest[0] if rest else None), "")
    raise NotModelled("netstat %s" % " ".join(words))


_USAGE = """usage: netstat [-AaBln] [-M core] [-N system] [-p protocol] [-T rtable]
       netstat -W interface
       netstat -m
       netstat -I interface | -i [-bdehnq]
       netstat -w wait [-bdehnq] [-c count] [-I interface]
       netstat -s [-gru] [-f address_family] [-p protocol]
       netstat -g [-lnu] [-f address_family]
       netstat -R
       netstat -r [-AFu] [-f address_family] [-M core] [-N system] [-T rtable]
       netstat -P pcbaddr [-v] [-M core] [-N system]
"""


def _count(depth: int, text: str, count: int) -> str:
    return "%s%d %s\n" % ("\t" * depth, count, text % ("" if count == 1 else "s") if "%s" in text else text)


def _pfsync(machine: "Machine") -> str:
    counters = machine.pfsync.counters
    rows = [(1, "packet%s received (IPv4)", counters.packets_in), (1, "packet%s received (IPv6)", 0)]
    rows += [(2, text, counters.dropped.get(name, 0)) for text, name in _PFSYNC_IN]
    rows += [(1, "packet%s sent (IPv4)", counters.packets_out), (1, "packet%s sent (IPv6)", 0)]
    rows += [(2, "send failed due to mbuf memory error", counters.no_memory), (2, "send error", counters.send_errors)]
    return "pfsync:\n" + "".join(_count(*row) for row in rows)


def _interfaces(machine: "Machine", octets: bool, wanted: Optional[str]) -> str:
    head = "%10.10s %10.10s" % ("Ibytes", "Obytes") if octets else "%8.8s %5.5s %8.8s %5.5s %5.5s" % ("Ipkts", "Ifail", "Opkts", "Ofail", "Colls")
    text = "%-7.7s %-5.5s %-11.11s %-17.17s %s\n" % ("Name", "Mtu", "Network", "Address", head)
    for name in machine.interfaces:
        device = machine.interfaces.device(name)
        if wanted not in (None, name):
            continue
        shown = name + ("" if device.up else "*")
        counted = "%10d %10d" % (device.received[1], device.sent[1]) if octets else "%8d %5d %8d %5d %5d" % (device.received[0], 0, device.sent[0], 0, 0)
        text += "%-7s %-5d %-11.11s %s%s\n" % (shown, device.mtu, "<Link>", _link(machine, device), counted)
        for address in device.addresses:
            text += "%-7s %-5d %-11.11s %-17.17s %s\n" % (shown, device.mtu, _network(address), address.host, counted)
    return text


def _routes(machine: "Machine") -> str:
    """usr.bin/netstat/show.c, p_rtentry: the default route, and those to networks."""
    rows = ["Routing tables", "", "Internet:",
            "%-18s %-18s %-6s %5s %8s %5s %5s %s" % ("Destination", "Gateway", "Flags", "Refs", "Use", "Mtu", "Prio", "Iface")]
    if machine.gateway_by is not None:
        rows.append("%-18s %-18s %-6s %5d %8d %5s %5d %s" % ("default", machine.gateway, "UGS", 4, 12, "-", 8, machine.gateway_by))
    rows += ["%-18s %-18s %-6s %5d %8d %5s %5d %s" % (address.interface.network, address.host, "UCn", 1, 0, "-", 4, name)
             for name, one in machine.interfaces.items() for address in one.addresses if address.interface.version == 4 and one.driver not in ("lo", "carp")]
    return "".join(row + "\n" for row in rows + [*machine.more_routes])


def _link(machine: "Machine", device: Device) -> str:
    """Those that have no hardware address are padded by another count (print_addr)."""
    mac = machine.interfaces.mac(device.name)
    return "%-17.17s " % mac if mac is not None else " " * 18


def _network(address: Address) -> str:
    network = address.interface.network
    if network.version == 6:
        return "%s/%d" % (network.network_address, network.prefixlen)
    parts = str(network.network_address).split(".")
    count = 1 if network.prefixlen < 9 else 2 if network.prefixlen < 17 else 3 if network.prefixlen < 25 else 4
    return "%s/%d" % (".".join(parts[:count]), network.prefixlen)
