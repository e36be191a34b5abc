# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product's interfaces: keys as ``wan`` and ``opt1``, each assigned to a device."""

from __future__ import annotations

from typing import Mapping, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge

PATHS: Sequence[bridge.Path] = tuple(("interfaces", "*", field) for field in ("if", "enable", "descr"))
# What the evidence about interfaces tells of them.
TOLD: Sequence[bridge.Path] = tuple(("interfaces", "*", field) for field in ("if", "descr", "ipaddr", "ipaddrv6"))


def there(node: Node, device: str, coming: Mapping[str, str]) -> str:
    """The device, or in check mode the one that it will replace earlier in a real run: what is on it now is on the other one then."""
    return coming.get(device, device) if node.check_mode else device


def assigned(reading: bridge.Reading, device: str, option: str) -> str:
    """The key of the interface that a device is assigned to.

    Args:
        reading: with :data:`PATHS`.
        device: the network device.
        option: where it was stated, for messages.
    Raises:
        NodeError: no interface has it, or more than one, or the interface is switched off.
    """
    rows = reading.rows("interfaces")
    keys = [key for key, row in rows.items() if row.get("if") == device]
    if len(keys) != 1:
        there = ", ".join("%s is %s" % (key, row.get("if")) for key, row in sorted(rows.items())) or "none"
        raise NodeError("%s: %s is assigned to %s of this node's interfaces; assign it first; those there are: %s" % (
            option, device, "none" if not keys else "%d" % len(keys), there))
    row = rows[keys[0]]
    if "enable" not in row:
        raise NodeError("%s: %s (%s, %s) is switched off on this node; enable the interface first" % (option, device, keys[0], row.get("descr") or "no name"))
    return keys[0]
