# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every platform offers: one method per capability. A provider reads, compares, validates, applies and reads again."""

from __future__ import annotations

from typing import Any, Dict

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

Params = Dict[str, Any]
Result = Dict[str, Any]


class Provider:
    """One platform. Each method takes the options of the module of the same name and returns that module's own result keys.

    Attributes:
        platform: name of the platform, for messages.
    """

    platform = "this platform"

    def __init__(self, node: Node) -> None:
        self.node = node

    def _lacks(self, capability: str) -> NodeError:
        return NodeError("this collection has no %s for %s yet; leave the task out for this node" % (capability, self.platform))

    def lagg(self, params: Params) -> Result:
        """Make the LAGGs that give a logical interface one name on all nodes."""
        raise self._lacks("lagg")

    def state_sync(self, params: Params) -> Result:
        """Make the sync engine run as described, or be off."""
        raise self._lacks("state_sync")

    def sync_rule(self, params: Params) -> Result:
        """Make the packet filter pass the engine's traffic and the virtual addresses' protocol."""
        raise self._lacks("sync_rule")

    def virtual_ip(self, params: Params) -> Result:
        """Make the virtual addresses move between the nodes of the cluster."""
        raise self._lacks("virtual_ip")

    def maintenance(self, params: Params) -> Result:
        """Hand the active part over and stay out of it, or take part again."""
        raise self._lacks("maintenance")

    def node_info(self, params: Params) -> Result:
        """Read all evidence; changes nothing.

        Args:
            params: ``sync_interface`` and ``sync_network`` (each a text or None), ``sample`` (ask around on the Sync segment for about a second),
                ``readiness`` (read what matters before an upgrade), and ``snapshot`` (read also what is of use only when two moments are compared).
        Returns:
            ``evidence`` (as the documentation of node_info describes it), and ``ansible_facts`` that hold it as ``hafirewall_evidence``.
        """
        raise self._lacks("node_info")

    def sync_probe(self, params: Params) -> Result:
        """Create, look for, or remove marked states."""
        raise self._lacks("sync_probe")

    def sync_watch(self, params: Params) -> Result:
        """Listen on the Sync interface for who sends states; changes nothing."""
        raise self._lacks("sync_watch")

    def config_backup(self, params: Params) -> Result:
        """All files that the node is configured by, as an archive; changes nothing."""
        raise self._lacks("config_backup")
