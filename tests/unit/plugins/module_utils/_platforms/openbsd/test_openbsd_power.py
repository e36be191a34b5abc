# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Power that is lost before any command of a run: the node starts again, the same run is made again, and then all is as wanted."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import pfsync0
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.provider import OpenbsdProvider
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Crashed
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import pair
from ansible_collections.hafirewall.cluster.tests.unit.plugins.module_utils._platforms.openbsd.openbsd_cases import (
    LAN,
    address_options,
    cluster,
    instance,
    rule_options,
    states,
    sync_options,
)

ENTER, LEAVE = {"state": "enabled", "persistent": True}, {"state": "disabled", "persistent": True}
JOIN = [("sync_rule", rule_options(0)), ("state_sync", sync_options(0)), ("virtual_ip", address_options(0))]
CHANGE = [("state_sync", sync_options(0, transport="unicast", peer="198.51.100.131", host_id="b7")),
          ("virtual_ip", address_options(0, instance("lan_10_ipv4", LAN, 10, 20, "192.0.2.1/24", "192.0.2.9/24")))]
LEAVE_ALL = [("virtual_ip", dict(address_options(0), instances=[])), ("state_sync", sync_options(0, enabled=False)),
             ("sync_rule", rule_options(0, enabled=False, vrrp=[]))]


def apply(node, steps):
    """All of the steps; how many of their commands changed something."""
    begin = len(node.machine.commands)
    for capability, options in steps:
        getattr(OpenbsdProvider(node.again()), capability)(options)
    return len(node.machine.changes(begin))


def crash_at(node, number):
    """Lose power before the command of that number."""
    left = [number]

    def before(_argv):
        left[0] -= 1
        if left[0] == 0:
            node.machine.before_command = lambda argv: None
            node.machine.lose_power()

    node.machine.before_command = before


def start_again(node):
    node.machine.before_command = lambda argv: None
    node.machine.boot()
    node.machine.clock.advance(60)


@pytest.mark.parametrize(("joined", "steps"), [(False, JOIN), (True, CHANGE), (True, LEAVE_ALL), (True, [("maintenance", ENTER)])],
                         ids=["join", "change", "leave", "maintenance"])
def test_power_that_is_lost_at_any_command_is_made_up_for_by_the_next_run(tmp_path, monkeypatch, joined, steps):
    # Without power, nothing is put back either.
    putting_back = Node._roll_back
    monkeypatch.setattr(Node, "_roll_back", lambda self: putting_back(self) if self.machine.alive else [])
    number, crashes = 0, 0
    while crashes == number:
        number += 1
        nodes = pair(tmp_path / str(number))
        if joined:
            cluster(*nodes)
        node = nodes[0]
        crash_at(node, number)
        try:
            apply(node, steps)
        except (Crashed, NodeError):
            crashes += 1
        start_again(node)
        apply(node, steps)
        assert apply(node, steps) == 0
        demoted = 64 if steps[0][0] == "maintenance" else 0
        assert pfsync0.demotion(node) == demoted
        if demoted:
            assert (states(node), states(nodes[1])) == (["standby", "standby"], ["active", "active"])
            apply(node, [("maintenance", LEAVE)])
            assert pfsync0.demotion(node) == 0
    assert crashes > 3
