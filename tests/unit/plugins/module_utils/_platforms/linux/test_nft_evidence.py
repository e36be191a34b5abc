# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence: what is claimed, and what is left open."""

from __future__ import annotations

import ipaddress
import json

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import nft_evidence, nft_ruleset
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_evidence import Boot, evidence
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_rules import SyncTraffic
from test_nft_ruleset import recorded

SYNC = SyncTraffic("sync0", ipaddress.ip_network("198.51.100.128/28"), "225.0.0.50", 3780, "198.51.100.129")
STRICT, APPLIED, EMPTY = recorded("strict"), recorded("strict-applied"), recorded("empty")


def judged(live, boot=None, enabled=True, reason="", packets=SYNC.packets(), sync=SYNC):  # noqa: B008
    return evidence(live, Boot(live if boot is None else boot, enabled, reason), packets, sync)


def picked(found, *keys):
    return [found[key] for key in keys]


def test_in_place_now_and_later():
    found = judged(APPLIED)
    assert picked(found, "filtered", "present", "effective", "persistent") == [True] * 4
    assert picked(found, "broader", "unclear", "blockers", "reasons") == [[]] * 4
    assert found["rules"][0] == {"table": "inet filter", "chain": "input", "position": 0, "name": "engine in", "packets": 0, "bytes": 0}


def test_dropped_names_what_drops():
    found = judged(STRICT)
    assert picked(found, "filtered", "present", "effective", "persistent") == [True, False, False, False]
    assert found["blockers"] == ["inet filter refused: counter drop (engine in)", "inet filter output: policy drop (engine out)"]


def test_lost_at_the_next_boot():
    found = judged(APPLIED, boot=STRICT)
    assert picked(found, "present", "effective", "persistent") == [True, True, False]
    assert "after a reload or a reboot: inet filter refused: counter drop (engine in)" in found["reasons"]
    assert judged(APPLIED, enabled=False)["reasons"] == ["nftables.service is not enabled, so the live rules are gone after a reboot"]
    missing = ["chain inet filter %s is not in the file that nftables.service loads" % name for name in ("input", "output")]
    assert judged(APPLIED, boot=EMPTY)["reasons"] == missing


def test_unknown_stays_unknown():
    assert judged(APPLIED, enabled=None, reason="no systemd")["persistent"] is None
    no_file = evidence(APPLIED, Boot(None, True, "there is no file"), SYNC.packets(), SYNC)
    assert picked(no_file, "persistent", "reasons") == [False, ["there is no file"]]
    nothing = judged(APPLIED, packets=[], sync=None)
    assert picked(nothing, "filtered", "present", "effective", "broader") == [True, True, None, []]
    assert judged(STRICT, packets=[], sync=None)["present"] is False
    assert set(nft_evidence.unknown_evidence()) == set(nothing)


def test_no_filter_passes_everything():
    found = judged(EMPTY)
    assert picked(found, "filtered", "present", "effective", "persistent", "unclear") == [False, False, True, True, []]
    assert found["broader"] == ["no input chain drops anything: everything accepts the engine's traffic from 203.0.113.250 on sync0"]


def filtering(*rules):
    """The applied ruleset with further rules, as JSON expressions, behind ours."""
    items = [{"chain": {"family": "inet", "table": "filter", "name": "input", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}}]
    items += [{"rule": {"family": "inet", "table": "filter", "chain": "input", "handle": handle, "expr": list(rule)}} for handle, rule in enumerate(rules)]
    items += [{"set": {"family": "inet", "table": "filter", "name": "nets", "elem": [{"prefix": {"addr": "192.0.2.0", "len": 24}}]}}]
    return nft_ruleset.parse(json.dumps({"nftables": items}))


def match(key, right):
    left = {"meta": {"key": key}} if key.startswith(("iif", "mark")) else {"payload": {"protocol": "ip", "field": key}}
    return {"match": {"op": "==", "left": left, "right": right}}


@pytest.mark.parametrize(("rule", "where"), [
    ([], "203.0.113.250 on sync0"), ([match("iifname", "sync0")], "203.0.113.250 on sync0"), ([match("iifname", "lan0")], "198.51.100.130 on lan0"),
    ([match("iifname", {"set": ["a", "wan*"]})], "198.51.100.130 on a"), ([match("saddr", {"prefix": {"addr": "192.0.2.0", "len": 24}})], "192.0.2.1 on sync0"),
    ([match("saddr", "@nets")], "192.0.2.1 on sync0"),
    ([match("saddr", {"prefix": {"addr": "198.51.100.128", "len": 28}})], "198.51.100.130 on another interface"),
    ([match("saddr", {"prefix": {"addr": "198.51.100.0", "len": 24}})], "198.51.100.1 on sync0"),
    ([match("saddr", {"prefix": {"addr": "198.51.100.128", "len": 25}})], "198.51.100.254 on sync0"),
    ([match("iifname", "sync0"), match("saddr", {"prefix": {"addr": "198.51.100.128", "len": 28}})], None), ([match("iifname", "lo")], None),
])
def test_an_accept_from_elsewhere_is_found_by_its_own_words(rule, where):
    expected = ["inet filter input: rule 1 accepts the engine's traffic from " + where] if where else []
    found = judged(filtering([*rule, {"accept": None}]))
    assert picked(found, "broader", "unclear") == [expected, []]


def test_an_accept_that_is_not_understood_is_unclear():
    found = judged(filtering([match("mark", 5), {"accept": None}]))
    assert found["broader"] == [] and found["unclear"] == ["inet filter input: rule 1 may accept the engine's traffic from 203.0.113.250 on sync0"]
    assert found["effective"] is None
    hidden = judged(filtering([match("mark", 5), {"drop": None}], [match("iifname", "sync0"), {"accept": None}]))
    assert hidden["blockers"] == ["may be dropped, not understood: inet filter input: rule 1 (engine in)"]


def test_samples_are_bounded():
    many = filtering(*[[match("saddr", "203.0.113.%d" % number), match("iifname", "p%d" % number), {"accept": None}] for number in range(1, 200)])
    assert len(nft_evidence.strangers(many, SYNC)) <= 32


@pytest.mark.parametrize("text", ["input", "inet filter", "arp filter input", "inet filter input more", ""])
def test_chains_are_named_by_three_words(text):
    with pytest.raises(ValueError):
        nft_evidence.chains_named([text])
    assert nft_evidence.chains_named(["inet filter  input"]) == [("inet", "filter", "input")]
