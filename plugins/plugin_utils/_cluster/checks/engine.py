# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of the engine: enabled, running, and set as planned on every node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import (
    ERROR,
    FAIL,
    PASS,
    SKIPPED,
    SWITCHED_OFF,
    WARN,
    ClusterView,
    NodeView,
    Verdict,
    host_of,
    weigh,
)
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.pfsync_rows import OLDEST_FORMAT

# What must be so, and what is said otherwise.
ENABLED = {
    "conntrackd": (("installed", True, "the engine is not installed"), ("masked", False, "the engine is masked"),
                   ("enabled", True, "the engine does not start at boot"), ("running", True, "the engine does not run")),
    "pfsync": (("enabled", True, "state sync is not in the node's configuration"), ("running", True, "pfsync0 is not up, or has no Sync device")),
}
SHARED_SETTINGS = {"conntrackd": ("mode", "transport", "group", "port", "external_cache", "checksum"), "pfsync": ("transport",)}
OWN_SETTINGS = ("interface", "address", "peer")


def state_sync_enabled(cluster: ClusterView) -> Iterator[Verdict]:
    """State sync starts at boot and runs, on every node: nothing carries that setting to a secondary."""
    for node in cluster.nodes:
        if not node.synced:
            running = " (yet the engine runs)" if node.flag("engine", "running") else ""
            yield Verdict(WARN, f"{SWITCHED_OFF}: connections are lost at a failover{running}", node.name)
            continue
        failures, unknowns = [], []
        for key, wanted, deviation in ENABLED[node.engine]:
            value = node.flag("engine", key)
            if value is None:
                unknowns.append(node.unknown(f"whether the engine is {key}", "engine"))
            elif value is not wanted:
                failures.append(deviation)
        # pfSense: an empty element counts as set where it is applied, and as not set where it is shown.
        hidden = ["it is enabled by an empty element, which the web interface shows as off"] if node.flag("engine", "empty") else []
        yield Verdict(*weigh(failures, unknowns[:1], hidden, "the engine is enabled and runs"), node.name)


def engine_running(cluster: ClusterView) -> Iterator[Verdict]:
    """The engine runs, and takes in what is sent to its group."""
    for node in cluster.nodes:
        running, joined = node.flag("engine", "running"), node.flag("engine", "joined")
        if not node.synced:
            yield Verdict(SKIPPED, SWITCHED_OFF, node.name)
        elif running is None:
            yield Verdict(ERROR, node.unknown("whether the engine runs", "engine"), node.name)
        elif not running:
            yield Verdict(FAIL, "the engine does not run", node.name)
        elif node.sync.get("group") and joined is None:
            yield Verdict(ERROR, node.unknown(f"whether the engine hears group {node.sync['group']}", "engine"), node.name)
        elif node.sync.get("group") and not joined:
            yield Verdict(FAIL, f"the engine runs, but {node.sync['interface']} is not in group {node.sync['group']}: it hears nothing", node.name)
        elif node.engine == "pfsync" and node.flag("engine", "synced") is None:
            yield Verdict(ERROR, node.unknown("whether it has got the states of the others since it began", "engine"), node.name)
        elif node.engine == "pfsync" and not node.flag("engine", "synced"):
            yield Verdict(WARN, "the engine runs, and has not got all states of the others yet (syncok 0)", node.name)
        else:
            yield Verdict(PASS, "the engine runs", node.name)


def config_current(cluster: ClusterView) -> Iterator[Verdict]:
    """The engine and the virtual addresses' service run with the configuration that is stored now."""
    for node in cluster.nodes:
        services = [("engine", "the engine")] if node.synced else []
        # CARP has no service; carp_agrees looks at what the kernel does.
        services += [("vrrp", "the virtual addresses' service")] if node.instances and node.engine == "conntrackd" else []
        if not services:
            yield Verdict(SKIPPED, "nothing is planned that is configured in one place and runs in another", node.name)
            continue
        failures, unknowns = [], []
        for area, title in services:
            current = node.flag(area, "config_current")
            if current is None:
                unknowns.append(node.unknown(f"whether {title} runs as configured", area))
            elif not current:
                failures.append(f"{title} runs with another configuration than is stored")
        yield Verdict(*weigh(failures, unknowns, [], "what runs is what is stored"), node.name)


def settings_agree(cluster: ClusterView) -> Iterator[Verdict]:
    """Each engine runs with the planned settings (one result per node), and all engines with the same (one for the cluster)."""
    if not cluster.synced:
        yield Verdict(SKIPPED, SWITCHED_OFF)
        return
    for node in cluster.nodes:
        yield _agrees_with_plan(node)
    unknown = [node.unknown("the engine's configuration as running", "engine") for node in cluster.nodes if not _config(node)]
    shared = SHARED_SETTINGS[cluster.engine]
    failures = _differing(cluster, shared)
    # A node understands older formats than its own, so that they differ need not be wrong; states_travel sees whether it is.
    warnings = _differing(cluster, ("version",)) if cluster.engine == "pfsync" else []
    yield Verdict(*weigh(failures, unknown, warnings, "all nodes run with the same " + ", ".join(shared)))


def _differing(cluster: ClusterView, settings: Sequence[str]) -> list[str]:
    found = []
    for setting in settings:
        values = {node.name: _shown(_value(node, setting)) for node in cluster.nodes if _config(node)}
        if len(set(values.values())) > 1:
            found.append(f"{setting} differs: " + ", ".join(f"{name} has {value}" for name, value in values.items()))
    return found


def _config(node: NodeView) -> Mapping[str, Any]:
    config = node.get("engine", "config")
    return config if isinstance(config, Mapping) else {}


def _value(node: NodeView, setting: str) -> Any:
    """A setting as running; a kernel that shows no format of pfsync's messages has the oldest one."""
    value = _config(node).get(setting)
    return OLDEST_FORMAT if setting == "version" and value is None else value


def _agrees_with_plan(node: NodeView) -> Verdict:
    config = _config(node)
    if not config:
        return Verdict(ERROR, node.unknown("the engine's configuration as running", "engine"), node.name)
    failures, unknowns, same = [], [], []
    for setting in SHARED_SETTINGS[node.engine] + OWN_SETTINGS:
        wanted = node.sync.get(setting)
        if wanted is None:
            continue  # a group without multicast, a peer without unicast
        if setting == "address" and node.sync.get("group") and ":" in str(wanted):
            continue  # conntrackd is told the interface alone where the group is of IPv6
        value = config.get(setting)
        if value is None:
            unknowns.append(f"{node.name}'s {setting} as running is not known")
        elif _shown(value) != _shown(wanted):
            failures.append(f"{node.name} runs with {setting} {_shown(value)}, the plan says {_shown(wanted)}")
        else:
            same.append(f"{setting} {_shown(value)}")
    warnings = []
    wanted, runs = node.sync.get("version"), _value(node, "version")
    if wanted is not None and runs != wanted:
        failures.append(f"{node.name} sends format {runs}, the plan says {wanted}")
    elif wanted is not None and config.get("version") is not None and node.get("engine", "pinned") != wanted:
        warnings.append(f"{node.name} sends format {wanted} until its next boot only")
    return Verdict(*weigh(failures, unknowns, warnings, "as planned: " + ", ".join(same)), node.name)


def _shown(value: Any) -> str:
    """A setting as text, so that two ways to write an address are one."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return host_of(value) or str(value)
