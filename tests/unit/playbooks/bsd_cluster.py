# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair of simulated machines as a cluster, and the playbooks on it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from ansible_collections.hafirewall.cluster.tests.simulators.playbook import Run, Simulation

CLUSTER: dict[str, Any] = {
    "name": "edge",
    "sync": {"interface": "sync", "network": "198.51.100.128/28"},
    "virtual_ips": [{"interface": "lan", "address": "192.0.2.1/24", "id": 10}, {"interface": "wan", "address": "203.0.113.1/24", "id": 20}],
    "vrrp": {"password": "hunter2"},
}
INTERFACES = ("lan", "sync", "wan")
# A person's own rules on FreeBSD, the same on both nodes. Without any, pf passes everything and makes no state.
RULES = """set skip on lo0
block log all
pass quick on em3 proto tcp to port 22 keep state
pass on { em0 em2 } inet proto { tcp udp icmp } keep state
"""
NOTHING: dict[str, list[str]] = {"fw1": [], "fw2": []}  # commands that changed something


def host_id(machine: Any) -> str:
    """That of pf, as it is shown."""
    return "%08x" % machine.hostid


def udp(machine: Any, creator: str) -> int:
    """How many states of UDP it holds that a host of this id has made."""
    states = str(machine.run(["pfctl", "-vvss"]).stdout).split("\nall ")
    return sum("udp" in state and "creatorid: %s" % creator in state for state in states)


class Cluster:
    """Two machines, ``fw1`` the primary.

    Args:
        nodes: the machines, as their simulator's ``pair`` makes them.
        system: what their kernels call themselves.
        folder: for inventories and reports.
        devices: of each machine: those of LAN, Sync and WAN.
    """

    def __init__(self, nodes: tuple[Any, Any], system: str, folder: Path, devices: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
        self.a, self.b = (node.machine for node in nodes)
        self.machines = {"fw1": self.a, "fw2": self.b}
        self.clock = self.a.clock
        self.folder = folder
        self.cluster = copy.deepcopy(CLUSTER)
        self.nodes = {host: {"role": role, "interfaces": dict(zip(INTERFACES, names))}
                      for host, role, names in zip(self.machines, ("primary", "secondary"), devices)}
        self._simulation = Simulation(system, dict(zip(self.machines, nodes)), self.clock.advance, lambda: self.clock.now, folder)

    @property
    def hostvars(self) -> dict[str, dict[str, Any]]:
        return {host: {"hafirewall_cluster": self.cluster, "hafirewall_node": node} for host, node in self.nodes.items()}

    def play(self, name: str, check: bool = False, **extra: Any) -> Run:
        """Run a playbook, whether it goes well or not."""
        return self._simulation.play(name, self.hostvars, check, **extra)

    def role(self, name: str, check: bool = False, **extra: Any) -> Run:
        """Run a role on both."""
        return self._simulation.role(name, self.hostvars, check, **extra)

    def site(self, check: bool = False) -> Run:
        """Run site, which goes well."""
        run = self.play("site", check)
        assert run.failures == [] and run.status == 0
        return run

    def ruled(self) -> "Cluster":
        """FreeBSD's machines, whose pf runs with a person's rules."""
        for machine in self.machines.values():
            machine.put("/etc/pf.conf", RULES)
            for command in ("sysrc pf_enable=YES", "kldload pf", "pfctl -f /etc/pf.conf", "pfctl -e"):
                machine.run(command.split())
        return self

    def in_use(self) -> "Cluster":
        """The cluster, made by site, with the states of 40 connections through it."""
        self.site()
        self.clock.advance(5)
        assert self.a.traffic(40) == 40
        self.clock.advance(5)
        return self

    def judged(self) -> dict[str, list[dict[str, Any]]]:
        """What verify says, by the id of the check."""
        self.play("verify", verify_directory=str(self.folder / "report"))
        checks = json.loads((self.folder / "report" / "report.json").read_text(encoding="utf-8"))["checks"]
        return {one: [check for check in checks if check["id"] == one] for one in {check["id"] for check in checks}}

    def upgrade(self, target: str, **extra: Any) -> "tuple[Run, dict[str, Any]]":
        """What upgrade_check says of an upgrade of both to a release: its run and its report.json."""
        directory = self.folder / "upgrade"
        run = self.play("upgrade_check", **{"upgrade_check_directory": str(directory), "upgrade_check_targets": dict.fromkeys(self.machines, target), **extra})
        return run, json.loads((directory / "report.json").read_text(encoding="utf-8"))

    def broken(self) -> dict[str, list[str]]:
        """The reasons of the checks that failed or could not be made."""
        found = {name: [str(one["reason"]) for one in checks if one["status"] in ("fail", "error")] for name, checks in self.judged().items()}
        return {name: reasons for name, reasons in found.items() if reasons}

    def marks(self) -> dict[str, int]:
        """How many commands each machine has seen."""
        return {host: len(machine.commands) for host, machine in self.machines.items()}

    def changes(self, marks: dict[str, int]) -> dict[str, list[str]]:
        """The commands since then that changed something or were meant to."""
        return {host: machine.changes(marks[host]) for host, machine in self.machines.items()}
