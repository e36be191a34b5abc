# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses in the text of rc.conf."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.rc_aliases import entries, values, variable

RC_CONF = """# ifconfig_em9="inet 192.0.2.99/24"
hostname="fw1"
ifconfig_em0="inet 192.0.2.2/24"
ifconfig_em0_ipv6="inet6 2001:db8::2 prefixlen 64"
ifconfig_em0_alias0="inet vhid 1 advskew 100 pass testpass alias 192.0.2.1/32"
ifconfig_em0_alias1='inet 192.0.2.9 netmask 255.255.255.0 vhid 1'
ifconfig_em0_100_aliases="inet 198.51.100.1/24 vhid 7 advbase 3 peer 198.51.100.3 \\
    inet6 2001:db8:1::1/64 vhid 8 peer6 2001:db8:1::3"
  ifconfig_em1=DHCP
ipv4_addrs_em2="203.0.113.2/24 203.0.113.4-9/24"
ifconfig_em3="inet 192.0.2.17 netmask 0xfffffff0"
"""


def test_each_address_is_read_with_its_place() -> None:
    found = [(entry.device, entry.line, entry.address, entry.vhid) for entry in entries(RC_CONF, "/etc/rc.conf")]
    assert found == [
        ("em0", 3, "192.0.2.2/24", None), ("em0", 4, "2001:db8::2/64", None), ("em0", 5, "192.0.2.1/32", 1), ("em0", 6, "192.0.2.9/24", 1),
        ("em0_100", 7, "198.51.100.1/24", 7), ("em0_100", 7, "2001:db8:1::1/64", 8),
        ("em2", 10, "203.0.113.2/24", None), ("em2", 10, None, None), ("em3", 11, "192.0.2.17/28", None),
    ]


def test_what_is_said_of_an_id_is_read() -> None:
    found = {entry.address: entry for entry in entries(RC_CONF, "/etc/rc.conf")}
    first, lan, six = found["192.0.2.1/32"], found["198.51.100.1/24"], found["2001:db8:1::1/64"]
    assert (first.advskew, first.advbase, first.password, first.place) == (100, None, "testpass", "/etc/rc.conf:5")
    assert (lan.advbase, lan.peer, lan.peer6) == (3, "198.51.100.3", None)
    assert (six.peer, six.peer6, six.password) == (None, "2001:db8:1::3", None)


@pytest.mark.parametrize("text", [
    "", "ifconfig_em0=", 'ifconfig_em0="inet"', 'ifconfig_em0="up', "ifconfig_em0_alias0=\"inet vhid pass\"", 'ifconfig_em0="inet 192.0.2.1 netmask 0xzz"',
    'ifconfig_em0="inet 192.0.2.300/24 vhid x"',
])
def test_what_is_odd_breaks_nothing(text: str) -> None:
    assert all(entry.address in (None, "192.0.2.1/32") for entry in entries(text, "/etc/rc.conf"))


def test_the_last_value_of_a_variable_counts() -> None:
    assert values('ifconfig_em0="up"\nifconfig_em0="inet 192.0.2.2/24"\n')["ifconfig_em0"] == "inet 192.0.2.2/24"


@pytest.mark.parametrize(("device", "name"), [("em0", "em0"), ("em0.100", "em0_100"), ("a-b+c/d", "a_b_c_d")])
def test_a_device_is_named_as_rc_names_it(device: str, name: str) -> None:
    assert variable(device) == name
