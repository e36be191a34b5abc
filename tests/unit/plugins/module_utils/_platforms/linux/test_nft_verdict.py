# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evaluator: what it knows it says, what it does not know it calls unknown."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import nft_ruleset, nft_verdict
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_match import Packet
from hypothesis import example, given
from hypothesis import strategies as st

ENGINE = Packet("engine in", "in", 4, "sync0", "198.51.100.130", "225.0.0.50", 17, port=3780, on_link=True)
ENGINE6 = Packet("engine in", "in", 6, "sync0", "2001:db8:5::2", "ff02::50", 17, port=3780, on_link=True)
OUT = ENGINE._replace(name="engine out", direction="out")


def match(left, right, op="=="):
    return {"match": {"op": op, "left": left, "right": right}}


def payload(protocol, field):
    return {"payload": {"protocol": protocol, "field": field}}


def meta(key):
    return {"meta": {"key": key}}


def ruleset(*rules, policy="drop", chains=(), sets=(), family="inet", hook="input", prio=0, kind="filter"):
    """A ruleset of one base chain, with further chains as (name, rules) and sets as (name, elements)."""
    items = [{"chain": {"family": family, "table": "t", "name": "base", "type": kind, "hook": hook, "prio": prio, "policy": policy}}]
    items += [{"chain": {"family": family, "table": "t", "name": name}} for name, _rules in chains]
    items += [{"set": {"family": family, "table": "t", "name": name, "elem": elements}} for name, elements in sets]
    for name, body in (("base", rules), *chains):
        items += [{"rule": {"family": family, "table": "t", "chain": name, "handle": handle, "expr": expr}} for handle, expr in enumerate(body)]
    return nft_ruleset.parse(json.dumps({"nftables": items}))


def verdict(*rules, packet=ENGINE, **more):
    return nft_verdict.decide(ruleset(*rules, **more), packet).verdict


DROP, ACCEPT = {"drop": None}, {"accept": None}
UNKNOWN_MATCH = match({"socket": {"key": "mark"}}, 1)


def test_policy_and_first_verdict_decide():
    assert verdict() == "drop" and verdict(policy="accept") == "accept"
    assert verdict([ACCEPT], [DROP]) == "accept" and verdict([DROP], [ACCEPT], policy="accept") == "drop"
    found = nft_verdict.decide(ruleset([match(payload("udp", "dport"), 53), ACCEPT], [DROP]), ENGINE).chains[0]
    assert found.describe("drop") == "inet t base: rule 2"


@pytest.mark.parametrize("statement", [
    UNKNOWN_MATCH, {"xt": None}, {"limit": {"rate": 1, "per": "second"}}, {"ct count": {"val": 5}}, {"quota": {"val": 1}}, {"something new": 1},
    match(meta("mark"), 1), match(payload("udp", "sport"), 5), match(payload("udp", "dport"), "some-service"), match({"osf": {}}, "Linux"),
    match({"ct": {"key": "mark"}}, 1), match(payload("ether", "saddr"), "00:11:22:33:44:55"), match(payload("ip", "ttl"), 5, "<"),
    match(payload("ip", "saddr"), "@nowhere"), {"vmap": {"key": meta("iifname"), "data": "@nowhere"}}, {"match": None}, {"jump": None},
    {"match": {"op": "==", "left": payload("ip", "saddr"), "right": {"new form": 1}}},
    match(payload("ip", "saddr"), {"set": [{"elem": {"val": "198.51.100.130", "limit": {"rate": 1}}}]}),
])
def test_what_is_not_understood_is_unknown_unless_both_ways_agree(statement):
    assert verdict([statement, ACCEPT]) == "unknown"
    if "match" in statement and statement["match"]:
        assert verdict([statement, ACCEPT], [ACCEPT]) == "accept"
        assert verdict([statement, DROP]) == "drop"


@pytest.mark.parametrize(("condition", "held"), [
    (match(meta("iifname"), "sync0"), True), (match(meta("iif"), "sync*"), True), (match(meta("iifname"), "lan0", "!="), True),
    (match(meta("iifname"), {"set": ["lan0", "wan0"]}), False), (match(meta("oifname"), "sync0"), False),
    (match(payload("ip", "saddr"), {"prefix": {"addr": "198.51.100.128", "len": 28}}), True),
    (match(payload("ip", "saddr"), {"range": ["198.51.100.131", "198.51.100.140"]}), False),
    (match(payload("ip", "daddr"), {"set": [{"prefix": {"addr": "224.0.0.0", "len": 4}}]}), True), (match(payload("ip6", "saddr"), "::1", "!="), False),
    (match(payload("tcp", "dport"), 3780, "!="), False), (match(payload("th", "dport"), {"range": [3000, 4000]}), True),
    (match(payload("udp", "dport"), 3780, ">="), True), (match(payload("udp", "dport"), 3780, "<"), False),
    (match(meta("l4proto"), {"set": ["tcp", "udp"]}), True), (match(meta("l4proto"), "vrrp"), False), (match(payload("ip", "protocol"), 17), True),
    (match(meta("nfproto"), "ipv4"), True), (match(meta("protocol"), "ip6"), False), (match(meta("pkttype"), "multicast"), True),
    (match({"ct": {"key": "state"}}, ["established", "related"], "in"), False), (match({"ct": {"key": "state"}}, {"set": ["new", "untracked"]}), True),
    (match({"ct": {"key": "state"}}, "new", "in"), True), (match({"ct": {"key": "state"}}, "invalid", "!="), True),
    (match({"ct": {"key": "state"}}, {"|": ["established", "related"]}, "!="), True),
    (match({"fib": {"result": "oif", "flags": ["saddr", "iif"]}}, False), False), (match({"fib": {"result": "oif", "flags": ["saddr", "iif"]}}, "sync0"), True),
    (match({"fib": {"result": "type", "flags": ["daddr"]}}, {"set": ["local", "multicast"]}, "!="), False),
    (match({"fib": {"result": "type", "flags": "saddr"}}, "local"), False),
    (match({"&": [payload("ip", "frag-off"), 8191]}, 0, "!="), False), (match({"&": [payload("tcp", "flags"), ["syn"]]}, "syn"), False),
    (match({"concat": [meta("iifname"), payload("ip", "saddr"), payload("udp", "dport")]}, {"set": [{"concat": ["sync0", "198.51.100.130", 3780]}]}), True),
    (match({"concat": [payload("udp", "sport"), payload("udp", "dport")]}, {"set": [{"concat": [7, 53]}]}), False),
    (match(payload("ip", "saddr"), "@friends"), True), (match(payload("ip", "saddr"), "@empty"), False),
    (match(payload("igmp", "type"), "membership-query"), False),
    (match(payload("ip", "saddr"), {"set": [{"elem": {"val": "198.51.100.130", "timeout": 5}}]}), True),
])
def test_matches(condition, held):
    sets = (("friends", [{"elem": {"val": "198.51.100.130", "expires": 5}}]), ("empty", []))
    assert verdict([condition, ACCEPT], sets=sets) == ("accept" if held else "drop")


def test_jump_goto_return_and_maps():
    inner = ("inner", [[match(payload("udp", "dport"), 53), ACCEPT], [{"return": None}], [DROP]])
    assert verdict([{"jump": {"target": "inner"}}], [ACCEPT], chains=[inner]) == "accept"
    assert verdict([{"goto": {"target": "inner"}}], [ACCEPT], chains=[inner]) == "drop"
    ports = ("ports", [[53, DROP], [3780, {"jump": {"target": "yes"}}]])
    assert verdict([{"vmap": {"key": payload("udp", "dport"), "data": "@ports"}}], chains=[("yes", [[ACCEPT]])], sets=[ports]) == "accept"
    fallback = {"vmap": {"key": meta("iifname"), "data": {"set": [["*", DROP], ["sync0", ACCEPT]]}}}
    assert verdict([fallback]) == "accept" and verdict([fallback], policy="accept", packet=ENGINE._replace(device="lan0")) == "drop"
    assert verdict([{"vmap": {"key": payload("tcp", "dport"), "data": {"set": [[3780, DROP]]}}}], policy="accept") == "accept"
    assert verdict([{"jump": {"target": "loop"}}], chains=[("loop", [[{"jump": {"target": "loop"}}]])]) == "unknown"
    assert verdict([UNKNOWN_MATCH, {"jump": {"target": "inner"}}], [ACCEPT], chains=[inner]) == "accept"


def test_reject_names_its_version():
    assert verdict([{"reject": {"type": "icmpv6", "expr": "admin-prohibited"}}], policy="accept") == "accept"
    assert verdict([{"reject": {"type": "icmp", "expr": "admin-prohibited"}}], policy="accept") == "drop"
    assert verdict([{"reject": None}], policy="accept", packet=ENGINE6) == "drop"


def test_families_directions_and_devices():
    assert verdict(family="ip6") == "accept" and verdict(family="ip6", packet=ENGINE6) == "drop"
    assert verdict(packet=OUT) == "accept" and verdict(hook="output", packet=OUT) == "drop"
    assert verdict(hook="forward") == "accept"
    assert verdict([match(meta("iifname"), "lo"), ACCEPT], hook="output", packet=OUT) == "drop"
    assert verdict([match(meta("iifname"), "lo", "!="), ACCEPT], hook="output", packet=OUT) == "unknown"
    ingress = ruleset(family="netdev", hook="ingress")
    assert nft_verdict.decide(ingress, ENGINE).verdict == "unknown", "the chain's device is not known"
    chain = ingress.chains[("netdev", "t", "base")]
    for devices, expected in (({"sync0"}, "drop"), ({"lan0"}, "accept")):
        assert nft_verdict.decide(ingress._replace(chains={chain.key: chain._replace(devices=frozenset(devices))}), ENGINE).verdict == expected


def test_what_earlier_chains_do_to_the_packet():
    def two(first, second, prio=-300):
        early, late = ruleset(*first, policy="accept", hook="prerouting", prio=prio), ruleset(*second)
        chain = late.chains[("inet", "t", "base")]
        moved = {("inet", "u", "late"): chain._replace(key=("inet", "u", "late"))}
        late_rules = tuple(rule._replace(key=("inet", "u", "late")) for rule in chain.rules)
        chains = dict(early.chains)
        chains.update({key: value._replace(rules=late_rules) for key, value in moved.items()})
        return nft_verdict.decide(early._replace(chains=chains), ENGINE).verdict

    untracked = [match({"ct": {"key": "state"}}, "untracked", "in"), ACCEPT]
    assert two([[{"notrack": None}]], [untracked]) == "accept" and two([], [untracked]) == "drop"
    assert two([[UNKNOWN_MATCH, {"notrack": None}]], [untracked]) == "unknown"
    assert two([[match({"ct": {"key": "state"}}, "invalid", "in"), DROP]], [[ACCEPT]]) == "drop", "before conntrack every packet looks invalid"
    assert two([[match({"ct": {"key": "state"}}, "invalid", "in"), DROP]], [[ACCEPT]], prio=-100) == "accept"
    rewritten = [match(payload("ip", "daddr"), "225.0.0.50"), ACCEPT]
    assert two([[{"mangle": {"key": payload("ip", "daddr"), "value": "192.0.2.1"}}]], [rewritten]) == "unknown"
    assert two([[{"dnat": {"addr": "192.0.2.1"}}]], [rewritten], prio=-100) == "unknown"
    assert two([[DROP]], [[UNKNOWN_MATCH, ACCEPT]]) == "drop"


def test_looking_past_accepts_tells_whether_a_chain_could_drop():
    def restricts(*rules, policy="accept"):
        found = ruleset(*rules, policy=policy)
        return nft_verdict.judge_chain(found, found.chains[("inet", "t", "base")], ENGINE, ignore_accepts=True).verdict != "accept"

    assert restricts(policy="drop") and restricts([ACCEPT], policy="drop") and restricts([ACCEPT], [DROP]) and restricts([UNKNOWN_MATCH, DROP])
    assert not restricts([ACCEPT]) and not restricts([match(payload("tcp", "dport"), 22), DROP])


def test_can_drop_and_reachable():
    jumps = ruleset([{"vmap": {"key": meta("iifname"), "data": {"set": [["a", {"goto": {"target": "inner"}}]]}}}], policy="accept",
                    chains=[("inner", [[DROP]]), ("unused", [[ACCEPT]])])
    base = jumps.chains[("inet", "t", "base")]
    assert nft_verdict.reachable(jumps, base.key) == {base.key, ("inet", "t", "inner")}
    assert nft_verdict.can_drop(jumps, base) and not nft_verdict.can_drop(jumps, jumps.chains[("inet", "t", "unused")])


anything = st.recursive(st.none() | st.booleans() | st.integers(-5, 4000) | st.sampled_from(["ip", "saddr", "@s", "*", "sync0", "192.0.2.1", "new"]),
                        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
                            ["match", "op", "left", "right", "meta", "key", "payload", "protocol", "field", "set", "prefix", "range", "concat", "elem", "val",
                             "vmap", "data", "jump", "target", "ct", "fib", "flags", "result", "mangle", "&", "|", "reject", "type", "accept", "drop"]),
                            inner, max_size=3), max_leaves=12)


@given(st.lists(st.lists(st.dictionaries(st.sampled_from(["match", "vmap", "jump", "mangle", "reject", "set", "limit", "accept", "drop", "xt"]), anything,
                                         min_size=1, max_size=1), max_size=3), max_size=4))
def test_no_rule_crashes_it(rules):
    assert verdict(*rules) in ("accept", "drop", "unknown")


@given(anything, anything, st.sampled_from(["==", "!=", "in", "<"]))
@example({"&": []}, None, "==")
def test_a_condition_that_accepts_and_its_rest_that_accepts_is_an_accept(left, right, op):
    """Whatever the match is, when both ways lead to the same verdict it is that verdict, or unknown for a form that is no match at all."""
    assert verdict([match(left, right, op), ACCEPT], [ACCEPT]) in ("accept", "unknown")
    assert verdict([match(left, right, op), DROP], policy="drop") in ("drop", "unknown")
