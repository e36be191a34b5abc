# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel must have after LAGGs were made: the LAGGs themselves, and all that was there before under its new names. Pure."""

from __future__ import annotations

from typing import Any, Collection, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

Lagg = Mapping[str, Any]
Links = Mapping[str, Dict[str, Any]]


class Kept(NamedTuple):
    """What a change must carry over, under the names that the devices have afterwards.

    Attributes:
        addresses: by device: its own, and the virtual ones.
        leased: devices with an address that a server or router lent; another one may come there.
        up: devices that had a link.
        sync: where state updates travel, None where the change does not touch that.
        routes: destination, gateway and device of each, on a platform that must bring them back itself.
    """

    addresses: Dict[str, List[str]]
    leased: List[str]
    up: List[str]
    sync: Optional[str]
    routes: Sequence[Sequence[str]] = ()


def kept(moves: Sequence[Mapping[str, str]], links: Links) -> Kept:
    """What is there before the change.

    Args:
        moves: by the names of now, those of afterwards.
    """
    addresses: Dict[str, List[str]] = {}
    leased: List[str] = []
    up: List[str] = []
    for device, target in [item for move in moves for item in move.items()]:
        row = links.get(device)
        stated = [address for address in row["addresses"] if address not in row["leased"] and not address.lower().startswith("fe80:")] if row else []
        addresses.update({target: addresses.get(target, []) + stated} if stated else {})
        leased += [target] if row and [address for address in row["leased"] if ":" not in address] else []
        up += [target] if row and row["up"] and target not in up else []
    return Kept(addresses, leased, up, None)


def is_lagg(links: Links, device: str) -> bool:
    """Whether it is there and is one."""
    return (links.get(device) or {"lagg": None})["lagg"] is not None


def upon(links: Links, device: str) -> List[str]:
    """The VLANs that run on a device."""
    return [name for name, row in links.items() if row["vlan"] is not None and row["vlan"]["parent"] == device]


def carried(lagg: Lagg, found: Collection[str]) -> Dict[str, str]:
    """The VLANs that are there by the names that they have afterwards: those that the options name first, in their order."""
    named = {move["from_device"]: move["to_device"] for move in lagg["moves"] if move["vlan"] is not None}
    return {device: named.get(device, device) for device in [*(one for one in named if one in found), *sorted(set(found) - set(named))]}


def in_order(lagg: Lagg) -> List[str]:
    """Its members, the one that is preferred first."""
    primary = lagg["primary"] if lagg["protocol"] == "failover" else None
    return sorted(lagg["members"], key=lambda member: bool(member != (primary or lagg["members"][0])))


def fast(lagg: Lagg) -> Optional[bool]:
    """Whether LACP is to send often; None where it is not stated, or there is none."""
    rate = lagg["lacp_rate"] if lagg["protocol"] == "lacp" else None
    return None if rate is None else bool(rate == "fast")


def as_running(lagg: Lagg, links: Links) -> Iterator[Tuple[str, Any, Any]]:
    """Where the kernel's LAGG is another one: what, what it is, what is wanted."""
    name, row = lagg["name"], links.get(lagg["name"])
    now = row["lagg"] if row is not None else None
    if row is None or now is None:
        yield name, "absent" if row is None else row["kind"], "%s of %s" % (lagg["protocol"], ", ".join(lagg["members"]))
        return
    pairs = [("members", sorted(now["members"]), sorted(lagg["members"])), ("protocol", now["protocol"], lagg["protocol"])]
    pairs += [("hash", now["hash"], lagg["hash"])] if lagg["hash"] is not None and now["hash"] is not None else []
    pairs += [("lacp_rate", now["lacp_rate"], lagg["lacp_rate"])] if lagg["lacp_rate"] is not None and now["lacp_rate"] is not None else []
    pairs += [("primary", now["primary"], lagg["primary"] or lagg["members"][0])] if lagg["protocol"] == "failover" and now["primary"] is not None else []
    pairs += [("mtu", row["mtu"], lagg["mtu"])] if lagg["mtu"] is not None else []
    for setting, is_, wanted in pairs:
        if is_ != wanted:
            yield "%s.%s" % (name, setting), is_, wanted
    for vlan in lagg["vlans"]:
        own = links.get(vlan["name"])
        if own is None or own["vlan"] != {"id": vlan["id"], "parent": name}:
            yield vlan["name"], "absent" if own is None else "another device", "VLAN %s of %s" % (vlan["id"], name)


def trouble(laggs: Sequence[Lagg], links: Links, sync: Optional[str], wanted: Kept) -> List[str]:
    """Why what was made is not what was wanted; empty when it is.

    Args:
        sync: the device where state updates travel now.
    """
    found = ["%s is %s instead of %s" % difference for lagg in laggs for difference in as_running(lagg, links)]
    for device, addresses in wanted.addresses.items():
        there = (links.get(device) or {"addresses": []})["addresses"]
        missing = [address for address in addresses if address not in there]
        found += ["%s lacks %s" % (device, ", ".join(missing))] if missing else []
    found += ["%s was lent no address" % device for device in wanted.leased if not (links.get(device) or {"leased": []})["leased"]]
    if wanted.sync is not None and sync != wanted.sync:
        found.append("pfsync sends by %s instead of %s" % (sync, wanted.sync))
    for lagg in laggs:
        row = links.get(lagg["name"])
        if row is not None and row["lagg"] is not None and not row["up"] and any(port["up"] for port in row["lagg"]["ports"]):
            found.append("%s has no carrier, although a member has" % lagg["name"])
    # A card may take some seconds for its link after its settings were changed; what never gets one again must not be confirmed.
    return found + ["%s has no link, and had one before" % device for device in wanted.up if device in links and not links[device]["up"]]


def lost_routes(wanted: Kept, there: Sequence[Mapping[str, Any]]) -> List[str]:
    """Why the routes are not all there that are to be brought back.

    Args:
        there: ``destination``, ``gateway`` and ``device`` of each that there is.
    """
    found = [(route["destination"], route["gateway"], route["device"]) for route in there]
    return ["the route to %s by %s on %s is missing" % tuple(route) for route in wanted.routes if tuple(route) not in found]
