# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CARP as the kernel runs it, read from ifconfig."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

# carp(4): one byte each; 255 is not for use, and a node never announces without a pause.
LIMITS = {"advskew": (0, 254), "advbase": (1, 254)}
HAND_OVER = 30.0  # seconds; three announcements and a bit, with the advbase of a slow link
_STATES = {"MASTER": "active", "BACKUP": "standby", "INIT": "init"}
# FreeBSD 14 has a second line with the peers; the key is there when ifconfig was asked for it (-k) by root.
_INSTANCE = re.compile(r'^\s+carp: (\w+) vhid (\d+) advbase (\d+) advskew (\d+)(?: key "(.*)")?(?:[^\n]*\n\s+peer (\S+) peer6 (\S+))?', re.MULTILINE)


class Instance(NamedTuple):
    """One virtual host id on one device, as the kernel runs it.

    Attributes:
        state: ``active``, ``standby`` or ``init``, None for anything else.
        key: its password, None where ifconfig was not asked for it or there is none.
        peer, peer6: where it announces to, None before FreeBSD 14, which has multicast only.
    """

    device: str
    id: int
    state: Optional[str]
    advbase: int
    advskew: int
    addresses: Tuple[str, ...]
    key: Optional[str] = None
    peer: Optional[str] = None
    peer6: Optional[str] = None


class Expected(NamedTuple):
    """What shall run: a name for messages, device and virtual host id, and addresses without prefix length."""

    name: str
    device: str
    id: int
    addresses: Sequence[str]


def judge(instances: Sequence[Mapping[str, Any]]) -> None:
    """See whether CARP can have what the option ``instances`` of module virtual_ip says.

    Raises:
        NodeError: it cannot; with the place in the option.
    """
    for number, item in enumerate(instances):
        for option, (least, most) in LIMITS.items():
            if item[option] is None or not least <= item[option] <= most:
                raise NodeError("instances[%d].%s: CARP needs it, from %d to %d, and it is %s" % (number, option, least, most, item[option]))
        if not item["addresses"]:
            raise NodeError("instances[%d].addresses: an id has one address or more; state them, or leave the entry out" % number)


def running(node: Node) -> List[Instance]:
    """What the kernel runs.

    Raises:
        NodeError: there is no ifconfig.
    """
    return parse(node.query(["ifconfig"]).stdout)


def switched_on(node: Node) -> bool:
    """Whether the kernel lets CARP run at all."""
    return node.query(["sysctl", "-n", "net.inet.carp.allow"]).stdout.strip() == "1"


def parse(text: str) -> List[Instance]:
    """Read ifconfig's answer."""
    found: List[Instance] = []
    for block in re.split(r"^(?=\S)", text, flags=re.MULTILINE):
        device = block.split(":", 1)[0]
        addresses = re.findall(r"^\s+inet6? (\S+) .*\bvhid (\d+)", block, re.MULTILINE)
        for state, vhid, advbase, advskew, key, peer, peer6 in _INSTANCE.findall(block):
            own = tuple(address for address, number in addresses if number == vhid)
            found.append(Instance(device, int(vhid), _STATES.get(state), int(advbase), int(advskew), own, key or None, peer or None, peer6 or None))
    return found


def held(found: Sequence[Instance]) -> List[str]:
    """Those that this node is active for, for messages."""
    return ["%s on %s" % (" ".join(item.addresses) or "vhid %d" % item.id, item.device) for item in found if item.state == "active"]


def idle(found: Sequence[Instance]) -> List[str]:
    """Those that take no part, for messages; an id without addresses has none to take."""
    return ["vhid %d on %s is %s" % (item.id, item.device, item.state or "in no state") for item in found
            if item.addresses and item.state not in ("active", "standby")]


def wait(node: Node, wanted: Sequence[Expected], gone: Sequence[Tuple[str, str]], timeout: float,
         read: Callable[[Node], List[Instance]] = running) -> None:
    """Wait until all addresses are there, each id is active or standby, and what shall be gone is gone.

    Args:
        gone: devices and addresses.
        timeout: seconds.
        read: tells what runs.
    Raises:
        NodeError: that does not come about in time.
    """
    left: List[str] = []

    def settled() -> bool:
        found = {(instance.device, instance.id): instance for instance in read(node)}
        there = {(instance.device, address) for instance in found.values() for address in instance.addresses}
        left[:] = ["%s is still on %s" % (address, device) for device, address in gone if (device, address) in there]
        for item in wanted:
            instance = found.get((item.device, item.id))
            missing = [address for address in item.addresses if instance is None or address not in instance.addresses]
            left.extend("%s is not on %s" % (address, item.device) for address in missing)
            if instance is not None and instance.state not in ("active", "standby"):
                left.append("%s on %s is %s" % (item.name, item.device, instance.state or "in no state"))
        return not left

    if not node.wait_for(settled, timeout, 0.5):
        raise NodeError("CARP does not run as configured after %.0f s: %s" % (timeout, "; ".join(left)))


def demotions(text: str) -> List[Dict[str, Any]]:
    """Why CARP is demoted, from the kernel's messages: all changes since it was last not demoted, ``{"by", "why"}`` each; empty when it is not."""
    found: List[Dict[str, Any]] = []
    for by, left, why in re.findall(r"\bcarp: demoted by (-?\d+) to (-?\d+) \(([^)]*)\)", text):
        found = [] if int(left) == 0 else [*found, {"by": int(by), "why": why}]
    return found


def wait_for_maintenance(node: Node, entering: bool, read: Callable[[Node], List[Instance]] = running) -> None:
    """Wait until no address is active here any more, or on leaving until each id is active or standby again.

    Args:
        read: tells what runs.
    Raises:
        NodeError: that does not come about in time.
    """
    left: List[str] = []

    def settled() -> bool:
        left[:] = held(read(node)) if entering else idle(read(node))
        return not left

    if node.wait_for(settled, HAND_OVER, 0.5):
        return
    if entering:
        raise NodeError("this node still holds virtual addresses %.0f s after it entered maintenance, so no other node takes over: %s; see to the others first"
                        % (HAND_OVER, ", ".join(left)))
    raise NodeError("this node cannot take part again: %s; see to its interfaces, and whether CARP is switched on" % ", ".join(left))
