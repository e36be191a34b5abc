# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What conntrackd says about itself, in every way of running it, and the evidence that is made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import conntrackd_config, conntrackd_hooks, conntrackd_stats
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

FIXTURES = Path(__file__).resolve().parents[5] / "fixtures" / "conntrackd-1.4.7"
PROC = "/proc/sys/net/netfilter/nf_conntrack_"
PARAMS = {"enabled": True, "interface": "sync0", "address": "198.51.100.129", "transport": "multicast", "group": "225.0.0.50", "port": 3780,
          "peer": None, "mode": "ftfw", "external_cache": False, "ignore_addresses": [], "refresh_interval": 7}
CONFIG = conntrackd_config.render(PARAMS)
MADDRESS = ["ip", "-json", "maddress", "show", "dev", "sync0"]


def sample(name: str) -> str:
    return (FIXTURES / (name + ".txt")).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "internal", "external"), [
    ("ftfw-direct", 7, None), ("ftfw-external", 7, 3), ("ftfw-unicast", 0, None), ("notrack-direct", 7, None), ("alarm-external", 7, 3)])
def test_every_way_of_running_is_understood(name: str, internal: int, external: int) -> None:
    figures = conntrackd_stats.parse_statistics(sample(name))
    assert figures["tables"] == {"internal": internal, "external": external}
    assert set(figures["counters"]) == {"sent", "received", "bytes_sent", "bytes_received", "lost", "malformed", "send_errors", "receive_errors"}
    assert all(isinstance(value, int) for value in figures["counters"].values())


def test_counters_are_not_mixed_up() -> None:
    assert conntrackd_stats.parse_statistics(sample("ftfw-external"))["counters"] == {
        "sent": 8, "received": 4, "bytes_sent": 604, "bytes_received": 244, "lost": 0, "malformed": 0, "send_errors": 0, "receive_errors": 0}
    changed = sample("ftfw-external").replace("0 Malformed msgs                    0 Lost", "11 Malformed msgs   22 Lost").replace(
        "0 Error send                    0 Error recv", "33 Error send   44 Error recv")
    counters = conntrackd_stats.parse_statistics(changed)["counters"]
    assert (counters["malformed"], counters["lost"], counters["send_errors"], counters["receive_errors"]) == (11, 22, 33, 44)


@pytest.mark.parametrize("text", [sample("stats"), "", "nonsense"])
def test_a_daemon_that_does_not_sync_has_no_counters(text: str) -> None:
    assert conntrackd_stats.parse_statistics(text) == {"counters": None, "tables": {"internal": None, "external": None}}


@pytest.fixture
def node() -> SystemdNode:
    files = {conntrackd_hooks.CONFIG: CONFIG, conntrackd_hooks.RUNNING_COPY: CONFIG, PROC + "count": "12\n", PROC + "max": "262144\n",
             PROC + "udp_timeout": "30\n", PROC + "udp_timeout_stream": "120\n",
             conntrackd_hooks.REFRESH_UNIT_FILE: conntrackd_hooks.files(PARAMS, "/usr/bin/python3")[conntrackd_hooks.REFRESH_UNIT_FILE].text}
    node = SystemdNode(files=files)
    node.unit("conntrackd.service", active=True, enabled=True)
    node.unit(conntrackd_hooks.REFRESH_UNIT, active=True, enabled=True)
    node.says(["conntrackd", "-s"], sample("ftfw-direct"))
    node.says(MADDRESS, '[{"ifname": "sync0", "maddr": [{"link": "01:00:5e:00:00:32"}, {"family": "inet", "address": "225.0.0.50"}]}]')
    return node


def test_evidence_of_a_running_engine(node: SystemdNode) -> None:
    evidence, errors = conntrackd_stats.observe_engine(node)
    assert errors == []
    assert {key: evidence[key] for key in ("name", "installed", "enabled", "masked", "running", "joined", "config_current")} == {
        "name": "conntrackd", "installed": True, "enabled": True, "masked": False, "running": True, "joined": True, "config_current": True}
    assert evidence["config"] == {"mode": "ftfw", "transport": "multicast", "group": "225.0.0.50", "port": 3780, "interface": "sync0",
                                  "address": "198.51.100.129", "peer": None, "external_cache": False, "checksum": True, "startup_resync": True}
    assert evidence["tables"] == {"kernel": 12, "kernel_max": 262144, "internal": 7, "external": None}
    assert evidence["refresh"] == {"interval": 7.0, "enabled": True, "last_run": None}
    assert node.changed is False


@pytest.mark.parametrize(("listing", "joined"), [
    ('[{"maddr": [{"link": "01:00:5e:00:00:01"}, {"family": "inet", "address": "224.0.0.1"}]}]', False), ("[]", False), ("", None), ("[{}]", None)])
def test_a_daemon_may_have_lost_its_group(node: SystemdNode, listing: str, joined: object) -> None:
    node.says(MADDRESS, listing, 0 if listing else 1)
    assert conntrackd_stats.observe_engine(node)[0]["joined"] is joined


@pytest.mark.parametrize(("group", "written"), [("ff15::e100:32", "ff15::e100:32"), ("ff15::e100:32", "ff15:0::E100:32")])
def test_a_group_is_known_however_it_is_written(node: SystemdNode, group: str, written: str) -> None:
    node.says(MADDRESS, '[{"maddr": [{"family": "inet6", "address": "%s"}]}]' % group)
    assert conntrackd_stats.group_joined(node, {"transport": "multicast", "group": written, "interface": "sync0"}) is True


def test_unicast_has_no_group_to_join(node: SystemdNode) -> None:
    assert conntrackd_stats.group_joined(node, {"transport": "unicast", "group": None, "interface": "sync0"}) is None


def test_a_file_that_was_changed_after_the_start_is_not_current(node: SystemdNode) -> None:
    node.write_text(conntrackd_hooks.CONFIG, CONFIG.replace("3780", "3781"))
    evidence, _errors = conntrackd_stats.observe_engine(node)
    assert evidence["config_current"] is False
    assert evidence["config"]["port"] == 3780  # as running


def test_what_a_daemon_runs_with_is_unknown_without_its_copy(node: SystemdNode) -> None:
    node.remove(conntrackd_hooks.RUNNING_COPY)
    evidence, _errors = conntrackd_stats.observe_engine(node)
    assert (evidence["config"], evidence["config_current"]) == (None, None)


def test_a_stopped_engine_runs_with_no_configuration(node: SystemdNode) -> None:
    node.units["conntrackd.service"].active = False
    node.says(["conntrackd", "-s"], "", 1, "can't connect")
    evidence, errors = conntrackd_stats.observe_engine(node)
    assert (evidence["running"], evidence["config"], evidence["counters"], errors) == (False, None, None, [])


def test_a_stuck_engine_is_an_error(node: SystemdNode) -> None:
    node.says(["conntrackd", "-s"], "", 1, "can't connect")
    evidence, errors = conntrackd_stats.observe_engine(node)
    assert evidence["counters"] is None
    assert errors == [{"area": "engine", "reason": "conntrackd runs, but does not answer on its socket"}]


def test_a_masked_engine_does_not_start_at_boot(node: SystemdNode) -> None:
    node.units["conntrackd.service"].masked = True
    evidence, _errors = conntrackd_stats.observe_engine(node)
    assert (evidence["masked"], evidence["enabled"]) == (True, False)


def test_a_bare_node_is_all_unknown() -> None:
    node = SystemdNode()
    evidence, errors = conntrackd_stats.observe_engine(node)
    assert evidence == {"name": "conntrackd", "installed": False, "enabled": False, "masked": False, "running": False, "config": None,
                        "joined": None, "config_current": None, "counters": None, "refresh": None,
                        "tables": {"kernel": None, "kernel_max": None, "internal": None, "external": None}}
    assert errors == []


def test_a_silent_systemd_leaves_unknowns_and_a_reason(node: SystemdNode) -> None:
    node.says(["systemctl", "show"], "", 1, "Failed to connect to bus")
    evidence, errors = conntrackd_stats.observe_engine(node)
    assert (evidence["running"], evidence["enabled"], evidence["refresh"]["enabled"]) == (None, None, None)
    assert {error["area"] for error in errors} == {"engine", "refresh"} and "Failed to connect to bus" in errors[0]["reason"]


@pytest.mark.parametrize(("report", "interval", "last_run"), [
    (json.dumps({"interval": 12.5, "last_run": 1795000000.5}), 12.5, 1795000000.5), ("{broken", 7.0, None), ("[]", 7.0, None)])
def test_the_refresh_reports_its_real_pace(node: SystemdNode, report: str, interval: float, last_run: float) -> None:
    node.write_text("/run/hafirewall/refresh", report)
    evidence, _errors = conntrackd_stats.observe_engine(node)
    assert (evidence["refresh"]["interval"], evidence["refresh"]["last_run"]) == (interval, last_run)


def test_an_interval_left_to_the_node_follows_its_shortest_udp_timeout(node: SystemdNode) -> None:
    unit = node.text(conntrackd_hooks.REFRESH_UNIT_FILE)
    node.write_text(conntrackd_hooks.REFRESH_UNIT_FILE, unit.replace("/refresh 7\n", "/refresh 0\n"))
    assert conntrackd_stats.observe_engine(node)[0]["refresh"]["interval"] == 10.0
    node.write_text(PROC + "udp_timeout_stream", "12\n")
    assert conntrackd_stats.observe_engine(node)[0]["refresh"]["interval"] == 4.0


def test_table_sizes_come_from_the_kernel_or_are_said_to_be_assumed(node: SystemdNode) -> None:
    assumed, note = conntrackd_stats.table_sizes(node)  # buckets unknown
    assert assumed == conntrackd_config.KERNEL_DEFAULT and "assumed" in (note or "")
    node.write_text(PROC + "buckets", "65536\n")
    assert conntrackd_stats.table_sizes(node) == (conntrackd_config.Sizes(65536, 262144), None)
