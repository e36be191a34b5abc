# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in of pfSense of each generation of the product's functions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Callable

import pytest

if TYPE_CHECKING:  # this file may be read before the collection can be found
    from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

# Each differs in how the configuration is loaded and reached; 2.8 is in between, and the stand-in's own tests have it too.
# HAFW_PFSENSE names other ones: where only Python differs, one of them will do.
GENERATIONS = tuple(os.environ.get("HAFW_PFSENSE", "2.6.0-RELEASE 2.7.2-RELEASE 2.9.0-RELEASE").split())
Maker = Callable[..., "PfsenseNode"]


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    """Makes a node; setting pfsync up does not wait on it, as on a kernel that is busy."""
    from ansible_collections.hafirewall.cluster.tests.simulators.pfsense.node import PfsenseNode

    def make(release: str = "2.7.2-RELEASE", **layout: object) -> PfsenseNode:
        node = PfsenseNode(tmp_path / "node", release=release, **layout)
        node.kernel("pfsync", syncok=0)
        return node
    return make


@pytest.fixture(params=GENERATIONS)
def generation(request: pytest.FixtureRequest) -> str:
    """A release of each generation."""
    return str(request.param)


@pytest.fixture
def node(generation: str, make: Maker) -> PfsenseNode:
    """A node of each generation."""
    return make(generation)
