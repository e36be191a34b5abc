# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The peers of WireGuard on OpenBSD, where ifconfig tells of them (sbin/ifconfig/ifconfig.c, wg_status)."""

from __future__ import annotations

import re
from typing import Any, Dict, List

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import wireguard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.snapshot import Row

_AGE = re.compile(r"last handshake: (\d+) seconds ago")


def peers(node: Node, devices: List[str]) -> List[Row]:
    """The peers of these devices.

    Raises:
        NodeError: ifconfig fails.
    """
    return [row for device in devices for row in parse(device, node.query(["ifconfig", device]).stdout)]


def parse(device: str, text: str) -> List[Row]:
    """From ``ifconfig wgN``: lines in one depth for the device, ``wgpeer``, and deeper ones for that peer."""
    found: List[Dict[str, Any]] = []
    for line in text.splitlines():
        words = line.split()
        age = _AGE.fullmatch(line.strip())
        if words[:1] == ["wgpeer"] and len(words) > 1:
            found.append({"key": words[1], "endpoint": "(none)", "age": None, "kept": False})
        elif not found:
            continue
        elif age is not None:
            found[-1]["age"] = int(age.group(1))
        elif words[:1] == ["wgendpoint"]:
            found[-1]["endpoint"] = " ".join(words[1:])
        elif words[:1] == ["wgpka"]:
            found[-1]["kept"] = True
    return [wireguard.row(device, peer["key"], peer["endpoint"], peer["age"], peer["kept"]) for peer in found]
