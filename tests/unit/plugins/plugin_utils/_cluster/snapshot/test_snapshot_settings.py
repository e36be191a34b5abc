# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of a comparison: what is wrong is refused with its place, all at once."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import IntentError
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.snapshot import AREAS, choose
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(("areas", "expected"), [
    (None, list(AREAS)), ([], list(AREAS)), (["roles", "nics"], ["nics", "roles"]), (["!nics"], [name for name in AREAS if name != "nics"]),
    (["nics", "roles", "!nics"], ["roles"])])
def test_areas_are_chosen_by_name_and_left_out(areas, expected):
    assert list(choose(areas)) == expected


@pytest.mark.parametrize(("areas", "settings", "path"), [
    (["nic"], None, "areas"), (["!nic"], None, "areas"), ("nics", None, "areas"), ([1], None, "areas"), (["nics", "!nics"], None, "areas"),
    (None, [], "settings"), (None, {"nic": {}}, "settings.nic"), (None, {"nics": []}, "settings.nics"), (None, {"nics": {"level": 1}}, "settings.nics.level"),
    (None, {"nics": {"severity": "high"}}, "settings.nics.severity"), (None, {"nics": {"properties": "up"}}, "settings.nics.properties"),
    (None, {"nics": {"properties": ["!"]}}, "settings.nics.properties"), (None, {"nics": {"flaps": [1]}}, "settings.nics.flaps"),
    (None, {"nics": {"count_change_threshold": -1}}, "settings.nics.count_change_threshold"),
    (None, {"nics": {"count_change_threshold": True}}, "settings.nics.count_change_threshold"),
    (None, {"states": {"thresholds": [1]}}, "settings.states.thresholds"),
    (None, {"states": {"thresholds": {"kernel": "1"}}}, "settings.states.thresholds.kernel"),
    (None, {"states": {"thresholds": {"kernel": {}}}}, "settings.states.thresholds.kernel"),
    (None, {"states": {"thresholds": {"kernel": {"least": 1}}}}, "settings.states.thresholds.kernel"),
    (None, {"states": {"thresholds": {"kernel": float("nan")}}}, "settings.states.thresholds.kernel")])
def test_what_is_wrong_is_refused_with_its_place_and_remedy(areas, settings, path):
    with pytest.raises(IntentError) as raised:
        choose(areas, settings)
    assert [problem.path for problem in raised.value.problems] == [path]
    assert all(problem.remedy for problem in raised.value.problems)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(IntentError) as raised:
        choose(["nic"], {"mtu": {"severity": 1, "flaps": "x"}, "roles": {"severity": 2}})
    assert len(raised.value.problems) == 4


_ANYTHING = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                         lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8)
_NEARLY = st.dictionaries(st.sampled_from(list(AREAS)), st.dictionaries(
    st.sampled_from(["severity", "properties", "flaps", "count_change_threshold", "thresholds"]), _ANYTHING), max_size=3)


@given(areas=_ANYTHING, settings=_ANYTHING | _NEARLY)
def test_anything_at_all_is_read_or_refused(areas, settings):
    try:
        chosen = choose(areas, settings)
    except IntentError as error:
        assert error.problems
    else:
        assert chosen and set(chosen) <= set(AREAS)
