# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nodes of a cluster in a table: the same facts as in the picture, whole and uncut, so that nodes compare at a glance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import PRODUCTS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.cluster_view import CARP_PLATFORMS, held, node_state
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.report.words import UNKNOWN, count, known, moment, yes_no


def node_rows(cluster: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """(label, a value for each node in the order of the plans); what is not known reads "unknown"."""
    plans, evidence = cluster["plans"], cluster["evidence"]
    platforms = {plan.get("platform") for plan in plans.values()}
    own = _of_product if platforms & set(PRODUCTS) else _of_pf if platforms & set(CARP_PLATFORMS) else _of_linux
    columns = [_column(plan, evidence.get(host) or {}, own) for host, plan in plans.items()]
    labels = columns[0] if columns else {}
    return [(label, [column[label] for column in columns]) for label in labels]


def _column(plan: dict[str, Any], found: dict[str, Any], own: Callable[[dict[str, Any]], dict[str, str]]) -> dict[str, str]:
    vrrp = found.get("vrrp") or {}
    tables = (found.get("engine") or {}).get("tables") or {}
    return {
        "Role": known(plan.get("role")),
        "Now": node_state(plan, found),
        "Virtual IPs held": ", ".join(sorted(held(plan, found))) or ("none" if vrrp.get("instances") is not None else UNKNOWN),
        "Maintenance": yes_no(found.get("maintenance")),
        "States in the kernel": f"{count(tables.get('kernel'))} of {count(tables.get('kernel_max'))}" if tables else UNKNOWN,
        **own(found),
        "Pass rule": _rule(found.get("pass_rule") or {}),
        "Kernel": known(found.get("kernel")),
    }


def _of_linux(found: dict[str, Any]) -> dict[str, str]:
    engine = found.get("engine") or {}
    tables, counters, config = (engine.get(area) or {} for area in ("tables", "counters", "config"))
    packages = found.get("packages") or {}
    return {
        "Since": moment((found.get("vrrp") or {}).get("since")),
        "Engine": f"{known(engine.get('name'))}, {yes_no(engine.get('running'), 'running', 'not running')}, "
                  f"{yes_no(engine.get('enabled'), 'enabled at boot', 'not enabled at boot')}" if engine else UNKNOWN,
        "Running settings": ", ".join(known(config.get(key)) for key in ("mode", "transport", "interface", "port")) if config else UNKNOWN,
        "Internal, external cache": f"{count(tables.get('internal'))}, {'none' if tables.get('external') is None else count(tables.get('external'))}"
                                    if tables else UNKNOWN,
        "Messages sent, received": f"{count(counters.get('sent'))}, {count(counters.get('received'))}" if counters else UNKNOWN,
        "Lost, malformed": f"{count(counters.get('lost'))}, {count(counters.get('malformed'))}" if counters else UNKNOWN,
        "Versions": ", ".join(f"{name} {version if version is not None else 'not installed'}" for name, version in sorted(packages.items())) or UNKNOWN,
    }


def _of_pf(found: dict[str, Any]) -> dict[str, str]:
    engine, system = (found.get(area) or {} for area in ("engine", "os"))
    config = engine.get("config") or {}
    return {
        "Engine": f"{known(engine.get('name'))}, {yes_no(engine.get('running'), 'running', 'not running')}, "
                  f"{yes_no(engine.get('enabled'), 'configured', 'not configured')}" if engine else UNKNOWN,
        "Running settings": ", ".join(known(config.get(key)) for key in ("transport", "interface")) + (
            f", format {config['version']}" if config.get("version") is not None else "") if config else UNKNOWN,
        "Host id": known(engine.get("host_id")),
        "State policy": known(found.get("state_policy")),
        "CARP demotion": known((found.get("vrrp") or {}).get("demotion")),
        "First states": known(engine.get("bulk")),
        "Checksum of the rules": known(engine.get("checksum")),
        "Release": known(system.get("version")),
        "Userland": known(system.get("userland")),
    }


def _of_product(found: dict[str, Any]) -> dict[str, str]:
    system, sync = (found.get(area) or {} for area in ("os", "config_sync"))
    common = _of_pf(found)
    return {
        **{label: common[label] for label in ("Engine", "Running settings", "Host id", "State policy", "CARP demotion")},
        "Sends its configuration to": UNKNOWN if not sync else known(sync.get("target") or "nobody"),
        "Release": (" ".join(str(system[key]) for key in ("edition", "version") if system.get(key)) or UNKNOWN) + (
            ", read without Python" if found.get("collected_by") == "raw" else ""),
        "Configuration": _configuration(found.get("config") or {}),
    }


def _configuration(config: dict[str, Any]) -> str:
    """Its version, where it has one, and when it was last changed."""
    version = [f"version {config['version']}"] if config.get("version") is not None else []
    changed = (config.get("revision") or {}).get("time")
    return ", ".join(version + ([f"changed {moment(changed)}"] if changed is not None else [])) or UNKNOWN


def _rule(rule: dict[str, Any]) -> str:
    if not rule:
        return UNKNOWN
    if rule.get("filtered") is False:
        return "not needed, nothing is filtered"
    return f"{yes_no(rule.get('present'), 'present', 'missing')}, {yes_no(rule.get('effective'), 'effective', 'not effective')}"
