# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads evidence that was kept on the controller."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.saved import Saved, SavedError, read


def read_file(path: Path) -> Saved:
    """What a file holds of a node.

    Raises:
        SavedError: it cannot be read, or is no evidence; the text names the file, why, and what to do.
    """
    try:
        return read(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise SavedError(f"{path}: it is no text in UTF-8; save it again, or keep it elsewhere") from error
    except SavedError as error:
        raise SavedError(f"{path}: {error}") from error
    except OSError as error:
        raise SavedError(f"{path}: it cannot be read: {error.strerror or error}; let the user of this run read it, or keep it elsewhere") from error
