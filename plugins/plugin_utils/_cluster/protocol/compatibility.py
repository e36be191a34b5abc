# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Can two nodes share states? Judged for each direction from what one sends and the other understands. What a node says itself beats the table.

Nothing is concluded where nothing is known: unknown stays unknown, and is no yes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.conntrackd_rows import ATTRIBUTES
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.losses import in_order, lost_in
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.nodes import Node, read_node
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.notes import HOW
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.pfsync_rows import OLDEST_FORMAT, SAME_LAYOUT_SINCE
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import DERIVED, EVIDENCE, PFSENSE, READ, UNVERIFIED, weakest

YES, NO, UNKNOWN = "yes", "no", "unknown"
_ENGINES = {"freebsd": "pfsync of FreeBSD", "openbsd": "pfsync of OpenBSD", "linux": "conntrackd"}


class Direction(NamedTuple):
    """The answer for one direction: ``format`` is what travels, None when nothing does or when that is not known."""

    answer: str
    reason: str
    confidence: str
    format: int | None = None


def compatibility(node_a: Mapping[str, Any], node_b: Mapping[str, Any]) -> dict[str, Any]:
    """Whether states can travel between two nodes.

    Args:
        node_a, node_b: ``platform`` (one of the keys of ``TITLES``) and ``release`` as for ``knowledge``; where the node told them ``emits`` (the format that
            it sends or is set to) and ``understands`` (a list of formats); of ``linux``, whose formats are versions of conntrackd's protocol, also
            ``kernel`` and ``mode``.
    Returns:
        ``a_to_b`` and ``b_to_a``: ``yes``, ``no`` or ``unknown``; ``pin``: the ``node`` (``a`` or ``b``) on which choosing ``format`` makes both directions
        yes, and ``how``, or None when none is needed or none would do; ``lost``: what does not travel although its sender has it, in the format in use or to
        be pinned; ``confidence``: the weakest of what the answer rests on (see ``CONFIDENCE``); ``reason``: sentences.
    Raises:
        ValueError: a node is not one that can be judged; it says where and what to do.
    """
    a, b = read_node(node_a, "node_a", "a"), read_node(node_b, "node_b", "b")
    there, back = _direction(a, b), _direction(b, a)
    pin = _pin(a, b, there, back)
    used = {"a": there.format, "b": back.format} | ({pin["node"]: pin["format"]} if pin else {})
    lost = in_order(lost_in(a.family, a.known, used["a"]) | lost_in(b.family, b.known, used["b"])) + _refused(a, b, there) + _refused(b, a, back)
    reasons = [f"a to b: {there.reason}", f"b to a: {back.reason}"]
    if there.reason == back.reason:
        reasons = [there.reason]
    return {"a_to_b": there.answer, "b_to_a": back.answer, "pin": pin, "lost": lost,
            "confidence": weakest(there.confidence, back.confidence), "reason": "; ".join(reasons)}


def _direction(sender: Node, receiver: Node) -> Direction:
    if sender.family != receiver.family:
        return _strangers(sender, receiver)
    if None not in (sender.mode, receiver.mode) and sender.mode != receiver.mode:
        return Direction(UNKNOWN, f"mode {sender.mode} is not mode {receiver.mode}, and what the two make of each other is not known: choose one",
                         UNVERIFIED)
    answer = _formats(sender, receiver)
    if answer.answer != YES:
        return answer
    doubt = _doubt(sender, receiver)
    if doubt and answer.confidence != EVIDENCE:
        return Direction(UNKNOWN, f"{answer.reason}, but {doubt}", UNVERIFIED, answer.format)
    return _qualified(sender, receiver, answer)


def _qualified(sender: Node, receiver: Node, answer: Direction) -> Direction:
    """What a yes rests on beside the formats."""
    differ = sender.number.numbers != receiver.number.numbers
    if sender.family == "openbsd" and differ:
        return answer._replace(confidence=weakest(answer.confidence, DERIVED), reason=f"{answer.reason}, for the layout of a state was the same wherever "
                               "it was read")
    if None not in (sender.kernel, receiver.kernel) and sender.kernel != receiver.kernel:
        return answer._replace(confidence=weakest(answer.confidence, DERIVED), reason=f"{answer.reason}; the kernels differ, and its messages have numbers "
                               "of their own for what a state has")
    return answer


def _strangers(sender: Node, receiver: Node) -> Direction:
    """Two protocols: always no, in both directions."""
    one, other = sorted((sender, receiver), key=lambda node: node.family)
    said = f"{_ENGINES[one.family]} and {_ENGINES[other.family]} are two protocols"
    if "linux" in (one.family, other.family):
        return Direction(NO, said, READ)
    bytes_ = [node.row.version_byte for node in (one, other)]
    if None in bytes_ or bytes_[0] == bytes_[1]:
        return Direction(NO, f"{said}, and nobody has shown that any of their versions understand each other", DERIVED)
    return Direction(NO, f"{said}: the version byte is {bytes_[0]} of one and {bytes_[1]} of the other, and each drops the other's packets", READ)


def _formats(sender: Node, receiver: Node) -> Direction:
    possible = sender.possible
    same = sender.listed and receiver.listed and sender.row.platform == receiver.row.platform and sender.number.numbers == receiver.number.numbers
    if possible is None:
        if same and sender.understands is None and receiver.understands is None:
            return Direction(YES, f"which format {sender.name} sends is not known, but both run one release, and a kernel understands what it sends", DERIVED)
        return Direction(UNKNOWN, f"which format it sends is not known: {sender.gap}", UNVERIFIED)
    # What one of two equal kernels sends, the other understands.
    read = {number: True if answer is None and same else answer for number, answer in ((number, receiver.reads(number)) for number in possible)}
    sends = _sends(sender, possible)
    confidence = weakest(sender.sender_confidence, *(receiver.reader_confidence(number) for number in possible))
    only = possible[0] if len(possible) == 1 else None
    if all(read.values()):
        if confidence == UNVERIFIED and not same:
            return Direction(UNKNOWN, f"{sends}, which {receiver.name} should understand, and that is not verified", UNVERIFIED, only)
        return Direction(YES, f"{sends}, which {receiver.name} understands", DERIVED if confidence == UNVERIFIED else confidence, only)
    if None in read.values():
        return Direction(UNKNOWN, f"{sends}; whether that is understood is not known: {receiver.gap}", UNVERIFIED)
    reason = f"{sends}, and {receiver.name} {_drops(receiver)}"
    return Direction(UNKNOWN, reason, UNVERIFIED) if any(read.values()) else Direction(NO, reason, confidence)


def _sends(sender: Node, possible: tuple[int, ...]) -> str:
    if len(possible) > 1:
        return f"{sender.name} sends {_called(possible, ' or ')}, whichever it is set to"
    return f"{sender.name} sends {_called(possible)}" + (" by default" if sender.emits is None and sender.chooses else "")


def _called(numbers: tuple[int, ...], joint: str = " and ") -> str:
    """Formats have numbers of four digits; what has none is called by its protocol's version."""
    return f"{'format' if numbers[0] >= OLDEST_FORMAT else 'protocol version'} {joint.join(map(str, numbers))}"


def _drops(receiver: Node) -> str:
    return f"understands {_called(receiver.known)} and drops others" if receiver.known else "understands nothing"


def _doubt(sender: Node, receiver: Node) -> str:
    """What speaks against a yes that follows from the formats; empty where nothing does."""
    one, other = sender.number.numbers, receiver.number.numbers
    if sender.family == "openbsd" and one != other and min(one, other) < SAME_LAYOUT_SINCE:
        return "a state that is shorter than the receiver's own is skipped, and how long it is in releases before 6.0 was not read: see that states travel"
    if all(node.row.platform in PFSENSE for node in (sender, receiver)) and sender.row.base != receiver.row.base:
        return "Netgate says that releases of pfSense with different FreeBSD bases may not be able to share states: see on the nodes that states travel"
    return ""


def _refused(sender: Node, receiver: Node, direction: Direction) -> list[str]:
    """Of conntrackd: states that an older receiver refuses, because of an attribute that it does not know."""
    if sender.family != "linux" or direction.answer != YES:
        return []
    return [f"{what}: conntrack-tools before {'.'.join(map(str, since))} refuses them" for since, what in ATTRIBUTES
            if receiver.number.numbers < since <= sender.number.numbers]


def _pin(a: Node, b: Node, there: Direction, back: Direction) -> dict[str, Any] | None:
    """The one format, chosen on one node, that makes both directions yes."""
    for sender, receiver, forward, other in ((a, b, there, back), (b, a, back, there)):
        if forward.answer == YES or other.answer != YES or sender.family != receiver.family or not sender.chooses:
            continue
        common = [number for number in sender.known if receiver.reads(number)]
        if common:
            return {"node": sender.label, "format": common[-1], "how": HOW[sender.row.platform].format(format=common[-1])}
    return None
