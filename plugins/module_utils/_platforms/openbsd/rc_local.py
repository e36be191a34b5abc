# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blocks of this collection in /etc/rc.local, which rc runs by sh when all is started but before CARP may take anything over (etc/rc)."""

from __future__ import annotations

from typing import Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import blocks

FILE = "/etc/rc.local"


def with_block(text: str, name: str, lines: Sequence[str]) -> str:
    """The file with the block: new at the beginning, because what is there may end with an exit."""
    if blocks.find(text, name, FILE) is not None:
        return blocks.put(text, name, lines, FILE)
    first, rest = (text.split("\n", 1) + [""])[:2] if text.startswith("#!") else ("", text)
    return (first + "\n" if first else "") + blocks.put("", name, lines, FILE) + rest
