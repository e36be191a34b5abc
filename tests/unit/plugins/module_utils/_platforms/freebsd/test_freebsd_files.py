# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this collection reads of FreeBSD's files and releases, and what it makes of them."""

from __future__ import annotations

from typing import Dict, Optional

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import kernel_release, pf_options
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.carp import Instance
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import pfsync_rc, rc_aliases, rc_carp, references
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.state_sync import derived
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError


def conf(text: Optional[str]) -> pf_options.PfConf:
    return pf_options.PfConf("/etc/pf.conf", text, (), lambda path: None)


@pytest.mark.parametrize(("text", "formats", "ipv6", "mtu"), [
    ("13.2-RELEASE-p4", (1301,), False, 4080), ("14.0-RELEASE", (1301, 1400), True, 4080), ("14.2-BETA1", (1301, 1400), True, 4080),
    ("15.0-RELEASE", (1301, 1400, 1500), True, None), ("16.0-CURRENT", (1301, 1400, 1500), True, None),
])
def test_a_release_tells_what_its_kernel_can_do(text: str, formats: object, ipv6: bool, mtu: Optional[int]) -> None:
    found = kernel_release.parse(text)
    assert found is not None
    assert (found.formats, found.ipv6, found.most_mtu) == (formats, ipv6, mtu)


@pytest.mark.parametrize("text", ["", None, "unknown", "x14.2"])
def test_what_is_no_release_is_not_guessed(text: Optional[str]) -> None:
    assert kernel_release.parse(text) is None


@pytest.mark.parametrize(("text", "number"), [("10", "a"), ("0xA", "a"), ("010", "8"), ("4294967295", "ffffffff"), ("$id", None), ("", None), ("09", None)])
def test_a_host_id_is_read_as_pfctl_reads_it(text: str, number: Optional[str]) -> None:
    assert pf_options.number(text) == number


def test_the_options_go_in_front_of_the_rules_and_stay() -> None:
    text = pf_options.wanted(conf("set skip on lo0\npass all\n"), "a", "if-bound")
    assert "set hostid 0x0000000a\nset state-policy if-bound\n" in text
    assert text.index("set hostid") < text.index("pass all")
    assert pf_options.wanted(conf(text), "a", "if-bound") == text
    assert (pf_options.host_id(conf(text)), pf_options.state_policy(conf(text))) == ("a", "if-bound")
    assert pf_options.wanted(conf(text), None, None) == "set skip on lo0\npass all\n"


def test_somebody_elses_option_is_kept_and_named_when_it_contradicts() -> None:
    theirs = conf("set hostid 10\npass all\n")
    assert pf_options.wanted(theirs, "a", None) == theirs.text
    with pytest.raises(NodeError, match=r"host_id: /etc/pf.conf:1 has 'set hostid 10'"):
        pf_options.wanted(theirs, "b", None)
    with pytest.raises(NodeError, match=r"state_policy: /etc/pf.conf:2 has 'set state-policy floating'"):
        pf_options.wanted(conf("# mine\nset state-policy floating\n"), None, "if-bound")


def test_no_policy_in_the_file_is_pfs_default() -> None:
    assert pf_options.state_policy(conf(None)) == "floating"
    assert not pf_options.stated_policy(conf("pass all\n"))


def test_the_derived_host_id_is_stable_and_never_zero() -> None:
    uuid = "4c4c4544-0043-4e10-8056-b4c04f4d4e32"
    assert derived(uuid) == derived(uuid.upper() + "\n")
    assert int(derived(uuid), 16) != 0
    with pytest.raises(NodeError, match="kern.hostuuid"):
        derived("00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize(("variables", "found"), [
    ({}, pfsync_rc.Boot(False, None, None, None, None, None, None, None)),
    ({"pfsync_enable": "YES", "pfsync_syncdev": "em1", "pfsync_syncpeer": "198.51.100.131", "pfsync_ifconfig": "version 1301 defer maxupd 64 mtu 1400"},
     pfsync_rc.Boot(True, "em1", "198.51.100.131", 1301, True, 64, 1400, None)),
    # ifconfig takes the words of pfsync_ifconfig last.
    ({"pfsync_enable": "YES", "pfsync_syncdev": "em1", "pfsync_ifconfig": "syncdev em2 -defer syncpeer 224.0.0.240"},
     pfsync_rc.Boot(True, "em2", None, None, False, None, None, None)),
])
def test_rc_conf_is_read_as_the_boot_does(variables: Dict[str, str], found: pfsync_rc.Boot) -> None:
    assert pfsync_rc.boot(variables) == found


def test_words_of_somebody_else_stay_in_pfsync_ifconfig() -> None:
    known = {"pfsync_ifconfig": "defer  maxupd 64 group ha version 1400"}
    assert pfsync_rc.with_words(known, 1400, None) == known["pfsync_ifconfig"]
    assert pfsync_rc.with_words(known, 1301, 1400) == "defer maxupd 64 group ha version 1301 mtu 1400"
    assert pfsync_rc.with_words({"pfsync_ifconfig": "version 1400 syncpeer 198.51.100.131"}, None, None) is None
    assert pfsync_rc.with_words({}, None, None) is None


def test_virtual_addresses_are_read_without_their_passwords() -> None:
    text = ('ifconfig_em0="inet 192.0.2.2/24"\nifconfig_em0_alias0="inet vhid 1 advskew 100 pass secret alias 192.0.2.1/24"\n'
            'ifconfig_em0_alias1="inet 192.0.2.9 netmask 0xffffffff"\nifconfig_em0_50_aliases="inet6 2001:db8::1 prefixlen 64 vhid 2 pass secret"\n')
    found = rc_carp.configured(rc_aliases.entries(text, "/etc/rc.conf"), ["em0", "em0.50"])
    assert [(vip["device"], vip["vhid"], vip["subnet"], vip["subnet_bits"], vip["advskew"]) for vip in found] == [
        ("em0", "1", "192.0.2.1", "24", 100), ("em0.50", "2", "2001:db8::1", "64", None)]
    assert "secret" not in str(found)
    running = [Instance("em0", 1, "active", 1, 100, ("192.0.2.1",))]
    assert rc_carp.current(running, found[:1])
    assert not rc_carp.current(running, found)
    assert not rc_carp.current([running[0]._replace(advskew=0)], found[:1])


def test_variables_that_name_a_device_are_told_without_their_values() -> None:
    variables = {"ifconfig_em1": "up", "dhcpd_ifaces": "em0 em10", "ifconfig_bridge0": "addm em1 up", "static_routes": "lab:em1", "pfsync_syncdev": "em1",
                 "wpa_pass": "secret em1"}
    found = references.of_variables(variables, ["em0", "em1"])
    assert [(row["device"], row["kind"], row["where"]) for row in found] == [
        ("em0", "service", "/etc/rc.conf: dhcpd_ifaces"), ("em1", "bridge", "/etc/rc.conf: ifconfig_bridge0"), ("em1", "route", "/etc/rc.conf: static_routes"),
        ("em1", "service", "/etc/rc.conf: wpa_pass")]
    assert "secret" not in str(found)
