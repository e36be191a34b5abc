# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs on a simulated node with each network stack: what is predicted happens, a second run is silent, and whatever goes wrong leads back."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import lagg_guard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_config import render
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SimulatedFile
from ansible_collections.hafirewall.cluster.tests.simulators.virtual_ip_options import instance, options
from stack_cases import STACKS, call, lagg, machine, move, whole

TIMER = lagg_guard.NAME + "bond1.timer"
every_stack = pytest.mark.parametrize("stack", list(STACKS))


@every_stack
def test_a_port_with_its_vlan_goes_onto_a_lagg_and_keeps_what_it_had(stack: str) -> None:
    node, network = machine(stack)
    stages = [result["next"] for result in whole(node, lagg())]
    assert stages == ["wait", "confirm", None]
    assert network.members("bond1") == ["eth1", "eth2"] and network.links["bond1"]["address"] == "02:00:00:00:01:01"
    assert network.addresses("bond1") == ["192.0.2.2/25", "2001:db8:1::2/64"]
    assert (network.addresses("bond1.10"), network.addresses("eth1"), network.addresses("eth0")) == (["198.51.100.2/25"], [], ["203.0.113.2/24"])
    assert network.links["bond1.10"]["link"] == "bond1" and "eth1.10" not in network.links
    assert network.routes == [{"dst": "default", "gateway": "192.0.2.1", "dev": "bond1", "protocol": "static"}]
    assert not node.units[TIMER].active and not node.units[TIMER].enabled


@every_stack
def test_kernel_and_files_agree_also_after_the_machine_has_started_again(stack: str) -> None:
    for changes in ({}, {"protocol": "lacp", "primary": None, "hash": "l3+l4", "lacp_rate": "fast", "min_links": 2, "mtu": 1400}, {"members": ["eth1"]}):
        node, network = machine(stack)
        whole(node, lagg(**changes))
        before = network.kernel()
        network.restart()
        assert network.kernel() == before
        assert call(node.again(), lagg(moves=[], **changes))["drift"] == []


@every_stack
def test_a_second_run_does_nothing_with_and_without_the_moves(stack: str) -> None:
    node, network = machine(stack)
    whole(node, lagg())
    for wanted in (lagg(), lagg(moves=[])):
        again, before = node.again(), (node.snapshot(), network.state())
        assert call(again, wanted) == {"drift": [], "validation": "not needed", "next": None, "confirmed": [], "put_back": []}
        assert (again.commands, again.diffs, (again.snapshot(), network.state())) == ([], [], before)


@every_stack
def test_check_mode_predicts_what_a_run_does_also_of_two_laggs(stack: str) -> None:
    wanted = [lagg(), lagg(name="bond2", members=["eth3"], primary="eth3", vlans=[], moves=[])]
    node, network = machine(stack)
    predicted, before = node.again(check_mode=True), (node.snapshot(), network.state())
    [result] = whole(predicted, *wanted)
    assert (node.snapshot(), network.state()) == before
    real = whole(node, *wanted)
    assert [stage["next"] for stage in real] == ["wait", "confirm", "wait", "confirm", None]
    assert result["drift"] == [item for one in real for item in one["drift"]] != []
    assert (network.members("bond1"), network.members("bond2")) == (["eth1", "eth2"], ["eth3"])
    if stack != "ifupdown":  # there the second edit is of the same file, which the first one has changed by then
        assert (predicted.commands, predicted.diffs) == (node.commands, node.diffs)


def test_a_call_that_had_to_wait_never_confirms() -> None:
    node, network = machine("networkd")
    call(node, lagg())
    for _time in range(3):
        assert call(node, lagg(), stage="wait")["next"] == "confirm"
        assert node.units[TIMER].active and node.units[TIMER].enabled
    assert call(node, lagg(), stage="confirm")["confirmed"] == ["bond1"]


def test_what_is_not_as_wanted_after_it_was_made_ends_the_run_and_is_not_made_for_ever() -> None:
    node, network = machine("networkd")
    call(node, lagg())
    assert call(node, lagg(), stage="wait")["next"] == "confirm"
    network.write("05-hafirewall-eth2.network", "[Match]\nName=eth2\n")
    with pytest.raises(NodeError, match="bond1 was made and can be reached, so it stays, but it still is not as wanted: .*05-hafirewall-eth2.network"):
        call(node, lagg(moves=[]), stage="confirm")


def test_the_next_run_takes_over_from_one_that_was_killed_and_waits_for_a_new_connection_too() -> None:
    node, network = machine("networkd")
    call(node, lagg())
    node = node.again()
    results = whole(node, lagg(moves=[]))
    assert [result["next"] for result in results] == ["confirm", None] and results[1]["confirmed"] == ["bond1"]


@every_stack
def test_what_is_not_reached_again_in_time_comes_back_by_itself_and_is_told(stack: str) -> None:
    node, network = machine(stack)
    before, files = network.state(), node.snapshot()[0]
    call(node, lagg())
    network.carry_out()
    assert network.state() != before
    network.expire("bond1")
    assert network.state() == before and not network.own_files()
    assert {path: file for path, file in node.snapshot()[0].items() if path in files} == files
    with pytest.raises(NodeError, match="bond1 was put back .the node was not reached again within 120 s"):
        call(node.again(), lagg(), stage="wait")
    node = node.again()
    assert call(node, lagg())["put_back"] == ["bond1"] and network.job
    assert whole(node, lagg())[-1]["put_back"] == []


@every_stack
def test_a_lagg_that_was_there_comes_back_as_it_was(stack: str) -> None:
    node, network = machine(stack)
    whole(node, lagg())
    before = network.kernel()
    call(node.again(), lagg(moves=[], protocol="lacp", primary=None, members=["eth1", "eth3"], mtu=1400))
    network.carry_out()
    assert network.kernel() != before
    network.expire("bond1")
    assert network.kernel() == before


@every_stack
@pytest.mark.parametrize("how", ["carrier", "command", "address", "route"])
def test_a_change_that_does_not_lead_to_what_was_wanted_is_put_back_at_once(stack: str, how: str) -> None:
    node, network = machine(stack)
    before = network.state()
    call(node, lagg())
    if how == "command":
        network.refuses.append({"networkd": ["networkctl", "reload"], "networkmanager": ["nmcli", "--wait"], "ifupdown": ["ifup"]}[stack])
    network.carry_out()
    network.refuses.clear()
    if how == "carrier":
        network._up = lambda name: name != "bond1"
    elif how == "address":
        network.links["bond1"]["addr_info"] = []
    elif how == "route":
        network.routes.clear()
    reason = {"route": "the route to default by 192.0.2.1 on bond1 is missing", "carrier": "no carrier, although a member has",
              "command": "or a command failed", "address": "lacks 192.0.2.2/25"}[how]
    with pytest.raises(NodeError, match="was put back .*(%s)" % reason):
        call(node, lagg(), stage="wait")
    assert network.state() == before and node.units[TIMER].active is False


@every_stack
def test_the_way_in_is_not_touched_without_consent(stack: str) -> None:
    for changes in ({"members": ["eth0", "eth2"], "moves": [move("eth0", "bond1")], "vlans": []}, {"members": ["eth1", "eth2"]}):
        node, network = machine(stack)
        if "vlans" not in changes:
            network.back = "eth1.10"  # answers leave by a VLAN of what is moved
        before = (node.snapshot(), network.state())
        with pytest.raises(NodeError, match="would interrupt; nothing was touched"):
            call(node, lagg(name="bond2", members=["eth3"], primary=None, vlans=[], moves=[]), lagg(**changes))
        assert (node.snapshot(), network.state(), node.commands, node.diffs) == (*before, [], [])
        assert call(node, lagg(consent=True, **changes))["next"] == "wait"


def test_a_way_in_that_cannot_be_told_is_taken_for_the_one_that_is_changed() -> None:
    node, network = machine("networkd")
    network.connection = "nonsense"
    with pytest.raises(NodeError, match="cannot be told"):
        call(node, lagg())
    network.connection = None
    assert call(node, lagg())["next"] == "wait"


@every_stack
@pytest.mark.parametrize(("changes", "members", "data"), [
    ({"protocol": "lacp", "hash": "l3+l4", "lacp_rate": "fast", "min_links": 2}, ["eth1", "eth2"],
     {"mode": "802.3ad", "xmit_hash_policy": "layer3+4", "ad_lacp_rate": "fast", "min_links": 2}),
    ({"members": ["eth1", "eth3"]}, ["eth1", "eth3"], {"mode": "active-backup"}),
    ({"primary": "eth2"}, ["eth1", "eth2"], {"primary": "eth2"}),
    ({"mtu": 1400}, ["eth1", "eth2"], {}),
])
def test_another_setting_makes_the_lagg_anew(stack: str, changes: dict[str, Any], members: list[str], data: dict[str, Any]) -> None:
    node, network = machine(stack)
    whole(node, lagg())
    wanted = lagg(moves=[], **changes)
    node = node.again()
    results = whole(node, wanted)
    assert results[0]["drift"] and results[-1]["confirmed"] == ["bond1"]
    assert network.members("bond1") == members and data.items() <= network.links["bond1"]["linkinfo"]["info_data"].items()
    assert network.links["bond1"]["mtu"] == changes.get("mtu", 1500) and network.addresses("bond1") == ["192.0.2.2/25", "2001:db8:1::2/64"]
    assert network.addresses("bond1.10") == ["198.51.100.2/25"]
    assert whole(node.again(), wanted)[0]["drift"] == []


@every_stack
def test_a_vlan_with_a_name_of_its_own_keeps_it(stack: str) -> None:
    node, network = machine(stack, vlan="dmz")
    whole(node, lagg(vlans=[{"name": "dmz", "id": 10}], moves=[move("eth1", "bond1"), move("dmz", "dmz", 10)]))
    assert network.links["dmz"]["link"] == "bond1" and network.addresses("dmz") == ["198.51.100.2/25"]
    network.restart()
    assert network.links["dmz"]["link"] == "bond1" and network.addresses("dmz") == ["198.51.100.2/25"]


@every_stack
def test_a_lagg_under_another_name_is_taken_apart(stack: str) -> None:
    node, network = machine(stack)
    whole(node, lagg())
    node = node.again()
    whole(node, lagg(name="bond2", vlans=[{"name": "bond2.10", "id": 10}], moves=[move("bond1", "bond2"), move("bond1.10", "bond2.10", 10)]))
    for _time in range(2):
        assert "bond1" not in network.links and network.members("bond2") == ["eth1", "eth2"] and network.addresses("bond2.10") == ["198.51.100.2/25"]
        network.restart()


@every_stack
@pytest.mark.parametrize(("spoil", "message"), [
    (lambda network: network.links["eth1"]["addr_info"].append(network._item("192.0.2.77/25")), "192.0.2.77/25 is there now, but what configures it"),
    (lambda network: network.routes.append({"dst": "203.0.113.128/25", "gateway": "192.0.2.99", "dev": "eth1"}), "the route to 203.0.113.128/25 is there now"),
    (lambda network: network.links.pop("eth2"), "the member eth2 is not there"),
    (lambda network: network.links["eth2"].update(linkinfo={"info_kind": "bridge"}), "eth2 is a bridge"),
    (lambda network: network.links["eth2"]["addr_info"].append(network._item("192.0.2.200/25")), "eth2 has 192.0.2.200/25, which it would lose"),
    (lambda network: setattr(network, "bonding", False), "no bonding driver"),
])
def test_what_could_not_be_kept_is_refused_before_anything_is_touched(stack: str, spoil: Any, message: str) -> None:
    node, network = machine(stack)
    spoil(network)
    before = (node.snapshot(), network.state())
    with pytest.raises(NodeError, match=message):
        call(node, lagg(), stack=stack)
    assert (node.snapshot(), network.state(), node.commands, node.diffs) == (*before, [], [])


@every_stack
def test_addresses_that_move_by_themselves_are_not_missed(stack: str) -> None:
    node, network = machine(stack)
    lent = dict(network._item("192.0.2.50/25"), valid_life_time=3600)
    network.links["eth1"]["addr_info"] += [lent, network._item("fe80::1/64"), network._item("192.0.2.10/25")]
    whole(node, lagg(moves=[move("eth1", "bond1", virtual=("192.0.2.10/25",)), move("eth1.10", "bond1.10", 10)]))
    assert network.addresses("bond1") == ["192.0.2.2/25", "2001:db8:1::2/64"]


@every_stack
def test_the_stack_is_the_one_that_keeps_the_devices_and_else_must_be_stated(stack: str) -> None:
    node, network = machine(stack)
    if stack == "ifupdown":
        node.says(["networkctl", "--json=short", "list"], '{"Interfaces": [{"Name": "eth1", "NetworkFile": "/x", "AdministrativeState": "configured"}]}')
    else:
        node.says(["ifquery", "--state"], "eth1=eth1\n")
    with pytest.raises(NodeError, match="eth1 is kept by .* and .*state it"):
        call(node, lagg())
    assert call(node, lagg(), stack=stack)["next"] == "wait"


@pytest.mark.parametrize(("device", "concerned"), [("eth1.10", True), ("eth3", False)])
def test_keepalived_stands_aside_while_its_devices_change_and_comes_back_with_the_way_back(device: str, concerned: bool) -> None:
    node, network = machine("networkd")
    node.files["/etc/keepalived/keepalived.conf"] = SimulatedFile(render(options(instances=[instance(device)])))
    node.says(["ip", "-json", "address", "show"], '[{"ifname": "%s", "addr_info": [{"local": "192.0.2.1"}]}]' % device)
    unit = node.unit("keepalived.service", active=True, enabled=True)
    if concerned:
        with pytest.raises(NodeError, match="holds 192.0.2.1/24, and no other node is known to be able to take over"):
            call(node, lagg())
        assert (node.commands, node.diffs, unit.active) == ([], [], True)
    call(node, lagg(), peer_ready=concerned)
    assert (unit.active, unit.enabled) == (not concerned, not concerned)
    network.expire("bond1")
    assert unit.active and unit.enabled
