# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a system with FreeBSD's programs is read for a snapshot; a product adds what is its own."""

from __future__ import annotations

import functools
from typing import Callable, Dict, List, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import ipsec, routing, snapshot, wireguard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import compared, segment
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node


def readers(node: Node, names: Sequence[str], files: Callable[[], Dict[str, str]], **ways: Callable[[], List[snapshot.Row]]) -> snapshot.Readers:
    """The readers of all parts.

    Args:
        names: of the devices.
        files: the digests of what the node is configured by.
        ways: the product's own, as its gateways.
    """
    def neighbours() -> List[snapshot.Row]:
        arp, ndp = node.query(["arp", "-an"]).stdout, node.query(["ndp", "-an"]).stdout
        return compared.neighbours(names, (functools.partial(segment.arp, arp), functools.partial(segment.ndp, ndp)))
    return snapshot.Readers(lambda: compared.routes(node.query(["netstat", "-rn"]).stdout), neighbours,
                            lambda: compared.listening(node.query(["sockstat", "-46l"]).stdout), files,
                            {"wireguard": lambda: wireguard.peers(node, wireguard.named(list(names))), "ipsec": lambda: ipsec.tunnels(node),
                             "bgp": lambda: routing.bgp(node), "ospf": lambda: routing.ospf(node),
                             "ospf6": lambda: routing.ospf6(node), **ways})
