# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes files on the controller, whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Mapping


def write_whole(directory: Path, contents: Mapping[Path, str | bytes], mode: int = 0o666) -> None:
    """All files, each complete under another name before the first takes its place: a reader never meets half of them.

    Args:
        directory: made when it is missing.
        contents: by path; a text is written as UTF-8.
        mode: permissions of new files, of which the umask takes away.
    Raises:
        OSError: one cannot be written; all of them are as they were then.
    """
    directory.mkdir(parents=True, exist_ok=True)
    waiting: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            waiting[path] = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            with open(os.open(waiting[path], os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
        for path in contents:
            os.replace(waiting[path], path)
    finally:
        for temporary in waiting.values():
            temporary.unlink(missing_ok=True)
