# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Maintenance on pfSense: the product's persistent mode, on each generation of its functions."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.maintenance import apply
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.layout import CARP_CONFIG
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

ENTER, LEAVE = {"state": "enabled"}, {"state": "disabled"}
KEY = "<virtualip_carp_maintenancemode></virtualip_carp_maintenancemode>"


def states(node: PfsenseNode) -> list[tuple[str | None, int]]:
    return [(item.state, item.advskew) for item in carp.running(node)]


def without_revision(text: str) -> str:
    return re.sub(r"<revision>.*</revision>", "", text, flags=re.DOTALL)


@pytest.fixture
def pair(generation: str, make) -> PfsenseNode:
    """A node that is active for both addresses; another one is there with a skew of 100."""
    node = make(generation, config=CARP_CONFIG)
    node.boot_carp()
    return node


def test_entering_hands_over_and_check_mode_says_the_same(pair: PfsenseNode) -> None:
    check, config = pair.again(check_mode=True), pair.config
    predicted = apply(check, ENTER)
    assert (pair.config, states(pair)) == (config, [("active", 0), ("active", 0)])
    assert apply(pair, ENTER) == predicted
    assert predicted == {"drift": [{"setting": "maintenance", "is": False, "wanted": True}], "validation": "not needed", "maintenance": True,
                         "handed_over": True}
    assert KEY in pair.config and states(pair) == [("standby", 254), ("standby", 254)]
    assert pair.commands == check.commands == ['write_config("hafirewall.cluster: enter maintenance")', "interfaces_carp_set_maintenancemode(true)"]
    assert pair.diffs == check.diffs
    assert len(pair.journal("event")) == 1


def test_maintenance_that_ends_with_a_reboot_is_refused(pair: PfsenseNode) -> None:
    with pytest.raises(NodeError, match="persistent: .*outlasts a reboot"):
        apply(pair, {"state": "enabled", "persistent": False})
    assert KEY not in pair.config and not pair.changed


def test_entering_twice_changes_nothing(pair: PfsenseNode) -> None:
    apply(pair, ENTER)
    again = pair.again()
    assert apply(again, ENTER) == {"drift": [], "validation": "not needed", "maintenance": True, "handed_over": False}
    assert not again.changed


def test_leaving_makes_the_node_take_part_again(pair: PfsenseNode) -> None:
    apply(pair, ENTER)
    leave = pair.again()
    assert apply(leave, LEAVE)["maintenance"] is False
    assert KEY not in pair.config and states(pair) == [("active", 0), ("active", 0)]
    assert leave.commands == ['write_config("hafirewall.cluster: leave maintenance")', "interfaces_carp_set_maintenancemode(false)"]
    last = pair.again()
    assert apply(last, LEAVE)["drift"] == [] and not last.changed


def test_a_standby_enters_without_handing_over(pair: PfsenseNode) -> None:
    pair.kernel(carp_peer_advskew=-1)
    assert apply(pair, ENTER)["handed_over"] is False


def test_leaving_never_hands_over(pair: PfsenseNode) -> None:
    apply(pair, ENTER)
    pair.kernel(carp_peer_advskew=None)
    assert states(pair)[0][0] == "active"
    assert apply(pair.again(), LEAVE)["handed_over"] is False


@pytest.mark.parametrize(("before", "options", "skew"), [(None, LEAVE, 0), (ENTER, ENTER, 254)])
def test_a_skew_that_runs_otherwise_is_put_right_without_a_change_of_the_configuration(pair: PfsenseNode, before, options, skew: int) -> None:
    if before:
        apply(pair, before)
    pair.query(["ifconfig", "em1", "vhid", "10", "advskew", "33"])
    again, config = pair.again(), pair.config
    assert apply(again, options)["drift"] == [{"setting": "advskew of vhid 10 on em1", "is": 33, "wanted": skew}]
    assert (pair.config, [advskew for _state, advskew in states(pair)], again.diffs) == (config, [skew, skew], [])


def test_where_nobody_takes_over_it_is_an_error_and_taken_back(pair: PfsenseNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carp, "HAND_OVER", 0.0)
    pair.kernel(carp_peer_advskew=None)
    before = without_revision(pair.config)
    with pytest.raises(NodeError, match=r"no other node takes over: 203\.0\.113\.1 on em0, 192\.0\.2\.1 on em1.*everything was put back as it was"):
        apply(pair, ENTER)
    assert without_revision(pair.config) == before and states(pair) == [("active", 0), ("active", 0)] and not pair.changed


def test_a_node_whose_carp_is_off_cannot_take_part_and_stays_in_maintenance(pair: PfsenseNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carp, "HAND_OVER", 0.0)
    apply(pair, ENTER)
    pair.kernel("sysctl", **{"net.inet.carp.allow": "0"})
    with pytest.raises(NodeError, match="cannot take part again: vhid 20 on em0 is init.*put back as it was"):
        apply(pair.again(), LEAVE)
    assert KEY in pair.config and [advskew for _state, advskew in states(pair)] == [254, 254]


def test_a_node_without_virtual_addresses_cannot_enter_but_is_out_already(node: PfsenseNode) -> None:
    with pytest.raises(NodeError, match="nothing to hand over"):
        apply(node, ENTER)
    assert KEY not in node.config
    assert apply(node, LEAVE) == {"drift": [], "validation": "not needed", "maintenance": False, "handed_over": False}


def test_a_fatal_error_is_taken_back(pair: PfsenseNode) -> None:
    pair.switch(fatal_in="interfaces_carp_set_maintenancemode")
    pair.before_php = lambda number: pair.switch(fatal_in=None) if number == 3 else None
    with pytest.raises(NodeError, match="applying by interfaces_carp_set_maintenancemode.*everything was put back as it was"):
        apply(pair, ENTER)
    assert KEY not in pair.config and states(pair) == [("active", 0), ("active", 0)]


def test_somebody_who_saves_meanwhile_keeps_what_was_saved(pair: PfsenseNode) -> None:
    pair.before_php = lambda number: pair.edit("fw1", "theirs") if number == 2 else None
    apply(pair, ENTER)
    assert "theirs" in pair.config and KEY in pair.config
