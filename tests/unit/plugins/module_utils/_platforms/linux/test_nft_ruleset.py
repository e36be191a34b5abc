# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ruleset as nft 1.0.6 lists it, read from recorded output."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import nft_ruleset

FIXTURES = Path(__file__).resolve().parents[5] / "fixtures" / "nft-1.0.6"
INPUT = ("inet", "filter", "input")


def recorded(name):
    return nft_ruleset.parse((FIXTURES / (name + ".json")).read_text(), nft_ruleset.parse_listing((FIXTURES / (name + ".txt")).read_text()))


def test_chains_rules_and_their_texts():
    chain = recorded("strict-applied").chains[INPUT]
    assert (chain.kind, chain.hook, chain.priority, chain.policy) == ("filter", "input", 0, "drop")
    assert [rule.name for rule in chain.ours] == ["engine in", "membership in", "vrrp in lan0 ipv4", "vrrp in lan0 ipv6"]
    assert [rule.place for rule in chain.rules] == list(range(9))
    assert chain.rules[0].describe() == ('inet filter input: iifname "sync0" ip saddr 198.51.100.128/28 ip daddr 225.0.0.50 udp dport 3780 counter accept '
                                         'comment "hafirewall.cluster: engine in"')
    assert not chain.rules[-1].ours and chain.rules[-1].describe() == "inet filter input: udp dport 3000-4000 goto refused"


def test_what_only_the_text_tells():
    ruleset = recorded("forms")
    assert ruleset.chains[("netdev", "early", "first")].devices == {"lo"}
    assert ("ip", "asleep", "in") not in ruleset.chains, "a dormant table meets no packet"
    assert ruleset.sets[("inet", "forms")]["friends"] == ["192.0.2.3", {"prefix": {"addr": "198.51.100.128", "len": 29}}]
    assert [entry[0] for entry in ruleset.sets[("inet", "forms")]["ports"]] == [53, 3780]


def test_several_devices_and_an_owner():
    listing = nft_ruleset.parse_listing('table netdev t { # handle 1\n\tflags owner\n\tchain c { # handle 1\n\t\ttype filter hook ingress devices = { a, "b" } '
                                        'priority 0; policy accept;\n\t\tcounter packets 5 bytes 6 drop # handle 2\n\t}\n}\n')
    assert listing.devices == {("netdev", "t", "c"): {"a", "b"}} and listing.flags == {("netdev", "t"): {"owner"}}
    assert listing.texts == {("netdev", "t", "c", 2): "counter drop"}


def test_without_the_text_rules_are_named_by_number():
    bare = nft_ruleset.parse((FIXTURES / "strict.json").read_text())
    assert bare.chains[INPUT].rules[1].describe() == "inet filter input: rule 2"
    assert nft_ruleset.parse((FIXTURES / "empty.json").read_text()).chains == {}


def test_base_chains_come_in_the_order_of_hooks_and_priorities():
    keys = [chain.key for chain in recorded("forms").base_chains(("ingress", "prerouting", "input"))]
    assert keys == [("netdev", "early", "first"), ("ip", "raw", "p"), ("inet", "forms", "input")]


def test_content_is_blind_to_counters_only():
    rule = recorded("strict-applied").chains[INPUT].rules[0]
    busy = rule._replace(handle=99, expr=tuple({"counter": {"packets": 7, "bytes": 9}} if "counter" in part else part for part in rule.expr))
    assert nft_ruleset.content(busy) == nft_ruleset.content(rule) and nft_ruleset.counted(busy) == (7, 9)
    assert nft_ruleset.content(rule._replace(comment="other")) != nft_ruleset.content(rule)
    assert nft_ruleset.content(rule._replace(expr=rule.expr[1:])) != nft_ruleset.content(rule)
    assert nft_ruleset.counted(rule._replace(expr=())) == (None, None)


def test_other_output_is_an_error():
    with pytest.raises(ValueError):
        nft_ruleset.parse("Error: no")
