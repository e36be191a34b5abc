# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual addresses that move between the nodes: CARP, by the product's own settings and functions."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, Mapping, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, carp_config, interfaces
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import release_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.vips import VIPS, Steps, Wanted, compare, rows_of

PATHS = (carp_config.MAINTENANCE, *interfaces.PATHS, VIPS)
TIMEOUT = 15.0  # seconds; a node is standby at once, and active after three announcements

Place = Tuple[str, str]  # device and address


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Make the node take part in moving the addresses as described, or (``instances`` empty) no longer.

    Args:
        params: options of module virtual_ip.
    Returns:
        ``drift`` and ``validation``.
    Raises:
        NodeError: what CARP cannot have, a device that is no interface of the node's, an address that something else has, or a change that failed;
            everything is then as it was, or the error says what is not.
    """
    release_of(node)
    _judge(params)
    result: Dict[str, Any] = {"drift": [], "validation": "not needed"}
    wanted: List[Wanted] = []
    gone: List[Place] = []

    def plan(reading: bridge.Reading) -> bridge.Change:
        wanted[:] = [_wanted(node, reading, params, number) for number in range(len(params["instances"]))]
        vips = [vip for vip in reading.values[VIPS] or [] if isinstance(vip, dict)]
        steps = compare(vips, wanted, params["name"])
        if steps.problems and not params["received"]:
            raise NodeError("; ".join(steps.problems))
        in_maintenance = reading.values[carp_config.MAINTENANCE] is not None
        for item in _compare_running(steps, node, wanted, in_maintenance):
            for row in rows_of(vips, item, params["name"]):
                steps.up(row.vip)
        result["drift"] = steps.drift
        gone[:] = _gone(steps, reading, wanted)
        if params["received"] or not steps.drift:
            return bridge.Change([], [], "")
        result["validation"] = "passed"
        ends: List[bridge.Call] = [("enable_carp", None)] if wanted else []
        ends += [("filter_configure_sync", None)] if steps.operations else []
        return bridge.Change(steps.operations, steps.apply() + ends, "hafirewall.cluster: virtual addresses of %s" % params["name"], steps.back() + ends)

    bridge.settle(node, PATHS, plan, lambda: _wait(node, wanted, gone))
    return result


def _judge(params: Mapping[str, Any]) -> None:
    if params["transport"] != "multicast":
        raise NodeError("transport: pfSense announces virtual addresses by multicast only; leave the option out")
    carp.judge(params["instances"])


def _wanted(node: Node, reading: bridge.Reading, params: Mapping[str, Any], number: int) -> Wanted:
    item = params["instances"][number]
    device = interfaces.there(node, item["interface"], params["coming"])
    key = interfaces.assigned(reading, device, "instances[%d].interface" % number)
    first, *others = [_address(text) for text in item["addresses"]]
    fields = {"mode": "carp", "interface": key, "vhid": str(item["id"]), "advskew": str(item["advskew"]), "advbase": str(item["advbase"]), **first}
    if params["password"] is not None:
        fields["password"] = params["password"]
    return Wanted(item["name"], device, fields, [dict(address, mode="ipalias") for address in others])


def _address(text: str) -> Dict[str, str]:
    address = ipaddress.ip_interface(text)
    return {"type": "single", "subnet_bits": str(address.network.prefixlen), "subnet": str(address.ip)}


# As it runs


def _compare_running(steps: Steps, node: Node, wanted: List[Wanted], in_maintenance: bool) -> List[Wanted]:
    """Note what the kernel runs otherwise than the configuration has it; what is configured anew anyway is not looked at."""
    if wanted and not carp.switched_on(node):
        steps.differs("CARP switched on", False, True)
    found = {(instance.device, instance.id): instance for instance in carp.running(node)}
    differing = []
    for item in wanted:
        instance = found.get((item.device, item.vhid))
        skew = carp_config.MAINTENANCE_SKEW if in_maintenance else int(item.carp["advskew"])
        as_configured = instance is not None and (instance.advskew, instance.advbase) == (skew, int(item.carp["advbase"])) and not (
            set(item.addresses) - set(instance.addresses))
        if item.name not in steps.touched and not as_configured:
            steps.differs("%s as running" % item.name, "absent" if instance is None else "other settings", "as configured")
            differing.append(item)
    return differing


def _gone(steps: Steps, reading: bridge.Reading, wanted: List[Wanted]) -> List[Place]:
    rows, kept = reading.rows("interfaces"), {(item.device, address) for item in wanted for address in item.addresses}
    places = [(str(rows.get(entry["interface"], {}).get("if")), entry["subnet"]) for entry in steps.gone]
    return [place for place in places if place not in kept]


# Verifying


def _wait(node: Node, wanted: List[Wanted], gone: List[Place]) -> None:
    carp.wait(node, [carp.Expected(item.name, item.device, item.vhid, item.addresses) for item in wanted], gone, TIMEOUT)
