# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which way the connection of this very run came in, so that nobody cuts it off unawares. Pure; platforms find out what sshd told, and routes."""

from __future__ import annotations

import ipaddress
from typing import Any, Callable, Dict, List, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

VARIABLE = "SSH_CONNECTION="


def way(words: Optional[Sequence[str]], own: List[Dict[str, Any]], route: Callable[[str, str], Optional[str]]) -> Dict[str, Optional[str]]:
    """Where the connection came in; all None when it did not come over the network.

    Args:
        words: the words of ``SSH_CONNECTION``: the client's address and port, the server's address and port; None when there is none.
        own: the node's interfaces as in the evidence.
        route: from the client's and the server's address to the device that the answers leave by, or None.
    Returns:
        ``address`` that was connected to, ``device`` that has it, and ``via``, the device that the answers leave by: mostly the same one.
    Raises:
        NodeError: it cannot be told.
    """
    if words is None:
        return {"device": None, "address": None, "via": None}
    try:
        client, address = (ipaddress.ip_address(words[place].partition("%")[0]) for place in (0, 2))
    except (IndexError, ValueError) as error:
        raise NodeError("%s%s cannot be read: %s" % (VARIABLE, " ".join(words), error)) from error
    holder = next((row["name"] for row in own for held in row["addresses"] if ipaddress.ip_interface(held).ip == address), None)
    via = route(str(client), str(address))
    if holder is None and via is None:
        raise NodeError("no interface has the address that the connection came in by, %s, and no route leads back to %s" % (address, client))
    return {"device": holder or via, "address": str(address), "via": via}
