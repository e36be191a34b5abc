# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs on FreeBSD: all that are not as wanted in one change of rc.conf, brought up by rc.d/netif, and never without a way back.

Writing rc.conf and pf.conf interrupts nothing, so it is done first, when the way back is armed. Taking the devices down and up does, so that runs on the node
by itself.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, Collection, Dict, List, Mapping, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import devices, lagg_flow, pf, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Links, lost_routes, trouble
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import lagg_places, lagg_rc, lagg_refuse, pfsync_rc, rc
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.lagg_guard import MOST, NAMES, Files, Guard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.lagg_steps import Now, Work, compare, copy_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

_ROUTE = re.compile(r"^(\S+)\s+(\S+)\s+([A-Z0-9a-z]+)\s+(\S+)(?:\s+\S+)?\s*$", re.MULTILINE)


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Settle what an earlier call has begun, and begin what is not as wanted, see :func:`..bsd.lagg_flow.by_files`.

    Args:
        params: options of the module lagg.
    """
    if params["stack"] != "auto":
        raise NodeError("stack: is %s, and FreeBSD keeps its devices by rc.conf; leave the option out" % params["stack"])
    guard = Guard(node)
    seen: List[Tuple[Now, Work]] = []

    def due() -> Work:
        now = _now(node)
        lagg_refuse.judge(params["laggs"], now)
        seen[:] = [(now, compare(params["laggs"], now))]
        return seen[0][1]

    def begin() -> List[str]:
        [(now, work)] = seen
        told = _refuse(node, params, work, now)
        _driver(node)
        _begin(node, guard, params, work, now)
        return told
    return lagg_flow.by_files(node, guard, params, "rc.conf", lambda: _trouble(node, guard), due, begin)


def _begin(node: Node, guard: Guard, params: Mapping[str, Any], work: Work, now: Now) -> None:
    """The way back first, then the addresses to the other node, then what is said of the next start of the machine."""
    paths = dict(zip(NAMES, (rc.FILE, rc.FILE + ".local", now.rules)), **{copy_of(number): path for number, path in enumerate(work.more)})
    before = {name: node.read_text(path) for name, path in paths.items()}
    laggs = [lagg for lagg in params["laggs"] if lagg["name"] in work.laggs]
    try:
        guard.arm(laggs, work.kept, work.change, work.back, before, params["rollback_timeout"])
        lagg_flow.hand_over(node, guard, work.devices)
        with node.transaction():
            rc.apply(node, now.known, _wanted(now, work))
            if work.pf is not None:
                node.write_text(now.rules, work.pf, mode=None)
            for path, text in work.more.items():
                node.write_text(path, text, mode=None, redact=lambda text: rc.redacted(text) or "")
            guard.written({name: node.read_text(path) for name, path in paths.items()})
    except NodeError as error:
        if guard.begun and not _as_it_was(node, before, paths):
            lagg_flow.go_back(guard, str(error))
        lagg_flow.call_off(guard)
        raise


def _as_it_was(node: Node, before: Files, paths: Mapping[str, str]) -> bool:
    """Whether all is as it was, to the last byte: variables that were set and taken back may have changed places."""
    for name, text in before.items():
        if text is not None:
            with contextlib.suppress(NodeError):
                node.write_text(paths[name], text, mode=None, shown=False)
    return all(node.read_text(paths[name]) == text for name, text in before.items())


# Reading


def routes(text: str, names: Collection[str]) -> List[Dict[str, str]]:
    """What ``netstat -rn`` prints: ``destination``, ``gateway``, ``flags`` and ``device`` each.

    Args:
        names: of all devices, for netstat shows the first eight characters only.
    """
    rows = [row for row in _ROUTE.findall(text) if row[0] != "Destination"]
    return [{"destination": destination, "gateway": gateway, "flags": flags,
             "device": device if device in names else next((name for name in names if len(device) > 7 and name.startswith(device)), device)}
            for destination, gateway, flags, device in rows]


def _now(node: Node) -> Now:
    known = rc.read(node)
    rules = known.get("pf_rules") or "/etc/pf.conf"
    status = node.query(["pfctl", "-si"], ok=None)
    sync = node.query(["ifconfig", pfsync.INTERFACE], ok=None)
    links = _links(node, known)
    return Now(known, links, _routes(node, links), pfsync.parse(sync.stdout).device if sync.status == 0 else None, rules, node.read_text(rules),
               status.status == 0 and pf.status(status.stdout).running is True, _more(node))


def _more(node: Node) -> Dict[str, str]:
    """What is said of devices where sysrc does not look, as of virtual addresses, whose passwords not everybody may read."""
    texts = {path: node.read_text(path) for path in rc.service_files(node, ("network", "netif"))}
    found = {path: text for path, text in texts.items() if text is not None}
    if len(found) > MOST:
        raise NodeError("%s: there are more than %d files with variables; make them less" % (rc.FOLDER, MOST))
    return found


def _links(node: Node, known: Mapping[str, str]) -> Links:
    found = devices.links(node)
    return {row["name"]: row for row in devices.rows(found, {}, lagg_rc.assigned(known, list(found)))}


def _routes(node: Node, links: Links) -> List[Dict[str, str]]:
    return routes(node.query(["netstat", "-rn"]).stdout, list(links))


def _trouble(node: Node, guard: Guard) -> List[str]:
    kept = guard.kept()
    known = rc.read(node)
    sync = node.query(["ifconfig", pfsync.INTERFACE], ok=None)
    links = _links(node, known)
    found = trouble(guard.laggs(), links, pfsync.parse(sync.stdout).device if sync.status == 0 else None, kept)
    return found + lost_routes(kept, _routes(node, links) if kept.routes else [])


def _wanted(now: Now, work: Work) -> Dict[str, Any]:
    """What rc.conf gets: first what is new, at last what goes, so that a power loss in between leaves as much as can be."""
    new = {name: value for name, value in work.variables.items() if name not in now.known}
    other = {name: value for name, value in work.variables.items() if name in now.known and now.known[name] != value}
    return {**new, **other, **{name: None for name in now.known if name not in work.variables}}


# What must not be


def _refuse(node: Node, params: Mapping[str, Any], work: Work, now: Now) -> List[str]:
    """Before anything is touched; returns what the user should see to afterwards."""
    moved = [source for source, target in work.moved.items() if source != target]
    # What is named there is not carried along: the file of other rules, or the Sync device.
    rc.refuse_overridden(node, ["pf"], rc.PF_FILE)
    rc.refuse_overridden(node, ["pfsync"], pfsync_rc.VARIABLES)
    lagg_refuse.kept(work, now, lagg_places.scripts(node, moved))
    told = lagg_refuse.referring(work, now, lagg_places.observe(node, moved))
    lagg_flow.refuse_management(node, params, work.touched, now.links, work.variables != dict(now.known))
    lagg_flow.refuse_held(node, params, work.devices)
    return told


def _driver(node: Node) -> None:
    """lagg(4), of the kernel or as its module. At boot ifconfig loads it by itself."""
    if node.query(["kldstat", "-q", "-m", "if_lagg"], ok=None).status != 0:
        node.act(["kldload", "-n", "if_lagg"])
