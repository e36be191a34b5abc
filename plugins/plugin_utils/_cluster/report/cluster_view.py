# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the cluster's picture shows of each node, worked out from plan, evidence and checks. No drawing here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.protocols import PLATFORMS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import ENGINES
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.clean import number
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.words import UNKNOWN, count, known, plural, yes_no

CARP_PLATFORMS = tuple(platform for platform, engine in ENGINES.items() if engine == "pfsync")

# The element of the picture that a check is about.
_ELEMENT = {
    "roles_disjoint": "role", "maintenance": "role", "versions_equal": "role",
    "state_sync_enabled": "engine", "settings_agree": "engine", "states_travel": "engine", "engine_running": "engine", "config_current": "engine",
    "quiet_states": "engine", "host_ids": "engine", "state_policy_equal": "engine", "state_interfaces": "engine", "rules_equal": "engine",
    "formats_agree": "engine", "peer_understood": "engine", "bulk_done": "engine", "demotion": "role", "carp_agrees": "role", "config_sync": "role",
    "config_versions": "role",
    "pass_rule": "sync", "sync_dedicated": "sync", "sync_speed": "sync", "mtu_equal": "sync", "pfsync_mtu": "sync", "sync_bandwidth": "sync",
    "sync_isolated": "network",
}
_MARKED = ("fail", "error", "warn")


@dataclass
class Line:
    """One line in a node's box.

    ``kind`` is text, mono, device, vip, problem or meter. ``value`` is a meter's share (0..1), a device's link, whether a virtual IP is held,
    or a problem's status; a problem's ``note`` is its reason.
    """

    kind: str
    text: str
    value: Any = None
    soft: bool = False
    note: str = ""


@dataclass
class NodeView:
    """A node's box, block by block, so that the same block stands at the same height in every node."""

    name: str
    state: str  # active, standby, fault, mixed, maintenance, stopped, none, unknown
    role: str
    system: str
    carp: bool
    blocks: dict[str, list[Line]] = field(default_factory=dict)


def node_state(plan: dict[str, Any], evidence: dict[str, Any] | None) -> str:
    """What the node does now, from its evidence alone; what is not known is "unknown", never guessed."""
    if not evidence:
        return UNKNOWN
    if evidence.get("maintenance") is True:
        return "maintenance"
    vrrp = evidence.get("vrrp") or {}
    if vrrp.get("running") is False:
        return "stopped" if (plan.get("virtual_ip") or {}).get("instances") else "none"
    states = {instance.get("state") for instance in vrrp.get("instances") or []}
    if not states or not states <= {"active", "standby", "fault"}:
        return UNKNOWN
    if "fault" in states:
        return "fault"
    return "mixed" if len(states) > 1 else states.pop()


def node_view(name: str, plan: dict[str, Any], evidence: dict[str, Any] | None, checks: list[dict[str, Any]]) -> NodeView:
    """A node's box. ``checks`` are those to mark on this node."""
    evidence = evidence or None
    found, system = evidence or {}, (evidence or {}).get("os") or {}
    view = NodeView(name, node_state(plan, evidence), plan.get("role") or "role unknown",
                    " ".join(filter(None, (_title(system.get("id")), *(str(system.get(key) or "") for key in ("edition", "version"))))) or "system unknown",
                    plan.get("platform") in CARP_PLATFORMS)
    view.blocks["role"] = _problems(checks, "role") + _problems(checks, None)
    interfaces = {interface.get("name"): interface for interface in found.get("interfaces") or []}
    wanted = (plan.get("virtual_ip") or {}).get("instances") or []
    present = held(plan, found)
    sync = plan.get("state_sync") or {}
    for place, device in enumerate(dict.fromkeys(instance.get("interface") for instance in wanted)):
        if device != sync.get("interface"):
            view.blocks[f"interface {place}"] = _interface(device, interfaces, evidence, wanted, present)
    view.blocks["engine"] = _engine(view.carp, found, evidence) + _problems(checks, "engine")
    if sync.get("enabled"):
        view.blocks["sync"] = _sync_interface(sync, interfaces, evidence, wanted, present) + _problems(checks, "sync") + _problems(checks, "network")
    else:
        view.blocks["engine"] += _problems(checks, "sync") + _problems(checks, "network")
    return view


def marks(checks: list[dict[str, Any]], states: dict[str, str]) -> tuple[dict[str, list[dict[str, Any]]], list[dict[str, Any]]]:
    """Sorts the checks worth marking: those of each node, and those of what all share (the Sync network).

    A roles_disjoint that names no node concerns every active one, and all when none is.
    """
    active = [name for name, state in states.items() if state in ("active", "mixed")] or list(states)
    nodes: dict[str, list[dict[str, Any]]] = {name: [] for name in states}
    shared = []
    for check in checks:
        if check["status"] not in _MARKED:
            continue
        if check["node"] in nodes:
            nodes[check["node"]].append(check)
        elif check["id"] == "roles_disjoint":
            for name in active:
                nodes[name].append(check)
        else:
            shared.append(check)
    return nodes, shared


def strangers(plans: dict[str, Any], evidence: dict[str, Any]) -> list[tuple[str, str]]:
    """Neighbours and senders on the Sync segment that are no member, (address, MAC), as seen by any node.

    As in the check sync_isolated, the MAC decides; the address alone only for a member whose MACs nobody has read.
    """
    interfaces = {host: (evidence.get(host) or {}).get("interfaces") or [] for host in plans}
    macs = {host: {str(interface["mac"]).lower() for interface in interfaces[host] if interface.get("mac")} for host in plans}
    own = set().union(*macs.values())
    unread = {str((plan.get("state_sync") or {}).get("address")) for host, plan in plans.items() if not macs[host]}
    seen: dict[str, str] = {}
    for found in evidence.values():
        senders = ((found or {}).get("watch") or {}).get("senders") or []
        for one in (((found or {}).get("segment") or {}).get("neighbours") or []) + [
                {"address": sender.get("address"), "mac": mac} for sender in senders for mac in sender.get("macs") or []]:
            address, mac = str(one.get("address")), str(one.get("mac") or "").lower()
            if mac not in own and address not in unread:
                seen.setdefault(address, mac)
    return sorted(seen.items())


def _title(os_id: Any) -> str:
    return PLATFORMS[os_id].title if os_id in CARP_PLATFORMS else str(os_id or "").capitalize()


def held(plan: dict[str, Any], found: dict[str, Any]) -> set[str]:
    """The virtual addresses that the node answers for: by VRRP those that it has, by CARP, which has them on every node, those that it is active for."""
    running = (found.get("vrrp") or {}).get("instances") or []
    if plan.get("platform") not in CARP_PLATFORMS:
        return {host_of(address) for instance in running for address in instance.get("addresses_present") or []}
    active = {_place(instance) for instance in running if instance.get("state") == "active"}
    wanted = (plan.get("virtual_ip") or {}).get("instances") or []
    return {host_of(address) for instance in wanted if _place(instance) in active for address in instance.get("addresses") or []}


def _place(instance: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(instance.get(key) for key in ("interface", "id", "family"))


def _interface(device: str, interfaces: dict[Any, Any], evidence: dict[str, Any] | None, wanted: list[dict[str, Any]], present: set[str]) -> list[Line]:
    found = interfaces.get(device)
    lines = [Line("device", known(device), _link(found, evidence))]
    virtual = {host_of(address) for instance in wanted for address in instance.get("addresses") or []}
    if found:
        lines += [Line("mono", str(address), soft=True) for address in found.get("addresses") or []
                  if host_of(address) not in virtual and not str(address).lower().startswith("fe80:")]
    for instance in wanted:
        if instance.get("interface") == device:
            for address in instance.get("addresses") or []:
                lines.append(Line("vip", f"{host_of(address)} id {known(instance.get('id'))}", host_of(address) in present))
    return lines


def host_of(address: Any) -> str:
    """An address without its prefix length."""
    return str(address).partition("/")[0]


def _link(found: dict[str, Any] | None, evidence: dict[str, Any] | None) -> str:
    if found is None:
        return UNKNOWN if not evidence or evidence.get("interfaces") is None else "missing"
    return yes_no(found.get("up"), "up", "down")


def _sync_interface(sync: dict[str, Any], interfaces: dict[Any, Any], evidence: dict[str, Any] | None, wanted: list[dict[str, Any]],
                    present: set[str]) -> list[Line]:
    device = sync.get("interface")
    lines = _interface(str(device), interfaces, evidence, wanted, present)
    if len(lines) == 1 and sync.get("address"):
        lines.append(Line("mono", f"{sync['address']} (planned)", soft=True))
    found = interfaces.get(device)
    if found:
        speed = number(found.get("speed"))
        rate = "speed unknown" if speed is None else (f"{speed / 1000:g} Gbit/s" if speed >= 1000 else f"{speed:g} Mbit/s")
        lines.append(Line("text", f"MTU {known(found.get('mtu'))}, {rate}", soft=True))
    return lines


def _engine(carp: bool, found: dict[str, Any], evidence: dict[str, Any] | None) -> list[Line]:
    engine = found.get("engine") or {}
    if not evidence:
        return [Line("text", "Engine unknown"), Line("meter", "States unknown", None)]
    name = str(engine.get("name") or "engine")
    if engine.get("installed") is False:
        doing = f"{name} not installed"
    else:
        doing = f"{name} {yes_no(engine.get('running'), 'running', 'stopped')}" + (", masked" if engine.get("masked") else "")
    mode = (engine.get("config") or {}).get("mode")
    tables = engine.get("tables") or {}
    kernel, limit = number(tables.get("kernel")), number(tables.get("kernel_max"))
    states = plural(int(kernel), "state") if kernel is not None else "States unknown"
    share = kernel / limit if kernel is not None and limit else None
    lines = [Line("text", f"{doing}, {mode}" if mode else doing), Line("meter", states if share is None else f"{states}, {share:.0%} full", share)]
    counters = engine.get("counters")
    if counters and not carp:
        lines.append(Line("text", f"{count(counters.get('lost'))} lost, {count(counters.get('malformed'))} malformed", soft=True))
    return lines


def _problems(checks: list[dict[str, Any]], element: str | None) -> list[Line]:
    return problem_lines([check for check in checks if _ELEMENT.get(check["id"]) == element])


def problem_lines(checks: list[dict[str, Any]]) -> list[Line]:
    """A line with its reason for each check that fails or warns, and one line for all that could not be judged."""
    lines = [Line("problem", check["id"], check["status"], note=check["reason"]) for check in checks if check["status"] != "error"]
    unjudged = [check["id"] for check in checks if check["status"] == "error"]
    if len(unjudged) == 1:
        lines.append(Line("problem", f"{unjudged[0]} not judged", "error"))
    elif unjudged:
        lines.append(Line("problem", f"{len(unjudged)} checks not judged", "error", note=", ".join(unjudged)))
    return lines
