# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the Linux families differ in names: packages, files and units, kept as data so that a family is a row and not a branch."""

from __future__ import annotations

import hashlib
import re
import shlex
from typing import Callable, Dict, List, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

LOGICAL_PACKAGES = ("conntrackd", "conntrack", "keepalived", "nftables")


class Family(NamedTuple):
    """Names that a family of distributions uses.

    Attributes:
        name: ``debian`` or ``redhat``.
        packages: logical package name -> the family's package name.
        units: logical service name -> systemd unit.
        conntrackd_conf, keepalived_conf, nftables_conf: configuration files that the units read.
        starts_services: installing a package also enables and starts its services.
        manager: the program that lists installed packages, ``dpkg-query`` or ``rpm``.
    """

    name: str
    packages: Dict[str, str]
    units: Dict[str, str]
    conntrackd_conf: str
    keepalived_conf: str
    nftables_conf: str
    starts_services: bool
    manager: str


_UNITS = {"conntrackd": "conntrackd.service", "keepalived": "keepalived.service", "nftables": "nftables.service"}

# Debian: `apt-file`/`dpkg -L` of bookworm and trixie. RHEL: package conntrack-tools holds both programs; its nftables.service loads /etc/sysconfig.
FAMILIES: Dict[str, Family] = {
    "debian": Family(
        "debian", {name: name for name in LOGICAL_PACKAGES}, _UNITS,
        "/etc/conntrackd/conntrackd.conf", "/etc/keepalived/keepalived.conf", "/etc/nftables.conf", True, "dpkg-query",
    ),
    "redhat": Family(
        "redhat", {"conntrackd": "conntrack-tools", "conntrack": "conntrack-tools", "keepalived": "keepalived", "nftables": "nftables"}, _UNITS,
        "/etc/conntrackd/conntrackd.conf", "/etc/keepalived/keepalived.conf", "/etc/sysconfig/nftables.conf", False, "rpm",
    ),
}
_FAMILY_OF_ID = {"debian": "debian", "ubuntu": "debian", "rhel": "redhat", "fedora": "redhat", "centos": "redhat", "rocky": "redhat", "almalinux": "redhat"}


def os_release(node: Node) -> Dict[str, str]:
    """The keys of os-release(5) (``ID``, ``ID_LIKE``, ``VERSION_ID``, ...); empty when the node has no such file."""
    text = node.read_text("/etc/os-release")
    if text is None:
        text = node.read_text("/usr/lib/os-release") or ""
    values: Dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            values[key] = "".join(shlex.split(value, comments=False)) if value.count('"') % 2 == 0 and value.count("'") % 2 == 0 else value
    return values


def family_of(node: Node) -> Family:
    """The family that os-release names, first by ID, then by ID_LIKE.

    Raises:
        NodeError: the node belongs to no family in :data:`FAMILIES`.
    """
    release = os_release(node)
    for name in [release.get("ID", "")] + release.get("ID_LIKE", "").split():
        if name in _FAMILY_OF_ID:
            return FAMILIES[_FAMILY_OF_ID[name]]
    raise NodeError("/etc/os-release names %s, which is of no known family; known are: %s" % (
        release.get("ID") or "nothing", ", ".join(sorted(_FAMILY_OF_ID))))


def installed_versions(node: Node, family: Optional[Family] = None) -> Dict[str, Optional[str]]:
    """Logical package name -> version as the package manager writes it (``1:1.4.7-1+b2``), or None when it is not installed.

    Raises:
        NodeError: unknown family, or the package manager is absent or fails.
    """
    family = family or family_of(node)
    names: List[str] = sorted(set(family.packages.values()))
    found = _MANAGERS[family.manager](node, names)
    return {logical: found.get(package) for logical, package in family.packages.items()}


def missing_package_error(node: Node, logical: str) -> NodeError:
    """The error for a package that a capability needs and the node does not have."""
    family = family_of(node)
    return NodeError("package %s is not installed on this node; install it first (the roles of this collection do), for example: %s" % (
        family.packages[logical], _INSTALL[family.name] % family.packages[logical]))


def is_package_default(node: Node, logical: str, path: str) -> bool:
    """True when a configuration file still is as its package delivered it: nobody's work is in it. False also when that cannot be told."""
    text = node.read_text(path)
    family = family_of(node)
    listing = node.query(_DIGESTS[family.name] + [family.packages[logical]], ok=None).stdout
    found = re.search(r"^\s*%s ([0-9a-f]{32}|[0-9a-f]{64})\b" % re.escape(path), listing, re.MULTILINE)
    if text is None or not found:
        return False
    try:
        digest = hashlib.new("md5" if len(found.group(1)) == 32 else "sha256")
    except ValueError:  # a machine that forbids MD5
        return False
    digest.update(text.encode("utf-8", "surrogateescape"))
    return digest.hexdigest() == found.group(1)


_DIGESTS = {"debian": ["dpkg-query", "-W", "-f", "${Conffiles}\\n"], "redhat": ["rpm", "-q", "--qf", "[%{FILENAMES} %{FILEDIGESTS}\\n]"]}
_INSTALL = {"debian": "apt-get install %s", "redhat": "dnf install %s"}


def _dpkg(node: Node, names: List[str]) -> Dict[str, str]:
    # Status 1 says that one of the names is unknown to dpkg; the others are listed all the same.
    listing = node.query(["dpkg-query", "-W", "-f", "${Package}\\t${db:Status-Status}\\t${Version}\\n"] + names, ok=(0, 1)).stdout
    rows = [line.split("\t") for line in listing.splitlines()]
    return {row[0]: row[2] for row in rows if len(row) == 3 and row[1] == "installed"}


def _rpm(node: Node, names: List[str]) -> Dict[str, str]:
    # The exit status is the number of names that are not installed.
    listing = node.query(["rpm", "-q", "--qf", "%{NAME}\\t%{VERSION}-%{RELEASE}\\n"] + names, ok=None).stdout
    rows = [line.split("\t") for line in listing.splitlines()]
    return {row[0]: row[1] for row in rows if len(row) == 2}


_MANAGERS: Dict[str, Callable[[Node, List[str]], Dict[str, str]]] = {"dpkg-query": _dpkg, "rpm": _rpm}
