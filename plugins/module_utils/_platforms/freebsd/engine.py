# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence ``engine``: pfsync as rc.conf has it and as it runs, and whose states the kernel holds."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.areas import Areas, Error
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import engine as common
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf_options, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.kernel_release import Release
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_options import PfConf
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import pfsync_rc
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node


def observe(node: Node, release: Optional[Release], links: Mapping[str, Link], variables: Optional[Mapping[str, str]], conf: Optional[PfConf],
            said: Optional[str]) -> Tuple[Dict[str, Any], List[Error]]:
    """The evidence ``engine``, and what could not be read.

    Args:
        release: of the running kernel.
        links: the node's devices.
        variables: of rc.conf.
        conf: pf.conf.
        said: the kernel's messages.
    """
    areas = Areas()
    kernel = common.read(areas, node, pfsync.find)
    boot = None if variables is None else pfsync_rc.boot(variables)
    configured = common.Configured(None, None, None, None) if boot is None else common.Configured(
        boot.enabled, False, boot.version, None if conf is None else current(kernel, boot, conf))
    found = common.outline(areas, node, kernel, links, configured, pfsync.counters_of_any)
    found["most_mtu"] = None if release is None else release.most_mtu
    found["bulk"] = None if said is None else pfsync.bulk(kernel.now, pfsync.messages(said))
    found.update(common.table(areas, node, kernel.pf, release is not None and release.lists_creators))
    return found, areas.errors


def current(kernel: common.Kernel, boot: pfsync_rc.Boot, conf: PfConf) -> Optional[bool]:
    """Whether pfsync0 and the host id are what the files say; None where that is not known."""
    if kernel.there is None:
        return None
    wanted, now = pf_options.host_id(conf), kernel.now
    if wanted is not None and kernel.pf.host_id is not None and wanted != kernel.pf.host_id:
        return False
    if now is None or not boot.enabled:
        return not boot.enabled and (now is None or now.device is None)
    stated = [(boot.version, now.version), (boot.defer, now.defer), (boot.maxupd, now.maxupd), (boot.mtu, now.mtu)]
    return (now.up, now.device, now.peer) == (True, boot.device, boot.peer) and all(value is None or value == is_now for value, is_now in stated)
