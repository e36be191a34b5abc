# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``engine``: pfsync as its file has it and as it runs, and whose states the kernel holds."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas, Error
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import engine as common
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import netstat, pf, pf_options, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_options import PfConf
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import pfsync0

_MOST_COUNTED = 200000
# As :data:`..bsd.pf.IN_TABLE`, without the states of pfsync's and CARP's own packets, which stay where they are made: those of pfsync always (if_pfsync.c,
# pfsync_init_state), those of CARP by the rules of rc and of this collection. Otherwise a node that has no others would seem to have some that do not travel.
IN_TABLE = ("sh", "-c", "pfctl -vvss | awk '/^[^ \\t]/ { kept = $2 != \"pfsync\" && $2 != \"carp\"; if (kept) on[$1]++ } kept && /creatorid:/ { %s; by[$0]++ } "
            "END { for (one in on) print \"on\", one, on[one]; for (one in by) print \"by\", one, by[one] }'" % pf.CREATOR_ONLY)


def observe(node: Node, links: Mapping[str, Link], boot: Optional[pfsync0.Boot], conf: Optional[PfConf],
            demotion: Optional[int]) -> Tuple[Dict[str, Any], List[Error]]:
    """The evidence ``engine``, and what could not be read.

    Args:
        links: the node's devices.
        boot: what the file of pfsync0 sets; None for no file.
        conf: pf.conf.
        demotion: of the group carp, without our own part; None where that is not known.
    """
    areas = Areas()
    kernel = common.read(areas, node, pfsync.find)
    enabled = boot is not None and boot.up and boot.device is not None
    configured = common.Configured(enabled, False, None, None if conf is None else current(kernel, boot if enabled else None, conf))
    found = common.outline(areas, node, kernel, links, configured, _counters)
    found["most_mtu"] = found["bulk"] = None
    found["synced"] = synced(kernel, demotion)
    found.update(_table(areas, node, kernel.pf))
    return found, areas.errors


def synced(kernel: common.Kernel, demotion: Optional[int]) -> Optional[bool]:
    """Whether no transfer of all states is under way. Nothing tells that but the demotion of CARP that it would bring; what else brings as much hides it."""
    running = kernel.now is not None and kernel.now.up and kernel.now.device is not None
    return True if running and demotion is not None and demotion < pfsync0.BULK_DEMOTION else None


def current(kernel: common.Kernel, boot: Optional[pfsync0.Boot], conf: PfConf) -> Optional[bool]:
    """Whether pfsync0 and the host id are what the files say; None where that is not known."""
    if kernel.there is None:
        return None
    wanted, now = pf_options.host_id(conf), kernel.now
    if wanted is not None and kernel.pf.host_id is not None and wanted != kernel.pf.host_id:
        return False
    if now is None or boot is None:
        return boot is None and (now is None or not now.up)
    stated = [(boot.maxupd, now.maxupd), (boot.defer, now.defer)]
    return (now.up, now.device, now.peer) == boot.place and all(value is None or value == is_now for value, is_now in stated)


def _counters(node: Node) -> Optional[Dict[str, Any]]:
    return netstat.pfsync_told(node.query(["netstat", "-s", "-p", "pfsync"]).stdout)


def _table(areas: Areas, node: Node, status: pf.Status) -> Dict[str, Any]:
    """Whose states there are. So many that counting them takes long are not counted, but their makers are told."""
    found: Dict[str, Any] = {"creators": None, "states_by_creator": None, "states_by_interface": None}
    if status.states is None:
        return found
    if status.states <= _MOST_COUNTED:
        table = areas.read(common.AREA, lambda: pf.table(node, IN_TABLE))
        return found if table is None else {"creators": sorted(table.creators), "states_by_creator": table.creators, "states_by_interface": table.interfaces}
    return dict(found, creators=areas.read(common.AREA, lambda: pf.creators(node, False)))
