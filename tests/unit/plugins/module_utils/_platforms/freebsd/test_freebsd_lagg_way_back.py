# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back of LAGGs on FreeBSD, run by a real shell: whatever fails or loses its power, everything comes back."""

from __future__ import annotations

import contextlib
import functools
import subprocess
import threading
from typing import Callable

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_script import AT_BOOT, FOLDER
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import lagg as capability
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.lagg_guard import Guard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.shell_node import some_of
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Crashed
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.shell_node import ShellNode
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_options import lagg
from freebsd_lagg_cases import (
    BLOCK,
    LONG,
    NETIF,
    PF_CONF,
    as_it_runs,
    call,
    carp_pair,
    clean,
    everything,
    files,
    rows,
    second,
    whole,
    with_block,
)

MORE = 'pf_enable="YES"\n'
WAN = lagg(members=["em0"])


def count(node: ShellNode) -> int:
    """How many commands a whole run has that change something, with those of the scripts."""
    seen: list[list[str]] = []
    node.host.failing = lambda words, _by_script: bool(seen.append(words))
    whole(node, lagg())
    return len(seen)


def _failing(place: int, seen: list[list[str]], hit: list[list[str]], words: list[str], _by_script: bool) -> bool:
    """Whether this is the command at that place, noted in ``hit``."""
    seen.append(words)
    if len(seen) == place + 1:
        hit.append(words)
    return len(seen) == place + 1


def _cut(place: int, seen: list[list[str]], node: ShellNode, words: list[str], _by_script: bool) -> bool:
    """Take the power before the command at that place."""
    seen.append(words)
    if len(seen) == place + 1:
        node.machine.lose_power()
        raise Crashed(" ".join(words))
    return False


def test_whatever_command_fails_everything_comes_back(booted: Callable[..., ShellNode]) -> None:
    total, failed = count(booted(MORE, pf_conf=PF_CONF)), 0
    places = some_of(total)
    for place in places:
        node = booted(MORE, pf_conf=PF_CONF)
        before, hit = everything(node), []  # type: Any, list[list[str]]
        node.host.failing = functools.partial(_failing, place, [], hit)
        try:
            whole(node, lagg())
        except NodeError as error:
            failed += 1
            assert everything(node) == before, (hit, error)
            assert not Guard(node).armed() and node.read_text(AT_BOOT) is None, (hit, error)
        else:
            # What only makes sure: routes that are there already, the client that is asked to be off.
            assert rows(node)["lagg0"]["addresses"] == ["192.0.2.2/24", "192.0.2.9/32"], hit
    assert failed >= len(places) - 2 and total > 12


def test_a_node_that_nobody_reaches_goes_back_by_itself(booted: Callable[..., ShellNode]) -> None:
    node = carp_pair(booted, True, 0)
    before = files(node), as_it_runs(node)[0]
    call(node, WAN, peer_ready=True, rollback_timeout=1)
    assert node.wait_for(Guard(node).has_put_back, LONG)
    assert (files(node), as_it_runs(node)[0]) == before and node.machine.sysctl["net.inet.carp.demotion"] == "0"
    assert node.read_text(AT_BOOT) is None
    with pytest.raises(NodeError, match=r"the change of lagg0 was put back \(the node was not reached again within 1 s\)"):
        call(node.again(), WAN, stage="confirm", rollback_timeout=1)
    assert node.wait_for(lambda: {item.state for item in carp.running(node)} == {"active"}, LONG)
    again = call(node.again(), WAN, peer_ready=True)
    assert (again["put_back"], again["next"]) == (["lagg0"], "wait")
    assert call(node, WAN, stage="wait")["next"] == "confirm"


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


def test_a_node_that_loses_its_power_goes_back_unless_a_run_reaches_it(booted: Callable[..., ShellNode]) -> None:
    node = booted(MORE, pf_conf=PF_CONF)
    before = everything(node)
    call(node, lagg(), rollback_timeout=300)
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    node.boot()
    assert rows(node)["lagg0"]["addresses"] == ["192.0.2.2/24", "192.0.2.9/32"]
    # Once more, and it still watches.
    node.boot()
    assert node.wait_for(Guard(node).has_put_back, LONG)
    assert everything(node) == before and node.read_text(AT_BOOT) is None


def test_a_node_that_loses_its_power_can_still_be_confirmed(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    call(node, lagg())
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    node.boot()
    assert call(node.again(), lagg(), stage="begin")["next"] == "confirm"
    assert call(node, lagg(), stage="confirm")["confirmed"] == ["lagg0"]
    assert clean(node)
    second(node)


def test_power_that_is_lost_before_any_command_leads_back_or_was_lost_after_the_confirmation(booted: Callable[..., ShellNode]) -> None:
    total = count(booted(MORE, pf_conf=PF_CONF))
    for place in some_of(total):
        node = booted(MORE, pf_conf=PF_CONF)
        before, seen = everything(node), []  # type: Any, list[list[str]]
        node.host.failing = functools.partial(_cut, place, seen, node)
        with contextlib.suppress(Crashed, NodeError):
            whole(node, lagg(), rollback_timeout=10)
        node.host.failing = lambda words, by_script: False
        if len(seen) <= place:
            continue  # the machine had so much to do that it was not confirmed in time, and had gone back before it came to this one
        watched = Guard(node).armed()
        node.boot()
        assert not watched or node.wait_for(Guard(node).has_put_back, LONG), (seen[place], watched)
        variables, wanted = capability.rc.read(node), capability.rc.parse(str(before[0][0]).replace(" # the LAN", ""))
        assert (as_it_runs(node), variables, node.read_text("/etc/pf.conf")) == (before[1], wanted, PF_CONF), seen[place]
        assert node.read_text(AT_BOOT) is None
    assert total > 10


def test_a_module_that_dies_before_it_says_go_leaves_somebody_who_goes_back(booted: Callable[..., ShellNode], monkeypatch: pytest.MonkeyPatch) -> None:
    node = booted(MORE, pf_conf=PF_CONF)
    before = everything(node)

    def gone(_guard: Guard) -> None:
        raise KeyboardInterrupt
    monkeypatch.setattr(Guard, "go", gone)
    with pytest.raises(KeyboardInterrupt):
        call(node, lagg(), rollback_timeout=0)
    assert Guard(node).armed() and files(node) != before[0]
    Guard(node).fire()  # as it does by itself when the time for writing is up
    assert node.wait_for(Guard(node).has_put_back, LONG)
    assert everything(node) == before


@pytest.mark.parametrize("command", ["sysrc", "ifconfig", "service", "pfctl"])
def test_power_that_is_lost_on_the_way_back_leads_back_all_the_same(booted: Callable[..., ShellNode], command: str) -> None:
    node = booted(MORE, pf_conf=PF_CONF)
    ran = as_it_runs(node)
    call(node, lagg(), rollback_timeout=300)
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    node.machine.put("/etc/rc.conf", str(node.read_text("/etc/rc.conf")) + "\n")  # so that it takes the variables one by one
    seen: list[list[str]] = []
    node.host.failing = lambda words, by_script: by_script and words[0] == command and not seen.append(words)  # type: ignore[func-returns-value]
    Guard(node).fire()
    assert node.wait_for(lambda: bool(seen), LONG)
    node.host.failing = lambda words, by_script: False
    node.boot()
    assert node.wait_for(Guard(node).has_put_back, LONG)
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
    node, waiting, free = booted(MORE, pf_conf=PF_CONF), threading.Event(), threading.Event()
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


def test_a_change_that_is_let_stay_by_hand_leaves_nobody_demoted(booted: Callable[..., ShellNode]) -> None:
    node = carp_pair(booted, True, 0)
    call(node, WAN, peer_ready=True)
    assert call(node, WAN, stage="wait")["next"] == "confirm" and Guard(node).demoted()
    (node.root / FOLDER[1:] / "armed").unlink()
    assert node.wait_for(lambda: not Guard(node).demoted() and node.read_text(AT_BOOT) is None, LONG)
    assert node.machine.sysctl["net.inet.carp.demotion"] == "0" and rows(node)["lagg0"]["addresses"]


def test_a_second_run_at_the_same_moment_does_not_touch_the_first_ones_way_back(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    other, begun = node.again(), []  # type: ShellNode, list[bool]

    def first(words: list[str]) -> None:
        if words[0] == "kldload" and not begun:  # the second has found nothing armed
            begun.append(True)
            call(node, lagg())
    node.machine.before_command = first
    with pytest.raises(NodeError, match="another run is changing LAGGs of this node"):
        call(other, lagg())
    assert [call(node, lagg(), stage=stage)["next"] for stage in ("wait", "confirm")] == ["confirm", None]


def test_a_confirmation_that_comes_too_late_is_none(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    call(node, lagg())
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    guard = Guard(node)
    guard.fire()
    assert node.wait_for(guard.has_put_back, LONG)
    assert not guard.disarm()
    with pytest.raises(NodeError, match="the change of lagg0 was put back"):
        call(node, lagg(), stage="confirm")


def test_a_prediction_says_that_an_earlier_change_is_not_over(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    call(node, lagg())
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    node.query(["ifconfig", "lagg0", "-laggport", "em3"])
    with pytest.raises(NodeError, match="an earlier change of lagg0 is neither confirmed nor put back yet"):
        call(node.again(check_mode=True), lagg())


def test_a_lagg_that_the_kernel_does_not_run_is_made_anew_and_rc_conf_left_alone(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    whole(node, lagg())
    before = everything(node)
    node.query(["ifconfig", "lagg0", "-laggport", "em3"])
    again = node.again()
    whole(again, lagg(moves=[]))
    assert everything(node) == before and not [command for command in again.commands if command.startswith("sysrc")]


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
