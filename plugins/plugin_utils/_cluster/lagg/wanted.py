# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A LAGG as it shall be on all nodes, and how one that there is differs from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.devices import Devices
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.layout import Group
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import LaggSettings, Model

# Settings of hafirewall_cluster.laggs that are a LAGG's own; it has them once, whatever is on it.
_SETTINGS = ("name", "protocol", "hash", "lacp_rate", "mtu", "min_links", "crossover")


@dataclass(frozen=True)
class Wanted:
    """One LAGG. ``members`` and ``primary`` are by host; of the settings, None is left as it is."""

    name: str
    protocol: str
    group: Group
    members: Mapping[str, tuple[str, ...]]
    primary: Mapping[str, str | None]
    hash: str | None
    lacp_rate: str | None
    mtu: int | None
    min_links: int | None
    consent: bool
    crossover: bool

    @property
    def path(self) -> str:
        """Where in the intent its settings stand."""
        return f"hafirewall_cluster.laggs.{self.group.interfaces[0]}"

    def as_dict(self) -> dict[str, Any]:
        """What a plan shows of it."""
        return {"name": self.name, "protocol": self.protocol, "members": {host: list(members) for host, members in self.members.items()}}

    def options(self, host: str) -> dict[str, Any]:
        """What a module on the node is told of it."""
        return {"name": self.name, "protocol": self.protocol, "members": list(self.members[host]), "primary": self.primary[host], "hash": self.hash,
                "lacp_rate": self.lacp_rate, "mtu": self.mtu, "min_links": self.min_links, "consent": self.consent}

    def changes(self, host: str, links: Devices) -> list[str]:
        """In words, what becomes of the LAGG of this name on a node; nothing when it is there as wanted."""
        now, device, members = links.lagg(self.name), links.get(self.name), ", ".join(self.members[host])
        if device is None or now is None:
            gone = [f"{base} is taken apart" for base in self.group.bases[host] if links.lagg(base) is not None]
            return [f"{self.name} is made of {members}, with {self.protocol}", *gone]
        told = []
        if now.members is not None and set(now.members) != set(self.members[host]):
            told.append(f"its members become {members} (are {', '.join(now.members) or 'none'})")
        pairs: dict[str, tuple[Any, Any]] = {"protocol": (self.protocol, now.protocol), "hash": (self.hash, now.hash),
                                             "primary": (self.primary[host], now.primary), "lacp_rate": (self.lacp_rate, now.lacp_rate),
                                             "min_links": (self.min_links, now.min_links), "mtu": (self.mtu, device.mtu)}
        return told + [f"its {name} becomes {wanted} (is {has})" for name, (wanted, has) in pairs.items() if None not in (wanted, has) and wanted != has]


def merged(model: Model, group: Group, findings: Findings) -> LaggSettings:
    """The settings of all interfaces of a group as one; what they say differently is refused."""
    stated = {name: model.cluster.laggs[name] for name in group.interfaces if name in model.cluster.laggs}
    found: dict[str, Any] = {"required": None, "move_management": None}
    for key in _SETTINGS:
        values = {name: getattr(settings, key) for name, settings in stated.items() if getattr(settings, key) not in (None, False)}
        found[key] = next(iter(values.values()), None)
        for name, value in values.items():
            if value != found[key]:
                other = next(iter(values))
                findings.at().refuse(f"hafirewall_cluster.laggs.{name}.{key}", f"is {value}, and {other}, which shares its ports, has {found[key]}",
                                     "state it once, or alike")
    return LaggSettings(**found)
