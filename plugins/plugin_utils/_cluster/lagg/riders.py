# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rides on a device that is moved onto a LAGG, and what becomes of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.layout import suffix
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import Model, Node
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import show


@dataclass(frozen=True)
class Shift:
    """One device that changes: the base itself, or a VLAN upon it.

    Attributes:
        source, target: its name now and then; a VLAN with a name of its own keeps it, and only changes what it lies on.
        vlan: its tag; None for the base.
        addresses, virtual: what was seen on it, without link-local addresses: the node's own, and the cluster's virtual ones.
        management: whether the path that Ansible came in by is on it; None is unknown.
    """

    source: str
    target: str
    vlan: int | None
    addresses: tuple[str, ...]
    virtual: tuple[str, ...]
    management: bool | None

    def as_dict(self) -> dict[str, Any]:
        """The same for a module's options and for JSON."""
        return {"from_device": self.source, "to_device": self.target, "vlan": self.vlan, "addresses": list(self.addresses), "virtual": list(self.virtual),
                "management": self.management}


@dataclass(frozen=True)
class Rider:
    """What rides on a device. ``kind`` is one of interface, vlan, address, virtual_ip, sync, management, bridge, or what evidence calls a reference."""

    kind: str
    name: str
    becomes: str

    def as_dict(self) -> dict[str, str]:
        """The same for JSON."""
        return {"kind": self.kind, "name": self.name, "becomes": self.becomes}


def shifts(model: Model, node: Node, base: str, lagg: str, named: Mapping[str, str]) -> list[Shift]:
    """The devices that change when ``base`` goes onto ``lagg``: the base first, then the VLANs upon it, those below before those above.

    Args:
        named: devices that the intent speaks of by what they become; they count where nothing is known of the node's VLANs.
    """
    vlans = {device.name: (node.evidence.links.vlan(device.name) or (None, ""))[0] for device in node.evidence.links.upon(base)}
    for device in named:
        vlans.setdefault(device, (node.evidence.links.vlan(device) or (None, ""))[0])
    vlans.pop(base, None)
    return [_shift(model, node, base, lagg, None)] + [_shift(model, node, name, renamed(name, base, lagg), tag) for name, tag in vlans.items()]


def renamed(name: str, base: str, lagg: str) -> str:
    """What a device upon the base is called when the base has become the LAGG."""
    added = suffix(name, base)
    return name if added is None else lagg + added


def riders(model: Model, node: Node, moved: list[Shift]) -> list[Rider]:
    """Everything that is known to ride on the devices that change."""
    found: list[Rider] = []
    for shift in moved:
        found += _interfaces(model, node, shift)
        if shift.vlan is not None:
            found.append(Rider("vlan", shift.source, f"is VLAN {shift.vlan} of the LAGG, as {shift.target}" if shift.target != shift.source else
                               f"keeps its name and is VLAN {shift.vlan} of the LAGG"))
        found += [Rider("address", address, f"is on {shift.target}") for address in shift.addresses]
        if shift.management:
            found.append(Rider("management", shift.source, f"is {shift.target}; the way back is armed before the move"))
        found += _others(node, shift)
    return found


def _interfaces(model: Model, node: Node, shift: Shift) -> list[Rider]:
    found = []
    sync = model.cluster.sync.interface if model.cluster.sync is not None else None
    for name, port in node.ports.items():
        if port.carrier != shift.source:
            continue
        found.append(Rider("interface", name, f"is on {shift.target}; the intent may go on naming {port.device}"))
        found += [Rider("virtual_ip", str(address.value), f"moves with {shift.target}, which VRRP or CARP is set to")
                  for vip in model.cluster.virtual_ips if vip.interface == name for address in vip.addresses]
        if name == sync:
            found.append(Rider("sync", name, f"state sync and its pass rule are set to {shift.target}"))
    return found


def _others(node: Node, shift: Shift) -> list[Rider]:
    """Bridges and references: what this collection did not make, it does not change."""
    device = node.evidence.links.get(shift.source)
    found = [Rider("bridge", device.master, f"gets {shift.target} as its port in place of {shift.source}")] if device is not None and device.master else []
    for item in node.evidence.references:
        if item.get("device") == shift.source and shift.source != shift.target:
            words = " ".join(str(item[key]) for key in ("where", "text") if isinstance(item.get(key), str))
            found.append(Rider(item["kind"] if isinstance(item.get("kind"), str) else "reference", words or show(shift.source),
                               f"is left as it is and goes on naming {shift.source}: change it to {shift.target} by hand"))
    return found


def _shift(model: Model, node: Node, source: str, target: str, tag: int | None) -> Shift:
    seen = [address for address in node.evidence.addresses(source) or () if not address.is_link_local]
    device, management = node.evidence.links.get(source), node.evidence.management
    # The path may lead through a bridge that this device is a port of.
    path = {source, device.master if device is not None else None}
    return Shift(source, target, tag, tuple(str(address) for address in seen if address.ip not in model.virtual_addresses),
                 tuple(str(address) for address in seen if address.ip in model.virtual_addresses), None if management is None else management in path)
