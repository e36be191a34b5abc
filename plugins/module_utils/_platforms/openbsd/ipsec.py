# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tunnels of IPsec on OpenBSD, of whichever daemon made them (sbin/ipsecctl/ipsecctl.c, pfkdump.c)."""

from __future__ import annotations

import re
from typing import List

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import ipsec
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.snapshot import Row

_SA = re.compile(r"((?:esp|ah|ipcomp|ipip|tcpmd5)\b.*?) spi 0x[0-9a-f]+\b")


def tunnels(node: Node) -> List[Row]:
    """What the kernel has security associations for.

    Raises:
        NodeError: ipsecctl fails, or prints something else than it is known to.
    """
    return parse(node.query(["ipsecctl", "-s", "sa"]).stdout) if node.has("ipsecctl") else []


def parse(text: str) -> List[Row]:
    """From ``ipsecctl -s sa``: a line for each association, and deeper ones of it. New keys have a new SPI, so it is no part of the name.

    Raises:
        NodeError: it is something else.
    """
    names = []
    for number, line in enumerate(text.splitlines(), 1):
        found = _SA.match(line)
        if found is not None:
            names.append((found.group(1), "INSTALLED"))
        elif line.strip() not in ("", "SAD:", "No entries") and not line[:1].isspace():
            raise NodeError("the answer of ipsecctl -s sa cannot be read at its line %d" % number)
    return ipsec.merged(names)
