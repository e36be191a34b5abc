# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an older format does not carry, and so is lost on the way although its sender has it."""

from __future__ import annotations

# By the format that began to carry it (pfvar.h of FreeBSD 14 and 15: pfsync_state_1301, _1400, _1500; packets of 14.2 kernels, for 1301).
CARRIED = {
    1400: ("route-to and reply-to, unless the rules are equal on both nodes", "queues of ALTQ", "dummynet pipes", "routing tables (rtable)",
           "priorities (set prio)", "min-ttl, max-mss and set-tos", "newer state flags"),
    1500: ("tags", "translation between IPv4 and IPv6 (af-to)", "the interface that a floating state began on"),
}

_ORDER = tuple(what for carried in CARRIED.values() for what in carried)


def lost_in(family: str, known: tuple[int, ...], used: int | None) -> set[str]:
    """What a sender does not tell in a format that is older than the newest one that it knows.

    Args:
        family: of the protocol; only FreeBSD's pfsync has a choice.
        known: the formats that the sender surely knows.
        used: the format that it sends; None when that is not known, or nothing travels.
    """
    if family != "freebsd" or used is None or not known:
        return set()
    return {what for number, carried in CARRIED.items() if used < number <= known[-1] for what in carried}


def in_order(lost: set[str]) -> list[str]:
    """The same, as the formats list it."""
    return [what for what in _ORDER if what in lost]
