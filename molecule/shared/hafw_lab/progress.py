# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One live line on a terminal; plain lines elsewhere."""

from __future__ import annotations

from typing import TextIO


class Progress:
    """Writes to stream (stderr, so that what a command prints stays machine-readable)."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = False

    def show(self, text: str) -> None:
        """Replace the live line; off a terminal, print a line."""
        if self._stream.isatty():
            self._stream.write(f"\r\033[K{text}")
            self._live = True
        else:
            self._stream.write(text + "\n")
        self._stream.flush()

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self.end()
        self._stream.write(text + "\n")
        self._stream.flush()

    def end(self) -> None:
        """Let the live line stand."""
        if self._live:
            self._stream.write("\n")
            self._stream.flush()
        self._live = False
