# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules that conntrackd, VRRP and nftables make, on Linux."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.addresses import ipv6_scope
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.devices import CONNTRACKD_RULES, LINUX_RULES, SPELLINGS, refusal
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.intent import DEFAULT_GROUP_V4, DEFAULT_GROUP_V6
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.model import Model, Node, Port, Sync
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.validate_virtual_ips import judge_adverts

_SYNC = "hafirewall_cluster.sync"
_VRRP = "hafirewall_cluster.vrrp"
_LONGEST_ADVERT = 40.95


def judge_linux(model: Model) -> None:
    """Put what cannot be on Linux into the model's findings."""
    sync = model.cluster.sync
    if sync is not None:
        _group(model, sync)
        _mode(model, sync)
        if sync.format is not None:
            model.scope.refuse(f"{_SYNC}.format", "is a setting of pfsync, and conntrackd has one format", "remove it")
        for node in model.nodes:
            _name(model, node, node.port(sync.interface))
    _vrrp(model)
    judge_adverts(model)
    if model.cluster.state_policy is not None:
        model.scope.refuse("hafirewall_cluster.state_policy", "is a setting of pf, and on Linux no interface is part of a state", "remove it")
    for node in model.nodes:
        if node.host_id is not None:
            node.scope.refuse("hafirewall_node.host_id", "is a setting of pf, and conntrackd's states have no creator", "remove it")


def _group(model: Model, sync: Sync) -> None:
    group, path = sync.group, f"{_SYNC}.group"
    if group is None:
        return
    example = DEFAULT_GROUP_V4 if sync.network is None or sync.network.version == 4 else DEFAULT_GROUP_V6
    if sync.transport == "unicast":
        model.scope.refuse(path, "is stated, and unicast has no group", "remove it, or choose transport multicast")
    elif not group.is_multicast:
        model.scope.refuse(path, f"{group} is not a multicast address", f"choose one, as {example}, or leave it out")
    elif sync.network is not None and group.version != sync.network.version:
        model.scope.refuse(path, f"{group} is IPv{group.version}, and the Sync network is IPv{sync.network.version}",
                           f"choose one as {example}, or leave it out")
    elif group.version == 6 and ipv6_scope(group) <= 2:
        # Seen with conntrackd 1.4.7 on ff12::; RFC 6724 section 5 rule 2.
        model.scope.refuse(path, f"{group} has link scope or less, so updates come from link-local addresses outside the Sync network",
                           f"choose a group of site scope or more, as {example}")
    elif str(group) == "224.0.0.18":
        model.scope.refuse(path, f"{group} is VRRP's own group", f"choose another, as {example}")
    elif group.version == 4 and int(group) >> 8 == 0xE00000:
        model.scope.warn(path, f"{group} is in 224.0.0.0/24, which belongs to routing protocols", f"choose another, as {example}")


def _mode(model: Model, sync: Sync) -> None:
    if sync.mode == "ftfw" and len(model.nodes) > 2:
        model.scope.refuse(f"{_SYNC}.mode", f"is ftfw, which silently loses states with more than two nodes, and the cluster has {len(model.nodes)}",
                           "choose notrack, or leave it out")
    if sync.mode == "alarm" and sync.external_cache is False:
        model.scope.refuse(f"{_SYNC}.external_cache", "is false, and mode alarm always has an external cache", "leave it out, or choose mode ftfw or notrack")


def _name(model: Model, node: Node, port: Port | None) -> None:
    if model.cluster.state_sync is not True or port is None or port.device is None or refusal(port.device, LINUX_RULES):
        return
    reason = refusal(port.device, CONNTRACKD_RULES)
    if reason:
        node.scope.refuse(port.device_path, f"the name {port.device!r} {reason}", f"{SPELLINGS['linux'].remedy}, or use another for Sync")


def _vrrp(model: Model) -> None:
    vrrp = model.cluster.vrrp
    if vrrp.password:
        model.scope.refuse(f"{_VRRP}.password", "is stated, and VRRPv3 has no authentication (RFC 9568 section 9)",
                           "remove it, and keep strangers off the segment instead")
    if vrrp.preempt_delay is not None and not vrrp.preempt:
        model.scope.warn(f"{_VRRP}.preempt_delay", "has no effect without preempt", "remove it, or set preempt: true")
    if vrrp.advert_interval is None:
        return
    if vrrp.advert_interval > _LONGEST_ADVERT:
        model.scope.refuse(f"{_VRRP}.advert_interval", f"is {vrrp.advert_interval}, outside 0.01 to {_LONGEST_ADVERT}",
                           "choose seconds from there; VRRPv3 counts hundredths in 12 bits")
    elif abs(round(vrrp.advert_interval * 100) - vrrp.advert_interval * 100) > 1e-6:
        model.scope.refuse(f"{_VRRP}.advert_interval", f"is {vrrp.advert_interval}, and VRRPv3 counts in hundredths of a second", "round it to 0.01")
