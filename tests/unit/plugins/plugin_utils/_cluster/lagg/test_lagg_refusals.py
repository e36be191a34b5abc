# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that a LAGG plan refuses, one row each: the change, and the one error that it must lead to, with its path, host and remedy."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_node import lagg, port, vlan
from lagg_cases import cluster, node, pair, seen, told

LAGGS = "hafirewall_cluster.laggs"
FACES = "hafirewall_node.interfaces"
PF = {"platform": "pfsense", "version": "2.5.2-RELEASE"}
LINUX = {"platform": "linux", "version": "12"}


def lan(**settings: Any) -> dict[str, Any]:
    """A cluster that says how lan's LAGG is to be, and wants it."""
    return cluster(lagg_required="always", laggs={"lan": settings})


def both(interface: str = "lan", further: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """Both nodes with members for one interface: its own port and further ones, each prefix put before it."""
    found = {}
    for host, prefix in (("fw1", "em"), ("fw2", "igb")):
        own = {"lan": "0", "wan": "1.10", "sync": "2"}[interface]
        found[host] = node(host, **{interface: {"device": prefix + own, "members": [prefix + own[0], *(prefix + name for name in further)], **more}})
    return found


def fw2(**interfaces: Any) -> dict[str, Any]:
    """Other interfaces on the second node."""
    return {"fw2": node("fw2", **interfaces)}


def found(*devices: dict[str, Any], host: str = "fw2", **more: Any) -> dict[str, Any]:
    """Evidence of one node with further devices, or others in place of those of the same name."""
    value = seen(host, **{**PF, **more})
    names = {device["name"] for device in devices}
    value["interfaces"] = [device for device in value["interfaces"] if device["name"] not in names] + list(devices)
    return {host: value}


# Two members on each node.
TWO = both(further=("4",))

# (what is wrong, arguments of pair, path, host, part of the problem, part of the remedy)
ROWS: list[tuple[str, dict[str, Any], str, str | None, str, str]] = [
    # members
    ("a member twice in the list", {"nodes": fw2(lan={"device": "igb0", "members": ["igb0", "igb4", "igb4"]})}, f"{FACES}.lan.members", "fw2",
     "igb4 is a member twice; a port cannot be used twice", "ports of its own"),
    ("a member of two LAGGs", {"nodes": fw2(lan={"device": "igb0", "members": ["igb0", "igb4"]}, sync={"device": "igb2", "members": ["igb2", "igb4"]})},
     f"{FACES}.sync.members", "fw2", "igb4 is a member of lagg0 too", "ports of its own"),
    ("a member that is another interface's device", {"nodes": fw2(lan={"device": "igb0", "members": ["igb0", "igb2"]})}, f"{FACES}.lan.members", "fw2",
     "igb2 is the device of sync too", "ports of its own"),
    ("a member of a LAGG that is there", {"nodes": fw2(lan={"device": "igb0", "members": ["igb0", "igb4"]}), "found": found(lagg("lagg9", ["igb4"]))},
     f"{FACES}.lan.members", "fw2", "igb4 is a member of lagg9 already", "ports of its own"),
    ("a port used on one node by what shares one on the other", {"nodes": {"fw1": node("fw1", dmz="em1.20"), **fw2(dmz="igb4.20")},
                                                                 "found": {**found(vlan("em1", 20), host="fw1"), **found(vlan("igb4", 20))}},
     f"{FACES}.dmz", "fw2", "a port would be used twice: wan and dmz share a port on another node, and here they do not (wan on igb1, dmz on igb4)",
     "in the same way on all nodes"),
    ("a member that is absent", {"nodes": fw2(lan={"device": "igb0", "members": ["igb0", "igb8"]})}, f"{FACES}.lan.members", "fw2",
     "the node has no device 'igb8'", "the node has: igb0, igb1, igb2, igb3, igb4, igb5"),
    ("a device that is absent", {"nodes": fw2(lan="igb8")}, f"{FACES}.lan", "fw2", "the node has no device 'igb8'", "correct the name"),
    ("a VLAN on a port that is absent", {"nodes": fw2(wan="igb8.10")}, f"{FACES}.wan", "fw2", "the node has no device 'igb8.10'", "correct the name"),
    ("a member that is a VLAN", {"nodes": fw2(lan={"device": "igb0", "members": ["igb0", "igb4.7"]}), "found": found(vlan("igb4", 7))},
     f"{FACES}.lan.members", "fw2", "igb4.7 is a VLAN", "name the port that it is on"),
    ("a member that is a VLAN by its name", {"nodes": fw2(lan={"device": "igb0", "members": ["igb0", "igb4.7"]}), "found": {"fw1": None, "fw2": None},
                                             "common": cluster(lagg_required="always")},
     f"{FACES}.lan.members", "fw2", "igb4.7 is a VLAN", "name the port that it is on"),
    ("a device that is a VLAN of nobody knows what", {"nodes": fw2(lan="up"), "found": found(port("up", kind="vlan"))}, f"{FACES}.lan", "fw2",
     "up is a VLAN", "name the port that it is on"),
    ("a member that is a LAGG", {"nodes": fw2(lan={"device": "igb0", "members": ["igb0", "lagg9"]}), "found": found(lagg("lagg9", ["igb5"]))},
     f"{FACES}.lan.members", "fw2", "lagg9 is a LAGG itself", "name its ports"),
    ("a member that is a bridge", {"nodes": fw2(lan={"device": "igb0", "members": ["igb0", "bridge0"]}), "found": found(port("bridge0", kind="bridge"))},
     f"{FACES}.lan.members", "fw2", "bridge0 is no port of a LAGG (a bridge)", "name a port"),
    ("a device that is a tunnel", {"nodes": fw2(lan="gif0"), "found": found(port("gif0", kind="other"))}, f"{FACES}.lan", "fw2",
     "gif0 is no port of a LAGG (a device of another kind)", "name a port"),
    ("a member with an address", {"nodes": fw2(lan={"device": "igb0", "members": ["igb0", "igb3"]})}, f"{FACES}.lan.members", "fw2",
     "igb3 is in use by itself (198.51.100.3/25)", "free it first"),
    ("a member with a VLAN", {"nodes": fw2(lan={"device": "igb0", "members": ["igb0", "igb4"]}), "found": found(vlan("igb4", 7))},
     f"{FACES}.lan.members", "fw2", "igb4 is in use by itself (igb4.7)", "free it first"),
    ("a member of a bridge", {"nodes": fw2(lan={"device": "igb0", "members": ["igb0", "igb4"]}), "found": found(port("igb4", master="bridge0"))},
     f"{FACES}.lan.members", "fw2", "igb4 is in use by itself (bridge0)", "free it first"),
    ("members without the device", {"nodes": fw2(lan={"device": "igb0", "members": ["igb4", "igb5"]})}, f"{FACES}.lan.members", "fw2",
     "igb0, which lan is on now, is not among the members", "add igb0"),
    ("members of which one has a bad name", {**LINUX, "common": lan(), "nodes": fw2(lan={"device": "igb0", "members": ["igb0", "a b"]}), "found":
                                             {"fw1": None, "fw2": None}}, f"{FACES}.lan.members[1]", "fw2", "the name 'a b' has a character", "name of a port"),
    ("members stated differently on one port", {"nodes": {"fw1": node("fw1", dmz={"device": "em1.20", "members": ["em1"]},
                                                                      wan={"device": "em1.10", "members": ["em1", "em4"]}), **fw2(dmz="igb1.20")},
                                                "found": {**found(vlan("em1", 20), host="fw1"), **found(vlan("igb1", 20))}},
     f"{FACES}.wan.members", "fw1", "differ from those of another interface on the same ports (dmz and wan)", "alike"),
    ("a LAGG whose members are not known", {"nodes": fw2(lan="lagg5"), "found": found(port("lagg5", kind="lagg"))}, f"{FACES}.lan", "fw2",
     "the members of lagg5 are not known", f"state them ({FACES}.lan.members)"),
    # members against each other
    ("speeds with LACP", {"common": lan(protocol="lacp"), "nodes": TWO, "found": found(port("igb4", speed=10000))}, f"{FACES}.lan.members", "fw2",
     "differ in speed, and lacp minds: igb0 has 1000 Mbit/s, igb4 has 10000 Mbit/s", "use ports of one speed"),
    ("speeds with round robin", {"common": lan(protocol="roundrobin"), "nodes": TWO, "found": found(port("igb4", speed=100))},
     f"{FACES}.lan.members", "fw2", "roundrobin minds", "use ports of one speed"),
    ("MTU with failover", {"nodes": TWO, "found": found(port("igb4", mtu=9000))}, f"{FACES}.lan.members", "fw2",
     "differ in MTU: igb0 has 1500, igb4 has 9000", f"state {LAGGS}.lan.mtu, which is then set on the members first"),
    # protocols
    ("one member with LACP and no switch", {"common": lan(protocol="lacp")}, f"{FACES}.lan", "fw1",
     "em0 is the one member, and on a single cable without a switch LACP only has the other node", f"state {LAGGS}.lan.crossover: true"),
    ("one member with round robin", {"common": lan(protocol="roundrobin")}, f"{FACES}.lan", "fw2",
     "igb0 is the one member, and roundrobin has nothing to share", "choose one of: failover, none"),
    ("crossover with differing numbers of members",
     {"common": lan(protocol="lacp", crossover=True), "nodes": fw2(lan={"device": "igb0", "members": ["igb0", "igb4"]})},
     f"{FACES}.lan.members", "fw2", "the nodes differ in their number of members", "use as many on every node"),
    ("crossover of three nodes",
     {"common": lan(protocol="lacp", crossover=True), "hosts": ("fw1", "fw2", "fw3"),
      "nodes": {**TWO, "fw3": node("fw3", lan={"device": "ix0", "members": ["ix0", "ix4"]})}},
     f"{LAGGS}.lan.crossover", None, "a crossover cable joins two nodes; the cluster has 3", "remove it"),
    ("hash with failover", {"common": lan(hash="l2"), "version": "2.7.2-RELEASE"}, f"{LAGGS}.lan.hash", "fw1", "has no meaning with protocol failover",
     "choose protocol lacp or loadbalance"),
    ("LACP rate with load balance", {"common": lan(protocol="loadbalance", lacp_rate="fast"), "nodes": TWO},
     f"{LAGGS}.lan.lacp_rate", "fw1", "has no meaning with protocol loadbalance", "choose protocol lacp"),
    ("crossover with failover", {"common": lan(crossover=True)}, f"{LAGGS}.lan.crossover", "fw1", "has no meaning with protocol failover", "remove it"),
    ("primary with LACP", {"common": lan(protocol="lacp"), "nodes": both(further=("4",), primary="em4")}, f"{FACES}.lan.primary", "fw1",
     "has no meaning with protocol lacp", "choose protocol failover"),
    ("primary that is no member", {"nodes": fw2(lan={"device": "igb0", "primary": "igb5"})}, f"{FACES}.lan.primary", "fw2", "is igb5, which is no member",
     "choose one of: igb0"),
    ("more links than members", {**LINUX, "common": lan(protocol="lacp", min_links=3), "nodes": TWO}, f"{LAGGS}.lan.min_links", "fw1",
     "is 3, and there are 2 members here", "choose 2 or less"),
    ("min_links with failover", {**LINUX, "common": lan(min_links=1)}, f"{LAGGS}.lan.min_links", "fw1", "has no meaning with protocol failover", "remove it"),
    ("none on Linux", {**LINUX, "common": lan(protocol="none")}, f"{LAGGS}.lan.protocol", None, "is none, which Linux does not have",
     "choose one of: lacp, failover"),
    ("broadcast on pfSense", {"common": lan(protocol="broadcast"), "nodes": TWO}, f"{LAGGS}.lan.protocol", None,
     "is broadcast, which pfSense does not have", "choose one of"),
    ("a hash that Linux does not have", {**LINUX, "common": lan(protocol="loadbalance", hash="l4"), "nodes": TWO}, f"{LAGGS}.lan.hash", None,
     "is l4, which Linux cannot be set to", "choose one of: l2, l2+l3, l3+l4"),
    ("a hash on OpenBSD", {"platform": "openbsd", "version": "7.6", "common": lan(protocol="lacp", hash="l2"), "nodes": TWO}, f"{LAGGS}.lan.hash", None,
     "is l2, which OpenBSD cannot be set to", "remove it"),
    ("a hash before pfSense CE 2.7", {"common": lan(protocol="lacp", hash="l2"), "nodes": TWO}, f"{LAGGS}.lan.hash", "fw1",
     "cannot be set on pfSense 2.5.2-RELEASE", "or upgrade"),
    ("a hash before pfSense Plus 23.01", {"version": "22.05-RELEASE", "common": lan(protocol="lacp", hash="l2"), "nodes": TWO}, f"{LAGGS}.lan.hash", "fw2",
     "cannot be set on pfSense 22.05-RELEASE", "or upgrade"),
    ("a LACP rate before pfSense CE 2.5", {"version": "2.4.5-p1", "common": lan(protocol="lacp", lacp_rate="fast"), "nodes": TWO},
     f"{LAGGS}.lan.lacp_rate", "fw1", "cannot be set on pfSense 2.4.5-p1", "or upgrade"),
    ("min_links on FreeBSD", {"platform": "freebsd", "version": "14.2", "common": lan(protocol="lacp", min_links=1), "nodes": TWO},
     f"{LAGGS}.lan.min_links", None, "cannot be set on FreeBSD", "remove it"),
    ("LAGGs of different protocols", {"found": {**found(lagg("lagg3", ["em0"], protocol="lacp"), host="fw1"), **found(lagg("lagg4", ["igb0"]))}},
     f"{LAGGS}.lan.protocol", None, "cannot be told from the LAGGs that there are: lacp on fw1, failover on fw2", "state the protocol"),
    ("a LAGG of a protocol of the past", {"found": found(lagg("lagg4", ["igb0"], protocol="fec"))}, f"{LAGGS}.lan.protocol", None,
     "cannot be told from the LAGGs that there are: fec on fw2", "state the protocol"),
    # MTU of the Sync interface
    ("a stated MTU that pfsync cannot use", {"common": cluster(laggs={"sync": {"mtu": 9000}})}, f"{LAGGS}.sync.mtu", "fw1",
     "is 9000 on the Sync interface, and above 4080 pfsync sends nothing", "at most 4080"),
    ("an MTU of the members that pfsync cannot use", {"found": found(port("igb2", mtu=9000))}, f"{LAGGS}.sync.mtu", "fw2", "is 9000 on the Sync interface",
     "at most 4080"),
    ("an MTU of a Sync VLAN that pfsync cannot use", {"nodes": {"fw1": node("fw1", sync="em2.5"), **fw2(sync="igb2.5")}, "found":
                                                      {**found(dict(vlan("em2", 5), mtu=9000), host="fw1"), **found(vlan("igb2", 5))}},
     f"{LAGGS}.sync.mtu", "fw1", "is 9000 on the Sync interface", "at most 4080"),
    ("the same on OPNsense before 26.7", {"platform": "opnsense", "version": "26.1.6", "common": cluster(laggs={"sync": {"mtu": 4081}})}, f"{LAGGS}.sync.mtu",
     "fw2", "is 4081 on the Sync interface", "at most 4080"),
    # names
    ("a name in use on one node", {"common": lan(name="lagg3"), "found": found(lagg("lagg3", ["igb5"]))}, f"{LAGGS}.lan.name", None,
     "lagg3 is in use for something else on fw2", "choose a name that is free on all nodes, as lagg0"),
    ("one name for two LAGGs", {"common": cluster(laggs={"lan": {"name": "lagg3"}, "wan": {"name": "lagg3"}})}, f"{LAGGS}.wan.name", None,
     "lagg3 is the name of another LAGG of this plan", "choose a name that is free"),
    ("the name of a network card", {**LINUX, "common": lan(name="eth7")}, f"{LAGGS}.lan.name", None,
     "the name 'eth7' is one that Linux gives by itself, to devices", "as bond1"),
    ("a name of udev's", {**LINUX, "common": lan(name="enp3s0f1")}, f"{LAGGS}.lan.name", None, "to network cards", "as bond1"),
    ("the bonding driver's own bond", {**LINUX, "common": lan(name="bond0")}, f"{LAGGS}.lan.name", None, "the bond that the bonding driver makes by itself",
     "as bond1"),
    ("a name of a driver's on FreeBSD", {"platform": "freebsd", "version": "14.2", "common": lan(name="em7")}, f"{LAGGS}.lan.name", None,
     "is none that a LAGG can have on FreeBSD", "as lagg0"),
    ("a trunk's name for LACP on OpenBSD", {"platform": "openbsd", "version": "7.6", "common": lan(name="trunk3", protocol="lacp", crossover=True)},
     f"{LAGGS}.lan.name", None, "is not one for protocol lacp on OpenBSD", "as aggr0"),
    ("a name that is too long", {**LINUX, "common": lan(name="abcdefghijklmnop")}, f"{LAGGS}.lan.name", None, "longer than the 15 characters", "as bond1"),
    ("a name that makes a VLAN's too long", {**LINUX, "common": cluster(lagg_required="always", laggs={"wan": {"name": "abcdefghijklm"}})},
     f"{LAGGS}.wan.name", "fw1", "VLAN 10 on it would be abcdefghijklm.10, longer than the 15 characters", "a shorter name"),
    ("a name that conntrackd cannot read", {**LINUX, "common": cluster(lagg_required="always", laggs={"sync": {"name": "ab"}})}, f"{LAGGS}.sync.name", None,
     "reads as a hexadecimal number", "choose another, as bond3"),
    ("a name that OPNsense would not give", {"platform": "opnsense", "version": "25.1", "common": lan(name="lagg5")}, f"{LAGGS}.lan.name", "fw1",
     "is lagg5, and OPNsense would name it lagg0, the first that is free here", "leave the name out"),
    ("names that OPNsense would give differently", {"platform": "opnsense", "version": "25.1", "found": found(lagg("lagg0", ["igb5"]), platform="opnsense")},
     f"{LAGGS}.lan.name", "fw1", "is lagg1, and OPNsense would name it lagg0", "make or remove LAGGs until the same names are free"),
    ("a LAGG that the intent names and that another name is needed for", {"nodes": {"fw1": node("fw1", lan="lagg3"), **fw2(lan="lagg4")}, "found":
                                                                          {**found(lagg("lagg3", ["em0"]), host="fw1"), **found(lagg("lagg4", ["igb0"]))}},
     f"{FACES}.lan", "fw2", "is lagg4, and lagg4 would have to become lagg3", "state igb0, which stands for the LAGG that it is in"),
    ("a VLAN on such a LAGG", {"nodes": {"fw1": node("fw1", wan="lagg3.10"), **fw2(wan="lagg4.10")}, "found": {
        **found(lagg("lagg3", ["em4"]), vlan("lagg3", 10), host="fw1"), **found(lagg("lagg4", ["igb4"]), vlan("lagg4", 10))}},
     f"{FACES}.wan", "fw2", "is lagg4.10, and lagg4 would have to become lagg3", "state igb4.10, which stands"),
    ("VLANs of different tags", {"nodes": fw2(wan="igb1.20"), "found": found(vlan("igb1", 20))}, f"{FACES}.wan", None,
     "is em1.10 on fw1, igb1.20 on fw2: with a LAGG below, these names still differ", "use the same VLAN on all nodes"),
    ("a VLAN on one node only", {"nodes": fw2(wan="igb4")}, f"{FACES}.wan", None, "is em1.10 on fw1, igb4 on fw2: with a LAGG below", "use the same VLAN"),
    ("VLANs with different names of their own", {"nodes": {"fw1": node("fw1", wan="vlan1"), **fw2(wan="vlan2")}, "found":
                                                 {**found(vlan("em1", 7, name="vlan1"), host="fw1"), **found(vlan("igb1", 7, name="vlan2"))}},
     f"{FACES}.wan", None, "is vlan1 on fw1, vlan2 on fw2", "names of the same form"),
    # the path that Ansible came in by
    ("the management path", {"found": found(management={"device": "igb0", "address": "192.0.2.3"})}, f"{LAGGS}.lan.move_management", "fw2",
     "Ansible came in by igb0, which would be moved to lagg0", "consent with true"),
    ("a management path on a VLAN", {"found": found(management={"device": "igb1.10", "address": None})}, f"{LAGGS}.wan.move_management", "fw2",
     "Ansible came in by igb1.10, which would be moved to lagg1.10", "consent with true"),
    ("a management path on a VLAN that nobody names", {"found": found(vlan("igb0", 99), management={"device": "igb0.99", "address": None})},
     f"{LAGGS}.lan.move_management", "fw2", "Ansible came in by igb0.99, which would be moved to lagg0.99", "consent with true"),
    ("a management path through a bridge", {"found": found(port("igb0", ["192.0.2.3/24"], master="bridge0"), port("bridge0", kind="bridge"),
                                                           management={"device": "bridge0", "address": None})},
     f"{LAGGS}.lan.move_management", "fw2", "Ansible came in by igb0", "consent with true"),
    # settings and platforms
    ("settings of no interface", {"common": cluster(laggs={"lann": {}})}, f"{LAGGS}.lann", None, "no node has an interface lann", "there are: lan, sync, wan"),
    ("settings that contradict each other on one port", {"common": cluster(laggs={"wan": {"mtu": 1500}, "dmz": {"mtu": 1400}}), "nodes":
                                                         {"fw1": node("fw1", dmz="em1.20"), **fw2(dmz="igb1.20")}, "found":
                                                         {**found(vlan("em1", 20), host="fw1"), **found(vlan("igb1", 20))}},
     f"{LAGGS}.dmz.mtu", None, "is 1400, and wan, which shares its ports, has 1500", "state it once"),
    ("platforms that share no states", {"found": found(platform="linux", version="12")}, "hafirewall_node.platform", None,
     "share no states, whatever their interfaces are called: fw1 runs pfSense, fw2 runs Linux", "nodes of one platform"),
    ("a platform that nobody knows", {"found": found(platform="beos", version="5")}, "hafirewall_node.platform", "fw2",
     "the node runs 'beos', which is not known", "write one of: linux, freebsd"),
]


@pytest.mark.parametrize(("arguments", "path", "host", "problem", "remedy"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_refused(arguments: dict[str, Any], path: str, host: str | None, problem: str, remedy: str) -> None:
    plan = pair(**arguments)
    matching = [one for one in told(plan) if one[:2] == (path, host) and problem in one[2] and remedy in one[3]]
    assert len(matching) == 1, "\n".join(map(str, plan.refused))
    assert plan.wanted == plan.moves == () and plan.names == plan.now
    # What is wrong on both nodes is said of both, and nothing else is.
    assert {one[2].replace("em", "").replace("igb", "") for one in told(plan)} == {matching[0][2].replace("em", "").replace("igb", "")}, told(plan)


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("speeds with failover", {"nodes": TWO, "found": found(port("igb4", speed=10000))}),
    ("unknown speeds with LACP", {"common": lan(protocol="lacp"), "nodes": TWO, "found": found(port("igb4", speed=None))}),
    ("MTU that differs and is stated", {"common": lan(mtu=1500), "nodes": TWO, "found": found(port("igb4", mtu=9000))}),
    ("one member with LACP on a crossover cable, stated", {"common": lan(protocol="lacp", crossover=True)}),
    ("LACP with two members", {"common": lan(protocol="lacp"), "nodes": TWO}),
    ("a hash since pfSense CE 2.7", {"version": "2.7.0-RELEASE", "common": lan(protocol="lacp", hash="l2", required="always"), "nodes": TWO}),
    ("a hash since pfSense Plus 23.01", {"version": "23.01-RELEASE", "common": lan(protocol="lacp", hash="l2"), "nodes": TWO}),
    ("an MTU that pfsync can use", {"common": cluster(laggs={"sync": {"mtu": 4080}})}),
    ("a large MTU elsewhere", {"common": cluster(laggs={"lan": {"mtu": 9000}})}),
    ("a large MTU below a Sync VLAN of its own", {"common": cluster(laggs={"sync": {"mtu": 9000}}), "nodes": {
        "fw1": node("fw1", sync="em2.5"), **fw2(sync="igb2.5")}, "found": {**found(vlan("em2", 5), host="fw1"), **found(vlan("igb2", 5))}}),
    ("a VLAN's name of 15 characters", {**LINUX, "common": cluster(lagg_required="always", laggs={"wan": {"name": "abcdefghijkl"}})}),
    ("a large Sync MTU on FreeBSD 15", {"platform": "freebsd", "version": "15.0", "common": cluster(lagg_required="always", laggs={"sync": {"mtu": 9000}})}),
    ("a large Sync MTU on OPNsense 26.7", {"platform": "opnsense", "version": "26.7", "common": cluster(laggs={"sync": {"mtu": 9000}})}),
    ("a large Sync MTU on Linux", {**LINUX, "common": cluster(lagg_required="always", laggs={"sync": {"mtu": 9000}})}),
    ("a bond0 that is there", {**LINUX, "common": lan(), "found": {host: found(lagg("bond0", [name]), host=host, **LINUX)[host]
                                                                   for host, name in (("fw1", "em0"), ("fw2", "igb0"))}}),
    ("the management path with consent", {"common": lan(move_management=True), "found": found(management={"device": "igb0", "address": None})}),
    ("the management path on a port that is not moved", {"found": found(management={"device": "igb3", "address": None})}),
    ("the management path on a VLAN of the port, with the consent of its own interface",
     {"common": cluster(laggs={"mgmt": {"required": "never", "move_management": True}}), "nodes": fw2(mgmt="igb0.99"),
      "found": found(vlan("igb0", 99), management={"device": "igb0.99", "address": None})}),
    ("kin platforms", {"found": found(platform="opnsense", version="25.1")}),
    ("names on OPNsense that are the same on all nodes", {"platform": "opnsense", "version": "25.1", "found": {
        host: found(lagg("lagg0", [name]), host=host, platform="opnsense")[host] for host, name in (("fw1", "em5"), ("fw2", "igb5"))}}),
]


@pytest.mark.parametrize("arguments", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_accepted(arguments: dict[str, Any]) -> None:
    plan = pair(**arguments)
    assert plan.refused == (), "\n".join(map(str, plan.refused))
    assert plan.wanted != ()


def test_everything_is_refused_at_once() -> None:
    plan = pair(cluster(laggs={"lan": {"protocol": "broadcast"}, "none": {}}), nodes=fw2(lan={"device": "igb0", "members": ["igb0", "igb8"]}, wan="igb4"))
    assert [problem.path for problem in plan.refused] == [f"{LAGGS}.lan.protocol", f"{LAGGS}.none", f"{FACES}.wan", f"{FACES}.lan", f"{FACES}.lan.members"]
