# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listening on a Linux node: where, on which port, with which filter, and what comes of it."""

from __future__ import annotations

import struct

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import ears, sync_watch
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.provider import LinuxProvider
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.bsd import wire

PARAMS = {"sync_interface": None, "port": None, "seconds": 5.0, "packets": 2}
ALIVE = bytes((0x1A, 16, 0, 8, 0, 0, 0, 1))


def udp(port):
    return wire.ethernet("02:00:00:00:00:02", "198.51.100.130", "225.0.0.50", struct.pack("!HHHH", 40000, port, 16, 0) + ALIVE, 64, 17)


def watch(monkeypatch, config, frames=(), lost=0, **params):
    """What the provider returns, and how it listened, where these frames pass and the engine runs with this configuration."""
    how = []

    def listen(interface, seconds, take, questions=None, only=()):
        how.append((interface, seconds, only))
        for frame in frames:
            if not take(frame, False, b""):
                break
        return ears.Heard(1.5, 0, lost)
    monkeypatch.setattr(sync_watch.ears, "listen", listen)
    monkeypatch.setattr(sync_watch.conntrackd_stats, "observe_engine", lambda node: ({"config": config}, []))
    return LinuxProvider(Node()).sync_watch(dict(PARAMS, **params)), how


@pytest.mark.parametrize(("config", "params", "interface", "port"), [
    ({"interface": "sync0", "port": 3790}, {}, "sync0", 3790), ({"interface": "sync0", "port": 3790}, {"sync_interface": "eth9"}, "eth9", 3790),
    ({"interface": "sync0", "port": None}, {}, "sync0", 3780), (None, {"sync_interface": "eth9"}, "eth9", 3780),
    (None, {"sync_interface": "eth9", "port": 4000}, "eth9", 4000)])
def test_it_listens_where_the_engine_sends_unless_told_otherwise(monkeypatch, config, params, interface, port):
    found, how = watch(monkeypatch, config, [udp(port), udp(53)], **params)
    assert how == [(interface, 5.0, ears.sync_filter(port))]
    assert (found["interface"], found["packets"], found["seconds"]) == (interface, 1, 1.5)
    assert [(row["address"], row["messages"]) for row in found["senders"]] == [("198.51.100.130", {"ALIVE": 1})]


def test_without_an_engine_the_interface_must_be_stated(monkeypatch):
    with pytest.raises(NodeError, match="state sync_interface"):
        watch(monkeypatch, None)


@pytest.mark.parametrize(("frames", "lost", "truncated"), [(1, 0, False), (2, 0, True), (9, 0, True), (1, 7, True)])
def test_it_stops_at_the_number_of_packets_and_says_that_there_may_be_more(monkeypatch, frames, lost, truncated):
    found, _how = watch(monkeypatch, {"interface": "sync0", "port": 3780}, [udp(3780)] * frames, lost)
    assert (found["packets"], found["truncated"]) == (min(frames, 2), truncated)


def test_jumps_of_the_filter_stay_within_it():
    program = ears.sync_filter(3780)
    for place, (code, if_so, if_not, _number) in enumerate(program):
        assert code & 7 != 5 or place + 1 + max(if_so, if_not) < len(program)
    assert [code & 7 for code, _so, _not, _number in program[-2:]] == [6, 6]
