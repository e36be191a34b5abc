# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of rc.conf when a device goes onto a LAGG. Pure."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import lagg_rc, rc
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.lagg_rc import Change
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.lagg_steps import renamed
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError


def onto(**changes: Any) -> Change:
    found: dict[str, Any] = {"name": "lagg0", "base": "em0", "apart": False, "targets": {"em0": "lagg0", "lagg0": "lagg0"}, "members": ["em0", "em3"],
                             "protocol": "failover", "hash": None, "fast": None, "mtu": None}
    return Change(**dict(found, **changes))


PLAIN = {"hostname": "fw1", "ifconfig_em0": "inet 192.0.2.2/24", "ifconfig_em1": "inet 198.51.100.2/24", "defaultrouter": "192.0.2.1"}
MADE = {"hostname": "fw1", "ifconfig_em0": "up", "ifconfig_em3": "up", "ifconfig_lagg0": "laggproto failover laggport em0 laggport em3 inet 192.0.2.2/24",
        "ifconfig_em1": "inet 198.51.100.2/24", "defaultrouter": "192.0.2.1", "cloned_interfaces": "lagg0"}


def test_a_port_gives_all_that_is_on_it_to_the_lagg_and_is_only_up() -> None:
    assert lagg_rc.changed(PLAIN, onto()) == MADE


def test_what_was_made_is_as_wanted_with_and_without_the_moves() -> None:
    assert lagg_rc.changed(MADE, onto(base="lagg0", targets={"lagg0": "lagg0"})) == MADE
    by_hand = dict(MADE, ifconfig_lagg0="up laggport em0 laggport em3 192.0.2.2/24")
    assert lagg_rc.changed(by_hand, onto(base="lagg0", targets={"lagg0": "lagg0"})) == by_hand


@pytest.mark.parametrize(("changes", "value"), [
    ({"protocol": "lacp", "hash": "l3,l4", "fast": True}, "laggproto lacp laggport em0 laggport em3 lagghash l3,l4 lacp_fast_timeout"),
    ({"protocol": "lacp", "fast": False}, "laggproto lacp laggport em0 laggport em3 -lacp_fast_timeout"),
    ({"protocol": "loadbalance", "hash": "l2"}, "laggproto loadbalance laggport em0 laggport em3 lagghash l2"),
    ({"protocol": "roundrobin"}, "laggproto roundrobin laggport em0 laggport em3"),
    ({"protocol": "broadcast"}, "laggproto broadcast laggport em0 laggport em3"),
    ({"protocol": "none"}, "laggproto none laggport em0 laggport em3"),
    ({"members": ["em3", "em0"]}, "laggproto failover laggport em3 laggport em0"),
])
def test_each_protocol_has_its_words_and_with_failover_the_first_port_is_preferred(changes: dict[str, Any], value: str) -> None:
    new = lagg_rc.changed(PLAIN, onto(**changes))
    assert new["ifconfig_lagg0"] == value + " inet 192.0.2.2/24"
    again = dict({"base": "lagg0", "targets": {"lagg0": "lagg0"}}, **changes)
    assert lagg_rc.changed(new, onto(**again)) == new


def test_a_setting_that_is_not_stated_stays_unless_the_protocol_changes() -> None:
    lacp = dict(MADE, ifconfig_lagg0="laggproto lacp laggport em0 laggport em3 lagghash l2 lacp_fast_timeout inet 192.0.2.2/24")
    stays = {"base": "lagg0", "targets": {"lagg0": "lagg0"}}
    assert lagg_rc.changed(lacp, onto(protocol="lacp", **stays)) == lacp
    assert lagg_rc.changed(lacp, onto(protocol="lacp", members=["em0"], **stays))["ifconfig_lagg0"] == \
        "laggproto lacp laggport em0 lagghash l2 lacp_fast_timeout inet 192.0.2.2/24"
    assert lagg_rc.changed(lacp, onto(protocol="loadbalance", **stays))["ifconfig_lagg0"] == "laggproto loadbalance laggport em0 laggport em3 inet 192.0.2.2/24"


def test_words_about_the_card_stay_with_it_and_its_mtu_is_that_of_the_lagg() -> None:
    known = dict(PLAIN, ifconfig_em0="inet 192.0.2.2/24 media 1000baseTX mediaopt full-duplex -tso mtu 9000", ifconfig_em3="-lro")
    new = lagg_rc.changed(known, onto(mtu=4000))
    assert (new["ifconfig_em0"], new["ifconfig_em3"]) == ("up media 1000baseTX mediaopt full-duplex -tso mtu 4000", "up -lro mtu 4000")
    assert new["ifconfig_lagg0"] == MADE["ifconfig_lagg0"]
    assert lagg_rc.changed(new, onto(mtu=4000, base="lagg0", targets={"lagg0": "lagg0"})) == new


def test_all_that_is_said_of_a_device_moves_with_it() -> None:
    known = {"ifconfig_em0": "DHCP", "ifconfig_em0_ipv6": "inet6 2001:db8::2/64", "ifconfig_em0_alias0": "inet vhid 10 pass 'geheim wort' alias 192.0.2.1/32",
             "ifconfig_em0_alias12": "inet 192.0.2.9/32", "ifconfig_em0_descr": "LAN", "ifconfig_em0_aliases": "inet 192.0.2.7/32",
             "ipv4_addrs_em0": "192.0.2.8/32", "ipv6_prefix_em0": "2001:db8:1", "dhclient_flags_em0": "-c x",
             "background_dhclient_em0": "YES", "ifconfig_em01": "inet 203.0.113.1/24"}
    new = lagg_rc.changed(known, onto())
    moved = {name.replace("em0", "lagg0"): value for name, value in known.items() if name not in ("ifconfig_em0", "ifconfig_em01")}
    assert new == dict(moved, ifconfig_em0="up", ifconfig_em3="up", cloned_interfaces="lagg0", ifconfig_em01="inet 203.0.113.1/24",
                       ifconfig_lagg0="laggproto failover laggport em0 laggport em3 DHCP")


VLANS = {"ifconfig_em0": "inet 192.0.2.2/24", "vlans_em0": "10 dmz", "ifconfig_em0_10": "inet 203.0.113.2/24", "create_args_dmz": "vlan 20",
         "ifconfig_dmz": "inet 198.51.100.2/27", "cloned_interfaces": "bridge7 vlan30 em0.40:sticky vlan50",
         "create_args_vlan30": "vlan 30 vlandev em0", "ifconfig_em0_40": "up", "ifconfig_vlan50": "vlan 50 vlandev em0 inet 192.0.2.129/25"}


def test_vlans_are_found_however_they_are_made() -> None:
    assert lagg_rc.vlans(VLANS, "em0") == {"em0.10": 10, "dmz": 20, "vlan30": 30, "em0.40": 40, "vlan50": 50}
    assert lagg_rc.vlans(VLANS, "em1") == {}


def test_vlans_lie_on_the_lagg_afterwards_which_is_made_before_them() -> None:
    targets = {"em0": "lagg0", "lagg0": "lagg0", "em0.10": "lagg0.10", "dmz": "dmz", "vlan30": "vlan30", "em0.40": "lagg0.40", "vlan50": "vlan50"}
    new = lagg_rc.changed(VLANS, onto(targets=targets))
    assert lagg_rc.vlans(new, "lagg0") == {"lagg0.10": 10, "dmz": 20, "vlan30": 30, "lagg0.40": 40, "vlan50": 50}
    assert lagg_rc.vlans(new, "em0") == {}
    assert new["cloned_interfaces"] == "lagg0 bridge7 vlan30 lagg0.40:sticky vlan50"
    assert (new["vlans_lagg0"], new["ifconfig_lagg0_10"], new["ifconfig_dmz"]) == ("10 dmz", "inet 203.0.113.2/24", "inet 198.51.100.2/27")
    assert not [name for name in new if "em0" in name and name != "ifconfig_em0"]


def test_what_else_names_the_device_follows_where_its_meaning_is_known() -> None:
    known = dict(PLAIN, static_routes="far near:em0", route_far="-net 203.0.113.0/24 -interface em0", ipv6_defaultrouter="fe80::1%em0",
                 pfsync_syncdev="em0", ifconfig_pfsync0="syncdev em0 maxupd 64", network_interfaces="lo0 em0 em1", ipv6_network_interfaces="em0",
                 ipv6_default_interface="em0", dhcpd_ifaces="em0 em1", ifconfig_bridge0="addm em0 addm em2", ifconfig_em1_descr="not em0")
    new = lagg_rc.changed(known, onto())
    assert {name: new[name] for name in known if new.get(name) != known[name]} == {
        "ifconfig_em0": "up", "static_routes": "far near:lagg0", "route_far": "-net 203.0.113.0/24 -interface lagg0", "ipv6_defaultrouter": "fe80::1%lagg0",
        "pfsync_syncdev": "lagg0", "ifconfig_pfsync0": "syncdev lagg0 maxupd 64", "network_interfaces": "lo0 lagg0 em1 em0 em3",
        "ipv6_network_interfaces": "lagg0", "ipv6_default_interface": "lagg0"}
    assert sorted(lagg_rc.left(new, ["em0"])) == [("dhcpd_ifaces", "em0"), ("ifconfig_bridge0", "em0")]


def test_a_lagg_that_gets_another_name_is_taken_apart() -> None:
    known = {"cloned_interfaces": "lagg5 vlan9", "ifconfig_em0": "up", "ifconfig_em3": "up", "create_args_vlan9": "vlan 9 vlandev lagg5",
             "ifconfig_lagg5": "laggproto lacp laggport em0 laggport em3 inet 192.0.2.2/24", "ifconfig_lagg5_alias0": "inet 192.0.2.3/32"}
    targets = {"lagg5": "lagg0", "lagg0": "lagg0", "vlan9": "vlan9"}
    assert lagg_rc.changed(known, onto(base="lagg5", apart=True, targets=targets)) == {
        "cloned_interfaces": "lagg0 vlan9", "ifconfig_em0": "up", "ifconfig_em3": "up", "create_args_vlan9": "vlan 9 vlandev lagg0",
        "ifconfig_lagg0": "laggproto failover laggport em0 laggport em3 inet 192.0.2.2/24", "ifconfig_lagg0_alias0": "inet 192.0.2.3/32"}


def test_two_devices_that_are_both_configured_are_not_made_one() -> None:
    for more in ({"ifconfig_lagg0": "laggport em3 inet 192.0.2.9/24"}, {"ifconfig_lagg0_alias0": "inet 192.0.2.9/32"}):
        with pytest.raises(NodeError, match="make them one first; nothing was touched"):
            lagg_rc.changed(dict(PLAIN, ifconfig_em0_alias0="inet 192.0.2.7/32", **more), onto())


def test_what_is_for_all_devices_counts_for_one_without_a_variable_of_its_own() -> None:
    new = lagg_rc.changed({"ifconfig_DEFAULT": "DHCP"}, onto())
    assert new == {"ifconfig_DEFAULT": "DHCP", "ifconfig_em0": "up", "ifconfig_em3": "up", "cloned_interfaces": "lagg0",
                   "ifconfig_lagg0": "laggproto failover laggport em0 laggport em3 DHCP"}


@pytest.mark.parametrize(("variables", "told"), [
    ({"ifconfig_em0": "WPA DHCP"}, "em0 is kept by wpa_supplicant"), ({"ifconfig_em0": "HOSTAP"}, "em0 is kept by hostapd"),
    ({"ifconfig_em0": "vnet www"}, "em0 belongs to a jail (vnet)"), ({"wlans_em0": "wlan0"}, "em0 carries wireless devices (wlans_em0)"),
    ({"ifconfig_em0_name": "lan0"}, "em0 is called lan0 from the next start on (ifconfig_em0_name)"),
])
def test_what_cannot_be_carried_over_is_known(variables: dict[str, str], told: str) -> None:
    assert lagg_rc.kept_by_programs(variables, "em0") == [told]


def test_no_password_is_told() -> None:
    assert rc.redacted("inet vhid 10 pass 'geheim wort' alias 192.0.2.1/32") == "inet vhid 10 pass ******** alias 192.0.2.1/32"
    assert rc.redacted("vhid 1 pass geheim advskew 0") == "vhid 1 pass ******** advskew 0"
    assert rc.redacted("inet 192.0.2.1/24") == "inet 192.0.2.1/24"


PF = """# em0 is the LAN
lan = "em0"     # em0
set skip on { lo0, em0.10 }
nat on em1 from (em0:network) to any -> (em1)
table <em0> persist
block log all label "em0"
pass in on em0 proto tcp from em0:network to (em0) tag em0 tagged em0
pass out on { em0 em01 } from <em0>
anchor "em0/*" on em0
"""


def test_the_rules_of_pf_name_the_lagg_afterwards_and_labels_comments_and_tables_stay() -> None:
    assert renamed(PF, {"em0": "lagg0", "em0.10": "lagg0.10"}) == """# em0 is the LAN
lan = "lagg0"     # em0
set skip on { lo0, lagg0.10 }
nat on em1 from (lagg0:network) to any -> (em1)
table <em0> persist
block log all label "em0"
pass in on lagg0 proto tcp from lagg0:network to (lagg0) tag em0 tagged em0
pass out on { lagg0 em01 } from <em0>
anchor "em0/*" on lagg0
"""


def test_words_of_the_laggs_own_stay_with_it() -> None:
    known = dict(MADE, ifconfig_lagg0="laggproto failover laggport em0 laggport em3 mtu 9000 -tso inet 192.0.2.2/24")
    stays = {"base": "lagg0", "targets": {"lagg0": "lagg0"}}
    assert lagg_rc.changed(known, onto(**stays)) == known
    assert lagg_rc.changed(known, onto(members=["em0"], **stays))["ifconfig_lagg0"] == "laggproto failover laggport em0 mtu 9000 -tso inet 192.0.2.2/24"
    new = lagg_rc.changed(known, onto(mtu=1400, **stays))
    assert (new["ifconfig_lagg0"], new["ifconfig_em0"]) == ("laggproto failover laggport em0 laggport em3 -tso inet 192.0.2.2/24", "up mtu 1400")


NETIF = '''# BEGIN hafirewall.cluster virtual_ip edge
# lan_10 on em0
ifconfig_em0_aliases="${ifconfig_em0_aliases} inet 192.0.2.1/24 vhid 10 pass geheim"
ifconfig_em0_10_aliases="${ifconfig_em0_10_aliases} inet 10.0.0.1/24 vhid 11"
ifconfig_em01_aliases="inet 10.1.0.1/24"
# END hafirewall.cluster virtual_ip edge
'''


def test_variables_in_files_of_their_own_get_their_new_names() -> None:
    names = {"em0": "lagg0", "em0.10": "lagg0.10"}
    assert lagg_rc.renamed(NETIF, names) == NETIF.replace("ifconfig_em0_", "ifconfig_lagg0_")
    assert "192.0.2.1/24" in lagg_rc.said(NETIF, "em0") and "10.0.0.1/24" not in lagg_rc.said(NETIF, "em0")
    assert lagg_rc.unmovable(NETIF, "em0") == []
    assert lagg_rc.unmovable('ifconfig_em0="DHCP"\nvlans_em0="10"\nifconfig_em0_ipv6="x"\n', "em0") == ["ifconfig_em0", "vlans_em0"]
