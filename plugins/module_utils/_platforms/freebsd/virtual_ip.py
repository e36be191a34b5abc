# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual addresses that move between the nodes: carp(4), as the kernel runs it and as rc.conf(5) sets it up at boot."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import blocks, carp
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import carp_boot, carp_kernel, carp_steps
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.carp_steps import Live, Place, Vhid, ip
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.rc_aliases import variable
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError, Secret

TIMEOUT = 15.0  # seconds; a node is standby at once, and active after three announcements

Drift = List[Dict[str, Any]]


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Make the node take part in moving the addresses as described, or (``instances`` empty) no longer.

    What comes is in the file of the addresses before it is in the kernel, and what goes is there until it is gone: a run that is cut off leaves nothing that
    the next one does not know as this module's.

    Args:
        params: options of module virtual_ip.
    Returns:
        ``drift`` and ``validation``.
    Raises:
        NodeError: what CARP cannot have, a device that is not there, an address that something else has, or a change that failed; everything is then as it
            was, or the error says what is not.
    """
    _judge(node, params)
    boot = carp_boot.read(node, params["name"])
    now = read(node)
    wanted = _with_passwords(_wanted(params), boot, now)
    gone = _gone(boot, now, wanted)
    _refuse(node, params, boot, now, wanted, gone)
    lines, drift, touched = carp_boot.compare(boot, wanted)
    todo = carp_kernel.compare(node, boot.block, params["preempt"] if wanted else None)
    steps = carp_steps.steps(wanted, now, gone)
    drift = todo.drift + drift + _running_drift(wanted, now, touched)
    with node.transaction():
        carp_kernel.apply(node, todo)
        if any(carp_steps.missing(item, now) for item in wanted):
            _write(node, boot, carp_boot.meanwhile(boot, lines))
        for step in steps:
            node.act(step.argv, undo=lambda step=step: _undo(node, step))  # type: ignore[misc]
        loose = _write(node, boot, lines)
        _show(node, boot, lines)
        if loose and not drift:
            return {"drift": [{"setting": "permissions of " + boot.path, "is": "other", "wanted": "%04o" % carp_boot.MODE}], "validation": "not needed"}
        if drift:
            carp.wait(node, [carp.Expected(item.name, item.device, item.id, [ip(address) for address in item.addresses]) for item in wanted],
                      _places(wanted, gone), TIMEOUT)
    return {"drift": drift, "validation": "passed" if drift else "not needed"}


def read(node: Node) -> Live:
    """What the kernel runs, with the passwords, which nobody is shown.

    Raises:
        NodeError: ifconfig fails.
    """
    done = node.query(["ifconfig", "-ak"], ok=None)
    if done.status != 0:
        raise NodeError("ifconfig -ak exited with status %d and said: %s" % (done.status, done.stderr.strip() or "nothing"))
    return carp_steps.live(done.stdout)


# What is wanted


def _judge(node: Node, params: Mapping[str, Any]) -> None:
    if params["received"]:
        raise NodeError("received: no other node sends its configuration to one of FreeBSD; leave the option out")
    carp.judge(params["instances"])
    carp_boot.judge_password(params["password"])
    for number, item in enumerate(params["instances"]):
        for text in item["addresses"]:
            if item["family"] != _version(text):
                raise NodeError("instances[%d].addresses: %s is no address of the family %s" % (number, text, item["family"]))
        if params["transport"] == "unicast" and [_version(peer) for peer in item["peers"]] != [item["family"]]:
            raise NodeError("instances[%d].peers: CARP announces to one address of the family %s, or by multicast, and stated is: %s; state one, or transport: "
                            "multicast" % (number, item["family"], ", ".join(item["peers"]) or "none"))
    if params["transport"] == "unicast" and params["instances"] and not carp_kernel.has_peers(node):
        raise NodeError("transport: CARP announces by multicast only before FreeBSD 14; state multicast, or upgrade first")


def _version(text: str) -> Optional[str]:
    try:
        return "ipv%d" % ipaddress.ip_interface(text).version
    except ValueError:
        return None


def _wanted(params: Mapping[str, Any]) -> List[Vhid]:
    """An id may have an entry for each family: they are one id for the kernel."""
    found: Dict[Place, Vhid] = {}
    for number, item in enumerate(params["instances"]):
        place = item["interface"], item["id"]
        peer = str(ipaddress.ip_address(item["peers"][0])) if params["transport"] == "unicast" else None
        addresses = tuple(str(ipaddress.ip_interface(text)) for text in item["addresses"])
        one = Vhid(item["name"], item["interface"], item["id"], item["advbase"], item["advskew"], addresses,
                   None if params["password"] is None else Secret(params["password"]), *((peer, None) if item["family"] == "ipv4" else (None, peer)))
        twice = next((text for text in addresses if any(ip(text) == ip(one) for vhid in found.values() for one in vhid.addresses)), None)
        if twice is not None or len({ip(text) for text in addresses}) < len(addresses):
            raise NodeError("instances[%d].addresses: %s is stated twice; an address belongs to one id" % (number, ip(twice or addresses[0])))
        other = found.get(place)
        if other is not None:
            if (other.advbase, other.advskew) != (one.advbase, one.advskew):
                raise NodeError("instances[%d]: id %d on %s is one id for CARP, and its entries differ in advskew or advbase; state the same in both" % (
                    number, item["id"], item["interface"]))
            one = other._replace(name="%s and %s" % (other.name, one.name), addresses=(*other.addresses, *one.addresses),
                                 peer=other.peer or one.peer, peer6=other.peer6 or one.peer6)
        found[place] = one
    return list(found.values())


def _with_passwords(wanted: List[Vhid], boot: carp_boot.Boot, now: Live) -> List[Vhid]:
    """Where none is stated, the files' own is kept, or else the kernel's."""
    written = carp_boot.passwords(boot, [item.device for item in wanted])
    running = {place: item.password for place, item in now.instances.items() if item.password is not None}
    known = [carp_steps.known({**running, **written}, item) for item in wanted]
    nameless = next((item for item in known if item.password is None), None)
    if nameless is not None:
        raise NodeError("password: CARP needs one, the same on all nodes, and %s has none yet; state it" % nameless.name)
    return known


def _gone(boot: carp_boot.Boot, now: Live, wanted: Sequence[Vhid]) -> List[Tuple[Place, str]]:
    """Addresses of the block that CARP runs and that are not wanted where they are; a run that was cut off may have left them anywhere."""
    kept = {(item.place, address) for item in wanted for address in item.addresses}
    own = {ip(entry.address) for entry in boot.own if entry.address is not None}
    theirs = {(entry.device, entry.vhid, entry.address) for entry in boot.foreign}
    return [(place, address) for place, item in now.instances.items() for address in item.addresses
            if (place, address) not in kept and ip(address) in own and (variable(place[0]), place[1], address) not in theirs]


def _refuse(node: Node, params: Mapping[str, Any], boot: carp_boot.Boot, now: Live, wanted: Sequence[Vhid], gone: Sequence[Tuple[Place, str]]) -> None:
    """Refuse what something else has, and what would not come up at boot."""
    coming = params["coming"] if node.check_mode else {}
    for item in wanted:
        if item.device not in now.devices and item.device not in coming:
            raise NodeError("%s: there is no device %s on this node; those there are: %s" % (item.name, item.device, ", ".join(sorted(now.devices))))
        carp_boot.left_to_others(boot, item)
        mine = {ip(address): address for address in item.addresses}
        for device, address in now.addresses:
            place = (device, address.vhid or 0)
            if (place, address.text) in gone or (place == item.place and address.text in item.addresses):
                continue
            if ip(address.text) in mine:
                raise NodeError("%s: %s is already an address of %s%s, and no file of this collection has it so; remove it there, and run again" % (
                    item.name, address.text, device, "" if address.vhid is None else " with vhid %d" % address.vhid))
            if place == item.place:
                raise NodeError("%s: the kernel runs %s with this id too, which is not wanted and not of this collection, and nodes that differ in the "
                                "addresses of an id do not hear each other; run: ifconfig %s %s %s -alias" % (
                                    item.name, address.text, device, carp_steps.family(address.text), ip(address.text)))
        if item.device not in coming and any(carp_steps.family(address) == "inet6" for address in item.addresses):
            _refuse_ipv6(item, boot, now)


def _refuse_ipv6(item: Vhid, boot: carp_boot.Boot, now: Live) -> None:
    name = "ifconfig_%s_ipv6" % variable(item.device)
    if not boot.variables.get(name) and not boot.variables.get("ifconfig_DEFAULT"):
        raise NodeError("%s: FreeBSD sets up IPv6 addresses at boot only on a device that has %s in rc.conf; set it, for example to \"inet6 auto_linklocal\", "
                        "and run: service netif restart %s" % (item.name, name, item.device))
    if item.device in now.no_ipv6:
        raise NodeError("%s: IPv6 is switched off on %s now; run: ifconfig %s inet6 -ifdisabled" % (item.name, item.device, item.device))


# As it runs


def _running_drift(wanted: Sequence[Vhid], now: Live, touched: Sequence[str]) -> Drift:
    """What the kernel runs otherwise than the file has it; what is set up anew anyway is not looked at."""
    drift: Drift = []
    for item in wanted:
        runs = now.instances.get(item.place)
        if item.name not in touched and (runs is None or carp_steps.differing(item, runs) or carp_steps.missing(item, now)):
            drift.append({"setting": "%s as running" % item.name, "is": "absent" if runs is None else "other settings", "wanted": "as configured"})
    return drift


def _places(wanted: Sequence[Vhid], gone: Sequence[Tuple[Place, str]]) -> List[Tuple[str, str]]:
    kept = {(item.device, ip(address)) for item in wanted for address in item.addresses}
    return [(place[0], ip(address)) for place, address in gone if (place[0], ip(address)) not in kept]


def _undo(node: Node, step: carp_steps.Step) -> None:
    """Take a command back, also one that failed: what it did not come to is not taken back."""
    if step.address is None or carp_steps.holds(read(node), *step.address) is not step.was_there:
        node.query(step.undo)


def _write(node: Node, boot: carp_boot.Boot, lines: List[str]) -> bool:
    """Write the file of the addresses, without a diff unless it is of the permissions; one that would be empty goes."""
    text = blocks.put(boot.text or "", boot.block, lines, boot.path)
    if text == (boot.text or "") and not lines:
        return False  # there is no file, or one of others, which has nothing to hide for us
    changed = node.write_text(boot.path, text, carp_boot.MODE, shown=text == boot.text)
    if not text:
        node.remove(boot.path, shown=False)
    return changed


def _show(node: Node, boot: carp_boot.Boot, lines: List[str]) -> None:
    """The diff from what was there to what is there in the end, without passwords."""
    before, after = boot.text or "", blocks.put(boot.text or "", boot.block, lines, boot.path)
    if before != after:
        node.diffs.append({"before_header": boot.path, "after_header": boot.path, "before": carp_boot.redact(before), "after": carp_boot.redact(after)})
