# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether states are bound to interface names, release by release; and the table in the guide says the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.facts import Evidence
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.binding import (
    CLAIMED,
    DOCUMENTED,
    INFERRED,
    MEASURED,
    READ,
    TABLE,
    UNKNOWN,
    Row,
    binding,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import PLATFORMS, release

GUIDE = Path(__file__).resolve().parents[6] / "docs" / "lagg.md"
SAID = {True: ("yes", "yes"), False: ("no", "no"), None: ("unknown", "yes, unknown is treated as bound")}


@pytest.mark.parametrize(("platform", "version", "bound", "standing"), [
    ("linux", "12", False, READ), ("linux", None, False, READ),
    ("freebsd", "9.3-RELEASE-p5", False, READ), ("freebsd", "10.0-RELEASE", False, READ), ("freebsd", "13.4-RELEASE", False, READ),
    ("freebsd", "14.2-RELEASE", False, MEASURED), ("freebsd", "15.0-CURRENT", False, READ), ("freebsd", None, False, READ),
    ("openbsd", "7.6", False, READ),
    # The manual: bound before Plus 22.01 and CE 2.6.0, and not after; since Plus 24.03 and CE 2.8 if-bound when nothing is configured.
    ("pfsense", "2.0.3p1-RELEASE", True, CLAIMED), ("pfsense", "2.1.5-RELEASE", True, CLAIMED), ("pfsense", "2.2-RELEASE", True, DOCUMENTED),
    ("pfsense", "2.4.5-p1", True, DOCUMENTED), ("pfsense", "2.5.2-RELEASE", True, DOCUMENTED), ("pfsense", "2.6.0-RELEASE", False, CLAIMED),
    ("pfsense", "2.7.2-RELEASE", False, CLAIMED), ("pfsense", "2.8.0-RELEASE", True, INFERRED), ("pfsense", "2.9.0-DEVELOPMENT", True, INFERRED),
    ("pfsense", "21.05.2-RELEASE", True, DOCUMENTED), ("pfsense", "22.01-RELEASE", False, CLAIMED), ("pfsense", "23.09.1-RELEASE", False, CLAIMED),
    ("pfsense", "24.03-RELEASE", True, DOCUMENTED), ("pfsense", "25.11-RELEASE", True, DOCUMENTED), ("pfsense", None, None, UNKNOWN),
    ("pfsense", "what", None, UNKNOWN), ("opnsense", "25.1.4", None, UNKNOWN), ("opnsense", None, None, UNKNOWN),
])
def test_the_table(platform: str, version: str | None, bound: bool | None, standing: str) -> None:
    answer = binding(platform, Evidence({"os": {"version": version}}))
    assert (answer.bound, answer.standing) == (bound, standing)
    # Unknown is treated as bound.
    assert answer.matters is (bound is not False)
    assert answer.why and answer.what.startswith(PLATFORMS[platform].title)


@pytest.mark.parametrize(("platform", "version", "found", "bound"), [
    # Of pfSense before CE 2.8 and Plus 24.03 there is no policy to tell; its rules for answers (reply-to) name an interface all the same, where the format
    # carries it.
    ("pfsense", "2.7.2", {"state_policy": None, "state_rules": {"bound": 0, "routed": 12}, "engine": {"config": {"version": 1400}}}, True),
    ("pfsense", "2.7.2", {"state_policy": None, "state_rules": {"bound": 0, "routed": 12}, "engine": {"config": {"version": 1301}}}, False),
    ("pfsense", "2.6.0", {"state_policy": None, "state_rules": {"bound": 0, "routed": 12}, "engine": {"config": {"version": None}}}, False),
    ("pfsense", "2.7.2", {"state_policy": None, "state_rules": {"bound": 0, "routed": 12}, "engine": None}, False),
    ("pfsense", "2.6.0", {"state_policy": None, "state_rules": {"bound": 1, "routed": 12}}, True),
    ("pfsense", "2.7.2", {"state_policy": None, "state_rules": {"bound": 0, "routed": 0}}, False), ("pfsense", "2.7.2", {"state_policy": None}, False),
    ("freebsd", "14.2", {"state_policy": None}, None), ("openbsd", "7.6", {"state_policy": None, "state_rules": {"bound": 0, "routed": 0}}, None),
    ("freebsd", "14.2", {"state_rules": {"bound": 1}}, True), ("linux", "12", {"state_policy": None, "state_rules": None}, False),
])
def test_rules_that_name_an_interface_count_where_no_policy_is_told(platform: str, version: str, found: dict[str, Any], bound: bool | None) -> None:
    assert binding(platform, Evidence({"os": {"version": version}, **found})).bound is bound


@pytest.mark.parametrize(("found", "bound"), [
    ({"state_policy": "if-bound"}, True), ({"state_policy": "floating"}, False),
    ({"state_policy": "floating", "state_rules": {"bound": 0, "routed": 0}}, False),
    ({"state_policy": "floating", "state_rules": {"bound": 1, "routed": 0}}, True),
    ({"state_policy": "floating", "state_rules": {"bound": 0, "routed": 2}}, True),
    ({"state_policy": "floating", "state_rules": None}, False), ({"state_policy": "if-bound", "state_rules": {"bound": 0}}, True),
])
@pytest.mark.parametrize(("platform", "version"), [("freebsd", "14.2"), ("openbsd", "7.6"), ("pfsense", "2.5.2"), ("pfsense", "2.7.2"), ("opnsense", "25.1")])
def test_what_the_node_says_beats_the_table(platform: str, version: str, found: dict[str, Any], bound: bool) -> None:
    answer = binding(platform, Evidence({"os": {"version": version}, **found}))
    assert (answer.bound, answer.standing) == (bound, "read from the node")


@pytest.mark.parametrize("policy", ["group-bound", "", None, 1, ["if-bound"]])
def test_a_policy_that_is_none_leaves_the_table(policy: Any) -> None:
    assert binding("pfsense", Evidence({"os": {"version": "2.7.2"}, "state_policy": policy})).standing == CLAIMED


def test_linux_has_no_state_policy() -> None:
    assert binding("linux", Evidence({"state_policy": "if-bound"})).bound is False


def test_of_any_release_at_most_one_row_holds() -> None:
    for platform, edition in {(row.platform, row.edition) for row in TABLE}:
        own = [row for row in TABLE if (row.platform, row.edition) == (platform, edition)]
        # From the first on, every row begins where the one before ends.
        assert own[0].since is None and own[-1].before is None
        assert [row.before for row in own[:-1]] == [row.since for row in own[1:]]


@pytest.mark.parametrize(("text", "numbers"), [("2.4.5-p1", (2, 4, 5)), ("14.2-RELEASE-p3", (14, 2)), ("23.09.1-RELEASE", (23, 9, 1)), ("12", (12,)),
                                               ("", None), (None, None), ("beta", None), ("x" * 10000, None), ("9" * 10000, (9999,))])
def test_releases_are_read(text: str | None, numbers: tuple[int, ...] | None) -> None:
    assert release(text) == numbers


def line(row: Row) -> str:
    """The row as the guide has it."""
    return f"| {row.releases} | {' | '.join(SAID[row.bound])} | {row.why} | {row.source} | {row.standing} |"


def test_the_guide_has_the_table_row_by_row() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    begin = text.index("| platform and release |")
    table = text[begin:].split("\n\n", 1)[0].splitlines()
    assert table[2:] == [line(row) for row in TABLE]
