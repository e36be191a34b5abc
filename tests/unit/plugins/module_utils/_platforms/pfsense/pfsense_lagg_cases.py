# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs as the module's options have them, and the calls of a run as the action plugin makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # this file may be read before the collection can be found
    from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode


def lagg(**changes: Any) -> dict[str, Any]:
    """em0 with its VLAN 10 goes onto lagg0, with em3 as the second member."""
    found = {"name": "lagg0", "protocol": "failover", "members": ["em0", "em3"], "primary": "em0", "hash": None, "lacp_rate": None, "mtu": None,
             "min_links": None, "consent": False, "vlans": [{"name": "lagg0.10", "id": 10}],
             "moves": [move("em0", "lagg0"), move("em0.10", "lagg0.10", 10)]}
    return dict(found, **changes)


def plain(**changes: Any) -> dict[str, Any]:
    """The same without a VLAN."""
    return lagg(**dict({"vlans": [], "moves": [move("em0", "lagg0")]}, **changes))


def move(source: str, target: str, vlan: int | None = None) -> dict[str, Any]:
    """A device that goes onto a LAGG."""
    return {"from_device": source, "to_device": target, "vlan": vlan, "addresses": [], "virtual": [], "management": False}


def call(node: PfsenseNode, *laggs: dict[str, Any], stage: str = "begin", **changes: Any) -> dict[str, Any]:
    """One call of the module."""
    from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import lagg as capability
    return capability.apply(node, dict({"laggs": list(laggs), "stack": "auto", "rollback_timeout": 120, "peer_ready": False, "stage": stage}, **changes))


def whole(node: PfsenseNode, *laggs: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    """All calls of a run; commands and diffs of all of them are in the node's own account."""
    results = [call(node, *laggs, **changes)]
    while results[-1]["next"]:
        results.append(call(node, *laggs, stage=results[-1]["next"], **changes))
    return results
