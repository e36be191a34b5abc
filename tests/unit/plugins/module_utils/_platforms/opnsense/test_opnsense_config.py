# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What OPNsense's config.xml says, by the rules of each release: what is on, what is off, and what is passed over."""

from __future__ import annotations

import json
from typing import Optional
from xml.etree import ElementTree

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense import config as configuration
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.config import Config, Sync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.release import parse, release_of
from ansible_collections.hafirewall.cluster.tests.simulators.opnsense.node import CONFIG, CORE, pair

INTERFACES = ("<interfaces><lan><if>em0</if><enable>1</enable></lan><opt1><if>em1</if></opt1><wan><if>em2</if><enable/></wan>"
              "<openvpn><if/><enable>1</enable></openvpn></interfaces>")


def core(version: str, name: str = "opnsense") -> str:
    return json.dumps({"product_version": version, "product_id": name, "CORE_NEXT": "x"})


def config(text: str, version: str = "26.1.4") -> Config:
    release = parse(core(version))
    assert release is not None
    return Config(ElementTree.fromstring("<opnsense>%s%s</opnsense>" % (INTERFACES, text)), release)


def hasync(text: str, version: str = "26.1.4") -> Sync:
    return config("<hasync>%s</hasync>" % text, version).sync


# The release

@pytest.mark.parametrize(("version", "name", "numbers", "edition"), [
    ("26.1.4", "opnsense", (26, 1, 4), "community"), ("24.7.10_1", "opnsense", (24, 7, 10), "community"), ("23.7", "opnsense", (23, 7, 0), "community"),
    ("25.10.1", "opnsense", (25, 10, 1), "business"), ("26.1.4", "opnsense-business", (26, 1, 4), "business"),
    ("26.7.r_28", "opnsense-devel", (26, 7, 0), "development"),
])
def test_a_release_is_what_its_core_says(version: str, name: str, numbers: object, edition: str) -> None:
    release = parse(core(version, name))
    assert release is not None and (release.text, release.numbers, release.edition) == (version, numbers, edition)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", core(""), core("release"), json.dumps({"product_version": 26.1, "product_id": "opnsense"}),
                                  json.dumps({"product_version": "26.1"})])
def test_what_is_no_release_is_none(text: str) -> None:
    assert parse(text) is None


def test_a_node_that_is_none_is_refused_with_what_to_do(tmp_path) -> None:
    node = pair(tmp_path)[0]
    node.machine.put(CORE, "{}")
    with pytest.raises(NodeError, match="names no release of OPNsense"):
        release_of(node)
    node.machine.path(CORE).unlink()
    with pytest.raises(NodeError, match="this is no OPNsense; state the platform"):
        release_of(node)


# State sync

@pytest.mark.parametrize(("version", "switch", "enabled", "empty"), [
    # The mere presence switches it on.
    ("24.1.10", "", False, False), ("24.1.10", "<pfsyncenabled>on</pfsyncenabled>", True, False), ("24.1.10", "<pfsyncenabled/>", True, True),
    ("23.7", "<pfsyncenabled>0</pfsyncenabled>", True, False),
    # It needs a value.
    ("24.7", "", False, False), ("24.7.3", "<pfsyncenabled>1</pfsyncenabled>", True, False), ("24.7.3", "<pfsyncenabled/>", False, False),
    ("24.7.1", "<pfsyncenabled>0</pfsyncenabled>", False, False),
    # The interface alone counts.
    ("24.7.4", "", True, False), ("26.7.2", "<pfsyncenabled>0</pfsyncenabled>", True, False), ("25.1", "<pfsyncenabled/>", True, False),
])
def test_state_sync_is_on_as_each_release_has_it(version: str, switch: str, enabled: bool, empty: bool) -> None:
    found = hasync("<pfsyncinterface>opt1</pfsyncinterface>" + switch, version)
    assert (found.enabled, found.empty, found.device) == (enabled, empty, "em1")


@pytest.mark.parametrize("interface", ["", "<pfsyncinterface/>", "<pfsyncinterface>opt9</pfsyncinterface>", "<pfsyncinterface>openvpn</pfsyncinterface>"])
@pytest.mark.parametrize("version", ["24.1", "24.7", "26.1"])
def test_without_an_interface_that_has_a_device_it_is_off(interface: str, version: str) -> None:
    found = hasync(interface + "<pfsyncenabled>on</pfsyncenabled>", version)
    assert (found.enabled, found.device) == (False, None)


@pytest.mark.parametrize(("text", "peer", "version", "defer"), [
    ("", None, None, False), ("<pfsyncpeerip>198.51.100.131</pfsyncpeerip><pfsyncversion>1301</pfsyncversion>", "198.51.100.131", 1301, False),
    ("<pfsyncpeerip>2001:db8::1</pfsyncpeerip><pfsyncversion/><pfsyncdefer>1</pfsyncdefer>", None, None, True),
    ("<pfsyncpeerip>fw2.example.net</pfsyncpeerip><pfsyncversion>\u00b2</pfsyncversion>", None, None, False),
    ("<pfsyncpeerip/><pfsyncversion>1400</pfsyncversion><pfsyncdefer>0</pfsyncdefer>", None, 1400, False),
])
def test_peer_format_and_defer(text: str, peer: Optional[str], version: Optional[int], defer: bool) -> None:
    found = hasync("<pfsyncinterface>opt1</pfsyncinterface>" + text)
    assert (found.peer, found.version, found.defer) == (peer, version, defer)


# Everything else

@pytest.mark.parametrize(("text", "expected"), [("", False), ("<virtualip_carp_maintenancemode>1</virtualip_carp_maintenancemode>", True),
                                                ("<virtualip_carp_maintenancemode/>", False)])
def test_maintenance(text: str, expected: bool) -> None:
    assert config(text).maintenance is expected


@pytest.mark.parametrize(("text", "expected"), [("", ("floating", "default")), ("<system><state-policy/></system>", ("floating", "default")),
                                                ("<system><state-policy>1</state-policy></system>", ("if-bound", "configured"))])
def test_only_one_state_policy_can_be_chosen(text: str, expected: object) -> None:
    assert config(text).state_policy == expected


@pytest.mark.parametrize(("text", "target", "sections"), [
    ("", None, []), ("<synchronizetoip/><syncitems/>", None, []),
    ("<synchronizetoip>198.51.100.131</synchronizetoip><syncitems>virtualip,rules</syncitems>", "198.51.100.131", ["rules", "virtualip"]),
    ("<synchronizetoip>https://198.51.100.131:8443/</synchronizetoip>", "198.51.100.131", []),
    ("<synchronizetoip>https://[2001:db8::2]:8443/</synchronizetoip>", "2001:db8::2", []),
    ("<synchronizetoip>https://[fe80::1%igb1]/</synchronizetoip>", "fe80::1%igb1", []),
    ("<synchronizetoip>https://u:p@[2001:db8::2]:8443/</synchronizetoip>", "2001:db8::2", []),
    # As before 24.7.
    ("<synchronizetoip>fw2.example.net</synchronizetoip><synchronizerules>on</synchronizerules><synchronizevirtualip>on</synchronizevirtualip>"
     "<synchronizenat/>", "fw2.example.net", ["rules", "virtualip"]),
])
def test_whom_the_configuration_is_sent_to(text: str, target: Optional[str], sections: object) -> None:
    found = config("<hasync>%s</hasync>" % text)
    assert (found.sends_to, found.sections) == (target, sections)


@pytest.mark.parametrize("stated", ["https://[192.0.2.2", "https://[fw2]", "https://[192.0.2.2]/", "https://[]/", "https:///", "https://a[::1]",
                                    "https://[::1]x", "https://[::1]]", "https://[fe80::1%]", "https://[fe80::1%a%b]", "https://u:hunter2@[fw2]"])
def test_a_receiver_that_is_no_address_is_not_nobody(stated: str) -> None:
    with pytest.raises(NodeError, match="synchronizetoip is no address$"):  # and not a word of what may hold a password
        assert config("<hasync><synchronizetoip>%s</synchronizetoip></hasync>" % stated).sends_to


def test_a_group_is_no_interface() -> None:
    root = ElementTree.fromstring("<opnsense><interfaces><opt1><if>em1</if></opt1><all><if>all</if><type>group</type></all></interfaces></opnsense>")
    assert list(Config(root, config("")._release).interfaces) == ["opt1"]


@pytest.mark.parametrize(("rule", "counts"), [
    ({}, True), ({"interface": "opt1"}, True), ({"interface": "lan,opt1"}, True), ({"interface": "lan"}, False),
    ({"interface": "opt1", "interfacenot": "1"}, False), ({"interface": "lan", "interfacenot": "1"}, True), ({"interface": "opt1", "interfacenot": "0"}, True),
    ({"interface": "cluster"}, True), ({"interface": "inside"}, False), ({"interface": "cluster", "interfacenot": "1"}, False),
    ({"interface": "opt1,lan", "interfacenot": "1"}, True),
])
def test_a_rule_is_one_for_the_interfaces_that_it_names_or_does_not_leave_out(rule: dict, counts: bool) -> None:
    groups = "<ifgroups>%s</ifgroups>" % "".join("<ifgroupentry><ifname>%s</ifname><members>%s</members></ifgroupentry>" % one
                                                 for one in (("cluster", "opt1"), ("inside", "lan opt10"), ("all", "lan,opt1"), ("", "opt1")))
    names = config(groups).names("opt1")
    assert names == ["opt1", "cluster", "all"] and configuration.covers(rule, names) is counts


def vip(interface: str, mode: str, subnet: str, vhid: str) -> str:
    return "<vip><interface>%s</interface><mode>%s</mode><subnet>%s</subnet><subnet_bits>24</subnet_bits><vhid>%s</vhid></vip>" % (
        interface, mode, subnet, vhid)


def test_addresses_of_carp_are_those_of_virtual_hosts_and_what_is_stacked_on_them() -> None:
    rows = [vip("lan", "carp", "192.0.2.1", "10"), vip("lan", "ipalias", "192.0.2.9", "10"), vip("lan", "ipalias", "192.0.2.8", ""),
            vip("wan", "proxyarp", "203.0.113.9", "7"), vip("opt1", "carp", "198.51.100.1", "5"), vip("opt9", "carp", "192.0.2.7", "6")]
    found = config("<virtualip>%s</virtualip>" % "".join(rows)).virtual_addresses
    # The fifth is on an interface that is off, the sixth on none.
    assert [(row["device"], row["subnet"], row["vhid"]) for row in found] == [("em0", "192.0.2.1", "10"), ("em0", "192.0.2.9", "10")]


NEW = "<OPNsense><Firewall><Filter><rules><rule>%s</rule></rules></Filter></Firewall></OPNsense>"


@pytest.mark.parametrize(("rule", "counts"), [
    ("<filter><rule><type>pass</type><interface>opt1</interface><protocol>pfsync</protocol></rule></filter>", True),
    ("<filter><rule><interface>opt1,lan</interface><protocol>pfsync</protocol></rule></filter>", True),
    ("<filter><rule><type>pass</type><interface>opt1</interface><protocol>pfsync</protocol><disabled/></rule></filter>", False),
    ("<filter><rule><type>block</type><interface>opt1</interface><protocol>pfsync</protocol></rule></filter>", False),
    ("<filter><rule><type>pass</type><interface>opt1</interface></rule></filter>", False),
    (NEW % "<enabled>1</enabled><action>pass</action><protocol>PFSYNC</protocol>", True),
    (NEW % "<enabled>0</enabled><action>pass</action><protocol>PFSYNC</protocol>", False),
    (NEW % "<enabled>1</enabled><action>block</action><protocol>PFSYNC</protocol>", False),
])
def test_rules_that_pass_pfsync_of_both_kinds(rule: str, counts: bool) -> None:
    assert len(config(rule).pass_rules) == counts


def test_the_last_change_and_what_is_no_time() -> None:
    found = config("<revision><time>1795000000.12</time><username>root@192.0.2.9</username><description>x</description></revision>").revision()
    assert found == {"time": 1795000000, "username": "root@192.0.2.9", "description": "x"}
    for time in ("soon", "inf", "1e999", ""):
        assert config("<revision><time>%s</time></revision>" % time).revision()["time"] is None


def test_what_else_names_a_device_is_told_by_its_path() -> None:
    text = "<bridges><bridged><members>em0,em1</members></bridged></bridges><sysctl><item><tunable>dev.em.0.fc</tunable></item></sysctl>"
    assert configuration.named(config(text), ["em0", "em2"]) == [("em0", "bridges/bridged/members")]


def test_a_file_that_is_being_written_is_read_again(tmp_path) -> None:
    node = pair(tmp_path)[0]
    whole, clock = node.machine.text(CONFIG), node.machine.clock
    node.machine.put(CONFIG, whole[:500])
    clock.after(1.0, lambda: node.machine.put(CONFIG, whole))
    assert configuration.read(node, release_of(node)).sync.enabled is True


@pytest.mark.parametrize(("text", "words"), [("", "is no XML"), ("<opnsense><system>", "is no XML"), ("<pfsense/>", "its root is pfsense")])
def test_a_file_that_stays_so_is_an_error(tmp_path, text: str, words: str) -> None:
    node = pair(tmp_path)[0]
    node.machine.put(CONFIG, text)
    with pytest.raises(NodeError, match=words):
        configuration.read(node, release_of(node))
    node.machine.path(CONFIG).unlink()
    with pytest.raises(NodeError, match="is not on this node"):
        configuration.read(node, release_of(node))


def test_digests_tell_a_change_and_no_secret(tmp_path) -> None:
    node = pair(tmp_path)[0]

    def digests() -> dict:
        return configuration.read(node, release_of(node)).digests()
    before = digests()
    node.edit("not-to-be-seen", "something-else")
    node.edit('persisted_at="1795000000.12"', 'persisted_at="1795000009.00"')
    node.edit("<time>1795000000.12<", "<time>1795000009.12<")
    assert digests() == before
    node.edit("<nopfsync>1<", "<nopfsync>0<")
    assert [name for name, digest in digests().items() if digest != before[name]] == ["config.xml OPNsense/Firewall"]
