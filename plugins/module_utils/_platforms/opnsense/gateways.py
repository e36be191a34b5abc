# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gateways, for snapshots, as the product judges them.

Source: opnsense/core, scripts/routes/gateway_status.php: up to 26.1 a list of gateways, from 26.7 on an object by their names (commit f10505148f); each has
its ``name`` and a ``status``. Its words say what is wrong, so that ``none`` is the good one. No answer of a node was seen.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.snapshot import Row

ASKING = ("configctl", "interface", "gateways", "status")
# Some delay or loss is told, and the gateway kept.
_STATES = {"none": "up", "delay": "up", "loss": "up", "delay+loss": "up", "down": "down", "force_down": "down"}


def read(node: Node) -> List[Row]:
    """The gateways; the state that another word means is not known.

    Raises:
        NodeError: the product does not tell.
    """
    answer = node.query(ASKING, ok=None).stdout
    try:
        found = json.loads(answer)
        return [_row(one) for one in (found if isinstance(found, list) else found.values())]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise NodeError("%s tells no states of gateways; it said: %s" % (" ".join(ASKING), answer.strip()[:200] or "nothing")) from None


def _row(found: Dict[str, Any]) -> Row:
    """Of one that nothing watches the product says what it says of a good one, and knows no loss."""
    name, word = found["name"], found["status"]
    if not isinstance(name, str) or not isinstance(word, str):
        raise TypeError("a name or a status is no text")
    return {"name": name, "state": "quiet" if (word, found.get("loss")) == ("none", "~") else _STATES.get(word), "told": word}
