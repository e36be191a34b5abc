# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``vrrp``: CARP as configured and as the kernel runs it."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Error
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.sysctl import CARP_ALLOW, CARP_DEMOTION

# CARP has one state for all that keeps it from taking part.
_STATES = {"active": "active", "standby": "standby", "init": "fault"}

Configured = List[Dict[str, Any]]


def observe(running: List[carp.Instance], kernel: Mapping[str, str], configured: Optional[Configured],
            current: Optional[bool]) -> Tuple[Dict[str, Any], List[Error]]:
    """The evidence ``vrrp``, and what could not be read.

    Args:
        running: what the kernel runs.
        kernel: its variables, by name.
        configured: the addresses of the configuration, each with ``device``, ``vhid``, ``subnet``, ``subnet_bits`` and ``interface``, the name that the
            rows get; None when it could not be read.
        current: the kernel runs what is configured, and nothing else.
    """
    allow, demotion = kernel.get(CARP_ALLOW), kernel.get(CARP_DEMOTION)
    errors = [{"area": "vrrp", "reason": "the kernel does not tell %s" % name} for name, value in ((CARP_ALLOW, allow), (CARP_DEMOTION, demotion))
              if value is None]
    return {
        "installed": True, "enabled": None if configured is None else bool(configured), "running": None if allow is None else allow == "1",
        "demotion": int(demotion) if demotion is not None and re.fullmatch(r"-?\d+", demotion) else None,
        "config_current": current,
        "instances": [row for instance in running for row in _rows(instance, configured or [])], "since": None,
    }, errors


def _rows(instance: carp.Instance, configured: Configured) -> List[Dict[str, Any]]:
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
