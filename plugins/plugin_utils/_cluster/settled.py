# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Has a node that was just changed come to rest, so that the next one may be touched?"""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.pf_facts import creator, states_sent
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import ENGINES, RAISING_SKEW

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
    alone = plan["state_sync"]["enabled"] and _by_pf(plan) and _asks_nobody(evidence, peers)
    reasons = _rule(plan, evidence) + _addresses(plan, evidence, alone)
    if plan["state_sync"]["enabled"]:
        reasons += _engine(evidence) + ([] if alone else _transferred(evidence, peers) if _by_pf(plan) else _level(evidence, peers))
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


def _addresses(plan: Mapping[str, Any], evidence: Mapping[str, Any], alone: bool) -> list[str]:
    if not plan["virtual_ip"]["instances"]:
        return []
    vrrp = evidence.get("vrrp") or {}
    states = {_place(instance): instance.get("state") for instance in vrrp.get("instances") or []}
    # What the primary sends comes with its next save, and that may be after this node's turn.
    wanted = [instance for instance in plan["virtual_ip"]["instances"] if not plan["virtual_ip"].get("received") or _place(instance) in states]
    # Where maintenance demotes CARP, a node in maintenance rests like that.
    held = bool(evidence.get("maintenance")) and plan["platform"] not in RAISING_SKEW
    reasons = _carp(vrrp, held or alone and _asks_only(vrrp)) if _by_pf(plan) else _service(vrrp)
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


def _carp(vrrp: Mapping[str, Any], held: bool) -> list[str]:
    if vrrp.get("running") is not True:
        return ["CARP is not known to be switched on"]
    demotion = vrrp.get("demotion")
    if held and isinstance(demotion, int):
        return []
    return [] if demotion == 0 and demotion is not False else [f"CARP is demoted by {'an unknown number' if demotion is None else demotion}"]


def _asks_nobody(evidence: Mapping[str, Any], peers: Mapping[str, Mapping[str, Any] | None]) -> bool:
    """Whether pfsync asks for the states of the others while none of them runs it, as on the first node of a new cluster: it asks again until the next one
    answers, which then is sooner than that it gives up."""
    engine = evidence.get("engine") or {}
    return engine.get("bulk") == "pending" and all(((peer or {}).get("engine") or {}).get("running") is False for peer in peers.values())


def _asks_only(vrrp: Mapping[str, Any]) -> bool:
    """Whether CARP is demoted by that and by nothing else."""
    told = vrrp.get("demotion_why") or []
    return bool(told) and all(one.get("why") == "pfsync bulk start" for one in told)


def _transferred(evidence: Mapping[str, Any], peers: Mapping[str, Mapping[str, Any] | None]) -> list[str]:
    """The kernel says when the states of the others are here. Numbers of states tell nothing: those of a rule with no-sync stay where they are made.

    It says so (syncok) also when nobody has answered, as must be while the change has not reached the others. Where its messages are read (``bulk``), they
    tell; that matters on a standby, while there is an active node whose states travel, and none of them is here.
    """
    engine = evidence.get("engine") or {}
    if engine.get("synced") is not True:
        return ["the states of the other nodes are not known to be here yet (syncok)"]
    if engine.get("bulk") == "failed" and not is_active(evidence) and any(_unanswered(engine, peer) for peer in peers.values() if peer and is_active(peer)):
        return ["no state of the active node has come, and it has not answered when this node asked for them (pfsync bulk fail)"]
    return []


def _unanswered(engine: Mapping[str, Any], active: Mapping[str, Any]) -> bool:
    """Whether an active node, as it was read, sends states in the way in which this one listens, and this one has none of them."""
    other = active.get("engine") or {}
    same = (engine.get("config") or {}).get("transport") == (other.get("config") or {}).get("transport")
    made = creator(other.get("host_id"))
    here = [creator(one) for one in engine.get("creators") or []]
    return other.get("running") is True and same and made is not None and made not in here and bool(states_sent(other.get("counters")))


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
