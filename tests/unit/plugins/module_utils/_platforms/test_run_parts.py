# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What commands of jobs run, with the scripts of folders that they name."""

from __future__ import annotations

from pathlib import Path
from typing import List, Pattern

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import crontab, run_parts
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

REAL = Path(__file__).resolve().parents[4] / "fixtures" / "debian-12" / "jobs"
CRONTAB = (REAL / "crontab.txt").read_text(encoding="utf-8")
NOW = 1795996800.0
DAILY = ("apt-compat", "man-db", "dpkg", "0anacron")


@pytest.fixture
def node() -> SystemdNode:
    """A Debian node under systemd, without anacron."""
    made = SystemdNode(files={"/etc/cron.daily/%s" % name: (REAL / ("%s.txt" % name)).read_text(encoding="utf-8") for name in DAILY})
    made.says(["find", "-L", "/etc/cron.daily"], "".join("/etc/cron.daily/%s\n" % name for name in DAILY))
    made.says(["find", "-L", "/etc/cron.hourly"], "/etc/cron.hourly/mine\n")
    for folder in ("/etc/cron.weekly", "/etc/cron.monthly"):
        made.says(["find", "-L", folder], status=1, stderr="find: '%s': No such file or directory\n" % folder)
    made.says(["test", "-x", "/usr/sbin/anacron"], status=1)
    made.says(["test", "-d", "/run/systemd/system"])
    return made


def told(node: SystemdNode) -> List[str]:
    return [job["what"] for job in crontab.jobs(CRONTAB, "/etc/crontab", True, NOW, run_parts.Telling(node, run_parts.DEBIAN))]


def test_the_real_crontab_tells_the_scripts_and_not_those_that_leave_it_to_a_timer(node: SystemdNode) -> None:
    assert told(node) == ["cd; run-parts; /etc/cron.hourly/mine", "test; cd; run-parts; /etc/cron.daily/0anacron", "test; cd; run-parts", "test; cd; run-parts"]


def test_without_systemd_they_do_their_work(node: SystemdNode) -> None:
    node.says(["test", "-d", "/run/systemd/system"], status=1)
    assert told(node)[1] == "test; cd; run-parts; /etc/cron.daily/0anacron; /etc/cron.daily/apt-compat; /etc/cron.daily/dpkg; /etc/cron.daily/man-db"


def test_where_anacron_is_cron_leaves_all_but_the_hourly_jobs_to_it(node: SystemdNode) -> None:
    node.says(["test", "-x", "/usr/sbin/anacron"])
    assert told(node) == ["cd; run-parts; /etc/cron.hourly/mine", "test", "test", "test"]


# The lines of e2fsprogs in /etc/cron.d; the others are such as people write.
@pytest.mark.parametrize(("command", "expected"), [
    ("test -e /run/systemd/system || SERVICE_MODE=1 /sbin/e2scrub_all -A -r", "test"),
    ("[ -d /run/systemd/system ] || pkg upgrade", "test"),
    ("test -x /usr/sbin/anacron || pkg upgrade", "test; pkg upgrade"),
    ("test -d /run/systemd/system || true; pkg upgrade", "test; true; pkg upgrade"),
    ("test -d /run/systemd/system && pkg upgrade", "test; pkg upgrade"),
    ("test -e /run/reboot-required || pkg upgrade", "test; pkg upgrade"),
])
def test_what_comes_and_goes_by_itself_holds_no_job_back(node: SystemdNode, command: str, expected: str) -> None:
    assert run_parts.Telling(node)(command) == expected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as packages and people leave it behind."""
    for name in ("b", "a-b_C", ".placeholder", "x.dpkg-old", "y.rpmsave", "z~", "w,v", "dot.sh"):
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "README").write_text("nobody runs this\n", encoding="utf-8")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "deep").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "sub" / "deep").chmod(0o755)
    (tmp_path / "linked").symlink_to(tmp_path / "b")
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    return tmp_path


# Debian 12's own run-parts --test names the same files of this folder. The others are by run-parts(8) and by Fedora's script; not seen.
@pytest.mark.parametrize(("names", "options", "expected"), [
    (run_parts.DEBIAN, "--report ", ["a-b_C", "b", "linked"]),
    (run_parts.DEBIAN, "--lsbsysinit ", ["a-b_C", "b", "dot.sh", "linked", "w,v", "x.dpkg-old", "y.rpmsave", "z~"]),
    (run_parts.FEDORA, "", ["a-b_C", "b", "dot.sh", "linked", "x.dpkg-old"]),
    (run_parts.ALL, "", ["a-b_C", "b", "dot.sh", "linked", "w,v", "x.dpkg-old", "y.rpmsave", "z~"]),
])
def test_only_what_run_parts_would_run_is_told(folder: Path, names: Pattern[str], options: str, expected: List[str]) -> None:
    command = "nice run-parts %s%s/ >/dev/null 2>&1" % (options, folder)
    assert run_parts.Telling(Node(), names)(command) == "; ".join(["nice", *("%s/%s" % (folder, name) for name in expected)])


def test_a_long_list_of_scripts_is_told_whole(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / ("%03d-freebsd-update" % number)).write_text("", encoding="utf-8")
        (tmp_path / ("%03d-freebsd-update" % number)).chmod(0o755)
    told = run_parts.Telling(Node())("periodic %s" % tmp_path)
    assert told is not None and told.endswith("/059-freebsd-update")


# periodic.sh: words are folders below those of the system and of ports.
def test_periodic_runs_what_is_below_both_of_its_folders() -> None:
    node = SystemdNode()
    node.says(["find", "-L", "/etc/periodic/daily"], "/etc/periodic/daily/480.leapfile-ntpd\n")
    node.says(["find", "-L", "/usr/local/etc/periodic/daily"], "/usr/local/etc/periodic/daily/500.pkg-upgrade\n")
    assert run_parts.Telling(node)("periodic daily") == "periodic daily; /etc/periodic/daily/480.leapfile-ntpd; /usr/local/etc/periodic/daily/500.pkg-upgrade"


@pytest.mark.parametrize("command", ["cd /etc && run-parts cron.daily", "run-parts --report", "run-parts $DIR", "periodic", "periodic $when"])
def test_a_folder_that_is_not_named_leaves_unknown_what_runs(command: str) -> None:
    assert run_parts.Telling(SystemdNode())(command) is None


@pytest.mark.parametrize("command", ["test -x /usr/bin/run-parts", "command -v run-parts"])
def test_to_ask_for_the_program_is_not_to_run_it(command: str) -> None:
    assert run_parts.Telling(SystemdNode())(command) in ("test", "command")


def test_a_folder_that_cannot_be_read_is_an_error() -> None:
    node = SystemdNode()
    node.says(["find", "-L", "/etc/cron.daily"], status=1, stderr="find: '/etc/cron.daily': Permission denied\n")
    with pytest.raises(NodeError, match="what is in /etc/cron.daily: .*Permission denied"):
        run_parts.Telling(node)("run-parts /etc/cron.daily")
