# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scheduled jobs from crontabs, and when each runs next. Pure.

Sources: crontab(5) of Vixie cron, of cronie, of FreeBSD (``@`` with seconds, ``@every_minute``) and of OpenBSD (``~`` for a random value of a range).
"""

from __future__ import annotations

import re
import time
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, Optional, Sequence

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMED = {"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *",
          "@midnight": "0 0 * * *", "@hourly": "0 * * * *", "@every_minute": "* * * * *"}
_FIELDS = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 7, _DAYS))
_VARIABLE = re.compile(r"""\s*["']?[A-Za-z_][A-Za-z0-9_]*["']?\s*=""")
_PART = re.compile(r"(?:(?P<all>\*|~)|(?P<first>\w+)?(?:(?P<sign>[-~])(?P<last>\w+)?)?)(?:/(?P<step>\d+))?")
# In years; the longest that days of a month and of a week can take to meet is 2000 to 2028 and the like, which nobody waits for here.
_FAR = 4
_LONGEST = 200
# Arguments that say what a program does, and are no secret. All others stay on the node.
_TOLD = frozenset((
    "upgrade", "update", "dist-upgrade", "full-upgrade", "install", "cron", "fetch", "autoremove", "firmware", "auto", "reload", "restart", "start", "stop",
    "enable", "disable", "filter", "interface", "reconfigure", "scrub", "reboot", "poweroff", "daily", "weekly", "monthly", "ha_sync", "pf", "pfsync",
    "system", "auto-update", "poll", "changelog", "schedule", "bogons", "sync", "ha_reconfigure_backup", "halt", "routes",
    "alarm", "zfs", "trim",
    "nftables", "netif", "networking", "network", "keepalived", "conntrackd", "carp", "-f", "-u", "-r", "-p", "-h",
))
_COMMENT = re.compile(r"(?:^|\s)#.*")
_ARM = re.compile(r"\(?[^\s()]+(?:\s*\|\s*[^\s()]+)*\s*\)")
_PROGRAM = re.compile(r"[A-Za-z0-9_./+-]+")
_PARTED = re.compile(r"\|\||&&|[;|]|(?<![<>])&(?!>)")
# What a shell reads before a program.
_BEFORE = frozenset(("if", "then", "elif", "else", "do", "while", "until", "exec", "!"))
# Programs that ask for others, and do not run them.
ASKING = frozenset(("test", "[", "command", "which"))


class Times(NamedTuple):
    """When a job runs: the minutes, hours, days of the month, months and days of the week (0 is Sunday). With ``either`` one kind of day is enough."""

    minutes: FrozenSet[int]
    hours: FrozenSet[int]
    days: FrozenSet[int]
    months: FrozenSet[int]
    weekdays: FrozenSet[int]
    either: bool


def told(command: str) -> str:
    """What a command runs: programs, and those of their arguments that say what they do. Anything else of it may be a secret."""
    found = []
    for part in parts(command):
        words = part.split()
        while words and (words[0] in _BEFORE or re.match(r"[A-Za-z_][A-Za-z0-9_]*=|-", words[0])):
            words.pop(0)
        if words and _PROGRAM.fullmatch(words[0]):
            found.append(" ".join([words[0], *_arguments([] if words[0] in ASKING else words[1:])]))
    return "; ".join(found)[:_LONGEST]


def script(text: str, tell: Callable[[str], Optional[str]] = told) -> Optional[str]:
    """What the lines of a script run. None where a line alone is not a command, an arm of ``case`` among them."""
    lines = [line for line in (_COMMENT.sub("", line).strip() for line in text.splitlines()) if line]
    if any("<<" in line or line.endswith("\\") or line.count("'") % 2 or line.count('"') % 2 or _ARM.match(line) for line in lines):
        return None
    found = [tell(line) for line in lines]
    return None if None in found else "; ".join(one for one in found if one)


def parts(command: str) -> List[str]:
    """The commands that a command line has. Before the program of each may stand variables, words of a shell, and on OpenBSD flags of cron's own."""
    return [part.lstrip(" ({!@") for part in _PARTED.split(command.replace("\\%", "%"))]


def _arguments(words: Sequence[str]) -> List[str]:
    """Words of the vocabulary, and programs that another one starts; OPNsense up to 26.1.6 has an action of configctl in quotes, and a group ends behind its
    last word."""
    bare = [word.strip("'\"(){}") for word in words]
    return [word for word in bare if word in _TOLD or (_PROGRAM.fullmatch(word) and re.match(r"/(?:\S*/)?s?bin/|/etc/rc", word))]


def jobs(text: str, path: str, has_user: bool, now: float, tell: Callable[[str], Optional[str]] = told) -> List[Dict[str, Any]]:
    """The jobs of a crontab: ``{"name", "next", "what"}``. Those of ``@reboot`` are left out, for they belong to each boot.

    Args:
        text: the crontab.
        path: its file, by which jobs are named.
        has_user: it has a column with the user, as /etc/crontab does.
        now: seconds since 1970; times are by the clock and zone of the machine that this runs on.
        tell: what a command runs, None where that is not known.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#") or _VARIABLE.match(line):
            continue
        words = line.split(None, (1 if line.startswith("@") else 5) + has_user)
        schedule = words[0] if line.startswith("@") else " ".join(words[:5])
        if schedule == "@reboot":
            continue
        what = tell(words[-1]) if len(words) > (1 if line.startswith("@") else 5) + has_user else ""
        found.append({"name": "%s:%d" % (path, number), "next": following(schedule, now), "what": what})
    return found


def following(schedule: str, now: float) -> Optional[float]:
    """When a schedule is due next after ``now``; None when it is not understood, or never due."""
    if re.fullmatch(r"@\d+", schedule):
        return now + int(schedule[1:])  # so many seconds after the last run, of which nothing is known: no later than that
    times = parse(_NAMED.get(schedule, schedule))
    return None if times is None else _search(times, now)


def parse(schedule: str) -> Optional[Times]:
    """The five fields; None when one is not understood."""
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return None
    sets = [_values(field, low, high, names) for field, (low, high, names) in zip(fields, _FIELDS)]
    minutes, hours, days, months, weekdays = sets
    if minutes is None or hours is None or days is None or months is None or weekdays is None:
        return None
    # With both kinds of days stated, either is enough; a field that begins with a star does not count as stated.
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    return Times(minutes, hours, days, months, frozenset(day % 7 for day in weekdays), either)


def _values(field: str, low: int, high: int, names: Sequence[str]) -> Optional[FrozenSet[int]]:
    found: List[int] = []
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if match is None or not part:
            return None
        first, last = _number(match["first"], names, low), _number(match["last"], names, low)
        if (match["first"] and first is None) or (match["last"] and last is None):
            return None
        if match["all"] or match["sign"] or (match["step"] and first is not None):
            # Of a random value nobody knows which it is: all that it may be.
            start = low if first is None else first
            end = high if last is None else last
        else:
            start = end = low - 1 if first is None else first
        step = int(match["step"] or 1)
        if not low <= start <= end <= high or step < 1:
            return None
        found += range(start, end + 1, step)
    return frozenset(found)


def _number(word: Optional[str], names: Sequence[str], low: int) -> Optional[int]:
    if word is None:
        return None
    if word.isdigit():
        return int(word)
    return names.index(word[:3].lower()) + low if word[:3].lower() in names else None


def _search(times: Times, now: float) -> Optional[float]:
    here = time.localtime(now)
    for ahead in range(_FAR * 366):
        day = time.localtime(time.mktime((here.tm_year, here.tm_mon, here.tm_mday + ahead, 12, 0, 0, 0, 0, -1)))
        if day.tm_mon not in times.months or not _on(times, day):
            continue
        for hour in sorted(times.hours):
            for minute in sorted(times.minutes):
                due = time.mktime((day.tm_year, day.tm_mon, day.tm_mday, hour, minute, 0, 0, 0, -1))
                if due > now:
                    return due
    return None


def _on(times: Times, day: time.struct_time) -> bool:
    of_month, of_week = day.tm_mday in times.days, (day.tm_wday + 1) % 7 in times.weekdays
    return of_month or of_week if times.either else of_month and of_week
