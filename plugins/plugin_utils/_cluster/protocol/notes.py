# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people with clusters should know about a release: how a format is chosen, which defaults have changed, and the guide to its upgrade."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import PFSENSE, Note

# How an older format is chosen.
_BY_COMMAND = ("pfSense has no setting for it: ifconfig pfsync0 version {format} sets it until the next boot; with this collection state "
               "hafirewall_cluster.sync.format: {format} and run site, which keeps it across boots")
HOW = {
    "pfsense-ce": _BY_COMMAND,
    "pfsense-plus": _BY_COMMAND,
    "opnsense": "in System: High Availability: Settings choose Sync compatibility (pfsyncversion) {format} and apply; by its API that is hasync.pfsyncversion",
    "freebsd": "in /etc/rc.conf add \"version {format}\" to pfsync_ifconfig, as pfsync_ifconfig=\"version {format}\", and set it once with "
               "ifconfig pfsync0 version {format}; with this collection state hafirewall_cluster.sync.format: {format} and run site",
    "openbsd": "",
    "linux": "",
}

_NETGATE = "https://docs.netgate.com/pfsense/en/latest"
_GUIDES = {
    "pfsense-ce": f"{_NETGATE}/install/upgrade-guide-ha.html",
    "pfsense-plus": f"{_NETGATE}/install/upgrade-guide-ha.html",
    "opnsense": "https://docs.opnsense.org/manual/how-tos/carp.html",
    "freebsd": "https://docs.freebsd.org/en/books/handbook/cutting-edge/",
    "openbsd": "https://www.openbsd.org/faq/index.html",
    "linux": "https://conntrack-tools.netfilter.org/manual.html",
}
# The way of an upgrade, as each guide has it.
_ORDER = {
    "pfsense-ce": "the secondary first, then persistent CARP maintenance mode on the primary, then the primary; a backup of both before",
    "pfsense-plus": "the secondary first, then persistent CARP maintenance mode on the primary, then the primary; a backup of both before",
    "opnsense": "the secondary first, then persistent CARP maintenance mode on the primary, then the primary; the mode survives a reboot",
    "freebsd": "the standby first; kernel and userland of one release, for an older ifconfig sets the format back to the default with each word that it says",
    "openbsd": "the standby first, one release at a time: sysupgrade skips none",
    "linux": "the standby first; nothing has to be chosen, for there is one protocol",
}


@dataclass(frozen=True)
class Change:
    """A note about releases from ``since`` on and before ``before``; None is open."""

    platforms: tuple[str, ...]
    since: tuple[int, ...] | None
    before: tuple[int, ...] | None
    note: Note


_PF = "https://man.freebsd.org/cgi/man.cgi?query=pfsync&sektion=4"
_KNOB = "https://reviews.freebsd.org/D39392"
_POLICY = "states are bound to interface names unless a state policy is set; it was floating before, and it is not sent by XMLRPC: choose floating on both " \
          "nodes, or give the devices one name with LAGGs, before the upgrade"
_HOST_ID = "the host id is chosen (pfhostid), by default from the device's own id; two clones may have one: give each node its own"
_BASES = "Netgate says that releases with different FreeBSD bases may not be able to synchronise states; failover itself still works"
_UNKNOWN_KERNEL = "its kernel is from between two releases of FreeBSD: whether ifconfig pfsync0 shows version: on the node tells which formats it has"

CHANGES = (
    Change(("pfsense-ce",), (2, 7), (2, 9), Note(_UNKNOWN_KERNEL, _KNOB)),
    Change(("pfsense-plus",), (23, 1), (26, 1), Note(_UNKNOWN_KERNEL, _KNOB)),
    Change(("pfsense-ce",), (2, 7), None, Note(_HOST_ID, "https://redmine.pfsense.org/issues/12702")),
    Change(("pfsense-plus",), (22, 5), None, Note(_HOST_ID, "https://redmine.pfsense.org/issues/12702")),
    Change(("pfsense-ce",), (2, 8), None, Note(f"{_POLICY} (that 2.8.0 has it follows from the dates of commits)",
                                               "https://redmine.pfsense.org/issues/15173")),
    Change(("pfsense-plus",), (24, 3), None, Note(_POLICY, "https://redmine.pfsense.org/issues/15173")),
    Change(PFSENSE, None, None, Note(_BASES, f"{_NETGATE}/highavailability/pfsync.html")),
    Change(("opnsense",), (24, 7), None, Note("an upgrade from before 24.7 keeps format 1301, a new installation begins with the default: compare "
                                              "pfsyncversion on both nodes", "https://github.com/opnsense/core/issues/7485")),
    Change(("opnsense",), (24, 7, 4), None, Note("an upgrade from 24.1 straight to this may land on the default instead of 1301 (read in the code, not tried)",
                                                 "https://github.com/opnsense/core/issues/7485")),
    Change(("opnsense",), (26, 7, 4), None, Note("format 1500 can be chosen, and a new installation begins with it; choose it on both nodes after both have "
                                                 "been upgraded", "https://github.com/opnsense/core/issues/10829")),
    Change(("opnsense",), None, None, Note("its manual has a chapter on the upgrade of a CARP cluster; read the release notes too",
                                           _GUIDES["opnsense"])),
    Change(("opnsense",), None, None, Note("states are not synced where the names of interfaces differ; a LAGG of one port gives them one name",
                                           "https://docs.opnsense.org/manual/how-tos/carp.html")),
    Change(("freebsd",), (14,), None, Note("a kernel sends its newest format unless a version is set, and the setting is not kept across a boot without "
                                           "rc.conf", _PF)),
    Change(("freebsd",), (15,), None, Note("format 1500 can be set on 15 only: 14 refuses it, so pin 1400 before the first node is upgraded, and lift it when "
                                           "all are", "https://reviews.freebsd.org/D52176")),
    Change(("freebsd",), None, (15,), Note("with an MTU of pfsync0 above 4080 nothing is ever sent", "https://github.com/opnsense/src/issues/316")),
    Change(("openbsd",), (4, 5), (4, 6), Note("4.4 and 4.5 do not understand each other", "https://man.openbsd.org/pfsync.4")),
    Change(("openbsd",), (6,), None, Note("a node whose states are shorter is not understood, and nothing counts it: see with verify that states travel",
                                          "https://man.openbsd.org/pfsync.4")),
    Change(("linux",), (1, 2), (1, 3), Note("the protocol is version 1 from here on, and 0 before: no state travels between the two",
                                            "https://conntrack-tools.netfilter.org/manual.html")),
    Change(("linux",), None, None, Note("Mode, group, port and Checksum must be equal on all nodes; a release is that of conntrack-tools, not of the system",
                                        "https://conntrack-tools.netfilter.org/manual.html")),
)


def notes_of(platform: str, numbers: tuple[int, ...]) -> tuple[Note, ...]:
    """What to know about a release, the way of its upgrade last."""
    return (*_changed(platform, numbers), replace(order_of(platform), link=_guide(platform, numbers)))


def order_of(platform: str) -> Note:
    """The way of an upgrade on a platform, with its general guide."""
    return Note(f"order: {_ORDER[platform]}", _GUIDES[platform])


def _changed(platform: str, numbers: tuple[int, ...]) -> Iterator[Note]:
    for change in CHANGES:
        if platform in change.platforms and (change.since is None or numbers >= change.since) and (change.before is None or numbers < change.before):
            yield change.note


def _guide(platform: str, numbers: tuple[int, ...]) -> str:
    """The guide to a release's upgrade, where each release has its own."""
    if platform == "openbsd" and len(numbers) > 1 and numbers >= (3, 5):
        return f"https://www.openbsd.org/faq/upgrade{numbers[0]}{numbers[1]}.html"
    if platform == "freebsd" and len(numbers) > 1 and numbers >= (12,):
        return f"https://www.freebsd.org/releases/{numbers[0]}.{numbers[1]}R/relnotes/"
    if platform == "opnsense" and numbers[1:2] in ((1,), (7,)):
        return f"https://docs.opnsense.org/releases/CE_{numbers[0]}.{numbers[1]}.html"
    return _GUIDES[platform]
