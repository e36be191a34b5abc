# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a receiver remembers: silences, and when a flow came back."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.history import Gap, Receptions, depth_for, longest_gap
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(("times", "expected"), [
    ([], Gap(100, 100, False)),
    ([110, 120, 180, 190], Gap(120, 60, True)),
    ([110, 120], Gap(120, 80, False)),
    ([190], Gap(100, 90, True)),
    ([50, 90, 110, 199], Gap(110, 89, True)),
    # The first that comes after the end ends the silence.
    ([50, 90, 110, 250, 251], Gap(110, 140, True)), ([50, 90, 110, 200], Gap(110, 90, True)), ([110, 180, 201], Gap(110, 70, True)),
])
def test_the_longest_silence_counts_the_edges(times: list[int], expected: Gap):
    assert longest_gap(times, 100, 200) == expected


@given(st.lists(st.integers(0, 1000), unique=True).map(sorted), st.integers(0, 500), st.integers(501, 1000))
def test_nothing_arrives_within_the_longest_silence_and_none_is_longer(times: list[int], start: int, end: int):
    gap = longest_gap(times, start, end)
    assert not [at for at in times if gap.start < at < gap.start + gap.length]
    after = [at for at in times if at >= end and at > start][:1]
    edges = [start, *[at for at in times if start < at < end], *(after or [end])]
    assert gap.length == max(later - earlier for earlier, later in zip(edges, edges[1:]))
    assert gap.ended == (gap.start + gap.length < end or bool(after))


def filled(count: int, depth: int = 4) -> Receptions:
    received = Receptions(depth)
    received.add_flow()
    flow = received.add_flow()
    for turn in range(1, count + 1):
        received.record(flow, turn * 10, turn * 100)
    return received


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 9])
def test_the_ring_keeps_the_newest_in_order_and_other_flows_apart(count: int):
    received = filled(count)
    newest = list(range(max(1, count - 3), count + 1))
    assert received.times(1) == [turn * 100 for turn in newest]
    assert received.values(1) == [turn * 10 for turn in newest]
    assert received.times(0) == []


def test_a_flow_is_back_with_the_first_bytes_sent_after_the_moment():
    received = filled(3)
    assert received.first_back(1, 19) == 200
    assert received.first_back(1, 20) == 300
    assert received.first_back(1, 30) is None


def test_what_the_ring_forgot_makes_a_flow_come_back_later_never_earlier():
    assert filled(9).first_back(1, 10) == 600


def test_what_came_before_the_oldest_arrival_is_no_silence():
    assert filled(9).gap(1, 0, 620, 950) == Gap(600, 100, True), "forgotten"
    assert filled(3).gap(1, 0, 120, 330) == Gap(100, 100, True), "not begun"
    assert filled(3).gap(1, 150, 150, 330) == Gap(200, 100, True)


def test_a_silence_is_unknown_where_nothing_is_known_of_the_time_before_the_moment():
    assert filled(3).gap(0, 0, 120, 350) is None
    assert filled(3).gap(1, 0, 90, 350) is None
    assert filled(9).gap(1, 0, 590, 950) is None


def test_the_depth_covers_two_minutes_within_bounds():
    assert depth_for(1.0) >= 120
    assert depth_for(0.01) * 0.01 >= 120
    assert depth_for(60) >= 64
    assert depth_for(0.001) <= 13000
