# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator itself: what other tests take for granted about it."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.services import Unit, daemon_reload, transaction
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode

DROP_IN = "/etc/systemd/system/thing.service.d/x.conf"


def test_a_drop_in_counts_only_after_daemon_reload() -> None:
    node = SystemdNode(files={"/etc/thing": "v1"})
    node.unit("thing.service")
    node.write_text(DROP_IN, "[Service]\nExecStartPre=/usr/bin/install -m 0600 /etc/thing /run/thing\n")
    assert Unit(node, "thing.service").state().needs_reload
    Unit(node, "thing.service").start()
    assert node.read_text("/run/thing") is None
    daemon_reload(node)
    assert not Unit(node, "thing.service").state().needs_reload
    Unit(node, "thing.service").restart()
    assert node.text("/run/thing") == "v1"
    assert node.units["thing.service"].starts == 2


def test_a_failed_transaction_brings_files_and_units_back() -> None:
    node = SystemdNode(files={"/etc/thing": "v1"})
    node.unit("thing.service", active=True, enabled=True)
    before = node.snapshot()
    node.failing = [("restart", "thing.service")]
    unit = Unit(node, "thing.service")
    with pytest.raises(NodeError), transaction(node, unit):
        node.write_text("/etc/thing", "v2")
        try:
            unit.restart()
        finally:
            node.failing = []
    assert node.snapshot() == before
    assert node.units["thing.service"].active


def test_a_full_disk_and_a_masked_unit_fail_as_they_do_on_a_node() -> None:
    node = SystemdNode()
    node.full_disks = ["/etc/"]
    with pytest.raises(NodeError, match="No space left"):
        node.write_text("/etc/thing", "v2")
    assert node.read_text("/etc/thing") is None
    node.unit("thing.service", masked=True)
    with pytest.raises(NodeError, match="is masked"):
        Unit(node, "thing.service").start()


def test_check_mode_leaves_everything() -> None:
    node = SystemdNode(check_mode=True)
    node.unit("thing.service")
    before = node.snapshot()
    node.write_text("/etc/thing", "v1")
    Unit(node, "thing.service").start()
    assert node.snapshot() == before
    assert node.commands == ["systemctl start thing.service"]
