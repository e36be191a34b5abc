# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs that systemd starts by the clock, and when each is due next. Pure but for one question to systemd.

Sources: systemctl(1), systemd.time(7) (timestamps, and time spans as ``1h 3min 2.5s``), org.freedesktop.systemd1(5) (NextElapseUSecRealtime,
NextElapseUSecMonotonic: the latter counts from the boot).
"""

from __future__ import annotations

import calendar
import re
import time
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

_PROPERTIES = "Id,ActiveState,Unit,NextElapseUSecRealtime,NextElapseUSecMonotonic"
_SPAN = re.compile(r"([0-9.]+)(y|month|w|d|h|min|s|ms|us)")
_SECONDS = {"y": 31557600.0, "month": 2629800.0, "w": 604800.0, "d": 86400.0, "h": 3600.0, "min": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6}
_STAMP = re.compile(r"[A-Z][a-z]{2} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? UTC")


def read(node: Node, now: float) -> List[Dict[str, Any]]:
    """All timers that wait: ``{"name", "next", "what"}``. In UTC, for systemd tells no zone that could be read otherwise."""
    told = node.query(["env", "TZ=UTC", "systemctl", "show", "--property=" + _PROPERTIES, "*.timer"]).stdout
    return jobs(told, now, uptime(node.read_text("/proc/uptime")))


def uptime(text: Optional[str]) -> Optional[float]:
    """The seconds since the boot, of /proc/uptime."""
    words = (text or "").split()
    return float(words[0]) if words and re.fullmatch(r"[0-9.]+", words[0]) else None


def jobs(text: str, now: float, up: Optional[float]) -> List[Dict[str, Any]]:
    """Of what ``systemctl show`` printed: blocks of properties, an empty line between them."""
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in text.split("\n\n")]
    return [{"name": block["Id"], "next": _due(block, now, up), "what": block.get("Unit", "")} for block in blocks
            if block.get("ActiveState") == "active" and "Id" in block]


def _due(block: Mapping[str, str], now: float, up: Optional[float]) -> Optional[float]:
    """The earlier of the two; None where the timer will not elapse any more, or it is not told."""
    found = []
    stamp = _STAMP.fullmatch(block.get("NextElapseUSecRealtime", ""))
    if stamp:
        found.append(float(calendar.timegm(time.strptime(stamp[1], "%Y-%m-%d %H:%M:%S"))))
    span = _SPAN.findall(block.get("NextElapseUSecMonotonic", ""))
    # A bare 0 and the word infinity: never.
    if up is not None and span:
        found.append(now - up + sum(float(number) * _SECONDS[unit] for number, unit in span))
    return min(found) if found else None
