# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between a LAGG as wanted and the running kernel, and what a change of it touches. Pure."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Set

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg_links import HASHING

Lagg = Mapping[str, Any]
Links = Mapping[str, Dict[str, Any]]
Drift = List[Dict[str, Any]]
Route = Dict[str, Any]

DEFAULTS = {"hash": "l2", "lacp_rate": "slow", "min_links": 0}


def settings(lagg: Lagg, links: Links) -> Dict[str, Any]:
    """The settings that have a meaning with the protocol. What is not stated stays as it is, or is the driver's default."""
    now = (links.get(lagg["name"]) or {}).get("lagg") or {}
    names = (["hash"] if lagg["protocol"] in HASHING else []) + (["lacp_rate", "min_links"] if lagg["protocol"] == "lacp" else [])
    same = now.get("protocol") == lagg["protocol"]
    found: Dict[str, Any] = {name: next((value for value in (lagg[name], now.get(name) if same else None) if value is not None), DEFAULTS[name])
                             for name in names}
    if lagg["protocol"] == "failover":
        found["primary"] = lagg["primary"] or lagg["members"][0]
    return found


def differences(lagg: Lagg, links: Links) -> Drift:
    """What the kernel does not have as wanted; empty when nothing is left to do."""
    return list(_own(lagg, links)) + list(_vlans(lagg, links)) + list(_moves(lagg, links))


def _own(lagg: Lagg, links: Links) -> Iterator[Dict[str, Any]]:
    name, link = lagg["name"], links.get(lagg["name"])
    if link is None or link["lagg"] is None:
        yield {"setting": name, "is": "absent" if link is None else link["kind"], "wanted": "%s of %s" % (lagg["protocol"], ", ".join(lagg["members"]))}
        return
    now = link["lagg"]
    wanted = dict(settings(lagg, links), protocol=lagg["protocol"])
    if sorted(now["members"]) != sorted(lagg["members"]):
        yield {"setting": name + ".members", "is": now["members"], "wanted": list(lagg["members"])}
    for setting in sorted(wanted):
        if now.get(setting) != wanted[setting]:
            yield {"setting": "%s.%s" % (name, setting), "is": now.get(setting), "wanted": wanted[setting]}
    if lagg["mtu"] is not None and link["mtu"] != lagg["mtu"]:
        yield {"setting": name + ".mtu", "is": link["mtu"], "wanted": lagg["mtu"]}


def _vlans(lagg: Lagg, links: Links) -> Iterator[Dict[str, Any]]:
    for wanted in lagg["vlans"]:
        link = links.get(wanted["name"])
        now = None if link is None else link["vlan"]
        if now != {"id": wanted["id"], "parent": lagg["name"]}:
            told = "absent" if link is None else link["kind"] if now is None else "VLAN %s of %s" % (now["id"], now["parent"])
            yield {"setting": wanted["name"], "is": told, "wanted": "VLAN %s of %s" % (wanted["id"], lagg["name"])}


def _moves(lagg: Lagg, links: Links) -> Iterator[Dict[str, Any]]:
    for move in lagg["moves"]:
        source = links.get(move["from_device"])
        if source is None or move["from_device"] == move["to_device"]:
            continue
        if source["kind"] in ("vlan", "lagg"):
            yield {"setting": move["from_device"], "is": "present", "wanted": "is now %s" % move["to_device"]}
        elif own_addresses(source, move["virtual"]):
            yield {"setting": move["from_device"] + ".addresses", "is": own_addresses(source, move["virtual"]), "wanted": "on %s" % move["to_device"]}


def own_addresses(link: Mapping[str, Any], virtual: List[str]) -> List[str]:
    """Addresses that are configured on a device: not lent to it, not link-local, and not the cluster's virtual ones."""
    return [address for address in link["addresses"] if address not in link["leased"] and address not in virtual
            and not address.lower().startswith("fe80:")]


class Kept(NamedTuple):
    """What a change must carry over: addresses by device, and routes (``dst``, ``gateway``, ``dev``), under the names that the devices have afterwards."""

    addresses: Dict[str, List[str]]
    routes: List[Route]


def expected(lagg: Lagg, links: Links, routes: List[Route]) -> Kept:
    """What must be there when all is done, from where it is before."""
    targets = {move["from_device"]: move["to_device"] for move in lagg["moves"]}
    targets.update({device: device for device in [lagg["name"]] + [vlan["name"] for vlan in lagg["vlans"]]})
    return Kept(_addresses(lagg, links), [dict(route, dev=targets[route["dev"]]) for route in routes if route["dev"] in targets])


def _addresses(lagg: Lagg, links: Links) -> Dict[str, List[str]]:
    found: Dict[str, List[str]] = {}
    for target in [lagg["name"]] + [vlan["name"] for vlan in lagg["vlans"]]:
        move = next((one for one in lagg["moves"] if one["to_device"] == target), None)
        link = links.get(move["from_device"] if move else target)
        addresses = own_addresses(link, move["virtual"] if move else []) if link else []
        if addresses:
            found[target] = addresses
    return found


def trouble(lagg: Lagg, links: Links, routes: List[Route], kept: Kept) -> List[str]:
    """Why a LAGG that was just made is not what was wanted; empty when it is."""
    found = ["%s is %s instead of %s" % (item["setting"], item["is"], item["wanted"]) for item in differences(lagg, links)]
    for device, wanted in kept.addresses.items():
        missing = [address for address in wanted if address not in (links.get(device) or {"addresses": []})["addresses"]]
        found += ["%s lacks %s" % (device, ", ".join(missing))] if missing else []
    found += ["the route to %s by %s on %s is missing" % (route["dst"], route["gateway"] or "no gateway", route["dev"])
              for route in kept.routes if route not in routes]
    link = links.get(lagg["name"])
    if link is not None and link["lagg"] is not None and not link["up"] and any(port["up"] for port in link["lagg"]["ports"]):
        found.append("%s has no carrier, although a member has" % lagg["name"])
    return found


def touched(lagg: Lagg, links: Links) -> Set[str]:
    """Every device that a change of the LAGG interrupts: its members, what is moved, and whatever lies on any of them."""
    found = {lagg["name"], *lagg["members"], *(move["from_device"] for move in lagg["moves"])}
    grown = True
    while grown:
        above = {name for name, link in links.items() if name not in found and found & below(link, links)}
        above |= {links[name]["master"] for name in found if name in links and links[name]["master"] is not None} - found
        found |= above
        grown = bool(above)
    return found


def below(link: Mapping[str, Any], links: Links) -> Set[str]:
    """The devices that one lies on directly."""
    parents = {link["vlan"]["parent"]} if link["vlan"] else set()
    return parents | {name for name, other in links.items() if other["master"] == link["name"]}
