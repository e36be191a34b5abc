# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters of every platform to be upgraded, each node with just the plan and the evidence that its stages are judged by."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.outcome import judge_upgrade

WELL = [{"id": "roles_disjoint", "cluster": "edge", "node": None, "status": "pass", "reason": "fw1 is active for all ids"}]


def plan(node, members, platform, devices=None, **sync):
    return {"cluster": "edge", "node": node, "role": "primary" if node == members[0] else "secondary", "platform": platform, "members": list(members),
            "interfaces": dict(devices or {"lan": "em0", "sync": "em1"}), "virtual_ip": {"instances": []},
            "state_sync": {"enabled": True, "interface": "em1", "address": None, "state_policy": None, **sync}}


def evidence(platform, release, *, active=False, version=None, candidate=None, **more):
    """What node_info tells of a node; ``version`` is the format that the kernel shows."""
    found = {"platform": platform, "os": {"id": platform, "version": release}, "engine": {"config": {"version": version}, "pinned": None, "checksum": "aa"},
             "vrrp": {"instances": [{"state": "active" if active else "standby"}]}, "state_policy": "floating", "state_policy_from": "default",
             "state_rules": {"bound": 0, "routed": 0}, "errors": []}
    if platform == "linux":
        found.update(packages={"conntrackd": release}, os={"id": "debian", "version": "12"}, engine={"config": {"mode": "ftfw"}})
    if candidate is not None:
        what = {"packages": {"conntrackd": candidate}} if platform == "linux" else {"release": candidate}
        found["readiness"] = {"candidate": what}
    found.update(more)
    return found


class Pair:
    """Two nodes, fw1 active; a test changes what it is about and judges."""

    def __init__(self, platform, release, *, shows=None, devices=None, nodes=("fw1", "fw2"), **more):
        self.plans = {node: plan(node, nodes, platform, (devices or {}).get(node)) for node in nodes}
        self.evidence = {node: evidence(platform, release, active=node == nodes[0], version=shows, **more) for node in nodes}

    def judged(self, target=None, checks=None, **targets):
        wanted = {node: target for node in self.plans} if target else targets
        return judge_upgrade(self.plans, self.evidence, wanted, WELL if checks is None else checks)

    def answers(self, target=None, key="answer", **targets):
        """By stage: takeover and failback of the first pair."""
        return {stage["id"]: tuple(direction[key] for direction in stage["directions"][:2]) for stage in self.judged(target, **targets)["stages"]}
