# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules that pfSense's configuration and releases make, beside those of pfsync and CARP."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import Model
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import lacks
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.pfsync_rows import OLDEST_FORMAT
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.releases import formats_of
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_pf import SYNC, VRRP, judge_pf


def judge_pfsense(model: Model) -> None:
    """Put what cannot be on pfSense into the model's findings."""
    judge_pf(model)
    sync = model.cluster.sync
    if sync is not None and sync.network is not None and sync.network.version == 6:
        model.scope.refuse(f"{SYNC}.network", f"{sync.network} is IPv6, and state sync of pfSense is IPv4 only", "choose an IPv4 network")
    _carp(model)
    _releases(model)


def _carp(model: Model) -> None:
    vrrp = model.cluster.vrrp
    if vrrp.preempt is False:
        model.scope.refuse(f"{VRRP}.preempt", "is false, and with state sync pfSense always sets net.inet.carp.preempt to 1: the node with the higher "
                           "priority takes over when it returns", "leave it out, or set it to true")
    if vrrp.transport == "unicast":
        model.scope.refuse(f"{VRRP}.transport", "is unicast, which pfSense has no setting for", "choose multicast, or leave it out")
    if vrrp.track_interfaces is False:
        model.scope.refuse(f"{VRRP}.track_interfaces", "is false, and CARP with preemption gives all addresses up when one of its devices is down",
                           "leave it out, or set it to true")


def _releases(model: Model) -> None:
    wanted = model.cluster.sync.format if model.cluster.sync is not None else None
    for node in model.nodes:
        version = node.evidence.version
        if node.host_id is not None and lacks("pfsense", "host_id", version):
            node.scope.refuse("hafirewall_node.host_id", f"cannot be set on pfSense {version}", "remove it, or upgrade to CE 2.7 or Plus 22.05")
        if model.cluster.state_policy is not None and lacks("pfsense", "state_policy", version):
            node.scope.refuse("hafirewall_cluster.state_policy", f"cannot be set on pfSense {version}", "remove it, or upgrade to CE 2.8 or Plus 24.03")
        if wanted not in (None, OLDEST_FORMAT, *(formats_of("pfsense", version) or (wanted,))):
            node.scope.refuse(f"{SYNC}.format", f"is {wanted}, and pfSense {version} understands {OLDEST_FORMAT} alone",
                              f"choose {OLDEST_FORMAT}, or upgrade to CE 2.7 or Plus 23.01")
