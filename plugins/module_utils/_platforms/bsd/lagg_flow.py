# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The course of a change of LAGGs with a way back: what an earlier call has begun is settled, the addresses are handed over, and whoever comes in by a
device that is changed is asked first.

The change runs on the node by itself. The call that begins it is followed by one that waits for its end, and that by one over a connection made
afterwards, which alone proves that the node can be reached.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional, Protocol, Sequence, Set

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import connection
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp, management
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_guard import Guard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_kept import Links
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.lagg_script import FOLDER, LONGEST
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

HAND_OVER = 15.0  # seconds; a standby takes over after three announcements
_BULK = 60.0  # seconds for all states to come back before the addresses do
_STARTS = 5.0  # seconds for the script to be running after a start of the machine

Result = Dict[str, Any]


class Work(Protocol):
    """What is to be done: what differs, and the steps of the program that makes it, as they are told."""

    @property
    def laggs(self) -> List[str]:
        """Names of the LAGGs that are not as wanted."""

    @property
    def drift(self) -> List[Dict[str, Any]]:
        """What differs."""

    @property
    def steps(self) -> List[str]:
        """What the program runs."""


def nothing() -> Result:
    """The result of a call that has nothing to do."""
    return {"drift": [], "validation": "not needed", "next": None, "within": None, "confirmed": [], "put_back": [], "warnings": []}


def by_files(node: Node, guard: Guard, params: Mapping[str, Any], files: str, trouble: Callable[[], List[str]], compare: Callable[[], Work],
             begin: Callable[[], List[str]]) -> Result:
    """One call of the module where the node makes all of it from its files, which are written first.

    Args:
        files: of what kind they are.
        trouble: why the node is not as the change wanted it; empty when it is.
        compare: what is not as wanted; it refuses what cannot be.
        begin: refuses what must not be, arms the way back and writes the files; it returns what the user should see to afterwards.
    Returns:
        ``drift``, ``validation``, ``next`` (the stage of the next call, None when nothing is left to do), ``within`` (seconds that it may take until the
        node has gone back, if the next call cannot reach it), ``confirmed``, ``put_back`` (LAGGs whose change was confirmed by this call, or had been put
        back before it) and ``warnings``.
    Raises:
        NodeError: what cannot or must not be done, before anything is touched; or a change that did not lead to what was wanted, after it was put back.
    """
    result = nothing()
    if earlier(node, guard, params, trouble, result):
        return result
    work = compare()
    if not work.laggs:
        return result
    refuse_again(work.laggs, work.drift, result)
    result["warnings"] = begin()
    result.update(drift=work.drift, validation="not possible, for nothing judges %s; what comes of it is compared with what is wanted, and put back where it "
                  "differs" % files)
    if not node.check_mode:
        result.update(next="wait", within=within(params))
    node.commands.extend(work.steps)
    guard.go()
    return result


def earlier(node: Node, guard: Guard, params: Mapping[str, Any], trouble: Callable[[], List[str]], result: Result) -> bool:
    """Settle what an earlier call has begun; true when this call is done by that, and ``result`` says what must follow.

    Args:
        trouble: why the node is not as that change wanted it; empty when it is.
    Raises:
        NodeError: that change was put back, now or before, and was this run's own.
    """
    if guard.armed():
        stays = _settle(node, guard, params, trouble)
        if stays is False:
            result.update(next="confirm", within=within(params))
            return True
        result["confirmed"] = guard.names() if stays else []
    elif guard.has_put_back():
        result["put_back"] = guard.names()
        if params["stage"] != "begin":
            raise NodeError(_put_back(guard, guard.trouble() or "the node was not reached again within %d s" % params["rollback_timeout"]))
        guard.seen()
    _tidy(node, guard)
    return False


def refuse_again(laggs: List[str], drift: Any, result: Result) -> None:
    """Otherwise a run would make them anew for ever.

    Raises:
        NodeError: what was confirmed by this call differs still.
    """
    again = set(laggs) & set(result["confirmed"])
    if again:
        raise NodeError("%s was made and can be reached, so it stays, but it still is not as wanted: %s" % (", ".join(sorted(again)), drift))


def within(params: Mapping[str, Any]) -> int:
    """Seconds after which the node has gone back if it is not confirmed: for writing and applying, for the confirmation, and for applying once more."""
    return int(2 * LONGEST + params["rollback_timeout"])


def _settle(node: Node, guard: Guard, params: Mapping[str, Any], trouble: Callable[[], List[str]]) -> Optional[bool]:
    """True when the change stays, False when it is as wanted and the next call may confirm it; None when nobody was left to make it, or somebody let it
    stay by hand meanwhile."""
    found: List[str] = []

    def over() -> bool:
        failed = guard.trouble()
        if failed is not None:
            found[:] = [failed]
        else:
            found[:] = ["it is still under way"] if guard.at_work() else trouble()
        return not found or failed is not None or guard.has_put_back() or not guard.armed()

    if not over() and not node.check_mode:
        node.wait_for(lambda: not guard.at_work() or guard.has_put_back(), 2 * LONGEST, 0.5)
        node.wait_for(over, params["rollback_timeout"] / 2, 0.5)
    if found and node.check_mode:
        raise NodeError("an earlier change of %s is neither confirmed nor put back yet: %s; run again when it is" % (
            ", ".join(guard.names()), "; ".join(found)))
    if not guard.armed() and not guard.has_put_back():
        return None
    if not found and not guard.has_put_back():
        if params["stage"] != "confirm" and not node.check_mode:
            return False
        if guard.disarm():
            return True
    go_back(guard, "; ".join(found) or "the time was up")
    return False


def _tidy(node: Node, guard: Guard) -> None:
    """After a change that stays: the addresses come back when the states have, as far as the kernel tells, and nothing is left behind."""
    if not guard.confirmed():
        guard.rest()  # where it was let stay by hand, the script lifts the demotion
    if guard.demoted():
        node.wait_for(guard.states_are_back, _BULK, 0.5)
    guard.promote()
    if guard.confirmed():
        guard.clear()


def call_off(guard: Guard) -> None:
    """After something that failed before anything was changed, or was taken back: nobody need go back."""
    if guard.begun and guard.disarm():
        guard.promote()
        guard.clear()


def go_back(guard: Guard, reason: str) -> None:
    """Let the node go back now.

    Raises:
        NodeError: always; it says what came of it.
    """
    if not guard.has_put_back():
        guard.fire()
        if not guard.node.wait_for(lambda: guard.watched() or guard.has_put_back(), _STARTS, 0.5):
            guard.watch("boot")  # somebody has ended the script
        if not guard.node.wait_for(guard.has_put_back, LONGEST, 0.5):
            raise NodeError("the change of %s failed (%s), and the node has not gone back yet: %s. It goes on trying; what was said is in %s/back.out on "
                            "the node, and removing going-back there ends it" % (", ".join(guard.names()), reason, guard.said() or "it is at it", FOLDER))
    raise NodeError(_put_back(guard, reason))


def _put_back(guard: Guard, reason: str) -> str:
    return "the change of %s was put back (%s)" % (", ".join(guard.names()), reason)


# What must not be


def refuse_management(node: Node, params: Mapping[str, Any], touched: Mapping[str, Set[str]], links: Links, back: bool,
                      came_in: Callable[[Node, List[Dict[str, Any]]], Dict[str, Any]] = management.observe) -> None:
    """The path of this very connection is moved with consent only, and where there is something to go back to.

    Args:
        touched: by LAGG, every device that is interrupted.
        back: the configuration is changed, so that there is one to go back to.
        came_in: tells which way the connection came in.
    """
    own, told = connection.used(lambda: came_in(node, list(links.values())), links)
    concerned = {name for name, devices in touched.items() if own & devices}
    unasked = concerned - {lagg["name"] for lagg in params["laggs"] if lagg["consent"]}
    if unasked:
        raise NodeError(connection.NO_CONSENT % (told, ", ".join(sorted(unasked))))
    if concerned and not back:
        raise NodeError("the configuration has %s as wanted, but the node does not run it so, and the connection of this run comes in by %s: there would be "
                        "no way back; nothing was touched. Start the node again, or come in by another way" % (", ".join(touched), told))


def refuse_held(node: Node, params: Mapping[str, Any], devices: Set[str], running: Callable[[Node], List[carp.Instance]] = carp.running) -> None:
    """Not when nobody takes over what this node holds on the devices that are interrupted."""
    addresses = _held(running(node), devices)
    if addresses and not params["peer_ready"]:
        raise NodeError("this node holds %s, and no other node is known to be able to take over, so the change would interrupt the cluster; nothing was "
                        "touched. Bring another node to standby first (hafirewall.cluster.verify says what is amiss), or force it" % ", ".join(addresses))


def hand_over(node: Node, guard: Guard, devices: Set[str]) -> None:
    """Let the other node take what this one holds, and wait for that.

    Raises:
        NodeError: it does not; who calls lifts the demotion then.
    """
    if _held(guard.virtual(), devices) and not guard.demoted():
        guard.demote()
        seconds = max([HAND_OVER, *(4.0 * instance.advbase for instance in guard.virtual())])
        if not node.wait_for(lambda: not _held(guard.virtual(), devices), seconds, 0.5):
            raise NodeError("the other node did not take over %s within %.0f s; nothing was touched but the demotion, which was lifted" % (
                ", ".join(_held(guard.virtual(), devices)), seconds))


def _held(running: Sequence[carp.Instance], devices: Set[str]) -> List[str]:
    return [address for instance in running if instance.device in devices and instance.state == "active" for address in instance.addresses]
