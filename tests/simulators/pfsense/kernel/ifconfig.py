# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ifconfig: lists and shows interfaces, and gives them addresses and virtual hosts. What makes a device another one is in :mod:`devices`."""

from __future__ import annotations

from . import devices
from .base import TYPE_CHECKING, Refused, not_modelled
from .link import has_link

if TYPE_CHECKING:
    from typing import Iterator, List, Optional

    from .base import Kernel

MULTICAST = "224.0.0.240"
MAX_SKEW = 240  # of a node that is demoted, whatever its own skew: CARP_MAXSKEW


def ifconfig(kernel: Kernel, words: List[str]) -> str:
    """List, show or change interfaces. Each word takes effect by itself: what came before a refused one stays."""
    verbose = words[:1] == ["-v"]
    words = words[1:] if verbose else words
    if words == ["-l"]:
        return " ".join([*kernel["interfaces"], "pfsync0"]) + "\n"
    if words[1:2] == ["create"]:
        return devices.created(kernel, words[0], words[2:])
    names = words[:1] or [*kernel["interfaces"], "pfsync0"]
    if names[0] != "pfsync0" and names[0] not in kernel["interfaces"]:
        raise Refused("ifconfig: interface %s does not exist" % names[0])
    if len(words) > 1 and names[0] == "pfsync0":
        _change_pfsync(kernel, iter(words[1:]))
        return ""
    if len(words) > 1:
        return _change_interface(kernel, names[0], words[1:])
    return "".join(_shown_pfsync(kernel["pfsync"]) if name == "pfsync0" else _shown(kernel, name, verbose) for name in names)


def _shown_pfsync(pfsync: Kernel) -> str:
    peer = "" if pfsync["syncpeer"] in (None, MULTICAST) else "syncpeer: %s " % pfsync["syncpeer"]
    device = "syncdev: %s " % pfsync["syncdev"] if pfsync["syncdev"] else ""
    version = "" if pfsync["version"] is None else " version: %d" % pfsync["version"]
    flags = "1000041<UP,RUNNING,LOWER_UP>" if pfsync["up"] else "0"
    return "pfsync0: flags=%s metric 0 mtu 1500\n\t%s%smaxupd: 128 defer: %s%s\n\tsyncok: %d\n\tgroups: pfsync\n" % (
        flags, device, peer, "on" if pfsync["defer"] else "off", version, pfsync["syncok"])


def _change_pfsync(kernel: Kernel, words: Iterator[str]) -> None:
    pfsync = kernel["pfsync"]
    for word in words:
        if word == kernel["pfsync_refuses"]:
            raise Refused("ifconfig: SIOCSETPFSYNCNV: Invalid argument")
        if word == "syncdev":
            device = next(words)
            if device not in kernel["interfaces"]:
                raise Refused("ifconfig: SIOCSETPFSYNCNV: Invalid argument")
            pfsync["syncdev"] = device
        elif word == "-syncdev":
            pfsync["syncdev"] = None
        elif word == "syncpeer":
            pfsync["syncpeer"] = next(words)
        elif word == "-syncpeer":
            # Without a device the kernel comes back before it looks at the peer, which therefore stays.
            pfsync["syncpeer"] = pfsync["syncpeer"] if pfsync["syncdev"] is None else None
        elif word in ("up", "down"):
            pfsync["up"] = word == "up"
        elif word in ("defer", "-defer"):
            pfsync["defer"] = word == "defer"
        elif word == "version" and pfsync["formats"]:
            # What is no number counts as 0, and 0 is the newest.
            given = next(words)
            version = int(given) if given.isdigit() else 0
            if version not in (0, *pfsync["formats"]):
                raise Refused("ifconfig: SIOCSETPFSYNCNV: Invalid argument")
            pfsync["version"] = version or pfsync["formats"][-1]
        else:
            raise not_modelled("ifconfig pfsync0 " + word)


def _shown(kernel: Kernel, name: str, verbose: bool) -> str:
    interface = kernel["interfaces"][name]
    if name == "lo0":
        return "lo0: flags=1008049<UP,LOOPBACK,RUNNING,MULTICAST,LOWER_UP> metric 0 mtu 16384\n\tinet 127.0.0.1 netmask 0xff000000\n\tgroups: lo\n"
    flags = "8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST>" if interface["up"] else "8802<BROADCAST,SIMPLEX,MULTICAST>"
    lines = ["%s: flags=%s metric 0 mtu %d" % (name, flags, devices.mtu(interface))]
    if interface.get("description"):
        lines.append("\tdescription: %s" % interface["description"])
    lines += devices.hardware_addresses(kernel, name)
    lines += [_shown_address(entry) for entry in interface["addresses"]]
    lines += devices.structure(kernel, name, verbose)
    for vhid, carp in interface["carp"].items():
        lines.append("\tcarp: %s vhid %s advbase %s advskew %s" % (_carp_state(kernel, name, carp), vhid, carp["advbase"], carp["advskew"]))
    lines += devices.medium(kernel, name)
    return "\n".join(lines) + "\n"


def _shown_address(entry: Kernel) -> str:
    import ipaddress
    address = ipaddress.ip_interface(entry["address"])
    vhid = " vhid %s" % entry["vhid"] if entry.get("vhid") else ""
    if address.version == 4:
        return "\tinet %s netmask 0x%08x broadcast %s%s" % (address.ip, int(address.netmask), address.network.broadcast_address, vhid)
    return "\tinet6 %s prefixlen %d%s" % (address.ip, address.network.prefixlen, vhid)


def _carp_state(kernel: Kernel, name: str, carp: Kernel) -> str:
    """INIT where CARP is off or the interface is down, else by comparison with the skew of the one other node; null is none."""
    if kernel["sysctl"].get("net.inet.carp.allow") != "1" or not kernel["interfaces"][name]["up"] or not has_link(kernel, name):
        return "INIT"
    other, demotion, skew = kernel["carp_peer_advskew"], int(kernel["sysctl"].get("net.inet.carp.demotion", 0)), int(carp["advskew"])
    skew = min(MAX_SKEW, skew + demotion) if demotion > 0 else skew
    return "MASTER" if other is None or skew < other else "BACKUP"


def _change_interface(kernel: Kernel, name: str, given: List[str]) -> str:
    interface = kernel["interfaces"][name]
    if given[0] == "vhid":
        options = dict(zip(given[::2], given[1::2]))
        carp = interface["carp"].setdefault(options["vhid"], {"advbase": "1", "advskew": "0", "pass": ""})
        carp.update({key: options[key] for key in ("advbase", "advskew", "pass") if key in options})
    elif given == ["delete"]:
        _remove_address(kernel, interface, next((entry["address"].split("/")[0] for entry in interface["addresses"] if ":" not in entry["address"]), None))
    elif given[0] in ("inet", "inet6") and given[-1] in ("delete", "-alias"):
        _remove_address(kernel, interface, given[1])
    elif "alias" in given or given[0] in ("inet", "inet6"):
        _add_address(kernel, interface, given[1:] if given[0] in ("inet", "inet6") else given)
    else:
        return devices.changed(kernel, name, given)
    return ""


def _add_address(kernel: Kernel, interface: Kernel, words: List[str]) -> None:
    vhid = words[-1] if "vhid" in words else None
    address = "%s/%s" % (words[0], words[2]) if words[1] == "prefixlen" else words[0]
    # in_control and carp_attach of the kernel's source: the id must be there before.
    if vhid is not None and vhid not in interface["carp"]:
        raise Refused("ifconfig: ioctl (SIOCAIFADDR): No such file or directory")
    if address == kernel["refuses_address"]:
        raise Refused("ifconfig: ioctl (SIOCAIFADDR): Invalid argument")
    interface["addresses"] = [entry for entry in interface["addresses"] if entry["address"] != address]
    interface["addresses"].append({"address": address, "vhid": vhid})


def _remove_address(kernel: Kernel, interface: Kernel, address: Optional[str]) -> None:
    if address is not None and address == kernel["keeps_address"]:
        raise Refused("ifconfig: ioctl (SIOCDIFADDR): Invalid argument")
    gone = [entry for entry in interface["addresses"] if entry["address"].split("/")[0] == address]
    if not gone:
        raise Refused("ifconfig: ioctl (SIOCDIFADDR): Can't assign requested address")
    interface["addresses"] = [entry for entry in interface["addresses"] if entry not in gone]
    # A virtual host without an address is no more.
    for vhid in list(interface["carp"]):
        if not any(entry.get("vhid") == vhid for entry in interface["addresses"]):
            del interface["carp"][vhid]
