# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The platforms of clusters: the engine of each platform, and the releases that brought a setting."""

from __future__ import annotations

from typing import Mapping

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import Since, older

# With conntrackd come VRRP and nftables, with pfsync come CARP and pf.
ENGINES = {"linux": "conntrackd", "pfsense": "pfsync", "opnsense": "pfsync", "freebsd": "pfsync", "openbsd": "pfsync"}
# Those whose nodes this collection changes; from the others evidence flows back, and is judged.
DRIVEN = tuple(platform for platform in ENGINES if platform != "opnsense")
# Where a product makes the rules for CARP by itself, and sends its configuration from node to node.
PRODUCTS = ("pfsense", "opnsense")
# Where maintenance raises the skew; elsewhere it demotes CARP.
RAISING_SKEW = ("pfsense",)
# By how much, where a product has one amount for it (OPNsense: carp_set_status.php).
MAINTENANCE_DEMOTION = {"opnsense": 240}


def _number(*number: int) -> Since:
    """A release of a system that has one line of releases."""
    return number, number


# Of pfSense: the first release of CE and of Plus. Host id: commit 062972b368, issue 12702. State policy: commit 7fedaae577, issue 15173.
# Of OPNsense: peer in Vip.xml (commit cbd4f266df).
# Of FreeBSD: pfsync(4) of 14.0 has IPv6; ifconfig(8) of 14.0 has CARP's peer (commit 137818006de5). Formats of messages are in the package protocol.
SINCE: Mapping[str, Mapping[str, Since]] = {
    "pfsense": {"host_id": ((2, 7), (22, 5)), "state_policy": ((2, 8), (24, 3))},
    "opnsense": {"carp_unicast": _number(24, 7)},
    "freebsd": {"sync_ipv6": _number(14), "carp_unicast": _number(14)},
}


def lacks(platform: str, setting: str, version: str | None) -> bool | None:
    """Whether a release of a platform is too old for a setting; None when the release is not known."""
    since = SINCE.get(platform, {}).get(setting)
    return older(version, since) if since is not None else False
