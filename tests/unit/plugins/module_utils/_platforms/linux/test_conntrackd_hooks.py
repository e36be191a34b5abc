# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files around the daemon, and the two scripts run for real with a conntrackd that only takes notes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import conntrackd_hooks, conntrackd_refresh

PARAMS = {"enabled": True, "mode": "ftfw", "external_cache": False, "refresh_interval": None}
EXTERNAL = dict(PARAMS, external_cache=True)
ALARM = dict(PARAMS, mode="alarm", external_cache=True)


class Bench:
    """A folder in place of the node's own, with programs that note how they were called."""

    def __init__(self, folder: Path, params: dict) -> None:
        self.folder = folder
        self.calls = folder / "calls"
        self.calls.touch()
        (folder / "run").mkdir()
        (folder / "etc").mkdir()
        (folder / "etc/conntrackd.conf").write_text("# new\n", encoding="utf-8")
        self.status = {"conntrackd": "exit 0", "systemctl": "exit 0"}
        self.params = params

    def run(self, path: str, argument: str) -> subprocess.CompletedProcess:
        for name in ("conntrackd", "logger", "systemctl"):
            program = self.folder / name
            program.write_text('#!/bin/sh\necho "%s $*" >> %s\n%s\n' % (name, self.calls, self.status.get(name, "exit 0")), encoding="utf-8")
            program.chmod(0o755)
        file = conntrackd_hooks.files(self.params, "/usr/bin/python3")[path]
        assert file is not None and file.mode == 0o755
        text = file.text.replace("/run/hafirewall", str(self.folder / "run")).replace("/run/lock", str(self.folder / "run"))
        script = self.folder / "script"
        script.write_text(text.replace("/etc/conntrackd", str(self.folder / "etc")), encoding="utf-8")
        return subprocess.run(["/bin/sh", str(script), argument], capture_output=True, encoding="utf-8", timeout=20, check=False,
                              env={"PATH": "%s:%s" % (self.folder, os.environ["PATH"])})

    def state(self, name: str) -> None:
        (self.folder / "run/vrrp-state").write_text("%s 1795000000\n" % name, encoding="utf-8")

    def told(self) -> list[str]:
        lines = [line.split(" ", 1) for line in self.calls.read_text(encoding="utf-8").splitlines()]
        return [words for name, words in lines if name == "conntrackd" and words != "-s"]

    def called(self, name: str) -> list[str]:
        return [line for line in self.calls.read_text(encoding="utf-8").splitlines() if line.startswith(name + " ")]


@pytest.mark.parametrize(("params", "state", "told"), [
    (PARAMS, "active", ["-R", "-B"]),
    (PARAMS, "standby", ["-f internal", "-n"]),
    (PARAMS, "fault", ["-f internal"]),
    (PARAMS, "stopped", ["-f internal"]),
    (EXTERNAL, "active", ["-c", "-f", "-R", "-B"]),
    (EXTERNAL, "standby", ["-t", "-n"]),
    (EXTERNAL, "fault", ["-t"]),
    (ALARM, "active", ["-c", "-f", "-R", "-B"]),
    (ALARM, "stopped", ["-t"]),
])
def test_each_transition_tells_the_daemon(tmp_path: Path, params: dict, state: str, told: list[str]) -> None:
    bench = Bench(tmp_path, params)
    bench.state(state)
    assert bench.run(conntrackd_hooks.HOOK, state).returncode == 0
    assert bench.told() == told
    assert bench.called("systemctl") == []


@pytest.mark.parametrize("state", ["active", "standby", "fault", "stopped"])
def test_injected_states_are_never_flushed_from_the_kernel(tmp_path: Path, state: str) -> None:
    bench = Bench(tmp_path, PARAMS)
    bench.run(conntrackd_hooks.HOOK, state)
    assert "-t" not in bench.told() and "-F" not in bench.told() and bench.told()


def test_an_overtaken_transition_says_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, PARAMS)
    bench.state("active")
    assert bench.run(conntrackd_hooks.HOOK, "standby").returncode == 0
    assert bench.told() == []


def test_a_dead_daemon_is_started_on_becoming_active(tmp_path: Path) -> None:
    bench = Bench(tmp_path, PARAMS)
    bench.status["conntrackd"] = '[ "$1" != -s ]'
    bench.run(conntrackd_hooks.HOOK, "active")
    assert bench.called("systemctl") == ["systemctl restart conntrackd.service"]
    assert bench.told() == ["-R", "-B"]


def test_a_failure_reaches_the_log_and_does_not_stop_the_rest(tmp_path: Path) -> None:
    bench = Bench(tmp_path, PARAMS)
    bench.status["conntrackd"] = 'case "$1" in -R) echo broken >&2; exit 1;; esac'
    assert bench.run(conntrackd_hooks.HOOK, "active").returncode == 0
    assert bench.told() == ["-R", "-B"]
    assert any("daemon.err" in line and "conntrackd -R failed: broken" in line for line in bench.called("logger"))


def test_an_unknown_state_is_refused(tmp_path: Path) -> None:
    bench = Bench(tmp_path, PARAMS)
    assert bench.run(conntrackd_hooks.HOOK, "master").returncode == 2
    assert bench.told() == []


@pytest.mark.parametrize(("alive", "kept"), [("exit 0", True), ("exit 1", False)])
def test_a_stale_lock_goes_and_a_held_one_stays(tmp_path: Path, alive: str, kept: bool) -> None:
    bench = Bench(tmp_path, PARAMS)
    lock = tmp_path / "run/conntrackd.lock"
    lock.touch()
    bench.status["conntrackd"] = alive
    assert bench.run(conntrackd_hooks.HELPER, "before").returncode == 0
    assert lock.exists() is kept
    assert (tmp_path / "run/conntrackd.conf").read_text(encoding="utf-8") == "# new\n"


@pytest.mark.parametrize(("params", "state", "told"), [
    (PARAMS, "standby", ["-f internal"]), (PARAMS, "fault", ["-f internal"]), (PARAMS, "active", ["-B"]), (PARAMS, None, []),
    (EXTERNAL, "standby", []), (EXTERNAL, "active", ["-B"]), (EXTERNAL, None, [])])
def test_after_a_start_only_the_active_node_keeps_and_sends_the_states(tmp_path: Path, params: dict, state: str | None, told: list[str]) -> None:
    bench = Bench(tmp_path, params)
    if state:
        bench.state(state)
    assert bench.run(conntrackd_hooks.HELPER, "after").returncode == 0
    assert bench.told() == told


def test_the_helper_refuses_other_words(tmp_path: Path) -> None:
    assert Bench(tmp_path, PARAMS).run(conntrackd_hooks.HELPER, "between").returncode == 2


@pytest.mark.parametrize(("change", "wanted"), [({}, True), ({"refresh_interval": 5}, True), ({"refresh_interval": 0}, False),
                                                ({"external_cache": True}, False), ({"mode": "alarm", "external_cache": True}, False)])
def test_states_are_refreshed_only_where_they_can_run_out(change: dict, wanted: bool) -> None:
    files = conntrackd_hooks.files(dict(PARAMS, **change), "/usr/bin/python3")
    assert [files[path] is not None for path in (conntrackd_hooks.REFRESH_PROGRAM, conntrackd_hooks.REFRESH_UNIT_FILE)] == [wanted, wanted]


def test_the_refresh_service_runs_the_program_with_the_nodes_interpreter() -> None:
    files = conntrackd_hooks.files(dict(PARAMS, refresh_interval=5), "/opt/python3.11")
    unit = files[conntrackd_hooks.REFRESH_UNIT_FILE].text
    assert "ExecStart=/opt/python3.11 /usr/local/lib/hafirewall/refresh 5\n" in unit
    assert conntrackd_hooks.stated_interval(unit) == 5.0
    assert conntrackd_hooks.stated_interval("ExecStart=/bin/true\n") is None
    program = files[conntrackd_hooks.REFRESH_PROGRAM].text
    assert program.startswith("# Managed by hafirewall.cluster\n")
    assert program.endswith(Path(conntrackd_refresh.__file__).read_text(encoding="utf-8"))


def test_every_file_says_who_manages_it_and_none_is_there_when_off() -> None:
    files = conntrackd_hooks.files(PARAMS, "/usr/bin/python3")
    assert all("Managed by hafirewall.cluster" in file.text for file in files.values())
    assert set(conntrackd_hooks.files({"enabled": False}, "/usr/bin/python3").values()) == {None}
    assert set(conntrackd_hooks.files({"enabled": False}, "/usr/bin/python3")) == set(files)
