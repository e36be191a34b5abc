# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pf's and pfsync's own numbers and names in evidence mean. Evidence is not trusted: what is not as described is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Kinds of messages that carry states, by the names of netstat, in whatever format (state-insert-1301, state-insert, ...).
INSERTS = "state-insert"
_ACKNOWLEDGED = "state-inserted-ack"
_UPDATES = ("state-update", "compressed-state-update")


def creator(value: Any) -> str | None:
    """A host id of pf in its shortest form, or None when it is none."""
    try:
        return f"{int(value, 16):x}" if isinstance(value, str) else None
    except ValueError:
        return None


def inserts(messages: Any) -> int | None:
    """How many messages with whole new states were counted; None where kinds of messages are not told apart."""
    return _sum(messages, (INSERTS,))


def states_sent(counters: Any) -> int | None:
    """How many messages about states a node has sent; None where it is not known. A node all of whose states stay where they are (no-sync) sends none."""
    return _sum(counters.get("sent_messages"), (INSERTS, *_UPDATES)) if isinstance(counters, Mapping) else None


def _sum(messages: Any, kinds: tuple[str, ...]) -> int | None:
    if not isinstance(messages, Mapping):
        return None
    counted = [count for name, count in messages.items() if isinstance(name, str) and name.startswith(kinds) and name != _ACKNOWLEDGED]
    return sum(count for count in counted if isinstance(count, int) and not isinstance(count, bool) and count > 0)
