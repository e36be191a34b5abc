# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs on pfSense: all that are not as wanted in one change of the configuration, applied by the product's own functions, and never without a way back.

Writing the configuration interrupts nothing, so it is done first, as every other change is. Applying it does, so that runs on the node by itself. The call
that begins it is followed by one that waits for its end, and that by one over a connection made afterwards, which alone proves that the node can be reached.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import connection
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp, devices, management, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, lagg_refuse, references
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.lagg_guard import Guard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.lagg_kept import Links, trouble
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.lagg_script import FOLDER, LONGEST
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.lagg_steps import PATHS, Configured, Work, compare, configured
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.operations import undone
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import release_of

_HAND_OVER = 15.0  # seconds; a standby takes over after three announcements
_BULK = 60.0  # seconds for all states to come back before the addresses do


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
    result: Dict[str, Any] = {"drift": [], "validation": "not needed", "next": None, "within": None, "confirmed": [], "put_back": [], "warnings": []}
    if guard.armed():
        if not _settle(node, guard, params):
            return dict(result, next="confirm", within=_within(params))
        result["confirmed"] = guard.names()
    elif guard.has_put_back():
        result["put_back"] = guard.names()
        if params["stage"] != "begin":
            raise NodeError(_put_back(guard, guard.trouble() or "the node was not reached again within %d s" % params["rollback_timeout"]))
        guard.seen()
    _tidy(node, guard)
    work: List[Work] = []

    def plan(reading: bridge.Reading) -> bridge.Change:
        now = configured(reading)
        links = _links(node, now)
        lagg_refuse.judge(params["laggs"], now, links, release)
        work[:] = [compare(params["laggs"], now, links)]
        again = set(work[0].laggs) & set(result["confirmed"])
        if again:
            # Otherwise a run would make it anew for ever.
            raise NodeError("%s was made and can be reached, so it stays, but it still is not as wanted: %s" % (", ".join(sorted(again)), work[0].drift))
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
        _go_back(guard, str(error))
    except NodeError:
        if guard.begun and guard.disarm():
            guard.promote()
            guard.clear()
        raise
    if work[0].drift:
        result.update(drift=work[0].drift, validation="passed")
        if not node.check_mode:
            result.update(next="wait", within=_within(params))
        bridge.record(node, bridge.Change([], work[0].apply, ""))
        guard.go()
    return result


def _within(params: Mapping[str, Any]) -> int:
    """Seconds after which the node has gone back if it is not confirmed: for writing and applying, for the confirmation, and for applying once more."""
    return int(2 * LONGEST + params["rollback_timeout"])


def _words(laggs: Sequence[str]) -> str:
    return "hafirewall.cluster: %s" % ", ".join(laggs)


def _links(node: Node, now: Configured) -> Links:
    return {row["name"]: row for row in devices.rows(devices.links(node), {}, now.interfaces)}


# What must not be


def _refuse(node: Node, params: Mapping[str, Any], work: Work, links: Links) -> List[str]:
    """Before anything is touched; returns what the user should see to afterwards."""
    named = bridge.read(node, (), sections=tuple(references.SECTIONS), devices=sorted(work.devices)).named
    told = lagg_refuse.referring([row for row in references.rows(named) if row["kind"] != "state sync"])
    _refuse_management(node, params, work, links)
    held = _held(node, work)
    if held and not params["peer_ready"]:
        raise NodeError("this node holds %s, and no other node is known to be able to take over, so the change would interrupt the cluster; nothing was "
                        "touched. Bring another node to standby first (hafirewall.cluster.verify says what is amiss), or force it" % ", ".join(held))
    return told


def _refuse_management(node: Node, params: Mapping[str, Any], work: Work, links: Links) -> None:
    """The path of this very connection is moved with consent only, and where there is something to go back to."""
    own, told = connection.used(lambda: management.observe(node, list(links.values())), links)
    concerned = {name for name, touched in work.touched.items() if own & touched}
    unasked = concerned - {lagg["name"] for lagg in params["laggs"] if lagg["consent"]}
    if unasked:
        raise NodeError(connection.NO_CONSENT % (told, ", ".join(sorted(unasked))))
    if concerned and not work.operations:
        raise NodeError("the configuration has %s as wanted, but the node does not run it so, and the connection of this run comes in by %s: there would be "
                        "no way back; nothing was touched. Start the node again, or come in by another way" % (", ".join(work.laggs), told))


def _held(node: Node, work: Work) -> List[str]:
    return [address for instance in carp.running(node) if instance.device in work.devices and instance.state == "active" for address in instance.addresses]


# Beginning


def _arm(node: Node, guard: Guard, params: Mapping[str, Any], work: Work) -> None:
    """The way back first, then the addresses to the other node."""
    laggs = [lagg for lagg in params["laggs"] if lagg["name"] in work.laggs]
    back = bridge.Change(undone(work.operations), work.back, _words(work.laggs) + " (taken back)")
    guard.arm(laggs, work.kept, bridge.Change([], work.apply, ""), back, params["rollback_timeout"])
    if _held(node, work) and not guard.demoted():
        guard.demote()
        seconds = max([_HAND_OVER, *(4.0 * instance.advbase for instance in carp.running(node))])
        if not node.wait_for(lambda: not _held(node, work), seconds, 0.5):
            raise NodeError("the other node did not take over %s within %.0f s; nothing was touched but the demotion, which was lifted" % (
                ", ".join(_held(node, work)), seconds))


# Settling


def _settle(node: Node, guard: Guard, params: Mapping[str, Any]) -> bool:
    """True when the change stays, False when it is as wanted and the next call may confirm it."""
    now, wanted, laggs = configured(bridge.read(node, PATHS)), guard.kept(), guard.laggs()
    found: List[str] = []

    def over() -> bool:
        failed = guard.trouble()
        if failed is not None:
            found[:] = [failed]
        else:
            found[:] = ["it is still under way"] if guard.at_work() else trouble(laggs, _links(node, now), pfsync.running(node).device, wanted)
        return not found or failed is not None or guard.has_put_back()

    if not over() and not node.check_mode:
        node.wait_for(lambda: not guard.at_work() or guard.has_put_back(), 2 * LONGEST, 0.5)
        node.wait_for(over, params["rollback_timeout"] / 2, 0.5)
    if found and node.check_mode:
        raise NodeError("an earlier change of %s is neither confirmed nor put back yet: %s; run again when it is" % (
            ", ".join(guard.names()), "; ".join(found)))
    if not found and not guard.has_put_back():
        if params["stage"] != "confirm" and not node.check_mode:
            return False
        if guard.disarm():
            return True
    _go_back(guard, "; ".join(found) or "the time was up")
    return False


def _tidy(node: Node, guard: Guard) -> None:
    """After a change that stays: the addresses come back when the states have, as far as the kernel tells, and nothing is left behind."""
    if guard.demoted():
        node.wait_for(lambda: pfsync.running(node).bulk_done is not False, _BULK, 0.5)
    guard.promote()
    if guard.confirmed():
        guard.clear()


def _go_back(guard: Guard, reason: str) -> None:
    if not guard.has_put_back():
        guard.fire()
        if not guard.node.wait_for(guard.has_put_back, LONGEST, 0.5):
            raise NodeError("the change of %s failed (%s), and the node has not gone back yet: %s. It goes on trying; what PHP says is in %s/back.out on the "
                            "node, and removing going-back there ends it" % (", ".join(guard.names()), reason, guard.said() or "it is at it", FOLDER))
    raise NodeError(_put_back(guard, reason))


def _put_back(guard: Guard, reason: str) -> str:
    return "the change of %s was put back (%s)" % (", ".join(guard.names()), reason)
