# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks before an upgrade: each passes, fails and is an error where nothing is known."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks import STATUSES, judge
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness import LEFT_OUT, READINESS, judge_readiness
from check_cases import NODES, odd_changes
from hypothesis import given
from readiness_cases import DAY, MIB, NOW, PLATFORMS, ReadinessCase, readiness_of

# What a platform has no use for.
SKIPPED = {"linux": {"certificates_valid"}, "freebsd": {"certificates_valid"}, "opnsense": set(), "pfsense": set()}


@pytest.fixture(params=sorted(PLATFORMS))
def platform(request):
    return request.param


@pytest.fixture
def pair(platform):
    return ReadinessCase(platform)


@pytest.fixture
def linux():
    return ReadinessCase("linux")


@pytest.fixture
def freebsd():
    return ReadinessCase("freebsd")


@pytest.fixture
def pfsense():
    return ReadinessCase("pfsense")


def test_a_fit_pair_passes_every_check_and_each_result_has_its_reason(pair, platform):
    results = pair.results()
    assert list(dict.fromkeys(result["id"] for result in results)) == list(READINESS)
    assert [result for result in results if result["status"] != "pass" and result["id"] not in SKIPPED[platform]] == []
    assert {result["id"] for result in results if result["status"] == "skipped"} == SKIPPED[platform]
    assert all(set(result) == {"id", "cluster", "node", "status", "reason"} and result["reason"] and result["cluster"] == "edge" for result in results)


def test_without_evidence_nothing_passes(pair, platform):
    pair.evidence, pair.probe = {node: None for node in NODES}, {}
    assert {result["id"] for result in pair.results() if result["status"] == "error"} == set(READINESS) - SKIPPED[platform]
    assert not [result for result in pair.results() if result["status"] in ("pass", "warn")]


def test_evidence_without_readiness_passes_nothing_that_lives_on_it(pair, platform):
    for node in NODES:
        pair.put("readiness", None, node)
    of_nodes = {"free_disk", "nothing_running", "nothing_pending", "nothing_unapplied", "clocks_close", "certificates_valid", "jobs_in_window",
                "packages_equal", "known_bad", "way_back"}
    assert {result["id"] for result in pair.results() if result["status"] == "error"} == of_nodes - SKIPPED[platform]
    pair.says("free_disk", "error", "node_info reads with readiness: true")


@pytest.mark.parametrize(("key", "checks"), [
    ("disk", {"free_disk"}), ("clock", {"clocks_close"}), ("busy", {"nothing_running"}), ("pending", {"nothing_pending"}), ("unapplied", {"nothing_unapplied"}),
    ("certificates", {"certificates_valid"}), ("jobs", {"jobs_in_window"}), ("packages", {"packages_equal"}), ("candidate", {"known_bad"}),
    ("way_back", {"way_back"})])
def test_a_key_that_could_not_be_read_is_an_error_with_its_reason_for_its_check_alone(pfsense, key, checks):
    pfsense.put(f"readiness.{key}", None)
    pfsense.evidence["fw2"]["errors"] = [{"area": f"readiness.{key}", "reason": "made to fail"}, {"area": "readiness.other", "reason": "not this"}]
    if key == "clock":
        pfsense.put("collected_at", NOW)
    wrong = [result for result in pfsense.results() if result["status"] != "pass"]
    assert {result["id"] for result in wrong} == checks
    assert {result["status"] for result in wrong} == {"error"}
    assert "fw2: made to fail" in wrong[0]["reason"] and "not this" not in wrong[0]["reason"]


@pytest.mark.parametrize(("check", "path", "value", "status", "words"), [
    ("cluster_healthy", "vrrp.demotion", 240, "fail", ["demotion: fw2: CARP is demoted by 240"]),
    ("cluster_healthy", "maintenance", True, "fail", ["maintenance: fw2: the node is in maintenance"]),
    ("cluster_healthy", "vrrp.instances.0.state", "active", "fail", ["roles_disjoint", "fw1 and fw2"]),
    ("cluster_healthy", "vrrp.instances.0.state", "fault", "fail", ["roles_disjoint", "fw2 is in fault and cannot take over"]),
    ("cluster_healthy", "vrrp.demotion", None, "error", ["the demotion of CARP is not known on fw2"]),
    ("sync_live", "engine.creators", ["b2"], "fail", ["from fw1 to fw2", "holds no state that a1 made"]),
    ("sync_live", "engine.creators", None, "error", ["who made the states is not known on fw2"]),
    ("bulk_ended", "engine.bulk", "pending", "fail", ["wait until it has ended"]),
    ("bulk_ended", "engine.bulk", "failed", "fail", ["pfsync bulk fail"]),
    ("bulk_ended", "engine.bulk", None, "pass", ["holds states of every other node"]),
    ("bulk_ended", "engine", None, "error", ["fw2"]),
    ("tables_level", "engine.tables.kernel", 900, "fail", ["fw1 is active with 13 states, fw2 has 900", "99 %"]),
    ("tables_level", "engine.tables.kernel", None, "error", ["fw2"]),
    ("tables_level", "engine.tables.kernel", 110, "pass", ["fw2 has 110"]),
    ("rule_present", "pass_rule.present", False, "fail", ["pass_rule: fw2: the pass rule is not there"]),
    ("rule_present", "pass_rule.broader", ["pass all"], "warn", ["broader than needed"]),
    ("rule_present", "pass_rule", None, "error", ["fw2"]),
    ("settings_level", "engine.host_id", "a1", "fail", ["host_ids: fw1 and fw2 have the same host id a1"]),
    ("settings_level", "engine.config.transport", "unicast", "fail", ["settings_agree"]),
    ("settings_level", "state_policy", None, "error", ["the state policy is not known on fw2"]),
    ("mtu_within", "interfaces.0.mtu", 9000, "fail", ["mtu_equal: the MTU differs"]),
    ("mtu_within", "engine.mtu", 9000, "fail", ["pfsync_mtu: fw2", "4080"]),
    ("mtu_within", "engine.mtu", None, "error", ["the MTU of pfsync0 is not known on fw2"]),
    ("free_disk", "readiness.disk.0.free", 1023 * MIB, "fail", ["/ has 1023 MiB free, and 1024 are wanted"]),
    ("free_disk", "readiness.disk.1.free", 199 * MIB, "fail", ["/boot has 199 MiB free, and 200 are wanted"]),
    ("free_disk", "readiness.disk.0.free", "much", "error", ["how much room / has is not known on fw2"]),
    ("free_disk", "readiness.disk", [{"mount": "/var", "free": 9e9}], "error", ["how much room its disks have"]),
    ("nothing_running", "readiness.busy", [{"what": "apt-get", "pid": 812}], "fail", ["under way: apt-get (process 812)"]),
    ("nothing_running", "readiness.busy", "none", "error", ["fw2"]),
    ("nothing_pending", "readiness.pending.reboot", True, "fail", ["waits for a reboot"]),
    ("nothing_pending", "readiness.pending.reboot", None, "error", ["whether something waits for a reboot is not known on fw2"]),
    ("nothing_pending", "readiness.pending.stage", "stage 2 of pfSense-upgrade", "fail", ["its next stage: stage 2 of pfSense-upgrade"]),
    ("nothing_unapplied", "readiness.unapplied", ["filter", "vip"], "fail", ["changed, and not applied: filter, vip"]),
    ("nothing_unapplied", "engine.config_current", False, "fail", ["another configuration than is stored"]),
    ("nothing_unapplied", "engine.config_current", None, "error", ["fw2"]),
    ("clocks_close", "readiness.clock.at", NOW + 60, "fail", ["the clocks of fw1 and fw2 are at least 58.5 s apart, and 5 are allowed"]),
    ("clocks_close", "readiness.clock.at", NOW - 60, "fail", ["at least 58.5 s apart"]),
    ("clocks_close", "readiness.clock.offset", -7.5, "fail", ["the clock of fw2 is 7.5 s off its source, chrony"]),
    ("clocks_close", "readiness.clock.synchronised", False, "warn", ["nothing keeps the clock of fw2"]),
    ("clocks_close", "readiness.clock.synchronised", None, "pass", ["within 5 s"]),
    ("jobs_in_window", "readiness.jobs.1.next", NOW + 3 * 3600, "fail",
     ["apt-daily-upgrade.timer changes packages at 2026-11-30 03:53 UTC", "window of 4 hours"]),
    ("jobs_in_window", "readiness.jobs.1.next", None, "error", ["when it runs next is not known"]),
    ("jobs_in_window", "readiness.jobs.0.what", "/sbin/shutdown -r", "fail", ["/etc/crontab:3 restarts the node"]),
    ("jobs_in_window", "readiness.jobs.0.what", "zpool scrub", "warn", ["loads the disks"]),
    ("jobs_in_window", "readiness.jobs.0.what", "/usr/local/sbin/configctl zfs scrub", "warn", ["loads the disks"]),
    ("jobs_in_window", "readiness.jobs.0.what", None, "error", ["what /etc/crontab:3 runs is not told"]),
    ("jobs_in_window", "readiness.jobs", [], "pass", ["none of 0 scheduled jobs"]),
    ("packages_equal", "readiness.packages.sudo", "1.9.16", "fail", ["1 packages differ: sudo (fw1 1.9.15, fw2 1.9.16); 0 may"]),
    ("packages_equal", "readiness.packages", {"curl": "8.9.1"}, "fail", ["sudo (fw1 1.9.15, fw2 none)"]),
    ("packages_equal", "readiness.candidate.packages.curl", "8.11.0", "warn", ["would install different versions: curl (fw1 8.10.0, fw2 8.11.0)"]),
    ("known_bad", "readiness.candidate.release", None, "error", ["which release it would get is not known on fw2"]),
    ("known_bad", "os.version", None, "error", ["which release runs is not known on fw2"]),
    ("known_bad", "engine.mtu", 9000, "fail", ["sends nothing (opnsense/src issue 316", "set the MTU of pfsync0"]),
    ("known_bad", "engine.mtu", None, "error", ["whether this concerns fw2 is not known"]),
    ("way_back", "readiness.way_back.available", False, "fail", ["there is no boot environment to go back to; make one now"]),
    ("way_back", "readiness.way_back", {"kind": None, "available": False, "names": []}, "fail", ["no means to make one", "way_back_outside"]),
    ("way_back", "readiness.way_back.available", None, "error", ["fw2"]),
    ("way_back", "readiness.way_back.newest", NOW - 8 * DAY, "warn", ["the newest is 8 days old"]),
    ("way_back", "readiness.way_back.newest", None, "warn", ["when it was made is not known"]),
])
def test_each_deviation_of_one_node_has_its_status_and_names_what_is_wrong(freebsd, check, path, value, status, words):
    freebsd.put(path, value).says(check, status, *words)
    if status in ("fail", "error", "warn"):
        assert {result["status"] for result in freebsd.of(check)} - {status} <= {"pass", "skipped"}


@pytest.mark.parametrize(("path", "value", "status", "words"), [
    ("readiness.certificates.0.expires", NOW - 3 * DAY, "fail", ["webConfigurator default (web interface) has expired 3 days ago"]),
    ("readiness.certificates.0.expires", NOW + 29 * DAY, "warn", ["expires in 29 days"]),
    ("readiness.certificates.0.expires", None, "error", ["until when webConfigurator default"]),
    ("readiness.certificates", [], "error", ["until when the certificates of its web interface are valid is not known on fw2"]),
])
def test_certificates_must_last(pfsense, path, value, status, words):
    pfsense.put(path, value).says("certificates_valid", status, *words, node="fw2")


def test_certificates_matter_where_a_configuration_is_sent_only(pfsense):
    for node in NODES:
        pfsense.put("config_sync", {"target": None, "sections": []}, node)
    assert [(result["status"], result["node"]) for result in pfsense.of("certificates_valid")] == [("skipped", None)]
    pfsense.put("config_sync", None).put("readiness.certificates", None)
    pfsense.says("certificates_valid", "error", node="fw2")


def test_pfsync_of_a_product_with_a_large_mtu_is_a_failure(pfsense):
    pfsense.put("engine.mtu", 9000).says("mtu_within", "fail", "pfsync0 of fw2 has MTU 9000, and with more than 4080 it sends nothing")


def test_of_linux_states_that_did_not_arrive_are_a_failure_and_without_a_probe_an_error(linux):
    linux.probe["fw2"]["1"] = 3
    linux.says("sync_live", "fail", "from fw1 to fw2: only 3 of 60 states arrived")
    linux.says("bulk_ended", "error", "not proven", node="fw2")
    linux.probe = {}
    assert {result["status"] for check in ("sync_live", "bulk_ended") for result in linux.of(check)} == {"error"}
    linux.probe = {"fw1": {"2": 60}, "fw2": {"1": 60}}
    linux.put("engine.refresh.enabled", False, "fw1").says("sync_live", "fail", "quiet_states: the refresh is planned but off", node="fw1")


@pytest.mark.parametrize(("asked", "collected", "status"), [
    (NOW - 90 * DAY, NOW, "error"), (NOW - 20 * 60, NOW, "pass"), (None, NOW - 90 * DAY, "error"), (None, NOW + 20 * 60, "pass"), (None, None, "error"),
    (None, 1e20, "error"),
    # The node's own clock may be wrong, which is another check's.
    (NOW, NOW - 90 * DAY, "pass"),
])
def test_evidence_of_another_day_tells_nothing_of_this_one(freebsd, asked, collected, status):
    freebsd.put("readiness.clock.asked", asked).put("collected_at", collected)
    [result] = freebsd.of("cluster_healthy")
    assert result["status"] == status
    freebsd.threshold(evidence_minutes=10**6)
    assert freebsd.of("cluster_healthy")[0]["status"] == ("pass" if collected and collected < 1e20 else "error")


def test_that_the_active_node_has_sent_nothing_of_what_it_has_is_no_proof(freebsd):
    freebsd.put("engine.creators", ["b2"]).put("engine.counters.sent_messages", {}, "fw1")
    freebsd.says("sync_live", "error", "let a connection pass through the cluster, and check again", node="fw2")
    # One that has made none itself, as soon after it took over, has none to lose.
    freebsd.put("engine.creators", ["b2"], "fw1").says("sync_live", "skipped", "fw1 holds no state that it made itself", node="fw2")
    freebsd.put("engine.creators", ["a1"], "fw1")
    # The kernel had counted these as sent: they were of other messages.
    freebsd.put("engine.counters.send_errors", 12, "fw1").says("sync_live", "error", "let a connection pass", node="fw2")
    freebsd.put("engine.counters.no_memory", 250000, "fw1").says("sync_live", "fail", "fw1 had no room to send what it has (no_memory 250000)", node="fw2")


def test_with_an_external_cache_it_is_compared_with_the_active_nodes_internal_one(linux):
    for node in NODES:
        linux.put("state_sync.external_cache", True, node, linux.plans)
    linux.put("engine.tables.external", 880).says("tables_level", "pass", "fw1 is active with 900 states, fw2 has 880")
    linux.put("engine.tables.external", 100).says("tables_level", "fail", "800 apart, 89 %, and 100 are allowed")


def test_tables_of_a_cluster_with_no_active_node_or_two_cannot_be_compared(freebsd):
    freebsd.put("vrrp.instances.0.state", "active").says("tables_level", "error", "2 nodes are known to be active")
    freebsd.put("vrrp", None, "fw1").put("vrrp", None, "fw2").says("tables_level", "error", "0 nodes are known to be active")


def test_an_engine_that_has_not_got_the_states_is_no_end_of_the_transfer(pfsense):
    pfsense.put("engine.synced", False).says("bulk_ended", "fail", "has not got all states of the others yet", node="fw2")


def test_without_a_word_of_the_kernel_and_of_states_the_end_of_the_transfer_is_not_known(pfsense):
    judged = [result for result in judge(pfsense.plans, pfsense.evidence, {}, 1) if result["id"] != "states_travel"]
    results = judge_readiness(pfsense.plans, pfsense.evidence, judged, {})
    assert {result["status"] for result in results if result["id"] == "bulk_ended"} == {"error"}


def test_a_cluster_without_state_sync_has_nothing_to_be_ready(pair):
    for node in NODES:
        pair.put("state_sync.enabled", False, node, pair.plans)
    for check in ("sync_live", "bulk_ended", "tables_level", "rule_present", "mtu_within"):
        assert {result["status"] for result in pair.of(check)} == {"skipped"}, check


def test_small_root_file_systems_hold_kernels_only(freebsd):
    freebsd.put("readiness.disk", [{"mount": "/", "free": 500 * MIB}, {"mount": "/usr", "free": 3000 * MIB}]).says("free_disk", "pass", "/ 500", node="fw2")
    freebsd.put("readiness.disk", [{"mount": "/", "free": 500 * MIB}, {"mount": "/var", "free": 3000 * MIB}]).says("free_disk", "fail", "/ has 500 MiB free")


def test_clocks_that_were_read_too_slowly_are_unknown_unless_a_service_keeps_them(linux):
    for node in NODES:
        linux.put("readiness.clock.answered", NOW + 9, node)
    linux.says("clocks_close", "pass")
    linux.put("readiness.clock.synchronised", None).says("clocks_close", "error", "the clocks of fw1 and fw2 may be up to 9.5 s apart")
    for node in NODES:
        linux.put("readiness.clock.took", 8.0, node)
    linux.says("clocks_close", "pass")
    for node in NODES:
        del linux.evidence[node]["readiness"]["clock"]["asked"]
    linux.says("clocks_close", "error", "how its clock goes is not known on fw2")


def test_a_job_whose_commands_are_not_told_is_of_no_matter_after_the_window(linux):
    linux.put("readiness.jobs.0.what", None).put("readiness.jobs.0.next", NOW + 5 * 3600)
    assert {result["status"] for result in linux.of("jobs_in_window")} == {"pass"}
    linux.put("readiness.jobs.0.next", None).says("jobs_in_window", "error", "what /etc/crontab:3 runs is not told", node="fw2")


@pytest.mark.parametrize("what", ["/usr/bin/apt-get upgrade", "dnf-automatic.service", "/usr/sbin/freebsd-update cron", "pkg upgrade", "/usr/sbin/syspatch",
                                  "/sbin/pfctl -f", "/usr/sbin/service pf reload", "/etc/rc.filter_configure_sync", "systemctl restart keepalived",
                                  "/usr/local/sbin/configctl firmware auto", "/sbin/reboot", "/usr/local/sbin/configctl interface routes alarm",
                                  "nft -f", "cd; run-parts; /etc/cron.daily/apt-compat",
                                  "nice; /etc/cron.daily/0yum-daily.cron", "periodic daily; /usr/local/etc/periodic/daily/500.pkg-upgrade",
                                  "run-parts; /etc/cron.daily/dpkg; /etc/cron.daily/unattended-upgrades"])
def test_jobs_that_are_in_the_way_are_known(linux, what):
    linux.put("readiness.jobs.0.what", what).says("jobs_in_window", "fail", "/etc/crontab:3", node="fw2")


@pytest.mark.parametrize("what", ["/usr/libexec/atrun", "periodic daily", "adjkerntz", "cd; run-parts", "/usr/bin/newsyslog", "man-db.service",
                                  "/etc/rc.update_bogons.sh", "systemd-tmpfiles-clean.service", "phpsessionclean.service", "logrotate.service",
                                  "/usr/local/bin/pfctlstats", "/usr/bin/nice /etc/rc.dyndns.update",
                                  "test", "cd; run-parts; /etc/cron.daily/dpkg; /etc/cron.daily/man-db; /etc/cron.daily/apt-show-versions",
                                  "periodic daily; /usr/local/etc/periodic/daily/490.status-pkg-changes; /etc/periodic/daily/999.update"])
def test_jobs_that_are_not_are_not(linux, what):
    linux.put("readiness.jobs.0.what", what)
    assert {result["status"] for result in linux.of("jobs_in_window")} == {"pass"}


@pytest.mark.parametrize(("check", "path", "value", "thresholds", "status"), [
    ("tables_level", "engine.tables.kernel", 900, {"tables_states": 1000}, "pass"),
    ("tables_level", "engine.tables.kernel", 900, {"tables_percent": 99.5}, "pass"),
    ("tables_level", "engine.tables.kernel", 20, {"tables_states": 0, "tables_percent": 0}, "fail"),
    ("free_disk", "readiness.disk.0.free", 100 * MIB, {"free_disk_mib": 100}, "pass"),
    ("free_disk", "readiness.disk.1.free", 100 * MIB, {"free_boot_mib": 0}, "pass"),
    ("clocks_close", "readiness.clock.at", NOW + 60, {"clock_seconds": 90}, "pass"),
    ("clocks_close", "readiness.clock.at", NOW, {"clock_seconds": 0.0005}, "fail"),
    ("jobs_in_window", "readiness.jobs.1.next", NOW + 3 * 3600, {"window_hours": 2.5}, "pass"),
    ("jobs_in_window", "readiness.jobs.1.next", NOW + 6 * 3600, {"window_hours": 8}, "fail"),
    ("packages_equal", "readiness.packages.sudo", "1.9.16", {"packages_differing": 1}, "warn"),
    ("way_back", "readiness.way_back.newest", NOW - 8 * DAY, {"way_back_days": 9}, "pass"),
    ("way_back", "readiness.way_back", {"kind": None, "available": False, "names": []}, {"way_back_outside": True}, "pass"),
])
def test_thresholds_decide(freebsd, check, path, value, thresholds, status):
    freebsd.put(path, value).threshold(**thresholds)
    assert freebsd.says(check, status)
    assert {result["status"] for result in freebsd.of(check)} <= {status, "pass"}


def test_days_of_certificates_are_a_threshold(pfsense):
    pfsense.put("readiness.certificates.0.expires", NOW + 29 * DAY).threshold(certificate_days=28)
    assert {result["status"] for result in pfsense.of("certificates_valid")} == {"pass"}


@pytest.mark.parametrize("check", list(READINESS))
def test_a_check_that_is_left_out_is_told_as_skipped_and_the_others_are_made(freebsd, check):
    freebsd.settings["left_out"] = [check]
    assert [(result["node"], result["status"], result["reason"]) for result in freebsd.of(check)] == [(None, "skipped", LEFT_OUT)]
    assert LEFT_OUT == "left out by upgrade_check_leave_out"
    assert {result["id"] for result in freebsd.results() if result["reason"] != LEFT_OUT} == set(READINESS) - {check}


def test_what_the_checks_of_a_verification_did_not_judge_is_not_known(freebsd):
    results = judge_readiness(freebsd.plans, freebsd.evidence, [], {})
    delegated = {"cluster_healthy", "sync_live", "bulk_ended", "rule_present", "settings_level", "mtu_within"}
    assert {result["id"] for result in results if result["status"] == "error"} == delegated
    assert all("was not judged: hand over" in result["reason"] for result in results if result["status"] == "error")


def test_a_stated_release_beats_what_the_node_would_install(freebsd):
    freebsd.put("engine.mtu", 9000)
    freebsd.targets = {"fw2": "15.0-RELEASE"}
    freebsd.says("known_bad", "pass", "14.2-RELEASE to 15.0-RELEASE", node="fw2")
    freebsd.says("known_bad", "pass", "14.2-RELEASE to 14.3-RELEASE", node="fw1")


def test_of_linux_the_stated_release_is_the_engines_and_the_systems_is_by_its_lists(linux):
    linux.targets = {"fw2": "1.4.8"}
    linux.put("readiness.candidate.release", "14.1").says("known_bad", "fail", "without skipping any", node="fw2")


def test_many_clusters_are_judged_each_by_its_own():
    plans, evidence = {}, {}
    for number in range(3):
        pair = ReadinessCase("freebsd")
        for node in NODES:
            name = f"{node}-{number}"
            plans[name] = dict(pair.plans[node], cluster=f"edge{number}", members=[f"{one}-{number}" for one in NODES])
            evidence[name] = pair.evidence[node]
    evidence["fw2-1"]["readiness"]["busy"] = [{"what": "pkg", "pid": 7}]
    results = judge_readiness(plans, evidence, [], {})
    busy = [(result["cluster"], result["node"]) for result in results if result["id"] == "nothing_running" and result["status"] == "fail"]
    assert busy == [("edge1", "fw2-1")]
    assert {result["cluster"] for result in results} == {"edge0", "edge1", "edge2"}


def test_a_member_without_a_plan_is_refused(freebsd):
    del freebsd.plans["fw2"]
    with pytest.raises(ValueError, match="no plan for fw2"):
        judge_readiness(freebsd.plans, freebsd.evidence, [], {})


@pytest.mark.parametrize("name", sorted(PLATFORMS))
def test_odd_evidence_is_judged_whole(name):
    @given(odd_changes({"readiness": readiness_of("pfsense", "2.8.1"), "errors": []}, ["at", "free", "mount", "next", "kind", "expires", "available"]))
    def judged_whole(changes):
        case = ReadinessCase(name)
        for node, path, value in changes:
            place = case.evidence[node]
            for key in path[:-1]:
                place = place[key] if isinstance(place, dict) and key in place else place[key] if isinstance(place, list) and key in range(len(place)) else {}
            if isinstance(place, dict):
                place[path[-1]] = value
        results = case.results()
        assert {result["id"] for result in results} == set(READINESS)
        assert all(result["status"] in STATUSES and isinstance(result["reason"], str) and result["reason"] for result in results)

    judged_whole()
