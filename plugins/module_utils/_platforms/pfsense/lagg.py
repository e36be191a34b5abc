# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs on pfSense: all that are not as wanted in one change of the configuration, applied by the product's own functions, and never without a way back.

Writing the configuration interrupts nothing, so it is done first, as every other change is. Applying it does, so that runs on the node by itself. The call
that begins it is followed by one that waits for its end, and that by one over a connection made afterwards, which alone proves that the node can be reached.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import devices, lagg_flow, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Links, trouble
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, lagg_refuse, references
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.lagg_guard import Guard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.lagg_steps import PATHS, Configured, Work, compare, configured
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.operations import undone
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import release_of


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Settle what an earlier call has begun, and begin what is not as wanted.

    Args:
        params: options of the module lagg.
    Returns:
        ``drift``, ``validation``, ``next`` (the stage of the next call, None when nothing is left to do), ``within`` (seconds that it may take until the
        node has gone back, if the next call cannot reach it), ``confirmed``, ``put_back`` (LAGGs whose change
        was confirmed by this call, or had been put back before it) and ``warnings``.
    Raises:
        NodeError: what cannot or must not be done, before anything is touched; or a change that did not lead to what was wanted, after it was put back.
    """
    release = release_of(node)
    if params["stack"] != "auto":
        raise NodeError("stack: is %s, and pfSense keeps its devices itself; leave the option out" % params["stack"])
    guard = Guard(node)
    result = lagg_flow.nothing()
    if guard.armed():
        now = configured(bridge.read(node, PATHS))
        ended = lagg_flow.earlier(node, guard, params, lambda: trouble(guard.laggs(), _links(node, now), pfsync.running(node).device, guard.kept()), result)
    else:
        ended = lagg_flow.earlier(node, guard, params, list, result)
    if ended:
        return result
    work: List[Work] = []

    def plan(reading: bridge.Reading) -> bridge.Change:
        now = configured(reading)
        links = _links(node, now)
        lagg_refuse.judge(params["laggs"], now, links, release)
        work[:] = [compare(params["laggs"], now, links)]
        lagg_flow.refuse_again(work[0].laggs, work[0].drift, result)
        if work[0].drift:
            result["warnings"] = _refuse(node, params, work[0], links)
        return bridge.Change(work[0].operations, [], _words(work[0].laggs))

    def before(_reading: bridge.Reading, _change: bridge.Change) -> None:
        _arm(node, guard, params, work[0])

    try:
        bridge.settle(node, PATHS, plan, lambda: None, before=before)
        if work[0].drift and not work[0].operations:
            _arm(node, guard, params, work[0])
    except bridge.Unknown as error:
        lagg_flow.go_back(guard, str(error))
    except NodeError:
        lagg_flow.call_off(guard)
        raise
    if work[0].drift:
        result.update(drift=work[0].drift, validation="passed")
        if not node.check_mode:
            result.update(next="wait", within=lagg_flow.within(params))
        bridge.record(node, bridge.Change([], work[0].apply, ""))
        guard.go()
    return result


def _words(laggs: Sequence[str]) -> str:
    return "hafirewall.cluster: %s" % ", ".join(laggs)


def _links(node: Node, now: Configured) -> Links:
    return {row["name"]: row for row in devices.rows(devices.links(node), {}, now.interfaces)}


# What must not be


def _refuse(node: Node, params: Mapping[str, Any], work: Work, links: Links) -> List[str]:
    """Before anything is touched; returns what the user should see to afterwards."""
    named = bridge.read(node, (), sections=tuple(references.SECTIONS), devices=sorted(work.devices)).named
    told = lagg_refuse.referring([row for row in references.rows(named) if row["kind"] != "state sync"])
    lagg_flow.refuse_management(node, params, work.touched, links, bool(work.operations))
    lagg_flow.refuse_held(node, params, work.devices)
    return told


# Beginning


def _arm(node: Node, guard: Guard, params: Mapping[str, Any], work: Work) -> None:
    """The way back first, then the addresses to the other node."""
    laggs = [lagg for lagg in params["laggs"] if lagg["name"] in work.laggs]
    back = bridge.Change(undone(work.operations), work.back, _words(work.laggs) + " (taken back)")
    guard.arm(laggs, work.kept, bridge.Change([], work.apply, ""), back, params["rollback_timeout"])
    lagg_flow.hand_over(node, guard, work.devices)
