# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CARP as the configuration has it."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Error
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import vrrp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.carp import Instance
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, interfaces

MAINTENANCE = ("virtualip_carp_maintenancemode",)
# What the product gives every virtual address in maintenance.
MAINTENANCE_SKEW = 254
FIELDS = ("mode", "interface", "vhid", "advbase", "advskew", "subnet", "subnet_bits", "uniqid", "descr")
PATHS: Sequence[bridge.Path] = (MAINTENANCE, *interfaces.PATHS, *(("virtualip", "vip", "*", field) for field in FIELDS))


def configured(reading: bridge.Reading) -> List[Dict[str, Any]]:
    """The CARP addresses of the configuration, each with its fields and the ``device`` of its interface, without those whose interface is off."""
    rows = reading.rows("interfaces")
    vips = [vip for _key, vip in sorted(reading.rows("virtualip", "vip").items(), key=_number)]
    return [dict(vip, device=rows[vip["interface"]].get("if")) for vip in vips
            if vip.get("mode") == "carp" and "enable" in rows.get(vip.get("interface", ""), {})]


def _number(item: Tuple[str, Any]) -> int:
    return int(item[0])


def in_maintenance(reading: bridge.Reading) -> bool:
    """Whether the configuration keeps the node out of its cluster."""
    return reading.values[MAINTENANCE] is not None


def observe(running: List[Instance], kernel: Mapping[str, str], reading: Optional[bridge.Reading]) -> Tuple[Dict[str, Any], List[Error]]:
    """The evidence ``vrrp``, and what could not be read; ``reading`` has :data:`PATHS`, or is None when the configuration could not be read."""
    if reading is None:
        return vrrp.observe(running, kernel, None, None)
    return vrrp.observe(running, kernel, configured(reading), _current(running, reading))


def _current(running: List[Instance], reading: bridge.Reading) -> bool:
    """Whether the kernel runs what is configured, with the skew of maintenance where that is on, and nothing else."""
    wanted = {(vip["device"], int(vip["vhid"]), MAINTENANCE_SKEW if in_maintenance(reading) else int(vip.get("advskew") or 0),
               int(vip.get("advbase") or 1), vip["subnet"]) for vip in configured(reading)}
    found = {(item.device, item.id, item.advskew, item.advbase, address) for item in running for address in item.addresses or ("",)}
    return wanted == found
