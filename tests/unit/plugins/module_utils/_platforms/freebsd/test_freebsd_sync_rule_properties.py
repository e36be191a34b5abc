# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever rules a FreeBSD node has and whatever was asked before: pf does what was asked last, and what is the person's stays as it was."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import sync_rule
from ansible_collections.hafirewall.cluster.plugins.modules import sync_rule as module
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Packet
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Crashed
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.node import FreebsdNode, pair
from hypothesis import given
from hypothesis import strategies as st

OPTIONS = {**{name: argument.get("default") for name, argument in module.ARGUMENTS.items()}, "interface": "em1", "network": "198.51.100.128/28"}
VRRP = {"interface": "em0", "family": "ipv4", "sources": ["192.0.2.2", "192.0.2.3"], "transport": "multicast"}
# In pf's order; all of a list are in the file, each with or without a comment above it.
PARTS = [["ext = \"em2\"", "table <bad> { 203.0.113.9, \\\n  203.0.113.10 }"],
         ["set skip on lo0", "set state-policy if-bound", "set hostid 7"],
         ["scrub in all"],
         ["nat on em2 inet from 192.0.2.0/24 to any -> (em2)", "no nat on em2 inet from 192.0.2.9 to any"],
         ["block log all", "pass out", "pass quick on em3", "pass in on em1 proto pfsync", "block return in \\\n  on em0 proto tcp", "match in all",
          "pass in on em0 proto carp from { 192.0.2.2, 192.0.2.3 }", "block quick on em2 proto udp"]]
FILES = st.tuples(*(st.lists(st.tuples(st.sampled_from(["", "# why\n", "\n"]), st.sampled_from(part)), max_size=4, unique_by=lambda one: one[1])
                    for part in PARTS)).map(lambda parts: "".join("%s%s\n" % line for part in parts for line in part))
ASKED = st.lists(st.fixed_dictionaries({}, optional={"enabled": st.booleans(), "vrrp": st.sampled_from([[], [VRRP], [{**VRRP, "sources": []}]]),
                                                     "transport": st.sampled_from(["multicast", "unicast"])}), min_size=1, max_size=3)


def ask(machine: Any, **options: Any) -> Any:
    return sync_rule.apply(FreebsdNode(machine), {**OPTIONS, **options})


def passes(machine: Any, protocol: str, device: str, source: str, target: str, direction: str) -> bool:
    return bool(machine.pf.passes(direction, device, Packet(protocol, source, target, 40, None)))


@given(text=FILES, asked=ASKED, last=st.integers(0, 12), flushed=st.booleans())
def test_the_cluster_is_let_through_and_the_rest_is_the_persons(text: str, asked: list[dict[str, Any]], last: int, flushed: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        machine = pair(Path(folder))[0].machine
        machine.put("/etc/pf.conf", text)
        for words in (["sysrc", "pf_enable=YES"], ["service", "pf", "start"]):
            machine.run(words)
        for options in asked:
            ask(machine, **options)
        if flushed:
            machine.pf.flush_rules()
        _crash(machine, last, asked[-1])
        found = ask(machine, **asked[-1])["pass_rule"]
        commands = len(machine.commands)
        assert ask(machine, **asked[-1])["drift"] == [] and machine.changes(commands) == []
        if asked[-1].get("enabled", True):
            assert (found["present"], found["effective"], found["persistent"]) == (True, True, True)
            assert passes(machine, "pfsync", "em1", "198.51.100.131", "224.0.0.240", "in")
            assert passes(machine, "pfsync", "em1", "198.51.100.130", "224.0.0.240", "out")
        if asked[-1].get("vrrp"):
            assert passes(machine, "carp", "em0", "192.0.2.3", "224.0.0.18", "in")
            assert passes(machine, "carp", "em0", "192.0.2.2", "224.0.0.18", "out")
        ask(machine, enabled=False, vrrp=[])
        assert machine.text("/etc/pf.conf") == text


def _crash(machine: Any, last: int, options: dict[str, Any]) -> None:
    """Run until a command, and start again from there, as after a loss of power."""
    seen: list[Any] = []

    def before(words: list[str]) -> None:
        seen.append(words)
        if len(seen) > last:
            raise Crashed(" ".join(words))
    machine.before_command = before
    try:
        ask(machine, **options)
    except Crashed:
        machine.before_command = lambda argv: None
        machine.boot()
    machine.before_command = lambda argv: None
