# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots of the file system that a Linux node's system is on: the way back of an upgrade.

Sources: findmnt(8), lvs(8) (a snapshot has an origin; lv_time), btrfs-subvolume(8) (``otime`` of ``list -s``), zfs-list(8) (-p: dates
in seconds). Their answers were read in manual pages, not seen.
"""

from __future__ import annotations

import calendar
import re
import time
from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

Found = List[Tuple[str, Optional[float]]]
_BTRFS = re.compile(r"\botime (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) path (\S.*)")
_LVM_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ([+-])(\d\d)(\d\d)")


def way_back(node: Node) -> Dict[str, Any]:
    """``kind``, ``available``, ``names`` and when the ``newest`` was made. A system on anything that has no snapshots has none.

    Raises:
        NodeError: there is no findmnt, or what lists the snapshots fails.
    """
    fields = node.query(["findmnt", "-n", "-o", "FSTYPE,SOURCE", "/"], ok=(0, 1)).stdout.split(None, 1)
    kind, source = (fields[0], fields[1].strip()) if len(fields) == 2 else (fields[0] if fields else "", "")
    found: Optional[Found] = None
    if kind == "btrfs" and node.has("btrfs"):
        found = btrfs(node.query(["btrfs", "subvolume", "list", "-s", "/"]).stdout)
    elif kind == "zfs" and node.has("zfs"):
        found = zfs(node.query(["zfs", "list", "-H", "-p", "-t", "snapshot", "-o", "name,creation", source]).stdout)
    elif source.startswith("/dev/mapper/") and node.has("lvs"):
        told = node.query(["lvs", "--noheadings", "--separator", "|", "-o", "lv_dm_path,lv_name,origin,lv_time"]).stdout
        found = lvm(told, source)
    if found is None:
        return {"kind": None, "available": False, "names": [], "newest": None}
    made = [moment for _name, moment in found if moment is not None]
    return {"kind": "snapshot", "available": bool(found), "names": [name for name, _moment in found], "newest": max(made) if made else None}


def btrfs(text: str) -> Found:
    """Snapshots by their paths; dates are by the node's zone."""
    return [(path, time.mktime(time.strptime(stamp, "%Y-%m-%d %H:%M:%S"))) for stamp, path in _BTRFS.findall(text)]


def zfs(text: str) -> Found:
    """Snapshots by their names."""
    rows = [line.split("\t") for line in text.splitlines()]
    return [(row[0], float(row[1]) if row[1].isdigit() else None) for row in rows if len(row) == 2]


def lvm(text: str, root: str) -> Optional[Found]:
    """The snapshots of the volume that the system is on; None when it is none of the volumes."""
    rows = [[field.strip() for field in line.split("|")] for line in text.splitlines()]
    name = next((row[1] for row in rows if len(row) == 4 and row[0] == root), None)
    return None if name is None else [(row[1], _moment(row[3])) for row in rows if len(row) == 4 and row[2] == name]


def _moment(text: str) -> Optional[float]:
    found = _LVM_TIME.match(text)
    if not found:
        return None
    away = (int(found[3]) * 60 + int(found[4])) * 60
    return calendar.timegm(time.strptime(found[1], "%Y-%m-%d %H:%M:%S")) - (away if found[2] == "+" else -away)
