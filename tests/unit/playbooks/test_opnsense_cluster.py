# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks that read and judge, on two simulated OPNsense nodes; and those that would change something, which refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.opnsense.node import DEVICES, configure, pair
from bsd_cluster import NOTHING, Cluster

CALLS = 3  # of modules, for each node: two to read it, one for the backup
CONFIG = "/conf/config.xml"


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Cluster]:
    """Makes two nodes that are a cluster, with the states of 40 connections."""
    def make(release: str = "26.1.4", **more: Any) -> Cluster:
        cluster = Cluster(pair(tmp_path, release, **more), "FreeBSD", tmp_path, (DEVICES[:3], more.get("devices_b", DEVICES)[:3]))
        # What is only judged needs no secret.
        del cluster.cluster["vrrp"]
        cluster.a.traffic(40)
        cluster.clock.advance(5)
        return cluster
    return make


@pytest.mark.parametrize("release", ["23.7", "24.7.10", "25.7.5", "26.1.4", "26.7.2"])
def test_a_pair_that_is_well_passes_its_verification_and_is_not_changed(make: Callable[..., Cluster], release: str) -> None:
    changes = {} if release != "23.7" else {"<pfsyncversion>1400</pfsyncversion>": "<pfsyncenabled>on</pfsyncenabled>"}
    cluster = make(release, changes=changes)
    marks = cluster.marks()
    assert cluster.broken() == {}
    assert cluster.changes(marks) == NOTHING
    page = (cluster.folder / "report" / "report.html").read_text(encoding="utf-8")
    assert ">unknown<" not in page and "changed 2026-11-18 11:06:40 UTC" in page and "community " + release in page


def test_sync_that_is_off_on_the_secondary_is_found(make: Callable[..., Cluster]) -> None:
    cluster = make()
    text = cluster.b.text(CONFIG) or ""
    cluster.b.put(CONFIG, text.replace("<pfsyncinterface>opt1<", "<pfsyncinterface><"))
    assert "fw2" in str(cluster.judged()["config_current"])
    configure(cluster.b)
    broken = cluster.broken()
    assert any("not in the node's configuration" in reason for reason in broken["state_sync_enabled"])


def test_site_changes_nothing_and_says_what_to_do_instead(make: Callable[..., Cluster]) -> None:
    cluster = make()
    marks = cluster.marks()
    run = cluster.play("site")
    assert run.status != 0 and cluster.changes(marks) == NOTHING
    assert all("reads and judges opnsense, and changes nothing there" in said and "verify" in said for _host, said in run.failures) and run.failures


@pytest.mark.parametrize(("playbook", "extra"), [
    ("maintenance", {"maintenance_state": "enter", "maintenance_node": "fw2"}),
    ("failover_drill", {}),
])
def test_who_would_change_a_node_is_refused_by_its_module(make: Callable[..., Cluster], playbook: str, extra: dict[str, str]) -> None:
    cluster = make()
    marks = cluster.marks()
    run = cluster.play(playbook, **extra)
    assert run.status != 0 and cluster.changes(marks) == NOTHING


def test_an_upgrade_within_what_both_understand_is_seamless_by_what_is_stored(make: Callable[..., Cluster]) -> None:
    cluster = make("26.1.4")
    marks = cluster.marks()
    run, report = cluster.upgrade("26.7.2")
    assert (run.status, run.failures, report["outcome"]) == (0, [], "seamless")
    assert cluster.changes(marks) == NOTHING and (run.count("fw1"), run.count("fw2")) == (CALLS, CALLS)
    assert {way["answer"] for stage in report["stages"] for way in stage["directions"]} == {"yes"}
    assert {node["sends"] for stage in report["stages"] for node in stage["nodes"]} == {1400}
    book = report["upgrades"][0]["runbook"]
    typed = [command for step in book for command in step["commands"]]
    assert not any(word in command for command in typed for word in (".site", ".maintenance")) and any(".verify" in command for command in typed)
    assert not any("pinned" in step["title"] for step in book)  # there is no newer one to choose before 26.7.4
    assert any("Enter Persistent CARP Maintenance Mode" in line for step in book for line in step["by_hand"])


def test_cards_of_other_names_are_fine_while_states_float_and_need_laggs_before_another_release(make: Callable[..., Cluster]) -> None:
    """The policy that nobody has chosen is the release's own, and what another one has is not told before it runs."""
    cluster = make("26.1.4", devices_b=("igb0", "igb1", "igb2", "igb3"))
    assert cluster.broken() == {}
    run, report = cluster.upgrade("26.7.2")
    assert (run.status, report["outcome"]) == (0, "seamless_with_steps")
    [step] = report["steps"]
    assert "by LAGGs" in step["title"] and step["commands"] == ["ansible-playbook hafirewall.cluster.lagg_plan"]
    assert [[way["named"] for way in stage["directions"]] for stage in report["stages"]] == [["yes", "yes"], ["yes", "unknown"], ["unknown", "unknown"]]


def test_states_that_are_bound_to_cards_of_other_names_are_found(make: Callable[..., Cluster]) -> None:
    bound = {"<hostname>": "<state-policy>1</state-policy><hostname>"}
    cluster = make("26.1.4", devices_b=("igb0", "igb1", "igb2", "igb3"), changes=bound)
    # The plan gives them one name by LAGGs, which are not there.
    assert any("fw1 has no lagg0, its lan" in reason for reason in cluster.broken()["devices_equal"])
    run, report = cluster.upgrade("26.7.2")
    assert run.status != 0 and report["outcome"] != "seamless"


def test_what_the_node_would_install_by_its_own_catalogue_is_judged(make: Callable[..., Cluster]) -> None:
    cluster = make("26.1.4")
    for machine in cluster.machines.values():
        machine.upkeep.offered["opnsense"] = "26.1.6_1"
    run, report = cluster.upgrade("candidate")
    assert (run.status, report["outcome"], set(report["upgrades"][0]["targets"].values())) == (0, "seamless", {"26.1.6_1"})


def test_a_new_node_beside_an_old_one_is_pinned_by_hand(make: Callable[..., Cluster]) -> None:
    cluster = make("24.1", changes={"<pfsyncversion>1400</pfsyncversion>": "<pfsyncenabled>on</pfsyncenabled>"})
    run, report = cluster.upgrade("24.7.10")
    assert (run.status, report["outcome"]) == (0, "seamless_with_steps")
    assert [step["title"] for step in report["steps"]] == ["Pin format 1301 on fw2", "Lift the pin of format 1301"]
    for step in report["steps"]:
        assert (step["variables"], step["commands"]) == (None, []) and "High Availability" in step["by_hand"][0]


def test_the_same_comes_from_what_was_saved_without_the_nodes(make: Callable[..., Cluster]) -> None:
    cluster = make()
    _run, live = cluster.upgrade("26.7.2")
    marks = cluster.marks()
    run, again = cluster.upgrade("26.7.2", upgrade_check_evidence_dir=str(cluster.folder / "upgrade" / "evidence"))
    assert (run.status, run.executions) == (0, []) and cluster.changes(marks) == NOTHING
    assert [again[key] for key in ("outcome", "stages", "checks")] == [live[key] for key in ("outcome", "stages", "checks")]


@pytest.mark.parametrize(("change", "check", "words"), [
    (lambda machine: machine.put("/var/cache/opnsense-update/.pkgs.pending", "26.7"), "nothing_pending", "pkgs of opnsense-update"),
    (lambda machine: machine.put("/var/lib/php/tmp/filter.dirty", ""), "nothing_unapplied", "filter"),
    (lambda machine: machine.upkeep.processes.update({4711: "/bin/sh /usr/local/opnsense/scripts/firmware/launcher.sh"}), "nothing_running", "launcher.sh"),
    (lambda machine: machine.upkeep.packages.update({"os-cpu-microcode-intel": "1.0"}), "known_bad", "os-cpu-microcode-intel"),
])
def test_a_node_that_is_not_ready_is_named(make: Callable[..., Cluster], change: Any, check: str, words: str) -> None:
    cluster = make()
    change(cluster.b)
    run, report = cluster.upgrade("26.7.2")
    assert run.status != 0 and report["outcome"] == "not_seamless"
    assert [words in one["reason"] for one in report["checks"] if one["id"] == check and one["status"] == "fail"] == [True]


def test_the_products_own_jobs_are_not_in_the_way_and_those_that_upgrade_or_send_are(make: Callable[..., Cluster]) -> None:
    cluster = make()
    minute = "*\t*\t*\t*\t*\t"
    own = ["(/usr/local/sbin/configctl -d firmware changelog cron) > /dev/null", "(/usr/local/sbin/configctl -d filter schedule bogons) > /dev/null",
           "(/usr/local/bin/flock -n -E 0 -o /tmp/filter_update_tables.lock /usr/local/opnsense/scripts/filter/update_tables.py --quick) > /dev/null"]
    cluster.b.put("/var/cron/tabs/root", "".join(minute + command + "\n" for command in own))
    _run, report = cluster.upgrade("26.7.2")
    assert {one["status"] for one in report["checks"] if one["id"] == "jobs_in_window"} == {"pass"}
    for command in ("-- firmware auto-update", "'firmware auto-update'", "-- system ha_reconfigure_backup", "'system halt'", "'interface reconfigure' wan"):
        cluster.b.put("/var/cron/tabs/nobody", f"{minute}/usr/local/sbin/configctl -d {command}\n")
        run, report = cluster.upgrade("26.7.2")
        assert run.status != 0 and report["outcome"] == "not_seamless"
        assert ["tabs/nobody" in one["reason"] for one in report["checks"] if one["id"] == "jobs_in_window" and one["status"] == "fail"] == [True]


def test_snapshots_of_a_node_that_stays_as_it_is_are_alike(make: Callable[..., Cluster]) -> None:
    cluster = make()
    for moment in ("before", "after"):
        run = cluster.play("snapshot", snapshot_moment=moment, snapshot_directory=str(cluster.folder / "snapshots"))
        assert (run.status, run.failures) == (0, [])
