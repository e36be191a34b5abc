# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a LAGG cannot be on any of the systems that have lagg(4) or its kin. Pure."""

from __future__ import annotations

from typing import Any, Callable, Collection, Dict, List, Mapping, Optional, Sequence, Set

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Lagg, Links
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

Row = Mapping[str, Any]


def refuse(found: Sequence[str]) -> None:
    """Say all of it at once.

    Raises:
        NodeError: there is something.
    """
    if found:
        raise NodeError("; ".join(found) + "; nothing was touched")


def members(lagg: Lagg, links: Links, owned: Dict[str, str], in_use: Callable[[str], Optional[str]]) -> List[str]:
    """Why its members cannot be such.

    Args:
        owned: the LAGG of each member so far; those of this one are added.
        in_use: how a port is used otherwise; None when it is not.
    """
    name, found = lagg["name"], [] if lagg["members"] else ["%s: it has no members" % lagg["name"]]
    for member in lagg["members"]:
        row = links.get(member)
        reason: Optional[str] = None
        if row is None:
            ports = ", ".join(sorted(link for link, one in links.items() if one["kind"] == "port")) or "none"
            reason = "is no device of this node, which has: %s" % ports
        elif row["kind"] != "port":
            reason = "is a %s, which cannot be one" % row["kind"]
        elif owned.setdefault(member, name) != name or lagg["members"].count(member) > 1:
            reason = "is named twice"
        else:
            reason = in_use(member)
        found += ["%s: the member %s %s" % (name, member, reason)] if reason else []
    return found


def ports(lagg: Lagg, links: Links, owned: Dict[str, str], used: Callable[[str], Optional[str]]) -> List[str]:
    """The same where the node runs what its files say: also why the members do not fit each other, or run otherwise.

    Args:
        used: how the files use a device that is not on the LAGG yet.
    """
    own = own_names(lagg)

    def in_use(member: str) -> Optional[str]:
        return _running(links[member], own, member in own) or (None if member in own else used(member))
    sizes = {links[member]["mtu"] for member in lagg["members"] if member in links}
    found = members(lagg, links, owned, in_use)
    if lagg["mtu"] is None and len(sizes) > 1:
        # lagg(4) and trunk(4) take the size of the first port and refuse others.
        found.append("%s: its members have different MTUs (%s); state mtu" % (lagg["name"], ", ".join(str(size) for size in sorted(sizes, key=str))))
    return found


def own_names(lagg: Lagg) -> Set[str]:
    """The LAGG itself, and what goes onto it."""
    return {lagg["name"], *(move["from_device"] for move in lagg["moves"])}


def _running(row: Row, own: Set[str], moved: bool) -> Optional[str]:
    if row["master"] is not None and row["master"] not in own:
        return "is a member of %s" % row["master"]
    held = [address for address in row["addresses"] if not address.lower().startswith("fe80:")]
    return "has %s, which it would lose; move it first" % ", ".join(held) if held and not moved else None


def primary(lagg: Lagg) -> List[str]:
    """Why its preferred member cannot be one."""
    wrong = lagg["primary"] is not None and lagg["primary"] not in lagg["members"]
    return ["%s: the primary %s is no member" % (lagg["name"], lagg["primary"])] if wrong else []


def moves(lagg: Lagg, links: Links, configured: Collection[str]) -> List[str]:
    """Why what is to go onto it cannot.

    Args:
        configured: devices that are made at the next start of the machine.
    """
    name, found = lagg["name"], []
    for move in lagg["moves"]:
        device = move["from_device"]
        row = links.get(device)
        if row is None and device not in configured and name in links:
            continue  # it is there no more, for it was moved
        if move["vlan"] is None and device not in (name, *lagg["members"]) and (row is None or row["lagg"] is None):
            found.append("%s: %s is to be moved onto it and is neither one of its members nor a LAGG" % (name, device))
    return found
