# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom to ask for on the Sync segment, and what was counted meanwhile. Pure; asking itself differs between platforms."""

from __future__ import annotations

import ipaddress
from typing import Dict, Iterable, List, Optional

SECONDS = 1.0
MOST_ADDRESSES = 256  # a larger network is listened to, not asked

Counters = Dict[str, Dict[str, int]]


def targets(network: Optional[str], own: Iterable[str]) -> List[str]:
    """The IPv4 addresses to ask for: every host of the network but oneself; none when it is IPv6, unknown, or larger than can be asked."""
    if network is None:
        return []
    parsed = ipaddress.ip_network(network, strict=False)
    if parsed.version != 4 or parsed.num_addresses > MOST_ADDRESSES:
        return []
    mine = set(own)
    return [str(address) for address in parsed.hosts() if str(address) not in mine]


def difference(before: Counters, after: Counters) -> Counters:
    """Bytes counted in between, for the interfaces seen both times; never negative (an interface made anew starts at zero)."""
    return {name: {key: max(0, after[name][key] - before[name][key]) for key in ("rx_bytes", "tx_bytes")} for name in after if name in before}
