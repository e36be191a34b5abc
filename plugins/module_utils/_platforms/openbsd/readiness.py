# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``readiness`` of an OpenBSD node. Nothing is fetched, so what a mirror would offer is not known.

Sources: sysupgrade(8) (/bsd.upgrade boots next and installs the sets in /home/_sysupgrade), syspatch(8), sysmerge(8) (what was not merged stays in
/var/tmp/sysmerge.*), pkg_info(1), what(1) and conf/newvers.sh (the kernel's file has the line that kern.version begins with). These answers were read in
manual pages and sources, not seen.
"""

from __future__ import annotations

import re
import time
from typing import Any, Callable, Dict, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import atjobs, clocks, crontab, readiness, run_parts
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import readiness as common
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

PLACES = ("/", "/usr", "/usr/local", "/var", "/home")
PROGRAMS = ("syspatch", "sysupgrade", "pkg_add", "pkg_delete", "fw_update", "sysmerge", "reorder_kernel")
KERNEL, NEXT_KERNEL, SETS = "/bsd", "bsd.upgrade", "/home/_sysupgrade"
# usr.sbin/cron, which runs them itself.
AT_JOBS = "/var/cron/atjobs"
NO_RELEASE = "which release a mirror offers is not asked for; state the release"
_PERIODIC = re.compile(r"(?<![\w./-])/etc/(daily|weekly|monthly)(?![\w./-])")
_PACKAGE = re.compile(r"(?P<name>\S+?)-(?P<version>\d[^\s-]*(?:-[a-z]\S*)?)")


def collect(node: Node, areas: Areas) -> Dict[str, Any]:
    """All of it."""
    now = time.time()
    readers: Dict[str, Callable[[], Any]] = {
        "disk": lambda: readiness.disks(node, PLACES),
        "clock": lambda: clocks.read(node, ("chrony", "openntpd", "ntpd")),
        "busy": lambda: common.busy(node, PROGRAMS),
        "pending": lambda: _pending(node),
        "unapplied": lambda: ["merge in /var/tmp/%s" % name for name in _names(node, "/var/tmp") if name.startswith("sysmerge.")],
        "certificates": list,
        "jobs": lambda: _jobs(node, now),
        "packages": lambda: _packages(node),
        "candidate": lambda: _candidate(areas),
        # The system has neither; a snapshot of the machine is made outside.
        "way_back": lambda: {"kind": None, "available": False, "names": [], "newest": None},
    }
    return readiness.collect(areas, readers)


def _jobs(node: Node, now: float) -> List[Dict[str, Any]]:
    tabs = {"%s/%s" % (common.USER_TABS, name): False for name in _names(node, common.USER_TABS)}
    return common.jobs(node, dict({common.SYSTEM_TAB: True}, **tabs), now, lambda command: _told(node, command)) + atjobs.jobs(node, AT_JOBS, crontab.told)


def _told(node: Node, command: str) -> Optional[str]:
    """What a command runs, with the script of one's own that /etc/daily, weekly and monthly start."""
    found = [crontab.told(command), *(run_parts.local(node, period) for period in _PERIODIC.findall(command))]
    return None if None in found else "; ".join(one for one in found if one)


def _names(node: Node, folder: str) -> List[str]:
    """What is in a folder; nothing where there is none."""
    return node.query(["ls", folder], ok=None).stdout.splitlines()


def _pending(node: Node) -> Dict[str, Any]:
    stage = None
    if NEXT_KERNEL in _names(node, "/"):
        stage = "sysupgrade waits for a boot (/%s)" % NEXT_KERNEL
    elif _names(node, SETS):
        stage = "sysupgrade has left sets in %s" % SETS
    runs = node.query(["sysctl", "-n", "kern.version"]).stdout.strip().splitlines()[:1]
    stored = [line.strip() for line in node.query(["what", KERNEL], ok=None).stdout.splitlines()]
    # syspatch and reorder_kernel make the kernel's file anew; its line has the number of the build.
    return {"reboot": None if not runs or len(stored) < 2 else runs[0] not in stored, "stage": stage}


def _packages(node: Node) -> Dict[str, str]:
    """Packages and patches of the base system."""
    names = [_PACKAGE.fullmatch(line.strip()) for line in node.query(["pkg_info", "-q"]).stdout.splitlines()]
    found = {match["name"]: match["version"] for match in names if match}
    found.update({"syspatch %s" % name: "installed" for name in node.query(["syspatch", "-l"], ok=None).stdout.split()})
    return found


def _candidate(areas: Areas) -> Dict[str, Any]:
    areas.errors.append({"area": readiness.where("candidate"), "reason": NO_RELEASE})
    return {"release": None, "packages": {}}
