# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All packages of a Linux node: what is installed, what is half installed, and what an upgrade from the lists on the node would bring. Nothing is fetched.

Sources: dpkg-query(1), apt-get(8) (-s simulates, and with NoLocking takes no lock), apt-cache(8), dnf(8) (-C uses the
cache alone; status 100: there are updates). Of dnf's answers none was seen.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import readiness
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import facts
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

TIMEOUT = 90.0  # seconds; a slow node takes long to solve what it would install
_INSTALL = re.compile(r"Inst (?P<name>\S+) (?:\[[^\]]*\] )?\((?P<version>\S+)")
_ORIGIN = re.compile(r"^ +release (?P<fields>.*\bo=.*)$", re.MULTILINE)
_NEWER = re.compile(r"(?P<name>\S+)\.[a-z0-9_]+ +(?P<version>\d\S*) +\S+")


class Installed(NamedTuple):
    """What the package manager lists.

    Attributes:
        versions: of what is installed, by name.
        half: names of packages that were begun and not ended.
    """

    versions: Dict[str, str]
    half: List[str]


def installed(node: Node) -> Installed:
    """All packages.

    Raises:
        NodeError: unknown family, or the package manager is absent or fails.
    """
    if facts.family_of(node).manager == "rpm":
        rows = [line.split("\t") for line in node.query(["rpm", "-qa", "--qf", "%{NAME}\\t%{VERSION}-%{RELEASE}\\n"], timeout=TIMEOUT).stdout.splitlines()]
        return Installed({row[0]: row[1] for row in rows if len(row) == 2 and row[0] != "gpg-pubkey"}, [])
    listing = node.query(["dpkg-query", "-W", "-f", "${Package}\\t${db:Status-Status}\\t${Version}\\n"], timeout=TIMEOUT).stdout
    found = [row for row in (line.split("\t") for line in listing.splitlines()) if len(row) == 3]
    return Installed({row[0]: row[2] for row in found if row[1] in ("installed", "triggers-pending", "triggers-awaited")},
                     [row[0] for row in found if row[1] in ("half-installed", "unpacked", "half-configured")])


def candidate(node: Node) -> Dict[str, Any]:
    """What an upgrade from the lists on the node would bring: the ``release`` that they are of, and the ``packages`` with their new versions.

    Raises:
        NodeError: the package manager is absent or fails.
    """
    os_id = facts.os_release(node)
    if facts.family_of(node).manager == "rpm":
        told = node.query(["dnf", "-C", "-q", "check-update"], ok=(0, 100), timeout=TIMEOUT).stdout
        newer = {found["name"]: found["version"] for found in map(_NEWER.fullmatch, told.splitlines()) if found}
        return {"release": os_id.get("VERSION_ID"), "packages": newer}
    simulated = node.query(["apt-get", "-s", "-q", "-o", "Debug::NoLocking=true", "dist-upgrade"], timeout=TIMEOUT).stdout
    packages = {found["name"]: found["version"] for found in map(_INSTALL.match, simulated.splitlines()) if found}
    return {"release": offered(node.query(["apt-cache", "policy"], timeout=TIMEOUT).stdout, os_id.get("ID", "")), "packages": packages}


def offered(policy: str, distribution: str) -> str:
    """The newest release of this distribution in the lists: ``v=`` of what has it as its origin (``o=``).

    Raises:
        NodeError: there is none.
    """
    rows = [dict(pair.split("=", 1) for pair in found["fields"].split(",") if "=" in pair) for found in _ORIGIN.finditer(policy)]
    releases = {row["v"] for row in rows if row.get("o", "").lower() == distribution and re.fullmatch(r"[0-9.]+", row.get("v", ""))}
    if not releases:
        raise NodeError("the package lists on the node are of no release of %s: run apt-get update on it" % (distribution or "its system"))
    return max(releases, key=readiness.numbers)


def newer_kernel(names: List[str], runs: str) -> Optional[str]:
    """Of the kernels in /boot, the newest of the flavour that runs, if it is newer; None when none is.

    Args:
        names: of files in /boot.
        runs: the running kernel's release, as ``6.1.0-28-amd64`` or ``5.14.0-503.el9.x86_64``.
    """
    flavour = re.sub(r"[\d.]+", "0", runs)
    kernels = [name[len("vmlinuz-"):] for name in names if name.startswith("vmlinuz-")]
    alike = [kernel for kernel in kernels if re.sub(r"[\d.]+", "0", kernel) == flavour]
    newest = max(alike, key=readiness.numbers) if alike else None
    return newest if newest is not None and readiness.numbers(newest) > readiness.numbers(runs) else None
