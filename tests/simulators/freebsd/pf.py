# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pf in the kernel: the rules in force, which packets they let pass, and the states that follow from them."""

from __future__ import annotations

import hashlib
import ipaddress
import random
from typing import TYPE_CHECKING, Dict, List, Optional, Set, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.clock import Timer, VirtualClock
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Packet
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.states import State, StateTable
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pf_conf import Ruleset
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.pf_rules import Flow, Lookup, Rule, Rules, verdict

if TYPE_CHECKING:
    from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine

_LIMITS = {"states": 100000, "src-nodes": 10000, "frags": 5000, "table-entries": 200000}


class Pf(Lookup):
    """The packet filter of a machine.

    Attributes:
        enabled: whether it filters, and pfsync takes states.
        host_id: marks the states that are made here.
        checksum: over the rules in force: neither options nor the host id count, names of interfaces do.
    """

    def __init__(self, machine: "Machine", clock: VirtualClock, seed: int) -> None:
        self._machine = machine
        self._clock = clock
        self._random = random.Random(seed)
        self.states = StateTable()
        self._purge = Timer(lambda: None)
        self._purge_at = 0.0
        self.reset()

    def reset(self) -> None:
        """As a fresh kernel has it."""
        self._purge.stop()
        self.states.clear()
        self.enabled = False
        self.since = self._clock.now
        self.host_id = self.new_host_id()
        self.debug = "urgent"
        self.ruleset = Ruleset()
        self.tables: Dict[str, List[str]] = {}
        self.limits = dict(_LIMITS)
        self.loaded_by = 0
        self.match = 0
        self.loads = 0
        self.checksum = "0" * 32

    def new_host_id(self) -> int:
        """As random as each load of a file that states none makes it."""
        return self._random.randrange(1, 1 << 32)

    @property
    def rules(self) -> Rules:
        return self.ruleset.rules["filter"]

    # What is in force

    def load(self, given: Ruleset, merge: bool) -> None:
        """Put a file in force. ``merge`` is ``pfctl -m``: what it does not state stays."""
        stated = given.options.get("hostid")
        if stated is not None:
            self.host_id = int(stated, 0)
        elif not merge:
            self.host_id = self.new_host_id()
        if merge:
            given.options = dict(self.ruleset.options, **given.options)
        self.debug = given.options.get("debug", self.debug if merge else "urgent")
        self.limits = dict(self.limits if merge else _LIMITS, **given.limits)
        self.states.limit = self.limits["states"]
        kept = {name: members for name, members in self.tables.items() if name in given.tables and not given.tables[name]}
        self.tables = dict(given.tables, **kept)
        for rule in given.rules["filter"]:
            for host in (rule.source, rule.target):
                if host.kind == "table":
                    self.tables.setdefault(host.text, [])
        old = {rule.text(): rule for rule in self.rules} if given.options.get("keepcounters") is not None else {}
        for rule in given.rules["filter"]:
            before = old.get(rule.text())
            if before is not None:
                rule.packets, rule.octets, rule.evaluations = before.packets, before.octets, before.evaluations
        self.ruleset = given
        self.loads += 1
        self.loaded_by = 100 + self.loads
        self.checksum = self._checksum()

    def _checksum(self) -> str:
        told = [line for kind in ("scrub", "nat", "filter") for line in self.ruleset.rules[kind].printed()]
        return hashlib.md5("\n".join(told).encode()).hexdigest() if told else "0" * 32  # an empty ruleset is not hashed

    def flush_rules(self) -> None:
        """``pfctl -F rules``."""
        self.ruleset.rules["filter"] = Rules()
        self.checksum = self._checksum()

    def enable(self, on: bool) -> None:
        self.enabled = on
        self.since = self._clock.now

    def kifs(self) -> Set[str]:
        """The names that pf knows: of interfaces and their groups, and whatever a rule names."""
        drivers = {name.rstrip("0123456789.") for name in self._machine.interfaces if name.rstrip("0123456789.") in _GROUPS}
        named = {rule.interface for kind in self.ruleset.rules.values() for rule in kind if rule.interface is not None}
        return {"all", *self._machine.interfaces, *drivers, *named, *self.ruleset.skip}

    # What rules ask

    def on(self, wanted: str, device: str) -> bool:
        return super().on(wanted, device)

    def table(self, name: str) -> List[str]:
        return [member for member in self.tables.get(name, []) if not member.startswith("!")]

    def addresses(self, name: str) -> List[str]:
        base, _colon, modifier = name.partition(":")
        held = [address.interface for address in self._machine.interfaces[base].addresses] if base in self._machine.interfaces else []
        if modifier == "network":
            return [str(one.network) for one in held]
        return [str(one.ip) for one in (held[:1] if modifier == "0" else held)]

    # Packets and states

    def passes(self, direction: str, device: str, packet: Packet, ports: Tuple[int, int] = (0, 0)) -> bool:
        """Whether a packet may pass; states and counters follow."""
        if not self.enabled or device in self.ruleset.skip or device.rstrip("0123456789") in self.ruleset.skip:
            return True
        source, target = _end(packet.source, ports[0]), _end(packet.target, ports[1])
        found = self.states.find((packet.protocol, direction, source, target), device)
        if found is not None:
            self._count(*found, packet.size)
            return True
        flow = Flow(direction, device, packet.protocol, packet.source, packet.target, *ports)
        rule = verdict(self.rules, flow, self)
        self.match += 1
        if rule is None:
            return True
        rule.packets += 1
        rule.octets += packet.size
        rule.last_used = self._clock.now
        if rule.action == "block":
            return False
        if rule.state not in (None, "no") and len(self.states) < self.states.limit:
            self._make(rule, flow, source, target, packet.size)
        return True

    def _make(self, rule: Rule, flow: Flow, source: str, target: str, size: int) -> None:
        now, bound = self._clock.now, "if-bound" in rule.state_options
        sides = {"tcp": ("ESTABLISHED", "ESTABLISHED")}.get(flow.protocol, ("0", "0") if "icmp" in flow.protocol else
                                                            ("SINGLE", "NO_TRAFFIC") if flow.direction == "out" else ("NO_TRAFFIC", "SINGLE"))
        window = ((self._random.randrange(1 << 32), 3221225728), (self._random.randrange(1 << 32), 3221225728)) if flow.protocol == "tcp" else ()
        number = next((place for place, one in enumerate(self.rules) if one is rule), None)
        state = State(self.states.new_id(), self.host_id, flow.interface if bound else "all", flow.protocol, flow.direction, source, target, now, now,
                      origin=flow.interface, rule=number, ruleset=self.loads, sides=sides, packets=(1, 0), octets=(size, 0), window=window,
                      route=(rule.route[1].strip("()").split()[1], rule.route[1].strip("()").split()[0]) if rule.route and " " in rule.route[1] else None)
        rule.creations += 1
        self.states.insert(state)
        self._machine.pfsync.inserted(state, not rule.synced)
        self.watch(state)

    def _count(self, state: State, answer: bool, size: int) -> None:
        state.packets = (state.packets[0] + (not answer), state.packets[1] + answer)
        state.octets = (state.octets[0] + size * (not answer), state.octets[1] + size * answer)
        state.used, state.lasts = self._clock.now, None
        if state.rule is not None and state.ruleset == self.loads and state.rule < len(self.rules):
            rule = self.rules[state.rule]
            rule.packets += 1
            rule.octets += size
            rule.last_used = self._clock.now
        self._machine.pfsync.updated(state)
        self.watch(state)

    def watch(self, state: State) -> None:
        """See to it that a state goes when its time has come."""
        if not self._purge.pending or state.expires() < self._purge_at:
            self._purge.stop()
            self._purge_at = state.expires()
            self._purge = self._clock.after(max(0.0, self._purge_at - self._clock.now), self._expire)

    def _expire(self) -> None:
        for state in self.states:
            if state.expires() <= self._clock.now:
                self.drop(state)
        if len(self.states):
            self.watch(min(self.states, key=lambda state: state.expires()))

    def drop(self, state: State) -> None:
        """A state goes, and the others are told."""
        self.states.remove(state)
        self._machine.pfsync.deleted(state)

    def clear(self, interface: Optional[str] = None) -> int:
        """``pfctl -F states``: all go, also those of others; only of its own are the others told. How many went."""
        gone = [state for state in self.states if interface is None or interface in (state.interface, state.origin)]
        for state in gone:
            self.states.remove(state)
        self._machine.pfsync.cleared(self.host_id, interface or "")
        return len(gone)


_GROUPS = ("lo", "lagg", "vlan", "pflog", "pfsync")


def _end(address: str, port: int) -> str:
    if not port:
        return address
    return "%s[%d]" % (address, port) if ipaddress.ip_address(address.split("%")[0]).version == 6 else "%s:%d" % (address, port)
