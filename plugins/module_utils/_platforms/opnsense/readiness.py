# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``readiness`` of an OPNsense node.

No program of the product is asked whether there is something to upgrade: all of them fetch catalogues, and may upgrade the package manager (scripts/firmware).
Sources: opnsense/core and opnsense/update, 23.7 to 26.7: firmware/launcher.sh and config.sh, opnsense-update.sh.in, rc.syshook.d/early/05-upgrade, util.inc,
system.inc and the templates of cron. Of the programs' answers none was seen on this product.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import atjobs, clocks, readiness, run_parts
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import readiness as common
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.config import Config
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.release import Release

PLACES = ("/", "/usr", "/usr/local", "/var", "/conf", "/boot", "/tmp")
# The product's own upgrades are scripts that launcher.sh starts.
PROGRAMS = ("opnsense-update", "opnsense-bootstrap", "launcher.sh", "rc.firmware", "pkg", "pkg-static", "freebsd-update")
STAGES = "/var/cache/opnsense-update"
# Where marks of what was saved and not applied are: the second since 26.7.2 (commit 76e92c00af). What waits for interfaces has files of its own.
MARKS = ("/tmp/*.dirty", "/var/lib/php/tmp/*.dirty", "/tmp/.interfaces.apply", "/tmp/.*.todo", "/tmp/delete_*.todo")
TABS = {common.SYSTEM_TAB: True, "/var/cron/tabs/root": False, "/var/cron/tabs/nobody": False}
FOLDERS = ("/etc/cron.d/*", "/usr/local/etc/cron.d/*")


def collect(node: Node, areas: Areas, config: Optional[Config], release: Release) -> Dict[str, Any]:
    """All of it; ``config`` is None when it could not be read."""
    now = time.time()
    readers: Dict[str, Callable[[], Any]] = {
        "disk": lambda: readiness.disks(node, PLACES),
        "clock": lambda: clocks.read(node, ("ntpd", "chrony")),
        "busy": lambda: common.busy(node, PROGRAMS),
        "pending": lambda: _pending(node),
        "unapplied": lambda: sorted({_name(path) for pattern in MARKS for path in node.find_files(pattern)}),
        "certificates": lambda: _certificates(node, config),
        "jobs": lambda: _jobs(node, now),
        "packages": lambda: common.packages(node),
        "candidate": lambda: {"release": common.offered(node, (release.name,)), "packages": common.updates(node)},
        "way_back": lambda: common.way_back(node),
    }
    return readiness.collect(areas, readers)


def _jobs(node: Node, now: float) -> List[Dict[str, Any]]:
    """The product writes root's and nobody's crontab; a person may have added others."""
    tell = run_parts.Telling(node)
    tabs = dict(TABS, **{path: True for pattern in FOLDERS for path in node.find_files(pattern)})
    return common.jobs(node, tabs, now, tell) + atjobs.jobs(node, common.AT_JOBS, tell)


def _pending(node: Node) -> Dict[str, Any]:
    """What an upgrade has put aside for the next boots, and whether another kernel is installed than runs."""
    stages = [path.rsplit("/", 1)[-1].split(".")[1] for path in node.find_files(STAGES + "/.*.pending")]
    return common.pending(node, "%s of opnsense-update" % ", ".join(sorted(stages)) if stages else None)


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1].strip(".").partition(".")[0]


def _certificates(node: Node, config: Optional[Config]) -> List[Dict[str, Any]]:
    """The certificate of the web interface, by which nodes send each other their configuration, and those that signed it."""
    if config is None:
        raise NodeError("the configuration could not be read")
    return common.certificates(node, config.text("system/webgui/ssl-certref"), config.rows("cert"), config.rows("ca"))
