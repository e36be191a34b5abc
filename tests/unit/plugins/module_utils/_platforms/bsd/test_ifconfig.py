# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Devices as ifconfig shows them: what real FreeBSD wrote, and forms that other releases and devices have."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import devices
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Address, network_of, own_address, parse
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.transcripts import transcript

# sbin/ifconfig: ifvlan.c (the second form is that of releases before 13), iflagg.c with -v, ifbridge.c.
OTHERS = """em0.10: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
\tdescription: GUESTS
\tether 02:00:00:00:00:01
\tinet 192.0.2.2 netmask 0xffffffc0 broadcast 192.0.2.63
\tgroups: vlan
\tvlan: 10 vlanproto: 802.1q vlanpcp: 0 parent interface: em0
\tmedia: Ethernet autoselect (1000baseT <full-duplex>)
\tstatus: active
em0_vlan20: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
\tether 02:00:00:00:00:01
\tvlan: 20 parent interface: em0
lagg9.30: flags=8002<BROADCAST,MULTICAST> metric 0 mtu 1500
\tether 00:00:00:00:00:00
\tgroups: vlan
\tvlan: 0 vlanproto: 0x0000 vlanpcp: 0 parent interface: <none>
em0: flags=8943<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST> metric 0 mtu 9000
\tether 02:00:00:00:00:01
\tinet6 fe80::1%em0 prefixlen 64 scopeid 0x1
\tinet6 2001:db8::1 prefixlen 64 vhid 21
\tmedia: Ethernet 10Gbase-Twinax <full-duplex> (10Gbase-Twinax <full-duplex,rxpause,txpause>)
\tstatus: active
em1: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
\tether 02:00:00:00:00:05
\thwaddr 02:00:00:00:00:06
\tmedia: Ethernet autoselect (100baseTX <full-duplex>)
\tstatus: active
em2: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
\tether 02:00:00:00:00:05
\tmedia: Ethernet autoselect (none)
\tstatus: no carrier
lagg0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
\tether 02:00:00:00:00:05
\tlaggproto lacp lagghash l2,l3
\tlagg options:
\t\tflags=90<LACP_STRICT,LACP_FAST_TIMO>
\t\tflowid_shift: 16
\tlagg statistics:
\t\tactive ports: 1
\t\tflapping: 0
\tlag id: [(8000,02-00-00-00-00-05,014B,0000,0000),
\t\t (8000,02-00-00-00-00-AA,0005,0000,0000)]
\tlaggport: em1 flags=1c<ACTIVE,COLLECTING,DISTRIBUTING> state=3d<ACTIVITY,AGGREGATION,SYNC,COLLECTING,DISTRIBUTING>
\t\t[(8000,02-00-00-00-00-05,014B,8000,0001),
\t\t (8000,02-00-00-00-00-AA,0005,8000,0011)]
\tlaggport: em2 flags=0<> state=45<ACTIVITY,AGGREGATION,DEFAULTED>
\t\t[(8000,02-00-00-00-00-05,014B,8000,0002),
\t\t (FFFF,00-00-00-00-00-00,0000,FFFF,0000)]
\tgroups: lagg
\tmedia: Ethernet autoselect
\tstatus: active
bridge0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
\tether 58:9c:fc:10:ff:d1
\tid 00:00:00:00:00:00 priority 32768 hellotime 2 fwddelay 15
\tmember: em0.10 flags=143<LEARNING,DISCOVER,AUTOEDGE,AUTOPTP>
\tgroups: bridge
ovpns1: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> metric 0 mtu 1500
\tinet 198.51.100.1 --> 198.51.100.2 netmask 0xffffff00
\tgroups: tun openvpn
\tOpened by PID 4711
"""


def row(text: str, name: str, **more: object) -> dict:
    return next(row for row in devices.rows(parse(text), more.get("counted", {}), more.get("assigned", {})) if row["name"] == name)


@pytest.mark.parametrize(("name", "device", "expected"), [
    ("31-ifconfig-carp-master.A", "em0", {"mac": "52:54:00:00:0a:00", "addresses": ["10.1.0.2/24", "10.1.0.1/24"], "up": True, "speed": 1000, "kind": "port"}),
    ("31-ifconfig-carp-backup.B", "em0", {"mac": "52:54:00:00:0b:00", "addresses": ["10.1.0.3/24", "10.1.0.1/24"], "mtu": 1500}),
    ("90-ifconfig-vtnet.B", "vtnet0", {"addresses": ["10.1.0.3/24"], "speed": 10000, "kind": "port", "up": True}),
    # Not UP, though there is a carrier.
    ("010-ifconfig-all-fresh.A", "em1", {"up": False, "addresses": [], "speed": 1000, "kind": "port"}),
    ("93-ifconfig-lagg.A", "lagg2", {"mac": "52:54:00:00:0a:01", "addresses": ["10.255.0.1/24"], "kind": "lagg", "up": True, "vlan": None}),
])
def test_what_freebsd_wrote_becomes_evidence(name, device, expected):
    found = row(transcript(name), device)
    assert {key: found[key] for key in expected} == expected


def test_pseudo_devices_are_no_interfaces():
    assert [row["name"] for row in devices.rows(parse(transcript("010-ifconfig-all-fresh.A")), {}, {})] == ["em0", "em1", "em2"]


def test_a_lagg_tells_its_members_and_which_carries_the_traffic():
    lagg = row(transcript("93-ifconfig-lagg.A") + OTHERS, "lagg1")["lagg"]
    # The same words of a port that has no carrier.
    assert (lagg["ports"][0]["active"], lagg["ports"][0]["up"]) == (True, False)
    assert {key: lagg[key] for key in ("protocol", "members", "hash", "lacp_rate", "primary", "active", "aggregator", "partner")} == {
        "protocol": "failover", "members": ["em2"], "hash": None, "lacp_rate": None, "primary": "em2", "active": "em2", "aggregator": None, "partner": None}


def test_lacp_tells_its_partner_and_who_is_not_aggregated_with_it():
    found = row(OTHERS, "lagg0")
    lagg = found["lagg"]
    assert (lagg["hash"], lagg["lacp_rate"], lagg["partner"], found["speed"]) == ("l2+l3", "fast", "02:00:00:00:00:aa", 100)
    first, second = lagg["ports"]
    assert first == {"name": "em1", "up": True, "mac": "02:00:00:00:00:06", "active": True, "failures": None, "aggregator": lagg["aggregator"],
                     "synchronized": None, "collecting": True, "distributing": True}
    assert (second["up"], second["collecting"], second["distributing"]) == (False, False, False)
    assert second["aggregator"] not in (None, lagg["aggregator"])
    assert [row(OTHERS, name)["master"] for name in ("em1", "em2", "em0")] == ["lagg0", "lagg0", None]


def test_nobody_is_no_partner():
    assert row(OTHERS.replace("02-00-00-00-00-AA", "00-00-00-00-00-00"), "lagg0")["lagg"]["partner"] is None


@pytest.mark.parametrize(("name", "kind", "vlan", "master", "speed"), [
    ("em0.10", "vlan", {"id": 10, "parent": "em0"}, "bridge0", 10000), ("em0_vlan20", "vlan", {"id": 20, "parent": "em0"}, None, 10000),
    ("bridge0", "bridge", None, None, None), ("ovpns1", "other", None, None, None), ("em2", "port", None, "lagg0", None),
    ("lagg9.30", "other", None, None, None)])
def test_kinds_are_told_apart(name, kind, vlan, master, speed):
    found = row(OTHERS, name)
    assert (found["kind"], found["vlan"], found["master"], found["speed"]) == (kind, vlan, master, speed)


def test_addresses_have_their_prefix_length_and_no_zone():
    links = parse(OTHERS)
    assert links["em0"].addresses == (Address("fe80::1/64", None), Address("2001:db8::1/64", 21))
    assert (links["em0.10"].addresses, links["ovpns1"].addresses) == ((Address("192.0.2.2/26", None),), (Address("198.51.100.1/24", None),))


def test_the_network_of_a_device_is_not_taken_from_a_virtual_address():
    text = transcript("31-ifconfig-carp-master.A").replace("broadcast 10.1.0.255\n", "broadcast 10.1.0.255 vhid 7\n")
    assert (own_address(parse(text), "em0"), network_of(parse(text), "em0"), own_address(parse(text), "em9")) == (None, None, None)
    assert network_of(parse(transcript("31-ifconfig-carp-master.A")), "em0") == "10.1.0.0/24"


def test_the_products_interfaces_and_the_counters_are_put_to_their_devices():
    found = row(OTHERS, "em0", counted={"em0": {"rx_bytes": 7, "tx_packets": 9}}, assigned={"opt3": {"if": "em0", "descr": "DMZ", "ipaddrv6": "dhcp6"}})
    assert (found["key"], found["description"], found["rx_bytes"], found["tx_bytes"], found["tx_packets"]) == ("opt3", "DMZ", 7, None, 9)
    # Neither link-local nor virtual addresses are lent.
    assert found["leased"] == []
    lent = row(OTHERS, "em0.10", assigned={"opt4": {"if": "em0.10", "ipaddr": "dhcp"}})
    assert (lent["leased"], lent["description"]) == (["192.0.2.2/26"], None)
    assert row(OTHERS, "em0.10", assigned={"opt4": {"if": "em0.10", "ipaddr": "192.0.2.2"}})["leased"] == []


def test_words_that_are_not_known_are_passed_over():
    assert parse("nonsense\n\tinet 192.0.2.1\n") == {}
    assert parse("em7: flags=0 metric 0 mtu 1500\n\tnew thing: 5\n\tinet6 what\n")["em7"].mtu == 1500
