# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a check sees: plans and evidence of one cluster, read with care because evidence was written on a node."""

from __future__ import annotations

import functools
import ipaddress
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.pf_facts import creator
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import ENGINES
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.senders import addresses_of

PASS, FAIL, WARN, SKIPPED, ERROR = STATUSES = ("pass", "fail", "warn", "skipped", "error")
SWITCHED_OFF = "state sync is switched off in the plan"
PF = tuple(platform for platform, engine in ENGINES.items() if engine == "pfsync")


class Verdict(NamedTuple):
    """The outcome of a check, for one node or (None) for the cluster."""

    status: str
    reason: str
    node: str | None = None


@dataclass(frozen=True)
class NodeView:
    """One node.

    Attributes:
        name: inventory name.
        plan: its plan.
        evidence: what was read from it; empty when nothing was.
        found: what sync_probe found on it, or None.
        origin: its place among the members, counted from 1.
    """

    name: str
    plan: Mapping[str, Any]
    evidence: Mapping[str, Any]
    found: Mapping[str, Any] | None
    origin: int

    @property
    def sync(self) -> Mapping[str, Any]:
        """The planned options of state_sync."""
        return self.plan["state_sync"]

    @property
    def platform(self) -> str:
        """The planned platform."""
        return self.plan["platform"]

    @property
    def engine(self) -> str:
        """What shares the states there."""
        return ENGINES[self.platform]

    @functools.cached_property
    def sync_addresses(self) -> frozenset[str]:
        """The addresses that it sends states from: the planned one and those of its Sync device."""
        return addresses_of(self.sync, self.evidence)

    @property
    def synced(self) -> bool:
        """The plan wants state sync."""
        return bool(self.sync.get("enabled"))

    @property
    def instances(self) -> Sequence[Mapping[str, Any]]:
        """The planned VRRP instances."""
        return self.plan["virtual_ip"]["instances"]

    def area(self, name: str) -> Mapping[str, Any] | None:
        """An area of the evidence, or None."""
        value = self.evidence.get(name)
        return value if isinstance(value, Mapping) else None

    def get(self, *path: str) -> Any:
        """The value at a path into the evidence, or None."""
        value: Any = self.evidence
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def flag(self, *path: str) -> bool | None:
        """A yes or no of the evidence; None unless it is exactly that."""
        value = self.get(*path)
        return value if isinstance(value, bool) else None

    def number(self, *path: str) -> float | None:
        """A number of the evidence that is not negative, or None."""
        return number(self.get(*path))

    def rows(self, *path: str) -> list[Mapping[str, Any]] | None:
        """A list of mappings of the evidence; None unless all of it is that."""
        value = self.get(*path)
        return value if isinstance(value, list) and all(isinstance(row, Mapping) for row in value) else None

    def texts(self, *path: str) -> list[str] | None:
        """A list of texts of the evidence; None unless all of it is that."""
        value = self.get(*path)
        return [str(item) for item in value] if isinstance(value, list) and all(isinstance(item, str) for item in value) else None

    def interface(self, device: str) -> Mapping[str, Any] | None:
        """What the evidence says of a device, or None."""
        return next((row for row in self.rows("interfaces") or [] if row.get("name") == device), None)

    def instance(self, planned: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What the evidence says of a planned VRRP instance, which is known by its device, id and family; or None."""
        rows = self.rows("vrrp", "instances") or []
        return next((row for row in rows if all(row.get(key) == planned[key] for key in ("interface", "id", "family"))), None)

    @property
    def active(self) -> bool:
        """It is active for a virtual address."""
        return any(row.get("state") == "active" for row in self.rows("vrrp", "instances") or [])

    @property
    def creators(self) -> list[str] | None:
        """The host ids in the node's table of states, or None."""
        found = [creator(value) for value in self.texts("engine", "creators") or []]
        return None if self.texts("engine", "creators") is None or None in found else [one for one in found if one is not None]

    def unknown(self, what: str, area: str) -> str:
        """The reason of an error: what is not known, and why when the evidence says so."""
        if not self.evidence:
            return f"{what} is not known: there is no evidence of {self.name}"
        reasons = [str(row.get("reason")) for row in self.rows("errors") or [] if str(row.get("area", "")).partition(".")[0] == area]
        return f"{what} is not known on {self.name}" + (f": {'; '.join(reasons)}" if reasons else "")


@dataclass(frozen=True)
class ClusterView:
    """One cluster: its nodes in inventory order, and how many states each of them made to probe with."""

    name: str
    nodes: tuple[NodeView, ...]
    probe_count: int

    @classmethod
    def of(cls, name: str, members: Sequence[str], plans: Mapping[str, Mapping[str, Any]], evidence: Mapping[str, Any], probe: Mapping[str, Any],
           probe_count: int) -> ClusterView:
        """Put together what belongs to the members."""
        return cls(name, tuple(
            NodeView(member, plans[member], _mapping(evidence.get(member)) or {}, _mapping(probe.get(member)), place)
            for place, member in enumerate(members, start=1)), probe_count)

    @property
    def platform(self) -> str:
        """The planned platform; it is equal on all nodes."""
        return self.nodes[0].platform

    @property
    def engine(self) -> str:
        """What shares the states."""
        return self.nodes[0].engine

    @property
    def interfaces(self) -> list[str]:
        """All logical interfaces, in the order of the plans."""
        return list(dict.fromkeys(name for node in self.nodes for name in node.plan["interfaces"]))

    @property
    def synced(self) -> bool:
        """The plan wants state sync; it is equal on all nodes."""
        return all(node.synced for node in self.nodes)


Check = Callable[[ClusterView], Iterator[Verdict]]


def only_on(platforms: Sequence[str], otherwise: str, **reasons: str) -> Callable[[Check], Check]:
    """A check that has no meaning on other platforms; ``otherwise`` is why, where ``reasons`` has none of the platform's own."""
    def limited(check: Check) -> Check:
        @functools.wraps(check)
        def judged(cluster: ClusterView) -> Iterator[Verdict]:
            return check(cluster) if cluster.platform in platforms else iter([Verdict(SKIPPED, reasons.get(cluster.platform, otherwise))])
        return judged
    return limited


def number(value: Any) -> float | None:
    """A finite number that is not negative, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return value if math.isfinite(value) and value >= 0 else None
    except OverflowError:  # an integer that is more than any float
        return None


def host_of(value: Any) -> str | None:
    """The address without its prefix length, in its canonical form, or None when it is no address."""
    try:
        return str(ipaddress.ip_interface(value).ip) if isinstance(value, str) else None
    except ValueError:
        return None


def weigh(failures: Sequence[str], unknowns: Sequence[str], warnings: Sequence[str], fine: str) -> tuple[str, str]:
    """Status and reason of a check that looked at several things: the worst decides, and everything amiss is told."""
    status = FAIL if failures else ERROR if unknowns else WARN if warnings else PASS
    return status, "; ".join([*failures, *unknowns, *warnings]) or fine


def _mapping(value: Any) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None
