# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All evidence of a FreeBSD node in one module call: nothing changed, no secret, each area failing alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Tuple

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import segment
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.provider import FreebsdProvider
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import FreebsdNode
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import pair as make_pair

QUIET = {"sync_interface": None, "sync_network": None, "sample": False}
RULES = ("set hostid %d\nset state-policy if-bound\npass quick on em1 proto pfsync from 198.51.100.128/28 to any keep state (no-sync)\n"
         "pass quick proto carp keep state (no-sync)\npass all\n")
AREAS = {"schema", "collected_at", "platform", "kernel", "os", "boot_id", "engine", "vrrp", "maintenance", "state_policy", "state_policy_from", "state_rules",
         "pass_rule", "interfaces", "management", "references", "segment", "traffic", "watch", "readiness", "errors"}


def set_up(node: FreebsdNode, number: int) -> None:
    machine = node.machine
    machine.put("/etc/pf.conf", RULES % (10 + number))
    rc = machine.text("/etc/rc.conf") or ""
    machine.put("/etc/rc.conf", rc + 'pf_enable="YES"\npfsync_enable="YES"\npfsync_syncdev="em1"\npfsync_ifconfig="version 1400"\n'
                'ifconfig_em0_alias0="inet vhid 1 advskew %d pass topsecret alias 192.0.2.1/24"\ndhcpd_ifaces="em0"\n' % (100 * number))
    machine.run(["kldload", "-n", "carp"])
    machine.put("/boot/loader.conf", 'carp_load="YES"\n')
    machine.boot()


@pytest.fixture
def pair(tmp_path: Path) -> Tuple[FreebsdNode, FreebsdNode]:
    first, second = make_pair(tmp_path)
    for number, node in enumerate((first, second)):
        set_up(node, number)
    first.machine.clock.advance(90)
    first.machine.traffic(20)
    first.machine.clock.advance(5)
    return first, second


def evidence(node: FreebsdNode, **params: Any) -> Dict[str, Any]:
    run = node.again()
    found = FreebsdProvider(run).node_info(dict(QUIET, **params))
    assert found["ansible_facts"] == {"hafirewall_evidence": found["evidence"]}
    assert run.changed is False
    return dict(found["evidence"])


def test_one_reading_has_all_areas_and_changes_nothing(pair: Tuple[FreebsdNode, FreebsdNode]) -> None:
    first, second = pair
    done = len(second.machine.commands)
    found = evidence(second)
    assert second.machine.changes(done) == []
    assert found["errors"] == []
    assert set(found) == AREAS
    assert "topsecret" not in json.dumps(found)
    assert (found["platform"], found["kernel"], found["state_policy"], found["state_policy_from"]) == ("freebsd", "14.2-RELEASE", "if-bound", "configured")
    assert found["os"] == {"id": "freebsd", "version": "14.2-RELEASE", "userland": "14.2-RELEASE", "installed_kernel": "14.2-RELEASE"}
    engine, vrrp = found["engine"], found["vrrp"]
    assert (engine["enabled"], engine["running"], engine["config_current"], engine["synced"], engine["bulk"]) == (True, True, True, True, "done")
    assert (engine["host_id"], engine["creators"], engine["pinned"], engine["mtu"], engine["most_mtu"]) == ("b", ["a", "b"], 1400, 1500, 4080)
    assert engine["states_by_creator"]["a"] > 10
    assert sum(engine["states_by_interface"].values()) == engine["tables"]["kernel"]
    assert len(engine["checksum"]) == 32
    assert engine["config"] == {"interface": "em1", "transport": "multicast", "peer": None, "address": "198.51.100.131", "network": None, "version": 1400,
                                "defer": False, "maxupd": 128}
    assert (vrrp["running"], vrrp["demotion"], vrrp["demotion_why"], vrrp["config_current"]) == (True, 0, [], True)
    [row] = vrrp["instances"]
    assert (row["interface"], row["id"], row["state"], row["advskew"], row["addresses"]) == ("em0", 1, "standby", 100, ["192.0.2.1/24"])
    assert found["pass_rule"]["present"] is found["pass_rule"]["persistent"] is found["pass_rule"]["effective"] is True
    assert evidence(first)["vrrp"]["instances"][0]["state"] == "active"
    named = [(row["device"], row["where"]) for row in found["references"]]
    assert ("em0", "/etc/rc.conf: dhcpd_ifaces") in named
    assert ("em1", "/etc/pf.conf:3") in named


def test_a_bare_node_runs_nothing_and_that_is_no_error(tmp_path: Path) -> None:
    found = evidence(make_pair(tmp_path)[0])
    assert (found["engine"]["enabled"], found["engine"]["running"], found["engine"]["config"], found["engine"]["counters"]) == (False, False, None, None)
    assert (found["vrrp"]["running"], found["vrrp"]["instances"], found["vrrp"]["demotion"]) == (False, [], 0)
    assert found["state_policy"] == "floating"
    assert found["errors"] == []
    assert (found["engine"]["filter"], found["engine"]["creators"], found["pass_rule"]["effective"]) == (False, [], False)
    assert [row["name"] for row in found["interfaces"]] == ["em0", "em1", "em2", "em3"]


def test_the_kernel_that_is_installed_is_told_beside_the_one_that_runs(pair: Tuple[FreebsdNode, FreebsdNode]) -> None:
    node = pair[0]
    node.machine.installed = "14.3-RELEASE"
    found = evidence(node)["os"]
    assert (found["version"], found["installed_kernel"]) == ("14.2-RELEASE", "14.3-RELEASE")
    node.machine.refuse(["freebsd-version"], "freebsd-version: unable to locate kernel")
    told = evidence(node)
    assert (told["os"]["version"], told["os"]["installed_kernel"]) == ("14.2-RELEASE", None)
    assert [error["area"] for error in told["errors"]] == ["os"]


def test_a_transfer_that_failed_is_told_although_the_kernel_calls_it_ended(tmp_path: Path) -> None:
    node = make_pair(tmp_path)[0]
    set_up(node, 0)
    assert evidence(node)["engine"]["bulk"] == "pending"
    assert evidence(node)["vrrp"]["demotion_why"] == [{"by": 240, "why": "pfsync bulk start"}]
    node.machine.clock.advance(90)
    engine = evidence(node)["engine"]
    assert (engine["synced"], engine["bulk"]) == (True, "failed")


@pytest.mark.parametrize(("by_hand", "current"), [(["ifconfig", "pfsync0", "maxupd", "77"], True), (["ifconfig", "pfsync0", "version", "1301"], False),
                                                  (["ifconfig", "pfsync0", "-syncdev"], False), (["sysrc", "pfsync_syncdev=em2"], False)])
def test_what_runs_is_compared_with_what_a_boot_sets(pair: Tuple[FreebsdNode, FreebsdNode], by_hand: list, current: bool) -> None:
    pair[0].machine.run(by_hand)
    assert evidence(pair[0])["engine"]["config_current"] is current


def test_what_this_collection_wrote_is_no_reference_and_leased_addresses_are_told(pair: Tuple[FreebsdNode, FreebsdNode]) -> None:
    machine = pair[0].machine
    machine.put("/etc/pf.conf", "# BEGIN hafirewall.cluster filter\npass quick on em1 proto pfsync keep state (no-sync)\n# END hafirewall.cluster filter\n"
                "# on em1\npass on em1\n")
    machine.put("/etc/rc.conf", str(machine.text("/etc/rc.conf")).replace('ifconfig_em2="inet', 'ifconfig_em2="SYNCDHCP" # '))
    found = evidence(pair[0])
    assert [row["where"] for row in found["references"] if row["kind"] == "rule"] == ["/etc/pf.conf:5"]
    leased = {row["name"]: row["leased"] for row in found["interfaces"]}
    assert leased["em0"] == []
    assert leased["em2"] == [address for row in found["interfaces"] if row["name"] == "em2" for address in row["addresses"]] != []


def test_another_host_id_than_the_files_is_told(pair: Tuple[FreebsdNode, FreebsdNode]) -> None:
    machine = pair[0].machine
    machine.put("/tmp/other.conf", "pass all\n")
    machine.run(["pfctl", "-f", "/tmp/other.conf"])
    assert evidence(pair[0])["engine"]["config_current"] is False


@pytest.mark.parametrize(("refused", "area", "lost", "kept"), [
    (["netstat"], "interfaces", "interfaces", "vrrp"), (["sysrc"], "config", "state_policy", "interfaces"), (["dmesg"], "engine", None, "engine"),
    (["pfctl"], "engine", "state_rules", "vrrp"), (["sh"], "engine", None, "engine"),
])
def test_an_area_that_cannot_be_read_takes_no_other_along(pair: Tuple[FreebsdNode, FreebsdNode], refused: list, area: str, lost: Any, kept: str) -> None:
    node = pair[0]
    node.machine.refuse(refused, "%s: no luck" % refused[0])
    found = evidence(node)
    assert area in [error["area"] for error in found["errors"]]
    assert found[kept] is not None
    assert lost is None or found[lost] is None


def test_too_many_states_are_not_counted(pair: Tuple[FreebsdNode, FreebsdNode], monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import engine

    monkeypatch.setattr(engine, "_MOST_COUNTED", 3)
    found = evidence(pair[1])["engine"]
    assert (found["creators"], found["states_by_creator"], found["states_by_interface"]) == (["a", "b"], None, None)


def test_releases_without_json_and_formats_are_read(tmp_path: Path) -> None:
    node = make_pair(tmp_path, "13.3-RELEASE")[0]
    set_up(node, 0)
    node.machine.run(["sysrc", "-x", "pfsync_ifconfig"])
    node.machine.boot()
    engine = evidence(node)["engine"]
    assert engine["running"] is True
    assert engine["config"]["version"] is None
    assert engine["counters"]["received"] == 0


def test_the_sync_segment_is_asked_on_demand(pair: Tuple[FreebsdNode, FreebsdNode], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment, "observe", lambda node, areas, interface, network, own: ({"interface": interface}, {"network": network}, {"senders": []}))
    found = evidence(pair[0], sample=True, sync_network="198.51.100.128/28")
    assert (found["segment"], found["traffic"], found["watch"]) == ({"interface": "em1"}, {"network": "198.51.100.128/28"}, {"senders": []})
