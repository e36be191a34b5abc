# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CARP as the kernel runs it, read from ifconfig."""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

_STATES = {"MASTER": "active", "BACKUP": "standby", "INIT": "init"}


class Instance(NamedTuple):
    """One virtual host id on one device, as the kernel runs it; ``state`` is ``active``, ``standby`` or ``init``, None for anything else."""

    device: str
    id: int
    state: Optional[str]
    advbase: int
    advskew: int
    addresses: Tuple[str, ...]


def running(node: Node) -> List[Instance]:
    """What the kernel runs.

    Raises:
        NodeError: there is no ifconfig.
    """
    return parse(node.query(["ifconfig"]).stdout)


def switched_on(node: Node) -> bool:
    """Whether the kernel lets CARP run at all."""
    return node.query(["sysctl", "-n", "net.inet.carp.allow"]).stdout.strip() == "1"


def parse(text: str) -> List[Instance]:
    """Read ifconfig's answer."""
    found: List[Instance] = []
    for block in re.split(r"^(?=\S)", text, flags=re.MULTILINE):
        device = block.split(":", 1)[0]
        addresses = re.findall(r"^\s+inet6? (\S+) .*\bvhid (\d+)", block, re.MULTILINE)
        for state, vhid, advbase, advskew in re.findall(r"^\s+carp: (\w+) vhid (\d+) advbase (\d+) advskew (\d+)", block, re.MULTILINE):
            own = tuple(address for address, number in addresses if number == vhid)
            found.append(Instance(device, int(vhid), _STATES.get(state), int(advbase), int(advskew), own))
    return found
