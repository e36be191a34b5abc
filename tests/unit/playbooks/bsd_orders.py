# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair of simulated machines that goes through any order of intents, cut-off runs, boots and maintenance.

The capabilities are called as the roles call them, without Ansible, which would take most of the time.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, NamedTuple
from unittest import mock

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.provider import Provider
from ansible_collections.hafirewall.cluster.plugins.modules import state_sync, sync_rule, virtual_ip
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plan import plan_cluster
from bsd_cluster import CLUSTER, INTERFACES
from hypothesis import strategies as st

HOSTS = ("fw1", "fw2")
MODULES = {"sync_rule": sync_rule, "state_sync": state_sync, "virtual_ip": virtual_ip}
NO_INFO = {"sample": False, "sync_interface": None, "sync_network": None}
SETTLED = 150.0  # seconds: longer than a transfer of all states is asked for


class System(NamedTuple):
    """What differs between the systems; ``held`` tells whether a machine is demoted by our maintenance."""

    provider: type[Provider]
    held: Callable[[Any], bool]


class CutOff(BaseException):
    """The run ends here, and cleans nothing up."""


class Pair:
    """Two machines, what is wanted of them, and who watches over every command."""

    def __init__(self, nodes: tuple[Any, Any], system: System) -> None:
        self.nodes = dict(zip(HOSTS, nodes))
        self.system = system
        self.clock = self.nodes["fw1"].machine.clock
        self.intent: dict[str, Any] = {}
        self.needless: list[str] = []
        self.left = -1  # commands until the run is cut off
        for host, node in self.nodes.items():
            self._watch(host, node.machine)

    def _watch(self, host: str, machine: Any) -> None:
        real = machine.run

        def run(argv: Any, stdin: str | None = None) -> Any:
            self._count()
            words = list(argv)
            sets = words[:2] == ["ifconfig", "pfsync0"] and len(words) > 2
            before = real(words[:2]).stdout if sets else ""
            asked_again = any("bulk fail" in line for line in machine.dmesg[-1:])
            done = real(argv, stdin)
            if sets and done.status == 0 and real(words[:2]).stdout == before and not asked_again:
                self.needless.append("%s: %s" % (host, " ".join(words)))
            self.both_demoted()
            return done
        machine.run = run

    def both_demoted(self) -> None:
        """Nobody may be left to take over because of us."""
        assert not all(self.system.held(node.machine) for node in self.nodes.values())

    def _count(self) -> None:
        if self.left == 0:
            raise CutOff
        self.left -= 1

    def site(self, cut_off: int = -1) -> list[str]:
        """One run, possibly cut off; what differed."""
        self.left, drift = cut_off, []
        try:
            providers = {host: self.system.provider(node.again()) for host, node in self.nodes.items()}
            evidence = {host: provider.node_info(NO_INFO)["evidence"] for host, provider in providers.items()}
            cluster = {**CLUSTER, **{key: value for key, value in self.intent.items() if key != "sync"},
                       "sync": {**CLUSTER["sync"], **self.intent.get("sync", {})}}
            nodes = {host: {"role": role, "interfaces": dict(zip(INTERFACES, ("em0", "em1", "em2")))} for host, role in zip(HOSTS, ("primary", "secondary"))}
            plans = plan_cluster("edge", cluster, nodes, evidence).plans
            for host in plans["fw1"]["apply_order"]:
                for capability, module in MODULES.items():
                    options = {name: spec.get("default") for name, spec in module.ARGUMENTS.items()}
                    options.update({name: value for name, value in plans[host][capability].items() if value is not None})
                    if capability == "virtual_ip":
                        options["password"] = CLUSTER["vrrp"]["password"]
                        options["instances"] = [{"source": None, "peers": [], **one} for one in options["instances"]]
                    result = getattr(self.system.provider(self.nodes[host].again()), capability)(options)
                    drift += ["%s: %s" % (host, item["setting"]) for item in result["drift"]]
                self.clock.advance(5)
        except CutOff:
            pass
        self.left = -1
        return drift

    def maintain(self, host: str, state: str) -> None:
        """Enter or leave; nobody who could take over is a reason to refuse."""
        with contextlib.suppress(NodeError):
            self.system.provider(self.nodes[host].again()).maintenance({"state": state, "persistent": True})


def steps(intents: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[Any]]:
    """What may happen to a pair, in any order."""
    return st.lists(st.one_of(
        st.tuples(st.just("intent"), intents, st.integers(-1, 60)), st.tuples(st.just("boot"), st.sampled_from(HOSTS)),
        st.tuples(st.just("power"), st.sampled_from(HOSTS)), st.tuples(st.just("time"), st.integers(1, 90)),
        st.tuples(st.just("maintenance"), st.sampled_from(HOSTS), st.sampled_from(["enabled", "disabled"]))), max_size=6)


def end_as(pair: Pair, happened: list[Any], last: dict[str, Any]) -> None:
    """Let it happen, and then have the last intent: the pair comes to rest, and nothing was set in vain."""
    for step in happened:
        _take(pair, step)
    pair.intent = last
    for host in HOSTS:
        pair.maintain(host, "disabled")
    for _time in range(2):
        pair.site()
        pair.clock.advance(SETTLED)
    assert pair.site() == [] and pair.needless == []


def _take(pair: Pair, step: Any) -> None:
    machines = {host: node.machine for host, node in pair.nodes.items()}
    if step[0] == "intent":
        pair.intent = step[1]
        # What is cut off puts nothing back.
        with mock.patch.object(Node, "_roll_back", lambda self: []) if step[2] >= 0 else mock.MagicMock():
            pair.site(step[2])
    elif step[0] == "boot":
        machines[step[1]].boot()
    elif step[0] == "power":
        machines[step[1]].lose_power()
        pair.clock.advance(10)
        machines[step[1]].boot()
    elif step[0] == "maintenance":
        other = machines[next(host for host in HOSTS if host != step[1])]
        if not pair.system.held(other):
            pair.maintain(step[1], step[2])
    else:
        pair.clock.advance(step[1])
