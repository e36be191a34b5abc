# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pass rules on OpenBSD, where pf is in the kernel, and started at boot unless rc.conf.local(8) says otherwise (etc/rc, etc/rc.conf)."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf_options, sync_rule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_options import PfConf
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import ifconfig

RC = "/etc/rc.conf.local"
IDLE = "%s has pf=NO, so pf does not start at boot" % RC
_PF = re.compile(r"^[ \t]*pf=[\"']?([^\s\"'#]*)", re.MULTILINE)


class OpenbsdPf(sync_rule.System):
    """pf as rc has it."""

    to_start = "'rcctl enable pf' and 'pfctl -ef /etc/pf.conf'"
    to_load = "load it by 'pfctl -f /etc/pf.conf'"
    idle = IDLE

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.starts = starts(node)

    def links(self) -> Mapping[str, Link]:
        return ifconfig.links(self.node)

    def conf(self) -> PfConf:
        return pf_options.read(self.node, {})

    def boot_drift(self) -> List[Dict[str, Any]]:
        return [] if self.starts else [{"setting": "pf in %s" % RC, "is": "NO", "wanted": "YES"}]

    def start_at_boot(self) -> None:
        self.node.act(["rcctl", "enable", "pf"], undo=self._not_at_boot)

    def _not_at_boot(self) -> None:
        self.node.query(["rcctl", "disable", "pf"])


def starts(node: Node) -> bool:
    """Whether pf starts at boot. The last line counts."""
    return _PF.findall(node.read_text(RC) or "")[-1:] != ["NO"]


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Make the pass rules be there, or not; see :func:`..bsd.sync_rule.apply`.

    Raises:
        NodeError: further, a Sync network of IPv6.
    """
    if params["enabled"] and ":" in params["network"]:
        raise NodeError("network: OpenBSD shares states over IPv4 only, and %s is none; give the Sync network IPv4 addresses" % params["network"])
    return sync_rule.apply(node, params, OpenbsdPf(node))
