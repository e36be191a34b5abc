# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a new pf.conf comes to a node: judged before, loaded without a state lost, and back with the old one when anything fails."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf_conf
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import pair

OLD, NEW = "# mine\nblock all\n", "# mine\npass out\nblock all\n"
OLD_RULES, NEW_RULES = ["block drop all"], ["pass out all flags S/SA keep state", "block drop all"]


@pytest.fixture
def node(tmp_path):
    node = pair(tmp_path)[0]
    node.machine.put("/etc/pf.conf", OLD)
    node.machine.path("/etc/pf.conf").chmod(0o640)
    for words in (["kldload", "pf"], ["pfctl", "-f", "/etc/pf.conf"], ["pfctl", "-e"]):
        node.query(words)
    node.machine.commands.clear()
    return node


def now(node):
    return node.machine.text("/etc/pf.conf"), node.machine.pf.rules.printed()


def load(node, text=NEW):
    with node.transaction():
        pf_conf.load(node, text)


def test_the_new_text_is_there_and_in_force_with_the_mode_of_the_old_one_and_all_states(node):
    node.query(["pfctl", "-f", "-"], stdin="pass\n")
    node.machine.traffic(4)
    states = len(node.machine.pf.states)
    load(node)
    assert now(node) == (NEW, NEW_RULES)
    assert node.machine.path("/etc/pf.conf").stat().st_mode & 0o777 == 0o640
    assert len(node.machine.pf.states) == states > 0
    assert (node.commands, [diff["after"] for diff in node.diffs]) == (["pfctl -f /etc/pf.conf"], [NEW])


def test_a_file_that_was_not_there_is_of_root_alone(node):
    node.machine.path("/etc/pf.conf").unlink()
    load(node)
    assert node.machine.path("/etc/pf.conf").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_text_that_pf_does_not_take_never_gets_to_the_file(node, check_mode):
    again = node.again(check_mode)
    with pytest.raises(NodeError, match=r"does not take /etc/pf\.conf with the lines of this collection.*/etc/pf\.conf:2: syntax error "
                                        r"\(line 2 is: pass onn em0\)"):
        load(again, "pass\npass onn em0\n")
    assert (now(node), again.changed) == ((OLD, OLD_RULES), False)


def test_check_mode_tells_and_touches_nothing(node):
    again = node.again(check_mode=True)
    load(again)
    assert (now(node), again.commands, len(again.diffs)) == ((OLD, OLD_RULES), ["pfctl -f /etc/pf.conf"], 1)


def test_when_a_later_step_fails_the_old_text_is_back_and_in_force(node):
    with pytest.raises(NodeError, match=r"something later \(everything was put back as it was\)"), node.transaction():
        pf_conf.load(node, NEW)
        assert now(node) == (NEW, NEW_RULES)
        raise NodeError("something later")
    assert now(node) == (OLD, OLD_RULES)


def test_when_loading_fails_the_old_text_is_back_and_in_force(node):
    node.machine.refuse(["pfctl", "-f", "/etc/pf.conf"], "pfctl: DIOCXCOMMIT: Device busy")
    node.machine.pf.flush_rules()
    with pytest.raises(NodeError, match=r"DIOCXCOMMIT.*everything was put back as it was"):
        load(node)
    assert now(node) == (OLD, OLD_RULES)


def test_when_the_old_rules_cannot_be_loaded_again_it_is_said(node):
    node.machine.refuse(["pfctl", "-f"], "pfctl: DIOCXBEGIN: Device busy")
    with pytest.raises(NodeError, match=r"putting things back failed too: the rules of the old /etc/pf\.conf could not be loaded again"):
        load(node)
    assert node.machine.text("/etc/pf.conf") == OLD
