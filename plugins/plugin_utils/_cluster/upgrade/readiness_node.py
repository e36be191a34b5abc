# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readiness of each node by itself: room, quiet, nothing half done, certificates, and a way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import (
    ERROR,
    FAIL,
    PASS,
    SKIPPED,
    WARN,
    NodeView,
    Verdict,
    number,
    weigh,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import PRODUCTS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness_view import AREA, ReadinessView, now, unknown

MEBIBYTE = 1024 * 1024
DAY = 86400


def free_disk(view: ReadinessView) -> Iterator[Verdict]:
    """Every file system that an upgrade writes to has room."""
    for node in view.nodes:
        yield _room(node, view.thresholds)


def _room(node: NodeView, thresholds: Mapping[str, Any]) -> Verdict:
    rows = node.rows(AREA, "disk")
    free = {str(row.get("mount")): number(row.get("free")) for row in rows or []}
    if "/" not in free:
        return Verdict(ERROR, unknown(node, "how much room its disks have", "disk"), node.name)
    failures, unknowns, fine = [], [], []
    for mount, left in free.items():
        # Where /usr is a file system of its own, / has little more than kernels.
        least = thresholds["free_boot_mib" if mount == "/boot" or (mount == "/" and "/usr" in free) else "free_disk_mib"]
        if left is None:
            unknowns.append(unknown(node, f"how much room {mount} has", "disk"))
        elif left < least * MEBIBYTE:
            failures.append(f"{mount} has {left / MEBIBYTE:.0f} MiB free, and {least} are wanted")
        else:
            fine.append(f"{mount} {left / MEBIBYTE:.0f}")
    return Verdict(*weigh(failures, unknowns, [], "MiB free: " + ", ".join(fine)), node.name)


def nothing_running(view: ReadinessView) -> Iterator[Verdict]:
    """No upgrade and no work of a package manager is under way."""
    for node in view.nodes:
        rows = node.rows(AREA, "busy")
        if rows is None:
            yield Verdict(ERROR, unknown(node, "whether an upgrade or a package manager runs", "busy"), node.name)
        elif rows:
            yield Verdict(FAIL, "under way: " + ", ".join(f"{row.get('what')} (process {row.get('pid')})" for row in rows), node.name)
        else:
            yield Verdict(PASS, "no upgrade and no package manager runs", node.name)


def nothing_pending(view: ReadinessView) -> Iterator[Verdict]:
    """No upgrade waits for its next stage or for a reboot."""
    for node in view.nodes:
        reboot, stage = node.flag(AREA, "pending", "reboot"), node.get(AREA, "pending", "stage")
        failures = [f"an upgrade waits for its next stage: {stage}"] if stage is not None else []
        failures += ["what was installed waits for a reboot"] if reboot else []
        unknowns = [unknown(node, "whether something waits for a reboot", "pending")] if reboot is None else []
        yield Verdict(*weigh(failures, unknowns, [], "nothing waits for a reboot"), node.name)


def nothing_unapplied(view: ReadinessView) -> Iterator[Verdict]:
    """No change of the configuration waits to be applied: the boot that an upgrade brings would apply it."""
    for node in view.nodes:
        found = node.texts(AREA, "unapplied")
        failures = [f"changed, and not applied: {', '.join(found)}"] if found else []
        unknowns = [unknown(node, "whether changes wait to be applied", "unapplied")] if found is None else []
        current = view.results("config_current", node.name)
        failures += [result["reason"] for result in current if result["status"] == FAIL]
        unknowns += [result["reason"] for result in current if result["status"] == ERROR]
        yield Verdict(*weigh(failures, unknowns, [], "nothing is marked as changed and not applied"), node.name)


def certificates_valid(view: ReadinessView) -> Iterator[Verdict]:
    """The certificates by which nodes send each other their configuration last longer than the upgrade."""
    if view.cluster.platform not in PRODUCTS:
        yield Verdict(SKIPPED, "this platform sends no configuration from node to node")
        return
    sending = [node for node in view.nodes if node.get("config_sync", "target") or not isinstance(node.get("config_sync"), Mapping)]
    if not sending:
        yield Verdict(SKIPPED, "no node sends its configuration to another")
        return
    for node in view.nodes:
        yield Verdict(*_lasting(node, view.thresholds["certificate_days"]), node.name)


def _lasting(node: NodeView, days: int) -> tuple[str, str]:
    rows, moment = node.rows(AREA, "certificates"), now(node)
    if not rows or moment is None:
        return ERROR, unknown(node, "until when the certificates of its web interface are valid", "certificates")
    failures, unknowns, warnings = [], [], []
    for row in rows:
        expires = number(row.get("expires"))
        if expires is None:
            unknowns.append(f"until when {row.get('name')} is valid is not known")
        elif expires <= moment:
            failures.append(f"{row.get('name')} has expired {(moment - expires) / DAY:.0f} days ago")
        elif expires < moment + days * DAY:
            warnings.append(f"{row.get('name')} expires in {(expires - moment) / DAY:.0f} days")
    return weigh(failures, unknowns, warnings, f"valid for {days} days at least: {', '.join(str(row.get('name')) for row in rows)}")


def way_back(view: ReadinessView) -> Iterator[Verdict]:
    """There is a boot environment or a snapshot to go back to."""
    for node in view.nodes:
        yield Verdict(*_back(node, view.thresholds), node.name)


def _back(node: NodeView, thresholds: Mapping[str, Any]) -> tuple[str, str]:
    if thresholds["way_back_outside"]:
        return PASS, "there is a way back outside of the node, as upgrade_check_thresholds.way_back_outside says"
    kind, available = node.get(AREA, "way_back", "kind"), node.flag(AREA, "way_back", "available")
    if available is None:
        return ERROR, unknown(node, "whether there is a boot environment or a snapshot", "way_back")
    if not available:
        remedy = "make one now" if kind else ("the node has no means to make one: take a snapshot of the machine or an image of its disk, and set "
                                              "upgrade_check_thresholds.way_back_outside")
        return FAIL, f"there is no {kind or 'boot environment or snapshot'} to go back to; {remedy}"
    names, made, moment = node.texts(AREA, "way_back", "names") or [], node.number(AREA, "way_back", "newest"), now(node)
    said = f"{kind}: {', '.join(names)}"
    if made is None or moment is None:
        return WARN, f"{said}; when it was made is not known"
    age = (moment - made) / DAY
    return (WARN, f"{said}; the newest is {age:.0f} days old: make one now") if age > thresholds["way_back_days"] else (PASS, said)
