# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tcpdump, as far as it is asked to write packets of pfsync: its words, and a capture of what passed."""

from __future__ import annotations

import struct
import time
from typing import Any, List, Sequence, Tuple

from ansible_collections.hafirewall.cluster.tests.simulators.bsd.network import Packet
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.wire import frame_of

HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 16384, 1)


def asked(words: Sequence[str], options: Sequence[str], only: str) -> Tuple[str, int]:
    """The device and the number of packets, where all else is as modelled.

    Args:
        words: behind the program's name.
        options: without an argument, that the system's tcpdump has.
        only: the filter.
    Raises:
        ValueError: it is not.
    """
    left, device, count = list(words), "", 0
    while left and left[0].startswith("-"):
        word = left.pop(0)
        if word in ("-i", "-c", "-s", "-w"):
            value = left.pop(0)
            device, count = (value, count) if word == "-i" else (device, int(value) if word == "-c" else count)
            if word == "-w" and value != "-" or word == "-s" and int(value) < 9216:
                raise ValueError("tcpdump %s %s" % (word, value))
        elif word not in options:
            raise ValueError("tcpdump %s" % word)
    if " ".join(left) != only or not device or not count:
        raise ValueError("tcpdump %s" % " ".join(words))
    return device, count


def capture(machine: Any, argv: List[str], seconds: float) -> bytes:
    """Let the machine's time pass, and what went by on the device meanwhile, with this process's own time: at most as many packets as were asked for."""
    device, count = argv[argv.index("-i") + 1], int(argv[argv.index("-c") + 1])
    begin, written = time.time() - machine.clock.now, [HEADER]

    def write(now: float, frame: bytes) -> None:
        if len(written) <= count:
            written.append(struct.pack("<IIII", int(begin + now), int((begin + now) % 1 * 1e6), len(frame), len(frame)) + frame)

    def tell(now: float, mac: str, packet: Packet) -> None:
        if packet.protocol == "pfsync":
            write(now, frame_of(mac, packet))
    ear = (machine, device, tell)
    network = machine.network.shared
    network.ears.append(ear)
    for frame in machine.overheard.get(device, ()):
        write(machine.clock.now, frame)
    machine.clock.advance(seconds)
    network.ears.remove(ear)
    return b"".join(written)
