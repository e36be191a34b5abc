# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the real daemon does with what is rendered: who is active, on purpose and after a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.tests.daemons.keepalived_pair import Pair, wait


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    yield made
    made.remove()


@pytest.mark.parametrize("transport", ["multicast", "unicast"])
def test_started_together_the_higher_priority_ends_up_with_all_addresses(pair: Pair, transport: str) -> None:
    for node in (pair.b, pair.a):
        node.configure(transport=transport, preempt=True, preempt_delay=0)
        node.start()
    assert wait(lambda: pair.a.is_active() and pair.b.is_idle()), pair.log()
    assert pair.a.states() == ["active"] * 3 and pair.b.states() == ["standby"] * 3


def test_started_together_without_preemption_exactly_one_is_active(pair: Pair) -> None:
    for node in (pair.a, pair.b):
        node.configure()
        node.start()
    assert wait(lambda: sorted([pair.a.states(), pair.b.states()]) == [["active"] * 3, ["standby"] * 3] if pair.a.noted() and pair.b.noted() else False)
    assert sorted([len(pair.a.held()), len(pair.b.held())]) == [0, 3]


def test_maintenance_hands_over_by_saying_so_also_without_preemption_and_survives_a_restart(pair: Pair) -> None:
    pair.start()
    with pair.b.listening() as resigned:
        pair.a.maintenance(True)
        assert wait(lambda: len(pair.b.held()) == 3 and not pair.a.held()), pair.log()
    assert resigned() == {10, 11, 20}, "the standby is told, and need not wait until adverts stay away"
    assert wait(lambda: pair.a.is_idle("fault")) and pair.a.states() == ["fault"] * 3
    pair.a.stop()
    pair.a.start()
    assert wait(lambda: (pair.a.folder / "vrrp.pid").exists() and pair.a.is_idle("fault")), pair.log()
    pair.a.maintenance(False)
    assert wait(lambda: pair.a.is_idle("standby")), pair.log()
    assert pair.b.is_active() and pair.a.states() == ["standby"] * 3


def test_a_node_in_maintenance_takes_nothing_over(pair: Pair) -> None:
    pair.b.maintenance(True)
    pair.start()
    assert pair.b.noted() == "fault"
    pair.a.stop()
    assert pair.a.is_idle("stopped")
    # Ten times the interval after which a standby takes over.
    assert not wait(lambda: pair.b.held() != [], timeout=2), pair.log()


def test_with_preemption_the_higher_priority_takes_back(pair: Pair) -> None:
    pair.start(preempt=True, preempt_delay=0.3)
    pair.a.maintenance(True)
    assert wait(pair.b.is_active), pair.log()
    pair.a.maintenance(False)
    assert wait(lambda: pair.a.is_active() and pair.b.is_idle()), pair.log()


def test_after_a_kill_no_address_stays_and_the_node_comes_back_as_standby(pair: Pair) -> None:
    pair.start()
    pair.a.kill()
    assert len(pair.a.held()) == 3 and pair.a.noted() == "active"  # what a killed daemon leaves behind
    assert wait(pair.b.is_active), pair.log()
    pair.a.after_stop()
    assert pair.a.is_idle("stopped")
    pair.a.start()
    assert wait(lambda: pair.a.is_idle("standby")), pair.log()
    assert pair.b.is_active()


def test_a_daemon_that_is_killed_and_started_again_removes_the_addresses_itself(pair: Pair) -> None:
    pair.start()
    pair.a.kill()
    assert wait(pair.b.is_active), pair.log()
    for stale in pair.a.folder.glob("*.pid"):  # each daemon here is process 1 of its own namespace, so the numbers in them are in use again
        stale.unlink()
    pair.a.start()
    assert wait(lambda: pair.a.is_idle("standby")), pair.log()
    assert pair.b.is_active()


@pytest.mark.parametrize("track", [True, False])
def test_one_interface_down_moves_all_addresses_when_tracked(pair: Pair, track: bool) -> None:
    pair.start(track_interfaces=track)
    # The cable ends at the peer, which loses its carrier too: nobody is active then.
    pair.a.unplug("wan0")
    if track:
        assert wait(lambda: pair.a.is_idle("fault")), pair.log()
        return
    assert not wait(lambda: pair.a.noted() == "fault", timeout=1), pair.log()
