# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gateways of pfSense, asked of the product's function in the stand-in; the words are those of gwlb.inc, not seen on a node."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import gateways
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

STATUSES = {"WAN_DHCP": "online", "WAN2": "down", "WAN3": "highloss", "UNWATCHED": "none", "LAN_GW": "force_down", "ODD": "sideways"}


def test_each_gateway_is_told_by_its_name_with_its_status_alone(tmp_path):
    node = PfsenseNode(tmp_path / "node")
    assert gateways.read(node) == []
    told = {name: {"monitorip": "198.51.100.9", "name": name, "status": status, "delay": "0ms", "loss": "0.0%"} for name, status in STATUSES.items()}
    (node.root / "var/standin/gateways.json").write_text(json.dumps(told), encoding="utf-8")
    found = gateways.read(node)
    assert [(row["name"], row["state"], row["told"]) for row in found] == [
        ("WAN_DHCP", "up", "online"), ("WAN2", "down", "down"), ("WAN3", "down", "highloss"), ("UNWATCHED", "quiet", "none"),
        ("LAN_GW", "down", "force_down"), ("ODD", None, "sideways")]
    assert "198.51.100.9" not in str(found)
    assert node.changed is False


def test_a_product_that_fails_is_an_error_and_not_no_gateways(tmp_path):
    node = PfsenseNode(tmp_path / "node")
    (node.root / "var/standin/gateways.json").write_text('{"WAN": {}}', encoding="utf-8")
    with pytest.raises(NodeError, match="asking for the gateways"):
        gateways.read(node)
