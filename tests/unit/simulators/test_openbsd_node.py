# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated OpenBSD node itself: faults, the account of commands, and its small programs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.machine import Crashed
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import NotModelled
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, node, pair


@pytest.fixture(name="fw1")
def _fw1(tmp_path: Path) -> OpenbsdNode:
    return node(tmp_path)


def test_a_program_that_is_not_there_and_one_that_fails_are_errors_of_the_node(fw1: OpenbsdNode) -> None:
    assert fw1.has("rcctl")
    assert not fw1.has("sysrc")
    with pytest.raises(NodeError, match="sysrc is not installed"):
        fw1.query(["sysrc", "-n", "x"])
    with pytest.raises(NodeError, match="status 1 and said: em9: no such interface"):
        fw1.query(["ifconfig", "em9"])


def test_faults_can_be_put_in_the_place_of_answers(fw1: OpenbsdNode) -> None:
    fw1.machine.refuse(["ifconfig", "pfsync0"], "ifconfig: pfsync0: SIOCSETPFSYNC: Device busy")
    with pytest.raises(NodeError, match="Device busy"):
        fw1.act(["ifconfig", "pfsync0", "syncdev", "em1"])
    fw1.machine.answer(["uname", "-r"], stdout="7.9\n")
    assert fw1.query(["uname", "-r"]).stdout == "7.9\n"


def test_power_can_go_between_any_two_commands(fw1: OpenbsdNode) -> None:
    def pull(argv: List[str]) -> None:
        if argv[-1:] == ["up"]:
            fw1.machine.lose_power()

    fw1.machine.before_command = pull
    fw1.act(["ifconfig", "pfsync0", "syncdev", "em1"])
    with pytest.raises(Crashed):
        fw1.act(["ifconfig", "pfsync0", "up"])
    fw1.machine.before_command = lambda argv: None
    fw1.machine.boot()
    with pytest.raises(NodeError, match="no such interface"):
        fw1.query(["ifconfig", "pfsync0"])


def test_only_commands_that_change_something_are_changes(fw1: OpenbsdNode) -> None:
    reads = ["ifconfig", "ifconfig -A", "ifconfig em0", "ifconfig -g carp", "ifconfig carp", "pfctl -si", "pfctl -vvsr", "pfctl -nf /etc/pf.conf", "uname -a",
             "sysctl -n net.inet.carp.preempt", "netstat -ibn", "netstat -s -p pfsync", "arp -an", "ndp -an", "rcctl get pf", "dmesg",
             "syspatch -l", "route -n get 192.0.2.2", "ls /etc", "cat /etc/myname", "ps -axo pid=,ppid="]
    writes = ["ifconfig em0 up", "ifconfig -g carp carpdemote 1", "pfctl -f /etc/pf.conf", "sysctl net.inet.carp.preempt=1", "rcctl disable pf",
              "sh /etc/netstart em0"]
    for command in reads + writes:
        fw1.query(command.split(), ok=None)
    assert fw1.machine.changes() == writes


def test_check_mode_touches_nothing(fw1: OpenbsdNode) -> None:
    checking = fw1.again(check_mode=True)
    checking.act(["ifconfig", "pfsync0", "create"])
    checking.write_text("/etc/hostname.pfsync0", "up\n", 0o640)
    assert fw1.machine.text("/etc/hostname.pfsync0") is None
    assert "pfsync0" not in fw1.query(["ifconfig"]).stdout
    assert checking.diffs[0]["before_header"] == "/etc/hostname.pfsync0"


def test_waiting_lets_the_machines_time_pass(fw1: OpenbsdNode) -> None:
    fw1.query(["ifconfig", "pfsync0", "syncdev", "em1", "up"])
    start = fw1.machine.clock.now
    assert fw1.wait_for(lambda: fw1.machine.interfaces.demoted["carp"] == 0, 60.0)
    assert fw1.machine.clock.now - start == pytest.approx(24.0, abs=0.2)


def test_facts_are_told_by_sysctl_uname_and_syspatch(fw1: OpenbsdNode) -> None:
    """sbin/sysctl/sysctl.c, usr.bin/uname/uname.c, usr.sbin/syspatch/syspatch.sh."""
    assert fw1.query(["sysctl", "kern.osrelease", "net.inet.carp.preempt"]).stdout == "kern.osrelease=7.6\nnet.inet.carp.preempt=0\n"
    assert fw1.query(["sysctl", "-n", "kern.boottime"]).stdout == "1795435220\n"
    assert fw1.query(["sysctl", "kern.boottime"]).stdout == "kern.boottime=Mon Nov 23 12:00:20 2026\n"
    assert fw1.query(["sysctl", "net.inet.carp.preempt=1"]).stdout == "net.inet.carp.preempt: 0 -> 1\n"
    done = fw1.query(["sysctl", "net.inet.carp.demotion"])
    assert (done.status, done.stderr) == (0, "sysctl: fourth level name demotion in net.inet.carp.demotion is invalid\n")
    assert fw1.query(["uname", "-mrs"]).stdout == "OpenBSD 7.6 amd64\n"
    fw1.machine.patches = ["001_unbound"]
    assert fw1.query(["syspatch", "-l"]).stdout == "001_unbound\n"


def test_neighbours_are_told_in_arps_columns(tmp_path: Path) -> None:
    """dump and print_entry in usr.sbin/arp/arp.c."""
    fw1, _fw2 = pair(tmp_path)
    assert fw1.query(["arp", "-an"]).stdout.splitlines()[:3] == [
        "Host                                 Ethernet Address    Netif Expire    Flags",
        "192.0.2.2                            52:54:00:00:1a:00     em0 permanent l",
        "192.0.2.3                            52:54:00:00:1b:00     em0 19m48s    "]


def test_interfaces_are_counted_in_netstats_columns(fw1: OpenbsdNode) -> None:
    """intpr and print_addr in usr.bin/netstat/if.c; a star marks what is down."""
    lines = fw1.query(["netstat", "-ibn"]).stdout.splitlines()
    assert lines[0] == "Name    Mtu   Network     Address               Ibytes     Obytes"
    assert lines[1] == "lo0     32768 <Link>                                 0          0"
    assert "em0     1500  <Link>      52:54:00:00:1a:00          0          0" in lines
    assert "em0     1500  192.0.2/24  192.0.2.2                  0          0" in lines
    assert any(re.match(r"enc0\* ", line) for line in lines)


@pytest.mark.parametrize("command", ["netstat -r", "pfctl -ss -P", "sysctl hw.sensors", "dmesg -s", "sh -c true", "ps aux", "rcctl ls on", "ndp -c"])
def test_what_is_not_modelled_has_no_answer(fw1: OpenbsdNode, command: str) -> None:
    with pytest.raises(NotModelled):
        fw1.query(command.split())
