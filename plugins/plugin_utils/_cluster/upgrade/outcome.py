# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outcome of an upgrade check: one of four words, with what it follows from, what would be lost, and how to learn what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import SWITCHED_OFF, ClusterView
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.nodes import CANDIDATE, order, target_of
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.stages import MIXED, NO, NOW, UNKNOWN, stages_of
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.steps import runbook

SEAMLESS, WITH_STEPS, NOT_SEAMLESS, NOT_KNOWN = OUTCOMES = ("seamless", "seamless_with_steps", "not_seamless", "unknown")
# What may be asked for. That nothing is known is good enough for nobody.
REQUIRABLE = OUTCOMES[:3]
WORDS = {SEAMLESS: "seamless", WITH_STEPS: "seamless with steps", NOT_SEAMLESS: "not seamless", NOT_KNOWN: "unknown"}
_SENTENCES = {
    SEAMLESS: "Every connection outlives the upgrade when the nodes are upgraded one after the other.",
    WITH_STEPS: "Every connection outlives the upgrade when the steps are taken, in their order.",
    NOT_SEAMLESS: "Connections would be lost.",
    NOT_KNOWN: "Whether connections would be lost could not be told.",
}
_NOT_READY = "States would flow at every stage, but the cluster is not ready: checks fail."
# What is asked of a direction, and what it means that the answer is no.
_ASKED = {"understood": "messages are understood", "named": "states name devices that are there", "routed": "states keep their route"}
_SAID = {"understood": "messages are not understood", "named": "states name a device that is not there", "routed": "states lose their route"}
_OF_RULES = "read what the node tells of its state policy and its rules (state_policy and state_rules in its evidence), or try it in a drill"


def good_enough(outcome: str, required: str) -> bool:
    """Whether an outcome is as good as what is required; unknown never is."""
    return outcome in REQUIRABLE and REQUIRABLE.index(outcome) <= REQUIRABLE.index(required)


def judge_upgrade(plans: Mapping[str, Mapping[str, Any]], evidence: Mapping[str, Any], wanted: Mapping[str, str],
                  checks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Judge the rolling upgrade of one cluster.

    Args:
        plans: inventory name -> plan, of all members of one cluster.
        evidence: inventory name -> evidence as node_info returned it, or None. Anything may be in it.
        wanted: inventory name -> the release to get, or "candidate", which is also what holds for nodes that are not named.
        checks: all results for this cluster, those of readiness among them; what was left out is skipped.
    Returns:
        ``cluster``, ``outcome``, ``sentence``, ``reasons`` (why it is not seamless), ``lost`` (what would be lost), ``unknowns`` (``what``, ``how``),
        ``order`` (hosts), ``targets`` (by host a release or None), ``stages``, ``steps`` (those of the runbook that are required), ``runbook``.
    """
    first = next(iter(plans.values()))
    cluster = ClusterView.of(str(first["cluster"]), list(first["members"]), plans, evidence, {}, 1)
    targets = {node.name: target_of(node, wanted.get(node.name, CANDIDATE)) for node in cluster.nodes}
    stages = stages_of(cluster, targets)
    book = runbook(cluster, stages, targets)
    steps = [step for step in book if step["required"]]
    reasons, lost = _losses(cluster, stages)
    failed = [check for check in checks if check["status"] == "fail"]
    reasons += [_told(check) for check in failed]
    unknowns = _unknowns(cluster, stages, targets, checks)
    if not checks:
        unknowns.append({"what": "whether the cluster is well now: nothing was checked", "how": "run hafirewall.cluster.verify"})
    outcome = NOT_SEAMLESS if reasons else NOT_KNOWN if unknowns else WITH_STEPS if steps else SEAMLESS
    sentence = _SENTENCES[outcome] if outcome != NOT_SEAMLESS or lost else _NOT_READY
    return {"cluster": cluster.name, "outcome": outcome, "sentence": sentence, "reasons": reasons, "lost": list(dict.fromkeys(lost)),
            "unknowns": unknowns, "order": [node.name for node in order(cluster)], "targets": targets, "stages": stages, "steps": steps, "runbook": book}


def not_judged(cluster: str, unknowns: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The same of a cluster that could not even be planned, with ``unknowns``: ``what`` is wrong, and ``how`` that is put right."""
    return {"cluster": cluster, "outcome": NOT_KNOWN, "sentence": _SENTENCES[NOT_KNOWN], "reasons": [], "lost": [], "unknowns": [dict(one) for one in unknowns],
            "order": [], "targets": {}, "stages": [], "steps": [], "runbook": []}


def _losses(cluster: ClusterView, stages: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Why the upgrade is not seamless, by the stages alone, and what is lost."""
    if len(cluster.nodes) < 2:
        return ["there is one node, and nobody takes over while it is upgraded"], ["every connection, while the node boots"]
    if not cluster.synced:
        return [SWITCHED_OFF], ["every connection, at the handover"]
    reasons: dict[str, list[str]] = {}
    lost = []
    for stage in stages:
        for direction in stage["directions"]:
            no = [key for key in _SAID if _stays(stage, direction, key, NO)]
            for key in no:
                reasons.setdefault(_saying(direction, key, _SAID), []).append(stage["title"])
            if no:
                lost.append(f"{'connections of rules that route' if no == ['routed'] else 'every connection'} {_when(stage, direction)}")
    return [f"{', '.join(titles)}: {said}" for said, titles in reasons.items()], lost


def _stays(stage: Mapping[str, Any], direction: Mapping[str, Any], key: str, answer: str) -> bool:
    """Whether this is the answer also when the steps are taken."""
    return direction[key] == answer and not (key == "named" and stage["lagg"])


def _saying(direction: Mapping[str, Any], key: str, words: Mapping[str, str]) -> str:
    return f"from {direction['from']} to {direction['to']} {words[key]}: {direction['reasons'][key]}"


def _when(stage: Mapping[str, Any], direction: Mapping[str, Any]) -> str:
    sender, receiver = direction["from"], direction["to"]
    if direction["purpose"] == "takeover":
        return f"at {'a failover' if stage['id'] == NOW else 'the handover'} from {sender} to {receiver}"
    if stage["id"].startswith(MIXED):
        return f"on the way back to {receiver}, should {sender} fail or be taken back before {receiver} is upgraded"
    return f"at a failback from {sender} to {receiver}"


def _unknowns(cluster: ClusterView, stages: Sequence[Mapping[str, Any]], targets: Mapping[str, str | None],
              checks: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What could not be learned, and how to learn it."""
    found = [{"what": f"what {node.name} would install", "how": f"state upgrade_check_targets: {{{node.name}: RELEASE}}, or read the node again with readiness"}
             for node in cluster.nodes if targets[node.name] is None]
    standby = order(cluster)[0].name
    asked: dict[tuple[str, str], list[str]] = {}
    for stage in stages if cluster.synced else ():
        for direction in stage["directions"]:
            for key in (key for key in _SAID if _stays(stage, direction, key, UNKNOWN)):
                how = _how(stage, standby) if key == "understood" else _OF_RULES
                asked.setdefault((_saying(direction, key, _ASKED), how), []).append(stage["title"])
    found += [{"what": f"{', '.join(titles)}: whether {said}", "how": how} for (said, how), titles in asked.items()]
    found += [{"what": _told(check), "how": "put right what the reason says, and judge again; upgrade_check_leave_out leaves a check out, and says so"}
              for check in checks if check["status"] == "error"]
    return found


def _how(stage: Mapping[str, Any], standby: str) -> str:
    if stage["id"] == NOW:
        return "read what the node sends: hafirewall.cluster.sync_watch on the Sync interface, or engine.config.version of its evidence"
    return (f"upgrade {standby} alone, which is standby, and judge again before anything is handed over: what its new kernel shows then counts, "
            "and not what is said of its release")


def _told(check: Mapping[str, Any]) -> str:
    return f"{check['id']}{' on ' + str(check['node']) if check['node'] else ''}: {check['reason']}"
