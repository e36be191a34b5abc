# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pass rules on simulated OpenBSD nodes; what is the same on FreeBSD is tried there."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import sync_rule
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, pair
from ansible_collections.hafirewall.cluster.tests.unit.plugins.module_utils._platforms.openbsd.openbsd_cases import rule_options, run, sync_options

PFSYNC = "pass quick on em1 inet proto pfsync from 198.51.100.128/28 to any keep state (no-sync)\n"
CARP = ("pass in quick on em0 inet proto carp from 192.0.2.3 to any keep state (no-sync)\npass out quick on em0 inet proto carp all keep state (no-sync)\n"
        "pass in quick on em2 inet proto carp from 203.0.113.3 to any keep state (no-sync)\npass out quick on em2 inet proto carp all keep state (no-sync)\n")
BLOCK = "# BEGIN hafirewall.cluster filter\n%s# END hafirewall.cluster filter\n"
STRICT = "set skip on lo\nblock return log\npass on em3\n"


@pytest.fixture(name="node")
def _node(tmp_path) -> OpenbsdNode:
    node = pair(tmp_path)[0]
    node.machine.put("/etc/pf.conf", STRICT, 0o600)
    node.machine.run(["pfctl", "-f", "/etc/pf.conf"])
    return node


def test_the_block_is_in_front_of_the_rules_and_loaded(node):
    result, done = run(node, "sync_rule", rule_options(0))
    assert done == ["pfctl -f /etc/pf.conf"]
    assert node.read_text("/etc/pf.conf") == STRICT.replace("block return", BLOCK % (PFSYNC + CARP) + "block return")
    assert node.machine.path("/etc/pf.conf").stat().st_mode & 0o777 == 0o600
    found = result["pass_rule"]
    assert (found["present"], found["effective"], found["persistent"], found["broader"], found["blockers"]) == (True, True, True, [], [])


def test_no_state_is_lost_by_it(node):
    node.machine.put("/etc/pf.conf", "pass\n", 0o600)
    node.machine.run(["pfctl", "-f", "/etc/pf.conf"])
    node.machine.traffic(20)
    before = len(list(node.machine.pf.states))
    run(node, "sync_rule", rule_options(0))
    assert len(list(node.machine.pf.states)) == before > 0


def test_the_rule_alone_lets_a_strict_pair_have_each_others_states(tmp_path):
    first, second = pair(tmp_path)
    for number, node in enumerate((first, second)):
        node.machine.put("/etc/pf.conf", STRICT, 0o600)
        node.machine.run(["pfctl", "-f", "/etc/pf.conf"])
        run(node, "sync_rule", rule_options(number))
        run(node, "state_sync", sync_options(number))
    assert not run(second, "state_sync", sync_options(1))[0]["notes"]


def test_off_takes_the_block_away_and_leaves_the_file_as_it_was(node):
    run(node, "sync_rule", rule_options(0))
    run(node, "sync_rule", rule_options(0, enabled=False, vrrp=[]))
    assert node.read_text("/etc/pf.conf") == STRICT


def test_a_pf_that_is_off_and_has_nothing_to_block_is_started_now_and_at_boot(node):
    node.machine.put("/etc/pf.conf", "pass\n", 0o600)
    node.machine.run(["pfctl", "-d"])
    node.machine.put("/etc/rc.conf.local", "ntpd_flags=\npf=NO\n")
    result, done = run(node, "sync_rule", rule_options(0))
    assert done == ["rcctl enable pf", "pfctl -f /etc/pf.conf", "pfctl -e"]
    assert {"setting": "pf in /etc/rc.conf.local", "is": "NO", "wanted": "YES"} in result["drift"]
    node.machine.boot()
    assert node.machine.pf.enabled
    assert sync_rule.apply(node.again(), rule_options(0))["drift"] == []


def test_a_pf_that_is_off_is_not_started_where_that_may_cut_the_connection(node):
    node.machine.run(["pfctl", "-d"])
    node.machine.put("/etc/rc.conf.local", "pf=NO\n")
    with pytest.raises(NodeError, match="start pf by 'rcctl enable pf' and 'pfctl -ef /etc/pf.conf'"):
        sync_rule.apply(node.again(), rule_options(0))
    assert (node.read_text("/etc/rc.conf.local"), node.read_text("/etc/pf.conf"), node.machine.pf.enabled) == ("pf=NO\n", STRICT, False)


def test_a_file_that_pfctl_does_not_take_is_left_with_what_pfctl_says(node):
    node.machine.put("/etc/pf.conf", "pass on em0 proto nonsense to nowhere keep\n", 0o600)
    with pytest.raises(NodeError, match="pfctl does not take /etc/pf.conf as it is"):
        sync_rule.apply(node.again(), rule_options(0))
    assert node.read_text("/etc/pf.conf") == "pass on em0 proto nonsense to nowhere keep\n"


def test_a_sync_network_of_ipv6_is_refused(node):
    with pytest.raises(NodeError, match="OpenBSD shares states over IPv4 only"):
        sync_rule.apply(node, rule_options(0, network="2001:db8:5::/64"))


@pytest.mark.parametrize(("text", "idle"), [
    (None, False), ("", False), ("pf=YES\n", False), ("pf=NO\n", True), ("pf='NO' # for now\n", True), ("#pf=NO\n", False), ("pf=NO\npf=YES\n", False),
    ("spamd_black=NO\npf_flags=NO\n", False),
])
def test_pf_starts_at_boot_unless_rc_conf_local_says_no(node, text, idle):
    if text is not None:
        node.machine.put("/etc/rc.conf.local", text)
    assert sync_rule.starts(node) is not idle
