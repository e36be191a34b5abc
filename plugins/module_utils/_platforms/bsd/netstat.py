# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What netstat counts. Pure: text to counters."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Iterator, Optional

# Names of our own for pfsync's counters (if_pfsync.h; netstat's JSON), so that they read like those of other engines.
_PFSYNC = {
    "dropped-bad-interface": "bad_interface", "dropped-bad-ttl": "bad_ttl", "dropped-short-header": "short_header", "dropped-bad-version": "bad_version",
    "dropped-bad-auth": "bad_auth", "dropped-bad-action": "bad_action", "dropped-short": "short_packet", "dropped-bad-values": "bad_values",
    "dropped-stale-state": "stale_state", "dropped-failed-lookup": "failed_lookup", "discarded-no-memory": "no_memory", "send-errors": "send_errors",
}
# The same counters in netstat's words, singular and plural.
_TOLD = {
    "bad_interface": "packets? discarded for bad interface", "bad_ttl": "packets? discarded for bad ttl", "short_header": "packets? shorter than header",
    "bad_version": "packets? discarded for bad version", "bad_auth": "packets? discarded for bad HMAC", "bad_action": "packets? discarded for bad action",
    "short_packet": "packets? discarded for short packet", "bad_values": "states? discarded for bad values", "stale_state": "stale states?",
    "failed_lookup": "failed state lookup/inserts?", "no_memory": "(?:failures?|send failed) due to mbuf memory error", "send_errors": "send errors?",
}
_INTERFACES = {"Ibytes": "rx_bytes", "Obytes": "tx_bytes", "Ipkts": "rx_packets", "Opkts": "tx_packets"}


def interfaces(text: str) -> Dict[str, Dict[str, int]]:
    """From ``netstat -ibnW``: name -> ``rx_bytes``, ``tx_bytes``, ``rx_packets``, ``tx_packets``, of the devices themselves and not of their addresses.

    The columns are counted from the right, for a device without a hardware address has one word less.
    """
    lines = text.splitlines()
    columns = lines[0].split() if lines else []
    wanted = {column - len(columns): _INTERFACES[name] for column, name in enumerate(columns) if name in _INTERFACES}
    found: Dict[str, Dict[str, int]] = {}
    for line in lines[1:]:
        words = line.split()
        if len(words) < 3 or not words[2].startswith("<Link#") or len(words) < len(columns) - 1:
            continue
        values = {name: words[place] for place, name in wanted.items()}
        if all(value.isdigit() for value in values.values()):
            # Older releases mark a device that is down with a star.
            found[words[0].rstrip("*")] = {name: int(value) for name, value in values.items()}
    return found


def pfsync(text: str) -> Optional[Dict[str, Any]]:
    """From ``netstat -s -p pfsync --libxo json``; None when it tells of no pfsync.

    Returns:
        ``received`` and ``sent`` (packets), ``malformed`` (all that were dropped for their form), each counter by its own name, and what came and went by
        kind of message in ``received_messages`` and ``sent_messages``.
    """
    try:
        told = json.loads(text)["statistics"]["pfsync"]
        counters: Dict[str, Any] = {name: told.get(key) for key, name in _PFSYNC.items()}
        counters["received"] = told["received-inet-packets"] + told["received-inet6-packets"]
        # The second name is misspelt in netstat.
        counters["sent"] = told["sent-inet-packets"] + told.get("send-inet6-packets", told.get("sent-inet6-packets", 0))
        for histogram, name in (("input-histogram", "received_messages"), ("output-histogram", "sent_messages")):
            counters[name] = {row["name"]: row["count"] for row in told.get(histogram, []) if row["count"]}
    except (ValueError, LookupError, TypeError):
        return None
    return _with_sum(counters)


def pfsync_told(text: str) -> Optional[Dict[str, Any]]:
    """The same from ``netstat -s -p pfsync``, in words, which all releases have; kinds of messages are not told apart."""
    counters: Dict[str, Any] = {name: next(_counted(text, words), None) for name, words in _TOLD.items()}
    for name in ("received", "sent"):
        counts = list(_counted(text, r"packets? %s \(IPv[46]\)" % name))
        if not counts:
            return None
        counters[name] = sum(counts)
    counters["received_messages"] = counters["sent_messages"] = None
    return _with_sum(counters)


def _counted(text: str, words: str) -> Iterator[int]:
    return (int(count) for count in re.findall(r"^\s+(\d+) %s\s*$" % words, text, re.MULTILINE))


def _with_sum(counters: Dict[str, Any]) -> Dict[str, Any]:
    kinds = [counters[name] for name in ("bad_version", "bad_action", "short_header", "short_packet", "bad_values")]
    counters["malformed"] = None if None in kinds else sum(kinds)
    return counters
