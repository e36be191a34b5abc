# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes files on the controller, whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Mapping


def write_whole(directory: Path, texts: Mapping[Path, str]) -> None:
    """All files, each complete under another name before the first takes its place: a reader never meets half of them."""
    directory.mkdir(parents=True, exist_ok=True)
    waiting: dict[Path, Path] = {}
    try:
        for path, text in texts.items():
            waiting[path] = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            with open(os.open(waiting[path], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        for path in texts:
            os.replace(waiting[path], path)
    finally:
        for temporary in waiting.values():
            temporary.unlink(missing_ok=True)
