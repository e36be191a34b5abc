# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a node's clock goes, by whichever time service it has.

Each parser gives whether the clock is synchronised and by how many seconds it is off, each None when that is not told. Sources: chronyc(1) (-c: the last
field is the leap status, the fifth how far the clock is off), ntpq(8) (the peer with ``*``, or ``o`` for pulses; offsets in ms), ntpctl(8) and its source
(usr.sbin/ntpd/ntpctl.c), timedatectl(1).
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

TIMEOUT = 10.0  # seconds; a service that runs answers at once
Told = Tuple[Optional[bool], Optional[float]]
_FIELDS = 14
_CORRECTION, _LEAP = 4, 13
_OFFSET = re.compile(r"clock offset is (-?[0-9.]+)ms")


class Service(NamedTuple):
    """A time service: the command that asks it, and what its answer means."""

    command: Sequence[str]
    parse: Callable[[str], Told]


def chrony(text: str) -> Told:
    """``chronyc -c tracking``: one line of values."""
    fields = text.strip().split(",")
    if len(fields) < _FIELDS:
        return None, None
    return fields[_LEAP] in ("Normal", "Insert second", "Delete second"), _float(fields[_CORRECTION])


def ntpq(text: str) -> Told:
    """``ntpq -pn``: a table of peers, the sign in the first column tells which one the clock follows."""
    rows = [line for line in text.splitlines() if re.match(r"[ x.\-+#*o]\S+\s", line) and len(line.split()) >= 10]
    followed = next((line.split() for line in rows if line[0] in "*o"), None)
    if followed is None:
        return (False, None) if rows else (None, None)
    offset = _float(followed[8])
    return True, None if offset is None else offset / 1000


def openntpd(text: str) -> Told:
    """``ntpctl -s status``: a sentence."""
    if "clock synced" in text:
        return True, None
    offset = _OFFSET.search(text)
    return (False, float(offset[1]) / 1000 if offset else None) if "clock unsynced" in text else (None, None)


def systemd(text: str) -> Told:
    """``timedatectl show``: what the kernel says, whoever keeps the clock."""
    found = re.search(r"^NTPSynchronized=(yes|no)$", text, re.MULTILINE)
    return (None, None) if found is None else (found[1] == "yes", None)


SERVICES: Mapping[str, Service] = {
    "chrony": Service(("chronyc", "-c", "tracking"), chrony),
    "ntpd": Service(("ntpq", "-pn"), ntpq),
    "openntpd": Service(("ntpctl", "-s", "status"), openntpd),
    "systemd": Service(("timedatectl", "show", "--property=NTPSynchronized"), systemd),
}


def read(node: Node, services: Sequence[str]) -> Dict[str, Any]:
    """The evidence ``clock`` but for the time: what the first of these services that answers says of it. Where one is installed and none answers, nothing
    keeps the clock.

    Args:
        services: names in :data:`SERVICES`, in the order in which they are asked.
    """
    installed = [name for name in services if node.has(SERVICES[name].command[0])]
    for name in installed:
        answer = node.query(SERVICES[name].command, ok=None, timeout=TIMEOUT)
        synchronised, offset = SERVICES[name].parse(answer.stdout) if answer.status == 0 else (None, None)
        if synchronised is not None:
            return {"synchronised": synchronised, "offset": offset, "source": name}
    return {"synchronised": False if installed else None, "offset": None, "source": None}


def _float(text: str) -> Optional[float]:
    try:
        return float(text)
    except ValueError:
        return None
