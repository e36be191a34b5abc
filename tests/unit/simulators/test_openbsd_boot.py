# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the simulated OpenBSD starts, and netstart and rcctl. Sources: etc/netstart, etc/rc, usr.sbin/rcctl/rcctl.sh."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.base import NotModelled
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, node


@pytest.fixture(name="fw1")
def _fw1(tmp_path: Path) -> OpenbsdNode:
    return node(tmp_path)


def demotion(fw1: OpenbsdNode) -> str:
    return fw1.query(["ifconfig", "-g", "carp"]).stdout.split()[-1]


def test_what_only_the_kernel_knew_is_gone_and_what_files_say_is_there(fw1: OpenbsdNode) -> None:
    fw1.machine.put("/etc/hostname.pfsync0", "syncdev em1\nup\n", 0o640)
    fw1.machine.put("/etc/hostname.carp0", "inet 192.0.2.1 255.255.255.0 192.0.2.255 vhid 1 carpdev em0 pass secret\n", 0o640)
    fw1.machine.put("/etc/sysctl.conf", "net.inet.carp.preempt=1 # of us\n")
    fw1.query(["ifconfig", "vlan9", "create"])
    fw1.machine.traffic(5)
    said = fw1.machine.boot()
    assert "net.inet.carp.preempt: 0 -> 1" in said
    assert "vlan9" not in fw1.query(["ifconfig"]).stdout
    assert "pfsync: syncdev: em1 " in fw1.query(["ifconfig", "pfsync0"]).stdout
    assert " BACKUP carpdev em0 vhid 1 " in fw1.query(["ifconfig", "carp0"]).stdout
    assert not [state for state in fw1.machine.pf.states if state.protocol == "udp"]
    fw1.machine.clock.advance(30)
    assert demotion(fw1) == "0"


def test_netstart_starts_pfsync0_before_the_rules_are_there_and_its_requests_go_through_afterwards(fw1: OpenbsdNode) -> None:
    """ifmstart of etc/netstart 1.234 does not leave pfsync out; rc starts it once more behind pf.conf."""
    fw1.machine.put("/etc/hostname.pfsync0", "syncdev em1\nup\n", 0o640)
    fw1.machine.boot()
    counters = fw1.machine.pfsync.counters
    assert (counters.send_errors, counters.packets_out, demotion(fw1)) == (1, 0, "32")
    fw1.machine.clock.advance(3)
    assert counters.packets_out == 1


def test_a_boot_holds_carp_down_until_it_has_ended(fw1: OpenbsdNode) -> None:
    seen = []
    fw1.machine.put("/etc/rc.local", "ifconfig -g carp carpdemote 64 && echo 64 > /var/run/mark\n")
    fw1.machine.put("/var/run/old", "x")
    fw1.machine.carp._tell = lambda vhosts: seen.append(fw1.machine.interfaces.demoted["carp"])  # type: ignore[method-assign]
    fw1.machine.boot()
    assert seen == [128, 192]
    assert (demotion(fw1), fw1.read_text("/var/run/mark"), fw1.read_text("/var/run/old")) == ("64", "64\n", None)


def test_rules_that_are_wrong_leave_those_of_the_boot(fw1: OpenbsdNode) -> None:
    fw1.machine.put("/etc/pf.conf", "pass on\n", 0o600)
    said = fw1.machine.boot()
    assert said[:1] == ["starting network"]
    assert "pfctl: Syntax error in config file: pf rules not loaded" in said
    rules = fw1.query(["pfctl", "-sr"]).stdout
    assert rules.startswith("block drop all\npass on lo0 all flags S/SA\npass in proto tcp from any to any port = ssh flags S/SA\n")
    assert "pass in proto carp all keep state (no-sync)\n" in rules
    assert fw1.machine.traffic(4, port=4500) == 0


def test_laggs_vlans_and_carp_come_after_the_ports_in_this_order(fw1: OpenbsdNode) -> None:
    files = {"carp0": "inet 198.51.100.140 255.255.255.240 NONE vhid 1 carpdev vlan7", "vlan7": "vnetid 7 parent aggr0\ninet 198.51.100.130/28",
             "aggr0": "trunkport em1\nlladdr 02:00:5e:00:00:07\nup", "em1": "up"}
    for name, text in files.items():
        fw1.machine.put("/etc/hostname.%s" % name, text + "\n", 0o640)
    said = fw1.machine.boot()
    assert said == ["starting network"]
    assert " BACKUP carpdev vlan7 " in fw1.query(["ifconfig", "carp0"]).stdout


def test_netstart_makes_commands_of_lines(fw1: OpenbsdNode) -> None:
    """parse_hn_line; -n prints them."""
    fw1.machine.put("/etc/hostname.carp0", "# ours\ninet 192.0.2.1 255.255.255.0 NONE vhid 1 carpdev em0\ninet alias 192.0.2.9 255.255.255.255\n"
                    "inet6 2001:db8::1 64\n\ndescription \"two words\"\n", 0o640)
    assert fw1.query(["sh", "/etc/netstart", "-n", "carp0"]).stdout == (
        "{ ifconfig carp0 || ifconfig carp0 create; }\n{ ifconfig carp0 || ifconfig carp0 create; }\n"
        "ifconfig carp0 inet 192.0.2.1 netmask 255.255.255.0  vhid 1 carpdev em0\nifconfig carp0 inet alias 192.0.2.9 netmask 255.255.255.255\n"
        "ifconfig carp0 inet6 2001:db8::1 prefixlen 64\nifconfig carp0 description \"two words\"\n")
    fw1.query(["sh", "/etc/netstart", "carp0"])
    shown = fw1.query(["ifconfig", "carp0"]).stdout
    assert "\tdescription: two words\n" in shown
    assert "\tinet 192.0.2.9 netmask 0xffffffff\n" in shown


def test_netstart_ends_well_whatever_its_commands_said(fw1: OpenbsdNode) -> None:
    fw1.machine.put("/etc/hostname.pfsync0", "syncdev em9 up\nmaxupd 64\n", 0o640)
    done = fw1.query(["sh", "/etc/netstart", "pfsync0", "em9"])
    assert (done.status, done.stderr) == (
        0, "ifconfig: pfsync0: SIOCSETPFSYNC: Device not configured\nnetstart: /etc/hostname.em9: No such file or directory.\n")


def test_a_file_that_others_can_read_is_told_of_and_closed(fw1: OpenbsdNode) -> None:
    fw1.machine.put("/etc/hostname.pfsync0", "syncdev em1\n", 0o644)
    assert fw1.query(["sh", "/etc/netstart", "pfsync0"]).stderr == "WARNING: /etc/hostname.pfsync0 is insecure, fixing permissions.\n"
    assert fw1.machine.path("/etc/hostname.pfsync0").stat().st_mode & 0o777 == 0o640


def test_a_second_netstart_of_pfsync0_with_another_device_is_refused_by_the_kernel(fw1: OpenbsdNode) -> None:
    fw1.machine.put("/etc/hostname.pfsync0", "syncdev em1\nup\n", 0o640)
    fw1.query(["sh", "/etc/netstart", "pfsync0"])
    fw1.machine.put("/etc/hostname.pfsync0", "syncdev em2\nup\n", 0o640)
    assert fw1.query(["sh", "/etc/netstart", "pfsync0"]).stderr == "ifconfig: pfsync0: SIOCSETPFSYNC: Device busy\n"
    assert "syncdev: em1 " in fw1.query(["ifconfig", "pfsync0"]).stdout


def test_the_gateways_interface_is_in_the_group_egress(fw1: OpenbsdNode) -> None:
    """defaultroute; if_group_egress_build in sys/net/if.c."""
    fw1.machine.put("/etc/mygate", "203.0.113.1\n")
    fw1.machine.boot()
    assert "\tgroups: egress\n" in fw1.query(["ifconfig", "em2"]).stdout
    assert "    gateway: 203.0.113.1\n  interface: em2\n" in fw1.query(["route", "-n", "get", "192.0.0.1"]).stdout
    assert "  interface: em0\n if address: 192.0.2.2\n" in fw1.query(["route", "-n", "get", "192.0.2.50"]).stdout


def test_an_address_that_no_route_leads_to_is_not_in_the_table(fw1: OpenbsdNode) -> None:
    """newroute in sbin/route/route.c says so on its standard output."""
    done = fw1.machine.run(["route", "-n", "get", "192.0.0.1"])
    assert (done.status, done.stdout, done.stderr) == (1, "get host 192.0.0.1: not in table\n", "")


def test_rcctl_switches_pf_in_rc_conf_local(fw1: OpenbsdNode) -> None:
    assert fw1.query(["rcctl", "get", "pf"]).stdout == "pf=YES\n"
    fw1.query(["rcctl", "disable", "pf"])
    assert fw1.machine.text("/etc/rc.conf.local") == "pf=NO\n"
    assert (fw1.machine.run(["rcctl", "get", "pf", "status"]).status, fw1.machine.run(["rcctl", "get", "pf"]).stdout) == (1, "pf=NO\n")
    fw1.machine.boot()
    assert fw1.query(["pfctl", "-si"]).stdout.startswith("Status: Disabled")
    fw1.query(["rcctl", "enable", "pf"])
    assert fw1.machine.text("/etc/rc.conf.local") is None
    done = fw1.machine.run(["rcctl", "start", "pf"])
    assert (done.status, done.stderr) == (1, 'rcctl: "pf" is a special variable, no rc.d(8) script\n')


def test_lines_that_are_not_modelled_are_not_guessed(fw1: OpenbsdNode) -> None:
    fw1.machine.put("/etc/hostname.em1", "inet autoconf\n", 0o640)
    with pytest.raises(NotModelled):
        fw1.query(["sh", "/etc/netstart", "em1"])


def test_the_examples_of_the_manual_pages_do_what_they_say(tmp_path: Path) -> None:
    """pfsync(4), carp(4), aggr(4) and trunk(4); a line may begin with any word of ifconfig."""
    fw1 = node(tmp_path, devices=("sis0", "em0", "sis2", "em1"))
    files = {"sis0": "inet 10.0.0.254 255.255.255.0 10.0.0.255", "sis2": "inet 192.168.254.254 255.255.255.0 192.168.254.255",
             "carp0": "inet 10.0.0.1 255.255.255.0 10.0.0.255 vhid 1 carpdev sis0 pass foo", "pfsync0": "syncdev sis2 up",
             "em0": "up", "em1": "up", "trunk0": "trunkproto failover trunkport em0 trunkport em1 10.1.1.1/24 up"}
    for name, text in files.items():
        fw1.machine.put("/etc/hostname.%s" % name, text + "\n", 0o640)
    fw1.machine.put("/etc/pf.conf", "pass quick on { sis2 } proto pfsync keep state (no-sync)\npass on { sis0 em1 } proto carp keep state (no-sync)\n", 0o600)
    assert fw1.machine.boot() == ["starting network"]
    assert "\tcarp: BACKUP carpdev sis0 vhid 1 advbase 1 advskew 0\n" in fw1.query(["ifconfig", "carp0"]).stdout
    assert "\tpfsync: syncdev: sis2 maxupd: 128 defer: off\n" in fw1.query(["ifconfig", "pfsync0"]).stdout
    assert fw1.query(["ifconfig", "trunk0"]).stdout.endswith("\tstatus: active\n\tinet 10.1.1.1 netmask 0xffffff00 broadcast 10.1.1.255\n")
    fw1.query(["ifconfig", "pfsync0", "down"])
    fw1.machine.put("/etc/hostname.pfsync0", "syncdev sis2 syncpeer 10.0.0.2 defer up\n", 0o640)
    assert fw1.query(["sh", "/etc/netstart", "pfsync0"]).stderr == ""
    assert "\tpfsync: syncdev: sis2 syncpeer: 10.0.0.2 maxupd: 128 defer: on\n" in fw1.query(["ifconfig", "pfsync0"]).stdout
