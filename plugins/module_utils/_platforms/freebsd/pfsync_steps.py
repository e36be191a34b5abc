# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How pfsync0 comes from what it is to what it shall be, one word of ifconfig after the other. Pure.

Each word is a request of its own: what came before a refused one stays applied. With a Sync device set, each makes the kernel ask for all states again,
and demotes CARP meanwhile, even when nothing changes; so what is right already is never said again. (if_pfsync.c, and FreeBSD 14.2 kernels.)
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pfsync import MULTICAST, Pfsync

Step = Tuple[str, ...]
UP: Step = ("up",)
# Of the words that are said here, those after which the kernel does not ask for all states.
_QUIET = ("up", "mtu")


class Target(NamedTuple):
    """What pfsync0 shall be: ``device`` None for off, ``peer`` None for multicast over IPv4; anything else None is left as it is."""

    device: Optional[str]
    peer: Optional[str] = None
    version: Optional[int] = None
    defer: Optional[bool] = None
    maxupd: Optional[int] = None
    mtu: Optional[int] = None


def fresh(version: Optional[int]) -> Pfsync:
    """pfsync0 as it is when its module has just been loaded; ``version`` is the format that the kernel sends by itself, None where it has but one."""
    return Pfsync(False, None, None, version, True, False, 128, 1500)


def steps(now: Pfsync, wanted: Target) -> List[Step]:
    """The words to say, in their order. What is left of a stopped sync does no harm, so off means no device: never down, for states that are made then
    would travel later although their rule says no-sync, those of pfsync itself too."""
    found: List[Step] = []
    if wanted.device is None:
        if now.device is not None:
            found += [("-syncpeer",), ("-syncdev",)] if now.peer is not None else [("-syncdev",)]
        return found
    moves = now.device != wanted.device
    if wanted.peer is None and now.peer is not None:
        # Without a device the kernel does not forget the peer, but takes the group in its place.
        found.append(("-syncpeer",) if now.device is not None else ("syncpeer", MULTICAST))
    if moves and now.device is not None:
        found.append(("-syncdev",))
    if not now.up:
        found.append(UP)
    if wanted.version not in (None, now.version):
        found.append(("version", "%d" % wanted.version))
    if wanted.maxupd not in (None, now.maxupd):
        found.append(("maxupd", "%d" % wanted.maxupd))
    if wanted.defer not in (None, now.defer):
        found.append(("defer",) if wanted.defer else ("-defer",))
    if wanted.peer is not None and wanted.peer != now.peer:
        found.append(("syncpeer", wanted.peer))
    if moves:
        found.append(("syncdev", wanted.device))
    if wanted.mtu not in (None, now.mtu):
        # The kernel takes it only when there is a device, and no more than that has.
        found.append(("mtu", "%d" % wanted.mtu))
    return found


def back(now: Pfsync, before: Pfsync) -> List[Step]:
    """The words that make pfsync0 again what it was; it stays up, where without a device it sends nothing."""
    if before.device is not None:
        return steps(now, Target(before.device, before.peer, before.version, before.defer, before.maxupd, before.mtu))
    off = now._replace(device=None, peer=None if now.device is not None else now.peer)
    rest = steps(off, Target("-", before.peer, before.version, before.defer, before.maxupd))
    return steps(now, Target(None)) + [step for step in rest if step[0] not in ("up", "syncdev")]


def asks(now: Pfsync, planned: List[Step]) -> bool:
    """Whether one of the words makes the kernel ask the other nodes for all states."""
    device = now.device
    for step in planned:
        if step[0] in ("-syncdev", "syncdev"):
            device = step[1] if len(step) > 1 else None
        if device is not None and step[0] not in _QUIET:
            return True
    return False


def drift(now: Pfsync, wanted: Target) -> List[Dict[str, Any]]:
    """What runs otherwise than wanted, in the words of the module's result."""
    if wanted.device is None:
        return [] if now.device is None else [differs("device as running", now.device, None)]
    pairs = (("device as running", now.device, wanted.device), ("running", now.up, True), ("peer as running", now.peer, wanted.peer))
    told = [differs(name, is_, value) for name, is_, value in pairs if is_ != value]
    rest = (("format as running", now.version, wanted.version), ("defer as running", now.defer, wanted.defer),
            ("maxupd as running", now.maxupd, wanted.maxupd), ("mtu as running", now.mtu, wanted.mtu))
    return told + [differs(name, is_, value) for name, is_, value in rest if value not in (None, is_)]


def differs(setting: str, is_: Any, wanted: Any) -> Dict[str, Any]:
    """One row of the drift."""
    return {"setting": setting, "is": is_, "wanted": wanted}
