# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page about which releases can share states is what the data makes of it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.compatibility import compatibility
from ansible_collections.hafirewall.cluster.plugins.plugin_utils._cluster.protocol.releases import TABLES

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """What writes the page."""
    spec = importlib.util.spec_from_file_location("compatibility_page", DOCS / "compatibility.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_data_makes_of_it(maker: ModuleType) -> None:
    assert maker.PAGE.read_text(encoding="utf-8") == maker.page(), "write it again with: make compatibility"


def test_the_page_is_linked() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    assert "(compatibility.md)" in index
    assert "\ncompatibility\n" in index


def test_every_row_of_the_data_is_on_the_page(maker: ModuleType) -> None:
    lines = maker.page().split("## The releases")[1].split("## What to know")[0].splitlines()
    rows = [line for line in lines if line.startswith("| ")][2:]
    assert len(rows) == sum(len(table) for table in TABLES.values())


def test_a_cell_says_what_is_judged(maker: ModuleType) -> None:
    lines = maker.page().split("## Kernels")[1].split("## pfSense CE")[0].splitlines()
    heads, *rows = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines if line.startswith("|") and "---" not in line]
    nodes = dict(maker.KERNELS)
    assert [row[0] for row in rows] == list(nodes)
    for row in rows:
        for head, cell in zip(heads[1:], row[1:]):
            answer = compatibility(nodes[row[0]], nodes[head])
            pin = answer["pin"]
            assert cell.split(",")[0].split(";")[0] == answer["a_to_b"]
            assert ("pin" in cell) is (pin is not None and pin["node"] == "a")
