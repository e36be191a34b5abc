# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the two ends send each other, and what they learn about each other's clock."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.messages import (
    MESSAGE,
    UNKNOWN_DIFFERENCE,
    Datagram,
    datagram,
    greeting,
    parse_datagram,
    parse_greeting,
    peer_clock,
)


def test_a_message_is_16_bytes():
    assert MESSAGE.size == 16 == len(greeting(0))


def test_a_greeting_comes_back_and_nothing_else_is_one():
    assert parse_greeting(greeting(19999)) == 19999
    assert parse_greeting(b"GET / HTTP/1.1\r\n") is None


def test_a_datagram_comes_back_and_nothing_else_is_one():
    sent = Datagram(flow=3, number=2**40, sent=1795000000123456789, difference=-5)
    assert parse_datagram(datagram(*sent)) == sent
    assert parse_datagram(datagram(*sent)[:-1]) is None
    assert parse_datagram(b"\0" * len(datagram(*sent))) is None


@pytest.mark.parametrize("ahead", [0, 5_000_000, -3_000_000_000])
def test_the_peers_clock_is_found_whatever_the_delay(ahead: int):
    delay = 400_000
    clock = peer_clock(ours=delay - ahead, theirs=delay + ahead)
    assert clock is not None
    assert (clock.offset, clock.uncertainty) == (ahead, delay)


def test_unequal_delays_are_within_the_uncertainty():
    clock = peer_clock(ours=100_000 - 7_000_000, theirs=900_000 + 7_000_000)
    assert clock is not None
    assert abs(clock.offset - 7_000_000) <= clock.uncertainty


def test_a_clock_that_was_not_heard_is_unknown():
    assert peer_clock(UNKNOWN_DIFFERENCE, 5) is None
    assert peer_clock(5, UNKNOWN_DIFFERENCE) is None
