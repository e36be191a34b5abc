# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Crontabs: when a job is due next, and what of it is told."""

from __future__ import annotations

import os
import time
from typing import Any, Dict, Optional

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import crontab

# Monday.
NOW = 1795996800.0 + 37  # 2026-11-30 00:00:37 UTC


pytestmark = pytest.mark.usefixtures("utc")


def at(schedule: str, now: float = NOW) -> Optional[str]:
    due = crontab.following(schedule, now)
    return None if due is None else time.strftime("%Y-%m-%d %H:%M", time.gmtime(due))


def test_the_day_of_these_tests_is_the_one_that_they_say() -> None:
    assert time.strftime("%a %Y-%m-%d %H:%M:%S", time.gmtime(NOW)) == "Mon 2026-11-30 00:00:37"


@pytest.mark.parametrize(("schedule", "expected"), [
    ("* * * * *", "2026-11-30 00:01"), ("0 * * * *", "2026-11-30 01:00"), ("0 0 * * *", "2026-12-01 00:00"), ("*/5 * * * *", "2026-11-30 00:05"),
    ("25 6 * * *", "2026-11-30 06:25"), ("47 6 * * 7", "2026-12-06 06:47"), ("47 6 * * 0", "2026-12-06 06:47"), ("1 3 * * 6", "2026-12-05 03:01"),
    ("52 6 1 * *", "2026-12-01 06:52"), ("30 5 1 * *", "2026-12-01 05:30"), ("0 3 29 2 *", "2028-02-29 03:00"), ("0 12 * * mon-fri", "2026-11-30 12:00"),
    ("0 12 1 jan *", "2027-01-01 12:00"), ("0-59/20 0 * * *", "2026-11-30 00:20"), ("5/20 * * * *", "2026-11-30 00:05"),
    # Either kind of day is enough where both are stated; a star that steps does not count as stated.
    ("0 4 13 * 5", "2026-12-04 04:00"), ("0 4 */2 * 1", "2026-12-07 04:00"),
    # OpenBSD: of a random minute all that it may be.
    ("~ 2 * * *", "2026-11-30 02:00"), ("10~20 2 * * *", "2026-11-30 02:10"), ("30~ 2 * * *", "2026-11-30 02:30"),
    ("@daily", "2026-12-01 00:00"), ("@weekly", "2026-12-06 00:00"), ("@hourly", "2026-11-30 01:00"), ("@yearly", "2027-01-01 00:00"),
    ("@every_minute", "2026-11-30 00:01"), ("@3600", "2026-11-30 01:00"),
])
def test_the_next_time_is_the_first_one_after_now(schedule: str, expected: str) -> None:
    assert at(schedule) == expected


@pytest.mark.parametrize("schedule", ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "a * * * *", "*/0 * * * *", "5-1 * * * *",
                                      ", * * * *", "0 0 30 feb *", "@often"])
def test_what_is_not_understood_or_never_due_has_no_time(schedule: str) -> None:
    assert crontab.following(schedule, NOW) is None


def test_a_job_is_due_by_the_clock_of_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    assert at("0 3 * * *") == "2026-11-30 08:00"
    assert os.environ["TZ"] == "America/New_York"


# Debian 12's /etc/crontab, with a job of a user's.
DEBIAN = """\
# /etc/crontab: system-wide crontab
SHELL=/bin/sh
# You can also override PATH, but by default, newer versions inherit it from the environment
#PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin

17 *\t* * *\troot\tcd / && run-parts --report /etc/cron.hourly
25 6\t* * *\troot\ttest -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }
@reboot root /usr/local/bin/once
@daily root /usr/bin/apt-get -y upgrade --password hunter2 && curl -u admin:hunter2 https://192.0.2.1/?key=hunter2
"""


def test_jobs_are_named_by_their_line_and_told_without_what_may_be_a_secret() -> None:
    found = crontab.jobs(DEBIAN, "/etc/crontab", True, NOW)
    assert [job["name"] for job in found] == ["/etc/crontab:6", "/etc/crontab:7", "/etc/crontab:9"]
    assert found[0]["what"] == "cd; run-parts"
    assert found[2]["what"] == "/usr/bin/apt-get upgrade; curl -u"
    assert "hunter2" not in str(found)
    assert time.strftime("%H:%M", time.gmtime(found[1]["next"])) == "06:25"


@pytest.mark.parametrize(("text", "what"), [
    ("# mine\n\nsyspatch # don't mail\nif true; then\n\treboot\nfi\n", "syspatch; true; reboot; fi"),
    ("(cd /tmp; pkg upgrade) > /dev/null\n", "cd; pkg upgrade"),
    ("next() {\n\treboot\n}\n", "reboot"), ("echo a#b '#c'\n", "echo"),
    ("case $x in\na) reboot;;\nesac\n", None), ("case $x in\na | b)\n\treboot;;\nesac\n", None), ("case $x in\n(a) reboot;;\nesac\n", None),
    ("echo 'a\nhunter2'\n", None), ("cat << EOF\nreboot\nEOF\n", None), ("reboot \\\nnow\n", None),
])
def test_a_script_is_told_by_its_lines_or_not_at_all(text: str, what: Optional[str]) -> None:
    assert crontab.script(text) == what


# FreeBSD: usr.sbin/cron/crontab; pfSense: the lines of a default config.xml, as it writes them.
@pytest.mark.parametrize(("line", "has_user", "what"), [
    ("*/5\t*\t*\t*\t*\troot\t/usr/libexec/atrun", True, "/usr/libexec/atrun"),
    ("1\t3\t*\t*\t*\troot\tperiodic daily", True, "periodic daily"),
    ("1,31\t0-5\t*\t*\t*\troot\tadjkerntz -a", True, "adjkerntz"),
    ("1\t3\t1\t*\t*\troot\t/usr/bin/nice -n20 /etc/rc.update_bogons.sh", True, "/usr/bin/nice /etc/rc.update_bogons.sh"),
    ("30\t12\t*\t*\t*\troot\t/usr/bin/nice -n20 /etc/rc.update_urltables", True, "/usr/bin/nice /etc/rc.update_urltables"),
    ("30\t1\t*\t*\t*\t/bin/sh /etc/daily", False, "/bin/sh"),
    ("0 2 * * * root test -x /sbin/reboot && if true; then /usr/sbin/freebsd-update cron >/dev/null 2>&1 & fi", True,
     "test; true; /usr/sbin/freebsd-update cron; fi"),
    # opnsense/core, templates/OPNsense/Cron: up to 26.1.6, and since.
    ("0 2 * * * /usr/local/sbin/configctl -d 'firmware auto-update' hunter2", False, "/usr/local/sbin/configctl firmware auto-update"),
    ("0 2 * * * /usr/local/sbin/configctl -d -- interface routes alarm 'hunter2 x'", False, "/usr/local/sbin/configctl interface routes alarm"),
    ("0 2 * * * /usr/local/sbin/configctl -d 'zfs scrub' 'zroot'", False, "/usr/local/sbin/configctl zfs scrub"),
    ("0 2 * * * (/usr/local/sbin/configctl -d firmware auto-update) > /dev/null", False, "/usr/local/sbin/configctl firmware auto-update"),
    ("0 2 * * * mysql -p'a;hunter2' 'b;hunter2'", False, "mysql"),
    ("0 2 * * *  PKG_ENV=x pkg upgrade -y", False, "pkg upgrade"),
    ("0 2 * * *  -n -q /usr/sbin/syspatch", False, "/usr/sbin/syspatch"),
])
def test_lines_of_all_systems_are_read(line: str, has_user: bool, what: str) -> None:
    found = crontab.jobs(line + "\n", "tab", has_user, NOW)
    assert [(job["name"], job["what"]) for job in found] == [("tab:1", what)]
    assert found[0]["next"] is not None


def test_a_line_that_is_no_schedule_is_a_job_whose_time_nobody_knows() -> None:
    found: Dict[str, Any] = crontab.jobs("often * * * * reboot\n", "tab", False, NOW)[0]
    assert found == {"name": "tab:1", "next": None, "what": "reboot"}
