# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""flow_probe between two network namespaces with a router in the middle: cuts, lost states, detached processes. Needs root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe import processes

PREFIX = "hafw-probe%d-" % os.getpid()
CLIENT, ROUTER, SERVER = (PREFIX + part for part in ("c", "r", "s"))
COMMON = {"flows": 60, "udp_flows": 20, "tcp_interval": 0.5}
DRIVER = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from ansible_collections.hafirewall.cluster.plugins.modules import flow_probe
given = json.loads(sys.argv[2])
params = {name: argument.get("default") for name, argument in flow_probe.ARGUMENTS.items()}
try:
    print(json.dumps(flow_probe.act(dict(params, **given), False)))
except flow_probe.ProbeError as error:
    print(json.dumps({"failed": True, "msg": str(error)}))
"""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def inside(namespace: str, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", "netns", "exec", namespace, *words], check=True, capture_output=True, text=True, timeout=60, **more)


def probe(namespace: str, **options: Any) -> dict[str, Any]:
    """The module in a namespace, in a process of its own, as on a host; all pipes must be closed for it to return."""
    given = dict(COMMON, **dict({"name": namespace}, **options))
    return json.loads(inside(namespace, sys.executable, "-c", DRIVER, json.dumps(sys.path), json.dumps(given)).stdout)


def forward(on: bool) -> None:
    for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
        inside(ROUTER, "sysctl", "-qw", "%s=%d" % (key, on))


@pytest.fixture(scope="module")
def network() -> Iterator[None]:
    """Client and server on either side of a router that translates the client's addresses and lets only SYN create TCP state."""
    try:
        for name in (CLIENT, ROUTER, SERVER):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        sides = ((CLIENT, "lan0", "192.0.2", "2001:db8:1:", "lan1"), (SERVER, "wan0", "203.0.113", "2001:db8:2:", "wan1"))
        for host, device, v4, v6, on_router in sides:
            ip("-n", host, "link", "add", device, "type", "veth", "peer", "name", on_router, "netns", ROUTER)
            for where, what, part in ((host, device, 100), (ROUTER, on_router, 1)):
                ip("-n", where, "addr", "add", "%s.%d/24" % (v4, part), "dev", what)
                ip("-n", where, "addr", "add", "%s:%d/64" % (v6, part), "dev", what, "nodad")
                ip("-n", where, "link", "set", what, "up")
            ip("-n", host, "route", "add", "default", "via", v4 + ".1")
            ip("-n", host, "-6", "route", "add", "default", "via", v6 + ":1")
        ruleset = """
            table inet edge {
              chain forward { type filter hook forward priority 0; policy drop;
                ct state established,related accept
                tcp flags & (fin | syn | rst | ack) == syn ct state new accept
                meta l4proto udp ct state new accept
                meta l4proto ipv6-icmp accept
              }
              chain nat { type nat hook postrouting priority 100; oifname "wan1" meta nfproto ipv4 masquerade; }
            }"""
        inside(ROUTER, "nft", "-f", "-", input=ruleset)
        inside(ROUTER, "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=0")
        forward(True)
        yield
    finally:
        for name in (CLIENT, ROUTER, SERVER):
            processes.stop(processes.folder_of(name))
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@pytest.fixture(scope="module")
def talking(network: None) -> Iterator[dict[str, Any]]:
    listening = probe(SERVER, state="listening", address="203.0.113.100")
    assert listening["changed"] is True
    yield probe(CLIENT, state="talking", peer="203.0.113.100")
    for name in (CLIENT, SERVER):
        processes.stop(processes.folder_of(name))


def mac_of(device: str) -> str:
    return json.loads(inside(ROUTER, "ip", "-j", "link", "show", device).stdout)[0]["address"]


def test_a_short_cut_keeps_all_flows_and_is_measured(talking: dict[str, Any]):
    assert (talking["opened"], talking["udp_heard"]) == (60, 20)
    before = time.time()
    forward(False)
    cut = time.time()
    time.sleep(0.5)
    mended = time.time()
    forward(True)
    after = time.time()
    reads = {name: probe(name, state="read", since=before, after=after, until="survived", timeout=20) for name in (CLIENT, SERVER)}
    # On a busy machine a sender may be late by itself; it tells by how much.
    late = max(read["udp"]["pause_ms"] for read in reads.values())
    for (name, read), device in zip(reads.items(), ("lan1", "wan1"), strict=True):
        assert read["satisfied"] is True
        assert (read["tcp"]["survived"], read["tcp"]["open"], read["tcp"]["errors"]) == (60, 60, {})
        lengths = sorted(gap[1] for gap in read["udp"]["gaps"])
        assert len(lengths) == 20
        assert 1000 * (mended - cut) - 30 <= lengths[10] <= 1000 * (after - before) + 100 + 2 * late
        assert all(gap[2] for gap in read["udp"]["gaps"])
        assert min(read["tcp"]["back_ms"]) >= 1000 * (mended - before)
        (delivery,) = read["deliveries"]["deliveries"]
        assert delivery["mac"] == mac_of(device)
        assert not [start for start, _packets in delivery["buckets"] if 1000 * (cut - before) + 20 < start < 1000 * (mended - before) - 20]
        if name == CLIENT:
            done = [success for began, success in read["reconnect"]["log"] if success is not None and began > 1000 * (after - before)]
            assert done
        else:
            assert all(source[1].startswith("203.0.113.1:") for changes in read["udp"]["sources"] for source in changes)


def test_a_cut_for_good_loses_all(talking: dict[str, Any]):
    forward(False)
    try:
        moment = time.time()
        read = probe(CLIENT, state="read", since=moment, until="survived", timeout=2)
        assert (read["tcp"]["survived"], read["tcp"]["waiting"], read["udp"]["heard"]) == (0, 60, 0)
        assert all(gap[2] == 0 and gap[1] > 1500 for gap in read["udp"]["gaps"])
        assert not [success for began, success in read["reconnect"]["log"] if began > 50 and success is not None]
    finally:
        forward(True)


def test_ipv6_and_a_second_probe_beside_the_first(talking: dict[str, Any]):
    second = {"name": PREFIX + "v6", "port": 7701, "flows": 5, "udp_flows": 2}
    listening = dict(COMMON, **second, state="listening", address="2001:db8:2::100")
    client = dict(COMMON, **second, state="talking", peer="2001:db8:2::100")
    client["name"] = PREFIX + "v6c"
    try:
        for namespace, given in ((SERVER, listening), (CLIENT, client)):
            answer = json.loads(inside(namespace, sys.executable, "-c", DRIVER, json.dumps(sys.path), json.dumps(given)).stdout)
            assert answer.get("failed") is None, answer
        assert (answer["opened"], answer["udp_heard"]) == (5, 2)
        read = json.loads(inside(SERVER, sys.executable, "-c", DRIVER, json.dumps(sys.path),
                                 json.dumps({"state": "read", "name": second["name"], "since": time.time() - 1})).stdout)
        assert all(source[1].startswith("[2001:db8:1::100]:") for changes in read["udp"]["sources"] for source in changes)
        assert [one["mac"] for one in read["deliveries"]["deliveries"]] == [mac_of("wan1")]
    finally:
        for name in (second["name"], client["name"]):
            processes.stop(processes.folder_of(name))


def test_lost_states_lose_every_flow_and_new_connections_work(talking: dict[str, Any]):
    """The last one that uses these flows: none of them talks after it."""
    before = time.time()
    inside(ROUTER, "conntrack", "-F")
    read = {name: probe(name, state="read", since=before, after=time.time(), until="survived", timeout=3) for name in (CLIENT, SERVER)}
    assert [one["tcp"]["survived"] for one in read.values()] == [0, 0]
    assert [one["satisfied"] for one in read.values()] == [False, False]
    assert any(success is not None for began, success in read[CLIENT]["reconnect"]["log"] if began > 0)


def test_ansible_returns_though_the_processes_stay_and_they_end_by_themselves(network: None):
    """Through Ansible itself: the module's package is gone afterwards, and no pipe is left open."""
    root = next(path for path in sys.path if (Path(path) / "ansible_collections" / "hafirewall" / "cluster").is_dir())
    ansible = Path(sys.executable).parent / "ansible"
    inside(SERVER, str(ansible), "localhost", "-i", "localhost,", "-c", "local", "-e", "ansible_python_interpreter=" + sys.executable,
           "-m", "hafirewall.cluster.flow_probe", "-a", "state=listening name=%s address=203.0.113.100 flows=10 lifetime=6" % SERVER,
           env=dict(os.environ, ANSIBLE_COLLECTIONS_PATH=root))
    found = processes.find(processes.folder_of(SERVER))
    assert sorted(one.name for one in found) == ["tcp-0", "udp", "via"]
    assert sorted(probe(SERVER, state="read")["counts"]) == ["tcp-0", "udp", "via"]
    end = time.monotonic() + 60
    while (os.path.exists(processes.folder_of(SERVER)) or any(one.alive for one in found)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(one.alive for one in found)
    assert not os.path.exists(processes.folder_of(SERVER))
    assert probe(SERVER, state="read")["failed"] is True
