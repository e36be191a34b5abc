# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of anacron(8). It runs a job on the day that it is due, at no hour that could be told: what is told is the earliest moment, when that day begins.

Sources: anacrontab(5) and anacron(8) of Debian 12 and of cronie, consider_job in cronie's anacron/lock.c.
"""

from __future__ import annotations

import calendar
import datetime
import re
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

TAB, STAMPS = "/etc/anacrontab", "/var/spool/anacron"
_JOB = re.compile(r"(?P<period>@?\w+)\s+\d+\s+(?P<id>[^\s/]+)\s+(?P<command>\S.*)")
_VARIABLE = re.compile(r"\w+\s*=")
_NAMED = {"@daily": 1, "@weekly": 7}
# In days; who waits longer need not be told.
_FAR = 4 * 366


def read(node: Node, now: float, tell: Callable[[str], Optional[str]]) -> List[Dict[str, Any]]:
    """All jobs: ``{"name", "next", "what"}``. None where anacron is not installed, for its files may outlive it."""
    if not node.has("anacron"):
        return []
    found = []
    for number, line in _lines(node.read_text(TAB) or ""):
        job = _JOB.fullmatch(line)
        if job is not None:
            due = following(job["period"], node.read_text("%s/%s" % (STAMPS, job["id"])), now)
            found.append({"name": "%s:%d" % (TAB, number), "next": due, "what": tell(job["command"])})
        elif not _VARIABLE.match(line):
            found.append({"name": "%s:%d" % (TAB, number), "next": None, "what": None})
    return found


def _lines(text: str) -> List[Tuple[int, str]]:
    """The lines that say something, with their numbers; one that ends with a backslash goes on with the next."""
    found: List[Tuple[int, str]] = []
    begun = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.endswith("\\"):
            begun += line[:-1] + " "
            continue
        whole = (begun + line).strip()
        begun = ""
        if whole and not whole.startswith("#"):
            found.append((number, whole))
    return found


def following(period: str, stamp: Optional[str], now: float) -> Optional[float]:
    """The earliest moment that a job runs, by the clock and zone of this machine. None where its period is not understood, or ends in years only.

    Args:
        period: days, or a name.
        stamp: the day that it ran last, as ``20261130``; without a readable one it is due.
        now: seconds since 1970.
    """
    if not re.fullmatch(r"\d+|@(?:daily|weekly|monthly|yearly|annually)", period):
        return None
    today = datetime.date.fromtimestamp(now)
    last = _day(stamp)
    # A day to come makes it due as well: anacron takes the clock to have been wrong.
    if last is None or last > today:
        return now
    for ahead in range(_FAR):
        day = today + datetime.timedelta(days=ahead)
        if _due(period, (day - last).days, day):
            return max(now, time.mktime((day.year, day.month, day.day, 0, 0, 0, 0, 0, -1)))
    return None


def _day(stamp: Optional[str]) -> Optional[datetime.date]:
    try:
        return datetime.datetime.strptime((stamp or "")[:8], "%Y%m%d").date()
    except ValueError:
        return None


def _due(period: str, since: int, day: datetime.date) -> bool:
    """Whether a job is due on a day that comes so many days after its last."""
    if period in ("@monthly", "@yearly", "@annually"):
        length, before = (_month, day.replace(day=1) - datetime.timedelta(days=1)) if period == "@monthly" else (_year, day.replace(year=day.year - 1, day=1))
        return since >= length(before) or since == length(day)
    return since >= _NAMED.get(period, int(period) if period.isdigit() else 0)


def _month(day: datetime.date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _year(day: datetime.date) -> int:
    return 366 if calendar.isleap(day.year) else 365
