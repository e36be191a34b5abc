# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which way the connection of this very run came in, so that nobody cuts it off unawares. Pure; platforms find out what sshd told, and routes."""

from __future__ import annotations

import ipaddress
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

VARIABLE = "SSH_CONNECTION="
# Filled with how the connection comes in, and what would interrupt it.
NO_CONSENT = ("the connection of this run comes in by %s, which the change of %s would interrupt; nothing was touched. Consent to it "
              "(hafirewall_cluster.laggs.INTERFACE.move_management: true), or come in by another way")


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


def used(observe: Callable[[], Dict[str, Optional[str]]], links: Mapping[str, Dict[str, Any]]) -> Tuple[Set[str], str]:
    """The devices that the connection uses, and how to call them; where it cannot be told, it may be any of the node's devices.

    Args:
        observe: gives what :func:`way` gives.
        links: rows of the evidence about interfaces, by name.
    """
    try:
        found = observe()
    except NodeError as error:
        return set(links), "a way that cannot be told (%s)" % error
    own = {device for device in (found["device"], found["via"]) if device is not None}
    told = " and ".join(sorted(own))
    if [device for device in own if device not in links or links[device]["kind"] == "other"]:
        # What a tunnel lies on is known to the tunnel only.
        return set(links), told + ", which may lie on any other device"
    return own, told
