# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pf of the simulated OpenBSD. Sources: sbin/pfctl/pfctl.c, pfctl_parser.c, pf_print_state.c, parse.y, and sys/net/pf_ioctl.c."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, node


@pytest.fixture(name="fw1")
def _fw1(tmp_path: Path) -> OpenbsdNode:
    return node(tmp_path)


def load(fw1: OpenbsdNode, text: str) -> None:
    fw1.machine.put("/etc/pf.conf", text, 0o600)
    fw1.query(["pfctl", "-f", "/etc/pf.conf"])


def host_id(fw1: OpenbsdNode) -> str:
    return next(line.split()[1] for line in fw1.query(["pfctl", "-vsi"]).stdout.splitlines() if line.startswith("Hostid:"))


@pytest.mark.parametrize(("written", "printed"), [
    ("pass quick on { em2 } proto pfsync keep state (no-sync)", "pass quick on em2 proto pfsync all keep state (no-sync)"),
    ("pass on { em0 em1 } proto carp keep state (no-sync)", "pass on em0 proto carp all keep state (no-sync)"),
    ("pass quick on em1 proto 240 from 198.51.100.128/28 keep state (no-sync)",
     "pass quick on em1 inet proto pfsync from 198.51.100.128/28 to any keep state (no-sync)"),
    ("pass in on em0 inet proto udp to port domain", "pass in on em0 inet proto udp from any to any port = domain"), ("block return", "block return all"),
    ("block", "block drop all"), ("pass", "pass all flags S/SA"), ("pass proto tcp keep state", "pass proto tcp all flags S/SA"),
    ("pass keep state (if-bound, no-sync)", "pass all flags S/SA keep state (no-sync, if-bound)"),
])
def test_rules_are_printed_as_print_rule_does(fw1: OpenbsdNode, written: str, printed: str) -> None:
    """In contrast to FreeBSD, ``keep state`` is told only where options follow; 112 and 240 have names in etc/protocols."""
    load(fw1, written + "\n")
    assert fw1.query(["pfctl", "-sr"]).stdout.splitlines()[0] == printed


def test_with_vv_rules_have_numbers_and_counters(fw1: OpenbsdNode) -> None:
    load(fw1, "block\npass\n")
    fw1.machine.traffic(3)
    assert fw1.query(["pfctl", "-vvsr"]).stdout == (
        "@0 block drop all\n  [ Evaluations: 3         Packets: 0         Bytes: 0           States: 0     ]\n"
        "  [ Inserted: uid 0 pid 103 State Creations: 0     ]\n"
        "@1 pass all flags S/SA\n  [ Evaluations: 3         Packets: 3         Bytes: 180         States: 3     ]\n"
        "  [ Inserted: uid 0 pid 103 State Creations: 3     ]\n")


def test_the_status_is_told_as_print_status_does(fw1: OpenbsdNode) -> None:
    fw1.machine.clock.advance(61)
    told = fw1.query(["pfctl", "-si"]).stdout
    assert told.splitlines()[0] == "Status: Enabled for 0 days 00:01:01              Debug: err"
    assert "\n  current entries                        0               \n" in told
    assert "Hostid" not in told
    told = fw1.query(["pfctl", "-si", "-v"]).stdout
    assert "\nHostid:   0x%08x\nChecksum: 0x%s\n\nState Table" % (fw1.machine.hostid, fw1.machine.pf.checksum) in told
    assert fw1.query(["pfctl", "-sm"]).stdout.splitlines()[0] == "states        hard limit   100000"


def test_a_state_is_told_as_print_state_does(fw1: OpenbsdNode) -> None:
    """The id as it is on the wire, and no line about the interface where it began; with the rule of its own node."""
    fw1.machine.traffic(1)
    fw1.machine.clock.advance(10)
    assert fw1.query(["pfctl", "-ss"]).stdout == "all udp 203.0.113.200:53 <- 192.0.2.100:10000       NO_TRAFFIC:SINGLE\n"
    assert fw1.query(["pfctl", "-vvss"]).stdout == (
        "all udp 203.0.113.200:53 <- 192.0.2.100:10000       NO_TRAFFIC:SINGLE\n"
        "   age 00:00:10, expires in 00:00:50, 1:0 pkts, 60:0 bytes, rule 1\n   id: 000000006b041375 creatorid: %08x\n" % fw1.machine.hostid)


def test_a_reload_keeps_states_and_the_host_id(fw1: OpenbsdNode) -> None:
    """pfctl_load_options loads a host id only where one is set; pfattach makes a random one at boot."""
    fw1.machine.traffic(4)
    before = host_id(fw1)
    load(fw1, "pass\n")
    assert (host_id(fw1), len(fw1.machine.pf.states)) == (before, 4)
    load(fw1, "set hostid 10\npass\n")
    assert host_id(fw1) == "0x0000000a"
    load(fw1, "pass\n")
    assert host_id(fw1) == "0x0000000a"
    fw1.machine.boot()
    assert host_id(fw1) not in ("0x0000000a", before)


def test_the_checksum_is_that_of_the_rules_and_of_the_names_in_them(fw1: OpenbsdNode) -> None:
    load(fw1, "pass on em0\n")
    before = fw1.machine.pf.checksum
    load(fw1, "set hostid 7\npass on em0\n")
    assert fw1.machine.pf.checksum == before
    load(fw1, "pass on em1\n")
    assert fw1.machine.pf.checksum != before


@pytest.mark.parametrize(("text", "says"), [
    ("pass on em0 proto pfsync keep state (no-such)\n", "/etc/pf.conf:1: syntax error\n"), ("set hostid 0\n", "/etc/pf.conf:1: hostid must be non-zero\n"),
    ("scrub in all\n", "/etc/pf.conf:1: syntax error\n"), ("nat on em0 from any to any -> (em0)\n", "/etc/pf.conf:1: syntax error\n"),
    ("pass\nset keepcounters\n", "/etc/pf.conf:2: syntax error\n"),
    ("set debug urgent\n", "pfctl: unknown debug level \"urgent\"\n/etc/pf.conf:1: error setting debuglevel urgent\n"),
    ("pass on $sync\n", "/etc/pf.conf:1: macro 'sync' not defined\n/etc/pf.conf:1: syntax error\n"),
])
def test_what_is_wrong_in_a_file_is_told_and_the_old_rules_stay(fw1: OpenbsdNode, text: str, says: str) -> None:
    before = fw1.query(["pfctl", "-sr"]).stdout
    fw1.machine.put("/etc/pf.conf", text, 0o600)
    done = fw1.machine.run(["pfctl", "-nf", "/etc/pf.conf"])
    assert (done.status, done.stdout, done.stderr) == (1, "", says)
    done = fw1.machine.run(["pfctl", "-f", "/etc/pf.conf"])
    assert (done.status, done.stderr) == (1, says + "pfctl: Syntax error in config file: pf rules not loaded\n")
    assert fw1.query(["pfctl", "-sr"]).stdout == before


def test_a_file_that_there_is_not(fw1: OpenbsdNode) -> None:
    done = fw1.machine.run(["pfctl", "-nf", "/tmp/none"])
    assert (done.status, done.stderr) == (
        1, "pfctl: pushfile: /tmp/none: No such file or directory\npfctl: cannot open the main config file!: No such file or directory\n")


def test_parts_of_a_file_may_come_in_any_order(fw1: OpenbsdNode) -> None:
    load(fw1, "pass\nset hostid 3\nset skip on lo\nset debug notice\n")
    assert "Debug: notice" in fw1.query(["pfctl", "-si"]).stdout


def test_a_test_loads_nothing_and_shows_what_it_has_read_when_asked(fw1: OpenbsdNode) -> None:
    before = fw1.query(["pfctl", "-sr"]).stdout
    fw1.machine.put("/tmp/x", "set hostid 10\nblock\n")
    assert fw1.query(["pfctl", "-nvf", "/tmp/x"]).stdout == "set hostid 0x0000000a\nblock drop all\n"
    assert fw1.query(["pfctl", "-sr"]).stdout == before


def test_on_and_off(fw1: OpenbsdNode) -> None:
    assert fw1.machine.run(["pfctl", "-e"]).stderr == "pfctl: pf already enabled\n"
    assert fw1.query(["pfctl", "-d"]).stderr == "pf disabled\n"
    assert fw1.query(["pfctl", "-si"]).stdout.startswith("Status: Disabled ")
    assert fw1.machine.run(["pfctl", "-d"]).status == 1


def test_a_rule_may_name_a_group(fw1: OpenbsdNode) -> None:
    fw1.query(["ifconfig", "em0", "group", "inside"])
    load(fw1, "block\npass on inside\n")
    assert fw1.machine.traffic(2) == 1
