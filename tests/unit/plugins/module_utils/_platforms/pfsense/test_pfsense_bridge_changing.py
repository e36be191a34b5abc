# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change does what its operations say and nothing else, on the configuration that it was planned from, and completely or not at all."""

from __future__ import annotations

import re
from typing import Callable, Sequence

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.operations import Operation, insert, put, take
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense import layout
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

HOST = ("system", "hostname")
RULES = ("filter", "rule")
# What a configuration of years may hold: sections of packages, lists of white space, leading zeros, entities, other alphabets, text of all kinds.
ODD = (layout.SOURCE / "odd.xml").read_text(encoding="utf-8").rstrip()


def change(node: PfsenseNode, *operations: Operation, apply: Sequence[bridge.Call] = (), verify: Callable[[], None] = lambda: None) -> bridge.Reading:
    return bridge.settle(node, [HOST, RULES], lambda reading: bridge.Change(operations, apply, "tested"), verify)


def trackers(node: PfsenseNode) -> list[str]:
    return [rule["tracker"] for rule in bridge.read(node, [RULES]).values[RULES]]


def rule(tracker: str) -> dict[str, object]:
    return {"tracker": tracker, "type": "pass", "interface": "opt1", "source": {"network": "opt1"}, "destination": {"any": ""}, "descr": "A & B"}


def without_revision(text: str) -> str:
    return re.sub(r"<revision>.*</revision>", "", text, flags=re.DOTALL)


def test_a_value_is_set_and_taken_away(node: PfsenseNode) -> None:
    change(node, put(HOST, "fw9", "fw1"), put(("new", "deep", "key"), "on", None))
    assert "<hostname>fw9</hostname>" in node.config and "<new>\n\t\t<deep>\n\t\t\t<key>on</key>" in node.config
    change(node, take(("new", "deep", "key"), "on"), take(("none", "of", "these"), None))
    assert "<key>" not in node.config and "<none>" not in node.config


def test_a_section_that_has_nothing_left_goes_and_an_empty_one_stays(node: PfsenseNode) -> None:
    node.edit("<system>", "<vlans></vlans><new><key>on</key></new><system>")
    change(node, take(("new", "key"), "on"), take(("vlans", "vlan"), None))
    assert "<vlans></vlans>" in node.config and "new" not in node.config


def test_an_empty_text_is_written_as_an_empty_element(node: PfsenseNode) -> None:
    change(node, put(("hasync", "pfsyncpeerip"), "", None))
    assert "<pfsyncpeerip></pfsyncpeerip>" in node.config


def test_elements_of_lists_are_known_by_their_fields(node: PfsenseNode) -> None:
    change(node, insert(RULES, rule("1700000001"), {"tracker": "1700000001"}))
    change(node, insert(RULES, rule("1700000002"), {"tracker": "1700000002"}, before={"tracker": "0100000101"}))
    assert trackers(node) == ["1700000002", "0100000101", "1700000001"]
    change(node, put((*RULES, {"tracker": "1700000001"}, "descr"), "new", "A & B"), take((*RULES, {"tracker": "0100000101"}), rule("0100000101")))
    assert trackers(node) == ["1700000002", "1700000001"]
    assert [found["descr"] for found in bridge.read(node, [RULES]).values[RULES]] == ["A & B", "new"]


def test_a_list_that_is_not_there_yet_is_made(node: PfsenseNode) -> None:
    change(node, insert(("virtualip", "vip"), {"vhid": "1"}, {"vhid": "1"}))
    assert "<virtualip>\n\t\t<vip>\n\t\t\t<vhid>1</vhid>" in node.config


@pytest.mark.parametrize(("operation", "problem"), [
    (put((*RULES, {"tracker": "100000101"}, "descr"), "x", None), "no element has"),
    (take((*RULES, {"tracker": "9"}), None), "no element has"),
    (insert(RULES, rule("1"), {"tracker": "1"}, before={"tracker": "9"}), "no element has"),
    (put((*HOST, "deeper"), "x", None), "a text is where"),
    (put((*RULES, {"type": "pass"}, "descr"), "x", None), "2 elements have"),
])
def test_an_operation_that_leads_nowhere_is_an_error_and_nothing_is_written(node: PfsenseNode, operation: Operation, problem: str) -> None:
    change(node, insert(RULES, rule("1700000001"), {"tracker": "1700000001"}))
    before, node = node.config, node.again()
    with pytest.raises(NodeError, match=f"failed while changing: .*{problem}.*configuration is as it was"):
        change(node, put(HOST, "fw9", "fw1"), operation)
    assert (node.config, node.changed) == (before, False)


def test_every_byte_that_is_not_ours_survives(node: PfsenseNode) -> None:
    node.edit("<hostname>fw1</hostname>", ODD)
    assert node.php('write_config("the product itself");').status == 0  # its own writer has its own ways with entities and empty elements
    before = without_revision(node.config)
    change(node, put(HOST, "fw9", "fw1"), insert(RULES, rule("1700000001"), {"tracker": "1700000001"}))
    change(node, put(HOST, "fw1", "fw9"), take((*RULES, {"tracker": "1700000001"}), rule("1700000001")))
    assert without_revision(node.config) == before
    assert "<octal>0100000101</octal>" in before and "<item>0</item>" in before


def test_a_change_is_in_the_history_and_the_old_one_in_the_backups(node: PfsenseNode) -> None:
    old = node.config
    change(node, put(HOST, "fw9", "fw1"))
    assert "<description><![CDATA[(system): tested]]></description>" in node.config
    assert (node.root / "cf/conf/backup/config-1795000000.xml").read_text() == old
    assert node.journal("event") == ["filter sync"]


def test_it_is_accounted_for_and_check_mode_says_the_same(node: PfsenseNode) -> None:
    operations = (put(HOST, "fw9", "fw1"), put(("x", "pass"), "old secret", "new secret", secret=True))
    check, before = node.again(check_mode=True), node.config
    change(check, *operations, apply=[("interfaces_sync_setup", None)])
    assert (node.config, node.journal("command")) == (before, [])
    change(node, *operations, apply=[("interfaces_sync_setup", None)])
    assert (check.commands, check.diffs) == (node.commands, node.diffs)
    assert node.commands == ['write_config("tested")', "interfaces_sync_setup()"]
    assert node.diffs == [{"before_header": "/cf/conf/config.xml", "after_header": "/cf/conf/config.xml",
                           "before": "system/hostname: fw1\nx/pass: ********\n", "after": "system/hostname: fw9\nx/pass: ********\n"}]


def test_nothing_to_do_is_one_reading(node: PfsenseNode) -> None:
    change(node)
    assert (node.php_calls, node.changed) == (1, False)


def test_somebody_who_saves_between_is_not_overwritten_and_it_is_planned_again(node: PfsenseNode) -> None:
    plans = []

    def plan(reading: bridge.Reading) -> bridge.Change:
        plans.append(reading.values[HOST])
        return bridge.Change([put(("x", "y"), "z", None)], [], "tested")

    node.before_php = lambda number: node.edit("fw1", "theirs") if number == 2 else None
    bridge.settle(node, [HOST], plan, lambda: None)
    assert plans == ["fw1", "theirs"]
    assert "theirs" in node.config and "<y>z</y>" in node.config
    assert node.commands == ['write_config("tested")']


@pytest.mark.parametrize(("release", "moment"), [("2.6.0-RELEASE", "at_fresh"), ("2.7.2-RELEASE", "at_set"), ("2.9.0-RELEASE", "at_set")])
def test_somebody_who_saves_while_it_is_changed_is_not_overwritten_either(make, release: str, moment: str) -> None:
    node = make(release)

    def save(number: int) -> None:
        if number == 2:
            node.switch(**{moment: "sed -i s/fw1/theirs/ %s" % node.config_path})

    node.before_php = save
    change(node, put(("x", "y"), "z", None))
    assert "theirs" in node.config and "<y>z</y>" in node.config and node.php_calls == 4


def test_somebody_who_saves_all_the_time_is_an_error(node: PfsenseNode) -> None:
    node.before_php = lambda number: node.edit("<timezone>", "<timezone>x")
    with pytest.raises(NodeError, match="changed by somebody else 3 times between reading and writing, so nothing was written"):
        change(node, put(("x", "y"), "z", None))
    assert "<y>" not in node.config and not node.changed


def test_a_full_disk_is_an_error_and_everything_is_as_it_was(node: PfsenseNode) -> None:
    before = node.config
    node.switch(disk_full=True)
    with pytest.raises(NodeError, match=r"failed while writing: the product could not write it; free on that disk: \d+ KiB \(the configuration is as it was\)"):
        change(node, put(HOST, "fw9", "fw1"))
    assert (node.config, node.changed) == (before, False)
    assert [path.name for path in node.config_path.parent.iterdir() if path.name not in ("config.xml", "backup")] == []


def test_a_product_that_allows_no_change_is_an_error(node: PfsenseNode) -> None:
    node.edit("<system>", "<reset_factory_defaults></reset_factory_defaults>\n\t<system>")
    with pytest.raises(NodeError, match="the product does not allow changes now"):
        change(node, put(HOST, "fw9", "fw1"))


def test_what_the_product_does_not_keep_is_an_error_and_taken_back(node: PfsenseNode) -> None:
    before = without_revision(node.config)
    with pytest.raises(NodeError, match=r'failed while checking: after writing, \["system","hostname"\] is not as it was written.*everything was put back'):
        change(node, put(HOST, "fw9\n", "fw1"))
    assert without_revision(node.config) == before and not node.changed


@pytest.mark.parametrize("release", ["2.6.0-RELEASE", "2.7.2-RELEASE", "2.8.1-RELEASE"])
def test_what_the_product_cannot_read_again_is_an_error_and_nothing_is_changed(make, release: str) -> None:
    # Before 2.9 the product writes names of HTML where XML knows none, cannot read that, and goes back to its backup without a word.
    node = make(release)
    node.edit("fw1", "caf\u00e9")
    before = node.config
    problem = r"could not read what it had written, and put its backup in place; see .*config.xml.bad \(the configuration is as it was\)"
    with pytest.raises(NodeError, match=problem):
        change(node, put(("x", "y"), "z", None))
    assert (node.config, node.changed) == (before, False)


@pytest.mark.parametrize("where", ["interfaces_sync_setup", "filter_configure_sync"])
def test_a_fatal_error_while_applying_names_the_function_and_is_taken_back(node: PfsenseNode, where: str) -> None:
    before = without_revision(node.config)
    node.switch(fatal_in=where)
    node.before_php = lambda number: node.switch(fatal_in=None) if number == 3 else None
    with pytest.raises(NodeError, match=f"failed while applying by {where}: Error: stand-in: fatal error.*everything was put back as it was"):
        change(node, put(HOST, "fw9", "fw1"), apply=[(where, None)])
    assert without_revision(node.config) == before and not node.changed
    assert "(system): tested (taken back)" in node.config


def test_when_taking_back_fails_too_both_are_said(node: PfsenseNode) -> None:
    node.switch(fatal_in="interfaces_sync_setup")
    with pytest.raises(NodeError, match="applying by interfaces_sync_setup: .*taking it back failed too: .*applying by interfaces_sync_setup"):
        change(node, put(HOST, "fw9", "fw1"), apply=[("interfaces_sync_setup", None)])


def test_a_fatal_error_while_writing_leaves_everything_as_it_was(node: PfsenseNode) -> None:
    before = node.config
    node.switch(fatal_in="write_config")
    with pytest.raises(NodeError, match=r"failed while writing: .*fatal error.*\(the configuration is as it was\)"):
        change(node, put(HOST, "fw9", "fw1"))
    assert node.config == before


def refuse() -> None:
    raise NodeError("not as planned")


def test_what_is_not_as_planned_afterwards_is_taken_back_and_applied_again(node: PfsenseNode) -> None:
    before = without_revision(node.config)
    with pytest.raises(NodeError, match=r"not as planned \(everything was put back as it was\)"):
        change(node, put(HOST, "fw9", "fw1"), apply=[("interfaces_sync_setup", None)], verify=refuse)
    assert without_revision(node.config) == before
    assert node.journal("command").count("ifconfig pfsync0 -syncdev -syncpeer down") == 2


def test_what_builds_on_each_other_is_taken_back_in_the_reverse_order(node: PfsenseNode) -> None:
    before = without_revision(node.config)
    with pytest.raises(NodeError, match="everything was put back as it was"):
        change(node, put(HOST, "fw8", "fw1"), put(HOST, "fw9", "fw8"), insert(RULES, rule("1700000001"), {"tracker": "1700000001"}),
               put((*RULES, {"tracker": "1700000001"}, "descr"), "new", "A & B"), verify=refuse)
    assert without_revision(node.config) == before


def test_what_somebody_saved_since_is_not_taken_back(node: PfsenseNode) -> None:
    def verify() -> None:
        node.edit("fw9", "theirs")
        refuse()

    with pytest.raises(NodeError, match="it was not taken back, because somebody has saved the configuration since"):
        change(node, put(HOST, "fw9", "fw1"), verify=verify)
    assert "theirs" in node.config


def test_a_php_that_dies_while_changing_leaves_a_question_and_says_so(node: PfsenseNode) -> None:
    def kill(number: int) -> None:
        if number == 2:
            (node.root / "etc/inc/shaper.inc").write_text("<?php posix_kill(getmypid(), 9);")

    node.before_php = kill
    with pytest.raises(NodeError, match="whether the configuration was written is not known"):
        change(node, put(HOST, "fw9", "fw1"))
    assert node.php_calls == 2


def test_only_functions_of_the_fixed_list_are_called(node: PfsenseNode) -> None:
    with pytest.raises(NodeError, match="no function phpinfo is called here"):
        change(node, apply=[("phpinfo", None)])
