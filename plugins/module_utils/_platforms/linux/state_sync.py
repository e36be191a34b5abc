# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State sync on Linux: conntrackd runs as described, or is off. Reads, compares, validates, applies, and waits until it is settled."""

from __future__ import annotations

import re
import sys
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import conntrackd_config, conntrackd_hooks, facts, interfaces, services
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.conntrackd_stats import (
    UNIT,
    established,
    group_joined,
    kernel_states,
    statistics,
    table_sizes,
)
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

BACKUP = conntrackd_hooks.CONFIG + ".before-hafirewall"
START_TIMEOUT = 30.0  # seconds until the daemon answers
SETTLE_TIMEOUT = 20.0  # seconds until the states of the peers have come in
_NOBODY = "/nonexistent/hafirewall/conntrackd.ctl"

Drift = List[Dict[str, Any]]
Result = Dict[str, Any]


class Before(NamedTuple):
    """What was found on the node."""

    config: Optional[str]
    running: Optional[str]
    unit: services.UnitState
    refresh: services.UnitState
    files: Dict[str, Optional[str]]
    modes: Dict[str, int]
    joined: Optional[bool]  # the group of the configuration as running


def apply(node: Node, params: Mapping[str, Any]) -> Result:
    """Make state sync be as the options say.

    Args:
        params: options of the module state_sync.
    Returns:
        ``drift`` ({"setting", "is", "wanted"} each), ``validation``, ``notes``, ``kernel_before`` and ``kernel_after``: states in the kernel's table
        (None when the kernel does not tell or nothing was restarted).
    Raises:
        NodeError: options that do not fit together, a package missing (not in check mode), a configuration that the daemon refuses, a daemon that
            does not come up, or a table that lost connections; then everything is as it was.
    """
    params = _settled_options(params)
    installed = node.has("conntrackd")
    if not installed and params["enabled"] and not node.check_mode:
        raise facts.missing_package_error(node, "conntrackd")
    unit, refresh = services.Unit(node, UNIT), services.Unit(node, conntrackd_hooks.REFRESH_UNIT)
    wanted = conntrackd_hooks.files(params, sys.executable)
    before = _read(node, unit, refresh, wanted, installed)
    result: Result = {"drift": [], "validation": "not needed", "notes": [], "kernel_before": None, "kernel_after": None}
    if not params["enabled"]:
        return _disable(node, unit, refresh, wanted, before, result)
    sizes, assumed = table_sizes(node)
    if assumed:
        result["notes"].append(assumed)
    config = conntrackd_config.render(params, sizes)
    result["drift"] = _drift(config, wanted, before, conntrackd_hooks.refresh_wanted(params))
    if result["drift"]:
        result["validation"] = _validate(node, params, sizes, installed)
        with services.transaction(node, unit, refresh):
            _enable(node, unit, refresh, config, wanted, before, result)
    return result


def _settled_options(params: Mapping[str, Any]) -> Dict[str, Any]:
    options = dict(params)
    if options.get("host_id") is not None:
        raise NodeError("host_id: conntrackd has none; leave the option out")
    if options.get("version") is not None:
        raise NodeError("version: conntrackd has one format of messages; leave the option out")
    if not options["enabled"]:
        return options
    alarm = options["mode"] == "alarm"
    if options.get("external_cache") is None:
        options["external_cache"] = alarm
    if alarm and not options["external_cache"]:
        raise NodeError("external_cache: mode alarm always keeps states in the external cache; leave the option out, set it to true, or choose another mode")
    counterpart = "group" if options["transport"] == "multicast" else "peer"
    if not options.get(counterpart):
        raise NodeError("%s: transport %s needs it" % (counterpart, options["transport"]))
    if (":" in options["address"]) != (":" in options[counterpart]):
        raise NodeError("%s: %s is not of the same address family as address %s" % (counterpart, options[counterpart], options["address"]))
    problem = conntrackd_config.device_problem(options["interface"])
    if problem:
        raise NodeError("interface: %s cannot be used: %s; rename the device" % (options["interface"], problem))
    return options


def _read(node: Node, unit: services.Unit, refresh: services.Unit, wanted: Mapping[str, Any], installed: bool) -> Before:
    state = unit.state()
    if not installed:
        # What the node will be once the package is there, so that a prediction holds for the run that follows the installation.
        state = state._replace(enabled=facts.family_of(node).starts_services)
    running = node.read_text(conntrackd_hooks.RUNNING_COPY)
    joined = group_joined(node, conntrackd_config.parse(running)) if state.active and running is not None else None
    return Before(node.read_text(conntrackd_hooks.CONFIG), running, state, refresh.state(),
                  {path: node.read_text(path) for path in wanted}, _modes(node, wanted), joined)


def _modes(node: Node, paths: Iterable[str]) -> Dict[str, int]:
    rows = [line.split(" ", 1) for line in node.query(["stat", "-c", "%a %n"] + list(paths), ok=None).stdout.splitlines()]
    return {row[1]: int(row[0], 8) for row in rows}


def _is_managed(text: Optional[str]) -> bool:
    return text is not None and text.startswith("# " + conntrackd_config.MANAGED)


# Comparing


def _drift(config: str, wanted: Mapping[str, Optional[conntrackd_hooks.File]], before: Before, refreshes: bool) -> Drift:
    drift: Drift = []
    if before.config != config:
        drift += _config_drift(before.config, config)
    elif before.running != config:
        drift.append(_differs("configuration as running", "unknown" if before.running is None else "older than the file", "the file"))
    elif before.joined is False:
        drift.append(_differs("multicast group joined", False, True))
    for path, file in wanted.items():
        old = before.files[path]
        if old != (file.text if file else None):
            drift.append(_differs(path, "absent" if old is None else "different", "present" if file else "absent"))
        elif file and before.modes.get(path, file.mode) != file.mode:
            drift.append(_differs(path, "mode %04o" % before.modes[path], "mode %04o" % file.mode))
    drift += _unit_drift("conntrackd", before.unit, True)
    return drift + _unit_drift("refresh of quiet states", before.refresh, refreshes)


def _config_drift(old: Optional[str], new: str) -> Drift:
    if old is None:
        return [_differs("configuration", "absent", "present")]
    is_, wanted = conntrackd_config.parse(old), conntrackd_config.parse(new)
    drift = [_differs(key, is_[key], value) for key, value in wanted.items() if key != "socket" and is_[key] != value]
    return drift or [_differs("configuration", "different", "as managed")]


def _unit_drift(name: str, state: services.UnitState, wanted: bool) -> Drift:
    drift = []
    if wanted and state.masked:
        drift.append(_differs(name + " masked", True, False))
    if state.enabled != wanted:
        drift.append(_differs(name + " enabled at boot", state.enabled, wanted))
    if state.active != wanted:
        drift.append(_differs(name + " running", state.active, wanted))
    return drift


def _differs(setting: str, is_: Any, wanted: Any) -> Dict[str, Any]:
    return {"setting": setting, "is": is_, "wanted": wanted}


# Validating


def _validate(node: Node, params: Mapping[str, Any], sizes: conntrackd_config.Sizes, installed: bool) -> str:
    if not installed:
        return "not possible yet: package %s is not installed" % facts.family_of(node).packages["conntrackd"]
    absent = interfaces.still_absent(node, [params["interface"]], params["coming"])
    if absent:
        return "not possible yet: %s is not there" % absent[0]
    # There is no option to check a file. A client reads the whole file first and then looks for the daemon's socket, which cannot exist here:
    # the complaint about that is the only one that a good file causes.
    candidate = conntrackd_config.render(params, sizes, socket=_NOBODY)
    said = node.query(["conntrackd", "-C", "/dev/stdin", "-s"], stdin=candidate, ok=None).stderr
    problems = complaints(said)
    if problems:
        raise NodeError("conntrackd refuses the new configuration, nothing was changed: %s" % "; ".join(problems))
    if "can't connect" not in said:
        raise NodeError("conntrackd did not say whether it accepts the new configuration; it said: %s" % (said.strip() or "nothing"))
    return "passed"


def complaints(stderr: str) -> List[str]:
    """What conntrackd finds wrong with a configuration, without time stamps; empty when it is good."""
    lines = [re.sub(r"^\[[^\]]*\] \(pid=\d+\) (\[[^\]]*\] )?", "", line).strip() for line in stderr.splitlines()]
    problems = [line for line in lines if line and "can't connect" not in line]
    return [line + " (package netbase has that file)" if "/etc/protocols" in line else line for line in problems]


# Applying


def _enable(node: Node, unit: services.Unit, refresh: services.Unit, config: str, wanted: Mapping[str, Optional[conntrackd_hooks.File]],
            before: Before, result: Result) -> None:
    _keep_foreign(node, before)
    node.write_text(conntrackd_hooks.CONFIG, config)
    changed = _write_files(node, wanted)
    if before.unit.needs_reload or before.refresh.needs_reload or changed & {conntrackd_hooks.DROP_IN, conntrackd_hooks.REFRESH_UNIT_FILE}:
        services.daemon_reload(node)
    if before.unit.masked:
        unit.unmask()
    if before.unit.masked or not before.unit.enabled:
        unit.enable()
    if not before.unit.active or before.running != config or before.joined is False:
        if not node.check_mode:
            result["kernel_before"], alive = kernel_states(node), established(node)
        unit.restart()
        if not node.check_mode:
            result["kernel_after"] = _settle(node, unit, alive, result["notes"])
    _set_refresh(refresh, before, wanted[conntrackd_hooks.REFRESH_UNIT_FILE] is not None,
                 bool(changed & {conntrackd_hooks.REFRESH_UNIT_FILE, conntrackd_hooks.REFRESH_PROGRAM}))


def _keep_foreign(node: Node, before: Before) -> None:
    if before.config is None or _is_managed(before.config) or node.read_text(BACKUP) is not None:
        return
    if not facts.is_package_default(node, "conntrackd", conntrackd_hooks.CONFIG):
        node.write_text(BACKUP, before.config)


def _write_files(node: Node, wanted: Mapping[str, Optional[conntrackd_hooks.File]]) -> "set[str]":
    changed = set()
    for path, file in wanted.items():
        if file is not None and node.write_text(path, file.text, file.mode):
            changed.add(path)
    return changed


def _set_refresh(refresh: services.Unit, before: Before, wanted: bool, changed: bool) -> None:
    node = refresh.node
    if wanted:
        if before.refresh.masked:
            refresh.unmask()
        if before.refresh.masked or not before.refresh.enabled:
            refresh.enable()
        if changed or not before.refresh.active:
            refresh.restart()
        return
    if before.refresh.active:
        refresh.stop()
    if before.refresh.enabled:
        refresh.disable()
    removed = [node.remove(path) for path in (conntrackd_hooks.REFRESH_UNIT_FILE, conntrackd_hooks.REFRESH_PROGRAM)]
    if any(removed):
        services.daemon_reload(node)


def _settle(node: Node, unit: services.Unit, alive: int, notes: List[str]) -> Optional[int]:
    if not node.wait_for(lambda: unit.state().active and statistics(node) is not None, START_TIMEOUT, 0.2):
        words = unit.last_words()
        raise NodeError("conntrackd does not answer %.0f s after its start (%s)%s" % (
            START_TIMEOUT, unit.state().detail, "; its journal ends with: " + words if words else ""))
    # Connections end all the time; a fifth of the established ones does not end by itself in the moment of a restart.
    left = established(node)
    if alive - left > max(50, alive // 5):
        raise NodeError("the kernel's table shrank from %d to %d established connections while conntrackd was restarted" % (alive, left))
    counts: List[Optional[int]] = []

    def steady() -> bool:
        # The daemon asks its peers for their states as it starts; they take a second to answer. Live traffic never stands quite still.
        counts.append(kernel_states(node))
        recent = [count or 0 for count in counts[-4:]]
        return len(recent) == 4 and max(recent) - min(recent) <= max(5, max(recent) // 100)

    if not node.wait_for(steady, SETTLE_TIMEOUT, 0.5):
        notes.append("the kernel's table still changed by more than one per cent a second %.0f s after the start" % SETTLE_TIMEOUT)
    return kernel_states(node)


def _disable(node: Node, unit: services.Unit, refresh: services.Unit, wanted: Mapping[str, Any], before: Before, result: Result) -> Result:
    managed = _is_managed(before.config) or before.files[conntrackd_hooks.DROP_IN] is not None
    # A daemon that only gathers statistics is somebody else's and does no harm; one that syncs is what was asked to be off.
    syncs = managed or (before.config is not None and conntrackd_config.parse(before.config)["mode"] not in (None, "stats"))
    drift = _unit_drift("conntrackd", before.unit, False) if syncs else []
    drift += _unit_drift("refresh of quiet states", before.refresh, False)
    drift += [_differs(path, "present", "absent") for path in wanted if before.files[path] is not None]
    if _is_managed(before.config):
        drift.append(_differs("configuration", "present", "absent"))
    result["drift"] = drift
    if not drift:
        return result
    with services.transaction(node, unit, refresh):
        for path in wanted:
            if path not in (conntrackd_hooks.REFRESH_UNIT_FILE, conntrackd_hooks.REFRESH_PROGRAM, conntrackd_hooks.DROP_IN):
                node.remove(path)
        _set_refresh(refresh, before, False, False)
        if syncs and before.unit.active:
            unit.stop()
        if syncs and before.unit.enabled:
            unit.disable()
        if _is_managed(before.config):
            node.remove(conntrackd_hooks.CONFIG)
        node.remove(conntrackd_hooks.RUNNING_COPY)
        if node.remove(conntrackd_hooks.DROP_IN):
            services.daemon_reload(node)
    return result
