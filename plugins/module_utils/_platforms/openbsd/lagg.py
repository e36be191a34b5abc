# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs on OpenBSD: all that are not as wanted in one change of hostname.if(5) files, brought up by netstart(8), and never without a way back.

Writing files interrupts nothing, so it is done first, when the way back is armed. Taking the devices down and up does, so that runs on the node by itself.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import naming
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import devices, lagg_flow, management, pf, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Links, lost_routes, trouble
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import hostname, ifconfig, info, lagg_refuse
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.lagg_guard import MOST, Guard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.lagg_steps import RULES, Now, Work, compare

MYGATE = "/etc/mygate"
# usr.bin/netstat/show.c: destination, gateway, flags, references, use, MTU, priority, device. RTP_STATIC is 8 (sys/net/route.h); routing daemons have others.
_ROUTE = re.compile(r"^(\S+)\s+(\S+)\s+([A-Za-z0-9]+)\s+\d+\s+\d+\s+\S+\s+(\d+)\s+(\S+)\s*$", re.MULTILINE)
_STATIC = "8"
_PLACES = dict({path: kind for path, kind in info.PLACES.items() if path != RULES}, **{"/etc/rc.local": "script", "/etc/dhcpleased.conf": "service"})


class Seen(NamedTuple):
    """The node as it is, and devices that are lent an address or are wireless."""

    now: Now
    learning: List[str]
    wireless: List[str]


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Settle what an earlier call has begun, and begin what is not as wanted, see :func:`..bsd.lagg_flow.by_files`.

    Args:
        params: options of the module lagg.
    """
    if params["stack"] != "auto":
        raise NodeError("stack: is %s, and OpenBSD keeps its devices by hostname.if files; leave the option out" % params["stack"])
    guard = Guard(node)
    found: List[Tuple[Seen, Work]] = []

    def due() -> Work:
        seen = _now(node)
        lagg_refuse.judge(params["laggs"], seen.now)
        found[:] = [(seen, compare(params["laggs"], seen.now))]
        return found[0][1]

    def begin() -> List[str]:
        [(seen, work)] = found
        told = _refuse(node, params, work, seen)
        _begin(node, guard, params, work)
        return told
    return lagg_flow.by_files(node, guard, params, "hostname.if files", lambda: _trouble(node, guard), due, begin)


def _begin(node: Node, guard: Guard, params: Mapping[str, Any], work: Work) -> None:
    """The way back first, then the addresses to the other node, then what is said of the next start of the machine."""
    laggs = [lagg for lagg in params["laggs"] if lagg["name"] in work.laggs]
    try:
        guard.arm(laggs, work.kept, work.change, work.back, work.before, work.after, params["rollback_timeout"])
        lagg_flow.hand_over(node, guard, work.devices)
        with node.transaction():
            for path, text in work.after.items():
                _write(node, path, text, work.before[path])
    except NodeError as error:
        if guard.begun and any(node.read_text(path) != text for path, text in work.before.items()):
            lagg_flow.go_back(guard, str(error))
        lagg_flow.call_off(guard)
        raise


def _write(node: Node, path: str, text: Any, before: Any) -> None:
    if text is None:
        node.remove(path, redact=hostname.without_password)
    else:
        node.write_text(path, text, hostname.MODE if before is None else None, redact=hostname.without_password)


# Reading


def routes(text: str) -> List[Dict[str, Any]]:
    """What ``netstat -rn`` prints: ``destination``, ``gateway``, ``device`` and whether somebody has set it (``static``) each."""
    return [{"destination": destination, "gateway": gateway, "device": device, "static": {"S", "G"} <= set(flags) and priority == _STATIC}
            for destination, gateway, flags, priority, device in _ROUTE.findall(text)]


def gateways(text: str) -> List[str]:
    """The gateways of /etc/mygate (etc/netstart, stripcom)."""
    return [line.split("#")[0].strip() for line in text.splitlines() if line.split("#")[0].strip()]


def _now(node: Node) -> Seen:
    said = node.query(ifconfig.ALL).stdout
    found = ifconfig.parse(said)
    status = node.query(["pfctl", "-si"], ok=None)
    now = Now(_files(node), _rows(found), {carp.name: carp for carp in ifconfig.carps(said)}, routes(node.query(["netstat", "-rn"]).stdout), _sync(node),
              node.read_text(RULES), status.status == 0 and pf.status(status.stdout).running is True, gateways(node.read_text(MYGATE) or ""))
    return Seen(now, [name for name, link in found.items() if {"AUTOCONF4", "AUTOCONF6"} & set(link.flags)],
                [name for name, link in found.items() if (link.medium or "").startswith("IEEE802.11")])


def _files(node: Node) -> Dict[str, str]:
    names = re.findall(r"^hostname\.([A-Za-z]+[0-9]+)$", node.query(["ls", hostname.FOLDER]).stdout, re.MULTILINE)
    texts = {name: node.read_text(hostname.path(name)) for name in names}
    return {name: text for name, text in texts.items() if text is not None}


def _rows(found: Mapping[str, ifconfig.Link]) -> Links:
    return {row["name"]: row for row in devices.rows(found, {}, {})}


def _sync(node: Node) -> Any:
    now = pfsync.find(node)
    return None if now is None else now.device


def _trouble(node: Node, guard: Guard) -> List[str]:
    kept = guard.kept()
    found = trouble(guard.laggs(), _rows(ifconfig.links(node)), _sync(node), kept)
    return found + lost_routes(kept, routes(node.query(["netstat", "-rn"]).stdout) if kept.routes else [])


# What must not be


def _refuse(node: Node, params: Mapping[str, Any], work: Work, seen: Seen) -> List[str]:
    """Before anything is touched; returns what the user should see to afterwards."""
    if len(work.after) > MOST:
        raise NodeError("%d files would be changed at once; this collection changes %d at most; nothing was touched" % (len(work.after), MOST))
    lagg_refuse.kept(work, seen.now, seen.learning, seen.wireless)
    lagg_flow.refuse_management(node, params, work.touched, seen.now.links, bool(work.after), _came_in)
    lagg_flow.refuse_held(node, params, work.devices, ifconfig.running)
    return _named(node, [source for source, target in work.moved.items() if source != target])


def _came_in(node: Node, rows: List[Dict[str, Any]]) -> Dict[str, Any]:
    return dict(management.observe(node, rows, info.ENVIRONMENT, info.INET6))


def _named(node: Node, names: List[str]) -> List[str]:
    """Other files that go on naming a device, in words."""
    written = ["%s\0%d:%s" % place for path in _PLACES for place in _lines(path, node.read_text(path) or "")]
    return ["%s goes on naming %s, which becomes a member of a LAGG or another device: see what it should name" % (row["where"], row["device"])
            for row in naming.rows("\n".join(written), _PLACES, names, lambda _path, _number: False)]


def _lines(path: str, text: str) -> List[Tuple[str, int, str]]:
    return [(path, number, line) for number, line in enumerate(text.splitlines(), 1)]
