# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of releases that are known to go wrong, as data: from what, to what, under which condition, and where that is told."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import FAIL, WARN, NodeView
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import PFSYNC_MTU, PLUS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.readiness_view import AREA
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.upgrade.transition import Change, Transition

DEBIANS = ("debian",)


def _has_package(name: str) -> Callable[[NodeView, Change], bool | None]:
    def holds(node: NodeView, _change: Change) -> bool | None:
        packages = node.get(AREA, "packages")
        return name in packages if isinstance(packages, dict) else None
    return holds


def _large_mtu(node: NodeView, _change: Change) -> bool | None:
    """pfsync0 gets a large MTU from its Sync device on OPNsense, and by hand elsewhere."""
    mtu = node.number("engine", "mtu")
    return None if mtu is None else node.synced and mtu > PFSYNC_MTU


def _defers(node: NodeView, _change: Change) -> bool | None:
    return node.flag("engine", "config", "defer")


def _sends(node: NodeView, _change: Change) -> bool | None:
    sending = node.area("config_sync")
    return None if sending is None else bool(sending.get("target"))


def _skips_openbsd(_node: NodeView, change: Change) -> bool:
    """7.6 is followed by 7.7, and 7.9 by 8.0."""
    runs, comes = ((number or (0,)) + (0, 0) for number in change)
    return comes[0] * 10 + comes[1] > runs[0] * 10 + runs[1] + 1


def _skips_debian(node: NodeView, change: Change) -> bool:
    runs, comes = change
    return node.get("os", "id") in DEBIANS and (comes or (0,))[0] > (runs or (0,))[0] + 1


def _back(_node: NodeView, change: Change) -> bool:
    """To an older release of the same edition of a product; CE to Plus and back is no older and no newer."""
    runs, comes = change
    return runs is not None and comes is not None and comes < runs and (comes[0] >= PLUS) == (runs[0] >= PLUS)


_NO_MTU = f"pfsync0 has an MTU of more than {PFSYNC_MTU}, with which that kernel sends nothing"
_SMALLER = f"set the MTU of pfsync0 to {PFSYNC_MTU} or less first (ifconfig pfsync0 mtu 1500), and where it is kept"
TRANSITIONS = (
    Transition(("opnsense",), "os-cpu-microcode-intel is installed, which is in the way of the upgrade to 26.7", "remove the package first",
               "known-bad packages, os-cpu-microcode-intel to 26.7", FAIL, (None, (26, 7)), ((26, 7), None), _has_package("os-cpu-microcode-intel")),
    Transition(("opnsense",), "a kernel of 24.1 (FreeBSD 13.2) was seen to panic with state sync", "go to 24.7 or later directly",
               "opnsense/src issue 204", WARN, (None, (24, 1)), ((24, 1), (24, 2)), lambda node, _change: node.synced),
    Transition(("freebsd",), "a kernel of FreeBSD 13.2, as OPNsense 24.1 has it, was seen to panic with state sync", "go to 14.0 or later directly",
               "opnsense/src issue 204", WARN, (None, (13, 2)), ((13, 2), (13, 3)), lambda node, _change: node.synced),
    Transition(("freebsd",), _NO_MTU, _SMALLER, "opnsense/src issue 316, opnsense/core issue 4540", FAIL, comes=(None, (15,)), holds=_large_mtu),
    Transition(("pfsense",), _NO_MTU, _SMALLER, "opnsense/src issue 316, opnsense/core issue 4540", FAIL, holds=_large_mtu),
    Transition(("opnsense",), _NO_MTU, _SMALLER, "opnsense/src issue 316, opnsense/core issue 4540", FAIL, comes=(None, (26, 7)), holds=_large_mtu),
    Transition(("opnsense",), "with defer, setting pfsync again and again (rc.linkup) was seen to leave syncok 0 and CARP demoted by 240 for half an hour",
               "wait for demotion 0 and syncok 1 after each reboot, or switch defer off", "opnsense/core issue 10858", WARN, (None, (26, 7)), ((26, 7), None),
               _defers),
    Transition(("pfsense",), "a node before 2.2.5 sends its configuration to one that is newer already",
               "empty address, user and password of the configuration sync first, and fill them in again when all nodes are upgraded",
               "Netgate, upgrade guide for high availability", FAIL, ((0,), (2, 2, 5)), holds=_sends),
    Transition(("pfsense",), "nothing turns the configuration of a newer release into that of an older one",
               "install it anew, and restore a backup of that release", "pfSense, upgrade_config.inc: it converts to newer versions only", FAIL,
               holds=_back),
    Transition(("openbsd",), "OpenBSD is upgraded from a release to the one that follows it, without skipping any", "upgrade release by release",
               "OpenBSD upgrade guide: from the release before only", FAIL, holds=_skips_openbsd),
    Transition(("linux",), "Debian is upgraded from a release to the one that follows it, without skipping any", "upgrade release by release",
               "Debian 13 release notes: from the release before only", FAIL, holds=_skips_debian),
)
