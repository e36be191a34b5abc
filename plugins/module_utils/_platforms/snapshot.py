# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``snapshot``: what is of use only when two moments are compared. Common to all platforms."""

from __future__ import annotations

import functools
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

AREA = "snapshot"
# A router with the whole Internet's routes has a million of them: more than this many are counted only.
MOST_ROUTES = 2000
MOST_NEIGHBOURS = 5000

Row = Dict[str, Optional[str]]


class Readers(NamedTuple):
    """How a platform reads each part.

    Attributes:
        routes: family (``inet``, ``inet6``) -> routes, see :func:`counted`.
        neighbours: ``address``, ``mac`` and ``device`` of each.
        services: names of what runs.
        files: path or section -> digest without secrets.
        ways: name of a part (``wireguard``) -> ``name``, ``state`` (``up``, ``down``, or ``quiet`` where nothing tells) and ``told`` (the program's own word)
            of each tunnel, neighbour or gateway. What the node has no program for has no rows.
    """

    routes: Callable[[], Dict[str, Any]]
    neighbours: Callable[[], List[Row]]
    services: Callable[[], List[str]]
    files: Callable[[], Dict[str, str]]
    ways: Mapping[str, Callable[[], List[Row]]]


def read(areas: Areas, readers: Readers) -> Dict[str, Any]:
    """All parts; one that cannot be read is None, with its reason in the errors of ``snapshot.PART``."""
    found = {
        "routes": areas.read(AREA + ".routes", readers.routes),
        "neighbours": areas.read(AREA + ".neighbours", lambda: few(readers.neighbours())),
        "services": areas.read(AREA + ".services", lambda: sorted(set(readers.services()))),
        "files": areas.read(AREA + ".files", readers.files),
    }
    for name, reader in readers.ways.items():
        found[name] = areas.read("%s.%s" % (AREA, name), functools.partial(_in_order, reader))
    return found


def _in_order(reader: Callable[[], List[Row]]) -> List[Row]:
    return sorted(reader(), key=lambda row: row["name"] or "")


def counted(routes: Iterable[Row]) -> Dict[str, Any]:
    """The routes of a family: their ``count``, and ``rows`` (``destination``, ``gateway``, ``device`` each) unless there are too many."""
    rows: List[Row] = []
    count = 0
    for count, row in enumerate(routes, 1):
        if count <= MOST_ROUTES:
            rows.append(row)
    return {"count": count, "rows": rows if count <= MOST_ROUTES else None}


def few(neighbours: List[Row]) -> List[Row]:
    """The neighbours in order.

    Raises:
        NodeError: there are too many to tell.
    """
    if len(neighbours) > MOST_NEIGHBOURS:
        raise NodeError("there are %d neighbours, and more than %d are not told" % (len(neighbours), MOST_NEIGHBOURS))
    return sorted(neighbours, key=lambda row: (row["address"] or "", row["device"] or ""))
