# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in of pfSense makes LAGGs and VLANs and puts interfaces onto them with the product's manners, on each generation of its functions."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.layout import CARP_CONFIG, CONFIG
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

RELEASES = ("2.6.0-RELEASE", "2.7.2-RELEASE", "2.8.1-RELEASE")
DEVICES = {"em0": ["203.0.113.2/24"], "em1": ["192.0.2.2/24"], "em2": ["198.51.100.129/28"], "em3": [], "em4": [], "lo0": ["127.0.0.1/8"]}
VLANS = """\t<vlans>\n\t\t<vlan><if>lagg0</if><tag>10</tag><vlanif>lagg0.10</vlanif></vlan>\n\t</vlans>\n"""
GUESTS = """\t\t<opt2>\n\t\t\t<enable></enable>\n\t\t\t<if>lagg0.10</if>\n\t\t\t<ipaddr>192.0.2.130</ipaddr>\n\t\t\t<subnet>28</subnet>\n\t\t</opt2>\n"""
LAGG = '["laggif" => "lagg0", "members" => "em3,em4", "proto" => "lacp", "lacptimeout" => "fast", "lagghash" => "l2"]'
Maker = Callable[..., PfsenseNode]


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    def make(release: str = "2.7.2-RELEASE", config: str = CONFIG, old: str = "", new: str = "") -> PfsenseNode:
        assert old in config
        node = PfsenseNode(tmp_path / "node", release=release, interfaces=DEVICES, config=config.replace(old, new) if old else config)
        node.kernel("pfsync", syncok=0)
        return node
    return make


def says(node: PfsenseNode, code: str) -> str:
    done = node.php(code)
    assert done.status == 0 and not done.stderr, done
    return done.stdout


def commands(node: PfsenseNode, code: str) -> list[str]:
    says(node, code)
    return [command.removeprefix("ifconfig ") for command in node.journal("command")]


def addresses(node: PfsenseNode, device: str) -> list[str]:
    return [entry["address"] for entry in node.kernel("interfaces")[device]["addresses"]]


def with_vlan(config: str = CONFIG) -> str:
    return config.replace("\t</interfaces>\n", GUESTS + "\t</interfaces>\n" + VLANS)


# LAGGs

@pytest.mark.parametrize(("release", "words"), [("2.6.0-RELEASE", ""), ("2.7.2-RELEASE", " lagghash l2"), ("2.8.1-RELEASE", " lagghash l2")])
def test_a_lagg_is_made_by_these_commands(make: Maker, release: str, words: str) -> None:
    node = make(release)
    assert commands(node, f"echo interface_lagg_configure({LAGG});") == [
        "lagg0 destroy", "lagg0 create", "em3 mtu 1500", "em3 up", "lagg0 laggport em3", "em4 mtu 1500", "em4 up", "lagg0 laggport em4",
        "lagg0 laggproto lacp lacp_fast_timeout" + words, "lagg0 up"]
    assert not node.journal("log")


def test_only_the_protocols_that_hash_are_given_a_hash(make: Maker) -> None:
    assert "lagg0 laggproto failover" in commands(make(), 'interface_lagg_configure(["laggif" => "lagg0", "members" => "em3", "proto" => "failover", '
                                                          '"lagghash" => "l2", "lacptimeout" => "fast"]);')


@pytest.mark.parametrize(("master", "order"), [("auto", ["em3", "em4"]), ("em4", ["em4", "em3"]), ("em9", ["em4"])])
def test_the_master_is_the_first_port_and_one_that_is_no_member_drops_the_first_member(make: Maker, master: str, order: list[str]) -> None:
    lagg = f'["laggif" => "lagg0", "members" => "em3,em4", "proto" => "failover", "failovermaster" => "{master}"]'
    assert [line.split()[-1] for line in commands(make(), f"interface_lagg_configure({lagg});") if "laggport" in line] == order


@pytest.mark.parametrize("release", RELEASES)
def test_members_that_do_not_exist_are_passed_over_without_a_word(make: Maker, release: str) -> None:
    node = make(release)
    assert says(node, 'var_dump(interface_lagg_configure(["laggif" => "lagg0", "members" => "em9,em8", "proto" => "lacp"]));') == 'string(5) "lagg0"\n'
    assert node.kernel("interfaces")["lagg0"]["lagg"]["ports"] == [] and not node.journal("log", "notice")


def test_a_member_of_another_lagg_is_only_a_line_in_the_log(make: Maker) -> None:
    node = make()
    says(node, 'interface_lagg_configure(["laggif" => "lagg0", "members" => "em3", "proto" => "lacp"]);'
               'echo interface_lagg_configure(["laggif" => "lagg1", "members" => "em3,em4", "proto" => "lacp"]);')
    assert node.kernel("interfaces")["lagg1"]["lagg"]["ports"] == ["em4"]
    assert "Device busy" in node.journal("log")[0]


@pytest.mark.parametrize(("release", "nonsense"), [("2.6.0-RELEASE", 'string(4) "nope"'), ("2.7.2-RELEASE", 'string(4) "nope"'), ("2.8.1-RELEASE", "int(-1)")])
def test_what_no_lagg_can_be_made_of(make: Maker, release: str, nonsense: str) -> None:
    node = make(release)
    assert says(node, 'var_dump(interface_lagg_configure(""));') == "int(-1)\n"
    assert says(node, 'var_dump(interface_lagg_configure(["laggif" => "nope", "members" => "em3", "proto" => "lacp"]));') == nonsense + "\n"


def test_without_a_name_the_kernel_gives_one(make: Maker) -> None:
    assert says(make(), 'echo interface_lagg_configure(["members" => "em3", "proto" => "lacp"]);') == "lagg0"


@pytest.mark.parametrize("release", RELEASES)
def test_a_lagg_that_is_made_anew_loses_all_and_only_the_newest_put_its_vlans_back(make: Maker, release: str) -> None:
    node = make(release, with_vlan(CARP_CONFIG), "<if>em1</if>", "<if>lagg0</if>")
    says(node, f'$lagg = {LAGG}; interface_lagg_configure($lagg); interface_configure("lan", true); interfaces_vlan_configure("lagg0");')
    before = node.kernel("interfaces")
    assert (set(addresses(node, "lagg0")), list(before["lagg0"]["carp"])) == ({"192.0.2.2/24", "192.0.2.77/32", "192.0.2.1/24"}, ["10"])
    assert (before["lagg0.10"]["vlan"]["parent"], addresses(node, "lagg0.10")) == ("lagg0", ["192.0.2.130/28"])
    says(node, f"interface_lagg_configure({LAGG});")
    after = node.kernel("interfaces")
    assert (after["lagg0"]["addresses"], after["lagg0"]["carp"]) == ([], {})
    assert after["lagg0.10"]["vlan"]["parent"] == ("lagg0" if release.startswith("2.8") else None)


def test_its_mtu_is_that_of_its_largest_vlan_and_only_else_its_own(make: Maker) -> None:
    node = make(config=with_vlan(), old="<if>em1</if>", new="<if>lagg0</if><mtu>9000</mtu>")
    says(node, f"interface_lagg_configure({LAGG});")
    assert [node.kernel("interfaces")[name]["mtu"] for name in ("em3", "em4", "lagg0")] == [9000] * 3
    node.edit("<if>lagg0.10</if>", "<if>lagg0.10</if><mtu>4000</mtu>")
    says(node, f"interface_lagg_configure({LAGG});")
    assert node.kernel("interfaces")["lagg0"]["mtu"] == 4000


@pytest.mark.parametrize(("release", "mtu"), [("2.7.2-RELEASE", 9000), ("2.8.1-RELEASE", 1500)])
def test_the_newest_ask_no_interface_that_is_off_for_the_mtu(make: Maker, release: str, mtu: int) -> None:
    node = make(release, old="<enable></enable>\n\t\t\t<if>em1</if>", new="<if>lagg0</if><mtu>9000</mtu>")
    says(node, f"interface_lagg_configure({LAGG});")
    assert node.kernel("interfaces")["lagg0"]["mtu"] == mtu


def test_all_laggs_of_the_configuration_or_one_of_them(make: Maker) -> None:
    laggs = "<laggs><lagg><members>em3</members><proto>lacp</proto></lagg><lagg><members>em4</members><laggif>lagg1</laggif><proto>none</proto></lagg></laggs>"
    node = make(old="<filter>", new=laggs + "<filter>")
    says(node, 'interfaces_lagg_configure("lagg1");')
    assert "lagg0" not in node.kernel("interfaces")
    says(node, "interfaces_lagg_configure();")
    assert [node.kernel("interfaces")[name]["lagg"]["ports"] for name in ("lagg0", "lagg1")] == [["em3"], ["em4"]]


# VLANs

@pytest.mark.parametrize("release", RELEASES)
def test_a_vlan_is_made_anew_and_the_interface_on_it_configured(make: Maker, release: str) -> None:
    node = make(release, with_vlan().replace("lagg0", "em3"))
    vlan = '$vlan = ["if" => "em3", "tag" => "10", "pcp" => "", "vlanif" => "em3.10"]; echo interface_vlan_configure($vlan);'
    assert says(node, vlan) == "em3.10"
    assert node.journal("command")[:6] == ["ifconfig em3 up", "ifconfig vlan create", "ifconfig vlan0 name em3.10",
                                           "ifconfig em3.10 vlan 10 vlandev em3 vlanpcp 0", "ifconfig em3.10 up", "ifconfig em3.10 up"]
    assert addresses(node, "em3.10") == ["192.0.2.130/28"] and "system_routing_configure opt2" in node.journal("event")
    says(node, vlan)
    assert "ifconfig em3.10 destroy" in node.journal("command") and addresses(node, "em3.10") == ["192.0.2.130/28"]
    node.edit("<enable></enable>\n\t\t\t<if>em3.10", "<if>em3.10")
    says(node, vlan)
    assert addresses(node, "em3.10") == []


def test_a_vlan_on_nothing_is_made_and_nobody_is_told(make: Maker) -> None:
    node = make()
    assert says(node, '$vlan = ["if" => "em9", "tag" => "10"]; echo interface_vlan_configure($vlan);') == "em9.10"
    assert node.kernel("interfaces")["em9.10"]["vlan"]["parent"] is None and not node.journal("log")


@pytest.mark.parametrize("vlan", ['""', '["tag" => "10"]', '["if" => "em3", "tag" => "4095"]', '["if" => "em3"]'])
def test_what_no_vlan_can_be_made_of(make: Maker, vlan: str) -> None:
    node = make()
    assert says(node, f"$vlan = {vlan}; var_dump(interface_vlan_configure($vlan));") == "NULL\n"
    assert node.journal("log") and not node.journal("command")


@pytest.mark.parametrize(("release", "remade"), [("2.7.2-RELEASE", 1), ("2.8.1-RELEASE", 2)])
def test_a_vlan_that_needs_a_larger_mtu_has_its_lagg_made_anew_under_it(make: Maker, release: str, remade: int) -> None:
    laggs = "<laggs><lagg><members>em3</members><laggif>lagg0</laggif><proto>failover</proto></lagg></laggs>"
    node = make(release, with_vlan(), "<filter>", laggs + "<filter>")
    says(node, "interfaces_lagg_configure(); interfaces_vlan_configure();")
    node.edit("<if>lagg0.10</if>", "<if>lagg0.10</if><mtu>9000</mtu>")
    (node.root / "var/standin/journal").write_text("")
    says(node, 'interfaces_vlan_configure("lagg0");')
    assert node.journal("command").count("ifconfig lagg0 create") == 1 and node.kernel("interfaces")["lagg0"]["mtu"] == 9000
    # The older leave the VLAN on nothing; the newer made it again with the LAGG.
    assert node.journal("command").count("ifconfig vlan create") == remade
    assert node.kernel("interfaces")["lagg0.10"]["vlan"]["parent"] == (None if remade == 1 else "lagg0")


# Interfaces

@pytest.mark.parametrize("release", RELEASES)
def test_an_interface_that_is_configured_loses_all_addresses_and_gets_the_configurations(make: Maker, release: str) -> None:
    node = make(release, CARP_CONFIG, "<ipaddr>192.0.2.2</ipaddr>", "<ipaddr>192.0.2.3</ipaddr><ipaddrv6>2001:db8::3</ipaddrv6><subnetv6>64</subnetv6>")
    node.boot_carp()
    node.query(["ifconfig", "em1", "inet", "203.0.113.99/32", "alias"])
    node.query(["ifconfig", "em1", "inet6", "2001:db8::99/64", "alias"])
    (node.root / "var/standin/journal").write_text("")
    ran = commands(node, 'interface_configure("lan", true);')
    assert set(addresses(node, "em1")) == {"192.0.2.3/24", "2001:db8::3/64", "192.0.2.77/32", "192.0.2.1/24"}
    assert "em1 inet 192.0.2.1 delete" in ran and ran[-1] == "em1 description LAN"
    assert ran.index("em1 inet 192.0.2.3/24 alias") < ran.index("em1 vhid 10 advskew 0 advbase 1 pass nottobeseen")
    assert "pfsync0 -syncdev -syncpeer down" in ran
    assert node.journal("event") == ["system_routing_configure lan", "service reload ipsecdns", "service reload dyndns lan"]


def test_without_a_carp_address_state_synchronization_is_left_alone(make: Maker) -> None:
    node = make(config=CARP_CONFIG)
    assert not any("pfsync0" in command for command in commands(node, 'interface_configure("opt1");'))
    assert node.journal("event") == []


def test_an_interface_that_is_off_is_left_as_it_is(make: Maker) -> None:
    node = make(old="<enable></enable>\n\t\t\t<if>em1</if>", new="<if>em1</if>")
    assert says(node, 'var_dump(interface_configure("lan", true));') == "NULL\n"
    assert addresses(node, "em1") == ["192.0.2.2/24"] and not node.journal("command", "event")


@pytest.mark.parametrize(("lent", "held"), [({"wan": "203.0.113.77/24"}, ["203.0.113.77/24"]), ({"em0": "203.0.113.78/24"}, ["203.0.113.78/24"]), ({}, [])])
def test_an_address_that_a_server_lends(make: Maker, lent: dict[str, str], held: list[str]) -> None:
    node = make(old="<ipaddr>203.0.113.2</ipaddr>\n\t\t\t<subnet>24</subnet>", new="<ipaddr>dhcp</ipaddr>")
    node.kernel(dhcp=lent)
    says(node, 'interface_configure("wan");')
    assert addresses(node, "em0") == held


@pytest.mark.parametrize("release", RELEASES)
def test_a_lagg_that_is_not_there_yet_or_has_another_mtu_is_made(make: Maker, release: str) -> None:
    laggs = "<laggs><lagg><members>em1</members><laggif>lagg0</laggif><proto>failover</proto></lagg></laggs>"
    node = make(release, CONFIG.replace("<filter>", laggs + "<filter>"), "<if>em1</if>", "<if>lagg0</if>")
    says(node, 'interface_configure("lan", true);')
    assert (addresses(node, "lagg0"), addresses(node, "em1"), node.journal("command").count("ifconfig lagg0 create")) == (["192.0.2.2/24"], ["192.0.2.2/24"], 1)
    says(node, 'interface_configure("lan", true);')
    assert node.journal("command").count("ifconfig lagg0 create") == 1
    node.edit("<if>lagg0</if>", "<if>lagg0</if><mtu>9000</mtu>")
    says(node, 'interface_configure("lan", true);')
    found = node.kernel("interfaces")
    assert (node.journal("command").count("ifconfig lagg0 create"), found["lagg0"]["mtu"], found["em1"]["mtu"]) == (2, 9000, 9000)
    assert addresses(node, "lagg0") == ["192.0.2.2/24"]


def test_aliases_on_a_carp_address_need_it_before_them(make: Maker) -> None:
    alias = "<interface>lan</interface>\n\t\t\t<uniqid>64b7a1c0d1e2f"
    stacked = CARP_CONFIG.replace(alias, alias.replace("lan", "_vip64b7a1c0d1e30"))
    held = []
    for release in ("2.6.0-RELEASE", "2.7.2-RELEASE"):
        node = PfsenseNode(make().root.parent / release, release=release, config=stacked)
        node.kernel("pfsync", syncok=0)
        says(node, 'interface_configure("lan");')
        held.append("192.0.2.77/32" in addresses(node, "em1"))
    assert held == [True, False]


# Bringing down

@pytest.mark.parametrize("release", RELEASES)
def test_an_interface_that_is_brought_down_loses_its_own_addresses_and_stays_up(make: Maker, release: str) -> None:
    node = make(release, CARP_CONFIG, "<subnet>24</subnet>\n\t\t</lan>",
                "<subnet>24</subnet><ipaddrv6>2001:db8::2</ipaddrv6><subnetv6>64</subnetv6>\n\t\t</lan>")
    says(node, 'interface_configure("lan");')
    node.query(["ifconfig", "em1", "inet", "203.0.113.99/32", "alias"])
    says(node, 'interface_bring_down("lan");')
    found = node.kernel("interfaces")["em1"]
    assert ([entry["address"] for entry in found["addresses"]], found["carp"], found["up"]) == (["203.0.113.99/32"], {}, True)


def test_it_works_on_the_device_that_the_configuration_names_now(make: Maker) -> None:
    node = make(config=CARP_CONFIG)
    node.boot_carp()
    says(node, '$config["interfaces"]["lan"]["if"] = "em3"; interface_bring_down("lan");')
    assert addresses(node, "em1") == ["192.0.2.2/24", "192.0.2.77/32", "192.0.2.1/24"]
    # The one that the caller names is for the interface's own address only.
    says(node, '$old = ["ifcfg" => $config["interfaces"]["lan"] + ["realif" => "em1"]]; $config["interfaces"]["lan"]["if"] = "em3";'
               'interface_bring_down("lan", false, $old);')
    assert addresses(node, "em1") == ["192.0.2.77/32", "192.0.2.1/24"]


@pytest.mark.parametrize(("destroy", "left"), [("false", True), ("true", False)])
def test_a_lagg_is_destroyed_when_asked_for(make: Maker, destroy: str, left: bool) -> None:
    node = make(old="<if>em1</if>", new="<if>lagg0</if>")
    says(node, f'interface_lagg_configure({LAGG}); interface_configure("lan"); interface_bring_down("lan", {destroy});')
    assert ("lagg0" in node.kernel("interfaces")) is left


def test_the_gateways_monitor_is_set_up_again_where_the_interface_has_a_gateway(make: Maker) -> None:
    node = make(old="<filter>", new="<gateways><gateway_item><interface>wan</interface></gateway_item></gateways><filter>")
    says(node, 'interface_bring_down("lan"); interface_bring_down("opt9");')
    assert node.journal("event") == []
    says(node, 'interface_bring_down("wan");')
    assert node.journal("event") == ["setup_gateways_monitor"]


@pytest.mark.parametrize("call", [
    "interface_lagg_configure", "interface_vlan_configure", "interface_configure", "interface_bring_down", "interfaces_vips_configure",
    "setup_gateways_monitor", "system_routing_configure"])
def test_each_can_be_made_to_die(make: Maker, call: str) -> None:
    node = make()
    node.switch(fatal_in=call)
    done = node.php(f"$nothing = []; {call}($nothing);")
    assert done.status == 255 and f"fatal error in {call}" in done.stdout + done.stderr
