# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CARP before pfSense 2.2: each virtual host id is a device of its own, with its addresses on it and not on the port. Made here what it is since then. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.carp import Instance
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Address, Link
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.bridge import Reading
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.carp_config import configured

# The device of a virtual host id, which may have the product's name of the interface in front.
_PSEUDO = re.compile(r"(?:(\w+)_)?vip\d+")


def resolved(instances: list[Instance], links: Mapping[str, Link], reading: Reading | None) -> tuple[list[Instance], dict[str, Link]]:
    """The virtual host ids on the devices that carry them, and the devices without the pseudo ones, whose addresses are on those that carry them.

    Raises:
        NodeError: which device carries one of them cannot be told.
    """
    found = []
    virtual: dict[str, list[Address]] = {}
    for instance in instances:
        match = _PSEUDO.fullmatch(instance.device)
        if match is None:
            found.append(instance)
            continue
        addresses = links[instance.device].addresses
        found.append(instance._replace(device=_carrier(instance, match[1], reading), addresses=tuple(address.text.split("/")[0] for address in addresses)))
        virtual.setdefault(found[-1].device, []).extend(address._replace(vhid=instance.id) for address in addresses)
    return found, {name: link._replace(addresses=(*link.addresses, *virtual.get(name, ()))) for name, link in links.items() if not _PSEUDO.fullmatch(name)}


def _carrier(instance: Instance, key: str | None, reading: Reading | None) -> str:
    """The device that a pseudo device's packets go by: the kernel does not tell, the configuration does."""
    vips = [] if reading is None else configured(reading)
    told = {vip["device"] for vip in vips if vip.get("vhid") == str(instance.id) and key in (None, vip["interface"])}
    if len(told) != 1 or None in told:
        raise NodeError(f"on which device {instance.device} with vhid {instance.id} is, the configuration does not tell")
    return str(told.pop())
