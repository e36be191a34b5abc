# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""keepalived.conf and the files beside it, rendered from the options of module virtual_ip. Pure.

What keepalived 2.2.7 was seen to do decides the shape:
it refuses a sync group of one, calls an interface tracked twice when the group names it too (a group faults with any member's own interface),
ignores ``authentication`` in VRRPv3, and rounds an advertisement interval that is no multiple of 10 ms.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Dict, List, Sequence

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError

MANAGED = "Managed by hafirewall.cluster"
RUN = "/run/hafirewall"
RUNNING_COPY = RUN + "/keepalived.conf"
RUNNING_DROP_IN = RUN + "/keepalived.service.conf"
DUMP = RUN + "/keepalived.json"
VRRP_STATE = RUN + "/vrrp-state"
MAINTENANCE = "/etc/hafirewall/maintenance"
LIBRARY = "/usr/local/lib/hafirewall"
ON_TRANSITION = LIBRARY + "/on-transition"
AFTER_STOP = LIBRARY + "/after-stop"
DROP_IN = "/etc/systemd/system/keepalived.service.d/hafirewall.conf"

_BARE = re.compile(r"[A-Za-z0-9_./:-]+\Z")
_QUOTABLE = re.compile(r"[^\x00-\x1f\x7f\"$\\]+\Z")


def render(params: Dict[str, Any]) -> str:
    """The text of keepalived.conf.

    Args:
        params: options of module virtual_ip, with at least one instance.
    Raises:
        NodeError: an option that keepalived's language cannot express, or that the transport needs and that is absent.
    """
    instances: Sequence[Dict[str, Any]] = params["instances"]
    grouped = len(instances) > 1
    lines = ["# " + MANAGED + "; changes made here are overwritten.", ""] + _globals(params) + [""]
    lines += _block("track_file maintenance", ["file " + _word(MAINTENANCE, "the maintenance file"), "weight 0"]) + [""]
    if grouped:
        group = _block("group", [_word(item["name"], "instances[].name") for item in instances])
        lines += _block("vrrp_sync_group " + _word(params["name"], "name"), group + _shared()) + [""]
    for index, instance in enumerate(instances):
        body = _instance(params, instance, "instances[%d]" % index) + ([] if grouped else _shared())
        lines += _block("vrrp_instance " + _word(instance["name"], "instances[%d].name" % index), body) + [""]
    return "\n".join(lines)


def drop_in(keepalived_conf: str) -> str:
    """What is added to keepalived's unit: it comes back after a crash, and the configuration as running is known.

    ``TMPDIR`` is where keepalived writes the states that evidence asks for; the common /tmp is open to other users.
    """
    return _DROP_IN.format(managed=MANAGED, conf=keepalived_conf, running=RUNNING_COPY, own=DROP_IN, started=RUNNING_DROP_IN, run=RUN, after_stop=AFTER_STOP)


def seconds(value: float) -> str:
    """A time as keepalived reads it, in hundredths of a second: ``0.01``, ``1``, ``2.5``."""
    return ("%.2f" % value).rstrip("0").rstrip(".")


def _globals(params: Dict[str, Any]) -> List[str]:
    body = [
        "vrrp_version 3",
        "script_user root",
        "enable_script_security",
        # A second round of announcements soon after takeover, and now and then later, for switches and hosts that missed the first.
        "vrrp_garp_master_delay 1",
        "vrrp_garp_master_refresh 60",
        # After a time of two active nodes the one that stays hears of the other's end, and announces itself again.
        "vrrp_higher_prio_send_advert true",
        # Adverts must leave in time on a busy machine. -1: no further scheduling changes, and no notice about them at each start.
        "vrrp_priority -20",
        "max_auto_priority -1",
    ]
    if params["transport"] == "unicast":
        body.append("vrrp_check_unicast_src")
    return _block("global_defs", body)


def _shared() -> List[str]:
    """What belongs to the group, or to an instance that is alone."""
    hooks = ["notify_%s \"%s %s\"" % (event, ON_TRANSITION, state)
             for event, state in (("master", "active"), ("backup", "standby"), ("fault", "fault"), ("stop", "stopped"))]
    return _block("track_file", ["maintenance"]) + hooks


def _instance(params: Dict[str, Any], instance: Dict[str, Any], path: str) -> List[str]:
    for address in instance["addresses"]:
        _check_address(address, instance["family"], path + ".addresses")
    body = [
        "state BACKUP",
        "interface " + _word(instance["interface"], path + ".interface"),
        "virtual_router_id %d" % instance["id"],
        "priority %d" % instance["priority"],
        "advert_int " + seconds(params["advert_interval"]),
    ]
    body += ["preempt_delay " + seconds(params["preempt_delay"])] if params["preempt"] else ["nopreempt"]
    if not params["track_interfaces"]:
        body.append("dont_track_primary")
    body += _transport(params, instance, path)
    # A deprecated address is not chosen as source: what the node itself sends must not come from an address that moves.
    option = " preferred_lft 0" if instance["family"] == "ipv6" else ""
    return body + _block("virtual_ipaddress", [address + option for address in instance["addresses"]])


def _transport(params: Dict[str, Any], instance: Dict[str, Any], path: str) -> List[str]:
    source, peers = instance.get("source"), instance.get("peers") or []
    if params["transport"] == "unicast":
        for key, value in (("source", source), ("peers", peers)):
            if not value:
                raise NodeError("%s.%s: needed with transport unicast; state the addresses of the nodes on %s" % (path, key, instance["interface"]))
        return ["unicast_src_ip %s" % source] + _block("unicast_peer", list(peers))
    # Pinned, because the peers' packet filters pass this source. IPv6 adverts to the group must come from a link-local address.
    return ["mcast_src_ip " + source] if source and instance["family"] == "ipv4" else []


def _check_address(address: str, family: str, path: str) -> None:
    try:
        version: int = ipaddress.ip_interface(address).version
    except ValueError:
        version = 0
    if "/" not in address or family != "ipv%d" % version:
        raise NodeError("%s: %r is no %s address with prefix length" % (path, address, family))


def _block(head: str, body: Sequence[str]) -> List[str]:
    return [head + " {"] + ["    " + line for line in body] + ["}"]


def _word(text: str, path: str) -> str:
    if _BARE.match(text):
        return text
    if not _QUOTABLE.match(text):
        raise NodeError("%s: %r holds a character that keepalived.conf cannot express; rename it" % (path, text))
    return '"%s"' % text


_DROP_IN = """# {managed}
[Unit]
# State sync is up before an address comes.
After=conntrackd.service
StartLimitIntervalSec=0

[Service]
Environment=TMPDIR={run}
Restart=on-failure
RestartSec=1
# The configuration as running: whoever changes the file later can see that the daemon has not read it yet.
ExecStartPre=-/usr/bin/install -D -m 0600 {conf} {running}
ExecStartPre=-/usr/bin/install -D -m 0600 {own} {started}
ExecReload=/usr/bin/install -D -m 0600 {conf} {running}
ExecStopPost=-{after_stop}
"""
