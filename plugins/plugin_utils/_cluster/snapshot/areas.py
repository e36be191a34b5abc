# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The areas of a snapshot: what of a node's evidence is compared, as rows of fields.

Evidence was written on a node, so its shape is not trusted: what is not as described is not known, and that never passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks.view import PF
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.platforms import PRODUCTS

Evidence = Mapping[str, Any]
# Name of a row (a device, an address, a package) -> its fields. A field that is None is not known; what is known to be absent has a word instead.
Rows = dict[str, dict[str, Any]]
FAIL, WARN, NOTE = SEVERITIES = ("fail", "warn", "note")

# Counters of what went wrong. failed_lookup and stale_state also grow while all is well: a standby expires states by itself, and then counts the deletes.
_TROUBLES = ("lost", "malformed", "send_errors", "receive_errors", "bad_interface", "bad_ttl", "short_header", "bad_version", "bad_auth", "bad_action",
             "short_packet", "bad_values", "no_memory")


class NotAsked(Exception):
    """The evidence was read without this; the text says with what it has to be read."""


class Area(NamedTuple):
    """One area.

    Attributes:
        rows: its rows in the evidence; None when they are not known.
        source: the areas of node_info that it is read from.
        severity: what a change means, unless the settings say otherwise: ``fail``, ``warn``, or ``note`` (told, and passed).
        platforms: where there is such a thing; None for everywhere.
        thresholds: by field, by how many percent a number may differ, unless the settings say otherwise.
        good: a value that a field may come to; what comes to it, or is new with it, is told and does not count.
        counter: the fields are counters of trouble, which begin at zero with the node; only their growth counts.
    """

    rows: Callable[[Evidence], Rows | None]
    source: tuple[str, ...]
    severity: str
    platforms: tuple[str, ...] | None = None
    thresholds: Mapping[str, float] = {}
    counter: bool = False
    good: Mapping[str, Any] = {}


def _mapping(value: Any) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None


def _list(value: Any) -> list[Mapping[str, Any]] | None:
    return value if isinstance(value, list) and all(isinstance(row, Mapping) for row in value) else None


def _devices(evidence: Evidence, fields: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Rows | None:
    rows = _list(evidence.get("interfaces"))
    return None if rows is None else {str(row["name"]): fields(row) for row in rows}


def _some(found: Mapping[str, Any] | None, *names: str) -> dict[str, Any]:
    """The named fields that there are."""
    return {name: found[name] for name in names if found is not None and name in found}


def _or_none(found: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields, where None is known to mean: none."""
    return {name: "none" if value is None else value for name, value in found.items()}


def _nics(evidence: Evidence) -> Rows | None:
    # What has no carrier has no speed, and neither have all drivers.
    return _devices(evidence, lambda row: {**_some(row, "up", "kind"), "speed": "down" if row.get("up") is False else row.get("speed") or "none",
                                           **_or_none({name: row.get(name) for name in ("mac", "master")})})


def _mtu(evidence: Evidence) -> Rows | None:
    return _devices(evidence, lambda row: {"mtu": row.get("mtu")})


def _addresses(evidence: Evidence) -> Rows | None:
    """Without the virtual addresses, which move between the nodes."""
    instances = _list((_mapping(evidence.get("vrrp")) or {}).get("instances")) or []
    moving = {str(address).partition("/")[0] for row in instances for name in ("addresses", "addresses_present") for address in row.get(name) or []}

    def own(row: Mapping[str, Any]) -> dict[str, Any]:
        held = row.get("addresses")
        return {"addresses": sorted(str(one) for one in held if str(one).partition("/")[0] not in moving) if isinstance(held, list) else None}
    return _devices(evidence, own)


def _assignments(evidence: Evidence) -> Rows | None:
    rows = _list(evidence.get("interfaces"))
    return None if rows is None else {str(row["key"]): {"device": row["name"], "description": row.get("description") or ""}
                                      for row in rows if row.get("key") is not None}


def _laggs(evidence: Evidence) -> Rows | None:
    rows = _list(evidence.get("interfaces"))
    if rows is None:
        return None
    found: Rows = {}
    for row in rows:
        lagg = _mapping(row.get("lagg"))
        if lagg is None:
            continue
        members = lagg.get("members")
        found[str(row["name"])] = {"protocol": lagg.get("protocol"), **_or_none(_some(lagg, "hash", "lacp_rate", "min_links")),
                                   "members": sorted(map(str, members)) if isinstance(members, list) else None}
        for port in _list(lagg.get("ports")) or []:
            found[f"{row['name']} {port['name']}"] = _some(port, "up", "active")
    return found


def _engine(evidence: Evidence) -> Rows | None:
    engine = _mapping(evidence.get("engine"))
    if engine is None:
        return None
    fields = {**_some(engine, "name", "installed", "enabled", "masked", "running", "filter", "config_current", "host_id"),
              **_or_none({name: engine.get(name) for name in ("joined", "pinned")})}
    if fields.get("running") is False and fields.get("config_current") is None:
        fields["config_current"] = "not running"
    found = {"engine": fields}
    config = _mapping(engine.get("config"))
    # Within a configuration that is known, None is a setting: no peer, or a kernel with one format.
    return found if config is None else {**found, "config": _or_none(config)}


def _states(evidence: Evidence) -> Rows | None:
    tables = _mapping((_mapping(evidence.get("engine")) or {}).get("tables"))
    # An engine that keeps no cache, or does not run, has none.
    return None if tables is None else {"states": {**_some(tables, "kernel", "kernel_max"), **_or_none(_some(tables, "internal", "external"))}}


def _sync_counters(evidence: Evidence) -> Rows | None:
    engine = _mapping(evidence.get("engine")) or {}
    counters = _mapping(engine.get("counters"))
    if counters is None:
        return {} if engine.get("running") is False else None
    # Not all kernels have each of them.
    found = {name: value for name, value in _some(counters, *_TROUBLES).items() if value is not None}
    return {"trouble": found} if found else None


def _vrrp(evidence: Evidence) -> Rows | None:
    vrrp = _mapping(evidence.get("vrrp"))
    if vrrp is None:
        return None
    found = _some(vrrp, "installed", "enabled", "running", "config_current")
    if found.get("running") is False and found.get("config_current") is None:
        found["config_current"] = "not running"
    return {"vrrp": found}


def _roles(evidence: Evidence) -> Rows | None:
    vrrp = _mapping(evidence.get("vrrp")) or {}
    instances = _list(vrrp.get("instances"))
    if instances is None:
        return None
    found = {f"{row.get('interface')} {row.get('id')} {row.get('family')}": {"state": row.get("state")} for row in instances}
    return {**found, "demotion": {"level": vrrp["demotion"]}} if "demotion" in vrrp else found


def _maintenance(evidence: Evidence) -> Rows | None:
    return {"maintenance": {"on": evidence["maintenance"]}} if isinstance(evidence.get("maintenance"), bool) else None


def _state_policy(evidence: Evidence) -> Rows | None:
    found = _some(evidence, "state_policy", "state_policy_from")
    if found.get("state_policy") is None:
        # pfSense has no such setting before CE 2.8 and Plus 24.03, which is known where its configuration could be read.
        return {"state_policy": dict.fromkeys(found, "the system's")} if _mapping(evidence.get("config")) is not None else None
    return {"state_policy": found}


def _pass_rule(evidence: Evidence) -> Rows | None:
    rule = _mapping(evidence.get("pass_rule"))
    if rule is None:
        return None
    counted = {name: len(rule[name]) for name in ("broader", "blockers") if isinstance(rule.get(name), list)}
    found = _some(rule, "filtered", "present", "persistent", "effective")
    return {"pass_rule": {**(_or_none(found) if rule.get("filtered") is False else found), **counted}}


def _ruleset(evidence: Evidence) -> Rows | None:
    engine, rules = _mapping(evidence.get("engine")), _mapping(evidence.get("state_rules"))
    if engine is None and rules is None:
        return None
    return {"ruleset": {**_some(engine, "checksum"), **_some(rules, "bound", "routed")}}


def _release(evidence: Evidence) -> Rows | None:
    system = _mapping(evidence.get("os"))
    return None if system is None else {"os": _or_none(system), "kernel": {"release": evidence.get("kernel")}}


def _packages(evidence: Evidence) -> Rows | None:
    readiness = _mapping(evidence.get("readiness"))
    if "packages" not in evidence and readiness is None:
        raise NotAsked("it was read without the versions of packages; read it with node_info and readiness: true")
    known = [found for found in (_mapping(evidence.get("packages")), _mapping((readiness or {}).get("packages"))) if found is not None]
    # One that is not installed is no row, for None would be: not known.
    return {str(name): {"version": version} for found in known for name, version in found.items() if version is not None} if known else None


def _config(evidence: Evidence) -> Rows | None:
    found: Rows = {}
    if evidence.get("platform") in PRODUCTS:
        config = _mapping(evidence.get("config"))
        if config is None:
            return None
        sync = _mapping(evidence.get("config_sync")) or {}
        found = {"config": _some(config, "version"), "revision": _or_none(_mapping(config.get("revision")) or {}),
                 "config_sync": {"target": sync.get("target") or "nobody", "sections": sync.get("sections")}}
    elif evidence.get("snapshot") is None:
        raise NotAsked(_WITH_SNAPSHOT)
    if evidence.get("snapshot") is not None:
        files = _mapping(_part(evidence, "files"))
        if files is None:
            return None
        found.update({str(path): {"digest": digest} for path, digest in files.items()})
    return found


_WITH_SNAPSHOT = "it was read without this; take it with hafirewall.cluster.snapshot, or read it with node_info and snapshot: true"


def _part(evidence: Evidence, name: str) -> Any:
    """A part of what node_info reads for snapshots only."""
    part = evidence.get("snapshot")
    if part is None:
        raise NotAsked(_WITH_SNAPSHOT)
    if name not in part:
        raise NotAsked(f"it was taken by a release of this collection that did not read {name}")
    return part[name]


def _routes(evidence: Evidence) -> Rows | None:
    families = _mapping(_part(evidence, "routes"))
    if families is None:
        return None
    found: Rows = {}
    for family, told in families.items():
        rows = _list(told.get("rows"))
        if rows is None:  # too many to tell one by one
            found[str(family)] = {"count": told.get("count")}
            continue
        ways: dict[str, list[str]] = {}
        for row in rows:
            ways.setdefault(str(row["destination"]), []).append(" ".join(str(row[name]) for name in ("gateway", "device") if row.get(name)))
        found.update({f"{family} {destination}": {"via": sorted(via)} for destination, via in ways.items()})
    return found


def _neighbours(evidence: Evidence) -> Rows | None:
    rows = _list(_part(evidence, "neighbours"))
    return None if rows is None else {f"{row['address']} {row.get('device')}": {"mac": row.get("mac")} for row in rows}


def _services(evidence: Evidence) -> Rows | None:
    names = _part(evidence, "services")
    return {str(name): {"running": True} for name in names} if isinstance(names, list) else None


def _ways(name: str) -> Callable[[Evidence], Rows | None]:
    """The rows of a part of tunnels, neighbours or gateways: their state alone, for the program's own words change all the time."""
    def read(evidence: Evidence) -> Rows | None:
        rows = _list(_part(evidence, name))
        return None if rows is None else {str(row["name"]): {"state": row.get("state")} for row in rows}
    return read


def _way(name: str, platforms: tuple[str, ...] | None = None) -> Area:
    return Area(_ways(name), (f"snapshot.{name}",), FAIL, platforms, good={"state": "up"})


AREAS: dict[str, Area] = {
    "nics": Area(_nics, ("interfaces",), FAIL),
    "laggs": Area(_laggs, ("interfaces",), FAIL),
    "mtu": Area(_mtu, ("interfaces",), FAIL),
    "addresses": Area(_addresses, ("interfaces",), FAIL),
    "assignments": Area(_assignments, ("interfaces",), FAIL, PRODUCTS),
    "routes": Area(_routes, ("snapshot.routes",), FAIL, thresholds={"count": 20}),
    "neighbours": Area(_neighbours, ("snapshot.neighbours",), NOTE),
    **{name: _way(name) for name in ("wireguard", "ipsec", "bgp", "ospf", "ospf6")},
    "gateways": _way("gateways", PRODUCTS),
    "roles": Area(_roles, ("vrrp",), FAIL),
    "vrrp": Area(_vrrp, ("vrrp",), FAIL),
    "maintenance": Area(_maintenance, ("maintenance",), FAIL),
    "engine": Area(_engine, ("engine",), FAIL),
    "states": Area(_states, ("engine",), WARN, thresholds={"kernel": 50, "internal": 50, "external": 50}),
    "sync_counters": Area(_sync_counters, ("engine",), WARN, counter=True),
    "pass_rule": Area(_pass_rule, ("pass_rule",), FAIL),
    "state_policy": Area(_state_policy, ("config",), FAIL, PF),
    "ruleset": Area(_ruleset, ("engine", "pass_rule"), WARN, PF),
    "services": Area(_services, ("snapshot.services",), FAIL),
    "config": Area(_config, ("config", "snapshot.files"), WARN),
    "packages": Area(_packages, ("packages", "readiness.packages"), NOTE),
    "release": Area(_release, ("os", "kernel"), NOTE),
}
