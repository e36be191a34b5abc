# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pfsync as FreeBSD has it: its formats by release, its settings one by one, and what it passes over."""

from __future__ import annotations

import ipaddress
from typing import Optional

from ansible_collections.hafirewall.cluster.tests.simulators.bsd import pfsync
from ansible_collections.hafirewall.cluster.tests.simulators.bsd.states import State
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.base import Refused

GROUP = pfsync.GROUP
_INVALID = "ifconfig: SIOCSETPFSYNCNV: Invalid argument"
# By the number of the action; those that follow came with releases 14 and 15.
ACTIONS = ("CLR", "INS_1301", "IACK", "UPD_1301", "UPD_C", "UREQ", "DEL", "DEL_C", "INS_F", "DEL_F", "BUS", "TDB", "EOF",
           "INS_1400", "UPD_1400", "INS_1500", "UPD_1500")
KNOWN = {13: 13, 14: 15, 15: 17}  # how many of them, by release
FORMATS = {13: (1301,), 14: (1301, 1400), 15: (1301, 1400, 1500)}
# Of a state's options, what the format of 13 has no place for.
_LOST = ("set-prio", "max-mss", "rtable")


class Pfsync(pfsync.Pfsync):
    """pfsync0. Each of the setters is one ioctl, which is applied whole or refused."""

    @property
    def major(self) -> int:
        return int(self.machine.major)  # type: ignore[attr-defined]

    def reset(self) -> None:
        super().reset()
        self.known = ACTIONS[:KNOWN[self.major]]
        self.largest_mtu = 4080 if self.major < 15 else None

    def set_device(self, device: Optional[str]) -> None:
        """``syncdev IF`` and ``-syncdev``."""
        if device is not None and device not in self.machine.interfaces:
            raise Refused(_INVALID if self.major >= 14 else "ifconfig: SIOCSETPFSYNC: Invalid argument")
        self.syncdev = device
        self._applied()

    def set_peer(self, peer: Optional[str]) -> None:
        """``syncpeer ADDRESS`` and ``-syncpeer``; without a device the kernel comes back before it looks at the latter, so that the peer stays."""
        if peer is not None:
            try:
                version = ipaddress.ip_address(peer).version
            except ValueError:
                raise Refused("ifconfig: error in parsing address string: Name does not resolve") from None
            if version == 6 and self.major < 14:
                raise Refused("ifconfig: error in parsing address string: Address family for hostname not supported")
            self.peer = peer
        elif self.syncdev is not None:
            self.peer = GROUP
        self._applied()

    def set_maxupd(self, text: str) -> None:
        """``maxupd N``."""
        if not 0 <= _number(text) <= 255:
            raise Refused("ifconfig: maxupd %s: out of range" % text)
        self.maxupd = _number(text)
        self._applied()

    def set_defer(self, on: bool) -> None:
        """``defer`` and ``-defer``."""
        self.defer = on
        self._applied()

    def set_version(self, text: str) -> None:
        """``version N``: what is no number counts as 0, and 0 as the newest."""
        if _number(text) not in (0, *self.formats):
            raise Refused(_INVALID)
        self.version = _number(text) or self.formats[-1]
        self._applied()

    def set_mtu(self, size: int) -> None:
        """``mtu N``; it is no restart."""
        device = self.machine.interfaces.get(self.syncdev or "")
        if size <= pfsync._START or (device is not None and size > device.mtu):
            raise Refused("ifconfig: ioctl SIOCSIFMTU (set mtu): Invalid argument")
        self.mtu = size

    def _applied(self) -> None:
        if self.syncdev is not None:
            self.restart()

    def refuses(self, told: State, kind: str, same_rules: bool) -> Optional[str]:
        kifs = self.machine.pf.kifs()
        if told.interface not in kifs:
            return "pfsync_state_import: unknown interface: %s" % told.interface
        if kind.endswith("1301"):
            told.options = tuple(option for option in told.options if not option.startswith(_LOST))
            if told.route is not None and not same_rules:
                return ""
        elif told.route is not None and told.route[1] not in kifs:
            return ""
        return None


def _number(text: str) -> int:
    """As atoi reads it."""
    digits = ""
    for place, letter in enumerate(text):
        if letter.isdigit() or (place == 0 and letter in "+-"):
            digits += letter
        else:
            break
    return int(digits) if digits.strip("+-") else 0
