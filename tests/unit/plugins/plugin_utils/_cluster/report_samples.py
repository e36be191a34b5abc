# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of clusters that are well, broken and unreadable, for the tests of the report."""

from __future__ import annotations

HOSTILE = '"><script>alert(1)</script>&amp;]]>\x00\x1b[31m\u202e\ud800\ufffe'
SHARED = ("roles_disjoint", "mtu_equal", "versions_equal")


def plan(node, members=("fw1", "fw2")):
    place = list(members).index(node)
    return {
        "cluster": "edge", "node": node, "role": "secondary" if place else "primary", "members": list(members),
        "state_sync": {"enabled": True, "interface": "sync0", "address": f"198.51.100.{130 + place}", "network": "198.51.100.128/28",
                       "transport": "multicast", "group": "225.0.0.50", "port": 3780, "mode": "ftfw", "external_cache": False},
        "virtual_ip": {"instances": [{"name": "lan_10_ipv4", "interface": "lan0", "id": 10, "family": "ipv4", "addresses": ["192.0.2.1/24"]}]},
    }


def evidence(place, state):
    held = ["192.0.2.1/24"] if state == "active" else []
    return {
        "collected_at": 1795000000.5, "os": {"id": "debian", "version": "12"}, "kernel": "6.1.0", "maintenance": False, "errors": [],
        "packages": {"conntrackd": "1:1.4.7-1+b2", "keepalived": None},
        "engine": {"name": "conntrackd", "installed": True, "enabled": True, "running": True,
                   "config": {"mode": "ftfw", "transport": "multicast", "port": 3780},
                   "counters": {"sent": 5, "received": 4, "lost": 0, "malformed": 0},
                   "tables": {"kernel": 41873, "kernel_max": 262144, "internal": 41873, "external": None}},
        "vrrp": {"running": True, "since": 1794990000, "instances": [
            {"name": "lan_10_ipv4", "interface": "lan0", "id": 10, "family": "ipv4", "state": state, "addresses": ["192.0.2.1/24"],
             "addresses_present": held}]},
        "pass_rule": {"filtered": True, "present": True, "effective": True},
        "interfaces": [{"name": "lan0", "mac": f"02:00:00:00:01:0{place}", "mtu": 1500, "speed": 10000, "up": True, "addresses": [f"192.0.2.{2 + place}/24"]},
                       {"name": "sync0", "mac": f"02:00:00:00:03:0{place}", "mtu": 1500, "speed": 1000, "up": True,
                        "addresses": [f"198.51.100.{130 + place}/28"]}],
        "segment": {"interface": "sync0", "neighbours": [{"address": f"198.51.100.{131 - place}", "mac": f"02:00:00:00:03:0{1 - place}"}]},
    }


def pfsense(states=("active", "standby"), name="pf"):
    """The same of pfSense nodes."""
    found = cluster(states, name)
    for place, (node, one) in enumerate(found["plans"].items()):
        one["platform"] = "pfsense"
        one["state_sync"].update(dict.fromkeys(("group", "port", "mode", "external_cache")))
        seen = found["evidence"][node]
        if seen is None:
            continue
        for key in ("packages", "kernel"):
            del seen[key]
        seen.update(platform="pfsense", os={"id": "pfsense", "version": "2.8.0", "edition": "CE", "base": "15.0-CURRENT"}, state_policy="floating",
                    config={"version": "23.7"}, config_sync={"target": "198.51.100.131" if place == 0 else None, "sections": ["rules"]})
        seen["engine"].update(name="pfsync", host_id=f"a{place}", config={"transport": "multicast", "interface": "sync0", "version": 1400},
                              counters={"sent": 5}, tables={"kernel": 41873, "kernel_max": 262144})
        seen["vrrp"] = {"running": True, "demotion": 0, "instances": [
            {"name": "vip0", "interface": "lan0", "id": 10, "family": "ipv4", "state": states[place], "advskew": 100 * place, "advbase": 1}]}
        # CARP has the address on both nodes.
        seen["interfaces"][0]["addresses"].append("192.0.2.1/24")
    return found


def opnsense(states=("active", "standby"), name="opn"):
    """The same of OPNsense nodes: their configuration has no version, and when it was changed is told."""
    found = pfsense(states, name)
    for node, one in found["plans"].items():
        one["platform"] = "opnsense"
        seen = found["evidence"][node]
        if seen is not None:
            seen.update(platform="opnsense", kernel="14.3-RELEASE-p7", config={"revision": {"time": 1795000000, "description": "x", "username": "root"}},
                        os={"id": "opnsense", "version": "26.1.4", "edition": "community", "base": "14.3-RELEASE-p7"})
    return found


def freebsd(states=("active", "standby"), name="bsd"):
    """The same of FreeBSD nodes."""
    found = pfsense(states, name)
    for node, one in found["plans"].items():
        one["platform"] = "freebsd"
        seen = found["evidence"][node]
        if seen is None:
            continue
        for key in ("config", "config_sync"):
            del seen[key]
        seen.update(platform="freebsd", kernel="14.2-RELEASE", os={"id": "freebsd", "version": "14.2-RELEASE", "userland": "14.2-RELEASE-p1"})
        seen["engine"].update(bulk="done", checksum="4a1f5d7d0aa4f3b7f2b4fd1b40a4c0de")
    return found


def check(check_id, node="fw1", status="pass", reason="as it should be", cluster="edge"):
    return {"id": check_id, "cluster": cluster, "node": node, "status": status, "reason": reason}


def drill(state_sync=True, **other):
    """A drill of the shape that the picture's module describes: the old node until 0, nothing for 3 s, then the new one."""
    buckets = [[at, 20, "fw1" if at < 0 else "fw2"] for at in [*range(-1000, 0, 100), *range(3000, 6000, 100)]]
    return {
        "state_sync": state_sync, "failure": "power_loss", "flows": 2000, "lost": 0 if state_sync else 2000, "passed": True, "reasons": [],
        "gap_ms": {"median": 3090.5, "p99": 3160, "max": 3200}, "stall_ms": {"median": 4300, "p99": 7100, "max": 7400},
        "detection_limit_ms": 3210, "takeover_ms": 3000, "reconnect_ms": 3250, "standby_states": 2041, "old_active": "fw1", "new_active": "fw2",
        "crossed_wrong_node": 0,
        "timeline": {"failure_at": 0, "unit": "ms", "bucket_ms": 100,
                     "deliveries": [{"direction": "client_to_server", "buckets": buckets}, {"direction": "server_to_client", "buckets": buckets}],
                     "events": [{"t_ms": 0, "label": "failure", "node": "fw1"}, {"t_ms": 20000, "label": "node back", "node": "fw1"}]},
        **other,
    }


def cluster(states=("active", "standby"), name="edge"):
    nodes = [f"fw{place + 1}" for place in range(len(states))]
    return {"name": name, "plans": {node: plan(node, nodes) for node in nodes},
            "evidence": {node: evidence(place, state) if state else None for place, (node, state) in enumerate(zip(nodes, states, strict=True))}}


def report(checks=(), drills=(), clusters=None, title="Verification"):
    return {"title": title, "generated_at": 1795000100.0, "collection": "0.1.0", "clusters": [cluster()] if clusters is None else clusters,
            "checks": list(checks), "drills": list(drills)}


def broken():
    """Split brain, a stranger, settings that differ, a state that could not be read."""
    pair = cluster(("active", "active"))
    pair["evidence"]["fw2"]["segment"]["neighbours"].append({"address": "198.51.100.140", "mac": "02:de:ad:be:ef:01"})
    return report([
        check("engine_running"), check("engine_running", "fw2"),
        check("pass_rule", "fw1", "warn", "broader than needed"), check("pass_rule", "fw2", "skipped", "nothing is filtered"),
        check("sync_speed", "fw2", "error", "speed of sync0 is not known"),
        check("states_travel", "fw2", "fail", "from fw1: none of 1 arrived"), check("states_travel", "fw2", "fail", "from fw3: none of 1 arrived"),
        check("roles_disjoint", None, "fail", "split brain: id 10 is active on fw1 and fw2"),
        check("sync_isolated", "fw2", "fail", "198.51.100.140 is no member"),
    ], clusters=[pair])


def hostile():
    """Every text that a node could choose is an attempt to break out."""
    pair = cluster()
    pair["name"] = HOSTILE
    pair["plans"] = {HOSTILE: pair["plans"]["fw1"]}
    pair["evidence"] = {HOSTILE: dict(pair["evidence"]["fw1"], kernel=HOSTILE, boot_id=HOSTILE)}
    pair["evidence"][HOSTILE]["errors"] = [{"area": HOSTILE, "reason": HOSTILE}]
    pair["evidence"][HOSTILE]["interfaces"][1]["addresses"] = [HOSTILE]
    events = [{"t_ms": 20000, "label": HOSTILE, "node": HOSTILE}]
    failed = drill(failure=HOSTILE, passed=False, reasons=[HOSTILE], old_active=HOSTILE, new_active=HOSTILE)
    failed["timeline"]["events"] = events
    checks = [check(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE), check("pass_rule", HOSTILE, "warn", HOSTILE, HOSTILE)]
    return report(checks, [failed, failed], [pair], HOSTILE)
