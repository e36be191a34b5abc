# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pfSense: pfsync and CARP by the product's own configuration and functions."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import kept_files
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import sync_watch
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import info, lagg, maintenance, own_files, state_sync, sync_rule, virtual_ip
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.provider import Params, Provider, Result


class PfsenseProvider(Provider):
    """One module per capability; see there."""

    platform = "pfSense"

    def lagg(self, params: Params) -> Result:
        return lagg.apply(self.node, params)

    def state_sync(self, params: Params) -> Result:
        return state_sync.apply(self.node, params)

    def sync_rule(self, params: Params) -> Result:
        return sync_rule.apply(self.node, params)

    def virtual_ip(self, params: Params) -> Result:
        return virtual_ip.apply(self.node, params)

    def maintenance(self, params: Params) -> Result:
        return maintenance.apply(self.node, params)

    def node_info(self, params: Params) -> Result:
        return info.collect(self.node, params)

    def sync_probe(self, params: Params) -> Result:
        raise NodeError("pf has no way to insert a state, so there are no marked ones on pfSense; leave the task out for this node: the evidence of node_info "
                        "tells which nodes made the states that it holds (engine.creators), and the check states_travel judges by that")

    def sync_watch(self, params: Params) -> Result:
        return sync_watch.watch(self.node, params, sync_watch.FREEBSD)

    def config_backup(self, params: Params) -> Result:
        return kept_files.archive(self.node, own_files.SOURCES)
