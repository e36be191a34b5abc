# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``engine``: pfsync as the configuration has it and as it runs, and whose states the kernel holds."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas, Error
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import engine as common
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.kernel_release import Release
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.config import Sync


def observe(node: Node, base: Optional[Release], links: Mapping[str, Link], sync: Optional[Sync], said: Optional[str]) -> Tuple[Dict[str, Any], List[Error]]:
    """The evidence ``engine``, and what could not be read.

    Args:
        base: the release of FreeBSD that runs.
        links: the node's devices.
        sync: state sync as configured; None when the configuration could not be read.
        said: the kernel's messages.
    """
    areas = Areas()
    kernel = common.read(areas, node, pfsync.find)
    configured = common.Configured(None, None, None, None) if sync is None else common.Configured(
        sync.enabled, sync.empty, sync.version if sync.enabled else None, current(kernel, sync))
    found = common.outline(areas, node, kernel, links, configured, pfsync.counters_of_any)
    found["most_mtu"] = None if base is None else base.most_mtu
    found["bulk"] = None if said is None else pfsync.bulk(kernel.now, pfsync.messages(said))
    found.update(common.table(areas, node, kernel.pf, base is not None and base.lists_creators))
    return found, areas.errors


def current(kernel: common.Kernel, sync: Sync) -> Optional[bool]:
    """Whether pfsync0 is what the configuration says; None where that is not known."""
    if kernel.there is None:
        return None
    now = kernel.now
    if now is None or not sync.enabled:
        return not sync.enabled and (now is None or now.device is None)
    # A kernel without a choice of formats shows none, and ifconfig without defer no such word.
    stated = [(sync.version, now.version), (sync.defer, now.defer)]
    return (now.up, now.device, now.peer) == (True, sync.device, sync.peer) and all(None in pair or pair[0] == pair[1] for pair in stated)
