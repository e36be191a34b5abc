# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of pfsync's messages: the receiver understands them, they fit onto the link, and those of the beginning have come.

What a node sends and drops is read from it. Whether its kernel understands a format is not concluded from its release.
"""

from __future__ import annotations

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
    number,
    only_on,
    weigh,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import PLATFORMS, release
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.pf_facts import creator, inserts, states_sent
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.pfsync_rows import FORMATS, OLDEST_FORMAT

# A kernel that has a choice understands this one, with which the choice came.
FIRST_CHOICE = FORMATS[1]
_NO_FORMATS = "the engine has one format of messages"
_OF_FREEBSD = ("freebsd", "opnsense", "pfsense")
_NOT_READ = "this is not read from nodes of this platform"
_AGAIN = "netstat -z -s -p pfsync sets the counters to zero"


@only_on(_OF_FREEBSD, _NO_FORMATS)
def formats_agree(cluster: ClusterView) -> Iterator[Verdict]:
    """Every node understands the format that every other sends: one result per ordered pair, given for the receiving node."""
    if not cluster.synced:
        yield Verdict(SKIPPED, SWITCHED_OFF)
        return
    for receiver in cluster.nodes:
        for sender in cluster.nodes:
            if sender is not receiver:
                status, reason = _understood(cluster, sender, receiver)
                yield Verdict(status, f"from {sender.name} to {receiver.name}: {reason}", receiver.name)


def _understood(cluster: ClusterView, sender: NodeView, receiver: NodeView) -> tuple[str, str]:
    """What was seen on the Sync network beats what a node says of itself: it is what the others get."""
    for node in (sender, receiver):
        if not isinstance(node.get("engine", "config"), Mapping):
            return ERROR, node.unknown("the format of messages", "engine")
    seen = {node.name: watch.newest_format(cluster, node) for node in (sender, receiver)}
    shown, sent = _shown(receiver), max(seen[sender.name] or OLDEST_FORMAT, _shown(sender) or OLDEST_FORMAT)
    # Who sends a format understands it.
    known = max(seen[receiver.name] or OLDEST_FORMAT, OLDEST_FORMAT if shown is None else max(shown, FIRST_CHOICE))
    if sent <= known:
        return PASS, f"format {sent} is understood" + (", and was seen" if seen[sender.name] == sent else "")
    if shown is None:
        return FAIL, f"format {sent} is dropped, for the kernel of {receiver.name} has no choice and understands {OLDEST_FORMAT} alone"
    dropped = number(receiver.get("engine", "counters", "bad_action"))
    if dropped:
        return FAIL, f"format {sent} is sent, and {receiver.name} has dropped {dropped:.0f} packets whose action it does not know"
    if receiver.get("engine", "pinned") is None:
        return FAIL, f"format {sent} is dropped, for the kernel of {receiver.name} sends {shown} by itself, and newer ones it does not understand"
    return ERROR, f"format {sent} is sent, and {receiver.name} is set to {shown}; whether its kernel understands a newer one is not known"


def _shown(node: NodeView) -> int | None:
    """The format that the kernel shows; one that shows none has the oldest."""
    value = node.get("engine", "config", "version")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@only_on(_OF_FREEBSD, "another engine counts otherwise", openbsd=_NOT_READ)
def peer_understood(cluster: ClusterView) -> Iterator[Verdict]:
    """No node drops what it does not understand. The signature of a peer with newer messages: they are dropped for their action, updates of states that
    never came are asked for again and again, and no state is ever inserted."""
    for node in cluster.nodes:
        yield Verdict(*_signature(node), node.name) if node.synced else Verdict(SKIPPED, SWITCHED_OFF, node.name)


def _signature(node: NodeView) -> tuple[str, str]:
    action, version = (number(node.get("engine", "counters", name)) for name in ("bad_action", "bad_version"))
    if action is None or version is None:
        return ERROR, node.unknown("what pfsync has dropped", "engine")
    if not action and not version:
        return PASS, "nothing was dropped for a version or an action that is not known"
    dropped = " and ".join([f"{version:.0f} packets for their version"] * bool(version) + [f"{action:.0f} for an action that it does not know"] * bool(action))
    told = f"{node.name} has dropped {dropped}"
    taken, asked = inserts(node.get("engine", "counters", "received_messages")), _counted(node, "sent_messages", "uncompressed-state-request")
    if taken is None:
        return ERROR, f"{told}; which messages it took is not known"
    if taken:
        return WARN, f"{told}, and taken {taken} inserts: from before an upgrade, or of one node among several; {_AGAIN}"
    if action:
        return FAIL, (f"{told}, and has never inserted a state, while it asked for those that it does not have ({asked or 0:.0f} requests): "
                      "a peer sends a format that it does not understand")
    return FAIL, f"{told}, and has never inserted a state: a peer speaks another protocol, as OpenBSD and FreeBSD do to each other"


def _counted(node: NodeView, direction: str, kind: str) -> float | None:
    messages: Any = node.get("engine", "counters", direction)
    return number(messages.get(kind, 0)) if isinstance(messages, Mapping) else None


@only_on(("freebsd", "openbsd", "opnsense"), "another engine has no device of its own", pfsense=_NOT_READ)
def pfsync_mtu(cluster: ClusterView) -> Iterator[Verdict]:
    """What pfsync0 packs into a packet can be sent: a kernel has no buffer for more than it has, and on the link nothing is fragmented."""
    for node in cluster.nodes:
        yield Verdict(*_fits(node), node.name) if node.synced else Verdict(SKIPPED, SWITCHED_OFF, node.name)


def _fits(node: NodeView) -> tuple[str, str]:
    device = node.sync["interface"]
    own, link = number(node.get("engine", "mtu")), number((node.interface(device) or {}).get("mtu"))
    limit = PLATFORMS[node.platform].mtu
    runs = release(node.get("os", "version") if isinstance(node.get("os", "version"), str) else None)
    failures, unknowns = [], []
    if own is None:
        unknowns.append(node.unknown("the MTU of pfsync0", "engine"))
    elif limit is not None and own > limit[0]:
        said = f"pfsync0 has MTU {own:.0f}, and with more than {limit[0]} {_before(node.platform, limit[1])} sends nothing"
        if runs is None:
            unknowns.append(f"{said}; which runs on {node.name} is not known")
        elif limit[1] is None or runs < limit[1]:
            failures.append(said)
    if link is None:
        unknowns.append(node.unknown(f"the MTU of {device}", "interfaces"))
    elif own is not None and own > link:
        failures.append(f"pfsync0 has MTU {own:.0f}, and {device} {link:.0f}: full packets do not leave, for nothing may fragment them")
    return weigh(failures, unknowns, [], f"MTU {own or 0:.0f} on {device} with {link or 0:.0f}")


def _before(platform: str, since: tuple[int, ...] | None) -> str:
    title = PLATFORMS[platform].title
    return f"a kernel of {title}" if since is None else f"a kernel of {title} before {'.'.join(map(str, since))}"


@only_on(("freebsd", "opnsense"), "another engine asks for its states otherwise", pfsense=_NOT_READ, openbsd=_NOT_READ)
def bulk_done(cluster: ClusterView) -> Iterator[Verdict]:
    """The node got all states that there were when it joined. The kernel says so (syncok) also when it has given up; its messages tell the two apart."""
    for node in cluster.nodes:
        yield Verdict(*_bulk(cluster, node), node.name) if node.synced else Verdict(SKIPPED, SWITCHED_OFF, node.name)


def _bulk(cluster: ClusterView, node: NodeView) -> tuple[str, str]:
    outcome = node.get("engine", "bulk")
    if outcome == "done":
        return PASS, "the states that the others had were all sent when it joined"
    if outcome == "pending":
        return WARN, "it is waiting for the states that the others have, and CARP is demoted meanwhile; after about a minute without an answer it gives up"
    if outcome == "failed":
        return _unanswered(cluster, node)
    errors = [row for row in node.rows("errors") or [] if str(row.get("area", "")).partition(".")[0] == "engine"]
    if node.flag("engine", "synced") is not True or errors:
        return ERROR, node.unknown("whether the states that the others had have come", "engine")
    return SKIPPED, "the kernel's messages do not tell (they are overwritten in time): states_travel tells of the states that there are"


def _unanswered(cluster: ClusterView, node: NodeView) -> tuple[str, str]:
    """An active node has the states of the traffic itself. A standby gets those that change afterwards, and lacks those that were quiet."""
    said = "nobody answered when it asked for the states that the others had, and it gave up (pfsync bulk fail)"
    if node.active:
        return SKIPPED, f"{said}, as the first node of a new cluster must; it is active now, so that its own states are those that count"
    if node.creators is None:
        return ERROR, f"{said}; {node.unknown('who made the states that it holds', 'engine')}"
    senders = {other.name: creator(other.get("engine", "host_id")) for other in cluster.nodes if other is not node and states_sent(
        other.get("engine", "counters"))}
    lacking = [name for name, one in senders.items() if one not in node.creators]
    if lacking:
        return FAIL, f"{said}; it has no state of {', '.join(lacking)}, whose connections it would lose"
    return WARN, f"{said}; what has changed since is here, and connections that were quiet since then may be missing"
