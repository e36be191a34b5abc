# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking over the states of the other nodes: holding CARP still meanwhile, waiting for the end, and telling what came of it.

The kernel demotes CARP as long as such a transfer runs, by net.pfsync.carp_demotion_factor, which moves the virtual addresses away from an active node. It adds
the factor of the moment at the end, and takes off that of the moment at the beginning: so it is changed only while no transfer runs (syncok).
When nobody answers 13 requests, 5 s apart, the kernel takes the transfer for done; only its message says that it failed.
"""

from __future__ import annotations

import re
from typing import List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pf, pfsync, sysctl
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

DEFAULT_FACTOR = "240"  # if_pfsync.c: CARP_MAXSKEW
# Seconds: 13 requests and a bit; and more for each state that there may be, for a large table takes minutes on a slow machine.
UNANSWERED, STATES_A_SECOND = 80.0, 500.0
PATIENCE = 7.0  # seconds until a peer that is there has answered: the first request may be lost, the second is sent after 5
_CALM = 5.0  # seconds until CARP is not demoted any more
_INTERVAL = 0.5
_STATED = re.compile(r"^[ \t]*%s[ \t]*=[ \t]*(\d+)" % re.escape(sysctl.PFSYNC_DEMOTION), re.MULTILINE)
# In the order in which they come: load_kld of rc.subr applies the first one with the module.
_SYSCTL_FILES = ("/etc/sysctl.kld.d/pfsync.conf", "/etc/sysctl.conf", "/etc/sysctl.conf.local")


def usual(node: Node) -> str:
    """The factor that sysctl's files set, or the kernel by itself."""
    found = [value for path in _SYSCTL_FILES for value in _STATED.findall(node.read_text(path) or "")]
    return found[-1] if found else DEFAULT_FACTOR


def hold(node: Node, factor: str) -> None:
    """Let CARP stay where it is during what follows; undone with the surrounding transaction.

    Raises:
        NodeError: a transfer is running already, and does not end.
    """
    if not node.wait_for(lambda: _ended(node), UNANSWERED, _INTERVAL):
        raise NodeError("pfsync0 is still taking the states of the other nodes over (syncok: 0), and a change now would leave CARP demoted on this active "
                        "node; run again when that has ended")
    node.act(_factor("0"), undo=lambda: _put_back(node, factor))


def let_go(node: Node, factor: str) -> None:
    """End of :func:`hold`, and of what was left over, when no transfer runs any more.

    Raises:
        NodeError: one does not end.
    """
    if not wait(node, longest(node)):
        raise NodeError("pfsync0 is still taking the states of the other nodes over (syncok: 0), and %s is 0 until that has ended; run again then"
                        % sysctl.PFSYNC_DEMOTION)
    node.act(_factor(factor))


def wait(node: Node, seconds: float) -> bool:
    """Wait until no transfer runs; false when one still does then."""
    return node.wait_for(lambda: _ended(node), seconds, _INTERVAL)


def longest(node: Node) -> float:
    """Seconds that a transfer may take here."""
    return UNANSWERED + (pf.limit(node.query(["pfctl", "-sm"], ok=None).stdout) or 0) / STATES_A_SECOND


def said(node: Node) -> List[str]:
    """What the kernel has said of transfers so far."""
    return pfsync.messages(node.query(["dmesg"]).stdout)


def since(before: List[str], after: List[str]) -> List[str]:
    """What has been said since: the kernel forgets the oldest messages."""
    for kept in range(min(len(before), len(after)), 0, -1):
        if before[-kept:] == after[:kept]:
            return after[kept:]
    return after


def calm(node: Node, before: Optional[int]) -> bool:
    """Wait until CARP is not demoted more than before; true also where there is no CARP."""
    if before is None:
        return True

    def back() -> bool:
        now = sysctl.parse(node.query(["sysctl", sysctl.CARP_DEMOTION], ok=None).stdout).get(sysctl.CARP_DEMOTION)
        return now is None or int(now) <= max(before, 0)
    return node.wait_for(back, _CALM, _INTERVAL)


def _ended(node: Node) -> bool:
    now = pfsync.find(node)
    return now is None or now.bulk_done is not False


def _put_back(node: Node, factor: str) -> None:
    if not node.wait_for(lambda: _ended(node), UNANSWERED, _INTERVAL):
        raise NodeError("%s was left at 0, for pfsync0 is still taking states over; set it back to %s when syncok is 1" % (sysctl.PFSYNC_DEMOTION, factor))
    node.query(_factor(factor))


def _factor(value: str) -> List[str]:
    return ["sysctl", "%s=%s" % (sysctl.PFSYNC_DEMOTION, value)]
