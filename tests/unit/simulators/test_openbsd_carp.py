# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CARP of the simulated OpenBSD. Sources: sys/netinet/ip_carp.c, and sys/net/if.c for the groups."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List, Tuple

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, pair

FILE = "inet 192.0.2.1 255.255.255.0 NONE vhid 1 carpdev em0 pass secret advskew %d\n"
Pair = Tuple[OpenbsdNode, OpenbsdNode]


@pytest.fixture(name="nodes")
def _nodes(tmp_path: Path) -> Pair:
    """A pair with a virtual address on LAN; the first node is master."""
    nodes = pair(tmp_path)
    for one, skew in zip(nodes, (0, 100)):
        one.machine.put("/etc/hostname.carp0", FILE % skew, 0o640)
        one.query(["sh", "/etc/netstart", "carp0"])
    nodes[0].machine.clock.advance(10)
    return nodes


def states(nodes: Pair) -> List[str]:
    return [re.findall(r"\tcarp: (\w+) ", one.query(["ifconfig", "carp0"]).stdout)[0] for one in nodes]


def test_a_master_is_shown_as_carp_status_prints_it(nodes: Pair) -> None:
    assert nodes[0].query(["ifconfig", "carp0"]).stdout == (
        "carp0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n\tlladdr 00:00:5e:00:01:01\n\tindex 8 priority 15 llprio 3\n"
        "\tcarp: MASTER carpdev em0 vhid 1 advbase 1 advskew 0\n\tgroups: carp\n\tstatus: master\n"
        "\tinet 192.0.2.1 netmask 0xffffff00 broadcast 192.0.2.255\n")
    assert "\tstatus: backup\n" in nodes[1].query(["ifconfig", "carp0"]).stdout
    assert "PROMISC" in nodes[0].query(["ifconfig", "em0"]).stdout.split("\n")[0]


def test_the_lower_skew_is_master_and_a_cable_moves_the_address(nodes: Pair) -> None:
    assert states(nodes) == ["MASTER", "BACKUP"]
    nodes[0].machine.network.cut("em0")
    nodes[0].machine.clock.advance(5)
    assert states(nodes) == ["INIT", "MASTER"]


def test_a_dead_parent_demotes_the_group_by_one_while_it_lasts(nodes: Pair) -> None:
    """carp_carpdev_state."""
    nodes[0].machine.network.cut("em0")
    assert nodes[0].query(["ifconfig", "-g", "carp"]).stdout == "carp: carp demote count 1\n"
    nodes[0].machine.network.mend("em0")
    assert nodes[0].query(["ifconfig", "-g", "carp"]).stdout == "carp: carp demote count 0\n"


def test_a_carp_interface_takes_its_own_demotion_with_it(nodes: Pair) -> None:
    """carpdetach, and carp_ifgroup_ioctl; without a group its own count is what it tells (carp_group_demote_count)."""
    nodes[0].machine.network.cut("em0")
    nodes[0].query(["ifconfig", "carp0", "-group", "carp"])
    assert nodes[0].query(["ifconfig", "-g", "carp"]).stdout == "carp: carp demote count 0\n"
    assert nodes[0].machine.carp.demotion(nodes[0].machine.carp.vhosts["carp0"]) == 1
    nodes[0].query(["ifconfig", "carp0", "group", "carp"])
    assert nodes[0].query(["ifconfig", "-g", "carp"]).stdout == "carp: carp demote count 1\n"
    nodes[0].query(["ifconfig", "carp0", "destroy"])
    assert nodes[0].query(["ifconfig", "-g", "carp"]).stdout == "carp: carp demote count 0\n"


def test_a_higher_demotion_gives_way_whatever_preempt_says(nodes: Pair) -> None:
    """carp_proto_input_c: "Take over masters advertising with a higher demote count, regardless of CARPCTL_PREEMPT"."""
    assert nodes[1].query(["sysctl", "-n", "net.inet.carp.preempt"]).stdout == "0\n"
    nodes[0].query(["ifconfig", "-g", "carp", "carpdemote", "50"])
    nodes[0].machine.clock.advance(2)
    assert states(nodes) == ["BACKUP", "MASTER"]
    nodes[0].query(["ifconfig", "-g", "carp", "-carpdemote", "50"])
    nodes[0].machine.clock.advance(10)
    assert states(nodes) == ["BACKUP", "MASTER"]


def test_with_preempt_the_lower_skew_takes_the_address_back(nodes: Pair) -> None:
    nodes[0].query(["sysctl", "net.inet.carp.preempt=1"])
    nodes[0].query(["ifconfig", "-g", "carp", "carpdemote", "50"])
    nodes[0].machine.clock.advance(2)
    nodes[0].query(["ifconfig", "-g", "carp", "-carpdemote", "50"])
    nodes[0].machine.clock.advance(2)
    assert states(nodes) == ["MASTER", "BACKUP"]


def test_the_counter_is_added_to_and_stays_within_255(nodes: Pair) -> None:
    """if_setgroupattribs."""
    for _number in range(2):
        nodes[0].query(["ifconfig", "-g", "carp", "carpdemote", "100"])
    done = nodes[0].machine.run(["ifconfig", "-g", "carp", "carpdemote", "56"])
    assert (done.status, done.stderr) == (1, "ifconfig: carp: SIOCSIFGATTR: Invalid argument\n")
    nodes[0].query(["ifconfig", "-g", "carp", "carpdemote"])
    assert nodes[0].query(["ifconfig", "-g", "carp"]).stdout == "carp: carp demote count 201\n"


def test_a_setting_that_is_set_again_leaves_a_master_alone(nodes: Pair) -> None:
    """SIOCSVH with what is there; carpr_state is 0 and no state is forced."""
    for words in (["vhid", "1"], ["carpdev", "em0"], ["pass", "secret"], ["advskew", "0"], ["advbase", "1"]):
        nodes[0].query(["ifconfig", "carp0", *words])
    nodes[0].machine.clock.advance(5)
    assert states(nodes) == ["MASTER", "BACKUP"]


def test_netstart_on_a_master_that_runs_takes_its_address_and_the_mastership_away(nodes: Pair) -> None:
    """``inet`` without alias removes the first address before it sets the new one: carp_addr_updated, carp_set_addr."""
    nodes[0].query(["sh", "/etc/netstart", "carp0"])
    assert states(nodes) == ["BACKUP", "BACKUP"]


def test_another_password_is_another_cluster(nodes: Pair) -> None:
    nodes[1].query(["ifconfig", "carp0", "pass", "other"])
    nodes[1].machine.clock.advance(10)
    assert states(nodes) == ["MASTER", "MASTER"]
    assert re.search(r"^\t\t[1-9]\d* discarded for bad authentication$", nodes[1].query(["netstat", "-s", "-p", "carp"]).stdout, re.MULTILINE)


def test_a_shutdown_bows_out_and_a_power_cut_does_not(nodes: Pair) -> None:
    """carp_ioctl, SIOCSIFFLAGS: advertisements with 255 make the next one take over at once."""
    nodes[0].query(["ifconfig", "carp0", "down"])
    assert states(nodes) == ["INIT", "MASTER"]
    nodes[0].query(["ifconfig", "carp0", "up"])
    nodes[1].machine.lose_power()
    assert states(nodes[:1] * 2)[0] == "BACKUP"
    nodes[0].machine.clock.advance(4)
    assert states(nodes[:1] * 2)[0] == "MASTER"


def test_an_address_needs_a_carpdev_and_a_vhid_is_there_once(nodes: Pair) -> None:
    done = nodes[0].machine.run(["ifconfig", "carp1", "inet", "192.0.2.9/24", "vhid", "2"])
    assert (done.status, done.stderr) == (1, "ifconfig: SIOCAIFADDR: Invalid argument\n")
    done = nodes[0].machine.run(["ifconfig", "carp2", "create", "vhid", "1", "carpdev", "em0"])
    assert (done.status, done.stderr) == (1, "ifconfig: carp2: SIOCSVH: Invalid argument\n")


def test_unicast_is_heard_by_unicast_only(nodes: Pair) -> None:
    """carp_proto_input_c compares ismulti with the peer."""
    nodes[0].query(["ifconfig", "carp0", "carppeer", "192.0.2.3"])
    assert " advskew 0 carppeer 192.0.2.3\n" in nodes[0].query(["ifconfig", "carp0"]).stdout
    nodes[0].machine.clock.advance(10)
    assert states(nodes) == ["MASTER", "MASTER"]
    nodes[1].query(["ifconfig", "carp0", "carppeer", "192.0.2.2"])
    nodes[0].machine.clock.advance(10)
    assert states(nodes) == ["MASTER", "BACKUP"]


def test_the_kernel_tells_of_masters_by_default_and_of_demotions_only_when_asked(nodes: Pair) -> None:
    """carpctl_log is LOG_CRIT; carp_set_state and carp_group_demote_adj log at LOG_CRIT, LOG_WARNING and LOG_ERR."""
    nodes[0].machine.network.cut("em0")
    assert nodes[0].machine.dmesg[1:] == ["carp0: state transition: BACKUP -> MASTER"]
    nodes[0].query(["sysctl", "net.inet.carp.log=4"])
    nodes[0].machine.network.mend("em0")
    assert nodes[0].machine.dmesg[2:] == ["carp0: state transition: INIT -> BACKUP", "carp: carp0 demoted group carp by -1 to 0 (carpdev)"]
