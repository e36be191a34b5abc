# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""State sync on simulated OpenBSD nodes."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import pfsync
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.openbsd import pfsync0, state_sync
from ansible_collections.hafirewall.cluster.tests.simulators.openbsd.node import OpenbsdNode, pair
from ansible_collections.hafirewall.cluster.tests.unit.plugins.module_utils._platforms.openbsd.openbsd_cases import cluster, run, states, sync_options

FILE, KEPT = "/etc/hostname.pfsync0", "/etc/hostname.pfsync0.before-hafirewall"
MANAGED = "# Managed by hafirewall.cluster, which overwrites changes: state sync\n"


@pytest.fixture(name="nodes")
def _nodes(tmp_path):
    return pair(tmp_path)


def demotion(node: OpenbsdNode) -> int:
    return pfsync0.demotion(node) or 0


def test_a_node_as_installed_joins_and_the_rules_come_first(nodes):
    node, _other = nodes
    result, done = run(node, "state_sync", sync_options(0))
    assert done == ["pfctl -f /etc/pf.conf", "sh /etc/netstart pfsync0"]
    assert node.read_text(FILE) == MANAGED + "syncdev em1\nup\n"
    assert node.machine.path(FILE).stat().st_mode & 0o777 == 0o640
    assert [item["setting"] for item in result["drift"]] == ["host_id", FILE, "device as running", "running"]
    assert (result["kernel_before"], result["kernel_after"], demotion(node)) == (None, None, 0)


def test_the_first_node_says_that_nobody_has_answered_and_the_second_has_the_states(nodes):
    first, second = nodes
    assert [note.split(",")[0] for note in run(first, "state_sync", sync_options(0))[0]["notes"]] == ["no packet of another node came in on em1"]
    assert run(second, "state_sync", sync_options(1))[0]["notes"] == []


def test_it_is_the_same_after_a_boot(nodes):
    node, _other = nodes
    run(node, "state_sync", sync_options(0))
    before = pfsync.find(node)
    node.machine.boot()
    node.machine.clock.advance(60)
    assert pfsync.find(node) == before
    assert state_sync.apply(node.again(), sync_options(0))["drift"] == []


def test_another_peer_needs_pfsync0_down_and_no_longer_than_that(nodes):
    node, _other = nodes
    run(node, "state_sync", sync_options(0))
    _result, done = run(node, "state_sync", sync_options(0, transport="unicast", peer="198.51.100.131"))
    # On the running one the kernel refuses it (EBUSY).
    assert done == ["ifconfig pfsync0 down", "ifconfig pfsync0 syncpeer 198.51.100.131", "ifconfig pfsync0 up"]
    assert node.read_text(FILE) == MANAGED + "syncdev em1 syncpeer 198.51.100.131\nup\n"
    _result, done = run(node, "state_sync", sync_options(0))
    assert done[1] == "ifconfig pfsync0 -syncpeer"


def test_another_device_and_peer_are_set_in_one_command(nodes):
    node, _other = nodes
    run(node, "state_sync", sync_options(0))
    options = sync_options(0, interface="em3", address="198.51.100.2", transport="unicast", peer="198.51.100.3")
    assert run(node, "state_sync", options)[1][1] == "ifconfig pfsync0 syncdev em3 syncpeer 198.51.100.3"


def test_what_is_only_down_comes_up(nodes):
    node, _other = nodes
    run(node, "state_sync", sync_options(0))
    node.machine.run(["ifconfig", "pfsync0", "down"])
    assert run(node, "state_sync", sync_options(0))[1] == ["ifconfig pfsync0 up"]


def test_a_file_alone_is_written_without_touching_what_runs(nodes):
    node, _other = nodes
    run(node, "state_sync", sync_options(0))
    node.machine.path(FILE).unlink()
    assert run(node, "state_sync", sync_options(0))[1] == []
    assert node.read_text(FILE) == MANAGED + "syncdev em1\nup\n"


def test_a_foreign_file_that_says_the_same_stays(nodes):
    node, _other = nodes
    node.machine.put(FILE, "# mine\nsyncdev em1 up\n", 0o640)
    node.machine.run(["sh", "/etc/netstart", "pfsync0"])
    assert run(node, "state_sync", sync_options(0, host_id=None))[1] == []
    assert node.read_text(FILE) == "# mine\nsyncdev em1 up\n"


def test_a_foreign_file_is_kept_once_and_what_no_option_is_for_lives_on(nodes):
    node, _other = nodes
    node.machine.put(FILE, "syncdev em2 maxupd 20 defer up\n", 0o640)
    run(node, "state_sync", sync_options(0))
    assert node.read_text(KEPT) == "syncdev em2 maxupd 20 defer up\n"
    assert node.read_text(FILE) == MANAGED + "syncdev em1 maxupd 20 defer\nup\n"
    now = pfsync.find(node)
    assert (now.maxupd, now.defer) == (20, True)
    run(node, "state_sync", sync_options(0, transport="unicast", peer="198.51.100.131"))
    assert node.read_text(KEPT) == "syncdev em2 maxupd 20 defer up\n"
    assert node.read_text(FILE) == MANAGED + "syncdev em1 syncpeer 198.51.100.131 maxupd 20 defer\nup\n"
    node.machine.put(FILE, "syncdev em3\nup\n", 0o640)
    run(node, "state_sync", sync_options(0))
    assert node.read_text(KEPT) == "syncdev em2 maxupd 20 defer up\n"


def test_off_takes_all_away_and_keeps_a_foreign_file(nodes):
    node, _other = nodes
    run(node, "state_sync", sync_options(0))
    assert run(node, "state_sync", sync_options(0, enabled=False))[1] == ["ifconfig pfsync0 destroy"]
    assert (node.read_text(FILE), node.read_text(KEPT), pfsync.find(node)) == (None, None, None)
    node.machine.put(FILE, "syncdev em2\nup\n", 0o640)
    assert run(node, "state_sync", sync_options(0, enabled=False))[1] == []
    assert (node.read_text(FILE), node.read_text(KEPT)) == (None, "syncdev em2\nup\n")


def test_packets_are_no_larger_than_the_device_takes(nodes):
    node, _other = nodes
    node.machine.interfaces["em1"].mtu = 1400
    run(node, "state_sync", sync_options(0))
    assert node.read_text(FILE) == MANAGED + "syncdev em1\nmtu 1400\nup\n"
    assert pfsync.find(node).mtu == 1400


def test_a_device_that_takes_less_now_is_followed_with_and_without_a_restart(nodes):
    node, _other = nodes
    run(node, "state_sync", sync_options(0))
    node.machine.interfaces["em1"].mtu = 1400
    result, done = run(node, "state_sync", sync_options(0))
    assert (done, result["drift"][-1]) == (["ifconfig pfsync0 mtu 1400"], {"setting": "mtu as running", "is": 1500, "wanted": 1400})
    node.machine.interfaces["em1"].mtu = 1300
    done = run(node, "state_sync", sync_options(0, transport="unicast", peer="198.51.100.131"))[1]
    assert done == ["ifconfig pfsync0 down", "ifconfig pfsync0 syncpeer 198.51.100.131", "ifconfig pfsync0 mtu 1300", "ifconfig pfsync0 up"]


def test_host_id_and_policy_are_in_pf_conf_and_stay_when_they_are_not_stated(nodes):
    node, _other = nodes
    run(node, "state_sync", sync_options(0, state_policy="if-bound"))
    assert "set hostid 0x000000a0\nset state-policy if-bound\n" in node.read_text("/etc/pf.conf")
    assert state_sync.apply(node.again(), sync_options(0, host_id=None))["drift"] == []
    assert run(node, "state_sync", sync_options(0, host_id="b7"))[1] == ["pfctl -f /etc/pf.conf"]
    assert "set hostid 0x000000b7\nset state-policy if-bound\n" in node.read_text("/etc/pf.conf")


def test_an_active_node_is_told_that_its_addresses_move(nodes):
    first, second = nodes
    cluster(first, second)
    assert (states(first), states(second)) == (["active", "active"], ["standby", "standby"])
    standby = state_sync.apply(second.again(), sync_options(1, transport="unicast", peer="198.51.100.130"))
    assert not [note for note in standby["notes"] if "active" in note]
    active = state_sync.apply(first.again(), sync_options(0, transport="unicast", peer="198.51.100.131"))
    assert "this node is active (192.0.2.1 on em0, 203.0.113.1 on em2)" in active["notes"][0]
    # Nothing here demotes for good: the demotion of the transfer is gone when the run ends.
    assert (demotion(first), demotion(second)) == (0, 0)


def test_a_link_that_is_down_is_said(nodes):
    node, _other = nodes
    node.machine.network.cut("em1")
    notes = run(node, "state_sync", sync_options(0))[0]["notes"]
    assert notes[0] == "CARP stays demoted by 1, for em1 has no link"


def test_a_pf_that_is_off_is_said(nodes):
    node, _other = nodes
    node.machine.run(["pfctl", "-d"])
    assert run(node, "state_sync", sync_options(0))[0]["notes"][0].startswith("the packet filter is off")


@pytest.mark.parametrize(("changes", "message"), [
    ({"version": 1400}, "version: OpenBSD's pfsync has one format"),
    ({"host_id": "0"}, "host_id: '0' is none"),
    ({"address": "2001:db8::1"}, "address: 2001:db8::1 is no IPv4 address"),
    ({"transport": "unicast"}, "peer: transport unicast needs it"),
    ({"transport": "unicast", "peer": "2001:db8::2"}, "peer: 2001:db8::2 is no IPv4 address"),
    ({"interface": "em9"}, "interface: there is no device em9"),
    ({"address": "198.51.100.139"}, "address: em1 has not 198.51.100.139 but 198.51.100.130"),
])
def test_what_openbsd_cannot_have_is_refused_with_nothing_changed(nodes, changes, message):
    node, _other = nodes
    with pytest.raises(NodeError, match=message):
        state_sync.apply(node, sync_options(0, **changes))
    assert not node.changed and not node.machine.changes()


def test_a_device_that_is_to_come_is_good_for_a_prediction(nodes):
    node = nodes[0].again(check_mode=True)
    assert state_sync.apply(node, sync_options(0, interface="aggr0", coming={"aggr0": "em1"}))["validation"] == "not possible yet: aggr0 is not there"


@pytest.mark.parametrize("words", [["ifconfig", "pfsync0", "up"], ["ifconfig", "pfsync0", "syncpeer"]])
def test_a_change_that_fails_leaves_all_as_it_was(nodes, words):
    node, _other = nodes
    run(node, "state_sync", sync_options(0))
    before = (pfsync.find(node), node.read_text(FILE), node.read_text("/etc/pf.conf"))
    failed = []

    def fail_once(argv):
        if argv[:len(words)] == words and not failed:
            failed.append(argv)
            raise NodeError("%s failed" % " ".join(words))

    node.machine.before_command = fail_once
    with pytest.raises(NodeError, match="everything was put back as it was"):
        state_sync.apply(node.again(), sync_options(0, host_id="b7", transport="unicast", peer="198.51.100.131"))
    assert (pfsync.find(node), node.read_text(FILE), node.read_text("/etc/pf.conf")) == before
    assert state_sync.apply(node.again(), sync_options(0))["drift"] == []


def test_a_netstart_that_does_not_do_it_is_an_error_although_it_says_nothing(nodes):
    node, _other = nodes
    node.machine.answer(["sh", "/etc/netstart", "pfsync0"])
    with pytest.raises(NodeError, match="pfsync0 does not run as configured: device as running is None, wanted is em1"):
        state_sync.apply(node, sync_options(0))
    assert node.read_text(FILE) is None


@pytest.mark.parametrize(("text", "found"), [
    (None, None),
    ("", pfsync0.Boot(False, None, None)),
    ("# up\n!up\nsyncdev em2\n\tup\n", pfsync0.Boot(True, "em2", None)),
    ("syncif em2 syncpeer 224.0.0.240 maxupd 9 defer up", pfsync0.Boot(True, "em2", None, 9, True)),
    ("up syncdev em2\n", pfsync0.Boot(False, "em2", None)),
    ("syncdev em2 syncpeer 198.51.100.131 defer\n-syncpeer -defer\n-syncdev\nup\ndown\n", pfsync0.Boot(False, None, None)),
])
def test_a_file_is_read_as_netstart_reads_it(text, found):
    assert pfsync0.boot(text) == found
