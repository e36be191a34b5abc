# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which way the connection of this very run came in, asked of the system's own programs."""

from __future__ import annotations

import os
import re
from typing import Any, Dict, List, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.connection import VARIABLE, way
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

_MOST_ANCESTORS = 64
# What shows the environment of a process, whose id comes behind it, and the word for IPv6 of route(8); FreeBSD's.
ENVIRONMENT, INET6 = ("procstat", "-e"), "-6"


def observe(node: Node, own: List[Dict[str, Any]], environment: Sequence[str] = ENVIRONMENT, inet6: str = INET6) -> Dict[str, Optional[str]]:
    """Where the connection came in, as :func:`..connection.way` gives it.

    Args:
        own: the evidence about interfaces.
        environment: the command that shows the environment of a process, without the process.
        inet6: the word of route(8) for IPv6.
    Raises:
        NodeError: it cannot be told.
    """
    told = os.environ.get(VARIABLE.rstrip("="))
    return way(told.split() if told else _of_ancestors(node, environment), own, lambda client, _address: _route(node, client, inet6))


def _of_ancestors(node: Node, environment: Sequence[str]) -> Optional[List[str]]:
    """sudo and the like do not pass on what sshd told, so the processes that called this one are asked, the nearest first."""
    processes = dict(re.findall(r"^\s*(\d+)\s+(\d+)\s*$", node.query(["ps", "-axo", "pid=,ppid="]).stdout, re.MULTILINE))
    process, ancestors = str(os.getpid()), []  # type: str, List[str]
    while processes.get(process, "0") not in ("0", process) and len(ancestors) < _MOST_ANCESTORS:
        process = processes[process]
        ancestors.append(process)
    for ancestor in ancestors:
        # Any status: the process may have ended, or be the kernel's own.
        found = re.search(VARIABLE + r"(\S+ \d+ \S+ \d+)", node.query([*environment, ancestor], ok=None).stdout)
        if found:
            return found[1].split()
    return None


def _route(node: Node, client: str, inet6: str) -> Optional[str]:
    family = [inet6] if ":" in client else []
    found = re.search(r"^\s*interface: (\S+)", node.query(["route", "-n", "get"] + family + [client], ok=None).stdout, re.MULTILINE)
    return found[1] if found else None
