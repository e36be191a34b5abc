# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One name for a LAGG that no node uses for anything else."""

from __future__ import annotations

from itertools import count

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.devices import CONNTRACKD_RULES, LINUX_RULES, refusal
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.layout import Group, Seats
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import PLATFORMS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import Model, Node

# No platform allows as many; it only bounds a search.
_MOST = 10_000


class Names:
    """Chooses names for one group after the other, each name once."""

    def __init__(self, model: Model, seats: Seats) -> None:
        self._model = model
        self._chosen: set[str] = set()
        self._used = {node.host: used(node) for node in model.nodes}
        self._platform = PLATFORMS[model.platform(model.nodes[0])] if model.nodes else PLATFORMS["linux"]

    def choose(self, group: Group, stated: str | None, protocol: str, findings: Findings) -> str | None:
        """The name for a group: the one that is stated, else that of a LAGG that it is on already, else a new one. None after refusing it."""
        if stated is not None:
            name = self._stated(group, stated, protocol, findings)
        else:
            existing = [seat.base for own in group.seats.values() for seat in own if seat.lagg is not None]
            name = next((one for one in existing if self._free(one, group)), None) or self._new(group, protocol)
        if name is not None:
            self._chosen.add(name)
        return name

    def _free(self, name: str, group: Group) -> bool:
        """Whether every node has the name free, or uses it for this group already."""
        return name not in self._chosen and not self._users(name, group)

    def _users(self, name: str, group: Group) -> list[str]:
        return [host for host, used in self._used.items() if name in used and name not in group.bases.get(host, ())]

    def _new(self, group: Group, protocol: str) -> str | None:
        prefixes = self._platform.prefixes
        prefix = prefixes.get(protocol) or prefixes[None]
        names = (f"{prefix}{number}" for number in count(self._platform.first))
        return next(name for name, _number in zip(names, range(_MOST)) if self._free(name, group))

    def _stated(self, group: Group, name: str, protocol: str, findings: Findings) -> str | None:
        interface = next(one for one in group.interfaces if one in self._model.cluster.laggs and self._model.cluster.laggs[one].name is not None)
        path, scope = f"hafirewall_cluster.laggs.{interface}.name", findings.at()
        reason = self._unusable(name, group, protocol)
        if reason:
            scope.refuse(path, f"the name {name!r} {reason}", f"choose another, as {self._new(group, protocol)}, or leave it out")
            return None
        users = self._users(name, group)
        if users or name in self._chosen:
            where = f"in use for something else on {', '.join(users)}" if users else "the name of another LAGG of this plan"
            scope.refuse(path, f"{name} is {where}", f"choose a name that is free on all nodes, as {self._new(group, protocol)}, or leave it out")
            return None
        return name

    def _unusable(self, name: str, group: Group, protocol: str) -> str | None:
        """Why a name cannot be had at all. One that the group has already on every node needs no judgement."""
        if all(name in bases for bases in group.bases.values()):
            return None
        platform = self._platform
        for pattern, owner in platform.reserved:
            if pattern.fullmatch(name):
                return f"is one that {platform.title} gives by itself, to {owner}"
        if not platform.name.fullmatch(name):
            return f"is none that a LAGG can have on {platform.title}"
        if platform.prefixes.keys() - {None} and not name.startswith(platform.prefixes.get(protocol) or platform.prefixes[None]):
            return f"is not one for protocol {protocol} on {platform.title}"
        if platform.title != "Linux":
            return None
        sync = self._model.cluster.sync
        rules = LINUX_RULES + (CONNTRACKD_RULES if sync is not None and sync.interface in group.interfaces else ())
        return refusal(name, rules)


def used(node: Node) -> set[str]:
    """All names of devices that the node is known to have, or that its intent speaks of."""
    stated = {port.device for port in node.ports.values() if port.device is not None}
    stated |= {name for port in node.ports.values() for _path, name in port.members}
    return {device.name for device in node.evidence.links} | stated | {node.evidence.links.bottom(name) for name in stated}
