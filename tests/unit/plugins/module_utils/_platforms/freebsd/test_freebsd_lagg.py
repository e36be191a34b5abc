# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs on FreeBSD: what is predicted happens, a second run is silent, and what cannot be is refused before anything is touched."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.lagg_guard import Guard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.lagg_cases import (
    BLOCK,
    LONG,
    NETIF,
    PF_CONF,
    RC_CONF,
    as_it_runs,
    call,
    carp_pair,
    clean,
    everything,
    rows,
    second,
    whole,
    with_block,
)
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.shell_node import ShellNode
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_options import lagg, move, plain

WAN = lagg(members=["em0"])


def test_an_interface_goes_onto_a_lagg_with_all_that_is_on_it_as_predicted_and_stays_there(booted: Callable[..., ShellNode]) -> None:
    node = booted(pf_conf=PF_CONF, more='pf_enable="YES"\n')
    before, predicted, ran = everything(node), node.again(check_mode=True), len(node.machine.commands)
    [told] = whole(predicted, lagg())
    assert everything(node) == before and clean(node) and node.machine.changes(ran) == []
    done = whole(node, lagg())
    assert [result["next"] for result in done] == ["wait", "confirm", None] and done[2]["confirmed"] == ["lagg0"]
    assert (told["drift"], told["warnings"], predicted.commands, predicted.diffs) == (done[0]["drift"], [], node.commands, node.diffs) != ([], [], [], [])
    found = rows(node)
    assert (found["lagg0"]["lagg"]["members"], found["lagg0"]["lagg"]["primary"]) == (["em0", "em3"], "em0")
    assert found["lagg0"]["addresses"] == ["192.0.2.2/24", "192.0.2.9/32"]
    assert (found["lagg0.10"]["vlan"], found["lagg0.10"]["addresses"]) == ({"id": 10, "parent": "lagg0"}, ["198.51.100.34/27"])
    assert "em0.10" not in found and (found["em0"]["addresses"], found["em0"]["master"]) == ([], "lagg0")
    assert [(route.destination, route.device) for route in sorted(node.machine.routes.entries)] == [("10.9.0.0/16", "lagg0"), ("default", "em2")]
    assert node.machine.interfaces["lagg0"].description == "LAN"
    rules = node.query(["pfctl", "-sr"]).stdout
    assert "pass in on lagg0" in rules and "em0" not in rules
    assert node.read_text("/etc/pf.conf") == PF_CONF.replace("em0", "lagg0")
    assert clean(node)
    # The machine starts again as it was left, and a second run does nothing.
    ran_so = as_it_runs(node)
    node.boot()
    assert as_it_runs(node) == ran_so
    second(node)


@pytest.mark.parametrize("path, line", [("/etc/rc.conf.d/pf", "pf_rules=/usr/local/etc/pf.conf"), ("/etc/rc.conf.d/pfsync", "pfsync_syncdev=em0")])
def test_what_is_named_where_sysrc_does_not_look_is_no_surprise_after_the_change(booted: Callable[..., ShellNode], path: str, line: str) -> None:
    node = booted(pf_conf=PF_CONF, more='pf_enable="YES"\n')
    node.machine.put(path, line + "\n")
    before = everything(node)
    with pytest.raises(NodeError, match="%s:1 sets pf" % path):
        call(node, lagg())
    assert everything(node) == before and clean(node)


@pytest.mark.parametrize("settings", [
    {"protocol": "lacp", "primary": None, "hash": "l3+l4", "lacp_rate": "fast", "mtu": 1400}, {"protocol": "loadbalance", "primary": None, "hash": "l2"},
    {"protocol": "roundrobin", "primary": None}, {"protocol": "broadcast", "primary": None}, {"protocol": "none", "primary": None},
    {"protocol": "failover", "primary": "em3"},
])
def test_the_settings_of_a_lagg_change_and_what_is_on_it_stays(booted: Callable[..., ShellNode], settings: dict[str, Any]) -> None:
    node = booted()
    if settings["protocol"] == "none":
        settings = dict(settings, consent=True)
    whole(node, lagg(**settings))
    second(node, **settings)
    before = rows(node)
    assert before["lagg0"]["lagg"]["protocol"] == settings["protocol"] and before["lagg0"]["mtu"] == settings.get("mtu", 1500)
    assert before["lagg0"]["lagg"]["lacp_rate"] == settings.get("lacp_rate")
    assert before["lagg0"]["lagg"]["primary"] == (settings["primary"] if settings["protocol"] == "failover" else None)
    whole(node.again(), lagg(moves=[], members=["em0"]))
    after = rows(node)
    assert (after["lagg0"]["lagg"]["protocol"], after["lagg0"]["lagg"]["members"]) == ("failover", ["em0"])
    assert [after[name]["addresses"] for name in ("lagg0", "lagg0.10")] == [before[name]["addresses"] for name in ("lagg0", "lagg0.10")]
    assert "lagghash" not in str(node.read_text("/etc/rc.conf")) and "lacp" not in str(node.read_text("/etc/rc.conf"))


SYNC = 'pfsync_enable="YES"\npfsync_syncdev="em2"\npf_enable="YES"\n'


def test_several_laggs_are_one_change_and_pfsync_follows(booted: Callable[..., ShellNode]) -> None:
    node = booted(SYNC, pf_conf="pass all\n")
    wanted = [lagg(members=["em0"]), plain(name="lagg1", members=["em2"], primary="em2", moves=[move("em2", "lagg1")])]
    predicted = node.again(check_mode=True)
    [told] = whole(predicted, *wanted)
    done = whole(node, *wanted)
    assert (told["drift"], predicted.commands) == (done[0]["drift"], node.commands)
    assert [item["confirmed"] for item in done] == [[], [], ["lagg0", "lagg1"]]
    assert pfsync.running(node).device == "lagg1"
    assert {route.destination: route.device for route in node.machine.routes.entries} == {"default": "lagg1", "10.9.0.0/16": "lagg0"}
    ran = as_it_runs(node)
    node.boot()
    assert as_it_runs(node) == ran


def test_a_lagg_gets_another_name(booted: Callable[..., ShellNode]) -> None:
    node = booted()
    whole(node, lagg(name="lagg7", vlans=[{"name": "lagg7.10", "id": 10}], moves=[move("em0", "lagg7"), move("em0.10", "lagg7.10", 10)]))
    before = rows(node)
    whole(node.again(), lagg(moves=[move("lagg7", "lagg0"), move("lagg7.10", "lagg0.10", 10)]))
    after = rows(node)
    assert {"lagg7", "lagg7.10"} & set(after) == set() and "lagg7" not in str(node.read_text("/etc/rc.conf"))
    assert [after["lagg0" + end]["addresses"] for end in ("", ".10")] == [before["lagg7" + end]["addresses"] for end in ("", ".10")]
    second(node)


def test_an_address_that_is_lent_is_asked_for_again(booted: Callable[..., ShellNode]) -> None:
    leased = RC_CONF.replace("inet 192.0.2.2/24", "DHCP").replace('ifconfig_em0_alias0="inet 192.0.2.9/32"\n', "")
    node = booted(rc_conf=leased)
    node.machine.leases.lent["lan"] = "192.0.2.77/24"
    node.boot()
    before = everything(node)
    assert rows(node)["em0"]["addresses"] == ["192.0.2.77/24"]
    whole(node, lagg())
    assert rows(node)["lagg0"]["addresses"] == ["192.0.2.77/24"] and node.machine.leases.clients == {"lagg0"}
    second(node)
    again = booted(rc_conf=leased)
    again.machine.leases.lent["lan"] = "192.0.2.77/24"
    again.boot()
    call(again, lagg(), rollback_timeout=1)
    assert again.wait_for(Guard(again).has_put_back, LONG)
    assert everything(again) == before


# Handing over


def test_a_standby_moves_with_its_virtual_addresses_and_no_password_is_told(booted: Callable[..., ShellNode]) -> None:
    node = carp_pair(booted, True, 200)
    before = [item._replace(device="lagg0") for item in carp.running(node)]
    done = whole(node, WAN)
    assert carp.running(node) == before
    assert not [command for command in node.commands if "demotion" in command]
    assert "geheim" in str(node.read_text("/etc/rc.conf"))
    assert "geheim" not in "%s %s %s" % (node.commands, node.diffs, done)


def test_a_virtual_address_in_a_file_of_its_own_moves_along_and_its_password_is_not_told(booted: Callable[..., ShellNode]) -> None:
    node = with_block(booted)
    predicted = node.again(check_mode=True)
    [told] = whole(predicted, WAN)
    done = whole(node, WAN)
    assert (told["drift"], predicted.commands, predicted.diffs) == (done[0]["drift"], node.commands, node.diffs)
    assert node.read_text(NETIF) == BLOCK.replace("em0", "lagg0") and node.machine.path(NETIF).stat().st_mode & 0o777 == 0o600
    assert [(item.device, item.addresses) for item in carp.running(node)] == [("lagg0", ("192.0.2.1",))]
    assert "geheim" not in "%s %s %s" % (node.commands, node.diffs, done)
    second(node, members=["em0"])


# What must not be


@pytest.mark.parametrize(("more", "wanted", "told"), [
    ('ifconfig_bridge0="addm em0 addm em2"\n', {}, r"bridge: rc\.conf: ifconfig_bridge0 \(em0\).*take it off first"),
    ('ifconfig_vxlan0="vxlanid 7 vxlanlocal 192.0.2.2 vxlandev em0"\n', {}, r"tunnel: rc\.conf: ifconfig_vxlan0"),
    ('ifconfig_em0_name="lan0"\n', {}, r"em0 is called lan0 from the next start on \(ifconfig_em0_name\), and cannot be carried over"),
    ('ifconfig_em3_alias0="inet 10.0.0.1/24"\n', {}, r"the member em3 is configured in rc\.conf \(ifconfig_em3_alias0\); free it first"),
    ("", {"members": ["em0", "em2"]}, r"the member em2 has 203\.0\.113\.2/24, which it would lose"),
    ("", {"members": ["em0", "emO"]}, r"the member emO is no device of this node, which has: em0, em1, em2, em3"),
    ("", {"members": ["em0", "em0.10"]}, r"the member em0\.10 is a vlan"),
    ("", {"members": ["em0", "em3", "em3"]}, r"the member em3 is named twice"),
    ("", {"min_links": 2}, r"min_links cannot be set on FreeBSD"),
    ("", {"hash": "l2"}, r"hash has no meaning with failover"),
    ("", {"primary": "em2"}, r"the primary em2 is no member"),
    ("", {"name": "bond1", "moves": [move("em0", "bond1")], "vlans": []}, r"a LAGG is called lagg and a number on FreeBSD"),
    ("", {"vlans": [{"name": "lagg0.10", "id": 10}, {"name": "lagg0.20", "id": 20}]}, r"VLAN 20 \(lagg0\.20\) is not in rc\.conf of this node"),
    ("", {"moves": [move("em2", "lagg0")], "vlans": []}, r"em2 is to be moved onto it and is neither one of its members nor a LAGG"),
])
def test_what_cannot_be_is_refused_before_anything_is_touched(booted: Callable[..., ShellNode], more: str, wanted: dict[str, Any], told: str) -> None:
    node = booted(more)
    if "name=" in more:
        node.machine.put("/etc/rc.conf", RC_CONF)
        node.boot()
        node.machine.put("/etc/rc.conf", RC_CONF + more)
    before, ran = everything(node), len(node.machine.commands)
    for check_mode in (True, False):
        with pytest.raises(NodeError, match=told + r".*nothing was touched"):
            call(node.again(check_mode=check_mode), lagg(**wanted))
    assert everything(node) == before and clean(node) and node.machine.changes(ran) == []


@pytest.mark.parametrize(("command", "told"), [
    (["ifconfig", "em0", "inet", "192.0.2.50/32", "alias"], r"em0 has 192\.0\.2\.50/32 now, but rc\.conf does not say so"),
    (["ifconfig", "em0.20", "create"], r"em0\.20 is VLAN 20 of em0 now, but rc\.conf does not say so"),
    (["ifconfig", "vlan30", "create", "vlan", "30", "vlandev", "em0.10"], r"em0\.10 is a VLAN that carries VLANs itself \(vlan30\)"),
    (["ifconfig", "em3", "mtu", "9000"], r"lagg0: its members have different MTUs \(1500, 9000\); state mtu"),
    (None, r"the route to 10\.77\.0\.0/16 by 192\.0\.2\.253 on em0 is there now, but rc\.conf does not say so"),
])
def test_what_runs_and_would_be_lost_is_refused(booted: Callable[..., ShellNode], command: list[str] | None, told: str) -> None:
    node = booted()
    if command is None:
        node.machine.routes.add("10.77.0.0/16", "192.0.2.253")
        node.machine.routes.add("10.78.0.0/16", "192.0.2.253", "UG1")  # of a program that brings it back itself
    else:
        node.query(command)
    before = everything(node)
    with pytest.raises(NodeError, match=told):
        call(node, lagg())
    assert everything(node) == before and clean(node)


@pytest.mark.parametrize(("path", "text", "told"), [
    ("/etc/start_if.em0", "ifconfig em0 up\n", r"/etc/start_if\.em0 is run for a device that is moved"),
    ("/etc/rc.conf.d/netif", 'ifconfig_lagg0="em0"\n', r"variable: /etc/rc\.conf\.d/netif:1 \(em0\)"),
    ("/etc/rc.conf.d/network", 'ifconfig_em0="DHCP"\n', r"/etc/rc\.conf\.d/network has ifconfig_em0, which cannot be carried over from there"),
    ("/etc/jail.conf", "www { vnet.interface = em0.10; }\n", r"jail: /etc/jail\.conf:1 \(em0\.10\)"),
])
def test_other_files_that_would_be_wrong_are_refused(booted: Callable[..., ShellNode], path: str, text: str, told: str) -> None:
    node = booted()
    node.machine.put(path, text)
    with pytest.raises(NodeError, match=told):
        call(node, lagg())
    assert clean(node)


def test_what_else_names_a_device_is_told(booted: Callable[..., ShellNode]) -> None:
    node = booted('dhcpd_ifaces="em0"\n')
    node.machine.put("/usr/local/etc/dnsmasq.conf", "# em0\ninterface=em0\n")
    assert call(node.again(check_mode=True), lagg())["warnings"] == [
        "%s goes on naming em0, which becomes a member of a LAGG or another device: see what it should name" % where
        for where in ("/usr/local/etc/dnsmasq.conf:2", "rc.conf: dhcpd_ifaces")]


def test_a_network_stack_is_none_of_freebsd(booted: Callable[..., ShellNode]) -> None:
    with pytest.raises(NodeError, match=r"stack: is networkd, and FreeBSD keeps its devices by rc\.conf"):
        call(booted(), lagg(), stack="networkd")
