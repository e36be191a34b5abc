# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every file that runs on a node can be imported by the Python that runs this test; ``make matrix`` runs it on the oldest that a node may have."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from ansible_collections.hafirewall.cluster.plugins.module_utils._platforms import node

PLUGINS = Path(node.__file__).absolute().parents[2]
NODE_CODE = sorted(path.relative_to(PLUGINS).with_suffix("") for folder in ("module_utils", "modules") for path in (PLUGINS / folder).rglob("[!_]*.py"))


@pytest.mark.parametrize("path", NODE_CODE, ids=str)
def test_it_can_be_imported(path: Path) -> None:
    importlib.import_module(".".join(("ansible_collections.hafirewall.cluster.plugins", *path.parts)))


def test_it_is_all_of_it() -> None:
    assert {Path("modules/node_info"), Path("module_utils/_platforms/linux/nft_rules"), Path("module_utils/_probe/tcp")} <= set(NODE_CODE)
