# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence of a pfSense node from what it said to one command. Pure; the parsers are those of the modules, and what was not asked is not known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas, result
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp, devices, netstat, sysctl
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import carp_config, engine, info
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import Release, parse
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._raw import excerpt, pseudo
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._raw.conversation import FILES, NOT_ASKED, Transcript

RAW = "raw"
_UNASKED = ("pass_rule", "state_rules", "management", "references", "segment", "traffic", "watch", "readiness")


def release_of(node: Transcript) -> Release:
    """The node's release, however old.

    Raises:
        NodeError: the node is no pfSense, or it cannot be told.
    """
    version = node.read_text(FILES["version"])
    if not node.is_pfsense or version is None:
        raise NodeError("this node is no pfSense by its /etc/platform and /etc/version; only pfSense can be read without Python")
    release = parse(version, node.read_text(FILES["patch"]) or "")
    if release is None:
        raise NodeError(f"/etc/version says {version.strip()[:80]!r}, which is no release of pfSense that this collection knows")
    return release


def collect(node: Transcript, release: Release, sample: bool, readiness: bool = False) -> dict[str, Any]:
    """All of it, as the module node_info returns it; ``sample`` is that somebody wants to know who is on the Sync segment, and ``readiness`` whether the node
    is fit for an upgrade, which both cannot be told."""
    areas = Areas()
    kernel = areas.read("kernel", lambda: sysctl.parse(node.query(["sysctl", *info.KERNEL], ok=None).stdout)) or {}
    reading = areas.read("config", lambda: excerpt.reading(node.query(["config"], ok=None).stdout, release))
    assigned = {} if reading is None else reading.rows("interfaces")
    evidence = info.outline(release, kernel, reading, areas.read("collected_at", lambda: float(node.query(["date", "+%s"]).stdout)))
    evidence["collected_by"] = RAW
    found = areas.read("interfaces", lambda: devices.links(node))
    virtual = None if found is None else areas.read("vrrp", lambda: pseudo.resolved(carp.running(node), found, reading))
    running, links = virtual or ([], found or {})
    # Where one virtual address cannot be placed, which ones there are is not known.
    evidence["vrrp"] = None if virtual is None else areas.observe("vrrp", lambda: carp_config.observe(running, kernel, reading))
    own = {key: row.get("if") for key, row in assigned.items()}
    evidence["engine"] = areas.observe("engine", lambda: engine.observe(node, release, links, reading, own, _counters))
    evidence["interfaces"] = None if found is None else areas.read("interfaces", lambda: devices.rows(links, devices.counters(node), assigned))
    evidence.update(dict.fromkeys(_UNASKED))
    unwanted = (() if sample else ("segment", "traffic", "watch")) + (() if readiness else ("readiness",))
    unasked = [area for area in _UNASKED if area not in unwanted]
    evidence["errors"] = areas.errors + [{"area": area, "reason": NOT_ASKED} for area in unasked] + _silent(evidence)
    return result(evidence)


def _counters(node: Any) -> dict[str, Any] | None:
    return netstat.pfsync_told(node.query(["netstat", "-s", "-p", "pfsync"]).stdout)


def _silent(evidence: Mapping[str, Any]) -> list[dict[str, str]]:
    """What this release's own programs do not tell."""
    silent = []
    if evidence["kernel"] is None:
        silent.append({"area": "os", "reason": "the kernel does not tell kern.osrelease"})
    found = evidence["engine"] or {}
    if found.get("running") and found.get("synced") is None:
        silent.append({"area": "engine", "reason": "this release does not tell whether the states of the others have come (syncok)"})
    return silent
