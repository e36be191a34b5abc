# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a LAGG on pfSense changes, in which order, forth and back, what it must not be, and what must be there afterwards. Pure."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Kept, trouble
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import lagg_refuse
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.lagg_steps import Configured, Work, compare
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.operations import undone
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import parse
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_options import lagg, move, plain

RELOAD, MONITOR, SET_UP = ("filter_configure_sync", None), ("setup_gateways_monitor", None), ("interfaces_sync_setup", None)
VLAN = {"if": "em0", "tag": "10", "pcp": "", "descr": "DMZ", "vlanif": "em0.10"}
MADE = {"members": "em0,em3", "descr": "", "laggif": "lagg0", "proto": "failover", "failovermaster": "em0"}


def now(**changes: Any) -> Configured:
    interfaces = {"wan": {"if": "em0", "enable": ""}, "lan": {"if": "em1", "enable": "", "descr": "LAN"}, "opt1": {"if": "em2", "enable": ""},
                  "opt2": {"if": "em0.10", "enable": ""}}
    return Configured([], [VLAN], interfaces, {}, "opt1")._replace(**changes)


def onto(**changes: Any) -> Configured:
    """All of it is on lagg0 already."""
    found = now(laggs=[MADE], vlans=[dict(VLAN, **{"if": "lagg0", "vlanif": "lagg0.10"})])
    found.interfaces["wan"]["if"], found.interfaces["opt2"]["if"] = "lagg0", "lagg0.10"
    return found._replace(**changes)


def port(name: str, *addresses: str, **changes: Any) -> dict[str, Any]:
    return dict({"name": name, "kind": "port", "addresses": list(addresses), "leased": [], "lagg": None, "vlan": None, "up": True, "mtu": 1500}, **changes)


def links(*rows: dict[str, Any]) -> dict[str, Any]:
    own = [port("em0", "203.0.113.2/24", "fe80::1/64"), port("em1", "192.0.2.2/24"), port("em2", "198.51.100.129/28"), port("em3"),
           port("em0.10", "198.51.100.2/27", kind="vlan", vlan={"id": 10, "parent": "em0"}), *rows]
    return {row["name"]: row for row in own}


def as_lagg(*members: str, **changes: Any) -> dict[str, Any]:
    found = {"protocol": "failover", "members": list(members), "hash": None, "lacp_rate": None, "primary": members[0],
             "ports": [{"name": member, "up": True} for member in members]}
    return port("lagg0", "203.0.113.2/24", kind="lagg", lagg=dict(found, **changes))


ONTO = links(as_lagg("em0", "em3"), port("lagg0.10", "198.51.100.2/27", kind="vlan", vlan={"id": 10, "parent": "lagg0"}))


def settings(work: Work) -> list[tuple[str, Any, Any]]:
    return [(item["setting"], item["is"], item["wanted"]) for item in work.drift]


def test_an_interface_goes_onto_a_new_lagg_with_its_vlan_in_the_order_of_the_products_pages() -> None:
    work = compare([lagg()], now(), links())
    assert settings(work) == [("lagg0", "absent", "failover of em0, em3"), ("em0.10", "VLAN 10 of em0", "VLAN 10 of lagg0, lagg0.10"),
                              ("wan", "em0", "lagg0"), ("opt2", "em0.10", "lagg0.10")]
    assert work.apply == [
        ("interface_bring_down", {"interface": "opt2", "if": "em0.10"}), ("pfSense_interface_destroy", "em0.10"),
        ("interface_bring_down", {"interface": "wan", "if": "em0"}), ("interface_lagg_configure", "lagg0"), ("interface_configure", "wan"),
        ("interface_vlan_configure", {"vlanif": "lagg0.10", "tag": "10"}), RELOAD, MONITOR]
    assert work.back == [
        ("interface_bring_down", {"interface": "opt2", "if": "lagg0.10"}), ("pfSense_interface_destroy", "lagg0.10"),
        ("interface_bring_down", {"interface": "wan", "if": "lagg0"}), ("pfSense_interface_destroy", "lagg0"), ("interface_configure", "wan"),
        ("interface_vlan_configure", {"vlanif": "em0.10", "tag": "10"}), RELOAD, MONITOR]
    assert work.operations[0].value == dict(MADE, descr="hafirewall.cluster lagg0")
    assert work.touched == {"lagg0": {"em0", "em3", "em0.10", "lagg0", "lagg0.10"}}
    assert work.kept == Kept({"lagg0": ["203.0.113.2/24"], "lagg0.10": ["198.51.100.2/27"]}, [], ["lagg0", "lagg0.10"], None)


def test_each_step_of_a_vlan_names_it_by_what_the_step_leaves_alone() -> None:
    operations = [operation for operation in compare([lagg()], now(), links()).operations if operation.path[0] == "vlans"]
    assert [(operation.path[2:], operation.value) for operation in operations] == [
        (({"if": "em0", "tag": "10"}, "vlanif"), "lagg0.10"), (({"vlanif": "lagg0.10", "tag": "10"}, "if"), "lagg0")]
    assert [(operation.path[2:], operation.value) for operation in undone(operations)] == [
        (({"vlanif": "lagg0.10", "tag": "10"}, "if"), "em0"), (({"if": "em0", "tag": "10"}, "vlanif"), "em0.10")]


def test_what_is_as_wanted_is_left_alone_also_after_the_devices_have_moved() -> None:
    for wanted in (lagg(), lagg(moves=[])):
        assert compare([wanted], onto(), ONTO) == Work([], [], [], [], [], {}, Kept({}, [], [], None))


def test_the_order_of_members_counts_only_where_it_makes_the_master() -> None:
    unstated = {name: value for name, value in MADE.items() if name != "failovermaster"}
    for element in (dict(MADE, members="em3,em0"), dict(MADE, failovermaster="auto"), unstated):
        assert compare([lagg(moves=[])], onto(laggs=[element]), ONTO).drift == []
    for element in (dict(MADE, failovermaster="em3"), dict(unstated, members="em3,em0"), dict(MADE, failovermaster="auto", members="em3,em0")):
        assert settings(compare([lagg(moves=[])], onto(laggs=[element]), ONTO)) == [("lagg0.failovermaster", element.get("failovermaster"), "em0")]


@pytest.mark.parametrize(("changes", "fields"), [
    ({"protocol": "lacp", "primary": None, "lacp_rate": "fast", "hash": "l3+l4"},
     {"members": "em0,em3", "proto": "lacp", "lacptimeout": "fast", "lagghash": "l3,l4"}),
    ({"protocol": "lacp", "primary": None}, {"members": "em0,em3", "proto": "lacp"}),
    ({"protocol": "loadbalance", "primary": None, "hash": "l2", "lacp_rate": "fast"}, {"members": "em0,em3", "proto": "loadbalance", "lagghash": "l2"}),
    ({"protocol": "roundrobin", "primary": None, "hash": "l2"}, {"members": "em0,em3", "proto": "roundrobin"}),
    ({"protocol": "none", "primary": None}, {"members": "em0,em3", "proto": "none"}),
    ({"members": ["em3", "em0"], "primary": None}, {"members": "em3,em0", "proto": "failover", "failovermaster": "em3"}),
])
def test_each_protocol_has_its_keys(changes: dict[str, Any], fields: dict[str, str]) -> None:
    element = compare([lagg(**changes)], now(), links()).operations[0].value
    assert {name: value for name, value in element.items() if name not in ("descr", "laggif")} == fields


def test_another_protocol_takes_the_keys_of_the_old_one_away() -> None:
    work = compare([lagg(moves=[], protocol="lacp", primary=None, lacp_rate="slow")], onto(), ONTO)
    # Slow is what the product takes where nothing is stated.
    assert settings(work) == [("lagg0.failovermaster", "em0", None), ("lagg0.proto", "failover", "lacp")]
    [operation] = work.operations
    assert operation.value == {"members": "em0,em3", "descr": "", "laggif": "lagg0", "proto": "lacp"} and operation.inverse().value == MADE
    assert work.apply[:6] == [
        ("interface_bring_down", {"interface": "opt2", "if": "lagg0.10"}), ("pfSense_interface_destroy", "lagg0.10"),
        ("interface_bring_down", {"interface": "wan", "if": "lagg0"}), ("interface_lagg_configure", "lagg0"), ("interface_configure", "wan"),
        ("interface_vlan_configure", {"vlanif": "lagg0.10", "tag": "10"})]
    assert work.back == work.apply


def test_a_lagg_of_another_name_is_taken_apart_and_comes_back_where_it_was() -> None:
    other = dict(MADE, laggif="lagg3", members="em0")
    last = dict(MADE, laggif="lagg9", members="em9")
    was = now(laggs=[other, last], vlans=[])
    was.interfaces["wan"]["if"] = "lagg3"
    work = compare([plain(moves=[move("lagg3", "lagg0")])], was, links(port("lagg3", "203.0.113.2/24", kind="lagg")))
    assert work.apply == [("interface_bring_down", {"interface": "wan", "if": "lagg3"}), ("pfSense_interface_destroy", "lagg3"),
                          ("interface_lagg_configure", "lagg0"), ("interface_configure", "wan"), RELOAD, MONITOR]
    assert work.back == [("interface_bring_down", {"interface": "wan", "if": "lagg0"}), ("pfSense_interface_destroy", "lagg0"),
                         ("interface_lagg_configure", "lagg3"), ("interface_configure", "wan"), RELOAD, MONITOR]
    put_back = undone(work.operations)[-1]
    assert (put_back.op, put_back.value, put_back.before) == ("insert", other, {"laggif": "lagg9"})


def test_pfsync_is_set_up_again_where_its_interface_moves_and_only_there() -> None:
    sync = plain(name="lagg1", members=["em2"], primary="em2", moves=[move("em2", "lagg1")])
    assert SET_UP not in compare([lagg()], now(), links()).apply
    work = compare([lagg(), sync], now(), links())
    assert work.apply[-3:] == work.back[-3:] == [RELOAD, MONITOR, SET_UP]
    assert (work.kept.sync, work.laggs) == ("lagg1", ["lagg0", "lagg1"])
    assert compare([sync], now(sync=None), links()).kept.sync is None
    assert SET_UP not in compare([sync], now(sync=None), links()).apply


def test_an_mtu_is_a_setting_of_the_interface_on_the_lagg() -> None:
    work = compare([lagg(mtu=9000)], now(), links())
    assert ("wan.mtu", None, "9000") in settings(work)
    assert [operation.value for operation in work.operations if operation.path == ("interfaces", "wan", "mtu")] == ["9000"]


def test_what_the_product_takes_anyway_needs_no_change() -> None:
    element = {"members": "em0,em3", "descr": "", "laggif": "lagg0", "proto": "lacp"}
    wanted = lagg(moves=[], protocol="lacp", primary=None, lacp_rate="slow", hash="l2+l3+l4")
    assert compare([wanted], onto(laggs=[element]), dict(ONTO, lagg0=as_lagg("em0", "em3", protocol="lacp", lacp_rate="slow", hash="l2+l3+l4"))).drift == []
    assert settings(compare([dict(wanted, lacp_rate="fast")], onto(laggs=[element]), ONTO)) == [("lagg0.lacptimeout", None, "fast")]


def test_an_mtu_that_the_product_would_not_take_is_refused() -> None:
    without = now()
    del without.interfaces["wan"]
    with pytest.raises(NodeError, match="lagg0: mtu: the product takes it from the interface that is assigned to the LAGG, and none is; assign one"):
        compare([lagg(mtu=9000)], without, links())
    larger = now()
    larger.interfaces["opt2"]["mtu"] = "9000"
    with pytest.raises(NodeError, match="and opt2 on a VLAN of it has a larger one; lower that"):
        compare([lagg(mtu=1400)], larger, links())
    empty = now()
    empty.interfaces["wan"]["mtu"] = ""
    [operation] = [operation for operation in compare([lagg(mtu=9000)], empty, links()).operations if operation.path[-1] == "mtu"]
    assert operation.inverse().value == ""


def test_a_lagg_that_the_kernel_does_not_run_is_applied_without_another_change_of_the_configuration() -> None:
    work = compare([lagg(moves=[])], onto(), links(as_lagg("em0")))
    assert settings(work) == [("lagg0.members as running", ["em0"], ["em0", "em3"]), ("lagg0.10 as running", "absent", "VLAN 10 of lagg0")]
    assert (work.operations, ("interface_lagg_configure", "lagg0") in work.apply) == ([], True)
    assert settings(compare([lagg(moves=[])], onto(), links()))[0] == ("lagg0 as running", "absent", "failover of em0, em3")


def test_a_vlan_that_is_not_configured_is_named() -> None:
    with pytest.raises(NodeError, match=r"lagg0: VLAN 20 \(lagg0.20\) is not in the configuration of this node; add it in Interfaces, VLANs, on em0, first"):
        compare([lagg(vlans=[{"name": "lagg0.20", "id": 20}])], now(), links())


# What cannot be


def refused(*laggs: dict[str, Any], configured: Configured | None = None, release: str = "2.7.2-RELEASE") -> str:
    found = parse(release)
    assert found is not None
    with pytest.raises(NodeError) as caught:
        lagg_refuse.judge(laggs, configured or now(), links(), found)
    return str(caught.value)


@pytest.mark.parametrize(("changes", "words"), [
    ({"members": ["em0", "emO"]}, "lagg0: the member emO is no device of this node, which has: em0, em1, em2, em3"),
    ({"members": ["em0", "em1"]}, r"lagg0: the member em1 is assigned to lan \(LAN\); free it first"),
    ({"members": ["em0", "em0.10"]}, "lagg0: the member em0.10 is a vlan, which cannot be one"),
    ({"members": ["em0", "em0"]}, "lagg0: the member em0 is named twice"),
    ({"members": []}, "lagg0: it has no members"),
    ({"protocol": "broadcast"}, "lagg0: pfSense has no protocol broadcast; it has: lacp, failover, loadbalance, roundrobin, none"),
    ({"min_links": 1}, "lagg0: min_links cannot be set on pfSense"),
    ({"primary": "em9"}, "lagg0: the primary em9 is no member"),
    ({"moves": [move("em1", "lagg0")]}, "lagg0: em1 is to be moved onto it and is neither one of its members nor a LAGG"),
])
def test_what_cannot_be_is_refused_before_anything_is_touched(changes: dict[str, Any], words: str) -> None:
    import re
    told = refused(lagg(**changes))
    assert re.search(words, told) and told.endswith("; nothing was touched")


def test_all_of_it_is_told_at_once() -> None:
    told = refused(lagg(members=["em0", "em8"]), plain(name="lagg1", members=["em9"], primary="em9", moves=[]))
    assert "em8 is no device" in told and "em9 is no device" in told


def test_a_port_cannot_be_used_twice() -> None:
    assert "lagg1: the member em3 is named twice" in refused(lagg(), plain(name="lagg1", members=["em3"], primary="em3", moves=[]))
    assert "the member em3 is a member of lagg7" in refused(lagg(), configured=now(laggs=[dict(MADE, laggif="lagg7", members="em3")]))
    assert "the member em3 carries VLAN 30" in refused(lagg(), configured=now(vlans=[VLAN, dict(VLAN, **{"if": "em3", "tag": "30"})]))


def test_releases_before_the_hash_have_none() -> None:
    wanted = lagg(protocol="lacp", primary=None, hash="l2")
    assert "lagg0: hash cannot be set on pfSense 2.6.0; it came with 2.7.0" in refused(wanted, release="2.6.0-RELEASE")
    lagg_refuse.judge([wanted], now(), links(), parse("23.01-RELEASE") or pytest.fail("no release"))


def test_an_interface_of_a_bridge_or_without_wires_is_not_moved() -> None:
    assert "opt2 (em0.10) is a member of a bridge" in refused(lagg(), configured=now(bridged={"0": "lan,opt2"}))
    wireless = now()
    wireless.interfaces["wan"]["wireless"] = ""
    assert "wan (em0) is wireless" in refused(lagg(), configured=wireless)


def test_what_would_be_left_behind_is_refused_and_what_only_names_the_port_is_told() -> None:
    rows = [{"device": "em0", "kind": "package", "where": "config.xml: installedpackages/softflowd/config/0/interface", "text": "interface names em0"}]
    assert lagg_refuse.referring(rows) == [
        "config.xml: installedpackages/softflowd/config/0/interface goes on naming em0, which becomes a member of a LAGG or another device: see what it "
        "should name"]
    with pytest.raises(NodeError, match=r"left behind or taken down: qinq: config.xml: qinqs/qinqentry/0/if \(em0\); ppp: .*\(em3\)"):
        lagg_refuse.referring([*rows, {"device": "em0", "kind": "qinq", "where": "config.xml: qinqs/qinqentry/0/if"},
                               {"device": "em3", "kind": "ppp", "where": "config.xml: ppps/ppp/0/ports"}])


# What must be there


def test_what_is_as_wanted_is_no_trouble() -> None:
    assert trouble([lagg()], ONTO, "em2", Kept({"lagg0": ["203.0.113.2/24"]}, [], [], None)) == []


@pytest.mark.parametrize(("rows", "kept", "told"), [
    (links(), Kept({}, [], [], None), "lagg0 is absent instead of failover of em0, em3"),
    (dict(ONTO, lagg0=as_lagg("em0")), Kept({}, [], [], None), "lagg0.members is ['em0'] instead of ['em0', 'em3']"),
    (dict(ONTO, lagg0=as_lagg("em0", "em3", protocol="lacp")), Kept({}, [], [], None), "lagg0.protocol is lacp instead of failover"),
    (dict(ONTO, lagg0=as_lagg("em0", "em3", primary="em3")), Kept({}, [], [], None), "lagg0.primary is em3 instead of em0"),
    (dict(ONTO, lagg0=dict(as_lagg("em0", "em3"), up=False)), Kept({}, [], [], None), "lagg0 has no carrier, although a member has"),
    (dict(ONTO, lagg0=dict(as_lagg("em0", "em3", ports=[]), up=False)), Kept({}, [], ["lagg0", "lagg0.10"], None), "lagg0 has no link, and had one before"),
    (ONTO, Kept({"lagg0": ["203.0.113.1/24"], "lagg0.10": ["198.51.100.2/27"]}, [], [], None), "lagg0 lacks 203.0.113.1/24"),
    (ONTO, Kept({}, ["lagg0"], [], None), "lagg0 was lent no address"),
    (ONTO, Kept({}, [], [], "lagg1"), "pfsync sends by em2 instead of lagg1"),
    (links(as_lagg("em0", "em3")), Kept({}, [], [], None), "lagg0.10 is absent instead of VLAN 10 of lagg0"),
])
def test_what_is_not_there_is_named(rows: dict[str, Any], kept: Kept, told: str) -> None:
    assert trouble([lagg()], rows, "em2", kept) == [told]
