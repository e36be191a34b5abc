# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keepalived does now, from the daemon itself and from the kernel. Changes nothing but the daemon's own dump file.

The daemon writes its states as JSON when it gets a signal (keepalived(8), ``--signum=JSON``); measured with 2.2.7: within 2 ms, and no
advert is late. The addresses come from the kernel, so that those that a dead daemon left behind are seen.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.facts import family_of
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_config import DUMP, RUN, RUNNING_COPY
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_parse import is_managed, parse
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.services import Unit
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

# keepalived's vrrp.h: VRRP_STATE_BACK, _MAST, _FAULT. 0 (starting), 97 and 98 (being deleted, stopping) are none of ours.
_STATES = {1: "standby", 2: "active", 3: "fault"}

# The daemon renames its file into place and fills it afterwards, so an empty one is waited for. $1: process, $2: file.
_DUMP_SCRIPT = """signal=$(keepalived --signum=JSON) || exit 3
rm -f -- "$2"
kill "-$signal" "$1" || exit 4
tries=0
while [ ! -s "$2" ]; do
    tries=$((tries + 1))
    [ "$tries" -le 200 ] || exit 5
    sleep 0.01
done
cat -- "$2"
"""
_DUMP_TROUBLE = {3: "it was built without JSON", 4: "it has just ended", 5: "it did not answer within 2 s"}


class LiveInstance(NamedTuple):
    """One VRRP instance as the daemon has it.

    Attributes:
        state: ``active``, ``standby``, ``fault``, or None while it starts or stops.
        since: epoch seconds of its last transition.
        addresses: its virtual addresses with prefix length.
        advert_interval: seconds.
    """

    state: Optional[str]
    interface: str
    id: int
    priority: int
    addresses: List[str]
    advert_interval: float
    since: Optional[float]


def live_instances(node: Node, pid: int) -> Dict[str, LiveInstance]:
    """Instance name -> what the running daemon says.

    Args:
        pid: the daemon's main process.
    Raises:
        NodeError: the daemon was not started by the unit as this collection sets it up, or does not answer.
    """
    environment = (node.read_text("/proc/%d/environ" % pid) or "").split("\0")
    if "TMPDIR=" + RUN not in environment:
        raise NodeError("keepalived runs without this collection's settings of its unit, so its states cannot be read; run hafirewall.cluster.virtual_ip")
    for _attempt in range(3):  # a dump of many instances may be read half-way
        done = node.query(["sh", "-c", _DUMP_SCRIPT, "sh", str(pid), DUMP], ok=None)
        if done.status != 0:
            raise NodeError("keepalived does not tell its states: %s" % _DUMP_TROUBLE.get(done.status, done.stderr.strip() or "status %d" % done.status))
        try:
            return _instances(json.loads(done.stdout))
        except ValueError:
            continue
    raise NodeError("keepalived does not tell its states: what it wrote is not JSON")


def addresses_on(node: Node) -> Dict[str, List[str]]:
    """Device -> the addresses that the kernel has on it, without prefix length.

    Raises:
        NodeError: ip(8) is absent or fails.
    """
    links = json.loads(node.query(["ip", "-json", "address", "show"]).stdout or "[]")
    return {link["ifname"]: [item["local"] for item in link.get("addr_info", []) if "local" in item] for link in links if "ifname" in link}


def present(instance: Dict[str, Any], found: Dict[str, List[str]]) -> List[str]:
    """Those of an instance's addresses that its interface has, as written in the instance."""
    here = {ipaddress.ip_address(address) for address in found.get(instance["interface"], [])}
    return [address for address in instance["addresses"] if _ip(address) in here]


def observe_vrrp(node: Node) -> Tuple[Dict[str, Any], List[Dict[str, str]]]:
    """Evidence ``vrrp``, and what could not be read as ``{"area": "vrrp", "reason"}``.

    The instances are those of the configuration as running; when nothing has run since boot, those of the file. Without a running daemon
    no instance has a state, but addresses that are still there are listed.

    Raises:
        NodeError: the node is of no known family, or systemd does not answer.
    """
    errors: List[Dict[str, str]] = []
    family = family_of(node)
    state = Unit(node, family.units["keepalived"]).state()
    installed = node.has("keepalived")
    text, running_text = node.read_text(family.keepalived_conf), node.read_text(RUNNING_COPY)
    configured = _configured(text, running_text, state.active)
    if text is not None and not is_managed(text):
        errors.append(_error("%s is not this collection's; its instances are not read" % family.keepalived_conf))
    live: Dict[str, LiveInstance] = {}
    if state.active and configured:
        try:
            live = live_instances(node, state.pid)
        except NodeError as error:
            errors.append(_error(str(error)))
    found: Optional[Dict[str, List[str]]] = None
    if configured:
        try:
            found = addresses_on(node)
        except (NodeError, ValueError) as error:
            errors.append(_error("the addresses of this node cannot be read: %s" % error))
    since = [item.since for item in live.values() if item.since is not None]
    return {
        "installed": installed, "enabled": state.enabled and not state.masked, "running": state.active,
        "config_current": (text == running_text) if state.active and running_text is not None else None,
        "instances": [_evidence(instance, live.get(instance["name"]), found) for instance in configured],
        "since": max(since) if since else None,
    }, errors


def _configured(text: Optional[str], running_text: Optional[str], running: bool) -> List[Dict[str, Any]]:
    if not running and not is_managed(text):
        return []  # given up: what /run remembers is past
    source = running_text if running_text is not None else text
    return parse(source)["instances"] if source is not None and is_managed(source) else []


def _evidence(instance: Dict[str, Any], live: Optional[LiveInstance], found: Optional[Dict[str, List[str]]]) -> Dict[str, Any]:
    keys = ("name", "interface", "id", "family", "priority", "addresses")
    return dict({key: instance[key] for key in keys}, state=live.state if live else None,
                addresses_present=None if found is None else present(instance, found))


def _instances(dump: Any) -> Dict[str, LiveInstance]:
    # 2.2 writes a list of instances; "json_version 2" of later releases puts it under "vrrp".
    rows = dump.get("vrrp", []) if isinstance(dump, dict) else dump
    live = {}
    for row in rows:
        data = row["data"]
        since = data.get("last_transition")
        addresses = [str(vip).partition(" ")[0] for vip in data.get("vips", [])]
        live[str(data["iname"])] = LiveInstance(
            _STATES.get(data["state"]), str(data["ifp_ifname"]), int(data["vrid"]), int(data["base_priority"]), addresses,
            float(data["adver_int"]), float(since) if since else None)
    return live


def _ip(address: str) -> Any:
    try:
        return ipaddress.ip_interface(address).ip
    except ValueError:
        return None


def _error(reason: str) -> Dict[str, str]:
    return {"area": "vrrp", "reason": reason}
