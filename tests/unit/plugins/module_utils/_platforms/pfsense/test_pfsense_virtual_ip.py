# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual addresses on pfSense: CARP, on each generation of the product's functions."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, maintenance, virtual_ip
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.vips import VIPS
from ansible_collections.hafirewall.cluster.plugins.modules.virtual_ip import ARGUMENTS
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.layout import CARP_CONFIG
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

SECRET = "s3cret & <more>"


def instance(**changes: Any) -> dict[str, Any]:
    return dict({"name": "lan_10_ipv4", "interface": "em1", "id": 10, "family": "ipv4", "priority": 175, "advskew": 50, "advbase": 1,
                 "addresses": ["192.0.2.1/24"]}, **changes)


WAN = instance(name="wan_20_ipv4", interface="em0", id=20, addresses=["203.0.113.1/24"])
BOTH = [instance(), WAN]
DEFAULTS = {name: argument.get("default") for name, argument in ARGUMENTS.items()}


def apply(node: PfsenseNode, instances: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return virtual_ip.apply(node, dict(DEFAULTS, name="edge", instances=instances, **dict({"password": SECRET}, **changes)))


def settings(result: dict[str, Any]) -> list[str]:
    return [entry["setting"] for entry in result["drift"]]


def vips(node: PfsenseNode) -> list[dict[str, str]]:
    return bridge.read(node.again(), [VIPS]).values[VIPS] or []


def running(node: PfsenseNode) -> list[tuple[str, int, str | None, int, tuple[str, ...]]]:
    return [(item.device, item.id, item.state, item.advskew, item.addresses) for item in carp.running(node)]


def without_revision(text: str) -> str:
    return re.sub(r"<revision>.*</revision>", "", text, flags=re.DOTALL)


@pytest.fixture
def taken(generation: str, make) -> PfsenseNode:
    """A node that a person made two CARP addresses on, and an alias."""
    node = make(generation, config=CARP_CONFIG)
    node.boot_carp()
    return node


def test_a_fresh_node_gets_everything_and_a_second_run_does_nothing(node: PfsenseNode) -> None:
    result = apply(node, BOTH)
    assert (settings(result), result["validation"]) == (["lan_10_ipv4", "wan_20_ipv4"], "passed")
    assert running(node) == [("em0", 20, "active", 50, ("203.0.113.1",)), ("em1", 10, "active", 50, ("192.0.2.1",))]
    first = vips(node)[0]
    assert {key: first[key] for key in ("mode", "interface", "vhid", "advskew", "advbase", "password", "descr", "type", "subnet_bits", "subnet")} == {
        "mode": "carp", "interface": "lan", "vhid": "10", "advskew": "50", "advbase": "1", "password": SECRET,
        "descr": "hafirewall.cluster edge: lan_10_ipv4", "type": "single", "subnet_bits": "24", "subnet": "192.0.2.1"}
    assert re.fullmatch("[0-9a-f]{13}", first["uniqid"]) and first["uniqid"] != vips(node)[1]["uniqid"]
    assert node.commands[0] == 'write_config("hafirewall.cluster: virtual addresses of edge")' and node.commands[-1] == "filter_configure_sync()"
    again, run = node.again(), node.journal("command")
    assert apply(again, BOTH) == {"drift": [], "validation": "not needed"}
    assert (again.changed, again.php_calls, node.journal("command")) == (False, 1, run)


@pytest.mark.parametrize("instances", [BOTH, [instance(advskew=100)], [instance(addresses=["192.0.2.9/24"]), WAN], []])
def test_check_mode_predicts_and_touches_nothing(node: PfsenseNode, instances: list[dict[str, Any]]) -> None:
    if instances != BOTH:
        apply(node, BOTH)
    check, real = node.again(check_mode=True), node.again()
    config, run = node.config, node.journal("command", "event", "notice")
    predicted = apply(check, instances)
    assert (node.config, node.journal("command", "event", "notice")) == (config, run)
    assert apply(real, instances) == predicted and predicted["drift"]
    assert (check.commands, check.diffs) == (real.commands, real.diffs)
    assert apply(node.again(), instances)["drift"] == []


def test_the_password_is_nowhere_to_be_seen(node: PfsenseNode) -> None:
    shown = [apply(node, BOTH), node.commands, node.diffs]
    other = node.again()
    shown += [apply(other, BOTH, password="another"), other.commands, other.diffs]
    off = node.again()
    shown += [apply(off, []), off.commands, off.diffs]
    assert "s3cret" not in repr(shown) and "another" not in repr(shown)
    assert "password: ********" in node.diffs[0]["after"]


def test_a_password_is_changed_where_it_differs_and_kept_where_none_is_stated(taken: PfsenseNode) -> None:
    same = [instance(advskew=0), dict(WAN, advskew=0)]
    assert apply(taken, same, password=None)["drift"] == []
    result = apply(taken, same, password="another")
    assert result["drift"][0] == {"setting": "lan_10_ipv4.password", "is": "other", "wanted": "as stated"}
    assert [vip.get("password") for vip in vips(taken)] == [None, "another", "another"]
    assert taken.kernel("interfaces")["em1"]["carp"]["10"]["pass"] == "another"


def test_without_a_password_no_address_is_made(node: PfsenseNode) -> None:
    with pytest.raises(NodeError, match="password: CARP on pfSense needs one, the same on all nodes, and lan_10_ipv4 has none yet"):
        apply(node, BOTH, password=None)
    assert not vips(node)


def test_what_somebody_made_is_taken_over_as_it_is_and_never_removed(taken: PfsenseNode) -> None:
    result = apply(taken, BOTH, password=None)
    assert settings(result) == ["lan_10_ipv4.advskew", "wan_20_ipv4.advskew"]
    assert [(vip["descr"], vip["uniqid"]) for vip in vips(taken)][1] == ("LAN & guests", "64b7a1c0d1e30")
    assert apply(taken.again(), [])["drift"] == []
    assert [vip["mode"] for vip in vips(taken)] == ["ipalias", "carp", "carp"]


def test_only_those_of_this_cluster_are_removed(taken: PfsenseNode) -> None:
    apply(taken, [instance(id=11, name="more", addresses=["192.0.2.5/24"])])
    other = taken.again()
    virtual_ip.apply(other, dict(DEFAULTS, name="other", instances=[instance(id=12, name="theirs", addresses=["192.0.2.6/24"])], password=SECRET))
    off = taken.again()
    assert off.commands == [] and apply(off, [])["drift"] == [{"setting": "edge: more", "is": "present", "wanted": "absent"}]
    assert [vip["subnet"] for vip in vips(taken)] == ["192.0.2.77", "192.0.2.1", "203.0.113.1", "192.0.2.6"]
    assert "192.0.2.5" not in repr(running(taken)) and "192.0.2.6" in repr(running(taken))


def test_an_address_that_changes_leaves_the_old_one(taken: PfsenseNode) -> None:
    result = apply(taken, [instance(addresses=["192.0.2.9/25"])], password=None)
    assert settings(result) == ["lan_10_ipv4.advskew", "lan_10_ipv4.subnet_bits", "lan_10_ipv4.subnet"]
    assert running(taken)[1] == ("em1", 10, "active", 50, ("192.0.2.9",))


def test_an_address_may_move_to_another_id(node: PfsenseNode) -> None:
    apply(node, [instance()])
    moved = node.again()
    assert settings(apply(moved, [instance(id=30)])) == ["lan_10_ipv4", "edge: lan_10_ipv4"]
    assert running(node) == [("em1", 30, "active", 50, ("192.0.2.1",))]


@pytest.mark.parametrize("priority", [1, 175, 254])
def test_the_skew_and_the_base_are_what_was_stated_whatever_the_priority_is(make, priority: int) -> None:
    node = make()
    apply(node, [instance(priority=priority, advskew=254, advbase=3)], advert_interval=7.0)
    assert node.kernel("interfaces")["em1"]["carp"]["10"] == {"advbase": "3", "advskew": "254", "pass": "s3cret&<more>"}


# As it runs


def test_what_is_configured_but_does_not_run_is_configured_again(taken: PfsenseNode) -> None:
    apply(taken, BOTH, password=None)
    taken.query(["ifconfig", "em1", "inet", "192.0.2.1", "delete"])
    again, config = taken.again(), taken.config
    assert apply(again, BOTH, password=None)["drift"] == [{"setting": "lan_10_ipv4 as running", "is": "absent", "wanted": "as configured"}]
    assert again.commands == ['interface_carp_configure({"subnet": "192.0.2.1", "uniqid": "64b7a1c0d1e30"})', "enable_carp()"]
    assert (taken.config, again.diffs, running(taken)[1][:2]) == (config, [], ("em1", 10))


def test_carp_that_is_switched_off_is_switched_on(taken: PfsenseNode) -> None:
    apply(taken, BOTH, password=None)
    taken.kernel("sysctl", **{"net.inet.carp.allow": "0"})
    assert apply(taken.again(), BOTH, password=None)["drift"] == [{"setting": "CARP switched on", "is": False, "wanted": True}]
    assert taken.kernel("sysctl")["net.inet.carp.allow"] == "1"


def test_in_maintenance_the_highest_skew_is_right(taken: PfsenseNode) -> None:
    apply(taken, BOTH, password=None)
    maintenance.apply(taken.again(), {"state": "enabled"})
    assert apply(taken.again(), BOTH, password=None)["drift"] == []


# What is refused, and bad moments


@pytest.mark.parametrize(("instances", "changes", "problem"), [
    ([instance(interface="em7")], {}, r"instances\[0\]\.interface: em7 is assigned to none"),
    ([WAN, instance(addresses=[])], {}, r"instances\[1\]\.addresses: an id has one address or more"),
    ([instance(advskew=None)], {}, r"instances\[0\]\.advskew: CARP needs it, from 0 to 254, and it is None"),
    ([instance(advskew=255)], {}, r"instances\[0\]\.advskew: CARP needs it, from 0 to 254, and it is 255"),
    ([WAN, instance(advbase=None)], {}, r"instances\[1\]\.advbase: CARP needs it, from 1 to 254, and it is None"),
    ([instance(advbase=0)], {}, r"instances\[0\]\.advbase: CARP needs it, from 1 to 254, and it is 0"),
    (BOTH, {"transport": "unicast"}, "transport: pfSense announces virtual addresses by multicast only"),
    ([instance(id=13, addresses=["192.0.2.77/32"])], {}, r"192\.0\.2\.77 is already a virtual address of this node \(ipalias on lan\)"),
    ([instance(id=13)], {}, r"192\.0\.2\.1 is already a virtual address of this node \(carp on lan, vhid 10\)"),
])
def test_what_cannot_be_is_an_error_and_nothing_is_changed(make, instances: list[dict[str, Any]], changes: dict[str, Any], problem: str) -> None:
    node = make(config=CARP_CONFIG)
    before = node.config
    with pytest.raises(NodeError, match=problem):
        apply(node, instances, **changes)
    assert (node.config, node.changed, node.journal("command")) == (before, False, [])


def test_a_device_that_the_same_run_makes_may_be_absent_in_check_mode(make) -> None:
    node = make()
    check, real = node.again(check_mode=True), node.again()
    predicted = apply(check, [instance(interface="lagg0"), WAN], coming={"lagg0": "em1"})
    done = apply(real, BOTH)
    assert (predicted["drift"], predicted["validation"], check.commands) == (done["drift"], done["validation"], real.commands) != ([], "passed", [])
    again = node.again(check_mode=True)
    assert (apply(again, [instance(interface="lagg0"), WAN], coming={"lagg0": "em1"})["drift"], again.changed) == ([], False)


@pytest.mark.parametrize("instances", [BOTH, [instance(addresses=["192.0.2.9/24"])], []])
def test_what_does_not_come_to_run_is_taken_back_as_a_whole(node: PfsenseNode, instances: list[dict[str, Any]]) -> None:
    if instances != BOTH:
        apply(node, [WAN, instance()])
    before, ran = without_revision(node.config), running(node)
    node.switch(fatal_in="filter_configure_sync")
    again = node.again()
    again.before_php = lambda number: node.switch(fatal_in=None) if number == 3 else None
    with pytest.raises(NodeError, match=r"everything was put back as it was"):
        apply(again, instances)
    assert without_revision(node.config) == before
    assert (running(node), again.changed) == (ran, False)


def test_addresses_in_no_state_are_an_error(node: PfsenseNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_ip, "TIMEOUT", 0.0)
    node.kernel("interfaces", em1={"up": False, "addresses": [], "carp": {}})
    with pytest.raises(NodeError, match="CARP does not run as configured after 0 s: lan_10_ipv4 on em1 is init.*everything was put back"):
        apply(node, [instance()])
    assert not vips(node)


def test_somebody_who_saves_meanwhile_keeps_what_was_saved(node: PfsenseNode) -> None:
    node.before_php = lambda number: node.edit("fw1", "theirs") if number == 2 else None
    apply(node, BOTH)
    assert "theirs" in node.config and len(vips(node)) == 2
