# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the programs of the simulated machine share."""

from __future__ import annotations

from typing import Iterator, List

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed


class NotModelled(AssertionError):
    """A command, option or word that was neither seen on FreeBSD nor read in its source, or that nobody needed yet: no answer is made up for it."""


class Refused(Exception):
    """A program's failure: what it says on its standard error, what it had said on standard output before, and its exit status."""

    def __init__(self, text: str, status: int = 1, stdout: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.stdout = stdout


def said(stdout: str = "", status: int = 0, stderr: str = "") -> Completed:
    """What a program leaves behind."""
    return Completed(status, stdout, stderr)


def following(words: Iterator[str], program: str, word: str) -> str:
    """The argument of a word, which must be there."""
    value = next(words, None)
    if value is None:
        raise NotModelled("%s ... %s without its argument" % (program, word))
    return value


def plural(count: int, one: str, many: str) -> str:
    """With its count."""
    return "%d %s" % (count, one if count == 1 else many)


def lines(rows: List[str]) -> str:
    """As a text."""
    return "".join(row + "\n" for row in rows)
