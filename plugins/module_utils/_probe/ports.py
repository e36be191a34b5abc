# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Source ports for thousands of connections to one address and port.

Left to itself the kernel first tries every other port of its range (net/ipv4/inet_hashtables.c), all of them, for each connection: once half
the range is in use, each connection costs milliseconds. Taking them in turn costs nothing.
"""

from __future__ import annotations

import errno
import random
import socket
from typing import List

_RANGE = "/proc/sys/net/ipv4/ip_local_port_range"


class SourcePorts:
    """Hands out the ports ``low`` .. ``high`` in turn, from ``first`` on."""

    def __init__(self, low: int, high: int, first: int) -> None:
        self.low = low
        self.high = high
        self.next = first

    def bind(self, connection: socket.socket) -> None:
        """Give the connection the next port that is free.

        Raises:
            OSError: EADDRNOTAVAIL when all of them are taken.
        """
        for _port in range(self.low, self.high + 1):
            port = self.next
            self.next = port + 1 if port < self.high else self.low
            try:
                connection.bind(("", port))
                return
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        raise OSError(errno.EADDRNOTAVAIL, "no source port is free")


def shares(count: int) -> List[SourcePorts]:
    """The host's range of source ports for ``count`` processes: each begins at a place of its own, and all at another one than the last time."""
    with open(_RANGE, encoding="ascii") as handle:
        low, high = (int(word) for word in handle.read().split())
    size = high - low + 1
    begin = random.randrange(size)
    return [SourcePorts(low, high, low + (begin + index * size // count) % size) for index in range(count)]
