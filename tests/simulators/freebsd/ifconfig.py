# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ifconfig: shows interfaces as FreeBSD does. What it changes is in :mod:`ifconfig_change`.

Sources: transcripts of FreeBSD 14.2; sbin/ifconfig of the other releases.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.interfaces import Address, Interface
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd import ifconfig_change
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled, Refused, lines, said
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pfsync import GROUP

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine

# What a card can do, and what its medium is, by driver.
_OPTIONS = {
    "em": "48525bb<RXCSUM,TXCSUM,VLAN_MTU,VLAN_HWTAGGING,JUMBO_MTU,VLAN_HWCSUM,TSO4,LRO,WOL_MAGIC,VLAN_HWFILTER,VLAN_HWTSO,HWSTATS,MEXTPG>",
    "vtnet": "80028<VLAN_MTU,JUMBO_MTU,LINKSTATE>", "lo": "680003<RXCSUM,TXCSUM,LINKSTATE,RXCSUM_IPV6,TXCSUM_IPV6>", "vlan": "4000000<MEXTPG>",
}
_MEDIA = {"vtnet": "10Gbase-T <full-duplex>", "ix": "10Gbase-T <full-duplex>"}
_FLAGS = [(1, "UP"), (2, "BROADCAST"), (8, "LOOPBACK"), (0x40, "RUNNING"), (0x100, "PROMISC"), (0x800, "SIMPLEX"), (0x8000, "MULTICAST"),
          (0x1000000, "LOWER_UP")]
_NOBODY = "00:00:00:00:00:00"


def run(machine: "Machine", words: List[str], stdin: Optional[str]) -> Completed:
    """List, show or change interfaces."""
    words = list(words)
    verbose = "-v" in words[:1]
    if verbose:
        words.pop(0)
    if words[:1] == ["-l"] and len(words) == 1:
        return said(" ".join(machine.interfaces) + "\n")
    keys = words[:1] == ["-ak"]
    if words[:1] in (["-a"], ["-ak"]):
        words.pop(0)
    if not words:
        return said("".join(_shown(machine, name, verbose, keys) for name in machine.interfaces))
    if words[0].startswith("-"):
        raise NotModelled("ifconfig %s" % " ".join(words))
    if len(words) > 1:
        return said(ifconfig_change.changed(machine, words[0], words[1:]))
    if words[0] not in machine.interfaces:
        raise Refused("ifconfig: interface %s does not exist" % words[0])
    return said(_shown(machine, words[0], verbose))


def _shown(machine: "Machine", name: str, verbose: bool, keys: bool = False) -> str:
    one = machine.interfaces[name]
    rows = _pfsync(machine) if one.driver == "pfsync" else _other(machine, one, verbose, keys)
    if verbose and one.lagg is None:
        rows.append("\tdrivername: %s" % name)
    return lines(rows)


def _flags(machine: "Machine", present: List[str]) -> str:
    chosen = [(bit, word) for bit, word in _FLAGS if word in present and (word != "LOWER_UP" or machine.major >= 14)]
    words = ",".join(word for _bit, word in chosen)
    return "flags=%x%s" % (sum(bit for bit, _word in chosen), "<%s>" % words if words else "")


def _pfsync(machine: "Machine") -> List[str]:
    now = machine.pfsync
    rows = ["pfsync0: %s metric 0 mtu %d" % (_flags(machine, ["UP", "RUNNING", "LOWER_UP"] if now.up else []), now.mtu)]
    rows += ["\toptions=0"] if machine.major >= 14 else []
    device = "syncdev: %s " % now.syncdev if now.syncdev else ""
    peer = "syncpeer: %s " % now.peer if now.peer != GROUP else ""
    version = " version: %d" % now.version if machine.major >= 14 else ""
    return rows + ["\t%s%smaxupd: %d defer: %s%s" % (device, peer, now.maxupd, "on" if now.defer else "off", version), "\tsyncok: %d" % now.ok,
                   "\tgroups: pfsync"]


def _other(machine: "Machine", one: Interface, verbose: bool, keys: bool) -> List[str]:
    present = ["BROADCAST", "SIMPLEX", "MULTICAST"] if one.driver not in ("lo", "pflog") else ["LOOPBACK", "MULTICAST"] if one.driver == "lo" else []
    present += ["UP", "RUNNING"] if one.up else []
    present += ["PROMISC"] if one.promiscuous else []
    present += ["LOWER_UP"] if one.driver == "lo" or (one.driver != "pflog" and machine.interfaces.carrier(one.name)) else []
    rows = ["%s: %s metric 0 mtu %d" % (one.name, _flags(machine, present), one.mtu)]
    rows += ["\tdescription: %s" % one.description] if one.description else []
    options = _options(machine, one)
    rows += ["\toptions=%s" % options] if options is not None and (options != "0" or machine.major >= 14) else []
    mac = machine.interfaces.mac(one.name) if one.driver not in ("lo", "pflog") else None
    if mac is not None:
        rows.append("\tether %s" % mac)
        own = _NOBODY if one.lagg is not None else one.mac
        rows += ["\thwaddr %s" % own] if own not in (None, mac) else []
    index = 1 + list(machine.interfaces).index(one.name)
    rows += [_address(address, one.name, index) for address in one.addresses]
    rows += _structure(machine, one, verbose)
    rows += _carp(machine, one, keys)
    rows += _medium(machine, one)
    if one.driver != "pflog":
        six = any(address.interface.version == 6 for address in one.addresses)
        rows.append("\tnd6 options=%s" % ("21<PERFORMNUD,AUTO_LINKLOCAL>" if six else "29<PERFORMNUD,IFDISABLED,AUTO_LINKLOCAL>"))
    return rows


def _options(machine: "Machine", one: Interface) -> Optional[str]:
    if one.driver == "pflog":
        return "0"
    if one.lagg is not None:
        return _options(machine, machine.interfaces[one.lagg.primary]) if one.lagg.primary else "0"
    return _OPTIONS.get(one.driver, _OPTIONS["em"])


def _address(address: Address, name: str, index: int) -> str:
    whole = address.interface
    vhid = " vhid %d" % address.vhid if address.vhid is not None else ""
    if isinstance(whole, ipaddress.IPv4Interface):
        broadcast = " broadcast %s" % whole.network.broadcast_address if not whole.is_loopback else ""
        return "\tinet %s netmask 0x%08x%s%s" % (whole.ip, int(whole.netmask), broadcast, vhid)
    zone, scope = ("%" + name, " scopeid 0x%x" % index) if whole.is_link_local else ("", "")
    return "\tinet6 %s%s prefixlen %d%s%s" % (whole.ip, zone, whole.network.prefixlen, scope, vhid)


def _structure(machine: "Machine", one: Interface, verbose: bool) -> List[str]:
    if one.lagg is not None:
        return _lagg(machine, one, verbose) + ["\tgroups: lagg"]
    if one.vlan is not None:
        tag, pcp = (one.vlan.tag, one.vlan.pcp) if one.vlan.parent is not None else (0, 0)
        return ["\tgroups: vlan", "\tvlan: %d vlanproto: 802.1q vlanpcp: %d parent interface: %s" % (tag, pcp, one.vlan.parent or "<none>")]
    return ["\tgroups: %s" % one.driver] if one.driver in ("lo", "pflog") else []


def _lagg(machine: "Machine", one: Interface, verbose: bool) -> List[str]:
    lagg = one.lagg
    assert lagg is not None
    lacp, carrying = lagg.protocol == "lacp", machine.interfaces.carrying(lagg)
    rows = ["\tlaggproto %s lagghash %s" % (lagg.protocol, lagg.hash)]
    mac = machine.interfaces.mac(one.name) or _NOBODY
    if verbose:
        bits = [(0x10, "LACP_STRICT"), (0x80, "LACP_FAST_TIMO")][:1 + lagg.fast] if lacp else []
        active = len(carrying) if lacp else sum(machine.interfaces.ready(port) for port in lagg.ports)
        rows += ["\tlagg options:", "\t\tflags=%s" % _bits(bits), "\t\tflowid_shift: 16", "\tlagg statistics:", "\t\tactive ports: %d" % active,
                 "\t\tflapping: 0"]
        if lacp:
            nobody = "(0000,00-00-00-00-00-00,0000,0000,0000)"
            here, there = (_end(mac, "0000,0000"), _PARTNER % "0000,0000") if carrying else (nobody, nobody)
            rows += ["\tlag id: [%s," % here, "\t\t %s]" % there]
    for number, port in enumerate(lagg.ports, 1):
        live = port in carrying
        bits = [(1, "MASTER")] if lagg.protocol == "failover" and port == lagg.primary else []
        bits += [(4, "ACTIVE")] if live else []
        bits += [(8, "COLLECTING"), (16, "DISTRIBUTING")] if live and lacp else []
        row = "\tlaggport: %s flags=%s" % (port, _bits(bits))
        if verbose and lacp:
            state = [(1, "ACTIVITY")] + ([(2, "TIMEOUT")] if lagg.fast else []) + [(4, "AGGREGATION")]
            state += [(8, "SYNC"), (16, "COLLECTING"), (32, "DISTRIBUTING")] if live else [(64, "DEFAULTED")]
            there = _PARTNER % ("8000,%04X" % (16 + number)) if live else "(FFFF,00-00-00-00-00-00,0000,FFFF,0000)"
            row += " state=%s\n\t\t[%s,\n\t\t %s]" % (_bits(state), _end(mac, "8000,%04X" % number), there)
        rows.append(row)
    return rows


_PARTNER = "(8000,02-00-00-00-00-AA,0005,%s)"


def _bits(bits: List[Tuple[int, str]]) -> str:
    return "%x<%s>" % (sum(bit for bit, _word in bits), ",".join(word for _bit, word in bits))


def _end(mac: str, port: str) -> str:
    return "(8000,%s,014B,%s)" % (mac.upper().replace(":", "-"), port)


def _carp(machine: "Machine", one: Interface, keys: bool) -> List[str]:
    rows = []
    for vhid in machine.carp.on(one.name):
        key = ' key "%s"' % vhid.password if keys and vhid.password else ""
        rows.append("\tcarp: %s vhid %d advbase %d advskew %d%s" % (vhid.state, vhid.number, vhid.advbase, vhid.advskew, key))
        rows += ["\t      peer %s peer6 %s" % (vhid.peer, vhid.peer6)] if machine.major >= 14 else []
    return rows


def _medium(machine: "Machine", one: Interface) -> List[str]:
    if one.driver in ("lo", "pflog"):
        return []
    live = machine.interfaces.carrier(one.name)
    status = "\tstatus: %s" % ("active" if live else "no carrier")
    if one.lagg is not None:
        return ["\tmedia: Ethernet autoselect", status]
    if one.vlan is not None:
        return [_medium(machine, machine.interfaces[one.vlan.parent])[0], status] if one.vlan.parent is not None else []
    return ["\tmedia: Ethernet autoselect%s" % (" (%s)" % _MEDIA.get(one.driver, "1000baseT <full-duplex>") if live else ""), status]
