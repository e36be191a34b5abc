# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Marked blocks in files of others."""

from __future__ import annotations

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.bsd import blocks
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms.node import NodeError
from hypothesis import given
from hypothesis import strategies as st

PATH = "/etc/sysctl.conf"
BLOCK = "# BEGIN hafirewall.cluster one\na=1\n# END hafirewall.cluster one\n"


@pytest.mark.parametrize(("before", "after"), [
    ("", BLOCK), ("x=1\n", "x=1\n" + BLOCK), ("x=1", "x=1\n" + BLOCK),
    (BLOCK.replace("a=1", "b=2") + "x=1\n", BLOCK + "x=1\n"), (BLOCK, BLOCK),
    (BLOCK.replace(" one", " two"), BLOCK.replace(" one", " two") + BLOCK),
])
def test_a_block_comes_to_the_end_or_stays_at_its_place(before: str, after: str) -> None:
    assert blocks.put(before, "one", ["a=1"], PATH) == after


@given(st.text("ab=\n#\r\t \\"), st.lists(st.text("ab=1"), max_size=3))
def test_what_others_wrote_comes_back_to_the_last_byte(text: str, lines: list[str]) -> None:
    text += "" if text.endswith("\n") or not text else "\n"
    changed = blocks.put(text, "one", ["a", *lines], PATH)
    assert blocks.put(blocks.put(changed, "one", lines, PATH), "one", [], PATH) == text
    assert len(blocks.outside(changed, "one", PATH)) == len(changed) and blocks.outside(changed, "one", PATH).startswith(text)
    found = blocks.find(changed, "one", PATH)
    assert found is not None and found.lines == ("a", *lines)


def test_what_is_outside_keeps_its_lines() -> None:
    text = "x=1\n" + BLOCK + "y=2\n"
    outside = blocks.outside(text, "one", PATH)
    assert outside.split() == ["x=1", "y=2"] and blocks.line_of(outside, outside.index("y=2")) == 5
    assert blocks.outside(text, "two", PATH) == text


@pytest.mark.parametrize(("text", "problem"), [
    ("x=1\n# BEGIN hafirewall.cluster one\n", r"/etc/sysctl\.conf:2: .*has no end"),
    ("# END hafirewall.cluster one\n", r"/etc/sysctl\.conf:1: this mark"),
    (BLOCK + BLOCK, r"/etc/sysctl\.conf:4: this mark"),
    ("# BEGIN hafirewall.cluster one\n" + BLOCK, r"/etc/sysctl\.conf:2: this mark"),
])
def test_marks_that_do_not_belong_together_are_an_error_with_their_line(text: str, problem: str) -> None:
    with pytest.raises(NodeError, match=problem):
        blocks.put(text, "one", ["a=1"], PATH)
    assert blocks.find(text, "two", PATH) is None
