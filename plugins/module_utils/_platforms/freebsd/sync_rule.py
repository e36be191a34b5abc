# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pass rules on FreeBSD, where pf is a module, and rc.conf has it started."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import devices, kept_rule, pf_options, sync_rule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pass_rule import Sync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_options import PfConf
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.sync_rule import Kernel
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import rc
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node

STARTS = "pf_enable"


class FreebsdPf(sync_rule.System):
    """pf as rc.conf(5) has it."""

    to_start = "'service pf enable' and 'service pf start'"
    to_load = "have pf_rules in rc.conf name the file that they are in, or load it by 'service pf reload'"
    idle = kept_rule.IDLE

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        rc.refuse_overridden(node, ["pf"], [STARTS, *rc.PF_FILE])
        self.variables = rc.read(node)
        self.starts = rc.is_on(self.variables, STARTS)

    def links(self) -> Mapping[str, Link]:
        return devices.links(self.node)

    def conf(self) -> PfConf:
        return pf_options.read(self.node, self.variables)

    def loaded(self) -> bool:
        return _loaded(self.node)

    def load(self) -> None:
        self.node.act(["kldload", "-n", "pf"])  # stays when a later step fails: off, it does nothing

    def drops(self) -> bool:
        # From the loader or the kernel's options; releases that cannot do so have no such variable.
        return self.node.query(["sysctl", "-n", "net.pf.default_to_drop"], ok=None).stdout.strip() == "1"

    def boot_drift(self) -> List[Dict[str, Any]]:
        return [] if self.starts else [{"setting": "%s in rc.conf" % STARTS, "is": self.variables.get(STARTS), "wanted": "YES"}]

    def start_at_boot(self) -> None:
        rc.apply(self.node, self.variables, {STARTS: "YES"})


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Make the pass rules be there, or not, and pf run by them where pfsync is wanted; see :func:`..bsd.sync_rule.apply`."""
    return sync_rule.apply(node, params, FreebsdPf(node))


def read(node: Node) -> Kernel:
    """pf in the kernel.

    Raises:
        NodeError: pfctl fails.
    """
    return sync_rule.read(node, _loaded(node))


def evidence(node: Node, kernel: Kernel, links: Mapping[str, Link], sync: Optional[Sync], conf: PfConf, starts: bool) -> Dict[str, Any]:
    """The ``pass_rule`` evidence of a node; see :func:`..bsd.sync_rule.evidence`.

    Raises:
        NodeError: pfctl fails.
    """
    return sync_rule.evidence(node, kernel, links, sync, conf, starts, kept_rule.IDLE)


def _loaded(node: Node) -> bool:
    return node.query(["kldstat", "-q", "-m", "pf"], ok=None).status == 0
