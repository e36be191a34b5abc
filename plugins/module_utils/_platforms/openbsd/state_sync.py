# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State sync on OpenBSD: pfsync0 by /etc/hostname.pfsync0 and netstart(8), and the options of pf.conf(5) that states depend on.

A pfsync0 that comes up demotes CARP by 32 until the states of the others are here. On an active node, that moves the addresses to one that is ready, so this
one is done last; nothing here demotes by itself.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp, pf, pf_conf, pf_options, pfsync, sync_options
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.ifconfig import Link
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pfsync import INTERFACE, Pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import hostname, ifconfig, pfsync0

FILE = hostname.path(INTERFACE)

Drift = List[Dict[str, Any]]


class Wanted(NamedTuple):
    """What the options ask for: ``peer`` is None for multicast, ``host_id`` and ``policy`` for any."""

    enabled: bool
    device: Optional[str]
    peer: Optional[str]
    host_id: Optional[str]
    policy: Optional[str]


class Before(NamedTuple):
    """What was found on the node; ``rules`` is pf.conf as it is, ``wanted_rules`` as it shall be."""

    now: Optional[Pfsync]
    file: Optional[str]
    links: Dict[str, Link]
    pf: pf.Status
    rules: pf_options.PfConf
    wanted_rules: str


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Make state sync be as the options say.

    Args:
        params: options of the module state_sync.
    Returns:
        ``drift``, ``validation``, ``notes``; ``kernel_before`` and ``kernel_after`` are None, for nothing here touches the table.
    Raises:
        NodeError: an option that OpenBSD cannot have, a device that is not there or has another address, or a change that failed; then everything is as it
            was, or the error says what is not.
    """
    wanted = _wanted(params)
    before = _read(node, wanted)
    content = _file(node, wanted, before, params)
    result: Dict[str, Any] = {"drift": _drift(wanted, before, content), "validation": "not needed", "notes": [], "kernel_before": None, "kernel_after": None}
    if not result["drift"]:
        return result
    result["validation"] = _validate(node, wanted, before, params)
    result["notes"] = _notes(node, wanted, before)
    with node.transaction():
        # The rule that lets pfsync pass, and the id of the states, are there before the first packet.
        if _rules_differ(wanted, before):
            pf_conf.load(node, before.wanted_rules, before.rules.path, before.rules.flags)
        if wanted.enabled:
            result["notes"] += _enable(node, wanted, before, content or "")
        else:
            _disable(node, before)
        if not node.check_mode:
            _verify(node, wanted)
    return result


def _wanted(params: Mapping[str, Any]) -> Wanted:
    host_id = sync_options.host_id(params)
    if params["version"] is not None:
        raise NodeError("version: OpenBSD's pfsync has one format of messages; leave the option out")
    host_id = None if host_id is None else "%x" % int(host_id, 16)
    if not params["enabled"]:
        return Wanted(False, None, None, None, params["state_policy"])
    peer = sync_options.ipv4_peer(params, "OpenBSD")
    return Wanted(True, params["interface"], peer, host_id, params["state_policy"])


def _read(node: Node, wanted: Wanted) -> Before:
    rules = pf_options.read(node, {})
    # What no option is for stays as this collection has set it before.
    host_id = wanted.host_id if wanted.host_id is not None else pf_options.own_host_id(rules)
    policy = wanted.policy if wanted.policy is not None else pf_options.own_policy(rules)
    return Before(pfsync.find(node), node.read_text(FILE), ifconfig.links(node), pf.status(node.query(["pfctl", "-si", "-v"]).stdout), rules,
                  pf_options.wanted(rules, host_id, policy))


def _file(node: Node, wanted: Wanted, before: Before, params: Mapping[str, Any]) -> Optional[str]:
    """The file as it shall be; None for none. A foreign one that says the same is good as it is."""
    if not wanted.enabled or wanted.device is None:
        return None
    boot = pfsync0.boot(before.file)
    if boot is not None and hostname.owner_of(before.file) is None and boot.place == (True, wanted.device, wanted.peer):
        return before.file
    return pfsync0.text(wanted.device, wanted.peer, before.now, boot, _mtu(before.links.get(wanted.device)))


def _mtu(link: Optional[Link]) -> int:
    """That of pfsync0: the default, or less where the device takes less."""
    return min(pfsync0.DEFAULT_MTU, link.mtu) if link is not None and link.mtu is not None else pfsync0.DEFAULT_MTU


# Comparing


def _drift(wanted: Wanted, before: Before, content: Optional[str]) -> Drift:
    drift = _rules_drift(wanted, before)
    if content is not None and before.file != content:
        drift.append(_differs(FILE, "absent" if before.file is None else "different", "present"))
    if content is None and before.file is not None:
        drift.append(_differs(FILE, "present", "absent"))
    drift += [_differs(*one) for one in pfsync0.differing(before.now, wanted.device, wanted.peer, wanted.enabled)]
    most = _mtu(before.links.get(wanted.device or ""))
    if wanted.enabled and before.now is not None and before.now.mtu is not None and before.now.mtu > most:
        drift.append(_differs("mtu as running", before.now.mtu, most))
    return drift


def _rules_drift(wanted: Wanted, before: Before) -> Drift:
    drift: Drift = []
    if wanted.host_id is not None and pf_options.host_id(before.rules) != wanted.host_id:
        drift.append(_differs("host_id", pf_options.host_id(before.rules), wanted.host_id))
    elif wanted.host_id is not None and before.pf.host_id != wanted.host_id:
        drift.append(_differs("host_id as running", before.pf.host_id, wanted.host_id))
    if wanted.policy is not None and pf_options.state_policy(before.rules) != wanted.policy:
        drift.append(_differs("state_policy", pf_options.state_policy(before.rules), wanted.policy))
    return drift


def _rules_differ(wanted: Wanted, before: Before) -> bool:
    return bool(_rules_drift(wanted, before))


def _differs(setting: str, is_: Any, wanted: Any) -> Dict[str, Any]:
    return {"setting": setting, "is": is_, "wanted": wanted}


# Validating


def _validate(node: Node, wanted: Wanted, before: Before, params: Mapping[str, Any]) -> str:
    """The device is there and has the address that the plan counts on; ifconfig would take another one."""
    if wanted.device is None:
        return "passed"
    link = before.links.get(wanted.device)
    if link is None:
        if node.check_mode and wanted.device in params["coming"]:
            return "not possible yet: %s is not there" % wanted.device
        raise NodeError("interface: there is no device %s on this node; correct the intent or the node" % wanted.device)
    found = [address.text.split("/")[0] for address in link.addresses if ":" not in address.text]
    if params["address"] not in found:
        raise NodeError("address: %s has not %s but %s; correct the intent or the node" % (
            wanted.device, params["address"], ", ".join(found) or "no IPv4 address"))
    return "passed"


def _notes(node: Node, wanted: Wanted, before: Before) -> List[str]:
    notes = []
    if wanted.enabled and before.pf.running is False:
        notes.append("the packet filter is off, and without it pfsync takes nothing in: run hafirewall.cluster.sync_rule")
    held = carp.held(ifconfig.running(node))
    if held and _comes_up(wanted, before):
        notes.append("this node is active (%s): while the states of the others come in, CARP is demoted by %d, and its addresses move to a node that is "
                     "ready" % (", ".join(held), pfsync0.BULK_DEMOTION))
    return notes


def _comes_up(wanted: Wanted, before: Before) -> bool:
    return wanted.enabled and bool(pfsync0.differing(before.now, wanted.device, wanted.peer, True))


# Applying


def _enable(node: Node, wanted: Wanted, before: Before, content: str) -> List[str]:
    device, now = wanted.device or "", before.now
    if before.file != content:
        hostname.write(node, INTERFACE, content)
    if now is None:
        return pfsync0.settle(node, lambda: hostname.start(node, INTERFACE), device)
    if not _comes_up(wanted, before):
        pfsync0.set_mtu(node, now.mtu, _mtu(before.links.get(device)))
        return []
    if (now.device, now.peer) != (device, wanted.peer):
        pfsync0.take_down(node, now)
    return pfsync0.settle(node, lambda: _bring_up(node, wanted, before, now), device)


def _bring_up(node: Node, wanted: Wanted, before: Before, now: Pfsync) -> None:
    device = wanted.device or ""
    pfsync0.point(node, now, device, wanted.peer)
    pfsync0.set_mtu(node, now.mtu, _mtu(before.links.get(device)))
    pfsync0.bring_up(node)


def _disable(node: Node, before: Before) -> None:
    if before.now is not None:
        hostname.destroy(node, INTERFACE)
    hostname.remove(node, INTERFACE)


def _verify(node: Node, wanted: Wanted) -> None:
    """Neither netstart nor ifconfig tells of everything that failed, so the kernel is asked what came of it."""
    left = [_differs(*one) for one in pfsync0.differing(pfsync.find(node), wanted.device, wanted.peer, wanted.enabled)]
    host_id = pf.status(node.query(["pfctl", "-si", "-v"]).stdout).host_id if wanted.host_id is not None else None
    if host_id != wanted.host_id:
        left.append(_differs("host_id", host_id, wanted.host_id))
    if left:
        raise NodeError("pfsync0 does not run as configured: %s" % "; ".join("%s is %s, wanted is %s" % (item["setting"], item["is"], item["wanted"])
                                                                             for item in left))
