# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ifconfig of the simulated OpenBSD: what it prints and how it fails. Source, unless another one is named: sbin/ifconfig/ifconfig.c."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import NotModelled
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, node

EM0 = """em0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500
\tlladdr 52:54:00:00:1a:00
\tindex 1 priority 0 llprio 3
\tmedia: Ethernet autoselect (1000baseT full-duplex)
\tstatus: active
\tinet 192.0.2.2 netmask 0xffffff00 broadcast 192.0.2.255
"""


@pytest.fixture(name="fw1")
def _fw1(tmp_path: Path) -> OpenbsdNode:
    return node(tmp_path)


def fails(fw1: OpenbsdNode, *words: str) -> str:
    """What a command says that has to fail."""
    done = fw1.machine.run(["ifconfig", *words])
    assert done.status == 1
    return done.stderr


def shown(fw1: OpenbsdNode, name: str) -> str:
    return fw1.query(["ifconfig", name]).stdout


def test_an_interface_is_shown_as_status_prints_it(fw1: OpenbsdNode) -> None:
    assert shown(fw1, "em0") == EM0


def test_a_port_without_a_cable_has_no_carrier(fw1: OpenbsdNode) -> None:
    fw1.machine.network.cut("em0")
    assert "\tmedia: Ethernet autoselect (none)\n\tstatus: no carrier\n" in shown(fw1, "em0")


def test_the_first_interface_is_lo0_and_all_are_listed_without_their_aliases(fw1: OpenbsdNode) -> None:
    fw1.query(["ifconfig", "em0", "inet", "alias", "192.0.2.9/32"])
    listing = fw1.query(["ifconfig"]).stdout
    assert listing.startswith("lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 32768\n")
    assert "192.0.2.9" not in listing
    assert "\tinet 192.0.2.9 netmask 0xffffffff\n" in fw1.query(["ifconfig", "-A"]).stdout
    assert "192.0.2.9" in shown(fw1, "em0")


def test_a_short_network_has_no_broadcast_address(fw1: OpenbsdNode) -> None:
    """in_ifinit in sys/netinet/in.c, IN_RFC3021_SUBNET."""
    fw1.query(["ifconfig", "em0", "inet", "192.0.2.8/31"])
    assert "\tinet 192.0.2.8 netmask 0xfffffffe\n" in shown(fw1, "em0")


def test_an_address_without_alias_takes_the_place_of_the_first_one(fw1: OpenbsdNode) -> None:
    fw1.query(["ifconfig", "em0", "inet", "192.0.2.7", "netmask", "255.255.255.0"])
    assert "inet 192.0.2.2 " not in shown(fw1, "em0")
    fw1.query(["ifconfig", "em0", "inet", "192.0.2.7", "delete"])
    assert "inet " not in shown(fw1, "em0")
    assert fails(fw1, "em0", "inet", "192.0.2.7", "delete") == "ifconfig: SIOCDIFADDR: Can't assign requested address\n"


def test_the_first_inet6_address_brings_a_link_local_one(fw1: OpenbsdNode) -> None:
    fw1.query(["ifconfig", "em0", "inet6", "2001:db8::2", "prefixlen", "64"])
    lines = shown(fw1, "em0").splitlines()
    assert any(line.startswith("\tinet6 fe80::") and line.endswith("%em0 prefixlen 64 scopeid 0x1") for line in lines)
    assert lines[-1] == "\tinet6 2001:db8::2 prefixlen 64"


@pytest.mark.parametrize(("words", "text"), [
    (("em9",), "em9: no such interface\n"), (("em9", "up"), "ifconfig: em9: SIOCGIFFLAGS: Device not configured\n"),
    (("pfsync1", "create"), "ifconfig: pfsync1: SIOCIFCREATE: Device not configured\n"), (("em9", "create"), "ifconfig: em9: SIOCIFCREATE: Invalid argument\n"),
    (("carp0", "destroy"), "ifconfig: carp0: SIOCIFDESTROY: Device not configured\n"), (("em0", "destroy"), "ifconfig: em0: SIOCIFDESTROY: Invalid argument\n"),
    (("em0", "vhid", "1"), "ifconfig: em0: SIOCGVH: Inappropriate ioctl for device\n"),
    (("em0", "syncdev", "em1"), "ifconfig: em0: SIOCGETPFSYNC: Inappropriate ioctl for device\n"), (("em0", "mtu"), "ifconfig: 'mtu' requires argument\n"),
    (("-g", "nobody"), "ifconfig: nobody: SIOCGIFGATTR: No such file or directory\n"),
    (("-g", "carp", "carpdemote", "129"), "ifconfig: carp: invalid carp demotion: too large\n"),
    (("-g", "carp", "carpdemote", "-1"), "ifconfig: carp: invalid carp demotion: too small\n"),
    (("-g", "carp", "carpdemote", "x"), "ifconfig: carp: invalid carp demotion: invalid\n"),
    (("-g", "carp", "-carpdemote", "1"), "ifconfig: carp: SIOCSIFGATTR: Invalid argument\n"),
])
def test_it_fails_in_the_words_of_err_and_errx(fw1: OpenbsdNode, words: "tuple[str, ...]", text: str) -> None:
    assert fails(fw1, *words) == text


def test_any_word_about_an_interface_that_can_be_made_makes_it(fw1: OpenbsdNode) -> None:
    """getinfo."""
    fw1.query(["ifconfig", "pfsync0", "down"])
    assert shown(fw1, "pfsync0").startswith("pfsync0: flags=0<> mtu 1500\n")
    assert fails(fw1, "pfsync0", "create") == "ifconfig: pfsync0: SIOCIFCREATE: File exists\n"
    fw1.query(["ifconfig", "pfsync0", "destroy"])
    assert fails(fw1, "pfsync0") == "pfsync0: no such interface\n"


def test_a_group_shows_its_members_and_pfsync0_is_in_two(fw1: OpenbsdNode) -> None:
    """pfsync_clone_create in sys/net/if_pfsync.c joins carp, if_clone_create in sys/net/if.c the driver's own group."""
    fw1.query(["ifconfig", "pfsync0", "create"])
    assert "\tgroups: carp pfsync\n" in shown(fw1, "pfsync0")
    assert shown(fw1, "carp") == shown(fw1, "pfsync0") == shown(fw1, "pfsync")


def test_a_fresh_pfsync0_tells_no_settings_and_no_parent(fw1: OpenbsdNode) -> None:
    """pfsync_status prints nothing without a device; getencap asks pfsync_get_parent."""
    fw1.query(["ifconfig", "pfsync0", "create"])
    assert shown(fw1, "pfsync0") == "pfsync0: flags=0<> mtu 1500\n\tindex 8 priority 0 llprio 3\n\tencap: parent none\n\tgroups: carp pfsync\n"


def test_pfsync0_tells_its_settings_in_one_line(fw1: OpenbsdNode) -> None:
    fw1.query(["ifconfig", "pfsync0", "create"])
    fw1.query(["ifconfig", "pfsync0", "syncdev", "em2", "up"])
    assert "\tpfsync: syncdev: em2 maxupd: 128 defer: off\n" in shown(fw1, "pfsync0")
    assert shown(fw1, "pfsync0").startswith("pfsync0: flags=41<UP,RUNNING> mtu 1500\n")
    fw1.query(["ifconfig", "pfsync0", "maxupd", "64", "defer"])
    assert "\tpfsync: syncdev: em2 maxupd: 64 defer: on\n" in shown(fw1, "pfsync0")


def test_the_peer_is_told_where_it_is_not_the_group(fw1: OpenbsdNode) -> None:
    fw1.query(["ifconfig", "pfsync0", "syncdev", "em1", "syncpeer", "198.51.100.131"])
    assert "\tpfsync: syncdev: em1 syncpeer: 198.51.100.131 maxupd: 128 defer: off\n" in shown(fw1, "pfsync0")
    fw1.query(["ifconfig", "pfsync0", "-syncpeer"])
    assert "syncpeer" not in shown(fw1, "pfsync0")


def test_words_before_a_refused_one_stay(fw1: OpenbsdNode) -> None:
    assert fails(fw1, "pfsync0", "maxupd", "10", "syncdev", "em9", "up") == "ifconfig: pfsync0: SIOCSETPFSYNC: Device not configured\n"
    fw1.query(["ifconfig", "pfsync0", "syncdev", "em1"])
    assert "maxupd: 10 " in shown(fw1, "pfsync0")
    assert "flags=0<>" in shown(fw1, "pfsync0")


def test_what_is_only_warned_of_ends_well(fw1: OpenbsdNode) -> None:
    """setifmtu and setifparent use warn(3)."""
    done = fw1.query(["ifconfig", "vlan7", "create", "parent", "em9", "vnetid", "7"])
    assert done.stderr == "ifconfig: vlan7: em9: SIOCSIFPARENT: Invalid argument\n"
    assert "\tencap: vnetid 7 parent none txprio packet rxprio outer\n" in shown(fw1, "vlan7")


def test_a_vlan_that_runs_keeps_its_parent(fw1: OpenbsdNode) -> None:
    """vlan_set_parent in sys/net/if_vlan.c."""
    fw1.query(["ifconfig", "vlan7", "create", "vnetid", "7", "parent", "em1", "up"])
    assert fw1.query(["ifconfig", "vlan7", "parent", "em2"]).stderr == "ifconfig: vlan7: em2: SIOCSIFPARENT: Device busy\n"
    assert "parent em1 " in shown(fw1, "vlan7")
    assert shown(fw1, "vlan7").endswith("\tmedia: Ethernet autoselect (1000baseT full-duplex)\n\tstatus: active\n")
    fw1.query(["ifconfig", "vlan7", "down"])
    assert shown(fw1, "vlan7").endswith("\tstatus: no carrier\n")


def test_what_was_not_read_in_the_source_has_no_answer(fw1: OpenbsdNode) -> None:
    for words in (["em0", "wpakey", "x"], ["bridge0", "create"], ["pfsync0", "syncpeer", "a.name.example"], ["carp0", "balancing", "ip"]):
        with pytest.raises(NotModelled):
            fw1.query(["ifconfig", *words])
