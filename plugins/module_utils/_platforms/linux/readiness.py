# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``readiness`` of a Linux node.

Sources: reboot-required is a file of Debian's and Ubuntu's packages (update-notifier-common, unattended-upgrades); where nothing makes it, a newer kernel in
/boot tells. cron(8) of Debian and crond(8) of Fedora for where crontabs are.
"""

from __future__ import annotations

import os
import time
from typing import Any, Callable, Dict, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import atjobs, clocks, crontab, readiness, run_parts
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import all_packages, anacron, facts, snapshots, timers
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.services import Unit
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

PLACES = ("/", "/usr", "/var", "/boot")
PROGRAMS = ("apt", "apt-get", "aptitude", "dpkg", "apt.systemd.daily", "unattended-upgrade", "unattended-upgrades", "do-release-upgrade", "dnf", "dnf-3",
            "dnf5", "yum", "rpm", "packagekitd", "zypper", "leapp")
# It waits for the shutdown all the time, and upgrades nothing.
BESIDES = ("unattended-upgrade-shutdown",)
SYSTEM_TAB, SYSTEM_TABS, USER_TABS = "/etc/crontab", "/etc/cron.d", "/var/spool/cron"
# Debian's at(1), and that of Fedora and its kin. Where others have them is not known, and their jobs are not told.
AT_JOBS = ("/var/spool/cron/atjobs", "/var/spool/at")
# Beside the crontabs Debian has the jobs of at(1) and what they print.
NO_TABS = ("/var/spool/cron/atjobs/", "/var/spool/cron/atspool/")
SERVICES = ("conntrackd", "keepalived", "nftables")
REBOOT = ("/var/run/reboot-required", "/run/reboot-required")


def collect(node: Node, areas: Areas) -> Dict[str, Any]:
    """All of it."""
    now = time.time()
    listed = areas.read(readiness.where("packages"), lambda: all_packages.installed(node))
    readers: Dict[str, Callable[[], Any]] = {
        "disk": lambda: readiness.disks(node, PLACES),
        "clock": lambda: clocks.read(node, ("chrony", "ntpd", "openntpd", "systemd")),
        "busy": lambda: readiness.busy(node.query(["ps", "-e", "-o", "pid=,args="]).stdout, PROGRAMS, BESIDES),
        "pending": lambda: _pending(node, listed),
        "unapplied": lambda: _unapplied(node),
        "certificates": list,
        "jobs": lambda: _jobs(node, now),
        "packages": lambda: None if listed is None else listed.versions,
        "candidate": lambda: all_packages.candidate(node),
        "way_back": lambda: snapshots.way_back(node),
    }
    return readiness.collect(areas, readers)


def _pending(node: Node, listed: Any) -> Dict[str, Any]:
    """Whether it waits for a reboot, and packages that were begun and not ended."""
    newer = all_packages.newer_kernel(node.query(["ls", "/boot"], ok=None).stdout.splitlines(), os.uname().release)
    flagged = any(node.read_text(path) is not None for path in REBOOT)
    half = [] if listed is None else listed.half
    return {"reboot": flagged or newer is not None, "stage": "packages are half installed: %s" % ", ".join(half) if half else None}


def _unapplied(node: Node) -> List[str]:
    """Services whose files systemd has not read since they were changed."""
    units = facts.family_of(node).units
    return [units[name] for name in SERVICES if Unit(node, units[name]).state().needs_reload]


def _jobs(node: Node, now: float) -> List[Dict[str, Any]]:
    tell = run_parts.Telling(node, run_parts.DEBIAN if facts.family_of(node).name == "debian" else run_parts.FEDORA)
    found = timers.read(node, now) + _cron(node, now, tell) + anacron.read(node, now, tell)
    return found + [job for folder in AT_JOBS for job in atjobs.jobs(node, folder, tell)]


def _cron(node: Node, now: float, tell: Callable[[str], Optional[str]]) -> List[Dict[str, Any]]:
    listing = node.query(["find", SYSTEM_TABS, USER_TABS, "-type", "f"], ok=None)
    # Where cron is not installed the folders are not there.
    amiss = [line for line in listing.stderr.splitlines() if "No such file or directory" not in line]
    if amiss:
        raise NodeError("find does not tell which crontabs there are: %s" % "; ".join(amiss))
    found = []
    for path in [SYSTEM_TAB, *(path for path in listing.stdout.splitlines() if not path.startswith(NO_TABS))]:
        text = node.read_text(path)
        if text is None and path != SYSTEM_TAB:
            raise NodeError("%s is there and cannot be read" % path)
        found += crontab.jobs(text or "", path, not path.startswith(USER_TABS), now, tell)
    return found
