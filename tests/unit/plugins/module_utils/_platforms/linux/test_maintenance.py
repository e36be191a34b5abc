# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import virtual_ip
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.keepalived_config import MAINTENANCE
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.maintenance import apply, observe_maintenance
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.keepalived import UNIT, Keepalived
from ansible_collections.hafirewall.cluster.tests.simulators.systemd_node import SystemdNode
from ansible_collections.hafirewall.cluster.tests.simulators.virtual_ip_options import options

ENTER, LEAVE = {"state": "enabled"}, {"state": "disabled"}


def running(check_mode: bool = False) -> tuple[SystemdNode, Keepalived]:
    node = SystemdNode()
    daemon = Keepalived(node)
    virtual_ip.apply(node, options())
    return node.again(check_mode=check_mode), daemon


@pytest.mark.parametrize(("text", "meaning"), [("1\n", True), ("0\n", False), ("1", True), ("", None), ("yes\n", None)])
def test_the_file_is_read_as_keepalived_reads_it(text: str, meaning: object) -> None:
    assert observe_maintenance(SystemdNode(files={MAINTENANCE: text})) is meaning


def test_a_node_that_was_never_asked_is_not_in_maintenance() -> None:
    assert observe_maintenance(SystemdNode()) is False


@pytest.mark.parametrize("check_mode", [True, False])
def test_entering_hands_over_and_check_mode_says_the_same(check_mode: bool) -> None:
    node, daemon = running(check_mode)
    result = apply(node, ENTER)
    assert result == {"drift": [{"setting": "maintenance", "is": False, "wanted": True}], "validation": "not needed", "maintenance": True, "handed_over": True}
    assert node.text(MAINTENANCE) == ("0\n" if check_mode else "1\n")
    assert daemon.state() == ("active" if check_mode else "fault")
    assert [item["after"] for item in node.diffs] == ["1\n"]


def test_a_standby_enters_without_handing_over() -> None:
    node, daemon = running()
    daemon.peer_is_active = True
    assert apply(node, ENTER)["handed_over"] is False


def test_maintenance_that_ends_with_a_reboot_is_refused() -> None:
    node, daemon = running()
    with pytest.raises(NodeError, match="persistent: .*outlasts a reboot"):
        apply(node, {"state": "enabled", "persistent": False})
    assert daemon.state() == "active" and not node.changed


def test_entering_twice_changes_nothing() -> None:
    node, _daemon = running()
    apply(node, ENTER)
    node = node.again()
    assert apply(node, ENTER) == {"drift": [], "validation": "not needed", "maintenance": True, "handed_over": False}
    assert not node.changed


def test_leaving_makes_the_node_take_part_again() -> None:
    node, daemon = running()
    apply(node, ENTER)
    daemon.peer_is_active = True
    node = node.again()
    result = apply(node, LEAVE)
    assert result["maintenance"] is False and daemon.state() == "standby" and node.text(MAINTENANCE) == "0\n"
    node = node.again()
    assert apply(node, LEAVE)["drift"] == [] and not node.changed


def test_leaving_with_an_interface_down_is_an_error_and_the_node_stays_in_maintenance() -> None:
    node, daemon = running()
    apply(node, ENTER)
    daemon.links_down = ["wan0"]
    with pytest.raises(NodeError, match="wan0 is fault.*put back"):
        apply(node.again(), LEAVE)
    assert node.text(MAINTENANCE) == "1\n"


def test_leaving_without_a_running_daemon_is_an_error() -> None:
    node, daemon = running()
    apply(node, ENTER)
    node.units[UNIT].active, node.units[UNIT].pid, daemon.loaded = False, 0, None
    with pytest.raises(NodeError, match="keepalived does not run"):
        apply(node.again(), LEAVE)


def test_addresses_that_do_not_go_are_an_error_that_names_them_and_nothing_is_changed() -> None:
    node, daemon = running()
    daemon.stuck = True
    with pytest.raises(NodeError, match=r"still holds virtual addresses.*192\.0\.2\.1/24 on lan0.*put back"):
        apply(node, ENTER)
    assert node.text(MAINTENANCE) == "0\n"


def test_addresses_that_cannot_be_read_are_not_taken_for_gone() -> None:
    node, _daemon = running()
    node.says(["ip", "-json"], status=1)
    with pytest.raises(NodeError, match="cannot be read"):
        apply(node, ENTER)


def test_a_node_without_virtual_addresses_cannot_enter_but_is_out_already() -> None:
    node = SystemdNode()
    with pytest.raises(NodeError, match="nothing to hand over"):
        apply(node, ENTER)
    assert node.read_text(MAINTENANCE) is None
    assert apply(node, LEAVE) == {"drift": [], "validation": "not needed", "maintenance": False, "handed_over": False}
