# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in of pfSense has the product's bad manners, on each generation of its functions."""

from __future__ import annotations

import fcntl
import subprocess
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

RELEASES = ("2.6.0-RELEASE", "2.7.2-RELEASE", "2.8.1-RELEASE", "2.9.0-RELEASE")
RULE = """$config["filter"]["rule"][] = ["tracker" => "1700000001", "type" => "pass", "interface" => "opt1", "ipprotocol" => "inet", "protocol" => "pfsync",
    "source" => ["network" => "opt1"], "destination" => ["any" => ""], "descr" => "pfsync in"];"""
Maker = Callable[..., PfsenseNode]


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    def make(release: str = "2.7.2-RELEASE", **layout: object) -> PfsenseNode:
        node = PfsenseNode(tmp_path / "node", release=release, **layout)
        node.kernel("pfsync", syncok=0)
        return node
    return make


def says(node: PfsenseNode, code: str) -> str:
    done = node.php(code)
    assert done.status == 0, done
    return done.stdout


def pfsync(node: PfsenseNode, hasync: str) -> list[str]:
    """The commands for pfsync0 with this configuration."""
    says(node, f'$config["hasync"] = {hasync}; write_config("t"); interfaces_sync_setup();')
    return [command for command in node.journal("command") if command.startswith("ifconfig pfsync0")]


@pytest.mark.parametrize("release", RELEASES)
def test_state_sync_is_set_up_by_these_commands(make: Maker, release: str) -> None:
    hasync = '["pfsyncenabled" => "on", "pfsyncinterface" => "opt1", "pfsyncpeerip" => "198.51.100.130"]'
    assert pfsync(make(release), hasync) == ["ifconfig pfsync0 syncdev em2 syncpeer 198.51.100.130 up", "ifconfig pfsync0 -defer"]


@pytest.mark.parametrize("peer", ['""', '"no address"'])
def test_without_an_address_of_the_peer_it_is_multicast(make: Maker, peer: str) -> None:
    assert pfsync(make(), f'["pfsyncenabled" => "on", "pfsyncinterface" => "opt1", "pfsyncpeerip" => {peer}]')[0] == "ifconfig pfsync0 syncdev em2 -syncpeer up"


@pytest.mark.parametrize("release", RELEASES)
def test_an_empty_element_counts_as_switched_on(make: Maker, release: str) -> None:
    node = make(release)
    says(node, '$config["hasync"] = ["pfsyncenabled" => "", "pfsyncinterface" => "opt1"]; write_config("t");')
    assert "<pfsyncenabled></pfsyncenabled>" in node.config
    says(node, "interfaces_sync_setup();")
    assert "ifconfig pfsync0 syncdev em2 -syncpeer up" in node.journal("command")


@pytest.mark.parametrize("hasync", ['["pfsyncinterface" => "opt1"]', '["pfsyncenabled" => "on"]', '["pfsyncenabled" => "on", "pfsyncinterface" => "opt7"]'])
def test_a_key_that_is_gone_or_an_unknown_interface_switches_off_and_nobody_is_told(make: Maker, hasync: str) -> None:
    assert pfsync(make(), hasync) == ["ifconfig pfsync0 -syncdev -syncpeer down"]


def test_the_set_up_waits_to_the_end_unless_the_kernel_is_busy(make: Maker) -> None:
    node = make()
    hasync = '["pfsyncenabled" => "on", "pfsyncinterface" => "opt1"]'
    pfsync(node, hasync)
    assert len(node.journal("sleep")) == 1
    node.kernel("pfsync", syncok=1)
    pfsync(node, hasync)
    assert len(node.journal("sleep")) == 1 + 31


def test_without_its_last_device_the_kernel_keeps_the_peer(make: Maker) -> None:
    node = make()
    node.query(["ifconfig", "pfsync0", "syncdev", "em2", "syncpeer", "198.51.100.130", "up"])
    node.query(["ifconfig", "pfsync0", "-syncdev", "-syncpeer", "down"])
    assert "syncpeer: 198.51.100.130" in node.query(["ifconfig", "pfsync0"]).stdout


def test_what_came_before_a_refused_word_stays(make: Maker) -> None:
    node = make()
    done = node.query(["ifconfig", "pfsync0", "up", "syncdev", "em9", "defer"], ok=None)
    assert (done.status, done.stderr) == (1, "ifconfig: SIOCSETPFSYNCNV: Invalid argument\n")
    assert node.kernel("pfsync")["up"] and not node.kernel("pfsync")["defer"]


@pytest.mark.parametrize(("release", "version"), [("2.6.0-RELEASE", False), ("2.7.2-RELEASE", True)])
def test_older_kernels_show_no_format(make: Maker, release: str, version: bool) -> None:
    assert ("version: 1400" in make(release).query(["ifconfig", "pfsync0"]).stdout) is version


@pytest.mark.parametrize(("given", "status", "version"), [("1301", 0, 1301), ("0", 0, 1400), ("abc", 0, 1400), ("1302", 1, 1301), ("1500", 1, 1301)])
def test_the_kernel_takes_the_formats_that_it_knows_and_what_is_no_number_is_its_own(make: Maker, given: str, status: int, version: int) -> None:
    node = make()
    node.query(["ifconfig", "pfsync0", "version", "1301"])
    done = node.query(["ifconfig", "pfsync0", "version", given], ok=None)
    assert (done.status, "Invalid argument" in done.stderr, node.kernel("pfsync")["version"]) == (status, bool(status), version)


@pytest.mark.parametrize("release", RELEASES)
def test_a_boot_sets_pfsync_up_between_two_lists_of_commands(make: Maker, release: str) -> None:
    node = make(release)
    node.edit("</system>", "<earlyshellcmd>/sbin/ifconfig em0 vhid 1 advskew 1</earlyshellcmd><shellcmd>/sbin/ifconfig pfsync0 up down</shellcmd></system>")
    says(node, '$config["hasync"] = ["pfsyncenabled" => "on", "pfsyncinterface" => "opt1"]; write_config("t");')
    node.boot()
    commands = [command for command in node.journal("command") if "pfsync0" in command or "vhid" in command]
    assert commands == ["ifconfig em0 vhid 1 advskew 1", "ifconfig pfsync0 syncdev em2 -syncpeer up", "ifconfig pfsync0 -defer", "ifconfig pfsync0 up down"]


@pytest.mark.parametrize(("release", "line"), [
    ("2.6.0-RELEASE", 'pass  in  quick  on $SYNC inet proto pfsync  from 198.51.100.128/28 to any ridentifier 1700000001 keep state '
                      'label "USER_RULE: pfsync in"'),
    ("2.7.2-RELEASE", 'pass  in  quick  on $SYNC inet proto pfsync  from $OPT1__NETWORK to any ridentifier 1700000001 keep state '
                      'label "USER_RULE: pfsync in" label "id:1700000001"'),
    ("2.9.0-DEVELOPMENT", 'pass  in  quick  on $SYNC inet proto pfsync  from $OPT1__NETWORK to any ridentifier 1700000001 keep state '
                          'label "id=1700000001" label "tags=user_rule" label "descr=pfsync in"'),
])
def test_a_rule_becomes_this_text(make: Maker, release: str, line: str) -> None:
    node = make(release)
    says(node, RULE + "filter_configure_sync();")
    loaded = (node.root / "var/standin/loaded_rules").read_text().splitlines()
    assert line in loaded
    assert "set skip on pfsync0" in loaded
    assert ("set state-policy if-bound" in loaded) is release.startswith("2.9")


def test_a_rule_on_an_interface_that_is_off_is_dropped_without_a_word(make: Maker) -> None:
    node = make()
    node.edit("<enable></enable>\n\t\t\t<if>em2", "<if>em2")
    says(node, RULE + "filter_configure_sync();")
    assert '# array key "opt1" does not exist for "pfsync in"' in (node.root / "tmp/rules.debug").read_text()
    assert not node.journal("notice")


def test_rules_that_are_refused_are_a_notice_and_the_old_ones_stay(make: Maker) -> None:
    node = make()
    says(node, "filter_configure_sync();")
    before = (node.root / "var/standin/loaded_rules").read_text()
    node.kernel(pfctl_refuses="syntax error")
    says(node, RULE + "filter_configure_sync();")
    assert "syntax error" in node.journal("notice")[0]
    assert (node.root / "var/standin/loaded_rules").read_text() == before


@pytest.mark.parametrize(("release", "hostid", "line"), [
    ("2.6.0-RELEASE", "a1", ""), ("2.7.2-RELEASE", "a1", "set hostid 0xa1"),
    ("2.7.2-RELEASE", "", "set hostid 0xcafe0001"), ("2.7.2-RELEASE", "xyz", "set hostid 0xcafe0001"),
])
def test_the_host_id(make: Maker, release: str, hostid: str, line: str) -> None:
    node = make(release)
    node.switch(uniqueid="00000000cafe0001")
    says(node, f'$config["hasync"]["pfhostid"] = "{hostid}"; filter_configure_sync();')
    found = [text for text in (node.root / "tmp/rules.debug").read_text().splitlines() if "hostid" in text]
    assert found == ([line] if line else [])


def test_the_way_into_the_configuration_came_with_2_7(make: Maker) -> None:
    assert says(make("2.6.0-RELEASE"), 'var_dump(function_exists("config_get_path"));') == "bool(false)\n"


@pytest.mark.parametrize("release", RELEASES[1:])
def test_an_empty_text_is_the_default_for_one_way_and_switched_on_for_the_other(make: Maker, release: str) -> None:
    code = """config_set_path("a/b", ""); var_dump(config_get_path("a/b"), config_get_path("a/b", "default"), config_path_enabled("a", "b"),
        config_del_path("a/b"), config_path_enabled("a", "b"));"""
    answer = says(make(release), code).split("\n")
    assert answer == ['string(0) ""', 'string(7) "default"', "bool(true)", 'string(0) ""', "bool(false)", ""]


def test_a_text_in_the_way_is_not_replaced(make: Maker) -> None:
    assert says(make(), 'var_dump(config_set_path("system/hostname/x", "y", "no"), config_get_path("system/hostname"));') == 'string(2) "no"\nstring(3) "fw1"\n'


def test_notices_dots_and_warnings_come_along_with_any_output(make: Maker) -> None:
    node = make()
    node.switch(chatter=True)
    (node.root / "var/run/booting").touch()
    done = node.php("")
    assert done.stdout.startswith("...") and done.stdout.endswith("..") and "Undefined array key" in done.stdout + done.stderr
    assert "could not send" in done.stderr


@pytest.mark.parametrize("release", RELEASES)
def test_the_lock_is_waited_for(make: Maker, release: str) -> None:
    node = make(release)
    says(node, "")
    lock = node.root / "tmp/config.lock"
    lock.touch()
    with open(lock, "w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        process = subprocess.Popen(node._words(["php", "-r", 'require_once("config.inc"); write_config("t");']))
        while f":{lock.stat().st_ino} " not in "".join(line for line in Path("/proc/locks").read_text().splitlines() if "->" in line):
            assert process.poll() is None, "it did not wait"
        assert "1795000000" in node.config
    assert process.wait() == 0 and "1795000000" not in node.config
