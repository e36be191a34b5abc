# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Has a node that was just changed come to rest, so that the next one may be touched?"""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import ENGINES

# A standby holds states of its own too, and the active node opens and closes some while we look: a tenth and twenty entries are no difference.
LEVEL_SHARE = 0.9
LEVEL_SLACK = 20
# Engines that differ in one of these do not understand each other.
LANGUAGE = ("mode", "transport", "group", "port")


def unsettled(plan: Mapping[str, Any], evidence: Mapping[str, Any], peers: Mapping[str, Mapping[str, Any] | None]) -> list[str]:
    """Reasons why the node is not at rest; empty when it is.

    Args:
        plan: the node's plan, as the plan action returns it.
        evidence: the node's fresh evidence.
        peers: evidence of the other members by host, None where nothing is known.
    """
    reasons = _rule(plan, evidence) + _addresses(plan, evidence)
    if plan["state_sync"]["enabled"]:
        reasons += _engine(evidence) + (_transferred(evidence) if _by_pf(plan) else _level(evidence, peers))
    return reasons


def _by_pf(plan: Mapping[str, Any]) -> bool:
    return ENGINES[plan["platform"]] == "pfsync"


def _engine(evidence: Mapping[str, Any]) -> list[str]:
    engine = evidence.get("engine") or {}
    wanted = {"running": "runs", "enabled": "starts at boot", "config_current": "runs with the configuration on its disk"}
    reasons = [f"it is not known to be true that the sync engine {words}" for key, words in wanted.items() if engine.get(key) is not True]
    return reasons + (["the sync engine has not joined its multicast group"] if engine.get("joined") is False else [])


def _rule(plan: Mapping[str, Any], evidence: Mapping[str, Any]) -> list[str]:
    rule = evidence.get("pass_rule") or {}
    if plan["sync_rule"]["enabled"] and rule.get("effective") is not True:
        return [f"the pass rule is not known to be effective ({', '.join(rule.get('blockers') or []) or 'no blocker is known'})"]
    return []


def _addresses(plan: Mapping[str, Any], evidence: Mapping[str, Any]) -> list[str]:
    if not plan["virtual_ip"]["instances"]:
        return []
    vrrp = evidence.get("vrrp") or {}
    states = {_place(instance): instance.get("state") for instance in vrrp.get("instances") or []}
    # What the primary sends comes with its next save, and that may be after this node's turn.
    wanted = [instance for instance in plan["virtual_ip"]["instances"] if not plan["virtual_ip"].get("received") or _place(instance) in states]
    reasons = _carp(vrrp) if _by_pf(plan) else _service(vrrp)
    if reasons or not wanted:
        return reasons if wanted else []
    allowed = {"active", "standby"} | ({"fault"} if evidence.get("maintenance") else set())
    found = {instance["name"]: states.get(_place(instance)) for instance in wanted}
    return [f"{name} is {state or 'in no known state'}" for name, state in found.items() if state not in allowed]


def _place(instance: Mapping[str, Any]) -> tuple[Any, ...]:
    """By what an instance is known in plan and evidence alike."""
    return tuple(instance.get(key) for key in ("interface", "id", "family"))


def _service(vrrp: Mapping[str, Any]) -> list[str]:
    current = vrrp.get("running") is True and vrrp.get("config_current") is True
    return [] if current else ["VRRP is not known to run with the configuration on its disk"]


def _carp(vrrp: Mapping[str, Any]) -> list[str]:
    if vrrp.get("running") is not True:
        return ["CARP is not known to be switched on"]
    demotion = vrrp.get("demotion")
    return [] if demotion == 0 and demotion is not False else [f"CARP is demoted by {'an unknown number' if demotion is None else demotion}"]


def _transferred(evidence: Mapping[str, Any]) -> list[str]:
    """The kernel says when the states of the others are here. Numbers of states tell nothing: those of a rule with no-sync stay where they are made."""
    return [] if (evidence.get("engine") or {}).get("synced") is True else ["the states of the other nodes are not known to be here yet (syncok)"]


def _level(evidence: Mapping[str, Any], peers: Mapping[str, Mapping[str, Any] | None]) -> list[str]:
    """A standby must hold about as many states as the active node knows, if it can hear of them."""
    if is_active(evidence):
        return []
    active = next((peer for peer in peers.values() if peer and is_active(peer)), None)
    known = _table(active, "internal") if active and _hears(evidence, active) else None
    if known is None:
        return []
    # With an external cache the states wait there and not in the kernel.
    external = _table(evidence, "external")
    held = _table(evidence, "kernel") if external is None else external
    if held is None or held < known * LEVEL_SHARE - LEVEL_SLACK:
        return [f"it holds {held} of the {known} states that the active node knows"]
    return []


def _hears(evidence: Mapping[str, Any], active: Mapping[str, Any]) -> bool:
    """Whether both engines run with settings that let states travel: not so while a change of these has reached one of them only."""
    own, other = ((side.get("engine") or {}).get("config") or {} for side in (evidence, active))
    same = all(own.get(setting) == other.get(setting) for setting in LANGUAGE)
    return same and own.get("peer") in (None, other.get("address"))


def _table(evidence: Mapping[str, Any], name: str) -> int | None:
    return ((evidence.get("engine") or {}).get("tables") or {}).get(name)


def is_active(evidence: Mapping[str, Any]) -> bool:
    """True when the node holds any of the cluster's virtual addresses as VRRP's active node."""
    return any(instance.get("state") == "active" for instance in (evidence.get("vrrp") or {}).get("instances") or [])
