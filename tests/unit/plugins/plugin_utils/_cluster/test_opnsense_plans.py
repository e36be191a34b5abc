# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans for OPNsense: what is judged by, though nothing is changed there, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from intent_cases import PFSENSE, evidence, planned, refused

SYNC = "hafirewall_cluster.sync"
OPNSENSE: dict[str, Any] = {"nodes.fw1.platform": "opnsense", "nodes.fw2.platform": "opnsense"}


def seen(version: str) -> dict[str, Any]:
    """Both nodes with this release."""
    return {f"evidence.fw{number}": {**evidence(number), "platform": "opnsense", "os": {"id": "opnsense", "version": version}, "state_policy": "floating",
                                     "state_rules": {"bound": 0, "routed": 0}} for number in (1, 2)}


def test_a_plan_says_that_nothing_is_changed_and_needs_no_password() -> None:
    result = planned({**OPNSENSE, "cluster.sync.format": 1301})
    assert [plan["driven"] for plan in result.plans.values()] == [False, False]
    one, two = result.plans["fw1"], result.plans["fw2"]
    assert (one["platform"], one["state_sync"]["version"], one["state_sync"]["host_id"]) == ("opnsense", 1301, None)
    # The product makes the rules of CARP by itself.
    assert one["sync_rule"]["vrrp"] == []
    assert [instance["advskew"] for plan in (one, two) for instance in plan["virtual_ip"]["instances"][:1]] == [0, 100]


def test_what_is_changed_needs_one() -> None:
    changes = {name: value for name, value in PFSENSE.items() if "password" not in name}
    assert [(one.path, "is missing" in one.problem) for one in refused(changes)] == [("hafirewall_cluster.vrrp.password", True)]
    assert all(plan["driven"] for plan in planned(PFSENSE).plans.values())


def test_evidence_tells_the_platform() -> None:
    assert {plan["platform"] for plan in planned(seen("26.1.4")).plans.values()} == {"opnsense"}


V6 = {"cluster.sync.network": "2001:db8:5::/64", "nodes.fw1.interfaces.sync.address": "2001:db8:5::2/64",
      "nodes.fw2.interfaces.sync.address": "2001:db8:5::3/64"}


@pytest.mark.parametrize(("changes", "path", "problem", "remedy"), [
    ({**OPNSENSE, "nodes.fw1.host_id": "a1"}, "hafirewall_node.host_id", "OPNsense has no setting for it", "remove it"),
    ({**OPNSENSE, **V6}, f"{SYNC}.network", "state sync of OPNsense is IPv4 only", "choose an IPv4 network"),
    ({**OPNSENSE, "cluster.sync.mode": "ftfw"}, f"{SYNC}.mode", "is a setting of conntrackd, and the nodes run OPNsense", "remove it"),
    ({**seen("24.1.10"), "cluster.sync.format": 1400}, f"{SYNC}.format", "is 1400, and OPNsense 24.1.10 understands 1301", "choose 1301"),
    ({**seen("26.1.4"), "cluster.sync.format": 1500}, f"{SYNC}.format", "is 1500, and OPNsense 26.1.4 understands 1301 and 1400", "choose 1400"),
    ({**seen("24.1.10"), "cluster.vrrp.transport": "unicast"}, "hafirewall_cluster.vrrp.transport", "which OPNsense 24.1.10 has no setting for", "24.7"),
])
def test_what_cannot_be_is_refused_with_its_place_and_what_to_do(changes: dict[str, Any], path: str, problem: str, remedy: str) -> None:
    found = [one for one in refused(changes) if one.path == path]
    assert found and problem in found[0].problem and remedy in found[0].remedy


@pytest.mark.parametrize("changes", [{**seen("26.7.2"), "cluster.sync.format": 1500}, {**seen("24.7.1"), "cluster.vrrp.transport": "unicast"},
                                     {**OPNSENSE, "cluster.sync.format": 1400}])
def test_what_can_be_is_planned(changes: dict[str, Any]) -> None:
    assert refused(changes) == ()
