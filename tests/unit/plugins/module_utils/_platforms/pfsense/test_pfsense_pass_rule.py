# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pass rule: rules as pfctl prints them, what they decide about pfsync, and what of it the configuration keeps."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pass_rule, pf_ruleset
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import parse as links_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_verdict import Scene, among
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.kept_rule import kept
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.transcripts import printed, transcript

LINKS = links_of("""em0: flags=8843<UP,BROADCAST,RUNNING> metric 0 mtu 1500
\tinet 203.0.113.2 netmask 0xffffff00
em1: flags=8843<UP,BROADCAST,RUNNING> metric 0 mtu 1500
\tinet 192.0.2.2 netmask 0xffffff00
em2: flags=8843<UP,BROADCAST,RUNNING> metric 0 mtu 1500
\tinet 198.51.100.129 netmask 0xfffffff0
\tgroups: syncers
""")
SYNC = pass_rule.Sync("em2", "opt1", "198.51.100.128/28", None)
OURS = ("pass in quick on em2 inet proto pfsync from 198.51.100.128/28 to any keep state label \"USER_RULE: sync\" label \"id:1700000001\" "
        "ridentifier 1700000001")
DENY = ["block drop in log inet all label \"Default deny rule IPv4\" ridentifier 1000000103",
        "block drop out log inet all label \"Default deny rule IPv4\" ridentifier 1000000104"]
OUT = "pass out inet all flags S/SA keep state allow-opts label \"let out anything IPv4 from firewall host itself\" ridentifier 1000002665"
ANTISPOOF = ["block drop in log on ! em2 inet from 198.51.100.128/28 to any ridentifier 1000003570",
             "block drop in log inet from 198.51.100.129 to any ridentifier 1000003570"]
KEPT = {"type": "pass", "interface": "opt1", "protocol": "pfsync", "tracker": "1700000001"}


def scene(tables=None, anchors=None):
    tables, anchors = tables or {}, anchors or {}

    def table(name, network):
        return among([ipaddress.ip_network(member) for member in tables[name]], network) if name in tables else None

    def anchor(path):
        found = anchors.get(path, [])
        return None if found is None else pf_ruleset.parse("\n".join(found))
    return Scene(LINKS, table, anchor)


def evidence(rules, configured=(KEPT,), sync=SYNC, running=True, **around):
    parsed = pf_ruleset.parse("\n".join("@%d %s" % item for item in enumerate(rules)))
    return pass_rule.observe(running, parsed, scene(**around), sync, kept(dict(zip("0123", configured)), {"0": {"ifname": "cluster", "members": "lan opt1"}}))


def test_the_rule_as_pfsense_has_it_is_present_effective_and_kept():
    found = evidence([*DENY, *ANTISPOOF, OURS, OUT])
    assert (found["filtered"], found["present"], found["effective"], found["persistent"]) == (True, True, True, True)
    assert (found["blockers"], found["broader"], found["reasons"]) == ([], [], [])
    assert [(row["position"], row["name"]) for row in found["rules"]] == [(4, "1700000001")]


def test_a_rule_of_a_group_that_the_interface_is_in_is_kept():
    assert evidence([*DENY, *ANTISPOOF, OURS, OUT], configured=[dict(KEPT, interface="cluster")])["persistent"] is True
    assert evidence([*DENY, *ANTISPOOF, OURS, OUT], configured=[dict(KEPT, interface="others")])["persistent"] is False


def test_without_it_the_default_deny_is_what_drops():
    found = evidence([*DENY, OUT], configured=())
    assert (found["present"], found["effective"], found["persistent"], found["rules"]) == (False, False, False, [])
    assert found["blockers"] == ['@0 %s (in)' % DENY[0]]


def test_without_a_rule_that_lets_it_out_nothing_is_sent():
    found = evidence([*DENY, OURS])
    assert (found["effective"], found["blockers"]) == (False, ['@1 %s (out)' % DENY[1]])


@pytest.mark.parametrize(("rule", "excess"), [
    ("pass in quick on em2 inet proto pfsync all keep state", "from any"),
    ("pass in quick on em2 inet proto pfsync from 198.51.100.0/24 to any keep state", "from 198.51.100.0/24"),
    ("pass in quick on em2 inet from 198.51.100.128/28 to any flags S/SA keep state", "any protocol"),
    ("pass quick inet proto pfsync from 198.51.100.128/28 to any keep state", "on any interface"),
    ("pass in quick on em2 all flags S/SA keep state", "any protocol, from any"),
])
def test_a_broader_rule_works_and_is_told(rule, excess):
    found = evidence([*DENY, OUT, rule])
    assert (found["present"], found["effective"]) == (False, True)
    assert found["broader"] == ["@3 %s (%s)" % (rule, excess)]


@pytest.mark.parametrize(("members", "excess"), [
    (["198.51.100.128/28"], None), (["198.51.100.129", "198.51.100.130"], None), (["198.51.100.130", "192.0.2.7"], "from <members:2>"),
    (["198.51.100.0/24"], "from <members:2>"), (["198.51.100.128/28", "2001:db8::/32"], "from <members:2>"), (["192.0.2.7"], "from <members:2>"),
    (None, "from <members:2>"),
])
def test_an_alias_is_judged_by_its_members(members, excess):
    rule = "pass in quick on em2 inet proto pfsync from <members:2> to any keep state"
    found = evidence([*DENY, OUT, rule], tables={} if members is None else {"members": members})
    assert (found["present"], found["broader"]) == (excess is None, [] if excess is None else ["@3 %s (%s)" % (rule, excess)])


def test_an_alias_without_members_is_no_rule_and_tables_of_others_are_not_asked_for():
    rule = "pass in quick on em2 inet proto pfsync from <members:2> to any keep state"
    assert evidence([*DENY, OUT, rule], tables={"members": []})["present"] is False
    asked = []
    others = ["pass in quick on em0 inet proto tcp from <big:400000> to any keep state", "pass in quick on em2 inet proto tcp from <staff:9> to any keep state"]
    parsed = pf_ruleset.parse("\n".join("@%d %s" % item for item in enumerate([*DENY, *others, OURS, OUT])))
    around = scene()._replace(table=lambda name, network: asked.append(name))
    assert pass_rule.observe(True, parsed, around, SYNC, kept({}, {}))["present"] is True and asked == []


def test_a_peer_with_a_zone_is_that_peer():
    sync = pass_rule.Sync("em2", "opt1", "2001:db8::/64", "fe80::2%em2")
    assert sync.one == "fe80::2" and pass_rule.Sync("em2", "opt1", "2001:db8::/64", "ff12::f0%em2").one is None


def test_a_rule_beside_ours_is_broader_only_when_it_decides_about_pfsync():
    management = "pass in quick on em2 inet from 198.51.100.128/28 to any flags S/SA keep state"
    assert evidence([*DENY, OUT, OURS, management])["broader"] == []
    strangers = "pass in quick on em2 inet proto pfsync all keep state"
    assert evidence([*DENY, OUT, OURS, strangers])["broader"] == ["@4 %s (from any)" % strangers]
    # On other interfaces the engine takes nothing.
    assert evidence([*DENY, OUT, OURS, "pass in quick on em1 inet from 192.0.2.0/24 to any flags S/SA keep state"])["broader"] == []


@pytest.mark.parametrize(("rule", "effective", "words"), [
    ("block drop in quick on em2 inet all", False, "@0 block drop in quick on em2 inet all (in)"),
    ("block drop in quick on syncers inet proto pfsync all", False, "syncers"), ("block drop in quick on em inet all", False, "on em inet"),
    ("block drop in quick on em1 inet all", True, None), ("block drop in quick on em2 inet6 all", True, None),
    ("block drop in quick on em2 inet proto tcp all", True, None), ("block drop in quick on ! em2 inet all", True, None),
    ("block drop in quick inet from 198.51.100.130 to any", None, "may be dropped"), ("block drop in quick inet from ! 198.51.100.128/28 to any", True, None),
    ("block drop in quick inet from 198.51.100.129 to any", True, None), ("block drop in quick inet from any to 224.0.0.0/4", False, "224.0.0.0/4"),
    ("block drop in quick inet from any to (em2:1)", True, None), ("block drop in quick inet from (em2:network:1) to any", False, "(em2:network:1)"),
    ("block drop in quick inet from (gone) to any", None, "may be dropped"), ("block drop in quick on em2 inet all probability 50%", None, "may be dropped"),
    ("block drop in quick on em2 inet all newword 5", None, "may be dropped"), ("block drop in quick inet from <bogons:3> to any", False, "bogons"),
    ("block drop in quick inet from <some:3> to any", None, "may be dropped"), ("block drop in quick inet from <empty:0> to any", True, None),
    ("block drop in quick inet from <unread:70000> to any", None, "may be dropped"),
    ("block drop in quick inet from 198.51.100.130 - 198.51.100.142 to any", None, "may be dropped"),
    ("block drop in quick inet from 198.51.100.1 - 198.51.100.200 to any", False, " - "),
    ("pass in quick on em2 route-to (em0 203.0.113.9) inet all flags S/SA keep state", False, "route-to"),
    ("pass in quick on em2 reply-to (em0 203.0.113.9) inet proto pfsync from 198.51.100.128/28 to any keep state", True, None),
])
def test_what_stands_in_front_of_the_rule_is_judged(rule, effective, words):
    found = evidence([rule, *DENY, OUT, OURS], tables={"bogons": ["198.51.100.0/24"], "some": ["198.51.100.131/32"]})
    assert found["effective"] is effective
    assert any(words in text for text in found["blockers"]) if words else found["blockers"] == []


@pytest.mark.parametrize(("inner", "effective"), [
    ([], True), (["pass in quick on em1 inet all flags S/SA keep state"], True), (["block drop in quick on em2 inet all"], False),
    (["block drop in on em2 inet all"], True), (None, None)])
def test_anchors_are_looked_into_and_one_that_cannot_be_read_leaves_the_verdict_open(inner, effective):
    found = evidence(['anchor "openvpn/*" all', *DENY, OUT, OURS], anchors={"openvpn/*": inner})
    assert found["effective"] is effective
    assert bool(found["blockers"]) is (effective is not True)


def test_with_one_peer_only_its_packets_to_this_node_count():
    rule = "pass in quick on em2 inet proto pfsync from 198.51.100.130 to 198.51.100.129 keep state"
    assert evidence([*DENY, OUT, rule])["effective"] is False
    found = evidence([*DENY, OUT, rule], sync=SYNC._replace(peer="198.51.100.130"), configured=(dict(KEPT, tracker="5"),))
    assert (found["effective"], found["present"], found["persistent"], found["blockers"]) == (True, True, True, [])


@pytest.mark.parametrize(("rules", "configured", "persistent", "reason"), [
    ([OURS], [dict(KEPT, tracker="01700000001")], True, None),
    ([OURS], [], False, "not in the configuration"), ([OURS], [dict(KEPT, tracker="5")], False, "not in the configuration"),
    ([OURS], [dict(KEPT, disabled="")], False, "not in the configuration"), ([OURS], [dict(KEPT, interface="lan")], False, "not in the configuration"),
    ([OURS], [dict(KEPT, protocol="carp")], False, "not in the configuration"), ([OURS], [dict(KEPT, type="block")], False, "not in the configuration"),
    ([OURS], [dict(KEPT, floating="yes", interface="lan,opt1")], True, None),
    ([], [KEPT], False, "none for the Sync network alone is in force"), ([], [], False, "no such rule"),
])
def test_only_what_is_in_the_configuration_is_there_after_a_reload(rules, configured, persistent, reason):
    found = evidence([*DENY, OUT, *rules], configured)
    assert found["persistent"] is persistent
    assert [reason in text for text in found["reasons"]] == ([True] if reason else [])


def test_a_filter_that_is_off_shares_nothing():
    found = evidence([OURS], running=False)
    assert (found["filtered"], found["present"], found["effective"], found["persistent"]) == (False, False, False, None)


@pytest.mark.parametrize("sync", [None, SYNC._replace(network=None)])
def test_where_the_engine_is_not_known_nothing_is_claimed(sync):
    assert evidence([*DENY, OUT, OURS], sync=sync) == dict(pass_rule.unknown(), filtered=True)


def test_rules_that_freebsd_printed_are_read():
    rules = pf_ruleset.parse(transcript("22-pfctl-vvsr-with-pfsync-rule.A"))
    assert [rule.number for rule in rules] == list(range(len(rules)))
    assert (rules[0].action, rules[0].quick, rules[0].source, rules[0].state) == ("block", False, "any", None)
    own = rules[3]
    assert (own.action, own.quick, own.interface, own.protocol, own.state, own.packets, own.octets, own.conditions) == (
        "pass", True, "em1", "pfsync", ("no-sync",), 43022, 5678881, ())
    assert not any(rule.conditions for rule in rules)


def test_what_they_decided_is_what_freebsd_did_with_the_packets():
    links = links_of("em1: flags=8843<UP> metric 0 mtu 1500\n\tinet 10.255.0.1 netmask 0xffffff00\n")
    sync = pass_rule.Sync("em1", "opt1", "10.255.0.0/24", None)
    verdicts = [pass_rule.observe(True, pf_ruleset.parse(transcript(name)), scene()._replace(links=links), sync, kept({}, {}))["effective"]
                for name in ("20-pfctl-vvsr-without-pfsync-rule.A", "22-pfctl-vvsr-with-pfsync-rule.A")]
    assert verdicts == [False, True]


@pytest.mark.parametrize(("name", "expected"), [
    ("if-bound-rule", ["if-bound"]), ("state-policy", ["if-bound"]), ("floating-rule", []), ("route-to", [])])
def test_the_options_of_states_are_read(name, expected):
    assert [list(rule.state) for rule in pf_ruleset.parse(printed(name)) if rule.state is not None] == [expected]


def test_rules_that_bind_or_route_their_states_are_counted():
    rules = pf_ruleset.parse("\n".join(printed(name) for name in ("if-bound-rule", "floating-rule", "route-to", "pfsync-no-state")))
    assert (len(rules), pf_ruleset.binding(rules)) == (4, {"bound": 1, "routed": 1})


def test_an_anchor_is_read_with_the_rules_in_it():
    named, inline = pf_ruleset.parse(printed("anchor"))
    assert (named.anchor, named.inner, inline.anchor, inline.interface) == ("ha/*", (), "inline", "em0")
    assert [rule.protocol for rule in inline.inner] == ["tcp"]


def test_the_trackers_of_older_releases_are_beside_the_number():
    rule, = pf_ruleset.parse('@5(1000000103) block drop in log (all) inet proto icmp all icmp-type echoreq label "Default deny rule IPv4"')
    assert (rule.number, rule.tracker, rule.conditions) == (5, "1000000103", ("icmp-type", "echoreq"))


@pytest.mark.parametrize(("path", "called"), [("openvpn/*", ["openvpn/a", "openvpn/b"]), ("tftp", ["tftp"]), ("none/*", [])])
def test_a_call_leads_to_the_anchors_of_its_name(path, called):
    asked = []
    pass_rule._anchor(path, ["openvpn", "openvpn/a", "openvpn/b", "openvpn/b/c", "tftp", "ipsec"], lambda name: asked.append(name) or "")
    assert asked == called


def test_too_many_anchors_or_members_are_not_read():
    assert pass_rule._anchor("u/*", ["u/%d" % number for number in range(17)], lambda name: "") is None
    assert pass_rule._members("192.0.2.1\n" * 1001) is None
    assert pass_rule._members("   192.0.2.1\n   !192.0.2.2\n") is None
