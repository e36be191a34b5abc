# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two simulated OpenBSD machines that are a cluster: what becomes of addresses and states when one of them goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.running import Pair, carp_states, counted, creators, demotion, run, running_pair


@pytest.fixture(name="nodes")
def _nodes(tmp_path: Path) -> Pair:
    return running_pair(tmp_path)


def connections(nodes: Pair) -> "list[int]":
    return [sum(1 for state in one.machine.pf.states if state.protocol == "tcp") for one in nodes]


def test_a_cluster_from_files_has_one_master_and_no_demotion(nodes: Pair) -> None:
    assert carp_states(nodes) == ["MASTER", "BACKUP"]
    assert [demotion(one) for one in nodes] == [0, 0]
    assert nodes[0].machine.changes() == []
    assert nodes[0].machine.hostid == 10


def test_connections_survive_a_power_cut_of_the_master(nodes: Pair) -> None:
    assert nodes[0].machine.traffic(10, "tcp", 443) == 10
    nodes[0].machine.clock.advance(2)
    nodes[0].machine.lose_power()
    nodes[1].machine.clock.advance(5)
    assert nodes[1].machine.carp.master("em0")
    assert connections(nodes)[1] == 10
    assert creators(nodes[1]) == ["0000000a", "0000000b"]


def test_a_reboot_hands_over_and_what_comes_back_has_the_states_before_it_is_master(nodes: Pair) -> None:
    nodes[0].machine.traffic(10, "tcp", 443)
    nodes[0].machine.clock.advance(2)
    nodes[0].machine.boot()
    assert carp_states(nodes) == ["BACKUP", "MASTER"]
    # The 32 of the bulk update hold it back although preempt is set.
    assert demotion(nodes[0]) == 32
    nodes[0].machine.clock.advance(1.9)
    assert carp_states(nodes)[1] == "MASTER"
    nodes[0].machine.clock.advance(10)
    assert carp_states(nodes) == ["MASTER", "BACKUP"]
    assert connections(nodes) == [10, 10]


def test_a_resync_of_the_master_moves_the_addresses_and_back(nodes: Pair) -> None:
    """Down and up on an active node: the demotion of 32 makes the other one take over."""
    run(nodes[0], "ifconfig pfsync0 down")
    run(nodes[0], "ifconfig pfsync0 up")
    assert demotion(nodes[0]) == 32
    nodes[0].machine.network.mute("em1")
    nodes[0].machine.clock.advance(2)
    assert carp_states(nodes) == ["BACKUP", "MASTER"]
    nodes[0].machine.clock.advance(30)
    assert carp_states(nodes) == ["MASTER", "BACKUP"]


def test_a_sync_cable_that_is_out_demotes_both_by_one_and_changes_no_master(nodes: Pair) -> None:
    for one in nodes:
        one.machine.network.cut("em1")
    assert [demotion(one) for one in nodes] == [1, 1]
    nodes[0].machine.clock.advance(10)
    assert carp_states(nodes) == ["MASTER", "BACKUP"]


def test_a_host_that_inserts_packets_of_another_version_changes_nothing(nodes: Pair) -> None:
    before = counted(nodes[1], "bad version")
    nodes[0].machine.pfsync.wire_version = 5
    nodes[0].machine.traffic(4, "tcp", 443)
    nodes[0].machine.clock.advance(3)
    assert connections(nodes) == [4, 0]
    assert counted(nodes[1], "bad version") > before
