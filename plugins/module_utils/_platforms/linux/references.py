# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What else on the node names a device, in files that this collection does not write: packet filters, routing, services. It tells; it changes nothing."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import naming
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_files import INCLUDE_PATH
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

# Files and folders where a firewall's devices are named, and what is written there.
PLACES = {
    "/etc/nftables.conf": "rule", "/etc/nftables.d": "rule", "/etc/sysconfig/nftables.conf": "rule", "/etc/nftables": "rule", "/etc/iptables": "rule",
    "/etc/ufw": "rule", "/etc/firewalld/zones": "rule", "/etc/shorewall": "rule", "/etc/frr": "route", "/etc/bird": "route", "/etc/bird.conf": "route",
    "/etc/sysctl.conf": "setting", "/etc/sysctl.d": "setting", "/etc/dnsmasq.conf": "service", "/etc/dnsmasq.d": "service",
    "/etc/default/isc-dhcp-server": "service", "/etc/dhcp/dhcpd.conf": "service", "/etc/kea": "service", "/etc/radvd.conf": "service",
    "/etc/wireguard": "service", "/etc/suricata/suricata.yaml": "service",
}


def observe(node: Node, devices: Sequence[str]) -> List[Dict[str, Any]]:
    """Lines outside comments that name one of the devices: ``{"device", "kind", "where" (file:line), "text"}`` each."""
    if not devices:
        return []
    wanted = [word for device in devices for word in ("-e", device)]
    # Status 1: nothing found; 2: some of the places are not there, which is what most of them are on any node.
    found = node.query(["grep", "-rnHZIswF"] + wanted + ["--"] + list(PLACES), ok=(0, 1, 2)).stdout
    return naming.rows(found, PLACES, devices, lambda path, _number: path == INCLUDE_PATH)
