# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Maintenance on simulated OpenBSD nodes."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import maintenance, pfsync0
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, pair
from ansible_collections.hafirewall.cluster.tests.unit.plugins.module_utils._platforms.openbsd.openbsd_cases import cluster, run, states

ENTER, LEAVE = {"state": "enabled", "persistent": True}, {"state": "disabled", "persistent": True}
RC_LOCAL, MARKER = "/etc/rc.local", "/var/run/hafirewall.carpdemote"
BLOCK = "# BEGIN hafirewall.cluster maintenance\nifconfig -g carp carpdemote 64 && echo 64 > %s\n# END hafirewall.cluster maintenance\n" % MARKER


@pytest.fixture(name="nodes")
def _nodes(tmp_path):
    nodes = pair(tmp_path)
    cluster(*nodes)
    return nodes


def level(node: OpenbsdNode) -> int:
    return pfsync0.demotion(node) or 0


def settle(node: OpenbsdNode) -> None:
    node.machine.clock.advance(60)


def test_an_active_node_hands_over_and_takes_part_again(nodes):
    first, second = nodes
    result, done = run(first, "maintenance", ENTER)
    assert (result["maintenance"], result["handed_over"], done) == (True, True, ["ifconfig -g carp carpdemote 64"])
    assert (states(first), states(second), level(first)) == (["standby", "standby"], ["active", "active"], 64)
    result, done = run(first, "maintenance", LEAVE)
    assert (result["maintenance"], result["handed_over"], done) == (False, False, ["ifconfig -g carp -carpdemote 64"])
    settle(first)
    assert (states(first), states(second), level(first)) == (["active", "active"], ["standby", "standby"], 0)
    assert (first.read_text(RC_LOCAL), first.read_text(MARKER)) == (None, None)


def test_it_works_without_preemption_too(nodes):
    first, second = nodes
    for node in nodes:
        node.machine.run(["sysctl", "net.inet.carp.preempt=0"])
    run(first, "maintenance", ENTER)
    assert (states(first), states(second)) == (["standby", "standby"], ["active", "active"])


def test_it_holds_over_a_boot_and_at_no_moment_of_it_the_node_is_active(nodes):
    first, _second = nodes
    run(first, "maintenance", ENTER)
    seen = []
    first.machine.before_command = lambda argv: seen.append([vhost.state for vhost in first.machine.carp.vhosts.values()])
    first.machine.boot()
    for _second_passed in range(60):
        first.machine.clock.advance(1)
        seen.append([vhost.state for vhost in first.machine.carp.vhosts.values()])
    assert not [one for one in seen if "MASTER" in one]
    assert (level(first), maintenance.observe(first)) == (64, True)
    assert maintenance.apply(first.again(), ENTER)["drift"] == []
    run(first, "maintenance", LEAVE)
    assert level(first) == 0


def test_what_is_not_persistent_ends_with_a_boot(nodes):
    first, _second = nodes
    run(first, "maintenance", dict(ENTER, persistent=False))
    assert (first.read_text(RC_LOCAL), maintenance.observe(first)) == (None, True)
    run(first, "maintenance", ENTER)
    run(first, "maintenance", dict(ENTER, persistent=False))
    first.machine.boot()
    settle(first)
    assert (level(first), maintenance.observe(first)) == (0, False)


def test_the_demotions_of_others_stay(nodes):
    first, _second = nodes
    first.machine.run(["ifconfig", "-g", "carp", "carpdemote", "100"])
    settle(first)
    run(first, "maintenance", ENTER)
    assert level(first) == 164
    first.machine.run(["ifconfig", "-g", "carp", "carpdemote", "5"])
    run(first, "maintenance", LEAVE)
    assert level(first) == 105


def test_what_somebody_else_has_lifted_is_not_lifted_again(nodes):
    first, _second = nodes
    run(first, "maintenance", ENTER)
    first.machine.run(["ifconfig", "-g", "carp", "-carpdemote", "64"])
    first.machine.run(["ifconfig", "-g", "carp", "carpdemote", "10"])
    assert maintenance.observe(first) is False
    run(first, "maintenance", LEAVE)
    assert level(first) == 10


def test_what_somebody_else_has_lifted_is_demoted_again_in_maintenance(nodes):
    first, _second = nodes
    run(first, "maintenance", ENTER)
    first.machine.run(["ifconfig", "-g", "carp", "-carpdemote", "64"])
    assert run(first, "maintenance", ENTER)[1] == ["ifconfig -g carp carpdemote 64"]
    assert level(first) == 64


def test_a_run_that_ends_before_it_has_demoted_does_no_harm(nodes):
    first, _second = nodes
    first.machine.put(MARKER, "64\n")
    run(first, "maintenance", ENTER)
    assert level(first) == 64
    run(first, "maintenance", LEAVE)
    first.machine.put(MARKER, "64\n")
    result, done = run(first, "maintenance", LEAVE)
    assert ([item["setting"] for item in result["drift"]], done, level(first)) == (["record of the demotion (%s)" % MARKER], [], 0)


@pytest.mark.parametrize(("before", "with_it"), [
    (None, BLOCK), ("", BLOCK), ("echo -n ' mine'\nexit 0\n", BLOCK + "echo -n ' mine'\nexit 0\n"), ("#!/bin/sh\nmine\n", "#!/bin/sh\n" + BLOCK + "mine\n"),
    ("mine", BLOCK + "mine"),
])
def test_rc_local_stays_as_it_is_around_the_block(nodes, before, with_it):
    first, _second = nodes
    if before is not None:
        first.machine.put(RC_LOCAL, before, 0o600)
    run(first, "maintenance", ENTER)
    assert first.read_text(RC_LOCAL) == with_it
    run(first, "maintenance", LEAVE)
    assert first.read_text(RC_LOCAL) == (before or None)
    if before:
        assert first.machine.path(RC_LOCAL).stat().st_mode & 0o777 == 0o600


def test_a_standby_enters_without_handing_over(nodes):
    assert run(nodes[1], "maintenance", ENTER)[0]["handed_over"] is False


def test_where_nobody_takes_over_all_is_as_it_was(nodes):
    first, second = nodes
    second.machine.lose_power()
    with pytest.raises(NodeError, match="still holds virtual addresses 30 s after it entered maintenance"):
        maintenance.apply(first.again(), ENTER)
    assert (level(first), first.read_text(RC_LOCAL), first.read_text(MARKER)) == (0, None, None)


def test_a_node_without_addresses_has_nothing_to_hand_over(tmp_path):
    node, _other = pair(tmp_path)
    with pytest.raises(NodeError, match="no virtual addresses"):
        maintenance.apply(node, ENTER)
    assert maintenance.apply(node.again(), LEAVE)["drift"] == []


def test_a_block_without_an_end_is_an_error_and_no_guess(nodes):
    first, _second = nodes
    first.machine.put(RC_LOCAL, "# BEGIN hafirewall.cluster maintenance\n")
    with pytest.raises(NodeError, match="has no end"):
        maintenance.apply(first.again(), ENTER)
