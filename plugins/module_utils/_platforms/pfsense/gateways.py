# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gateways, for snapshots, as the product judges them (return_gateways_status of gwlb.inc)."""

from __future__ import annotations

from typing import List, Mapping

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.snapshot import Row

# The words of gwlb.inc, unverified: not seen on a node. Some releases say of a little delay or loss that it is so, and keep the gateway.
_STATES = {"online": "up", "delay": "up", "loss": "up", "down": "down", "force_down": "down", "highdelay": "down", "highloss": "down",
           "none": "quiet", "pending": "quiet", "unknown": "quiet"}


def read(node: Node) -> List[Row]:
    """The gateways.

    Raises:
        NodeError: PHP is absent, fails, or does not answer in time.
    """
    return rows(bridge.gateways(node))


def rows(statuses: Mapping[str, str]) -> List[Row]:
    """A row for each. The state that another word means is not known."""
    return [{"name": name, "state": _STATES.get(status), "told": status} for name, status in statuses.items()]
