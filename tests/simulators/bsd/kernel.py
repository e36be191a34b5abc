# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What CARP and pfsync need of the machine that they run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Protocol

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.interfaces import Interfaces
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Cabling, Packet

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.bsd.carp import Carp


class Kernel(Protocol):
    """A machine, seen from its own kernel.

    Attributes:
        pf: the packet filter: ``enabled``, ``states``, ``rules``, ``checksum``, ``debug``, ``kifs()`` and ``watch(state)``.
        has_pfsync: whether there is pfsync in the kernel.
    """

    name: str
    alive: bool
    interfaces: Interfaces
    network: Cabling
    modules: List[str]
    sysctl: Dict[str, str]
    carp: "Carp"
    pf: Any

    @property
    def has_pfsync(self) -> bool:
        """Whether there is pfsync in the kernel."""

    def say(self, line: str) -> None:
        """A line on the console."""

    def send(self, device: str, packet: Packet) -> bool:
        """Send a packet; false when the filter does not let it out."""
