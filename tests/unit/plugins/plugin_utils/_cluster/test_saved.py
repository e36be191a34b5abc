# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Saved evidence: whole files of node_info in, anything else refused."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.saved import Saved, SavedError, as_file, file_name, node_of, read
from hypothesis import given
from hypothesis import strategies as st

EVIDENCE = {"platform": "linux", "os": {"id": "debian"}}


def test_what_is_saved_is_read_again():
    saved = Saved(EVIDENCE, {"2": 60}, 60)
    assert read(as_file(saved)) == saved


@pytest.mark.parametrize("document", [EVIDENCE, {"evidence": EVIDENCE, "changed": False, "commands": []}])
def test_evidence_is_taken_alone_or_as_node_info_returned_it(document):
    assert read(json.dumps(document)) == Saved(EVIDENCE, None, 1)


def nested(levels):
    """A value of so many levels."""
    return [nested(levels - 1)] if levels > 1 else []


@pytest.mark.parametrize(("text", "why"), [
    ("", "it is no JSON"), ("{", "it is no JSON"), ("[" * 100000, "it is no JSON"), ("[]", "it is no mapping"), ("1", "it is no mapping"),
    ("null", "it is no mapping"), ("{}", "it names no platform"), ('{"platform": 1}', "it names no platform"), ('{"evidence": {}}', "it names no platform"),
    ('{"evidence": null}', "it names no platform"), ('{"platform": "linux", "evidence": []}', "it names no platform"),
    (json.dumps({**EVIDENCE, "x": nested(13)}), "nested more than 12 levels deep"), (json.dumps({**EVIDENCE, "x": [0] * 100000}), "more than 100000 values"),
    (json.dumps({"evidence": EVIDENCE, "observed": {"x": nested(13)}}), "nested more than 12 levels deep"),
])
def test_anything_else_is_refused_with_what_to_do(text, why):
    with pytest.raises(SavedError, match=f"{why}.*; save again what hafirewall.cluster.node_info returned, and keep other files elsewhere"):
        read(text)


@pytest.mark.parametrize(("more", "why"), [
    ({"observed": []}, "observed is no mapping of origins to numbers; put there"), ({"probe_count": 0}, "probe_count is no number of states; put there"),
    ({"probe_count": True}, "probe_count is no number of states"), ({"probe_count": None}, "probe_count is no number of states")])
def test_what_was_observed_is_whole_too(more, why):
    with pytest.raises(SavedError, match=why):
        read(json.dumps({"evidence": EVIDENCE, **more}))


def test_evidence_as_deep_as_that_of_a_run_may_be_is_read_as_it_is():
    evidence = {**EVIDENCE, "x": nested(12), "none": None, "number": float("nan")}
    assert json.dumps(read(json.dumps(evidence)).evidence) == json.dumps(evidence)


@given(text=st.text())
def test_no_text_raises_anything_else(text):
    with pytest.raises(SavedError):
        read(text)


@given(node=st.text() | st.sampled_from([".", "..", ".fw1", "a/b", "../fw1", "a\\b", "a\0b", "%2E", "fw 1"]))
def test_each_name_has_a_visible_file_in_the_folder_and_comes_back(node):
    name = file_name(node)
    assert not set("/\\\0") & set(name) and not (node and name.startswith("."))
    assert node == "" or node_of(name) == node


def test_a_usual_name_is_the_name_of_its_file_and_other_files_are_of_no_node():
    assert file_name("fw1.example.net") == "fw1.example.net.json"
    assert [node_of(name) for name in ("notes.txt", ".fw1.json.ab12", ".fw1.json")] == [None, None, None]
