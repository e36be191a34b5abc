# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the record says of our part of the demotion."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.demotion import AMOUNT, Demotion


@pytest.mark.parametrize(("record", "total", "held"), [
    (None, 0, False), (None, 240, False), (None, AMOUNT, False), (None, None, False),
    ("held", AMOUNT, True), ("held", AMOUNT + 480, True), ("held", 0, False), ("held", 240, False), ("held", None, False),
    ("entering 0", 0, False), ("entering 0", AMOUNT, True), ("entering 0", 480, False), ("entering 480", 240, False), ("entering 480", 240 + AMOUNT, True),
    ("entering 240", AMOUNT, True), ("entering 0", 100, None), ("entering", AMOUNT, None), ("who knows", 0, None),
    ("leaving 241", AMOUNT, True), ("leaving 241", 0, False), ("leaving 241", 240, False), ("leaving 241", 480 + AMOUNT, True), ("leaving 481", 0, False),
    ("leaving 241", 100, None),
])
def test_our_part_is_told_from_that_of_others(record: str | None, total: int | None, held: bool | None) -> None:
    assert Demotion(total, record).held is held


@pytest.mark.parametrize(("record", "total", "complete"), [
    (None, 0, True), ("held", AMOUNT, True), ("held", 0, False), ("entering 0", AMOUNT, False), ("entering 0", 0, False), ("who knows", 0, False),
])
def test_a_record_that_does_not_say_what_is_so_is_incomplete(record: str | None, total: int, complete: bool) -> None:
    assert Demotion(total, record).complete is complete
