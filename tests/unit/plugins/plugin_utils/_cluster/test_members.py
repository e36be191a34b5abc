# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Members agree on what their cluster is, or it is said where they do not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.errors import Findings
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.members import compare, name_of


def differences(*values: Any) -> list[tuple[str, str | None, str]]:
    findings = Findings()
    compare({f"fw{index}": value for index, value in enumerate(values, 1)}, findings)
    return [(one.path, one.host, one.problem) for one in findings.errors]


@pytest.mark.parametrize(("one", "other", "path", "text"), [
    ({"name": "edge", "sync": {"port": 1}}, {"name": "edge", "sync": {"port": 2}}, "hafirewall_cluster.sync.port", "fw1 has 1, fw2 has 2"),
    ({"virtual_ips": [{"id": 1}, {"id": 2}]}, {"virtual_ips": [{"id": 1}, {"id": 3}]}, "hafirewall_cluster.virtual_ips[1].id", "fw1 has 2, fw2 has 3"),
    ({"virtual_ips": [1]}, {"virtual_ips": [1, 2]}, "hafirewall_cluster.virtual_ips[1]", "fw1 has nothing, fw2 has 2"),
    ({"state_sync": True}, {}, "hafirewall_cluster.state_sync", "fw1 has True, fw2 has nothing"),
    ({"sync": {"port": 1}}, {"sync": {"port": True}}, "hafirewall_cluster.sync.port", "fw1 has 1, fw2 has True"),
    ({"sync": {}}, {"sync": []}, "hafirewall_cluster.sync", "fw1 has a mapping, fw2 has a list"),
    ({"vrrp": {"password": "one"}}, {"vrrp": {"password": "two"}}, "hafirewall_cluster.vrrp.password", "the values are secret"),
])
def test_a_difference_is_named_by_its_place(one: Any, other: Any, path: str, text: str) -> None:
    [(where, host, problem)] = differences(one, other)
    assert (where, host) == (path, "fw2") and text in problem and "two" not in problem.replace("two nodes", "")


def test_every_member_is_compared_with_the_first() -> None:
    found = differences({"a": 1}, {"a": 1}, {"a": 2}, {"a": 3})
    assert [(path, host) for path, host, _text in found] == [("hafirewall_cluster.a", "fw3"), ("hafirewall_cluster.a", "fw4")]


def test_equal_values_agree_whatever_their_order() -> None:
    assert differences({"a": 1, "b": [1, {"c": 2}]}, {"b": [1, {"c": 2}], "a": 1}) == []


@pytest.mark.parametrize(("value", "name"), [({"name": "edge"}, "edge"), ({"name": 5}, None), ({}, None), (None, None), ("edge", None)])
def test_the_name_of_a_cluster(value: Any, name: str | None) -> None:
    assert name_of(value) == name
