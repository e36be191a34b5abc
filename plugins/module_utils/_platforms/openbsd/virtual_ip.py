# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual addresses that move between the nodes: carp(4), by files hostname.carpN and netstart(8), and two variables of the kernel."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import blocks, carp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.sysctl import CARP_ALLOW
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError, Secret
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import carp_file, carp_steps, hostname, ifconfig, told
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.carp_file import Place, Vhid, ip
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd.carp_steps import Found, Plan

TIMEOUT = 15.0  # seconds; a node is standby at once, and active after three announcements
PREEMPT = "net.inet.carp.preempt"
SYSCTL = "/etc/sysctl.conf"

Drift = List[Dict[str, Any]]


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Make the node take part in moving the addresses as described, or (``instances`` empty) no longer.

    Args:
        params: options of module virtual_ip.
    Returns:
        ``drift`` and ``validation``.
    Raises:
        NodeError: what CARP cannot have, a device that is not there, an address that something else has, or a change that failed; everything is then as it
            was, or the error says what is not.
    """
    _judge(params)
    found = read(node)
    wanted = [carp_steps.with_password(found, vhid) for vhid in _wanted(params)]
    validation = _validate(node, found, wanted, params["coming"])
    plan = carp_steps.plan(found, wanted, params["name"])
    variables, old, new = _kernel(node, params)
    drift = _kernel_drift(variables, old, new) + plan.drift
    if not drift:
        return {"drift": [], "validation": "not needed"}
    with node.transaction():
        for name, (before, value) in variables.items():
            node.act(["sysctl", "%s=%s" % (name, value)], undo=_back(node, ["sysctl", "%s=%s" % (name, before)]))
        if new and new != old:
            node.write_text(SYSCTL, new, 0o644 if old is None else None)
        elif old and not new:
            node.remove(SYSCTL)
        _run(node, plan)
        expected = [carp.Expected(vhid.name, vhid.device, vhid.id, [ip(address) for address in vhid.addresses]) for vhid in wanted]
        carp.wait(node, expected, _gone(found, plan), TIMEOUT, ifconfig.running)
    return {"drift": drift, "validation": validation}


def read(node: Node) -> Found:
    """What CARP is on the node, and would be after a boot.

    Raises:
        NodeError: ifconfig or ls fails.
    """
    shown = node.query(ifconfig.ALL).stdout
    names = re.findall(r"^hostname\.(%s\d+)$" % carp_steps.DRIVER, node.query(["ls", hostname.FOLDER]).stdout, re.MULTILINE)
    files = {name: node.read_text(hostname.path(name)) for name in names}
    return Found(ifconfig.parse(shown), {one.name: one for one in ifconfig.carps(shown)}, {name: text for name, text in files.items() if text is not None})


# Judging


def _judge(params: Mapping[str, Any]) -> None:
    if params["received"]:
        raise NodeError("received: no other node sends its configuration to one of OpenBSD; leave the option out")
    carp_file.judge_password(params["password"])
    carp.judge(params["instances"])
    for number, item in enumerate(params["instances"]):
        _judge_addresses(number, item)
        if params["transport"] == "unicast":
            _judge_peer(number, item)


def _judge_addresses(number: int, item: Mapping[str, Any]) -> None:
    for text in item["addresses"]:
        try:
            version = ipaddress.ip_interface(text).version
        except ValueError:
            raise NodeError("instances[%d].addresses: %s is no address" % (number, text)) from None
        if item["family"] != "ipv%d" % version:
            raise NodeError("instances[%d].addresses: %s is not of the family %s" % (number, text, item["family"]))


def _judge_peer(number: int, item: Mapping[str, Any]) -> None:
    if item["family"] != "ipv4":
        raise NodeError("transport: OpenBSD's CARP announces IPv6 addresses by multicast only (instances[%d]); state multicast" % number)
    if len(item["peers"]) != 1:
        raise NodeError("instances[%d].peers: CARP announces to one peer, or by multicast, and there are %d; state one, or transport: multicast" % (
            number, len(item["peers"])))


def _wanted(params: Mapping[str, Any]) -> List[Vhid]:
    """An id may have an entry for each family: they are one id for the kernel."""
    found: Dict[Place, Vhid] = {}
    for number, item in enumerate(params["instances"]):
        one = Vhid(item["name"], item["interface"], item["id"], item["advbase"], item["advskew"],
                   tuple(str(ipaddress.ip_interface(text)) for text in item["addresses"]), None if params["password"] is None else Secret(params["password"]),
                   item["peers"][0] if params["transport"] == "unicast" else None)
        other = found.get(one.place)
        if other is not None:
            if (other.advbase, other.advskew) != (one.advbase, one.advskew):
                raise NodeError("instances[%d]: id %d on %s is one id for CARP, and its entries differ in advskew or advbase; state the same in both" % (
                    number, one.id, one.device))
            one = other._replace(name="%s and %s" % (other.name, one.name), addresses=(*other.addresses, *one.addresses))
        found[one.place] = one
    return list(found.values())


def _validate(node: Node, found: Found, wanted: Sequence[Vhid], coming: Mapping[str, str]) -> str:
    absent = [vhid for vhid in wanted if vhid.device not in found.links]
    for vhid in absent:
        if not (node.check_mode and vhid.device in coming):
            raise NodeError("%s: there is no device %s on this node; those there are: %s" % (vhid.name, vhid.device, ", ".join(sorted(found.links))))
    return "not possible yet: %s is not there" % absent[0].device if absent else "passed"


# The kernel around it


def _kernel(node: Node, params: Mapping[str, Any]) -> Tuple[Dict[str, Tuple[str, str]], Optional[str], str]:
    """Variables to set, each with its old value, and the file that sets them at boot, as it is and as it shall be."""
    old, block = node.read_text(SYSCTL), carp_file.owner(params["name"])
    if not params["instances"]:
        return {}, old, blocks.put(old or "", block, [], SYSCTL)
    wanted = {CARP_ALLOW: "1", PREEMPT: str(int(params["preempt"]))}
    values = told.variables(node.query(["sysctl", *wanted], ok=None).stdout)
    new = blocks.put(old or "", block, ["%s=%s" % (PREEMPT, wanted[PREEMPT])], SYSCTL)
    for name, value in wanted.items():
        # The last line about a variable counts.
        last = next(iter([*re.finditer(r"^[ \t]*%s=(\S*)" % re.escape(name), new, re.MULTILINE)][::-1]), None)
        if last is not None and last[1] != value:
            raise NodeError("%s:%d: %s is set to %s at boot, and wanted is %s; remove that line, and run again" % (
                SYSCTL, blocks.line_of(new, last.start()), name, last[1] or "nothing", value))
    return {name: (values.get(name, ""), value) for name, value in wanted.items() if values.get(name) != value}, old, new


def _kernel_drift(variables: Mapping[str, Tuple[str, str]], old: Optional[str], new: str) -> Drift:
    drift = [{"setting": name, "is": before or None, "wanted": value} for name, (before, value) in variables.items()]
    return drift + ([{"setting": SYSCTL, "is": "different", "wanted": "as rendered"}] if (old or "") != new else [])


# Applying


def _run(node: Node, plan: Plan) -> None:
    for name in plan.leaving:
        if node.query(["ifconfig", name], ok=None).status == 0:
            hostname.destroy(node, name)
        hostname.remove(node, name)
    for device in plan.devices:
        if device.text is not None:
            hostname.write(node, device.name, device.text)
    for step in [*plan.first, *plan.then]:
        node.act(step.argv, undo=_back(node, step.undo))
    for device in plan.devices:
        if device.start:
            hostname.start(node, device.name)


def _back(node: Node, argv: List[str]) -> Callable[[], None]:
    def back() -> None:
        node.query(argv)
    return back


def _gone(found: Found, plan: Plan) -> List[Tuple[str, str]]:
    """Devices that carry addresses, and those addresses that shall not be there any more."""
    kept = {(device.wanted.device, ip(address)) for device in plan.devices for address in device.wanted.addresses}
    ours = [found.carps[name].instance for name in (*plan.leaving, *(device.name for device in plan.devices)) if name in found.carps]
    return [(one.device, address) for one in ours for address in one.addresses if (one.device, address) not in kept]
