# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rules the options ask for: nothing broader than the traffic itself."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_rules import SyncTraffic, fitting, wanted_rules
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

SYNC = {"enabled": True, "interface": "sync0", "network": "198.51.100.128/28", "transport": "multicast", "group": "225.0.0.50", "port": 3780, "vrrp": []}
V6 = {"network": "2001:db8:5::/64", "group": "ff05::50"}


def bodies(**changes):
    return {rule.name: rule.body for rule in wanted_rules(dict(SYNC, **changes))}


def vrrp(**changes):
    return [dict({"interface": "lan0", "family": "ipv4", "sources": ["192.0.2.4", "192.0.2.3/24"], "transport": "multicast"}, **changes)]


def test_multicast():
    assert bodies() == {
        "engine in": 'iifname "sync0" ip saddr 198.51.100.128/28 ip daddr 225.0.0.50 udp dport 3780',
        "engine out": 'oifname "sync0" ip saddr 198.51.100.128/28 ip daddr 225.0.0.50 udp dport 3780',
        "membership in": 'iifname "sync0" ip saddr { 0.0.0.0, 198.51.100.128/28 } ip daddr { 224.0.0.1, 225.0.0.50 } igmp type membership-query',
        "membership out": 'oifname "sync0" ip daddr { 224.0.0.2, 224.0.0.22, 225.0.0.50 } meta l4proto 2',
    }


def test_unicast_needs_no_membership():
    assert bodies(transport="unicast", group=None, port=4000) == {
        "engine in": 'iifname "sync0" ip saddr 198.51.100.128/28 ip daddr 198.51.100.128/28 udp dport 4000',
        "engine out": 'oifname "sync0" ip saddr 198.51.100.128/28 ip daddr 198.51.100.128/28 udp dport 4000',
    }


def test_ipv6_has_neighbour_discovery_and_mld():
    found = bodies(**V6)
    assert found["engine in"] == 'iifname "sync0" ip6 saddr 2001:db8:5::/64 ip6 daddr ff05::50 udp dport 3780'
    assert found["membership in"] == 'iifname "sync0" ip6 saddr fe80::/10 icmpv6 type mld-listener-query'
    assert found["membership out"] == 'oifname "sync0" icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report }'
    assert found["neighbours in"] == ('iifname "sync0" ip6 saddr { 2001:db8:5::/64, fe80::/10 } ip6 hoplimit 255 '
                                      'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }')
    assert set(bodies(**{**V6, "transport": "unicast", "group": None})) == {"engine in", "engine out", "neighbours in", "neighbours out"}


@pytest.mark.parametrize(("group", "sources"), [("ff02::50", 2), ("ff12::50", 2), ("ff05::50", 1), ("ff0e::50", 1)])
def test_a_link_local_group_is_sent_to_from_link_local_addresses(group, sources):
    rule = wanted_rules(dict(SYNC, network="2001:db8:5::/64", group=group))[0]
    assert len(rule.packets) == sources and ("fe80::/10" in rule.body) == (sources == 2)


def test_vrrp():
    only = {"enabled": False}
    assert bodies(**only, vrrp=vrrp()) == {
        "vrrp in lan0 ipv4": 'iifname "lan0" ip saddr { 192.0.2.3, 192.0.2.4 } ip daddr 224.0.0.18 meta l4proto 112',
        "vrrp out lan0 ipv4": 'oifname "lan0" ip daddr 224.0.0.18 meta l4proto 112',
    }
    assert bodies(**only, vrrp=vrrp(transport="unicast")) == {
        "vrrp in lan0 ipv4": 'iifname "lan0" ip saddr { 192.0.2.3, 192.0.2.4 } meta l4proto 112',
        "vrrp out lan0 ipv4": 'oifname "lan0" ip daddr { 192.0.2.3, 192.0.2.4 } meta l4proto 112',
    }
    assert bodies(**only, vrrp=vrrp(sources=[]))["vrrp in lan0 ipv4"] == 'iifname "lan0" ip daddr 224.0.0.18 meta l4proto 112'
    network = bodies(**only, vrrp=vrrp(sources=["192.0.2.0/24"]))
    assert network["vrrp in lan0 ipv4"] == 'iifname "lan0" ip saddr 192.0.2.0/24 ip daddr 224.0.0.18 meta l4proto 112'
    assert bodies(**only, vrrp=vrrp(family="ipv6", sources=["2001:db8:1::3"])) == {
        "vrrp in lan0 ipv6": 'iifname "lan0" ip6 saddr fe80::/10 ip6 daddr ff02::12 meta l4proto 112',
        "vrrp out lan0 ipv6": 'oifname "lan0" ip6 daddr ff02::12 meta l4proto 112',
    }
    unicast = bodies(**only, vrrp=vrrp(family="ipv6", sources=["2001:db8:1::3"], transport="unicast"))
    assert unicast["vrrp in lan0 ipv6"] == 'iifname "lan0" ip6 saddr 2001:db8:1::3 meta l4proto 112'
    assert bodies(enabled=False) == {}


def test_every_rule_counts_and_says_whose_it_is():
    rules = wanted_rules(dict(SYNC, vrrp=vrrp()))
    assert all(rule.text == '%s counter accept comment "hafirewall.cluster: %s"' % (rule.body, rule.name) for rule in rules)
    assert all(rule.packets and {packet.direction for packet in rule.packets} == {rule.direction} for rule in rules)


def test_rules_fit_chains_by_family_and_direction():
    rules = wanted_rules(dict(SYNC, vrrp=vrrp() + vrrp(family="ipv6")))
    assert {rule.version for rule in fitting(rules, ("inet", "t", "c"), ["in"])} == {4, 6}
    assert [rule.name for rule in fitting(rules, ("ip6", "t", "c"), ["in", "out"])] == ["vrrp in lan0 ipv6", "vrrp out lan0 ipv6"]
    assert {rule.direction for rule in fitting(rules, ("ip", "t", "c"), ["out"])} == {"out"}


@pytest.mark.parametrize(("changes", "message"), [
    ({"group": None}, "group is missing"), ({"group": "192.0.2.1"}, "is not an IPv4 multicast address"), ({"group": "ff05::50"}, "not an IPv4 multicast"),
    ({"network": "nonsense"}, "nonsense"), ({"group": "nonsense"}, "nonsense"),
])
def test_contradictions_are_errors(changes, message):
    with pytest.raises(NodeError, match=message):
        wanted_rules(dict(SYNC, **changes))


def test_the_engines_packets_stay_within_the_network():
    tiny = SyncTraffic.of(dict(SYNC, network="198.51.100.130/31", transport="unicast", group=None))
    assert {(packet.source, packet.target) for packet in tiny.packets()} == {("198.51.100.131", "198.51.100.130"), ("198.51.100.130", "198.51.100.131")}
    known = SyncTraffic.of(dict(SYNC, address="198.51.100.130", peer="198.51.100.129", transport="unicast"))
    assert [(packet.source, packet.target) for packet in known.packets()] == [("198.51.100.129", "198.51.100.130"), ("198.51.100.130", "198.51.100.129")]
    assert SyncTraffic.of(dict(SYNC, network="198.51.100.130/32")).packet("in").target == "225.0.0.50"
