# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Planned absence of a node from its cluster: the group ``carp`` is demoted by a number of our own, so that any other node that is ready takes over.

Facts of OpenBSD's sys/net/if.c (if_setgroupattribs), sys/netinet/ip_carp.c and etc/rc:

- ``ifconfig -g carp carpdemote N`` adds to a counter from 0 to 255 that others add to as well: pfsync0 32 while states come in, a link that is down 1, and the
  boot 128 until it has ended. It is one number; nothing tells who added what. So a file in /var/run says what we have added since the boot, which empties it.
- A node with the lower counter takes over whatever net.inet.carp.preempt says.
- hostname.carpN is run again by netstart, and would add again. /etc/rc.local is run once in a boot, before the boot takes its 128 back, and after /var/run was
  emptied: so there is no moment without a demotion. All of it together stays below 255.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import blocks, carp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import ifconfig, pfsync0, rc_local

DEMOTION = 64
MARKER = "/var/run/hafirewall.carpdemote"
RC_LOCAL, BLOCK = rc_local.FILE, "maintenance"
LINES = ["ifconfig -g carp carpdemote %d && echo %d > %s" % (DEMOTION, DEMOTION, MARKER)]

Drift = List[Dict[str, Any]]


class Now(NamedTuple):
    """What is so.

    Attributes:
        rc_local: the file.
        at_boot: it has our block as it shall be; None for another block.
        marked: we have demoted since the boot.
        level: the counter.
    """

    rc_local: Optional[str]
    at_boot: Optional[bool]
    marked: bool
    level: int

    @property
    def held(self) -> bool:
        """Whether our part is in the counter. One that is lower has lost it: somebody else has taken it away."""
        return self.marked and self.level >= DEMOTION


def observe(node: Node) -> bool:
    """Whether the node is in maintenance now.

    Raises:
        NodeError: that cannot be told.
    """
    return read(node).held


def own_part(node: Node, level: Optional[int]) -> int:
    """How much of the counter is from here."""
    return DEMOTION if level is not None and level >= DEMOTION and node.read_text(MARKER) is not None else 0


def read(node: Node) -> Now:
    """What is so.

    Raises:
        NodeError: the counter cannot be read, or the marks of the block do not belong together.
    """
    text, level = node.read_text(RC_LOCAL), pfsync0.demotion(node)
    if level is None:
        raise NodeError("ifconfig -g %s does not tell how much CARP is demoted; see whether this kernel has CARP" % pfsync0.GROUP)
    block = blocks.find(text or "", BLOCK, RC_LOCAL)
    return Now(text, False if block is None else True if list(block.lines) == LINES else None, node.read_text(MARKER) is not None, level)


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Enter maintenance (``state`` enabled) or leave it (disabled), and wait until that has happened.

    Returns:
        ``drift``, ``validation``, ``maintenance`` (the state after the run) and ``handed_over`` (this run took addresses away from this node).
    Raises:
        NodeError: there are no virtual addresses, nobody takes over, or they do not come back; the node is then as it was.
    """
    wanted, now, instances = params["state"] == "enabled", read(node), ifconfig.running(node)
    if wanted and not instances:
        raise NodeError("this node has no virtual addresses, so there is nothing to hand over; run hafirewall.cluster.virtual_ip first")
    persistent = wanted and params["persistent"]
    drift = _drift(now, wanted, persistent)
    with node.transaction():
        _at_boot(node, now, persistent)
        if wanted and not now.held:
            _demote(node)
        elif not wanted and now.marked:
            _lift(node, now)
        if wanted or drift:
            carp.wait_for_maintenance(node, wanted, ifconfig.running)
    return {"drift": drift, "validation": "not needed", "maintenance": wanted, "handed_over": bool(wanted and drift and carp.held(instances))}


def _drift(now: Now, wanted: bool, persistent: bool) -> Drift:
    drift: Drift = []
    if now.held is not wanted:
        drift.append({"setting": "maintenance", "is": now.held, "wanted": wanted})
    elif now.marked is not wanted:
        drift.append({"setting": "record of the demotion (%s)" % MARKER, "is": "present", "wanted": "absent"})
    if now.at_boot is not persistent:
        drift.append({"setting": "maintenance after a reboot", "is": "other content" if now.at_boot is None else now.at_boot, "wanted": persistent})
    return drift


def _at_boot(node: Node, now: Now, wanted: bool) -> None:
    text = rc_local.with_block(now.rc_local or "", BLOCK, LINES) if wanted else blocks.put(now.rc_local or "", BLOCK, [], RC_LOCAL)
    if text:
        node.write_text(RC_LOCAL, text, 0o644 if now.rc_local is None else None)
    elif now.rc_local:
        node.remove(RC_LOCAL)


def _demote(node: Node) -> None:
    # The file first: what is added without it could never be taken back, and a file alone takes nothing back that is not there.
    node.write_text(MARKER, "%d\n" % DEMOTION, shown=False)
    node.act(_argv("carpdemote"), undo=lambda: _back(node, "-carpdemote"))


def _lift(node: Node, now: Now) -> None:
    if now.held:
        node.act(_argv("-carpdemote"), undo=lambda: _back(node, "carpdemote"))
    node.remove(MARKER, shown=not now.held)


def _argv(word: str) -> List[str]:
    return ["ifconfig", "-g", pfsync0.GROUP, word, "%d" % DEMOTION]


def _back(node: Node, word: str) -> None:
    node.query(_argv(word))
