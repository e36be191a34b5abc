# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who sends on the Sync network, listened to by a packet socket."""

from __future__ import annotations

import time
from typing import Any, Dict, Mapping, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import conntrackd_stats, ears
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.frames import ETHERNET, Frame
from ansible_collections.hafirewall.cluster.plugins.module_utils._wire.tally import DEFAULT_PORT, Tally

Config = Optional[Mapping[str, Any]]


def watch(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Listen for a bounded time to a bounded number of packets, of conntrackd and of pfsync.

    Args:
        node: where.
        params: ``sync_interface`` and ``port`` (None for the running engine's own), ``seconds`` and ``packets``.
    Returns:
        See :func:`outcome`.
    Raises:
        NodeError: the interface is not known, or cannot be listened on.
    """
    config = None
    if params.get("sync_interface") is None or params.get("port") is None:
        config = conntrackd_stats.observe_engine(node)[0].get("config")
    interface, port = interface_of(params, config), port_of(params, config)
    tally = Tally(most=params["packets"], port=port)
    ended = ears.listen(interface, params["seconds"], lambda frame, _outgoing, _mac: tally.add(Frame(time.time(), ETHERNET, frame, len(frame))),
                        only=ears.sync_filter(port))
    return outcome(interface, tally, ended)


def outcome(interface: str, tally: Tally, ended: ears.Heard) -> Dict[str, Any]:
    """``{"interface", "seconds", "packets", "truncated", "senders"}``: what was counted, with what the kernel had no room for."""
    found = dict(tally.result(ended.seconds), interface=interface)
    return dict(found, truncated=found["truncated"] or ended.lost > 0)


def interface_of(params: Mapping[str, Any], config: Config) -> str:
    """The stated interface, else the running engine's.

    Raises:
        NodeError: neither is known.
    """
    interface = params.get("sync_interface") or (config or {}).get("interface")
    if not interface:
        raise NodeError("which interface is on the Sync network is not known: state sync_interface, or let the engine run")
    return str(interface)


def port_of(params: Mapping[str, Any], config: Config) -> int:
    """The stated port, else the running engine's, else its default."""
    return int(params.get("port") or (config or {}).get("port") or DEFAULT_PORT)
