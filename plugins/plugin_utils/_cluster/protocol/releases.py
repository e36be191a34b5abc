# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known about a release: ``knowledge`` is the one way to the data of this package."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.facts import Evidence
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.binding import binding
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import PLUS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.conntrackd_rows import CONNTRACKD
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.notes import HOW, notes_of
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.pfsync_rows import FREEBSD, OPENBSD
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.product_rows import OPNSENSE, PFSENSE_CE, PFSENSE_PLUS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import (
    DERIVED,
    PFSENSE,
    TITLES,
    UNVERIFIED,
    Range,
    Release,
    Row,
    parse,
    weakest,
)

TABLES = {"pfsense-ce": PFSENSE_CE, "pfsense-plus": PFSENSE_PLUS, "opnsense": OPNSENSE, "freebsd": FREEBSD, "openbsd": OPENBSD, "linux": CONNTRACKD}
NOT_LISTED = "this release is not in the table"


def knowledge(platform: str, release: str) -> Row:
    """What is known about a release.

    Args:
        platform: one of the keys of ``TITLES``.
        release: as the system writes it: ``14.2-RELEASE-p1``, ``2.7.2``, ``26.7.4_1``, ``7.6``; of ``linux`` the version of conntrack-tools, ``1:1.4.7-1``.
    Returns:
        a row; what is not known about this release, or about the whole release, is None in it.
    Raises:
        ValueError: the platform is none of those, or the text names no release; it says what to give.
    """
    number = read_release(platform, release)
    row = _formats(platform, number)
    return replace(row, release=number.text, base=row.base or _own(platform, number), notes=notes_of(platform, number.numbers),
                   state_policy_default=_policy(platform, number.text))


# For messages: how a release looks.
_EXAMPLES = {"pfsense-ce": "2.7.2", "pfsense-plus": "24.11", "opnsense": "26.1.4", "freebsd": "14.2-RELEASE-p1", "openbsd": "7.6", "linux": "1.4.8"}


def read_release(platform: str, release: str) -> Release:
    """The release of a platform that a text names.

    Raises:
        ValueError: as for ``knowledge``.
    """
    if not isinstance(platform, str) or platform not in TITLES:
        raise ValueError(f"platform: {platform!r} is none that is known; give one of {', '.join(TITLES)}")
    if not isinstance(release, str):
        raise ValueError(f"release: {release!r} is no text; write it between quotes, as \"26.10\", for as a number it loses digits")
    number = parse(release)
    if number is None:
        raise ValueError(f"release: {release!r} names no release; give it as the system writes it, as {_EXAMPLES[platform]}")
    return number


def edition(platform: str, release: str | None) -> str:
    """The name that a node's platform has here: pfSense is two, by the first number of its release."""
    if platform != "pfsense":
        return platform
    number = parse(release or "")
    return "pfsense-plus" if number is not None and number.numbers[0] >= PLUS else "pfsense-ce"


def formats_of(platform: str, version: str | None) -> tuple[int, ...] | None:
    """The formats that a node understands by its release; None when the release is not known, or its formats are not.

    Args:
        platform: as the model has it; ``pfsense`` is either edition.
        version: as evidence has it.
    """
    number = parse(version or "")
    return None if number is None else _formats(edition(platform, version), number).understands


def between(platform: str, number: Release) -> bool:
    """Whether what runs is from between two releases, so that no row can tell which formats it has."""
    if platform == "freebsd":
        # Before X.0 it is from before or after a change; X.1-BETA1 has what X.0 has.
        return number.snapshot or (number.candidate and number.numbers[1:2] in ((), (0,)))
    return number.snapshot or number.candidate


def _formats(platform: str, number: Release) -> Row:
    found = next((row for row in TABLES[platform] if row.holds(number.numbers)), None)
    if found is None:
        return Row(platform, number.text, source=NOT_LISTED)
    if found.base is not None:
        row = _built_on(platform, number, found, found.base)
    else:
        row = Row(platform, number.text, None, found.version_byte, found.understands, found.emits, found.pinnable, HOW[platform] if found.pinnable else "",
                  confidence=found.confidence, source=found.source)
    if not between(platform, number):
        return row
    # Of FreeBSD 14.0-CURRENT the byte is sure, for the releases before and after have the same.
    byte = row.version_byte if all(one.version_byte == found.version_byte for one in TABLES[platform] if one.before == found.since) else None
    return replace(row, version_byte=byte, understands=None, emits=None, pinnable=None, how=HOW[platform], confidence=UNVERIFIED,
                   source=f"from between two releases, which is not in the table; the release has: {row.source}")


def _built_on(platform: str, number: Release, found: Range, base: str) -> Row:
    """A product's row: its kernel's formats, and its own default where it has a setting."""
    system, _space, version = base.rpartition(" ")
    kernel = f"{system or 'FreeBSD'} {version}"
    below = _formats("freebsd", read_release("freebsd", version))
    choice = found.pinnable or below.pinnable
    confidence = weakest(found.confidence, below.confidence, *(() if found.pinnable else (DERIVED,)))
    emits = found.emits if found.pinnable else below.emits
    return Row(platform, number.text, kernel, below.version_byte, below.understands, emits, choice,
               "" if choice is False else HOW[platform], confidence=confidence, source=f"{found.source}; formats of its kernel, {kernel}")


def _own(platform: str, number: Release) -> str | None:
    return f"{TITLES[platform]} {number.text}" if platform in ("freebsd", "openbsd") else None


def _policy(platform: str, release: str) -> str | None:
    """The state policy when nobody chooses one, from the table of the LAGGs; conntrackd has none, and binds to no interface."""
    where = "pfsense" if platform in PFSENSE else platform
    bound = binding(where, Evidence({"os": {"version": release}})).bound
    return None if bound is None else "if-bound" if bound else "floating"
