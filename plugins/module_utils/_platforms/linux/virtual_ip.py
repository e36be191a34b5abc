# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual addresses that move between the nodes: keepalived under systemd."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import interfaces
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import keepalived_config as config
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.facts import Family, family_of, missing_package_error
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_parse import is_managed, parse
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_scripts import AFTER_STOP_TEXT, ON_TRANSITION_TEXT
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_state import live_instances
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.services import Unit, UnitState, daemon_reload, transaction
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Node, NodeError

Drift = List[Dict[str, Any]]
START_TIMEOUT = 15.0  # seconds; keepalived has its first states within 0.1 s of its start, see docs

# keepalived ignores a file that is no regular one, says so and exits with 0: any word is a failure, and standard input cannot be the file.
# Seen with 2.3.3, not with 2.2.7: a tracked file ($1) whose folder is not there yet is refused, so here it lies beside the configuration.
_TEST_SCRIPT = """folder=$(mktemp -d) || exit 9
trap 'rm -rf "$folder"' EXIT
sed "s,$1,$folder/tracked," > "$folder/keepalived.conf" || exit 9
keepalived --config-test --use-file="$folder/keepalived.conf" 2>&1
"""


def apply(node: Node, params: Dict[str, Any]) -> Dict[str, Any]:
    """Make the node take part in moving the addresses as described, or (``instances`` empty) no longer.

    Args:
        params: options of module virtual_ip.
    Returns:
        ``drift`` and ``validation``.
    Raises:
        NodeError: package missing, a configuration that keepalived refuses, a folder of the hooks that others can write, a daemon that does not come
            up; everything is then as it was.
    """
    if params.get("password") is not None:
        raise NodeError("password: VRRP version 3 has no authentication; leave the option out, and keep strangers off the segment")
    family = family_of(node)
    unit = Unit(node, family.units["keepalived"])
    if not params["instances"]:
        return _off(node, unit, family)
    return _on(node, unit, family, params)


def _on(node: Node, unit: Unit, family: Family, params: Dict[str, Any]) -> Dict[str, Any]:
    text = config.render(params)
    installed = node.has("keepalived")
    if not installed and not node.check_mode:
        raise missing_package_error(node, "keepalived")
    state = unit.state()
    if not installed:
        # Debian enables a service when its package comes; then only the start is left to do.
        state = state._replace(enabled=family.name == "debian")
    old = node.read_text(family.keepalived_conf)
    files = _files(family, text)
    drift = _config_drift(old, text) + _unit_drift(node, state, old, text, files)
    if not drift:
        loose = _write(node, files)
        return {"drift": [{"setting": "permissions of " + path, "is": "other", "wanted": "%04o" % files[path][1]} for path in loose],
                "validation": "not needed"}
    absent = interfaces.still_absent(node, [item["interface"] for item in params["instances"]], params["coming"])
    if not installed:
        validation = "not possible yet: package %s is not installed" % family.packages["keepalived"]
    else:
        validation = "not possible yet: %s is not there" % ", ".join(absent) if absent else _validate(node, text)
    with transaction(node, unit):
        if old is not None and not is_managed(old) and node.read_text(_kept(family)) is None:
            node.write_text(_kept(family), old, 0o600)
        if node.read_text(config.MAINTENANCE) is None:
            node.write_text(config.MAINTENANCE, "0\n")
        restart = node.read_text(config.RUNNING_DROP_IN) != files[config.DROP_IN][0] or node.read_text(config.RUNNING_COPY) is None
        reload_units = config.DROP_IN in _write(node, files) or state.needs_reload
        if reload_units:
            daemon_reload(node)
        _run(unit, state, restart, reread=node.read_text(config.RUNNING_COPY) != text)
        _wait_until_running(node, unit, params)
    return {"drift": drift, "validation": validation}


def _run(unit: Unit, state: UnitState, restart: bool, reread: bool) -> None:
    if state.masked:
        unit.unmask()
    if not state.enabled or state.masked:
        unit.enable()
    if not state.active:
        unit.start()
    elif restart:
        unit.restart()
    elif reread:
        unit.reload()


def _off(node: Node, unit: Unit, family: Family) -> Dict[str, Any]:
    ours = is_managed(node.read_text(family.keepalived_conf))
    paths = [path for path in (family.keepalived_conf if ours else "", config.DROP_IN, config.ON_TRANSITION, config.AFTER_STOP)
             if path and node.read_text(path) is not None]
    state = unit.state()
    stop, disable = ours and state.active, ours and state.enabled
    drift: Drift = [{"setting": path, "is": "present", "wanted": "absent"} for path in paths]
    drift += [{"setting": setting, "is": True, "wanted": False} for setting, is_so in (("running", stop), ("enabled at boot", disable)) if is_so]
    if not drift:
        return {"drift": drift, "validation": "not needed"}
    with transaction(node, unit):
        if stop:
            unit.stop()
        if disable:
            unit.disable()
        for path in paths:
            node.remove(path)
        if config.DROP_IN in paths:
            daemon_reload(node)
    return {"drift": drift, "validation": "not needed"}


def _files(family: Family, text: str) -> Dict[str, Tuple[str, int]]:
    """Path -> text and mode, the configuration last: until it is there, a crash leaves what ran before."""
    return {
        config.ON_TRANSITION: (ON_TRANSITION_TEXT, 0o755),
        config.AFTER_STOP: (AFTER_STOP_TEXT, 0o755),
        config.DROP_IN: (config.drop_in(family.keepalived_conf), 0o644),
        family.keepalived_conf: (text, 0o640),
    }


def _write(node: Node, files: Dict[str, Tuple[str, int]]) -> List[str]:
    return [path for path, (text, mode) in files.items() if node.write_text(path, text, mode)]


def _kept(family: Family) -> str:
    return family.keepalived_conf + ".before-hafirewall"


def _validate(node: Node, text: str) -> str:
    """Let keepalived itself judge the text, and the folders that its hooks are run from.

    Raises:
        NodeError: it says anything at all about the text, or it would refuse to run the hooks.
    """
    done = node.query(["sh", "-c", _TEST_SCRIPT, "sh", config.MAINTENANCE], stdin=text, ok=None)
    if done.status != 0 or done.stdout.strip():
        said = done.stdout.strip() or done.stderr.strip() or "nothing"
        raise NodeError("keepalived refuses the configuration (status %d): %s; nothing was changed" % (done.status, said))
    parts = config.LIBRARY.split("/")
    folders = ["/".join(parts[:count]) for count in range(2, len(parts) + 1)]
    for line in node.query(["stat", "--format", "%u %g %a %n"] + folders, ok=None).stdout.splitlines():
        owner, group, mode, folder = line.split(" ", 3)
        bits = int(mode, 8)
        if owner != "0" or bits & 0o002 or (bits & 0o020 and group != "0"):
            raise NodeError("keepalived would not run its hooks, because others than root can write in %s (owner %s, group %s, mode %s); "
                            "run: chown root %s && chmod go-w %s; nothing was changed" % (folder, owner, group, mode, folder, folder))
    return "passed"


def _wait_until_running(node: Node, unit: Unit, params: Dict[str, Any]) -> None:
    wanted = {item["name"]: _signature(item["interface"], item["id"], item["priority"], params["advert_interval"], item["addresses"])
              for item in params["instances"]}
    trouble = ["it did not start"]

    def settled() -> bool:
        state = unit.state()
        if not state.active:
            trouble[0] = "it is %s" % state.detail
            return False
        try:
            live = live_instances(node, state.pid)
        except NodeError as error:
            trouble[0] = str(error)
            return False
        found = {name: _signature(item.interface, item.id, item.priority, item.advert_interval, item.addresses) for name, item in live.items()}
        waiting = sorted(name for name, item in live.items() if item.state is None)
        if found != wanted:
            trouble[0] = "it still has other settings for %s" % ", ".join(
                sorted(str(name) for name in set(found) | set(wanted) if found.get(name) != wanted.get(name)))
        elif waiting:
            trouble[0] = "no state yet of %s" % ", ".join(waiting)
        elif node.read_text(config.VRRP_STATE) is None:
            trouble[0] = "it does not run %s" % config.ON_TRANSITION
        else:
            return True
        return False

    if not node.wait_for(settled, START_TIMEOUT):
        words = unit.last_words()
        raise NodeError("keepalived is not ready after %.0f s: %s%s" % (START_TIMEOUT, trouble[0], "; its journal ends with: " + words if words else ""))


def _signature(interface: str, number: int, priority: int, advert_interval: float, addresses: List[str]) -> Tuple[str, int, int, str, List[str]]:
    return interface, number, priority, config.seconds(advert_interval), sorted(str(ipaddress.ip_interface(address)) for address in addresses)


def _config_drift(old: Optional[str], text: str) -> Drift:
    if old == text:
        return []
    setting = "configuration file"
    if old is None:
        return [{"setting": setting, "is": "absent", "wanted": "managed"}]
    if not is_managed(old):
        return [{"setting": setting, "is": "not managed by this collection", "wanted": "managed"}]
    is_now, wanted = _flat(parse(old)), _flat(parse(text))
    differing = [key for key in sorted(set(is_now) | set(wanted)) if is_now.get(key) != wanted.get(key)]
    drift = [{"setting": key, "is": is_now.get(key), "wanted": wanted.get(key)} for key in differing]
    return drift or [{"setting": setting, "is": "edited, or written by another release", "wanted": "as rendered"}]


def _flat(options: Dict[str, Any]) -> Dict[str, Any]:
    flat = {key: value for key, value in options.items() if key != "instances"}
    for instance in options["instances"]:
        flat.update({"%s.%s" % (instance["name"], key): value for key, value in instance.items() if key != "name"})
    return flat


def _unit_drift(node: Node, state: UnitState, old: Optional[str], text: str, files: Dict[str, Tuple[str, int]]) -> Drift:
    """What differs around the daemon, apart from the file that it reads."""
    drift: Drift = []
    if state.masked:
        drift.append({"setting": "masked", "is": True, "wanted": False})
    elif not state.enabled:
        drift.append({"setting": "enabled at boot", "is": False, "wanted": True})
    if not state.active:
        drift.append({"setting": "running", "is": False, "wanted": True})
    if node.read_text(config.DROP_IN) != files[config.DROP_IN][0]:
        drift.append({"setting": "settings of the unit", "is": "other", "wanted": "managed"})
    elif state.active and (state.needs_reload or node.read_text(config.RUNNING_DROP_IN) != files[config.DROP_IN][0]):
        drift.append({"setting": "settings of the unit", "is": "not in effect", "wanted": "in effect"})
    if state.active and old == text and node.read_text(config.RUNNING_COPY) != text:
        drift.append({"setting": "configuration as running", "is": "older than the file", "wanted": "equal to the file"})
    if node.read_text(config.MAINTENANCE) is None:
        drift.append({"setting": config.MAINTENANCE, "is": "absent", "wanted": "present"})
    for path in (config.ON_TRANSITION, config.AFTER_STOP):
        found = node.read_text(path)
        if found != files[path][0]:
            drift.append({"setting": path, "is": "absent" if found is None else "other content", "wanted": "as rendered"})
    return drift
