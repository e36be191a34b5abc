# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this collection drives: the engine of each platform, and the releases that brought a setting."""

from __future__ import annotations

from typing import Mapping

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.capability import PROVIDERS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import Since, older

# With conntrackd come VRRP and nftables, with pfsync come CARP and pf.
ENGINES = {"linux": "conntrackd", "pfsense": "pfsync", "freebsd": "pfsync", "openbsd": "pfsync"}
# Those that have a provider. For the others clusters could be planned, and that is refused, for nothing could be done with such a plan.
DRIVEN = tuple(platform for platform in ENGINES if platform in PROVIDERS)
# Where a product makes the rules for CARP, and has CARP preempt, by itself.
PRODUCTS = ("pfsense",)


def _number(*number: int) -> Since:
    """A release of a system that has one line of releases."""
    return number, number


# Of pfSense: the first release of CE and of Plus. Host id: commit 062972b368, issue 12702. State policy: commit 7fedaae577, issue 15173.
# Of FreeBSD: pfsync(4) of 14.0 has IPv6; ifconfig(8) of 14.0 has CARP's peer (commit 137818006de5). Formats of messages are in the package protocol.
SINCE: Mapping[str, Mapping[str, Since]] = {
    "pfsense": {"host_id": ((2, 7), (22, 5)), "state_policy": ((2, 8), (24, 3))},
    "freebsd": {"sync_ipv6": _number(14), "carp_unicast": _number(14)},
}


def lacks(platform: str, setting: str, version: str | None) -> bool | None:
    """Whether a release of a platform is too old for a setting; None when the release is not known."""
    since = SINCE.get(platform, {}).get(setting)
    return older(version, since) if since is not None else False
