# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node's devices and what lies upon what: VLANs on ports and LAGGs, LAGGs on ports. Evidence is not trusted: what is not as described is unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Iterator, Mapping

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.addresses import Interface, read_interface

KINDS = ("port", "vlan", "lagg", "bridge", "other")
# A VLAN that is named after what it lies on: eth0.10, and em0_vlan10 as older pfSense and OPNsense name it.
_DERIVED = re.compile(r"(?P<parent>.+?)(?:\.|_vlan)(?P<tag>[1-9][0-9]{0,3})")
# A LAGG by its name, where evidence does not say what a device is.
_LAGG_NAME = re.compile(r"(lagg|bond|trunk|aggr|team)[0-9]+")
# VLANs upon VLANs; deeper than this is no network, and possibly has no end.
_DEEPEST = 8


@dataclass(frozen=True)
class Lagg:
    """How a LAGG is set; None is unknown or the platform's default."""

    protocol: str | None
    members: tuple[str, ...] | None
    hash: str | None
    lacp_rate: str | None
    primary: str | None
    min_links: int | None


_UNKNOWN = Lagg(None, None, None, None, None, None)


@dataclass(frozen=True)
class Device:
    """One device; None is unknown, for ``vlan``, ``lagg`` and ``master`` also that it is none or has none. ``vlan`` is (tag, parent)."""

    name: str
    kind: str | None
    mtu: int | None
    speed: int | None
    addresses: tuple[Interface, ...]
    vlan: tuple[int, str] | None
    lagg: Lagg | None
    master: str | None


class Devices:
    """The devices of one node by name, or nothing known (``known`` is false, and there are none)."""

    def __init__(self, interfaces: Any) -> None:
        self.known = isinstance(interfaces, list)
        items = interfaces if isinstance(interfaces, list) else []
        self._all = {item["name"]: _device(item) for item in items if isinstance(item, dict) and isinstance(item.get("name"), str)}
        self._owners = {member: device.name for device in self._all.values() if device.lagg is not None for member in device.lagg.members or ()}

    def __iter__(self) -> Iterator[Device]:
        return iter(self._all.values())

    def __contains__(self, name: object) -> bool:
        return name in self._all

    def get(self, name: str | None) -> Device | None:
        """The device of this name."""
        return self._all.get(name) if name is not None else None

    def lagg(self, name: str) -> Lagg | None:
        """How a LAGG is set, None when the device is none; where evidence does not tell what the device is, its name does."""
        device = self._all.get(name)
        if device is not None and (device.lagg is not None or device.kind is not None):
            return device.lagg
        return _UNKNOWN if _LAGG_NAME.fullmatch(name) and (device is not None or not self.known) else None

    def owner(self, name: str) -> str | None:
        """The LAGG that has this device as a member."""
        return self._owners.get(name)

    def vlan(self, name: str) -> tuple[int, str] | None:
        """Tag and parent of a VLAN: as evidence tells, else as its name does."""
        device = self._all.get(name)
        if device is not None and (device.vlan is not None or device.kind not in (None, "vlan")):
            return device.vlan
        derived = _DERIVED.fullmatch(name)
        if derived is None or (self.known and self.carrier(derived["parent"]) not in self._all):
            return None
        return int(derived["tag"]), derived["parent"]

    def bottom(self, name: str) -> str:
        """The port or LAGG (or whatever it is) that the device lies on; itself when it is no VLAN."""
        for _level in range(_DEEPEST):
            vlan = self.vlan(name)
            if vlan is None:
                break
            name = vlan[1]
        return name

    def carrier(self, name: str, deepest: int = _DEEPEST) -> str:
        """The device that now carries what the intent says of this one.

        A port that has become the member of a LAGG stands for the LAGG, and a VLAN that has moved along for the VLAN that there is now.
        """
        if name in self._all:
            return self._owners.get(name, name)
        derived = _DERIVED.fullmatch(name) if deepest else None
        if derived is None:
            return name
        parent = self.carrier(derived["parent"], deepest - 1)
        moved = [device.name for device in self._all.values() if device.vlan == (int(derived["tag"]), parent)]
        return moved[0] if moved else name

    def upon(self, name: str) -> list[Device]:
        """The VLANs that lie on the device, directly or on one another, in the order in which they must be made."""
        found: list[Device] = []
        waiting = [name]
        while waiting and len(found) <= len(self._all):
            parent = waiting.pop(0)
            vlans = [device for device in self._all.values() if device.name != name and (self.vlan(device.name) or (0, None))[1] == parent]
            found += vlans
            waiting += [device.name for device in vlans]
        return list(dict.fromkeys(found))


def addresses(values: Any) -> tuple[Interface, ...]:
    """The addresses in a list of texts; what is no address is left out."""
    read = []
    for value in values if isinstance(values, list) else []:
        try:
            read.append(read_interface(value) if isinstance(value, str) else None)
        except ValueError:
            continue
    return tuple(address for address in read if address is not None)


def _device(item: Mapping[str, Any]) -> Device:
    kind = item.get("kind")
    lagg = _lagg(item.get("lagg"))
    if lagg is None and kind == "lagg":
        lagg = _UNKNOWN
    return Device(item["name"], kind if kind in KINDS else None, _number(item.get("mtu")), _number(item.get("speed")), addresses(item.get("addresses")),
                  _vlan(item.get("vlan")), lagg, _text(item.get("master")))


def _vlan(value: Any) -> tuple[int, str] | None:
    if not isinstance(value, dict):
        return None
    tag, parent = _number(value.get("id")), _text(value.get("parent"))
    return None if tag is None or parent is None else (tag, parent)


def _lagg(value: Any) -> Lagg | None:
    if not isinstance(value, dict):
        return None
    members = value.get("members")
    names = tuple(member for member in members if isinstance(member, str)) if isinstance(members, list) else None
    return Lagg(_text(value.get("protocol")), names, _text(value.get("hash")), _text(value.get("lacp_rate")), _text(value.get("primary")),
                _number(value.get("min_links")))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
