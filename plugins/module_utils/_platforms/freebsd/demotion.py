# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""This collection's own part of net.inet.carp.demotion, known exactly.

A write to that variable adds (sys/netinet/ip_carp.c of FreeBSD, carp_demote_adj_sysctl), and so do the kernel itself (interface down, errors when sending)
and pfsync (bulk update), 240 each. What of the sum is ours must be known whatever happened in between:

- The record of it is in the kernel's environment, kenv(1): it lives exactly as long as the demotion itself. A file in /var/run would have to be told from one
  of an earlier boot, and kern.boottime is moved whenever the clock is set.
- The record is written before the demotion, with the sum as it was then, and again after it. Our part is 241: it counts as 240, the most that CARP knows, and
  leaves another remainder than what the kernel adds. So one look tells whether a run that ended in between had come to it.
"""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import sysctl
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.sysctl import CARP_DEMOTION
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

AMOUNT = 241
RECORD = "hafirewall.demotion"
HELD = "held"
_STEP = 240  # what the kernel adds at a time, by default
_UNFINISHED = re.compile(r"(entering|leaving) (-?\d+)$")


class Demotion(NamedTuple):
    """What is known of the demotion.

    Attributes:
        total: as the kernel has it; None without CARP.
        record: ours, None when there is none.
    """

    total: Optional[int]
    record: Optional[str]

    @property
    def held(self) -> Optional[bool]:
        """Whether our part is in the total; None when that cannot be told.

        A total below our part says that somebody else has lifted it.
        """
        if self.record is None or self.total is None:
            return False
        if self.record == HELD:
            return self.total >= AMOUNT
        unfinished = _UNFINISHED.match(self.record)
        if unfinished is None:
            return None
        entering, since = unfinished[1] == "entering", self.total - int(unfinished[2])
        moved = since - AMOUNT if entering else since + AMOUNT
        if since % _STEP == 0:
            return not entering
        return entering if moved % _STEP == 0 else None

    @property
    def complete(self) -> bool:
        """Whether the record says no more and no less than what is so."""
        return self.record == (HELD if self.held else None)


def read(node: Node) -> Demotion:
    """What is so now.

    Raises:
        NodeError: there is no kenv or no sysctl.
    """
    # One that is not there is status 255 (bin/kenv/kenv.c).
    found = node.query(["kenv", "-q", RECORD], ok=(0, 1, 255))
    total = sysctl.parse(node.query(["sysctl", CARP_DEMOTION], ok=None).stdout).get(CARP_DEMOTION)
    return Demotion(int(total) if total is not None else None, found.stdout.strip() if found.status == 0 else None)


def hold(node: Node, now: Demotion) -> None:
    """Make our part be in the demotion, with a complete record; within a transaction, which lifts it again when a later step fails.

    Raises:
        NodeError: it cannot be told whether it is in it already, or a command fails.
    """
    if _known(now):
        if not now.complete:
            node.act(_record(HELD), undo=lambda: _restore(node, now))
        return
    node.act(_record("entering %d" % (now.total or 0)), undo=lambda: _restore(node, now))
    node.act(_adding(AMOUNT))
    node.act(_record(HELD))


def lift(node: Node, now: Demotion) -> None:
    """Make our part not be in the demotion, and leave no record; within a transaction as :func:`hold`.

    Raises:
        NodeError: as :func:`hold`.
    """
    if _known(now):
        node.act(_record("leaving %d" % (now.total or 0)), undo=lambda: _restore(node, now))
        node.act(_adding(-AMOUNT))
        node.act(_no_record())
    elif not now.complete:
        node.act(_no_record(), undo=lambda: _restore(node, now))


def _known(now: Demotion) -> bool:
    """Whether it is held, where that can be told."""
    if now.held is None:
        raise NodeError("%s is %s, and the record of a run that did not end says \"%s\": it cannot be told whether the %d of maintenance is in it. See to it "
                        "that all others who demote this node are done, set it to 0 (sysctl %s=%d), run kenv -u %s, and run again"
                        % (CARP_DEMOTION, now.total, now.record, AMOUNT, CARP_DEMOTION, -(now.total or 0), RECORD))
    return now.held


def _record(text: str) -> List[str]:
    return ["kenv", "%s=%s" % (RECORD, text)]


def _adding(amount: int) -> List[str]:
    return ["sysctl", "%s=%d" % (CARP_DEMOTION, amount)]


def _no_record() -> List[str]:
    return ["kenv", "-u", RECORD]


def _restore(node: Node, before: Demotion) -> None:
    """Make it so again as it was, wherever the run has come to."""
    now = read(node)
    if _known(now) is not _known(before):
        node.query(_record("%s %d" % ("leaving" if now.held else "entering", now.total or 0)))
        node.query(_adding(-AMOUNT if now.held else AMOUNT))
    if before.record is None:
        node.query(_no_record(), ok=(0, 1, 255))
    else:
        node.query(_record(before.record if before.record == HELD or not before.held else HELD))
