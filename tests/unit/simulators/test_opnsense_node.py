# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The double of an OPNsense node has the real one's manners, as its README says."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.opnsense.node import configure, pair


def shown(node, *words):
    done = node.machine.run(list(words))
    assert done.status == 0, done
    return done.stdout


def test_a_pair_is_a_cluster_from_its_configuration_alone(tmp_path):
    first, second = pair(tmp_path)
    assert [node.machine.carp.vhids["em0", 10].state for node in (first, second)] == ["MASTER", "BACKUP"]
    assert first.machine.traffic(10) > 0
    first.machine.clock.advance(5)
    assert shown(second, "pfctl", "-sc").count("\n") == 3


def test_each_boot_has_another_host_id_and_the_stored_format(tmp_path):
    node = pair(tmp_path)[1]
    before = node.machine.hostid
    node.machine.boot()
    assert node.machine.hostid != before and "version: 1400" in shown(node, "ifconfig", "pfsync0")
    node.edit("<pfsyncversion>1400<", "<pfsyncversion>1301<")
    assert "version: 1400" in shown(node, "ifconfig", "pfsync0")
    node.machine.boot()
    assert "version: 1301" in shown(node, "ifconfig", "pfsync0")


def test_a_reload_keeps_the_host_id(tmp_path):
    node = pair(tmp_path)[0]
    before = node.machine.hostid
    configure(node.machine)
    assert node.machine.hostid == before


def test_maintenance_is_there_again_after_a_boot(tmp_path):
    node = pair(tmp_path)[1]
    node.edit("</interfaces>", "</interfaces><virtualip_carp_maintenancemode>1</virtualip_carp_maintenancemode>")
    node.machine.boot()
    node.machine.clock.advance(60)
    assert shown(node, "sysctl", "-n", "net.inet.carp.demotion").strip() == "240"


@pytest.mark.parametrize("release", ["24.1", "26.7.2"])
def test_no_rule_lets_pfsync_in_unless_somebody_made_one(tmp_path, release):
    old = {} if release != "24.1" else {"<pfsyncversion>1400</pfsyncversion>": "<pfsyncenabled>on</pfsyncenabled>"}
    first, second = pair(tmp_path, release, changes={"<protocol>PFSYNC</protocol>": "<protocol>ICMP</protocol>", **old})
    first.machine.traffic(10)
    first.machine.clock.advance(5)
    assert "pfsync" not in shown(second, "pfctl", "-sr")
    assert shown(second, "pfctl", "-sc").count("\n") == 2  # its own alone
