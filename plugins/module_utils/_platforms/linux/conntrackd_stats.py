# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What conntrackd and the kernel say about themselves: counters, tables, and the evidence ``engine`` of a node."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import conntrackd_config, conntrackd_hooks, conntrackd_refresh
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.services import Unit
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

UNIT = "conntrackd.service"
_COUNT = "/proc/sys/net/netfilter/nf_conntrack_count"
_MAX = "/proc/sys/net/netfilter/nf_conntrack_max"
_BUCKETS = "/proc/sys/net/netfilter/nf_conntrack_buckets"
# Its count is in what it says last; a million listed states are not worth this process's memory.
_ESTABLISHED = "for family in ipv4 ipv6; do conntrack -L -f $family -p tcp --state ESTABLISHED > /dev/null || exit; done"

Errors = List[Dict[str, str]]


def parse_statistics(text: str) -> Dict[str, Optional[Dict[str, Optional[int]]]]:
    """The output of ``conntrackd -s`` in any mode.

    Returns:
        ``counters``: sent, received (messages), bytes_sent, bytes_received, lost, malformed, send_errors (a packet
            filter that drops what leaves makes these), receive_errors; None where the daemon runs without sync.
        ``tables``: internal and external, the states in each cache; external is None when states are injected.
    """
    traffic = re.search(r"^\S+ traffic \(active device=[^)]*\):\n\s+(\d+) Bytes sent\s+(\d+) Bytes recv\n\s+(\d+) Pckts sent\s+(\d+) Pckts recv\n"
                        r"\s+(\d+) Error send\s+(\d+) Error recv", text, re.MULTILINE)
    tracking = re.search(r"(\d+) Malformed msgs\s+(\d+) Lost msgs", text)
    counters: Optional[Dict[str, Optional[int]]] = None
    if traffic:
        values = [int(value) for value in traffic.groups()]
        counters = {"sent": values[2], "received": values[3], "bytes_sent": values[0], "bytes_received": values[1],
                    "lost": int(tracking.group(2)) if tracking else None, "malformed": int(tracking.group(1)) if tracking else None,
                    "send_errors": values[4], "receive_errors": values[5]}
    return {"counters": counters, "tables": {"internal": _cache(text, "internal"), "external": _cache(text, "external")}}


def _cache(text: str, name: str) -> Optional[int]:
    found = re.search(r"^cache %s:\ncurrent active connections:\s+(\d+)" % name, text, re.MULTILINE)
    return int(found.group(1)) if found else None


def read_number(node: Node, path: str) -> Optional[int]:
    """The number in a file of /proc, or None when it cannot be read."""
    text = node.read_text(path)
    return int(text) if text is not None and text.strip().isdigit() else None


def kernel_states(node: Node) -> Optional[int]:
    """How many states the kernel holds; None when it does not tell (no conntrack yet)."""
    return read_number(node, _COUNT)


def established(node: Node) -> int:
    """How many established TCP connections the kernel's table holds.

    The number of all states falls by itself in leaps: what has run out still counts until the kernel collects it, many at once.

    Raises:
        NodeError: the table cannot be listed.
    """
    said = node.query(["sh", "-c", _ESTABLISHED]).stderr
    shown = [int(count) for count in re.findall(r"(\d+) flow entries have been shown", said)]
    if len(shown) != 2:
        raise NodeError("conntrack did not tell how many connections there are; it said: %s" % (said.strip() or "nothing"))
    return sum(shown)


def table_sizes(node: Node) -> Tuple[conntrackd_config.Sizes, Optional[str]]:
    """The node's conntrack table, and what had to be assumed about it (None: nothing)."""
    buckets, maximum = read_number(node, _BUCKETS), read_number(node, _MAX)
    known = conntrackd_config.KERNEL_DEFAULT
    if buckets is not None and maximum is not None:
        return conntrackd_config.Sizes(buckets, maximum), None
    return known, "the kernel does not tell the size of its conntrack table; assumed are %d buckets and %d states" % (known.buckets, known.maximum)


def statistics(node: Node) -> Optional[Dict[str, Optional[Dict[str, Optional[int]]]]]:
    """The running daemon's statistics, or None when no daemon answers."""
    answer = node.query(["conntrackd", "-s"], ok=None, timeout=10.0)
    return parse_statistics(answer.stdout) if answer.status == 0 else None


def group_joined(node: Node, config: Mapping[str, Any]) -> Optional[bool]:
    """Whether the kernel takes the multicast group of a configuration in on its interface; None without a group, or when that cannot be told.

    Seen with conntrackd 1.4.7: when its device is removed and made again, as a VLAN or a bond may be, the membership goes with the old one, and
    the daemon runs on and hears nothing.
    """
    if config.get("transport") != "multicast" or not config.get("group") or not config.get("interface"):
        return None
    answer = node.query(["ip", "-json", "maddress", "show", "dev", config["interface"]], ok=None)
    try:
        joined = {ipaddress.ip_address(row["address"]) for link in json.loads(answer.stdout) for row in link["maddr"] if "address" in row}
        return ipaddress.ip_address(config["group"]) in joined
    except (ValueError, KeyError, TypeError):
        return None


def observe_engine(node: Node) -> Tuple[Dict[str, Any], Errors]:
    """The evidence ``engine`` of this node, and what could not be read (``area`` and ``reason`` each). Changes nothing; unknown is None."""
    errors: Errors = []
    installed = node.has("conntrackd")
    state = _try(errors, "engine", lambda: Unit(node, UNIT).state())
    running = state.active if state else None
    text, copy = node.read_text(conntrackd_hooks.CONFIG), node.read_text(conntrackd_hooks.RUNNING_COPY)
    as_running = copy if running else None
    figures = _try(errors, "engine", lambda: statistics(node)) if installed else None
    if installed and running and figures is None:
        errors.append({"area": "engine", "reason": "conntrackd runs, but does not answer on its socket"})
    tables: Dict[str, Optional[int]] = {"kernel": kernel_states(node), "kernel_max": read_number(node, _MAX)}
    tables.update((figures or {}).get("tables") or {"internal": None, "external": None})
    config = conntrackd_config.parse(as_running) if as_running is not None else None
    if config is not None:
        config.pop("socket")
    joined = _try(errors, "engine", lambda: group_joined(node, config)) if config is not None else None
    return {
        "name": "conntrackd", "installed": installed, "joined": joined,
        "enabled": (state.enabled and not state.masked) if state else None, "masked": state.masked if state else None, "running": running,
        "config": config,
        "config_current": text == as_running if as_running is not None else None,
        "counters": (figures or {}).get("counters"), "tables": tables, "refresh": _refresh(node, errors),
    }, errors


def _refresh(node: Node, errors: Errors) -> Optional[Dict[str, Any]]:
    unit_text = node.read_text(conntrackd_hooks.REFRESH_UNIT_FILE)
    if unit_text is None:
        return None
    state = _try(errors, "refresh", lambda: Unit(node, conntrackd_hooks.REFRESH_UNIT).state())
    report = _report(node.read_text(conntrackd_refresh.REPORT))
    stated = conntrackd_hooks.stated_interval(unit_text)
    interval = report.get("interval") or (_derived(node) if not stated else max(conntrackd_refresh.SHORTEST, stated))
    return {"interval": interval, "enabled": state.enabled and state.active if state else None, "last_run": report.get("last_run")}


def _derived(node: Node) -> float:
    timeouts = [read_number(node, conntrackd_refresh.SYSCTL + name) for name in ("udp_timeout", "udp_timeout_stream")]
    return conntrackd_refresh.interval_from([value for value in timeouts if value is not None])


def _report(text: Optional[str]) -> Dict[str, Any]:
    try:
        report = json.loads(text or "{}")
    except ValueError:
        return {}
    return report if isinstance(report, dict) else {}


def _try(errors: Errors, area: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except NodeError as error:
        errors.append({"area": area, "reason": str(error)})
        return None
