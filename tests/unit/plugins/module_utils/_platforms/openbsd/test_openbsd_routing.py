# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Neighbours of OpenBSD's own daemons, in the form of bgpctl(8) and ospfctl(8): from their sources and manuals, not seen on a node."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import routing
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

BGP = ("Neighbor                   AS    MsgRcvd    MsgSent  OutQ Up/Down  State/PrfRcvd\n"
       "upstream one            64497         12         11     0 00:04:12      5/100\n"
       "192.0.2.8               64498          0          0     0 Never    Connect\n"
       "192.0.2.7               64499         12         11     0 00:04:12      0\n")
OSPF = ("ID              Pri State        DeadTime Address         Iface     Uptime\n"
        "192.0.2.2       1   FULL/DR      00:00:35 192.0.2.2       em1       00:10:11\n192.0.2.3       1   EXSTA/OTHER  00:00:35 192.0.2.3       em1       -\n")
OSPF6 = ("ID              Pri State        DeadTime  Iface       Uptime\n"
         "192.0.2.2       1   FULL/DR      00:00:35  em1         00:10:11\n192.0.2.3       1   INIT/OTHER   00:00:35  em1         -\n\n")


def test_sessions_and_neighbours_are_told_with_their_state():
    node = SystemdNode()
    node.says(["bgpctl", "show"], BGP)
    node.says(["ospfctl", "show", "neighbor"], OSPF)
    assert [tuple(row.values()) for row in routing.bgp(node)] == [("upstream one", "up", "5/100"), ("192.0.2.8", "down", "Connect"), ("192.0.2.7", "up", "0")]
    assert [tuple(row.values()) for row in routing.ospf(node)] == [("192.0.2.2 em1", "up", "FULL/DR"), ("192.0.2.3 em1", "down", "EXSTA/OTHER")]
    node.says(["ospf6ctl", "show", "neighbor"], OSPF6)
    assert [tuple(row.values()) for row in routing.ospf6(node)] == [("192.0.2.2 em1", "up", "FULL/DR"), ("192.0.2.3 em1", "down", "INIT/OTHER")]


@pytest.mark.parametrize(("program", "read"), [("bgpctl", routing.bgp), ("ospfctl", routing.ospf), ("ospf6ctl", routing.ospf6)])
def test_nobody_is_no_neighbour_and_a_failure_is_an_error(program, read):
    node = SystemdNode()
    assert read(node) == []
    node.says([program], "", status=1, stderr="%s: connect: /var/run/daemon.sock: No such file or directory\n" % program)
    assert read(node) == []
    for stdout, status in [("", 0), ("odd\n", 0), ("", 1), (BGP[:82] + "\nodd\n", 0), ("ID Pri State\nodd\n", 0),
                           (OSPF6 + "odd\n", 0), (OSPF + "odd\n", 0), (OSPF6 + OSPF.splitlines()[1] + "\n", 0)]:
        node.says([program], stdout, status=status)
        with pytest.raises(NodeError, match="cannot be read"):
            read(node)
