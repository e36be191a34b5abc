# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The FreeBSD double is held to what real FreeBSD 14.2 nodes said: same commands, same output, same exit status.

What can't be the same is masked in one place, :class:`Masks`. Every file of the fixtures is replayed here or listed with the reason why not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import pytest
from ansible_collections.hafirewall.cluster.tests.simulators.freebsd.replay import FOLDER, Lab, Masks, Packet, carp_lines, index, session

INDEX = index()
CARP = "pass quick on { em0 em2 } proto carp keep state (no-sync)\n"
PFSYNC = "pass quick on em1 proto pfsync keep state (no-sync)\n"
THROUGH = "pass on { em0 em2 } inet proto { tcp udp icmp } keep state\n"
TOP = "set skip on lo0\nblock log all\n"
RULES = "set hostid 0x0000000%s\n" + TOP + CARP + PFSYNC + "pass on em1 inet proto { tcp icmp } keep state (no-sync)\n" + THROUGH

COUNTED = "its counters are of traffic that nobody recorded"
FRESH = sorted(name for name in INDEX if re.match(r"0\d\d", name) and name.endswith(".txt") and "console" not in name)
FILES = sorted(name for name in INDEX if name.startswith("a0-"))
# What passes before a command: seconds, and what was done to the node by hand.
PAUSES = {"023-set-syncdev-up.B.txt": 3.0, "027-netstat-pfsync-after-up.A.txt": 18.0, "031-ifconfig-pfsync0-after-bulk-fail.A.txt": 60.0}
BY_HAND = {"020-ifconfig-em1-after-addr.A.txt": ("A", "ifconfig em1 10.255.0.1/24 up"), "023-set-syncdev-up.B.txt": ("B", "ifconfig em1 10.255.0.2/24 up")}

NOT_REPLAYED = {
    "013-sysctl-pfsync-fresh.A.txt": "has the kernel's own configuration among the variables (kern.conftxt)",
    "20b-pflog-blocked-pfsync.A.txt": "tcpdump on pflog0 is not modelled", "20b-pflog-blocked-pfsync.B.txt": "tcpdump on pflog0 is not modelled",
    "35-pfctl-si-v.A.txt": "a step of session 32, two seconds later", "35-pfctl-si-v.B.txt": "a step of session 32, two seconds later",
    "35-netstat-pfsync.A.txt": COUNTED, "35-netstat-pfsync.B.txt": COUNTED, "35-netstat-pfsync-json.A.txt": COUNTED, "35-netstat-pfsync-json.B.txt": COUNTED,
    "20-pfctl-vvsr-without-pfsync-rule.A.txt": "a part of session 20", "22-pfctl-vvsr-with-pfsync-rule.A.txt": "a part of session 22",
    "93-ifconfig-lagg.A.txt": "a part of session 93", "93-ifconfig-lagg.B.txt": "a part of session 93",
    "40-wire-formats.session.txt": "connections of many kinds that were closed meanwhile; what closes them is not modelled",
    "80-carp-failover-established-tcp.session.txt": "a connection under load, its windows and counters; CARP's part is in 71 and 93",
    "b1-state-variety-1301.session.txt": "states of NAT, synproxy and the like are not modelled",
    "b1-state-variety-1400.session.txt": "states of NAT, synproxy and the like are not modelled",
    "c2-bulk-large.session.txt": "counts 600 connections that were closed meanwhile",
    "c3-syncpeer-inet6.session.txt": "goes on from c2",
    "d1-boot-order-pfsync-before-pf.session.txt": "one connection under load; the order is in test_freebsd_machine.py",
    "d2-renamed-if-bound-failover.session.txt": "goes on from d1", "d1-boot-order.A.console.txt": "of d1", "d1-boot-order.B.console.txt": "of d1",
    "README.md": "tells where all this is from", "INDEX.tsv": "the list",
}


# Commands one by one


@pytest.fixture(name="fresh", scope="module")
def _fresh(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Tuple[str, int]]:
    """All commands of the first run in their order: what came out, and the status."""
    lab = Lab(tmp_path_factory.mktemp("fresh"))
    found = {}
    for name in FRESH:
        lab.clock.advance(PAUSES.get(name, 0.0))
        if name in BY_HAND:
            lab.shell(*BY_HAND[name])
        if name not in NOT_REPLAYED:
            found[name] = lab.shell(INDEX[name][0], INDEX[name][2])
    return found


@pytest.mark.parametrize("name", [name for name in FRESH if name not in NOT_REPLAYED])
def test_the_first_commands_on_a_fresh_node_say_what_the_real_node_said(name: str, fresh: Dict[str, Tuple[str, int]]) -> None:
    said = (FOLDER / name).read_text(encoding="utf-8").split("\n", 1)[1]

    assert (Masks().apply(fresh[name][0]), fresh[name][1]) == (Masks().apply(said), int(INDEX[name][1]))


@pytest.fixture(name="lab", scope="module")
def _lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("files"))


@pytest.mark.parametrize("flag", ["-nf", "-nvf"])
@pytest.mark.parametrize("name", FILES)
def test_pfctl_judges_and_prints_a_file_as_the_real_one(name: str, flag: str, lab: Lab) -> None:
    head, rest = (FOLDER / name).read_text(encoding="utf-8").split("\n", 1)
    given, _dashes, told = ("\n" + rest).partition("\n--\n")
    plain, verbose = told.split("-- pfctl -nvf\n")
    place, statuses = head.split()[2].rstrip(";"), re.findall(r"\(exit (\d+)\)", head)
    lab.machines["A"].put(place, given[1:] + "\n" if given[1:] else "")

    assert lab.shell("A", "pfctl %s %s" % (flag, place)) == ((plain, int(statuses[0])) if flag == "-nf" else (verbose, int(statuses[1])))


def test_pfctl_says_when_there_is_no_file(lab: Lab) -> None:
    said = (FOLDER / "a1-pfctl-nf-missing-file.A.txt").read_text(encoding="utf-8").split("\n", 1)[1]

    assert lab.shell("A", "pfctl -nf /nonexistent.conf") == (said, 1)


# Sessions

Act = Callable[[Lab], object]


@dataclass
class Play:
    """How a session is replayed.

    Attributes:
        after: the session that it goes on from, or empty for nodes that have just started, with addresses and :data:`RULES`.
        before: what is done first.
        pauses: seconds that pass before a step, by its number; 0 has those of all others.
        acts: what happens before a step on nodes that are not simulated.
        skipped: steps whose output is not compared, and why.
        consoles: the name of the consoles whose lines of CARP are the same too.
    """

    after: str = ""
    before: Act = lambda lab: None
    pauses: Dict[int, float] = field(default_factory=dict)
    acts: Dict[int, Act] = field(default_factory=dict)
    skipped: Dict[int, str] = field(default_factory=dict)
    console: str = ""


def _counted(lab: Lab) -> None:
    """What the nodes had counted in the runs before."""
    for letter, received in (("A", 27), ("B", 25)):
        counters = lab.machines[letter].pfsync.counters
        counters.packets_in, counters.packets_out = received, 27
        counters.sent.update(UREQ=27, EOF=27)
    lab.shell("B", "ifconfig pfsync0 syncpeer 10.255.0.1")
    lab.clock.advance(80.0)


def _rules(text: str, *letters: str) -> Act:
    def put(lab: Lab) -> None:
        for letter in letters or ("A", "B"):
            lab.machines[letter].put("/etc/pf.conf", text % letter.lower() if "%s" in text else text)
    return put


def _told_rules(name: str) -> Act:
    """The files that the session shows."""
    def put(lab: Lab) -> None:
        for step in session(name):
            if step.command == "cat /etc/pf.conf":
                lab.machines[step.node].put("/etc/pf.conf", step.output)
    return put


def _both(*acts: Act) -> Act:
    return lambda lab: [act(lab) for act in acts]


def _traffic(port: int, ping: int, names: Tuple[str, str] = ("em0", "em2"), seconds: float = 5.0) -> Act:
    def connect(lab: Lab) -> None:
        lab.connect("A", "tcp", "10.1.0.10", port, "10.2.0.10", 80, names)
        if ping:
            lab.machines["A"].pf.passes("out", "em3", Packet("icmp", "10.9.0.1", "10.9.0.9", 84, None), (ping, 8))
        lab.clock.advance(seconds)
    return connect


def _connections(lab: Lab) -> None:
    lab.connect("A", "tcp", "10.1.0.10", 30861, "10.2.0.10", 80)
    lab.clock.advance(5.0)
    lab.connect("A", "udp", "10.1.0.10", 49077, "10.2.0.10", 53)
    lab.shell("B", "ifconfig pfsync0 maxupd 128")
    lab.clock.advance(3.0)


def _files(lab: Lab) -> None:
    for name in ("minimal", "hostid-hex", "hostid-zero"):
        text = (FOLDER / ("a0-pfctl-nf-%s.A.txt" % name)).read_text(encoding="utf-8").split("\n", 1)[1].split("--\n")[0]
        lab.machines["A"].put("/tmp/pf-%s.conf" % name, text)


def _in_step(before: float = 5.0, look: float = 0.1) -> Dict[int, float]:
    return {1: before, 2: look, 3: 5.0}


REAPPLY = "7%d-reapply-%s-on-master"
PLAYS = {
    "20-pf-enabled-WITHOUT-pfsync-rule": Play(before=_counted, pauses={15: 1.0, 16: 10.0},
                                              skipped={20: "tcpdump on pflog0", 26: "tcpdump on pflog0"}),
    "21-pf-rule-on-A-only": Play(after="20-pf-enabled-WITHOUT-pfsync-rule", before=_rules(TOP + CARP + PFSYNC + THROUGH, "A")),
    "22-pf-WITH-pfsync-rule": Play(
        after="21-pf-rule-on-A-only", before=_rules(TOP + CARP + PFSYNC + THROUGH), pauses={0: 0.5, 15: 0.0, 17: 1.0},
        skipped={24: "its states were made one by one in the storm", 26: "counts the packets of a storm", 30: "counts the packets of a storm"}),
    "30-clean-bringup": Play(pauses={0: 1.0}, console="30-clean-bringup"),
    "31-carp-up": Play(after="30-clean-bringup", before=lambda lab: lab.clock.advance(60.0), pauses={7: 7.5}, console="31-carp-up"),
    "70-carp-setup": Play(after="30-clean-bringup", before=lambda lab: [lab.shell(letter, "sysctl net.inet.carp.preempt=1") for letter in "AB"],
                          pauses={5: 8.0}),
    "32-states-1400": Play(after="70-carp-setup", before=_connections, skipped={4: COUNTED, 5: COUNTED, 9: COUNTED, 10: COUNTED}),
    "71-reapply-unchanged-syncdev-on-master": Play(after="70-carp-setup", pauses={2: 1.0, 3: 0.7, 4: 0.3, 5: 2.0, 0: 1.0},
                                                   console="71-reapply-unchanged-syncdev-on-master"),
    REAPPLY % (2, "maxupd"): Play(after="71-reapply-unchanged-syncdev-on-master", pauses=_in_step(), console=REAPPLY % (2, "maxupd")),
    REAPPLY % (3, "defer"): Play(after=REAPPLY % (2, "maxupd"), pauses=_in_step(look=2.0), console=REAPPLY % (3, "defer")),
    REAPPLY % (4, "version"): Play(after=REAPPLY % (3, "defer"), pauses=_in_step(), console=REAPPLY % (4, "version")),
    REAPPLY % (5, "up"): Play(after=REAPPLY % (4, "version"), pauses=_in_step(), console=REAPPLY % (5, "up")),
    REAPPLY % (6, "three-keywords"): Play(after=REAPPLY % (5, "up"), pauses=_in_step(), console=REAPPLY % (6, "three-keywords")),
    "77-invalid-version-on-master": Play(after=REAPPLY % (6, "three-keywords"), pauses=_in_step(), console="77-invalid-version-on-master"),
    "78-mtu-on-master": Play(after="77-invalid-version-on-master", pauses=_in_step(), console="78-mtu-on-master"),
    "79-reapply-with-demotion-factor-0": Play(after="78-mtu-on-master", pauses={0: 1.0}, console="79-reapply-with-demotion-factor-0"),
    "60-nosync-flag-lost-while-pfsync-down": Play(pauses={13: 5.5, 12: 1.0}),
    "61-nosync-flag-lost-after-ifconfig-down": Play(after="60-nosync-flag-lost-while-pfsync-down", pauses={1: 25.0, 8: 7.0, 13: 3.0}),
    "90-if-bound-A-em-B-vtnet": Play(before=_told_rules("90-if-bound-A-em-B-vtnet"), pauses={10: 1.0, 11: 6.0, 12: 3.0}, acts={14: _traffic(26000, 8704)}),
    "91-if-bound-A-em-B-vtnet-rule-names-em0": Play(
        after="90-if-bound-A-em-B-vtnet", before=_told_rules("91-if-bound-A-em-B-vtnet-rule-names-em0"), pauses={5: 5.0}, acts={5: _traffic(26001, 10496)}),
    "92-floating-A-em-B-vtnet": Play(after="91-if-bound-A-em-B-vtnet-rule-names-em0", before=_told_rules("92-floating-A-em-B-vtnet"),
                                     pauses={1: 8.0, 6: 15.0}, acts={6: _traffic(26002, 12800)}),
    "93-lagg-if-bound-A-em-B-vtnet": Play(
        after="92-floating-A-em-B-vtnet", before=_told_rules("93-lagg-if-bound-A-em-B-vtnet"),
        pauses={1: 22.0, 17: 1.5, 31: 6.0, 33: 20.0, 36: 1.0, 39: 0.1, 41: 1.0, 43: 2.5, 45: 1.0},
        acts={33: _traffic(27000, 0, ("lagg0", "lagg1"), 3.0), 39: lambda lab: lab.machines["A"].lose_power()},
        skipped={2: "one more where the other node ends the same state first", 55: "counts a connection under load"}),
    "a2-hostid-changes-on-reload-without-set-hostid": Play(before=_files),
    "a3-ifconfig-pfsync0-partial-application": Play(),
    "a4-syncpeer-retained": Play(after="a3-ifconfig-pfsync0-partial-application"),
    "b0-state-variety-setup": Play(before=_told_rules("b0-state-variety-setup")),
    "c0-defer": Play(after="30-clean-bringup", pauses={4: 6.0}, skipped={number: "connections that were closed meanwhile" for number in range(6, 11)}),
    "c4-storm": Play(after="30-clean-bringup", pauses={0: 1.0, 4: 0.3}, skipped={
        2: "600 states of before", 4: "600 states of before", 13: "counts the packets of a storm", 15: "counts the packets of a storm"}),
    "d0-dead-peer-bulk-fail-timing": Play(
        before=_rules(RULES.replace("em0", "lan0").replace("em1", "ha0").replace("em2", "wan0")), console="d0-dead-peer-bulk-fail"),
}


def _addresses(lab: Lab) -> None:
    for letter, host, sync in (("A", 2, 1), ("B", 3, 2)):
        lan, sync_device, wan = list(lab.machines[letter].interfaces)[:3]
        lab.shell(letter, "ifconfig %s 10.1.0.%d/24 up; ifconfig %s 10.2.0.%d/24 up; ifconfig %s 10.255.0.%d/24 up" % (lan, host, wan, host, sync_device, sync))
    if "em3" in lab.machines["A"].interfaces:
        lab.shell("A", "ifconfig em3 10.9.0.1/24 up")
    _rules(RULES)(lab)
    for letter in "AB":
        lab.machines[letter].put("/etc/pf.nosync.conf", TOP + CARP + THROUGH)


class Theatre:
    """Replays each session once, after those that it goes on from."""

    def __init__(self, folder: Callable[[str], Path]) -> None:
        self._folder = folder

    def play(self, name: str) -> Tuple[Lab, List[str]]:
        """The nodes afterwards, and what was not as it should be."""
        chain = [name]
        while PLAYS[chain[0]].after:
            chain.insert(0, PLAYS[chain[0]].after)
        vtnet = ("vtnet0", "vtnet1", "vtnet2") if chain[0][0] in "9d" else ("em0", "em1", "em2")
        lab = Lab(self._folder("lab"), vtnet, with_em3=chain[0][0] == "9")
        if not name.startswith("d"):
            _addresses(lab)
        for one in chain:
            wrong = self._one(lab, one)
        return lab, wrong

    @staticmethod
    def _one(lab: Lab, name: str) -> List[str]:
        play, wrong = PLAYS[name], []
        told, heard = Masks(), Masks()
        play.before(lab)
        for letter in "AB":
            lab.machines[letter].dmesg.clear()
        for number, step in enumerate(session(name), 1):
            lab.clock.advance(play.pauses.get(number, play.pauses.get(0, 0.0)))
            play.acts.get(number, lambda lab: None)(lab)
            if step.node not in lab.machines or not lab.machines[step.node].alive:
                continue
            output, status = lab.shell(step.node, step.command)
            pair = (told.apply(step.output), step.status), (heard.apply(output), status)
            if pair[0] != pair[1] and number not in play.skipped:
                wrong.append("step %d, [%s] %s\n--- real (%d):\n%s--- here (%d):\n%s" % (
                    number, step.node, step.command, step.status, pair[0][0], status, pair[1][0]))
        return wrong


@pytest.mark.parametrize("name", PLAYS)
def test_a_session_on_two_nodes_goes_as_it_really_went(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    lab, wrong = Theatre(tmp_path_factory.mktemp).play(name)

    assert not wrong, "\n".join(wrong)
    if PLAYS[name].console:
        lab.clock.advance(70.0 if name.startswith("d0") else 3.0)
        for letter in "AB":
            rows = (FOLDER / ("%s.%s.console.txt" % (PLAYS[name].console, letter))).read_text(encoding="utf-8").splitlines()
            assert sorted(lab.said(letter)) == sorted(carp_lines(rows))


AFTER_CARP = ("31-ifconfig-carp-master.A.txt", "31-ifconfig-carp-backup.B.txt", "31-netstat-carp.A.txt")
AFTER_STATES = ("35-pfctl-ss-vv.A.txt", "35-pfctl-ss.A.txt", "35-ifconfig-pfsync0.A.txt", "35-pfctl-ss-vv.B.txt", "35-pfctl-ss.B.txt",
                "35-ifconfig-pfsync0.B.txt")
AFTER_VTNET = ("90-ifconfig-vtnet.B.txt",)


@pytest.mark.parametrize("play, names", [("31-carp-up", AFTER_CARP), ("32-states-1400", AFTER_STATES), ("90-if-bound-A-em-B-vtnet", AFTER_VTNET)])
def test_what_was_asked_between_two_sessions_is_answered_the_same(play: str, names: Tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> None:
    lab, _wrong = Theatre(tmp_path_factory.mktemp).play(play)

    for name in names:
        said = (FOLDER / name).read_text(encoding="utf-8").split("\n", 1)[1]
        assert Masks().apply(lab.shell(INDEX[name][0], INDEX[name][2])[0]) == Masks().apply(said)


def test_carp_counts_its_advertisements_second_by_second(tmp_path_factory: pytest.TempPathFactory) -> None:
    lab, _wrong = Theatre(tmp_path_factory.mktemp).play("31-carp-up")
    lab.clock.advance(1.0)

    said = (FOLDER / "31-netstat-carp-json.A.txt").read_text(encoding="utf-8").split("\n", 1)[1]
    assert lab.shell("A", "netstat -s -p carp --libxo json") == (said, 0)


# The account


def test_every_fixture_is_replayed_or_listed_with_the_reason() -> None:
    replayed = {*FRESH, *FILES, "a1-pfctl-nf-missing-file.A.txt", *AFTER_CARP, *AFTER_STATES, *AFTER_VTNET, "31-netstat-carp-json.A.txt",
                *("%s.session.txt" % name for name in PLAYS), *("%s.%s.console.txt" % (play.console, letter) for play in PLAYS.values() for letter in "AB")}
    there = {path.name for path in FOLDER.iterdir()}

    assert there - replayed - set(NOT_REPLAYED) == set()
    assert set(NOT_REPLAYED) - there == set()


def test_nothing_is_listed_that_is_replayed_all_the_same() -> None:
    assert {name for name in PLAYS if "%s.session.txt" % name in NOT_REPLAYED} == set()
