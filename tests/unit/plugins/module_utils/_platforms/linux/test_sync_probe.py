# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Marked states: made in one process, counted by run, never confused with anybody else's."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import sync_probe
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

MARK = 0x48414657
# Written by conntrack 1.4.7 and by `conntrackd -e` of the same release.
KERNEL_LINE = ("udp      17 %d src=198.51.100.%d dst=203.0.113.%d sport=%d dport=%d [UNREPLIED] "
               "src=203.0.113.%d dst=198.51.100.%d sport=%d dport=%d mark=%d use=1\n")
CACHE_LINE = "udp      17 src=198.51.100.202 dst=203.0.113.202 sport=%d dport=9 [UNREPLIED] mark=1212237399 [active since 1s]\n"


def line(origin, number, run=0, left=119, mark=MARK):
    host = 200 + origin
    return KERNEL_LINE % (left, host, host, 40000 + number, 9 + run, host, host, 9 + run, 40000 + number, mark)


class Table:
    """The connection table of a simulated node, as conntrack lists and changes it."""

    def __init__(self, node, lines=()):
        self.lines = list(lines)
        self.room = 1000
        node.on(["conntrack", "-L", "-p", "udp", "-m", "0x48414657"], lambda argv, stdin: Completed(0, "".join(self.lines), ""))
        node.on(["conntrack", "-R", "-"], self.load)
        node.on(["conntrack", "-D"], self.delete)

    def load(self, argv, stdin):
        for number, entry in enumerate(stdin.splitlines()):
            words = entry.split()
            values = dict(zip(words[1::2], words[2::2]))
            assert words[0] == "-I"
            assert (values["-p"], values["-t"], values["-m"]) == ("udp", "120", "0x48414657")
            made = line(int(values["-s"].split(".")[3]) - 200, int(values["--sport"]) - 40000, int(values["--dport"]) - 9, left=120)
            if any(made.split("src", 1)[1] == known.split("src", 1)[1] for known in self.lines):
                return Completed(1, "", "conntrack v1.4.7 (conntrack-tools): Operation failed: Such conntrack exists, try -U to update")
            if number < self.room:
                self.lines.append(made)
        return Completed(0, "", "")

    def delete(self, argv, stdin):
        assert argv[2:6] == ["-p", "udp", "-m", "0x48414657"]
        source = "src=%s dst=%s " % (argv[argv.index("-s") + 1], argv[argv.index("-d") + 1])
        kept = [entry for entry in self.lines if source not in entry]
        gone, self.lines = len(self.lines) - len(kept), kept
        return Completed(0 if gone else 1, "", "")


def options(state, **others):
    return dict({"state": state, "origin": 1, "origins": [], "count": 60, "run": 0, "timeout": 5.0}, **others)


def test_sixty_states_are_made_by_one_command_and_a_second_run_does_nothing():
    node = SystemdNode()
    table = Table(node)
    assert sync_probe.apply(node, options("present")) == {"found": {"1": 60}}
    assert node.commands == ["conntrack -R -"]
    assert len(table.lines) == 60
    again = node.again()
    assert sync_probe.apply(again, options("present")) == {"found": {"1": 60}}
    assert again.commands == []


@pytest.mark.parametrize("leftovers", [
    [line(1, number, left=20) for number in range(60)],  # about to end
    [line(1, number) for number in range(30)],  # half of them
    [line(1, number, run=4) for number in range(60)],  # an earlier proof
])
def test_what_an_earlier_proof_left_is_replaced(leftovers):
    node = SystemdNode()
    table = Table(node, leftovers)
    assert sync_probe.apply(node, options("present")) == {"found": {"1": 60}}
    assert [command.split()[1] for command in node.commands] == ["-D", "-R"]
    assert sync_probe.tally(sync_probe.parse("".join(table.lines)), [1], 60, 0) == {"1": 60}


@pytest.mark.parametrize(("state", "lines"), [("present", []), ("present", [line(1, 0, left=3)]), ("absent", [line(1, 0)])])
def test_check_mode_predicts_the_commands_and_runs_none(state, lines):
    real, check = SystemdNode(), SystemdNode(check_mode=True)
    Table(real, lines)
    table = Table(check, lines)
    assert sync_probe.apply(check, options(state)) == sync_probe.apply(real, options(state))
    assert check.commands == real.commands
    assert check.commands != []
    assert table.lines == lines


def test_a_full_table_is_told():
    node = SystemdNode()
    Table(node).room = 7
    with pytest.raises(NodeError, match="only 7 of 60 marked states"):
        sync_probe.apply(node, options("present"))


def test_absent_removes_the_own_states_of_every_run_and_nobody_elses():
    node = SystemdNode()
    table = Table(node, [line(1, 0), line(1, 0, run=9), line(2, 0)])
    assert sync_probe.apply(node, options("absent")) == {"found": {"1": 0}}
    assert table.lines == [line(2, 0)]
    again = node.again()
    sync_probe.apply(again, options("absent"))
    assert again.changed is False


def test_observed_waits_until_the_last_state_has_arrived():
    node = SystemdNode()
    table = Table(node, [line(2, number) for number in range(59)])
    node.on(["conntrackd", "-e"], lambda argv, stdin: table.lines.append(line(2, 59)) or Completed(0, "", ""))
    assert sync_probe.apply(node, options("observed", origins=[2])) == {"found": {"2": 60}}
    assert node.changed is False


def test_observed_gives_up_after_the_timeout_and_tells_how_many_there_are():
    node = SystemdNode()
    Table(node, [line(2, 3), line(2, 3), line(3, 0, run=1), line(1, 0)])
    assert sync_probe.apply(node, options("observed", origins=[2, 3], timeout=2.0)) == {"found": {"2": 1, "3": 0}}
    assert node.seconds >= 2.0


def test_states_in_the_external_cache_count_whatever_the_engine_answers():
    node = SystemdNode()
    Table(node, [line(2, 0)])
    node.on(["conntrackd", "-e"], lambda argv, stdin: Completed(0, "".join(CACHE_LINE % (40000 + number) for number in range(1, 60)), ""))
    assert sync_probe.apply(node, options("observed", origins=[2])) == {"found": {"2": 60}}
    node.says(["conntrackd", "-e"], status=1, stderr="can't connect: is conntrackd running?")
    assert sync_probe.apply(node, options("observed", origins=[2], timeout=0.0)) == {"found": {"2": 1}}


def test_without_origins_there_is_nothing_to_wait_for():
    node = SystemdNode()
    Table(node)
    assert sync_probe.apply(node, options("observed")) == {"found": {}}


@pytest.mark.parametrize("foreign", [
    line(2, 0, mark=1), line(2, 0).replace("udp      17", "tcp      6"), line(2, 0).replace("dst=203.0.113.202", "dst=203.0.113.203", 1),
    re.sub(r" mark=\d+", "", line(2, 0)), "", "conntrack v1.4.7 (conntrack-tools): 0 flow entries have been shown."])
def test_an_entry_that_is_not_a_marked_state_is_passed_over(foreign):
    assert sync_probe.parse(line(3, 1, run=2, left=77) + foreign) == [sync_probe.Marked(3, 2, 1, 77)]


@pytest.mark.parametrize("wrong", [{"origin": 0}, {"origin": 51}, {"count": 0}, {"count": 101}, {"run": -1}, {"run": 60001}, {"origins": [1, 300]}])
def test_an_option_out_of_its_range_is_named_before_anything_is_touched(wrong):
    node = SystemdNode()
    with pytest.raises(NodeError, match="^" + next(iter(wrong)) + ": "):
        sync_probe.apply(node, options("present", **wrong))
    assert node.queries == []
