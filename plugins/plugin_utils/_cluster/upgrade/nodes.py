# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One node at one stage of an upgrade: the release that it has there, and the format of messages that it sends. Evidence beats the table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import ClusterView, NodeView
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.watch import newest_format
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.facts import Evidence
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.intent import MODES
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.binding import Binding, binding
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import PRODUCTS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.pfsync_rows import FORMATS, OLDEST_FORMAT
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.releases import edition, knowledge
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import Row

# In place of a release: what the node itself would install.
CANDIDATE = "candidate"
_CHOOSING = ("freebsd", "opnsense", "pfsense")


@dataclass(frozen=True)
class Side:
    """A node as the judgement of compatibility takes it.

    Attributes:
        host: its inventory name.
        platform: as the table has it; pfSense has two, by its edition.
        release: that of the system or product; of Linux the version of conntrack-tools; None is unknown.
        emits: the format that it is known to send, by evidence or because it is pinned; None leaves it to the table.
        understands: the formats that its evidence shows that it understands; None leaves it to the table.
        upgraded: whether it has the release that it is to have.
        kernel, mode: of Linux, as far as they are known.
    """

    host: str
    platform: str
    release: str | None
    emits: int | None
    understands: tuple[int, ...] | None
    upgraded: bool
    kernel: str | None = None
    mode: str | None = None

    def asked(self) -> dict[str, Any]:
        """The node for the judgement of compatibility."""
        return {"platform": self.platform, "release": self.release, "emits": self.emits, "understands": self.understands, "kernel": self.kernel,
                "mode": self.mode}

    @property
    def row(self) -> Row:
        """What the table says of its release; nothing where that is not known, or is none."""
        return row_of(self.platform, self.release)

    @property
    def sends(self) -> int | None:
        """The format that it sends, by evidence or else by the table; None is unknown."""
        return self.emits if self.emits is not None else self.row.emits

    @property
    def reads(self) -> tuple[int, ...]:
        """The formats that it is known to understand, the oldest first."""
        return self.understands or self.row.understands or ()

    def pinned(self, version: int) -> Side:
        """The same node, made to send this format."""
        return replace(self, emits=version)


@lru_cache(maxsize=4096)
def row_of(platform: str, release: str | None) -> Row:
    """What the table says of a release, which a node may have written as it likes."""
    try:
        return knowledge(platform, release or "")
    except ValueError:
        return Row(platform, release or "")


def row_with(node: NodeView, release: str | None) -> Row:
    """What the table says of a release of the node's platform."""
    return row_of(_platform(node, release), release)


def current(cluster: ClusterView, node: NodeView) -> Side:
    """The node as it is now. What was seen of it on the Sync network beats what it says of itself, and that beats the table."""
    version = release_now(node)
    platform = _platform(node, version)
    if node.platform not in _CHOOSING:
        return Side(node.name, platform, version, None, None, False, _text(node.get("kernel")) if platform == "linux" else None, _mode(node))
    emits, understands = _shown(node, platform, version)
    seen = newest_format(cluster, node)
    if seen in FORMATS and (emits is None or seen > emits):
        emits, understands = seen, None
    return Side(node.name, platform, version, emits, understands, upgraded=False)


def upgraded(cluster: ClusterView, node: NodeView, target: str | None) -> Side:
    """The node with its next release. What is pinned in its configuration stays pinned; what was set by hand is gone with the boot."""
    if runs(node, target):
        return replace(current(cluster, node), upgraded=True)
    platform = _platform(node, target)
    if node.platform not in _CHOOSING:
        return Side(node.name, platform, target, None, None, upgraded=True, mode=_mode(node))
    emits, understands = _of_twin(cluster, node, platform, target)
    kept, known = node.get("engine", "pinned"), understands or row_of(platform, target).understands
    # Of a kernel that nobody knows it is not known either whether it sends the format that is stored for it.
    if kept in FORMATS and known is not None and kept in known:
        emits = kept
    return Side(node.name, platform, target, emits, understands, upgraded=True)


def _of_twin(cluster: ClusterView, node: NodeView, platform: str, target: str | None) -> tuple[int | None, tuple[int, ...] | None]:
    """What a member that runs the release already shows of its kernel: this node is going to have the same."""
    twin = next((other for other in cluster.nodes if other is not node and runs(other, target)), None)
    if twin is None or twin.get("engine", "pinned") is not None:
        return None, None
    return _shown(twin, platform, target)


def release_now(node: NodeView) -> str | None:
    """The release that the node runs."""
    return _text(node.get("packages", "conntrackd") if node.platform == "linux" else node.get("os", "version"))


def runs(node: NodeView, release: str | None) -> bool:
    """Whether the node runs a release, or a later revision of that one: ``26.1.4_1`` (OPNsense), ``14.2-RELEASE-p1`` (FreeBSD), ``1:1.4.8-1`` (Debian).

    A patch of FreeBSD's userland alone leaves the kernel what it was.
    """
    return running(node, release) is not None


def running(node: NodeView, release: str | None) -> str | None:
    """What the node says of itself by which it runs a release; None when it does not."""
    if release is None:
        return None
    # Behind a revision of Debian's or Fedora's what they add to it; what follows ~ is older.
    of_package = r"(?:[-+.][^\s~]*)?" if "-" in release else r"(?:-\S+)?"
    later = re.compile(r"(?:\d+:)?" + re.escape(release) + (of_package if node.platform == "linux" else r"(?:-RELEASE)?(?:_\d+|-p\d+)?"))
    now, userland = release_now(node) or "", _text(node.get("os", "userland")) or ""
    patched = node.platform == "freebsd" and node.get("os", "installed_kernel") == now and userland.partition("-")[0] == now.partition("-")[0]
    return next((text for text in (now, userland if patched else "") if later.fullmatch(text)), None)


def target_of(node: NodeView, wanted: str) -> str | None:
    """The release that the node is to get; None when that is what it would install, and that is not known.

    Raises:
        ValueError: what is wanted is no release of the platform; it says what to give.
    """
    if wanted != CANDIDATE:
        knowledge(_platform(node, wanted), wanted)
        return wanted.strip()
    if node.platform != "linux":
        return _text(node.get("readiness", CANDIDATE, "release"))
    packages = node.get("readiness", CANDIDATE, "packages")
    # Of packages only those are told that would change.
    return _text(packages.get("conntrackd", release_now(node))) if isinstance(packages, Mapping) else None


def order(cluster: ClusterView) -> list[NodeView]:
    """The nodes in the order in which they are upgraded: the standby first, the active one last; where nobody knows, the secondary first."""
    return sorted(cluster.nodes, key=lambda node: (node.active, node.plan.get("role") == "primary"))


def binding_of(node: NodeView, side: Side) -> Binding:
    """Whether the states that the node makes at this stage name an interface. A policy that is only the release's default goes with the release."""
    stated = node.sync.get("state_policy")
    evidence: Mapping[str, Any] = node.evidence
    if side.upgraded and side.release != release_now(node):
        system = evidence.get("os")
        evidence = {**evidence, "os": {**(system if isinstance(system, Mapping) else {}), "version": side.release}}
        if evidence.get("state_policy_from") == "default" and node.platform in PRODUCTS:
            evidence["state_policy"] = None
    return binding(node.platform, Evidence(evidence), stated if isinstance(stated, str) else None)


def _platform(node: NodeView, version: str | None) -> str:
    if node.platform == "pfsense" and version is None and node.get("os", "edition") == "Plus":
        return "pfsense-plus"
    return edition(node.platform, version)


def _mode(node: NodeView) -> str | None:
    mode = node.get("engine", "config", "mode")
    return mode if node.platform == "linux" and mode in MODES else None


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _shown(node: NodeView, platform: str, version: str | None) -> tuple[int | None, tuple[int, ...] | None]:
    """The format that the node sends now, and what that tells of those that it understands.

    A kernel that shows no format has no choice of them and understands the oldest alone. One that shows a format which nobody has set understands that and
    all older ones, and no newer. One that was set to an older format may understand more.
    """
    config = node.get("engine", "config")
    if not isinstance(config, Mapping):
        return None, None
    shown, known = config.get("version"), row_of(platform, version).understands
    if shown is None:
        # Those from before formats came have none of them.
        return (OLDEST_FORMAT, (OLDEST_FORMAT,)) if known is None or OLDEST_FORMAT in known else (None, None)
    if isinstance(shown, bool) or shown not in FORMATS:
        return None, None
    if known is not None and shown in known:
        return shown, None
    by_itself = shown != OLDEST_FORMAT and node.get("engine", "pinned") is None
    return shown, tuple(one for one in FORMATS if one <= shown) if by_itself or known is not None else None
