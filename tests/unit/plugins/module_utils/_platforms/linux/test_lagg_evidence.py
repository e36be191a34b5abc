# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What evidence says of LAGGs and of the way in, and what becomes of interfaces(5): entries of ip 6.1 and files as people write them."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import management, references
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.ifupdown_files import BEGIN, END, Edit, edited, managed
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg_links import kind_of, lagg_of, vlan_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

BOND = {"ifname": "bond1", "linkinfo": {"info_kind": "bond", "info_data": {
    "mode": "802.3ad", "xmit_hash_policy": "layer3+4", "min_links": 1, "ad_lacp_rate": "fast",
    "ad_info": {"aggregator": 1, "num_ports": 2, "partner_mac": "02:00:00:00:00:99"}}}}
PORT = {"ifname": "eth1", "master": "bond1", "link_type": "ether", "linkinfo": {"info_slave_kind": "bond", "info_slave_data": {
    "state": "ACTIVE", "mii_status": "UP", "link_failure_count": 2, "perm_hwaddr": "02:00:00:00:01:01", "ad_aggregator_id": 1,
    "ad_actor_oper_port_state": 61}}}


def test_a_lagg_is_told_in_the_collections_words_with_the_state_of_its_ports() -> None:
    idle = {"ifname": "eth2", "master": "bond1", "linkinfo": {"info_slave_data": {"state": "BACKUP", "mii_status": "DOWN", "ad_actor_oper_port_state": 5}}}
    found = lagg_of(BOND, [BOND, PORT, idle, {"ifname": "eth3"}])
    assert found is not None and found["ports"][0] == {
        "name": "eth1", "up": True, "mac": "02:00:00:00:01:01", "active": True, "failures": 2, "aggregator": 1, "synchronized": True, "collecting": True,
        "distributing": True}
    assert [found["ports"][1][key] for key in ("up", "active", "aggregator", "collecting")] == [False, False, None, False]
    assert {key: found[key] for key in ("protocol", "members", "hash", "lacp_rate", "min_links", "partner", "aggregator")} == {
        "protocol": "lacp", "members": ["eth1", "eth2"], "hash": "l3+l4", "lacp_rate": "fast", "min_links": 1, "partner": "02:00:00:00:00:99", "aggregator": 1}


def test_what_has_no_meaning_or_is_not_told_is_none() -> None:
    found = lagg_of({"ifname": "b", "linkinfo": {"info_kind": "bond", "info_data": {"mode": "active-backup", "min_links": 0, "ad_lacp_rate": "slow"}}}, [])
    assert found is not None and [found[key] for key in ("hash", "lacp_rate", "min_links", "primary", "partner", "aggregator")] == [None] * 6
    lonely = dict(BOND, linkinfo={"info_kind": "bond", "info_data": {"mode": "802.3ad", "ad_info": {"partner_mac": "00:00:00:00:00:00"}}})
    assert (lagg_of(lonely, []) or {"partner": 1})["partner"] is None
    assert vlan_of({"ifname": "eth0.10", "link": "eth0", "linkinfo": {"info_kind": "vlan", "info_data": {"id": 10}}}) == {"id": 10, "parent": "eth0"}
    made = [kind_of({"linkinfo": {"info_kind": kind}}) for kind in ("veth", "bridge", "vxlan")]
    assert [kind_of({"link_type": "ether"}), kind_of({"link_type": "none"}), *made] == ["port", "other", "port", "bridge", "other"]


def way(files: dict[str, str], route: str | None = "eth1") -> dict[str, str | None]:
    node = SystemdNode(files=files)
    node.on(["ip", "-j", "route", "get"], lambda argv, stdin: Completed(0 if route else 2, '[{"dev": "%s"}]' % route if route else "", ""))
    return management.observe(node, [{"name": "eth0", "addresses": ["192.0.2.2/24"]}])


def test_the_way_in_is_found_through_sudo_and_told_apart_from_none_and_from_unknown() -> None:
    told = "SSH_CONNECTION=192.0.2.9 50000 192.0.2.2 22\0"
    behind = {"/proc/self/environ": "A=1\0", "/proc/self/status": "PPid:\t7\n", "/proc/7/environ": "B=1\0" + told}
    assert way({"/proc/self/environ": told}) == way(behind) == {"device": "eth0", "address": "192.0.2.2", "via": "eth1"}
    assert way({"/proc/self/environ": "A=1\0", "/proc/self/status": "PPid:\t0\n"}) == {"device": None, "address": None, "via": None}
    elsewhere = {"/proc/self/environ": "SSH_CONNECTION=192.0.2.9 1 198.51.100.7 22\0"}
    assert way(elsewhere)["device"] == "eth1"
    with pytest.raises(NodeError, match="no interface has the address"):
        way(elsewhere, None)


def test_what_names_a_device_is_found_as_a_whole_word_and_outside_comments() -> None:
    node = SystemdNode()
    node.says(["grep"], "/etc/nftables.conf\0003:iifname eth0 accept # eth1\n/etc/nftables.conf\0004:iifname eth0.10 drop\n"
                        "/etc/sysctl.d/9.conf\0001:net.ipv4.conf.eth0.rp_filter=1\n/etc/nftables.d/hafirewall.nft\0001:iifname eth0 accept\n", 2)
    assert [(row["device"], row["kind"], row["where"]) for row in references.observe(node, ["eth0", "eth1"])] == [
        ("eth0", "rule", "/etc/nftables.conf:3"), ("eth0", "setting", "/etc/sysctl.d/9.conf:1")]


INTERFACES = """auto lo
iface lo inet loopback

allow-hotplug eth1
iface eth1 inet static
    address 192.0.2.2/24
    mtu 9000
    up ethtool -K eth1 gro off
    up ip route add 198.51.100.0/24 via 192.0.2.1 dev eth1
iface eth1 inet6 auto

# about the spare port
auto eth2
iface eth2 inet manual

# the VLAN
auto eth1.10
iface eth1.10 inet dhcp
    vlan-raw-device eth1
"""


def test_stanzas_get_the_new_names_and_the_lagg_its_commands() -> None:
    edit = Edit({"eth1": "bond1", "eth1.10": "bond1.10"}, ["eth2"], {"bond1": ["    pre-up true"]}, {"bond1": ["mtu"]})
    text = edited({"f": INTERFACES}, edit)["f"]
    assert text == """auto lo
iface lo inet loopback

auto bond1
iface bond1 inet static
%s
    pre-up true
%s
    address 192.0.2.2/24
    up ethtool -K eth1 gro off
    up ip route add 198.51.100.0/24 via 192.0.2.1 dev bond1
iface bond1 inet6 auto

# about the spare port

# the VLAN
auto bond1.10
iface bond1.10 inet dhcp
    vlan-raw-device bond1
""" % (BEGIN, END)
    assert managed(text.splitlines(), "bond1") == ["    pre-up true"]
    other = edited({"f": text}, Edit({}, [], {"bond2": ["    pre-up other"]}, {}))["f"]
    assert managed(other.splitlines(), "bond1") == ["    pre-up true"]
    again = edited({"f": text}, Edit({}, [], {"bond1": ["    pre-up new"]}, {}))["f"]
    assert managed(again.splitlines(), "bond1") == ["    pre-up new"] and "pre-up true" not in again
