# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pass rule on pfSense: one of the product's own rules, from the Sync network on the Sync interface. CARP has rules that the product makes itself."""

from __future__ import annotations

import ipaddress
import time
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import devices, pass_rule, pf, pf_ruleset, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import network_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_verdict import PROTOCOLS
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, interfaces, kept_rule, rules
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import release_of

DISABLED, REVISION = ("system", "disablefilter"), ("revision", "description")
PRIVATE: bridge.Path = ("interfaces", "*", "blockpriv")
PATHS: Sequence[bridge.Path] = (rules.RULES, rules.SEPARATORS, DISABLED, REVISION, *kept_rule.GROUPS, PRIVATE, *interfaces.PATHS)
RELOAD: bridge.Call = ("filter_configure_sync", None)
BEHIND, FIRST = "behind a rule that may drop the traffic", "first"
RULESET = "/tmp/rules.debug"  # what the product gave pfctl last
_PRIVATE = [ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]

Drift = List[Dict[str, Any]]


class Wanted(NamedTuple):
    """Where the rule belongs. ``key`` is the product's name of the interface; the device's own name where the device is not there yet."""

    device: str
    key: str
    network: ipaddress.IPv4Network


class Expected(NamedTuple):
    """What the ruleset in force must be: ``tracker`` passes pfsync, in front of those ``behind`` it, and those ``gone`` are not there."""

    tracker: Optional[str]
    behind: Sequence[str]
    gone: Sequence[str]


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Make the pass rule be there, or not.

    Args:
        params: options of the module sync_rule.
    Returns:
        ``drift``, ``validation``, ``notes``, and ``pass_rule``, the evidence after the run.
    Raises:
        NodeError: an interface that is not there, is off or has another network, a packet filter that is off, or a change that failed; then everything
            is as it was, or the error says what is not.
    """
    release_of(node)
    stamp = {"time": "%d" % time.time(), "username": "hafirewall.cluster"}
    result: Dict[str, Any] = {"drift": [], "validation": "not needed", "notes": []}
    state: List[Tuple[Optional[Wanted], Expected]] = []

    def plan(reading: bridge.Reading) -> bridge.Change:
        wanted = _wanted(node, params, reading) if params["enabled"] else None
        table = rules.Table(reading.values[rules.RULES], reading.values[rules.SEPARATORS])
        drift: Drift = []
        expected = _settle(table, wanted, stamp, drift)
        if not table.operations:
            drift += _differing(_running(node), wanted, expected)
        state[:] = [(wanted, expected)]
        result["drift"] = drift
        result["notes"] = _notes(reading, wanted, table) if wanted is not None else []
        if drift:
            result["validation"] = "passed"
        return bridge.Change(table.operations, [RELOAD] if drift else [],
                             "hafirewall.cluster: pass rule %s" % ("off" if wanted is None else "on %s" % wanted.key))

    reading = bridge.settle(node, PATHS, plan, lambda: _verify(node, *state[0]))
    if node.changed and not node.check_mode:
        reading = bridge.read(node, PATHS)
    result["pass_rule"] = _evidence(node, state[0][0], reading)
    return result


def _wanted(node: Node, params: Mapping[str, Any], reading: bridge.Reading) -> Wanted:
    """Judge the options. The product itself would take any, and leave a rule out without a word whose interface is not there or is off."""
    device = interfaces.there(node, params["interface"], params["coming"])
    try:
        network = ipaddress.IPv4Network(params["network"], strict=False)
    except ValueError:
        raise NodeError("network: %s is no IPv4 network, and pfSense shares states over IPv4 only; state the one that %s is in" % (
            params["network"], device)) from None
    if reading.values[DISABLED] is not None:
        raise NodeError("the packet filter is switched off on this node, and without it there are no states to share: "
                        "switch it on in System > Advanced > Firewall & NAT")
    key = interfaces.assigned(reading, device, "interface")
    found = network_of(devices.links(node), device)
    if found != str(network):
        raise NodeError("network: %s (%s) is in %s and not in %s; correct the intent or the node" % (device, key, found or "no IPv4 network", network))
    return Wanted(device, key, network)


# Comparing


def _settle(table: rules.Table, wanted: Optional[Wanted], stamp: Mapping[str, str], drift: Drift) -> Expected:
    """Collect the operations; one rule of ours stays at most, and none where a person's does."""
    gone: List[str] = []
    kept = next((place for place in table.ours() if wanted is not None and table.rules[place].get("interface") == wanted.key), None)
    for place in reversed(table.ours()):
        if place != kept:
            alone = table.has_own_tracker(place)
            rule = table.remove(place)
            gone += [rule["tracker"]] if alone else []
            drift.append(_differs("rule %s on %s" % (rule["descr"], rule.get("interface")), "present", "absent"))
    if wanted is None:
        return Expected(None, [], gone)
    tracker = _place(table, wanted, stamp, drift)
    ours = next((place for place in table.on(wanted.key) if table.rules[place].get("tracker") == tracker), 0)
    behind = [table.rules[place].get("tracker") for place in table.on(wanted.key) if place > ours and _drops(table, place, wanted)]
    return Expected(tracker, [one for one in behind if one], [one for one in gone if one != tracker])


def _place(table: rules.Table, wanted: Wanted, stamp: Mapping[str, str], drift: Drift) -> Optional[str]:
    """See to it that a pass rule is in front of what may drop; the tracker of that rule."""
    setting = "pass rule on %s" % wanted.key
    dropping = next((place for place in table.on(wanted.key) if _drops(table, place, wanted)), None)
    ours = next(iter(table.ours()), None)
    if ours is None:
        theirs = [place for place in table.on(wanted.key) if _is_right(table, place, wanted) and (dropping is None or place < dropping)]
        if theirs:
            found = table.rules[theirs[0]].get("tracker")
            return found if _number(found) else None
        tracker = rules.free_tracker(table.rules, wanted.key)
        drift.append(_differs(setting, "absent", "present"))
        table.add(rules.made(wanted.key, tracker, stamp), dropping)
        return tracker
    old, shadowed = table.rules[ours], dropping is not None and dropping < ours
    right = _is_right(table, ours, wanted) and "nosync" not in old and table.has_own_tracker(ours)
    if right and not shadowed:
        return old["tracker"]
    drift.append(_differs(setting, BEHIND if right else "another rule", FIRST if right else "as wanted"))
    tracker = old["tracker"] if table.has_own_tracker(ours) else rules.free_tracker(table.rules, wanted.key)
    table.remove(ours)
    new = dict(old) if right else dict(rules.made(wanted.key, tracker, stamp), created=old.get("created") or dict(stamp))
    place: Optional[int] = dropping if shadowed else ours
    table.add(new, place if place is not None and place < len(table.rules) else None)
    return tracker


def _is_right(table: rules.Table, place: int, wanted: Wanted) -> bool:
    return rules.is_pass_rule(table.rules[place], wanted.key, wanted.network)


def _drops(table: rules.Table, place: int, wanted: Wanted) -> bool:
    return rules.may_drop(table.rules[place], wanted.network) and not rules.is_ours(table.rules[place])


def _differs(setting: str, is_: Any, wanted: Any) -> Dict[str, Any]:
    return {"setting": setting, "is": is_, "wanted": wanted}


def _notes(reading: bridge.Reading, wanted: Wanted, table: rules.Table) -> List[str]:
    """What a person should know although it is not changed here."""
    groups = kept_rule.groups_of(wanted.key, reading.rows("ifgroups", "ifgroupentry"))
    found = ["%s is asked before the pass rule and may drop the traffic of the cluster: see that it lets it pass" % _named(rule)
             for rule in rules.before_all(table.rules, wanted.key, groups, wanted.network)]
    if "blockpriv" in reading.rows("interfaces").get(wanted.key, {}) and any(wanted.network.overlaps(network) for network in _PRIVATE):
        found.append("%s blocks private networks, and %s is one: switch that off in Interfaces > %s" % (wanted.key, wanted.network, wanted.key))
    said = str(reading.values[REVISION] or "")
    if table.operations and "XMLRPC" in said and "filter" in said:
        found.append("this node's rules came from another node last, by XMLRPC, and the pass rule was not among them: make it on that node too, or its next "
                     "save deletes it here")
    return found


def _named(rule: rules.Rule) -> str:
    kind = "the floating rule" if "floating" in rule else "the rule of the group %s" % rule.get("interface")
    return "%s %s" % (kind, rule.get("descr") or "without description (tracker %s)" % rule.get("tracker"))


# The ruleset in force


def _running(node: Node) -> List[pf_ruleset.Rule]:
    return pf_ruleset.parse(node.query(["pfctl", "-vvsr"]).stdout)


def _differing(running: Sequence[pf_ruleset.Rule], wanted: Optional[Wanted], expected: Expected) -> Drift:
    """What is in force otherwise than expected."""
    places: Dict[str, List[int]] = {}
    for place, rule in enumerate(running):
        places.setdefault(_number(rule.tracker), []).append(place)
    places.pop("", None)  # to the kernel, 0 is no number
    drift = [_differs("rule %s as running" % tracker, "present", "absent") for tracker in expected.gone if _number(tracker) in places]
    if expected.tracker is not None and wanted is not None:
        own = [place for place in places.get(_number(expected.tracker), []) if _passes(running[place], wanted)]
        first = min((place for tracker in expected.behind for place in places.get(_number(tracker), [])), default=len(running))
        if not own or own[0] > first:
            drift.append(_differs("pass rule %s as running" % expected.tracker, BEHIND if own else "absent", FIRST if own else "present"))
    return drift


def _number(tracker: Optional[str]) -> str:
    """A tracker as the kernel has it."""
    return (tracker or "").lstrip("0")


def _passes(rule: pf_ruleset.Rule, wanted: Wanted) -> bool:
    return rule.action == "pass" and rule.quick and rule.interface == wanted.device and rule.protocol in PROTOCOLS \
        and pass_rule.from_network(rule.source, _sync(wanted))


def _verify(node: Node, wanted: Optional[Wanted], expected: Expected) -> None:
    """The product looks at no command's status, so the kernel is asked what came of it, and pfctl why."""
    left = _differing(_running(node), wanted, expected)
    if left:
        said = node.query(["pfctl", "-nf", RULESET], ok=None).stderr.strip()
        raise NodeError("the packet filter does not run as configured: %s%s" % (
            "; ".join("%s is %s, wanted is %s" % (item["setting"], item["is"], item["wanted"]) for item in left),
            "; pfctl says: %s" % said[-1000:] if said else ""))


def _sync(wanted: Wanted, peer: Optional[str] = None) -> pass_rule.Sync:
    return pass_rule.Sync(wanted.device, wanted.key, str(wanted.network), peer)


def _evidence(node: Node, wanted: Optional[Wanted], reading: bridge.Reading) -> Dict[str, Any]:
    running, links = pf.status(node.query(["pfctl", "-si"]).stdout).running, devices.links(node)
    sync = None if wanted is None else _sync(wanted, pfsync.running(node).peer)
    configured = {str(number): rule for number, rule in enumerate(reading.values[rules.RULES] or []) if isinstance(rule, dict)}
    kept = kept_rule.kept(configured, reading.rows("ifgroups", "ifgroupentry"))
    return pass_rule.observe(bool(running), _running(node), pass_rule.scene(node, links), sync, kept)
