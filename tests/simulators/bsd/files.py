# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node's files below a directory that stands for /."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Content, Node


class RootedNode(Node):
    """A node that reads and writes below its root, and tells in diffs what the node itself would call the files.

    Attributes:
        root: the directory that stands for /.
    """

    def __init__(self, root: Path, check_mode: bool = False) -> None:
        super().__init__(check_mode=check_mode)
        self.root = root

    def read_text(self, path: str) -> Optional[str]:
        return super().read_text(self._below(path))

    def read_file(self, path: str, most: int) -> Optional[Content]:
        return super().read_file(self._below(path), most)

    def find_files(self, pattern: str) -> List[str]:
        return [path[len(str(self.root)):] for path in super().find_files(self._below(pattern))]

    def write_text(self, path: str, text: str, mode: Optional[int] = 0o644, shown: bool = True, redact: Callable[[str], str] = str) -> bool:
        with self._told_as(path):
            return super().write_text(self._below(path), text, mode, shown, redact)

    def remove(self, path: str, shown: bool = True, redact: Callable[[str], str] = str) -> bool:
        with self._told_as(path):
            return super().remove(self._below(path), shown, redact)

    def _below(self, path: str) -> str:
        return path if path.startswith("%s/" % self.root) else "%s%s" % (self.root, path)

    @contextmanager
    def _told_as(self, path: str) -> Iterator[None]:
        """Diffs that come meanwhile have the path as the node has it."""
        known = len(self.diffs)
        try:
            yield
        finally:
            for diff in self.diffs[known:]:
                diff.update(before_header=path, after_header=path)
