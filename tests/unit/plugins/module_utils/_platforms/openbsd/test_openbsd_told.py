# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What OpenBSD's programs print. The texts are made from the formats of its source, which is named at each."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import devices
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.carp import Instance
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import own_address
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.netstat import pfsync_told
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_ruleset import parse as parse_rules
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import ifconfig, told

# sbin/ifconfig/ifconfig.c: status, getencap, carp_status, pfsync_status, trunk_status, getifgroups, in_status, in6_alias.
SHOWN = """lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 32768
\tindex 4 priority 0 llprio 3
\tgroups: lo
\tinet6 ::1 prefixlen 128
\tinet 127.0.0.1 netmask 0xff000000
em0: flags=8b43<UP,BROADCAST,RUNNING,PROMISC,ALLMULTI,SIMPLEX,MULTICAST> mtu 1500
\tlladdr 02:00:00:00:00:01
\tdescription: LAN
\tindex 1 priority 0 llprio 3
\tgroups: egress
\tmedia: Ethernet autoselect (1000baseT full-duplex,rxpause,txpause)
\tstatus: active
\tinet6 fe80::1%em0 prefixlen 64 scopeid 0x1
\tinet6 2001:db8::2 prefixlen 64
\tinet 192.0.2.2 netmask 0xffffff00 broadcast 192.0.2.255
ix0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tlladdr fe:e1:ba:d0:11:22
\tindex 2 priority 0 llprio 3
\ttrunk: trunkdev aggr0
\tmedia: Ethernet autoselect (10GbaseSR full-duplex)
\tstatus: active
ix1: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tlladdr fe:e1:ba:d0:11:22
\tindex 3 priority 0 llprio 3
\ttrunk: trunkdev aggr0
\tmedia: Ethernet autoselect (none)
\tstatus: no carrier
aggr0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tlladdr fe:e1:ba:d0:11:22
\tindex 7 priority 0 llprio 7
\ttrunk: trunkproto lacp
\ttrunk id: [(8000,fe:e1:ba:d0:11:22,0007,0000,0000),
\t\t (8000,02:00:00:00:00:AA,0001,0000,0000)]
\t\tix0 lacp actor system pri 0x8000 mac fe:e1:ba:d0:11:22, key 0x7, port pri 0x8000 number 0x2
\t\tix0 lacp actor state activity,aggregation,sync,collecting,distributing
\t\tix0 lacp partner system pri 0x8000 mac 02:00:00:00:00:aa, key 0x1, port pri 0x8000 number 0x1
\t\tix0 lacp partner state activity,aggregation,sync,collecting,distributing
\t\tix0 port active,collecting,distributing
\t\tix1 lacp actor system pri 0x8000 mac fe:e1:ba:d0:11:22, key 0x7, port pri 0x8000 number 0x3
\t\tix1 port disabled
\tgroups: aggr
\tmedia: Ethernet autoselect
\tstatus: active
trunk0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tlladdr 02:00:00:00:00:05
\tindex 8 priority 0 llprio 3
\ttrunk: trunkproto failover
\t\tem5 port active
\t\tem4 port master
\tgroups: trunk
\tmedia: Ethernet autoselect
\tstatus: active
vlan7: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tlladdr fe:e1:ba:d0:11:22
\tindex 9 priority 0 llprio 3
\tencap: vnetid 7 parent aggr0 txprio packet rxprio outer
\tgroups: vlan
\tmedia: Ethernet autoselect
\tstatus: active
\tinet 198.51.100.130 netmask 0xfffffff0 broadcast 198.51.100.143
vlan8: flags=8802<BROADCAST,SIMPLEX,MULTICAST> mtu 1500
\tindex 10 priority 0 llprio 3
\tencap: vnetid 8 parent none txprio packet rxprio outer
\tgroups: vlan
pfsync0: flags=41<UP,RUNNING> mtu 1500
\tindex 11 priority 0 llprio 3
\tencap: parent vlan7
\tpfsync: syncdev: vlan7 syncpeer: 198.51.100.131 maxupd: 128 defer: off
\tgroups: carp pfsync
carp10: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tlladdr 00:00:5e:00:01:0a
\tindex 12 priority 15 llprio 3
\tcarp: MASTER carpdev em0 vhid 10 advbase 1 advskew 0
\tgroups: carp
\tstatus: master
\tinet6 fe80::200:5eff:fe00:10a%carp10 prefixlen 64 scopeid 0xc
\tinet6 2001:db8::1 prefixlen 64
\tinet 192.0.2.1 netmask 0xffffff00 broadcast 192.0.2.255
carp20: flags=8803<UP,BROADCAST,SIMPLEX,MULTICAST> mtu 1500
\tlladdr 00:00:5e:00:01:14
\tindex 13 priority 15 llprio 3
\tcarp: INIT carpdev em9 vhid 20 advbase 2 advskew 100 carppeer 203.0.113.3
\tgroups: carp
\tstatus: invalid
\tinet 203.0.113.1 netmask 0xffffff00 broadcast 203.0.113.255
carp30: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tlladdr 01:00:5e:00:01:1e
\tcarp: carpdev em0 advbase 1 balancing ip
\t\tstate MASTER vhid 30 advskew 0
\t\tstate BACKUP vhid 31 advskew 100
\tgroups: carp
\tstatus: master
carp40: flags=8802<BROADCAST,SIMPLEX,MULTICAST> mtu 1500
\tgroups: carp
"""
# usr.bin/netstat/if.c, intpr: with -b bytes, without packets; one that is down has a star.
OCTETS = """Name    Mtu   Network     Address              Ibytes     Obytes
lo0     32768 <Link>                                0          0
em0     1500  <Link>      02:00:00:00:00:01      1000       2000
em0     1500  192.0.2/24  192.0.2.2              1000       2000
em3*    1500  <Link>      02:00:00:00:00:04         0          0
"""
PACKETS = """Name    Mtu   Network     Address              Ipkts Ifail    Opkts Ofail Colls
lo0     32768 <Link>                              0     0        0     0     0
em0     1500  <Link>      02:00:00:00:00:01      10     1       20     2     0
em0     1500  192.0.2/24  192.0.2.2              10     1       20     2     0
em3*    1500  <Link>      02:00:00:00:00:04       0     0        0     0     0
"""


def test_a_device_has_its_own_words_and_the_shared_ones():
    links = ifconfig.parse(SHOWN)
    em0 = links["em0"]
    assert (em0.mac, em0.own_mac, em0.mtu, em0.speed, em0.up, em0.groups) == ("02:00:00:00:00:01", "02:00:00:00:00:01", 1500, 1000, True, ("egress",))
    assert [address.text for address in em0.addresses] == ["fe80::1/64", "2001:db8::2/64", "192.0.2.2/24"]
    assert own_address(links, "vlan7") == "198.51.100.130/28"
    assert not links["ix1"].up


def test_a_vlan_lies_on_its_parent_and_pfsync0_is_none():
    links = ifconfig.parse(SHOWN)
    assert links["vlan7"].vlan == (7, "aggr0")
    assert [name for name, link in links.items() if link.vlan is not None] == ["vlan7"]


def test_aggr_and_trunk_are_laggs_and_their_ports_are_not():
    links = ifconfig.parse(SHOWN)
    assert [name for name, link in links.items() if link.lagg is not None] == ["aggr0", "trunk0"]
    rows = {row["name"]: row for row in devices.rows(links, {}, {})}
    assert (rows["aggr0"]["kind"], rows["aggr0"]["speed"], rows["ix1"]["master"], rows["vlan7"]["kind"]) == ("lagg", 10000, "aggr0", "vlan")
    aggr, trunk = rows["aggr0"]["lagg"], rows["trunk0"]["lagg"]
    assert (aggr["protocol"], aggr["members"], aggr["partner"]) == ("lacp", ["ix0", "ix1"], "02:00:00:00:00:aa")
    assert [(port["name"], port["active"], port["distributing"]) for port in aggr["ports"]] == [("ix0", True, True), ("ix1", False, False)]
    assert (trunk["protocol"], trunk["members"], trunk["primary"], trunk["active"]) == ("failover", ["em5", "em4"], "em4", "em5")


def test_a_partner_that_nobody_is_is_none():
    text = SHOWN.replace("02:00:00:00:00:AA", "00:00:00:00:00:00")
    assert ifconfig.parse(text)["aggr0"].lagg.partner is None


def test_virtual_hosts_are_on_the_device_that_carries_them():
    found = {carp.name: carp for carp in ifconfig.carps(SHOWN)}
    assert list(found) == ["carp10", "carp20", "carp30"]
    assert found["carp10"].instance == Instance("em0", 10, "active", 1, 0, ("2001:db8::1", "192.0.2.1"))
    assert (found["carp10"].addresses, found["carp10"].up, found["carp10"].shared) == (("2001:db8::1/64", "192.0.2.1/24"), True, False)
    assert found["carp20"].instance == Instance("em9", 20, "init", 2, 100, ("203.0.113.1",), peer="203.0.113.3")
    assert (found["carp30"].shared, found["carp30"].instance.id, found["carp30"].instance.device) == (True, 30, "em0")


def test_a_state_of_carp_is_no_carrier():
    links = ifconfig.parse(SHOWN)
    assert (links["carp10"].up, links["carp20"].up) == (True, False)


def test_lines_that_nobody_knows_are_passed_over():
    text = SHOWN.replace("\tgroups: egress\n", "\tgroups: egress\n\tsomething: new vhid 9 of it\n\t\tand more of it\n")
    assert ifconfig.parse(text) == ifconfig.parse(SHOWN)
    assert ifconfig.carps(text) == ifconfig.carps(SHOWN)
    assert ifconfig.parse("") == {} and ifconfig.carps("") == []


def test_the_demotion_of_a_group_is_told_by_printgroupattribs():
    assert ifconfig.demotion("carp: carp demote count 33\n") == 33
    assert ifconfig.demotion("ifconfig: carp: SIOCGIFGATTR: No such file or directory\n") is None


def test_variables_are_read_as_sysctl_prints_them():
    # sbin/sysctl/sysctl.c: string, equ, value.
    text = "kern.osrelease=7.6\nnet.inet.carp.allow=1\nsysctl: second level name pfsync in net.pfsync.x is invalid\n"
    assert told.variables(text) == {"kern.osrelease": "7.6", "net.inet.carp.allow": "1"}


def test_devices_are_counted_from_both_tables_and_addresses_are_not():
    assert told.counters(OCTETS, PACKETS) == {
        "lo0": {"rx_bytes": 0, "tx_bytes": 0, "rx_packets": 0, "tx_packets": 0},
        "em0": {"rx_bytes": 1000, "tx_bytes": 2000, "rx_packets": 10, "tx_packets": 20},
        "em3": {"rx_bytes": 0, "tx_bytes": 0, "rx_packets": 0, "tx_packets": 0}}
    assert told.counters("", PACKETS) == {} and told.counters("em0 1500 <Link> x\n", "nothing\n") == {}


def test_neighbours_are_those_of_the_interface_that_answered():
    # usr.sbin/arp/arp.c print_entry, usr.sbin/ndp/ndp.c dump.
    arp = "\n".join([
        "Host                                 Ethernet Address    Netif Expire    Flags",
        "198.51.100.130                       02:00:00:00:00:02     em1 permanent l",
        "198.51.100.131                       02:00:00:00:01:02     em1 19m48s    ",
        "198.51.100.132                       (incomplete)          em1 expired   ",
        "192.0.2.3                            02:00:00:00:01:01     em0 19m48s    ", ""])
    ndp = """Neighbor                                Linklayer Address   Netif Expire    S Flags
2001:db8:5::1                           02:00:00:00:00:02     em1 permanent R l
fe80::2%em1                             02:00:00:00:01:02     em1 23h59m58s S R
"""
    assert told.arp(arp, "em1") == [{"address": "198.51.100.131", "mac": "02:00:00:00:01:02", "how": "arp"}]
    assert told.ndp(ndp, "em1") == [{"address": "fe80::2", "mac": "02:00:00:00:01:02", "how": "ndp"}]


def test_pfsync_counts_in_the_words_of_openbsd():
    # usr.bin/netstat/inet.c, pfsync_stats.
    text = """pfsync:
\t21 packets received (IPv4)
\t0 packets received (IPv6)
\t\t1 packet discarded for bad interface
\t\t0 packets discarded for bad ttl
\t\t0 packets shorter than header
\t\t2 packets discarded for bad version
\t\t0 packets discarded for bad HMAC
\t\t0 packets discarded for bad action
\t\t0 packets discarded for short packet
\t\t0 states discarded for bad values
\t\t3 stale states
\t\t0 failed state lookup/inserts
\t13 packets sent (IPv4)
\t0 packets sent (IPv6)
\t\t0 send failed due to mbuf memory error
\t\t4 send error
"""
    found = pfsync_told(text)
    assert {key: found[key] for key in ("received", "sent", "bad_interface", "stale_state", "no_memory", "send_errors", "malformed")} == {
        "received": 21, "sent": 13, "bad_interface": 1, "stale_state": 3, "no_memory": 0, "send_errors": 4, "malformed": 2}


def test_a_rule_of_a_routing_domain_is_not_taken_for_one_of_all_devices():
    # sbin/pfctl/pfctl_parser.c, print_rule.
    rule, other = parse_rules("@0 block drop in on rdomain 1 inet from any to 192.0.2.0/24\n@1 pass on ! rdomain 0 all flags S/SA\n")
    assert (rule.interface, rule.conditions, rule.family, rule.destination) == (None, ("rdomain", "1"), "inet", "192.0.2.0/24")
    assert (other.interface, other.elsewhere, other.conditions) == (None, False, ("rdomain", "0"))
