# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two nodes that are a cluster already: configured by their own files and booted, for tests that begin there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import FreebsdNode, pair

Pair = Tuple[FreebsdNode, FreebsdNode]
PF_CONF = """set hostid %d
set skip on lo0
block log all
pass quick on { em0 em2 } proto carp keep state (no-sync)
pass quick on em1 proto pfsync keep state (no-sync)
pass on { em0 em2 em3 } inet proto { tcp udp icmp } keep state
"""
RC_CONF = """pf_enable="YES"
pfsync_enable="YES"
pfsync_syncdev="em1"
kld_list="carp"
ifconfig_em0_alias0="inet 192.0.2.1/24 vhid 1 advskew %d pass secret"
ifconfig_em2_alias0="inet 203.0.113.1/24 vhid 2 advskew %d pass secret"
"""


def running_pair(tmp_path: Path, seconds: float = 10.0, **kwargs: Any) -> Pair:
    """A cluster whose first node is master of vhid 1 on em0 and vhid 2 on em2; host ids are 10 and 11.

    Args:
        seconds: that pass after both have booted, so that all has settled.
        kwargs: of :func:`pair`.
    """
    nodes = pair(tmp_path, **kwargs)
    for number, node in enumerate(nodes):
        machine = node.machine
        machine.put("/etc/pf.conf", PF_CONF % (10 + number))
        machine.put("/etc/rc.conf", (machine.text("/etc/rc.conf") or "") + RC_CONF % (100 * number, 100 * number))
        machine.put("/etc/sysctl.conf", "net.inet.carp.preempt=1\n")
    for node in nodes:
        node.machine.boot()
        node.machine.commands.clear()
    nodes[0].machine.clock.advance(seconds)
    return nodes


def run(node: FreebsdNode, line: str) -> str:
    """What a command that must succeed says."""
    done = node.machine.run(line.split())
    assert done.status == 0, done
    return done.stdout


def counters(node: FreebsdNode) -> Dict[str, Any]:
    """pfsync's, by netstat's own names; messages that came in as ``in-NAME``."""
    told: Dict[str, Any] = json.loads(run(node, "netstat -s -p pfsync --libxo json"))["statistics"]["pfsync"]
    told.update({"in-" + row["name"]: row["count"] for row in told["input-histogram"]})
    return told


def creators(node: FreebsdNode) -> List[str]:
    """Whose states there are, as pfctl writes ids."""
    return run(node, "pfctl -sc").splitlines()[1:]


def carp_states(nodes: Pair) -> List[str]:
    """The states of vhid 1 on both."""
    return [node.machine.carp.vhids["em0", 1].state for node in nodes]
