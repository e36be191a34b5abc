# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``readiness`` of a pfSense node.

``pfSense-upgrade -c`` is not used: it sets flags of packages, writes pkg.conf, removes the last log, and may upgrade the repository's package first
(sysutils/pfSense-upgrade, abi_setup and check_upgrade). What it compares, the catalogue that the node has, is read by pkg-static instead.

Sources: sysutils/pfSense-upgrade (next_stage, a note on the kernel's package; its pid file), util.inc (NAME.dirty in /var/run marks changes that were saved and
not applied), openssl-x509(1), bectl(8). Of the programs' answers none was seen on this product.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import clocks, readiness
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import readiness as common
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge

PLACES = ("/", "/usr", "/usr/local", "/var", "/cf", "/boot")
PROGRAMS = ("pfSense-upgrade", "pkg", "pkg-static", "pfSense-repoc", "freebsd-update")
# Never the private keys (prv) that are beside the certificates.
USED = ("system", "webgui", "ssl-certref")
PATHS: Sequence[bridge.Path] = (USED, *((kind, "*", field) for kind in ("cert", "ca") for field in ("refid", "caref", "crt", "descr")))
RUN = "/var/run"
META = ("pfSense", "pfSense-vmware")
TABS = {common.SYSTEM_TAB: True, "/var/cron/tabs/root": False}


def collect(node: Node, areas: Areas, reading: Optional[bridge.Reading]) -> Dict[str, Any]:
    """All of it.

    Args:
        reading: the configuration, with :data:`PATHS`; None when it could not be read.
    """
    now = time.time()
    readers: Dict[str, Callable[[], Any]] = {
        "disk": lambda: readiness.disks(node, PLACES),
        "clock": lambda: clocks.read(node, ("ntpd",)),
        "busy": lambda: common.busy(node, PROGRAMS),
        "pending": lambda: _pending(node),
        "unapplied": lambda: sorted(name[:-len(".dirty")] for name in node.query(["ls", RUN]).stdout.splitlines() if name.endswith(".dirty")),
        "certificates": lambda: _certificates(node, reading),
        "jobs": lambda: common.jobs(node, TABS, now),
        "packages": lambda: common.packages(node),
        "candidate": lambda: {"release": common.offered(node, META), "packages": common.updates(node)},
        "way_back": lambda: common.way_back(node),
    }
    return readiness.collect(areas, readers)


def _pending(node: Node) -> Dict[str, Any]:
    """The stage that the last upgrade has still to go through, and whether another kernel is installed than runs."""
    kernels = node.query(["pkg-static", "query", "-g", "%n", "pfSense-kernel-*"]).stdout.split()
    if not kernels:
        raise NodeError("no package of a kernel is installed, so whether an upgrade waits for its next stage is not known")
    stages = [node.query(["pkg-static", "annotate", "-q", "-S", kernel, "next_stage"], ok=None).stdout.strip() for kernel in kernels]
    stage = next((one for one in stages if one), None)
    return common.pending(node, None if stage is None else "stage %s of pfSense-upgrade" % stage)


def _certificates(node: Node, reading: Optional[bridge.Reading]) -> List[Dict[str, Any]]:
    """The certificate of the web interface, by which nodes send each other their configuration, and those that signed it."""
    if reading is None:
        raise NodeError("the configuration could not be read")
    return common.certificates(node, reading.values[USED], list(reading.rows("cert").values()), list(reading.rows("ca").values()))
