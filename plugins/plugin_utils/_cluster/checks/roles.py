# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of what the nodes are doing: exactly one is active, and it serves; who is in maintenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import (
    ERROR,
    FAIL,
    PASS,
    SKIPPED,
    WARN,
    ClusterView,
    NodeView,
    Verdict,
    host_of,
    weigh,
)

STATES = ("active", "standby", "fault")
STOPPED = {"conntrackd": "the virtual addresses' service does not run", "pfsync": "CARP is switched off"}


def roles_disjoint(cluster: ClusterView) -> Iterator[Verdict]:
    """For every id exactly one node is active, and the same one for all; by VRRP it alone has the addresses, by CARP all nodes have them."""
    names = list(dict.fromkeys(instance["name"] for node in cluster.nodes for instance in node.instances))
    if not names:
        yield Verdict(SKIPPED, "no virtual addresses are planned")
        return
    failures: list[str] = []
    unknowns = [node.unknown("the role", "vrrp") for node in cluster.nodes if node.rows("vrrp", "instances") is None]
    unknowns += [node.unknown("which addresses it has", "interfaces") for node in cluster.nodes if node.rows("interfaces") is None]
    # CARP has no service of its own.
    at_boot = [(node, node.flag("vrrp", "enabled")) for node in cluster.nodes if node.instances and node.engine == "conntrackd"]
    warnings = [f"the virtual addresses' service of {node.name} does not start at boot" for node, starts in at_boot if starts is False]
    unknowns += [node.unknown("whether the virtual addresses' service starts at boot", "vrrp") for node, starts in at_boot if starts is None]
    holders = set()
    for name in names:
        active = _judge_instance(cluster, name, failures, unknowns, warnings)
        holders.update(active)
    if len(holders) > 1 and not any("split brain" in failure for failure in failures):
        failures.append("not all ids are active on the same node: " + ", ".join(sorted(holders)) + " share them")
    alone = " and alone has their addresses" if cluster.engine == "conntrackd" else ""
    fine = f"{', '.join(sorted(holders))} is active for all {len(names)} ids{alone}"
    yield Verdict(*weigh(failures, unknowns, warnings, fine))


def maintenance(cluster: ClusterView) -> Iterator[Verdict]:
    """No node is kept in maintenance, and never all of them."""
    if not any(node.instances for node in cluster.nodes):
        yield Verdict(SKIPPED, "no virtual addresses are planned, so there is nothing to hand over")
        return
    flags = {node.name: node.flag("maintenance") for node in cluster.nodes}
    if all(flags.values()):
        yield Verdict(FAIL, "all nodes are in maintenance: " + ", ".join(flags))
    for node in cluster.nodes:
        if flags[node.name] is None:
            yield Verdict(ERROR, node.unknown("whether the node is in maintenance", "maintenance"), node.name)
        elif flags[node.name]:
            yield Verdict(WARN, "the node is in maintenance and does not take over", node.name)
        else:
            yield Verdict(PASS, "the node is not in maintenance", node.name)


def _judge_instance(cluster: ClusterView, name: str, failures: list[str], unknowns: list[str], warnings: list[str]) -> list[str]:
    """Judge one id over all nodes; the names of the nodes that say they are active."""
    active, certain, unseen = [], True, False
    for node in cluster.nodes:
        planned = next((instance for instance in node.instances if instance["name"] == name), None)
        if planned is None or node.rows("vrrp", "instances") is None or node.rows("interfaces") is None:
            unseen = True
            continue
        state = _state(node, planned)
        held = _held(node, planned)
        missing = [address for address in _planned_addresses(planned) if address not in held]
        if node.flag("vrrp", "running") is False:
            failures.append(f"{name}: {STOPPED[node.engine]} on {node.name}")
        elif state not in STATES:
            unknowns.append(f"{name}: the state of {node.name} is not known")
            certain = False
        elif state == "fault" and node.flag("maintenance") is not True:
            warnings.append(f"{name}: {node.name} is in fault and cannot take over")
        if state == "active":
            active.append(node.name)
            if missing:
                failures.append(f"{name}: {node.name} is active without {', '.join(missing)}")
        elif node.engine == "pfsync":
            failures += [f"{name}: {node.name} has no {', '.join(missing)}, and could not take over"] if missing else []
        elif held:
            failures.append(f"{name}: split brain or a leftover, {node.name} has {', '.join(held)} without being active ({state or 'state unknown'})")
    if len(active) > 1:
        failures.append(f"{name}: split brain, active on {' and '.join(active)}")
    elif not active and certain and not unseen:
        failures.append(f"{name}: active on no node")
    return active


def _state(node: NodeView, planned: Mapping[str, Any]) -> Any:
    if node.flag("vrrp", "running") is not True:
        return None
    return (node.instance(planned) or {}).get("state")


def _planned_addresses(planned: Mapping[str, Any]) -> list[str]:
    return [host for host in map(host_of, planned["addresses"]) if host is not None]


def _held(node: NodeView, planned: Mapping[str, Any]) -> list[str]:
    """The planned addresses that the node really has, on whichever device: also those that a dead service left behind."""
    present = {host_of(address) for row in node.rows("interfaces") or [] for address in _listed(row.get("addresses"))}
    return [address for address in _planned_addresses(planned) if address in present]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
