# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both sides on one host, over the loopback: listen, talk, read, stop."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe import ports, probe, processes, reading
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.processes import ProbeError


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    os.mkdir(tmp_path / "probes", 0o700)
    monkeypatch.setattr(processes, "folder_of", lambda name: str(tmp_path / "probes" / name))
    yield {"address": "127.0.0.1", "peer": "127.0.0.1", "port": free_port(), "flows": 30, "udp_flows": 4, "tcp_interval": 0.2, "udp_interval": 0.01,
           "lifetime": 60, "timeout": 10, "since": None, "after": None, "window": 60, "until": None}
    for name in ("server", "client"):
        probe.stop(name)


def both(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return dict(options, name="server"), dict(options, name="client")


def test_flows_talk_both_ways_and_survival_is_counted_at_both_ends(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(probe, "FLOWS_PER_PROCESS", 10)
    server, client = both(options)
    assert probe.listen(server)["changed"] is True
    talking = probe.talk(client)
    assert (talking["opened"], talking["udp_heard"], talking["changed"]) == (30, 4, True)
    assert sum(one.name.startswith("tcp-") for one in processes.find(processes.folder_of("client"))) == 3
    assert probe.listen(server)["changed"] is False
    assert probe.talk(client)["changed"] is False
    moment = {"since": time.time(), "until": "survived"}
    for side in (server, client):
        read = reading.read(dict(side, **moment))
        assert read["satisfied"] is True
        assert (read["tcp"]["flows"], read["tcp"]["opened"], read["tcp"]["open"], read["tcp"]["survived"]) == (30, 30, 30, 30)
        assert all(0 <= back <= 5000 for back in read["tcp"]["back_ms"])
        assert all(gap[2] == 1 for gap in read["udp"]["gaps"])
        assert abs(read["peer_clock"]["offset_ms"]) <= read["peer_clock"]["uncertainty_ms"] + 1
        if side is server:
            assert [len(changes) for changes in read["udp"]["sources"]] == [1] * 4
            assert read["reconnect"] is None
        else:
            assert read["reconnect"]["succeeded"] > 0
            assert "sources" not in read["udp"]
    assert probe.stop("client") == {"changed": True}
    assert probe.stop("client") == {"changed": False}


def test_a_host_that_is_late_to_send_and_to_read_is_no_flow_that_is_silent(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    server, client = both(options)
    probe.listen(server)
    probe.talk(client)
    moment = {"since": time.time(), "until": "survived"}
    [talker] = [one for one in processes.find(processes.folder_of("client")) if one.name == "udp"]
    asking = processes.ask

    def late(*arguments: Any) -> Any:
        """The client stops for longer than any of its pauses, just as the server is asked for its report."""
        if arguments[2].get("ask") == "report":
            os.kill(talker.pid, signal.SIGCONT)
        elif arguments[2].get("after") == 0:
            os.kill(talker.pid, signal.SIGSTOP)
            time.sleep(0.3)
            threading.Timer(0.2, os.kill, (talker.pid, signal.SIGCONT)).start()
        return asking(*arguments)

    assert reading.read(dict(server, **moment))["satisfied"] is True
    monkeypatch.setattr(processes, "ask", late)
    read = reading.read(dict(server, **dict(moment, until=None)))
    assert [gap[2] for gap in read["udp"]["gaps"]] == [1] * 4 and all(gap[1] >= 250 for gap in read["udp"]["gaps"])
    # One that has stopped for good is silent.
    os.kill(talker.pid, signal.SIGSTOP)
    time.sleep(0.6)
    monkeypatch.setattr(processes, "ask", asking)
    silent = reading.read(dict(server, **dict(moment, until=None)))
    os.kill(talker.pid, signal.SIGCONT)
    assert [gap[2] for gap in silent["udp"]["gaps"]] == [0] * 4


def test_the_server_sees_the_end_of_the_client_as_flows_that_are_gone(options: dict[str, Any]):
    server, client = both(dict(options, udp_flows=0))
    probe.listen(server)
    probe.talk(client)
    probe.stop("client")
    read = reading.read(dict(server, since=time.time() + 0.5, until="survived"))
    assert read["satisfied"] is False
    assert read["read_ms"] < 5000, "flows that are gone for good are not waited for"
    assert (read["tcp"]["survived"], read["tcp"]["open"], read["tcp"]["back_ms"]) == (0, 0, [None] * 30)
    assert (read["udp"], read["deliveries"], read["peer_clock"]) == (None, None, None)


def test_a_client_that_starts_again_counts_with_its_new_connections(options: dict[str, Any]):
    server, client = both(options)
    probe.listen(server)
    probe.talk(client)
    probe.stop("client")
    probe.talk(client)
    read = reading.read(dict(server, since=time.time(), until="survived", timeout=10))
    assert (read["satisfied"], read["tcp"]["open"], read["tcp"]["survived"]) == (True, 30, 30)


def test_nobody_listening_is_a_clear_error_and_nothing_stays(options: dict[str, Any]):
    with pytest.raises(ProbeError, match=r"opened 0 of 30 TCP flows to 127.0.0.1 port \d+ within 10 s \(ECONNREFUSED: \d+\), and 0 of 4 UDP"):
        probe.talk(both(options)[1])
    assert not os.path.exists(processes.folder_of("client"))


@pytest.mark.parametrize("shared", [False, True])
def test_a_port_that_is_taken_is_a_clear_error(options: dict[str, Any], shared: bool):
    with socket.create_server(("127.0.0.1", options["port"]), reuse_port=shared), pytest.raises(ProbeError, match="cannot listen on 127.0.0.1 port .* in use"):
        probe.listen(both(options)[0])


def test_other_options_start_the_probe_anew(options: dict[str, Any]):
    server = both(options)[0]
    probe.listen(server)
    before = processes.find(processes.folder_of("server"))
    assert probe.listen(dict(server, flows=31))["changed"] is True
    assert not any(one.alive for one in before)


def test_check_mode_predicts_and_starts_nothing(options: dict[str, Any]):
    server, client = both(options)
    assert probe.listen(server, check_mode=True)["changed"] is True
    assert probe.talk(client, check_mode=True)["changed"] is True
    assert probe.stop("server", check_mode=True) == {"changed": False}
    probe.listen(server)
    assert probe.listen(server, check_mode=True)["changed"] is False
    assert probe.stop("server", check_mode=True) == {"changed": True}
    assert len(probe.running("server")) >= 2


def test_reading_what_does_not_run_is_an_error(options: dict[str, Any]):
    with pytest.raises(ProbeError, match="no probe named server runs"):
        reading.read(both(options)[0])


def test_a_process_that_was_killed_makes_reading_fail(options: dict[str, Any]):
    server = both(options)[0]
    probe.listen(server)
    victim = probe.running("server")[0]
    os.kill(victim.pid, 9)
    end = time.monotonic() + 60
    while victim.alive and time.monotonic() < end:
        time.sleep(0.01)
    with pytest.raises(ProbeError, match="process tcp-0 of probe server has ended"):
        reading.read(server)


def test_counts_come_without_a_moment(options: dict[str, Any]):
    server, client = both(options)
    probe.listen(server)
    probe.talk(client)
    assert reading.read(client)["counts"]["tcp-0"]["opened"] == 30


def test_source_ports_are_taken_in_turn_and_taken_ones_left_out():
    taken = free_port()
    with socket.create_server(("", taken)):
        mine = ports.SourcePorts(taken, taken + 1, taken)
        with socket.socket() as one, socket.socket() as other:
            try:
                mine.bind(one)
            except OSError:
                pytest.fail("port %d is not free on this host" % (taken + 1))
            assert one.getsockname()[1] == taken + 1
            with pytest.raises(OSError, match="no source port is free") as failure:
                mine.bind(other)
            assert failure.value.errno == errno.EADDRNOTAVAIL


def test_each_process_begins_at_ports_of_its_own():
    made = ports.shares(5)
    assert len({one.next for one in made}) == 5
    assert all(one.low <= one.next <= one.high for one in made)
