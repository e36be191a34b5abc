# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether two nodes can share states: the matrix of the formats in both directions, with what has to be pinned; evidence; and what stays unknown."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.compatibility import compatibility
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.releases import TABLES
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import CONFIDENCE, EVIDENCE


def node(platform: str, release: str, **told: Any) -> dict[str, Any]:
    """A node as the filter takes it."""
    return {"platform": platform, "release": release, **told}


# Senders and receivers of the matrix, with releases at both ends of each group.
OLD = [node("freebsd", "8.4-RELEASE"), node("freebsd", "7.0-RELEASE")]
FREEBSD_13 = [node("freebsd", release) for release in ("9.0-RELEASE", "9.3-RELEASE-p5", "10.4-RELEASE", "12.4-RELEASE", "13.2-RELEASE", "13.5-RELEASE")]
FREEBSD_14 = [node("freebsd", release) for release in ("14.0-RELEASE", "14.3-RELEASE-p4")]
FREEBSD_15 = [node("freebsd", release) for release in ("15.0-RELEASE", "15.1-RELEASE")]
OPENBSD_6 = [node("openbsd", release) for release in ("4.8", "6.0", "7.6")]
OPENBSD_OLD = [node("openbsd", release) for release in ("3.3", "4.3", "4.4")]


def pinned(nodes: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """The same, set to a format."""
    return [{**one, "emits": number} for one in nodes]


SENDERS = {"13": FREEBSD_13, "14": FREEBSD_14, "14 at 1301": pinned(FREEBSD_14, 1301), "15": FREEBSD_15, "15 at 1400": pinned(FREEBSD_15, 1400),
           "15 at 1301": pinned(FREEBSD_15, 1301), "OpenBSD": OPENBSD_6, "old": OLD, "old OpenBSD": OPENBSD_OLD}
# From each to FreeBSD 9 to 13, 14, 15 and OpenBSD since 4.8; a number is a no that ends when the sender is set to it.
RECEIVERS = {"13": FREEBSD_13, "14": FREEBSD_14, "15": FREEBSD_15, "OpenBSD": OPENBSD_6}
MATRIX = {
    "13": ("yes", "yes", "yes", "no"),
    "14": (1301, "yes", "yes", "no"),
    "14 at 1301": ("yes", "yes", "yes", "no"),
    "15": (1301, 1400, "yes", "no"),
    "15 at 1400": (1301, "yes", "yes", "no"),
    "15 at 1301": ("yes", "yes", "yes", "no"),
    "old": ("no", "no", "no", "no"),
    "old OpenBSD": ("no", "no", "no", "no"),
}
_CELLS = [(sender, receiver, cell) for sender, row in MATRIX.items() for receiver, cell in zip(RECEIVERS, row)]


@pytest.mark.parametrize(("sender", "receiver", "cell"), _CELLS)
def test_the_matrix(sender: str, receiver: str, cell: str | int) -> None:
    for one, other in product(SENDERS[sender], RECEIVERS[receiver]):
        answer, mirrored = compatibility(one, other), compatibility(other, one)
        assert (answer["a_to_b"], answer["b_to_a"]) == (mirrored["b_to_a"], mirrored["a_to_b"])
        if isinstance(cell, str):
            assert answer["a_to_b"] == cell, answer["reason"]
            assert answer["pin"] is None or answer["pin"]["node"] == "b"
        else:
            assert answer["a_to_b"] == "no"
            assert (answer["pin"]["node"], answer["pin"]["format"]) == ("a", cell)
            assert f"pfsync_ifconfig=\"version {cell}\"" in answer["pin"]["how"]
            assert f"hafirewall_cluster.sync.format: {cell}" in answer["pin"]["how"]
            # Set so, both directions are a yes.
            set_so = compatibility({**one, "emits": cell}, other)
            assert (set_so["a_to_b"], set_so["b_to_a"], set_so["pin"]) == ("yes", "yes", None)


@pytest.mark.parametrize(("one", "other", "answer"), [
    ("4.8", "4.8", "yes"), ("7.6", "7.6", "yes"), ("6.9", "7.0", "yes"), ("7.5", "7.6", "yes"), ("7.6", "7.5", "yes"),
    # The length of a state was not read of these, and nothing counts one that is too short.
    ("5.9", "7.6", "unknown"), ("4.8", "5.0", "unknown"), ("4.2", "4.3", "unknown"),
    ("4.4", "4.5", "no"), ("4.3", "4.4", "no"), ("4.5", "4.8", "no"), ("4.7", "4.8", "no"), ("3.9", "4.1", "no"),
    # Which of these has which version is not verified.
    ("4.5", "4.6", "unknown"), ("3.4", "3.9", "unknown"), ("3.9", "3.9", "yes")])
def test_openbsd(one: str, other: str, answer: str) -> None:
    result = compatibility(node("openbsd", one), node("openbsd", other))
    assert (result["a_to_b"], result["b_to_a"], result["pin"], result["lost"]) == (answer, answer, None, [])


def test_openbsd_and_freebsd_are_impossible() -> None:
    for one, other in product(OPENBSD_6 + OPENBSD_OLD + [node("openbsd", "4.6")], FREEBSD_13 + FREEBSD_14 + FREEBSD_15 + OLD + [
            node("pfsense-ce", "2.7.2"), node("opnsense", "26.1"), node("freebsd", "14.0-CURRENT"), node("freebsd", "14.2", understands=[6, 1400])]):
        result = compatibility(one, other)
        assert (result["a_to_b"], result["b_to_a"], result["pin"]) == ("no", "no", None)
    assert "the version byte is 5 of one and 6 of the other" in compatibility(node("openbsd", "7.6"), node("freebsd", "14.2"))["reason"]


def test_conntrackd_and_pfsync_are_impossible() -> None:
    for other in (node("freebsd", "14.2"), node("openbsd", "7.6"), node("pfsense-plus", "24.11"), node("opnsense", "26.1")):
        result = compatibility(node("linux", "1.4.8"), other)
        assert (result["a_to_b"], result["b_to_a"], result["pin"]) == ("no", "no", None)
        assert "two protocols" in result["reason"]


@pytest.mark.parametrize(("one", "other", "there", "back", "pin"), [
    (node("opnsense", "24.1.10"), node("opnsense", "24.7"), "yes", "no", ("b", 1301)),
    (node("opnsense", "24.1.10"), node("opnsense", "24.7", emits=1301), "yes", "yes", None),
    (node("opnsense", "26.1.11"), node("opnsense", "26.7"), "yes", "yes", None),
    (node("opnsense", "26.1.11"), node("opnsense", "26.7.6"), "yes", "unknown", ("b", 1400)),
    (node("opnsense", "26.1.11"), node("opnsense", "26.7.6", emits=1400), "yes", "yes", None),
    (node("opnsense", "26.1.11"), node("opnsense", "26.7.6", emits=1500), "yes", "no", ("b", 1400)),
    (node("opnsense", "26.7.6"), node("opnsense", "26.7.6"), "yes", "yes", None),
    (node("opnsense", "26.7.3"), node("opnsense", "26.7.6"), "yes", "yes", None),
    (node("opnsense", "24.4"), node("opnsense", "24.10"), "yes", "no", ("b", 1301)),
    (node("opnsense", "24.10"), node("opnsense", "25.4"), "yes", "yes", None),
    (node("opnsense", "26.1"), node("freebsd", "15.0-RELEASE"), "yes", "no", ("b", 1400)),
    (node("opnsense", "26.1"), node("freebsd", "13.2-RELEASE"), "no", "yes", ("a", 1301)),
    (node("pfsense-ce", "2.6.0"), node("opnsense", "26.1"), "yes", "no", ("b", 1301)),
    (node("pfsense-ce", "2.6.0"), node("freebsd", "14.2-RELEASE"), "yes", "no", ("b", 1301)),
    (node("pfsense-ce", "2.6.0"), node("pfsense-plus", "22.01"), "yes", "yes", None),
    # The product has a setting from 24.7 on, whatever its kernel sends by itself.
    (node("opnsense", "26.7"), node("freebsd", "14.2-RELEASE"), "yes", "yes", None),
])
def test_products_and_mixed_platforms(one: dict[str, Any], other: dict[str, Any], there: str, back: str, pin: tuple[str, int] | None) -> None:
    result = compatibility(one, other)
    assert (result["a_to_b"], result["b_to_a"]) == (there, back), result["reason"]
    assert (None if result["pin"] is None else (result["pin"]["node"], result["pin"]["format"])) == pin


@pytest.mark.parametrize(("sender", "part"), [
    (node("opnsense", "25.1", emits=1400), "choose Sync compatibility (pfsyncversion) 1301"),
    (node("pfsense-plus", "24.11", emits=1400), "pfSense has no setting for it: ifconfig pfsync0 version 1301 sets it until the next boot"),
    (node("pfsense-ce", "2.8.0", emits=1400), "hafirewall_cluster.sync.format: 1301"),
    (node("freebsd", "14.2-RELEASE"), "pfsync_ifconfig=\"version 1301\"")])
def test_a_pin_is_told_in_the_words_of_its_platform(sender: dict[str, Any], part: str) -> None:
    result = compatibility(sender, node("freebsd", "13.2-RELEASE"))
    assert (result["pin"]["node"], result["pin"]["format"]) == ("a", 1301)
    assert part in result["pin"]["how"]


OPNSENSE = ["15.7", "16.7.1", "18.1", "20.1", "20.7", "21.1", "21.4", "21.7", "21.10", "22.1", "22.4", "22.7", "22.10", "23.1", "23.4", "23.7", "23.10", "24.1",
            "24.4", "24.7", "24.10", "25.1", "25.4", "25.7", "25.10", "26.1", "26.4", "26.7", "26.7.4", "27.1"]
PFSENSE_CE = ["1.2.3", "2.0", "2.0.3", "2.1", "2.1.5", "2.2", "2.2.6", "2.3", "2.3.5-p2", "2.4.0", "2.4.3-p1", "2.4.4-p3", "2.4.5-p1", "2.5.0", "2.5.2",
              "2.6.0", "2.7.0", "2.7.2", "2.8.0", "2.8.1", "2.9.0", "2.9.0-DEVELOPMENT"]
PFSENSE_PLUS = ["21.02", "21.05", "22.01", "22.05", "23.01", "23.05", "23.09", "24.03", "24.11", "25.07", "25.11", "26.03"]
_PRODUCTS = [node(name, release) for name, releases in (("opnsense", OPNSENSE), ("pfsense-ce", PFSENSE_CE), ("pfsense-plus", PFSENSE_PLUS))
             for release in releases]


def test_every_product_release_against_every_other() -> None:
    answers: dict[str, int] = {}
    for one, other in product(_PRODUCTS, _PRODUCTS):
        result = compatibility(one, other)
        assert {result["a_to_b"], result["b_to_a"]} <= {"yes", "no", "unknown"}
        assert result["confidence"] in CONFIDENCE and result["reason"]
        # A yes never stands on what is not verified.
        assert "unknown" in (result["a_to_b"], result["b_to_a"]) or result["confidence"] != "unverified"
        answers[result["a_to_b"]] = answers.get(result["a_to_b"], 0) + 1
    assert all(answers[word] for word in ("yes", "no", "unknown"))


@pytest.mark.parametrize(("one", "other"), [
    (node("freebsd", "14.0-CURRENT"), node("freebsd", "14.2-RELEASE")), (node("freebsd", "14.0-CURRENT"), node("freebsd", "13.2-RELEASE")),
    (node("freebsd", "14.0-CURRENT"), node("freebsd", "14.0-CURRENT")), (node("freebsd", "16.0-RELEASE"), node("freebsd", "15.0-RELEASE")),
    (node("pfsense-ce", "2.7.2"), node("pfsense-ce", "2.8.0")), (node("pfsense-ce", "2.7.0"), node("pfsense-ce", "2.7.2")),
    (node("pfsense-plus", "26.03"), node("pfsense-plus", "26.03")), (node("opnsense", "27.1"), node("opnsense", "26.1")),
    (node("openbsd", "8.0"), node("openbsd", "7.6")), (node("linux", "1.5.0"), node("linux", "1.4.8")),
    # Equal formats by their source, and the vendor says that they may not be able to.
    (node("pfsense-ce", "2.5.2"), node("pfsense-ce", "2.6.0")), (node("pfsense-ce", "2.2.6"), node("pfsense-ce", "2.3")),
])
def test_unknown_stays_unknown(one: dict[str, Any], other: dict[str, Any]) -> None:
    result = compatibility(one, other)
    assert (result["a_to_b"], result["b_to_a"], result["pin"], result["confidence"]) == ("unknown", "unknown", None, "unverified")


def test_two_nodes_of_one_product_release_have_one_kernel() -> None:
    for one in (node("pfsense-ce", "2.7.2-RELEASE"), node("pfsense-plus", "24.11"), node("pfsense-ce", "2.9.0")):
        result = compatibility(one, dict(one))
        assert (result["a_to_b"], result["b_to_a"], result["confidence"]) == ("yes", "yes", "derived")
    # Also when only one of them has told what it sends.
    result = compatibility(node("pfsense-ce", "2.8.0", emits=1400), node("pfsense-ce", "2.8.0"))
    assert (result["a_to_b"], result["b_to_a"]) == ("yes", "yes")


@pytest.mark.parametrize(("one", "other", "there", "back"), [
    # A kernel from between two releases that shows no version has one format, and one that shows 1400 knows 1301 too.
    (node("freebsd", "14.0-CURRENT", emits=1301, understands=[1301]), node("freebsd", "14.2-RELEASE"), "yes", "no"),
    (node("freebsd", "14.0-CURRENT", emits=1400), node("freebsd", "14.2-RELEASE"), "yes", "yes"),
    (node("freebsd", "14.0-CURRENT", emits=1400), node("freebsd", "13.2-RELEASE"), "no", "yes"),
    (node("freebsd", "14.0-CURRENT", emits=1301), node("freebsd", "14.2-RELEASE"), "yes", "unknown"),
    (node("pfsense-ce", "2.6.0", emits=1301), node("pfsense-ce", "2.7.2", emits=1301), "yes", "yes"),
    (node("pfsense-ce", "2.5.2", emits=1301), node("pfsense-ce", "2.6.0", emits=1301), "yes", "yes"),
    (node("pfsense-plus", "25.11", emits=1500), node("pfsense-plus", "24.11", emits=1400), "unknown", "yes"),
    (node("pfsense-plus", "25.11", emits=1500), node("pfsense-plus", "24.11", emits=1400, understands=[1301, 1400]), "no", "yes"),
    # The table says otherwise of these releases.
    (node("freebsd", "13.2-RELEASE", emits=1400), node("freebsd", "14.2-RELEASE"), "yes", "yes"),
    (node("freebsd", "13.2-RELEASE", understands=[1301, 1400]), node("freebsd", "14.2-RELEASE"), "yes", "yes"),
    (node("freebsd", "14.2-RELEASE", understands=[1301]), node("freebsd", "14.2-RELEASE"), "yes", "no"),
    (node("freebsd", "14.2-RELEASE", understands=[]), node("freebsd", "14.2-RELEASE"), "unknown", "no"),
    (node("opnsense", "27.1", emits=1500, understands=[1301, 1400, 1500]), node("opnsense", "26.7"), "yes", "yes"),
    (node("linux", "1.5.0", emits=1, understands=[1]), node("linux", "1.4.8"), "yes", "yes"),
    (node("linux", "1.5.0", emits=2), node("linux", "1.4.8"), "no", "unknown"),
])
def test_evidence_beats_the_table(one: dict[str, Any], other: dict[str, Any], there: str, back: str) -> None:
    result = compatibility(one, other)
    assert (result["a_to_b"], result["b_to_a"]) == (there, back), result["reason"]


def test_what_both_nodes_said_is_evidence() -> None:
    told = {"emits": 1400, "understands": [1301, 1400]}
    assert compatibility(node("freebsd", "14.2-RELEASE", **told), node("opnsense", "25.1", **told))["confidence"] == EVIDENCE
    assert compatibility(node("freebsd", "14.2-RELEASE", **told), node("opnsense", "25.1"))["confidence"] == "documented"


def test_a_yes_never_stands_on_what_is_not_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = node("freebsd", "14.2-RELEASE"), node("freebsd", "15.0-RELEASE")
    assert compatibility(one, other)["a_to_b"] == "yes"
    doubted = tuple(replace(span, confidence="unverified") if span.since == (15,) else span for span in TABLES["freebsd"])
    monkeypatch.setitem(TABLES, "freebsd", doubted)
    result = compatibility(one, other)
    assert (result["a_to_b"], result["b_to_a"], result["confidence"]) == ("unknown", "no", "unverified")
    assert "should understand, and that is not verified" in result["reason"]


def test_one_pin_that_would_not_do_is_not_named() -> None:
    result = compatibility(node("freebsd", "15.0-RELEASE", emits=1500, understands=[1301, 1500]), node("freebsd", "14.2-RELEASE", emits=1400))
    assert (result["a_to_b"], result["b_to_a"], result["pin"]) == ("no", "no", None)


def test_null_is_not_told() -> None:
    plain, other = node("freebsd", "15.0-RELEASE"), node("freebsd", "14.2-RELEASE")
    assert compatibility({**plain, "emits": None, "understands": None, "kernel": None, "mode": None}, other) == compatibility(plain, other)


@pytest.mark.parametrize(("one", "other", "some", "none"), [
    (node("freebsd", "13.2-RELEASE"), node("freebsd", "14.2-RELEASE"), ["route-to", "queues", "rtable"], ["tags", "af-to"]),
    (node("freebsd", "13.2-RELEASE"), node("freebsd", "15.0-RELEASE"), ["route-to", "queues", "rtable", "tags", "af-to"], []),
    (node("freebsd", "14.2-RELEASE"), node("freebsd", "15.0-RELEASE"), ["tags", "af-to"], ["route-to"]),
    (node("freebsd", "14.2-RELEASE", emits=1301), node("freebsd", "14.2-RELEASE", emits=1301), ["route-to"], ["tags"]),
    (node("opnsense", "26.7"), node("opnsense", "26.7"), ["tags"], ["route-to"]),
    # Nothing is lost that the sender never had.
    (node("freebsd", "13.2-RELEASE"), node("freebsd", "13.2-RELEASE"), [], ["route-to", "tags"]),
    (node("freebsd", "15.0-RELEASE"), node("freebsd", "15.0-RELEASE"), [], ["route-to", "tags"]),
    (node("freebsd", "14.2-RELEASE"), node("openbsd", "7.6"), [], ["route-to", "tags"]),
])
def test_what_an_older_format_loses(one: dict[str, Any], other: dict[str, Any], some: list[str], none: list[str]) -> None:
    lost = compatibility(one, other)["lost"]
    assert all(any(part in what for what in lost) for part in some)
    assert not any(part in what for part in none for what in lost)


@pytest.mark.parametrize(("one", "other", "answer", "lost"), [
    ("1.4.7", "1.4.8", "yes", []), ("1:1.4.7-1+b2", "1:1.4.8-2", "yes", []), ("1.4.6", "1.4.8", "yes", ["zone"]),
    ("1.4.4", "1.4.8", "yes", ["SYN proxy", "zone"]), ("1.4.2", "1.4.4", "yes", ["IPv6 with NAT"]), ("1.0.1", "1.2.0", "no", []),
    ("1.2.0", "1.4.9", "yes", ["labels", "IPv6 with NAT", "SYN proxy", "zone"]), ("0.9.15", "1.0.1", "yes", []),
    ("0.9.12", "0.9.15", "yes", ["SCTP", "ICMP", "TCP"])])
def test_conntrackd(one: str, other: str, answer: str, lost: list[str]) -> None:
    result = compatibility(node("linux", one), node("linux", other))
    assert (result["a_to_b"], result["b_to_a"], result["pin"]) == (answer, answer, None)
    assert len(result["lost"]) == len(lost)
    assert all(part in what for part, what in zip(lost, result["lost"]))
    # It is the newer one's states that the older one refuses, whichever is named first.
    assert compatibility(node("linux", other), node("linux", one))["lost"] == result["lost"]


def test_modes_and_kernels_of_linux() -> None:
    one, other = node("linux", "1.4.7", mode="ftfw", kernel="6.1.0-28-amd64"), node("linux", "1.4.8", mode="ftfw", kernel="6.12.9")
    result = compatibility(one, other)
    assert (result["a_to_b"], result["b_to_a"], result["confidence"]) == ("yes", "yes", "derived")
    assert "the kernels differ" in result["reason"]
    assert compatibility(one, {**other, "kernel": one["kernel"]})["confidence"] == "source read"
    result = compatibility(one, {**other, "mode": "notrack"})
    assert (result["a_to_b"], result["b_to_a"]) == ("unknown", "unknown")
    assert "mode ftfw is not mode notrack" in result["reason"]


def test_a_reason_names_both_directions() -> None:
    reason = compatibility(node("freebsd", "13.2-RELEASE"), node("freebsd", "14.2-RELEASE"))["reason"]
    assert reason == ("a to b: FreeBSD 13.2-RELEASE sends format 1301, which FreeBSD 14.2-RELEASE understands; b to a: FreeBSD 14.2-RELEASE sends format 1400 "
                      "by default, and FreeBSD 13.2-RELEASE understands format 1301 and drops others")


@pytest.mark.parametrize("release", ["14.0-CURRENT", "16.0-RELEASE"])
def test_a_reason_tells_how_to_learn_more(release: str) -> None:
    assert "the number after version: in ifconfig pfsync0 tells" in compatibility(node("freebsd", release), node("freebsd", "14.2"))["reason"]


_GOOD = node("freebsd", "14.2-RELEASE")


@pytest.mark.parametrize(("wrong", "said"), [
    ("14.2", "is no node; give a dictionary with platform and release"), (None, "is no node"), ({}, r"\.platform: is missing; give the node's platform"),
    ({"platform": "freebsd"}, r"\.release: is missing"), ({"platform": None, "release": "14.2"}, r"\.platform: is missing"),
    ({"platform": "pfsense", "release": "2.7.2"}, r"\.platform: 'pfsense' is none that is known; give one of pfsense-ce"),
    ({"platform": "opnsense", "release": 26.10}, r"\.release: 26.1 is no text; write it between quotes"),
    ({**_GOOD, "release": "newest"}, r"\.release: 'newest' names no release"), ({**_GOOD, "emit": 1400}, r"\.emit: there is no such key; give platform"),
    ({**_GOOD, "emits": "1400"}, r"\.emits: '1400' is no format; give a number"), ({**_GOOD, "emits": True}, r"\.emits: True is no format"),
    ({**_GOOD, "emits": -1}, r"\.emits: -1 is no"), ({**_GOOD, "understands": 1400}, r"\.understands: 1400 is no list"),
    ({**_GOOD, "understands": "1400"}, r"\.understands: '1400' is no list"), ({**_GOOD, "understands": [1301, None]}, r"\.understands\[1\]: None is no format"),
    ({**_GOOD, "mode": "ftfw"}, r"\.mode: is for nodes of linux"), ({**node("linux", "1.4.8"), "mode": "stats"}, r"\.mode: 'stats' is no mode"),
    ({**node("linux", "1.4.8"), "kernel": 6.1}, r"\.kernel: 6.1 is no text")])
@pytest.mark.parametrize("place", ["node_a", "node_b"])
def test_bad_input_is_a_clear_error(wrong: Any, said: str, place: str) -> None:
    with pytest.raises(ValueError, match=f"^{place}.*{said}"):
        compatibility(*((wrong, _GOOD) if place == "node_a" else (_GOOD, wrong)))
