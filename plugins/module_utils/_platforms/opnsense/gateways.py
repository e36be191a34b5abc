# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gateways, for snapshots, as the product judges them.

Source: opnsense/core, scripts/routes/gateway_status.php: an object by the gateways' names, each with a ``status``. Its words say what is wrong, so that
``none`` is the good one. No answer of a node was seen.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.opnsense.config import Config
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.snapshot import Row

ASKING = ("configctl", "interface", "gateways", "status")
# Some delay or loss is told, and the gateway kept.
_STATES = {"unwatched": "quiet", "none": "up", "delay": "up", "loss": "up", "delay+loss": "up", "down": "down", "force_down": "down"}


def read(node: Node, _config: Config) -> List[Row]:
    """The gateways; the state that another word means is not known.

    Args:
        node: where.
        _config: the configuration, which is known to be whole: the product's own programs put an older one in its place when it is not (Config.php).
    Raises:
        NodeError: the product does not tell.
    """
    answer = node.query(ASKING, ok=None).stdout
    try:
        words = _words(json.loads(answer))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise NodeError("%s tells no states of gateways; it said: %s" % (" ".join(ASKING), answer.strip()[:200] or "nothing")) from None
    return [{"name": name, "state": _STATES.get(word), "told": word} for name, word in words.items()]


def _words(found: Any) -> Dict[str, str]:
    """The status of each; of one that nothing watches the product says what it says of a good one. PHP writes an array without elements as a list."""
    words = {} if found == [] else {str(name): "unwatched" if (row["status"], row.get("loss")) == ("none", "~") else row["status"]
                                    for name, row in found.items()}
    if not all(isinstance(word, str) for word in words.values()):
        raise TypeError("a status is no text")
    return words
