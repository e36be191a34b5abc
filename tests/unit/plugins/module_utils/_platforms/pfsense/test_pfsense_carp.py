# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.pfsense import bridge, carp_config
from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.layout import CARP_CONFIG


def test_the_configuration_is_read_without_its_passwords(make) -> None:
    node = make(config=CARP_CONFIG)
    node.edit("<interface>wan</interface>", "<interface>opt9</interface>")
    found = carp_config.configured(bridge.read(node, carp_config.PATHS))
    assert [(vip["vhid"], vip["device"], vip["descr"]) for vip in found] == [("10", "em1", "LAN & guests")]
    assert "not to be seen" not in repr(found)
