# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A test double of a node's LAGGs: what evidence would say after the options of the module lagg were applied. It knows the options, not the planner."""

from __future__ import annotations

import copy
from typing import Any, Dict, Optional

Device = Dict[str, Any]
_KEPT = ("protocol", "hash", "lacp_rate", "primary", "min_links")


def port(name: str, addresses: Any = (), **more: Any) -> Device:
    """A port as evidence shows it."""
    return {"name": name, "kind": "port", "mtu": 1500, "speed": 1000, "addresses": list(addresses), "vlan": None, "lagg": None, "master": None, **more}


def vlan(parent: str, tag: int, addresses: Any = (), name: Optional[str] = None) -> Device:
    """A VLAN as evidence shows it."""
    return port(name or "%s.%d" % (parent, tag), addresses, kind="vlan", vlan={"id": tag, "parent": parent})


def lagg(name: str, members: Any, addresses: Any = (), protocol: str = "failover") -> Device:
    """A LAGG as evidence shows it."""
    return port(name, addresses, kind="lagg", lagg={"protocol": protocol, "members": list(members), "hash": None, "lacp_rate": None, "primary": None,
                                                    "min_links": None})


def evidence(*devices: Device, platform: str = "linux", version: str = "12", **more: Any) -> Dict[str, Any]:
    """Evidence of a node with these devices, read over no network."""
    return {"schema": 1, "platform": platform, "os": {"id": platform, "version": version}, "interfaces": list(devices),
            "management": {"device": None, "address": None}, **more}


def after(found: Dict[str, Any], options: Dict[str, Any]) -> Dict[str, Any]:
    """The evidence of the node when it has made the LAGGs of ``options``, moved what is to be moved, and set what is to be set."""
    result = copy.deepcopy(found)
    devices = {device["name"]: device for device in result["interfaces"]}
    became: Dict[str, str] = {}
    for wanted in options["laggs"]:
        _set(devices, wanted)
        for move in wanted["moves"]:
            _move(devices, wanted, move, became)
    result["interfaces"] = list(devices.values())
    if result.get("management"):
        device = result["management"]["device"]
        result["management"]["device"] = became.get(device, device)
    return result


def _set(devices: Dict[str, Device], wanted: Dict[str, Any]) -> None:
    made = devices.setdefault(wanted["name"], lagg(wanted["name"], wanted["members"]))
    made["lagg"]["members"] = list(wanted["members"])
    made["lagg"].update({key: wanted[key] for key in _KEPT if wanted[key] is not None})
    made["mtu"] = wanted["mtu"] or devices[wanted["members"][0]]["mtu"]
    for member in wanted["members"]:
        devices[member]["mtu"] = made["mtu"]


def _move(devices: Dict[str, Device], wanted: Dict[str, Any], move: Dict[str, Any], became: Dict[str, str]) -> None:
    source, target = devices[move["from_device"]], move["to_device"]
    became[source["name"]] = target
    if move["vlan"] is None:
        devices[target]["addresses"], source["addresses"] = source["addresses"], []
        devices[target]["master"], source["master"] = source["master"], None
        if source["lagg"] is not None:
            del devices[source["name"]]
        return
    del devices[source["name"]]
    source["vlan"]["parent"] = became.get(source["vlan"]["parent"], wanted["name"])
    devices[target] = dict(source, name=target)
