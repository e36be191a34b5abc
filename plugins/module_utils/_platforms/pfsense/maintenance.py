# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Planned absence of a node from its cluster: the product's own persistent maintenance mode, set and not toggled.

In maintenance every virtual address is announced with the highest skew, so any other node takes over; where there is no other one, nothing happens.
It holds after a reboot too.
"""

from __future__ import annotations

from typing import Any, Dict, List

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, carp_config
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.operations import put, take
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import release_of

FUNCTION = "interfaces_carp_set_maintenancemode"


def apply(node: Node, params: Dict[str, Any]) -> Dict[str, Any]:
    """Enter maintenance (``state`` enabled) or leave it (disabled), and wait until that has happened.

    Returns:
        ``drift``, ``validation``, ``maintenance`` (the state after the run) and ``handed_over`` (this run took addresses away from this node).
    Raises:
        NodeError: there are no virtual addresses, nobody takes over, or they do not come back; the node is then as it was.
    """
    release_of(node)
    wanted = params["state"] == "enabled"
    if wanted and not params.get("persistent", True):
        raise NodeError("persistent: the maintenance mode of pfSense outlasts a reboot; leave the option out")
    result: Dict[str, Any] = {"drift": [], "validation": "not needed", "maintenance": wanted, "handed_over": False}

    def plan(reading: bridge.Reading) -> bridge.Change:
        was = reading.values[carp_config.MAINTENANCE]
        running, vips = carp.running(node), carp_config.configured(reading)
        if wanted and not vips:
            raise NodeError("this node has no virtual addresses, so there is nothing to hand over; run hafirewall.cluster.virtual_ip first")
        operations = []
        if wanted is not (was is not None):
            operations = [put(carp_config.MAINTENANCE, "", was) if wanted else take(carp_config.MAINTENANCE, was)]
            result["drift"] = [{"setting": "maintenance", "is": not wanted, "wanted": wanted}]
        else:
            result["drift"] = _running_drift(running, vips, wanted)
        result["handed_over"] = bool(wanted and result["drift"] and carp.held(running))
        calls = [(FUNCTION, wanted)] if result["drift"] else []
        return bridge.Change(operations, calls, "hafirewall.cluster: %s maintenance" % ("enter" if wanted else "leave"), [(FUNCTION, not wanted)])

    bridge.settle(node, carp_config.PATHS, plan, lambda: carp.wait_for_maintenance(node, wanted))
    return result


def _running_drift(running: List[carp.Instance], vips: List[Dict[str, Any]], wanted: bool) -> List[Dict[str, Any]]:
    """Addresses that the kernel announces with another skew than the configuration says."""
    skews = {(item.device, item.id): item.advskew for item in running}
    drift = []
    for vip in vips:
        skew, name = carp_config.MAINTENANCE_SKEW if wanted else int(vip.get("advskew") or 0), "advskew of vhid %s on %s" % (vip["vhid"], vip["device"])
        is_now = skews.get((vip["device"], int(vip["vhid"])))
        if is_now is not None and is_now != skew:
            drift.append({"setting": name, "is": is_now, "wanted": skew})
    return drift
