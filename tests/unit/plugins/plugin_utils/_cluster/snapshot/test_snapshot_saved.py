# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Saved evidence: whole files of node_info in, anything else refused."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.snapshot import SavedError, file_name, node_of, read
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("document", [{"platform": "linux"}, {"evidence": {"platform": "linux"}, "changed": False}])
def test_evidence_is_taken_alone_or_as_node_info_returned_it(document):
    assert read(json.dumps(document)) == {"platform": "linux"}


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", "{}", '{"platform": 1}', '{"evidence": {}}', "[" * 100000])
def test_anything_else_is_refused_with_what_to_do(text):
    with pytest.raises(SavedError, match="take the snapshot again|holds nothing else"):
        read(text)


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
