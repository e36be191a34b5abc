# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of a pf.conf, as pfctl's lexer makes them (sbin/pfctl/parse.y): macros are put in while it reads."""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Optional

# In what order a file has its parts.
OPTION, NORMALIZATION, TRANSLATION, FILTER = range(1, 5)
_WORD = re.compile(r"[^\s(){}<>!=/#,\"'$]+")
_MACRO = re.compile(r"\$(\w+)")
_OPERATORS = ("->", "><", "<>", "<=", ">=", "!=", "(", ")", "{", "}", "<", ">", "!", "=", "/", ",")


class SyntaxTrouble(Exception):
    """What pfctl says, with file and line in front of it and ``bare`` lines before it."""

    def __init__(self, text: str = "syntax error", bare: str = "") -> None:
        super().__init__(text)
        self.bare = bare


class Token(NamedTuple):
    """``kind``: word, string (in quotes), operator, newline, end, or undefined (a macro that there is not)."""

    kind: str
    text: str
    line: int


class Lexer:
    """Gives tokens one by one; a macro's value is read as if it stood there.

    Attributes:
        macros: as defined so far; the parser adds to them.
    """

    def __init__(self, text: str, macros: Optional[Dict[str, str]] = None) -> None:
        self.macros: Dict[str, str] = macros if macros is not None else {}
        self._text = text if text.endswith("\n") or not text else text + "\n"
        self._place = 0
        self._line = 1
        self._ready: List[Token] = []

    def peek(self, ahead: int = 0) -> Token:
        while len(self._ready) <= ahead:
            self._ready.extend(self._read())
        return self._ready[ahead]

    def take(self) -> Token:
        token = self.peek()
        if token.kind != "end":
            self._ready.pop(0)
        return token

    def _read(self) -> List[Token]:
        while self._place < len(self._text):
            left = self._text[self._place]
            if left == "$" and self._put_in():
                continue
            if self._text.startswith("\\\n", self._place):
                self._place += 2
                self._line += 1
            elif left in " \t\r":
                self._place += 1
            elif left == "#":
                self._skip_comment()
            elif left == "\n":
                self._place += 1
                self._line += 1
                return [Token("newline", "\n", self._line - 1)]
            else:
                return self._token(left)
        return [Token("end", "", self._line)]

    def _skip_comment(self) -> None:
        while self._place < len(self._text) and self._text[self._place] != "\n":
            if self._text.startswith("\\\n", self._place):
                self._line += 1
                self._place += 1
            self._place += 1

    def _token(self, left: str) -> List[Token]:
        if left in "\"'":
            end = self._text.find(left, self._place + 1)
            if end < 0:
                self._place = len(self._text)
                return [Token("undefined", left, self._line)]
            value = self._text[self._place + 1:end]
            token = Token("string", value.replace("\\\n", ""), self._line)
            self._place = end + 1
            self._line += value.count("\n")
            return [token]
        if left == "$":
            found = _MACRO.match(self._text, self._place)
            self._place = found.end() if found else self._place + 1
            return [Token("undefined", found[1] if found else left, self._line)]
        operator = next((word for word in _OPERATORS if self._text.startswith(word, self._place)), None)
        if operator is not None:
            self._place += len(operator)
            return [Token("operator", operator, self._line)]
        found = _WORD.match(self._text, self._place)
        if found is None:
            self._place += 1
            return [Token("undefined", left, self._line)]
        text = found[0]
        if "->" in text:
            text = text[:text.index("->")] or "->"
        self._place += len(text)
        return [Token("operator" if text == "->" else "word", text, self._line)]

    def _put_in(self) -> bool:
        """Put a macro's value in the place of its name, so that what follows joins it, as in ``$ext:network``."""
        found = _MACRO.match(self._text, self._place)
        if found is None or found[1] not in self.macros:
            return False
        self._text = self._text[:self._place] + self.macros[found[1]].replace("\n", " ") + self._text[found.end():]
        return True
