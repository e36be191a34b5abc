# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that planning refuses, one row each: the change, and the one error that it must lead to, with its path, host and remedy."""

from __future__ import annotations

from typing import Any

import pytest
from intent_cases import GONE, evidence, node, refused

SYNC = "hafirewall_cluster.sync"
VIPS = "hafirewall_cluster.virtual_ips"
VRRP = "hafirewall_cluster.vrrp"
FACES = "hafirewall_node.interfaces"
FW2 = "nodes.fw2.interfaces"
TWO = {"evidence.fw1": evidence(1), "evidence.fw2": evidence(2)}

# (what is wrong, changes, number of nodes, path, host, part of the problem, part of the remedy)
ROWS: list[tuple[str, dict[str, Any], int, str, str | None, str, str]] = [
    # structure
    ("cluster is empty", {"cluster": {}}, 2, "hafirewall_cluster", None, "is empty", "state the cluster"),
    ("cluster is a list", {"cluster": []}, 2, "hafirewall_cluster", None, "is a list, not a mapping", "write a mapping"),
    ("no name", {"cluster.name": GONE}, 2, "hafirewall_cluster.name", None, "is missing", "state it"),
    ("name is a number", {"cluster.name": 7}, 2, "hafirewall_cluster.name", None, "is a whole number (7), not text", "in quotes"),
    ("name with a space", {"cluster.name": "the edge"}, 2, "hafirewall_cluster.name", None, "'the edge'", "up to 63 letters"),
    ("unknown key", {"cluster.sync.trnsport": "unicast"}, 2, f"{SYNC}.trnsport", None, "unknown key", "did you mean transport?"),
    ("unknown key like no other", {"cluster.zzz": 1}, 2, "hafirewall_cluster.zzz", None, "unknown key", "known keys are: lagg_required, laggs, name"),
    ("key that is no text", {"cluster.vrrp": {5: 1}}, 2, f"{VRRP}[5]", None, "unknown key", "known keys are"),
    ("unknown key of a node", {"nodes.fw2.rolle": "x"}, 2, "hafirewall_node.rolle", "fw2", "unknown key", "did you mean role?"),
    ("unknown key of an interface", {f"{FW2}.lan.adress": "x"}, 2, f"{FACES}.lan.adress", "fw2", "unknown key", "did you mean address?"),
    ("boolean as text", {"cluster.state_sync": "yes"}, 2, "hafirewall_cluster.state_sync", None, "is text ('yes'), not a boolean", "| bool"),
    ("boolean for a number", {"cluster.sync.port": True}, 2, f"{SYNC}.port", None, "is a boolean (True), not a whole number", "without quotes"),
    ("number as text", {"cluster.sync.port": "3780"}, 2, f"{SYNC}.port", None, "is text ('3780'), not a whole number", "| int"),
    ("fraction for a whole number", {"cluster.virtual_ips[0].id": 10.0}, 2, f"{VIPS}[0].id", None, "is a number (10.0), not a whole number", "a whole number"),
    ("port out of range", {"cluster.sync.port": 65536}, 2, f"{SYNC}.port", None, "outside 1 to 65535", "a UDP port"),
    ("huge port", {"cluster.sync.port": 10**5000}, 2, f"{SYNC}.port", None, "is a huge number, outside", "1 to 65535"),
    ("list for a mapping", {"cluster.sync": ["sync"]}, 2, SYNC, None, "is a list, not a mapping", "write a mapping"),
    ("mapping for a list", {"cluster.virtual_ips": {}}, 2, VIPS, None, "is a mapping, not a list", "write a list"),
    ("text for a virtual address", {"cluster.virtual_ips[1]": "203.0.113.1"}, 2, f"{VIPS}[1]", None, "is text", "write a mapping"),
    ("no node variables", {"nodes.fw2": None}, 2, "hafirewall_node", "fw2", "is not defined", "state the node's role"),
    ("node is text", {"nodes.fw2": "secondary"}, 2, "hafirewall_node", "fw2", "is text ('secondary')", "write a mapping"),
    ("no interfaces", {"nodes.fw2.interfaces": GONE}, 2, FACES, "fw2", "is missing", "state it"),
    ("interface is a number", {f"{FW2}.wan": 5}, 2, f"{FACES}.wan", "fw2", "is a whole number (5), not text or a mapping", "write text"),
    ("interface without device", {f"{FW2}.wan.device": GONE}, 2, f"{FACES}.wan.device", "fw2", "is missing", "state it"),
    ("odd interface name", {f"{FW2}.1 a": "x0"}, 2, f"{FACES}['1 a']", "fw2", "is '1 a'", "begin with a letter"),
    ("unknown role", {"nodes.fw2.role": "secondry"}, 2, "hafirewall_node.role", "fw2", "is 'secondry', which is not known", "write secondary"),
    ("unknown platform", {"nodes.fw2.platform": "beos"}, 2, "hafirewall_node.platform", "fw2", "not known", "write one of: linux"),
    ("priority 255", {"nodes.fw1.priority": 255}, 2, "hafirewall_node.priority", "fw1", "outside 1 to 254", "address's owner"),
    ("bytes", {"cluster.name": b"edge"}, 2, "hafirewall_cluster.name", None, "is a value of type bytes, not text", "in quotes"),
    # members, roles, ranks
    ("one node", {"nodes.fw2": GONE}, 2, "hafirewall_cluster.name", None, "has only one node, fw1", "two hosts or more"),
    ("no node", {"nodes": {}}, 2, "hafirewall_cluster.name", None, "has no node", "two hosts or more"),
    ("no primary", {"nodes.fw1.role": "secondary"}, 2, "hafirewall_node.role", None, "no node is primary", "make one node primary"),
    ("two primaries", {"nodes.fw2.role": "primary"}, 2, "hafirewall_node.role", None, "2 nodes are primary: fw1, fw2", "leave one of them primary"),
    ("equal priorities", {"nodes.fw2.priority": 120, "nodes.fw3.priority": 120}, 3, "hafirewall_node.priority", "fw3", "is 120, as on fw2",
     "a priority of its own"),
    ("equal to the primary's default", {"nodes.fw2.priority": 200}, 2, "hafirewall_node.priority", "fw2", "is 200, as on fw1", "a priority of its own"),
    ("secondary above primary", {"nodes.fw2.priority": 210}, 2, "hafirewall_node.priority", "fw2", "above the 200 of the primary fw1", "the highest priority"),
    ("primary below the default", {"nodes.fw1.priority": 100}, 2, "hafirewall_node.priority", "fw2", "is 150, above the 100", "the highest priority"),
    # devices
    ("device name too long", {f"{FW2}.wan.device": "abcdefghijklmnop"}, 2, f"{FACES}.wan.device", "fw2", "longer than the 15", "rename the device"),
    ("device name with a slash", {f"{FW2}.wan.device": "wan/0"}, 2, f"{FACES}.wan.device", "fw2", "a character other than", "rename the device"),
    ("device name with a space", {f"{FW2}.wan.device": "wan 0"}, 2, f"{FACES}.wan.device", "fw2", "a character other than", "rename the device"),
    ("device name with a quote", {f"{FW2}.wan.device": 'wan"0'}, 2, f"{FACES}.wan.device", "fw2", "a character other than", "rename the device"),
    ("device name with a line end", {f"{FW2}.wan.device": "wan0\n"}, 2, f"{FACES}.wan.device", "fw2", "a character other than", "rename the device"),
    ("device name that is a folder", {f"{FW2}.wan.device": ".."}, 2, f"{FACES}.wan.device", "fw2", "is no device name", "rename the device"),
    ("short form of a bad device", {"nodes.fw2.interfaces.mgmt": "-x"}, 2, f"{FACES}.mgmt", "fw2", "begins with '-'", "rename the device"),
    ("Sync device e0", {f"{FW2}.sync.device": "e0"}, 2, f"{FACES}.sync.device", "fw2", "'e0' reads as a hexadecimal number", "use another for Sync"),
    ("Sync device on", {f"{FW2}.sync.device": "on"}, 2, f"{FACES}.sync.device", "fw2", "a word with a meaning", "use another for Sync"),
    ("Sync device UDP", {f"{FW2}.sync.device": "UDP"}, 2, f"{FACES}.sync.device", "fw2", "is a keyword of conntrackd", "use another for Sync"),
    ("Sync device with a digit first", {f"{FW2}.sync.device": "0sync"}, 2, f"{FACES}.sync.device", "fw2", "does not begin with a letter",
     "use another for Sync"),
    ("Sync device with a space", {f"{FW2}.sync.device": "e 0"}, 2, f"{FACES}.sync.device", "fw2", "a character other than", "rename the device"),
    ("one device twice", {f"{FW2}.wan.device": "lan0"}, 2, f"{FACES}.wan.device", "fw2", "the device of lan too", "a device of its own"),
    # the nodes' addresses
    ("no prefix length", {f"{FW2}.wan.address": "203.0.113.3"}, 2, f"{FACES}.wan.address", "fw2", "has no prefix length", "192.0.2.2/24"),
    ("no address", {f"{FW2}.wan.address": "203.0.113.333/24"}, 2, f"{FACES}.wan.address", "fw2", "is not valid", "192.0.2.2/24"),
    ("number for an address", {f"{FW2}.wan.address": 3405803779}, 2, f"{FACES}.wan.address", "fw2", "not text", "192.0.2.2/24"),
    ("zone in an address", {f"{FW2}.lan.addresses": ["fe80::3%lan0/64"]}, 2, f"{FACES}.lan.addresses[0]", "fw2", "names a zone", "2001:db8::2/64"),
    ("network address", {f"{FW2}.sync.address": "198.51.100.128/28"}, 2, f"{FACES}.sync.address", "fw2", "is the network address of", "that a host can have"),
    ("broadcast address", {f"{FW2}.sync.address": "198.51.100.143/28"}, 2, f"{FACES}.sync.address", "fw2", "is the broadcast address", "that a host can have"),
    ("anycast address", {f"{FW2}.lan.addresses": ["2001:db8:1::/64"]}, 2, f"{FACES}.lan.addresses[0]", "fw2", "subnet-router anycast", "that a host can have"),
    ("two nodes with one address", {f"{FW2}.wan.address": "203.0.113.2/24"}, 2, f"{FACES}.wan.address", "fw2", "203.0.113.2 belongs to fw1 too", "of its own"),
    ("two nodes with one Sync address", {f"{FW2}.sync.address": "198.51.100.130/28"}, 2, f"{FACES}.sync.address", "fw2", "belongs to fw1 too", "of its own"),
    ("two nodes with one IPv6 address", {f"{FW2}.lan.addresses": ["2001:db8:1::2/64"]}, 2, f"{FACES}.lan.addresses[0]", "fw2", "belongs to fw1 too",
     "of its own"),
    ("one address on two devices", {f"{FW2}.dmz": {"device": "dmz0", "address": "203.0.113.3/24"}}, 2, f"{FACES}.dmz.address", "fw2",
     "belongs to device wan0 too",
     "of its own"),
    # Sync
    ("no sync", {"cluster.sync": GONE}, 2, SYNC, None, "is missing", "state_sync: false"),
    ("no Sync network", {"cluster.sync.network": GONE}, 2, f"{SYNC}.network", None, "is missing", "state it"),
    ("network with host bits", {"cluster.sync.network": "198.51.100.129/28"}, 2, f"{SYNC}.network", None, "an address within the network 198.51.100.128/28",
     "a network"),
    ("Sync interface not in a map", {f"{FW2}.sync": GONE}, 2, f"{FACES}.sync", "fw2", "the Sync interface is sync", "the node's device and its address"),
    ("Sync network too small", {"cluster.sync.network": "198.51.100.132/30", "nodes.fw1.interfaces.sync.address": "198.51.100.133/30",
                                f"{FW2}.sync.address": "198.51.100.134/30", "nodes.fw3.interfaces.sync": "sync0", "cluster.state_sync": False}, 3,
     f"{SYNC}.network", None, "has room for 2, and the cluster has 3 nodes", "a larger network"),
    ("Sync network link-local", {"cluster.sync.network": "fe80::/64"}, 2, f"{SYNC}.network", None, "is link-local", "fd00::/8"),
    ("Sync network multicast", {"cluster.sync.network": "239.0.0.0/24"}, 2, f"{SYNC}.network", None, "is a multicast, loopback", "the Sync segment alone"),
    ("Sync network loopback", {"cluster.sync.network": "127.0.0.0/8"}, 2, f"{SYNC}.network", None, "is a multicast, loopback", "the Sync segment alone"),
    ("Sync network of everything", {"cluster.sync.network": "0.0.0.0/0", "cluster.virtual_ips": [], "nodes.fw1.interfaces": {"sync": "sync0"},
                                    "nodes.fw2.interfaces": {"sync": "sync0"}}, 2, f"{SYNC}.network", None, "is a multicast, loopback",
     "the Sync segment alone"),
    ("Sync network overlaps a virtual address's", {"cluster.virtual_ips": [{"interface": "lan", "address": "198.51.100.140/28", "id": 1}],
                                                   "nodes.fw1.interfaces.lan": "lan0", f"{FW2}.lan": "lan0"}, 2,
     f"{SYNC}.network", None, f"overlaps 198.51.100.128/28 of {VIPS}[0]", "a network of its own"),
    ("Sync network overlaps in IPv6", {"cluster.state_sync": False, "cluster.sync.network": "2001:db8:1::/48", "cluster.virtual_ips": [],
                                       "nodes.fw1.interfaces.sync": "sync0", f"{FW2}.sync": "sync0", "nodes.fw1.interfaces.lan": "lan0"}, 2,
     f"{SYNC}.network", "fw2", "overlaps 2001:db8:1::/64 of lan on fw2", "a network of its own"),
    ("Sync network overlaps a role's", {"nodes.fw1.interfaces.dmz": {"device": "dmz0", "address": "198.51.100.140/25"}}, 2, f"{SYNC}.network", "fw1",
     "overlaps 198.51.100.128/25 of dmz on fw1", "a network of its own"),
    ("Sync network overlaps an unnamed device's", {**TWO, "evidence.fw2.interfaces[4].addresses": ["198.51.100.200/24"]}, 2, f"{SYNC}.network", "fw2",
     "of device mgmt0 on fw2", "a network of its own"),
    ("Sync address elsewhere", {f"{FW2}.sync.address": "198.51.100.5/28"}, 2, f"{FACES}.sync.address", "fw2", "no address of the node lies in the Sync network",
     "it has"),
    ("Sync prefix differs", {f"{FW2}.sync.address": "198.51.100.131/29"}, 2, f"{FACES}.sync.address", "fw2", "another prefix length", "make them equal"),
    ("Sync address unknown", {f"{FW2}.sync": "sync0"}, 2, f"{FACES}.sync", "fw2", "is not known", "collect evidence first"),
    ("Sync address lacks in evidence", {**TWO, f"{FW2}.sync": "sync0", "evidence.fw2.interfaces[3].addresses": []}, 2, f"{FACES}.sync", "fw2",
     "no address of the node lies",
     "it has: none"),
    ("unicast with three", {"cluster.sync.transport": "unicast"}, 3, f"{SYNC}.transport", None, "reaches one peer, and the cluster has 3 nodes",
     "choose multicast"),
    ("unknown transport", {"cluster.sync.transport": "multcast"}, 2, f"{SYNC}.transport", None, "not known", "write multicast"),
    ("group with unicast", {"cluster.sync.transport": "unicast", "cluster.sync.group": "225.0.0.50"}, 2, f"{SYNC}.group", None, "unicast has no group",
     "remove it"),
    ("group not multicast", {"cluster.sync.group": "192.0.2.50"}, 2, f"{SYNC}.group", None, "192.0.2.50 is not a multicast address", "225.0.0.50"),
    ("group of the other family", {"cluster.sync.group": "ff15::1"}, 2, f"{SYNC}.group", None, "is IPv6, and the Sync network is IPv4", "225.0.0.50"),
    ("group of VRRP", {"cluster.sync.group": "224.0.0.18"}, 2, f"{SYNC}.group", None, "VRRP's own group", "225.0.0.50"),
    ("ftfw with three", {"cluster.sync.mode": "ftfw"}, 3, f"{SYNC}.mode", None, "silently loses states with more than two nodes", "choose notrack"),
    ("alarm without external cache", {"cluster.sync.mode": "alarm", "cluster.sync.external_cache": False}, 2, f"{SYNC}.external_cache", None,
     "always has an external", "leave it out"),
    ("Sync shares a device", {f"{FW2}.sync.device": "lan0"}, 2, f"{SYNC}.interface", None, "is shared with lan on fw2", "allow_shared: true"),
    ("negative refresh", {"cluster.sync.refresh_interval": -1}, 2, f"{SYNC}.refresh_interval", None, "outside 0 to 86400", "0 turns it off"),
    ("Sync device absent", {**TWO, f"{FW2}.sync": "sync9"}, 2, f"{FACES}.sync", "fw2", "the node has no device 'sync9'", "correct the name"),
    # virtual addresses
    ("id 0", {"cluster.virtual_ips[1].id": 0}, 2, f"{VIPS}[1].id", None, "is 0, outside 1 to 255", "1 to 255"),
    ("id 256", {"cluster.virtual_ips[1].id": 256}, 2, f"{VIPS}[1].id", None, "is 256, outside 1 to 255", "1 to 255"),
    ("id twice", {"cluster.virtual_ips[2]": {"interface": "lan", "address": "192.0.2.9/24", "id": 10}}, 2, f"{VIPS}[2].id", None,
     f"10 is the id of {VIPS}[0] on lan too",
     "list the address under its addresses"),
    ("id twice on one shared device", {"cluster.sync.allow_shared": True, "nodes.fw1.interfaces.lan.device": "sync0", f"{FW2}.lan.device": "sync0",
                                       "cluster.virtual_ips": [{"interface": "lan", "address": "192.0.2.1/24", "id": 10},
                                                               {"interface": "sync", "address": "198.51.100.129/28", "id": 10}]}, 2,
     f"{VIPS}[1].id", None,
     f"10 is the id of {VIPS}[0]", "choose another id"),
    ("interface in no map", {"nodes.fw2.interfaces.wan": GONE}, 2, f"{VIPS}[1].interface", "fw2", "wan is not in the node's map", f"{FACES}.wan"),
    ("outside the network", {"cluster.virtual_ips[0].address": "203.0.113.77/24"}, 2, f"{VIPS}[0].address", "fw1", "lies outside the networks",
     "interface's network"),
    ("outside the network, unicast", {"cluster.vrrp.transport": "unicast", "cluster.virtual_ips[0].address": "203.0.113.77/24"}, 2, f"{VIPS}[0].address", "fw2",
     "lies outside the networks", "interface's network"),
    ("no address of the family", {**TWO, "cluster.virtual_ips[1].addresses": GONE, "nodes.fw1.interfaces.wan": "wan0",
                                  "evidence.fw1.interfaces[2].addresses": []}, 2, f"{VIPS}[1].address", "fw1", "no IPv4 address",
     "interface's network"),
    ("IPv6 outside the network", {"cluster.virtual_ips[2].address": "2001:db8:9::1/64"}, 2, f"{VIPS}[2].address", "fw2", "lies outside the networks",
     "interface's network"),
    ("other prefix", {"cluster.virtual_ips[0].address": "192.0.2.1/25"}, 2, f"{VIPS}[0].address", "fw1", "another prefix length than 192.0.2.2/24",
     "write 192.0.2.1/24"),
    ("a node's address", {"cluster.virtual_ips[0].address": "192.0.2.3/24"}, 2, f"{VIPS}[0].address", None, f"192.0.2.3 is {FACES}.lan.address of fw2 too",
     "that no node has"),
    ("one address twice", {"cluster.virtual_ips[1].addresses": ["203.0.113.1/24"]}, 2, f"{VIPS}[1].addresses[0]", None, f"is {VIPS}[1].address too", "once"),
    ("mixed families", {"cluster.virtual_ips[0].addresses": ["2001:db8:1::7/64"]}, 2, f"{VIPS}[0].addresses[0]", None, "the first address of the id is IPv4",
     "an entry of its own"),
    ("broadcast address", {"cluster.virtual_ips[0].address": "192.0.2.255/24"}, 2, f"{VIPS}[0].address", None, "is the broadcast address",
     "that a host can have"),
    ("unicast without addresses", {"cluster.vrrp.transport": "unicast", f"{FW2}.wan": "wan0"}, 2, f"{FACES}.wan", "fw2", "unicast adverts need one",
     "collect evidence first"),
    ("unicast without IPv6", {"cluster.vrrp.transport": "unicast", f"{FW2}.lan.addresses": []}, 2, f"{FACES}.lan", "fw2", "no IPv6 address is known",
     "state it"),
    # VRRP
    ("password", {"cluster.vrrp.password": "hunter2"}, 2, f"{VRRP}.password", None, "VRRPv3 has no authentication", "remove it"),
    ("password that is no text", {"cluster.vrrp.password": 4711}, 2, f"{VRRP}.password", None, "is a whole number, not text", "write it as text"),
    ("host id", {"nodes.fw2.host_id": "1a"}, 2, "hafirewall_node.host_id", "fw2", "conntrackd's states have no creator", "remove it"),
    ("host id of zeros", {"nodes.fw2.host_id": "00"}, 2, "hafirewall_node.host_id", "fw2", "'00' is no host id", "one to eight hexadecimal digits"),
    ("host id without quotes", {"nodes.fw2.host_id": 12}, 2, "hafirewall_node.host_id", "fw2", "is a whole number (12), not text", "in quotes"),
    ("format", {"cluster.sync.format": 1400}, 2, f"{SYNC}.format", None, "is a setting of pfsync, and conntrackd has one format", "remove it"),
    ("format that is no number", {"cluster.sync.format": True}, 2, f"{SYNC}.format", None, "is True, which is not known", "write one of: 1301, 1400, 1500"),
    ("state policy", {"cluster.state_policy": "floating"}, 2, "hafirewall_cluster.state_policy", None, "on Linux no interface is part of a state", "remove it"),
    ("unknown state policy", {"cluster.state_policy": "bound"}, 2, "hafirewall_cluster.state_policy", None, "not known", "write if-bound"),
    ("advert too short", {"cluster.vrrp.advert_interval": 0.001}, 2, f"{VRRP}.advert_interval", None, "outside 0.01 to 254", "seconds"),
    ("advert far too long", {"cluster.vrrp.advert_interval": 255}, 2, f"{VRRP}.advert_interval", None, "outside 0.01 to 254", "seconds"),
    ("advert too long", {"cluster.vrrp.advert_interval": 41}, 2, f"{VRRP}.advert_interval", None, "outside 0.01 to 40.95", "seconds"),
    ("advert not a number", {"cluster.vrrp.advert_interval": float("nan")}, 2, f"{VRRP}.advert_interval", None, "is nan, outside", "seconds"),
    ("advert too fine", {"cluster.vrrp.advert_interval": 0.015}, 2, f"{VRRP}.advert_interval", None, "hundredths of a second", "round it"),
    # evidence
    ("device absent", {**TWO, f"{FW2}.mgmt": "eth9"}, 2, f"{FACES}.mgmt", "fw2", "the node has no device 'eth9'", "the node has: lan0, lo, mgmt0"),
    ("stated address not there", {**TWO, f"{FW2}.wan.address": "203.0.113.4/24"}, 2, f"{FACES}.wan.address", "fw2", "is not on device wan0",
     "the device has: 203.0.113.3/24"),
    ("nodes of two platforms", {"nodes.fw1.platform": "linux", "nodes.fw2.platform": "pfsense"}, 2, "hafirewall_node.platform", None,
     "the nodes have not one platform: fw1 runs linux, fw2 runs pfsense", "of one platform"),
    ("nodes of two platforms, as they say", {**TWO, "evidence.fw2.platform": "pfsense"}, 2, "hafirewall_node.platform", None,
     "fw1 runs linux, fw2 runs pfsense", "of one platform"),
    ("platform that nobody knows", {**TWO, "evidence.fw1.platform": "beos", "evidence.fw2.platform": None}, 2, "hafirewall_node.platform", "fw1",
     "is 'beos', which is not known", "write one of: linux"),
    ("another platform", {**TWO, "nodes.fw2.platform": "linux", "evidence.fw2.platform": "openbsd"}, 2, "hafirewall_node.platform", "fw2",
     "the node runs openbsd", "correct it"),
]


@pytest.mark.parametrize(("changes", "count", "path", "host", "problem", "remedy"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_refused(changes: dict[str, Any], count: int, path: str, host: str | None, problem: str, remedy: str) -> None:
    found = refused(changes, count)
    matching = [one for one in found if one.path == path and one.host == host]
    assert len(matching) == 1, [str(one) for one in found]
    assert problem in matching[0].problem and remedy in matching[0].remedy, str(matching[0])
    # One mistake is one error: what follows from it is not said too, except on the other nodes that it concerns equally.
    assert {one.path for one in found} == {path}, [str(one) for one in found]


def where(changes: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(one.path, one.host) for one in refused(changes)]


def test_what_follows_from_a_mistake_is_not_said_too() -> None:
    assert where({"cluster.name": GONE, "nodes.fw2": GONE}) == [("hafirewall_cluster.name", None)]
    assert where({"nodes.fw1.role": "boss", "nodes.fw2.role": "boss"}) == [("hafirewall_node.role", "fw1"), ("hafirewall_node.role", "fw2")]
    assert where({"cluster.virtual_ips[0].id": 0, "cluster.virtual_ips[2].id": 0}) == [(f"{VIPS}[0].id", None), (f"{VIPS}[2].id", None)]
    # One prefix length is wrong, however many nodes see it.
    assert where({"cluster.virtual_ips[0].address": "192.0.2.1/25"}) == [(f"{VIPS}[0].address", "fw1")]
    # Unicast has an error of its own; that of the group would be about something that is not used.
    assert where({"cluster.sync.transport": "unicast", "cluster.sync.group": "192.0.2.9"}) == [(f"{SYNC}.group", None)]


def test_every_error_is_said_at_once() -> None:
    found = refused({"cluster.virtual_ips[1].id": 0, "cluster.sync.port": "x", "cluster.vrrp.password": "hunter2",
                     "nodes.fw1.interfaces.lan.address": "192.0.2.0/24",
                     "nodes.fw2.role": None, "nodes.fw2.interfaces.sync.device": "e0"})
    assert [one.path for one in found] == [
        f"{SYNC}.port", f"{VIPS}[1].id", "hafirewall_node.role", f"{FACES}.lan.address", f"{FACES}.sync.device", f"{VRRP}.password"]
    assert [one.host for one in found] == [None, None, "fw2", "fw1", "fw2", None]


def test_a_password_is_never_shown() -> None:
    assert "hunter2" not in " ".join(str(one) for one in refused({"cluster.vrrp.password": "hunter2"}))


def test_an_error_reads_as_path_problem_and_remedy() -> None:
    text = str(refused({"nodes.fw2.role": "boss"})[0])
    assert text == "hafirewall_node.role (fw2): is 'boss', which is not known; write one of: primary, secondary"


def test_more_secondaries_than_default_priorities() -> None:
    changes = {"cluster.sync.network": "2001:db8:5::/64", "cluster.virtual_ips": [], "nodes": {}}
    changes.update((f"nodes.n{number}", node("primary" if number == 0 else "secondary", 1)) for number in range(80))
    changes.update((f"nodes.n{number}.interfaces", {"sync": {"device": "sync0", "address": f"2001:db8:5::{number + 1:x}/64"}}) for number in range(80))
    found = refused(changes)
    assert [(one.host, one.path) for one in found] == [("n79", "hafirewall_node.priority")]
    assert "none of those that are given by default is left" in found[0].problem
