# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``readiness`` of a FreeBSD node. Nothing is fetched, so what a mirror would offer is not known.

Sources: usr.sbin/freebsd-update (HASH-install in its folder is an update that was fetched and not yet installed whole; kerneldone in it tells that the kernel
is), freebsd-version(1), etcupdate(8), bectl(8), pkg-version(8). The layout of freebsd-update's folder was read in its source, not seen.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import atjobs, clocks, readiness, run_parts
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import readiness as common
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

PLACES = ("/", "/usr", "/usr/local", "/var", "/boot")
PROGRAMS = ("freebsd-update", "pkg", "pkg-static", "portsnap", "make", "etcupdate", "mergemaster", "bsdinstall")
UPDATES = "/var/db/freebsd-update"
CONFLICTS = "/var/db/etcupdate/conflicts"
NO_RELEASE = "which release a mirror offers is not asked for; state the release"


def collect(node: Node, areas: Areas) -> Dict[str, Any]:
    """All of it."""
    now = time.time()
    readers: Dict[str, Callable[[], Any]] = {
        "disk": lambda: readiness.disks(node, PLACES),
        "clock": lambda: clocks.read(node, ("chrony", "ntpd", "openntpd")),
        "busy": lambda: common.busy(node, PROGRAMS),
        "pending": lambda: common.pending(node, _stage(node)),
        "unapplied": lambda: ["merge of %s" % path[len(CONFLICTS):] for path in _files(node, CONFLICTS)],
        "certificates": list,
        "jobs": lambda: _jobs(node, now),
        "packages": lambda: common.packages(node),
        "candidate": lambda: _candidate(node, areas),
        "way_back": lambda: common.way_back(node),
    }
    return readiness.collect(areas, readers)


def _stage(node: Node) -> Optional[str]:
    """What freebsd-update has begun and not ended."""
    names = [path[len(UPDATES) + 1:] for path in _files(node, UPDATES)]
    if any(name.endswith("-install/kerneldone") for name in names):
        return "freebsd-update has installed the kernel, and not yet the rest (freebsd-update install)"
    return "freebsd-update has fetched an update that is not installed" if any("-install/" in name for name in names) else None


def _files(node: Node, folder: str) -> List[str]:
    """The files below a folder, also those behind a link; none where there is no such folder."""
    if node.query(["test", "-d", folder], ok=(0, 1)).status != 0:
        return []
    return node.query(["find", "-L", folder, "-maxdepth", "3", "-type", "f", "-not", "-path", "*/files/*"]).stdout.splitlines()


def _jobs(node: Node, now: float) -> List[Dict[str, Any]]:
    tell = run_parts.Telling(node)
    return common.jobs(node, _tabs(node), now, tell) + atjobs.jobs(node, common.AT_JOBS, tell)


def _tabs(node: Node) -> Dict[str, bool]:
    tabs = {common.SYSTEM_TAB: True}
    for folder, has_user in (("/etc/cron.d", True), ("/usr/local/etc/cron.d", True), (common.USER_TABS, False)):
        tabs.update({path: has_user for path in _files(node, folder)})
    return tabs


def _candidate(node: Node, areas: Areas) -> Dict[str, Any]:
    areas.errors.append({"area": readiness.where("candidate"), "reason": NO_RELEASE})
    return {"release": None, "packages": common.updates(node)}
