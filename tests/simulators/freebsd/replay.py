# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Transcripts of real FreeBSD nodes, and two simulated machines that are asked the same.

The nodes of the transcripts had three cards (em0 LAN, em1 Sync, em2 WAN; some runs vtnet on B), and pf, pfsync, carp, pflog and lagg in the kernel.
What no simulator can have the same is masked by :class:`Masks`, in both texts alike; nothing else is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.clock import VirtualClock
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Network, Packet
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.machine import Machine, prepared

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "freebsd-14.2"
BUILTIN = ("pf", "pflog", "pfsync", "carp", "if_lagg")
_STEP = re.compile(r"^# \[([A-Z])\] (.*)$")
_ICMP = 84


class Step(NamedTuple):
    """A command on a node, what came out, and its exit status."""

    node: str
    command: str
    output: str
    status: int


def session(name: str) -> List[Step]:
    """The steps of a session; remarks are left out."""
    steps: List[Step] = []
    node, command, output = "", "", ""
    for line in (FOLDER / (name + ".session.txt")).read_text(encoding="utf-8").splitlines():
        found, end = _STEP.match(line), re.fullmatch(r"# \[exit (\d+)\]", line)
        if found:
            node, command, output = found[1], found[2], ""
        elif end:
            steps.append(Step(node, command, output, int(end[1])))
        elif not line.startswith("# --"):
            output += line + "\n"
    return steps


def index() -> Dict[str, Tuple[str, str, str]]:
    """Of each file: node, exit status and command."""
    rows = [line.split("\t") for line in (FOLDER / "INDEX.tsv").read_text(encoding="utf-8").splitlines()]
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


class Masks:
    """What can't be the same, with a mark in its place.

    =========================================  =====================================================================
    ids of states and of pings, sequence numbers  random, or counted from the time of the start
    ages, expiry, packets and bytes of states  the emulated nodes were slow, and had traffic that nobody recorded
    counters of rules and of pf, rates         the same
    checksums, host ids that nobody set        random or another hash; the same value gets the same mark, so that equal stays equal
    time that pf runs, of the last packet      of the clock
    pid of the pfctl that loaded a rule        of the system
    milliseconds of ping                       of the emulation
    the order of states                        that of a hash table
    =========================================  =====================================================================
    """

    def __init__(self, stated_ids: Sequence[str] = ("0000000a", "0000000b", "deadbeef")) -> None:
        self._stated = stated_ids
        self._marks: Dict[str, str] = {}

    def apply(self, text: str) -> str:
        """The text with marks."""
        text = re.sub(r"id: [0-9a-f]{16}", "id: ID", text)
        text = re.sub(r"\[\d+ \+ \d+\](\(\d+\))?(?: wscale \d+)?", "[WINDOW]", text)
        text = re.sub(r"age [\d:]+, expires in [\d:]+, \d+:\d+ pkts, \d+:\d+ bytes", "AGE", text)
        text = re.sub(r"^(  (?:searches|inserts|removals|match) +)\s*\d+ +[\d.]+/s$", lambda found: found[1].rstrip() + " COUNTED", text, flags=re.MULTILINE)
        text = re.sub(r"Evaluations: \d+ +Packets: \d+ +Bytes: \d+ +", "COUNTED ", text)
        text = re.sub(r"uid 0 pid \d+", "uid 0 pid PID", text)
        text = re.sub(r"Last Active Time: .* \]", "Last Active Time: TIME ]", text)
        text = re.sub(r"Status: Enabled for \d+ days [\d:]+ +", "Status: Enabled for TIME ", text)
        text = re.sub(r"(Checksum: 0x)(?!0{32})([0-9a-f]{32})", self._mark, text)
        text = re.sub(r"(Hostid:   0x|creatorid: )([0-9a-f]{8})", lambda found: found[0] if found[2] in self._stated else self._mark(found), text)
        text = re.sub(r"^(\S+ icmp .*?):\d{3,5}\b", r"\1:ID", text, flags=re.MULTILINE)
        text = re.sub(r"time=[\d.]+ ms|= [\d./]+ ms", "MS", text)
        return _states_sorted(text)

    def _mark(self, found: "re.Match[str]") -> str:
        return found[1] + self._marks.setdefault(found[2], "NUMBER%d" % (1 + len(self._marks)))


def _states_sorted(text: str) -> str:
    """Each run of states, with the lines that belong to them, in the order of their texts."""
    rows, blocks = [], []
    for line in text.splitlines(keepends=True):
        if re.match(r"\S+ \S+ \S.* (?:->|<-) \S+ +\S+:\S+$", line):
            blocks.append(line)
        elif blocks and line.startswith("   "):
            blocks[-1] += line
        else:
            rows += sorted(blocks) + [line]
            blocks = []
    return "".join(rows + sorted(blocks))


class Lab:
    """Two machines as those of the transcripts were, just started.

    Attributes:
        machines: by their letters.
    """

    def __init__(self, folder: Path, devices_b: Sequence[str] = ("em0", "em1", "em2"), with_em3: bool = False) -> None:
        self.clock = VirtualClock()
        self.network = Network(self.clock)
        self.machines: Dict[str, Machine] = {}
        for number, (letter, devices) in enumerate((("A", ("em0", "em1", "em2") + (("em3",) if with_em3 else ())), ("B", devices_b))):
            machine = Machine(folder / letter, self.network, number, letter.lower(), "14.2-RELEASE", BUILTIN)
            for device, segment in zip(devices, ("lan", "sync", "wan", "none")):
                machine.add_port(device, segment)
            prepared(machine.root, machine, "")
            self.machines[letter] = machine

    def shell(self, letter: str, line: str) -> Tuple[str, int]:
        """Run a line as the shell of the transcripts did: what came out, errors first, and the status of the last command."""
        output, status = "", 0
        for part in _split(line, ";"):
            text, status = self._pipeline(letter, part)
            output += text
        return output, status

    def _pipeline(self, letter: str, line: str) -> Tuple[str, int]:
        if line.startswith("("):
            return "", 0  # what runs in the background only looks on
        silent = "2>/dev/null" in line
        line, kept, _file = line.replace("2>/dev/null", "").partition(" > ")
        first, *filters = _split(line, "|")
        words = _words(first)
        if words[0] == "ping":
            return self._ping(letter, words)
        done = self.machines[letter].run(words)
        text, status = ("" if silent else done.stderr) + done.stdout, done.status
        for one in filters:
            # Only standard output goes through the pipe.
            text = ("" if silent else done.stderr) + _filtered(_words(one), done.stdout)
            status = 0
        return ("" if kept else text), status

    def _ping(self, letter: str, words: List[str]) -> Tuple[str, int]:
        machine, target, count = self.machines[letter], words[-1], int(words[words.index("-c") + 1])
        self._pings = getattr(self, "_pings", 7000) + 424
        answered = sum(self.exchange(machine, target, "icmp", (self._pings, 8)) for _number in range(count))
        text = "PING %s (%s): 56 data bytes\n" % (target, target)
        text += "".join("64 bytes from %s: icmp_seq=%d ttl=64 time=1.000 ms\n" % (target, number) if answered else "ping: sendto: Permission denied\n"
                        for number in range(count))
        text += "\n--- %s ping statistics ---\n%d packets transmitted, %d packets received, %.1f%% packet loss\n" % (
            target, count, answered, 100.0 - 100.0 * answered / count)
        text += "round-trip min/avg/max/stddev = 1.000/1.000/1.000/0.000 ms\n" if answered else ""
        return text, 0 if answered else 2

    def exchange(self, machine: Machine, target: str, protocol: str, ports: Tuple[int, int]) -> bool:
        """A packet from one machine to the other, and the answer, through the filters of both."""
        for one in machine.interfaces.values():
            for other, device in self.network.neighbours(machine, one.name):
                assert isinstance(other, Machine)
                if not any(address.host == target for address in other.interfaces[device].addresses):
                    continue
                own = one.address_of(4) or ""
                there, back = Packet(protocol, own, target, _ICMP, None), Packet(protocol, target, own, _ICMP, None)
                return (machine.pf.passes("out", one.name, there, ports) and other.pf.passes("in", device, there, ports)
                        and other.pf.passes("out", device, back, ports[::-1]) and machine.pf.passes("in", one.name, back, ports[::-1]))
        return False

    def connect(self, letter: str, protocol: str, client: str, port: int, server: str, service: int, devices: Tuple[str, str] = ("em0", "em2")) -> None:
        """A connection through a node from LAN to WAN, with an answer."""
        machine = self.machines[letter]
        there, back = Packet(protocol, client, server, 60, None), Packet(protocol, server, client, 60, None)
        for direction, device in (("in", devices[0]), ("out", devices[1])):
            machine.pf.passes(direction, device, there, (port, service))
        if protocol != "udp":
            machine.pf.passes("in", devices[1], back, (service, port))
            machine.pf.passes("out", devices[0], back, (service, port))

    def said(self, letter: str) -> List[str]:
        """What CARP and pfsync said on the console."""
        return carp_lines(self.machines[letter].dmesg)


def carp_lines(rows: Sequence[str]) -> List[str]:
    """The lines of CARP in what a console showed."""
    return [row for row in rows if row.startswith("carp:")]


Action = Callable[[Lab], None]


def _split(line: str, mark: str) -> List[str]:
    """At a character that is not in quotes."""
    parts = [""]
    quote: Optional[str] = None
    for letter in line:
        quote = (None if letter == quote else quote) if quote else letter if letter in "\"'" else None
        if letter == mark and quote is None:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _words(line: str) -> List[str]:
    import shlex
    return shlex.split(line)


def _filtered(words: List[str], text: str) -> str:
    rows = text.splitlines(keepends=True)
    if words[0] == "head":
        return "".join(rows[:int(words[1].lstrip("-"))])
    if words[0] != "grep":
        raise AssertionError("no such filter here: %s" % words)
    options, pattern = words[1:-1], words[-1]
    if not any("E" in option for option in options):
        pattern = re.sub(r"([(){}|+?])", r"\\\1", pattern)
    if options[:1] in (["-A"], ["-A3"], ["-A4"]) or (options and options[0].startswith("-A")):
        return _with_following(rows, pattern, int(options[0][2:] or options[1]))
    flags = "".join(option[1:] for option in options)
    found = [row for row in rows if bool(re.search(pattern, row, re.IGNORECASE if "i" in flags else 0)) != ("v" in flags)]
    return "%d\n" % len(found) if "c" in flags else "".join(found)


def _with_following(rows: List[str], pattern: str, more: int) -> str:
    """Matches with the lines behind each; groups that do not touch have a mark between them."""
    taken = sorted({place + step for place, row in enumerate(rows) if re.search(pattern, row) for step in range(more + 1) if place + step < len(rows)})
    text = ""
    for number, place in enumerate(taken):
        text += "--\n" if number and place != taken[number - 1] + 1 else ""
        text += rows[place]
    return text
