# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two nodes that are a cluster already: configured by their own files and booted, for tests that begin there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, List, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, pair

Pair = Tuple[OpenbsdNode, OpenbsdNode]
PF_CONF = """set hostid %d
set skip on lo
block log all
pass quick on { em0 em2 } proto carp keep state (no-sync)
pass quick on em1 proto pfsync keep state (no-sync)
pass on { em0 em2 em3 } inet proto { tcp udp icmp } keep state
"""
CARP = "inet %s 255.255.255.0 NONE vhid %d carpdev %s pass secret advskew %d\n"


def running_pair(tmp_path: Path, seconds: float = 10.0, **kwargs: Any) -> Pair:
    """A cluster whose first node is master of vhid 1 on em0 and vhid 2 on em2; host ids are 10 and 11.

    Args:
        seconds: that pass after both have booted, so that all has settled.
        kwargs: of :func:`pair`.
    """
    nodes = pair(tmp_path, **kwargs)
    for number, node in enumerate(nodes):
        machine = node.machine
        machine.put("/etc/pf.conf", PF_CONF % (10 + number), 0o600)
        machine.put("/etc/hostname.pfsync0", "syncdev em1\nup\n", 0o640)
        machine.put("/etc/hostname.carp0", CARP % ("192.0.2.1", 1, "em0", 100 * number), 0o640)
        machine.put("/etc/hostname.carp1", CARP % ("203.0.113.1", 2, "em2", 100 * number), 0o640)
        machine.put("/etc/sysctl.conf", "net.inet.carp.preempt=1\n")
    for node in nodes:
        node.machine.boot()
        node.machine.commands.clear()
    nodes[0].machine.clock.advance(seconds)
    return nodes


def run(node: OpenbsdNode, line: str) -> str:
    """What a command that must succeed says."""
    done = node.machine.run(line.split())
    assert done.status == 0, done
    return done.stdout


def demotion(node: OpenbsdNode, group: str = "carp") -> int:
    """The counter of a group."""
    return int(run(node, "ifconfig -g %s" % group).split()[-1])


def counted(node: OpenbsdNode, text: str) -> int:
    """One of pfsync's counters, by words of its line."""
    return next(int(line.split()[0]) for line in run(node, "netstat -s -p pfsync").splitlines() if text in line)


def creators(node: OpenbsdNode) -> List[str]:
    """Whose states there are, as pfctl writes ids."""
    return sorted(set(re.findall(r"creatorid: (\w+)", run(node, "pfctl -vvss"))))


def carp_states(nodes: Pair) -> List[str]:
    """The states of vhid 1 on both."""
    return [node.machine.carp.vhosts["carp0"].state for node in nodes]
