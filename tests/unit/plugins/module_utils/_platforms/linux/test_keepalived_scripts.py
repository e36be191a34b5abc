# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs themselves, run by the machine's sh with their paths moved into a folder and ip(8) and logger(1) replaced by recorders."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import keepalived_scripts as scripts
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_config import LIBRARY, RUN, render
from ansible_collections.hafirewall.cluster.tests.simulators.virtual_ip_options import instance, instances, options

RECORDER = '#!/bin/sh\necho "$(basename "$0") $*" >> %s/record\n'


class Sandbox:
    """A node's /run/hafirewall, /usr/local/lib/hafirewall and /run in one folder each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run, self.library, self.bin = folder / "hafirewall", folder / "library", folder / "bin"
        for path in (self.run, self.library / "transition.d", self.bin):
            path.mkdir(parents=True)
        self.program("library/on-transition", scripts.ON_TRANSITION_TEXT)
        self.program("library/after-stop", scripts.AFTER_STOP_TEXT)
        self.program("bin/ip", RECORDER % folder)
        self.program("bin/logger", RECORDER % folder)

    def program(self, name: str, text: str, mode: int = 0o755) -> None:
        path = self.folder / name
        path.write_text(text.replace(RUN, str(self.run)).replace(LIBRARY, str(self.library)).replace(" /run/", " %s/" % self.folder))
        path.chmod(mode)

    def call(self, name: str, *arguments: str) -> int:
        path = "%s:%s" % (self.bin, os.environ["PATH"])
        return subprocess.run(["sh", str(self.library / name), *arguments], env=dict(os.environ, PATH=path), check=False, timeout=30).returncode

    def noted(self) -> str:
        path = self.run / "vrrp-state"
        return path.read_text() if path.exists() else ""

    def record(self) -> list[str]:
        path = self.folder / "record"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)


@pytest.mark.parametrize("state", ["active", "standby", "fault", "stopped"])
def test_a_transition_is_noted_with_its_time_and_the_hooks_run_with_it(sandbox: Sandbox, state: str) -> None:
    sandbox.program("library/transition.d/one", RECORDER % sandbox.folder)
    sandbox.program("library/transition.d/two", RECORDER % sandbox.folder)
    sandbox.program("library/transition.d/not-executable", RECORDER % sandbox.folder, 0o644)
    begin = int(time.time())
    assert sandbox.call("on-transition", state) == 0
    noted, moment = sandbox.noted().split()
    assert noted == state and begin <= int(moment) <= time.time()
    assert sandbox.record() == ["one " + state, "two " + state]


@pytest.mark.parametrize("arguments", [[], ["MASTER"], [""]])
def test_another_word_is_refused(sandbox: Sandbox, arguments: list[str]) -> None:
    assert sandbox.call("on-transition", *arguments) == 2
    assert sandbox.noted() == ""


def test_a_transition_that_was_overtaken_by_a_newer_one_is_dropped(sandbox: Sandbox) -> None:
    sandbox.program("library/transition.d/one", RECORDER % sandbox.folder)
    assert sandbox.call("on-transition", "standby") == 0
    started, pid = (sandbox.run / "transition.order").read_text().split()
    (sandbox.run / "transition.order").write_text("%d %s\n" % (int(started) + 1_000_000, pid))
    assert sandbox.call("on-transition", "active") == 0
    assert sandbox.noted().startswith("standby ") and sandbox.record() == ["one standby"]


def test_the_next_transition_is_noted_while_a_hook_of_the_last_is_still_busy(sandbox: Sandbox) -> None:
    sandbox.program("library/transition.d/slow", "#!/bin/sh\n[ \"$1\" = standby ] || exec sleep 20\n")
    busy = subprocess.Popen(["sh", str(sandbox.library / "on-transition"), "active"])
    try:
        end = time.monotonic() + 60
        while not sandbox.noted().startswith("active") and time.monotonic() < end:
            time.sleep(0.01)
        assert sandbox.call("on-transition", "standby") == 0
        assert sandbox.noted().startswith("standby ") and busy.poll() is None
    finally:
        subprocess.run(["pkill", "-P", str(busy.pid)], check=False)
        busy.kill()
        busy.wait()


def test_a_hook_that_fails_is_logged_and_the_others_run(sandbox: Sandbox) -> None:
    sandbox.program("library/transition.d/bad", "#!/bin/sh\nexit 7\n")
    sandbox.program("library/transition.d/good", RECORDER % sandbox.folder)
    assert sandbox.call("on-transition", "active") == 0
    assert "ended with status 7" in sandbox.record()[0] and sandbox.record()[1] == "good active"


def test_a_state_that_cannot_be_noted_is_logged_and_the_hooks_still_run(sandbox: Sandbox) -> None:
    sandbox.program("library/transition.d/one", RECORDER % sandbox.folder)
    sandbox.run.rmdir()
    sandbox.run.write_text("a file where the folder should be")
    assert sandbox.call("on-transition", "fault") == 0
    assert "cannot note" in sandbox.record()[0] and sandbox.record()[1] == "one fault"


def test_after_a_crash_every_address_goes_the_hooks_hear_and_no_pid_file_stays(sandbox: Sandbox) -> None:
    text = render(options(instances=instances() + [instance("odd#name", 30, addresses=["198.51.100.1/25", "198.51.100.2/25"])], transport="unicast"))
    (sandbox.run / "keepalived.conf").write_text(text)
    sandbox.call("on-transition", "active")
    (sandbox.folder / "keepalived.pid").write_text("1\n")
    assert sandbox.call("after-stop") == 0
    assert [line for line in sandbox.record() if line.startswith("ip ")] == [
        "ip address del 192.0.2.1/24 dev lan0", "ip address del 203.0.113.1/24 dev wan0", "ip address del 2001:db8:1::1/64 dev lan0",
        "ip address del 198.51.100.1/25 dev odd#name", "ip address del 198.51.100.2/25 dev odd#name"]
    assert sandbox.noted().startswith("stopped ") and not (sandbox.folder / "keepalived.pid").exists()


def test_after_an_orderly_end_the_hooks_are_not_told_twice(sandbox: Sandbox) -> None:
    sandbox.program("library/transition.d/one", RECORDER % sandbox.folder)
    sandbox.call("on-transition", "stopped")
    assert sandbox.call("after-stop") == 0
    assert sandbox.record() == ["one stopped"]


def test_without_any_file_after_stop_still_ends_well(sandbox: Sandbox) -> None:
    assert sandbox.call("after-stop") == 0
    assert sandbox.noted().startswith("stopped ")
