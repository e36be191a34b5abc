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

import base64
import binascii
import calendar
import re
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

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
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_END = re.compile(r"notAfter=([A-Z][a-z]{2}) +(\d+) (\d+):(\d+):(\d+) (\d+) GMT")


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
        "candidate": lambda: {"release": _offered(node), "packages": common.updates(node)},
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
    versions = node.query(["freebsd-version", "-kr"], ok=None).stdout.split() if node.has("freebsd-version") else []
    return {"reboot": versions[0] != versions[1] if len(versions) == 2 else None, "stage": None if stage is None else "stage %s of pfSense-upgrade" % stage}


def _offered(node: Node) -> Optional[str]:
    """The release in the catalogue that the node has; the first answer of the packages that stand for the product."""
    for name in META:
        answer = node.query(["pkg-static", "rquery", "-U", "%v", name], ok=None).stdout.split()
        if answer:
            return answer[0]
    raise NodeError("the catalogue on the node has no package of the product: look for updates in its web interface once, or state the release")


def _certificates(node: Node, reading: Optional[bridge.Reading]) -> List[Dict[str, Any]]:
    """The certificate of the web interface, by which nodes send each other their configuration, and those that signed it."""
    if reading is None:
        raise NodeError("the configuration could not be read")
    found: List[Dict[str, Any]] = []
    reference = reading.values[USED]
    known = [("cert", row) for row in reading.rows("cert").values()] + [("ca", row) for row in reading.rows("ca").values()]
    while reference and len(found) < len(known):
        kind, row = next(((kind, row) for kind, row in known if row.get("refid") == reference), ("", {}))
        if not row:
            break
        found.append({"name": "%s (%s)" % (row.get("descr") or reference, "web interface" if kind == "cert" else "its authority"),
                      "expires": _expires(node, row)})
        reference = row.get("caref") if row.get("caref") != reference else None
    return found


def _expires(node: Node, row: Mapping[str, Any]) -> Optional[float]:
    """When a certificate ends, in seconds since 1970; None when its text is none."""
    try:
        pem = base64.b64decode(row.get("crt") or "", validate=False).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    told = _END.search(node.query(["openssl", "x509", "-noout", "-enddate"], stdin=pem, ok=None).stdout)
    if told is None or told[1] not in _MONTHS:
        return None
    day, hour, minute, second, year = (int(told[number]) for number in (2, 3, 4, 5, 6))
    return float(calendar.timegm((year, _MONTHS.index(told[1]) + 1, day, hour, minute, second, 0, 0, 0)))
