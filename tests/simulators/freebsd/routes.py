# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes by a router, which go with the address that leads to it, and addresses that a server lends. Sources: sbin/route, rc.d/routing, rc.d/dhclient."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional, Set

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine


class Route(NamedTuple):
    """One route; ``flags`` as netstat shows them."""

    destination: str
    gateway: str
    device: str
    flags: str = "UGS"


class Routes:
    """The routes of a machine that somebody has set.

    Attributes:
        entries: in the order in which they were set.
    """

    def __init__(self, machine: "Machine") -> None:
        self._machine = machine
        self.entries: List[Route] = []

    def add(self, destination: str, gateway: str, flags: str = "UGS") -> bool:
        """Set a route; false when it is there already, or no network has the router."""
        device = self._device(gateway)
        if device is None or any(entry.destination == destination for entry in self.entries):
            return False
        self.entries.append(Route(destination, gateway, device, flags))
        return True

    def settle(self) -> None:
        """Drop those whose interface has lost the network of the router. The kernel does so as the address goes."""
        self.entries = [entry for entry in self.entries if entry.device in self._devices(entry.gateway)]

    def static(self, settings: Dict[str, str]) -> None:
        """What rc.d/routing sets: rc.conf's static routes, and the default one."""
        for name in settings.get("static_routes", "").split():
            words = re.fullmatch(r"(?:-net |-host )?(\S+) (\S+)", settings.get("route_" + name.partition(":")[0], ""))
            if words:
                self.add(words[1], words[2])
        if settings["defaultrouter"].upper() not in ("", "NO"):
            self.add("default", settings["defaultrouter"])

    def listing(self) -> str:
        """``netstat -rn``."""
        rows = ["Routing tables", "", "Internet:", "Destination        Gateway            Flags     Netif Expire"]
        rows += ["%-18s %-18s %-9s %.8s" % (entry.destination, entry.gateway, entry.flags, entry.device) for entry in self.entries]
        rows += ["%-18s %-18s %-9s %.8s" % (address.interface.network, "link#%d" % number, "U", one.name)
                 for number, one in enumerate(self._machine.interfaces.values(), 1) for address in one.addresses
                 if address.interface.version == 4 and one.name != "lo0"]
        return "".join(row + "\n" for row in rows)

    def _device(self, gateway: str) -> Optional[str]:
        return next(iter(self._devices(gateway)), None)

    def _devices(self, gateway: str) -> List[str]:
        router = ipaddress.ip_address(gateway)
        return [one.name for one in self._machine.interfaces.values() for address in one.addresses if router in address.interface.network]


class Leases:
    """A server of addresses on the segments, and the clients that run here.

    Attributes:
        lent: by segment, the address that this machine gets there.
    """

    def __init__(self, machine: "Machine") -> None:
        self._machine = machine
        self.lent: Dict[str, str] = {}
        self.clients: Set[str] = set()

    def ask(self, device: str) -> Optional[str]:
        """Start a client; the address that it gets."""
        segments = [segment for segment, _tags in self._machine.interfaces.wires(device)]
        self.clients.add(device)
        return next((self.lent[segment] for segment in segments if segment in self.lent), None)
