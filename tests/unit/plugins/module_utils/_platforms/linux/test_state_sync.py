# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State sync on a simulated node: prediction and reality agree, a second run is silent, and a failure leaves the node as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import (
    conntrackd_config,
    conntrackd_hooks,
    conntrackd_stats,
    state_sync,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SimulatedFile, SystemdNode

FIXTURES = Path(__file__).resolve().parents[5] / "fixtures" / "conntrackd-1.4.7"
PROC = "/proc/sys/net/netfilter/nf_conntrack_"
STOCK = "# Default debian config.\nGeneral { LockFile /var/lock/conntrackd.lock }\nStats { LogFile on }\n"
THEIRS = "Sync { Mode NOTRACK { }\nUDP { IPv4_address 198.51.100.7 IPv4_Destination_Address 198.51.100.8 Port 3781 Interface eth9 } }\n"
PARAMS = {"enabled": True, "interface": "sync0", "address": "198.51.100.129", "network": "198.51.100.128/28", "transport": "multicast",
          "group": "225.0.0.50", "port": 3780, "peer": None, "mode": "ftfw", "external_cache": None, "ignore_addresses": ["192.0.2.1"],
          "refresh_interval": None, "coming": {}}
MEMBERSHIP = '[{"ifname": "sync0", "maddr": [{"link": "01:00:5e:00:00:32"}, {"family": "inet", "address": "%s"}]}]'
UNIT = "conntrackd.service"
ETC = conntrackd_hooks.CONFIG


def sample(name: str) -> str:
    return (FIXTURES / (name + ".txt")).read_text(encoding="utf-8")


class Firewall(SystemdNode):
    """A Debian node; ``install`` does what apt does: the package starts its service with its own configuration."""

    def __init__(self, check_mode: bool = False) -> None:
        super().__init__(check_mode=check_mode)
        for name, value in (("count", 12), ("max", 65536), ("buckets", 8192)):
            self.files[PROC + name] = SimulatedFile("%d\n" % value)
        self.connections = 8
        self.on(["stat"], self._stat)
        self.on(["sh", "-c", conntrackd_stats._ESTABLISHED], self._established)

    def install(self, active: bool = True, enabled: bool = True) -> Firewall:
        import hashlib
        self.packages["conntrackd"] = "1:1.4.7-1+b2"
        self.files[ETC] = SimulatedFile(STOCK)
        unit = self.unit(UNIT, active=active, enabled=enabled)
        unit.on_start = self._start_daemon
        self.on(["conntrackd"], self._client)
        self.says(["ip", "-json", "maddress", "show", "dev", "sync0"], MEMBERSHIP % PARAMS["group"])
        digest = hashlib.new("md5", STOCK.encode()).hexdigest()
        self.says(["dpkg-query", "-W", "-f", "${Conffiles}\\n"], " %s %s\n" % (ETC, digest))
        return self

    def then(self, check_mode: bool = False) -> Firewall:
        """The same machine in the next run."""
        following = Firewall(check_mode)
        for name in ("files", "units", "packages", "full_disks", "failing", "connections", "_handlers"):
            setattr(following, name, getattr(self, name))
        following.on(["stat"], following._stat)
        following.on(["sh", "-c", conntrackd_stats._ESTABLISHED], following._established)
        following.on(["systemctl"], following._systemctl)
        if "conntrackd" in self.packages:
            following.on(["conntrackd"], following._client)
            self.units[UNIT].on_start = following._start_daemon
        return following

    def _start_daemon(self, node: SystemdNode) -> None:
        helper = conntrackd_hooks.HELPER
        if "ExecStartPre=%s before" % helper in self.units[UNIT].loaded_lines:
            self.files[conntrackd_hooks.RUNNING_COPY] = self.files[ETC]

    def _client(self, argv: list[str], stdin: str | None) -> Completed:
        if "/dev/stdin" in argv:
            name = "syntax" if "198.51.100.66" in stdin else "device" if "Interface nope0" in stdin else "good"
            return Completed(1, "", sample("candidate-" + name))
        alive = self.units[UNIT].active
        return Completed(0, sample("ftfw-direct"), "") if alive else Completed(1, "", sample("candidate-good"))

    def _established(self, argv: list[str], stdin: str | None) -> Completed:
        lines = ["conntrack v1.4.7 (conntrack-tools): %d flow entries have been shown." % count for count in (self.connections, 0)]
        return Completed(0, "", "\n".join(lines))

    def _stat(self, argv: list[str], stdin: str | None) -> Completed:
        return Completed(1, "".join("%o %s\n" % (self.files[path].mode, path) for path in argv[3:] if path in self.files), "")


def apply(node: SystemdNode, **changes: object) -> dict:
    return state_sync.apply(node, dict(PARAMS, **changes))


def settings(result: dict) -> list[str]:
    return [entry["setting"] for entry in result["drift"]]


def written(node: SystemdNode) -> list[str]:
    return [diff["after_header"] for diff in node.diffs]


@pytest.fixture
def node() -> Firewall:
    """A node that state sync was applied to."""
    fresh = Firewall().install()
    apply(fresh)
    return fresh.then()


def test_a_fresh_node_gets_everything_and_a_second_run_does_nothing() -> None:
    node = Firewall().install()
    result = apply(node)
    assert result["validation"] == "passed"
    assert node.commands == ["systemctl daemon-reload", "systemctl restart conntrackd.service", "systemctl enable hafirewall-refresh.service",
                             "systemctl restart hafirewall-refresh.service"]
    assert (result["kernel_before"], result["kernel_after"], result["notes"]) == (12, 12, [])
    assert "HashSize 8192\n" in node.text(ETC) and "HashLimit 131072\n" in node.text(ETC)
    assert node.text(conntrackd_hooks.RUNNING_COPY) == node.text(ETC)
    assert node.files[conntrackd_hooks.HOOK].mode == 0o755
    again = node.then()
    result = apply(again)
    assert (result["drift"], result["validation"], again.commands, again.diffs) == ([], "not needed", [], [])


@pytest.mark.parametrize("installed_before_check", [False, True])
def test_check_mode_predicts_the_files_and_commands_of_the_real_run(installed_before_check: bool) -> None:
    check = Firewall(check_mode=True)
    if installed_before_check:
        check.install()
    predicted = apply(check)
    assert predicted["validation"] == ("passed" if installed_before_check else "not possible yet: package conntrackd is not installed")
    assert ETC not in check.files or check.text(ETC) == STOCK
    assert (predicted["kernel_before"], predicted["kernel_after"]) == (None, None)
    real = check.then()
    if not installed_before_check:
        real.install()
    apply(real)
    assert (check.commands, written(check)) == (real.commands, written(real))
    assert check.commands


def test_drift_is_the_same_in_check_mode_and_in_reality(node: Firewall) -> None:
    change = {"port": 3781, "mode": "notrack", "refresh_interval": 0}
    predicted = apply(node.then(check_mode=True), **change)
    assert predicted["drift"] == apply(node.then(), **change)["drift"]
    assert {"setting": "port", "is": 3780, "wanted": 3781} in predicted["drift"]


def test_conntrackd_has_one_format(node: Firewall) -> None:
    with pytest.raises(NodeError, match="version: conntrackd has one format of messages; leave the option out"):
        apply(node, version=1400)
    assert not node.changed


def test_conntrackd_has_no_host_id(node: Firewall) -> None:
    with pytest.raises(NodeError, match="host_id: conntrackd has none; leave the option out"):
        apply(node, host_id="a1")
    assert not node.changed


def test_a_missing_package_is_an_error_with_its_name_and_remedy() -> None:
    node = Firewall()
    with pytest.raises(NodeError, match="package conntrackd is not installed.*apt-get install conntrackd"):
        apply(node)
    assert not node.changed


def test_only_what_differs_is_done(node: Firewall) -> None:
    node.files[conntrackd_hooks.HOOK] = SimulatedFile("#!/bin/sh\n", 0o755)
    result = apply(node)
    assert settings(result) == [conntrackd_hooks.HOOK]
    assert (node.commands, written(node), result["kernel_before"]) == ([], [conntrackd_hooks.HOOK], None)


def test_a_hook_that_cannot_be_executed_is_drift(node: Firewall) -> None:
    node.files[conntrackd_hooks.HOOK] = node.files[conntrackd_hooks.HOOK]._replace(mode=0o644)
    assert apply(node)["drift"] == [{"setting": conntrackd_hooks.HOOK, "is": "mode 0644", "wanted": "mode 0755"}]
    assert node.files[conntrackd_hooks.HOOK].mode == 0o755


def test_an_engine_whose_device_was_made_anew_joins_its_group_again(node: Firewall) -> None:
    node.says(["ip", "-json", "maddress", "show", "dev", "sync0"], MEMBERSHIP % "224.0.0.1")
    predicted = apply(node.then(check_mode=True))
    result = apply(node)
    assert result["drift"] == predicted["drift"] == [{"setting": "multicast group joined", "is": False, "wanted": True}]
    assert node.commands == ["systemctl restart conntrackd.service"]
    assert written(node) == []


def test_an_apply_that_was_cut_off_between_write_and_restart_is_finished(node: Firewall) -> None:
    node.files[ETC] = SimulatedFile(node.text(ETC).replace("Group 3780", "Group 3781"))
    result = apply(node, port=3781)
    assert settings(result) == ["configuration as running"]
    assert node.commands == ["systemctl restart conntrackd.service"]
    assert node.text(conntrackd_hooks.RUNNING_COPY) == node.text(ETC)


def test_a_stopped_masked_engine_comes_back(node: Firewall) -> None:
    node.units[UNIT].active, node.units[UNIT].enabled, node.units[UNIT].masked = False, False, True
    result = apply(node)
    assert settings(result) == ["conntrackd masked", "conntrackd enabled at boot", "conntrackd running"]
    assert node.commands == ["systemctl unmask conntrackd.service", "systemctl enable conntrackd.service", "systemctl restart conntrackd.service"]
    assert apply(node.then())["drift"] == []


def test_a_stopped_refresh_comes_back_without_touching_the_engine(node: Firewall) -> None:
    node.units[conntrackd_hooks.REFRESH_UNIT].active = False
    assert settings(apply(node)) == ["refresh of quiet states running"]
    assert node.commands == ["systemctl restart hafirewall-refresh.service"]


def test_without_refresh_its_service_and_files_go(node: Firewall) -> None:
    apply(node, refresh_interval=0)
    assert node.commands == ["systemctl stop hafirewall-refresh.service", "systemctl disable hafirewall-refresh.service", "systemctl daemon-reload"]
    assert conntrackd_hooks.REFRESH_UNIT_FILE not in node.files and conntrackd_hooks.REFRESH_PROGRAM not in node.files
    assert apply(node.then(), refresh_interval=0)["drift"] == []


# Refusals


@pytest.mark.parametrize(("changes", "message"), [
    ({"mode": "alarm", "external_cache": False}, "^external_cache: mode alarm"),
    ({"group": None}, "^group: transport multicast needs it"),
    ({"transport": "unicast"}, "^peer: transport unicast needs it"),
    ({"address": "2001:db8:5::1"}, "^group: 225.0.0.50 is not of the same address family"),
    ({"interface": "e0"}, "^interface: e0 cannot be used.*rename the device"),
    ({"interface": "nope0"}, "nothing was changed: nope0 is an invalid interface"),
    ({"address": "198.51.100.66"}, "nothing was changed: parsing config file in line .4., symbol 'StartupResync': syntax error"),
])
@pytest.mark.parametrize("check_mode", [False, True])
def test_what_cannot_work_is_refused_before_anything_is_touched(node: Firewall, changes: dict, message: str, check_mode: bool) -> None:
    before = node.snapshot()
    run = node.then(check_mode)
    with pytest.raises(NodeError, match=message):
        apply(run, **changes)
    assert (run.commands, run.diffs, node.snapshot()) == ([], [], before)


def test_a_device_that_is_made_earlier_in_the_run_may_be_absent_in_check_mode_only(node: Firewall) -> None:
    node.says(["conntrackd", "-C"], "", 1, sample("candidate-device"))
    predicted = state_sync.apply(node.then(check_mode=True), dict(PARAMS, interface="nope0", coming={"nope0": "eth1"}))
    assert predicted["validation"] == "not possible yet: nope0 is not there"
    with pytest.raises(NodeError, match="nope0 is an invalid interface"):
        state_sync.apply(node.then(), dict(PARAMS, interface="nope0", coming={"nope0": "eth1"}))


def test_an_answer_that_is_no_verdict_is_no_pass(node: Firewall) -> None:
    node.says(["conntrackd", "-C"], "", 139, "")
    with pytest.raises(NodeError, match="did not say whether it accepts"):
        apply(node, port=3781)


def test_a_missing_list_of_protocols_names_its_package() -> None:
    said = "[Tue Nov 24 00:24:12 2026] (pid=26702) [warning] getprotobyname() cannot find protocol `tcp' in /etc/protocols\n"
    assert state_sync.complaints(said + sample("candidate-good")) == [
        "getprotobyname() cannot find protocol `tcp' in /etc/protocols (package netbase has that file)"]
    assert state_sync.complaints(sample("candidate-good")) == []


# Failures


def failed(node: Firewall, match: str, **changes: object) -> None:
    """The change fails; afterwards files and services are as before, and the next run heals it."""
    before = node.snapshot()
    with pytest.raises(NodeError, match=match):
        apply(node, **changes)
    assert node.snapshot() == before
    assert node.units[UNIT].active


def test_an_engine_that_does_not_start_brings_the_old_configuration_back(node: Firewall) -> None:
    start = node.units[UNIT].on_start

    def refuse_new(machine: SystemdNode) -> None:
        start(machine)
        if "Group 3781" in machine.text(ETC):
            raise NodeError("can't open channel socket")

    node.units[UNIT].on_start = refuse_new
    failed(node, "everything was put back", port=3781)
    assert node.text(conntrackd_hooks.RUNNING_COPY) == node.text(ETC)


def test_an_engine_that_does_not_answer_brings_the_old_configuration_back(node: Firewall) -> None:
    client = node._client
    node.on(["conntrackd", "-s"], lambda argv, stdin: Completed(1, "", "") if "Group 3781" in node.text(ETC) else client(argv, stdin))
    failed(node, "does not answer 30 s after its start.*journal", port=3781)


def test_a_full_disk_leaves_the_node_as_it_was(node: Firewall) -> None:
    node.full_disks = ["/usr/local/"]
    node.files.pop(conntrackd_hooks.HOOK)
    failed(node, "No space left on device", port=3781)
    assert node.units[UNIT].starts == 1  # the one of the first apply
    node.full_disks = []
    assert apply(node.then(), port=3781)["validation"] == "passed"


def ends_at_restart(node: Firewall, connections: int, states: int) -> None:
    """What the restart of conntrackd leaves of the kernel's table."""
    start = node.units[UNIT].on_start

    def restarted(machine: SystemdNode) -> None:
        start(machine)
        node.connections = connections
        machine.files[PROC + "count"] = SimulatedFile("%d\n" % states)

    node.units[UNIT].on_start = restarted


def test_a_table_that_loses_connections_is_a_failure(node: Firewall) -> None:
    node.connections = 1000
    ends_at_restart(node, 700, 1000)
    with pytest.raises(NodeError, match="shrank from 1000 to 700 established connections"):
        apply(node, port=3781)
    assert "Group 3780" in node.text(ETC)


@pytest.mark.parametrize(("before", "after"), [(1000, 950), (40, 0), (0, 0)])
def test_connections_come_and_go(node: Firewall, before: int, after: int) -> None:
    node.connections = before
    ends_at_restart(node, after, 12)
    assert apply(node, port=3781)["kernel_after"] == 12


def test_states_that_had_run_out_and_are_collected_at_last_are_no_loss(node: Firewall) -> None:
    node.files[PROC + "count"] = SimulatedFile("1000\n")
    ends_at_restart(node, 8, 217)
    result = apply(node, port=3781)
    assert (result["kernel_before"], result["kernel_after"]) == (1000, 217)


def test_a_table_that_cannot_be_listed_stops_before_the_restart(node: Firewall) -> None:
    node.says(["sh", "-c", conntrackd_stats._ESTABLISHED], "")
    starts = node.units[UNIT].starts
    with pytest.raises(NodeError, match="did not tell how many connections there are; it said: nothing"):
        apply(node, port=3781)
    assert (node.units[UNIT].starts, "Group 3780" in node.text(ETC)) == (starts, True)


def test_states_that_run_out_afterwards_are_no_loss_of_the_restart(node: Firewall) -> None:
    class Fading(dict):
        def get(self, path: str, default: object = None) -> object:
            found = super().get(path, default)
            if path == PROC + "count" and node.units[UNIT].starts > 1:
                self[path] = SimulatedFile("%d\n" % max(200, int(self[path].text) - 100))
            return found

    node.files = Fading(node.files, **{PROC + "count": SimulatedFile("1000\n")})
    result = apply(node, port=3781)
    assert (result["kernel_before"], result["kernel_after"]) == (1000, 200)


def test_a_table_that_keeps_growing_is_waited_for_but_not_for_ever(node: Firewall) -> None:
    class Growing(dict):
        def get(self, path: str, default: object = None) -> object:
            if path == PROC + "count":
                self[path] = SimulatedFile("%d\n" % (int(self[path].text) * 2 + 100))
            return super().get(path, default)

    node.files = Growing(node.files)
    result = apply(node, port=3781)
    assert "still changed by more than one per cent" in result["notes"][0]
    assert state_sync.SETTLE_TIMEOUT <= node.seconds <= state_sync.SETTLE_TIMEOUT + 5


# What others made


def test_the_packages_own_file_is_not_kept(node: Firewall) -> None:
    assert state_sync.BACKUP not in node.files


def test_a_foreign_configuration_is_kept_once() -> None:
    node = Firewall().install()
    node.files[ETC] = SimulatedFile(THEIRS)
    result = apply(node)
    assert node.text(state_sync.BACKUP) == THEIRS
    assert {"setting": "mode", "is": "notrack", "wanted": "ftfw"} in result["drift"]
    later = node.then()
    later.files[ETC] = SimulatedFile("Sync { }\n")
    apply(later)
    assert later.text(state_sync.BACKUP) == THEIRS


# Off


def test_off_removes_what_is_managed_and_a_second_run_does_nothing(node: Firewall) -> None:
    check = node.then(check_mode=True)
    predicted = apply(check, enabled=False)
    result = apply(node, enabled=False)
    assert (check.commands, written(check), predicted["drift"]) == (node.commands, written(node), result["drift"])
    assert not node.units[UNIT].active and not node.units[UNIT].enabled
    assert not any("hafirewall" in path or path == ETC for path in node.files)
    assert not any("Managed by hafirewall.cluster" in entry.text for entry in node.files.values())
    again = node.then()
    assert apply(again, enabled=False)["drift"] == [] and not again.changed


def test_off_stops_a_foreign_daemon_that_syncs_and_keeps_its_file() -> None:
    node = Firewall().install()
    node.files[ETC] = SimulatedFile(THEIRS)
    apply(node, enabled=False)
    assert node.commands == ["systemctl stop conntrackd.service", "systemctl disable conntrackd.service"]
    assert node.text(ETC) == THEIRS


@pytest.mark.parametrize("installed", [False, True])
def test_off_leaves_a_node_alone_that_never_synced(installed: bool) -> None:
    node = Firewall()
    if installed:
        node.install()
    assert apply(node, enabled=False)["drift"] == []
    assert not node.changed and (not installed or node.units[UNIT].active)


def test_a_failure_on_the_way_off_brings_everything_back(node: Firewall) -> None:
    before = node.snapshot()
    node.failing = [("stop", UNIT)]
    node.on(["systemctl", "stop", UNIT], lambda argv, stdin: Completed(1, "", "refused"))
    with pytest.raises(NodeError, match="everything was put back"):
        apply(node, enabled=False)
    assert node.snapshot() == before


# Sizes


def test_an_unknown_table_size_is_assumed_and_said(node: Firewall) -> None:
    del node.files[PROC + "buckets"]
    result = apply(node)
    assert "assumed are 262144 buckets and 262144 states" in result["notes"][0]
    assert "HashLimit %d\n" % (2 * conntrackd_config.DEFAULT_MAX) in node.text(ETC)


def test_alarm_implies_the_external_cache_and_no_refresh() -> None:
    node = Firewall().install()
    apply(node, mode="alarm")
    assert conntrackd_config.parse(node.text(ETC))["external_cache"] is True
    assert "tell -c" in node.text(conntrackd_hooks.HOOK)
    assert conntrackd_hooks.REFRESH_UNIT_FILE not in node.files
