# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Neighbours of FRR, as vtysh of 8.4.4 printed them of a session and a neighbour that were up (shortened, but for that of ospf6d)."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import routing
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

BGP = """{
"default":{
"ipv4Unicast":{
  "routerId":"192.0.2.1", "as":64496, "vrfId":0, "vrfName":"default", "tableVersion":0, "peerCount":2,
  "peers":{
    "192.0.2.2":{"hostname":"vm", "remoteAs":64497, "peerUptime":"00:00:14", "pfxRcd":0, "state":"Established", "peerState":"OK", "idType":"ipv4"},
    "2001:db8::9":{"remoteAs":64498, "peerUptime":"never", "pfxRcd":0, "state":"Active", "peerState":"OK", "idType":"ipv6"}
  }
}
}
}
"""
OSPF = """{
  "default":{
    "vrfName":"default", "vrfId":0,
    "neighbors":{
      "192.0.2.2":[
        {"priority":1, "state":"Full/DR", "nbrPriority":1, "nbrState":"Full/DR", "converged":"Full", "role":"DR", "upTimeInMsec":9407,
         "address":"192.0.2.2", "ifaceAddress":"192.0.2.2", "ifaceName":"v0:192.0.2.1"}
      ]
    }
  }
}
"""
OSPF6 = """{
  "neighbors":[
    {"neighborId":"192.0.2.2", "priority":1, "deadTime":"00:00:03", "state":"Full", "ifState":"DR", "duration":"00:00:10",
     "interfaceName":"v0", "interfaceState":"BDR"}
  ]
}
"""
# What vtysh said of these (seen), with status 0, of ospf6d with status 1.
NOBODY = ["bgpd is not running\n", "ospfd is not running\n", "ospf6d is not running\n", "Exiting: failed to connect to any daemons.\n"]


def told(stdout, **more):
    node = SystemdNode()
    node.says(["vtysh", "-c"], stdout, **more)
    return node


def test_sessions_and_neighbours_are_told_with_their_state():
    assert routing.bgp(told(BGP)) == [{"name": "default ipv4Unicast 192.0.2.2", "state": "up", "told": "Established"},
                                      {"name": "default ipv4Unicast 2001:db8::9", "state": "down", "told": "Active"}]
    assert routing.ospf(told(OSPF)) == [{"name": "default 192.0.2.2 v0", "state": "up", "told": "Full/DR"}]
    assert routing.ospf(told(OSPF.replace("Full/DR", "2-Way/DROther")))[0]["state"] == "up"
    assert routing.ospf(told(OSPF.replace("Full/DR", "ExStart/DR")))[0]["state"] == "down"
    assert routing.ospf(told(OSPF.replace('"nbrState":"Full/DR", ', "")))[0]["state"] == "up"


def test_neighbours_of_ospf_for_ipv6_are_told_with_their_state():
    assert routing.ospf6(told(OSPF6)) == [{"name": "192.0.2.2 v0", "state": "up", "told": "Full"}]
    assert routing.ospf6(told(OSPF6.replace("Full", "Twoway")))[0]["state"] == "up"
    assert routing.ospf6(told(OSPF6.replace("Full", "ExStart")))[0]["state"] == "down"
    # As it was with an instance that has no neighbour, and with none; several instances are one document after the other (by ospf6_neighbor.c, not seen).
    assert routing.ospf6(told('{\n  "neighbors":[\n  ]\n}\n')) == routing.ospf6(told("")) == []
    assert [row["name"] for row in routing.ospf6(told(OSPF6 + OSPF6.replace("v0", "v1")))] == ["192.0.2.2 v0", "192.0.2.2 v1"]


def test_what_is_not_understood_of_ospf_for_ipv6_is_an_error():
    assert routing.ospf6(SystemdNode()) == []
    for said in NOBODY:
        assert routing.ospf6(told("", status=1, stderr=said)) == []
    for stdout, more in [("odd", {}), ("{}", {}), ("[]", {}), (OSPF6 + "odd", {}), (OSPF6, {"status": 1}), ("", {"stderr": "Password: Failure"}),
                         ("% Unknown command: show ipv6 ospf6 vrf all neighbor json\n", {}), ('{"neighbors":[{}]}', {})]:
        with pytest.raises(NodeError, match="cannot be read"):
            routing.ospf6(told(stdout, **more))


@pytest.mark.parametrize("read", [routing.bgp, routing.ospf])
def test_nothing_installed_and_nothing_running_are_no_neighbours_and_a_failure_is_an_error(read):
    assert read(SystemdNode()) == []
    for said in NOBODY:
        assert read(told("", stderr=said)) == []
    # As it was, where nothing is configured.
    assert read(told("{\n}\n")) == []
    for stdout, more in [("", {}), ("odd", {}), ("[]", {}), ('{"default": 1}', {}), ("{}", {"status": 1}), ("", {"stderr": "Password: Failure"}),
                         ('{"default": {"ipv4Unicast": {"peers": {"a": {}}}, "neighbors": {"a": [{}]}}}', {})]:
        with pytest.raises(NodeError, match="cannot be read"):
            read(told(stdout, **more))
