# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CARP as the configuration has it and as it runs."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, Mapping, Optional, Set, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Error
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp, vrrp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.config import Config

Host = Tuple[str, int]


def observe(running: List[carp.Instance], kernel: Mapping[str, str], config: Optional[Config], said: Optional[str]) -> Tuple[Dict[str, Any], List[Error]]:
    """The evidence ``vrrp``, and what could not be read; ``config`` is None when it could not be read, and ``said`` are the kernel's messages."""
    if config is None:
        found, errors = vrrp.observe(running, kernel, None, None)
    else:
        found, errors = vrrp.observe(running, kernel, config.virtual_addresses, _current(running, config.virtual_addresses))
    return dict(found, demotion_why=None if said is None or found["demotion"] is None else carp.demotions(said) if found["demotion"] else []), errors


def _current(running: List[carp.Instance], configured: List[Dict[str, Any]]) -> bool:
    """Whether the kernel runs what is configured and nothing else. Maintenance demotes CARP, and leaves the skew as it is."""
    wanted = {(vip["device"], int(vip["vhid"])): (int(vip.get("advskew") or 0), int(vip.get("advbase") or 1)) for vip in configured if vip["mode"] == "carp"}
    found = {(item.device, item.id): (item.advskew, item.advbase) for item in running}
    addresses: Set[Tuple[Host, str]] = {((vip["device"], int(vip["vhid"])), _plain(vip["subnet"])) for vip in configured}
    there = {((item.device, item.id), _plain(address)) for item in running for address in item.addresses}
    return wanted == found and addresses == there


def _plain(address: str) -> str:
    return str(ipaddress.ip_address(address.partition("%")[0].partition("/")[0]))
