# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The peers of WireGuard, for snapshots. Neither a private nor a preshared key leaves the node: what wg prints of them is passed over."""

from __future__ import annotations

import re
import time
from typing import Iterable, List, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.snapshot import Row

# A session that was made longer ago than this is not used any more (REJECT_AFTER_TIME of the protocol), in seconds.
SESSION = 180
_NAME = re.compile(r"(?:tun_)?wg\d+")
_DUMP = ("wg", "show", "all", "dump")
_UNREADABLE = "the answer of wg show all dump cannot be read at its line %d"


def peers(node: Node, devices: Sequence[str]) -> List[Row]:
    """The peers of all tunnels. ``devices`` are those of WireGuard that the kernel has, for systemd-networkd and others make them without wg.

    Raises:
        NodeError: wg fails, prints something else than it is known to, or is not installed where there is a tunnel.
    """
    if node.has("wg"):
        done = node.query(list(_DUMP), ok=None)
        if done.status != 0:  # what it printed has keys in it, and what it complains of has none
            raise NodeError("%s exited with status %d and said: %s" % (" ".join(_DUMP), done.status, done.stderr.strip() or "nothing"))
        return parse(done.stdout, time.time())
    if devices:
        raise NodeError("there is WireGuard on %s, and no wg that tells of it; install wireguard-tools" % ", ".join(devices))
    return []


def named(devices: Iterable[str]) -> List[str]:
    """Those of WireGuard, by the names that FreeBSD, OpenBSD and pfSense give them."""
    return [name for name in devices if _NAME.fullmatch(name)]


def parse(text: str, now: float) -> List[Row]:
    """From ``wg show all dump`` (wg(8)): a line of five fields for each device, of nine for each peer. ``now`` is in seconds since 1970.

    Raises:
        NodeError: it is something else. The text is not in it, for it holds keys.
    """
    found: List[Row] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("\t")
        if len(words) == 5:
            continue
        if len(words) != 9 or not words[5].isdigit() or not (words[8].isdigit() or words[8] == "off"):
            raise NodeError(_UNREADABLE % number)
        shaken = int(words[5])
        found.append(row(words[0], words[1], words[3], now - shaken if shaken else None, words[8] not in ("off", "0")))
    return found


def row(device: str, public_key: str, endpoint: str, age: Optional[float], kept_alive: bool) -> Row:
    """A peer, by the age of its last handshake in seconds. Without keepalives, one that nobody talks to makes no handshake, and is no worse for it."""
    state = "up" if age is not None and age <= SESSION else "down" if kept_alive else "quiet"
    return {"name": "%s %s" % (device, public_key), "state": state, "told": "endpoint %s" % endpoint}
