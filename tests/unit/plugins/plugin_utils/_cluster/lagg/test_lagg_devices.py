# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What lies upon what on a node, from evidence that may be incomplete or untrue."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.devices import Devices
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_node import lagg, port, vlan

KNOWN = Devices([port("em0"), port("em1"), vlan("em1", 10), vlan("em1.10", 7), lagg("lagg0", ["em2"]), port("em2"), vlan("lagg0", 20),
                 vlan("em1", 30, name="up"), port("br0", kind="bridge"), port("em3", master="br0")])


@pytest.mark.parametrize(("stated", "carrier", "bottom"), [
    ("em0", "em0", "em0"), ("em1.10", "em1.10", "em1"), ("em1.10.7", "em1.10.7", "em1"), ("up", "up", "em1"),
    # A member stands for its LAGG, and a VLAN that has moved for the one that there is now.
    ("em2", "lagg0", "lagg0"), ("em2.20", "lagg0.20", "lagg0"), ("em2_vlan20", "lagg0.20", "lagg0"), ("lagg0.20", "lagg0.20", "lagg0"),
    # What is not there is taken at its word.
    ("em9", "em9", "em9"), ("em2.21", "em2.21", "em2"), ("em1.77", "em1.77", "em1"), ("em9.10", "em9.10", "em9.10"), ("em1.0", "em1.0", "em1.0"),
])
def test_where_an_interface_is_now(stated: str, carrier: str, bottom: str) -> None:
    assert KNOWN.carrier(stated) == carrier
    assert KNOWN.bottom(carrier) == bottom


def test_what_lies_upon_a_device_comes_from_below() -> None:
    assert [device.name for device in KNOWN.upon("em1")] == ["em1.10", "up", "em1.10.7"]
    assert [device.name for device in KNOWN.upon("lagg0")] == ["lagg0.20"] and KNOWN.upon("em0") == []


def test_evidence_that_lies_upon_itself_ends() -> None:
    circle = Devices([port("a", vlan={"id": 1, "parent": "b"}), port("b", vlan={"id": 2, "parent": "a"}), port("c", vlan={"id": 3, "parent": "c"})])
    assert circle.bottom("a") in ("a", "b") and circle.bottom("c") == "c" and len(circle.upon("a")) <= 3
    assert Devices([]).carrier("x" + ".1" * 5000).startswith("x")


@pytest.mark.parametrize(("name", "vlan_of", "is_lagg"), [
    ("em1.10", (10, "em1"), False), ("em1_vlan10", (10, "em1"), False), ("em1", None, False), ("bond0", None, True), ("lagg12", None, True),
    ("bond-wan", None, False), ("em1.99999", None, False),
])
def test_names_tell_where_there_is_no_evidence(name: str, vlan_of: tuple[int, str] | None, is_lagg: bool) -> None:
    unknown = Devices(None)
    assert not unknown.known and unknown.vlan(name) == vlan_of and (unknown.lagg(name) is not None) is is_lagg


def test_what_evidence_says_beats_the_name() -> None:
    found = Devices([port("em1.10"), port("bond0"), {"name": "lagg1"}, {"name": "em1.20"}, port("em1")])
    assert found.vlan("em1.10") is None and found.lagg("bond0") is None
    # Without a word on what it is, the name tells.
    assert found.lagg("lagg1") is not None and found.vlan("em1.20") == (20, "em1")


@pytest.mark.parametrize("junk", [None, 7, "em0", [], {"members": "em0"}, {"members": [None, 3]}, {"protocol": []}])
def test_a_lagg_that_is_not_as_described_is_unknown(junk: object) -> None:
    found = Devices([{"name": "lagg0", "kind": "lagg", "lagg": junk, "mtu": "large", "speed": True, "addresses": ["x", 3], "vlan": {"id": "1"}, "master": 5}])
    own = found.lagg("lagg0")
    assert own is not None and own.protocol is None and not own.members
    device = found.get("lagg0")
    assert device is not None and (device.mtu, device.speed, device.addresses, device.vlan, device.master) == (None, None, (), None, None)
