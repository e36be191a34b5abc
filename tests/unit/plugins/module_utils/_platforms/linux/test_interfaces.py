# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interfaces: what iproute2 and the kernel say becomes evidence, and what they do not say stays unknown."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import interfaces
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

LOOPBACK = {"ifname": "lo", "flags": ["LOOPBACK", "UP", "LOWER_UP"], "mtu": 65536, "address": "00:00:00:00:00:00",
            "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8}]}
SYNC = {"ifname": "sync0", "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"], "mtu": 1500, "address": "02:00:00:00:00:01",
        "addr_info": [{"family": "inet", "local": "198.51.100.129", "prefixlen": 28}, {"family": "inet6", "local": "2001:db8:5::2", "prefixlen": 64}],
        "stats64": {"rx": {"bytes": 1032, "packets": 12}, "tx": {"bytes": 516, "packets": 6}}}
NO_CARRIER = dict(SYNC, ifname="lan0", flags=["NO-CARRIER", "BROADCAST", "MULTICAST", "UP"], addr_info=[])
PROC = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       7       1    0    0    0     0          0         0        7       1    0    0    0     0       0          0
sync0:1032      12    0    0    0     0          0         0      516       6    0    0    0     0       0          0
"""


class SpeedlessNode(SystemdNode):
    """The kernel answers EINVAL for the speed of a link that is down."""

    def read_text(self, path):
        if path == "/sys/class/net/lan0/speed":
            raise OSError(22, "Invalid argument")
        return super().read_text(path)


def test_every_interface_but_the_loopback_is_read_in_one_call():
    node = SpeedlessNode(files={"/sys/class/net/sync0/speed": "10000\n"})
    node.says(["ip", "-d", "-j", "-s", "addr"], json.dumps([LOOPBACK, SYNC, NO_CARRIER]))
    found = interfaces.read(node)
    assert found[0] == {
        "name": "sync0", "mac": "02:00:00:00:00:01", "mtu": 1500, "speed": 10000, "up": True, "addresses": ["198.51.100.129/28", "2001:db8:5::2/64"],
        "rx_bytes": 1032, "tx_bytes": 516, "rx_packets": 12, "tx_packets": 6,
        "kind": "port", "vlan": None, "lagg": None, "master": None, "leased": []}
    assert (found[1]["name"], found[1]["up"], found[1]["speed"]) == ("lan0", False, None)
    assert len(found) == 2
    assert len(node.queries) == 1
    assert node.changed is False


@pytest.mark.parametrize(("text", "speed"), [("1000\n", 1000), ("-1\n", None), ("0\n", None), ("", None), ("fast", None)])
def test_a_speed_that_the_driver_does_not_report_is_unknown(text, speed):
    assert interfaces.speed(SystemdNode(files={"/sys/class/net/x/speed": text}), "x") == speed


@pytest.mark.parametrize("listing", ["no json", "[1]", '[{"flags": []}]'])
def test_an_answer_that_cannot_be_read_is_an_error_that_names_the_command(listing):
    node = SystemdNode()
    node.says(["ip"], listing)
    with pytest.raises(NodeError, match="ip -d -j -s addr"):
        interfaces.read(node)


def test_counters_come_from_one_file_also_when_a_number_touches_the_name():
    node = SystemdNode(files={"/proc/net/dev": PROC})
    assert interfaces.counters(node) == {"lo": {"rx_bytes": 7, "tx_bytes": 7}, "sync0": {"rx_bytes": 1032, "tx_bytes": 516}}
    assert interfaces.parse_counters("x: 1 2\n:::\n") == {}
    with pytest.raises(NodeError, match="/proc/net/dev"):
        interfaces.counters(SystemdNode())
