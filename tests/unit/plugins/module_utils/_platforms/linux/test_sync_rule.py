# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What sync_rule does where nft or systemd is not as usual; the usual is in tests/daemons/test_nft_real.py, with real nft."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import sync_rule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, NodeError
from test_nft_ruleset import FIXTURES

sys.path.insert(0, str(Path(__file__).resolve().parents[5] / "simulators"))
from systemd_node import SystemdNode

OPTIONS = {"enabled": True, "interface": "sync0", "network": "198.51.100.128/28", "transport": "multicast", "group": "225.0.0.50", "port": 3780, "vrrp": [],
           "chains": []}
OFF = dict(OPTIONS, enabled=False)
CONF = "/etc/nftables.conf"


def node_with(name, check_mode=False, conf="the user's ruleset\n"):
    """A node whose nft lists a recorded ruleset, live and for whatever is tried out."""
    node = SystemdNode(check_mode, files={CONF: conf} if conf else {})
    listed, plain = ((FIXTURES / (name + ending)).read_text() for ending in (".json", ".txt"))
    node.says(["nft", "-j"], listed)
    node.says(["nft", "-a"], plain)
    node.says(["readlink"], CONF + "\n")
    node.says(["stat"], "755\n")
    node.says(["unshare"], listed + plain)
    node.unit("nftables.service", active=True, enabled=True)
    return node


def test_without_nft_a_real_run_names_the_package():
    with pytest.raises(NodeError, match="package nftables is not installed.*apt-get install nftables"):
        sync_rule.apply(SystemdNode(), OPTIONS)


def test_without_nft_check_mode_says_that_it_cannot_be_validated_yet():
    node = SystemdNode(check_mode=True)
    done = sync_rule.apply(node, OPTIONS)
    assert done["validation"] == "not possible yet: nft is not installed" and done["drift"] == [] and not node.changed
    assert done["pass_rule"]["effective"] is None
    assert sync_rule.apply(SystemdNode(), OFF)["validation"] == "not needed"


def test_without_nft_the_evidence_claims_nothing():
    found, errors = sync_rule.observe_pass_rule(SystemdNode(), None)
    assert {key for key, value in found.items() if value} == set()
    assert errors == [{"area": "pass_rule", "reason": "nft is not installed, so nothing is known of the packet filter"}]


def test_a_silent_nft_is_told_as_an_error_of_the_area():
    node = node_with("strict")
    node.says(["nft", "-j"], "", status=1, stderr="Operation not permitted")
    found, errors = sync_rule.observe_pass_rule(node, None)
    assert found["filtered"] is None and errors[0]["area"] == "pass_rule" and "Operation not permitted" in errors[0]["reason"]


def test_a_silent_systemd_leaves_persistence_unknown():
    node = node_with("strict-applied")
    node.says(["systemctl"], "", status=1)
    found, errors = sync_rule.observe_pass_rule(node, None)
    assert found["persistent"] is None and found["present"] is True and errors == []
    assert "systemd does not say whether nftables.service is enabled" in found["reasons"]


def test_a_file_that_does_not_load_is_no_persistence():
    node = node_with("strict-applied")
    node.says(["unshare"], "", status=1, stderr="syntax error")
    node.says(["ls"], "lo\n")
    found, _errors = sync_rule.observe_pass_rule(node, None)
    assert found["persistent"] is False and any("syntax error" in reason for reason in found["reasons"])


def test_wrong_chains_are_an_error_before_anything_is_read():
    node = node_with("strict")
    with pytest.raises(NodeError, match="chains: 'input' is not of the form FAMILY TABLE CHAIN"):
        sync_rule.apply(node, dict(OPTIONS, chains=["input"]))
    assert node.queries == []


def test_a_network_that_is_none_is_an_error_of_the_evidence():
    node = node_with("strict")
    sync = {"interface": "sync0", "transport": "multicast", "group": "192.0.2.1", "port": 3780, "address": "198.51.100.129", "network": "198.51.100.128/28"}
    found, errors = sync_rule.observe_pass_rule(node, sync)
    assert "is not an IPv4 multicast address" in errors[0]["reason"] and found["filtered"] is True and found["effective"] is None


def test_the_candidate_that_nft_refuses_replaces_nothing():
    node = node_with("strict", conf="a\n")
    before = node.snapshot()
    node.on(["unshare"], lambda argv, stdin: Completed(0, _reference() if "reference" in stdin else _recorded("strict"), ""))
    node.says(["nft", "-c"], "", status=1, stderr="refused for a reason")
    with pytest.raises(NodeError, match="nft refuses /etc/nftables.conf with the pass rules: refused for a reason"):
        sync_rule.apply(node, OPTIONS)
    assert node.snapshot() == before and not node.changed


def _recorded(name):
    return (FIXTURES / (name + ".json")).read_text() + (FIXTURES / (name + ".txt")).read_text()


def _reference():
    import json

    items = [{"chain": {"family": family, "table": "hafirewall", "name": "reference"}} for family in ("inet", "ip", "ip6")]
    items += [{"rule": {"family": family, "table": "hafirewall", "chain": "reference", "handle": number, "comment": "hafirewall.cluster: x", "expr": []}}
              for family in ("inet", "ip") for number in range(4)]
    return json.dumps({"nftables": items}) + "\n"
