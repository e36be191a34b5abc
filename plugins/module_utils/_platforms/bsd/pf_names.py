# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Devices that are named in pf.conf, and their new names. Pure."""

from __future__ import annotations

import re
from typing import Mapping

# What follows these words in pf.conf is no device: labels and the like.
_NO_DEVICE = ("label", "tag", "tagged", "anchor", "table", "queue", "user", "group", "include")
_PF_TOKEN = re.compile(r"""(?P<comment>\#[^\n]*)|(?P<table><[\w.-]+>)|(?P<word>[\w.-]+)|(?P<other>.)""", re.DOTALL)


def renamed(text: str, names: Mapping[str, str]) -> str:
    """pf.conf with new names of devices: as words, outside comments, tables, labels and the like."""
    found, last = [], ""
    for token in _PF_TOKEN.finditer(text):
        word = token[0]
        if token.lastgroup == "word":
            found.append(names.get(word, word) if last not in _NO_DEVICE else word)
            last = word
        else:
            found.append(word)
            last = "" if token.lastgroup != "other" or not (word.isspace() or word == '"') else last
    return "".join(found)
