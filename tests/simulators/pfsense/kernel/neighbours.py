# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""arp: whom the kernel has heard on which device."""

from __future__ import annotations

from .base import TYPE_CHECKING, not_modelled

if TYPE_CHECKING:
    from typing import List

    from .base import Kernel


def arp(kernel: Kernel, words: List[str]) -> str:
    """Each of the kernel's ``neighbours`` on the device with the smallest network that has the neighbour's address."""
    import ipaddress
    if words != ["-an"]:
        raise not_modelled("arp " + " ".join(words))
    networks = [(ipaddress.ip_interface(entry["address"]).network, name) for name, interface in kernel["interfaces"].items()
                for entry in interface["addresses"] if ":" not in entry["address"]]
    networks.sort(key=lambda item: item[0].prefixlen, reverse=True)
    found = [(address, mac, next((name for network, name in networks if ipaddress.ip_address(address) in network), None))
             for address, mac in kernel["neighbours"].items()]
    return "".join("? (%s) at %s on %s expires in 1187 seconds [ethernet]\n" % row for row in found if row[2] is not None)
