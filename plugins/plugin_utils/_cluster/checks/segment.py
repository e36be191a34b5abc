# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of the Sync network: a link of its own, nobody else on it, one MTU, fast enough, and how much of it is used."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks import watch
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import (
    ERROR,
    FAIL,
    PASS,
    SKIPPED,
    SWITCHED_OFF,
    WARN,
    ClusterView,
    NodeView,
    Verdict,
    host_of,
    number,
    weigh,
)

LEAST_SPEED = 0.1  # of the fastest other link: sync traffic can reach about a tenth of the throughput
LEAST_CARRIED = 10_000  # bytes/s; below that, a share tells nothing
MUCH_SYNC = 0.2  # of the carried traffic
FULL_LINK = 0.8  # of the Sync link


def sync_dedicated(cluster: ClusterView) -> Iterator[Verdict]:
    """The Sync interface carries nothing but sync traffic. Sharing is allowed where the intent says so, and always reported."""
    for node in cluster.nodes:
        if not node.synced:
            yield Verdict(SKIPPED, SWITCHED_OFF, node.name)
            continue
        device = node.sync["interface"]
        seen = node.interface(device)
        if seen is None or not isinstance(seen.get("addresses"), list):
            yield Verdict(ERROR, node.unknown(f"what Sync interface {device} carries", "interfaces"), node.name)
            continue
        warnings = []
        if _shared(node):
            warnings.append(f"{device} also carries the virtual addresses " + ", ".join(
                address for instance in node.instances if instance["interface"] == device for address in instance["addresses"]))
        foreign = [str(address) for address in seen["addresses"] if not _of_sync(node, address)]
        if foreign and not _shared(node):
            warnings.append(f"{device} also has addresses outside the Sync network: {', '.join(foreign)}")
        yield Verdict(*weigh([], [], warnings, f"{device} carries sync traffic only"), node.name)


def sync_isolated(cluster: ClusterView) -> Iterator[Verdict]:
    """Nobody but the members is on the Sync segment, and nobody else sends there: whoever reaches it can insert states."""
    macs = {str(row.get("mac")).lower(): node.name for node in cluster.nodes for row in node.rows("interfaces") or [] if isinstance(row.get("mac"), str)}
    for node in cluster.nodes:
        yield _isolated(cluster, node, macs) if node.synced else Verdict(SKIPPED, SWITCHED_OFF, node.name)


def mtu_equal(cluster: ClusterView) -> Iterator[Verdict]:
    """The Sync interfaces have the same MTU on all nodes."""
    if not cluster.synced:
        yield Verdict(SKIPPED, SWITCHED_OFF)
        return
    mtus = {node.name: number((node.interface(node.sync["interface"]) or {}).get("mtu")) for node in cluster.nodes}
    unknowns = [node.unknown(f"the MTU of {node.sync['interface']}", "interfaces") for node in cluster.nodes if mtus[node.name] is None]
    known = {name: mtu for name, mtu in mtus.items() if mtu is not None}
    failures = ["the MTU differs: " + ", ".join(f"{name} has {mtu:g}" for name, mtu in known.items())] if len(set(known.values())) > 1 else []
    yield Verdict(*weigh(failures, unknowns, [], "MTU " + ", ".join(f"{mtu:g}" for mtu in sorted(set(known.values()))) + " on all nodes"))


def sync_speed(cluster: ClusterView) -> Iterator[Verdict]:
    """The Sync link has at least a tenth of the speed of the fastest other link that the cluster uses."""
    for node in cluster.nodes:
        yield _fast_enough(node) if node.synced else Verdict(SKIPPED, SWITCHED_OFF, node.name)


def sync_bandwidth(cluster: ClusterView) -> Iterator[Verdict]:
    """Sync traffic as it was seen on the Sync network, against the traffic that the cluster carried meanwhile, and against its own link.

    Carried is what went in and out of the interfaces with virtual addresses, without sync traffic, halved because forwarded bytes are counted twice, on
    all nodes together; sync is the busiest direction of the busiest Sync interface.
    """
    if not cluster.synced:
        yield Verdict(SKIPPED, SWITCHED_OFF)
        return
    unknowns, carried, sync = [], 0.0, 0.0
    for node in cluster.nodes:
        seen, carrying = watch.rates(node), {device: _rates(node, device) for device in sorted({instance["interface"] for instance in node.instances})}
        if seen is None:
            unknowns.append(node.unknown("how much sync traffic there is", watch.AREA))
        if any(rate is None for rate in carrying.values()):
            unknowns.append(node.unknown("the traffic", "segment"))
        if unknowns or seen is None:
            continue
        sync = max(sync, *seen)
        for device, rate in carrying.items():
            carried += max(0.0, sum(rate or ()) - (sum(seen) if device == node.sync["interface"] else 0.0)) / 2
    if unknowns:
        yield Verdict(ERROR, "; ".join(unknowns))
        return
    yield _share(cluster, sync, carried)


def _share(cluster: ClusterView, sync: float, carried: float) -> Verdict:
    said = f"{sync:.0f} bytes/s of sync traffic, {carried:.0f} bytes/s carried"
    speeds = [speed for speed in (_speed(node, node.sync["interface"]) for node in cluster.nodes) if speed is not None]
    if speeds and sync > FULL_LINK * min(speeds) * 125_000:
        return Verdict(FAIL, f"{said}: sync traffic takes {100 * sync / (min(speeds) * 125_000):.1f} % of its link of {min(speeds):g} Mbit/s")
    if carried < LEAST_CARRIED:
        return Verdict(SKIPPED, f"{said}: too little to tell a share")
    share = sync / carried
    return Verdict(WARN if share > MUCH_SYNC else PASS, f"{said}: {100 * share:.1f} %")


def _isolated(cluster: ClusterView, node: NodeView, macs: Mapping[str, str]) -> Verdict:
    neighbours, device = node.rows("segment", "neighbours"), node.sync["interface"]
    if neighbours is None:
        return Verdict(ERROR, node.unknown("who is on the Sync segment", "segment"), node.name)
    if node.get("segment", "interface") != device:
        return Verdict(ERROR, f"what was heard on {node.get('segment', 'interface')} tells nothing of Sync interface {device}", node.name)
    seen = watch.seen(cluster, node, macs)
    if seen is None:
        return Verdict(ERROR, node.unknown("who sends on the Sync network", watch.AREA), node.name)
    members, strangers = set(seen.members), []
    for row in neighbours:
        owner = _member(cluster, macs, row)
        if owner is None:
            strangers.append(f"{row.get('address')} ({row.get('mac')}, {row.get('how')})")
        else:
            members.add(owner)
    members.discard(node.name)
    if seen.strangers:
        # On a network that is shared, too: whoever sends states inserts them.
        return Verdict(FAIL, f"no member of the cluster, yet it sends states to it: {', '.join([*seen.strangers, *strangers])}", node.name)
    if strangers and _shared(node):
        return Verdict(WARN, f"{device} is shared with another network, so others are on it: {', '.join(strangers)}", node.name)
    if strangers:
        return Verdict(FAIL, f"no member of the cluster, yet on the Sync segment: {', '.join(strangers)}", node.name)
    if not members:
        return Verdict(ERROR, "not even a member was heard on the Sync segment, so its silence proves nothing", node.name)
    if not node.number("segment", "asked") and node.flag("segment", "echo") is not True:
        return Verdict(WARN, "only members were heard, but nobody was asked: a silent stranger would not be seen", node.name)
    if node.flag(watch.AREA, "truncated") is not False:
        return Verdict(WARN, "only members were seen, but there were more packets than could be looked at", node.name)
    return Verdict(PASS, f"only members are on the Sync segment: {', '.join(sorted(members))}", node.name)


def _member(cluster: ClusterView, macs: Mapping[str, str], row: Mapping[str, Any]) -> str | None:
    """The member that a neighbour is. Its hardware address decides; its address only for a member whose hardware addresses nobody has read."""
    mac, address = row.get("mac"), host_of(row.get("address"))
    if isinstance(mac, str) and mac.lower() in macs:
        return macs[mac.lower()]
    for node in cluster.nodes:
        if address is not None and node.name not in macs.values() and host_of(node.sync.get("address")) == address:
            return node.name
    return None


def _fast_enough(node: NodeView) -> Verdict:
    device = node.sync["interface"]
    seen = node.interface(device)
    if seen is None or not isinstance(seen.get("up"), bool):
        return Verdict(ERROR, node.unknown(f"the state of {device}", "interfaces"), node.name)
    if not seen["up"]:
        return Verdict(FAIL, f"the link of Sync interface {device} is down", node.name)
    others = sorted({instance["interface"] for instance in node.instances} - {device})
    if not others:
        return Verdict(SKIPPED, "no other interface is planned to compare with", node.name)
    speed, speeds = _speed(node, device), {other: _speed(node, other) for other in others}
    silent = [name for name, value in [(device, speed), *speeds.items()] if value is None]
    if speed is None or silent:
        return Verdict(SKIPPED, f"the driver reports no speed for {', '.join(silent)}", node.name)
    fastest = max(speeds, key=lambda name: speeds[name] or 0)
    said = f"{device} has {speed:g} Mbit/s, the fastest other, {fastest}, {speeds[fastest]:g} Mbit/s"
    return Verdict(PASS if speed >= LEAST_SPEED * (speeds[fastest] or 0) else FAIL, said, node.name)


def _speed(node: NodeView, device: str) -> float | None:
    return number((node.interface(device) or {}).get("speed")) or None


def _rates(node: NodeView, device: str) -> tuple[float, float] | None:
    """Bytes per second received and sent, or None."""
    seconds = node.number("traffic", "seconds")
    received, sent = (node.number("traffic", "interfaces", device, key) for key in ("rx_bytes", "tx_bytes"))
    return None if not seconds or received is None or sent is None else (received / seconds, sent / seconds)


def _shared(node: NodeView) -> bool:
    return any(instance["interface"] == node.sync["interface"] for instance in node.instances)


def _of_sync(node: NodeView, address: Any) -> bool:
    """An address that belongs on the Sync interface: of the Sync network, or link-local as every IPv6 interface has one."""
    host = host_of(address)
    if host is None:
        return False
    parsed = ipaddress.ip_address(host)
    network = ipaddress.ip_network(node.sync["network"], strict=False)
    return parsed.is_link_local or (parsed.version == network.version and parsed in network)
