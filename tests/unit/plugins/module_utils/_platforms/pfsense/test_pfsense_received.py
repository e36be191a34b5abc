# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual addresses that the primary's configuration sync brings to a pfSense node: compared there, and left alone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import maintenance, virtual_ip
from ansible_collections.hafirewall.cluster.plugins.modules.virtual_ip import ARGUMENTS
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.layout import CARP_CONFIG
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

DEFAULTS = {name: argument.get("default") for name, argument in ARGUMENTS.items()}


def instance(*addresses: str, **changes: Any) -> dict[str, Any]:
    return dict({"name": "lan", "interface": "em1", "id": 10, "family": "ipv4", "priority": 150, "advskew": 100, "advbase": 1,
                 "addresses": list(addresses or ["192.0.2.1/24", "192.0.2.9/32"])}, **changes)


def apply(node: PfsenseNode, *instances: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return virtual_ip.apply(node, dict(DEFAULTS, name="edge", instances=list(instances), **dict({"password": "secret"}, **changes)))


def drift(setting: str, is_: Any, wanted: Any) -> dict[str, Any]:
    return {"setting": setting, "is": is_, "wanted": wanted}


@pytest.fixture
def come(node: PfsenseNode) -> PfsenseNode:
    """A node that has what was sent to it, in the state that it would have made itself."""
    apply(node, instance())
    return node.again()


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(("wanted", "changes", "expected"), [
    ([instance()], {}, []),
    ([instance(advskew=120)], {}, [drift("lan.advskew", "100", "120")]),
    ([instance()], {"password": "another"}, [drift("lan.password", "other", "as stated")]),
    ([instance("192.0.2.1/24", "192.0.2.8/32")], {}, [drift("lan alias 192.0.2.8", "absent", "present"),
                                                      drift("edge: lan alias 192.0.2.9", "present", "absent")]),
    ([instance(), instance("192.0.2.5/24", id=11, name="more")], {"password": None}, [drift("more", "absent", "present")]),
    ([], {}, [drift("edge: lan", "present", "absent"), drift("edge: lan alias 192.0.2.9", "present", "absent")]),
])
def test_what_differs_is_told_and_nothing_is_changed(come: PfsenseNode, check_mode: bool, wanted: list[dict[str, Any]], changes: dict[str, Any],
                                                     expected: list[dict[str, Any]]) -> None:
    node, before, run = come.again(check_mode), come.config, come.journal("command", "event", "notice")
    assert apply(node, *wanted, received=True, **changes) == {"drift": expected, "validation": "not needed"}
    assert (node.changed, node.commands, node.diffs, node.php_calls) == (False, [], [], 1)
    assert (come.config, come.journal("command", "event", "notice")) == (before, run)


def test_what_has_not_come_yet_is_no_error_even_without_a_password(node: PfsenseNode) -> None:
    before = node.config
    result = apply(node, instance(), received=True, password=None)
    assert result["drift"] == [drift("lan", "absent", "present"), drift("lan alias 192.0.2.9", "absent", "present")]
    assert (node.config, node.changed, node.journal("command")) == (before, False, [])


def test_what_is_in_the_way_of_what_will_come_is_no_error(make) -> None:
    node = make(config=CARP_CONFIG)
    assert apply(node, instance("192.0.2.77/32", id=13), received=True)["drift"] == [drift("lan", "absent", "present")]
    with pytest.raises(NodeError, match="is already a virtual address of this node"):
        apply(node, instance("192.0.2.77/32", id=13))


def test_what_runs_otherwise_is_told_and_left(come: PfsenseNode) -> None:
    come.query(["ifconfig", "em1", "inet", "192.0.2.9", "delete"])
    run = come.journal("command")
    assert apply(come, instance(), received=True)["drift"] == [drift("lan as running", "other settings", "as configured")]
    assert (come.changed, come.journal("command")) == (False, run)


def test_in_maintenance_the_highest_skew_is_right(come: PfsenseNode) -> None:
    come.kernel(carp_peer_advskew=0)
    maintenance.apply(come.again(), {"state": "enabled"})
    assert apply(come, instance(), received=True)["drift"] == []
