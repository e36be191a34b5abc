# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back of LAGGs, run by a real shell, as far as FreeBSD has its own: whatever command fails, and what lies in its files."""

from __future__ import annotations

import subprocess
import threading
from typing import Callable

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_script import AT_BOOT
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.lagg_guard import Guard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.lagg_calls import fail_at
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.shell_node import some_of
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.lagg_cases import (
    BLOCK,
    LONG,
    NETIF,
    as_it_runs,
    call,
    clean,
    count,
    everything,
    filtering,
    rows,
    whole,
    with_block,
)
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.shell_node import ShellNode
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_options import lagg


def test_whatever_command_fails_everything_comes_back(booted: Callable[..., ShellNode]) -> None:
    total, failed = count(filtering(booted), lagg()), 0
    places = some_of(total)
    for place in places:
        node = filtering(booted)
        before, seen = everything(node), fail_at(node, place)
        try:
            whole(node, lagg())
        except NodeError as error:
            failed += 1
            assert everything(node) == before, (seen[place], error)
            assert not Guard(node).armed() and node.read_text(AT_BOOT) is None, (seen[place], error)
        else:
            # What only makes sure: routes that are there already, the client that is asked to be off.
            assert rows(node)["lagg0"]["addresses"] == ["192.0.2.2/24", "192.0.2.9/32"], seen[place]
    assert failed >= len(places) - 2 and total > 12


def test_what_somebody_writes_into_rc_conf_after_the_change_stays_when_it_goes_back(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    ran = as_it_runs(node)
    call(node, lagg())
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    node.machine.put("/etc/rc.conf", str(node.read_text("/etc/rc.conf")) + 'ntpd_enable="YES"\n')
    Guard(node).fire()
    assert node.wait_for(Guard(node).has_put_back, LONG)
    text = str(node.read_text("/etc/rc.conf"))
    assert 'ntpd_enable="YES"' in text and "lagg0" not in text and 'ifconfig_em0="inet 192.0.2.2/24"' in text and 'vlans_em0="10"' in text
    assert as_it_runs(node) == ran


def test_a_lagg_that_rc_conf_does_not_make_is_no_way_back(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    for words in (["create"], ["laggproto", "lacp", "laggport", "em3", "up"]):
        node.query(["ifconfig", "lagg0", *words])
    before = everything(node)
    with pytest.raises(NodeError, match=r"lagg0 is there now, but rc\.conf does not make it, so there would be no way back"):
        call(node, lagg())
    assert everything(node) == before and clean(node)


def test_a_change_that_is_to_go_back_is_ended_first(booted: Callable[..., ShellNode]) -> None:
    node, waiting, free = filtering(booted), threading.Event(), threading.Event()
    before, left = everything(node), []  # type: Any, list[int]

    def hangs(words: list[str], by_script: bool) -> bool:
        if by_script and waiting.is_set() and not left:
            search = ["pgrep", "-f", "%s/bin/service netif start em0 em3" % node.host.folder]
            left.append(subprocess.run(search, stdout=subprocess.DEVNULL, check=False).returncode)
        if not by_script or words[:3] != ["service", "netif", "start"] or waiting.is_set():
            return False
        waiting.set()
        node.host.lock.release()  # the machine goes on
        free.wait(60)
        node.host.lock.acquire()
        return True
    node.host.failing = hangs
    call(node, lagg())
    assert waiting.wait(60)
    Guard(node).fire()
    assert node.wait_for(Guard(node).has_put_back, LONG)
    free.set()
    assert everything(node) == before
    assert left == [1]  # nothing of it ran any more when the way back began


@pytest.mark.parametrize("touched", [False, True])
def test_a_virtual_address_in_a_file_of_its_own_goes_back_along(booted: Callable[..., ShellNode], touched: bool) -> None:
    node = with_block(booted)
    before = [item._replace(state=None) for item in carp.running(node)]
    call(node, lagg())
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    if touched:
        node.machine.put(NETIF, str(node.read_text(NETIF)) + "# mine\n")
    Guard(node).fire()
    assert node.wait_for(Guard(node).has_put_back, LONG)
    assert node.read_text(NETIF) == BLOCK + ("# mine\n" if touched else "")
    assert [item._replace(state=None) for item in carp.running(node)] == before
