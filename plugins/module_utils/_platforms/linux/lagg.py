# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs on Linux: the bonding driver through the network stack that the node uses. One LAGG a call, and never without a way back.

The change itself runs on the node without the connection, because the path may drop. A call that begins it is followed by one that waits until it has
led to what was wanted, and that by one that confirms it and begins the next. Only the last kind proves that the node can be reached: its connection was
made when the change was over, while that of a call that waits may have been made before, and gone on by the old way.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Set, Type

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import connection
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import interfaces, lagg_guard, lagg_state, management, netstack
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.facts import family_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_parse import is_managed, parse
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_state import observe_vrrp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg_guard import Guard
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.lagg_links import HASHES, PROTOCOLS
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.netstack_ifupdown import Ifupdown
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.netstack_networkd import Networkd
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.netstack_networkmanager import NetworkManager
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.services import Unit
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

STACKS: Dict[str, Type[netstack.Stack]] = {"networkd": Networkd, "networkmanager": NetworkManager, "ifupdown": Ifupdown}
NAMES = {"networkd": "systemd-networkd", "networkmanager": "NetworkManager", "ifupdown": "ifupdown"}

Lagg = Mapping[str, Any]
Links = Dict[str, Dict[str, Any]]


class Due(NamedTuple):
    """A LAGG that is not as wanted, and what is to be done about it."""

    lagg: Lagg
    drift: List[Dict[str, Any]]
    change: netstack.Change
    expected: lagg_state.Kept
    touched: Set[str]


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Settle what an earlier call has begun, and begin the next LAGG that is not as wanted.

    Args:
        params: options of the module lagg.
    Returns:
        ``drift``, ``validation``, ``next`` (the stage of the next call, None when nothing is left to do), ``confirmed`` and ``put_back`` (LAGGs whose way
        back was disarmed by this call, or had run before it).
    Raises:
        NodeError: what cannot or must not be done, before anything is touched; or a change that did not lead to what was wanted, after it was put back.
    """
    laggs: List[Lagg] = params["laggs"]
    _refuse_words(laggs)
    guards = {lagg["name"]: Guard(node, lagg["name"]) for lagg in laggs}
    result: Dict[str, Any] = {"drift": [], "validation": "not needed", "next": None, "confirmed": [], "put_back": []}
    for lagg in laggs:
        if guards[lagg["name"]].armed():
            if not _settle(node, lagg, guards[lagg["name"]], params):
                return dict(result, next="confirm")
            result["confirmed"].append(lagg["name"])
    result["put_back"] = [name for name, guard in guards.items() if guard.has_put_back()]
    if params["stage"] != "begin" and result["put_back"]:
        raise NodeError(_put_back(result["put_back"][0], "the node was not reached again within %d s, or a command failed" % params["rollback_timeout"]))
    due = _due(node, laggs, _links(node), params)
    again = [item for item in due if item.lagg["name"] in result["confirmed"]]
    if again:
        # Otherwise a run would make it anew for ever.
        raise NodeError("%s was made and can be reached, so it stays, but it still is not as wanted: %s" % (again[0].lagg["name"], again[0].drift))
    if due:
        _begin(node, due, guards, params, result)
    return result


def _settle(node: Node, lagg: Lagg, guard: Guard, params: Mapping[str, Any]) -> bool:
    """True when the change stays, False when it is as wanted and the next call may confirm it."""
    found: List[str] = []

    def fits() -> bool:
        found[:] = lagg_guard.at_work(node) or lagg_state.trouble(lagg, _links(node), interfaces.routes(node), guard.expected())
        return not found or guard.has_put_back()

    if fits() and not found and (params["stage"] == "confirm" or node.check_mode):
        guard.disarm()
        return True
    if not node.wait_for(fits, params["rollback_timeout"] / 2, 0.5):
        guard.fire()
    if found or guard.has_put_back():
        raise NodeError(_put_back(lagg["name"], "; ".join(found) or "the time was up, or a command failed"))
    return False


def _put_back(name: str, reason: str) -> str:
    return ("the change of %s was put back (%s); what its commands said is in journalctl -u %s -u %s%s.service"
            % (name, reason, lagg_guard.JOB, lagg_guard.NAME, name))


def _links(node: Node) -> Links:
    return {row["name"]: row for row in interfaces.read(node)}


# What is to be done


def _refuse_words(laggs: List[Lagg]) -> None:
    for lagg in laggs:
        for option, words in (("protocol", PROTOCOLS), ("hash", HASHES)):
            if lagg[option] is not None and lagg[option] not in words.values():
                raise NodeError("%s: the bonding driver has no %s %s; it has: %s" % (lagg["name"], option, lagg[option], ", ".join(sorted(words.values()))))


def _due(node: Node, laggs: List[Lagg], links: Links, params: Mapping[str, Any]) -> List[Due]:
    """Everything that is not as wanted, refused as a whole when any part of it cannot be."""
    found = []
    keepers: Dict[str, List[str]] = {}
    routes: List[Dict[str, Any]] = []
    for lagg in laggs:
        keepers = keepers or netstack.keepers(node)
        stack = _stack(node, lagg, keepers, params["stack"])
        drift = lagg_state.differences(lagg, links) or stack.drift(lagg, links)
        if drift:
            routes = routes or interfaces.routes(node)
            expected = lagg_state.expected(lagg, links, routes)
            _refuse_devices(node, lagg, links, stack, expected)
            found.append(Due(lagg, drift, stack.plan(lagg, links), expected, lagg_state.touched(lagg, links)))
    if found:
        _refuse_management(node, found, links)
    return found


def _stack(node: Node, lagg: Lagg, keepers: Mapping[str, List[str]], stated: str) -> netstack.Stack:
    return STACKS[stated if stated != "auto" else _keeper(lagg, keepers)](node)


def _keeper(lagg: Lagg, keepers: Mapping[str, List[str]]) -> str:
    devices = [lagg["name"]] + [move["from_device"] for move in lagg["moves"]] + list(lagg["members"])
    found = {device: keepers[device] for device in dict.fromkeys(devices) if device in keepers}
    names = {name for kept_by in found.values() for name in kept_by} or {name for kept_by in keepers.values() for name in kept_by}
    if len(names) == 1:
        return names.pop()
    told = "; ".join("%s is kept by %s" % (device, " and ".join(NAMES[name] for name in kept_by)) for device, kept_by in found.items())
    raise NodeError("which network stack is to keep %s cannot be told: %s; state it (stack: %s)" % (
        lagg["name"], told or "none of systemd-networkd, NetworkManager and ifupdown keeps its devices", " or ".join(STACKS)))


def _refuse_devices(node: Node, lagg: Lagg, links: Links, stack: netstack.Stack, expected: lagg_state.Kept) -> None:
    sources = {move["from_device"] for move in lagg["moves"]}
    for member in lagg["members"]:
        link = links.get(member)
        if link is None:
            raise NodeError("%s: the member %s is not there" % (lagg["name"], member))
        if link["kind"] != "port":
            raise NodeError("%s: the member %s is a %s, which cannot be one" % (lagg["name"], member, link["kind"]))
        held = lagg_state.own_addresses(link, [])
        if member not in sources and held and link["master"] is None:
            raise NodeError("%s: the member %s has %s, which it would lose; move them first" % (lagg["name"], member, ", ".join(held)))
    for device in sorted({*expected.addresses, *(route["dev"] for route in expected.routes)}):
        origin = next((move["from_device"] for move in lagg["moves"] if move["to_device"] == device), device)
        text = stack.states(origin)
        lost = [address for address in expected.addresses.get(device, []) if address.partition("/")[0] not in text]
        lost += ["the route to " + route["dst"] for route in expected.routes
                 if route["dev"] == device and str(route["gateway"] or route["dst"]).partition("/")[0] not in text]
        if lost:
            raise NodeError("%s: %s is there now, but what configures it at boot does not say so, so it would be lost; add it there, or take it off"
                            % (origin, ", ".join(lost)))
    if node.query(["modprobe", "--dry-run", "--quiet", "bonding"], ok=None).status != 0:
        raise NodeError("the running kernel has no bonding driver, so it cannot make %s" % lagg["name"])


def _refuse_management(node: Node, due: List[Due], links: Links) -> None:
    """The path of this very connection is moved with consent only."""
    devices, told = connection.used(lambda: management.observe(node, list(links.values())), links)
    for item in due:
        if devices & item.touched and not item.lagg["consent"]:
            raise NodeError(connection.NO_CONSENT % (told, item.lagg["name"]))


# Doing it


def _begin(node: Node, due: List[Due], guards: Mapping[str, Guard], params: Mapping[str, Any], result: Dict[str, Any]) -> None:
    """Begin the first; in check mode, tell of all of them."""
    pause = _Pause(node, due)
    pause.refuse(params["peer_ready"])
    lagg_guard.install(node, params["rollback_timeout"])
    for item in due if node.check_mode else due[:1]:
        name, change = item.lagg["name"], item.change
        files = lagg_guard.old_files(node, list(change.files))
        guards[name].arm(item.expected, files, change.undo, change.back + pause.resume())
        try:
            pause.begin()
            for path, file in change.files.items():
                if file is None:
                    node.remove(path)
                else:
                    # A mode that somebody gave it stays, unless it would let more people in than the stack puts up with.
                    node.write_text(path, file.text, file.mode if files[path].text is None else files[path].mode & file.mode)
            lagg_guard.run_detached(node, name, change.run)
        except NodeError as error:
            guards[name].fire()
            raise NodeError(_put_back(name, str(error))) from error
        result["drift"] += item.drift
        result["validation"] = change.validation
        if node.check_mode:
            guards[name].disarm()
        else:
            result["next"] = "wait"


class _Pause:
    """keepalived stands aside while its devices are changed: on a port that has become a member it would hear nobody and be active.

    It is stopped, which hands the addresses over at once, and it is not started at boot, until the module virtual_ip has given it the new names.
    """

    def __init__(self, node: Node, due: List[Due]) -> None:
        self.node = node
        family = family_of(node)
        self.unit = Unit(node, family.units["keepalived"])
        text = node.read_text(family.keepalived_conf)
        devices = {instance["interface"] for instance in parse(text)["instances"]} if text is not None and is_managed(text) else set()
        self.concerned = any(devices & item.touched for item in due)
        self.state = self.unit.state()

    def refuse(self, peer_ready: bool) -> None:
        """Not when nobody takes over what this node holds."""
        if not self.concerned or peer_ready:
            return
        held = [address for instance in observe_vrrp(self.node)[0]["instances"] for address in instance["addresses_present"] or []]
        if held:
            raise NodeError("this node holds %s, and no other node is known to be able to take over, so the change would interrupt the cluster; nothing was "
                            "touched. Bring another node to standby first (hafirewall.cluster.verify says what is amiss), or force it" % ", ".join(held))

    def resume(self) -> netstack.Commands:
        """What brings back what it was doing."""
        verbs = [verb for verb, before in (("enable", self.state.enabled), ("start", self.state.active)) if before]
        return [["systemctl", verb, self.unit.name] for verb in verbs] if self.concerned else []

    def begin(self) -> None:
        if self.concerned and self.state.enabled:
            self.unit.disable()
        if self.concerned and self.state.active:
            self.unit.stop()
        self.state = self.state._replace(enabled=False, active=False)
