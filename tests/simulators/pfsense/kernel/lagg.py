# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs: which ports they take, which of them carry traffic, and how ifconfig shows that.

A port is ready while it is up and has a carrier. Only LACP asks for more, a partner that answers: where there is none no port carries traffic, and yet
the LAGG has its link and is shown as active.
"""

from __future__ import annotations

from .base import TYPE_CHECKING, Refused, not_modelled
from .link import is_ready, master_of

if TYPE_CHECKING:
    from typing import Iterator, List, Tuple

    from .base import Kernel

PROTOCOLS = ("none", "failover", "loadbalance", "lacp", "roundrobin", "broadcast")
WORDS = ("laggport", "-laggport", "laggproto", "lagghash", "lacp_fast_timeout", "-lacp_fast_timeout")
# The other end, as LACP hears it.
PARTNER = "(8000,02-00-00-00-00-AA,0005,%s)"


def new() -> Kernel:
    """As the kernel makes it."""
    return {"protocol": "failover", "hash": "l2,l3,l4", "ports": [], "primary": None, "fast": False}


def without(lagg: Kernel, port: str) -> None:
    """Give a port back; when it was the first one, the next in order is."""
    lagg["ports"].remove(port)
    if lagg["primary"] == port:
        lagg["primary"] = next(iter(lagg["ports"]), None)


def changed(kernel: Kernel, name: str, word: str, left: Iterator[str]) -> List[str]:
    """Do what the word says; a port that is not taken is in the answer."""
    lagg = kernel["interfaces"][name]["lagg"]
    if word == "laggport":
        return _take(kernel, name, next(left))
    if word == "-laggport":
        port = next(left)
        if port not in lagg["ports"]:
            raise Refused("ifconfig: SIOCSLAGGDELPORT: %s" % ("No such file or directory" if port in kernel["interfaces"] else "Invalid argument"))
        without(lagg, port)
    elif word == "laggproto":
        protocol = next(left)
        if protocol not in PROTOCOLS:
            raise Refused("ifconfig: Invalid aggregation protocol: %s" % protocol)
        lagg.update(protocol=protocol, fast=False)
    elif word == "lagghash":
        layers = next(left).split(",")
        if not layers or set(layers) - {"l2", "l3", "l4"}:
            raise Refused("ifconfig: Invalid lagghash option: %s" % ",".join(layers))
        lagg["hash"] = ",".join(sorted(set(layers)))
    elif lagg["protocol"] != "lacp":
        raise Refused("ifconfig: SIOCSLAGGOPTS: Invalid argument")
    else:
        lagg["fast"] = word == "lacp_fast_timeout"
    return []


def _take(kernel: Kernel, name: str, port: str) -> List[str]:
    interfaces = kernel["interfaces"]
    lagg, master = interfaces[name]["lagg"], master_of(kernel, port)
    reason = None
    if master == name:
        return []
    if port not in interfaces or "lagg" in interfaces[port]:
        reason = "Invalid argument"
    elif master is not None:
        reason = "Device busy"
    elif port == "lo0":
        reason = "Protocol not supported"
    if reason is not None:
        return ["ifconfig: %s %s: SIOCSLAGGPORT: %s" % (name, port, reason)]
    size = interfaces[port].get("mtu", 1500)
    if lagg["ports"] and size != interfaces[name]["mtu"]:
        raise not_modelled("a port of %s with another MTU" % name)
    interfaces[name]["mtu"] = size
    lagg["primary"] = lagg["primary"] or port
    order = list(interfaces)
    lagg["ports"] = sorted([*lagg["ports"], port], key=order.index)
    return []


def _carrying(kernel: Kernel, lagg: Kernel) -> List[str]:
    ready = [port for port in lagg["ports"] if is_ready(kernel, port)]
    if lagg["protocol"] == "lacp":
        return ready if kernel.get("lacp_partner", True) else []
    if lagg["protocol"] == "failover" and ready:
        # The first one; else the one behind it in order; else whichever there is.
        after = lagg["ports"][lagg["ports"].index(lagg["primary"]):][:2]
        return [next((port for port in after if port in ready), ready[0])]
    return ready if lagg["protocol"] != "none" else []


def shown(kernel: Kernel, name: str, mac: str, verbose: bool) -> List[str]:
    """The lines of the LAGG; ``verbose`` has its options, and what LACP knows of both ends."""
    lagg = kernel["interfaces"][name]["lagg"]
    lacp, carrying = lagg["protocol"] == "lacp", _carrying(kernel, lagg)
    lines = ["\tlaggproto %s lagghash %s" % (lagg["protocol"], lagg["hash"])]
    if verbose:
        bits = [(0x10, "LACP_STRICT"), (0x80, "LACP_FAST_TIMO")][:1 + lagg["fast"]] if lacp else []
        active = len(carrying) if lacp else sum(is_ready(kernel, port) for port in lagg["ports"])
        lines += ["\tlagg options:", "\t\tflags=%s" % _flags(bits), "\t\tflowid_shift: 16", "\tlagg statistics:", "\t\tactive ports: %d" % active,
                  "\t\tflapping: 0"]
        if lacp:
            here = _end(mac, "0000,0000") if carrying else "(0000,00-00-00-00-00-00,0000,0000,0000)"
            there = PARTNER % "0000,0000" if carrying else "(0000,00-00-00-00-00-00,0000,0000,0000)"
            lines += ["\tlag id: [%s," % here, "\t\t %s]" % there]
    for number, port in enumerate(lagg["ports"], 1):
        live = port in carrying
        bits = [(1, "MASTER")] if lagg["protocol"] == "failover" and port == lagg["primary"] else []
        bits += [(4, "ACTIVE")] if live else []
        bits += [(8, "COLLECTING"), (16, "DISTRIBUTING")] if live and lacp else []
        line = "\tlaggport: %s flags=%s" % (port, _flags(bits))
        if verbose and lacp:
            state = [(1, "ACTIVITY")] + ([(2, "TIMEOUT")] if lagg["fast"] else []) + [(4, "AGGREGATION")]
            state += [(8, "SYNC"), (16, "COLLECTING"), (32, "DISTRIBUTING")] if live else [(64, "DEFAULTED")]
            there = PARTNER % ("8000,%04X" % (16 + number)) if live else "(FFFF,00-00-00-00-00-00,0000,FFFF,0000)"
            line += " state=%s\n\t\t[%s,\n\t\t %s]" % (_flags(state), _end(mac, "8000,%04X" % number), there)
        lines.append(line)
    return lines


def _flags(bits: List[Tuple[int, str]]) -> str:
    return "%x<%s>" % (sum(bit for bit, _word in bits), ",".join(word for _bit, word in bits))


def _end(mac: str, port: str) -> str:
    return "(8000,%s,014B,%s)" % (mac.upper().replace(":", "-"), port)
