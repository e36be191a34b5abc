# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All evidence in one reading: every area there, each failing alone, nothing changed."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import info
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

CONFIG = {"mode": "ftfw", "interface": "sync0", "address": "198.51.100.129", "port": 3790}
READERS = {
    "packages": ("facts", "installed_versions", {"conntrackd": "1:1.4.7-1+b2"}),
    "engine": ("conntrackd_stats", "observe_engine", ({"running": True, "config": CONFIG}, [])),
    "vrrp": ("keepalived_state", "observe_vrrp", ({"running": True, "instances": []}, [])),
    "maintenance": ("maintenance", "observe_maintenance", False),
    "pass_rule": ("sync_rule", "observe_pass_rule", ({"present": True}, [])),
    "interfaces": ("interfaces", "read", [{"name": "sync0"}]),
    "management": ("management", "observe", {"device": "sync0", "address": "198.51.100.129", "via": "sync0"}),
    "references": ("references", "observe", []),
}
AREAS = ["os", "boot_id", "segment", "traffic", "watch", "readiness", *READERS]
QUIET = {"sync_interface": None, "sync_network": None, "sample": False}


@pytest.fixture
def node(monkeypatch):
    for module, function, answer in READERS.values():
        monkeypatch.setattr(getattr(info, module), function, lambda *arguments, answer=answer: answer)
    return SystemdNode(files={"/proc/sys/kernel/random/boot_id": "5f0d\n", "/etc/os-release": 'ID=debian\nVERSION_ID="12"\n'})


def failing(monkeypatch, area, error):
    def fail(*arguments):
        raise error
    module, function, _answer = READERS[area]
    monkeypatch.setattr(getattr(info, module), function, fail)


def test_one_reading_has_all_areas_and_sets_the_fact(node):
    result = info.collect(node, QUIET)
    evidence = result["evidence"]
    assert result["ansible_facts"] == {"hafirewall_evidence": evidence}
    assert set(evidence) == {"schema", "collected_at", "platform", "kernel", "errors", *AREAS}
    assert (evidence["os"], evidence["boot_id"], evidence["errors"]) == ({"id": "debian", "version": "12"}, "5f0d", [])
    assert evidence["engine"] == {"running": True, "config": CONFIG}
    assert evidence["segment"] is None
    assert evidence["traffic"] is None
    assert node.changed is False


@pytest.mark.parametrize("area", sorted(READERS))
@pytest.mark.parametrize(("error", "reason"), [(NodeError("nft is not installed"), "nft is not installed"), (KeyError("x"), "KeyError: 'x'")])
def test_an_area_that_fails_is_none_with_its_reason_and_takes_no_other_along(node, monkeypatch, area, error, reason):
    whole = info.collect(node, QUIET)["evidence"]
    failing(monkeypatch, area, error)
    evidence = info.collect(node, QUIET)["evidence"]
    assert evidence[area] is None
    assert evidence["errors"] == [{"area": area, "reason": reason}]
    for other in set(AREAS) - {area}:
        assert evidence[other] == whole[other]


def test_what_a_reader_could_not_read_itself_is_listed_too(node, monkeypatch):
    monkeypatch.setattr(info.keepalived_state, "observe_vrrp", lambda node: ({"running": None}, [{"area": "vrrp", "reason": "no answer"}]))
    evidence = info.collect(node, QUIET)["evidence"]
    assert evidence["vrrp"] == {"running": None}
    assert evidence["errors"] == [{"area": "vrrp", "reason": "no answer"}]


@pytest.mark.parametrize(("config", "network", "expected"), [
    (CONFIG, "198.51.100.128/28", dict(CONFIG, network="198.51.100.128/28")), (CONFIG, None, CONFIG), (None, "198.51.100.128/28", None)])
def test_the_pass_rule_is_judged_for_the_engine_as_it_runs(node, monkeypatch, config, network, expected):
    seen = []
    monkeypatch.setattr(info.conntrackd_stats, "observe_engine", lambda node: ({"config": config}, []))
    monkeypatch.setattr(info.sync_rule, "observe_pass_rule", lambda node, sync: (seen.append(sync) or {}, []))
    info.collect(node, dict(QUIET, sync_network=network))
    assert seen == [expected]


@pytest.mark.parametrize(("stated", "expected"), [("eth9", "eth9"), (None, "sync0")])
def test_a_sample_listens_on_the_stated_interface_or_on_the_engines_own(node, monkeypatch, stated, expected):
    seen = []
    monkeypatch.setattr(info.segment, "observe", lambda *arguments: seen.append(arguments) or ({"interface": arguments[1]}, {"seconds": 1.0}, {"senders": []}))
    evidence = info.collect(node, {"sync_interface": stated, "sync_network": "198.51.100.128/28", "sample": True})["evidence"]
    assert seen == [(node, expected, "198.51.100.128/28", [{"name": "sync0"}], CONFIG["port"])]
    assert (evidence["segment"], evidence["traffic"], evidence["watch"]) == ({"interface": expected}, {"seconds": 1.0}, {"senders": []})


def test_a_sample_without_a_known_interface_says_what_to_state(node, monkeypatch):
    failing(monkeypatch, "engine", NodeError("no engine"))
    evidence = info.collect(node, dict(QUIET, sample=True))["evidence"]
    assert evidence["segment"] is None
    assert evidence["errors"][-1]["area"] == "segment"
    assert "sync_interface" in evidence["errors"][-1]["reason"]


def test_a_node_that_has_nothing_yields_evidence_all_the_same():
    node = SystemdNode(files={"/etc/os-release": ""})
    evidence = info.collect(node, QUIET)["evidence"]
    assert evidence["os"] == {"id": None, "version": None}
    assert (evidence["boot_id"], evidence["packages"], evidence["interfaces"]) == (None, None, None)
    assert {"packages", "vrrp", "interfaces"} <= {error["area"] for error in evidence["errors"]}
    assert node.changed is False
