# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Percentiles, limits and owners of addresses."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.drill_figures import detection_limit_ms, nodes_by_mac, silence_begins, spread


@pytest.mark.parametrize(("values", "median", "p99", "most"), [
    ([5.0], 5.0, 5.0, 5.0),
    ([3.0, 1.0, 2.0, 10.0], 2.5, 10.0, 10.0),
    ([float(value) for value in range(1, 201)], 100.5, 198.0, 200.0),
])
def test_the_spread_of_values(values: list[float], median: float, p99: float, most: float):
    assert spread(values) == {"median": median, "p99": p99, "max": most}


def test_no_values_have_no_spread():
    assert spread([]) == {"median": None, "p99": None, "max": None}


@pytest.mark.parametrize(("advert", "priority", "limit"), [(0.1, 150, 341.4), (1.0, 100, 3609.4), (1.0, 254, 3007.8)])
def test_the_detection_limit(advert: float, priority: int, limit: float):
    assert detection_limit_ms(advert, priority) == limit


def test_a_mac_belongs_to_one_node_or_none():
    assert nodes_by_mac({"fw1": ["AA:00", "cc:00"], "fw2": ["bb:00", "cc:00"]}) == {"aa:00": "fw1", "bb:00": "fw2"}


def reads(*starts: float | None) -> list[dict]:
    return [{"udp": {"gaps": [None if start is None else [start, 300.0, 1] for start in starts]}}]


@pytest.mark.parametrize(("starts", "begin"), [
    ((100.0, 104.0, 109.0), 109.0),
    ((100.0, 104.0, 900.0), 104.0),
    ((100.0, 2000.0, 2000.0), None),
    ((), None),
    ((None, None), None),
    ((None, 100.0), 100.0),
])
def test_where_the_silence_begins(starts: tuple[float, ...], begin: float | None):
    assert silence_begins(reads(*starts), 0, 1000, 10) == begin
