# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which way the connection of this very run came in, so that nobody cuts it off unawares."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.connection import VARIABLE, way
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

_MOST_ANCESTORS = 64


def observe(node: Node, own: List[Dict[str, Any]]) -> Dict[str, Optional[str]]:
    """Where the connection came in, as :func:`..connection.way` gives it.

    Raises:
        NodeError: it cannot be told.
    """
    return way(_connection(node), own, lambda client, address: _route(node, client, address))


def _connection(node: Node) -> Optional[List[str]]:
    """What sshd told of the connection. sudo and the like do not pass it on, so the processes that called this one are asked too."""
    process = "self"
    for _generation in range(_MOST_ANCESTORS):
        for item in (node.read_text("/proc/%s/environ" % process) or "").split("\0"):
            if item.startswith(VARIABLE):
                return item[len(VARIABLE):].split()
        parent = re.search(r"^PPid:\s*([1-9][0-9]*)$", node.read_text("/proc/%s/status" % process) or "", re.MULTILINE)
        if not parent:
            return None
        process = parent.group(1)
    raise NodeError("the processes that this one was called by have no end")


def _route(node: Node, client: str, address: str) -> Optional[str]:
    done = node.query(["ip", "-j", "route", "get", client, "from", address], ok=None)
    try:
        return json.loads(done.stdout or "[]")[0]["dev"] if done.status == 0 else None
    except (ValueError, LookupError, TypeError):
        return None
