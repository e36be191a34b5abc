# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a running probe: waits where asked to, and puts the answers of its processes together."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._probe import processes
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.probe import running
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.processes import Process
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.via import BUCKET_MS

LEAD_NS = 1000000000
"""What is asked about begins this long before ``since``: a silence that began with the failure has an edge before it."""

_POLL_SECONDS = 0.25
_NEWS_SECONDS, _NEWS_POLL_SECONDS = 2.0, 0.02
_ROW_BACK, _ROW_STALL = 3, 4


def read(options: Dict[str, Any]) -> Dict[str, Any]:
    """The measurements so far. ``options``: name, since and after (s since 1970, this host's clock, or None), window (s), until, timeout (s).

    The keys that it returns are described in the module's RETURN.

    Raises:
        ProbeError: the probe does not run (any more), or one of its processes does not answer.
    """
    found = running(options["name"])
    folder = processes.folder_of(options["name"])
    since = None if options["since"] is None else int(options["since"] * 1e9)
    after = since if options["after"] is None else int(options["after"] * 1e9)
    satisfied = None
    if options["until"] == "survived":
        satisfied = _wait_until_survived(folder, found, after or 0, options["timeout"])
    clock = _peer_clock(folder, found)
    result: Dict[str, Any] = {"role": found[0].options["role"], "processes": len(found), "satisfied": satisfied, "peer_clock": None}
    if clock is not None:
        result["peer_clock"] = {"offset_ms": round(clock[0] / 1e6, 3), "uncertainty_ms": round(clock[1] / 1e6, 3)}
    if since is None:
        result["counts"] = processes.ask(folder, found, {"ask": "status", "after": 0})
    else:
        asked = time.time_ns()
        end = min(asked, since + int(options["window"] * 1e9))
        _wait_for_news(folder, found, _on_peer(asked, clock))
        question = {"ask": "report", "since": since, "after": _on_peer(after or 0, clock), "start": since - LEAD_NS, "end": end}
        answers = processes.ask(folder, found, question)
        result.update(merge(answers, found[0].options))
        result["cpu_seconds"] = {name: answer["cpu_seconds"] for name, answer in answers.items()}
        result["read_ms"] = (time.time_ns() - since) // 1000000
    result["clock"] = time.time()
    return result


def merge(answers: Dict[str, Dict[str, Any]], options: Dict[str, Any]) -> Dict[str, Any]:
    """One report from those of all processes; what was not measured is None."""
    tcp = [answers[name] for name in sorted(answers) if name.startswith("tcp-")]
    udp, via, reconnect = answers.get("udp"), answers.get("via"), answers.get("reconnect")
    return {
        "tcp": _tcp(tcp, options["flows"]) if tcp else None,
        "udp": None if udp is None else {key: udp[key] for key in ("flows", "heard", "gaps", "missing", "pause_ms", "sources") if key in udp},
        "deliveries": None if via is None else dict(bucket_ms=BUCKET_MS, **{key: via[key] for key in ("deliveries", "changes")}),
        "reconnect": None if reconnect is None else {key: reconnect[key] for key in ("attempts", "succeeded", "log")},
    }


def _tcp(answers: List[Dict[str, Any]], flows: int) -> Dict[str, Any]:
    """A flow that was opened twice (by a client that was started again) counts with its newest connection."""
    newest: List[Optional[List[Any]]] = [None] * flows
    errors: Dict[str, int] = {}
    for answer in answers:
        for reason, count in answer["errors"].items():
            errors[reason] = errors.get(reason, 0) + count
        for row in answer["rows"]:
            number, opened_at = row[0], row[1]
            if number < flows and opened_at:
                other = newest[number]
                if other is None or other[1] < opened_at:
                    newest[number] = row
    known = [row for row in newest if row is not None]
    return {
        "flows": flows,
        "opened": len(known),
        "open": sum(row[2] for row in known),
        "survived": sum(1 for row in known if row[_ROW_BACK] is not None),
        "waiting": sum(1 for row in known if row[2] and row[_ROW_BACK] is None),
        "errors": errors,
        "back_ms": [row[_ROW_BACK] if row else None for row in newest],
        "stall_ms": [row[_ROW_STALL] if row else None for row in newest],
    }


def _peer_clock(folder: str, found: List[Process]) -> Optional[List[int]]:
    udp = [process for process in found if process.name == "udp"]
    if not udp:
        return None
    clock: Optional[List[int]] = processes.ask(folder, udp, {"ask": "status", "after": 0})["udp"]["clock"]
    return clock


def _on_peer(after: int, clock: Optional[List[int]]) -> int:
    """The moment on the sender's clock; late enough that no error of the clocks makes bytes from before count as sent after it."""
    return after if clock is None else after + clock[0] + clock[1]


def _wait_for_news(folder: str, found: List[Process], moment: int) -> None:
    """Until every UDP flow has received something that was sent after ``moment``, or soon after: then whether the silence before ``moment`` has ended is a
    fact of the flow, and not of how late a busy host is to send and to read."""
    udp = [process for process in found if process.name == "udp"]
    end = time.monotonic() + _NEWS_SECONDS
    while udp and time.monotonic() < end:
        answer = processes.ask(folder, udp, {"ask": "status", "after": moment})["udp"]
        if answer["heard"] == answer["flows"]:
            return
        time.sleep(_NEWS_POLL_SECONDS)


def _wait_until_survived(folder: str, found: List[Process], after: int, timeout: float) -> bool:
    """True once every flow has received bytes sent after the moment; false when time is up, or when those that have not are gone for good."""
    measuring = [process for process in found if process.name == "udp" or process.name.startswith("tcp-")]
    end = time.monotonic() + timeout
    while True:
        question = {"ask": "status", "after": _on_peer(after, _peer_clock(folder, found))}
        answers = processes.ask(folder, measuring, question)
        waiting = sum(answer["waiting"] if "waiting" in answer else answer["flows"] - answer["heard"] for answer in answers.values())
        if not waiting or time.monotonic() >= end:
            return not waiting and sum(answer.get("survived", 0) for answer in answers.values()) >= found[0].options["flows"]
        time.sleep(_POLL_SECONDS)
