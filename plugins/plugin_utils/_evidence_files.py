# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence as it is kept on the controller, a file for each node, so that a cluster can be judged again without it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.plain import plain


class Saved(NamedTuple):
    """What is known of one node.

    Attributes:
        evidence: as node_info returned it; None when there is none.
        observed: what sync_probe found on it (origin as text -> number); None when it did not look.
        probe_count: how many states each node had made for that.
    """

    evidence: Any
    observed: Any
    probe_count: int


def as_file(saved: Saved) -> str:
    """The text of the file: the evidence where a result of node_info has it, and beside it what was observed."""
    document = {"evidence": saved.evidence, "observed": saved.observed, "probe_count": saved.probe_count}
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n"


def read_saved(document: Any) -> Saved:
    """What a file holds: a result of node_info, or its evidence alone.

    Raises:
        ValueError: it holds neither.
    """
    if not isinstance(document, Mapping):
        raise ValueError("it is no evidence; it must hold a mapping, as node_info returns it")
    evidence = document.get("evidence") if "evidence" in document else document
    if not isinstance(evidence, Mapping) or "platform" not in evidence:
        raise ValueError("it is no evidence of node_info: there is no platform in it")
    observed, count = document.get("observed"), document.get("probe_count", 1)
    if observed is not None and not isinstance(observed, Mapping):
        raise ValueError("observed is no mapping of origins to numbers")
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise ValueError("probe_count is no number of states")
    return Saved(plain(evidence), plain(observed), count)
