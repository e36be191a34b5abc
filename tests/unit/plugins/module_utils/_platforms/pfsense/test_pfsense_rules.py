# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the configuration's rules is the pass rule, which may drop the traffic, and what operations do to rules and separators."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import rules

NETWORK = ipaddress.IPv4Network("198.51.100.128/28")
OURS = rules.made("opt1", "2000000001", {"time": "1", "username": "x"})
BLOCK = {"tracker": "1", "type": "block", "interface": "opt1", "ipprotocol": "inet", "source": {"any": ""}, "destination": {"any": ""}, "descr": ""}
FLOATING = {"floating": "yes", "quick": "yes"}


def test_what_is_made_is_the_pass_rule_and_ours() -> None:
    assert rules.is_pass_rule(OURS, "opt1", NETWORK) and rules.is_ours(OURS) and not rules.may_drop(OURS, NETWORK)


@pytest.mark.parametrize("changes", [{"source": {"address": "198.51.100.128/28"}}, {"log": ""}, {"descr": "theirs"}, {"nosync": ""}, {"statetype": "none"}])
def test_the_same_in_other_words_is_one_too(changes: dict[str, Any]) -> None:
    assert rules.is_pass_rule({**OURS, **changes}, "opt1", NETWORK)


@pytest.mark.parametrize("changes", [
    {"disabled": ""}, {"floating": "yes"}, {"interface": "lan"}, {"type": "block"}, {"protocol": "carp"}, {"protocol": ""}, {"ipprotocol": "inet6"},
    {"ipprotocol": "inet46"}, {"source": {"any": ""}}, {"source": {"network": "opt1", "not": ""}}, {"source": {"network": "opt1ip"}},
    {"source": {"address": "198.51.100.0/24"}}, {"source": ""}, {"destination": {"network": "(self)"}}, {"sched": "night"}, {"max": "5"}, {"tagged": "x"},
    {"gateway": "WANGW"},
])
def test_what_passes_less_or_more_is_none(changes: dict[str, Any]) -> None:
    assert not rules.is_pass_rule({**OURS, **changes}, "opt1", NETWORK)


@pytest.mark.parametrize("changes", [
    {}, {"type": "reject"}, {"protocol": "pfsync"}, {"protocol": "any"}, {"ipprotocol": "inet46"}, {"source": {"address": "ALIAS"}}, {"source": ""},
    {"source": {"address": "198.51.100.0/24"}}, {"source": {"address": "198.51.100.130"}}, {"source": {"address": "192.0.2.0/24", "not": ""}},
    {"type": "pass", "gateway": "WANGW"}, {"sched": "night"}, FLOATING, {**FLOATING, "direction": "any"},
])
def test_what_may_drop_the_traffic(changes: dict[str, Any]) -> None:
    assert rules.may_drop({**BLOCK, **changes}, NETWORK)


@pytest.mark.parametrize("changes", [
    {"type": "pass"}, {"disabled": ""}, {"protocol": "tcp"}, {"ipprotocol": "inet6"}, {"source": {"address": "192.0.2.0/24"}},
    {"source": {"address": "2001:db8::/32"}}, {"floating": "yes"}, {**FLOATING, "direction": "out"}, {**FLOATING, "type": "match", "gateway": "x"},
])
def test_what_does_not(changes: dict[str, Any]) -> None:
    assert not rules.may_drop({**BLOCK, **changes}, NETWORK)


@pytest.mark.parametrize(("changes", "over"), [
    ({**FLOATING, "interface": ""}, True), ({**FLOATING, "interface": "any"}, True), ({**FLOATING, "interface": "lan,opt1"}, True),
    ({**FLOATING, "interface": "Inner"}, True), ({**FLOATING, "interface": "lan"}, False), ({"interface": "Inner"}, True), ({"interface": "opt1"}, False),
    ({"interface": "Inner", "type": "pass"}, False),
])
def test_what_is_asked_before_every_rule_of_the_interface(changes: dict[str, Any], over: bool) -> None:
    rule = {**BLOCK, **changes}
    assert rules.before_all(["", rule], "opt1", ["Inner"], NETWORK) == ([rule] if over else [])


def test_a_rule_goes_in_and_out_and_the_separators_with_it() -> None:
    row = {name: {"row": [f"fr{number}"], "text": "x"} for number, name in enumerate("abcd")}
    table = rules.Table([{**BLOCK, "interface": "lan"}, {**BLOCK, "tracker": "2"}, {**BLOCK, "tracker": "3"}],
                        {"opt1": {**row, "odd": "", "odder": {"row": "fr2"}, "oddest": {"row": ["2"]}}, "lan": ""})
    table.add(OURS, 2)
    table.remove(table.ours()[0])
    assert [operation.op for operation in table.operations] == ["insert", "set", "set", "delete", "set", "set"]
    assert [(operation.path[-2], operation.was, operation.value) for operation in table.operations if operation.op == "set"] == [
        ("c", ["fr2"], ["fr3"]), ("d", ["fr3"], ["fr4"]), ("c", ["fr3"], ["fr2"]), ("d", ["fr4"], ["fr3"])]
    assert (table.operations[0].before, table.operations[3].before) == ({"tracker": "3"}, {"tracker": "3"})
    assert [rule["tracker"] for rule in table.rules] == ["1", "2", "3"]


def test_the_end_of_an_interface_is_the_end_of_all_and_behind_its_separators() -> None:
    table = rules.Table("", {"opt1": {"a": {"row": ["fr0"]}}})
    table.add(OURS, None)
    assert [(operation.op, operation.before) for operation in table.operations] == [("insert", None)]


def test_rules_are_known_by_their_tracker_else_by_all_they_say_else_not() -> None:
    none = {**BLOCK, "tracker": ""}
    table = rules.Table([{**none, "descr": "a"}, BLOCK, {**BLOCK, "descr": "copy"}, none, none, ""], None)
    table.add(OURS, 1)
    assert table.operations[-1].before == BLOCK
    table.add({**OURS, "tracker": "7"}, 0)
    assert table.operations[-1].before == {**BLOCK, "tracker": "", "descr": "a"}
    for place in (5, 6, 7):
        with pytest.raises(NodeError, match=f"rule {place + 1} of the configuration cannot be told from the others"):
            table.add({**OURS, "tracker": "8"}, place)


def test_a_tracker_is_free_whatever_zeros_lead() -> None:
    first = rules.free_tracker([], "opt1")
    assert rules.free_tracker([{"tracker": "00" + first}, "", {}], "opt1") == str(int(first) + 1)
