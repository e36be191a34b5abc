# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks on two simulated FreeBSD machines, from a bare system on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import demotion
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import pair
from bsd_cluster import NOTHING, RULES, Cluster, host_id, udp

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "freebsd.md"
DEVICES = ("em0", "em1", "em2")


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Cluster]:
    """Makes two bare machines that are to be a cluster."""
    def make(release: str = "14.2-RELEASE", **machines: Any) -> Cluster:
        other = machines.get("devices_b", ("em0", "em1", "em2"))[:3]
        return Cluster(pair(tmp_path, release, **machines), "FreeBSD", tmp_path, (DEVICES, other))
    return make


@pytest.fixture
def ruled(make: Callable[..., Cluster]) -> Cluster:
    """Two machines whose pf runs with a person's rules."""
    return make().ruled()


@pytest.fixture
def made(ruled: Cluster) -> Cluster:
    """A cluster that site has made, with states of connections through it."""
    return ruled.in_use()


@pytest.mark.parametrize("release", ["13.5-RELEASE", "14.2-RELEASE", "15.0-RELEASE"])
def test_two_bare_systems_become_a_cluster_as_check_mode_says_and_a_second_run_runs_nothing(make: Callable[..., Cluster], release: str) -> None:
    cluster = make(release)
    marks = cluster.marks()
    predicted = cluster.site(check=True)
    assert cluster.changes(marks) == NOTHING and cluster.a.text("/etc/pf.conf") is None
    real = cluster.site()
    # What two capabilities need is predicted for both, for in check mode the first has not done it.
    assert {host: list(dict.fromkeys(commands)) for host, commands in predicted.commands.items()} == {
        host: list(dict.fromkeys(commands)) for host, commands in real.commands.items()}
    marks = cluster.marks()
    again = cluster.site()
    assert again.changed == [] and again.commands == NOTHING and cluster.changes(marks) == NOTHING
    assert (again.count("fw1"), again.count("fw2")) == (5, 5)
    cluster.clock.advance(5)
    assert cluster.broken() == {}
    assert cluster.a.carp.master("em0") and cluster.a.carp.master("em2") and not cluster.b.carp.master("em0")


def test_states_travel_both_ways_and_verify_sees_it(made: Cluster) -> None:
    assert udp(made.b, host_id(made.a)) == udp(made.a, host_id(made.a)) == 40
    judged = made.judged()["states_travel"]
    assert [one["status"] for one in judged if "from fw1 to fw2" in one["reason"]] == ["pass"]


def test_connections_outlive_the_active_node_and_it_comes_back_without_loss(made: Cluster) -> None:
    first = host_id(made.a)
    made.a.lose_power()
    made.clock.advance(5)
    assert made.b.carp.master("em0") and made.b.carp.master("em2") and udp(made.b, first) == 40
    made.b.traffic(10, port=123)
    made.a.boot()
    made.clock.advance(20)
    assert made.a.carp.master("em0") and not made.b.carp.master("em0")
    assert udp(made.a, host_id(made.b)) == 10
    assert made.broken() == {}


def test_both_come_back_from_a_boot_as_they_were(made: Cluster) -> None:
    for machine in made.machines.values():
        machine.boot()
    made.clock.advance(90)
    marks = made.marks()
    assert made.site().changed == [] and made.changes(marks) == NOTHING


def test_state_sync_that_is_off_on_the_secondary_is_found_named_and_healed_there_alone(made: Cluster) -> None:
    for command in (["ifconfig", "pfsync0", "-syncdev"], ["sysrc", "pfsync_enable=NO"]):
        made.b.run(command)
    assert [(one["node"], one["status"]) for one in made.judged()["state_sync_enabled"]] == [("fw1", "pass"), ("fw2", "fail")]
    marks = made.marks()
    run = made.role("secondary_sync")
    assert run.failures == [] and made.changes(marks)["fw1"] == []
    assert made.changes(marks)["fw2"] == ["sysrc pfsync_enable=YES", "ifconfig pfsync0 syncdev em1"]
    made.clock.advance(10)
    assert made.broken() == {}


def test_maintenance_is_entered_and_left_and_says_so_twice_without_doing_it_twice(made: Cluster) -> None:
    amount = str(demotion.AMOUNT)
    for _time in range(2):
        assert made.play("maintenance", maintenance_state="enter", maintenance_node="fw1").failures == []
        made.clock.advance(5)
        assert made.b.carp.master("em0") and made.a.sysctl["net.inet.carp.demotion"] == amount
    for _time in range(2):
        assert made.play("maintenance", maintenance_state="leave", maintenance_node="fw1").failures == []
        made.clock.advance(5)
        assert made.a.carp.master("em0") and made.a.sysctl["net.inet.carp.demotion"] == "0"
    assert made.broken() == {}


def test_a_secret_is_in_no_result_and_no_report(make: Callable[..., Cluster]) -> None:
    cluster = make()
    runs = [cluster.site(check=True), cluster.site()]
    cluster.judged()
    said = repr(runs) + "".join(path.read_text(encoding="utf-8") for path in (cluster.folder / "report").iterdir())
    assert "hunter2" not in said and "vhid 10" in said


def test_an_older_peer_that_does_not_understand_is_named_and_a_pinned_format_heals_it(make: Callable[..., Cluster]) -> None:
    cluster = make("15.0-RELEASE", release_b="14.2-RELEASE")
    cluster.site()
    for _time in range(2):
        for machine in cluster.machines.values():
            machine.put("/etc/pf.conf", str(machine.text("/etc/pf.conf")) + "pass all keep state\n")
            machine.run(["pfctl", "-f", "/etc/pf.conf"])
        cluster.clock.advance(5)
        cluster.a.traffic(20, port=54 + _time)
        cluster.clock.advance(5)
        if _time == 0:
            broken = cluster.broken()
            assert {"formats_agree", "peer_understood", "states_travel"} <= set(broken) and any("1500" in reason for reason in broken["formats_agree"])
            cluster.cluster["sync"]["format"] = 1400
            cluster.site()
    # Counters remember what was, and that is told as a warning.
    assert cluster.broken() == {} and [one["status"] for one in cluster.judged()["peer_understood"] if one["node"] == "fw2"] == ["warn"]


def test_nothing_is_left_to_complain_about_where_pf_has_rules(made: Cluster) -> None:
    judged = made.judged()
    assert {name for name, checks in judged.items() for one in checks if one["status"] not in ("pass", "skipped")} == set()
    passed = {name for name, checks in judged.items() if any(one["status"] == "pass" for one in checks)}
    assert {"states_travel", "formats_agree", "peer_understood", "roles_disjoint", "pass_rule", "rules_equal", "host_ids", "pfsync_mtu", "demotion",
            "carp_agrees", "sync_isolated", "state_interfaces"} <= passed


def test_a_pf_that_is_off_with_rules_that_block_is_refused_and_everything_stays(make: Callable[..., Cluster]) -> None:
    cluster = make()
    for machine in cluster.machines.values():
        machine.put("/etc/pf.conf", RULES)
    run = cluster.play("site")
    assert [host for host, _said in run.failures] == ["fw1"] and "pf is off on this node" in run.failures[0][1]
    assert cluster.a.text("/etc/pf.conf") == cluster.b.text("/etc/pf.conf") == RULES and "pfsync" not in str(cluster.a.text("/etc/rc.conf"))


def test_the_guide_shows_the_files_that_result(ruled: Cluster) -> None:
    ruled.cluster["virtual_ips"][1]["addresses"] = ["203.0.113.9/24"]
    for host, one in (("fw1", "a1"), ("fw2", "b2")):
        ruled.nodes[host]["host_id"] = one
    ruled.site()
    guide = GUIDE.read_text(encoding="utf-8")
    shown = {heading: re.findall(r"^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
             for heading, text in re.findall(r"^### (\S+).*?\n(.*?)(?=^##)", guide, re.MULTILINE | re.DOTALL)}
    assert shown["pf.conf"] == [ruled.a.text("/etc/pf.conf")]
    assert shown["rc.conf.d/netif"] == [str(ruled.a.text("/etc/rc.conf.d/netif")).replace("hunter2", "********")]
    assert shown["loader.conf"] == [ruled.a.text("/boot/loader.conf"), ruled.a.text("/etc/sysctl.conf")]
    assert set(shown["rc.conf"][0].splitlines()) <= set(str(ruled.a.text("/etc/rc.conf")).splitlines())
