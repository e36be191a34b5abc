# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CARP's virtual addresses as a boot sets them up, for the evidence. Pure; passwords are passed over."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, Mapping, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.carp import Instance
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.rc_aliases import Entry, variable


def configured(entries: Sequence[Entry], devices: Sequence[str]) -> List[Dict[str, Any]]:
    """The virtual addresses, as :func:`..bsd.vrrp.observe` takes them, with ``advbase`` and ``advskew`` (None for what is not said) too.

    Args:
        devices: those of the node, for a variable's name tells a device without its dots.
    """
    names = {variable(device): device for device in devices}
    found = []
    for entry in entries:
        if entry.vhid is not None and entry.address is not None:
            stated, device = ipaddress.ip_interface(entry.address), names.get(entry.device, entry.device)
            found.append({"device": device, "interface": device, "vhid": str(entry.vhid), "subnet": str(stated.ip),
                          "subnet_bits": str(stated.network.prefixlen), "advskew": entry.advskew, "advbase": entry.advbase})
    return found


def current(running: Sequence[Instance], vips: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the kernel runs what is configured, and nothing else."""
    wanted = {(vip["device"], int(vip["vhid"]), vip["subnet"]) for vip in vips}
    found = {(item.device, item.id, address.partition("%")[0].partition("/")[0]) for item in running for address in item.addresses or ("",)}
    settings = {(item.device, item.id): {"advskew": item.advskew, "advbase": item.advbase} for item in running}
    # One entry may say what another one of the same id leaves out.
    said = [(settings.get((vip["device"], int(vip["vhid"])), {}).get(name), vip[name]) for vip in vips for name in ("advskew", "advbase")
            if vip[name] is not None]
    return wanted == found and all(is_now == value for is_now, value in said)
