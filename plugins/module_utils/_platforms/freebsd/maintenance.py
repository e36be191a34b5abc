# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Planned absence of a node from its cluster: CARP demoted, now and, by a start script, from the first moment of each boot.

/etc/sysctl.conf is no place for the demotion, because a write of it adds: rc.d/sysctl of FreeBSD (libexec/rc/rc.d) writes all of that file before netif,
rc.d/sysctl_lastload writes it once more after LOGIN, and so does every ``service sysctl restart``; 480 and more would come of it, with nobody to tell how much.
A script in /usr/local/etc/rc.d runs once a boot: /etc/rc looks there after FILESYSTEMS and orders what it finds among its own, so ``BEFORE: netif`` has
the node demoted before it has an address. It keeps the record of :mod:`.demotion` too, so that it adds nothing when it is run again. The demotion is in the
kernel only while CARP is, so the script loads it.

A standby takes over from a demoted active node only with net.inet.carp.preempt (ip_carp.c, carp_input_c): without it, the ids are set to backup too.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import carp, sysctl
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd import carp_steps, demotion
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.carp_kernel import PREEMPT
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.freebsd.demotion import AMOUNT, HELD, RECORD
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

SCRIPT = "/usr/local/etc/rc.d/hafirewall_maintenance"
TEXT = """#!/bin/sh
# Written by hafirewall.cluster.maintenance: this node is in maintenance. It ends with "state: disabled" of that module, which removes this file.

# PROVIDE: hafirewall_maintenance
# REQUIRE: FILESYSTEMS
# BEFORE: netif

. /etc/rc.subr

name="hafirewall_maintenance"
desc="Keep this node in maintenance"
start_cmd="hafirewall_maintenance_start"
stop_cmd=":"

hafirewall_maintenance_start()
{
    kenv -q %(record)s > /dev/null && return 0
    kldstat -q -m carp || kldload carp || return 1
    kenv %(record)s="entering $(sysctl -n net.inet.carp.demotion)" > /dev/null &&
        sysctl net.inet.carp.demotion=%(amount)d > /dev/null &&
        kenv %(record)s=%(held)s > /dev/null
}

load_rc_config $name
run_rc_command "$1"
""" % {"record": RECORD, "amount": AMOUNT, "held": HELD}

Drift = List[Dict[str, Any]]


def observe(node: Node) -> Optional[bool]:
    """Whether the node is in maintenance now; None when that cannot be told."""
    return demotion.read(node).held


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Enter maintenance (``state`` enabled) or leave it (disabled), and wait until that has happened.

    Returns:
        ``drift``, ``validation``, ``maintenance`` (the state after the run) and ``handed_over`` (this run took addresses away from this node).
    Raises:
        NodeError: there are no virtual addresses, nobody takes over, they do not come back, or it cannot be told what is so; the node is then as it was.
    """
    wanted = params["state"] == "enabled"
    now, instances = demotion.read(node), carp.running(node)
    drift = _drift(node, now, wanted, wanted and params["persistent"])
    if wanted and not instances:
        raise NodeError("this node has no virtual addresses, so there is nothing to hand over; run hafirewall.cluster.virtual_ip first")
    with node.transaction():
        if wanted:
            _enter(node, now, instances, params["persistent"])
        elif drift:
            demotion.lift(node, now)
            node.remove(SCRIPT)
            carp.wait_for_maintenance(node, wanted)
    return {"drift": drift, "validation": "not needed", "maintenance": wanted, "handed_over": bool(wanted and drift and carp.held(instances))}


def _drift(node: Node, now: demotion.Demotion, wanted: bool, persistent: bool) -> Drift:
    drift: Drift = []
    if now.held is not wanted:
        drift.append({"setting": "maintenance", "is": now.held, "wanted": wanted})
    elif not now.complete:
        drift.append({"setting": "record of the demotion (kenv %s)" % RECORD, "is": now.record, "wanted": HELD if wanted else None})
    text = node.read_text(SCRIPT)
    if text != (TEXT if persistent else None):
        drift.append({"setting": "maintenance after a reboot", "is": text is not None if text in (None, TEXT) else "other content", "wanted": persistent})
    return drift


def _enter(node: Node, now: demotion.Demotion, instances: List[carp.Instance], persistent: bool) -> None:
    if persistent:
        node.write_text(SCRIPT, TEXT, 0o555)
    else:
        node.remove(SCRIPT)
    demotion.hold(node, now)
    if sysctl.parse(node.query(["sysctl", PREEMPT], ok=None).stdout).get(PREEMPT) != "1":
        for item in instances:
            if item.state == "active":
                node.act(["ifconfig", item.device, "vhid", str(item.id), "state", "backup", *carp_steps.peers(item.peer, item.peer6)])
    carp.wait_for_maintenance(node, True)
