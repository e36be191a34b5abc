# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages of a rolling upgrade, and for each whether states flow in every direction and are matched where they arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import ClusterView, NodeView
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.compatibility import compatibility
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.pfsync_rows import OLDEST_FORMAT
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import UNVERIFIED
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.nodes import Side, binding_of, current, order, upgraded

YES, NO, UNKNOWN = ANSWERS = ("yes", "no", "unknown")
NOW, MIXED, BOTH = "now", "standby_upgraded", "both_upgraded"


def stages_of(cluster: ClusterView, targets: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """Judge every stage: nothing upgraded, then one node more each time, the standby first and the active one last.

    Args:
        cluster: its plans and evidence.
        targets: by node, the release that it is to get; None when that is not known.
    Returns:
        For each stage ``id`` (with more than two nodes ``standby_upgraded_2`` and so on between the first and the last), ``title``, ``upgraded`` (hosts),
        ``nodes`` (``node``, ``platform``, ``release``, ``sends``, ``upgraded``, the active one first), ``directions``, ``pin`` (``format``, ``nodes``,
        ``how``, ``lifted``, or None), ``lagg`` (logical interfaces that need a LAGG before) and ``notes`` (``node``, ``text``, ``link``).
        A direction has ``from``, ``to``, ``purpose`` (takeover or failback), ``answer`` (when pins and LAGGs are made) and ``without_steps``, and what they
        are made of: ``understood`` (the messages), ``named`` (devices that states name) and ``routed`` (routes that states have), ``matched`` for the last
        two together, with ``reasons`` for the three, ``lost`` (what the format does not carry) and ``confidence``.
    """
    ordered = order(cluster)
    before = {node.name: current(cluster, node) for node in ordered}
    after = {node.name: upgraded(cluster, node, targets.get(node.name)) for node in ordered}
    found = []
    for number in range(len(ordered) + 1):
        done = [node.name for node in ordered[:number]]
        sides = {name: after[name] if name in done else before[name] for name in before}
        found.append(_stage(number, cluster, ordered, sides, done))
    _take_steps(found, differing(cluster.nodes))
    return found


def _take_steps(stages: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    """What pins and LAGGs make of the stages. States that match now and would not after the upgrade can be helped; others are broken already."""
    later = any(direction["named"] != YES for stage in stages[1:] for direction in stage["directions"])
    laggs = list(names) if later and all(direction["named"] == YES for direction in stages[0]["directions"]) else []
    for stage in stages:
        stage["lagg"] = laggs if any(direction["named"] != YES for direction in stage["directions"]) else []
        if stage["pin"]:
            stage["pin"]["lifted"] = "not while the releases differ" if stages[-1]["pin"] else "when all nodes are upgraded"
        for direction in stage["directions"]:
            direction["answer"] = worst([direction["understood"], direction["routed"], YES if stage["lagg"] else direction["named"]])


def stage_id(number: int, nodes: int) -> str:
    """The name of the stage in which so many of the nodes are upgraded."""
    return NOW if number == 0 else BOTH if number == nodes else MIXED if number == 1 else f"{MIXED}_{number}"


def worst(answers: Sequence[str]) -> str:
    """No before unknown before yes; of nothing, yes."""
    return NO if NO in answers else UNKNOWN if UNKNOWN in answers else YES


def _stage(number: int, cluster: ClusterView, ordered: Sequence[NodeView], sides: Mapping[str, Side], done: Sequence[str]) -> dict[str, Any]:
    ident = stage_id(number, len(ordered))
    title = "Now" if ident == NOW else f"{'Both' if len(ordered) == 2 else 'All'} upgraded" if ident == BOTH else f"{', '.join(done)} upgraded"
    # A stage's pairs name the node that is active before the upgrade first.
    pairs = list(combinations([node.name for node in reversed(ordered)], 2))
    plain = {pair: _compatibility(sides[pair[0]], sides[pair[1]]) for pair in pairs}
    pins = _pins(plain)
    # What is so now is told as it is, though a pin would help.
    taken = pins if ident != NOW else {}
    pinned = {name: side.pinned(taken[name][0]) if name in taken else side for name, side in sides.items()}
    judged = {pair: _compatibility(pinned[pair[0]], pinned[pair[1]]) for pair in pairs} if taken else plain
    nodes = {node.name: node for node in cluster.nodes}
    directions = []
    for pair in pairs:
        for sender, receiver, key, purpose in ((*pair, "a_to_b", "takeover"), (*reversed(pair), "b_to_a", "failback")):
            directions.append(_direction(nodes[sender], nodes[receiver], pinned, (plain[pair], judged[pair]), key, purpose))
    pin = {"format": min(version for version, _how in pins.values()), "nodes": sorted(pins), "how": next(iter(pins.values()))[1]} if pins else None
    return {"id": ident, "title": title, "upgraded": list(done), "directions": directions, "pin": pin,
            "nodes": [{"node": node.name, "platform": sides[node.name].platform, "release": sides[node.name].release, "sends": pinned[node.name].sends,
                       "upgraded": node.name in done} for node in reversed(ordered)],
            "notes": [{"node": name, "text": note.text, "link": note.link} for name in done[-1:]
                      for note in sides[name].row.notes]}


def _compatibility(one: Side, other: Side) -> dict[str, Any]:
    """The judgement of two nodes; not known where a release is not, or is none."""
    try:
        return compatibility(one.asked(), other.asked())
    except ValueError as error:
        lacking = [side.host for side in (one, other) if side.release is None]
        reason = f"the release of {' and '.join(lacking)} is not known" if lacking else str(error)
        return {"a_to_b": UNKNOWN, "b_to_a": UNKNOWN, "pin": None, "lost": [], "confidence": UNVERIFIED, "reason": reason}


def _pins(plain: Mapping[tuple[str, str], Mapping[str, Any]]) -> dict[str, tuple[int, str]]:
    """By node: the format to pin it to, and how; of several the oldest, which all understand."""
    found: dict[str, tuple[int, str]] = {}
    for pair, answer in plain.items():
        pin = answer["pin"]
        if pin:
            name = pair[0] if pin["node"] == "a" else pair[1]
            found[name] = min(found.get(name, (pin["format"], pin["how"])), (pin["format"], pin["how"]))
    return found


def _direction(sender: NodeView, receiver: NodeView, sides: Mapping[str, Side], answers: tuple[Mapping[str, Any], Mapping[str, Any]], key: str,
               purpose: str) -> dict[str, Any]:
    plain, judged = (str(answer[key]) for answer in answers)
    named, named_reason = _named(sender, receiver, sides[sender.name])
    routed, routed_reason = _routed(sender, receiver, sides)
    return {"from": sender.name, "to": receiver.name, "purpose": purpose, "understood": judged, "named": named, "routed": routed,
            "matched": worst([named, routed]), "without_steps": worst([plain, named, routed]), "lost": list(answers[1]["lost"]),
            "confidence": answers[1]["confidence"],
            "reasons": {"understood": _reason(answers[1]["reason"], key), "named": named_reason, "routed": routed_reason}}


def _reason(reason: str, key: str) -> str:
    """Of a reason for both directions that for one; both may have the same."""
    forth, found, back = reason.removeprefix("a to b: ").partition("; b to a: ")
    return back if found and key == "b_to_a" else forth


def _named(sender: NodeView, receiver: NodeView, side: Side) -> tuple[str, str]:
    """Whether the devices that a state names are there on the receiver."""
    names = differing((sender, receiver))
    if not names:
        return YES, "every logical interface has the same device on both"
    binding = binding_of(sender, side)
    first, second = (node.plan["interfaces"] for node in (sender, receiver))
    said = ", ".join(f"{name} is {first[name]} on {sender.name} and {second[name]} on {receiver.name}" for name in names)
    why = f"({binding.what}: {binding.why})"
    if binding.bound is None:
        return UNKNOWN, f"{said}; whether states of {sender.name} name the device is not known {why}"
    return (NO, f"{said}; states of {sender.name} name the device {why}") if binding.bound else (YES, f"{said}; states of {sender.name} float {why}")


def _routed(sender: NodeView, receiver: NodeView, sides: Mapping[str, Side]) -> tuple[str, str]:
    """Whether a route arrives with its state. The oldest format carries none, and a kernel that knows newer ones takes it from its own rule, which it
    finds only while the rules are the same (FreeBSD 15, if_pfsync.c, pfsync_state_import)."""
    side, other = sides[sender.name], sides[receiver.name]
    count = sender.number("state_rules", "routed")
    if side.sends != OLDEST_FORMAT or max(other.reads, default=OLDEST_FORMAT) <= OLDEST_FORMAT or count == 0:
        return YES, "no route is lost on the way"
    if count is None:
        return UNKNOWN, sender.unknown(f"which rules route, whose routes format {OLDEST_FORMAT} does not carry", "state_rules")
    said = f"{count:.0f} rules of {sender.name} route (route-to, reply-to), and format {OLDEST_FORMAT} does not carry the route"
    sums = [node.get("engine", "checksum") for node in (sender, receiver)]
    if not all(isinstance(one, str) and one for one in sums) or sums[0] != sums[1]:
        return NO, f"{said}; the rules of the nodes are not known to be the same, so that {receiver.name} drops these states"
    return UNKNOWN, f"{said}; {receiver.name} finds it in its own rules only where these have one gateway each"


def differing(nodes: Sequence[NodeView]) -> list[str]:
    """Logical interfaces whose devices are not the same on all of these nodes that have them."""
    names = dict.fromkeys(name for node in nodes for name in node.plan["interfaces"])
    return [name for name in names if len({node.plan["interfaces"][name] for node in nodes if name in node.plan["interfaces"]}) > 1]
