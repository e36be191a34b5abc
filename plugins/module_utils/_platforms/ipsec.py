# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tunnels of IPsec, for snapshots: names and states alone. What peers call themselves, and what is encrypted how, stays on the node."""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.snapshot import Row

_LIST = ("swanctl", "--list-sas", "--raw")
_EVENT, _REPLY = "list-sa event ", "list-sas reply "
_TOKEN = re.compile(r"(?P<section>[^\s={}\[\]]+)? ?\{|(?P<end>\})|(?P<key>[^\s={}\[\]]+)=(?P<value>\[[^\]]*\]|[^\s{}\[\]]*)")
# Of an IKE and of a child SA (libcharon: ike_sa.c, child_sa.c); while new keys are made, the old ones carry on.
_UP = ("ESTABLISHED", "INSTALLED", "REKEYING", "REKEYED", "UPDATING")
# What swanctl says when no charon runs.
_NOBODY = ("URI failed: No such file or directory", "URI failed: Connection refused")


def tunnels(node: Node) -> List[Row]:
    """The tunnels of strongSwan; none where it is not installed, or does not run.

    Raises:
        NodeError: swanctl fails, or prints something else than it is known to, or another program than swanctl makes tunnels.
    """
    if not node.has("swanctl"):
        if node.has("ipsec"):
            raise NodeError("there is ipsec and no swanctl, and only tunnels that swanctl lists are read; install it, or leave the area ipsec out")
        return []
    done = node.query(list(_LIST), ok=None)
    if done.status != 0:
        if any(word in done.stderr for word in _NOBODY):
            return []
        raise NodeError("%s exited with status %d and said: %s" % (" ".join(_LIST), done.status, done.stderr.strip() or "nothing"))
    return parse(done.stdout)


def parse(text: str) -> List[Row]:
    """From ``swanctl --list-sas --raw``: a line for each IKE SA, with its child SAs in it.

    Raises:
        NodeError: it is something else.
    """
    found: List[Tuple[str, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(_EVENT):
            found += _states(line[len(_EVENT):], number)
        elif line.strip() and not line.startswith(_REPLY):
            raise NodeError("the answer of %s cannot be read at its line %d" % (" ".join(_LIST), number))
    return merged(found)


def _states(line: str, number: int) -> List[Tuple[str, str]]:
    """Name and state of an IKE SA and of its child SAs."""
    inside: List[str] = []
    fields: Dict[Tuple[str, ...], Dict[str, str]] = {}
    for token in _TOKEN.finditer(line):
        if token.group("end"):
            if not inside:
                raise NodeError("the answer of %s cannot be read at its line %d" % (" ".join(_LIST), number))
            inside.pop()
        elif token.group("key") is None:
            inside.append(token.group("section") or "")
        else:
            fields.setdefault(tuple(inside), {}).setdefault(token.group("key"), token.group("value"))
    states = []
    for path, values in fields.items():
        child = len(path) == 4 and path[2] == "child-sas"
        if len(path) == 2 or child:
            states.append((" ".join([path[1], values.get("name") or path[3]]) if child else path[1], values.get("state", "")))
    if inside or not states or not all(state for _name, state in states):
        raise NodeError("the answer of %s cannot be read at its line %d" % (" ".join(_LIST), number))
    return states


def merged(states: Iterable[Tuple[str, str]]) -> List[Row]:
    """A row for each name: of several of one name, as of many users of one connection, one that is up is enough."""
    rows: Dict[str, Row] = {}
    for name, state in states:
        if name not in rows or state in _UP:
            rows[name] = {"name": name, "state": "up" if state in _UP else "down", "told": state}
    return list(rows.values())
