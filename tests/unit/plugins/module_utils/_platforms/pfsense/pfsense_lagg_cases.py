# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs as the module's options have them, and the calls of a run as the action plugin makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # this file may be read before the collection can be found
    from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode


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
