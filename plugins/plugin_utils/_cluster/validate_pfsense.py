# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules that pfsync, CARP and pfSense's configuration make."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.carp import MOST_SKEW, advskew
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import PRIMARY_PRIORITY, Model, Sync
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import OLDEST_FORMAT, lacks

_SYNC = "hafirewall_cluster.sync"
_VRRP = "hafirewall_cluster.vrrp"
# Settings of conntrackd, each with what pfsync(4) has in its place.
CONNTRACKD_SETTINGS = {
    "group": "pfsync has one group of its own, 224.0.0.240",
    "port": "pfsync is IP protocol 240, which has no ports",
    "mode": "pfsync has one way to send",
    "external_cache": "pfsync puts what it receives into the kernel at once",
    "refresh_interval": "pfsync sends an update of each state that traffic passes by, so none ages out",
}


def judge_pfsense(model: Model) -> None:
    """Put what cannot be on pfSense into the model's findings."""
    if model.cluster.sync is not None:
        _sync(model, model.cluster.sync)
    _carp(model)
    _skews(model)
    _host_ids(model)
    _releases(model)


def _sync(model: Model, sync: Sync) -> None:
    for setting, instead in CONNTRACKD_SETTINGS.items():
        if getattr(sync, setting) is not None:
            model.scope.refuse(f"{_SYNC}.{setting}", f"is a setting of conntrackd, and the nodes run pfSense: {instead}", "remove it")
    if sync.network is not None and sync.network.version == 6:
        model.scope.refuse(f"{_SYNC}.network", f"{sync.network} is IPv6, and state sync of pfSense is IPv4 only", "choose an IPv4 network")


def _carp(model: Model) -> None:
    vrrp = model.cluster.vrrp
    if model.cluster.virtual_ips and vrrp.password is None:
        model.scope.refuse(f"{_VRRP}.password", "is missing, and CARP on pfSense has none without", "state one that is the same for all nodes, from a vault")
    if vrrp.advert_interval is not None and not vrrp.advert_interval.is_integer():
        model.scope.refuse(f"{_VRRP}.advert_interval", f"is {vrrp.advert_interval}, and CARP counts whole seconds", "choose 1 to 254")
    if vrrp.preempt is False:
        model.scope.refuse(f"{_VRRP}.preempt", "is false, and with state sync pfSense always sets net.inet.carp.preempt to 1: the node with the higher "
                           "priority takes over when it returns", "leave it out, or set it to true")
    if vrrp.preempt_delay:
        model.scope.refuse(f"{_VRRP}.preempt_delay", f"is {vrrp.preempt_delay:g}, and CARP takes over without a delay", "remove it")
    if vrrp.transport == "unicast":
        model.scope.refuse(f"{_VRRP}.transport", "is unicast, which pfSense has no setting for", "choose multicast, or leave it out")
    if vrrp.track_interfaces is False:
        model.scope.refuse(f"{_VRRP}.track_interfaces", "is false, and CARP with preemption gives all addresses up when one of its devices is down",
                           "leave it out, or set it to true")


def _skews(model: Model) -> None:
    for node in model.nodes:
        if node.priority is not None and not 0 <= advskew(node.priority) <= MOST_SKEW:
            node.scope.refuse("hafirewall_node.priority", f"is {node.priority}, which is advskew {advskew(node.priority)}, and CARP has 0 to {MOST_SKEW}",
                              f"choose {PRIMARY_PRIORITY - MOST_SKEW // 2} to {PRIMARY_PRIORITY} (advskew is twice what it is below {PRIMARY_PRIORITY})")


def _host_ids(model: Model) -> None:
    owners: dict[str, str] = {}
    for node in model.nodes:
        owner = owners.setdefault(node.host_id, node.host) if node.host_id is not None else node.host
        if owner != node.host:
            node.scope.refuse("hafirewall_node.host_id", f"is {node.host_id}, as on {owner}, and tells who made a state", "give every node one of its own")


def _releases(model: Model) -> None:
    for node in model.nodes:
        version = node.evidence.version
        if node.host_id is not None and lacks("host_id", version):
            node.scope.refuse("hafirewall_node.host_id", f"cannot be set on pfSense {version}", "remove it, or upgrade to CE 2.7 or Plus 22.05")
        if model.cluster.state_policy is not None and lacks("state_policy", version):
            node.scope.refuse("hafirewall_cluster.state_policy", f"cannot be set on pfSense {version}", "remove it, or upgrade to CE 2.8 or Plus 24.03")
        if model.cluster.sync is not None and model.cluster.sync.format not in (None, OLDEST_FORMAT) and lacks("format", version):
            node.scope.refuse(f"{_SYNC}.format", f"is {model.cluster.sync.format}, and pfSense {version} understands {OLDEST_FORMAT} alone",
                              f"choose {OLDEST_FORMAT}, or upgrade to CE 2.7 or Plus 23.01")
