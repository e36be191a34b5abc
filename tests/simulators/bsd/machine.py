# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the machines share: commands and faults, files below a directory, connections that pass through, and power."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.interfaces import Interface
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Cabling, Network, Packet
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.upkeep import Upkeep

KERNEL_SECONDS = 20.0  # from a shutdown until rc runs


class Crashed(Exception):
    """The machine lost its power: whoever runs commands on it hears nothing more."""


class Machine:
    """One machine. A subclass says which system it has, and sets ``interfaces``, ``sysctl``, ``pf``, ``carp`` and ``pfsync``.

    Attributes:
        root: the directory that stands for /.
        clock: the time; ``advance(seconds)`` lets it pass.
        network: its cables: ``cut``, ``mend`` and ``mute`` by the name of a port; ``network.shared`` has all machines.
        dmesg: what the kernel said, line by line.
        commands: every command that was run, as a shell would have it.
        answers: by first words of a command, what it says in place of what this machine would say: faults, and answers of programs that are not modelled.
        before_command: called with the words of each command before it runs; what it raises ends the run there.
        ssh: SSH_CONNECTION of the process that runs the commands; None for none.
        upkeep: its disks, processes, packages and the like.
        neighbours: on its segments, that are no machines: by port, addresses with their hardware addresses.
        overheard: frames that those send, by port, which pass whenever somebody listens there.
    """

    interfaces: Any
    pf: Any
    carp: Any
    pfsync: Any

    def __init__(self, root: Path, network: Network, number: int, name: str) -> None:
        self.root = root
        self.clock = network.clock
        self.network = Cabling(network, self)
        self.number = number
        self.name = name
        self.alive = True
        self.booted = self.clock.now
        self.dmesg: List[str] = []
        self.upkeep = Upkeep()
        self.commands: List[str] = []
        self.answers: List[Tuple[Tuple[str, ...], Completed]] = []
        self.before_command: Callable[[List[str]], None] = lambda argv: None
        self.neighbours: Dict[str, Dict[str, str]] = {}
        self.overheard: Dict[str, List[bytes]] = {}
        self.ssh: Optional[str] = "198.51.100.100 50022 198.51.100.%d 22" % (2 + number)
        self.sysctl: Dict[str, str] = {}
        self.ports: List[Interface] = []
        self._flows = 0

    # What the system is

    def program(self, words: List[str], stdin: Optional[str]) -> Completed:
        """Run one of the system's programs.

        Raises:
            NotModelled: nobody knows what the real one would say.
            FileNotFoundError: there is no such program.
        """
        raise NotImplementedError

    def has_program(self, name: str) -> bool:
        """Whether there is such a program."""
        raise NotImplementedError

    def changing(self, words: List[str]) -> bool:
        """Whether a command changes something, or is meant to."""
        raise NotImplementedError

    @property
    def filters(self) -> bool:
        """Whether pf looks at packets."""
        raise NotImplementedError

    def start(self) -> List[str]:
        """Start the kernel, and then what the machine's files say; what rc printed."""
        raise NotImplementedError

    def shut_down(self) -> None:
        """What a machine does that is not just cut off; nothing that others notice, unless a system says so."""

    def link_changed(self, device: str) -> None:
        """A cable was pulled or put in."""
        raise NotImplementedError

    def receive(self, device: str, packet: Packet) -> None:
        """Take a packet that came in on a device."""
        raise NotImplementedError

    @property
    def hostid(self) -> int:
        """Of pf: the creator id of the states that are made here."""
        return int(self.pf.host_id)

    def say(self, line: str) -> None:
        """A line of the kernel."""
        self.dmesg.append(line)

    # Commands

    def run(self, argv: Sequence[str], stdin: Optional[str] = None) -> Completed:
        """Run a command, as a shell of root would; raises what :meth:`program` does, and :class:`Crashed`."""
        words = list(argv)
        self.before_command(words)
        if not self.alive:
            raise Crashed(shlex.join(words))
        self.commands.append(shlex.join(words))
        for prefix, answer in self.answers:
            if tuple(words[:len(prefix)]) == prefix:
                return answer
        return self.program(words, stdin)

    def answer(self, prefix: Sequence[str], status: int = 0, stdout: str = "", stderr: str = "") -> None:
        """Let commands that begin with these words say this, and do nothing; the last one that was told wins."""
        self.answers.insert(0, (tuple(prefix), Completed(status, stdout, stderr)))

    def refuse(self, prefix: Sequence[str], text: str, status: int = 1) -> None:
        """Let commands that begin with these words fail."""
        self.answer(prefix, status, stderr=text + "\n")

    def changes(self, since: int = 0) -> List[str]:
        """The commands, from this number on, that changed something or were meant to."""
        return [line for line in self.commands[since:] if self.changing(shlex.split(line))]

    # Files

    def path(self, name: str) -> Path:
        """Where a file of the machine is."""
        return self.root / name.lstrip("/")

    def text(self, name: str) -> Optional[str]:
        """What is in a file; None when there is none."""
        return self.path(name).read_text(encoding="utf-8") if self.path(name).is_file() else None

    def put(self, name: str, text: str, mode: int = 0o644) -> None:
        """Write a file by hand."""
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text, encoding="utf-8")
        self.path(name).chmod(mode)

    # Connections of others

    def traffic(self, count: int, protocol: str = "udp", port: int = 53) -> int:
        """Let ``count`` states be made for connections from LAN to WAN by whichever machine is master of the LAN's virtual host.

        Returns:
            How many states pf made: none where it is off, has no rule that keeps state, or the first port (LAN) is cut.
        """
        lan, wan = self.lan_and_wan
        through = self._master(lan)
        if through is not self:
            return through.traffic(count, protocol, port)
        before = self.pf.states.inserts
        for number in range(count) if self.filters and self.interfaces.ready(lan) else ():
            client = "192.0.2.%d" % (100 + self._flows % 100)
            packet = Packet(protocol, client, "203.0.113.200", 60, None)
            ports = (10000 + self._flows // 100, port)
            device, counter = (lan, self.interfaces[lan].received) if number % 2 == 0 else (wan, self.interfaces[wan].sent)
            if self.pf.passes("in" if device == lan else "out", device, packet, ports):
                counter[0] += 1
                counter[1] += packet.size
            self._flows += number % 2
        return int(self.pf.states.inserts - before)

    @property
    def lan_and_wan(self) -> Tuple[str, str]:
        """The interfaces with the addresses of LAN and WAN that are the machine's own."""
        found = {address.text.rsplit(".", 1)[0]: one.name for one in self.interfaces.values() if one.driver != "carp"
                 for address in one.addresses if address.vhid is None}
        return found.get("192.0.2", self.ports[0].name), found.get("203.0.113", self.ports[2].name)

    def _master(self, lan: str) -> "Machine":
        if self.carp.master(lan) is not False:
            return self
        others = [other for other, device in self.network.shared.neighbours(self, lan) if isinstance(other, Machine) and other.carp.master(device)]
        return others[0] if others else self

    # Power

    def lose_power(self) -> None:
        """Everything that only the kernel knew is gone; nothing runs until :meth:`boot`."""
        self.alive = False
        self.carp.stop()
        self.pfsync.reset()
        self.pf.reset()

    def boot(self) -> List[str]:
        """Shut down, if it runs, and start as the machine's files say. That takes time, in which the others go on.

        Returns:
            What rc printed.
        """
        if self.alive:
            self.shut_down()
        self.lose_power()
        self.clock.advance(KERNEL_SECONDS)
        return self.start()
