# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives of configurations on the controller: kept for root's eyes only, and read again before they are called backups."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._files import write_whole

MODE = 0o600


class BackupError(Exception):
    """An archive is not what it should be; the text says how, and nothing of what is in it."""


def keep(path: Path, data: bytes, files: Mapping[str, int]) -> None:
    """Write an archive, read it again from the disk, and see whether all files are in it; one that is not good is removed.

    Args:
        path: where to.
        data: a compressed tar archive.
        files: path on the node -> size in bytes, of all files that must be in it.
    Raises:
        OSError: it cannot be written or read.
        BackupError: it is not good.
    """
    write_whole(path.parent, {path: data}, MODE)
    try:
        if digest(path.read_bytes()) != digest(data):
            raise BackupError("what was read from the disk is not what was written to it")
        check(path.read_bytes(), files)
    except BackupError:
        path.unlink()
        raise


def check(data: bytes, files: Mapping[str, int]) -> None:
    """See whether a compressed tar archive can be read to its end and holds exactly these files.

    Raises:
        BackupError: it cannot, or does not.
    """
    found: dict[str, int] = {}
    try:
        # To its very end, where its checksum is; the files may end before.
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data)), mode="r:") as archive:
            for member in archive:
                content = archive.extractfile(member)
                found["/" + member.name] = 0 if content is None else len(content.read())
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise BackupError(f"the archive cannot be read: {type(error).__name__}") from error
    wrong = sorted(path for path in {*found, *files} if found.get(path) != files.get(path))
    if wrong:
        raise BackupError(f"the archive lacks files, or has others: {', '.join(wrong[:5])}")
    if not files:
        raise BackupError("there is no file in the archive")


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
