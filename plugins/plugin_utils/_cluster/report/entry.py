# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person must know about a check."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """Its name when all is well and when not, what a pass says, what to do otherwise."""

    name: str
    trouble: str
    meaning: str
    remedy: str
