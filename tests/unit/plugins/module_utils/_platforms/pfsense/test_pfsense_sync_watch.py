# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listening on pfSense, by a tcpdump that is a process of its own: it is ended in time, whatever it does."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.provider import PfsenseProvider
from ansible_collections.hafirewall.cluster.tests.simulators.bsd import pfsync, wire
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

PARAMS = {"sync_interface": "em2", "port": None, "seconds": 0.2, "packets": 1000}


@pytest.fixture
def node(tmp_path):
    return PfsenseNode(tmp_path / "node")


def overheard(node, *frames):
    node.kernel("overheard", em2=[frame.hex() for frame in frames])


def packet(source, *kinds):
    return wire.ethernet("02:00:00:00:0b:02", source, "224.0.0.240", wire.payload_of(pfsync.Frame(5, "", tuple(pfsync.Message(kind) for kind in kinds))))


def test_who_sends_is_counted_until_the_time_is_over(node):
    overheard(node, packet("198.51.100.130", "INS_1400", "UPD_C"), packet("198.51.100.140", "INS_1301"), packet("198.51.100.130", "DEL_C"))
    found = PfsenseProvider(node).sync_watch(PARAMS)
    assert [(row["address"], row["messages"], row["formats"]) for row in found["senders"]] == [
        ("198.51.100.130", {"DEL_C": 1, "EOF": 2, "INS_1400": 1, "UPD_C": 1}, [1400]), ("198.51.100.140", {"EOF": 1, "INS_1301": 1}, [1301])]
    assert (found["interface"], found["seconds"], found["packets"], found["truncated"]) == ("em2", 0.2, 3, False)
    assert node.journal("command") == []


def test_it_ends_with_the_last_packet_that_was_asked_for(node):
    overheard(node, *[packet("198.51.100.130", "BUS")] * 3)
    found = PfsenseProvider(node).sync_watch(dict(PARAMS, packets=2, seconds=300.0))
    assert (found["packets"], found["truncated"]) == (2, True)


def test_without_a_stated_interface_it_is_where_pfsync_sends(node):
    with pytest.raises(NodeError, match="state sync_interface"):
        PfsenseProvider(node).sync_watch(dict(PARAMS, sync_interface=None))
    node.kernel("pfsync", syncdev="em2", up=True)
    assert PfsenseProvider(node).sync_watch(dict(PARAMS, sync_interface=None))["interface"] == "em2"


def test_a_device_that_is_not_there_is_named(node):
    with pytest.raises(NodeError, match="em9: No such device exists"):
        PfsenseProvider(node).sync_watch(dict(PARAMS, sync_interface="em9"))
