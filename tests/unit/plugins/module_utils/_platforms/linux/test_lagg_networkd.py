# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAGGs with systemd-networkd: nothing of the user's is changed, and what cannot be done so is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.tests.simulators.networkd_network import FOLDER
from stack_cases import call, lagg, machine, whole


def test_the_users_files_stay_as_they_are() -> None:
    node, _network = machine("networkd")
    before = {path: file for path, file in node.files.items() if path.startswith(FOLDER)}
    whole(node, lagg())
    assert before.items() <= node.files.items()


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda network: network.node.files.pop(FOLDER + "20-eth1.10.netdev"), "eth1.10 is in no .netdev file"),
    (lambda network: network.write("00-eth1.network", network.node.text(FOLDER + "20-eth1.network")), "sorts before"),
])
def test_what_could_not_be_kept_is_refused_before_anything_is_touched(spoil: Any, message: str) -> None:
    node, network = machine("networkd")
    spoil(network)
    before = (node.snapshot(), network.state())
    with pytest.raises(NodeError, match=message):
        call(node, lagg())
    assert (node.snapshot(), network.state(), node.commands, node.diffs) == (*before, [], [])


def test_a_lagg_of_somebody_elses_is_left_alone_and_one_without_files_is_told() -> None:
    node, network = machine("networkd")
    network.write("30-bond1.netdev", "[NetDev]\nName=bond1\nKind=bond\n[Bond]\nMode=active-backup\n")
    for member in ("eth2", "eth3"):
        network.write("30-%s.network" % member, "[Match]\nName=%s\n[Network]\nBond=bond1\n%s" % (member, "PrimarySlave=true\n" if member == "eth2" else ""))
    network.write("30-bond1.network", "[Match]\nName=bond1\n[Network]\nAddress=198.51.100.130/25\n")
    network.reload()
    theirs = lagg(members=["eth2", "eth3"], primary="eth2", vlans=[], moves=[])
    assert call(node, theirs)["drift"] == [] and node.diffs == []
    node.files.pop(FOLDER + "30-bond1.netdev")
    assert call(node.again(check_mode=True), theirs)["drift"] == [{"setting": "bond1 at boot", "is": "absent", "wanted": "present"}]


def test_a_file_that_somebody_changed_is_drift_although_the_kernel_is_as_wanted() -> None:
    node, network = machine("networkd")
    whole(node, lagg())
    path = FOLDER + "05-hafirewall-bond1.netdev"
    network.write("05-hafirewall-bond1.netdev", node.text(path).replace("active-backup", "broadcast"))
    node = node.again()
    assert whole(node, lagg(moves=[]))[0]["drift"] == [{"setting": path, "is": "different", "wanted": "as rendered"}]
    assert "Mode=active-backup" in node.text(path)
