# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release is called, and the shape of what is known about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# How far a fact can be trusted, the best first. Evidence is what a node said itself.
EVIDENCE, READ, DOCUMENTED, DERIVED, UNVERIFIED = "evidence", "source read", "documented", "derived", "unverified"
CONFIDENCE = (EVIDENCE, READ, DOCUMENTED, DERIVED, UNVERIFIED)

# What each platform is called in a sentence, and whose protocol it speaks.
TITLES = {"pfsense-ce": "pfSense CE", "pfsense-plus": "pfSense Plus", "opnsense": "OPNsense", "freebsd": "FreeBSD", "openbsd": "OpenBSD",
          "linux": "conntrackd"}
FAMILIES = {"pfsense-ce": "freebsd", "pfsense-plus": "freebsd", "opnsense": "freebsd", "freebsd": "freebsd", "openbsd": "openbsd", "linux": "linux"}

PFSENSE = ("pfsense-ce", "pfsense-plus")

# An epoch as packages of Debian have one, numbers, and whatever the system appends: 14.2-RELEASE-p1, 2.0.3p1-RELEASE, 26.7.4_1, 1:1.4.7-1+b2.
_RELEASE = re.compile(r"(?:[0-9]{1,3}:)?(?P<numbers>[0-9]{1,4}(?:\.[0-9]{1,4}){0,3})(?P<rest>(?:(?:[^0-9\s.]|\.[abr][0-9_]?)\S{0,60})?)", re.ASCII)
_SNAPSHOT = re.compile(r"current|alpha|devel|snap", re.IGNORECASE)
_CANDIDATE = re.compile(r"beta|(?<![a-z])rc|prerelease|^\.[abr]", re.IGNORECASE)


@dataclass(frozen=True)
class Release:
    """A release as its system writes it.

    Attributes:
        text: as it was given.
        numbers: its numbers; ``2.4.5-p1`` has (2, 4, 5).
        snapshot: it is made before a release, from a moving source (``-CURRENT``, ``-DEVELOPMENT``).
        candidate: it is made shortly before a release (``-BETA1``, ``-RC2``, ``.r1``).
    """

    text: str
    numbers: tuple[int, ...]
    snapshot: bool
    candidate: bool


def parse(text: str) -> Release | None:
    """The release that a text names; None when it names none."""
    found = _RELEASE.fullmatch(text.strip())
    if found is None:
        return None
    rest = found["rest"]
    numbers = tuple(int(part) for part in found["numbers"].split("."))
    return Release(text.strip(), numbers, bool(_SNAPSHOT.search(rest)), bool(_CANDIDATE.search(rest)))


@dataclass(frozen=True)
class Note:
    """What a person with a cluster should know about a release, and where it stands."""

    text: str
    link: str


@dataclass(frozen=True)
class Row:
    """What is known about one release, or a range of them, of one platform.

    Attributes:
        platform: one of the keys of ``TITLES``.
        release: as it was asked for, or the range in words.
        base: the system that it is built on, as ``FreeBSD 14.2``; None when that is not known.
        version_byte: the version in the header of each packet: the first byte of pfsync's, the upper half of the first byte of conntrackd's.
        understands: the formats that it can read, oldest first; None when not known. Of FreeBSD's pfsync since 9 these are 1301, 1400 and 1500. What has
            no formats of its own is called by its version byte.
        emits: the format that it sends when nobody chooses; None when not known.
        pinnable: whether an older format can be chosen; None when not known.
        how: how that is done, with ``{format}`` for the number; empty where it cannot be done.
        state_policy_default: ``floating``, or ``if-bound`` where states carry the name of an interface; None when not known.
        notes: for people with clusters.
        confidence: how far ``understands`` and ``emits`` can be trusted, one of ``CONFIDENCE``.
        source: where that was read.
    """

    platform: str
    release: str
    base: str | None = None
    version_byte: int | None = None
    understands: tuple[int, ...] | None = None
    emits: int | None = None
    pinnable: bool | None = None
    how: str = ""
    state_policy_default: str | None = None
    notes: tuple[Note, ...] = ()
    confidence: str = UNVERIFIED
    source: str = ""

    @property
    def possible(self) -> tuple[int, ...] | None:
        """What it may send when nobody chooses: any that it understands, where the default is not known. None when nothing is known."""
        return (self.emits,) if self.emits is not None else self.understands


@dataclass(frozen=True)
class Range:
    """A row of the table, for releases from ``since`` on and before ``before``.

    Attributes:
        since, before: numbers of releases.
        understands, emits: as in ``Row``.
        base: release of FreeBSD that a product is built on, ``HardenedBSD 12.1`` where it is that; formats come from its row then.
        pinnable: as in ``Row``.
        confidence, source: as in ``Row``.
        base_confidence: how far ``base`` can be trusted, and with it the formats that follow from it.
    """

    since: tuple[int, ...]
    before: tuple[int, ...]
    source: str
    confidence: str
    version_byte: int | None = None
    understands: tuple[int, ...] | None = None
    emits: int | None = None
    base: str | None = None
    pinnable: bool | None = None
    notes: tuple[Note, ...] = field(default=())

    def holds(self, numbers: tuple[int, ...]) -> bool:
        """Whether it is about this release."""
        return self.since <= numbers < self.before


def weakest(*confidences: str) -> str:
    """The least trustworthy of some."""
    return max(confidences, key=CONFIDENCE.index)
