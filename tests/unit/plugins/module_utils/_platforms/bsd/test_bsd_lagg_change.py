# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of LAGGs on each system: an active node hands over first, and the path of the connection is moved with consent only."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import lagg_flow
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

Booted = Callable[..., Any]


def states(cases: Any, node: Any) -> set[str]:
    """Of all virtual addresses."""
    return {item.state for item in cases.Guard(node).virtual()}


def test_an_active_node_is_not_touched_where_nobody_can_take_over(cases: Any, booted: Booted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lagg_flow, "HAND_OVER", 1.0)
    node = cases.carp_pair(booted, False, 0)
    before = cases.everything(node)
    for peer_ready, words in ((False, "no other node is known to be able to take over"), (True, "the other node did not take over 192.0.2.1 within 4 s")):
        with pytest.raises(NodeError, match=words):
            cases.call(node, cases.lagg(members=["em0"]), peer_ready=peer_ready, rollback_timeout=2)
        assert cases.everything(node) == before and cases.clean(node)


def test_an_active_node_hands_over_first_and_takes_its_addresses_back_when_all_is_done(cases: Any, booted: Booted) -> None:
    node, wan = cases.carp_pair(booted, True, 0), cases.lagg(members=["em0"])
    for stage in ("begin", "wait"):
        cases.call(node, wan, peer_ready=True, stage=stage)
    assert cases.demotion(node) == cases.DEMOTION
    assert node.wait_for(lambda: states(cases, node) == {"standby"}, cases.LONG)
    assert cases.call(node, wan, peer_ready=True, stage="confirm")["confirmed"] == [wan["name"]]
    assert cases.demotion(node) == 0
    assert node.wait_for(lambda: states(cases, node) == {"active"}, cases.LONG)


def test_the_path_of_the_connection_moves_with_consent_only(cases: Any, booted: Booted) -> None:
    node = booted(came_in="192.0.2.2")
    before = cases.everything(node)
    told = "the connection of this run comes in by em0 and em1, which the change of %s would interrupt" % cases.lagg()["name"]
    with pytest.raises(NodeError, match=told):
        cases.call(node, cases.lagg())
    assert cases.everything(node) == before and cases.clean(node)
    assert [result["next"] for result in cases.whole(node, cases.lagg(consent=True))] == ["wait", "confirm", None]
