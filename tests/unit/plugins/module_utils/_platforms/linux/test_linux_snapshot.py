# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes, neighbours and services of Linux, as iproute2 and systemd print them."""

from __future__ import annotations

import json
import subprocess

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import snapshot as common
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import snapshot
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import Completed, NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

V4 = """default via 203.0.113.254 dev wan0 proto static
192.0.2.0/24 dev lan0 proto kernel scope link src 192.0.2.2
198.51.100.0/24 proto static
\tnexthop via 192.0.2.8 dev lan0 weight 1
\tnexthop via 192.0.2.9 dev lan0 weight 1
203.0.113.128/25 via inet6 2001:db8:1::9 dev lan0
unreachable 198.51.100.128/25 proto static
"""
V6 = "2001:db8:1::/64 dev lan0 proto kernel metric 256 pref medium\nfe80::/64 dev lan0 proto kernel metric 256 pref medium\n"


def told(texts):
    """A node whose ip prints these tables, picked by the machine's own awk."""
    node = SystemdNode()

    def pipeline(argv, stdin):
        command, awk = argv[2].split(" | ", 1)
        assert command in ("ip -4 route show table main", "ip -6 route show table main")
        done = subprocess.run(["sh", "-c", awk], input=texts[command.split()[1]], stdout=subprocess.PIPE, check=True, encoding="utf-8")
        return Completed(0, done.stdout, "")
    node.on(["sh", "-c"], pipeline)
    return node


def test_routes_of_both_families_are_told_each_way_of_its_own():
    found = snapshot.routes(told({"-4": V4, "-6": V6}))
    assert [tuple(row[key] for key in ("destination", "gateway", "device")) for row in found["inet"]["rows"]] == [
        ("default", "203.0.113.254", "wan0"), ("192.0.2.0/24", None, "lan0"), ("198.51.100.0/24", "192.0.2.8", "lan0"),
        ("198.51.100.0/24", "192.0.2.9", "lan0"), ("203.0.113.128/25", "2001:db8:1::9", "lan0"), ("unreachable 198.51.100.128/25", None, None)]
    assert found["inet6"] == {"count": 1, "rows": [{"destination": "2001:db8:1::/64", "gateway": None, "device": "lan0"}]}


def test_of_very_many_routes_only_the_number_comes():
    text = "".join("198.51.%d.%d dev lan0\n" % divmod(number, 256) for number in range(common.MOST_ROUTES + 500))
    assert snapshot.routes(told({"-4": text, "-6": ""})) == {"inet": {"count": common.MOST_ROUTES + 500, "rows": None}, "inet6": {"count": 0, "rows": []}}


@pytest.mark.parametrize(("stdout", "stderr"), [("", ""), ("0\n", "sh: 1: ip: not found\n"), ("default\n", "")])
def test_no_answer_is_an_error_and_not_no_routes(stdout, stderr):
    node = SystemdNode()
    node.says(["sh", "-c"], stdout, stderr=stderr)
    with pytest.raises(NodeError, match="ip -4 route did not tell the routes"):
        snapshot.routes(node)


def test_neighbours_that_answer_are_told():
    node = SystemdNode()
    rows = [{"dst": "192.0.2.9", "dev": "lan0", "lladdr": "02:00:00:00:00:09", "state": ["REACHABLE"]},
            {"dst": "192.0.2.8", "dev": "lan0", "state": ["FAILED"]},
            {"dst": "192.0.2.7", "dev": "lan0", "lladdr": "02:00:00:00:00:07", "state": ["FAILED"]}, {}]
    node.says(["ip", "-j", "neigh"], json.dumps(rows))
    assert snapshot.neighbours(node) == [{"address": "192.0.2.9", "mac": "02:00:00:00:00:09", "device": "lan0"}]
    for text in ("no JSON", "{}", '[{"lladdr": "x"}]', "[1]"):
        node.says(["ip", "-j", "neigh"], text)
        if text == "{}":
            assert snapshot.neighbours(node) == []
            continue
        with pytest.raises(NodeError, match="cannot be read"):
            snapshot.neighbours(node)


def test_services_that_run_are_told_without_those_of_a_session():
    node = SystemdNode()
    node.says(["systemctl", "list-units"], "keepalived.service loaded active running VRRP\nuser@0.service loaded active running User\n\n")
    assert snapshot.services(node) == ["keepalived.service"]


def test_a_tunnel_without_a_program_that_tells_of_it_is_an_error():
    node = SystemdNode(files={"/sys/class/net/wg0/uevent": "DEVTYPE=wireguard\nINTERFACE=wg0\n", "/sys/class/net/lan0/uevent": "INTERFACE=lan0\n"})
    with pytest.raises(NodeError, match="WireGuard on wg0, and no wg"):
        snapshot.readers(node).ways["wireguard"]()
