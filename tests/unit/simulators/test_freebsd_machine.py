# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the FreeBSD double promises to the tests that use it, beyond the transcripts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import List, Tuple

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import NotModelled
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Crashed
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import FreebsdNode, pair
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.running import Pair, carp_states, creators, run, running_pair


@pytest.fixture(name="bare")
def _bare(tmp_path: Path) -> Pair:
    return pair(tmp_path)


@pytest.fixture(name="cluster")
def _cluster(tmp_path: Path) -> Pair:
    return running_pair(tmp_path)


# The machine


def test_a_bare_system_has_addresses_and_none_of_pf_pfsync_and_carp(bare: Pair) -> None:
    first, second = bare

    assert "inet 198.51.100.130 netmask 0xfffffff0" in run(first, "ifconfig em1")
    assert "inet 203.0.113.3 netmask 0xffffff00" in run(second, "ifconfig em2")
    assert first.machine.run(["ifconfig", "pfsync0"]).stderr == "ifconfig: interface pfsync0 does not exist\n"
    assert first.machine.run(["pfctl", "-si"]).stderr == "pfctl: /dev/pf: No such file or directory\n"
    assert first.machine.run(["sysctl", "-n", "net.inet.carp.allow"]).stderr == "sysctl: unknown oid 'net.inet.carp.allow'\n"
    assert first.machine.run(["ifconfig", "em0", "vhid", "1", "192.0.2.1/24", "alias"]).stderr == "ifconfig: SIOCGVH: Protocol not supported\n"
    assert [first.machine.run(["kldstat", "-q", "-m", name]).status for name in ("pf", "pfsync", "carp")] == [1, 1, 1]
    assert first.read_text("/etc/pf.conf") is None


def test_cards_may_have_other_names_on_the_other_node(tmp_path: Path) -> None:
    _first, second = pair(tmp_path, devices_b=("vtnet0", "vtnet1", "vtnet2", "vtnet3"))

    assert run(second, "ifconfig -l") == "vtnet0 vtnet1 vtnet2 vtnet3 lo0\n"
    assert "10Gbase-T" in run(second, "ifconfig vtnet1")


def test_files_lie_below_the_root_and_diffs_have_the_nodes_own_names(bare: Pair) -> None:
    first = bare[0]

    assert first.write_text("/etc/pf.conf", "pass\n")
    assert first.machine.text("/etc/pf.conf") == "pass\n"
    assert first.diffs[0]["after_header"] == "/etc/pf.conf"
    assert first.again().read_text("/etc/pf.conf") == "pass\n"


def test_waiting_moves_the_clock_of_the_machines_and_no_other(bare: Pair) -> None:
    first = bare[0]
    began, clock = time.monotonic(), first.machine.clock.now

    assert not first.wait_for(lambda: False, timeout=600.0)
    assert first.machine.clock.now == clock + 600.0
    assert time.monotonic() - began < 5.0


def test_check_mode_runs_no_command_that_changes(bare: Pair) -> None:
    first = bare[0].again(check_mode=True)

    first.act(["kldload", "pf"])

    assert first.commands == ["kldload pf"]
    assert "pf" not in first.machine.modules


def test_commands_are_told_and_those_that_change_are_told_apart(cluster: Pair) -> None:
    machine = cluster[0].machine
    for line in ("ifconfig", "ifconfig -v em0", "pfctl -si -v", "pfctl -nf /etc/pf.conf", "sysctl -n net.inet.carp.preempt", "sysrc -n pf_enable",
                 "sysrc -c pf_enable=YES", "service pf status", "netstat -s -p pfsync", "pfctl -vvss"):
        machine.run(line.split())
    assert machine.changes() == []
    for line in ("ifconfig pfsync0 maxupd 64", "pfctl -f /etc/pf.conf", "sysctl net.inet.carp.demotion=240", "sysrc pf_flags=-q", "service pf reload",
                 "pfctl -F states", "kldload -n pf"):
        machine.run(line.split())

    assert machine.changes()[:2] == ["ifconfig pfsync0 maxupd 64", "pfctl -f /etc/pf.conf"]
    assert len(machine.changes()) == 7
    assert len(machine.commands) == 17


def test_a_run_can_be_stopped_between_any_two_commands(bare: Pair) -> None:
    first = bare[0]

    def stop(argv: List[str]) -> None:
        if argv[:2] == ["kldload", "pfsync"]:
            raise KeyboardInterrupt

    first.machine.before_command = stop
    first.act(["kldload", "carp"])
    with pytest.raises(KeyboardInterrupt):
        first.act(["kldload", "pfsync"])

    assert ("carp" in first.machine.modules, "pfsync" in first.machine.modules) == (True, False)


def test_a_command_can_be_made_to_fail(bare: Pair) -> None:
    bare[0].machine.refuse(["kldload"], "kldload: can't load pf: Operation not permitted", 71)

    with pytest.raises(NodeError, match="status 71 and said: kldload: can't load pf"):
        bare[0].act(["kldload", "pf"])


@pytest.mark.parametrize("line", ["pfctl -K 192.0.2.1", "ifconfig em0 ether 02:00:00:00:00:01", "sysctl -X", "netstat -m", "sh -c ls", "service sshd restart"])
def test_what_nobody_modelled_is_no_answer(line: str, cluster: Pair) -> None:
    with pytest.raises(NotModelled):
        cluster[0].machine.run(line.split())


def test_a_program_that_is_not_there_is_said_so(bare: Pair) -> None:
    assert not bare[0].has("conntrackd")
    with pytest.raises(NodeError, match="conntrackd is not installed"):
        bare[0].query(["conntrackd", "-s"])


def test_a_machine_without_power_answers_nothing(bare: Pair) -> None:
    bare[0].machine.lose_power()

    with pytest.raises(Crashed):
        bare[0].query(["uname", "-r"])


@pytest.mark.parametrize("release, number", [("13.2", 1302000), ("13.5", 1305000), ("14.2", 1402000), ("15.0", 1500000)])
def test_each_release_says_its_number(release: str, number: int, tmp_path: Path) -> None:
    first = pair(tmp_path, release=release)[0]

    assert run(first, "uname -r") == "%s-RELEASE\n" % release
    assert run(first, "freebsd-version -ru") == "%s-RELEASE\n" % release * 2
    assert run(first, "sysctl -n kern.osreldate") == "%d\n" % number


# Boot and rc


def test_a_boot_makes_of_the_files_a_running_cluster(cluster: Pair) -> None:
    first, second = cluster

    assert carp_states(cluster) == ["MASTER", "BACKUP"]
    assert run(first, "sysctl -n net.inet.carp.preempt net.inet.carp.demotion") == "1\n0\n"
    assert "Status: Enabled" in run(second, "pfctl -si")
    assert "syncdev: em1 maxupd: 128 defer: off version: 1400\n\tsyncok: 1" in run(second, "ifconfig pfsync0")


def test_pfsync_starts_before_pf_so_that_states_come_with_the_first_retry(cluster: Pair) -> None:
    first, second = cluster
    assert first.machine.traffic(10) == 10
    first.machine.clock.advance(3.0)
    second.machine.boot()

    assert creators(second) == []  # pf has just been enabled, and pfsync has asked three seconds before
    first.machine.clock.advance(1.0)
    assert "0000000a" not in creators(second)
    first.machine.clock.advance(2.0)
    assert "0000000a" in creators(second)


def test_a_boot_without_the_settings_leaves_nothing_of_them(cluster: Pair) -> None:
    first = cluster[0]
    run(first, "sysrc pf_enable=NO pfsync_enable=NO")
    run(first, "sysctl net.inet.ip.forwarding=1")
    first.machine.boot()

    assert run(first, "sysctl -n net.inet.ip.forwarding") == "0\n"
    assert "pfsync" not in first.machine.modules


def test_restarting_pf_flushes_states_and_reloading_does_not(cluster: Pair) -> None:
    first = cluster[0]
    first.machine.traffic(10)

    assert run(first, "service pf reload") == "Reloading pf rules.\n"
    assert len([state for state in first.machine.pf.states if state.protocol == "udp"]) == 10
    assert run(first, "service pf restart") == "Disabling pf.\nEnabling pf.\n"
    assert [state for state in first.machine.pf.states if state.protocol == "udp"] == []


def test_a_service_that_is_not_enabled_says_so_and_succeeds(bare: Pair) -> None:
    done = bare[0].machine.run(["service", "pf", "start"])

    assert done == (0, "Cannot 'start' pf. Set pf_enable to YES in /etc/rc.conf or use 'onestart' instead of 'start'.\n", "")
    assert bare[0].machine.run(["service", "pf", "onestart"]) == (1, "", "/etc/rc.d/pf: WARNING: /etc/pf.conf is not readable.\n")
    assert bare[0].machine.run(["service", "pfsync", "onestart"]) == (1, "", "/etc/rc.d/pfsync: WARNING: pfsync_syncdev is not set.\n")


def test_a_broken_ruleset_does_not_replace_the_one_in_force(cluster: Pair) -> None:
    first = cluster[0]
    before = first.machine.pf.checksum
    first.machine.put("/etc/pf.conf", "pass onn em0\n")

    assert first.machine.run(["service", "pf", "reload"]).status == 1
    assert first.machine.pf.checksum == before


def test_a_lagg_and_a_vlan_on_it_come_from_rc_conf(bare: Pair) -> None:
    machine = bare[0].machine
    machine.put("/etc/rc.conf", 'ifconfig_em1="up"\ncloned_interfaces="lagg0"\nifconfig_lagg0="laggproto failover laggport em1"\n'
                                'vlans_lagg0="99"\nifconfig_lagg0_99="inet 198.51.100.130/28"\n')
    machine.boot()

    assert "laggport: em1 flags=5<MASTER,ACTIVE>" in run(bare[0], "ifconfig lagg0")
    assert "inet 198.51.100.130 netmask 0xfffffff0" in run(bare[0], "ifconfig lagg0.99")


def test_a_port_is_renamed_at_boot(bare: Pair) -> None:
    machine = bare[0].machine
    machine.put("/etc/rc.conf", 'ifconfig_em1_name="ha0"\nifconfig_ha0="inet 198.51.100.130/28"\n')
    machine.boot()

    assert run(bare[0], "ifconfig -l").split()[1] == "ha0"
    assert "inet 198.51.100.130 " in run(bare[0], "ifconfig ha0")


# sysrc


def test_sysrc_reads_sets_adds_checks_and_removes(bare: Pair) -> None:
    first = bare[0]

    assert run(first, "sysrc -n hostname") == "fw1.example.net\n"
    assert run(first, "sysrc pf_enable") == "pf_enable: NO\n"
    assert run(first, "sysrc pf_enable=YES") == "pf_enable: NO -> YES\n"
    assert run(first, "sysrc kld_list+=carp") == "kld_list:  -> carp\n"
    assert run(first, "sysrc kld_list+=pf") == "kld_list: carp -> carp pf\n"
    assert run(first, "sysrc kld_list-=carp") == "kld_list: carp pf -> pf\n"
    assert first.machine.run(["sysrc", "-c", "pf_enable=YES"]) == (0, "", "")
    assert first.machine.run(["sysrc", "-c", "pf_enable=NO"]) == (1, "", "")
    assert run(first, "sysrc -x pf_enable") == ""
    assert first.machine.run(["sysrc", "nonsense_enable"]) == (1, "", "sysrc: unknown variable 'nonsense_enable'\n")
    assert run(first, "sysrc -f /boot/loader.conf carp_load=YES") == "carp_load:  -> YES\n"
    assert first.read_text("/boot/loader.conf") == 'carp_load="YES"\n'
    assert run(first, "sysrc -a").splitlines()[-2:] == ["kld_list: pf", "sshd_enable: YES"]


# pf.conf


def judged(node: FreebsdNode, text: str) -> Tuple[int, str]:
    """Status and what is wrong, of a file."""
    node.machine.put("/tmp/judged.conf", text)
    done = node.machine.run(["pfctl", "-nf", "/tmp/judged.conf"])
    return done.status, done.stderr.replace("/tmp/judged.conf", "FILE")


ORDER = "Rules must be in order: options, ethernet, normalization, queueing, translation, filtering\n"


@pytest.mark.parametrize("text, trouble", [
    ("pass on em0\nset block-policy return\n", "FILE:2: " + ORDER), ("pass\nscrub in all\n", "FILE:2: " + ORDER),
    ("pass\nnat on em2 from 192.0.2.0/24 to any -> (em2)\n", "FILE:2: " + ORDER),
    ("pass quick on $x\n", "FILE:1: macro 'x' not defined\nFILE:1: syntax error\n"),
    ("pass\nblock from nosuch\npass onn em0\n", "no IP address found for nosuch\nFILE:2: could not parse host specification\nFILE:3: syntax error\n"),
    ("pass proto nosuch\n", "FILE:1: unknown protocol nosuch\n"), ("pass proto icmp to port 80\n", "FILE:1: port only applies to tcp/udp/sctp\n"),
    ("set limit nosuch 1\n", "FILE:1: unable to set limit nosuch 1\n"), ("pass in {\n", "FILE:1: syntax error\n")])
def test_pfctl_says_what_is_wrong_in_a_file(text: str, trouble: str, cluster: Pair) -> None:
    assert judged(cluster[0], text) == (1, trouble)


def test_a_file_as_people_write_them_is_understood(cluster: Pair) -> None:
    text = """# edge firewall
ext_if = "em2"
int_if = "em0"   # LAN
sync_if="em1"
services = "{ ssh, https }"
set hostid 1
set block-policy return
set skip on { lo0 }
set limit { states 50000, frags 2000 }
table <private> const { 192.0.2.0/24, \\
    198.51.100.0/24 }
table <bad> persist
scrub in on $ext_if all fragment reassemble
nat on $ext_if inet from <private> to any -> ($ext_if:0)
rdr pass on $ext_if proto tcp from any to ($ext_if) port 443 -> 192.0.2.10
antispoof quick for $int_if inet
block in log all
pass out quick on $ext_if keep state
anchor "hafirewall"
pass in quick on $int_if proto tcp to any port $services flags S/SA keep state \\
    (max 1000, source-track rule, max-src-nodes 100) label "ssh"
pass quick on $sync_if proto pfsync from 198.51.100.128/28 to any keep state (no-sync)
pass on { $ext_if $int_if } proto carp keep state (no-sync)
pass inet proto icmp icmp-type echoreq
"""
    assert judged(cluster[0], text) == (0, "")
    cluster[0].machine.run(["pfctl", "-f", "/tmp/judged.conf"])

    assert run(cluster[0], "pfctl -sr").splitlines() == [
        "scrub in on em2 all fragment reassemble",
        "block drop in quick on ! em0 inet from 192.0.2.0/24 to any",
        "block drop in quick inet from 192.0.2.2 to any",
        "block drop in quick inet from 192.0.2.1 to any", "block return in log all", "pass out quick on em2 all flags S/SA keep state",
        'anchor "hafirewall" all',
        'pass in quick on em0 proto tcp from any to any port = ssh flags S/SA keep state (max 1000, source-track rule, max-src-nodes 100) label "ssh"',
        'pass in quick on em0 proto tcp from any to any port = https flags S/SA keep state (max 1000, source-track rule, max-src-nodes 100) label "ssh"',
        "pass quick on em1 inet proto pfsync from 198.51.100.128/28 to any keep state (no-sync)", "pass on em2 proto carp all keep state (no-sync)",
        "pass on em0 proto carp all keep state (no-sync)", "pass inet proto icmp all icmp-type echoreq keep state"]
    assert run(cluster[0], "pfctl -sm").splitlines()[0] == "states        hard limit    50000"


def test_options_do_not_change_the_checksum_and_names_of_interfaces_do(cluster: Pair) -> None:
    machine = cluster[0].machine

    def checksum(text: str) -> str:
        machine.run(["pfctl", "-f", "-"], stdin=text)
        return machine.pf.checksum

    assert checksum("set hostid 1\npass on em0\n") == checksum("set limit states 1000\npass on em0\n") != checksum("pass on em1\n")
