# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Maintenance on FreeBSD, on a simulated pair: exactly one demotion of ours, whatever else happens, also at the next boot."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import demotion, virtual_ip
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.demotion import AMOUNT, RECORD
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.maintenance import SCRIPT, TEXT, apply, observe
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.modules.virtual_ip import ARGUMENTS
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.interrupted import failing, killed
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import FreebsdNode
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import node as new_node
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import pair as new_pair
from hypothesis import given, settings
from hypothesis import strategies as st

ENTER, LEAVE = {"state": "enabled", "persistent": True}, {"state": "disabled", "persistent": True}
NOW = {"state": "enabled", "persistent": False}
DONE = {"drift": [], "validation": "not needed"}
OPTIONS = {name: argument.get("default") for name, argument in ARGUMENTS.items()}


def instance(name: str, device: str, number: int, address: str, advskew: int) -> dict[str, Any]:
    return {"name": name, "interface": device, "id": number, "family": "ipv4", "priority": 1, "advskew": advskew, "advbase": 1, "addresses": [address],
            "source": None, "peers": []}


def set_up(node: FreebsdNode, advskew: int, preempt: bool = True) -> None:
    virtual_ip.apply(node.again(), dict(OPTIONS, name="edge", password="s3cret", preempt=preempt, instances=[
        instance("lan", "em0", 10, "192.0.2.1/24", advskew), instance("wan", "em2", 20, "203.0.113.1/24", advskew)]))


def make(folder: Path, release: str = "14.2-RELEASE", preempt: bool = True) -> tuple[FreebsdNode, FreebsdNode]:
    """A pair of which the first is active."""
    first, second = new_pair(folder, release=release)
    set_up(first, 0, preempt)
    first.machine.clock.advance(10)
    set_up(second, 100, preempt)
    first.machine.clock.advance(10)
    return first.again(), second


@pytest.fixture(params=["13.3-RELEASE", "14.2-RELEASE"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[FreebsdNode, FreebsdNode]:
    return make(tmp_path, request.param)


def states(node: FreebsdNode) -> list[str | None]:
    return [item.state for item in carp.running(node)]


def total(node: FreebsdNode) -> int:
    return int(node.machine.sysctl.get("net.inet.carp.demotion", "0"))


def snapshot(node: FreebsdNode) -> tuple[object, ...]:
    return node.machine.text(SCRIPT), total(node), dict(node.machine.kenv)


def reboot(node: FreebsdNode, seconds: float = 10.0) -> FreebsdNode:
    node.machine.boot()
    node.machine.clock.advance(seconds)
    return node.again()


def test_entering_hands_over_and_check_mode_says_the_same(pair: tuple[FreebsdNode, FreebsdNode]) -> None:
    node, other = pair
    check, before = node.again(check_mode=True), snapshot(node)
    predicted = apply(check, ENTER)
    assert snapshot(node) == before == (None, 0, {})
    assert apply(node, ENTER) == predicted == {
        "drift": [{"setting": "maintenance", "is": False, "wanted": True}, {"setting": "maintenance after a reboot", "is": False, "wanted": True}],
        "validation": "not needed", "maintenance": True, "handed_over": True}
    assert (check.commands, check.diffs) == (node.commands, node.diffs)
    assert node.commands == ["kenv '%s=entering 0'" % RECORD, "sysctl net.inet.carp.demotion=241", "kenv %s=held" % RECORD]
    assert (states(node), states(other), total(node), observe(node), observe(other)) == (["standby"] * 2, ["active"] * 2, AMOUNT, True, False)


def test_entering_twice_only_reads(pair: tuple[FreebsdNode, FreebsdNode]) -> None:
    node, _other = pair
    apply(node, ENTER)
    again, count = node.again(), len(node.machine.commands)
    assert apply(again, ENTER) == dict(DONE, maintenance=True, handed_over=False)
    assert (again.changed, node.machine.changes(count), total(node)) == (False, [], AMOUNT)


def test_leaving_lifts_exactly_that_and_twice_only_reads(pair: tuple[FreebsdNode, FreebsdNode]) -> None:
    node, _other = pair
    before = snapshot(node)
    apply(node, ENTER)
    node.machine.carp.demote(240, "pfsync bulk start")
    again = node.again()
    result = apply(again, LEAVE)
    assert (result["maintenance"], result["handed_over"], total(node)) == (False, False, 240)
    node.machine.carp.demote(-240, "pfsync bulk done")
    node.machine.clock.advance(10)
    assert (snapshot(node), states(node)) == (before, ["active"] * 2)
    last, count = node.again(), len(node.machine.commands)
    assert apply(last, LEAVE) == dict(DONE, maintenance=False, handed_over=False)
    assert (last.changed, node.machine.changes(count)) == (False, [])


def test_it_outlasts_a_reboot_from_the_first_moment(pair: tuple[FreebsdNode, FreebsdNode]) -> None:
    node, other = pair
    apply(node, ENTER)
    said = len(node.machine.dmesg)
    for _boot in range(2):
        again = reboot(node, 0)
        assert (total(again), observe(again)) == (AMOUNT, True)
        node.machine.clock.advance(20)
        assert (states(again), states(other)) == (["standby"] * 2, ["active"] * 2)
        assert apply(again, ENTER)["drift"] == [] and not again.changed
    assert not any("-> MASTER" in line for line in node.machine.dmesg[said:])
    apply(node.again(), LEAVE)
    assert (total(reboot(node)), states(node)) == (0, ["active"] * 2)


def test_it_ends_with_a_reboot_where_that_is_wanted(pair: tuple[FreebsdNode, FreebsdNode]) -> None:
    node, _other = pair
    assert [entry["setting"] for entry in apply(node, NOW)["drift"]] == ["maintenance"]
    assert (node.machine.text(SCRIPT), total(node), total(reboot(node)), observe(node)) == (None, AMOUNT, 0, False)
    apply(node.again(), ENTER)
    again = node.again()
    assert apply(again, NOW)["drift"] == [{"setting": "maintenance after a reboot", "is": True, "wanted": False}]
    assert (node.machine.text(SCRIPT), total(node), again.commands) == (None, AMOUNT, [])


def test_a_line_in_sysctl_conf_would_count_twice(pair: tuple[FreebsdNode, FreebsdNode]) -> None:
    """Why there is a script."""
    node, _other = pair
    node.machine.put("/etc/sysctl.conf", "net.inet.carp.demotion=240\n")
    assert total(reboot(node)) == 480


def test_without_preemption_the_ids_are_set_to_backup(tmp_path: Path) -> None:
    node, other = make(tmp_path, preempt=False)
    check = node.again(check_mode=True)
    apply(check, ENTER)
    apply(node, ENTER)
    assert node.commands == check.commands and node.commands[3:] == ["ifconfig em0 vhid 10 state backup", "ifconfig em2 vhid 20 state backup"]
    node.machine.clock.advance(20)
    assert (states(node), states(other)) == (["standby"] * 2, ["active"] * 2)


def test_where_nobody_takes_over_it_is_an_error_and_taken_back(tmp_path: Path) -> None:
    node = new_node(tmp_path / "fw1")
    set_up(node, 0)
    node.machine.clock.advance(10)
    before = snapshot(node)
    with pytest.raises(NodeError, match=r"after it entered maintenance, so no other node takes over: 192\.0\.2\.1 on em0.*everything was put back as it was"):
        apply(node.again(), ENTER)
    assert snapshot(node) == before


def test_a_node_without_a_link_cannot_take_part_and_stays_in_maintenance(pair: tuple[FreebsdNode, FreebsdNode]) -> None:
    node, _other = pair
    apply(node, ENTER)
    node.machine.network.cut("em2")
    before = snapshot(node)
    with pytest.raises(NodeError, match="cannot take part again: vhid 20 on em2 is init.*put back as it was"):
        apply(node.again(), LEAVE)
    assert snapshot(node) == before and observe(node) is True


def test_a_node_without_virtual_addresses_cannot_enter_but_is_out_already(tmp_path: Path) -> None:
    node = new_node(tmp_path / "fw1")
    with pytest.raises(NodeError, match="nothing to hand over"):
        apply(node, ENTER)
    assert apply(node, LEAVE) == dict(DONE, maintenance=False, handed_over=False) and not node.changed


@pytest.mark.parametrize(("first", "then"), [([], ENTER), ([ENTER], LEAVE), ([ENTER], NOW)])
def test_what_fails_on_the_way_is_taken_back(pair: tuple[FreebsdNode, FreebsdNode], first: list[dict[str, Any]], then: dict[str, Any]) -> None:
    node, _other = pair
    for params in first:
        apply(node.again(), params)
    check, before = node.again(check_mode=True), snapshot(node)
    apply(check, then)
    for number in range(len(check.commands)):
        with failing(node, number), pytest.raises(NodeError, match="everything was put back as it was"):
            apply(node.again(), then)
        assert snapshot(node) == before


def test_what_cannot_be_told_is_an_error_that_says_what_to_do(pair: tuple[FreebsdNode, FreebsdNode]) -> None:
    node, _other = pair
    with killed(node, 1):
        apply(node, ENTER)
    node.machine.carp.demote(7, "somebody")
    assert observe(node) is None
    with pytest.raises(NodeError, match=r"the record of a run that did not end says \"entering 0\".*sysctl net\.inet\.carp\.demotion=-7\), run kenv -u"):
        apply(node.again(), LEAVE)
    node.machine.carp.demote(-7, "somebody")
    assert apply(node.again(), LEAVE)["drift"] and (total(node), node.machine.kenv) == (0, {})


def test_a_demotion_that_somebody_else_has_lifted_is_made_again(pair: tuple[FreebsdNode, FreebsdNode]) -> None:
    node, _other = pair
    apply(node, ENTER)
    node.machine.carp.demote(-AMOUNT, "sysctl")
    assert observe(node) is False
    assert apply(node.again(), ENTER)["drift"] == [{"setting": "maintenance", "is": False, "wanted": True}]
    assert (total(node), node.machine.kenv) == (AMOUNT, {RECORD: "held"})


# The script itself


def test_the_script_is_for_rc_to_run_before_netif(pair: tuple[FreebsdNode, FreebsdNode]) -> None:
    node, _other = pair
    apply(node, ENTER)
    assert node.machine.path(SCRIPT).stat().st_mode & 0o777 == 0o555
    assert "# BEFORE: netif\n" in TEXT and TEXT.startswith("#!/bin/sh\n")


STUBS = """kenv() {
    case "$1" in
    -q) cat "$FOLDER/record" 2> /dev/null ;;
    *=*) echo "${1#*=}" > "$FOLDER/record" ;;
    esac
}
sysctl() {
    case "$1" in
    -n) cat "$FOLDER/total" ;;
    *) echo $(($(cat "$FOLDER/total") + ${1#*=})) > "$FOLDER/total" ;;
    esac
}
kldstat() { test -e "$FOLDER/carp"; }
kldload() { touch "$FOLDER/carp"; }
load_rc_config() { :; }
run_rc_command() { eval "\\$${1}_cmd"; }
"""


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no shell here")
def test_a_real_shell_runs_it_and_it_adds_once(tmp_path: Path) -> None:
    (tmp_path / "total").write_text("240\n")
    (tmp_path / "rc.subr").write_text(STUBS)
    script = tmp_path / "script"
    script.write_text(TEXT.replace("/etc/rc.subr", str(tmp_path / "rc.subr")))
    for _run in range(2):
        done = subprocess.run(["sh", str(script), "start"], env={"FOLDER": str(tmp_path), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert ((tmp_path / "total").read_text(), (tmp_path / "record").read_text()) == ("%d\n" % (240 + AMOUNT), "held\n")
        assert (tmp_path / "carp").exists()


# Any order of events


class World:
    """A pair, and what others have added to the demotion of the first node."""

    def __init__(self, folder: Path) -> None:
        self.node, _other = make(folder)
        self.others = 0

    def run(self, params: dict[str, Any]) -> None:
        apply(self.node.again(), params)

    def cut_off(self, params: dict[str, Any], number: int) -> None:
        node = self.node.again()
        with killed(node, number):
            apply(node, params)

    def fails(self, params: dict[str, Any], number: int) -> None:
        try:
            with failing(self.node, number):
                apply(self.node.again(), params)
        except NodeError as error:
            assert "everything was put back" in str(error)

    def reboot(self) -> None:
        reboot(self.node)
        self.others = 0

    def demote(self, times: int) -> None:
        """As pfsync and the kernel do it: what they lift they have added before."""
        by = 240 * max(times, -self.others // 240)
        self.node.machine.carp.demote(by, "somebody")
        self.others += by

    @property
    def ours(self) -> int:
        return total(self.node) - self.others


STATES = st.sampled_from([ENTER, LEAVE, NOW])
EVENTS: st.SearchStrategy[Callable[[World], None]] = st.one_of(
    st.builds(lambda params: lambda world: world.run(params), STATES),
    st.builds(lambda params, number: lambda world: world.cut_off(params, number), STATES, st.integers(0, 3)),
    st.builds(lambda params, number: lambda world: world.fails(params, number), STATES, st.integers(0, 3)),
    st.builds(lambda times: lambda world: world.demote(times), st.integers(-2, 2)),
    st.just(World.reboot),
)


@settings(max_examples=40)
@given(st.lists(EVENTS, max_size=6), st.sampled_from([ENTER, LEAVE]))
def test_whatever_happens_our_part_is_there_once_or_not_at_all(events: list[Callable[[World], None]], last: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for event in events:
            event(world)
            assert world.ours in (0, AMOUNT)
            assert observe(world.node) is bool(world.ours)
        wanted = AMOUNT if last is ENTER else 0
        world.run(last)
        assert (world.ours, demotion.read(world.node).complete) == (wanted, True)
        again = world.node.again()
        assert apply(again, last)["drift"] == [] and not again.changed
        world.reboot()
        assert (world.ours, observe(world.node)) == (wanted, last is ENTER)
