# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules that pfsync, CARP and pf make, wherever they are."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.carp import MOST_SKEW, advskew
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import PLATFORMS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import PRIMARY_PRIORITY, Model, Sync
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import DRIVEN
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_virtual_ips import judge_adverts

SYNC = "hafirewall_cluster.sync"
VRRP = "hafirewall_cluster.vrrp"
# Settings of conntrackd, each with what pfsync(4) has in its place.
CONNTRACKD_SETTINGS = {
    "group": "pfsync has one group of its own, 224.0.0.240",
    "port": "pfsync is IP protocol 240, which has no ports",
    "mode": "pfsync has one way to send",
    "external_cache": "pfsync puts what it receives into the kernel at once",
    "refresh_interval": "pfsync sends an update of each state that traffic passes by, so none ages out",
}


def judge_pf(model: Model) -> None:
    """Put what cannot be with pfsync and CARP into the model's findings."""
    if model.cluster.sync is not None:
        _conntrackd(model, model.cluster.sync)
    _carp(model)
    _skews(model)
    _host_ids(model)


def judge_choices(model: Model) -> None:
    """Put what contradicts itself into the model's findings, where no product chooses how CARP behaves."""
    vrrp = model.cluster.vrrp
    if vrrp.preempt is False:
        devices = {vip.interface for vip in model.cluster.virtual_ips}
        if len(devices) > 1:
            model.scope.warn(f"{VRRP}.preempt", "is false, and CARP then moves the addresses of each interface by themselves: one link that is down leaves "
                             "the others where they are", "leave it out, or set it to true, so that they move together")
    elif vrrp.track_interfaces is False:
        model.scope.refuse(f"{VRRP}.track_interfaces", "is false, and CARP with preemption gives all addresses up when one of its devices is down",
                           "leave it out, or set preempt: false")
    if vrrp.transport == "unicast" and len(model.nodes) > 2:
        model.scope.refuse(f"{VRRP}.transport", f"is unicast, which reaches one peer of CARP, and the cluster has {len(model.nodes)} nodes", "choose multicast")
    judge_adverts(model)


def title(model: Model) -> str:
    """The platform of the nodes, in a sentence."""
    return PLATFORMS[model.platform(model.nodes[0])].title


def _conntrackd(model: Model, sync: Sync) -> None:
    for setting, instead in CONNTRACKD_SETTINGS.items():
        if getattr(sync, setting) is not None:
            model.scope.refuse(f"{SYNC}.{setting}", f"is a setting of conntrackd, and the nodes run {title(model)}: {instead}", "remove it")


def _carp(model: Model) -> None:
    vrrp = model.cluster.vrrp
    # What only judges has no use for a secret.
    if model.cluster.virtual_ips and vrrp.password is None and model.platform(model.nodes[0]) in DRIVEN:
        model.scope.refuse(f"{VRRP}.password", "is missing, and without one whoever is on the segment can take the addresses over",
                           "state one that is the same for all nodes, from a vault")
    if vrrp.advert_interval is not None and not vrrp.advert_interval.is_integer():
        model.scope.refuse(f"{VRRP}.advert_interval", f"is {vrrp.advert_interval}, and CARP counts whole seconds", "choose 1 to 254")
    if vrrp.preempt_delay:
        model.scope.refuse(f"{VRRP}.preempt_delay", f"is {vrrp.preempt_delay:g}, and CARP takes over without a delay", "remove it")


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
