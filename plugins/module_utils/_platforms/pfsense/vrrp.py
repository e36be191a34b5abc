# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``vrrp``: CARP as configured and as the kernel runs it."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Error
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, carp

# CARP has one state for all that keeps it from taking part.
_STATES = {"active": "active", "standby": "standby", "init": "fault"}
ALLOW, DEMOTION = "net.inet.carp.allow", "net.inet.carp.demotion"


def sysctls(text: str) -> Dict[str, str]:
    """``sysctl name ...`` as a mapping; a name that the kernel does not know is not in it."""
    return {found[1]: found[2] for found in re.finditer(r"^([\w.]+): (.*)$", text, re.MULTILINE)}


def observe(running: List[carp.Instance], kernel: Mapping[str, str], reading: Optional[bridge.Reading]) -> Tuple[Dict[str, Any], List[Error]]:
    """The evidence ``vrrp``, and what could not be read.

    Args:
        running: what the kernel runs.
        kernel: its variables, by name.
        reading: with :data:`carp.PATHS`; None when the configuration could not be read.
    """
    configured = None if reading is None else carp.configured(reading)
    allow, demotion = kernel.get(ALLOW), kernel.get(DEMOTION)
    errors = [{"area": "vrrp", "reason": "the kernel does not tell %s" % name} for name, value in ((ALLOW, allow), (DEMOTION, demotion)) if value is None]
    return {
        "installed": True, "enabled": None if configured is None else bool(configured), "running": None if allow is None else allow == "1",
        "demotion": int(demotion) if demotion is not None and re.fullmatch(r"-?\d+", demotion) else None,
        "config_current": None if reading is None else _current(running, reading),
        "instances": [row for instance in running for row in _rows(instance, configured or [])], "since": None,
    }, errors


def in_maintenance(reading: bridge.Reading) -> bool:
    """Whether the configuration keeps the node out of its cluster."""
    return reading.values[carp.MAINTENANCE] is not None


def _rows(instance: carp.Instance, configured: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """One row for each family that the virtual host has addresses of; with none, one row without a family."""
    vips = [vip for vip in configured if (vip["device"], vip.get("vhid")) == (instance.device, str(instance.id))]
    key = vips[0]["interface"] if vips else instance.device
    found = []
    for family, version in (("ipv4", 4), ("ipv6", 6)):
        present = [address for address in instance.addresses if ipaddress.ip_address(address.partition("%")[0].partition("/")[0]).version == version]
        stated = ["%s/%s" % (vip["subnet"], vip["subnet_bits"]) for vip in vips if ipaddress.ip_address(vip["subnet"]).version == version]
        if present or stated:
            found.append(_row(instance, key, family, stated, present))
    return found or [_row(instance, key, None, [], [])]


def _row(instance: carp.Instance, key: str, family: Optional[str], stated: List[str], present: List[str]) -> Dict[str, Any]:
    return {"name": "_".join(part for part in (key, str(instance.id), family) if part), "interface": instance.device, "id": instance.id, "family": family,
            "priority": None, "state": _STATES.get(instance.state or ""), "advskew": instance.advskew, "advbase": instance.advbase,
            "addresses": stated or present, "addresses_present": present}


def _current(running: List[carp.Instance], reading: bridge.Reading) -> bool:
    """Whether the kernel runs what is configured, with the skew of maintenance where that is on, and nothing else."""
    wanted = {(vip["device"], int(vip["vhid"]), carp.MAINTENANCE_SKEW if in_maintenance(reading) else int(vip.get("advskew") or 0),
               int(vip.get("advbase") or 1), vip["subnet"]) for vip in carp.configured(reading)}
    found = {(item.device, item.id, item.advskew, item.advbase, address) for item in running for address in item.addresses or ("",)}
    return wanted == found
