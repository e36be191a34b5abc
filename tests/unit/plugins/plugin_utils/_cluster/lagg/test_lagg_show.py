# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A LAGG plan for people: the text says all of it, and the picture shows it before and after, with no text over another."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.picture import picture
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.lagg.show import as_text
from ansible_collections.hafirewall.cluster.tests.simulators.lagg_node import port
from lagg_cases import PREFIXES, applied, cluster, node, pair, planned, seen
from picture_reading import beyond, overlaps, read, texts

PF = {"platform": "pfsense", "version": "2.5.2-RELEASE"}
LONG = "the-firewall-of-the-northern-building-number-{}.example.org"


def made() -> Any:
    """The pair when its LAGGs are made."""
    return pair(found=applied(pair(), {host: seen(host, **PF) for host in ("fw1", "fw2")}))


def refused() -> Any:
    """A plan with several refusals."""
    return pair(cluster(laggs={"lan": {"protocol": "roundrobin"}, "wan": {"name": "em0"}, "sync": {"mtu": 9000}}))


def long() -> Any:
    """Nodes and devices with names as long as they get."""
    hosts = {LONG.format(number): f"fw{number}" for number in (1, 2, 3)}
    nodes = {host: node(short, lan={"device": f"{PREFIXES[short]}0", "members": [f"{PREFIXES[short]}{number}" for number in (0, 4, 5)]}, **{
        "the-logical-interface-of-nobody": "abcdefghijklmno"[int(short[-1]):]}) for host, short in hosts.items()}
    found = {host: seen(short, port("abcdefghijklmno"[int(short[-1]):]), platform="opnsense", version="25.1.4") for host, short in hosts.items()}
    return planned(cluster(), nodes, found)


CASES = {"planned": pair, "made": made, "refused": refused, "long": long, "linux": lambda: pair(platform="linux"),
         "never": lambda: pair(cluster(lagg_required="never")), "without nodes": lambda: planned(cluster(), {}, {}),
         "one node": lambda: planned(cluster(), {"fw1": node("fw1")}, {})}


@pytest.mark.parametrize("case", CASES)
def test_no_text_of_the_picture_covers_another_or_leaves_it(case: str) -> None:
    root = read(picture("edge", CASES[case]()))
    assert overlaps(root) == [] and beyond(root) == []


def test_the_picture_is_a_document_of_its_own() -> None:
    drawn = str(picture("edge", pair()))
    assert drawn.startswith('<svg xmlns="http://www.w3.org/2000/svg" ') and drawn.count("<style>") == 1 and "--paper" in drawn
    assert "3 LAGGs to be made" in read(drawn).find("desc").text


def test_the_picture_shows_names_before_and_after() -> None:
    root = read(picture("edge", pair()))
    assert {"Now", "Then", "fw1", "fw2", "em0", "igb0", "lagg0 (failover)", "lagg1.10 (failover)", "lan", "wan", "sync"} <= set(texts(root))
    assert texts(root).count("differs") == 3
    # The ports below each: em0 is a device now and a port then, em1 a port then.
    assert [texts(root).count(name) for name in ("em0", "em1", "igb1", "em2")] == [2, 1, 1, 2]
    # One name spans both nodes.
    assert [element.get("class") for element in root.iter("rect")].count("lagg") == 3
    assert [element.get("class") for element in root.iter("rect")].count("device fail") == 6


@pytest.mark.parametrize(("case", "word", "others"), [("made", "alike", ["differs", "no matter"]), ("linux", "no matter", ["differs", "alike"]),
                                                      ("never", "differs", ["alike", "no matter"])])
def test_the_picture_says_whether_names_agree(case: str, word: str, others: list[str]) -> None:
    found = texts(read(picture("edge", CASES[case]())))
    assert found.count(word) == 3 and not set(others) & set(found)


def test_what_is_refused_is_in_picture_and_text() -> None:
    plan = refused()
    shown, text = " ".join(texts(read(picture("edge", plan)))), as_text("edge", plan)
    assert "not planned" in shown and "This cannot be planned" in text
    for problem in plan.refused:
        assert str(problem) in text and str(problem)[:60] in shown


def test_names_of_strangers_are_drawn_as_text() -> None:
    plan = planned(cluster(), {"<b>&": node("fw1", lan="x\"<i>"), "fw2": node("fw2")}, {})
    assert {"<b>&", "x\"<i>"} <= set(texts(read(picture("<edge>", plan))))


def test_the_text_says_everything_that_moves() -> None:
    plan = pair()
    text = as_text("edge", plan)
    assert text.startswith("edge: 3 LAGGs to be made or changed, on fw2, then fw1\n") and text.endswith("\n")
    assert "lagg0: failover; em0 on fw1; igb0 on fw2" in text
    for move in plan.moves:
        for shift in move.shifts:
            assert f"  {shift.source} -> {shift.target}" in text
        for rider in move.riders:
            assert f"{rider.kind} {rider.name}: {rider.becomes}" in text
    assert "wan        fw1   em1.10   lagg1.10" in text.splitlines()


def test_the_text_says_why_nothing_moves() -> None:
    assert as_text("edge", made()).startswith("edge: No LAGG is to be made or changed\n")
    never = as_text("edge", CASES["never"]())
    assert never.startswith("edge: LAGGs are needed, and none is to be made\n") and "Warnings:\n  hafirewall_cluster.laggs.lan.required: " in never
