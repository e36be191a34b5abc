# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Devices and what they are made of: ports, LAGGs of ports, and VLANs on either. An interface with a ``lagg`` is a LAGG, with a ``vlan`` a VLAN.

Sources: sys/net/if_lagg.c, if_vlan.c, and sbin/ifconfig.
"""

from __future__ import annotations

from . import lagg
from .base import TYPE_CHECKING, Refused, not_modelled
from .link import has_link, master_of

if TYPE_CHECKING:
    from typing import List, Optional

    from .base import Kernel

NOBODY = "00:00:00:00:00:00"
DIGITS = "0123456789"


# What is there

def mtu(interface: Kernel) -> int:
    """Its own, or that of Ethernet."""
    return interface.get("mtu", 1500)


def hardware_addresses(kernel: Kernel, name: str) -> List[str]:
    """The lines of the address in use, and of the one that it came with where that is another one."""
    own, used = kernel["interfaces"][name].get("mac"), _mac(kernel, name)
    if used is None:
        return []
    kept = NOBODY if "lagg" in kernel["interfaces"][name] else own
    return ["\tether %s" % used] + (["\thwaddr %s" % kept] if kept not in (None, used) else [])


def _mac(kernel: Kernel, name: Optional[str]) -> Optional[str]:
    interface = kernel["interfaces"].get(name, {})
    if "lagg" in interface:
        return kernel["interfaces"].get(interface["lagg"]["primary"], {}).get("mac", NOBODY)
    if "vlan" in interface:
        return _mac(kernel, interface["vlan"]["parent"]) or NOBODY
    master = master_of(kernel, name)
    return _mac(kernel, master) if master is not None else interface.get("mac")


def structure(kernel: Kernel, name: str, verbose: bool) -> List[str]:
    """The lines that tell what it is made of."""
    interface = kernel["interfaces"][name]
    if "lagg" in interface:
        return [*lagg.shown(kernel, name, _mac(kernel, name) or NOBODY, verbose), "\tgroups: lagg"]
    if "vlan" in interface:
        vlan = interface["vlan"]
        tag, pcp = (vlan["tag"], vlan["pcp"]) if vlan["parent"] is not None else (0, 0)
        return ["\tgroups: vlan", "\tvlan: %d vlanproto: 802.1q vlanpcp: %d parent interface: %s" % (tag, pcp, vlan["parent"] or "<none>")]
    return []


def medium(kernel: Kernel, name: str) -> List[str]:
    """The lines of medium and status; a VLAN without a parent has none."""
    interface = kernel["interfaces"][name]
    if "lagg" in interface:
        return ["\tmedia: Ethernet autoselect", "\tstatus: %s" % ("active" if has_link(kernel, name) else "no carrier")]
    if "vlan" in interface:
        return medium(kernel, interface["vlan"]["parent"]) if interface["vlan"]["parent"] is not None else []
    live = interface["up"] and has_link(kernel, name)
    return ["\tmedia: Ethernet autoselect%s" % (" (1000baseT <full-duplex>)" if live else ""), "\tstatus: %s" % ("active" if live else "no carrier")]


# What is changed

def created(kernel: Kernel, name: str, words: List[str]) -> str:
    """Make a LAGG or a VLAN; without a number in its name it gets the lowest free one, which is printed."""
    kind = name.rstrip(DIGITS)
    if "." in name:
        raise not_modelled("ifconfig %s create" % name)
    if name in kernel["interfaces"]:
        raise Refused("ifconfig: SIOCIFCREATE2: File exists")
    if kind not in ("lagg", "vlan"):
        raise Refused("ifconfig: SIOCIFCREATE2: Invalid argument")
    text = ""
    if kind == name:
        name = next("%s%d" % (kind, number) for number in range(1000) if "%s%d" % (kind, number) not in kernel["interfaces"])
        text = name + "\n"
    made = {"up": False, "mtu": 1500, "addresses": [], "carp": {}}
    made[kind] = lagg.new() if kind == "lagg" else {"tag": 0, "parent": None, "pcp": 0}
    kernel["interfaces"][name] = made
    return text + (changed(kernel, name, words) if words else "")


def changed(kernel: Kernel, name: str, words: List[str]) -> str:
    """Do what each word says. A port that a LAGG does not take is an error only when all is done."""
    interface, left, failures, text = kernel["interfaces"][name], iter(words), [], ""
    tag: Optional[str] = None
    parent: Optional[str] = None
    for word in left:
        if word in ("up", "down"):
            interface["up"] = word == "up"
        elif word == "destroy":
            _destroy(kernel, name)
        elif word == "name":
            name = _rename(kernel, name, next(left))
            text = name + "\n"
        elif word == "mtu":
            _set_mtu(kernel, name, int(next(left)))
        elif word in ("description", "descr"):
            interface["description"] = next(left)
        elif word == "vlan":
            tag = next(left)
        elif word == "vlandev":
            parent = next(left)
        elif word == "vlanpcp" and "vlan" in interface:
            interface["vlan"]["pcp"] = int(next(left))
        elif "lagg" in interface and word in lagg.WORDS:
            failures += lagg.changed(kernel, name, word, left)
        else:
            raise not_modelled("ifconfig %s %s" % (name, " ".join(words)))
    if tag is not None and parent is not None and "vlan" in interface:
        _attach(kernel, interface["vlan"], int(tag), parent)
        interface["mtu"] = mtu(kernel["interfaces"][parent])
    elif (tag, parent) != (None, None):
        raise not_modelled("ifconfig %s %s" % (name, " ".join(words)))
    if failures:
        raise Refused("\n".join(failures))
    return text


def _destroy(kernel: Kernel, name: str) -> None:
    interface = kernel["interfaces"][name]
    if "lagg" not in interface and "vlan" not in interface:
        raise Refused("ifconfig: SIOCIFDESTROY: Invalid argument")
    del kernel["interfaces"][name]
    master = master_of(kernel, name)
    if master is not None:
        lagg.without(kernel["interfaces"][master]["lagg"], name)
    # VLANs stay, on nothing; and state synchronization loses its device.
    for other in kernel["interfaces"].values():
        if other.get("vlan", {}).get("parent") == name:
            other["vlan"]["parent"], other["mtu"] = None, 1500
    if kernel["pfsync"]["syncdev"] == name:
        kernel["pfsync"]["syncdev"] = None


def _rename(kernel: Kernel, name: str, new: str) -> str:
    if new in kernel["interfaces"]:
        raise Refused("ifconfig: ioctl SIOCSIFNAME (set name): File exists")
    if "vlan" not in kernel["interfaces"][name] or kernel["interfaces"][name]["vlan"]["parent"] is not None:
        raise not_modelled("ifconfig %s name %s" % (name, new))
    kernel["interfaces"] = {new if key == name else key: value for key, value in kernel["interfaces"].items()}
    return new


def _set_mtu(kernel: Kernel, name: str, size: int) -> None:
    interface = kernel["interfaces"][name]
    if "lagg" in interface:
        raise not_modelled("ifconfig %s mtu %d" % (name, size))
    parent = kernel["interfaces"].get(interface.get("vlan", {}).get("parent"))
    if master_of(kernel, name) is not None or ("vlan" in interface and (parent is None or size > mtu(parent))):
        raise Refused("ifconfig: ioctl SIOCSIFMTU (set mtu): Invalid argument")
    interface["mtu"] = size


def _attach(kernel: Kernel, vlan: Kernel, tag: int, parent: str) -> None:
    if parent not in kernel["interfaces"]:
        raise Refused("ifconfig: SIOCSETVLAN: No such file or directory")
    if not 0 < tag < 4095:
        raise Refused("ifconfig: SIOCSETVLAN: Invalid argument")
    if vlan["parent"] is not None:
        raise Refused("ifconfig: SIOCSETVLAN: Device busy")
    if any((other["vlan"]["parent"], other["vlan"]["tag"]) == (parent, tag) for other in kernel["interfaces"].values() if "vlan" in other):
        raise Refused("ifconfig: SIOCSETVLAN: File exists")
    vlan.update(tag=tag, parent=parent)
