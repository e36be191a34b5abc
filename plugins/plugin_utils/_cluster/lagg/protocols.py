# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each platform's LAGG can do and how it is named, kept as data with its source."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Mapping, Pattern

# The first release that has something: of the edition with small numbers, and of the one that counts years.
Since = tuple[tuple[int, ...], tuple[int, ...]]
PROTOCOLS = ("lacp", "failover", "loadbalance", "roundrobin", "broadcast", "none")
DEFAULT_PROTOCOL = "failover"
HASHES = ("l2", "l3", "l4", "l2+l3", "l3+l4", "l2+l4", "l2+l3+l4")
LACP_RATES = ("slow", "fast")

# With these a single member is no contradiction; the others share traffic out between members.
SINGLE = ("failover", "none")
# All members carry traffic at once, so a slower one holds the others up; LACP leaves a member of another speed out altogether (lagg(4), bonding.rst).
SHARING = ("lacp", "loadbalance", "roundrobin", "broadcast")
# Protocols that an option has a meaning with.
MEANT = {"hash": ("lacp", "loadbalance"), "lacp_rate": ("lacp",), "min_links": ("lacp",), "crossover": ("lacp",), "primary": ("failover",)}

# pfsync(4) on FreeBSD kernels up to 14: m_get2() has no buffer above MJUMPAGESIZE (4096), so with a larger MTU nothing is ever sent
# (opnsense/src issue 316, opnsense/core issue 4540). FreeBSD 15 takes m_get3().
PFSYNC_MTU = 4080


@dataclass(frozen=True)
class Platform:
    """A platform's LAGGs.

    Attributes:
        title: its name in a sentence.
        protocols: those that it has.
        hashes: what traffic can be shared out by; empty where that cannot be set.
        options: further options that it has.
        since: the releases that brought an option; absent for all releases.
        prefixes: what names begin with, by protocol; the key None is for all others.
        first: the first number.
        name: names that a LAGG may have.
        reserved: names that the platform gives by itself, and what it gives them to.
        assigns: whether it names a new LAGG by itself, with the first free number.
        mtu: the largest MTU that state sync can use, and the release of the kernel that lifts it.
    """

    title: str
    protocols: tuple[str, ...]
    hashes: tuple[str, ...] = HASHES
    options: tuple[str, ...] = ("lacp_rate",)
    since: Mapping[str, Since] = field(default_factory=dict)
    prefixes: Mapping[str | None, str] = field(default_factory=lambda: {None: "lagg"})
    first: int = 0
    name: Pattern[str] = re.compile(r"lagg[0-9]{1,3}")
    reserved: tuple[tuple[Pattern[str], str], ...] = ()
    assigns: bool = False
    mtu: tuple[int, tuple[int, ...] | None] | None = None


# Linux names: Documentation/networking/bonding.rst (with its default max_bonds=1 the driver makes a bond0 as it is loaded); the kernel's own names of
# devices, and those of systemd.net-naming-scheme(7), which udev gives to NICs at the next boot.
_LINUX_RESERVED = (
    (re.compile(r"bond0"), "the bond that the bonding driver makes by itself when it is loaded"),
    (re.compile(r"(eth|wlan|wwan|usb|ib|sl|veth|tun|tap|dummy|ifb|sit|gre|vlan|br|virbr|docker)[0-9]+|lo"), "devices of its own"),
    (re.compile(r"(en|ib|sl|wl|ww)[a-z]*[0-9][A-Za-z0-9_]*"), "network cards"),
)

# Sources: Linux Documentation/networking/bonding.rst; FreeBSD lagg(4) and ifconfig(8) (broadcast since 10.1); OpenBSD trunk(4), aggr(4);
# pfSense interfaces_lagg_edit.php by branch; OPNsense Interfaces/Lagg.xml and LaggSettingsController.php.
PLATFORMS: Mapping[str, Platform] = {
    "linux": Platform("Linux", ("lacp", "failover", "loadbalance", "roundrobin", "broadcast"), ("l2", "l2+l3", "l3+l4"), ("lacp_rate", "min_links"),
                      prefixes={None: "bond"}, first=1, name=re.compile(r"(?s:.+)"), reserved=_LINUX_RESERVED),
    "freebsd": Platform("FreeBSD", PROTOCOLS, mtu=(PFSYNC_MTU, (15,))),
    "openbsd": Platform("OpenBSD", PROTOCOLS, hashes=(), prefixes={"lacp": "aggr", None: "trunk"}, name=re.compile(r"(aggr|trunk)[0-9]{1,3}")),
    "pfsense": Platform("pfSense", ("lacp", "failover", "loadbalance", "roundrobin", "none"),
                        since={"hash": ((2, 7), (23, 1)), "lacp_rate": ((2, 5), (21, 2))}, mtu=(PFSYNC_MTU, None)),
    "opnsense": Platform("OPNsense", ("lacp", "failover", "loadbalance", "roundrobin", "none"), assigns=True, mtu=(PFSYNC_MTU, (26, 7))),
}

# A pfSense release of the Plus edition begins with the year.
PLUS = 20


def release(text: str | None) -> tuple[int, ...] | None:
    """The numbers of a release as its system writes it: 2.4.5-p1 is (2, 4, 5), 14.2-RELEASE is (14, 2)."""
    found = re.match(r"[0-9]{1,4}(?:\.[0-9]{1,4})*", text or "")
    return tuple(int(part) for part in found[0].split(".")) if found else None


def older(text: str | None, since: Since) -> bool | None:
    """Whether a release is from before something came; None when the release is not known."""
    number = release(text)
    return None if number is None else number < since[number[0] >= PLUS]
