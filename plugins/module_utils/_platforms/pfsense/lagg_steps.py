# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From LAGGs as wanted, the configuration and the devices to what differs and what is to be done, forth and back. Pure.

The order of the product's functions is that of its own pages: the interfaces go down while the configuration still names the old device, the LAGG is
made, then the interface on it, then its VLANs, each with what is on it. A LAGG that is made anew loses its addresses and VLANs, so they are made anew too.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Kept, Lagg, Links, as_running, kept
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, state_sync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.operations import MARK, Operation, insert, put, take

LAGGS, VLANS = ("laggs", "lagg"), ("vlans", "vlan")
FIELDS = ("if", "enable", "descr", "ipaddr", "ipaddrv6", "mtu", "wireless")
BRIDGES = ("bridges", "bridged", "*", "members")
PATHS: Sequence[bridge.Path] = (LAGGS, VLANS, BRIDGES, state_sync.ENABLED, state_sync.INTERFACE, *(("interfaces", "*", field) for field in FIELDS))

# What the product takes where it is not stated (interface_lagg_configure; the hash is the kernel's own).
DEFAULTS = {"lacptimeout": "slow", "lagghash": "l2,l3,l4"}
# Fields of a LAGG that have a meaning with some protocols only; the product's page takes them out with the others.
MEANT = {"failovermaster": ("failover",), "lacptimeout": ("lacp",), "lagghash": ("lacp", "loadbalance")}

Row = Dict[str, Any]
Drift = List[Dict[str, Any]]


class Configured(NamedTuple):
    """The part of the configuration that LAGGs are about."""

    laggs: List[Row]
    vlans: List[Row]
    interfaces: Dict[str, Row]
    bridged: Dict[str, str]
    sync: Optional[str]

    def on(self, device: str) -> List[str]:
        """The keys of the interfaces that a device is assigned to."""
        return [key for key, row in self.interfaces.items() if row.get("if") == device]

    def lagg(self, name: str) -> Optional[Row]:
        """The LAGG of that name."""
        return next((row for row in self.laggs if row.get("laggif") == name), None)

    def vlans_on(self, device: str) -> List[Row]:
        """The VLANs that lie on a device."""
        return [row for row in self.vlans if row.get("if") == device]


class Work(NamedTuple):
    """What is to be done.

    Attributes:
        laggs: names of those that are not as wanted.
        operations, apply, back: for :class:`bridge.Change`.
        touched: by LAGG, every device that is interrupted.
        kept: what must be there afterwards.
    """

    laggs: List[str]
    drift: Drift
    operations: List[Operation]
    apply: List[bridge.Call]
    back: List[bridge.Call]
    touched: Dict[str, Set[str]]
    kept: Kept

    @property
    def devices(self) -> Set[str]:
        """All that are interrupted."""
        return {device for devices in self.touched.values() for device in devices}


def configured(reading: bridge.Reading) -> Configured:
    """Sort what was read at :data:`PATHS`."""
    values = reading.values
    laggs, vlans = ([row for row in values[path] or [] if isinstance(row, dict)] for path in (LAGGS, VLANS))
    sync = values[state_sync.INTERFACE] if values[state_sync.ENABLED] is not None else None
    return Configured(laggs, vlans, reading.rows("interfaces"), values[BRIDGES] or {}, sync)


def device_of(vlan: Mapping[str, Any]) -> str:
    """The device of a VLAN; a configuration without its name has it by the rule that the product gives names by."""
    return vlan.get("vlanif") or "%s.%s" % (vlan.get("if"), vlan.get("tag"))


def compare(laggs: Sequence[Lagg], now: Configured, links: Links) -> Work:
    """What is to be done, for all LAGGs together.

    Args:
        laggs: as in the options of the module lagg, judged already.
        links: rows of the evidence about interfaces, by name.
    Raises:
        NodeError: a VLAN or an interface that is to be there is not in the configuration.
    """
    due = [one for one in (_One(lagg, now, links) for lagg in laggs) if one.drift]
    ends: List[bridge.Call] = [state_sync.RELOAD, ("setup_gateways_monitor", None)] if due else []
    moved = {key for one in due for key in one.keys}
    ends += [state_sync.SET_UP] if now.sync in moved else []
    found = kept([one.targets for one in due], links)
    device = next((one.targets[device] for one in due for device in one.targets if now.sync in now.on(device)), None)
    return Work(
        [one.lagg["name"] for one in due], [item for one in due for item in one.drift], [operation for one in due for operation in one.operations],
        [call for one in due for call in one.apply()] + ends, [call for one in reversed(due) for call in one.back()] + ends,
        {one.name: one.touched() for one in due}, found._replace(sync=device))


class _One:
    """One LAGG: what differs, and its part of the work."""

    def __init__(self, lagg: Lagg, now: Configured, links: Links) -> None:
        self.lagg, self.now, self.links = lagg, now, links
        self.name = lagg["name"]
        self.drift: Drift = []
        self.operations: List[Operation] = []
        self.row = now.lagg(self.name)
        base = next((move["from_device"] for move in lagg["moves"] if move["vlan"] is None), self.name)
        self.base = base
        self.vlans = [(vlan, self._target(vlan)) for device in dict.fromkeys([base, self.name]) for vlan in now.vlans_on(device)]
        self.targets = dict({base: self.name, self.name: self.name}, **{device_of(vlan): target for vlan, target in self.vlans})
        self.keys = [key for device in self.targets for key in now.on(device)]
        self._own()
        self._vlans()
        self._interfaces()
        if not self.drift:
            self.drift = [{"setting": setting + " as running", "is": is_, "wanted": wanted} for setting, is_, wanted in as_running(lagg, links)]

    def _target(self, vlan: Row) -> str:
        device = device_of(vlan)
        return next((move["to_device"] for move in self.lagg["moves"] if move["from_device"] == device), device)

    # What differs

    def _differs(self, setting: str, is_: Any, wanted: Any, *operations: Operation) -> None:
        self.drift.append({"setting": setting, "is": is_, "wanted": wanted})
        self.operations.extend(operations)

    def _own(self) -> None:
        wanted = self._wanted()
        gone = self.now.lagg(self.base) if self.base != self.name else None
        if gone is not None:
            following = self.now.laggs[self.now.laggs.index(gone) + 1:]
            before = {"laggif": following[0]["laggif"]} if following and following[0].get("laggif") else None
            self._differs(self.base, "a LAGG", "is now %s" % self.name, take((*LAGGS, {"laggif": self.base}), gone, before))
        if self.row is None:
            element = dict({"members": wanted.pop("members"), "descr": MARK + self.name, "laggif": self.name}, **wanted)
            self._differs(self.name, "absent", "%s of %s" % (self.lagg["protocol"], ", ".join(self.lagg["members"])),
                          insert(LAGGS, element, {"laggif": self.name}))
            return
        drift = len(self.drift)
        row = {field: value for field, value in self.row.items() if self.lagg["protocol"] in MEANT.get(field, (self.lagg["protocol"],))}
        for field in [field for field in self.row if field not in row]:
            self._differs("%s.%s" % (self.name, field), self.row[field], None)
        for field, value in wanted.items():
            if not self._same(field, value):
                self._differs("%s.%s" % (self.name, field), self.row.get(field), value)
                row[field] = value
        if len(self.drift) > drift:
            # As a whole, so that taking it back brings the old fields in their old order.
            self.operations.append(put((*LAGGS, {"laggif": self.name}), row, self.row))

    def _same(self, field: str, value: str) -> bool:
        row = self.row or {}
        is_ = row.get(field) or DEFAULTS.get(field)
        if field == "failovermaster" and (is_ or "auto") == "auto":
            # The first of the list is the one that is used.
            is_ = (row.get("members") or "").split(",")[0]
        return sorted((is_ or "").split(",")) == sorted(value.split(","))

    def _wanted(self) -> Dict[str, str]:
        lagg = self.lagg
        found = {"members": ",".join(lagg["members"]), "proto": lagg["protocol"]}
        if lagg["protocol"] == "failover":
            found["failovermaster"] = lagg["primary"] or lagg["members"][0]
        if lagg["protocol"] in MEANT["lacptimeout"] and lagg["lacp_rate"] is not None:
            found["lacptimeout"] = lagg["lacp_rate"]
        if lagg["protocol"] in MEANT["lagghash"] and lagg["hash"] is not None:
            found["lagghash"] = lagg["hash"].replace("+", ",")
        return found

    def _vlans(self) -> None:
        for vlan, target in self.vlans:
            device, tag = device_of(vlan), str(vlan.get("tag"))
            if vlan["if"] == self.name and device == target:
                continue
            # Each step names the element by what the other one leaves alone, so that they can be taken back one after the other.
            steps = [] if vlan.get("vlanif") == target else [put((*VLANS, {"if": vlan["if"], "tag": tag}, "vlanif"), target, vlan.get("vlanif"))]
            steps += [] if vlan["if"] == self.name else [put((*VLANS, {"vlanif": target, "tag": tag}, "if"), self.name, vlan["if"])]
            self._differs(device, "VLAN %s of %s" % (tag, vlan["if"]), "VLAN %s of %s, %s" % (tag, self.name, target), *steps)
        there = {(target, str(vlan.get("tag"))) for vlan, target in self.vlans}
        for wanted in self.lagg["vlans"]:
            if (wanted["name"], str(wanted["id"])) not in there:
                raise NodeError("%s: VLAN %s (%s) is not in the configuration of this node; add it in Interfaces, VLANs, on %s, first" % (
                    self.name, wanted["id"], wanted["name"], self.base))

    def _interfaces(self) -> None:
        for device, target in self.targets.items():
            for key in self.now.on(device) if device != target else []:
                self._differs(key, device, target, put(("interfaces", key, "if"), target, device))
        self._mtu()

    def _mtu(self) -> None:
        """A LAGG has the MTU of the interface that is assigned to it, or of the VLAN on it that needs more."""
        size, keys = self.lagg["mtu"], self._untagged()
        if size is None:
            return
        larger = [key for vlan, _target in self.vlans for key in self.now.on(device_of(vlan)) if int(self.now.interfaces[key].get("mtu") or 0) > size]
        if not keys or larger:
            raise NodeError("%s: mtu: the product takes it from the interface that is assigned to the LAGG, and %s; %s" % (
                self.name, "%s on a VLAN of it has a larger one" % larger[0] if keys else "none is",
                "lower that" if keys else "assign one, or leave the option out and set it at the interfaces of its VLANs"))
        for key in keys:
            is_ = self.now.interfaces[key].get("mtu")
            if is_ != str(size):
                self._differs("%s.mtu" % key, is_ or None, str(size), put(("interfaces", key, "mtu"), str(size), is_))

    # What is to be done

    def touched(self) -> Set[str]:
        """Every device that is interrupted."""
        return {*self.lagg["members"], *self.targets, *self.targets.values()}

    def apply(self) -> List[bridge.Call]:
        """From what is there to what is wanted."""
        apart = [self.base] if self.base != self.name and self.now.lagg(self.base) is not None else []
        return [*self._down(now=True), *_destroyed(apart), *self._up([self.name], self.targets)]

    def back(self) -> List[bridge.Call]:
        """The same back again, with the configuration as it was."""
        before = [name for name in dict.fromkeys([self.base, self.name]) if self.now.lagg(name) is not None]
        made = [] if self.row is not None else [self.name]
        return [*self._down(now=False), *_destroyed(made), *self._up(before, {device: device for device in self.targets})]

    def _untagged(self) -> List[str]:
        return [key for device in dict.fromkeys([self.base, self.name]) for key in self.now.on(device)]

    def _down(self, now: bool) -> Iterator[bridge.Call]:
        """What is on the LAGG goes down, the VLANs first; ``now``: under the names of before, else those of afterwards."""
        for vlan, target in self.vlans:
            device = device_of(vlan)
            for key in self.now.on(device):
                yield "interface_bring_down", {"interface": key, "if": device if now else target}
            yield "pfSense_interface_destroy", device if now else target
        for device in dict.fromkeys([self.base, self.name]):
            for key in self.now.on(device):
                yield "interface_bring_down", {"interface": key, "if": device if now else self.name}

    def _up(self, laggs: Sequence[str], names: Mapping[str, str]) -> Iterator[bridge.Call]:
        for name in laggs:
            yield "interface_lagg_configure", name
        for key in self._untagged():
            yield "interface_configure", key
        for vlan, _target in self.vlans:
            yield "interface_vlan_configure", {"vlanif": names[device_of(vlan)], "tag": vlan["tag"]}


def _destroyed(devices: Sequence[str]) -> List[Tuple[str, Any]]:
    return [("pfSense_interface_destroy", device) for device in devices]
