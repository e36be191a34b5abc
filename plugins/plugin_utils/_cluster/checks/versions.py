# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of versions: those of the engine, of the system or product, and whether a node runs what is installed on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import ClusterView, NodeView, Verdict, weigh
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import release

# Where in the evidence the versions of a platform stand; the kernel's of FreeBSD is that which runs, as ``uname -r`` tells it.
_SYSTEM: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "linux": {"kernel": ("kernel",)},
    "pfsense": {"release": ("os", "version"), "edition": ("os", "edition"), "base": ("os", "base")},
    "opnsense": {"release": ("os", "version"), "edition": ("os", "edition"), "base": ("os", "base")},
    "freebsd": {"release": ("os", "version"), "userland": ("os", "userland")},
    "openbsd": {"release": ("os", "version")},
}


def versions_equal(cluster: ClusterView) -> Iterator[Verdict]:
    """All nodes have the same versions of the engine, of the virtual addresses' service, and of the kernel; or of the product and what it is built on."""
    failures: list[str] = []
    unknowns: list[str] = []
    warnings: list[str] = []
    equal: list[str] = []
    if cluster.engine == "conntrackd":
        _packages(cluster, failures, unknowns, warnings, equal)
    for title, path in _SYSTEM[cluster.platform].items():
        values = {node.name: str(node.get(*path)) for node in cluster.nodes if isinstance(node.get(*path), str)}
        unknowns += [node.unknown(f"the {title}", path[0]) for node in cluster.nodes if node.name not in values]
        _compare(title, values, warnings, equal)
    if cluster.platform == "freebsd":
        warnings += [told for node in cluster.nodes for told in _half_way(node)]
    yield Verdict(*weigh(failures, unknowns, warnings, "equal on all nodes: " + ", ".join(equal)))


def _half_way(node: NodeView) -> Iterator[str]:
    """An update that has not been finished. A kernel that is not the userland's understands other settings than ifconfig has."""
    runs, installed, userland = (node.get("os", key) for key in ("version", "installed_kernel", "userland"))
    if isinstance(runs, str) and isinstance(installed, str) and runs != installed:
        yield f"{node.name} runs {runs}, and {installed} is installed: it waits for a reboot"
    if isinstance(runs, str) and isinstance(userland, str) and release(runs) != release(userland):
        yield f"{node.name} has the kernel of {runs} and the userland of {userland}: an upgrade is half done"


def _packages(cluster: ClusterView, failures: list[str], unknowns: list[str], warnings: list[str], equal: list[str]) -> None:
    for name in (["conntrackd"] if cluster.synced else []) + (["keepalived"] if any(node.instances for node in cluster.nodes) else []):
        versions = {}
        for node in cluster.nodes:
            packages = node.area("packages")
            if packages is None or name not in packages:
                unknowns.append(node.unknown(f"the version of {name}", "packages"))
            elif packages[name] is None:
                failures.append(f"{name} is not installed on {node.name}")
            else:
                versions[node.name] = str(packages[name])
        _compare(name, versions, warnings, equal)


def _compare(name: str, versions: Mapping[str, str], warnings: list[str], equal: list[str]) -> None:
    if len(set(versions.values())) > 1:
        warnings.append(f"{name} differs: " + ", ".join(f"{node} has {version}" for node, version in versions.items()))
    elif versions:
        equal.append(f"{name} {next(iter(versions.values()))}")
