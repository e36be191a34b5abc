# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in's kernel makes LAGGs and VLANs, refuses what FreeBSD refuses, and shows them as the provider's parser reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import devices
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link, parse
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode


@pytest.fixture
def node(tmp_path: Path) -> PfsenseNode:
    return PfsenseNode(tmp_path / "node")


def ifconfig(node: PfsenseNode, *lines: str) -> str:
    """What the last of these printed."""
    text = ""
    for line in lines:
        text = node.query(["ifconfig", *line.split()]).stdout
    return text


def shown(node: PfsenseNode, name: str) -> Link:
    return parse(ifconfig(node, ""))[name]


def row(node: PfsenseNode, name: str) -> dict[str, Any]:
    return next(row for row in devices.rows(devices.links(node), {}, {}) if row["name"] == name)


def test_a_new_lagg_fails_over_and_has_nothing(node: PfsenseNode) -> None:
    assert ifconfig(node, "lagg create") == "lagg0\n" and ifconfig(node, "lagg create") == "lagg1\n" and ifconfig(node, "lagg7 create") == ""
    assert ifconfig(node, "-l") == "em0 em1 em2 lo0 lagg0 lagg1 lagg7 pfsync0\n"
    lagg = shown(node, "lagg0").lagg
    assert lagg and (lagg.protocol, lagg.hash, lagg.ports) == ("failover", "l2,l3,l4", ())
    assert (shown(node, "lagg0").mac, shown(node, "lagg0").status, shown(node, "lagg0").flags) == (None, "no carrier", ("BROADCAST", "SIMPLEX", "MULTICAST"))


def test_ports_are_in_the_kernels_order_but_the_first_one_is_the_master_and_lends_its_address(node: PfsenseNode) -> None:
    ifconfig(node, "lagg0 create laggport em2 laggport em1 up")
    lagg = row(node, "lagg0")["lagg"]
    assert (lagg["members"], lagg["primary"], lagg["active"]) == (["em1", "em2"], "em2", "em2")
    assert [shown(node, name).mac for name in ("lagg0", "em1", "em2")] == ["02:00:00:00:00:02"] * 3
    assert (shown(node, "em1").own_mac, row(node, "em1")["master"]) == ("02:00:00:00:00:01", "lagg0")
    ifconfig(node, "lagg0 -laggport em2")
    assert (row(node, "lagg0")["lagg"]["primary"], shown(node, "lagg0").mac, shown(node, "em2").mac) == ("em1", "02:00:00:00:00:01", "02:00:00:00:00:02")


@pytest.mark.parametrize(("carrier", "active", "status"), [
    ({}, "em1", "active"), ({"em1": False}, "em2", "active"), ({"em1": False, "em2": False}, None, "no carrier")])
def test_another_port_takes_over_when_the_master_has_no_carrier(node: PfsenseNode, carrier: dict[str, bool], active: str, status: str) -> None:
    node.kernel(carrier=carrier)
    ifconfig(node, "lagg0 create laggport em1 laggport em2 up")
    found = row(node, "lagg0")
    assert (found["lagg"]["primary"], found["lagg"]["active"], shown(node, "lagg0").status) == ("em1", active, status)
    assert row(node, "em1")["up"] is ("em1" not in carrier) and row(node, "lagg0")["up"] is (status == "active")


def test_a_port_that_is_down_carries_nothing(node: PfsenseNode) -> None:
    ifconfig(node, "lagg0 create laggproto loadbalance laggport em1 laggport em2 up", "em1 down")
    assert [port["active"] for port in row(node, "lagg0")["lagg"]["ports"]] == [False, True]


def test_lacp_aggregates_with_its_partner(node: PfsenseNode) -> None:
    ifconfig(node, "lagg0 create laggport em1 laggport em2 laggproto lacp lacp_fast_timeout lagghash l3,l2 up")
    found = row(node, "lagg0")
    lagg = found["lagg"]
    assert {key: lagg[key] for key in ("protocol", "hash", "lacp_rate", "partner")} == {
        "protocol": "lacp", "hash": "l2+l3", "lacp_rate": "fast", "partner": "02:00:00:00:00:aa"}
    assert [(port["collecting"], port["distributing"], port["aggregator"] == lagg["aggregator"]) for port in lagg["ports"]] == [(True, True, True)] * 2
    assert found["speed"] == 2000


def test_lacp_without_a_partner_is_shown_as_active_though_no_port_carries_traffic(node: PfsenseNode) -> None:
    node.kernel(lacp_partner=False)
    ifconfig(node, "lagg0 create laggport em1 laggproto lacp up")
    found = row(node, "lagg0")
    assert (found["up"], found["lagg"]["partner"], found["lagg"]["lacp_rate"], found["lagg"]["ports"][0]["active"]) == (True, None, "slow", False)
    assert "flags=0<>" in ifconfig(node, "lagg0") and "DEFAULTED" in ifconfig(node, "-v lagg0")


@pytest.mark.parametrize(("line", "said"), [
    ("em9 destroy", "interface em9 does not exist"), ("em1 destroy", "SIOCIFDESTROY: Invalid argument"), ("em9 create", "SIOCIFCREATE2: Invalid argument"),
    ("lagg0 create", "SIOCIFCREATE2: File exists"), ("lagg0 laggport em9", "lagg0 em9: SIOCSLAGGPORT: Invalid argument"),
    ("lagg1 laggport em1", "lagg1 em1: SIOCSLAGGPORT: Device busy"), ("lagg0 laggport lagg1", "lagg0 lagg1: SIOCSLAGGPORT: Invalid argument"),
    ("lagg0 -laggport em2", "SIOCSLAGGDELPORT: No such file or directory"), ("lagg0 -laggport em9", "SIOCSLAGGDELPORT: Invalid argument"),
    ("lagg0 laggproto bonding", "Invalid aggregation protocol: bonding"), ("lagg0 lagghash l5", "Invalid lagghash option: l5"),
    ("lagg0 lacp_fast_timeout", "SIOCSLAGGOPTS: Invalid argument"), ("em1 mtu 9000", "ioctl SIOCSIFMTU (set mtu): Invalid argument"),
    ("vlan0 vlan 10 vlandev em9", "SIOCSETVLAN: No such file or directory"), ("vlan0 vlan 4095 vlandev em2", "SIOCSETVLAN: Invalid argument"),
    ("vlan0 vlan 20 vlandev em2", "SIOCSETVLAN: File exists"), ("em2.20 vlan 30 vlandev em2", "SIOCSETVLAN: Device busy"),
    ("em2.20 mtu 1501", "ioctl SIOCSIFMTU (set mtu): Invalid argument"), ("vlan0 name em2.20", "ioctl SIOCSIFNAME (set name): File exists"),
    ("em0 polling", None), ("lagg0 mtu 9000", None), ("lagg0 lagg_use_flowid", None), ("em1 laggport em2", None)])
def test_what_freebsd_refuses_is_refused_and_what_was_not_seen_has_its_own_status(node: PfsenseNode, line: str, said: str) -> None:
    ifconfig(node, "lagg0 create laggport em1", "lagg1 create", "vlan0 create", "vlan1 create", "vlan1 name em2.20", "em2.20 vlan 20 vlandev em2")
    before = node.kernel()
    done = node.query(["ifconfig", *line.split()], ok=None)
    if said is None:
        assert done.status == 70, done
    else:
        assert (done.status, done.stderr) == (1, f"ifconfig: {said}\n")
        assert node.kernel() == before


def test_a_port_that_is_not_taken_does_not_stop_the_other_words_and_one_that_is_there_already_is_no_error(node: PfsenseNode) -> None:
    ifconfig(node, "lagg0 create laggport em1", "lagg0 laggport em1")
    done = node.query(["ifconfig", "lagg0", "laggport", "em9", "laggport", "em2", "up"], ok=None)
    assert (done.status, row(node, "lagg0")["lagg"]["members"], row(node, "lagg0")["up"]) == (1, ["em1", "em2"], True)


def test_a_port_with_another_mtu_was_not_seen(node: PfsenseNode) -> None:
    ifconfig(node, "em1 mtu 9000", "lagg0 create laggport em1")
    assert shown(node, "lagg0").mtu == 9000
    assert node.query(["ifconfig", "lagg0", "laggport", "em2"], ok=None).status == 70


def test_what_goes_with_a_lagg_that_is_destroyed(node: PfsenseNode) -> None:
    ifconfig(node, "lagg0 create laggport em1 up", "lagg0 inet 192.0.2.2/24 alias", "lagg0 vhid 10 advskew 0", "lagg0 192.0.2.1/24 alias vhid 10",
             "vlan create", "vlan0 name lagg0.10", "lagg0.10 vlan 10 vlandev lagg0 vlanpcp 3 up", "lagg0.10 inet 192.0.2.130/28 alias",
             "pfsync0 syncdev lagg0 up")
    assert (shown(node, "lagg0.10").vlan, shown(node, "lagg0.10").mac, shown(node, "lagg0.10").status) == ((10, "lagg0"), "02:00:00:00:00:01", "active")
    assert shown(node, "lagg0.10").groups == ("vlan",) and "vlanpcp: 3 " in ifconfig(node, "lagg0.10")
    ifconfig(node, "lagg0 destroy", "lagg0 create")
    lagg, vlan = shown(node, "lagg0"), shown(node, "lagg0.10")
    assert (lagg.addresses, node.kernel("interfaces")["lagg0"]["carp"], node.kernel("pfsync")["syncdev"], row(node, "em1")["master"]) == ((), {}, None, None)
    # The VLAN stays, with its address, on nothing.
    assert (vlan.vlan, vlan.status, [address.text for address in vlan.addresses]) == (None, None, ["192.0.2.130/28"])
    assert "vlan: 0 " in ifconfig(node, "lagg0.10") and "parent interface: <none>" in ifconfig(node, "lagg0.10")


def test_a_vlan_follows_its_parent(node: PfsenseNode) -> None:
    assert ifconfig(node, "em1 mtu 9000", "vlan create") == "vlan0\n"
    assert ifconfig(node, "vlan0 name em1.10") == "em1.10\n"
    ifconfig(node, "em1.10 vlan 10 vlandev em1 up", "em1.10 description GUESTS")
    node.kernel(carrier={"em1": False})
    found = shown(node, "em1.10")
    assert (found.mtu, found.status, row(node, "em1.10")["kind"], row(node, "em1.10")["up"]) == (9000, "no carrier", "vlan", False)
    assert "\tdescription: GUESTS\n" in ifconfig(node, "em1.10")
    ifconfig(node, "em1.10 destroy")
    assert "em1.10" not in ifconfig(node, "-l")


def test_a_bare_delete_takes_the_first_address(node: PfsenseNode) -> None:
    ifconfig(node, "em1 inet 192.0.2.77/32 alias", "em1 inet6 2001:db8::2 prefixlen 64", "em1 delete")
    assert [address.text for address in shown(node, "em1").addresses] == ["192.0.2.77/32", "2001:db8::2/64"]
    ifconfig(node, "em1 delete")
    assert node.query(["ifconfig", "em1", "delete"], ok=None).status == 1


@pytest.mark.parametrize(("skew", "demotion", "peer", "state"), [
    (0, 0, 100, "MASTER"), (0, 240, 100, "BACKUP"), (0, 50, 100, "MASTER"), (0, 240, None, "MASTER"), (100, 240, 240, "BACKUP")])
def test_a_demoted_node_has_a_worse_skew_but_never_above_240(node: PfsenseNode, skew: int, demotion: int, peer: int, state: str) -> None:
    ifconfig(node, f"em1 vhid 10 advskew {skew}", "em1 192.0.2.1/24 alias vhid 10")
    node.query(["sysctl", f"net.inet.carp.demotion={demotion}"])
    node.kernel(carp_peer_advskew=peer)
    assert f"carp: {state} vhid 10" in ifconfig(node, "em1")
    node.kernel(carrier={"em1": False})
    assert "carp: INIT vhid 10" in ifconfig(node, "em1")


def test_only_what_changes_is_in_the_journal(node: PfsenseNode) -> None:
    ifconfig(node, "lagg0 create", "-l", "", "-v", "lagg0", "-v lagg0", "lagg0 laggproto lacp")
    assert node.journal("command") == ["ifconfig lagg0 create", "ifconfig lagg0 laggproto lacp"]
