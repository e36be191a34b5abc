# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks on two simulated OpenBSD machines, from a system as it was installed on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import maintenance
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import PF_CONF, pair
from bsd_cluster import NOTHING, Cluster, host_id, udp

# A person's own rules, the same on both nodes.
RULES = """set skip on lo
block log all
pass quick on em3 proto tcp to port 22
pass on { em0 em2 } inet proto { tcp udp icmp }
"""
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "openbsd.md"
DEVICES = ("em0", "em1", "em2")


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Cluster]:
    """Makes two machines, as they were installed, that are to be a cluster."""
    def make(**machines: Any) -> Cluster:
        other = machines.get("devices_b", DEVICES)[:3]
        return Cluster(pair(tmp_path, **machines), "OpenBSD", tmp_path, (DEVICES, other))
    return make


@pytest.fixture
def ruled(make: Callable[..., Cluster]) -> Cluster:
    """Two machines whose pf runs with a person's rules."""
    cluster = make()
    for machine in cluster.machines.values():
        machine.put("/etc/pf.conf", RULES, 0o600)
        machine.run(["pfctl", "-f", "/etc/pf.conf"])
    return cluster


@pytest.fixture
def made(ruled: Cluster) -> Cluster:
    """A cluster that site has made, with states of connections through it."""
    return ruled.in_use()


def _demotion(machine: Any) -> int:
    found = re.search(r"carp demote count (\d+)", str(machine.run(["ifconfig", "-g", "carp"]).stdout))
    assert found is not None
    return int(found[1])


def _active(machine: Any) -> set[str]:
    """The devices whose virtual address it is master of."""
    shown = str(machine.run(["ifconfig", "carp"]).stdout)
    return set(re.findall(r"carp: MASTER carpdev (\w+)", shown))


@pytest.mark.parametrize("release", ["7.4", "7.6"])
def test_two_installed_systems_become_a_cluster_as_check_mode_says_and_a_second_run_runs_nothing(make: Callable[..., Cluster], release: str) -> None:
    cluster = make(release=release)
    marks = cluster.marks()
    predicted = cluster.site(check=True)
    assert cluster.changes(marks) == NOTHING and cluster.a.text("/etc/pf.conf") == PF_CONF and cluster.a.text("/etc/hostname.pfsync0") is None
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
    assert _active(cluster.a) == {"em0", "em2"} and _active(cluster.b) == set()


def test_states_travel_both_ways_and_verify_sees_it(made: Cluster) -> None:
    assert udp(made.b, host_id(made.a)) == udp(made.a, host_id(made.a)) == 40
    judged = made.judged()["states_travel"]
    assert [one["status"] for one in judged if "from fw1 to fw2" in one["reason"]] == ["pass"]


def test_connections_outlive_the_active_node_and_it_comes_back_without_loss(made: Cluster) -> None:
    first = host_id(made.a)
    made.a.lose_power()
    made.clock.advance(5)
    assert _active(made.b) == {"em0", "em2"} and udp(made.b, first) == 40
    made.b.traffic(10, port=123)
    made.a.boot()
    made.clock.advance(20)
    assert _active(made.a) == {"em0", "em2"} and _active(made.b) == set()
    assert udp(made.a, host_id(made.b)) == 10
    assert made.broken() == {}


def test_both_come_back_from_a_boot_as_they_were(made: Cluster) -> None:
    for machine in made.machines.values():
        machine.boot()
    made.clock.advance(90)
    marks = made.marks()
    assert made.site().changed == [] and made.changes(marks) == NOTHING


def test_state_sync_that_is_off_on_the_secondary_is_found_named_and_healed_there_alone(made: Cluster) -> None:
    made.b.run(["ifconfig", "pfsync0", "destroy"])
    made.b.path("/etc/hostname.pfsync0").unlink()
    assert [(one["node"], one["status"]) for one in made.judged()["state_sync_enabled"]] == [("fw1", "pass"), ("fw2", "fail")]
    marks = made.marks()
    run = made.role("secondary_sync")
    assert run.failures == [] and made.changes(marks)["fw1"] == []
    assert made.changes(marks)["fw2"] == ["sh /etc/netstart pfsync0"]
    made.clock.advance(10)
    assert made.broken() == {} and udp(made.b, host_id(made.a)) == 40


def test_maintenance_is_entered_and_left_and_says_so_twice_without_doing_it_twice(made: Cluster) -> None:
    for _time in range(2):
        assert made.play("maintenance", maintenance_state="enter", maintenance_node="fw1").failures == []
        made.clock.advance(5)
        assert _active(made.b) == {"em0", "em2"} and _demotion(made.a) == maintenance.DEMOTION
    for _time in range(2):
        assert made.play("maintenance", maintenance_state="leave", maintenance_node="fw1").failures == []
        made.clock.advance(5)
        assert _active(made.a) == {"em0", "em2"} and _demotion(made.a) == 0
    assert made.broken() == {}


def test_maintenance_outlasts_a_boot_and_ends_when_it_is_left(made: Cluster) -> None:
    assert made.play("maintenance", maintenance_state="enter", maintenance_node="fw1").failures == []
    made.a.boot()
    made.clock.advance(60)
    assert _active(made.b) == {"em0", "em2"} and _demotion(made.a) == maintenance.DEMOTION
    assert made.play("maintenance", maintenance_state="leave", maintenance_node="fw1").failures == []
    made.clock.advance(5)
    assert _active(made.a) == {"em0", "em2"} and made.a.text("/etc/rc.local") is None and made.broken() == {}


def test_a_secret_is_in_no_result_and_no_report(make: Callable[..., Cluster]) -> None:
    cluster = make()
    runs = [cluster.site(check=True), cluster.site()]
    cluster.judged()
    said = repr(runs) + "".join(path.read_text(encoding="utf-8") for path in (cluster.folder / "report").iterdir())
    assert "hunter2" not in said and "vhid 10" in said


def test_a_person_s_rules_are_kept_to_the_last_byte(made: Cluster) -> None:
    for machine in made.machines.values():
        kept = re.sub(r"# BEGIN hafirewall\.cluster (\w+)\n.*?# END hafirewall\.cluster \1\n", "", str(machine.text("/etc/pf.conf")), flags=re.DOTALL)
        assert kept == RULES


def test_the_guide_shows_the_files_that_result(ruled: Cluster) -> None:
    ruled.cluster["virtual_ips"][1]["addresses"] = ["203.0.113.9/24"]
    for host, one in (("fw1", "a1"), ("fw2", "b2")):
        ruled.nodes[host]["host_id"] = one
    ruled.site()
    assert ruled.play("maintenance", maintenance_state="enter", maintenance_node="fw1").failures == []
    guide = GUIDE.read_text(encoding="utf-8")
    shown = {heading: re.findall(r"^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
             for heading, text in re.findall(r"^### (\S+).*?\n(.*?)(?=^##)", guide, re.MULTILINE | re.DOTALL)}
    for name in ("pf.conf", "hostname.pfsync0", "sysctl.conf", "rc.local"):
        assert shown[name] == [ruled.a.text("/etc/%s" % name)]
    assert shown["hostname.carp"] == [str(ruled.a.text("/etc/hostname.carp%d" % number)).replace("hunter2", "********") for number in (10, 20)]
    assert [oct(ruled.a.path("/etc/hostname.%s" % name).stat().st_mode & 0o777) for name in ("pfsync0", "carp10", "carp20")] == ["0o640"] * 3


def test_nothing_is_left_to_complain_about_where_pf_has_rules(made: Cluster) -> None:
    judged = made.judged()
    assert {name: one["reason"] for name, checks in judged.items() for one in checks if one["status"] not in ("pass", "skipped")} == {}
    passed = {name for name, checks in judged.items() if any(one["status"] == "pass" for one in checks)}
    assert {"states_travel", "roles_disjoint", "pass_rule", "host_ids", "demotion", "carp_agrees", "sync_isolated", "pfsync_mtu"} <= passed
