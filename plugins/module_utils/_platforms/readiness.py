# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``readiness``: what matters before an upgrade. What all platforms share; each reads the rest by its own programs."""

from __future__ import annotations

import re
import time
from typing import Any, Callable, Dict, List, Mapping, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

AREA = "readiness"
KEYS = ("disk", "clock", "busy", "pending", "unapplied", "certificates", "jobs", "packages", "candidate", "way_back")

# The last columns of df -kP, as POSIX has them; what is free may be negative on BSD, where root's reserve is used.
_DISK = re.compile(r".*?\s(?P<total>\d+)\s+-?\d+\s+(?P<free>-?\d+)\s+-?\d+%\s+(?P<mount>/.*)")
_INTERPRETERS = re.compile(r"(?:ba|da|k|z)?sh|python[0-9.]*|perl[0-9.]*|php[0-9.]*|env|lockf|timeout|nice")


def collect(areas: Areas, readers: Mapping[str, Callable[[], Any]]) -> Dict[str, Any]:
    """Read each key of the area; one that cannot be read is None, with its reason under ``readiness.KEY``.

    The time is taken at the end, with how long all of it took: who asked from outside knows the clock as much the closer.
    """
    began = time.monotonic()
    found = {key: areas.read(where(key), readers[key]) for key in KEYS}
    if found["clock"] is not None:
        found["clock"].update(at=round(time.time(), 3), took=round(time.monotonic() - began, 3))
    return found


def where(key: str) -> str:
    """The name of a key's errors."""
    return "%s.%s" % (AREA, key)


def disks(node: Node, places: Sequence[str]) -> List[Dict[str, Any]]:
    """The file systems that these places are on, each once: ``{"mount", "free", "total"}`` in bytes. Places that are not there are passed over.

    Raises:
        NodeError: there is no df, or it tells nothing of the first place.
    """
    answer = node.query(["df", "-kP", *places], ok=None)
    found: Dict[str, Dict[str, Any]] = {}
    for line in answer.stdout.splitlines():
        match = _DISK.fullmatch(line)
        if match:
            found[match["mount"]] = {"mount": match["mount"], "free": max(0, int(match["free"])) * 1024, "total": int(match["total"]) * 1024}
    if not found:
        raise NodeError("df tells nothing of %s: %s" % (places[0], answer.stderr.strip() or "it says nothing"))
    return list(found.values())


def busy(listing: str, programs: Sequence[str], besides: Sequence[str] = ()) -> List[Dict[str, Any]]:
    """Which of these programs run, by name and process; scripts too, whose first words are an interpreter. Of a command line nothing else is told.

    Args:
        listing: what ps prints: the number of the process and its command line.
        programs: names, without their folder.
        besides: words anywhere in a command line that make it none of them.
    """
    found = []
    for line in listing.splitlines():
        pid, _space, command = line.strip().partition(" ")
        name = _program(command.split())
        if pid.isdigit() and name in programs and not any(word in command for word in besides):
            found.append({"what": name, "pid": int(pid)})
    return found


def _program(words: Sequence[str]) -> str:
    """The name of what a command line runs: the first word that is no interpreter, and no option of one."""
    for word in words:
        name = word.rsplit("/", 1)[-1].rstrip(":")
        if not word.startswith("-") and not _INTERPRETERS.fullmatch(name):
            return name
    return ""


def numbers(text: str) -> List[int]:
    """The numbers in a text, by which versions are put in order."""
    return [int(part) for part in re.findall(r"\d+", text)]
