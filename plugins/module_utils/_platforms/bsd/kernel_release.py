# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release of FreeBSD's kernel can do, in whichever product it runs. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple, Optional, Tuple

# pfsync(4): 1400 came with 14.0 (review D39392), 1500 with 15.0 (review D52176). A kernel sends the newest one when nobody chooses.
_FORMATS = ((9, 1301), (14, 1400), (15, 1500))
_IPV6_SINCE = 14  # pfsync(4): syncpeer may be an IPv6 address since 14.0
# if_pfsync.c up to 14: m_get2() has no buffer above MJUMPAGESIZE, so that with a larger MTU nothing is ever sent (opnsense/src issue 316); 15 takes m_get3().
_MOST_MTU, _ANY_MTU_SINCE = 4080, 15
# Releases whose pfctl surely has -s Creators.
_LISTED_SINCE = (14, 1)


class Release(NamedTuple):
    """The release of a kernel, as ``14.2-RELEASE-p1``."""

    major: int
    minor: int

    def __str__(self) -> str:
        return "FreeBSD %d.%d" % self

    @property
    def formats(self) -> Tuple[int, ...]:
        """The formats of pfsync's messages that the kernel can send, the default last."""
        return tuple(number for since, number in _FORMATS if self.major >= since)

    @property
    def ipv6(self) -> bool:
        """Whether pfsync can travel over IPv6."""
        return self.major >= _IPV6_SINCE

    @property
    def most_mtu(self) -> Optional[int]:
        """The largest MTU of pfsync0 with which anything is sent; None for any."""
        return _MOST_MTU if self.major < _ANY_MTU_SINCE else None

    @property
    def lists_creators(self) -> bool:
        """Whether pfctl lists who made the states."""
        return (self.major, self.minor) >= _LISTED_SINCE


def parse(text: Optional[str]) -> Optional[Release]:
    """The release that ``kern.osrelease`` names; None when it names none."""
    found = re.match(r"(\d+)\.(\d+)\b", text or "")
    return Release(int(found[1]), int(found[2])) if found else None
