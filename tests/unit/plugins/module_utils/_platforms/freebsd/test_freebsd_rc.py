# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rc.conf: what others have in it stays as it is, whatever the file looks like."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import info, rc, state_sync, sync_rule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.modules import state_sync as sync_module
from ansible_collections.hafirewall.cluster.plugins.modules import sync_rule as rule_module
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import FreebsdNode, pair

UNENDED = 'ifconfig_em0_alias9="inet 192.0.2.9/24 vhid 9 pass hidden"\nsshd_enable="YES"'

RULE = {**{name: argument.get("default") for name, argument in rule_module.ARGUMENTS.items()}, "interface": "em1", "network": "198.51.100.128/28"}
SYNC = {**{name: argument.get("default") for name, argument in sync_module.ARGUMENTS.items()}, "interface": "em1", "address": "198.51.100.130"}


@pytest.fixture
def machine(tmp_path):
    machine = pair(tmp_path)[0].machine
    machine.put("/etc/rc.conf", UNENDED)
    return machine


def test_a_last_line_without_an_end_stays_a_line_of_its_own(machine):
    node = FreebsdNode(machine)
    rc.apply(node, rc.read(node), {"pf_enable": "YES"})
    assert machine.text("/etc/rc.conf") == UNENDED + '\npf_enable="YES"\n'
    assert "hidden" not in str(node.diffs)


def test_where_nothing_is_added_the_last_line_stays_without_its_end(machine):
    node = FreebsdNode(machine)
    rc.apply(node, rc.read(node), {"sshd_enable": "YES"})
    assert (machine.text("/etc/rc.conf"), node.changed) == (UNENDED, False)


def test_check_mode_does_not_end_it(machine):
    node = FreebsdNode(machine, True)
    rc.apply(node, rc.read(node), {"pf_enable": "YES"})
    assert (machine.text("/etc/rc.conf"), node.commands) == (UNENDED, ["sysrc pf_enable=YES"])


def test_the_file_comes_back_as_it_was_when_a_later_step_fails(machine):
    node = FreebsdNode(machine)
    with pytest.raises(NodeError), node.transaction():
        rc.apply(node, rc.read(node), {"pf_enable": "YES"})
        raise NodeError("later")
    assert machine.text("/etc/rc.conf") == UNENDED


OVERRIDES = [("/etc/rc.conf.d/pf", 'pf_rules="/usr/local/etc/pf.conf"'), ("/usr/local/etc/rc.conf.d/pf", "  pf_flags=-q"),
             ("/usr/local/etc/rc.conf.d/pf/mine", "pf_rules=/pf.conf"), ("/etc/rc.conf.d/pf/local", "export pf_rules=/pf.conf")]


@pytest.mark.parametrize("path, line", [*OVERRIDES, ("/etc/rc.conf.d/pf", 'pf_enable="NO"')])
def test_what_wins_over_rc_conf_at_the_next_start_is_named_by_sync_rule(tmp_path, path, line):
    node = pair(tmp_path)[0]
    node.machine.put(path, "# ours\n%s\n" % line)
    before = node.machine.text("/etc/rc.conf")
    with pytest.raises(NodeError, match="%s:2 sets pf_" % path):
        sync_rule.apply(node, RULE)
    assert (node.commands, node.machine.text("/etc/rc.conf"), node.machine.text("/etc/pf.conf")) == ([], before, None)


@pytest.mark.parametrize("path, line", [*OVERRIDES, ("/etc/rc.conf.d/pfsync", 'pfsync_syncdev="em2"'), ("/etc/rc.conf.d/pfsync", "pfsync_enable=NO")])
def test_what_wins_over_rc_conf_at_the_next_start_is_named_by_state_sync(tmp_path, path, line):
    node = pair(tmp_path)[0]
    node.machine.put(path, "# ours\n%s\n" % line)
    with pytest.raises(NodeError, match="%s:2 sets pf" % path):
        state_sync.apply(node, SYNC)
    assert node.commands == []


def test_files_of_services_that_say_nothing_of_it_are_left_in_peace(tmp_path):
    node = pair(tmp_path)[0]
    node.machine.put("/etc/rc.conf.d/pf", "# pf_rules=/pf.conf\npf_program=/sbin/pfctl\n")
    node.machine.put("/etc/rc.conf.d/pfsync", "# pfsync_enable=NO\n")
    sync_rule.apply(node, RULE)
    assert 'pf_enable="YES"' in (node.machine.text("/etc/rc.conf") or "")


@pytest.mark.parametrize("path, line", [("/etc/rc.conf.d/pf", "pf_enable=NO"), ("/etc/rc.conf.d/pfsync", "pfsync_enable=NO")])
def test_the_evidence_says_that_rc_conf_is_not_all(tmp_path, path, line):
    node = pair(tmp_path)[0]
    node.machine.put(path, line + "\n")
    assert [(row["area"], path in row["reason"]) for row in info.collect(node, {})["evidence"]["errors"]] == [("config", True)]
