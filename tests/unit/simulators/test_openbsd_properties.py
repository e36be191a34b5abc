# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for the simulated OpenBSD whatever is done to it, in any order."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import List, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, pair
from hypothesis import given, settings
from hypothesis import strategies as st

COMMANDS = [
    "ifconfig pfsync0 create", "ifconfig pfsync0 destroy", "ifconfig pfsync0 up", "ifconfig pfsync0 down", "ifconfig pfsync0 syncdev em1",
    "ifconfig pfsync0 syncdev em2 syncpeer 198.51.100.131 up", "ifconfig pfsync0 -syncdev", "ifconfig em1 down", "ifconfig em1 up",
    "ifconfig carp0 create vhid 1 carpdev em0 pass secret", "ifconfig carp0 inet 192.0.2.1/24", "ifconfig carp0 down", "ifconfig carp0 destroy",
    "ifconfig em0 down", "ifconfig em0 up", "sh /etc/netstart carp0 pfsync0", "pfctl -f /etc/pf.conf", "pfctl -d", "pfctl -e", "pfctl -F states",
    "ifconfig vlan7 create vnetid 7 parent em1 up", "ifconfig vlan7 destroy", "ifconfig pfsync0 syncdev vlan7 up",
]
STEPS = st.tuples(st.integers(0, 1), st.one_of(st.sampled_from(COMMANDS), st.sampled_from(["cut em0", "cut em1", "mend em0", "mend em1", "boot", "traffic"]),
                                               st.floats(0.1, 40.0)))


def do(nodes: Tuple[OpenbsdNode, OpenbsdNode], number: int, step: "str | float") -> None:
    machine = nodes[number].machine
    if isinstance(step, float):
        machine.clock.advance(step)
    elif step.startswith(("cut", "mend")):
        word, port = step.split()
        getattr(machine.network, word)(port)
    elif step == "boot":
        machine.boot()
    elif step == "traffic":
        machine.traffic(3)
    else:
        machine.run(step.split())


def demotion(one: OpenbsdNode) -> int:
    return int(one.query(["ifconfig", "-g", "carp"]).stdout.split()[-1])


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_the_demotion_is_what_pfsync_and_carp_have_a_reason_for(steps: "List[Tuple[int, str | float]]") -> None:
    with tempfile.TemporaryDirectory() as folder:
        nodes = pair(Path(folder))
        for number, one in enumerate(nodes):
            one.machine.put("/etc/hostname.carp0", "inet 192.0.2.1 255.255.255.0 NONE vhid 1 carpdev em0 pass secret advskew %d\n" % (100 * number), 0o640)
            one.machine.put("/etc/hostname.pfsync0", "syncdev em1\nup\n", 0o640)
        for number, step in steps:
            do(nodes, number, step)
        for one in nodes:
            pfsync = one.machine.pfsync
            expected = (32 if pfsync.stage in ("start", "sent", "bulk") else 0) + int(pfsync.up and pfsync.link_down)
            expected += sum(vhost.demoted for vhost in one.machine.carp.vhosts.values())
            assert demotion(one) == expected
            assert one.query(["ifconfig"]).stdout
        nodes[0].machine.clock.advance(60)
        for one in nodes:
            assert demotion(one) in (0, 1, 2)


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, max_size=20))
def test_once_all_is_mended_and_has_booted_the_pair_has_one_master_and_shares_states(steps: "List[Tuple[int, str | float]]") -> None:
    with tempfile.TemporaryDirectory() as folder:
        nodes = pair(Path(folder))
        for number, one in enumerate(nodes):
            one.machine.put("/etc/hostname.carp0", "inet 192.0.2.1 255.255.255.0 NONE vhid 1 carpdev em0 pass secret advskew %d\n" % (100 * number), 0o640)
            one.machine.put("/etc/hostname.pfsync0", "syncdev em1\nup\n", 0o640)
        for number, step in steps:
            do(nodes, number, step)
        for one in nodes:
            for port in ("em0", "em1"):
                one.machine.network.mend(port)
            one.machine.boot()
        nodes[0].machine.clock.advance(60)
        states = sorted(one.query(["ifconfig", "carp0"]).stdout.split("\tcarp: ")[1].split()[0] for one in nodes)
        assert states == ["BACKUP", "MASTER"]
        assert [demotion(one) for one in nodes] == [0, 0]
        assert nodes[0].machine.traffic(5) == 5
        nodes[0].machine.clock.advance(3)
        made = [sum(1 for state in one.machine.pf.states if state.protocol == "udp") for one in nodes]
        assert made == [5, 5]
