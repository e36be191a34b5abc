# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of at(1) and batch(1): one file each, which is executable as long as the job waits.

A job of batch waits for a low load, so when its file says is the earliest that it runs.

Sources: at.c and atrun.c of FreeBSD and OpenBSD, files that Debian 12's at(1) made (Linux). What the lines before the commands look like was read for OpenBSD
and for Fedora, whose at(1) hands the commands to the user's shell as a here-document, and not seen.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import crontab
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.run_parts import executables

# A letter for the queue, five hexadecimal digits for the number of the job, eight for the minutes since 1970.
_MINUTES = re.compile(r"[A-Za-z][0-9a-f]{5}(?P<minutes>[0-9a-f]{8})")
# OpenBSD: the seconds since 1970, a dot, and the letter.
_SECONDS = re.compile(r"(?P<seconds>\d+)\.[A-Za-z]")
# The last lines before the commands. What stands above is the environment, in which a value cannot look like this, for its blanks are escaped.
_HEAD = re.compile(r"^cd (?:\\.|[^\s\\])+ \|\| \{\n\s*echo 'Execution directory inaccessible' >&2\n\s*exit 1\n\}\n", re.MULTILINE)
_HANDED = re.compile(r"\S+ << '(?P<end>\w+)'\n(?P<commands>.*)\n(?P=end)\s*", re.DOTALL)


def jobs(node: Node, folder: str, tell: Callable[[str], Optional[str]]) -> List[Dict[str, Any]]:
    """The jobs that wait in a folder: ``{"name", "next", "what"}``; ``what`` is None where the commands cannot be told from what may be a secret.

    Raises:
        NodeError: the folder cannot be read.
    """
    found = []
    for path in executables(node, folder):
        due = moment(path.rpartition("/")[2])
        if due is not None:
            found.append({"name": path, "next": due, "what": what(node.read_text(path) or "", tell)})
    return found


def moment(name: str) -> Optional[float]:
    """When a job is due, in seconds since 1970, by the name of its file. None where it is the file of no job."""
    minutes, seconds = _MINUTES.fullmatch(name), _SECONDS.fullmatch(name)
    if minutes:
        return 60.0 * int(minutes["minutes"], 16)
    return float(seconds["seconds"]) if seconds else None


def what(text: str, tell: Callable[[str], Optional[str]]) -> Optional[str]:
    """What a job runs, by its file. None where that is not understood: a line alone is not a command, or the lines before the commands are others."""
    head = _HEAD.search(text)
    if head is None:
        return None
    body = text[head.end():]
    handed = _HANDED.fullmatch(body)
    return crontab.script(handed["commands"] if handed else body, tell)
