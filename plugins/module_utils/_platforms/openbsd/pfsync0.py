# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pfsync0 on OpenBSD: as it runs, as its file has it, and the commands from the one to the other.

Facts of sys/net/if_pfsync.c (7.4 and later) and sbin/ifconfig/ifconfig.c:

- Each word is a request of its own. While pfsync0 runs, one that would change its device or peer is refused (EBUSY), so it has to be down for that.
- Only coming up asks for all states of the others. Until they are here, or nobody has answered 12 times in 24 seconds, the group ``carp`` is demoted by 32;
  while its device has no link, by 1 more. Going down takes both back.
- There is no word for how that ended. Nothing tells but the counter of the group, and whether packets came in.
- ``no-sync`` is a property of a state from its beginning (sys/net/pf.c), whether pfsync0 runs or not.
"""

from __future__ import annotations

from typing import Callable, List, NamedTuple, Optional, Tuple, Union

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import netstat
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pfsync import INTERFACE, MULTICAST, Pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import hostname, ifconfig

GROUP = "carp"
BULK_DEMOTION = 32
DEFAULT_MAXUPD, DEFAULT_MTU = 128, 1500
OWNER = "state sync"
# Seconds. A transfer that nobody answers takes 24, and without a link 30.
SETTLE_TIMEOUT = 120.0


class Boot(NamedTuple):
    """What a file of pfsync0 sets; ``up`` says whether it makes it run, ``peer`` is None for multicast."""

    up: bool
    device: Optional[str]
    peer: Optional[str]
    maxupd: Optional[int] = None
    defer: bool = False

    @property
    def place(self) -> Tuple[bool, Optional[str], Optional[str]]:
        """What the options of state_sync are for."""
        return self.up, self.device, self.peer


def demotion(node: Node) -> Optional[int]:
    """How much the group carp is demoted, by whatever; None where it cannot be told.

    Raises:
        NodeError: there is no ifconfig.
    """
    return ifconfig.demotion(node.query(["ifconfig", "-g", GROUP], ok=None).stdout)


def received(node: Node) -> Optional[int]:
    """How many packets pfsync has got.

    Raises:
        NodeError: there is no netstat.
    """
    told = netstat.pfsync_told(node.query(["netstat", "-s", "-p", "pfsync"], ok=None).stdout)
    return None if told is None else told["received"]


# The file


def boot(content: Optional[str]) -> Optional[Boot]:
    """What a file sets; None for no file."""
    if content is None:
        return None
    up, device, peer, maxupd, defer = False, None, None, None, False  # type: bool, Optional[str], Optional[str], Optional[int], bool
    for words in hostname.statements(content):
        for word, following in zip(words, [*words[1:], ""]):
            if word in ("up", "down"):
                # Without a device, the kernel refuses to have it up.
                up = word == "up" and device is not None
            elif word in ("syncdev", "syncif"):
                device = following or None
            elif word in ("-syncdev", "-syncif"):
                device = None
            elif word == "syncpeer":
                peer = following or None
            elif word == "-syncpeer":
                peer = None
            elif word == "maxupd" and following.isdigit():
                maxupd = int(following)
            elif word in ("defer", "-defer"):
                defer = word == "defer"
    return Boot(up, device, None if peer == MULTICAST else peer, maxupd, defer)


def text(device: str, peer: Optional[str], now: Optional[Pfsync], before: Optional[Boot], mtu: int) -> str:
    """The file. What no option is for, maxupd and defer, stays as it runs, or as the file has it where pfsync0 is not there."""
    kept: Union[Pfsync, Boot, None] = now if now is not None and now.maxupd is not None else before
    maxupd, defer = (None, False) if kept is None else (kept.maxupd, bool(kept.defer))
    words = ["syncdev", device] + (["syncpeer", peer] if peer is not None else [])
    words += ["maxupd", "%d" % maxupd] if maxupd not in (None, DEFAULT_MAXUPD) else []
    words += ["defer"] if defer else []
    return hostname.text(OWNER, [" ".join(words), *(["mtu %d" % mtu] if mtu != DEFAULT_MTU else []), "up"])


# Applying


def take_down(node: Node, now: Pfsync) -> None:
    """Make pfsync0 not run, for only then it takes another device or peer. Up again when the surrounding transaction fails."""
    if now.up:
        node.act(["ifconfig", INTERFACE, "down"], undo=_undo(node, ["up"]))


def point(node: Node, now: Pfsync, device: str, peer: Optional[str]) -> None:
    """Give pfsync0 another device or peer. As it was when the surrounding transaction fails."""
    words: List[str] = []
    back: List[str] = []
    if now.peer != peer:
        words += ["syncpeer", peer] if peer is not None else ["-syncpeer"]
        back += ["syncpeer", now.peer] if now.peer is not None else ["-syncpeer"]
    if now.device != device:
        # The device comes first: without one, a kernel has no use for a peer.
        words = ["syncdev", device, *words]
        back = [*back, *(["syncdev", now.device] if now.device is not None else ["-syncdev"])]
    if words:
        node.act(["ifconfig", INTERFACE, *words], undo=_undo(node, back))


def set_mtu(node: Node, now: Optional[int], wanted: int) -> None:
    """A packet that is larger than its device takes is not sent, for it must not be taken apart."""
    if now is not None and now > wanted:
        node.act(["ifconfig", INTERFACE, "mtu", "%d" % wanted], undo=_undo(node, ["mtu", "%d" % now]))


def bring_up(node: Node) -> None:
    """Make pfsync0 run."""
    node.act(["ifconfig", INTERFACE, "up"], undo=_undo(node, ["down"]))


def settle(node: Node, begin: Callable[[], None], device: str) -> List[str]:
    """Do what makes a pfsync0 run that is down or not there, and wait until the states of the others are here; notes about what came of it.

    What it adds to the demotion of CARP is told by what that was before, so nothing of it may be in it then: before 7.4, a new device begins a transfer too.
    """
    before, heard = (None, None) if node.check_mode else (demotion(node) or 0, received(node))
    begin()
    if before is None:
        return []
    level: List[Optional[int]] = [None]

    def done() -> bool:
        level[0] = demotion(node)
        return level[0] is not None and level[0] - (before or 0) < BULK_DEMOTION

    if not node.wait_for(done, SETTLE_TIMEOUT, 0.5):
        return ["the states of the other nodes are still coming in after %.0f s, or it cannot be told; CARP stays demoted by %d meanwhile" % (
            SETTLE_TIMEOUT, BULK_DEMOTION)]
    left, got = (level[0] or 0) - before, received(node)
    notes = ["CARP stays demoted by %d, for %s has no link" % (left, device)] if left > 0 else []
    if heard is not None and got is not None and got <= heard:
        notes.append("no packet of another node came in on %s, so there are no states of others here: that is so for the first node of a cluster; otherwise "
                     "see to the Sync network and to the pass rule on both sides" % device)
    return notes


def _undo(node: Node, words: List[str]) -> Callable[[], None]:
    def back() -> None:
        node.query(["ifconfig", INTERFACE, *words])
    return back


def differing(now: Optional[Pfsync], device: Optional[str], peer: Optional[str], enabled: bool) -> List[Tuple[str, object, object]]:
    """What runs otherwise than wanted: setting, what is, what is wanted."""
    found: List[Tuple[str, object, object]] = []
    is_device, is_peer, is_up = (None, None, False) if now is None else (now.device, now.peer, now.up)
    if is_device != device:
        found.append(("device as running", is_device, device))
    if is_up != enabled:
        found.append(("running", is_up, enabled))
    if enabled and is_peer != peer:
        found.append(("peer as running", is_peer, peer))
    return found
