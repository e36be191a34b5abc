# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of at(1): when each is due, and that nothing is told of it that may be a secret."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import atjobs, crontab
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

REAL = Path(__file__).resolve().parents[4] / "fixtures" / "debian-12" / "jobs"
JOB = (REAL / "a0000101c8c534.txt").read_text(encoding="utf-8")
HEAD = JOB.partition("apt-get -y")[0]


# The first two names are Debian's own, for 03:00 and 04:00 UTC; the next was seen on a CentOS 7; the last is built as OpenBSD's atrun.c reads it.
@pytest.mark.parametrize(("name", "expected"), [
    ("a0000101c8c534", "2026-12-01 03:00"), ("b0000201c8c570", "2026-12-01 04:00"), ("a00006018a8adf", "2019-03-01 01:35"),
    ("1796094000.c", "2026-12-01 03:00"),
    (".SEQ", None), ("=0000101c8c534", None), ("a0000101c8c53", None), ("1796094000", None), ("spool", None),
])
def test_the_name_of_the_file_tells_when(name: str, expected: Optional[str]) -> None:
    due = atjobs.moment(name)
    assert (None if due is None else time.strftime("%Y-%m-%d %H:%M", time.gmtime(due))) == expected


def test_of_a_real_job_the_commands_are_told_and_nothing_of_its_environment() -> None:
    assert "hunter2" in HEAD
    assert atjobs.what(JOB, crontab.told) == "apt-get upgrade"


def test_a_here_document_may_hold_a_secret_so_nothing_of_that_job_is_told() -> None:
    assert atjobs.what((REAL / "b0000201c8c570.txt").read_text(encoding="utf-8"), crontab.told) is None


# The lines of OpenBSD's at.c, and those that Fedora's at(1) writes.
@pytest.mark.parametrize("shell", ["/bin/ksh << '_END_OF_AT_JOB'", "${SHELL:-/bin/sh} << 'marcinDELIMITER4bbe8c69'"])
def test_commands_that_are_handed_to_a_shell_are_found(shell: str) -> None:
    text = "%s%s\n# don't\nsyspatch\nif true; then\n\treboot\nfi\n%s\n" % (HEAD, shell, shell.split("'")[1])
    assert atjobs.what(text, crontab.told) == "syspatch; true; reboot; fi"


@pytest.mark.parametrize("text", ["", "#!/bin/sh\nreboot\n", HEAD + "echo 'a\nhunter2'\n", HEAD + "mysql \\\nhunter2\n", HEAD + "sh << EOF\nhunter2\nEOF\n"])
def test_what_is_not_understood_is_not_told(text: str) -> None:
    assert atjobs.what(text, crontab.told) is None


def test_a_command_that_names_no_folder_leaves_the_whole_job_unknown() -> None:
    assert atjobs.what(HEAD + "true\nrun-parts x\n", lambda command: None if command.startswith("run-parts") else command) is None


def test_only_files_that_are_executable_and_named_like_a_job_wait(tmp_path: Path) -> None:
    for name, mode in (("a0000101c8c534", 0o700), ("a0000301c8c534", 0o400), (".SEQ", 0o600), ("a-note", 0o755)):
        (tmp_path / name).write_text(JOB, encoding="utf-8")
        (tmp_path / name).chmod(mode)
    assert atjobs.jobs(Node(), str(tmp_path), crontab.told) == [
        {"name": "%s/a0000101c8c534" % tmp_path, "next": 1796094000.0, "what": "apt-get upgrade"}]


def test_a_node_without_at_has_none(tmp_path: Path) -> None:
    assert atjobs.jobs(Node(), str(tmp_path / "jobs"), crontab.told) == []
