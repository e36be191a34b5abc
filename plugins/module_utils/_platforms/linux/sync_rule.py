# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lets the engine's and VRRP's traffic through the node's own nftables ruleset, where its packets are decided, now and after a reload or a reboot."""

from __future__ import annotations

import contextlib
import ipaddress
import json
from typing import Any, ContextManager, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import facts, nft_evidence, nft_files, nft_live, nft_rules, services
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_evidence import Boot
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_files import INCLUDE_PATH, Placement
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_rules import PassRule, SyncTraffic
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.nft_ruleset import ChainKey, Ruleset
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

Drift = List[Dict[str, Any]]


class _Service(NamedTuple):
    """nftables.service: ``enabled`` is None when systemd does not answer."""

    unit: services.Unit
    enabled: Optional[bool]
    masked: bool


class _Persistent(NamedTuple):
    """The files that boot loads, as they should be: path, text and mode, or None where there is nothing to change."""

    path: str
    placement: Placement
    include: Optional[str]
    configuration: Optional[str]
    mode: int
    expanded: str


def apply(node: Node, params: Dict[str, Any]) -> Dict[str, Any]:
    """Place the pass rules, or remove those that are no longer wanted.

    Args:
        node: the node.
        params: options of module sync_rule.
    Returns:
        ``drift``, ``validation``, ``pass_rule`` (the evidence after the run) and ``left_alone`` (chains that another program keeps).
    Raises:
        NodeError: wrong options, nft missing, a ruleset file that does not load, or a change that nft refuses; everything is then as it was.
    """
    rules = nft_rules.wanted_rules(params)
    sync = SyncTraffic.of(params) if params["enabled"] else None
    if not node.has("nft"):
        return _without_nft(node, rules)
    stated = _stated(params)
    live, boot_file = nft_live.current(node), _ruleset_file(node)
    service = _service(node)
    forms = nft_files.printed(nft_live.tried(node, nft_files.reference_text(rules)), rules) if rules else {}
    wanted_file, base = _wanted_file(node, boot_file, service, rules, stated)
    placement, kept_by = _live_placement(live, base, rules, stated)
    _all_found(stated, placement, wanted_file)
    stale = nft_files.stale(live, placement, forms)
    enable = bool(wanted_file and service.enabled is False and not service.masked and set(wanted_file.placement) & set(placement))
    file_drift = _file_drift(node, wanted_file)
    drift = file_drift + _service_drift(enable) + _live_drift(live, stale, placement)
    if drift:
        _validate(node, live, wanted_file if file_drift else None, stale, placement)
        _change(node, live, wanted_file, service if enable else None, stale, placement)
    pass_rule, _errors = _observe(node, nft_rules.packets_of(rules), sync)
    return {"drift": drift, "validation": "passed" if drift else "not needed", "pass_rule": pass_rule, "left_alone": kept_by}


def observe_pass_rule(node: Node, sync: Optional[Dict[str, Any]]) -> Tuple[Dict[str, Any], List[Dict[str, str]]]:
    """The ``pass_rule`` evidence of a node, and what could not be read as ``[{"area", "reason"}]``.

    Args:
        node: the node.
        sync: the engine's configuration as running (interface, port, group, transport, address, peer) and optionally ``network``; None when it is not
            known: then only what the rules say by themselves is told.
    """
    if not node.has("nft"):
        return nft_evidence.unknown_evidence(), [_error("nft is not installed, so nothing is known of the packet filter")]
    traffic, errors = None, []  # type: Optional[SyncTraffic], List[Dict[str, str]]
    if sync is not None:
        try:
            traffic = SyncTraffic.of(dict(sync, network=sync.get("network") or _network_of(node, sync["interface"], sync["address"])))
        except NodeError as error:
            errors.append(_error(str(error)))
    found, more = _observe(node, traffic.packets() if traffic else [], traffic)
    return found, errors + more


def _observe(node: Node, packets: Sequence[Any], sync: Optional[SyncTraffic]) -> Tuple[Dict[str, Any], List[Dict[str, str]]]:
    try:
        live = nft_live.current(node)
        boot = _boot(node)
    except NodeError as error:
        return nft_evidence.unknown_evidence(), [_error(str(error))]
    return nft_evidence.evidence(live, boot, packets, sync), []


def _boot(node: Node) -> Boot:
    service = _service(node)
    path, text = _ruleset_file(node)
    reasons = ["systemd does not say whether nftables.service is enabled"] if service.enabled is None else []
    ruleset = None
    if text is None:
        reasons.append("there is no %s" % path)
    else:
        try:
            ruleset = nft_live.tried(node, nft_live.expanded(node, text, node.read_text(INCLUDE_PATH)).text)
        except NodeError as error:
            reasons.append("%s: %s" % (path, error))
    return Boot(ruleset, service.enabled, "; ".join(reasons))


def _without_nft(node: Node, rules: Sequence[PassRule]) -> Dict[str, Any]:
    if rules and not node.check_mode:
        raise facts.missing_package_error(node, "nftables")
    validation = "not possible yet: nft is not installed" if rules else "not needed"
    return {"drift": [], "validation": validation, "pass_rule": nft_evidence.unknown_evidence(), "left_alone": []}


def _stated(params: Dict[str, Any]) -> List[ChainKey]:
    try:
        return nft_evidence.chains_named(params.get("chains") or [])
    except ValueError as error:
        raise NodeError("chains: %r is not of the form FAMILY TABLE CHAIN with family inet, ip or ip6, like: inet filter input" % str(error)) from None


def _ruleset_file(node: Node) -> Tuple[str, Optional[str]]:
    """The file that nftables.service loads, behind links, and its text."""
    path = node.query(["readlink", "-m", "--", facts.family_of(node).nftables_conf]).stdout.strip()
    return path, node.read_text(path)


def _service(node: Node) -> _Service:
    unit = services.Unit(node, facts.family_of(node).units["nftables"])
    try:
        state = unit.state()
    except NodeError:
        return _Service(unit, None, False)
    return _Service(unit, state.enabled, state.masked)


def _wanted_file(node: Node, ruleset_file: Tuple[str, Optional[str]], service: _Service, rules: Sequence[PassRule],
                 stated: Sequence[ChainKey]) -> Tuple[Optional[_Persistent], Optional[Ruleset]]:
    """What the files should be, and the ruleset that boot loads without our part; None, None where no file is loaded at boot."""
    path, text = ruleset_file
    if text is None:
        return None, None
    plain = nft_live.expanded(node, nft_files.without_our_line(text), None)
    try:
        base = nft_live.tried(node, plain.text)
    except NodeError as error:
        if service.enabled is False:
            # Nobody loads this file: it is neither ours to mend nor to change.
            return _Persistent(path, {}, node.read_text(INCLUDE_PATH), None, 0, ""), None
        refusal = node.query(["nft", "-c", "-f", path], ok=None).stderr.strip()  # names the file's own lines
        raise NodeError("%s does not load, so the node would start without its packet filter; correct the file first: %s" % (
            path, refusal[-1500:] or error)) from error
    placement = nft_files.stated(base, rules, stated) if stated else nft_files.needed(base, rules)
    include = nft_files.include_text(placement)
    configuration = nft_files.configuration(text, include is not None, plain.names_ours)
    mode = int(node.query(["stat", "-c", "%a", "--", path]).stdout, 8)
    candidate = nft_live.expanded(node, configuration, include)
    return _Persistent(path, placement, include, None if configuration == text else configuration, mode, candidate.text), base


def _live_placement(live: Ruleset, boot: Optional[Ruleset], rules: Sequence[PassRule], stated: Sequence[ChainKey]) -> Tuple[Placement, List[str]]:
    """Rules by live chain, and in words the chains that someone else keeps."""
    found = nft_files.stated(live, rules, stated) if stated else nft_files.needed(live, rules)
    left_alone = []
    for key in list(found):
        keeper = None if key in stated else nft_files.foreign(live, key, boot)
        if keeper:
            del found[key]
            left_alone.append("chain %s is kept by %s and was left alone: let the traffic of the cluster pass there" % (" ".join(key), keeper))
    return found, left_alone


def _all_found(stated: Sequence[ChainKey], placement: Placement, wanted_file: Optional[_Persistent]) -> None:
    known = set(placement) | set(wanted_file.placement if wanted_file else ())
    missing = [" ".join(key) for key in stated if key not in known]
    if missing and len(missing) == len(stated):
        raise NodeError("chains: no packet from an input or output hook reaches %s, neither live nor in the ruleset file; name chains that exist" % (
            ", ".join(missing)))


def _file_drift(node: Node, wanted: Optional[_Persistent]) -> Drift:
    drift: Drift = []
    present = node.read_text(INCLUDE_PATH)
    include = wanted.include if wanted else None
    if present != include:
        drift.append({"setting": INCLUDE_PATH, "is": "absent" if present is None else "another text",
                      "wanted": "absent" if include is None else "the pass rules"})
    if wanted and wanted.configuration is not None:
        words = ["not included", "included", "included by the last line"]
        before, after = node.read_text(wanted.path) or "", wanted.configuration
        drift.append({"setting": "pass rules in " + wanted.path, "is": words[int(nft_files.has_our_line(before))],
                      "wanted": words[2 * int(nft_files.has_our_line(after))]})
    return drift


def _service_drift(enable: bool) -> Drift:
    return [{"setting": "nftables.service enabled", "is": False, "wanted": True}] if enable else []


def _live_drift(live: Ruleset, stale: Sequence[ChainKey], placement: Placement) -> Drift:
    return [{"setting": "live rules in %s" % " ".join(key), "is": nft_files.names(live.chains[key].ours),
             "wanted": [rule.name for rule in placement.get(key, [])]} for key in stale]


def _validate(node: Node, live: Ruleset, wanted: Optional[_Persistent], stale: Sequence[ChainKey], placement: Placement) -> None:
    """Let nft check both changes, and try the files out as boot would load them, before anything is replaced."""
    if wanted is not None:
        nft_live.checked(node, wanted.expanded, "%s with the pass rules" % wanted.path)
        boot = nft_live.tried(node, wanted.expanded)
        for key, rules in wanted.placement.items():
            there = [rule.name for rule in boot.chains[key].ours] if key in boot.chains else []
            if there != [rule.name for rule in rules]:
                raise NodeError("%s would load the pass rules of chain %s as [%s] instead of [%s]: include /etc/nftables.d once, after the chains" % (
                    wanted.path, " ".join(key), ", ".join(there), ", ".join(rule.name for rule in rules)))
    if stale:
        nft_live.checked(node, nft_files.live_change(live, stale, placement), "the live change")


def _change(node: Node, live: Ruleset, wanted: Optional[_Persistent], service: Optional[_Service], stale: Sequence[ChainKey], placement: Placement) -> None:
    """Files first, the kernel last and in one step: a run that is cut short between them is completed by the next one."""
    transaction: ContextManager[None] = node.transaction() if service is None else services.transaction(node, service.unit)
    with contextlib.ExitStack() as stack:
        stack.enter_context(transaction)
        include = wanted.include if wanted else None
        if include is not None:
            node.write_text(INCLUDE_PATH, include)
        if wanted and wanted.configuration is not None:
            node.write_text(wanted.path, wanted.configuration, wanted.mode)
        if include is None:
            node.remove(INCLUDE_PATH)
        if service is not None:
            service.unit.enable()
        if stale:
            node.act(["nft", nft_files.live_change(live, stale, placement)])


def _network_of(node: Node, device: str, address: str) -> str:
    """The network of an address as the device has it."""
    listing = json.loads(node.query(["ip", "-j", "address", "show", "dev", device]).stdout or "[]")
    for entry in (entry for link in listing for entry in link.get("addr_info", [])):
        if ipaddress.ip_address(entry["local"]) == ipaddress.ip_address(address):
            return "%s/%d" % (entry["local"], entry["prefixlen"])
    raise NodeError("%s has no address %s, so the Sync network is not known" % (device, address))


def _error(reason: str) -> Dict[str, str]:
    return {"area": "pass_rule", "reason": reason}
