# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair of nodes to judge, and the words in which a test says what a check must say of it."""

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.checks import CHECKS, STATUSES, failed, judge
from hypothesis import strategies as st

NODES = ("fw1", "fw2")
MACS = {"fw1": "02:00:00:00:00:01", "fw2": "02:00:00:00:00:02"}
SYNC = {"fw1": "198.51.100.129", "fw2": "198.51.100.130"}
IDS = {"fw1": "a1", "fw2": "b2"}


class Case:
    """A healthy pair; a test changes what it is about and judges."""

    def __init__(self, plan_of, evidence_of, probe):
        self.plans = {node: plan_of(node) for node in NODES}
        self.evidence = {node: evidence_of(node) for node in NODES}
        self.probe = probe

    def put(self, path, value, node="fw2", into=None):
        """Set the value at a dotted path; a number in it is an index."""
        place = (self.evidence if into is None else into)[node]
        *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
        for key in way:
            place = place[key]
        place[last] = value
        return self

    def results(self):
        return judge(self.plans, self.evidence, self.probe, 60)

    def of(self, check, node="any"):
        """What a check says: the results of one node, of the cluster (None), or all."""
        return [result for result in self.results() if result["id"] == check and node in ("any", result["node"])]

    def says(self, check, status, *words, node="any"):
        """One of the results has this status and its reason these words."""
        found = [result for result in self.of(check, node) if result["status"] == status and all(word in result["reason"] for word in words)]
        assert found, self.of(check, node)
        return found[0]


def watched(device, macs, addresses, engine, sent, seconds=1.0):
    """The evidence ``watch`` of a node that has seen all members send so many bytes each, by name, and no whole state."""
    senders = [{"address": addresses[name], "macs": [macs[name]], "engine": engine, "version": 5 if engine == "pfsync" else 1,
                "formats": [], "messages": {}, "packets": 3, "bytes": size, "states": 1, "states_per_second": 1.0,
                "bytes_per_second": size / seconds, "errors": {}} for name, size in sent.items()]
    return {"interface": device, "seconds": seconds, "packets": 3 * len(senders), "truncated": False, "senders": senders}


def stranger(**other):
    """Somebody on the Sync network who is no member and sends states."""
    return {"address": "198.51.100.140", "macs": ["02:00:00:00:00:99"], "engine": "pfsync", "version": 5, "formats": [1301], "bytes_per_second": 70.0, **other}


def _paths(value, path=()):
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _paths(item, (*path, key))


def odd_changes(evidence, names):
    """A strategy: up to four places in the evidence of nodes, each with something of any shape in its place; ``names`` are keys that it may have."""
    odd = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
                       lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(names), inner, max_size=2), max_leaves=4)
    return st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from([path for path in _paths(evidence) if path]), odd), max_size=4)


def is_judged_whole(case, changes):
    """Every check comes to a result with a reason, whatever the changes of :func:`odd_changes` have made of the evidence."""
    for node, path, value in changes:
        place = case.evidence[node]
        for key in path[:-1]:
            place = place[key] if isinstance(place, dict) and key in place else place[key] if isinstance(place, list) and key in range(len(place)) else {}
        if isinstance(place, dict):
            place[path[-1]] = value
    results = case.results()
    assert {result["id"] for result in results} == set(CHECKS)
    assert all(result["status"] in STATUSES and isinstance(result["reason"], str) and result["reason"] for result in results)


# Healthy pairs of nodes with pf


def pf_plan(node, platform, policy, lan, received=False, **sync):
    """The plan of one node: LAN with these virtual addresses, WAN with one of IPv6, and Sync.

    Args:
        received: its virtual addresses come from the other node.
        sync: further options of state sync.
    """
    skew = 0 if node == "fw1" else 100
    common = {"advskew": skew, "advbase": 1, "priority": 200 - skew // 2}
    return {
        "cluster": "edge", "node": node, "platform": platform, "role": "primary" if node == "fw1" else "secondary", "members": list(NODES),
        "peers": [other for other in NODES if other != node], "interfaces": {"lan": "em0", "wan": "em1", "sync": "em2"},
        "state_sync": {"enabled": True, "interface": "em2", "address": SYNC[node], "network": "198.51.100.128/28", "transport": "multicast", "group": None,
                       "port": None, "peer": None, "mode": None, "external_cache": None, "refresh_interval": None, "host_id": IDS[node],
                       "state_policy": policy, **sync},
        "virtual_ip": {"received": received, "instances": [
            {"name": "lan_10_ipv4", "interface": "em0", "id": 10, "family": "ipv4", "addresses": list(lan), **common},
            {"name": "wan_21_ipv6", "interface": "em1", "id": 21, "family": "ipv6", "addresses": ["2001:db8:2::1/64"], **common}]},
        "lagg": {"laggs": []}}


def pf_evidence(plan, title, keys, engine, vrrp, **more):
    """The evidence of a node that is as its plan has it; fw1 is active. CARP has the virtual addresses on every node.

    Args:
        title: what a virtual host is called, with its id to be filled in.
        keys: the product's keys of devices.
        engine, vrrp: what these areas have beside what is there on all systems; ``more`` are further areas.
    """
    node, policy = plan["node"], plan["state_sync"]["state_policy"]
    active, other, mac = node == "fw1", "fw2" if node == "fw1" else "fw1", MACS[node]
    lan, wan = plan["virtual_ip"]["instances"]

    def device(name, mac, *addresses):
        key = keys.get(name)
        return {"name": name, "key": key, "description": key and key.upper(), "mac": mac, "mtu": 1500, "speed": 10000, "up": True, "addresses": list(addresses)}

    return {
        "schema": 1, "collected_at": 1000.0, "platform": plan["platform"],
        "engine": {"name": "pfsync", "installed": True, "enabled": True, "empty": False, "running": True, "config_current": True, "synced": True,
                   "config": {"interface": "em2", "transport": "multicast", "peer": None, "address": SYNC[node], "network": None, "version": 1400,
                              "defer": False, "maxupd": 128},
                   "host_id": IDS[node], "creators": ["a1", "b2"], **engine},
        "vrrp": {"installed": True, "running": True, "demotion": 0, "instances": [
            {"name": title % item["id"], "interface": item["interface"], "id": item["id"], "family": item["family"], "priority": None,
             "state": "active" if active else "standby", "advskew": item["advskew"], "advbase": 1} for item in (lan, wan)], **vrrp},
        "maintenance": False, "state_policy": policy, "state_policy_from": "configured",
        "pass_rule": {"filtered": True, "present": True, "persistent": True, "effective": True, "broader": [], "blockers": [],
                      "rules": [{"position": 7, "packets": 12}]},
        "interfaces": [device("em2", mac, SYNC[node] + "/28"),
                       device("em0", mac[:-2] + "a" + mac[-1], f"192.0.2.{2 if active else 3}/24", *lan["addresses"]),
                       device("em1", mac[:-2] + "b" + mac[-1], *wan["addresses"])],
        "segment": {"interface": "em2", "seconds": 1.0, "asked": 13, "echo": False, "neighbours": [{"address": SYNC[other], "mac": MACS[other], "how": "arp"}]},
        "watch": watched("em2", MACS, SYNC, "pfsync", {"fw1": 10_000, "fw2": 1_000}),
        "traffic": {"seconds": 2.0, "interfaces": {
            "em2": {"rx_bytes": 2_000, "tx_bytes": 20_000}, "em0": {"rx_bytes": 100_000 * active, "tx_bytes": 100_000 * active},
            "em1": {"rx_bytes": 100_000 * active, "tx_bytes": 100_000 * active}}},
        "errors": [], **more}


# What holds of every check on every system


def passes_all_but(pair, skipped, areas, strange):
    """A healthy pair passes every check but those that are skipped, and no reason has a word that is strange to its system."""
    results = pair.results()
    assert {result["id"] for result in results} == set(CHECKS) == set(skipped) | set(areas)
    assert [result for result in results if result["status"] != ("skipped" if result["id"] in skipped else "pass")] == []
    assert failed(results) == []
    for result in results:
        assert not [word for word in strange if word in result["reason"]], result


def needs_a_node(pair, nothing):
    """A node without evidence passes nothing."""
    pair.evidence["fw2"] = nothing
    assert [result for result in pair.results() if result["status"] == "pass" and result["node"] in ("fw2", None)] == []


def needs_its_evidence(pair, check, area, areas):
    """A check does not pass without any of the areas that it lives on, and does not fail without the others."""
    for node in NODES:
        pair.put(area, None, node)
    results = pair.of(check)
    if area in areas[check]:
        assert "pass" not in {result["status"] for result in results if result["node"] in ("fw1", None)}, results
        assert "error" in {result["status"] for result in results}
    else:
        assert "fail" not in {result["status"] for result in results}
