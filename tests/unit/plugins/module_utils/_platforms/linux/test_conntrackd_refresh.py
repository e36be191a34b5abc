# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The refresh of quiet states: what it sends, what it leaves alone, and what it costs at most. The tests of the real daemons show that it works."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux import conntrackd_refresh as refresh
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.linux.conntrackd_refresh import Account, Refresher, State, Watch

UDP = refresh.WATCHES[0]
TCP = next(watch for watch in refresh.WATCHES if watch.protocol == 6)


class World:
    """Flows on the active node, the copies on the standby, and a clock that stands until it is moved."""

    def __init__(self, timeout: int) -> None:
        self.timeout = timeout
        self.time = 1000.0
        self.active: dict[int, float] = {}
        self.copies: dict[int, float] = {}
        self.talking: set[int] = set()
        self.touched: list[int] = []

    def flow(self, number: int, talks: bool) -> None:
        self.active[number] = self.copies[number] = self.time + self.timeout
        if talks:
            self.talking.add(number)

    def pass_time(self, seconds: float) -> None:
        self.time += seconds
        for number in self.talking:
            self.active[number] = self.time + self.timeout
        for states in (self.active, self.copies):
            for number in [number for number, end in states.items() if end <= self.time]:
                del states[number]

    # What the refresher sees

    def states(self, watch: Watch) -> Iterator[State]:
        return iter([State(number, int(end - self.time), b"") for number, end in self.active.items()] if watch == UDP else [])

    def touch(self, states: list[State]) -> None:
        for state in states:
            self.touched.append(state.number)
            self.copies[state.number] = self.active[state.number]


def lives(world: World, seconds: float, interval: float) -> Refresher:
    refresher = Refresher(interval, world, clock=lambda: world.time)
    end = world.time + seconds
    while world.time < end:
        refresher.round()
        world.pass_time(interval)
    return refresher


@pytest.mark.parametrize(("timeout", "interval"), [(10, 3), (6, 2), (30, 10), (120, 10), (600, 10)])
def test_a_talking_flow_stays_on_the_standby(timeout: int, interval: int) -> None:
    world = World(timeout)
    world.flow(1, talks=True)
    lives(world, 20.0 * timeout, interval)
    assert 1 in world.copies


def test_without_it_the_flow_runs_out_there() -> None:
    world = World(10)
    world.flow(1, talks=True)
    world.pass_time(11)
    assert 1 in world.active and 1 not in world.copies


def test_a_lost_message_does_no_harm() -> None:
    world = World(30)
    world.flow(1, talks=True)
    refresher = Refresher(10, world, clock=lambda: world.time)
    delivered = world.touch
    for at in range(30):
        world.touch = delivered if at % 2 else lambda states: None  # type: ignore[method-assign]
        refresher.round()
        world.pass_time(10)
        assert 1 in world.copies, at


def test_a_silent_flow_is_sent_once_at_most_and_ends_on_both_nodes_together() -> None:
    world = World(100)
    world.flow(1, talks=False)
    lives(world, 85, 10)
    assert world.touched.count(1) <= 1
    assert world.active[1] == world.copies[1]
    world.pass_time(10)
    assert not world.active and not world.copies


def test_short_lived_queries_cost_nothing() -> None:
    world = World(30)
    refresher = Refresher(10, world, clock=lambda: world.time)
    refresher.round()
    for number in range(1, 301):
        world.flow(number, talks=False)
        world.pass_time(0.5)
        if number % 20 == 0:
            refresher.round()
    assert world.touched == []


@pytest.mark.parametrize("timeout", [10, 30, 120])
def test_a_flow_that_comes_between_two_rounds_stays_too(timeout: int) -> None:
    interval = max(2, timeout // 3) if timeout < 100 else 10
    for late in range(1, interval * 10):
        world = World(timeout)
        refresher = Refresher(interval, world, clock=lambda world=world: world.time)
        refresher.round()
        world.pass_time(late / 10)
        world.flow(1, talks=True)
        world.pass_time(interval - late / 10)
        for _round in range(8):
            refresher.round()
            world.pass_time(interval)
            assert 1 in world.copies, late


def test_a_slow_round_makes_the_next_ones_send_earlier() -> None:
    account = Account()
    flow = [State(1, 60, b"")]
    account.due(iter(flow), 0.0, 10, 100)
    account.sent(flow, 0.0)
    assert account.due(iter(flow), 1.0, 10, 100)[0] == []
    # 43 of 60 s are left, but after a pause of 16 s one lost message could be too many.
    assert account.due(iter(flow), 17.0, 10, 100)[0] == flow


def test_a_long_timeout_means_few_messages() -> None:
    world = World(600)
    world.flow(1, talks=True)
    lives(world, 6000, 10)
    assert len(world.touched) <= 6000 / (600 / 3) + 2


def test_a_round_sends_no_more_than_its_rate_and_the_most_urgent_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "RATE", 2)
    world = World(1000)
    for number in range(1, 101):
        world.flow(number, talks=True)
        world.active[number] = world.time + 1000 - number  # the higher the number, the sooner it runs out
    refresher = Refresher(10, world, clock=lambda: world.time)
    figures = refresher.round()
    assert (figures["sent"], figures["waiting"], figures["looked_at"]) == (20, 80, 100)
    assert sorted(world.touched) == list(range(81, 101))
    for _round in range(4):
        world.time += 10
        refresher.round()
    assert sorted(set(world.touched)) == list(range(1, 101))


def test_states_that_are_gone_are_forgotten() -> None:
    account = Account()
    account.due(iter([State(1, 30, b""), State(2, 30, b"")]), 100.0, 10, 100)
    account.due(iter([State(2, 20, b"")]), 110.0, 10, 100)
    assert set(account.expires) == {2}


def test_each_protocol_has_its_own_pace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(refresh, "SYSCTL", str(tmp_path) + "/")
    assert refresh.period_of(UDP, 10) == 10
    assert refresh.period_of(TCP, 10) == 600  # unknown
    (tmp_path / "tcp_timeout_established").write_text("432000\n", encoding="ascii")
    assert refresh.period_of(TCP, 10) == 3600
    (tmp_path / "tcp_timeout_established").write_text("120\n", encoding="ascii")
    assert refresh.period_of(TCP, 10) == 20
    assert refresh.period_of(TCP, 40) == 40


@pytest.mark.parametrize(("stated", "timeouts", "interval"), [
    (0, {}, 10), (0, {"udp_timeout": "30", "udp_timeout_stream": "120"}, 10), (0, {"udp_timeout": "10"}, 3), (0, {"udp_timeout_stream": "4"}, 2),
    (0, {"udp_timeout": "junk"}, 10), (25, {"udp_timeout": "10"}, 25), (1, {}, 2)])
def test_the_interval_follows_the_shortest_udp_timeout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stated: float, timeouts: dict, interval: float) -> None:
    monkeypatch.setattr(refresh, "SYSCTL", str(tmp_path) + "/")
    for name, value in timeouts.items():
        (tmp_path / name).write_text(value + "\n", encoding="ascii")
    assert refresh.interval_of(stated) == interval


@pytest.mark.parametrize(("text", "active"), [("active 1795000000\n", True), ("standby 1\n", False), ("fault 1\n", False), ("", False), (None, False)])
def test_only_the_active_node_acts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, active: bool) -> None:
    path = tmp_path / "vrrp-state"
    if text is not None:
        path.write_text(text, encoding="ascii")
    monkeypatch.setattr(refresh, "VRRP_STATE", str(path))
    assert refresh.is_active() is active


def test_the_report_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "refresh"
    refresh.write_report({"last_run": 1.5, "interval": 10}, str(path))
    assert json.loads(path.read_text(encoding="ascii")) == {"interval": 10, "last_run": 1.5}
    assert list(tmp_path.iterdir()) == [path]


# The kernel's messages


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def message(protocol: int = 17, family: int = socket.AF_INET, left: int | None = 42, tcp_state: int | None = None, zone: bool = False) -> bytes:
    addresses = attribute(1, attribute(1, bytes([192, 0, 2, 1])) + attribute(2, bytes([203, 0, 113, 9])))
    orig = attribute(1 | 0x8000, addresses + attribute(2 | 0x8000, attribute(1, bytes([protocol])) + attribute(2, b"\x10\x00") + attribute(3, b"\0\x35")))
    parts = [struct.pack("=BBH", family, 0, 0), orig, attribute(2 | 0x8000, addresses)]
    if zone:
        parts.append(attribute(18, b"\0\x07"))
    parts.append(attribute(3, struct.pack(">I", 0x18E)))
    if left is not None:
        parts.append(attribute(7, struct.pack(">I", left)))
    if tcp_state is not None:
        parts.append(attribute(4 | 0x8000, attribute(1 | 0x8000, attribute(1, bytes([tcp_state])))))
    return b"".join([*parts, attribute(8, b"\0\0\0\0"), attribute(12, struct.pack(">I", 0xDEADBEEF))])


def test_a_state_is_read_from_the_kernels_message() -> None:
    state = refresh.read_state(message(), UDP, filtered=True)
    assert state is not None and (state.number, state.left) == (0xDEADBEEF, 42)


@pytest.mark.parametrize(("changes", "watch", "filtered", "read"), [
    ({"protocol": 1}, UDP, False, False), ({"protocol": 17}, UDP, False, True), ({"family": socket.AF_INET6}, UDP, True, False),
    ({"left": None}, UDP, True, False),
    ({"protocol": 6, "tcp_state": 3}, TCP, True, True), ({"protocol": 6, "tcp_state": 7}, TCP, True, False), ({"protocol": 6}, TCP, True, False)])
def test_what_is_not_watched_is_passed_over(changes: dict, watch: Watch, filtered: bool, read: bool) -> None:
    assert (refresh.read_state(message(**changes), watch, filtered) is not None) is read


@pytest.mark.parametrize("zone", [False, True])
def test_a_request_names_family_tuple_and_zone_and_nothing_that_would_change_the_state(zone: bool) -> None:
    name = refresh.name_of(message(zone=zone))
    kinds = []
    at = 4
    while at < len(name):
        size, kind = struct.unpack_from("=HH", name, at)
        kinds.append(kind & 0x3FFF)
        at += (size + 3) & ~3
    assert name[0] == socket.AF_INET
    assert kinds == ([1, 18] if zone else [1])


@pytest.mark.parametrize("cut", range(0, 80, 3))
def test_a_cut_message_is_no_state_and_no_exception(cut: int) -> None:
    whole = message()
    assert refresh.read_state(whole[:4 + cut], UDP, filtered=False) is None or cut > len(whole)


class Wire:
    """A netlink socket that answers from a list."""

    def __init__(self, answers: list) -> None:
        self.answers = answers
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def recv(self, _size: int, _flags: int = 0) -> bytes:
        if _flags & socket.MSG_DONTWAIT:
            raise BlockingIOError
        sequence = struct.unpack_from("=I", self.sent[-1], 8)[0]
        return b"".join(struct.pack("=IHHII", 16 + len(body), kind, 2, sequence, 0) + body for kind, body in self.answers.pop(0))


def table(answers: list) -> refresh.Table:
    made = refresh.Table.__new__(refresh.Table)
    made.socket, made.sequence, made.filters = Wire(answers), 0, True  # type: ignore[assignment]
    return made


DONE = (3, struct.pack("=i", 0))


def test_a_dump_is_read_to_its_end() -> None:
    assert [state.left for state in table([[(0x100, message()), (0x100, message(left=7))], [(0x100, message(left=9)), DONE]]).states(UDP)] == [42, 7, 9]


def test_a_kernel_without_the_filter_is_asked_again_without_it() -> None:
    asked = table([[(2, struct.pack("=i", -95))], [(0x100, message(protocol=1)), (0x100, message()), DONE]])
    assert len(list(asked.states(UDP))) == 1
    assert asked.filters is False
    assert len(asked.socket.sent[1]) < len(asked.socket.sent[0])  # type: ignore[attr-defined]


def test_any_other_refusal_is_an_error() -> None:
    with pytest.raises(PermissionError):
        list(table([[(2, struct.pack("=i", -1))]]).states(UDP))


def test_touching_creates_nothing_and_goes_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh.time, "sleep", lambda seconds: None)
    touched = table([])
    touched.touch([State(at, 9, message()) for at in range(refresh.BATCH + 1)])
    wire = touched.socket.sent  # type: ignore[attr-defined]
    assert len(wire) == 2
    size, kind, flags = struct.unpack_from("=IHH", wire[0], 0)
    assert (kind, flags) == (0x100, 0x1)  # IPCTNL_MSG_CT_NEW, NLM_F_REQUEST without NLM_F_CREATE
    assert len(wire[0]) == refresh.BATCH * size and len(wire[1]) == size
