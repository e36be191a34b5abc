# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever two nodes are: nothing raises, swapping them mirrors the answer, a pin keeps its promise, and a yes has a ground."""

from __future__ import annotations

from typing import Any

from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.compatibility import compatibility
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.pfsync_rows import FORMATS
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.releases import TABLES, knowledge
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.rows import CONFIDENCE, FAMILIES, Row
from hypothesis import given
from hypothesis import strategies as st

_SUFFIXES = st.sampled_from(["", "-RELEASE", "-RELEASE-p1", "-CURRENT", "-STABLE", "-BETA1", "-DEVELOPMENT", "_3", "p1-RELEASE", ".r1", "-1+b2"])


@st.composite
def releases(draw: st.DrawFn, platform: str) -> str:
    """A release of the table, one near it, or any other."""
    known = st.sampled_from([bound for span in TABLES[platform] for bound in (span.since, span.before)])
    anything = st.lists(st.integers(0, 9999), min_size=1, max_size=4).map(tuple)
    numbers = draw(known | st.tuples(known, st.integers(0, 12)).map(lambda pair: (*pair[0], pair[1])[:4]) | anything)
    return ".".join(map(str, numbers)) + draw(_SUFFIXES)


@st.composite
def nodes(draw: st.DrawFn, platform: str | None = None) -> dict[str, Any]:
    """A node that says all, some or nothing of itself."""
    name = platform or draw(st.sampled_from(sorted(TABLES)))
    numbers = st.sampled_from((*FORMATS, 0, 1, 3, 6, 1600))
    told: dict[str, Any] = draw(st.fixed_dictionaries({}, optional={"emits": st.none() | numbers, "understands": st.none() | st.lists(numbers, max_size=4)}))
    if name == "linux":
        told |= draw(st.fixed_dictionaries({}, optional={"mode": st.sampled_from(["ftfw", "notrack", "alarm"]), "kernel": st.text(max_size=20)}))
    return {"platform": name, "release": draw(releases(name)), **told}


_RELATED = [platform for platform in sorted(TABLES) if FAMILIES[platform] == "freebsd"]
_MIRROR = {"a": "b", "b": "a"}


@given(nodes(), nodes())
def test_swapping_the_nodes_mirrors_the_answer(one: dict[str, Any], other: dict[str, Any]) -> None:
    answer, mirrored = compatibility(one, other), compatibility(other, one)
    assert set(answer) == {"a_to_b", "b_to_a", "pin", "lost", "confidence", "reason"}
    assert {answer["a_to_b"], answer["b_to_a"]} <= {"yes", "no", "unknown"}
    assert (answer["a_to_b"], answer["b_to_a"], answer["confidence"]) == (mirrored["b_to_a"], mirrored["a_to_b"], mirrored["confidence"])
    assert sorted(answer["lost"]) == sorted(mirrored["lost"])
    assert len(set(answer["lost"])) == len(answer["lost"])
    pin = answer["pin"]
    assert mirrored["pin"] == (None if pin is None else {**pin, "node": _MIRROR[pin["node"]]})
    assert answer["confidence"] in CONFIDENCE and answer["reason"]


@given(st.data(), st.sampled_from(_RELATED), st.sampled_from(_RELATED))
def test_a_pin_keeps_its_promise(data: st.DataObject, one: str, other: str) -> None:
    pair = {"a": data.draw(nodes(one)), "b": data.draw(nodes(other))}
    answer = compatibility(pair["a"], pair["b"])
    pin = answer["pin"]
    if pin is None:
        return
    assert "yes" in (answer["a_to_b"], answer["b_to_a"])
    assert str(pin["format"]) in pin["how"]
    pair[pin["node"]] = {**pair[pin["node"]], "emits": pin["format"]}
    done = compatibility(pair["a"], pair["b"])
    assert (done["a_to_b"], done["b_to_a"], done["pin"]) == ("yes", "yes", None)


@given(nodes(), nodes())
def test_a_yes_has_a_ground(one: dict[str, Any], other: dict[str, Any]) -> None:
    answer = compatibility(one, other)
    if "yes" not in (answer["a_to_b"], answer["b_to_a"]):
        return
    assert FAMILIES[one["platform"]] == FAMILIES[other["platform"]]
    known = [_tells(node, knowledge(node["platform"], node["release"])) for node in (one, other)]
    assert all(known) or one["release"].split("-")[0] == other["release"].split("-")[0] or answer["confidence"] in ("derived", "unverified")


def _tells(node: dict[str, Any], row: Row) -> bool:
    return bool(row.understands or node.get("understands") or node.get("emits") is not None)


@given(st.data(), st.sampled_from(sorted(TABLES)))
def test_every_well_formed_release_has_a_row(data: st.DataObject, platform: str) -> None:
    release = data.draw(releases(platform))
    row = knowledge(platform, release)
    assert (row.platform, row.release) == (platform, release)
    assert row.confidence in CONFIDENCE[1:] and row.source and row.notes
    assert row.emits is None or (row.understands is not None and row.emits in row.understands)
