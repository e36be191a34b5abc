# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of what pf and CARP bring with them: who made a state, what it is bound to, and what CARP is set to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.carp import MOST_SKEW
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import (
    ERROR,
    FAIL,
    PASS,
    PF,
    SKIPPED,
    SWITCHED_OFF,
    ClusterView,
    NodeView,
    Verdict,
    only_on,
    weigh,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.facts import Evidence
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.binding import Binding, binding
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.pf_facts import creator
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import MAINTENANCE_DEMOTION, RAISING_SKEW, lacks

NO_CARP = "the virtual addresses are not CARP's"
NO_ADDRESSES = "no virtual addresses are planned"


@only_on(PF, "the states of conntrackd do not say who made them")
def host_ids(cluster: ClusterView) -> Iterator[Verdict]:
    """Every node marks its states with an id of its own, the planned one where one is planned, and holds states of members only."""
    if not cluster.synced:
        yield Verdict(SKIPPED, SWITCHED_OFF)
        return
    ids = {node.name: creator(node.get("engine", "host_id")) for node in cluster.nodes}
    known = [one for one in ids.values() if one is not None]
    unknowns = [node.unknown("the host id", "engine") for node in cluster.nodes if ids[node.name] is None]
    failures = [f"{' and '.join(name for name in ids if ids[name] == one)} have the same host id {one}"
                for one in dict.fromkeys(known) if known.count(one) > 1]
    warnings = []
    for node in cluster.nodes:
        wanted = creator(node.sync.get("host_id"))
        if wanted is not None and ids[node.name] not in (None, wanted):
            failures.append(f"{node.name} has host id {ids[node.name]}, the plan says {wanted}")
        strange = [one for one in node.creators or () if one not in known]
        if strange and not unknowns:
            warnings.append(f"{node.name} holds states of {', '.join(strange)}, the id of no member: made before an id was changed, or inserted by a stranger")
    yield Verdict(*weigh(failures, unknowns, warnings, "each its own: " + ", ".join(f"{name} has {one}" for name, one in ids.items())))


@only_on(PF, "no interface is part of a state on this platform")
def devices_equal(cluster: ClusterView) -> Iterator[Verdict]:
    """Every logical interface has one device name on all nodes, where states are bound to names; what is not known is treated as bound."""
    if not cluster.synced:
        yield Verdict(SKIPPED, SWITCHED_OFF)
        return
    unknowns = [node.unknown("which devices it has", "interfaces") for node in cluster.nodes if node.rows("interfaces") is None]
    differing = []
    for name in cluster.interfaces:
        devices = {node.name: node.plan["interfaces"][name] for node in cluster.nodes if name in node.plan["interfaces"]}
        if len(set(devices.values())) > 1:
            differing.append(f"{name} is " + ", ".join(f"{device} on {node}" for node, device in devices.items()))
    absent = [f"{node.name} has no {device}, its {name}" for node in cluster.nodes if node.rows("interfaces") is not None
              for name, device in node.plan["interfaces"].items() if node.interface(device) is None]
    if not differing:
        yield Verdict(*weigh(absent, unknowns, [], "every logical interface has the same device on all nodes"))
        return
    answers = {node.name: binding(node.platform, Evidence(node.evidence)) for node in cluster.nodes}
    bound = [_bound(name, answer) for name, answer in answers.items() if answer.matters]
    failures = [f"{one}; its connections are lost at a failover" for one in differing] + bound if bound else []
    yield Verdict(*weigh(absent + failures, unknowns, [], f"{'; '.join(differing)}, and states float: " + "; ".join(
        dict.fromkeys(answer.why for answer in answers.values()))))


def _bound(name: str, answer: Binding) -> str:
    if answer.bound is None:
        return f"whether states are bound to names on {name} is not known, which is treated as bound: {answer.why}"
    return f"states are bound to names on {name}: {answer.why}"


@only_on(PF, "there is no state policy on this platform")
def state_policy_equal(cluster: ClusterView) -> Iterator[Verdict]:
    """One state policy on all nodes, the planned one where one is planned."""
    if not cluster.synced:
        yield Verdict(SKIPPED, SWITCHED_OFF)
        return
    policies = {node.name: Evidence(node.evidence).state_policy for node in cluster.nodes}
    silent = [node for node in cluster.nodes if policies[node.name] is None]
    if len(silent) == len(cluster.nodes) and all(lacks(node.platform, "state_policy", Evidence(node.evidence).version) for node in silent):
        yield Verdict(SKIPPED, "this release has no setting for the state policy")
        return
    failures = [f"{node.name} has {policies[node.name]}, the plan says {node.sync['state_policy']}" for node in cluster.nodes
                if node.sync.get("state_policy") is not None and policies[node.name] not in (None, node.sync["state_policy"])]
    told = {name: policy for name, policy in policies.items() if policy is not None}
    if len(set(told.values())) > 1:
        failures.append("the state policy differs: " + ", ".join(f"{name} has {policy}" for name, policy in told.items()))
    unknowns = [node.unknown("the state policy", "state_policy") for node in silent]
    yield Verdict(*weigh(failures, unknowns, [], f"{', '.join(sorted(set(told.values())))} on all nodes"))


@only_on(("freebsd",), "the rules are no part of a state on this platform",
         opnsense="the rules of this product hold each node's own addresses (antispoof), so that those of two nodes differ",
         pfsense="the rules of this product hold each node's own addresses, so that those of two nodes always differ",
         openbsd="pfsync of this platform does not tell which rule made a state, so that another node takes the default rule for it")
def rules_equal(cluster: ClusterView) -> Iterator[Verdict]:
    """The rules are the same on all nodes, by their checksum: only then a state is linked, by a number, to the rule that it belongs to."""
    if not cluster.synced:
        yield Verdict(SKIPPED, SWITCHED_OFF)
        return
    sums = {node.name: node.get("engine", "checksum") for node in cluster.nodes}
    unknowns = [node.unknown("the checksum of its rules", "engine") for node in cluster.nodes if not isinstance(sums[node.name], str) or not sums[node.name]]
    known = {name: str(found).lower() for name, found in sums.items() if isinstance(found, str) and found}
    warnings = ["the rules differ (" + ", ".join(f"{name} has {found[:8]}" for name, found in known.items()) + "), so that states from another node get the "
                "default rule: limits, timeouts, labels, queues and routes of their own rule are lost at a failover"] if len(set(known.values())) > 1 else []
    yield Verdict(*weigh([], unknowns, warnings, f"checksum {', '.join(sorted(set(known.values())))} on all nodes"))


@only_on(("freebsd", "opnsense"), "no interface is part of a state on this platform",
         pfsense="which interfaces the states name is not read from this product; devices_equal judges by its state policy",
         openbsd="this platform takes a state of an interface that it does not have; devices_equal tells whether it would match")
def state_interfaces(cluster: ClusterView) -> Iterator[Verdict]:
    """Every interface that states name is there on every other node: a kernel drops a state that names another, and counts it nowhere."""
    if not cluster.synced:
        yield Verdict(SKIPPED, SWITCHED_OFF)
        return
    for node in cluster.nodes:
        named = _named(node)
        others = [other for other in cluster.nodes if other is not node]
        unknowns = [other.unknown("which devices it has", "interfaces") for other in others if other.rows("interfaces") is None]
        if named is None and node.creators is not None:
            yield Verdict(SKIPPED, "it has so many states that they were not looked at one by one; devices_equal tells whether names matter", node.name)
        elif named is None:
            yield Verdict(ERROR, node.unknown("which interfaces its states name", "engine"), node.name)
        elif not named:
            yield Verdict(PASS, "its states name no interface", node.name)
        else:
            yield Verdict(*weigh(*_strange(node, named, others, unknowns)), node.name)


def _named(node: NodeView) -> list[str] | None:
    """The interfaces that states are bound to; those that float have ``all`` in place of one."""
    counted = node.get("engine", "states_by_interface")
    return sorted({str(name) for name in counted} - {"all"}) if isinstance(counted, Mapping) else None


def _strange(node: NodeView, named: Sequence[str], others: Sequence[NodeView], unknowns: list[str]) -> tuple[list[str], list[str], list[str], str]:
    failures: list[str] = []
    warnings: list[str] = []
    for other in others:
        absent = [name for name in named if other.rows("interfaces") is not None and other.interface(name) is None]
        for name in absent:
            ours = name in node.plan["interfaces"].values()
            said = f"states on {node.name} name {name}, which {other.name} does not have: it drops them without a word"
            (failures if ours else warnings).append(said if ours else f"{said}; {name} is none of the cluster's interfaces")
    return failures, unknowns, warnings, f"its states name {', '.join(named)}, which the others have too"


@only_on(PF, NO_CARP)
def demotion(cluster: ClusterView) -> Iterator[Verdict]:
    """CARP is not demoted: a node that is gives its addresses up, or does not take them over."""
    for node in cluster.nodes:
        value = node.get("vrrp", "demotion")
        if not node.instances:
            yield Verdict(SKIPPED, NO_ADDRESSES, node.name)
        elif not isinstance(value, int) or isinstance(value, bool):
            yield Verdict(ERROR, node.unknown("the demotion of CARP", "vrrp"), node.name)
        elif value > 0 and node.flag("maintenance") and _by_maintenance(node.platform, value):
            yield Verdict(PASS, f"CARP is demoted by {value}, which is what maintenance does", node.name)
        elif value:
            where = "ifconfig -g carp" if node.platform == "openbsd" else "net.inet.carp.demotion"
            preferred = "another" if value > 0 else "this"
            yield Verdict(FAIL, f"CARP is demoted by {value} ({where}){_why(node)}: {preferred} node is preferred, whatever the priorities are", node.name)
        else:
            yield Verdict(PASS, "CARP is not demoted", node.name)


def _by_maintenance(platform: str, value: int) -> bool:
    return platform not in RAISING_SKEW and value == MAINTENANCE_DEMOTION.get(platform, value)


def _why(node: NodeView) -> str:
    """What the kernel said of it, where that was read, and what a product's maintenance has done to it."""
    told = [f"{row.get('by')} for {row.get('why')}" for row in node.rows("vrrp", "demotion_why") or []]
    own = MAINTENANCE_DEMOTION.get(node.platform) if node.flag("maintenance") else None
    told += [] if own is None else [f"{own} of it by maintenance"]
    return f", {', '.join(told)}" if told else ""


@only_on(PF, NO_CARP)
def carp_agrees(cluster: ClusterView) -> Iterator[Verdict]:
    """Every planned id is there on every node, with the planned advskew and advbase."""
    for node in cluster.nodes:
        yield _as_planned(node) if node.instances else Verdict(SKIPPED, NO_ADDRESSES, node.name)


def _as_planned(node: NodeView) -> Verdict:
    in_maintenance = node.flag("maintenance")
    if node.rows("vrrp", "instances") is None or in_maintenance is None:
        what, area = ("the virtual addresses", "vrrp") if node.rows("vrrp", "instances") is None else ("whether the node is in maintenance", "maintenance")
        return Verdict(ERROR, node.unknown(what, area), node.name)
    failures: list[str] = []
    unknowns: list[str] = []
    for planned in node.instances:
        found = node.instance(planned)
        if found is None:
            failures.append(f"{planned['name']} is not there as vhid {planned['id']} on {planned['interface']}")
            continue
        # Elsewhere maintenance demotes, and leaves the skew as it is.
        raised = in_maintenance and node.platform in RAISING_SKEW
        wanted: Mapping[str, Any] = {"advskew": MOST_SKEW if raised else planned["advskew"], "advbase": planned["advbase"]}
        for setting, value in wanted.items():
            if not isinstance(found.get(setting), int):
                unknowns.append(f"the {setting} of {planned['name']} is not known on {node.name}")
            elif found[setting] != value:
                failures.append(f"{planned['name']} has {setting} {found[setting]}, {'maintenance means' if value == MOST_SKEW else 'the plan says'} {value}")
    return Verdict(*weigh(failures, unknowns, [], f"all {len(node.instances)} ids are set as planned"), node.name)
