# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.asking import difference, targets


@pytest.mark.parametrize(("network", "number"), [("198.51.100.0/24", 253), ("198.51.96.0/23", 0), ("2001:db8:5::/64", 0), (None, 0)])
def test_only_an_ipv4_network_of_at_most_256_addresses_is_asked(network, number):
    assert len(targets(network, ["198.51.100.129"])) == number


def test_a_difference_is_never_negative_and_knows_only_interfaces_seen_twice():
    before = {"a": {"rx_bytes": 10, "tx_bytes": 10}, "gone": {"rx_bytes": 1, "tx_bytes": 1}}
    after = {"a": {"rx_bytes": 15, "tx_bytes": 3}, "new": {"rx_bytes": 9, "tx_bytes": 9}}
    assert difference(before, after) == {"a": {"rx_bytes": 5, "tx_bytes": 0}}
