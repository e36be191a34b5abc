# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of anacron(8): the earliest moment of each."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import crontab
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import anacron
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

TAB = (Path(__file__).resolve().parents[5] / "fixtures" / "debian-12" / "jobs" / "anacrontab.txt").read_text(encoding="utf-8")
NOW = 1795996800.0 + 6 * 3600  # 2026-11-30 06:00:00 UTC


pytestmark = pytest.mark.usefixtures("utc")


def at(period: str, stamp: Optional[str], now: float = NOW) -> Optional[str]:
    due = anacron.following(period, stamp, now)
    return None if due is None else time.strftime("%Y-%m-%d %H:%M", time.gmtime(due))


# What anacron's lock.c compares: days since the last run, for a month those of the month before, or those of the month that it is.
@pytest.mark.parametrize(("period", "stamp", "expected"), [
    ("1", "20261130\n", "2026-12-01 00:00"), ("1", "20261129\n", "2026-11-30 06:00"), ("7", "20261130\n", "2026-12-07 00:00"),
    ("7", "20261101\n", "2026-11-30 06:00"), ("@daily", "20261130\n", "2026-12-01 00:00"), ("@weekly", "20261128\n", "2026-12-05 00:00"),
    ("@monthly", "20261130\n", "2026-12-30 00:00"), ("@monthly", "20261115\n", "2026-12-15 00:00"), ("@monthly", "20261031\n", "2026-11-30 06:00"),
    ("@yearly", "20261130\n", "2027-11-30 00:00"), ("0", "20261130\n", "2026-11-30 06:00"),
    # Without a day that can be read, and with one to come, it is due.
    ("7", None, "2026-11-30 06:00"), ("7", "", "2026-11-30 06:00"), ("7", "20261399\n", "2026-11-30 06:00"), ("7", "20270101\n", "2026-11-30 06:00"),
    ("@often", "20261130\n", None), ("x", None, None), ("99999", "20261130\n", None),
])
def test_a_job_is_due_on_a_day_and_no_earlier(period: str, stamp: Optional[str], expected: Optional[str]) -> None:
    assert at(period, stamp) == expected


def test_the_day_begins_by_the_clock_of_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    assert at("1", "20261130\n") == "2026-12-01 05:00"


def test_the_real_file_tells_its_three_jobs() -> None:
    node = SystemdNode(files={anacron.TAB: TAB, "/var/spool/anacron/cron.daily": "20261130\n", "/var/spool/anacron/cron.weekly": "20261129\n"})
    node.says(["anacron"])
    found = anacron.read(node, NOW, lambda command: "told " + crontab.told(command))
    assert [job["name"] for job in found] == ["/etc/anacrontab:11", "/etc/anacrontab:12", "/etc/anacrontab:13"]
    assert [time.strftime("%m-%d", time.gmtime(job["next"])) for job in found] == ["12-01", "12-06", "11-30"]
    assert {job["what"] for job in found} == {"told run-parts"}
    assert ["anacron"] not in node.queries


def test_a_file_that_outlived_anacron_is_no_job() -> None:
    assert anacron.read(SystemdNode(files={anacron.TAB: TAB}), NOW, crontab.told) == []


def test_lines_that_go_on_are_one_and_what_is_no_job_is_unknown() -> None:
    node = SystemdNode(files={anacron.TAB: "START_HOURS_RANGE=3-22\nMAILTO = root\n1 5 mine \\\n  /usr/bin/apt-get upgrade\nnonsense\n"})
    node.says(["anacron"])
    assert anacron.read(node, NOW, crontab.told) == [{"name": "/etc/anacrontab:4", "next": NOW, "what": "/usr/bin/apt-get upgrade"},
                                                     {"name": "/etc/anacrontab:5", "next": None, "what": None}]
