# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of state_sync that pfsync and pf understand in the same way everywhere."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Mapping, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError


def host_id(params: Mapping[str, Any]) -> Optional[str]:
    """The stated host id in small letters; None for none.

    Raises:
        NodeError: it is none.
    """
    stated = params["host_id"]
    if stated is not None and (not re.fullmatch(r"[0-9A-Fa-f]{1,8}", stated) or int(stated, 16) == 0):
        raise NodeError("host_id: %r is none; state one to eight hexadecimal digits that are not all 0" % stated)
    return None if stated is None else str(stated).lower()


def peer(params: Mapping[str, Any]) -> Optional[str]:
    """The one other node; None for multicast.

    Raises:
        NodeError: it is missing.
    """
    if params["transport"] == "unicast" and not params["peer"]:
        raise NodeError("peer: transport unicast needs it")
    return params["peer"] if params["transport"] == "unicast" else None


def ipv4_peer(params: Mapping[str, Any], system: str) -> Optional[str]:
    """The same where pfsync knows IPv4 only; ``system`` is its name, for messages.

    Raises:
        NodeError: it is missing, or an address is none of IPv4.
    """
    other = peer(params)
    for name, address in (("address", params["address"]), ("peer", other)):
        if address is not None and not _is_ipv4(address):
            raise NodeError("%s: %s is no IPv4 address, and %s shares states over IPv4 only; give the Sync network IPv4 addresses" % (name, address, system))
    return other


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
