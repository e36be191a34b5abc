# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Saved evidence: one JSON file per node, as node_info returned it. Pure: text in, evidence out."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, unquote

SUFFIX = ".json"


class SavedError(ValueError):
    """A file is no evidence; the text says why and what to do."""


def file_name(node: str, suffix: str = SUFFIX) -> str:
    """The name of a node's file. What would lead to another folder, or hide the file, is written as in an address (%2F)."""
    name = quote(node, safe="")
    return (name if not name.startswith(".") else "%2E" + name[1:]) + suffix


def node_of(name: str) -> str | None:
    """The node that a file is of; None for a file that is of none."""
    return unquote(name[:-len(SUFFIX)]) if name.endswith(SUFFIX) and not name.startswith(".") else None


def read(text: str) -> dict[str, Any]:
    """The evidence in a file: what node_info returned, or its ``evidence`` alone.

    Raises:
        SavedError: it is something else.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SavedError(f"it is no JSON ({error}); take the snapshot again") from error
    if isinstance(found, dict) and isinstance(found.get("evidence"), dict):
        found = found["evidence"]
    if not isinstance(found, dict) or not isinstance(found.get("platform"), str):
        raise SavedError("it is no evidence of node_info, for it names no platform; give a folder that holds nothing else")
    return found
