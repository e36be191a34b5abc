# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One end of a TCP flow: messages in pieces, wrong numbers, full buffers, ends."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.messages import MESSAGE, greeting
from ansible_collections.hafirewall.cluster.plugins.module_utils._probe.tcp import TcpFlows, TcpServer

SINCE = 1_000_000_000_000


class End:
    """A flow of a worker, and the peer's end of its connection."""

    def __init__(self) -> None:
        control, self.other = socket.socketpair()
        ours, self.peer = socket.socketpair()
        ours.setblocking(False)
        self.worker = TcpFlows(control, 60, 1.0)
        self.ours = ours
        self.flow = self.worker._add(ours, 5, 0)
        self.worker.opened_at[self.flow] = 1
        self.worker.watch(ours.fileno(), self.worker._readable)

    def receive(self, data: bytes) -> None:
        self.peer.sendall(data)
        self.worker._readable(self.ours.fileno(), 0)

    def survived(self, after: int) -> int:
        return self.worker.status({"after": after})["survived"]


@pytest.fixture
def end() -> Iterator[End]:
    made = End()
    yield made
    for one in (made.other, made.peer, made.ours, made.worker._control):
        one.close()


def test_a_message_in_pieces_counts_when_it_is_whole(end: End):
    message = MESSAGE.pack(1, SINCE + 1)
    end.receive(message[:5])
    assert end.survived(SINCE) == 0
    end.receive(message[5:] + MESSAGE.pack(2, SINCE + 2)[:3])
    assert (end.survived(SINCE), end.survived(SINCE + 1)) == (1, 0)
    end.receive(MESSAGE.pack(2, SINCE + 2)[3:])
    assert end.survived(SINCE + 1) == 1


def test_bytes_sent_before_the_failure_are_no_sign_of_survival(end: End):
    end.receive(MESSAGE.pack(1, SINCE - 1))
    status = end.worker.status({"after": SINCE})
    assert (status["survived"], status["waiting"], status["opened"]) == (0, 1, 1)


def test_a_wrong_number_ends_the_flow(end: End):
    end.receive(MESSAGE.pack(2, SINCE + 1))
    status = end.worker.status({"after": SINCE})
    assert status["errors"] == {"messages out of order": 1}
    assert (status["failed"], status["survived"]) == (1, 0)


def test_a_closed_connection_is_a_failed_flow(end: End):
    end.peer.close()
    end.worker._readable(end.ours.fileno(), 0)
    assert end.worker.status({"after": 0})["errors"] == {"closed by the other end": 1}
    end.worker._send(end.flow)
    assert end.worker.failed == 1


def test_sending_never_waits_and_numbers_have_no_holes(end: End):
    end.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
    for _turn in range(3000):
        end.worker._send(end.flow)
    assert end.worker._sent[end.flow] < 3000
    end.peer.settimeout(1)
    data = end.peer.recv(1 << 20)
    end.worker._send(end.flow)
    data += end.peer.recv(1 << 20)
    while len(data) // 16 < end.worker._sent[end.flow]:
        data += end.peer.recv(1 << 20)
    numbers = [number for number, _sent in MESSAGE.iter_unpack(data)]
    assert numbers == list(range(1, end.worker._sent[end.flow] + 1))


def test_a_message_that_was_sent_in_part_is_finished_before_the_next(end: End, monkeypatch: pytest.MonkeyPatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    for _turn in range(40):
        end.worker._send(end.flow)
    monkeypatch.undo()
    end.worker._send(end.flow)
    data = end.peer.recv(4096)
    assert [number for number, _sent in MESSAGE.iter_unpack(data)] == list(range(1, end.worker._sent[end.flow] + 1))


def test_the_report_has_ms_after_the_failure(end: End):
    before = time.time_ns()
    since = before - 5_000_000_000
    end.worker._received.record(end.flow, since - 600_000_000, since - 500_000_000)
    end.receive(MESSAGE.pack(1, before))
    row = end.worker.report({"since": since, "after": since, "start": since - 10**9, "end": since + 6 * 10**9})["rows"][0]
    assert row[0] == 5
    assert row[2] == 1
    assert row[3] >= 5000
    assert row[4] == row[3] + 500
    assert end.worker.report({"since": since, "after": before, "start": since, "end": since + 10**9})["rows"][0][3] is None


def test_the_server_knows_a_flow_by_its_greeting_and_drops_strangers():
    control, other = socket.socketpair()
    listener = socket.create_server(("127.0.0.1", 0))
    with control, other, listener:
        server = TcpServer(control, 60, 1.0, listener)
        flow, stranger, silent = (socket.create_connection(listener.getsockname()) for _turn in range(3))
        with flow, stranger, silent:
            flow.sendall(greeting(7) + MESSAGE.pack(1, SINCE + 1))
            stranger.sendall(b"GET / HTTP/1.1\r\n")
            silent.close()
            for _turn in range(20):
                for descriptor, events in server._epoll.poll(0.05):
                    server._jobs[descriptor](descriptor, events)
            flow.settimeout(1)
            assert MESSAGE.unpack(flow.recv(16))[0] == 1
            assert list(server.ids) == [7]
            assert server.status({"after": SINCE})["survived"] == 1
            assert server._greeting == {}
