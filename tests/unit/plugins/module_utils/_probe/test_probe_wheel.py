# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends are spread over their interval, and a pause is not made up for."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.wheel import Wheel

MS = 1_000_000


def wheel() -> Wheel:
    made = Wheel(interval=1.0, slots=50, now=0)
    for flow in range(100):
        made.add(flow, flow)
    return made


def test_each_flow_comes_up_once_per_interval():
    made, seen = wheel(), []
    for now in range(0, 3001, 5):
        seen += [flow for flows in made.due(now * MS) for flow in flows]
    assert sorted(seen) == sorted(list(range(100)) * 3)


def test_no_slot_holds_more_than_its_share():
    made = wheel()
    assert [len(flows) for flows in made.due(1000 * MS)] == [2] * 50


def test_a_long_pause_costs_one_turn_not_many():
    made = wheel()
    assert sum(len(flows) for flows in made.due(60_000 * MS)) <= 102


def test_the_wait_ends_when_the_next_slot_is_due():
    made = wheel()
    assert made.wait(5 * MS) == 0.015
    assert made.wait(25 * MS) == 0
    assert made.late(25 * MS) == 5 * MS
    assert made.late(5 * MS) == 0


def test_a_flow_in_the_slot_that_just_passed_waits_nearly_a_turn():
    made = Wheel(interval=1.0, slots=50, now=0)
    assert len(list(made.due(100 * MS))) == 5
    made.add(7, made.just_passed())
    assert [flows for flows in made.due(1080 * MS) if flows] == []
    assert [flows for flows in made.due(1100 * MS) if flows] == [[7]]
