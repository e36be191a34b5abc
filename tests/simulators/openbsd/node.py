# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulated OpenBSD node: files, cards and addresses of a bare system."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.clock import VirtualClock
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Network
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.node import MachineNode
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.machine import Machine

DEVICES = ("em0", "em1", "em2", "em3")  # LAN, Sync, WAN, management
SEGMENTS = ("lan", "sync", "wan", "mgmt")
ADDRESSES = (("192.0.2.%d", 2, "255.255.255.0"), ("198.51.100.%d", 130, "255.255.255.240"), ("203.0.113.%d", 2, "255.255.255.0"),
             ("198.51.100.%d", 2, "255.255.255.128"))
# What etc/pf.conf says that the installer copies, but for the rules about X11 and the user that builds ports.
PF_CONF = "# See pf.conf(5) and /etc/examples/pf.conf\n\nset skip on lo\n\nblock return\t# block stateless traffic\npass\t\t# establish keep-state\n"


class OpenbsdNode(MachineNode):
    """A node on a machine with OpenBSD."""

    machine: Machine


def node(root: Path, network: Optional[Network] = None, number: int = 0, name: str = "fw1", release: str = "7.6",
         devices: Sequence[str] = DEVICES, **kwargs: Any) -> OpenbsdNode:
    """A machine with a system as it was installed that has booted: addresses on its four cards, and pf with its first rules."""
    machine = Machine(root, network or Network(VirtualClock()), number, name, release, **kwargs)
    for device, segment, (address, host, mask) in zip(devices, SEGMENTS, ADDRESSES):
        machine.add_port(device, segment)
        machine.put("/etc/hostname.%s" % device, "inet %s %s\n" % (address % (host + number), mask), 0o640)
    machine.put("/etc/myname", "%s.example.net\n" % name)
    machine.put("/etc/hosts", "127.0.0.1\tlocalhost\n::1\t\tlocalhost\n")
    machine.put("/etc/pf.conf", PF_CONF, 0o600)
    for folder in ("/etc/rc.d", "/var/db", "/var/run", "/tmp"):
        machine.path(folder).mkdir(parents=True, exist_ok=True)
    machine.dmesg.clear()
    machine.boot()
    machine.commands.clear()
    return OpenbsdNode(machine)


def pair(tmp_path: Path, release: str = "7.6", devices: Sequence[str] = DEVICES, devices_b: Optional[Sequence[str]] = None,
         release_b: Optional[str] = None, **kwargs: Any) -> Tuple[OpenbsdNode, OpenbsdNode]:
    """Two machines, fw1 and fw2, on the same four segments.

    Args:
        devices, devices_b: names of the cards for LAN, Sync, WAN and management; those of B are A's unless stated.
        release_b: of B, if it is another one.
    """
    network = Network(VirtualClock())
    first = node(tmp_path / "fw1", network, 0, "fw1", release, devices, **kwargs)
    second = node(tmp_path / "fw2", network, 1, "fw2", release_b or release, devices_b or devices, **kwargs)
    return first, second
