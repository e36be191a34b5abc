# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State sync on FreeBSD: pfsync(4), at boot by rc.conf, now by ifconfig, and marked by pf.conf's host id."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import (
    carp,
    ifconfig,
    kernel_release,
    pf,
    pf_conf,
    pf_options,
    pfsync,
    sync_options,
    sysctl,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.kernel_release import Release
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd.pf_options import PfConf
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import bulk, pfsync_rc, pfsync_steps, rc
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.pfsync_steps import Target, differs
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

KERNEL = ("kern.osrelease", "kern.hostuuid", sysctl.CARP_DEMOTION, sysctl.PFSYNC_DEMOTION)
DEFAULT_MTU = 1500
OLDEST_FORMAT = 1301
# States of pfsync and CARP that would travel: what was made while pfsync0 was down has lost its rule's no-sync.
_UNMARKED = ("sh", "-c", "pfctl -vvss | awk '/^[^ \\t]/ { mine = $2 ~ /^(pfsync|240|carp|vrrp|112)$/ } /, no-sync/ { mine = 0 } "
             "mine && /creatorid:/ { print $2 \"/\" $4 }'")
_LONGEST = 120.0  # seconds

Drift = List[Dict[str, Any]]


class Before(NamedTuple):
    """The node as it is.

    Attributes:
        variables: of rc.conf.
        now: pfsync0; ``loaded`` tells whether it is there, else this is how it will be.
        links: the devices.
        active: CARP has an address here.
    """

    release: Release
    kernel: Mapping[str, str]
    variables: Mapping[str, str]
    conf: PfConf
    now: pfsync.Pfsync
    loaded: bool
    status: pf.Status
    links: Mapping[str, ifconfig.Link]
    active: bool


class Plan(NamedTuple):
    """What to do: the variables of rc.conf, the text of pf.conf and whether to load it, pfsync0's target and the words for it."""

    drift: Drift
    variables: Dict[str, Optional[str]]
    text: str
    load: bool
    target: Target
    steps: List[pfsync_steps.Step]
    notes: List[str]


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Make state sync as described.

    Args:
        params: options of the module state_sync.
    Returns:
        ``drift``, ``validation``, ``notes``; ``kernel_before`` and ``kernel_after`` are None, for nothing here touches the states of connections.
    Raises:
        NodeError: an option that this kernel cannot have, a device that is not there or has another address, somebody else's line in pf.conf against an
            option, or a change that failed; then everything is as it was, or the error says what is not.
    """
    before = _read(node)
    plan = _plan(node, before, params)
    validation = "not possible yet: pf is not loaded" if _blind(node, before, plan) else "passed" if plan.drift else "not needed"
    result = {"drift": plan.drift, "validation": validation, "notes": plan.notes, "kernel_before": None, "kernel_after": None}
    if plan.drift:
        with node.transaction():
            result["notes"] = plan.notes + _carry_out(node, before, plan)
    return result


def _read(node: Node) -> Before:
    kernel = sysctl.parse(node.query(["sysctl", *KERNEL], ok=None).stdout)
    number = kernel_release.parse(kernel.get("kern.osrelease"))
    if number is None:
        raise NodeError("the kernel does not tell its release (kern.osrelease), so it is not known what its pfsync can do")
    rc.refuse_overridden(node, ["pfsync"], pfsync_rc.VARIABLES)
    rc.refuse_overridden(node, ["pf"], rc.PF_FILE)
    variables = rc.read(node)
    now, listing = pfsync.find(node), node.query(["ifconfig"]).stdout
    status = pf.find(node)
    default = number.formats[-1] if len(number.formats) > 1 else None
    return Before(number, kernel, variables, pf_options.read(node, variables), now or pfsync_steps.fresh(default), now is not None, status,
                  ifconfig.parse(listing), any(item.state == "active" for item in carp.parse(listing)))


# Planning


def _plan(node: Node, before: Before, params: Mapping[str, Any]) -> Plan:
    boot = pfsync_rc.boot(before.variables)
    host_id = _host_id(before, sync_options.host_id(params), params["enabled"])
    text = pf_options.wanted(before.conf, host_id, _policy(before.conf, params["state_policy"]))
    drift, load = _of_pf_conf(before, text)
    if not params["enabled"]:
        on = rc.is_on(before.variables, pfsync_rc.ENABLE)
        target = Target(None)
        drift += ([differs("enabled", True, False)] if on else []) + pfsync_steps.drift(before.now, target)
        return Plan(drift, {pfsync_rc.ENABLE: "NO"} if on else {}, text, load, target, pfsync_steps.steps(before.now, target), [])
    device, peer = params["interface"], _peer(before, params)
    link = _link(node, before, params)
    version, pinned, running = _format(before, boot, params["version"])
    mtu, mtu_running, notes = _mtu(before, boot, link.mtu)
    variables = pfsync_rc.changes(before.variables, device, peer, version, mtu, pinned)
    after = pfsync_rc.boot(dict(before.variables, **{name: value or "" for name, value in variables.items()}))
    drift += _of_boot(boot, after, before.variables, variables)
    target = Target(device, peer, running if running is not None else after.version, after.defer, after.maxupd, mtu_running)
    if not before.loaded:
        drift.append(differs("kernel module pfsync", None, "loaded"))
    steps = pfsync_steps.steps(before.now, target)
    drift += pfsync_steps.drift(before.now, target)
    if before.kernel.get(sysctl.PFSYNC_DEMOTION) == "0" and bulk.usual(node) != "0":
        # A run that was cut off has left it so.
        drift.append(differs(sysctl.PFSYNC_DEMOTION, "0", bulk.usual(node)))
    if not steps and before.now.bulk_done and bulk.said(node)[-1:] == ["fail"] and _others_there(node, before):
        drift.append(differs("states of the other nodes", "not taken over (pfsync bulk fail)", "taken over"))
        steps = [("syncdev", device)]
    return Plan(drift, variables, text, load, target, steps, notes)


def _host_id(before: Before, stated: Optional[str], enabled: bool) -> Optional[str]:
    """The host id that this collection's block shall set, in its shortest form; None for none."""
    if not enabled:
        return pf_options.own_host_id(before.conf)
    if stated is not None:
        return "%x" % int(stated, 16)
    if pf_options.foreign(before.conf, pf_options.HOST_ID):
        return None
    return pf_options.own_host_id(before.conf) or derived(before.kernel.get("kern.hostuuid", ""))


def derived(uuid: str) -> str:
    """A host id that stays the same on one machine: the first 32 bits of the SHA-256 of kern.hostuuid, for without any pf takes a new one at each load.

    Raises:
        NodeError: the machine has no such id.
    """
    if not re.search(r"[1-9a-f]", uuid.lower()):
        raise NodeError("host_id: the machine has no id of its own (kern.hostuuid is %r) to make one of; state the option" % uuid)
    return "%x" % (int(hashlib.sha256(uuid.strip().lower().encode()).hexdigest()[:8], 16) or 1)


def _policy(conf: PfConf, stated: Optional[str]) -> Optional[str]:
    """The policy that this collection's block shall set; None for none."""
    if stated is None:
        return None if pf_options.foreign(conf, pf_options.POLICY) else pf_options.own_policy(conf)
    return stated if stated != pf_options.DEFAULT_POLICY or pf_options.stated_policy(conf) else None


def _of_pf_conf(before: Before, text: str) -> Tuple[Drift, bool]:
    """What differs in pf.conf, and whether pf must load it."""
    changed = before.conf._replace(text=text)
    is_, wanted = pf_options.host_id(before.conf), pf_options.host_id(changed)
    drift = [differs("host_id", is_, wanted)] if is_ != wanted else []
    running = before.status.host_id
    stale = wanted is not None and running is not None and running != wanted
    if stale:
        drift.append(differs("host_id as running", running, wanted))
    policies = [pf_options.state_policy(conf) for conf in (before.conf, changed)]
    if policies[0] != policies[1]:
        drift.append(differs("state_policy", *policies))
    if text != (before.conf.text or "") and not drift:
        drift.append(differs(before.conf.path, "without the lines of this collection, or with others", "with them"))
    return drift, text != (before.conf.text or "") or stale


def _of_boot(boot: pfsync_rc.Boot, after: pfsync_rc.Boot, known: Mapping[str, str], wanted: Mapping[str, Optional[str]]) -> Drift:
    names = (("enabled", "enabled"), ("interface", "device"), ("peer", "peer"), ("format at boot", "version"), ("mtu at boot", "mtu"))
    drift = [differs(name, getattr(boot, field), getattr(after, field)) for name, field in names if getattr(boot, field) != getattr(after, field)]
    rest = [name for name, value in wanted.items() if known.get(name) != value]
    return drift if drift else [differs(name, known.get(name), wanted[name]) for name in rest]


def _peer(before: Before, params: Mapping[str, Any]) -> Optional[str]:
    """Where the updates go, in the kernel's spelling: None for the group of IPv4."""
    peer = sync_options.peer(params)
    parsed = {}
    for name, text in (("address", params["address"]), ("peer", peer)):
        if text is not None:
            try:
                parsed[name] = ipaddress.ip_address(text)
            except ValueError:
                raise NodeError("%s: %s is no IP address" % (name, text)) from None
    own = parsed["address"]
    other = parsed.get("peer", own)
    if own.version != other.version:
        raise NodeError("peer: %s and the node's own address %s are not of one family" % (other, own))
    if peer is not None and own == other:
        raise NodeError("peer: %s is this node's own address; state the other node's" % other)
    if own.version == 6 and not before.release.ipv6:
        raise NodeError("address: %s is an IPv6 address, and pfsync travels over IPv6 from FreeBSD 14.0 on; this node runs %s: give the Sync network IPv4 "
                        "addresses" % (own, before.release))
    if peer is None:
        return pfsync.MULTICAST_V6 if own.version == 6 else None
    return str(other)


def _link(node: Node, before: Before, params: Mapping[str, Any]) -> ifconfig.Link:
    """The Sync device, or in check mode the one that it takes the place of earlier in a real run: it is there, and has the address."""
    device = params["coming"].get(params["interface"], params["interface"]) if node.check_mode else params["interface"]
    link = before.links.get(device)
    if link is None:
        raise NodeError("interface: this node has no device %s; it has: %s" % (device, ", ".join(sorted(before.links)) or "none"))
    wanted = ipaddress.ip_address(params["address"])
    held = [address.text.split("/")[0] for address in link.addresses]
    if wanted not in [ipaddress.ip_address(text) for text in held]:
        raise NodeError("address: %s has not %s but %s; correct the intent or the node" % (device, wanted, ", ".join(held) or "no address"))
    return link


def _format(before: Before, boot: pfsync_rc.Boot, stated: Optional[int]) -> Tuple[Optional[int], Optional[int], Optional[int]]:
    """The format to set at boot, the one to mark as this collection's, and the one to run; each None for none."""
    if before.now.version is None:
        if stated not in (None, OLDEST_FORMAT):
            raise NodeError("version: this kernel has no choice of formats, and sends %d; leave the option out, or choose that one" % OLDEST_FORMAT)
        return boot.version if boot.pinned is None else None, None, None
    formats = before.release.formats
    if stated is None:
        ours = boot.pinned is not None and boot.pinned == boot.version
        return (None, None, formats[-1]) if ours else (boot.version, None, None)
    if stated not in formats:
        # What it does not know is refused, or without a word taken for the default.
        raise NodeError("version: %s does not know format %d; it knows: %s" % (before.release, stated, ", ".join("%d" % one for one in formats)))
    theirs = boot.version == stated and boot.pinned is None
    return stated, None if theirs else stated, stated


def _mtu(before: Before, boot: pfsync_rc.Boot, device: Optional[int]) -> Tuple[Optional[int], Optional[int], List[str]]:
    """The MTU of pfsync0 to set at boot and to run, each None for what the kernel has: no more than the device's, and than the kernel can send."""
    most = min((limit for limit in (device, before.release.most_mtu) if limit is not None), default=None)
    if most is None:
        return boot.mtu, boot.mtu, []
    if (boot.mtu or DEFAULT_MTU) > most:
        why = "the Sync device has no more" if most == device else "with more, this kernel sends nothing"
        return most, most, ["pfsync0 gets MTU %d: %s" % (most, why)] if boot.mtu is not None or before.now.mtu != most else []
    return boot.mtu, boot.mtu if boot.mtu is not None else DEFAULT_MTU if (before.now.mtu or 0) > most else None, []


def _others_there(node: Node, before: Before) -> bool:
    """Whether another node has been heard, and states of it are here; so it must answer now. Who once was there, and is no more, leaves states that age out."""
    if not before.status.running or not before.loaded or before.now.device is None:
        return False
    if not (pfsync.counters_of_any(node) or {}).get("received"):
        return False
    own = {before.status.host_id, pf_options.host_id(before.conf)}
    return any(one not in own for one in pf.creators(node, before.release.lists_creators))


# Changing


def _carry_out(node: Node, before: Before, plan: Plan) -> List[str]:
    asks = pfsync_steps.asks(before.now, plan.steps)
    heard = bulk.said(node) if asks else []
    # Where the transport itself moves, the other nodes are still where it was.
    moved = (before.now.device, before.now.peer) != (plan.target.device, plan.target.peer)
    expected = asks and not moved and _others_there(node, before)
    factor = before.kernel.get(sysctl.PFSYNC_DEMOTION, bulk.DEFAULT_FACTOR)
    left = any(item["setting"] == sysctl.PFSYNC_DEMOTION for item in plan.drift)
    if _brings_pf(before, plan):
        # It stays when a later step fails: pf can not be unloaded, and pfsync0 without a device does nothing.
        node.act(["kldload", "-n", "pfsync"])
    if asks and sysctl.CARP_DEMOTION not in before.kernel:
        # The kernel takes the demotion of a transfer off at its end also when CARP was not there yet at its beginning: what comes meanwhile stays at -240.
        node.act(["kldload", "-n", "carp"])
    _load(node, before, plan)
    rc.apply(node, before.variables, plan.variables)
    held = asks and (left or (before.active and factor != "0"))
    if held and not left:
        bulk.hold(node, factor)
    _say(node, before, plan.steps)
    _verify(node, plan.target)
    notes = _settle(node, before, heard, expected, held) if asks and plan.target.device is not None and not node.check_mode else []
    if held or left:
        bulk.let_go(node, bulk.usual(node) if left else factor)
    return notes


def _load(node: Node, before: Before, plan: Plan) -> None:
    if not plan.load:
        return
    if before.status.running and before.conf.text is None:
        raise NodeError("pf runs, but there is no %s, so its rules are from elsewhere, and loading a new file would take them away; let rc.conf's pf_rules "
                        "name the file" % before.conf.path)
    if before.status.loaded or _brings_pf(before, plan):
        pf_conf.load(node, plan.text, before.conf.path, before.conf.flags, validated=_blind(node, before, plan))
    else:
        # Nothing runs by it yet.
        node.write_text(before.conf.path, plan.text, mode=None)


def _brings_pf(before: Before, plan: Plan) -> bool:
    """Whether pf comes with the module of pfsync."""
    return plan.target.device is not None and not before.loaded


def _blind(node: Node, before: Before, plan: Plan) -> bool:
    """Whether pfctl, which needs pf in the kernel, cannot judge the file yet."""
    return plan.load and not before.status.loaded and (node.check_mode or not _brings_pf(before, plan))


def _say(node: Node, before: Before, planned: List[pfsync_steps.Step]) -> None:
    def undo() -> None:
        now = pfsync.find(node)
        for step in pfsync_steps.back(now, before.now) if now is not None else []:
            node.query(["ifconfig", pfsync.INTERFACE, *step])

    for step in planned:
        node.act(["ifconfig", pfsync.INTERFACE, *step], undo=undo)
        if step == pfsync_steps.UP and before.loaded:
            for state in node.query(_UNMARKED, timeout=_LONGEST).stdout.split():
                node.act(["pfctl", "-k", "id", "-k", state])


def _verify(node: Node, target: Target) -> None:
    if node.check_mode:
        return
    now = pfsync.find(node)
    left = pfsync_steps.drift(now, target) if now is not None else [] if target.device is None else [differs("pfsync0", None, "there")]
    if left:
        raise NodeError("pfsync0 does not run as configured: %s" % "; ".join("%s is %s, wanted is %s" % (item["setting"], item["is"], item["wanted"])
                                                                             for item in left))


def _settle(node: Node, before: Before, heard: List[str], expected: bool, held: bool) -> List[str]:
    """Wait for the states of the others, and tell what came of it."""
    ended = bulk.wait(node, bulk.longest(node) if expected or held else bulk.PATIENCE)
    if not ended:
        if held or expected:
            raise NodeError("pfsync0 did not get to an end of taking the states of the other nodes over (syncok: 0) within %.0f s" % bulk.longest(node))
        return ["no other node has answered yet, so its states are not here; the kernel goes on asking for about a minute"]
    told = bulk.since(heard, bulk.said(node))[-1:]
    if told == ["fail"] and expected:
        raise NodeError("no other node has sent its states (the kernel says: pfsync bulk fail), though there are states here that another one made; see that "
                        "pf and pfsync run there, and that the pass rules of both nodes let pfsync through, in and out")
    if told == ["fail"]:
        return ["no other node has sent its states (pfsync bulk fail), which is to be expected as long as the others are not set up alike"]
    notes = [] if bulk.calm(node, _number(before.kernel.get(sysctl.CARP_DEMOTION))) else [
        "CARP is still demoted (%s), for another reason than the states of the other nodes" % sysctl.CARP_DEMOTION]
    if told != ["done"]:
        notes.append("whether the states of the other nodes have come is not known: the kernel says so by CARP, which is not loaded or told to be silent")
    return notes


def _number(text: Optional[str]) -> Optional[int]:
    return int(text) if text is not None and re.fullmatch(r"-?\d+", text) else None
