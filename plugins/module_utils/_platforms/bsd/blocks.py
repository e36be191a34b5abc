# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A marked block of this collection in a file that others write too. Pure; all else in the file stays as it is, to the last byte."""

from __future__ import annotations

import re
from typing import NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

_MARK = re.compile(r"^# (BEGIN|END) hafirewall\.cluster (\S.*?)[ \t\r]*$", re.MULTILINE)


class Block(NamedTuple):
    """A block: where it is in the text, with its marks, and the lines between them."""

    start: int
    end: int
    lines: Tuple[str, ...]


def find(text: str, name: str, path: str) -> Optional[Block]:
    """The block of that name; None when there is none.

    Raises:
        NodeError: a mark without its other one, or a block that is there twice, with the number of the line.
    """
    opened: Optional[Tuple[int, int]] = None
    found: Optional[Block] = None
    for mark in (mark for mark in _MARK.finditer(text) if mark[2] == name):
        if (mark[1] == "BEGIN") is not (opened is None) or found is not None:
            raise NodeError("%s:%d: this mark of hafirewall.cluster has no place here; remove the lines from the first BEGIN to the last END of \"%s\" and "
                            "run again" % (path, line_of(text, mark.start()), name))
        if opened is None:
            opened = mark.span()
            continue
        found, opened = Block(opened[0], min(mark.end() + 1, len(text)), tuple(text[opened[1] + 1:mark.start()].splitlines())), None
    if opened is not None:
        raise NodeError("%s:%d: \"%s\" has no end; remove it, or write the mark END behind its last line" % (
            path, line_of(text, opened[0]), text[slice(*opened)]))
    return found


def put(text: str, name: str, lines: Sequence[str], path: str) -> str:
    """The text with the block as wanted, at its place, or at the end when it is new; without lines the block is taken away.

    Raises:
        NodeError: as :func:`find`.
    """
    block = find(text, name, path)
    written = "".join(line + "\n" for line in ("# BEGIN hafirewall.cluster " + name, *lines, "# END hafirewall.cluster " + name)) if lines else ""
    if block is not None:
        return text[:block.start] + written + text[block.end:]
    return text + ("\n" if written and text and not text.endswith("\n") else "") + written


def outside(text: str, name: str, path: str) -> str:
    """The text with the block of that name emptied; lines keep their numbers.

    Raises:
        NodeError: as :func:`find`.
    """
    block = find(text, name, path)
    return text if block is None else text[:block.start] + re.sub(r"[^\n]", " ", text[block.start:block.end]) + text[block.end:]


def line_of(text: str, place: int) -> int:
    """The number of the line at a place in a text, from 1."""
    return text.count("\n", 0, place) + 1
