# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What FreeBSD, pfSense and OpenBSD share of the evidence ``readiness``: crontabs, packages, boot environments, processes."""

from __future__ import annotations

import base64
import binascii
import calendar
import re
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import crontab, readiness
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import sysctl
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

# cron(8): the system's table has a column with the user, those of users have none.
SYSTEM_TAB, USER_TABS = "/etc/crontab", "/var/cron/tabs"
# FreeBSD's usr.bin/at; they are run by atrun(8), which cron starts.
AT_JOBS = "/var/at/jobs"
PROCESSES = ("ps", "-axo", "pid=,command=")
KERNEL, OLD_KERNEL = "/boot/kernel/kernel", "/boot/kernel.old/kernel"
PKG_TIMEOUT = 60.0  # seconds; it compares all that is installed
_UPDATE = re.compile(r"(?P<name>\S+)-(?P<version>[^-\s]+)\s+<\s+needs updating \(\S+ has (?P<new>[^)\s]+)\)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_END = re.compile(r"notAfter=([A-Z][a-z]{2}) +(\d+) (\d+):(\d+):(\d+) (\d+) GMT")  # openssl-x509(1)


def busy(node: Node, programs: Sequence[str]) -> List[Dict[str, Any]]:
    """Which of these programs run."""
    return readiness.busy(node.query(PROCESSES).stdout, programs)


def jobs(node: Node, tabs: Mapping[str, bool], now: float, tell: Callable[[str], Optional[str]] = crontab.told) -> List[Dict[str, Any]]:
    """The jobs of crontabs: by path, whether they have a column with the user. Those that are not there have none. ``tell`` says what a command runs."""
    return [job for path, has_user in tabs.items() for job in crontab.jobs(node.read_text(path) or "", path, has_user, now, tell)]


def pending(node: Node, stage: Optional[str]) -> Dict[str, Any]:
    """Whether the next boot brings another system.

    Args:
        stage: of an upgrade that was begun and not ended, or None.
    Returns:
        ``reboot``: another kernel is installed than runs; None when it is not known. ``stage``: the one given, else another boot environment that is next.
    """
    comes = None if stage is not None else _environment_to_come(node)
    return {"reboot": _kernel_waits(node), "stage": stage if comes is None else "the next boot starts boot environment %s" % comes}


def _environment_to_come(node: Node) -> Optional[str]:
    """The boot environment of the next boot (R, or once alone T), where it is not the one that runs (N)."""
    rows = _environments(node)
    once = [row[0] for row in rows if "T" in row[1]]
    return next((name for name in once or [row[0] for row in rows if "R" in row[1]] if ("N" not in dict(row[:2] for row in rows)[name])), None)


def _kernel_waits(node: Node) -> Optional[bool]:
    """Whether a kernel is installed that does not run; None when it is not known.

    A new kernel may be called what the running one is called (OPNsense's sets of one patch level, pfSense's of one base system, a kernel of one's own). All
    that install one write its file anew (opnsense-update, pkg, freebsd-update, installkernel; the last also makes kern.bootfile the old one). Others change
    the file's state too, a backup by hard links among them (freebsd-update, with each patch), so then its own words are compared: newvers.sh puts one line
    into the file, for what(1), and into kern.version. The time of its contents would not do, for archives keep that of the build.
    """
    releases = node.query(["freebsd-version", "-kr"], ok=None).stdout.split() if node.has("freebsd-version") else []
    if len(releases) != 2 or releases[0] != releases[1]:
        return True if len(releases) == 2 else None
    kernel = sysctl.parse(node.query(["sysctl", "kern.boottime", "kern.bootfile"], ok=None).stdout)
    booted, runs = sysctl.boot_id(kernel), kernel.get("kern.bootfile") or KERNEL
    comes = KERNEL if runs == OLD_KERNEL else runs
    told = node.query(["stat", "-f", "%c", comes], ok=None).stdout.strip()
    if booted is None or not told.isdigit():
        return None
    if comes == runs and int(told) <= int(booted):
        return False
    version = node.query(["sysctl", "-n", "kern.version"], ok=None).stdout.strip().splitlines()[:1]
    words = [line.strip() for line in node.query(["what", "-q", comes], ok=None).stdout.splitlines()] if node.has("what") else []
    return version[0] not in words if version and words else None


def packages(node: Node) -> Dict[str, str]:
    """Installed packages with their versions. Without pkg-static pkg(7) was never installed, and nothing by it; ``pkg`` itself would install it now."""
    if not node.has("pkg-static"):
        return {}
    rows = [line.split("\t") for line in node.query(["pkg-static", "query", "%n\t%v"], timeout=PKG_TIMEOUT).stdout.splitlines()]
    return {row[0]: row[1] for row in rows if len(row) == 2}


def updates(node: Node) -> Dict[str, str]:
    """Packages that the catalogue on the node has newer versions of: -U, so that it is not fetched again.

    Raises:
        NodeError: there is no catalogue.
    """
    if not node.has("pkg-static"):
        return {}
    told = node.query(["pkg-static", "version", "-U", "-R", "-v", "-l", "<"], timeout=PKG_TIMEOUT).stdout
    return {found["name"]: found["new"] for found in map(_UPDATE.match, told.splitlines()) if found}


def offered(node: Node, names: Sequence[str]) -> str:
    """The release of a product in the catalogue that the node has: the first answer of the packages that stand for it.

    Raises:
        NodeError: there is none of them.
    """
    for name in names:
        answer = node.query(["pkg-static", "rquery", "-U", "%v", name], ok=None).stdout.split()
        if answer:
            return answer[0]
    raise NodeError("the catalogue on the node has no package of the product: look for updates in its web interface once, or state the release")


def certificates(node: Node, reference: Optional[str], certs: Sequence[Mapping[str, Any]], authorities: Sequence[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """The certificate that a product's web interface uses, and those that signed it: ``{"name", "expires"}``, the last in seconds since 1970.

    Args:
        reference: ``refid`` of the first; None for none.
        certs, authorities: each with ``refid``, ``caref`` of the one that signed it, ``crt`` (PEM in base64) and ``descr``.
    """
    found: List[Dict[str, Any]] = []
    known = [("web interface", row) for row in certs] + [("its authority", row) for row in authorities]
    while reference and len(found) < len(known):
        what, row = next(((what, row) for what, row in known if row.get("refid") == reference), ("", {}))
        if not row:
            break
        found.append({"name": "%s (%s)" % (row.get("descr") or reference, what), "expires": _expires(node, row)})
        reference = row.get("caref") if row.get("caref") != reference else None
    return found


def _expires(node: Node, row: Mapping[str, Any]) -> Optional[float]:
    """When a certificate ends; None when its text is none."""
    try:
        pem = base64.b64decode(row.get("crt") or "", validate=False).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    told = _END.search(node.query(["openssl", "x509", "-noout", "-enddate"], stdin=pem, ok=None).stdout)
    if told is None or told[1] not in _MONTHS:
        return None
    day, hour, minute, second, year = (int(told[number]) for number in (2, 3, 4, 5, 6))
    return float(calendar.timegm((year, _MONTHS.index(told[1]) + 1, day, hour, minute, second, 0, 0, 0)))


def way_back(node: Node) -> Dict[str, Any]:
    """Boot environments beside the one that runs. bectl(8) fails where the system is not on ZFS, and there are none then.

    Returns:
        ``kind``, ``available``, ``names``, and when the ``newest`` was made, in seconds since 1970.
    """
    rows = _environments(node)
    if not rows:
        return {"kind": None, "available": False, "names": [], "newest": None}
    others = [row for row in rows if "N" not in row[1]]
    made = [moment for moment in (_moment(row[4]) for row in others) if moment is not None]
    return {"kind": "boot environment", "available": bool(others), "names": [row[0] for row in others], "newest": max(made) if made else None}


def _environments(node: Node) -> List[List[str]]:
    """Name, flags, where it is mounted, its size and when it was made, of each; none where the system is not on ZFS."""
    answer = node.query(["bectl", "list", "-H"], ok=None) if node.has("bectl") else None
    rows = [] if answer is None or answer.status != 0 else [line.split("\t") for line in answer.stdout.splitlines()]
    return [row for row in rows if len(row) == 5]


def _moment(text: str) -> Optional[float]:
    """A date as bectl prints it, by the node's own zone."""
    try:
        return time.mktime(time.strptime(text.strip(), "%Y-%m-%d %H:%M"))
    except ValueError:
        return None
