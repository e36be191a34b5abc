# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Saved evidence: one JSON file per node, as node_info returned it, with what was observed beside it. Pure: text in, evidence out, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import MAX_DEPTH, MAX_VALUES, plain

SUFFIX = ".json"
_REMEDY = "save again what hafirewall.cluster.node_info returned, and keep other files elsewhere"


class SavedError(ValueError):
    """A file is no evidence; the text says why and what to do."""


class Saved(NamedTuple):
    """What is known of one node.

    Attributes:
        evidence: as node_info returned it; None when there is none.
        observed: what sync_probe found on it (origin as text -> number); None when it did not look.
        probe_count: how many states each node had made for that.
    """

    evidence: Any
    observed: Any = None
    probe_count: int = 1


def file_name(node: str, suffix: str = SUFFIX) -> str:
    """The name of a node's file. What would lead to another folder, or hide the file, is written as in an address (%2F)."""
    name = quote(node, safe="")
    return (name if not name.startswith(".") else "%2E" + name[1:]) + suffix


def node_of(name: str) -> str | None:
    """The node that a file is of; None for a file that is of none."""
    return unquote(name[:-len(SUFFIX)]) if name.endswith(SUFFIX) and not name.startswith(".") else None


def as_file(saved: Saved) -> str:
    """The text of the file: the evidence where a result of node_info has it, and beside it what was observed."""
    document = {"evidence": saved.evidence, "observed": saved.observed, "probe_count": saved.probe_count}
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n"


def read(text: str) -> Saved:
    """What a file holds: a result of node_info, or its ``evidence`` alone.

    Raises:
        SavedError: it is something else.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SavedError(f"it is no JSON ({error}); {_REMEDY}") from error
    if not isinstance(document, Mapping):
        raise SavedError(f"it is no evidence of node_info, for it is no mapping; {_REMEDY}")
    evidence = document.get("evidence", document)
    if not isinstance(evidence, Mapping) or not isinstance(evidence.get("platform"), str):
        raise SavedError(f"it is no evidence of node_info, for it names no platform; {_REMEDY}")
    observed, count = document.get("observed"), document.get("probe_count", 1)
    if observed is not None and not isinstance(observed, Mapping):
        raise SavedError("observed is no mapping of origins to numbers; put there what hafirewall.cluster.sync_probe found, or take it out")
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise SavedError("probe_count is no number of states; put there how many were made, or take it out")
    if plain(evidence) != evidence or plain(observed) != observed:
        # In this run's evidence such values are replaced, and two that are could pass for equal.
        raise SavedError(f"it is no evidence of node_info, for it is nested more than {MAX_DEPTH} levels deep or has more than {MAX_VALUES} values; {_REMEDY}")
    return Saved(evidence, observed, count)
