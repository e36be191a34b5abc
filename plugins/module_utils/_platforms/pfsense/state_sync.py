# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State sync on pfSense: pfsync, by the product's own settings and its own function. The settings are not carried by XMLRPC: each node has its own."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pfsync, sync_options
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, interfaces, pinned
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.operations import Operation, put, take
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense.release import release_of

ENABLED, INTERFACE, PEER, HOST_ID = (("hasync", key) for key in ("pfsyncenabled", "pfsyncinterface", "pfsyncpeerip", "pfhostid"))
POLICY = ("system", "statepolicy")
PATHS = (ENABLED, INTERFACE, PEER, HOST_ID, POLICY, *interfaces.PATHS, *pinned.PATHS)
# Came with host ids, so it tells where there are any.
HOST_ID_FUNCTION = "filter_get_host_id"
# Where there is a state policy, it is this one when nothing is configured.
DEFAULT_POLICY, POLICY_SINCE = "if-bound", ((2, 8, 0), (24, 3, 0))
SET_UP: bridge.Call = ("interfaces_sync_setup", None)
RELOAD: bridge.Call = ("filter_configure_sync", None)
# The one format of the kernels that have no choice.
OLDEST_FORMAT = 1301
# The kernel's word for its own default, which is the newest format that it knows.
ANY_FORMAT = 0

Drift = List[Dict[str, Any]]


class Wanted(NamedTuple):
    """What the options ask for: ``peer`` is None for multicast, ``host_id``, ``policy`` and ``version`` for any."""

    enabled: bool
    device: Optional[str]
    peer: Optional[str]
    host_id: Optional[str]
    policy: Optional[str]
    version: Optional[int]


def apply(node: Node, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Make state sync be as the options say.

    Args:
        params: options of the module state_sync.
    Returns:
        ``drift``, ``validation``, ``notes``; ``kernel_before`` and ``kernel_after`` are None, for nothing here touches the table.
    Raises:
        NodeError: an option that pfSense cannot have, a device that is no interface of the node's, an interface that is off or has another address, or
            a change that failed; then everything is as it was, or the error says what is not.
    """
    release = release_of(node)
    wanted = _wanted(node, params)
    result: Dict[str, Any] = {"drift": [], "validation": "not needed", "notes": [], "kernel_before": None, "kernel_after": None}

    def plan(reading: bridge.Reading) -> bridge.Change:
        now = pfsync.running(node)
        key = interfaces.assigned(reading, wanted.device, "interface") if wanted.device is not None else None
        if wanted.host_id is not None and HOST_ID_FUNCTION not in reading.functions:
            raise NodeError("host_id: %s has no such setting; it came with 2.7.0; leave the option out" % (release,))
        if wanted.policy is not None and not release.since(*POLICY_SINCE):
            raise NodeError("state_policy: %s has no such setting; it came with 2.8.0 and Plus 24.03; leave the option out" % (release,))
        drift, operations = _configured(reading, wanted, key)
        running = _running(now, wanted)
        # A host id and a policy are written into the packet filter's rules.
        of_rules = [operation for operation in operations if operation.path in (HOST_ID, POLICY)]
        calls = [SET_UP] if running or len(of_rules) < len(operations) else []
        calls += [RELOAD] if of_rules else []
        of_format, at_boot, formats = _format(reading, now, wanted)
        result["drift"] = drift + running + of_format
        if result["drift"]:
            result["validation"] = _validate(node, wanted, params["address"])
        description = "hafirewall.cluster: state sync %s" % ("on %s" % key if wanted.enabled else "off")
        back = calls + [(name, now.version) for name, _version in formats]
        return bridge.Change([*operations, *at_boot], calls + formats, description, back)

    bridge.settle(node, PATHS, plan, lambda: _verify(node, wanted), [HOST_ID_FUNCTION])
    return result


def _wanted(node: Node, params: Mapping[str, Any]) -> Wanted:
    host_id = sync_options.host_id(params)
    if not params["enabled"]:
        return Wanted(False, None, None, None, params["state_policy"], None)
    peer = sync_options.ipv4_peer(params, "pfSense")
    device = interfaces.there(node, params["interface"], params["coming"])
    return Wanted(True, device, peer, host_id, params["state_policy"], params["version"])


# Comparing


def _configured(reading: bridge.Reading, wanted: Wanted, key: Optional[str]) -> Tuple[Drift, List[Operation]]:
    values = reading.values
    drift: Drift = []
    operations: List[Operation] = []

    def differs(setting: str, path: bridge.Path, is_: Any, value: Optional[str]) -> None:
        drift.append(_differs(setting, is_, value if path != ENABLED else wanted.enabled))
        operations.append(take(path, values[path]) if value is None else put(path, value, values[path]))

    if wanted.policy is not None and (values[POLICY] or DEFAULT_POLICY) != wanted.policy:
        differs("state_policy", POLICY, values[POLICY] or DEFAULT_POLICY, wanted.policy)
    if not wanted.enabled:
        if values[ENABLED] is not None:
            differs("enabled", ENABLED, _shown_enabled(values[ENABLED]), None)
        return drift, operations
    if values[ENABLED] != "on":
        differs("enabled", ENABLED, _shown_enabled(values[ENABLED]), "on")
    if key is not None and values[INTERFACE] != key:
        differs("interface", INTERFACE, values[INTERFACE], key)
    if (values[PEER] or None) != wanted.peer:
        # The product's own pages leave an empty element where there is no peer.
        differs("peer", PEER, values[PEER] or None, wanted.peer or "")
    if wanted.host_id is not None and (values[HOST_ID] or "").lower() != wanted.host_id:
        differs("host_id", HOST_ID, values[HOST_ID] or None, wanted.host_id)
    return drift, operations


def _format(reading: bridge.Reading, now: pfsync.Pfsync, wanted: Wanted) -> Tuple[Drift, List[Operation], List[bridge.Call]]:
    """The format of the messages, at boot and now: what differs, what to write, and how to tell the kernel."""
    version = wanted.version
    if now.version is None and version not in (None, OLDEST_FORMAT):
        raise NodeError("version: this kernel has no choice of formats, and sends %d; leave the option out, or choose that one" % OLDEST_FORMAT)
    if now.version is None:
        # Its one format is the wanted one, and a command at boot would not be understood.
        version = None
    drift: Drift = []
    calls: List[bridge.Call] = []
    at_boot, before = pinned.changes(reading, version), pinned.pinned(reading)
    if at_boot:
        drift.append(_differs("format at boot", before, version))
    if version is None and before is not None and now.version is not None:
        calls.append(("ifconfig pfsync0 version", ANY_FORMAT))
    elif version is not None and now.version != version:
        drift.append(_differs("format as running", now.version, version))
        calls.append(("ifconfig pfsync0 version", version))
    return drift, at_boot, calls


def _shown_enabled(value: Optional[str]) -> Any:
    """The product's functions take any element for on, its pages the word alone."""
    return {None: False, "on": True}.get(value, "on for the kernel, off on the page")


def _running(now: pfsync.Pfsync, wanted: Wanted) -> Drift:
    """What runs otherwise than wanted. A peer that is left over where nothing is sent does no harm."""
    drift = [] if now.device == wanted.device else [_differs("device as running", now.device, wanted.device)]
    if now.up != wanted.enabled:
        drift.append(_differs("running", now.up, wanted.enabled))
    if wanted.enabled and now.peer != wanted.peer:
        drift.append(_differs("peer as running", now.peer, wanted.peer))
    return drift


def _differs(setting: str, is_: Any, wanted: Any) -> Dict[str, Any]:
    return {"setting": setting, "is": is_, "wanted": wanted}


# Validating


def _validate(node: Node, wanted: Wanted, address: Optional[str]) -> str:
    """The device has the address that the plan counts on. The product itself would take anything, and switch off without a word."""
    if wanted.device is not None:
        found = pfsync.addresses(node, wanted.device)
        if address not in found:
            raise NodeError("address: %s has not %s but %s; correct the intent or the node" % (wanted.device, address, ", ".join(found) or "no IPv4 address"))
    return "passed"


def _verify(node: Node, wanted: Wanted) -> None:
    """The product looks at no command's status, so the kernel is asked what came of it."""
    now = pfsync.running(node)
    left = _running(now, wanted)
    if wanted.version is not None and now.version not in (None, wanted.version):
        left.append(_differs("the format, which this kernel may not know,", now.version, wanted.version))
    if left:
        raise NodeError("pfsync0 does not run as configured: %s" % "; ".join("%s is %s, wanted is %s" % (item["setting"], item["is"], item["wanted"])
                                                                             for item in left))
