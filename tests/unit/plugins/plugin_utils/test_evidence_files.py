# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence in files: it is read, and what cannot be is named with the reason and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.saved import Saved, SavedError, as_file
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._evidence_files import read_file

SAVED = Saved({"platform": "linux", "os": {"pretty": "Debian \u2013 12"}}, {"2": 60}, 60)


def test_what_is_kept_is_read(tmp_path: Path) -> None:
    (tmp_path / "fw1.json").write_text(as_file(SAVED), encoding="utf-8")
    assert read_file(tmp_path / "fw1.json") == SAVED


@pytest.mark.parametrize(("content", "words"), [
    (b"{", "it is no JSON"), (b"{}", "it names no platform"), (b'{"platform": "\xff"}', "it is no text in UTF-8; save it again"),
    (None, "it cannot be read: .*; let the user of this run read it")])
def test_what_is_no_evidence_is_named_with_the_reason_and_what_to_do(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "fw1.json"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(SavedError, match=f"^{path}: .*{words}"):
        read_file(path)
