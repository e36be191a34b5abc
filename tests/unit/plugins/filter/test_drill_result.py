# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters' doors: they judge, and name what is missing."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.hafirewall.cluster.plugins.filter import clock_offset, drill_result

DRILL = {"state_sync": False, "failure": "power_loss", "client": None, "server": None, "advert_interval": 1.0, "standby_priority": 100}


def test_the_filter_judges():
    result = drill_result.FilterModule().filters()["drill_result"](DRILL)
    assert result["passed"] is False
    assert "nothing was read on the client" in result["reasons"]


@pytest.mark.parametrize(("drill", "message"), [
    ({}, "lacks 'failure'"),
    (dict(DRILL, failure="meteor"), "unknown failure meteor"),
    (dict(DRILL, advert_interval=None), "another shape than documented"),
])
def test_a_wrong_drill_is_a_clear_error(drill: dict, message: str):
    with pytest.raises(AnsibleFilterError, match=message):
        drill_result.drill_result(drill)


def test_the_clock_filter_compares():
    assert clock_offset.FilterModule().filters()["clock_offset"](1010.0, 1000.0, 1001.0) == {"offset": 9.5, "uncertainty": 0.5}


@pytest.mark.parametrize("module", [drill_result, clock_offset])
def test_the_documentation_names_the_filter(module):
    assert yaml.safe_load(module.DOCUMENTATION)["name"] in module.FilterModule().filters()
