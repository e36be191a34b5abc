# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pf's table of states."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Optional, Tuple

# Seconds that a state lives after its last packet, by protocol and by what its two sides have done; see pf.conf(5).
_TIMEOUTS = {
    "tcp": {"ESTABLISHED": 86400, "SYN_SENT": 120, "FIN_WAIT_2": 90, "TIME_WAIT": 90}, "udp": {"first": 60, "single": 30, "multiple": 60},
    "icmp": {"first": 20, "single": 10, "multiple": 10}, "other": {"first": 60, "single": 30, "multiple": 60},
}
Flow = Tuple[str, str, str, str]  # protocol, direction, source and target with their ports


@dataclass
class State:
    """One state.

    Attributes:
        interface: that it is bound to, or ``all``.
        origin: the interface on which it was made; None when another node's.
        rule: number of the rule that made it, None for none that this node knows.
        sides: what the two sides have done, in the order of the addresses as they are shown.
        window: of a TCP connection, the two numbers of each side.
        nosync: the flag in the state, which says whether pfsync passes it over; the rule's wish may have been lost.
    """

    id: int
    creator: int
    interface: str
    protocol: str
    direction: str  # in, out
    source: str  # of the packet that made it, with port
    target: str
    created: float
    used: float
    origin: Optional[str] = None
    rule: Optional[int] = None
    sides: Tuple[str, str] = ("SINGLE", "NO_TRAFFIC")
    packets: Tuple[int, int] = (0, 0)
    octets: Tuple[int, int] = (0, 0)
    nosync: bool = False
    options: Tuple[str, ...] = ()
    window: Tuple[Tuple[int, int], ...] = ()
    route: Optional[Tuple[str, str]] = None  # route-to: address and interface
    ruleset: int = 0  # number of the load of the rules that the rule's number is from
    lasts: Optional[float] = None  # of an imported one: what its maker said of its lifetime

    @property
    def key(self) -> Tuple[int, int]:
        """What names it on all nodes."""
        return self.creator, self.id

    @property
    def flow(self) -> Flow:
        return self.protocol, self.direction, self.source, self.target

    @property
    def lifetime(self) -> float:
        """Seconds from the last packet until it goes."""
        if self.lasts is not None:
            return self.lasts
        if self.protocol == "tcp":
            known = _TIMEOUTS["tcp"]
            return known.get(self.sides[0], 900)
        known = _TIMEOUTS["icmp" if "icmp" in self.protocol else self.protocol if self.protocol == "udp" else "other"]
        if "icmp" in self.protocol:
            return known["single"] if self.packets[1] or self.origin is None else known["first"]
        if "MULTIPLE" in self.sides:
            return known["multiple"]
        return known["first"] if sum(self.packets) < 2 and self.origin is not None else known["single"]

    def expires(self) -> float:
        """When it goes, if no packet comes."""
        return self.used + self.lifetime


@dataclass
class StateTable:
    """All states in the order of their keys' making.

    Attributes:
        first_id: what the ids of this machine begin with.
        searches, inserts, removals: counted since pf's counters were cleared.
    """

    first_id: int = 0x6B041375
    searches: int = 0
    inserts: int = 0
    removals: int = 0
    limit: int = 100000
    _states: Dict[Tuple[int, int], State] = field(default_factory=dict)
    _flows: Dict[Flow, List[State]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._states)

    def __iter__(self) -> Iterator[State]:
        return iter(list(self._states.values()))

    def new_id(self) -> int:
        """An id for the next state."""
        self.first_id += 1
        return self.first_id - 1

    def get(self, key: Tuple[int, int]) -> Optional[State]:
        return self._states.get(key)

    def find(self, flow: Flow, device: str) -> Optional[Tuple[State, bool]]:
        """The state that a packet on an interface belongs to, and whether the packet is an answer."""
        self.searches += 1
        protocol, direction, source, target = flow
        back = (protocol, "in" if direction == "out" else "out", target, source)
        for wanted, answer in ((flow, False), (back, True)):
            for state in self._flows.get(wanted, ()):
                if state.interface in ("all", device):
                    return state, answer
        return None

    def insert(self, state: State) -> None:
        self.inserts += 1
        self._states[state.key] = state
        self._flows.setdefault(state.flow, []).append(state)

    def remove(self, state: State) -> None:
        self.removals += 1
        del self._states[state.key]
        self._flows[state.flow].remove(state)
        if not self._flows[state.flow]:
            del self._flows[state.flow]

    def clear(self) -> None:
        """As the kernel has it after a start."""
        self._states.clear()
        self._flows.clear()
        self.searches = self.inserts = self.removals = 0

    def creators(self) -> List[int]:
        """Whose states there are, each once."""
        return sorted({state.creator for state in self._states.values()})
