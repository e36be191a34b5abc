# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where rules go, and the texts that put them there."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import nft_files, nft_live
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_rules import wanted_rules
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from hypothesis import given
from hypothesis import strategies as st
from test_nft_ruleset import INPUT, recorded

OUTPUT = ("inet", "filter", "output")
RULES = wanted_rules({"enabled": True, "interface": "sync0", "network": "198.51.100.128/28", "transport": "multicast", "group": "225.0.0.50", "port": 3780,
                      "vrrp": [{"interface": "lan0", "family": family, "sources": ["192.0.2.3"]} for family in ("ipv4", "ipv6")]})


def names(placement):
    return {key: [rule.name for rule in rules] for key, rules in placement.items()}


def test_rules_are_needed_where_the_traffic_could_be_dropped_with_or_without_ours_there():
    expected = {INPUT: ["engine in", "membership in", "vrrp in lan0 ipv4", "vrrp in lan0 ipv6"],
                OUTPUT: ["engine out", "membership out", "vrrp out lan0 ipv4", "vrrp out lan0 ipv6"]}
    assert names(nft_files.needed(recorded("strict"), RULES)) == expected == names(nft_files.needed(recorded("strict-applied"), RULES))
    assert nft_files.needed(recorded("empty"), RULES) == {} == nft_files.needed(recorded("strict"), [])


def test_a_named_chain_gets_the_rules_of_the_hooks_that_lead_there():
    named = nft_files.stated(recorded("strict"), RULES, [("inet", "filter", "refused"), ("inet", "filter", "forward"), ("inet", "no", "such")])
    assert names(named) == {("inet", "filter", "refused"): ["engine in", "membership in", "vrrp in lan0 ipv4", "vrrp in lan0 ipv6"]}


def test_the_managed_file_declares_each_chain_and_keeps_the_order():
    text = nft_files.include_text({INPUT: RULES[:2]})
    assert text.splitlines()[0].startswith("# Managed by hafirewall.cluster")
    assert text.splitlines()[2:6] == ["table inet filter {", "\tchain input {", "\t}", "}"]
    assert text.splitlines()[6:] == ["insert rule inet filter input " + rule.text for rule in reversed(RULES[:2])]
    assert nft_files.include_text({}) is None


@given(st.lists(st.sampled_from(["table inet a {", "}", "", 'include "/etc/x.nft"', nft_files.INCLUDE_LINE, "# comment"])), st.booleans(), st.booleans(),
       st.booleans())
def test_the_line_is_once_and_last_and_nothing_else_changes(lines, ended, included, elsewhere):
    text = "\n".join(lines) + ("\n" if ended else "")
    after = nft_files.configuration(text, included, elsewhere)
    count = 1 if included and not elsewhere else 0
    if nft_files.has_our_line(text) and lines and count and text == after:
        assert nft_files.has_our_line([line for line in lines if line.strip()][-1])
    else:
        assert after.splitlines().count(nft_files.INCLUDE_LINE) == count
    if count:
        assert [line for line in after.splitlines() if line.strip()][-1] == nft_files.INCLUDE_LINE
    assert [line for line in after.splitlines() if line != nft_files.INCLUDE_LINE] == [line for line in text.splitlines() if line != nft_files.INCLUDE_LINE]
    assert nft_files.configuration(after, included, elsewhere) == after


def test_who_else_keeps_a_chain():
    live = recorded("strict")
    assert nft_files.foreign(live, ("ip", "filter", "INPUT"), None).startswith("iptables")
    assert nft_files.foreign(live, ("inet", "firewalld", "filter_INPUT"), None) == "firewalld"
    assert nft_files.foreign(live, INPUT, None) is None
    assert nft_files.foreign(live._replace(owned=frozenset([("inet", "filter")])), INPUT, live) == "the program that owns its table"
    boot = live._replace(chains={("ip", "filter", "INPUT"): live.chains[INPUT]})
    assert nft_files.foreign(live, ("ip", "filter", "INPUT"), boot) is None, "the user's own file defines it"


def test_live_change_touches_only_our_rules():
    live = recorded("strict-applied")
    handles = [rule.handle for rule in live.chains[INPUT].ours]
    commands = nft_files.live_change(live, [INPUT], {INPUT: RULES[:1]}).split("; ")
    assert commands == ["delete rule inet filter input handle %d" % handle for handle in handles] + ["insert rule inet filter input " + RULES[0].text]


def test_stale_compares_content_order_and_what_comes_before():
    live = recorded("strict-applied")
    forms = {("inet", rule.text): nft_files.content(found) for key in (INPUT, OUTPUT)
             for rule, found in zip(nft_files.needed(live, RULES)[key], live.chains[key].ours)}
    placement = nft_files.needed(live, RULES)
    assert nft_files.stale(live, placement, forms) == []
    assert nft_files.stale(live, {OUTPUT: placement[OUTPUT]}, forms) == [INPUT]

    def with_input(change):
        rules = tuple(rule._replace(place=place) for place, rule in enumerate(change(list(live.chains[INPUT].rules))))
        return live._replace(chains={**live.chains, INPUT: live.chains[INPUT]._replace(rules=rules)})

    assert nft_files.stale(with_input(lambda rules: rules[:3] + rules[4:]), placement, forms) == [INPUT]
    assert nft_files.stale(with_input(lambda rules: [rules[1], rules[0]] + rules[2:]), placement, forms) == [INPUT]
    assert nft_files.stale(with_input(lambda rules: rules[-1:] + rules[:-1]), placement, forms) == [INPUT], "a goto to a drop comes first"
    assert nft_files.stale(with_input(lambda rules: rules[4:5] + rules[:4] + rules[5:]), placement, forms) == [], "what comes first lets the traffic pass on"


def test_includes_are_put_in_place(tmp_path, monkeypatch):
    folder = tmp_path / "d"
    folder.mkdir()
    monkeypatch.setattr(nft_live, "INCLUDE_PATH", str(folder / "hafirewall.nft"))
    (folder / "b.nft").write_text("rule b")
    (folder / "hafirewall.nft").write_text("old")
    (tmp_path / "nested").write_text('include "%s/*.nft"\n' % folder)
    node = Node(check_mode=True)
    lines = 'first\n  include "%s"; # why\ninclude "%s/missing"\ninclude "%s/none*"\nlast' % (tmp_path / "nested", tmp_path, tmp_path)
    assert nft_live.expanded(node, lines, "ours 1\nours 2\n") == (
        'first\nrule b\nours 1\nours 2\ninclude "%s/missing"\nlast\n' % tmp_path, True)
    assert nft_live.expanded(node, nft_files.INCLUDE_LINE.replace("/etc/nftables.d", str(folder)), "ours") == ("ours\n", False)
    (tmp_path / "loop").write_text('include "%s/loop"\n' % tmp_path)
    assert nft_live.expanded(node, 'include "%s/loop"\n' % tmp_path, None).text.count('include "') == 1


def test_nft_that_prints_something_else_is_a_clear_error():
    with pytest.raises(NodeError, match="output of nft is not understood"):
        nft_live._parsed('{"nftables": [{"rule": {}}]}', "")
