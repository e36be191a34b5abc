# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back of LAGGs, run by a real shell, as far as OpenBSD has its own: whatever command fails, and what lies in its files."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.lagg_guard import Guard
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.lagg_calls import fail_at
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.shell_node import some_of
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.lagg_cases import EM0, LONG, as_it_runs, call, clean, count, everything, lacp, lagg, whole
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.shell_node import ShellNode

RC_LOCAL = "#!/bin/sh\necho hello > /dev/null\nexit 0\n"


@pytest.mark.parametrize("wanted", [lagg(), lacp()])
def test_whatever_command_fails_everything_comes_back(booted: Callable[..., ShellNode], wanted: dict[str, Any]) -> None:
    total = count(booted(), wanted)
    for place in some_of(total):
        node = booted()
        before, seen = everything(node), fail_at(node, place)
        if not place:
            # The script that is begun is the first of all: it does not come to run.
            with pytest.raises(NodeError):
                whole(node, wanted)
            assert everything(node) == before and clean(node), seen[place]
            continue
        with pytest.raises(NodeError, match="was put back"):
            whole(node, wanted)
        assert everything(node) == before, seen[place]
        assert not Guard(node).armed() and node.read_text("/etc/rc.local") is None, seen[place]
    assert total > 6


def test_a_netstart_that_says_it_is_well_and_is_not_leads_back(booted: Callable[..., ShellNode]) -> None:
    """Its status tells of nothing."""
    node = booted()
    before = everything(node)
    begun: list[bool] = []

    def failing(words: list[str], by_script: bool) -> bool:
        if by_script and words[:2] == ["sh", "/etc/netstart"] and not begun:
            begun.append(True)
            node.machine.put("/etc/hostname.trunk0", str(node.read_text("/etc/hostname.trunk0")).replace("trunkport em3", "trunkport em1"), 0o640)
        return False
    node.host.failing = failing
    call(node, lagg())
    assert node.wait_for(lambda: not Guard(node).at_work(), LONG) and Guard(node).trouble() is None
    with pytest.raises(NodeError, match=r"neither confirmed nor put back yet: trunk0\.members is \['em0', 'em1'\]"):
        call(node.again(check_mode=True), lagg())
    Guard(node).fire()
    assert node.wait_for(Guard(node).has_put_back, LONG)
    assert as_it_runs(node) == before[1]


def test_what_somebody_writes_after_the_change_is_kept_beside_what_was_before(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    before = everything(node)
    call(node, lagg())
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    mine = str(node.read_text("/etc/hostname.em0")) + "# mine\n"
    node.machine.put("/etc/hostname.em0", mine, 0o640)
    Guard(node).fire()
    assert node.wait_for(Guard(node).has_put_back, LONG)
    assert node.read_text("/etc/hostname.em0") == EM0 and node.read_text("/etc/hostname.em0.not-kept") == mine
    assert as_it_runs(node) == before[1]


@pytest.mark.parametrize("confirmed", [False, True])
def test_what_somebody_has_in_rc_local_stays_there(booted: Callable[..., ShellNode], confirmed: bool) -> None:
    node = booted({"rc.local": RC_LOCAL})
    call(node, lagg(), rollback_timeout=300)
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    node.boot()
    assert "BEGIN hafirewall.cluster lagg" in str(node.read_text("/etc/rc.local"))
    if confirmed:
        assert call(node, lagg(), stage="confirm")["confirmed"] == ["trunk0"]
    else:
        assert node.wait_for(Guard(node).has_put_back, LONG)
    assert node.read_text("/etc/rc.local") == RC_LOCAL


def test_a_lagg_without_a_file_is_no_way_back(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    node.query(["ifconfig", "trunk0", "create", "trunkproto", "failover", "trunkport", "em3", "up"])
    before = everything(node)
    with pytest.raises(NodeError, match=r"trunk0 is there now, but has no file, so there would be no way back"):
        call(node, lagg())
    assert everything(node) == before and clean(node)
