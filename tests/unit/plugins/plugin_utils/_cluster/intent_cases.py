# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A good intent, and small changes to it written as a mapping of places to values."""

from __future__ import annotations

import copy
import re
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import IntentError, Problem
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plan import ClusterPlan, plan_cluster

GONE = object()

CLUSTER = {
    "name": "edge",
    "sync": {"interface": "sync", "network": "198.51.100.128/28"},
    "virtual_ips": [
        {"interface": "lan", "address": "192.0.2.1/24", "id": 10},
        {"interface": "wan", "address": "203.0.113.1/24", "id": 20, "addresses": ["203.0.113.9/24"]},
        {"interface": "lan", "address": "2001:db8:1::1/64", "id": 11},
    ],
    "vrrp": {},
}


def node(role: str, number: int) -> dict[str, Any]:
    """A node whose addresses are all stated and end in ``number`` + 1."""
    return {"role": role, "interfaces": {
        "lan": {"device": "lan0", "address": f"192.0.2.{number + 1}/24", "addresses": [f"2001:db8:1::{number + 1}/64"]},
        "wan": {"device": "wan0", "address": f"203.0.113.{number + 1}/24"},
        "sync": {"device": "sync0", "address": f"198.51.100.{number + 129}/28"},
    }}


def whole(count: int = 2) -> dict[str, Any]:
    """A good intent of two nodes or more, ``fw1`` the primary."""
    nodes = {f"fw{number}": node("primary" if number == 1 else "secondary", number) for number in range(1, count + 1)}
    return {"cluster": copy.deepcopy(CLUSTER), "nodes": nodes, "evidence": {}}


def evidence(number: int) -> dict[str, Any]:
    """Evidence that fits the node of this number."""
    return {"schema": 1, "platform": "linux", "os": {"id": "debian", "version": "12"}, "interfaces": [
        {"name": "lo", "addresses": ["127.0.0.1/8", "::1/128"]},
        {"name": "lan0", "addresses": [f"192.0.2.{number + 1}/24", f"2001:db8:1::{number + 1}/64", f"fe80::{number}/64"]},
        {"name": "wan0", "addresses": [f"203.0.113.{number + 1}/24"]},
        {"name": "sync0", "addresses": [f"198.51.100.{number + 129}/28"]},
        {"name": "mgmt0", "addresses": [f"198.51.100.{number + 1}/25"]},
    ]}


# What makes the good intent one of pfSense nodes.
PFSENSE = {"nodes.fw1.platform": "pfsense", "nodes.fw2.platform": "pfsense", "cluster.vrrp.password": "hunter2"}


def changed(changes: dict[str, Any], count: int = 2) -> dict[str, Any]:
    """A good intent with values put in place of others, ``{"cluster.virtual_ips[1].id": 0}``; GONE takes a key out."""
    intent = whole(count)
    for place, value in changes.items():
        *steps, last = [int(step[1:-1]) if step.startswith("[") else step for step in re.findall(r"\[\d+\]|[^.\[]+", place)]
        target: Any = intent
        for step in steps:
            target = target[step]
        if value is GONE:
            del target[last]
        else:
            target[last] = copy.deepcopy(value)
    return intent


def planned(changes: dict[str, Any], count: int = 2) -> ClusterPlan:
    """The plan of a changed intent."""
    intent = changed(changes, count)
    return plan_cluster("edge", intent["cluster"], intent["nodes"], intent["evidence"])


def refused(changes: dict[str, Any], count: int = 2) -> tuple[Problem, ...]:
    """All errors of a changed intent; none when it is accepted."""
    try:
        planned(changes, count)
    except IntentError as error:
        return error.problems
    return ()
