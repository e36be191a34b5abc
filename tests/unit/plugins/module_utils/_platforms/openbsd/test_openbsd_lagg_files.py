# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts of hostname.if files when a port goes onto a LAGG."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import lagg_files
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.lagg import gateways, routes

MAC = "52:54:00:00:1a:00"


def change(**changes: Any) -> lagg_files.Change:
    usual: dict[str, Any] = {"name": "trunk0", "base": "em0", "apart": False, "vlans": {}, "members": ["em0", "em3"], "protocol": "failover", "fast": None,
                             "mtu": None, "lladdr": MAC}
    return lagg_files.Change(**dict(usual, **changes))


LACP: dict[str, Any] = {"name": "aggr0", "protocol": "lacp"}


@pytest.mark.parametrize(("em0", "changes", "port", "above"), [
    # What a person said of the medium and the size stays with the port, in whichever line it was; an aggr has the size too.
    ("inet 192.0.2.2 255.255.255.0 NONE media 1000baseT mediaopt full-duplex mtu 9000\n", {}, "media 1000baseT mediaopt full-duplex\nmtu 9000\nup\n",
     "trunkproto failover\ntrunkport em0\ntrunkport em3\ninet 192.0.2.2 255.255.255.0 NONE\nup\n"),
    ("inet 192.0.2.2 255.255.255.0\nmtu 9000\n", LACP, "mtu 9000\nup\n",
     "lladdr %s\nmtu 9000\ntrunkport em0\ntrunkport em3\ninet 192.0.2.2 255.255.255.0\nup\n" % MAC),
    # Comments, aliases and descriptions go along, and words in quotes stay one.
    ("# LAN\ninet6 2001:db8::2 64\ninet alias 192.0.2.9 0xffffffff\ndescription \"the LAN\" group inside up\n", {}, "up\n",
     'trunkproto failover\ntrunkport em0\ntrunkport em3\n'
     '# LAN\ninet6 2001:db8::2 64\ninet alias 192.0.2.9 0xffffffff\ndescription "the LAN" group inside\nup\n'),
    ("192.0.2.2/24\n", {"protocol": "roundrobin"}, "up\n", "trunkproto roundrobin\ntrunkport em0\ntrunkport em3\n192.0.2.2/24\nup\n"),
    # An address that somebody has set comes behind the first port of a trunk, and before those of an aggr.
    ("lladdr 02:00:5e:00:00:01\nup\n", {}, "up\n", "trunkproto failover\ntrunkport em0\ntrunkport em3\nlladdr 02:00:5e:00:00:01\nup\n"),
    ("lladdr 02:00:5e:00:00:01\nup\n", dict(LACP, fast=True), "up\n",
     "lladdr 02:00:5e:00:00:01\ntrunkport em0\ntrunkport em3\nlacptimeout fast\nup\n"),
])
def test_each_word_goes_where_it_belongs(em0: str, changes: dict[str, Any], port: str, above: str) -> None:
    wanted = change(**changes)
    found = lagg_files.changed({"em0": em0}, wanted)
    assert found == {"em0": port, "em3": "up\n", wanted.name: above}
    assert lagg_files.changed(found, wanted._replace(base=wanted.name)) == found


def test_what_lies_on_the_port_is_told_of_the_lagg_and_nothing_else_is_touched() -> None:
    files = {"em0": "inet 192.0.2.2 255.255.255.0\n", "em1": "inet 198.51.100.2 255.255.255.0\n", "vlan10": "vnetid 10 parent em0\ninet 10.0.0.1 255.0.0.0\n",
             "vlan11": "vlan 11 vlandev em0 description em0\n", "carp1": "# on em0\ninet 192.0.2.1 255.255.255.0 NONE vhid 1 carpdev em0 pass em0\n",
             "carp2": "vhid 2 carpdev em01\n", "pfsync0": "syncdev em0\nup\n", "gif0": "tunnel 192.0.2.2 192.0.2.3\n"}
    found = lagg_files.changed(files, change(vlans={"vlan10": "vlan10", "vlan11": "vlan11"}))
    assert found["vlan10"] == "vnetid 10 parent trunk0\ninet 10.0.0.1 255.0.0.0\n" and found["vlan11"] == "vlan 11 vlandev trunk0 description em0\n"
    assert found["carp1"] == "# on em0\ninet 192.0.2.1 255.255.255.0 NONE vhid 1 carpdev trunk0 pass em0\n"
    assert found["pfsync0"] == "syncdev trunk0\nup\n"
    assert [found[name] for name in ("em1", "carp2", "gif0")] == [files[name] for name in ("em1", "carp2", "gif0")]
    assert lagg_files.vlans(files, "em0") == {"vlan10": 10, "vlan11": 11}


@pytest.mark.parametrize("text", ["trunkproto failover trunkport em0 trunkport em3 192.0.2.2 netmask 255.255.255.0\n",
                                  "up\ntrunkport em0\ntrunkport em3\ntrunkproto failover\n"])
def test_a_persons_file_that_says_the_same_is_good_as_it_is(text: str) -> None:
    files = {"trunk0": text, "em0": "up\n", "em3": "media autoselect\nup\n"}
    assert lagg_files.changed(files, change(base="trunk0")) == files
    assert lagg_files.changed(files, change(base="trunk0", members=["em3", "em0"]))["trunk0"].startswith("trunkproto failover\ntrunkport em3\ntrunkport em0\n")


def test_a_lagg_that_is_taken_apart_leaves_its_ports() -> None:
    files = {"trunk7": "trunkproto failover\ntrunkport em0\ninet 192.0.2.2 255.255.255.0\n", "em0": "up\n", "carp1": "vhid 1 carpdev trunk7\n"}
    assert lagg_files.changed(files, change(base="trunk7", apart=True, members=["em0"])) == {
        "em0": "up\n", "trunk0": "trunkproto failover\ntrunkport em0\ninet 192.0.2.2 255.255.255.0\nup\n", "carp1": "vhid 1 carpdev trunk0\n"}


def test_an_aggr_without_a_fixed_address_is_refused() -> None:
    with pytest.raises(NodeError, match="aggr0: none of its members shows a hardware address"):
        lagg_files.changed({"em0": "up\n"}, change(lladdr=None, **LACP))


@pytest.mark.parametrize(("line", "told"), [("dhcp", "lend an address"), ("inet6 autoconf", "lend an address"), ("rdomain 2", "routing domain"),
                                            ("!route add x", "is a command"), ("dest 192.0.2.3", "other end"), ("down", "keeps the device down")])
def test_a_line_that_cannot_be_carried_over_is_told_with_its_place(line: str, told: str) -> None:
    [found] = lagg_files.problems("em0", "# !comment\n%s\n" % line)
    assert found.startswith("/etc/hostname.em0:2: ") and told in found
    assert lagg_files.problems("em0", "# %s\nup\n" % line) == []


def test_words_that_nobody_knows_and_devices_that_are_named_elsewhere_are_told() -> None:
    assert [text.split(":")[1] for text in lagg_files.unknown("em0", "up\nnwid office\nmedia autoselect\n")] == ["2"]
    files = {"em0": "up\n", "bridge0": "up\nadd em0\n", "carp1": "carpdev em0\n", "trunk3": "# em0\ntrunkport em01\n"}
    assert lagg_files.naming(files, "em0") == ["/etc/hostname.bridge0:2"]


def test_routes_and_gateways_are_read() -> None:
    text = ("Routing tables\n\nInternet:\nDestination        Gateway            Flags   Refs      Use   Mtu  Prio Iface\n"
            "default            192.0.2.254        UGS        4       12     -     8 em0\n"
            "192.0.2/24         192.0.2.2          UCn        1        0     -     4 em0\n"
            "10.9/16            192.0.2.9          UG         1        0     -    32 em0\n")
    assert [(row["destination"], row["static"]) for row in routes(text)] == [("default", True), ("192.0.2/24", False), ("10.9/16", False)]
    assert gateways("# a comment\n192.0.2.254\n2001:db8::1 # of IPv6\n\n") == ["192.0.2.254", "2001:db8::1"]
