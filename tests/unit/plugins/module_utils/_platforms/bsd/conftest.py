# Copyright (c) 2026, hafirewall.cluster contributors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the systems share is tested on each of them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest


@pytest.fixture(params=["freebsd", "openbsd"])
def cases(request: pytest.FixtureRequest) -> Any:
    """The system's node for LAGGs, and the calls of a run."""
    return importlib.import_module("ansible_collections.hafirewall.cluster.tests.simulators.%s.lagg_cases" % request.param)


@pytest.fixture
def booted(cases: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Makes a node on which scripts run."""
    with cases.booting(tmp_path) as booted:
        yield booted
