# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair whose ports have different names, and how tests plan it."""

from __future__ import annotations

from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.plan import LaggPlan, plan_laggs
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import read_model
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_node import after, evidence, port, vlan

PREFIXES = {"fw1": "em", "fw2": "igb", "fw3": "ix"}


def cluster(**more: Any) -> dict[str, Any]:
    """What is true of the cluster."""
    return {"name": "edge", "sync": {"interface": "sync", "network": "198.51.100.128/28"},
            "virtual_ips": [{"interface": "lan", "address": "192.0.2.1/24", "id": 10}], **more}


def node(host: str, **interfaces: Any) -> dict[str, Any]:
    """A node with lan on a port, wan on a VLAN and sync on a port, all under its own driver's names."""
    prefix = PREFIXES[host]
    return {"role": "primary" if host == "fw1" else "secondary",
            "interfaces": {"lan": f"{prefix}0", "wan": f"{prefix}1.10", "sync": f"{prefix}2", **interfaces}}


def seen(host: str, *further: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Evidence that fits the node: its four ports, and two spare ones."""
    prefix, number = PREFIXES[host], int(host[-1])
    return evidence(port(f"{prefix}0", [f"192.0.2.{number + 1}/24", f"fe80::{number}/64"]), port(f"{prefix}1"),
                    vlan(f"{prefix}1", 10, [f"203.0.113.{number + 1}/24"]), port(f"{prefix}2", [f"198.51.100.{number + 128}/28"]),
                    port(f"{prefix}3", [f"198.51.100.{number + 1}/25"]), port(f"{prefix}4"), port(f"{prefix}5"), *further, **more)


def planned(common: dict[str, Any], nodes: dict[str, Any], found: dict[str, Any]) -> LaggPlan:
    """The plan of a cluster whose intent is well formed."""
    findings = Findings()
    model = read_model(common, nodes, found, findings)
    assert findings.errors == [], [str(error) for error in findings.errors]
    return plan_laggs(model)


def pair(common: dict[str, Any] | None = None, hosts: tuple[str, ...] = ("fw1", "fw2"), platform: str = "pfsense", version: str = "2.5.2-RELEASE",
         nodes: dict[str, Any] | None = None, found: dict[str, Any] | None = None) -> LaggPlan:
    """The plan of the pair; by default of pfSense nodes whose states are bound."""
    return planned(common or cluster(), {**{host: node(host) for host in hosts}, **(nodes or {})},
                   {**{host: seen(host, platform=platform, version=version) for host in hosts}, **(found or {})})


def applied(plan: LaggPlan, found: dict[str, Any]) -> dict[str, Any]:
    """The evidence of all nodes when each has done what its options say."""
    return {host: after(value, plan.options(host)) for host, value in found.items()}


def told(plan: LaggPlan) -> list[tuple[str, str | None, str, str]]:
    """What is refused, without the class."""
    return [(problem.path, problem.host, problem.problem, problem.remedy) for problem in plan.refused]
