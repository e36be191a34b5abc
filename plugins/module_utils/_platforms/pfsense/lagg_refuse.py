# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a LAGG cannot be on this node, found before anything is touched. Pure.

The product's pages keep members apart from ports that are in use; its functions do not, and skip a member that is not there without a word.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import lagg_refuse as common
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Lagg, Links
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.lagg_steps import Configured
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import Release

PROTOCOLS = ("lacp", "failover", "loadbalance", "roundrobin", "none")
# interfaces_lagg_edit.php has the hash since then.
HASH_SINCE = ((2, 7, 0), (23, 1, 0))
# What would be left behind on the port; packages and settings go on naming it too, but most of them do no harm by that.
LEFT_BEHIND = ("qinq", "ppp", "bridge", "gif", "gre", "wireless")


def judge(laggs: Sequence[Lagg], now: Configured, links: Links, release: Release) -> None:
    """Refuse what cannot be, all of it at once.

    Raises:
        NodeError: with a line for each.
    """
    owned: Dict[str, str] = {}
    common.refuse([problem for lagg in laggs for problem in (
        *_settings(lagg, release), *common.primary(lagg), *common.members(lagg, links, owned, partial(_in_use, lagg=lagg, now=now)), *_moves(lagg, now),
        *_riders(lagg, now))])


def referring(named: Sequence[Mapping[str, Any]]) -> List[str]:
    """What goes on naming a device that is touched, in words; for the user to see to.

    Args:
        named: rows of the evidence ``references``, of all devices that are touched.
    Raises:
        NodeError: something that would stop working.
    """
    words = {row["kind"]: [] for row in named}  # type: Dict[str, List[str]]
    for row in named:
        words[row["kind"]].append("%s (%s)" % (row["where"], row["device"]))
    left = ["%s: %s" % (kind, ", ".join(words[kind])) for kind in LEFT_BEHIND if kind in words]
    if left:
        raise NodeError("this cannot be moved along with what it is on, and would be left behind or taken down: %s; take it off first, and make it anew on "
                        "the LAGG; nothing was touched" % "; ".join(left))
    return ["%s goes on naming %s, which becomes a member of a LAGG or another device: see what it should name" % (row["where"], row["device"])
            for row in named]


def _settings(lagg: Lagg, release: Release) -> List[str]:
    name, found = lagg["name"], []
    if lagg["protocol"] not in PROTOCOLS:
        found.append("%s: pfSense has no protocol %s; it has: %s" % (name, lagg["protocol"], ", ".join(PROTOCOLS)))
    if lagg["min_links"] is not None:
        found.append("%s: min_links cannot be set on pfSense; leave it out" % name)
    if lagg["hash"] is not None and not release.since(*HASH_SINCE):
        found.append("%s: hash cannot be set on %s; it came with 2.7.0; leave it out" % (name, release))
    return found


def _in_use(member: str, lagg: Lagg, now: Configured) -> Optional[str]:
    own = common.own_names(lagg)
    owners = [row.get("laggif") for row in now.laggs if member in (row.get("members") or "").split(",") and row.get("laggif") not in own]
    if owners:
        return "is a member of %s" % owners[0]
    if member in own:
        return None
    keys = now.on(member)
    if keys:
        return "is assigned to %s (%s); free it first" % (keys[0], now.interfaces[keys[0]].get("descr") or "no name")
    vlans = now.vlans_on(member)
    return "carries VLAN %s; move that first" % vlans[0].get("tag") if vlans else None


def _moves(lagg: Lagg, now: Configured) -> List[str]:
    name, found = lagg["name"], []
    for move in lagg["moves"]:
        device = move["from_device"]
        moved = now.lagg(name) is not None and not now.on(device)  # a LAGG that is there no more
        if move["vlan"] is None and device != name and device not in lagg["members"] and now.lagg(device) is None and not moved:
            found.append("%s: %s is to be moved onto it and is neither one of its members nor a LAGG" % (name, device))
    return found


def _riders(lagg: Lagg, now: Configured) -> List[str]:
    """Interfaces that cannot be on a LAGG, or not be taken off for a moment."""
    name, found = lagg["name"], []
    devices = dict.fromkeys([name, *(move["from_device"] for move in lagg["moves"])])
    for device, key in [(one, key) for one in devices for key in now.on(one)]:
        bridges = [members for members in now.bridged.values() if key in (members or "").split(",")]
        if "wireless" in now.interfaces[key]:
            found.append("%s: %s (%s) is wireless, and cannot be on a LAGG" % (name, key, device))
        if bridges:
            found.append("%s: %s (%s) is a member of a bridge, which would go on using the port; take it off the bridge first" % (name, key, device))
    return found
