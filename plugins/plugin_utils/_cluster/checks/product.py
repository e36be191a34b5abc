# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of a product's own configuration: who sends it to whom, what that would undo, and whether it means the same on all nodes."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.carp import received_skew
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import (
    ERROR,
    FAIL,
    PASS,
    WARN,
    ClusterView,
    NodeView,
    Verdict,
    host_of,
    only_on,
    weigh,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import PRODUCTS

_ELSEWHERE = "the nodes of this platform do not send their configuration to each other"


@only_on(PRODUCTS, _ELSEWHERE)
def config_sync(cluster: ClusterView) -> Iterator[Verdict]:
    """The primary alone sends its configuration, to a member, and its next save undoes nothing there."""
    for node in cluster.nodes:
        sync = node.area("config_sync")
        target = None if sync is None else sync.get("target")
        if sync is None or "target" not in sync:
            yield Verdict(ERROR, node.unknown("whom it sends its configuration to", "config_sync"), node.name)
        elif node.plan["role"] != "primary":
            yield Verdict(PASS, "sends its configuration to nobody", node.name) if target is None else Verdict(
                FAIL, f"a secondary sends its configuration to {target}: what it has replaces what is there", node.name)
        elif target is None:
            yield Verdict(WARN, "the primary sends its configuration to nobody: rules, aliases and certificates are kept alike by hand", node.name)
        else:
            yield _sends(cluster, node, str(target))


def _sends(cluster: ClusterView, primary: NodeView, target: str) -> Verdict:
    sections, others = primary.texts("config_sync", "sections"), [node for node in cluster.nodes if node is not primary]
    receiver = next((node for node in others if target in _addresses(node)), None)
    if sections is None:
        return Verdict(ERROR, primary.unknown("which parts of its configuration it sends", "config_sync"), primary.name)
    if receiver is None and host_of(target) is None:
        return Verdict(ERROR, f"sends its configuration to {target}, and which node has that name is not known here: state its address", primary.name)
    if receiver is None:
        unread = [node.unknown("which addresses it has", "interfaces") for node in others if node.rows("interfaces") is None]
        return Verdict(*weigh([] if unread else [f"sends its configuration to {target}, which is an address of no other member"], unread, [], ""), primary.name)
    failures: list[str] = []
    unknowns: list[str] = []
    warnings: list[str] = []
    if "rules" in sections and primary.synced:
        _rule_at_risk(primary, receiver, failures, unknowns)
    if "virtualip" in sections:
        _addresses_at_risk(primary, receiver, failures, unknowns)
        warnings += _skews_at_risk(primary, receiver)
    return Verdict(*weigh(failures, unknowns, warnings, f"sends {', '.join(sections) or 'nothing'} to {receiver.name} ({target})"), primary.name)


def _addresses(node: NodeView) -> set[str | None]:
    seen = {host_of(address) for row in node.rows("interfaces") or [] for address in row.get("addresses") or []}
    return {host_of(node.sync.get("address")), *seen}


def _rule_at_risk(primary: NodeView, receiver: NodeView, failures: list[str], unknowns: list[str]) -> None:
    here, there = (node.flag("pass_rule", "present") for node in (primary, receiver))
    if here is None and there is not False:
        unknowns.append(primary.unknown("whether it has the pass rule itself", "pass_rule"))
    elif here is False and there is not False:
        failures.append(f"its next save deletes the pass rule on {receiver.name}, for it has none itself and sends its rules")


def _addresses_at_risk(primary: NodeView, receiver: NodeView, failures: list[str], unknowns: list[str]) -> None:
    here, there = _vhids(primary), _vhids(receiver)
    if here is None or there is None:
        unknowns.append((primary if here is None else receiver).unknown("the virtual addresses", "vrrp"))
        return
    alone = sorted(there - here)
    if alone:
        failures.append(f"its next save deletes {', '.join(alone)} on {receiver.name}, for it has none of them itself and sends its virtual addresses")


def _vhids(node: NodeView) -> set[str] | None:
    """Ids with the logical interface that they are on, by the product's own name for it, which is the same on both nodes."""
    rows = node.rows("vrrp", "instances")
    if rows is None:
        return None
    return {f"vhid {row.get('id')} ({row.get('family')}) on {(node.interface(str(row.get('interface'))) or {}).get('key') or row.get('interface')}"
            for row in rows}


def _skews_at_risk(primary: NodeView, receiver: NodeView) -> list[str]:
    planned = {instance["name"]: instance["advskew"] for instance in receiver.instances}
    told = {(planned[instance["name"]], received_skew(instance["advskew"])) for instance in primary.instances if instance["name"] in planned}
    return [f"each save of it sets advskew {sent} on {receiver.name}, and the plan says {wanted}: give {receiver.name} priority {200 - sent // 2}"
            for wanted, sent in sorted(told) if wanted != sent]


@only_on(PRODUCTS, "interfaces have no further names on this platform")
def interface_keys(cluster: ClusterView) -> Iterator[Verdict]:
    """Every logical interface is the same one (wan, lan, opt1, ...) in the product's configuration on all nodes."""
    failures: list[str] = []
    unknowns = [node.unknown("how its interfaces are assigned", "interfaces") for node in cluster.nodes if node.rows("interfaces") is None]
    told = []
    for name in cluster.interfaces:
        keys: dict[str, str] = {}
        for node in cluster.nodes:
            device = node.plan["interfaces"].get(name)
            row = node.interface(device) if device is not None else None
            if device is None or node.rows("interfaces") is None:
                continue
            if row is None:
                failures.append(f"{node.name} has no {device}, its {name}")
            elif "key" not in row:
                unknowns.append(f"what {device} is assigned to is not known on {node.name}")
            elif not isinstance(row["key"], str):
                failures.append(f"{device}, the {name} of {node.name}, is assigned to no interface")
            else:
                keys[node.name] = row["key"]
        if len(set(keys.values())) > 1:
            failures.append(f"{name} is " + ", ".join(f"{key} on {node}" for node, key in keys.items()) + ": what one sends is meant for another")
        told += [f"{name} is {key}" for key in sorted(set(keys.values()))]
    yield Verdict(*weigh(failures, unknowns, [], ", ".join(told) + " on all nodes" if told else "there are no interfaces to compare"))


@only_on(("pfsense",), _ELSEWHERE, opnsense="the configuration of this product has no one version, and is sent whatever release the other node has")
def config_versions(cluster: ClusterView) -> Iterator[Verdict]:
    """The configurations have one version; between two versions nothing is sent."""
    versions = {node.name: node.get("config", "version") for node in cluster.nodes}
    unknowns = [node.unknown("the version of its configuration", "config") for node in cluster.nodes if not isinstance(versions[node.name], str)]
    known = {name: version for name, version in versions.items() if isinstance(version, str)}
    differing = len(set(known.values())) > 1
    said = "the version of the configuration differs: " + ", ".join(f"{name} has {version}" for name, version in known.items())
    sends = any(node.get("config_sync", "target") is not None for node in cluster.nodes)
    failures = [f"{said}; until they are equal, the product sends nothing"] if differing and sends else []
    yield Verdict(*weigh(failures, unknowns, [said] if differing and not sends else [], f"version {', '.join(sorted(set(known.values())))} on all nodes"))
