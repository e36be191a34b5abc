# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulator of keepalived under systemd: judges a configuration as far as the tests need, tells its states, moves its addresses, calls its hook.

It stands on :class:`SystemdNode`. What it answers has the form of the real daemon's answers in tests/fixtures/keepalived-2.2.7.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any, Dict, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_config import (
    AFTER_STOP,
    DROP_IN,
    MAINTENANCE,
    ON_TRANSITION,
    RUN,
    VRRP_STATE,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_parse import parse
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SimulatedFile, SystemdNode

UNIT = "keepalived.service"
CONF = "/etc/keepalived/keepalived.conf"
NUMBERS = {"standby": 1, "active": 2, "fault": 3}


class Keepalived:
    """The daemon of one simulated node.

    Attributes:
        complaint: what ``keepalived --config-test`` says about any configuration; empty when it is content.
        peer_is_active: another node advertises, so this one is standby unless it has to be at fault.
        links_down: devices without carrier.
        dead_addresses: what the kernel still has although no daemon runs.
        silent: it does not answer the signal.
        stuck: it keeps its addresses whatever the maintenance file says.
        folders: owner, group and mode of the hooks' folders, as stat(1) prints them.
        tested: the configurations that it was asked to judge.
        loaded: the options that it runs with, None while it does not run.
        own_folder: it was started with this collection's TMPDIR.
    """

    def __init__(self, node: SystemdNode, installed: bool = True) -> None:
        self.node = node
        self.complaint = ""
        self.peer_is_active = False
        self.links_down: List[str] = []
        self.dead_addresses: Dict[str, List[str]] = {}
        self.silent = False
        self.stuck = False
        self.loaded: Optional[Dict[str, Any]] = None
        self.own_folder = False
        self.folders = ["0 0 755 /usr", "0 0 755 /usr/local", "0 0 755 /usr/local/lib"]
        self.tested: List[str] = []
        if installed:
            self.install()

    def install(self) -> None:
        """What the package brings: programs, and a unit that is enabled but has nothing to run."""
        unit = self.node.unit(UNIT, enabled=True)
        unit.on_start, unit.on_reload, unit.on_stop = self._load, self._load, self._stop
        self.node.says(["keepalived"])
        self.node.kernel = self._environment
        self.node.on(["sh", "-c"], self._shell)
        self.node.on(["ip", "-json", "address"], lambda argv, stdin: Completed(0, json.dumps(self._addresses()), ""))
        self.node.on(["stat"], lambda argv, stdin: Completed(0, "\n".join(self.folders) + "\n", ""))

    def state(self) -> str:
        """What the group is, from what the daemon sees now."""
        assert self.loaded is not None
        devices = [item["interface"] for item in self.loaded["instances"]]
        in_maintenance = self.node.files.get(MAINTENANCE, SimulatedFile("0")).text.strip() == "1"
        if not self.stuck and (in_maintenance or any(device in self.links_down for device in devices)):
            return "fault"
        return "standby" if self.peer_is_active else "active"

    def _load(self, node: SystemdNode) -> None:
        self.loaded = parse(node.text(CONF))
        self.own_folder = any("TMPDIR=" + RUN in line for line in node.units[UNIT].loaded_lines)
        if ON_TRANSITION in node.files:
            node.files[VRRP_STATE] = SimulatedFile("%s 1795000000\n" % self.state(), 0o600)

    def _stop(self, node: SystemdNode) -> None:
        self.loaded = None
        if DROP_IN in node.files and AFTER_STOP in node.files:
            node.files[VRRP_STATE] = SimulatedFile("stopped 1795000001\n", 0o600)

    def _shell(self, argv: List[str], stdin: Optional[str]) -> Completed:
        if "--config-test" in argv[2]:
            self.tested.append(stdin or "")
            return Completed(5 if self.complaint else 0, self.complaint, "")
        if self.silent or self.loaded is None:
            return Completed(5, "", "")
        return Completed(0, json.dumps(self._dump()), "")

    def _environment(self, path: str) -> Optional[str]:
        pid = self.node.units[UNIT].pid
        return ("PATH=/usr/sbin\0" + ("TMPDIR=%s\0" % RUN if self.own_folder else "")) if pid and path == "/proc/%d/environ" % pid else None

    def _dump(self) -> List[Dict[str, Any]]:
        assert self.loaded is not None
        rows = []
        for item in self.loaded["instances"]:
            vips = ["%s dev %s scope global set" % (address, item["interface"]) for address in item["addresses"]]
            rows.append({"data": {"iname": item["name"], "ifp_ifname": item["interface"], "vrid": item["id"], "base_priority": item["priority"],
                                  "adver_int": self.loaded["advert_interval"], "state": NUMBERS[self.state()], "last_transition": 1795000000.5, "vips": vips}})
        return rows

    def _addresses(self) -> List[Dict[str, Any]]:
        found = {device: list(addresses) for device, addresses in self.dead_addresses.items()}
        if self.loaded is not None and self.state() == "active":
            for item in self.loaded["instances"]:
                found.setdefault(item["interface"], []).extend(str(ipaddress.ip_interface(address).ip) for address in item["addresses"])
        return [{"ifname": device, "addr_info": [{"local": address} for address in addresses]} for device, addresses in found.items()]
