# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""This collection's blocks of pf.conf: at the places where they count, and nothing else is touched."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf_conf, pf_text
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_conf import FILTER, OPTIONS
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from hypothesis import given
from hypothesis import strategies as st

RULE = "pass quick on em1 inet proto pfsync from 198.51.100.128/28 to any keep state (no-sync)"
OURS = {OPTIONS: "# BEGIN hafirewall.cluster options\nset hostid 10\n# END hafirewall.cluster options\n",
        FILTER: "# BEGIN hafirewall.cluster filter\n%s\n# END hafirewall.cluster filter\n" % RULE}
LINES = {OPTIONS: ["set hostid 10"], FILTER: [RULE]}
INCLUDED = {"/etc/pf.nat": "nat on em0 -> (em0)\n", "/etc/pf.rules": "block all\n", "/etc/pf.all": "nat on em0 -> (em0)\nblock all\n",
            "/etc/pf.macros": "lan = \"em2\"\n", "/etc/pf.options": "set state-policy if-bound\n", "/etc/pf.loop": 'include "/etc/pf.loop"\n',
            "/etc/pf.deep": 'include "/etc/pf.rules"\n'}


def put(text, name, lines=None, included=None):
    return pf_conf.put(text, name, LINES[name] if lines is None else lines, (INCLUDED if included is None else included).get)


def split(text, name):
    """What comes before and behind the block."""
    before, _ours, behind = put(text, name).partition(OURS[name])
    return before, behind


@pytest.mark.parametrize("before, behind", [
    ("", ""),
    ("# my firewall\n\n", "block all\npass out\n"),
    ("ext = \"em0\"\ntable <bad> persist\n", "block all\n"),
    ("set skip on lo0\nscrub in\nnat on em0 -> (em0)\nno rdr on em0\n", "match in all\npass\n"),
    ("altq on em0 cbq bandwidth 10Mb queue { std }\nqueue std cbq(default)\nether pass\n", "antispoof for em0\n"),
    ("nat-anchor \"a/*\"\nrdr-anchor \"a/*\"\n", "anchor \"a/*\"\nload anchor \"a/b\" from \"/etc/b\"\n"),
    ("table <a> { 192.0.2.1, \\\n 192.0.2.2\n 192.0.2.3 }\n", "block in from <a>\n"),
    ("list = \"{ 192.0.2.1 \n block \n }\"\n", "block all\n"),
    ("set limit { states 1000, # block all\n  frags 10 }\n", "block all\n"),
    ("# block all \\\nblock in all\nset skip on lo0 # pass \\\n pass\n", "block out\n"),
    ("set skip on \\\n  lo0\n", "block \\\n  all\n"),
    ("set loginterface none\n\n# Rules\n\n", "# the first,\n# without which nothing goes\nblock all\n"),
    ("nat on em0 -> (em0)\n", "  anchor foreign {\n  nat-like\n  pass\n}\npass\n"),
    ("ether anchor \"wire\" {\n  pass\n  block\n}\nscrub in\n", "pass\n"),
    ("include \"/etc/pf.macros\"\ninclude \"/etc/pf.nat\"\n", "include \"/etc/pf.rules\"\n"),
    ("include \"/etc/pf.all\"\n", "block out\n"),
    ("include \"/etc/pf.gone\"\n", "include \"/etc/pf.deep\"\npass\n"),
    ("include \"/etc/pf.loop\"\n", "block all\n"),
    ("deny = \"block drop\"\n", "$deny in all\n"),
    ("set require-order no\n", "pass in\nnat on em0 -> (em0)\n"),
    ("pass = \"x\"\n", "pass quick\n"),
    ("set skip on lo0\n# only a comment\n", ""),
    ("", "\\\npass\n"),
])
def test_the_rules_go_in_front_of_the_first_that_decides_and_behind_what_pf_wants_before(before, behind):
    assert split(before + behind, FILTER) == (before, behind)


@pytest.mark.parametrize("before, behind", [
    ("", ""),
    ("# my firewall\n\n", "set skip on lo0\nblock all\n"),
    ("ext = \"em0\"\n\n", "# no states for these\nset skip on $ext\n"),
    ("table <a> persist\n", "scrub in\npass\n"),
    ("include \"/etc/pf.macros\"\n", "include \"/etc/pf.options\"\nscrub in\n"),
    ("x = \"set hostid 1\"\n", "pass\n"),
])
def test_the_options_go_in_front_of_all_others_so_that_these_win(before, behind):
    assert split(before + behind, OPTIONS) == (before, behind)


def test_both_blocks_beside_each_other_never_get_into_each_other():
    for first, second in ((OPTIONS, FILTER), (FILTER, OPTIONS)):
        assert put(put("block all\n", first), second) == OURS[OPTIONS] + OURS[FILTER] + "block all\n"
        assert put(put("# end", first), second).startswith("# end\n# BEGIN hafirewall.cluster options\n")


def test_a_block_that_a_rule_has_got_in_front_of_moves_and_one_that_is_right_stays():
    assert put("block all\n" + OURS[FILTER] + "pass\n", FILTER) == OURS[FILTER] + "block all\npass\n"
    assert put(OURS[FILTER] + "nat on em0 -> (em0)\nblock all\n", FILTER) == "nat on em0 -> (em0)\n" + OURS[FILTER] + "block all\n"
    assert put("scrub in\n" + OURS[OPTIONS], OPTIONS) == OURS[OPTIONS] + "scrub in\n"
    stays = "set skip on lo0\n" + OURS[FILTER] + "\n# mine\next = \"em0\"\nblock all\n"
    assert put(stays, FILTER) == stays


def test_other_lines_take_the_place_of_the_old_ones():
    text = "scrub in\n" + OURS[FILTER] + "\nblock all\n"
    changed = put(text, FILTER, ["pass quick on em9"])
    assert changed == text.replace(RULE, "pass quick on em9")
    assert pf_conf.find(changed, FILTER).lines == ("pass quick on em9",)
    assert put(changed, FILTER, []) == "scrub in\n\nblock all\n"


def test_what_follows_a_file_without_a_last_line_break_is_not_joined_to_it_when_the_block_goes():
    assert put(put("# mine", FILTER) + "block all\n", FILTER, []) == "# mine\nblock all\n"


@pytest.mark.parametrize("text, line, message", [
    ("pass\n# BEGIN hafirewall.cluster filter\npass\n", 2, "has no end"),
    ("pass\n# END hafirewall.cluster filter\n", 2, "does not begin"),
    (OURS[FILTER] + "\n" + OURS[FILTER], 5, "second block filter"),
    ("# BEGIN hafirewall.cluster options\n# BEGIN hafirewall.cluster filter\n# END hafirewall.cluster filter\n", 1, "no end before line 2"),
    ("# BEGIN hafirewall.cluster options\n# END hafirewall.cluster filter\n", 2, "does not begin"),
])
@pytest.mark.parametrize("name", [OPTIONS, FILTER])
def test_marks_that_do_not_belong_together_are_told_with_their_line(text, line, message, name):
    for look in (lambda: put(text, name), lambda: pf_conf.find(text, name), lambda: pf_conf.outside(text, INCLUDED.get)):
        with pytest.raises(NodeError, match=r"^/etc/pf\.conf:%d: .*%s" % (line, message)):
            look()


def test_options_of_others_are_found_with_file_and_line_and_those_of_the_block_are_not():
    text = put("ext = \"em0\"\nset skip on lo0\nset \\\n  hostid 7 # mine\ninclude \"/etc/pf.options\"\nset limit { states 5, frags 6 }\nblock all\n", OPTIONS)
    assert pf_conf.outside(text, INCLUDED.get) == [
        pf_text.Setting("/etc/pf.conf", 5, "skip", "on lo0"), pf_text.Setting("/etc/pf.conf", 6, "hostid", "7"),
        pf_text.Setting("/etc/pf.options", 1, "state-policy", "if-bound"), pf_text.Setting("/etc/pf.conf", 9, "limit", "{ states 5 , frags 6 }")]
    assert [setting.name for setting in pf_text.settings(text, "/etc/pf.conf", INCLUDED.get)][0] == "hostid"


# Whatever is in the file

PIECES = st.sampled_from([
    "set skip on lo0\n", "# c\n", "# c \\\n", "#\\\\\n", "\n", "x = \"a\nb\"\n", "y = 'it\\'s'\n", "pass in \\\n  all\n", "block all # x\n",
    "table <a> { 192.0.2.1, \n 192.0.2.2 }\n", "anchor \"x\" {\n pass\n}\n", "nat on em0 -> (em0)\n", "scrub in all\n", "include \"/etc/pf.rules\"\n",
    "include \"/etc/pf.nat\"\n", "include \"/etc/pf.all\"\n", "pass", "# end", "load anchor x from \"/y\"\n", "\r\n", "# dos\r\n", "'", "{", "}", "\"", "\\",
    " ", "no rdr on em0\n", "set require-order no\n", "$x in all\n", "# the line above had no line break\n", "\u0436\udcff\u2028\x0b"])
TEXTS = st.one_of(st.lists(PIECES, max_size=8).map("".join), st.text(max_size=40))
STEPS = st.lists(st.tuples(st.sampled_from([OPTIONS, FILTER]), st.sampled_from([[], ["set skip on em9"], ["pass quick on em1", "# two"]])), max_size=5)


@given(text=TEXTS, steps=STEPS, last=st.permutations([OPTIONS, FILTER]))
def test_whatever_was_set_the_file_is_as_it_was_when_it_is_removed_and_setting_again_changes_nothing(text, steps, last):
    if "hafirewall" in text:
        return
    assert "".join(text[line.start:line.end] for line in pf_text.lines(text)) == text
    now, have = text, {OPTIONS: (), FILTER: ()}
    for name, lines in steps:
        now = put(now, name, lines)
        have[name] = tuple(lines)
        assert put(now, name, lines) == now
        assert {one: block.lines if block else () for one in have for block in [pf_conf.find(now, one)]} == have
    for name in last:
        now = put(now, name, [])
    assert now == text


@given(lines=st.lists(st.sampled_from(["set skip on lo0", "scrub in", "nat on em0 -> (em0)", "x = \"1\"", "# c", "", "table <a> persist"]), max_size=8),
       rules=st.lists(st.sampled_from(["block all", "pass", "anchor \"a/*\"", "# c", "", "y = \"2\"", "load anchor \"a/b\" from \"/c\""]), max_size=8),
       order=st.permutations([OPTIONS, FILTER]))
def test_a_file_in_pfs_order_stays_in_it(lines, rules, order):
    ranks = {"set": 1, "scrub": 2, "nat": 3, "block": 4, "pass": 4, "anchor": 4}
    ordered = sorted(lines, key=lambda line: ranks.get(line.split(" ")[0], 0))
    text = "".join(line + "\n" for line in [*ordered, *rules])
    for name in order:
        text = put(text, name)
    found = [ranks.get(line.split(" ")[0], 0) for line in text.splitlines()]
    assert [rank for rank in found if rank] == sorted(rank for rank in found if rank)
    first = next(rank for rank in found if rank)
    assert first == 1 and next(line for line in text.splitlines() if line.split(" ")[0] in ("block", "pass", "anchor")) == RULE
