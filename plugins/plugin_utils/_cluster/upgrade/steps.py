# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to do, in order: the steps without which an upgrade would drop connections, within the run of a rolling upgrade."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import ClusterView, NodeView
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import DRIVEN
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.pfsync_rows import FORMATS, OLDEST_FORMAT
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.nodes import order, release_now, row_with, running
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.stages import BOTH, NOW, YES, stage_id

PLAYBOOK = "ansible-playbook hafirewall.cluster."
_SITE = PLAYBOOK + "site"
_MAINTENANCE = PLAYBOOK + "maintenance"
# What cannot be had where this collection changes nothing.
_CHANGING = (_SITE, _MAINTENANCE)
# How a person has a node install its next release; the manual pages of these programs.
_APT = ("apt-get update", "apt-cache policy conntrackd   # the candidate is to be {release}: if it is not, name the next release in /etc/apt first",
        "apt-get full-upgrade", "systemctl reboot")
_DNF = ("dnf list --showduplicates conntrack-tools   # {release} is to be there: if it is not, name the next release of the system first",
        "dnf upgrade --refresh", "systemctl reboot")
# freebsd-update(8): patches of a release come by fetch, for -r takes a release.
_PATCH = ("freebsd-update fetch", "freebsd-update install", "shutdown -r now")
_ANY_LINUX = ("# install conntrack-tools {release} by the system's own package manager, and reboot",)
_UPGRADE = {
    "freebsd": ("freebsd-update -r {release} upgrade", "freebsd-update install", "shutdown -r now", "freebsd-update install"),
    "openbsd": ("sysupgrade",),
    "opnsense": ("# System: Firmware: Status: Check for updates, then to {release}; for another series from the console: there is no web interface meanwhile",),
    "pfsense": ("pfSense-upgrade -d -y",),
    "debian": _APT,
    "ubuntu": _APT,
    **dict.fromkeys(("almalinux", "centos", "fedora", "ol", "rhel", "rocky"), _DNF),
}
_RELEASED = re.compile(r"(?P<numbers>\d+\.\d+)(?:-RELEASE)?(?:-p\d+)?")
# The same settings by hand, for one node.
_PIN = {
    "freebsd": ("vi /etc/rc.conf   # add to pfsync_ifconfig: version {format}", "ifconfig pfsync0 version {format}"),
    "opnsense": ("# System: High Availability: Settings: Sync compatibility: {format}, Apply; on each node, for it is not sent",),
    "pfsense": ("/sbin/ifconfig pfsync0 version {format}   # again after each boot",),
}
# Version 0 is the kernel's own; measured on FreeBSD 14.2.
_UNPIN = {
    "freebsd": ("vi /etc/rc.conf   # take out of pfsync_ifconfig: version {format}", "ifconfig pfsync0 version 0"),
    "opnsense": ("# System: High Availability: Settings: Sync compatibility: the newest, Apply; on each node, for it is not sent",),
    "pfsense": ("/sbin/ifconfig pfsync0 version 0",),
}
# Where this collection does not put a node into maintenance. The mode survives a reboot.
_REST = {"opnsense": {"enter": "# Interfaces: Virtual IPs: Status: Enter Persistent CARP Maintenance Mode",
                      "leave": "# Interfaces: Virtual IPs: Status: Leave Persistent CARP Maintenance Mode"}}


class Runbook:
    """Collects steps in their order.

    A step is ``{"number", "stage", "node" (or None), "title", "why", "variables" (of the inventory, or None), "commands", "by_hand", "required"}``: what
    is required is what this upgrade needs beyond any rolling upgrade. ``by_hand`` does on the node what the variables do. Where this collection changes
    nothing (not ``driven``), there is only that.
    """

    def __init__(self, driven: bool = True) -> None:
        self.steps: list[dict[str, Any]] = []
        self._driven = driven

    def add(self, stage: str, title: str, why: str = "", *, node: str | None = None, variables: Mapping[str, Any] | None = None,
            commands: Sequence[str] = (), by_hand: Sequence[str] = (), required: bool = False) -> None:
        """The next step."""
        possible = [one for one in commands if self._driven or not one.startswith(_CHANGING)]
        self.steps.append({"number": len(self.steps) + 1, "stage": stage, "node": node, "title": title, "why": why,
                           "variables": variables if self._driven or possible else None, "commands": possible, "by_hand": list(by_hand), "required": required})


def runbook(cluster: ClusterView, stages: Sequence[Mapping[str, Any]], targets: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """The whole rolling upgrade of a cluster, step by step; those with ``required`` are the ones that it needs to be seamless."""
    book, ordered = Runbook(cluster.platform in DRIVEN), order(cluster)
    pinned = next((stage["pin"] for stage in stages if stage["pin"]), None)
    version = min((stage["pin"]["format"] for stage in stages if stage["pin"]), default=None)
    _laggs(book, stages)
    if version is not None and pinned is not None:
        carried = dict.fromkeys(str(what) for stage in stages if stage["pin"] for direction in stage["directions"] for what in direction["lost"])
        _pin(book, ordered, version, pinned, list(carried))
    book.add(NOW, "Take a snapshot of all nodes, to compare with afterwards", commands=[PLAYBOOK + "snapshot -e snapshot_moment=before"])
    for number, node in enumerate(ordered, start=1):
        _upgrade(book, number, ordered, node, targets.get(node.name), version)
    if version is not None and not any(stage["pin"] for stage in stages if stage["id"] == BOTH):
        book.add(BOTH, f"Lift the pin of format {version}", "all nodes understand the new release's own format now, which carries more",
                 variables={"hafirewall_cluster": {"sync": {"format": None}}}, commands=[_SITE], by_hand=_by_hand(_UNPIN, ordered[0].platform, version),
                 required=True)
    elif version is None and any(_pinned_below(node, targets.get(node.name)) for node in ordered):
        book.add(BOTH, "Take out the pinned format when it is needed no more", "it is pinned already, and stays so until somebody takes it out",
                 variables={"hafirewall_cluster": {"sync": {"format": None}}}, commands=[_SITE],
                 by_hand=_by_hand(_UNPIN, cluster.platform, OLDEST_FORMAT) if cluster.platform not in DRIVEN else [])
    book.add(BOTH, "Verify, and compare with the snapshot", commands=[PLAYBOOK + "verify", PLAYBOOK + "snapshot -e snapshot_moment=after"])
    return book.steps


def _pinned_below(node: NodeView, target: str | None) -> bool:
    """Whether a format is pinned that is not the newest that can be chosen."""
    pinned, row = node.get("engine", "pinned"), row_with(node, target)
    newest = row.emits or max(row.understands or FORMATS)
    return isinstance(pinned, int) and pinned < newest


def _laggs(book: Runbook, stages: Sequence[Mapping[str, Any]]) -> None:
    stage = next((stage for stage in stages if stage["lagg"]), None)
    if stage is None:
        return
    why = next(direction["reasons"]["named"] for direction in stage["directions"] if direction["named"] != YES)
    book.add(NOW, f"Give {', '.join(stage['lagg'])} one device name on all nodes, by LAGGs", f"{stage['title']}: {why}", required=True,
             commands=[PLAYBOOK + "lagg_plan", _SITE], variables={"hafirewall_cluster": {"laggs": {name: {"required": "always"} for name in stage["lagg"]}}})


def _pin(book: Runbook, ordered: Sequence[NodeView], version: int, pin: Mapping[str, Any], lost: Sequence[str]) -> None:
    """Before the first node goes: so that it never sends what the others do not understand. ``lost`` is what this format does not carry."""
    platform = ordered[0].platform
    without = _without_choice(ordered)
    if without and platform not in DRIVEN:
        return  # there is nothing that a person could set yet
    why = f"{', '.join(pin['nodes'])} would send a newer format, which the nodes that are not upgraded yet drop"
    if without:
        why += f"; the kernel of {', '.join(without)} has no choice of formats and sends {version} anyway, so this changes nothing there yet"
    why += f"; until it is lifted, this does not travel: {', '.join(lost)}" if lost else ""
    book.add(NOW, f"Pin format {version}", why, required=True, variables={"hafirewall_cluster": {"sync": {"format": version}}}, commands=[_SITE],
             by_hand=[] if without else _by_hand(_PIN, platform, version))


def _without_choice(ordered: Sequence[NodeView]) -> list[str]:
    return [node.name for node in ordered if row_with(node, release_now(node)).pinnable is False or _shows_none(node)]


def _shows_none(node: NodeView) -> bool:
    config = node.get("engine", "config")
    return node.platform in _PIN and isinstance(config, Mapping) and config.get("version") is None


def _upgrade(book: Runbook, number: int, ordered: Sequence[NodeView], node: NodeView, target: str | None, version: int | None) -> None:
    """One node: out of the cluster's service, upgraded, and back in it."""
    before, stage = stage_id(number - 1, len(ordered)), stage_id(number, len(ordered))
    has = running(node, target)
    if has is not None:
        book.add(stage, f"{node.name} has {has} already", node=node.name)
        return
    hands_over = node is ordered[-1] and len(ordered) > 1
    book.add(before, f"Hand over: {node.name} enters maintenance" if hands_over else f"{node.name} enters maintenance",
             "the upgraded nodes take over, with the states" if hands_over else "it does not take over while it is half upgraded", node=node.name,
             commands=[_maintenance("enter", node.name)], by_hand=_rest(node, "enter"))
    book.add(stage, f"Upgrade {node.name}" + (f" to {target}" if target else ""), node=node.name, by_hand=_installing(node, target))
    book.add(stage, f"{node.name} leaves maintenance", node=node.name, commands=[_maintenance("leave", node.name)],
             by_hand=_rest(node, "leave"))
    if version is not None and stage != BOTH and node.name in _without_choice(ordered):
        book.add(stage, f"Pin format {version} on {node.name}", "its new kernel has the choice that the old one did not have", node=node.name, required=True,
                 commands=[f"{_SITE} --limit {node.name}"], by_hand=_by_hand(_PIN, node.platform, version))
    if stage != BOTH:
        book.add(stage, "Verify, and judge again with what the new kernel tells", commands=[PLAYBOOK + "verify", PLAYBOOK + "upgrade_check"])


def _installing(node: NodeView, target: str | None) -> list[str]:
    """How the next release is installed on the node."""
    if node.platform == "linux":
        return [one.format(release=target or "VERSION") for one in _UPGRADE.get(str(node.get("os", "id")), _ANY_LINUX)]
    stated, now = (_RELEASED.fullmatch(text or "") if node.platform == "freebsd" else None for text in (target, release_now(node)))
    if stated and now and stated["numbers"] == now["numbers"]:
        return list(_PATCH)
    release = f"{stated['numbers']}-RELEASE" if stated else target or "RELEASE"
    return [one.format(release=release) for one in _UPGRADE[node.platform]]


def _maintenance(state: str, node: str) -> str:
    return f"{_MAINTENANCE} -e maintenance_state={state} -e maintenance_node={node}"


def _rest(node: NodeView, state: str) -> list[str]:
    return [_REST[node.platform][state]] if node.platform in _REST else []


def _by_hand(commands: Mapping[str, Sequence[str]], platform: str, version: int) -> list[str]:
    return [one.format(format=version) for one in commands.get(platform, ())]
