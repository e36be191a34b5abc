# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node as it is given, made into what can be compared: what it said itself, and what the table says of its release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.intent import MODES
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.pfsync_rows import FORMATS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.releases import NOT_LISTED, between, knowledge, read_release
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import EVIDENCE, FAMILIES, TITLES, Release, Row

_REQUIRED = ("platform", "release")
_OPTIONAL = ("emits", "understands", "kernel", "mode")
# More than any version byte or format that there is.
_MOST = 65535


@dataclass(frozen=True)
class Node:
    """One of two nodes.

    Attributes:
        label: what it is called in a reason.
        row: what the table says of its release.
        number: its release.
        emits: the format that it was seen to send or is set to; None when it did not tell.
        understands: the formats that it said it can read; None when it did not tell.
        kernel, mode: of Linux, the kernel's release and conntrackd's mode; None when not told.
    """

    label: str
    row: Row
    number: Release
    emits: int | None
    understands: tuple[int, ...] | None
    kernel: str | None
    mode: str | None

    @property
    def family(self) -> str:
        """Whose protocol it speaks."""
        return FAMILIES[self.row.platform]

    @property
    def name(self) -> str:
        """Platform and release, for a sentence."""
        return f"{TITLES[self.row.platform]} {self.number.text}"

    @property
    def possible(self) -> tuple[int, ...] | None:
        """The formats that it may send; None when anything could be."""
        if self.emits is not None:
            return (self.emits,)
        if self.understands is not None and self.understands != self.row.understands:
            # The table is wrong about its kernel, and so about what that sends.
            return self.understands or None
        return self.row.possible

    @property
    def known(self) -> tuple[int, ...]:
        """The formats that it surely understands, oldest first."""
        if self.understands is not None:
            return self.understands
        # A kernel that sends a format knows that one and all before it.
        shown = set() if self.emits is None else {self.emits}
        if self.family == "freebsd":
            shown |= {number for number in FORMATS if number <= max(shown, default=0)}
        return tuple(sorted(shown | set(self.row.understands or ())))

    def reads(self, number: int) -> bool | None:
        """Whether it understands a format; None when that is not known."""
        if number in self.known:
            return True
        if self.understands is not None:
            return False
        table = self.row.understands
        # What a node sends shows that the table is wrong about it, if the table does not have that format.
        return None if table is None or (self.emits is not None and self.emits not in table) else False

    @property
    def chooses(self) -> bool | None:
        """Whether an older format can be chosen on it: the choice came with format 1400."""
        if self.family == "freebsd" and any(number in FORMATS[1:] for number in (*(self.understands or ()), self.emits)):
            return True
        return self.row.pinnable

    @property
    def sender_confidence(self) -> str:
        """How sure it is what it sends."""
        return EVIDENCE if self.emits is not None else self.row.confidence

    def reader_confidence(self, number: int) -> str:
        """How sure it is whether it understands a format."""
        told = self.understands is not None or (self.emits is not None and number <= self.emits and self.reads(number) is True)
        return EVIDENCE if told else self.row.confidence

    @property
    def gap(self) -> str:
        """Why the table does not tell which formats its kernel has, and how that is learned."""
        if self.row.source == NOT_LISTED:
            why = f"{self.name} is not in the table"
        elif self.row.base is None or self.row.base.endswith(self.number.text):
            why = f"{self.name} is from between two releases"
        else:
            why = f"{self.name} is built on {self.row.base}, which is from between two releases"
        return f"{why}: " + ("what it sends on the wire tells" if self.family != "freebsd" else "the number after version: in ifconfig pfsync0 tells")

    @property
    def listed(self) -> bool:
        """Whether its release is a row of the table and no snapshot: two such nodes with one release have one kernel."""
        return self.row.source != NOT_LISTED and not between(self.row.platform, self.number)


def read_node(given: Any, place: str, label: str) -> Node:
    """Read a node.

    Args:
        given: ``{platform, release, emits, understands, kernel, mode}``, of which the first two are required; null is not told.
        place: what the value is called in an error.
        label: what the node is called in a reason.
    Raises:
        ValueError: something is missing, of a wrong type, or called something else; it says where, what and what to do.
    """
    if not isinstance(given, Mapping):
        raise ValueError(f"{place}: {given!r} is no node; give a dictionary with platform and release")
    unknown = [str(key) for key in given if key not in (*_REQUIRED, *_OPTIONAL)]
    if unknown:
        raise ValueError(f"{place}.{unknown[0]}: there is no such key; give {', '.join(_REQUIRED)}, and where known {', '.join(_OPTIONAL)}")
    for key in _REQUIRED:
        if given.get(key) is None:
            raise ValueError(f"{place}.{key}: is missing; give the node's {key}")
    try:
        number, row = read_release(given["platform"], given["release"]), knowledge(given["platform"], given["release"])
    except ValueError as error:
        raise ValueError(f"{place}.{error}") from error
    told = given.get("understands")
    if told is not None and not isinstance(told, (list, tuple)):
        raise ValueError(f"{place}.understands: {told!r} is no list; give the formats that the node understands, as [1301, 1400], or leave it out")
    understands = None if told is None else tuple(sorted({_format(one, f"{place}.understands[{index}]") for index, one in enumerate(told)}))
    emits = None if given.get("emits") is None else _format(given["emits"], f"{place}.emits")
    for key in ("kernel", "mode"):
        if given.get(key) is not None and row.platform != "linux":
            raise ValueError(f"{place}.{key}: is for nodes of linux, and this is one of {row.platform}; leave it out")
    return Node(label, row, number, emits, understands, _text(given, "kernel", place), _mode(given, place))


def _format(value: Any, place: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise ValueError(f"{place}: {value!r} is no format; give a number, as 1400, or leave it out")
    return int(value)


def _text(given: Mapping[str, Any], key: str, place: str) -> str | None:
    value = given.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{place}.{key}: {value!r} is no text; write it between quotes, or leave it out")
    return value


def _mode(given: Mapping[str, Any], place: str) -> str | None:
    mode = _text(given, "mode", place)
    if mode is not None and mode not in MODES:
        raise ValueError(f"{place}.mode: {mode!r} is no mode of conntrackd; give one of {', '.join(MODES)}, or leave it out")
    return mode
