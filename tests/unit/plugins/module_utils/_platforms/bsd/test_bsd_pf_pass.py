# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules for pfsync and CARP: what they say, what pf makes of them, and what a ruleset does with their packets."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pass_rule, pf_pass, pf_ruleset
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import parse as links_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pass_rule import Sync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_verdict import Scene

LINKS = links_of("""em0: flags=8843<UP> metric 0 mtu 1500
\tinet 192.0.2.2 netmask 0xffffff00
\tinet 192.0.2.1 netmask 0xffffff00 vhid 1
\tinet6 fe80::2%em0 prefixlen 64 scopeid 0x1
\tinet6 2001:db8:1::2 prefixlen 64
em1: flags=8843<UP> metric 0 mtu 1500
\tinet 198.51.100.130 netmask 0xfffffff0
\tinet6 fe80::2%em1 prefixlen 64 scopeid 0x2
\tinet6 2001:db8::2 prefixlen 64
""")
SCENE = Scene(LINKS, lambda name, network: None, lambda path: [])
V4 = Sync("em1", None, "198.51.100.128/28", None)
V6 = Sync("em1", None, "2001:db8::/64", None)
VRRP = {"interface": "em0", "family": "ipv4", "sources": ["192.0.2.2", "192.0.2.3"], "transport": "multicast"}


def rules(*lines):
    return pf_ruleset.parse("".join("%s\n" % line for line in lines))


def observe(lines, sync, **more):
    return pass_rule.observe(True, rules(*lines), SCENE, sync, lambda own, where: (True, []), **more)


@pytest.mark.parametrize("sync, expected", [
    (V4, ["inet proto pfsync from 198.51.100.128/28"]),
    (V4._replace(unicast=True), ["inet proto pfsync from 198.51.100.128/28"]),
    (V6, ["inet6 proto pfsync from 2001:db8::/64", "inet6 proto pfsync from fe80::/10"]),
    (V6._replace(peer="ff12::f0"), ["inet6 proto pfsync from 2001:db8::/64", "inet6 proto pfsync from fe80::/10"]),
    (V6._replace(unicast=True), ["inet6 proto pfsync from 2001:db8::/64"]),
    (V6._replace(peer="2001:db8::3"), ["inet6 proto pfsync from 2001:db8::/64"]),
])
def test_the_rules_are_present_and_effective_and_nothing_in_them_is_broader(sync, expected):
    lines = pf_pass.lines(sync, [])
    assert [line for line in lines if "pfsync" in line] == ["pass quick on em1 %s to any keep state (no-sync)" % rule for rule in expected]
    found = observe([*lines, "block drop all"], sync)
    assert (found["present"], found["effective"], found["blockers"], found["broader"]) == (True, True, [], [])


@pytest.mark.parametrize("without", [0, 1])
def test_to_the_group_of_ipv6_both_sources_are_needed(without):
    lines = pf_pass.lines(V6, [])
    del lines[without]
    assert observe([*lines, "block drop all"], V6)["effective"] is False


def test_a_rule_of_the_other_family_lets_nothing_through():
    assert observe(["pass quick on em1 inet proto pfsync all keep state", "block drop all"], V6)["effective"] is False
    assert observe(["pass quick on em1 inet6 proto pfsync all keep state", "block drop all"], V4)["effective"] is False
    assert observe(["block drop quick inet6 all", *pf_pass.lines(V4, [])], V4)["effective"] is True


def test_everybody_of_ipv6_is_broader():
    found = observe(["block drop all", "pass quick on em1 inet6 proto pfsync all keep state (no-sync)"], V6)
    assert (found["present"], found["effective"], found["broader"]) == (
        False, True, ["pass quick on em1 inet6 proto pfsync all keep state (no-sync) (from any)"])


def test_a_peer_that_is_not_known_yet_is_any_member():
    sync = V4._replace(unicast=True)
    assert observe(["block drop quick inet from any to 224.0.0.0/4", *pf_pass.lines(sync, []), "block drop all"], sync)["effective"] is True
    found = observe(["block drop in quick inet from any to 198.51.100.130", *pf_pass.lines(sync, [])], sync)
    assert (found["effective"], found["blockers"]) == (False, ["block drop in quick inet from any to 198.51.100.130 (in)"])


def test_what_pf_skips_passes_whatever_the_rules_say_and_is_broader():
    found = observe(["block drop all"], V4, skipped=True)
    assert (found["effective"], found["present"], found["blockers"], found["broader"]) == (True, False, [], ["set skip on em1: pf passes everything there"])


# CARP


@pytest.mark.parametrize("vrrp, expected", [
    ({"sources": []}, ["pass quick on em0 inet proto carp all"]),
    ({"sources": ["192.0.2.3/24", "192.0.2.2"]},
     ["pass in quick on em0 inet proto carp from 192.0.2.2 to any", "pass in quick on em0 inet proto carp from 192.0.2.3 to any",
      "pass out quick on em0 inet proto carp all"]),
    ({"sources": ["192.0.2.0/24"]}, ["pass in quick on em0 inet proto carp from 192.0.2.0/24 to any", "pass out quick on em0 inet proto carp all"]),
    ({"family": "ipv6", "sources": []}, ["pass quick on em0 inet6 proto carp all"]),
    ({"family": "ipv6", "sources": ["2001:db8:1::3"]},
     ["pass in quick on em0 inet6 proto carp from 2001:db8:1::3 to any", "pass in quick on em0 inet6 proto carp from fe80::/10 to any",
      "pass out quick on em0 inet6 proto carp all"]),
    ({"family": "ipv6", "transport": "unicast", "sources": ["2001:db8:1::3"]},
     ["pass in quick on em0 inet6 proto carp from 2001:db8:1::3 to any", "pass out quick on em0 inet6 proto carp all"]),
])
def test_advertisements_of_the_others_come_in_and_its_own_go_out(vrrp, expected):
    one = {**VRRP, **vrrp}
    lines = pf_pass.lines(None, [one, one])
    assert lines == ["%s keep state (no-sync)" % line for line in expected]
    assert pf_pass.dropped(rules(*lines, "block drop all"), SCENE, None, [one]) == []
    assert pf_pass.dropped(rules("block drop all"), SCENE, None, [one])[-1] == "block drop all (CARP on em0, out)"


def test_one_peer_of_carp_is_judged_by_its_own_address():
    one = {**VRRP, "transport": "unicast"}
    lines = pf_pass.lines(None, [one])
    assert pf_pass.dropped(rules("block drop quick inet from any to 224.0.0.0/4", *lines), SCENE, None, [one]) == []
    assert pf_pass.dropped(rules("block drop out quick inet from any to 192.0.2.3", *lines), SCENE, None, [one]) == [
        "block drop out quick inet from any to 192.0.2.3 (CARP on em0, out)"]


@pytest.mark.parametrize("source", ["2001:db8::1", "fw2", "192.0.2.300"])
def test_sources_that_cannot_be_are_told(source):
    with pytest.raises(ValueError, match=r"192.0.2.300|fw2|sources of em0"):
        pf_pass.lines(None, [{**VRRP, "sources": [source]}])


# Comparing


def test_pf_may_print_more_options_of_states_and_less_is_another_rule():
    line = pf_pass.lines(V4, [])[0]
    assert pf_pass.missing(rules(line), rules("@7 " + line.replace("(no-sync)", "(no-sync, if-bound)"))) == []
    for other in (line.replace(" (no-sync)", ""), line.replace("em1", "em2"), line.replace("quick ", ""), line.replace("/28", "/29"),
                  line.replace("keep state (no-sync)", "no state"), line.replace("pass ", "pass in "), line + " tagged x"):
        assert [rule.text for rule in pf_pass.missing(rules(line), rules(other))] == [line]


@pytest.mark.parametrize("in_force, written", [
    ("block drop in from <bad:12> to any", "block drop in from <bad> to any"),
    ("pass out on em2 from (em2:*) to any", "pass out on em2 from (em2) to any"),
    ("pass in from (em0:network:1) to (em0:0:1)", "pass in from (em0:network) to (em0:0)"),
])
def test_what_pf_counts_is_no_difference(in_force, written):
    counted, plain = rules("@3 " + in_force, written)
    assert pf_pass.same(plain, counted)
