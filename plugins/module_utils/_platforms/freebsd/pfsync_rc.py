# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pfsync in rc.conf(5): ``pfsync_enable``, ``pfsync_syncdev``, ``pfsync_syncpeer`` and ``pfsync_ifconfig``. Pure.

/etc/rc.d/pfsync loads the modules and runs ``ifconfig pfsync0 [syncpeer PEER] syncdev DEVICE WORDS up``, the words being those of ``pfsync_ifconfig``.
Words that somebody else has put there stay. A format that this collection has put there is known by a variable of its own, which rc(8) has no use for.
"""

from __future__ import annotations

from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pfsync import MULTICAST
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import rc

ENABLE, DEVICE, PEER, WORDS = "pfsync_enable", "pfsync_syncdev", "pfsync_syncpeer", "pfsync_ifconfig"
VARIABLES = (ENABLE, DEVICE, PEER, WORDS)
PINNED = "hafirewall_pfsync_version"
# Words with a value, and those that are a setting by themselves; what is none of these is passed over.
_VALUED = ("version", "maxupd", "mtu", "syncdev", "syncpeer")
# Said by variables of their own.
_ELSEWHERE = ("syncdev", "syncpeer", "-syncdev", "-syncpeer")


class Boot(NamedTuple):
    """What a boot sets.

    Attributes:
        device: where updates travel, None for nowhere.
        peer: the one other node, None for multicast.
        version, defer, maxupd, mtu: None for the kernel's default.
        pinned: the format that this collection has set.
    """

    enabled: bool
    device: Optional[str]
    peer: Optional[str]
    version: Optional[int]
    defer: Optional[bool]
    maxupd: Optional[int]
    mtu: Optional[int]
    pinned: Optional[int]


def boot(variables: Mapping[str, str]) -> Boot:
    """Read the variables."""
    found = dict(_pairs(variables))
    peer = found.get("syncpeer") or variables.get(PEER) or None
    defer = True if "defer" in found else False if "-defer" in found else None
    return Boot(rc.is_on(variables, ENABLE), found.get("syncdev") or variables.get(DEVICE) or None, None if peer == MULTICAST else peer,
                _number(found.get("version")), defer, _number(found.get("maxupd")), _number(found.get("mtu")), _number(variables.get(PINNED)))


def with_words(variables: Mapping[str, str], version: Optional[int], mtu: Optional[int]) -> Optional[str]:
    """``pfsync_ifconfig`` with this format and MTU, or without; all else stays. None when nothing is left."""
    words: List[str] = []
    for name, value in _pairs(variables):
        if name not in (*_ELSEWHERE, "version", "mtu"):
            words += [name] if value is None else [name, value]
    for name, number in (("version", version), ("mtu", mtu)):
        words += [] if number is None else [name, "%d" % number]
    before = _pairs(variables)
    same = dict(before).get("version") == (None if version is None else str(version)) and dict(before).get("mtu") == (None if mtu is None else str(mtu))
    if same and not [name for name, _value in before if name in _ELSEWHERE]:
        # As it is, with its spaces.
        return variables.get(WORDS)
    return " ".join(words) or None


def changes(variables: Mapping[str, str], device: str, peer: Optional[str], version: Optional[int], mtu: Optional[int],
            pinned: Optional[int]) -> Dict[str, Optional[str]]:
    """The variables with which state sync is on."""
    return {ENABLE: variables[ENABLE] if rc.is_on(variables, ENABLE) else "YES", DEVICE: device,
            PEER: peer if peer is not None else variables.get(PEER) if variables.get(PEER) in ("", MULTICAST) else None,
            WORDS: with_words(variables, version, mtu), PINNED: None if pinned is None else "%d" % pinned}


def _pairs(variables: Mapping[str, str]) -> List[Tuple[str, Optional[str]]]:
    words = variables.get(WORDS, "").split()
    found: List[Tuple[str, Optional[str]]] = []
    while words:
        word = words.pop(0)
        found.append((word, words.pop(0) if word in _VALUED and words else None))
    return found


def _number(text: Optional[str]) -> Optional[int]:
    return int(text) if text is not None and text.isdigit() else None
