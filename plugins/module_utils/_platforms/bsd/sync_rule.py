# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pass rules: a block of pf.conf in front of all rules that decide about packets, and a pf that runs by it, now and after a reboot.

What is around pf differs between the systems: :class:`System` says how.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import kept_rule, pass_rule, pf, pf_conf, pf_pass, pf_ruleset, pf_text, pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pass_rule import Sync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_options import PfConf
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_ruleset import Rule
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_verdict import on
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

Drift = List[Dict[str, Any]]
_TRANSLATES = re.compile(r"(?<!\S)(nat|rdr|binat|af)-to\b")
_PORT = re.compile(r"\bport = (\w+)(?!.* from )")


class System:
    """What is around pf on one system.

    Attributes:
        to_start: for people: how they start pf, now and at boot.
        to_load: for people: what they may do about rules in force that the file has not.
        idle: for people: what it means that pf does not start at boot.
        starts: it does.
    """

    to_start = to_load = idle = ""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.starts = True

    def links(self) -> Mapping[str, Link]:
        """All devices."""
        raise NotImplementedError

    def conf(self) -> PfConf:
        """The file that pf runs by."""
        raise NotImplementedError

    def loaded(self) -> bool:
        """Whether the kernel has pf at all."""
        return True

    def load(self) -> None:
        """Make the kernel have it."""

    def drops(self) -> bool:
        """Whether pf drops what no rule is about."""
        return False

    def boot_drift(self) -> Drift:
        """What keeps pf from being started at boot."""
        return []

    def start_at_boot(self) -> None:
        """Make pf be started at boot."""


class Kernel(NamedTuple):
    """pf in the kernel: ``rules`` are those in force, none where the module is not loaded."""

    loaded: bool
    running: bool
    rules: Sequence[Rule]


class Wanted(NamedTuple):
    """What is wanted: ``sync`` None where pfsync's rule is not; ``lines`` are those of the block, and ``text`` is the file with them."""

    sync: Optional[Sync]
    vrrp: Sequence[Mapping[str, Any]]
    lines: Sequence[str]
    text: str


def apply(node: Node, params: Mapping[str, Any], system: System) -> Dict[str, Any]:
    """Make the pass rules be there, or not, and pf run by them where pfsync is wanted.

    Args:
        params: options of the module sync_rule.
        system: what is around pf.
    Returns:
        ``drift``, ``validation``, ``notes``, and ``pass_rule``, the evidence after the run.
    Raises:
        NodeError: wrong options, a pf.conf that pfctl does not take, a rule that drops the traffic nevertheless, or a change that failed; then everything is
            as it was, or the error says what is not.
    """
    links, conf = system.links(), system.conf()
    sync = _sync(node, params, links) if params["enabled"] else None
    wanted = _wanted(params, conf, sync)
    kernel, starts = read(node, system.loaded()), system.starts
    drift = _file_drift(conf, wanted) + (system.boot_drift() if sync is not None else []) + _kernel_drift(node, conf, wanted, kernel)
    validation = "not needed"
    if drift:
        validation = _change(system, conf, wanted, kernel, links)
    else:
        _see_that_it_passes(kernel.rules, node, links, conf, wanted)
    if drift and not node.check_mode:
        kernel, conf, starts = read(node, system.loaded()), system.conf(), starts or wanted.sync is not None
    found = evidence(node, kernel, links, sync, conf, starts, system.idle)
    return {"drift": drift, "validation": validation, "notes": _notes(conf, wanted, found), "pass_rule": found}


def read(node: Node, loaded: bool = True) -> Kernel:
    """pf in the kernel; ``loaded`` is whether it is there at all.

    Raises:
        NodeError: pfctl fails.
    """
    if not loaded:
        return Kernel(False, False, [])
    running = pf.status(node.query(["pfctl", "-si"]).stdout).running
    return Kernel(True, bool(running), pf_ruleset.parse(node.query(["pfctl", "-vvsr"]).stdout))


def evidence(node: Node, kernel: Kernel, links: Mapping[str, Link], sync: Optional[Sync], conf: PfConf, starts: bool,
             idle: str) -> Dict[str, Any]:
    """The ``pass_rule`` evidence of a node.

    Args:
        kernel: from :func:`read`.
        starts: pf starts at boot.
        idle: for people: why it does not.
    Raises:
        NodeError: pfctl fails.
    """
    skipped = kernel.running and sync is not None and pf.skipped(node, sync.device)
    return pass_rule.observe(kernel.running, kernel.rules, pass_rule.scene(node, links), sync, kept_rule.kept(node, conf, starts, idle), skipped)


# Judging the options


def _sync(node: Node, params: Mapping[str, Any], links: Mapping[str, Link]) -> Sync:
    device, coming = params["interface"], params["coming"]
    try:
        network = ipaddress.ip_network(params["network"], strict=False)
    except ValueError:
        raise NodeError("network: %s is no network in CIDR notation; state the one that the nodes' addresses on %s are in" % (
            params["network"], device)) from None
    # In check mode, what is on a device now that a LAGG takes the place of, is on the LAGG then.
    now = coming.get(device, device) if node.check_mode and device not in links else device
    if now not in links:
        raise NodeError("interface: there is no %s on this node; those there are: %s" % (device, ", ".join(sorted(links))))
    held = [ipaddress.ip_interface(address.text) for address in links[now].addresses]
    if not any(one.version == network.version and one.ip in network for one in held):
        raise NodeError("network: %s has no address in %s, but %s; correct the intent or the node" % (
            now, network, ", ".join(str(one) for one in held) or "none at all"))
    unicast = params["transport"] == "unicast"
    running = pfsync.find(node) if unicast else None
    peer = running.peer if running is not None and running.device == device else None
    return Sync(device, None, str(network), peer, unicast)


def _wanted(params: Mapping[str, Any], conf: PfConf, sync: Optional[Sync]) -> Wanted:
    try:
        lines = pf_pass.lines(sync, params["vrrp"])
    except ValueError as error:
        raise NodeError("vrrp: %s; state addresses or networks of the other nodes on that interface" % error) from None
    if conf.text is None and sync is None:
        lines = []  # nothing to make exceptions from
    return Wanted(sync, params["vrrp"] if lines else [], lines, pf_conf.put(conf.text or "", pf_conf.FILTER, lines, conf.included, conf.path))


# Comparing


def _differs(setting: str, is_: Any, wanted: Any) -> Dict[str, Any]:
    return {"setting": setting, "is": is_, "wanted": wanted}


def _file_drift(conf: PfConf, wanted: Wanted) -> Drift:
    if wanted.text == (conf.text or ""):
        return []
    block = pf_conf.find(conf.text or "", pf_conf.FILTER, conf.path)
    is_, lines = None if block is None else list(block.lines), list(wanted.lines) or None
    return [_differs("block %s in %s" % (pf_conf.FILTER, conf.path), "behind a rule that decides first" if is_ == lines else is_, lines)]


def _kernel_drift(node: Node, conf: PfConf, wanted: Wanted, kernel: Kernel) -> Drift:
    """What is otherwise in the kernel than in the file as it is; where the file changes, it is loaded in any case."""
    drift = []
    if wanted.sync is not None and not kernel.running:
        drift.append(_differs("pf", "off" if kernel.loaded else "not loaded", "on"))
    if not kernel.running or wanted.text != (conf.text or ""):
        return drift
    ours = pf_pass.parsed(wanted.lines)
    absent, others = pf_pass.missing(ours, kernel.rules), pf_pass.missing(pf_pass.alike(kernel.rules), ours)
    if not absent and not others:
        return drift
    # pfctl leaves a rule out that another one makes needless, and somebody else may have one like ours: only what a reload would change is a difference.
    written = pf_ruleset.parse(pf_conf.validate(node, wanted.text, conf.path, conf.flags))
    return drift + [_differs("rule in force: %s" % rule.text, "absent", "present") for rule in absent if any(pf_pass.same(rule, one) for one in written)] \
        + [_differs("rule in force: %s" % rule.text, "present", "absent") for rule in pf_pass.missing(others, written)]


# Changing


def _change(system: System, conf: PfConf, wanted: Wanted, kernel: Kernel, links: Mapping[str, Link]) -> str:
    node, validation = system.node, "passed"
    with node.transaction():
        if wanted.sync is not None and not kernel.loaded:
            system.load()
        if wanted.sync is not None and not system.starts:
            system.start_at_boot()
        if not kernel.loaded and (node.check_mode or wanted.sync is None):
            validation = "not possible yet: pf is not loaded"
        else:
            predicted = pf_ruleset.parse(pf_conf.validate(node, wanted.text, conf.path, conf.flags))
            if wanted.sync is not None and not kernel.running:
                _see_that_nobody_is_cut(system, conf, predicted, kernel.loaded)
            _see_that_it_passes(predicted, node, links, conf, wanted)
        if wanted.sync is None and not kernel.running:
            node.write_text(conf.path, wanted.text, mode=None)
            return validation
        if kernel.running:
            _see_that_the_rules_are_those_of_the_file(system, conf, wanted, kernel)
        pf_conf.load(node, wanted.text, conf.path, conf.flags, validated=True)
        if not kernel.running:
            node.act(["pfctl", "-e"], undo=lambda: _switch_off(node))
        if not node.check_mode:
            _see_that_it_passes(read(node, system.loaded()).rules, node, links, conf, wanted)
    return validation


def _switch_off(node: Node) -> None:
    if pf.status(node.query(["pfctl", "-si"]).stdout).running:
        node.query(["pfctl", "-d"])


def _see_that_nobody_is_cut(system: System, conf: PfConf, predicted: Sequence[Rule], loaded: bool) -> None:
    """Connections that are open have no states in a pf that was off, so that rules which let them begin do not let them go on.

    Raises:
        NodeError: there are rules that may drop them or give them other addresses, the one of Ansible among them.
    """
    filled = loaded or any(line.words[:1] == ("load",) for line in pf_text.lines(conf.text or ""))
    found = next(((rule.text, does) for rule in pf_ruleset.flat(list(predicted)) for does in [cuts(rule, filled)] if does is not None), None)
    if system.drops():
        raise NodeError("pf is off on this node, and drops what no rule is about when it runs (net.pf.default_to_drop); to start it from here may cut the "
                        "connection of Ansible; start pf by %s, and run again" % system.to_start)
    if found is not None:
        raise NodeError("pf is off on this node, and %s has rules that %s: %s; to start it from here may cut the connection of Ansible; look at "
                        "the rules, start pf by %s, and run again" % (conf.path, found[1], found[0], system.to_start))


def cuts(rule: Rule, filled: bool) -> Optional[str]:
    """What a rule does that may cut a connection of this node itself that has no state; None for nothing.

    Translation looks at every packet without a state, not at first ones only: that of all senders takes this node's own answers, and that of SSH's port, or
    of all, what comes to it.

    Args:
        filled: there may be rules in anchors that pfctl does not print with the file.
    """
    if rule.action == "block":
        return "block"
    found = _TRANSLATES.search(rule.text)
    kind = rule.action if rule.action in ("nat", "rdr", "binat") else found[1] if found else None
    ports = _PORT.findall(rule.text)
    if kind in ("binat", "af") or (kind == "nat" and (rule.source == "any" or rule.source.startswith("!"))) \
            or (kind == "rdr" and ("port" not in rule.conditions or not ports or set(ports) & {"22", "ssh"})):
        return "translate addresses"
    return "are in anchors" if filled and rule.action.endswith("anchor") and not rule.inner else None


def _see_that_the_rules_are_those_of_the_file(system: System, conf: PfConf, wanted: Wanted, kernel: Kernel) -> None:
    """Who has loaded rules from elsewhere would lose them by a load of the file.

    Raises:
        NodeError: there are rules in force, and the file has none of them.
    """
    block = pf_conf.find(conf.text or "", pf_conf.FILTER, conf.path)
    deciding = [rule for rule in kernel.rules if rule.action in ("pass", "block", "match", "anchor")]
    theirs = pf_pass.missing(deciding, pf_pass.parsed([*wanted.lines, *(block.lines if block else ())]))
    if not theirs:
        return
    written = pf_ruleset.parse(pf_conf.validate(system.node, conf.text or "", conf.path, conf.flags))
    if len(pf_pass.missing(theirs, written)) == len(theirs):
        raise NodeError("pf runs by rules that %s has none of, the first is: %s; to load that file would take them away; write them there, or %s, and "
                        "run again" % (conf.path, theirs[0].text, system.to_load))


def _see_that_it_passes(rules: Sequence[Rule], node: Node, links: Mapping[str, Link], conf: PfConf, wanted: Wanted) -> None:
    """The block is in front of all rules of the file itself; those of files that it includes and of anchors may come before.

    Raises:
        NodeError: a rule that drops the traffic for sure, by its text and number.
    """
    found = pf_pass.dropped(rules, pass_rule.scene(node, links), wanted.sync, wanted.vrrp) if wanted.lines else []
    if found:
        # Before the rest is asked for: on what pf skips, no rule counts.
        sync, vrrp = wanted.sync, [one for one in wanted.vrrp if not _skips(node, links, conf, wanted, one["interface"])]
        sync = None if sync is None or _skips(node, links, conf, wanted, sync.device) else sync
        found = pf_pass.dropped(rules, pass_rule.scene(node, links), sync, vrrp)
    if found:
        raise NodeError("rules that pf asks before those of this collection drop traffic of the cluster: %s; let them pass proto pfsync and carp, or move them "
                        "behind the block '%s'" % ("; ".join(found), pf_conf.FILTER))


def _skips(node: Node, links: Mapping[str, Link], conf: PfConf, wanted: Wanted, device: str) -> bool:
    """Whether ``set skip`` has pf look at nothing on a device: it is stated in the file, maybe for a group, or is so already."""
    stated = [word for setting in pf_text.settings(wanted.text, conf.path, conf.included) if setting.name == "skip" for word in setting.value.split()]
    return any(on(word, device, links) for word in stated) or pf.skipped(node, device)


def _notes(conf: PfConf, wanted: Wanted, found: Mapping[str, Any]) -> List[str]:
    """What a person should know although it is not changed here."""
    rest = pf_conf.put(wanted.text, pf_conf.FILTER, [], conf.included, conf.path)
    rules = any(pf_text.FILTER in kinds for kinds in pf_text.kinds(pf_text.lines(rest), conf.included))
    notes = [] if rules or not wanted.lines else ["%s has no rules but those of this collection, so pf passes everything else too" % conf.path]
    unclear = [one for one in found["blockers"] if one.startswith(pass_rule.MAYBE)]
    return notes + ["it cannot be told whether pfsync's packets pass: %s" % one for one in unclear]
