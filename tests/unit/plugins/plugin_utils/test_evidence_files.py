# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence in files: what was saved is what is read, and a result of node_info is read too."""

from __future__ import annotations

import json

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._evidence_files import Saved, as_file, read_saved

EVIDENCE = {"platform": "linux", "os": {"id": "debian"}}


def test_what_is_saved_is_read_again():
    saved = Saved(EVIDENCE, {"2": 60}, 60)
    assert read_saved(json.loads(as_file(saved))) == saved


@pytest.mark.parametrize("document", [EVIDENCE, {"evidence": EVIDENCE, "changed": False, "commands": []}])
def test_evidence_and_a_result_of_node_info_are_read(document):
    assert read_saved(document) == Saved(EVIDENCE, None, 1)


@pytest.mark.parametrize(("document", "words"), [
    ([], "no evidence"), (None, "no evidence"), ({}, "no platform"), ({"evidence": None}, "no platform"), ({"evidence": {"os": {}}}, "no platform"),
    ({"evidence": EVIDENCE, "observed": []}, "observed"), ({"evidence": EVIDENCE, "probe_count": 0}, "probe_count"),
    ({"evidence": EVIDENCE, "probe_count": True}, "probe_count"),
])
def test_what_is_none_is_refused_with_the_reason(document, words):
    with pytest.raises(ValueError, match=words):
        read_saved(document)
