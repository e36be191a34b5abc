# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs on OpenBSD: what is predicted happens, a second run is silent, and what cannot be is refused before anything is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import ifconfig
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.provider import OpenbsdProvider
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_options import move
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.lagg_cases import (
    EM0,
    FILES,
    GEHEIM,
    LONG,
    as_it_runs,
    call,
    carp_pair,
    clean,
    demotion,
    everything,
    lacp,
    lagg,
    rows,
    second,
    whole,
)
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import pair
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.shell_node import Host, ShellNode
from openbsd_cases import PASSWORD, address_options, cluster, instance, rule_options, sync_options

WAN = lagg(members=["em0"])


@pytest.mark.parametrize("wanted", [lagg(), lacp()])
def test_an_interface_goes_onto_a_lagg_with_all_that_is_on_it_as_predicted_and_stays_there(booted: Callable[..., ShellNode], wanted: dict[str, Any]) -> None:
    node, name = booted(), wanted["name"]
    before, predicted, ran = everything(node), node.again(check_mode=True), len(node.machine.commands)
    mac = rows(node)["em0"]["mac"]
    [told] = whole(predicted, wanted)
    assert everything(node) == before and clean(node) and node.machine.changes(ran) == []
    done = whole(node, wanted)
    assert [result["next"] for result in done] == ["wait", "confirm", None] and done[2]["confirmed"] == [name]
    assert (told["drift"], told["warnings"], predicted.commands, predicted.diffs) == (done[0]["drift"], [], node.commands, node.diffs) != ([], [], [], [])
    found = rows(node)
    assert sorted(found[name]["lagg"]["members"]) == ["em0", "em3"] and found[name]["lagg"]["protocol"] == wanted["protocol"]
    assert [one for one in found[name]["addresses"] if "fe80" not in one] == ["192.0.2.2/24", "192.0.2.9/32"]
    assert (found["vlan10"]["vlan"], "198.51.100.34/27" in found["vlan10"]["addresses"]) == ({"id": 10, "parent": name}, True)
    assert found["em0"]["master"] == name and not [one for one in found["em0"]["addresses"] if "fe80" not in one]
    assert (found[name]["mac"], node.machine.gateway_by, node.machine.interfaces[name].description) == (mac, name, "LAN")
    assert node.read_text("/etc/pf.conf") == str(FILES["pf.conf"]).replace("em0", name)
    assert "pass in on %s" % name in node.query(["pfctl", "-sr"]).stdout
    assert (node.read_text("/etc/hostname.em0"), node.read_text("/etc/hostname.em3")) == ("mtu 1500\nup\n", "up\n")
    assert node.read_text("/etc/mygate") == FILES["mygate"] and clean(node)
    # The machine starts again as it was left, and a second run does nothing.
    ran_so = as_it_runs(node)
    node.boot()
    assert as_it_runs(node) == ran_so
    second(node, wanted)


@pytest.mark.parametrize("settings", [
    {"protocol": "lacp", "primary": None, "lacp_rate": "fast"}, {"protocol": "loadbalance", "primary": None}, {"protocol": "roundrobin", "primary": None},
    {"protocol": "broadcast", "primary": None}, {"protocol": "none", "primary": None, "consent": True}, {"protocol": "failover", "primary": "em3"},
    {"name": "aggr0", "protocol": "lacp", "primary": None, "lacp_rate": "slow", "mtu": 1400},
])
def test_the_settings_of_a_lagg_change_and_what_is_on_it_stays(booted: Callable[..., ShellNode], settings: dict[str, Any]) -> None:
    node, name = booted(), settings.get("name", "trunk0")
    whole(node, lagg(**settings))
    second(node, lagg(**settings))
    before = rows(node)
    assert before[name]["lagg"]["protocol"] == settings["protocol"] and before[name]["mtu"] == settings.get("mtu", 1500)
    assert before[name]["lagg"]["primary"] == (settings["primary"] if settings["protocol"] == "failover" else None)
    assert ("lacptimeout %s" % settings.get("lacp_rate") in str(node.read_text("/etc/hostname." + name))) is ("lacp_rate" in settings)
    other = dict(settings, moves=[], members=["em0"], primary=None) if name == "aggr0" else {"moves": [], "members": ["em0"]}
    whole(node.again(), lagg(**other))
    after = rows(node)
    assert after[name]["lagg"]["members"] == ["em0"]
    kept = [[one for one in found[device]["addresses"] if "fe80" not in one] for found in (before, after) for device in (name, "vlan10")]
    assert kept[:2] == kept[2:] and kept[0]


def test_several_laggs_are_one_change_and_pfsync_follows(booted: Callable[..., ShellNode]) -> None:
    node = booted({"hostname.pfsync0": "syncdev em2\nup\n", "pf.conf": "pass\n", "mygate": "203.0.113.254\n"})
    node.host.machine.clock.advance(100)
    wanted = [lagg(members=["em0"]), lagg(name="trunk1", members=["em2"], primary="em2", vlans=[], moves=[move("em2", "trunk1")])]
    predicted = node.again(check_mode=True)
    [told] = whole(predicted, *wanted)
    done = whole(node, *wanted)
    assert (told["drift"], predicted.commands, predicted.diffs) == (done[0]["drift"], node.commands, node.diffs)
    assert [item["confirmed"] for item in done] == [[], [], ["trunk0", "trunk1"]]
    assert node.read_text("/etc/hostname.pfsync0") == "syncdev trunk1\nup\n"
    assert (node.machine.pfsync.syncdev, node.machine.gateway_by) == ("trunk1", "trunk1")
    ran = as_it_runs(node)
    node.boot()
    assert as_it_runs(node) == ran
    second(node, *wanted)


def test_a_lagg_gets_another_name(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    whole(node, lagg(name="trunk7"))
    before = rows(node)
    whole(node.again(), lacp(moves=[move("trunk7", "aggr0"), move("vlan10", "vlan10", 10)]))
    after = rows(node)
    assert "trunk7" not in after and node.read_text("/etc/hostname.trunk7") is None and "trunk7" not in str(node.read_text("/etc/pf.conf"))
    assert [one for one in after["aggr0"]["addresses"] if "fe80" not in one] == [one for one in before["trunk7"]["addresses"] if "fe80" not in one]
    assert after["vlan10"]["vlan"]["parent"] == "aggr0"
    second(node, lacp(moves=[move("trunk7", "aggr0"), move("vlan10", "vlan10", 10)]))


# Handing over


def test_a_standby_moves_with_its_virtual_addresses_and_no_password_is_told(booted: Callable[..., ShellNode]) -> None:
    node = carp_pair(booted, True, 200)
    before = [item._replace(device="trunk0") for item in ifconfig.running(node)]
    wanted = lagg(members=["em0"])
    done = whole(node, wanted)
    assert node.wait_for(lambda: ifconfig.running(node) == before, LONG)
    assert not [command for command in node.commands if "demote" in command]
    assert "carpdev trunk0" in str(node.read_text("/etc/hostname.carp10")) and GEHEIM in str(node.read_text("/etc/hostname.carp10"))
    assert (node.root / "etc/hostname.carp10").stat().st_mode & 0o777 == 0o640
    assert GEHEIM not in "%s %s %s" % (node.commands, node.diffs, done)
    second(node, wanted)


def test_a_node_of_a_cluster_is_as_its_other_capabilities_want_it_afterwards(tmp_path: Path) -> None:
    """Rules, virtual addresses and pfsync0 follow, in the very words in which this collection writes them."""
    first, second_one = pair(tmp_path)
    cluster(first, second_one)
    second_one.machine.clock.advance(60)
    host = Host(second_one.machine)
    try:
        node = ShellNode(host)
        wanted = [lagg(name="trunk%d" % number, members=["em%d" % number], primary=None, vlans=[], moves=[move("em%d" % number, "trunk%d" % number)])
                  for number in range(3)]
        done = whole(node, *wanted)
        assert done[-1]["confirmed"] == ["trunk0", "trunk1", "trunk2"]
        assert node.wait_for(lambda: demotion(node) == 0 and {one.state for one in ifconfig.running(node)} == {"standby"}, LONG)
        addresses = [instance("lan_10_ipv4", "trunk0", 10, 100, "192.0.2.1/24"), instance("wan_20_ipv4", "trunk2", 20, 100, "203.0.113.1/24")]
        provider, ran = OpenbsdProvider(node.again()), len(node.machine.commands)
        vrrp = [dict(row, interface=row["interface"].replace("em", "trunk")) for row in rule_options(1)["vrrp"]]
        assert provider.sync_rule(rule_options(1, interface="trunk1", vrrp=vrrp))["drift"] == []
        assert provider.state_sync(sync_options(1, interface="trunk1"))["drift"] == []
        assert provider.virtual_ip(address_options(1, *addresses))["drift"] == []
        assert node.machine.changes(ran) == [] and PASSWORD not in "%s %s %s" % (node.commands, node.diffs, done)
    finally:
        host.close()


# What must not be


@pytest.mark.parametrize(("more", "wanted", "told"), [
    ({"hostname.bridge0": "add em0\nadd em2\nup\n"}, {}, r"/etc/hostname\.bridge0:1 names em0, and cannot be moved along with it; take it off first"),
    ({"hostname.vxlan0": "parent em0 vnetid 7\n"}, {}, r"/etc/hostname\.vxlan0:1 names em0"),
    ({"hostname.em0": EM0 + "!route add 10.9.0.0/16 192.0.2.254\n"}, {}, r"/etc/hostname\.em0:6: this line is a command.*put it into /etc/rc\.local"),
    ({"hostname.em0": EM0 + "inet autoconf\n"}, {}, r"/etc/hostname\.em0:6: this line lets a server or router lend an address"),
    ({"hostname.em0": "rdomain 1\n" + EM0}, {}, r"/etc/hostname\.em0:1: this line puts the device into another routing domain"),
    ({"hostname.em0": EM0 + "nwid office\n"}, {}, r"/etc/hostname\.em0:6: nobody knows whether nwid belongs to the port or to the LAGG"),
    ({"hostname.vlan10": "vnetid 10 parent em0\ninet 198.51.100.34 255.255.255.224\n!true\n"}, {}, r"/etc/hostname\.vlan10:3: this line is a command"),
    ({"mygate": "192.0.2.254\nfe80::1%em0\n"}, {}, r"/etc/mygate has fe80::1%em0, on a device that is another one afterwards"),
    ({"hostname.em3": "group free\nup\n"}, {}, r"the member em3 is configured in /etc/hostname\.em3; free it first"),
    ({}, {"members": ["em0", "em2"]}, r"the member em2 has 203\.0\.113\.2/24, which it would lose"),
    ({}, {"members": ["em0", "emO"]}, r"the member emO is no device of this node, which has: em0, em1, em2, em3"),
    ({}, {"members": ["em0", "vlan10"]}, r"the member vlan10 is a vlan"),
    ({}, {"members": ["em0", "em3", "em3"]}, r"the member em3 is named twice"),
    ({}, {"min_links": 2}, r"min_links cannot be set on OpenBSD"),
    ({}, {"hash": "l2"}, r"hash cannot be set on OpenBSD"),
    ({}, {"primary": "em2"}, r"the primary em2 is no member"),
    ({}, {"name": "lagg0", "vlans": []}, r"a LAGG is called aggr or trunk, and a number, on OpenBSD"),
    ({}, {"name": "aggr0", "vlans": []}, r"aggr0: aggr\(4\) has LACP only"),
    ({}, {"vlans": [{"name": "vlan10", "id": 10}, {"name": "vlan20", "id": 20}]}, r"VLAN 20 \(vlan20\) has no file on this node"),
    ({}, {"moves": [move("em2", "trunk0")], "vlans": []}, r"em2 is to be moved onto it and is neither one of its members nor a LAGG"),
])
def test_what_cannot_be_is_refused_before_anything_is_touched(booted: Callable[..., ShellNode], more: dict[str, str], wanted: dict[str, Any],
                                                              told: str) -> None:
    node = booted()
    for name, text in more.items():  # written since the node has started
        node.machine.put("/etc/" + name, text, 0o640)
    before, ran = everything(node), len(node.machine.commands)
    for check_mode in (True, False):
        with pytest.raises(NodeError, match=told + r".*nothing was touched"):
            call(node.again(check_mode=check_mode), lagg(**wanted))
    assert everything(node) == before and clean(node) and node.machine.changes(ran) == []


@pytest.mark.parametrize(("command", "told"), [
    (["ifconfig", "em0", "inet", "alias", "192.0.2.50", "netmask", "255.255.255.255"], r"em0 has 192\.0\.2\.50/32 now, but /etc/hostname\.em0 does not say so"),
    (["ifconfig", "vlan20", "create", "vnetid", "20", "parent", "em0"], r"vlan20 is VLAN 20 of em0 now, but /etc/hostname\.vlan20 does not say so"),
    (["ifconfig", "vlan30", "create", "vnetid", "30", "parent", "vlan10"], r"vlan10 is a VLAN that carries VLANs itself \(vlan30\)"),
    (["ifconfig", "em3", "mtu", "9000"], r"trunk0: its members have different MTUs \(1500, 9000\); state mtu"),
    (["ifconfig", "carp5", "vhid", "5", "carpdev", "em0"], r"carp5 lies on a device that is made anew, and there is no /etc/hostname\.carp5"),
    (None, r"the route to 10\.77/16 by 192\.0\.2\.253 on em0 is there now, but no file of netstart says so"),
])
def test_what_runs_and_would_be_lost_is_refused(booted: Callable[..., ShellNode], command: list[str] | None, told: str) -> None:
    node = booted()
    if command is None:
        route = "%-18s %-18s %-6s %5d %8d %5s %5d %s"
        node.machine.more_routes += [route % ("10.77/16", "192.0.2.253", "UGS", 0, 0, "-", 8, "em0"),
                                     route % ("10.78/16", "192.0.2.253", "UGS", 0, 0, "-", 32, "em0")]  # of a program that brings it back itself
    else:
        node.query(command)
    before = everything(node)
    with pytest.raises(NodeError, match=told):
        call(node, lagg())
    assert everything(node) == before and clean(node)


def test_what_else_names_a_device_is_told(booted: Callable[..., ShellNode]) -> None:
    node = booted({"rc.conf.local": "dhcpd_flags=em0\n"})
    assert call(node.again(check_mode=True), lagg())["warnings"] == [
        "/etc/rc.conf.local:1 goes on naming em0, which becomes a member of a LAGG or another device: see what it should name"]


def test_a_network_stack_is_none_of_openbsd(booted: Callable[..., ShellNode]) -> None:
    with pytest.raises(NodeError, match=r"stack: is networkd, and OpenBSD keeps its devices by hostname\.if files"):
        call(booted(), lagg(), stack="networkd")
