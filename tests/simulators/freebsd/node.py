# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulated FreeBSD node: files, cards and addresses of a bare system."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.clock import VirtualClock
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Network
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.node import MachineNode
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine, prepared

DEVICES = ("em0", "em1", "em2", "em3")  # LAN, Sync, WAN, management
SEGMENTS = ("lan", "sync", "wan", "mgmt")
ADDRESSES = (("192.0.2.%d/24", 2), ("198.51.100.%d/28", 130), ("203.0.113.%d/24", 2), ("198.51.100.%d/25", 2))
RC_CONF = 'hostname="%s.example.net"\n%ssshd_enable="YES"\n'


class FreebsdNode(MachineNode):
    """A node on a machine with FreeBSD."""

    machine: Machine


def node(root: Path, network: Optional[Network] = None, number: int = 0, name: str = "fw1", release: str = "14.2-RELEASE",
         devices: Sequence[str] = DEVICES, **kwargs: Any) -> FreebsdNode:
    """A machine with a bare system that has booted: addresses on its four cards, none of pf, pfsync and carp loaded."""
    machine = Machine(root, network or Network(VirtualClock()), number, name, release, **kwargs)
    lines = ""
    for device, segment, (address, host) in zip(devices, SEGMENTS, ADDRESSES):
        machine.add_port(device, segment)
        lines += 'ifconfig_%s="inet %s"\n' % (device, address % (host + number))
    prepared(root, machine, RC_CONF % (name, lines))
    machine.boot()
    machine.commands.clear()
    return FreebsdNode(machine)


def pair(tmp_path: Path, release: str = "14.2-RELEASE", devices: Sequence[str] = DEVICES, devices_b: Optional[Sequence[str]] = None,
         release_b: Optional[str] = None, **kwargs: Any) -> Tuple[FreebsdNode, FreebsdNode]:
    """Two machines, fw1 and fw2, on the same four segments.

    Args:
        devices, devices_b: names of the cards for LAN, Sync, WAN and management; those of B are A's unless stated.
        release_b: of B, if it is another one.
        kwargs: for both machines, such as ``builtin``: modules that are compiled into the kernel.
    """
    network = Network(VirtualClock())
    first = node(tmp_path / "fw1", network, 0, "fw1", release, devices, **kwargs)
    second = node(tmp_path / "fw2", network, 1, "fw2", release_b or release, devices_b or devices, **kwargs)
    return first, second
