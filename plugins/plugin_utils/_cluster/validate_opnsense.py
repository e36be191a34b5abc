# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules that OPNsense's configuration and releases make, beside those of pfsync and CARP."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import Model
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import lacks
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.releases import formats_of
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_pf import SYNC, VRRP, judge_choices, judge_pf


def judge_opnsense(model: Model) -> None:
    """Put what cannot be on OPNsense into the model's findings."""
    judge_pf(model)
    judge_choices(model)
    sync = model.cluster.sync
    # interfaces_pfsync_configure(): a peer that is no IPv4 address is passed over, and the group is then IPv4's.
    if sync is not None and sync.network is not None and sync.network.version == 6:
        model.scope.refuse(f"{SYNC}.network", f"{sync.network} is IPv6, and state sync of OPNsense is IPv4 only", "choose an IPv4 network")
    for node in model.nodes:
        version, formats = node.evidence.version, formats_of("opnsense", node.evidence.version)
        if node.host_id is not None:
            node.scope.refuse("hafirewall_node.host_id", "is stated, and OPNsense has no setting for it: pf draws one at each boot", "remove it")
        if sync is not None and sync.format is not None and formats is not None and sync.format not in formats:
            node.scope.refuse(f"{SYNC}.format", f"is {sync.format}, and OPNsense {version} understands {' and '.join(map(str, formats))}",
                              f"choose {formats[-1]}, or upgrade the node first")
        if model.cluster.vrrp.transport == "unicast" and lacks("opnsense", "carp_unicast", version):
            node.scope.refuse(f"{VRRP}.transport", f"is unicast, which OPNsense {version} has no setting for", "choose multicast, or upgrade to OPNsense 24.7")
