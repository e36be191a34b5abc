# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs of the simulated OpenBSD. Sources: sys/net/if_aggr.c, if_trunk.c, and trunk_status in sbin/ifconfig/ifconfig.c."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, node


@pytest.fixture(name="fw1")
def _fw1(tmp_path: Path) -> OpenbsdNode:
    """A node with two ports that carry nothing."""
    found = node(tmp_path, devices=("em0", "em1", "em2", "em3"))
    for port in ("em1", "em2"):
        found.query(["ifconfig", port, "delete"])
    return found


def shown(fw1: OpenbsdNode, name: str) -> str:
    return fw1.query(["ifconfig", name]).stdout


def mac(fw1: OpenbsdNode, name: str) -> str:
    return re.findall(r"\tlladdr (\S+)", shown(fw1, name))[0]


def test_an_aggr_has_an_address_that_is_made_up_at_each_creation(fw1: OpenbsdNode) -> None:
    """ether_fakeaddr in sys/net/if_ethersubr.c."""
    fw1.query(["ifconfig", "aggr0", "create"])
    first = mac(fw1, "aggr0")
    assert first.startswith("fe:e1:ba:d0:")
    fw1.query(["ifconfig", "aggr0", "destroy"])
    fw1.query(["ifconfig", "aggr0", "create"])
    assert mac(fw1, "aggr0") != first
    fw1.query(["ifconfig", "aggr0", "lladdr", "02:00:5e:00:00:07", "trunkport", "em1"])
    assert mac(fw1, "aggr0") == mac(fw1, "em1") == "02:00:5e:00:00:07"


def test_an_aggr_is_shown_with_both_ends_of_each_port(fw1: OpenbsdNode) -> None:
    fw1.query(["ifconfig", "aggr0", "create", "lladdr", "02:00:5e:00:00:07", "trunkport", "em1", "trunkport", "em2", "up"])
    assert shown(fw1, "aggr0") == (
        "aggr0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n\tlladdr 02:00:5e:00:00:07\n\tindex 8 priority 0 llprio 7\n"
        "\ttrunk: trunkproto lacp\n\ttrunk id: [(8000,02:00:5e:00:00:07,0008,0000,0000),\n\t\t (8000,02:00:5e:10:00:01,0001,0000,0000)]\n"
        + "".join(
            "\t\t%s lacp actor system pri 0x8000 mac 02:00:5e:00:00:07, key 0x8, port pri 0x8000 number 0x%d\n"
            "\t\t%s lacp actor state activity,aggregation,sync,collecting,distributing\n"
            "\t\t%s lacp partner system pri 0x8000 mac 02:00:5e:10:00:01, key 0x1, port pri 0x80 number 0x%d\n"
            "\t\t%s lacp partner state activity,aggregation,sync,collecting,distributing\n\t\t%s port active,collecting,distributing\n" % (
                port, number, port, port, number, port, port) for port, number in (("em1", 2), ("em2", 3)))
        + "\tgroups: aggr\n\tmedia: Ethernet autoselect\n\tstatus: active\n")
    assert "\ttrunk: trunkdev aggr0\n" in shown(fw1, "em1")


def test_a_port_of_an_aggr_that_is_down_carries_nothing(fw1: OpenbsdNode) -> None:
    fw1.query(["ifconfig", "aggr0", "create", "trunkport", "em1", "trunkport", "em2", "up"])
    fw1.machine.network.cut("em1")
    assert "\t\tem1 port disabled\n" in shown(fw1, "aggr0")
    assert shown(fw1, "aggr0").endswith("\tstatus: active\n")
    fw1.query(["ifconfig", "em2", "down"])
    assert shown(fw1, "aggr0").endswith("\tstatus: no carrier\n")


def test_a_trunk_has_its_first_ports_address_and_shows_the_last_one_first(fw1: OpenbsdNode) -> None:
    """trunk_port_create: SLIST_INSERT_HEAD; the first port is the primary one."""
    fw1.query(["ifconfig", "trunk0", "create", "trunkproto", "failover", "trunkport", "em2", "trunkport", "em1", "up"])
    assert ("\ttrunk: trunkproto failover\n\t\tem1 port \n\t\tem2 port master,active\n\tgroups: trunk\n\tmedia: Ethernet autoselect\n"
            "\tstatus: active\n") in shown(fw1, "trunk0")
    assert mac(fw1, "trunk0") == mac(fw1, "em1") == "52:54:00:00:1a:02"
    fw1.machine.network.cut("em2")
    assert "\t\tem1 port active\n\t\tem2 port master\n" in shown(fw1, "trunk0")


def test_a_trunk_loses_an_address_that_was_set_before_its_first_port(fw1: OpenbsdNode) -> None:
    fw1.query(["ifconfig", "trunk0", "create", "lladdr", "02:00:5e:00:00:07", "trunkport", "em1"])
    assert mac(fw1, "trunk0") == "52:54:00:00:1a:01"
    fw1.query(["ifconfig", "trunk0", "lladdr", "02:00:5e:00:00:07"])
    assert mac(fw1, "trunk0") == "02:00:5e:00:00:07"


@pytest.mark.parametrize(("words", "text"), [
    (("aggr0", "trunkproto", "failover"), "ifconfig: aggr0: SIOCSTRUNK: Protocol not supported\n"),
    (("aggr0", "trunkport", "em9"), "ifconfig: aggr0 em9: SIOCSTRUNKPORT: Invalid argument\n"),
    (("aggr0", "trunkport", "em1"), "ifconfig: aggr0 em1: SIOCSTRUNKPORT: Device busy\n"),
    (("aggr0", "-trunkport", "em2"), "ifconfig: aggr0: em2: SIOCSTRUNKDELPORT: Invalid argument\n"),
    (("trunk0", "trunkproto", "best"), "ifconfig: Invalid trunk protocol: best\n"),
    (("trunk0", "lacpmode", "active"), "ifconfig: Invalid option for trunk: trunk0\n"),
    (("em2", "trunkport", "em0"), "ifconfig: em2 em0: SIOCSTRUNKPORT: Inappropriate ioctl for device\n"),
])
def test_it_fails_in_ifconfigs_words(fw1: OpenbsdNode, words: "tuple[str, ...]", text: str) -> None:
    fw1.query(["ifconfig", "aggr0", "create", "trunkport", "em1"])
    fw1.query(["ifconfig", "trunk0", "create"])
    done = fw1.machine.run(["ifconfig", *words])
    assert (done.status, done.stderr) == (1, text)


def test_a_port_of_an_aggr_keeps_its_mtu(fw1: OpenbsdNode) -> None:
    """aggr_p_ioctl."""
    fw1.query(["ifconfig", "aggr0", "create", "trunkport", "em1"])
    assert fw1.query(["ifconfig", "em1", "mtu", "9000"]).stderr == "ifconfig: SIOCSIFMTU: Device busy\n"


def test_frames_travel_through_a_lagg_and_a_vlan_on_it(tmp_path: Path) -> None:
    first = node(tmp_path / "a")
    second = node(tmp_path / "b", first.machine.network.shared, 1, "fw2")
    for one, host in ((first, 1), (second, 2)):
        one.query(["ifconfig", "em1", "delete"])
        one.query(["ifconfig", "aggr0", "create", "trunkport", "em1", "up"])
        one.query(["ifconfig", "vlan7", "create", "vnetid", "7", "parent", "aggr0"])
        one.query(["ifconfig", "vlan7", "inet", "198.51.100.%d/28" % (128 + host)])
    assert "198.51.100.130" in first.query(["arp", "-an"]).stdout
    first.machine.network.cut("em1")
    assert "198.51.100.130" not in first.query(["arp", "-an"]).stdout
