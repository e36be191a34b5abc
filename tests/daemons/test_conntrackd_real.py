# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real conntrackd: it reads what we write, carries states, and behaves as the hooks and the refresh of quiet states assume."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import conntrackd_config
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.conntrackd_stats import parse_statistics
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.state_sync import complaints
from ansible_collections.hafirewall.cluster.tests.daemons.conntrackd_nodes import Cluster, wait_for

PARAMS = {"interface": "lo", "address": "198.51.100.129", "transport": "multicast", "group": "225.0.0.50", "port": 3780, "peer": None,
          "mode": "ftfw", "external_cache": False, "ignore_addresses": ["192.0.2.1", "2001:db8:1::1"]}
CHANNELS = [{}, {"address": "2001:db8:5::1", "group": "ff02::50"}, {"transport": "unicast", "group": None, "peer": "198.51.100.130"},
            {"transport": "unicast", "group": None, "address": "2001:db8:5::1", "peer": "2001:db8:5::2"}]
MODES = [("ftfw", False), ("ftfw", True), ("notrack", False), ("notrack", True), ("alarm", True)]


def read_by_conntrackd(params: dict) -> list[str]:
    """What conntrackd complains about. A client reads the file and looks for a socket that cannot be there: nothing is started."""
    text = conntrackd_config.render(params, socket="/nonexistent/hafirewall/ctl")
    done = subprocess.run(["conntrackd", "-C", "/dev/stdin", "-s"], input=text, capture_output=True, encoding="utf-8", timeout=20, check=False)
    assert "can't connect" in done.stderr or complaints(done.stderr), done.stderr
    return complaints(done.stderr)


@pytest.mark.parametrize("channel", CHANNELS, ids=["multicast", "multicast6", "unicast", "unicast6"])
@pytest.mark.parametrize(("mode", "external_cache"), MODES)
def test_the_parser_takes_every_variant(channel: dict, mode: str, external_cache: bool) -> None:
    assert read_by_conntrackd(dict(PARAMS, **channel, mode=mode, external_cache=external_cache)) == []


@pytest.mark.parametrize("device", ["sync0", "eth1", "enp3s0f1", "bond0.100", "br-sync", "dead0", "beefe", "f00d5", "onboard1", "Ethernet_3"])
def test_it_reads_the_device_names_that_we_let_pass(device: str) -> None:
    assert conntrackd_config.device_problem(device) is None
    # It is not there, but it is read as a name.
    assert read_by_conntrackd(dict(PARAMS, interface=device)) == ["%s is an invalid interface" % device]


@pytest.mark.parametrize("device", ["e0", "fe1", "a", "dead", "1eth", "wan:1", "lan+", "on", "Off", "alarm", "Group", "UDP", "for", "CLOSED", "Path",
                                    "QueueNum", "Systemd"])
def test_it_cannot_read_the_device_names_that_we_refuse(device: str) -> None:
    assert conntrackd_config.device_problem(device)
    assert read_by_conntrackd(dict(PARAMS, interface=device)) not in ([], ["%s is an invalid interface" % device])


PAIRS = {
    "ftfw": [{}, {}],
    "notrack": [{"mode": "notrack"}] * 2,
    "ftfw6": [{"address": "2001:db8:5::1", "group": "ff02::50"}, {"address": "2001:db8:5::2", "group": "ff02::50"}],
    "unicast": [{"transport": "unicast", "peer": "198.51.100.130"}, {"transport": "unicast", "peer": "198.51.100.129"}],
    "unicast6": [{"transport": "unicast", "address": "2001:db8:5::1", "peer": "2001:db8:5::2"},
                 {"transport": "unicast", "address": "2001:db8:5::2", "peer": "2001:db8:5::1"}],
}


@pytest.mark.parametrize("options", PAIRS.values(), ids=PAIRS.keys())
def test_states_travel_both_ways_in_a_pair(tmp_path: Path, options: list[dict]) -> None:
    with Cluster(tmp_path, options) as (one, two):
        one.add_states("192.0.2.55", "203.0.113.5", 20)
        two.add_states("2001:db8:1::55", "2001:db8:2::5", 20)
        assert wait_for(lambda: len(two.states("192.0.2.55")) == 20, 10)
        assert wait_for(lambda: len(one.states("2001:db8:1::55", "ipv6")) == 20, 10)
        counters = parse_statistics(one.engine("-s"))["counters"]
        assert counters is not None and counters["sent"] and counters["received"] and counters["send_errors"] == 0


def test_alarm_keeps_them_in_the_external_cache(tmp_path: Path) -> None:
    with Cluster(tmp_path, [{"mode": "alarm", "external_cache": True}] * 2) as (one, two):
        one.add_states("192.0.2.55", "203.0.113.5", 20)
        assert wait_for(lambda: (parse_statistics(two.engine("-s"))["tables"] or {})["external"] == 20, 10)
        assert two.states("192.0.2.55") == []


def test_notrack_serves_three_nodes_60_states_from_each(tmp_path: Path) -> None:
    with Cluster(tmp_path, [{"mode": "notrack"}] * 3) as machines:
        for at, machine in enumerate(machines):
            machine.add_states("192.0.2.%d" % at, "203.0.113.%d" % at, 60)
        for machine in machines:
            assert wait_for(lambda machine=machine: [len(machine.states("192.0.2.%d" % at)) for at in range(3)] == [60] * 3, 15)


def test_a_quiet_state_runs_out_on_the_standby_unless_it_is_refreshed(tmp_path: Path) -> None:
    with Cluster(tmp_path, [{}, {}]) as (active, standby):
        active.udp_timeouts(6)
        standby.udp_timeouts(6)
        active.talk()
        assert wait_for(lambda: standby.seconds_left("192.0.2.100") is not None, 5)
        assert wait_for(lambda: standby.seconds_left("192.0.2.100") is None, 12)
        assert active.seconds_left("192.0.2.100") is not None
        active.add_states("192.0.2.7", "203.0.113.7", 1, timeout=8)  # says nothing more: it must end on both nodes
        active.refresh()
        assert wait_for(lambda: standby.seconds_left("192.0.2.100") is not None, 6)
        assert not wait_for(lambda: standby.seconds_left("192.0.2.100") is None, 14)
        assert standby.states("192.0.2.7") == []


@pytest.mark.parametrize("forgets", [False, True])
def test_a_restarted_standby_must_forget_the_states_of_others(tmp_path: Path, forgets: bool) -> None:
    """Why the unit's ExecStartPost is there: otherwise the copy that runs out takes the active node's state along."""
    with Cluster(tmp_path, [{}, {}]) as (active, standby):
        active.add_states("192.0.2.55", "203.0.113.5", 1, timeout=300)
        assert wait_for(lambda: len(standby.states("192.0.2.55")) == 1, 5)
        standby.stop()
        standby.start()
        if forgets:
            standby.engine("-f", "internal")
        assert (parse_statistics(standby.engine("-s"))["tables"] or {})["internal"] == (0 if forgets else 1)
        standby.inside("conntrack", "-D", "-p", "udp", "--orig-src", "192.0.2.55")  # its end on the standby, as when it runs out
        if forgets:
            assert not wait_for(lambda: active.states("192.0.2.55") == [], 2)
        else:
            assert wait_for(lambda: active.states("192.0.2.55") == [], 5)
