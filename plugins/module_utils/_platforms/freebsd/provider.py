# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""FreeBSD: pfsync(4), pf(4), carp(4) and lagg(4) of the system itself, by its own programs and files."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.provider import Params, Provider, Result


class FreebsdProvider(Provider):
    """One module per capability; see there."""

    platform = "FreeBSD"

    def sync_probe(self, params: Params) -> Result:
        raise NodeError("pf has no way to insert a state, so there are no marked ones on FreeBSD; leave the task out for this node: the evidence of node_info "
                        "tells which nodes made the states that it holds (engine.creators), and the check states_travel judges by that")
