# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ifconfig shows, line by line as OpenBSD's sbin/ifconfig/ifconfig.c prints it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.interfaces import Address, Lagg
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd import carp, pfsync
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.devices import NO_ADDRESS, Device

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Machine

_FLAGS = {0x1: "UP", 0x2: "BROADCAST", 0x4: "DEBUG", 0x8: "LOOPBACK", 0x40: "RUNNING", 0x100: "PROMISC", 0x800: "SIMPLEX", 0x8000: "MULTICAST"}
_UP, _BROADCAST, _DEBUG, _LOOPBACK, _RUNNING, _PROMISC, _SIMPLEX, _MULTICAST = _FLAGS
_PRIORITY = {"carp": 15}  # IF_CARP_DEFAULT_PRIORITY
_QUEUE = {"aggr": 7}  # llprio: aggr_clone_create sets the highest one
_DEFAULT_SYSTEM = 0x8000


def shown(machine: "Machine", name: str, aliases: bool) -> str:
    """An interface; without ``aliases`` (``ifconfig -a``, or nothing said) only the first of its IPv4 addresses."""
    device = machine.interfaces.device(name)
    rows = ["%s: flags=%s%s" % (name, _flags(machine, device), " mtu %d" % device.mtu if device.mtu else "")]
    mac = machine.interfaces.mac(name)
    if mac is not None:
        rows.append("\tlladdr %s" % mac)
    if device.description:
        rows.append("\tdescription: %s" % device.description)
    rows.append("\tindex %d priority %d llprio %d" % (device.index, _PRIORITY.get(device.driver, 0), _QUEUE.get(device.driver, 3)))
    rows += _encapsulation(machine, device)
    if device.driver == "carp":
        rows += _carp(machine.carp.vhosts[name], device)
    if device.driver == "pfsync":
        rows += _pfsync(machine)
    rows += _trunk(machine, device)
    if device.groups:
        rows.append("\tgroups: %s" % " ".join(device.groups))
    rows += _medium(machine, device)
    rows += addresses(device, aliases)
    return "".join(row + "\n" for row in rows)


def running(machine: "Machine", device: Device) -> bool:
    """IFF_RUNNING."""
    if device.driver in ("carp", "pfsync"):
        return device.running
    if device.vlan is not None:
        return device.up and device.vlan.parent is not None
    return device.up


def _flags(machine: "Machine", device: Device) -> str:
    wanted = {_UP: device.up, _RUNNING: running(machine, device), _DEBUG: device.debug, _PROMISC: device.promiscuous}
    ethernet = device.mac is not None or device.driver in ("carp", "aggr", "trunk", "vlan")
    wanted.update({_BROADCAST: ethernet, _SIMPLEX: ethernet and (device.driver != "vlan" or running(machine, device)),
                   _MULTICAST: ethernet or device.driver == "lo", _LOOPBACK: device.driver == "lo"})
    bits = [bit for bit in _FLAGS if wanted[bit]]
    return "%x<%s>" % (sum(bits), ",".join(_FLAGS[bit] for bit in bits))


def _encapsulation(machine: "Machine", device: Device) -> List[str]:
    """getencap: also pfsync0 has a parent, which it answers with since 7.4 (pfsync_get_parent)."""
    if device.vlan is not None:
        tag = "vnetid %d" % device.vlan.tag if device.vlan.tag else "vnetid none"
        return ["\tencap: %s parent %s txprio packet rxprio outer" % (tag, device.vlan.parent or "none")]
    if device.driver == "pfsync":
        return ["\tencap: parent %s" % (machine.pfsync.syncdev or "none")]
    return []


def _carp(vhost: "carp.Vhost", device: Device) -> List[str]:
    if not vhost.vhid:
        return []
    peer = "" if vhost.peer == carp.GROUP else " carppeer %s" % vhost.peer
    return ["\tcarp: %s carpdev %s vhid %d advbase %d advskew %d%s" % (
        vhost.state, device.carpdev or "none", vhost.vhid, vhost.advbase, vhost.advskew, peer)]


def _pfsync(machine: "Machine") -> List[str]:
    """pfsync_status: nothing without a device, and the peer only where it is not the group."""
    given = machine.pfsync
    if given.syncdev is None:
        return []
    peer = "" if given.peer == pfsync.GROUP else "syncpeer: %s " % given.peer
    return ["\tpfsync: syncdev: %s %smaxupd: %d defer: %s" % (given.syncdev, peer, given.maxupd, "on" if given.defer else "off")]


# LAGGs

def _trunk(machine: "Machine", device: Device) -> List[str]:
    master = machine.interfaces.master_of(device.name)
    if device.lagg is None:
        return ["\ttrunk: trunkdev %s" % master.name] if master is not None else []
    rows = ["\ttrunk: trunkproto %s%s" % (device.lagg.protocol, " trunkdev %s" % master.name if master is not None else "")]
    if device.lagg.protocol == "lacp":
        rows += _lacp(machine, device)
    for port in ports(device):
        if device.lagg.protocol == "lacp":
            rows += _lacp_port(machine, device, port)
        rows.append("\t\t%s port %s" % (port, ",".join(_port_flags(machine, device, device.lagg, port))))
    return rows


def ports(device: Device) -> List[str]:
    """In the kernel's order: a trunk has the newest one first (SLIST_INSERT_HEAD), an aggr the oldest (TAILQ_INSERT_TAIL)."""
    assert device.lagg is not None
    return list(device.lagg.ports) if device.driver == "aggr" else device.lagg.ports[::-1]


def _port_flags(machine: "Machine", device: Device, lagg: Lagg, port: str) -> List[str]:
    ready, carrying = machine.interfaces.ready(port), port in machine.interfaces.carrying(lagg)
    if lagg.protocol == "none":
        return []
    if lagg.protocol == "lacp":
        up = ready and device.up
        disabled = ["disabled"] if device.driver == "aggr" and not ready else []
        return ["active", "collecting", "distributing"] if up else disabled
    return (["master"] if port == lagg.primary else []) + (["active"] if carrying else [])


def _lacp(machine: "Machine", device: Device) -> List[str]:
    partner = _partner(machine, device)
    mac = machine.interfaces.mac(device.name)
    return ["\ttrunk id: [(%04X,%s,%04X,%04X,%04X)," % (_DEFAULT_SYSTEM, mac, device.index, 0, 0),
            "\t\t (%04X,%s,%04X,%04X,%04X)]" % (partner[0], partner[1], partner[2], 0, 0)]


def _partner(machine: "Machine", device: Device, port: Optional[str] = None) -> Tuple[int, str, int]:
    """System priority, address and key of the switch, which is made up: each segment is one switch."""
    assert device.lagg is not None
    of = [port] if port is not None else device.lagg.ports
    ready = [one for one in of if machine.interfaces.ready(one) and device.up]
    return (_DEFAULT_SYSTEM, "02:00:5e:10:00:01", 1) if ready else (0, NO_ADDRESS, 0)


def _lacp_port(machine: "Machine", device: Device, port: str) -> List[str]:
    mac, partner = machine.interfaces.mac(device.name), _partner(machine, device, port)
    up = partner[0] != 0
    number = machine.interfaces.device(port).index
    working = "activity,aggregation,sync,collecting,distributing"
    ours = (port, _DEFAULT_SYSTEM, mac, device.index, _DEFAULT_SYSTEM, number)
    theirs = (port, *partner, 0x80 if up else 0, number if up else 0)
    return ["\t\t%s lacp actor system pri 0x%x mac %s, key 0x%x, port pri 0x%x number 0x%x" % ours,
            "\t\t%s lacp actor state %s" % (port, working if up else "activity,aggregation,defaulted"),
            "\t\t%s lacp partner system pri 0x%x mac %s, key 0x%x, port pri 0x%x number 0x%x" % theirs,
            "\t\t%s lacp partner state %s" % (port, working if up else "aggregation,sync")]


# Links and addresses

def _medium(machine: "Machine", device: Device) -> List[str]:
    up = machine.interfaces.carrier(device.name)
    if device.driver == "carp":
        state = machine.carp.vhosts[device.name].state
        return ["\tstatus: %s" % {"MASTER": "master", "BACKUP": "backup"}.get(state, "invalid")]
    if device.driver in ("lo", "pfsync", "pflog"):
        return []
    if device.driver == "enc":
        return ["\tstatus: active"]
    if device.lagg is not None:
        medium = "autoselect"
    elif device.vlan is not None and device.vlan.parent is None:
        return ["\tstatus: no carrier"]
    else:
        medium = "autoselect (%s)" % ("1000baseT full-duplex" if up else "none")
    return ["\tmedia: Ethernet %s" % medium, "\tstatus: %s" % ("active" if up else "no carrier")]


def addresses(device: Device, aliases: bool) -> List[str]:
    """In the kernel's order; lo0 is told of its IPv6 addresses first."""
    rows, first = [], True
    for address in device.addresses:
        if address.interface.version == 6:
            rows.append(_inet6(device, address))
        elif first or aliases:
            rows.append(_inet(device, address))
            first = False
    return rows


def _inet(device: Device, address: Address) -> str:
    held = address.interface
    assert isinstance(held, ipaddress.IPv4Interface)
    broadcast = "" if device.driver == "lo" or held.network.prefixlen >= 31 else " broadcast %s" % held.network.broadcast_address
    return "\tinet %s netmask 0x%x%s" % (held.ip, int(held.netmask), broadcast)


def _inet6(device: Device, address: Address) -> str:
    scope = " scopeid 0x%x" % device.index if address.host.startswith("fe80:") else ""
    return "\tinet6 %s prefixlen %s%s" % (address.host, address.text.split("/")[1], scope)
