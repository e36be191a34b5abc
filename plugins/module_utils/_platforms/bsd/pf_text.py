# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The statements of a pf.conf, as far as one must know them to put something between them. Pure.

What ends a line is read as pfctl's own lexer does it (sbin/pfctl/parse.y, lgetc and yylex): a backslash at the end of a line continues it, that of a comment
too; quoted text and braces go over several lines; ``#`` begins a comment wherever no quotes are open.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

# The order that FreeBSD's pf insists on unless "set require-order no" is said: pf.conf(5). Definitions and comments may be anywhere.
OPTION, ETHERNET, NORMALIZATION, QUEUEING, TRANSLATION, FILTER = range(1, 7)
_KINDS = {"set": OPTION, "ether": ETHERNET, "scrub": NORMALIZATION, "scrub-anchor": NORMALIZATION, "altq": QUEUEING, "queue": QUEUEING,
          "nat": TRANSLATION, "rdr": TRANSLATION, "binat": TRANSLATION, "nat-anchor": TRANSLATION, "rdr-anchor": TRANSLATION, "binat-anchor": TRANSLATION,
          "pass": FILTER, "block": FILTER, "match": FILTER, "antispoof": FILTER, "anchor": FILTER}
_TOKEN = re.compile(r"""(?P<joined>\\\n)|(?P<newline>\n)|(?P<comment>\#(?:\\[\s\S]|[^\n\\])*\\?)|(?P<space>[ \t]+)|(?P<escape>\\(?!\\))
                        |(?P<quoted>"(?:\\"|[^"])*"?|'(?:\\'|[^'])*'?)|(?P<word>[A-Za-z0-9:_][^\s\\(){}<>!=/\#,]*)|(?P<other>\\\\|[\s\S])""", re.VERBOSE)
_DEEPEST = 8  # files that include each other

Included = Callable[[str], Optional[str]]


class Line(NamedTuple):
    """One line as pfctl sees it: a statement, a comment or nothing.

    Attributes:
        start, end: where it is in the text; the line break belongs to it.
        number: of the first of its lines in the file, from 1, and in which it has its first word.
        words: quoted text without its quotes, and signs each by themselves.
        comment: it has nothing but a comment.
    """

    start: int
    end: int
    number: int
    words: Tuple[str, ...]
    comment: bool


class Setting(NamedTuple):
    """``set NAME VALUE`` in a file; ``value`` is what follows the name, with one space between its words."""

    path: str
    line: int
    name: str
    value: str


def lines(text: str) -> List[Line]:
    """All lines in their order; together they are the text."""
    found: List[Line] = []
    words: List[str] = []
    start = depth = 0
    number, first, comment = 1, 0, False
    for token in _TOKEN.finditer(text):
        kind, said = token.lastgroup, token[0]
        if kind in ("quoted", "word", "other") and not first:
            first = number
        if kind == "newline" and depth == 0:
            found.append(Line(start, token.end(), first or number, tuple(words), comment and not words))
            words, start, first, comment = [], token.end(), 0, False
        elif kind == "comment":
            comment = True
        elif kind == "quoted":
            words.append(re.sub(r"\\?\n", "", said[1:].rstrip(said[0])))
        elif kind in ("word", "other"):
            words.append(said)
            depth = max(0, depth + (said == "{") - (said == "}"))
        number += said.count("\n")
    if start < len(text):
        found.append(Line(start, len(text), first or number, tuple(words), comment and not words))
    return found


def kinds(found: Sequence[Line], included: Included) -> List[FrozenSet[int]]:
    """Of each line, which kinds of statements it brings: none for a definition, several for a file that it includes.

    Args:
        included: the text of a file by the name that is written in the configuration; None for one that cannot be read.
    """
    return _kinds(found, included, {}, 0)


def _kinds(found: Sequence[Line], included: Included, macros: Dict[str, str], depth: int) -> List[FrozenSet[int]]:
    known = []
    for line in found:
        words = line.words
        if len(words) > 2 and words[1] == "=":
            macros[words[0]] = words[2]
            words = ()
        if len(words) > 1 and words[0] == "$":
            # A macro may stand for the first words of a statement.
            words = (*macros.get(words[1], "").split(), *words[2:])
        if len(words) > 1 and words[0] == "include":
            text = included(words[1]) if depth < _DEEPEST else None
            known.append(frozenset(kind for one in _kinds(lines(text or ""), included, macros, depth + 1) for kind in one))
            continue
        word = words[1] if len(words) > 1 and words[0] == "no" else words[0] if words else ""
        known.append(frozenset([_KINDS[word]]) if word in _KINDS else frozenset())
    return known


def settings(text: str, path: str, included: Included) -> List[Setting]:
    """The options that a file sets, and those that it includes; the last of a name counts for pf."""
    return _settings(text, path, included, 0)


def _settings(text: str, path: str, included: Included, depth: int) -> List[Setting]:
    found = []
    for line in lines(text):
        if line.words[:1] == ("set",) and len(line.words) > 1:
            found.append(Setting(path, line.number, line.words[1], " ".join(line.words[2:])))
        elif line.words[:1] == ("include",) and len(line.words) > 1 and depth < _DEEPEST:
            found += _settings(included(line.words[1]) or "", line.words[1], included, depth + 1)
    return found
