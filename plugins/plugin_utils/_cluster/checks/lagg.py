# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of the LAGGs that the plan wants: the same everywhere, all members up, LACP that really aggregates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import (
    SKIPPED,
    ClusterView,
    NodeView,
    Verdict,
    weigh,
)

NONE_PLANNED = "no LAGG is planned"


def laggs_equal(cluster: ClusterView) -> Iterator[Verdict]:
    """Every node has every planned LAGG, under one name and with one protocol, and nothing waits to be moved onto it."""
    planned = {lagg["name"]: lagg["protocol"] for node in cluster.nodes for lagg in _planned(node)}
    if not planned:
        yield Verdict(SKIPPED, NONE_PLANNED)
        return
    for node in cluster.nodes:
        failures: list[str] = []
        unknowns: list[str] = []
        own = {lagg["name"]: lagg for lagg in _planned(node)}
        for name, protocol in planned.items():
            found = _found(node, name)
            if name not in own:
                failures.append(f"{name} is planned for other nodes and not for {node.name}")
            elif node.rows("interfaces") is None:
                unknowns.append(node.unknown(f"whether {name} is there", "interfaces"))
            elif found is None:
                failures.append(f"{name} is not there as a LAGG")
            else:
                if found.get("protocol") != protocol:
                    failures.append(f"{name} uses {found.get('protocol')} instead of {protocol}")
                waiting = [str(move["from_device"]) for move in own[name]["moves"]]
                failures += [f"{', '.join(waiting)} is not on {name} yet"] if waiting else []
        yield Verdict(*weigh(failures, unknowns, [], f"has {', '.join(planned)} like every node"), node.name)


def lagg_members(cluster: ClusterView) -> Iterator[Verdict]:
    """Every planned member is in its LAGG and up. Down is a failure of its spare, not yet of the traffic: a warning as long as another one is up."""
    yield from _each(cluster, _members)


def lagg_lacp(cluster: ClusterView) -> Iterator[Verdict]:
    """LACP found a partner, and all members are in the one aggregator that carries traffic."""
    if not any(lagg["protocol"] == "lacp" for node in cluster.nodes for lagg in _planned(node)):
        yield Verdict(SKIPPED, "no LAGG with LACP is planned")
        return
    yield from _each(cluster, _lacp)


def lagg_spare(cluster: ClusterView) -> Iterator[Verdict]:
    """A LAGG of two members or more loses none of its purpose: two of them are really able to carry its traffic."""
    if not any(len(lagg["members"]) > 1 for node in cluster.nodes for lagg in _planned(node)):
        yield Verdict(SKIPPED, "no LAGG of more than one member is planned")
        return
    yield from _each(cluster, _spare)


def _each(cluster: ClusterView, judge: Any) -> Iterator[Verdict]:
    """One verdict a node over all its LAGGs; ``judge`` gets the plan, what was found, and the lists of failures, unknowns and warnings."""
    if not any(_planned(node) for node in cluster.nodes):
        yield Verdict(SKIPPED, NONE_PLANNED)
        return
    for node in cluster.nodes:
        failures: list[str] = []
        unknowns: list[str] = []
        warnings: list[str] = []
        fine: list[str] = []
        for lagg in _planned(node):
            found = _found(node, lagg["name"])
            if node.rows("interfaces") is None:
                unknowns.append(node.unknown(f"the state of {lagg['name']}", "interfaces"))
            elif found is None:
                failures.append(f"{lagg['name']} is not there as a LAGG")
            else:
                judge(lagg, found, (failures, unknowns, warnings, fine))
        if not _planned(node):
            yield Verdict(SKIPPED, NONE_PLANNED, node.name)
        elif not (failures or unknowns or warnings or fine):
            yield Verdict(SKIPPED, "none of the planned LAGGs is of this kind", node.name)
        else:
            yield Verdict(*weigh(failures, unknowns, warnings, "; ".join(fine)), node.name)


Told = tuple[list[str], list[str], list[str], list[str]]


def _members(lagg: Mapping[str, Any], found: Mapping[str, Any], told: Told) -> None:
    failures, unknowns, warnings, fine = told
    name, ports = lagg["name"], _ports(found)
    if ports is None:
        unknowns.append(f"the members of {name} are not known")
        return
    missing = [member for member in lagg["members"] if member not in ports]
    foreign = [member for member in ports if member not in lagg["members"]]
    down = [member for member in lagg["members"] if member in ports and ports[member].get("up") is False]
    silent = [member for member in lagg["members"] if member in ports and not isinstance(ports[member].get("up"), bool)]
    up = [member for member in lagg["members"] if member in ports and ports[member].get("up") is True]
    failures += [f"{', '.join(missing)} is no member of {name}"] if missing else []
    failures += [f"{', '.join(foreign)} is a member of {name}, and not planned"] if foreign else []
    unknowns += [f"whether {', '.join(silent)} of {name} is up is not known"] if silent else []
    if down:
        (warnings if up else failures).append(f"{', '.join(down)} of {name} is down")
    if not missing and not foreign and not down and not silent:
        fine.append(f"{name}: {', '.join(up)} up")


def _lacp(lagg: Mapping[str, Any], found: Mapping[str, Any], told: Told) -> None:
    failures, unknowns, _warnings, fine = told
    if lagg["protocol"] != "lacp":
        return
    name, ports = lagg["name"], _ports(found)
    if ports is None or found.get("aggregator") is None:
        unknowns.append(f"what LACP does on {name} is not known")
        return
    if found.get("partner") is None:
        failures.append(f"{name} has no LACP partner: the other end does not speak LACP on these ports")
        return
    apart = [member for member, port in ports.items() if port.get("aggregator") != found["aggregator"]]
    idle = [member for member, port in ports.items() if not (port.get("collecting") is True and port.get("distributing") is True)]
    failures += [f"{', '.join(apart)} is not in the aggregator of {name} that carries traffic"] if apart else []
    still = [member for member in idle if member not in apart]
    failures += [f"{', '.join(still)} of {name} does not collect and distribute"] if still else []
    if not apart and not idle:
        fine.append(f"{name}: {', '.join(ports)} aggregated with {found['partner']}")


def _spare(lagg: Mapping[str, Any], found: Mapping[str, Any], told: Told) -> None:
    _failures, unknowns, warnings, fine = told
    if len(lagg["members"]) < 2:
        return
    name, ports = lagg["name"], _ports(found)
    if ports is None or not all(isinstance(port.get("up"), bool) for port in ports.values()):
        unknowns.append(f"which members of {name} are up is not known")
        return
    able = [member for member, port in ports.items() if port["up"] and (lagg["protocol"] != "lacp" or port.get("aggregator") == found.get("aggregator"))]
    if len(able) < 2:
        warnings.append(f"{name} has {', '.join(able) or 'no member'} left of {len(lagg['members'])}: a single point of failure")
    else:
        fine.append(f"{name}: {len(able)} of {len(lagg['members'])} members can carry its traffic")


def _planned(node: NodeView) -> Sequence[Mapping[str, Any]]:
    return node.plan["lagg"]["laggs"]


def _found(node: NodeView, name: str) -> Mapping[str, Any] | None:
    value = (node.interface(name) or {}).get("lagg")
    return value if isinstance(value, Mapping) else None


def _ports(found: Mapping[str, Any]) -> dict[str, Mapping[str, Any]] | None:
    """Member -> its state; None where that is not known."""
    rows = found.get("ports")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) and isinstance(row.get("name"), str) for row in rows):
        return None
    return {row["name"]: row for row in rows}
